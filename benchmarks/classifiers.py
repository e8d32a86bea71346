"""Probabilities of default classifiers: log-loss, error, calibration, time to fit.

    python benchmarks/classifiers.py [--sets iris adult] [--methods ours mlp] \
        [--folds 5] [--cache rivals.json]

Every rival has its defaults; the networks, the logistic regression and the SVM get
standardised columns. Sets with one published split use it; others have `--folds`
stratified folds, shuffled with seed 0. The matrices are those of `_datasets.py`, fitted
on the training part. The expected calibration error has 15 bins; probabilities are
clipped at 1e-15. Seconds are CPU time of one thread. A method that cannot take a set,
or would take too long (see `MOST_ROWS_OF`), gets a random part of the rows, marked *,
or is left out. Ranks are by log-loss, among the methods that have a result for the set;
multilabel sets have no part in the summary. The rivals' results are kept in `--cache`
and read from there the next time, with the seconds that they took then.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from _datasets import MOST_ROWS, enough_of_each_class, load, matrices, take
from _rivals import scaled
from _timing import geometric_mean, printed_heading
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier

CLIP = 1e-15
SEED = 0
BUNDLED = ["iris", "wine", "breast_cancer", "digits"]
FOLDER = ["sonar", "mammography", "adult", "letter", "newsgroups20", "kddcup99_10pct"]
FOLDER += ["mnist"]
# By itself: its log-loss is a mean over labels.
MULTILABEL = ["yeast_multilabel"]
# (method, set): rows of the training part; 0 leaves the pair out.
MOST_ROWS_OF = {
    ("svc", "adult"): 0,
    ("svc", "mnist"): 0,
    ("svc", "kddcup99_10pct"): 0,
    ("svc", "newsgroups20"): 4000,
    ("logistic", "mnist"): 6000,
    ("logistic", "newsgroups20"): 6000,
    ("logistic", "kddcup99_10pct"): 10_000,
    ("boosting", "mnist"): 6000,
    ("boosting", "newsgroups20"): 0,
}
# Sets of this many rows have one fold only, for they tell enough.
ONE_FOLD = 20_000


def single_output(model, y):
    """The model, or one of it for each label."""
    return MultiOutputClassifier(model) if y.ndim == 2 else model


METHODS = {
    "ours": lambda X, y: ShallowNNClassifier(random_state=SEED),
    "mlp": lambda X, y: scaled(MLPClassifier(random_state=SEED), X),
    "logistic": lambda X, y: single_output(scaled(LogisticRegressionCV(), X), y),
    "forest": lambda X, y: RandomForestClassifier(random_state=SEED),
    "boosting": lambda X, y: single_output(
        HistGradientBoostingClassifier(random_state=SEED), y
    ),
    "svc": lambda X, y: single_output(
        scaled(SVC(probability=True, random_state=SEED), X), y
    ),
}


def names():
    """Every set that can be found here, cheap ones first."""
    if "SK_SHALLOW_DATA" not in os.environ:
        return BUNDLED
    return [*BUNDLED, *FOLDER, *MULTILABEL]


def parts(name, n_folds):
    """(X_train, X_test, y_train, y_test) of every fold, or of the published split."""
    X, y, meta = load(name)
    y = np.asarray(y)
    if y.ndim == 1:
        rows = enough_of_each_class(y, MOST_ROWS.get(name), SEED)
        X, y = take(X, rows), y[rows]
    if len(meta["splits"]) == 1:
        splits = meta["splits"]
    else:
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=SEED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            splits = list(folds.split(np.zeros(len(y)), y))
        splits = splits[: 1 if len(y) > ONE_FOLD else n_folds]
    for train, test in splits:
        yield *matrices(X, train, test, meta), y[train], y[test]


def probabilities(model, X):
    """One column per class; for multilabel targets one per label."""
    P = model.predict_proba(X)
    return np.stack([p[:, 1] for p in P], axis=1) if isinstance(P, list) else P


def of_truth(P, y, classes):
    """(probability of what is true, of what is chosen, and whether that is true)."""
    if y.ndim == 2:
        return np.where(y, P, 1 - P), np.maximum(P, 1 - P), (P > 0.5) == y
    columns = np.searchsorted(classes, y)
    return P[np.arange(len(y)), columns], P.max(axis=1), P.argmax(axis=1) == columns


def calibration_error(confidence, correct, n_bins=15):
    """Mean difference of confidence and share correct, over bins of confidence."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1).ravel()
    gap = np.bincount(bins, (confidence - correct).ravel(), minlength=n_bins)
    return np.abs(gap).sum() / confidence.size


