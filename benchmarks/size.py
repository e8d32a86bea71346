"""Fits on large data: seconds, score and memory, and X in a file beside X in memory.

    python benchmarks/size.py [--largest 10000000] [--threads 1 2] [--only copies files]

Each fit is a child process, whose peak of memory, beside X, is that of its own pages
(RssAnon), looked at every 5 ms: the pages of a file that is mapped are not counted. The
rivals get standardised inputs, or categories as such; MLPClassifier and MLPRegressor
stop after five epochs from a million rows on.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import numpy as np
from _datasets import as_categories, enough_of_each_class, load, split, table_encoder
from _timing import printed_heading, timed
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._arrays import design

SETS = ("kddcup99_10pct", "mnist")
N_TEST = 20_000
BLOCK = 2**14


def written(folder, n, d, dtype=np.float64):
    """The files of a generated X, of n rows to train on and N_TEST others, and of y."""
    rng = np.random.default_rng(0)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", dtype, (n + N_TEST, d))
    y = np.empty(n + N_TEST)
    for i in range(0, n + N_TEST, BLOCK):
        some = rng.standard_normal((min(BLOCK, n + N_TEST - i), d))
        X[i : i + BLOCK] = some
        curved = np.sin(2 * some[:, 0]) + some[:, 1] * some[:, 2] + np.abs(some[:, 3])
        noise = 0.5 * rng.standard_normal(len(some))
        y[i : i + BLOCK] = curved + 0.3 * some[:, 4:].sum(axis=1) + noise
    X.flush()
    np.save(folder / "y.npy", y)


class Peak(threading.Thread):
    """The most memory of its own that the process has, beside what it has now."""

    def __init__(self):
        super().__init__(daemon=True)
        self.before = self.most = self.now()
        self.start()

    @staticmethod
    def now():
        """Bytes."""
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("RssAnon:")[2].split()[0])

    def run(self):
        """Look until the process ends."""
        while True:
            self.most = max(self.most, self.now())
            time.sleep(0.005)

    @property
    def beside(self):
        """Bytes."""
        return self.most - self.before


def table(name):
    """A real set, its columns of labels as categories."""
    if name == "mnist":
        return split(name)[2:]
    X, y, meta = load(name)
    rows = enough_of_each_class(y, None, 0)
    X = as_categories(X, meta)
    labels = X.select_dtypes(object).columns
    X[labels] = X[labels].astype("category")
    X, y = X.iloc[rows], y[rows]
    return train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)


def rivals(task, n, has_labels=False):
    """The estimators by name."""
    is_long = n >= 10**6
    mlp = {"random_state": 0, **({"max_iter": 5} if is_long else {})}
    if task == "regression":
        scaled = make_pipeline(StandardScaler(), MLPRegressor(**mlp))
        ours, trees = ShallowNNRegressor, HistGradientBoostingRegressor
    else:
        steps = [table_encoder()] if has_labels else []
        scaled = make_pipeline(*steps, StandardScaler(), MLPClassifier(**mlp))
        ours, trees = ShallowNNClassifier, HistGradientBoostingClassifier
    return {
        "ours": ours(random_state=0),
        "ours, 100 units, alpha=1": ours(100, alpha=1.0, random_state=0),
        "MLP": scaled,
        "HistGradientBoosting": trees(random_state=0),
    }


def child(folder, name, where):
    """Fit one estimator; print what it took as JSON."""
    folder = Path(folder)
    if where in ("file", "memory"):
        X = np.load(folder / "X.npy", mmap_mode="r" if where == "file" else None)
        y, task = np.load(folder / "y.npy"), "regression"
        X, y, X_test, y_test = X[:-N_TEST], y[:-N_TEST], X[-N_TEST:], y[-N_TEST:]
    else:
        X, X_test, y, y_test = table(where)
        task = "classification"
    model, peak = rivals(task, len(y), hasattr(X, "iloc"))[name], Peak()
    seconds, _ = timed(lambda: model.fit(X, y))
    n_bytes = 8 * X.shape[0] * X.shape[1] if hasattr(X, "iloc") else X.nbytes
    told = {"seconds": seconds, "MB": peak.beside / 1e6, "share": peak.beside / n_bytes}
    if task == "regression":
        told["score"] = r2_score(y_test, model.predict(X_test))
    else:
        P = model.predict_proba(X_test)
        told["score"] = model.score(X_test, y_test)
        told["log-loss"] = log_loss(y_test, P, labels=model.classes_)
    print(json.dumps(told))


def fitted(folder, name, where, n_threads):
    """What a child has to tell."""
    threads = {f"{lib}_NUM_THREADS": str(n_threads) for lib in ("OPENBLAS", "OMP")}
    command = [sys.executable, __file__, "--child", str(folder), name, where]
    done = subprocess.run(
        command, env=os.environ | threads, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def print_row(*cells, told):
    """A line of a table."""
    loss = f"{told['log-loss']:.4f}" if "log-loss" in told else ""
    numbers = (
        f"{told['seconds']:.1f} | {told['MB']:.0f} | {told['share']:.2f} | "
        f"{told['score']:.4f} | {loss}"
    )
    print(f"| {' | '.join(map(str, cells))} | {numbers} |", flush=True)


HEAD = (
    "| data | threads | estimator | seconds | MB beside X | share of X | accuracy or "
    "R² | log-loss |\n|---|---:|---|---:|---:|---:|---:|---:|"
)


def table_of_rows(folder, largest, n_threads, names):
    """A generated table of 20 columns, ten times as long each time."""
    n = 10**4
    while n <= largest:
        written(folder, n, 20)
        for name in names:
            told = fitted(folder, name, "memory", n_threads)
            print_row(f"{n:,} × 20", n_threads, name, told=told)
        n *= 10


def table_of_sets(folder, n_threads, names):
    """Two real sets."""
    for name in SETS:
        for rival in names:
            told = fitted(folder, rival, name, n_threads)
            print_row(name, n_threads, rival, told=told)


def table_of_files(folder, n_threads, names):
    """The same X in a file and in memory."""
    for n, d, dtype in (
        (200_000, 500, np.float32),
        (100_000, 500, np.float64),
        (2_000_000, 20, np.float64),
    ):
        written(folder, n, d, dtype)
        for name in (name for name in names if name.startswith("ours")):
            times = {}
            for where in ("memory", "file"):
                told = fitted(folder, name, where, n_threads)
                times[where] = told["seconds"]
                data = f"{n:,} × {d} {np.dtype(dtype)}, in {where}"
                print_row(data, n_threads, name, told=told)
            print(f"time ratio {times['file'] / times['memory']:.2f}\n", flush=True)


def table_of_copies(repeats=5):
    """CPU seconds of fits in turn: with a standardised copy, and with rows made."""
    print("| data | with a copy, s | rows as gathered, s | ratio | epochs |")
    print("|---|---:|---:|---:|---:|")
    rng = np.random.default_rng(0)
    for n, d, dtype in (
        (30_000, 784, np.float64),
        (30_000, 784, np.float32),
        (20_000, 100, np.float64),
        (200_000, 20, np.float64),
        (1_000_000, 20, np.float32),
    ):
        X = rng.standard_normal((n, d)).astype(dtype)
        y = X[:, 0] + X[:, 1] * X[:, 2] > 0
        model = ShallowNNClassifier(100, alpha=1.0, random_state=0)
        seconds = {design._LARGEST: [], 0: []}
        for most in [*seconds] * repeats:
            design._LARGEST = most
            start = time.process_time()
            model.fit(X, y)
            seconds[most].append(time.process_time() - start)
        design._LARGEST, (copied, made) = max(seconds), map(median, seconds.values())
        print(
            f"| {n:,} × {d} {np.dtype(dtype)} | {copied:.2f} | {made:.2f} | "
            f"{made / copied:.2f} | {model.n_iter_} |",
            flush=True,
        )


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--largest", type=int, default=10**7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--only", nargs="+", default=["copies", "rows", "sets", "files"]
    )
    parser.add_argument("--names", nargs="+", default=list(rivals("regression", 1)))
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        return child(*given.child)
    with printed_heading("python " + " ".join(sys.argv)):
        if "copies" in given.only:
            with threadpool_limits(1):
                table_of_copies()
        print(f"\n{HEAD}", flush=True)
        for n_threads in given.threads:
            with tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                if "rows" in given.only:
                    table_of_rows(folder, given.largest, n_threads, given.names)
                if "sets" in given.only:
                    table_of_sets(folder, n_threads, given.names)
                if "files" in given.only:
                    table_of_files(folder, n_threads, given.names)
    return None


if __name__ == "__main__":
    main()
