"""Microseconds per call of `predict` and `predict_proba`, ours against MLP.

    python benchmarks/predict.py [--rows 1 1000 1000000] [--threads 1]

Both networks have the same weights, the same X in float64, one process, BLAS limited to
`--threads`; they take turns. "Without checks" is inside
`sklearn.config_context(assume_finite=True)`, the safe way to skip the search for NaN
where X is known to be finite. The peak memory is that of NumPy's own allocations during
the call, beyond X.
"""

import argparse
import tracemalloc
from statistics import median

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
    """Median seconds of each call, the calls taking turns."""
    times = [[timed(call)[0] for call in calls] for _ in range(repeats)]
    return [median(column) for column in zip(*times, strict=True)]


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
            "| ours without checks, µs | MLP peak / X | our peak / X |"
        )
        print("|---|" + "---:|" * 7)
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
                    repeats = 5 if n > 10**5 else 500
                    s0, s1 = turns(calls, repeats)
                    with config_context(assume_finite=True):
                        (s2,) = turns(calls[1:], repeats)
                    peaks = [peak_share(call, X) for call in calls]
                    print(
                        f"| {title}.{method} | {n} | {1e6 * s0:.0f} | {1e6 * s1:.0f} "
                        f"| {s0 / s1:.2f} | {1e6 * s2:.0f} "
                        f"| {peaks[0]:.1f} | {peaks[1]:.1f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
