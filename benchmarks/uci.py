"""Test errors, likelihoods and intervals on the UCI sets with published splits.

    python benchmarks/uci.py [--sets uci_energy] [--methods default ard] [--splits 20]
    python benchmarks/uci.py --evidence [--splits 5]

The protocol of Hernández-Lobato and Adams (ICML 2015): RMSE and the mean log-likelihood
of a test row (nats) in the units of y, mean ± standard error over the splits. The
normal predictive distribution has the standard deviation of `return_std`; that of MLP
is the residual of the training rows, of gradient boosting that of a tenth of them, held
out from a fit of its own. Coverage is the share of the test rows within the central
50, 90 and 95 % intervals, and within those of `predict_interval`. Seconds are CPU time
of one thread for all of this on one
split. The Gaussian process has a length scale for each feature and white noise, X and y
scaled; it sees at most 1000 training rows, drawn at random. The folder is that of
`_datasets.py`.

With `--evidence`: Spearman's correlation, over networks of several widths and
activations, of the log-evidence of the training rows with the log-likelihood and with
the RMSE of the test rows.
"""

import argparse
import time
import warnings
from typing import NamedTuple

import numpy as np
from _datasets import load, matrices
from _rivals import scaled, with_scaled_target
from _timing import printed_heading
from scipy.stats import norm, spearmanr
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNRegressor

SEED = 0
LEVELS = (0.5, 0.9, 0.95)
GP_ROWS = 1000
# Best published RMSE and log-likelihood with one hidden layer, as printed there.
PUBLISHED = {
    "uci_concrete": ("4.82 ± 0.16 [1]", "-2.93 ± 0.02 [1]"),
    "uci_energy": ("0.54 ± 0.06 [1]", "-0.61 [2]"),
    "uci_power_plant": ("4.00 ± 0.04 [1]", "-2.79 ± 0.01 [1]"),
    "uci_wine_red": ("0.61 ± 0.01 [1]", "-0.92 ± 0.01 [1]"),
}
SOURCES = """
[1] MC dropout, the better of Bayesian optimisation and grid search: readme of
github.com/yaringal/DropoutUncertaintyExps (there the ± of energy is a standard
deviation, that of the others a standard error). [2] The best of four methods in
baselines/uci of github.com/google/uncertainty-baselines: one split of its own,
indicative only."""
WIDTHS, ACTIVATIONS = (2, 5, 10, 20, 40), ("tanh", "logistic", "softplus")
EVIDENCE_SETS = ("uci_concrete", "uci_energy", "uci_wine_red")


class Part(NamedTuple):
    """One split of a set."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def committee(alpha):
    """Nine networks of 20 tanh units by second-order steps."""
    return ShallowNNRegressor(
        20,
        activation="tanh",
        solver="lm",
        alpha=alpha,
        n_estimators=9,
        random_state=SEED,
    )


def by_network(model, part):
    """(mean, standard deviation) of the test rows."""
    model.fit(part.X, part.y)
    return model.predict(part.X_test, return_std=True)


def by_folds(part):
    """The default, with the share of the test rows in its 90 % intervals by CV+."""
    model = ShallowNNRegressor(random_state=SEED)
    mean, std = by_network(model, part)
    low, high = model.predict_interval(part.X_test, confidence_level=0.9).T
    return mean, std, np.mean((low <= part.y_test) & (part.y_test <= high))


def by_residual(model, part, X, y):
    """The same, of a fitted model with noise as large as these residuals."""
    std = np.sqrt(np.mean((model.predict(X) - y) ** 2))
    return model.predict(part.X_test), np.full(len(part.X_test), std)


def mlp(part):
    """scikit-learn's network with its defaults."""
    model = with_scaled_target(scaled(MLPRegressor(random_state=SEED)))
    model.fit(part.X, part.y)
    return by_residual(model, part, part.X, part.y)


def boosting(part):
    """scikit-learn's gradient boosting with its defaults."""
    model = HistGradientBoostingRegressor(random_state=SEED)
    X, X_out, y, y_out = train_test_split(
        part.X, part.y, test_size=0.1, random_state=SEED
    )
    residual = clone(model).fit(X, y).predict(X_out) - y_out
    mean = model.fit(part.X, part.y).predict(part.X_test)
    return mean, np.full(len(mean), np.sqrt(np.mean(residual**2)))


def gaussian_process(part):
    """A Gaussian process, on some of the rows where there are many."""
    kernel = 1.0 * RBF(np.ones(part.X.shape[1]), (1e-2, 1e4)) + WhiteKernel(0.1)
    rows = np.random.default_rng(SEED).permutation(len(part.y))[:GP_ROWS]
    X, y = StandardScaler().fit(part.X), StandardScaler().fit(part.y[:, None])
    model = GaussianProcessRegressor(kernel, random_state=SEED)
    targets = y.transform(part.y[rows, None])[:, 0]
    model.fit(X.transform(part.X[rows]), targets)
    mean, std = model.predict(X.transform(part.X_test), return_std=True)
    return mean * y.scale_ + y.mean_, std * y.scale_


