"""Sparse text: 20 newsgroups as TF-IDF, hashed, and with many labels.

    python benchmarks/text.py [--tables tfidf stream labels] [--methods ours mlp]
        [--columns 20000 0] [--mlp-epochs 200] [--validate] [--out results.jsonl]

Every fit has a process of its own, with one BLAS thread: CPU seconds of the fit, and
the most resident memory during it minus that before, also over the bytes of the CSR
matrix (data, indices and indptr). The test is the published split's; with `--validate`
it is a quarter of the training rows instead, which is what anything was chosen by. All
columns are 0. `mlp` has one hidden layer of 100 units and scikit-learn's defaults, up
to `--mlp-epochs`.

The labels of the third table are what readers would look a message up by: the parts of
the name of its group (as comp.sys.mac.hardware: comp, sys, mac, hardware), and the
words of its subject line that at least 20 training messages have. The inputs are the
words of the message without its header.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from _datasets import load
from _timing import printed_heading
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier

LEAST_MESSAGES = 20
# Messages of a chunk of the stream, and columns of hashed words.
CHUNK, HASHED = 1000, 2**16


def models(mlp_epochs):
    """What is fitted, by name; the last ones only to many labels."""
    return {
        "ours": lambda: ShallowNNClassifier(random_state=0),
        "ours, n_hidden=100": lambda: ShallowNNClassifier(100, random_state=0),
        "ours, n_hidden=100, alpha=0.01": lambda: ShallowNNClassifier(
            100, alpha=0.01, random_state=0
        ),
        "mlp": lambda: MLPClassifier(max_iter=mlp_epochs, random_state=0),
        "logistic": lambda: LogisticRegression(max_iter=1000),
        "logistic, C=30": lambda: LogisticRegression(C=30, max_iter=1000),
        "svc": lambda: LinearSVC(random_state=0),
        "one vs rest": lambda: OneVsRestClassifier(LogisticRegression(max_iter=1000)),
        "one vs rest, C=30": lambda: OneVsRestClassifier(
            LogisticRegression(C=30, max_iter=1000)
        ),
    }


TABLES = {
    "tfidf": [
        *("ours", "ours, n_hidden=100", "ours, n_hidden=100, alpha=0.01"),
        *("mlp", "logistic", "logistic, C=30", "svc"),
    ],
    "stream": ["ours", "mlp"],
    "labels": ["ours", "ours, n_hidden=100", "mlp", "one vs rest", "one vs rest, C=30"],
}


def messages(validate):
    """Texts and groups of the training and of the test messages."""
    texts, groups, meta = load("newsgroups20")
    ((train, test),) = meta["splits"]
    if validate:
        train, test = train_test_split(
            train, test_size=0.25, random_state=7, stratify=groups[train]
        )
    return texts[train], texts[test], groups[train], groups[test]


def tfidf(texts, others, n_columns):
    """Weighted words, of the first texts' vocabulary."""
    words = TfidfVectorizer(max_features=n_columns or None)
    return words.fit_transform(texts), words.transform(others)


def body(text):
    """A message without its header."""
    return text.partition("\n\n")[2]


def subject(text):
    """The words of the subject line, without those of an answer."""
    lines = (line for line in text.split("\n") if line.lower().startswith("subject:"))
    words = TfidfVectorizer().build_analyzer()(next(lines, "")[8:])
    return {f"subject {word}" for word in words} - {"subject re"}


def labels_of(texts, groups, known=None):
    """Indicators of the labels, and the labels; those that are known, or frequent."""
    found = [
        {*group.split("."), *subject(text)}
        for text, group in zip(texts, groups, strict=True)
    ]
    if known is None:
        counts = Counter(label for labels in found for label in labels)
        known = sorted(label for label, n in counts.items() if n >= LEAST_MESSAGES)
    return np.array(
        [[label in labels for label in known] for labels in found], int
    ), known


def prepared(table, n_columns, validate):
    """X and y of the training and of the test rows."""
    train, test, y, y_test = messages(validate)
    if table == "tfidf":
        return *tfidf(train, test, n_columns), y, y_test
    if table == "stream":
        hashed = HashingVectorizer(n_features=HASHED, alternate_sign=False)
        order = np.random.default_rng(0).permutation(len(y))
        X = hashed.transform(train[order])
        return X, hashed.transform(test), y[order], y_test
    y, known = labels_of(train, y)
    y_test, _ = labels_of(test, y_test, known)
    return *tfidf([*map(body, train)], [*map(body, test)], n_columns), y, y_test


def fit(table, model, X, y, is_stream):
    """Fit, or learn from chunk after chunk, once."""
    if not is_stream:
        return model.fit(X, y)
    classes = np.unique(y)
    for start in range(0, len(y), CHUNK):
        rows = slice(start, start + CHUNK)
        model.partial_fit(X[rows], y[rows], classes=classes)
    return model