def scores(P, y, classes):
    """[log-loss, error, expected calibration error]."""
    truth, confidence, correct = of_truth(P.astype(float), y, classes)
    loss = -np.log(np.clip(truth, CLIP, 1)).mean()
    return [loss, 1 - correct.mean(), calibration_error(confidence, correct)]


def at_most(n_rows, X, y):
    """The training part, or a random part of it."""
    if n_rows is None or n_rows >= len(y):
        return X, y
    rows = np.random.default_rng(SEED).choice(len(y), n_rows, replace=False)
    return X[rows], y[rows]


def measure(make, folds, n_rows=None):
    """[log-loss, error, calibration error, seconds] of every fold."""
    results = []
    for X_train, X_test, y_train, y_test in folds:
        X, y = at_most(n_rows, X_train, y_train)
        model = make(X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            start = time.process_time()
            model.fit(X, y)
            seconds = time.process_time() - start
            P = probabilities(model, X_test)
        classes = np.unique(y_train)
        if y.ndim == 1 and len(model.classes_) < len(classes):
            P = _with_absent_classes(P, model.classes_, classes)
        results.append([*map(float, scores(P, y_test, classes)), seconds])
    return results


def _with_absent_classes(P, known, classes):
    full = np.zeros((len(P), len(classes)))
    full[:, np.searchsorted(classes, known)] = P
    return full


def measure_all(name, methods, n_folds, known, save):
    """{method: results of every fold}; what is known is not measured again."""
    todo = [m for m in methods if m not in known and MOST_ROWS_OF.get((m, name)) != 0]
    folds, results = list(parts(name, n_folds)) if todo else [], dict(known)
    for method in todo:
        try:
            n_rows = MOST_ROWS_OF.get((method, name))
            results[method] = measure(METHODS[method], folds, n_rows)
        except ValueError as reason:
            print(f"<!-- {method} cannot take {name}: {reason} -->".replace("\n", " "))
            continue
        if method != "ours":
            known[method] = results[method]
            save()
    return {method: results[method] for method in methods if method in results}


def print_rows(name, results):
    """The rows of one set; returns {method: (loss, seconds)}."""
    means = {method: np.mean(result, axis=0) for method, result in results.items()}
    baseline = means.get("mlp")
    for method, (loss, error, ece, seconds) in means.items():
        ratio = "" if baseline is None else f"{loss / baseline[0]:.3f}"
        faster = "" if baseline is None else f"{baseline[3] / seconds:.1f}"
        mark = "*" if (method, name) in MOST_ROWS_OF else ""
        print(
            f"| {name} | {method}{mark} | {loss:.4f} | {ratio} | {error:.4f} "
            f"| {ece:.4f} | {seconds:.3f} | {faster} |",
            flush=True,
        )
    return {method: (mean[0], mean[3]) for method, mean in means.items()}


def print_summary(methods, sets):
    """Mean rank, ratios to MLP and speed-up of every method."""
    print("\n| method | sets | mean rank | first | loss / MLP | worst | times faster |")
    print("|---|" + "---:|" * 6)
    ranks = {method: [] for method in methods}
    for means in sets.values():
        order = rankdata([loss for loss, _ in means.values()])
        for method, rank in zip(means, order, strict=True):
            ranks[method].append(rank)
    for method in methods:
        both = [m for m in sets.values() if method in m and "mlp" in m]
        if both:
            losses = [m[method][0] / m["mlp"][0] for m in both]
            faster = [m["mlp"][1] / m[method][1] for m in both]
            print(
                f"| {method} | {len(both)} | {np.mean(ranks[method]):.2f} "
                f"| {ranks[method].count(1)} | {geometric_mean(losses):.3f} "
                f"| {max(losses):.3f} | {geometric_mean(faster):.1f} |"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=names())
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--cache", type=Path, help="a JSON file of rivals' results")
    args = parser.parse_args()
    cache = {}
    if args.cache and args.cache.exists():
        cache = json.loads(args.cache.read_text())

    def save():
        if args.cache:
            args.cache.write_text(json.dumps(cache))

    sets = {}
    with printed_heading("python benchmarks/classifiers.py"), threadpool_limits(1):
        print("| set | method | log-loss | / MLP | error | ECE | fit, s | MLP / fit |")
        print("|---|---|" + "---:|" * 6)
        for name in args.sets:
            known = cache.setdefault(name, {})
            results = measure_all(name, args.methods, args.folds, known, save)
            sets[name] = print_rows(name, results)
        print_summary(
            args.methods,
            {name: means for name, means in sets.items() if name not in MULTILABEL},
        )


if __name__ == "__main__":
    main()