METHODS = {
    "default": by_folds,
    "evidence": lambda part: by_network(committee("evidence"), part),
    "ard": lambda part: by_network(committee("ard"), part),
    "MLP": mlp,
    "GP": gaussian_process,
    "boosting": boosting,
}


def parts(name, n_splits):
    """The published splits."""
    X, y, meta = load(name)
    for train, test in meta["splits"][:n_splits]:
        X_train, X_test = matrices(X, train, test, meta)
        yield Part(X_train, y[train].astype(float), X_test, y[test].astype(float))


def scores(mean, std, y):
    """[RMSE, log-likelihood, coverage of each level]."""
    rmse = np.sqrt(np.mean((mean - y) ** 2))
    inside = [np.mean(np.abs(y - mean) <= norm.ppf((1 + p) / 2) * std) for p in LEVELS]
    return [rmse, norm.logpdf(y, mean, std).mean(), *inside]


def measure(method, splits):
    """The scores and the seconds of every split."""
    results = []
    for part in splits:
        with warnings.catch_warnings():
            if method not in ("default", "evidence", "ard"):
                warnings.simplefilter("ignore", ConvergenceWarning)
            start = time.process_time()
            mean, std, *held = METHODS[method](part)
            seconds = time.process_time() - start
        held = held or [np.nan]
        results.append([*scores(mean, std, part.y_test), *held, seconds])
    return np.array(results)


def with_error(values):
    """mean ± standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{values.mean():.3f} ± {error:.3f}"


def print_row(name, method, results):
    """One line of the table."""
    rmse, likelihood, *coverage, by_cv, seconds = results.T
    by_cv = "" if np.isnan(by_cv).any() else f"{100 * by_cv.mean():.0f}"
    covered = " / ".join(f"{100 * share.mean():.0f}" for share in coverage)
    print(
        f"| {name} | {method} | {with_error(rmse)} | {with_error(likelihood)} "
        f"| {covered} | {by_cv} | {seconds.mean():.2f} |",
        flush=True,
    )


def print_scores(sets, methods, n_splits):
    """A line for every set and method, and the published numbers."""
    columns = "RMSE", "log-likelihood", "50 / 90 / 95 % hold", "CV+ 90 %", "s a split"
    print(
        f"| set | method | {' | '.join(columns)} |\n|---|---|{'---:|' * len(columns)}"
    )
    for name in sets:
        splits = list(parts(name, n_splits))
        for method in methods:
            is_part = method == "GP" and len(splits[0].y) > GP_ROWS
            title = f"{method}*" if is_part else method
            print_row(name, title, measure(method, splits))
        rmse, likelihood = PUBLISHED[name]
        print(f"| {name} | published | {rmse} | {likelihood} | | | |")
    print(f"\n* {GP_ROWS} of the training rows.\n{SOURCES}")


def evidence_of(part, n_hidden, activation):
    """[log-evidence, test log-likelihood, test RMSE] of a single network."""
    model = ShallowNNRegressor(
        n_hidden,
        activation=activation,
        solver="lm",
        alpha="evidence",
        random_state=SEED,
    ).fit(part.X, part.y)
    mean, std = model.predict(part.X_test, return_std=True)
    rmse, likelihood, *_ = scores(mean, std, part.y_test)
    return [model.log_evidence_, likelihood, rmse]


def correlations(part, networks):
    """Spearman's of the log-evidence with test log-likelihood and with test RMSE."""
    evidence, *others = np.transpose([evidence_of(part, *each) for each in networks])
    return [spearmanr(evidence, other).statistic for other in others]


def print_evidence(sets, n_splits):
    """How well the evidence ranks networks."""
    chosen = {"widths and activations": [(h, a) for h in WIDTHS for a in ACTIVATIONS]}
    chosen |= {f"widths, {a}": [(h, a) for h in WIDTHS] for a in ACTIVATIONS}
    print("| set | networks | with log-likelihood | with RMSE |\n|---|---|---:|---:|")
    for name in sets:
        splits = list(parts(name, n_splits))
        for title, networks in chosen.items():
            found = np.array([correlations(part, networks) for part in splits])
            likelihood, rmse = map(with_error, found.T)
            print(f"| {name} | {title} | {likelihood} | {rmse} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=PUBLISHED)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--splits", type=int)
    parser.add_argument("--evidence", action="store_true")
    args = parser.parse_args()
    with printed_heading("python benchmarks/uci.py"), threadpool_limits(1):
        if args.evidence:
            print_evidence(args.sets or EVIDENCE_SETS, args.splits or 5)
        else:
            print_scores(args.sets or list(PUBLISHED), args.methods, args.splits or 20)


if __name__ == "__main__":
    main()
