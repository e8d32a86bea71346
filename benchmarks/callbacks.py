"""Seconds of a fit without callbacks, with one that does nothing, and a progress bar.

    python benchmarks/callbacks.py [--before FOLDER] [--repeats 15]

The fits take turns in one process with one BLAS thread. With `--before`, a checkout of
another commit fits, too: what callbacks cost where there are none. The zero is the same
fit, once more. The bar is drawn as on a terminal, into the void.
"""

import argparse
import importlib
import os
import sys
from contextlib import redirect_stdout
from statistics import median

import numpy as np
from _timing import printed_heading, timed
from sklearn.callback import ProgressBar
from threadpoolctl import threadpool_limits

import sk_shallow

# rich draws as on a terminal.
os.environ |= {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1"}

# Rows, and parameters of fits of about a second, and of short epochs.
CASES = {
    "adam, 80 epochs": (20_000, {"n_hidden": 50, "alpha": 1.0, "max_iter": 80}),
    "lbfgs, 300 iterations": (
        5_000,
        {"n_hidden": 50, "alpha": 1.0, "solver": "lbfgs", "max_iter": 300},
    ),
    "lm, finds alpha": (1_000, {"n_hidden": 10, "solver": "lm", "max_iter": 150}),
    "the default, a race": (1_000, {}),
    "adam, 1000 short epochs": (
        300,
        {"n_hidden": 20, "alpha": 1.0, "solver": "adam", "max_iter": 1000},
    ),
}


class Nothing:
    """A callback that looks at nothing."""

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass


def taken_from(folder):
    """The package in a folder, beside the one that is imported."""
    ours = {name: sys.modules.pop(name) for name in list(sys.modules) if is_ours(name)}
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("sk_shallow")
    finally:
        sys.path.remove(folder)
        for name in [name for name in sys.modules if is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(ours)


def is_ours(name):
    return name.split(".")[0] == "sk_shallow"


def turns(fits, repeats):
    """The median seconds of each fit; before all, each is made once."""
    for fit in fits.values():
        fit()
    times = {name: [] for name in fits}
    for i in range(repeats):
        names = list(fits)
        for name in names[i % len(names) :] + names[: i % len(names)]:
            times[name].append(timed(fits[name])[0])
    return {name: median(column) for name, column in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", help="the root of another checkout")
    parser.add_argument("--repeats", type=int, default=15)
    args = parser.parse_args()
    packages = {"without": sk_shallow, "once more": sk_shallow}
    if args.before:
        packages["before"] = taken_from(args.before)
    names = [*packages, "nothing", "bar"]
    rng = np.random.default_rng(0)
    with printed_heading("python benchmarks/callbacks.py"), threadpool_limits(1):
        print("| fit | without, s | " + " | ".join(f"{n}, %" for n in names[1:]) + " |")
        print("|---|" + "---:|" * len(names))
        for title, (n, parameters) in CASES.items():
            X = rng.normal(size=(n, 20))
            y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=n)

            def fit(package, *callbacks, X=X, y=y, parameters=parameters):
                net = package.ShallowNNRegressor(random_state=0, **parameters)
                if callbacks:
                    net.set_callbacks(*callbacks)
                net.fit(X, y)

            fits = {
                name: lambda package=package, fit=fit: fit(package)
                for name, package in packages.items()
            }
            fits["nothing"] = lambda fit=fit: fit(sk_shallow, Nothing())
            fits["bar"] = lambda fit=fit: fit(sk_shallow, ProgressBar())
            with open(os.devnull, "w") as void, redirect_stdout(void):
                seconds = turns(fits, args.repeats)
            zero = seconds["without"]
            more = " | ".join(
                f"{100 * (seconds[n] / zero - 1):+.1f}" for n in names[1:]
            )
            print(f"| {title} | {zero:.2f} | {more} |", flush=True)


if __name__ == "__main__":
    main()
