"""Microseconds per call of `predict` and `predict_proba`, ours against MLP.

    python benchmarks/predict.py [--rows 1 1000 1000000] [--threads 1]

Both networks have the same weights, the same X in float64, one process, BLAS limited to
`--threads`; they take turns. "Without checks" is inside
`sklearn.config_context(assume_finite=True)`, the safe way to skip the search for NaN
where X is known to be finite. "Fast path" is what `predictor()` gives, which checks the
shape only; in brackets the quartiles over the turns. The peak memory is that of NumPy's
own allocations during the call, beyond X.
"""

import argparse
import tracemalloc

import numpy as np
from _timing import printed_heading, timed
from sklearn import config_context
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor

D, UNITS, CLASSES = 20, 100, 5


def fitted():
    """((title, ours, MLP), ...) with the same weights."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, D))
    classes = (X[:, :CLASSES] + rng.standard_normal((2000, CLASSES))).argmax(axis=1)
    pairs = (
        ("classifier", ShallowNNClassifier, MLPClassifier, classes),
        ("regressor", ShallowNNRegressor, MLPRegressor, X[:, 0] ** 2),
    )
    for title, network, rival, y in pairs:
        ours = network(UNITS, random_state=0).fit(X, y)
        mlp = rival(hidden_layer_sizes=(UNITS,), random_state=0, max_iter=1)
        timed(lambda model=mlp, y=y: model.fit(X, y))
        mlp.coefs_, mlp.intercepts_ = ours.coefs_, ours.intercepts_
        yield title, ours, mlp


def turns(calls, repeats):
    """Seconds of each call, one row for each turn."""
    return np.array([[timed(call)[0] for call in calls] for _ in range(repeats)])


def fast_path(ours, method):
    """The predictor, where it gives what the method gives."""
    same = "predict_proba" if hasattr(ours, "predict_proba") else "predict"
    return ours.predictor() if method == same else None


def quartiles(values, form):
    """The median, and the quartiles in brackets."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:{form}} ({low:{form}}-{high:{form}})"


def peak_share(call, X):
    """Peak of the allocations during a call, as a share of X."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / X.nbytes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 1000, 1_000_000])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    rng = np.random.default_rng(1)
    with (
        printed_heading("python benchmarks/predict.py"),
        threadpool_limits(args.threads),
    ):
        print(
            "| call | rows | MLP, µs | ours, µs | times faster "
            "| ours without checks, µs | fast path, µs | times faster "
            "| MLP peak / X | our peak / X |"
        )
        print("|---|" + "---:|" * 9)
        for title, ours, mlp in fitted():
            for method in ("predict", "predict_proba"):
                if not hasattr(ours, method):
                    continue
                for n in args.rows:
                    X = rng.standard_normal((n, D))
                    calls = [
                        lambda m=model, k=method, X=X: getattr(m, k)(X)
                        for model in (mlp, ours)
                    ]
                    fast = fast_path(ours, method)
                    quick = [] if fast is None else [lambda f=fast, X=X: f(X)]
                    repeats = 5 if n > 10**5 else 500
                    times = turns([*calls, *quick], repeats)
                    s0, s1 = np.median(times[:, :2], axis=0)
                    with config_context(assume_finite=True):
                        s2 = np.median(turns(calls[1:], repeats))
                    cells = "| |"
                    if quick:
                        micros = quartiles(1e6 * times[:, 2], ".0f")
                        cells = f"| {micros} | "
                        cells += quartiles(times[:, 0] / times[:, 2], ".2f")
                    peaks = [peak_share(call, X) for call in calls]
                    print(
                        f"| {title}.{method} | {n} | {1e6 * s0:.0f} | {1e6 * s1:.0f} "
                        f"| {s0 / s1:.2f} | {1e6 * s2:.0f} {cells} "
                        f"| {peaks[0]:.1f} | {peaks[1]:.1f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