def resident(name):
    """VmRSS or VmHWM of this process, in bytes."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if name in line)


def forget_peak():
    """Let the most resident memory begin at what it is."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def scores(table, model, X, y):
    """Loss and accuracy; of labels loss, accuracy and mean average precision."""
    if table == "labels":
        P = np.clip(model.predict_proba(X), 1e-15, 1 - 1e-15)
        loss = -np.mean(np.where(y == 1, np.log(P), np.log1p(-P)))
        has_any = y.any(axis=0)
        found = average_precision_score(y[:, has_any], P[:, has_any], average="macro")
        return {"log-loss": loss, "accuracy": np.mean((P > 0.5) == y), "AP": found}
    accuracy = model.score(X, y)
    if not hasattr(model, "predict_proba"):
        return {"log-loss": np.nan, "accuracy": accuracy}
    return {"log-loss": log_loss(y, model.predict_proba(X)), "accuracy": accuracy}


def run_child(folder, table, method, is_stream, mlp_epochs):
    """One fit: prints its numbers as JSON."""
    folder = Path(folder)
    X, X_test = (sparse.load_npz(folder / f"{part}.npz") for part in ("X", "X_test"))
    with np.load(folder / "y.npz") as file:
        y, y_test = file["y"], file["y_test"]
    model = models(mlp_epochs)[method]()
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        forget_peak()
        before, start, wall = (
            resident("VmRSS"),
            time.process_time(),
            time.perf_counter(),
        )
        fit(table, model, X, y, is_stream)
        seconds, wall = time.process_time() - start, time.perf_counter() - wall
        memory = resident("VmHWM") - before
        found = scores(table, model, X_test, y_test)
    size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    told = {"seconds": seconds, "wall": wall, "MB": memory / 1e6, "X": memory / size}
    epochs = {"epochs": int(np.max(getattr(model, "n_iter_", 0)))}
    print(json.dumps({**found, **told, **epochs}))


def measured(folder, table, method, is_stream, mlp_epochs):
    """The numbers of a fit in a process of its own."""
    options = [folder, table, method, str(int(is_stream)), str(mlp_epochs)]
    command = [sys.executable, __file__, "--child", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def print_row(cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def print_table(table, n_columns, options):
    """Fit every method to one table."""
    X, X_test, y, y_test = prepared(table, n_columns, options.validate)
    size = (X.data.nbytes + X.indices.nbytes + X.indptr.nbytes) / 1e6
    n_labels = y.shape[1] if y.ndim == 2 else len(np.unique(y))
    print(f"\n{table}: {X.shape[0]} rows of {X.shape[1]} columns, {X.nnz} entries, ")
    print(f"{size:.1f} MB; {n_labels} {'labels' if y.ndim == 2 else 'classes'}\n")
    names = ["log-loss", "accuracy", "AP"][: 3 if table == "labels" else 2]
    heads = ["method", *names, "CPU, s", "MB", "MB / X", "epochs"]
    print_row(heads)
    print_row(["---", *["---:"] * (len(heads) - 1)])
    with tempfile.TemporaryDirectory() as folder:
        for name, part in ("X", X), ("X_test", X_test):
            sparse.save_npz(Path(folder) / f"{name}.npz", part, compressed=False)
        np.savez(Path(folder) / "y.npz", y=y, y_test=y_test)
        for method in TABLES[table]:
            if options.methods and method not in options.methods:
                continue
            for is_stream in (False, True) if table == "stream" else (False,):
                found = measured(folder, table, method, is_stream, options.mlp_epochs)
                how = f"{method}, one pass" if is_stream else method
                cells = [f"{found[name]:.4f}" for name in names]
                cells += [f"{found['seconds']:.1f}", f"{found['MB']:.0f}"]
                print_row([how, *cells, f"{found['X']:.1f}", found["epochs"]])
                if options.out:
                    row = {
                        "table": table,
                        "columns": X.shape[1],
                        "method": how,
                        **found,
                    }
                    with open(options.out, "a") as file:
                        file.write(json.dumps(row) + "\n")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--methods", nargs="+", choices=models(1))
    parser.add_argument("--columns", type=int, nargs="+", default=[20_000, 0])
    parser.add_argument("--mlp-epochs", type=int, default=200)
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--out")
    return parser.parse_args()


def main():
    if "--child" in sys.argv:
        folder, table, method, is_stream, mlp_epochs = sys.argv[2:]
        run_child(folder, table, method, bool(int(is_stream)), int(mlp_epochs))
        return
    options = parse_options()
    with printed_heading("python benchmarks/text.py " + " ".join(sys.argv[1:])):
        for table in options.tables:
            columns = options.columns if table == "tfidf" else options.columns[:1]
            for n_columns in columns:
                print_table(table, n_columns, options)


if __name__ == "__main__":
    main()
