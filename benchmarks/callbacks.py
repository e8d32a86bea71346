"""What callbacks cost: where there are none, one that does nothing, a progress bar.

    python benchmarks/callbacks.py [--before FOLDER] [--repeats 15]

The fits take turns in one process with one BLAS thread; its CPU seconds count, those of
the thread that draws the bar, as on a terminal, included. The median of the shares of
the turns is printed. With `--before`, a checkout of another commit fits, too. The
zeros are the same fit, once more, and the bar of an estimator that sleeps for as long,
through as many tasks.
"""

import argparse
import importlib
import os
import sys
import time
import warnings
from contextlib import redirect_stdout

import numpy as np
from _timing import printed_heading
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, ProgressBar, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

import sk_shallow

# rich draws as on a terminal.
os.environ |= {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1"}

# Rows, and parameters of fits of about a second, and of short epochs.
CASES = {
    "adam, 150 epochs": (20_000, {"n_hidden": 50, "alpha": 1.0, "max_iter": 150}),
    "lbfgs, 300 iterations": (
        5_000,
        {"n_hidden": 50, "alpha": 1.0, "solver": "lbfgs", "max_iter": 300},
    ),
    "lm, 200 iterations": (1_500, {"n_hidden": 10, "solver": "lm", "max_iter": 200}),
    "the default, a race": (1_000, {}),
    "adam, 1000 short epochs": (
        300,
        {"n_hidden": 20, "alpha": 1.0, "solver": "adam", "max_iter": 1000},
    ),
}


class Counting:
    """A callback that only counts the tasks."""

    def setup(self, estimator, context):
        self.n_tasks = 0

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.n_tasks += 1

    def teardown(self, estimator, context):
        pass


class Sleeping(CallbackSupportMixin, BaseEstimator):
    """Sleeps through so many tasks."""

    def __init__(self, n_tasks, seconds):
        self.n_tasks, self.seconds = n_tasks, seconds

    @with_callbacks
    def fit(self):
        root = self._init_callback_context(max_subtasks=self.n_tasks)
        root.call_on_fit_task_begin(estimator=self)
        for _ in range(self.n_tasks):
            task = root.subcontext("epoch").call_on_fit_task_begin(estimator=self)
            time.sleep(self.seconds / self.n_tasks)
            task.call_on_fit_task_end(estimator=self)
        root.call_on_fit_task_end(estimator=self)


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


def cpu_seconds(fit):
    """Of one call, in all threads."""
    start = time.process_time()
    fit()
    return time.process_time() - start


def turns(fits, repeats):
    """The seconds of each fit, one row for each turn; before all, each is made once."""
    for fit in fits:
        fit()
    return np.array([[cpu_seconds(fit) for fit in fits] for _ in range(repeats)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", help="the root of another checkout")
    parser.add_argument("--repeats", type=int, default=15)
    args = parser.parse_args()
    packages = {"without": sk_shallow, "once more": sk_shallow}
    if args.before:
        packages["before"] = taken_from(args.before)
    names = [*packages, "counting", "bar", "bar of a sleeper"]
    rng = np.random.default_rng(0)
    warnings.simplefilter("ignore", ConvergenceWarning)
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

            fits = [lambda p=p, fit=fit: fit(p) for p in packages.values()]
            counting = Counting()
            fits.append(lambda fit=fit, each=counting: fit(sk_shallow, each))
            fits.append(lambda fit=fit: fit(sk_shallow, ProgressBar()))
            lasted = cpu_seconds(fits[-2])
            sleeping = Sleeping(counting.n_tasks, lasted).set_callbacks(ProgressBar())
            fits.append(sleeping.fit)
            with open(os.devnull, "w") as void, redirect_stdout(void):
                seconds = turns(fits, args.repeats)
            seconds[:, -1] += seconds[:, 0]
            shares = np.median(seconds / seconds[:, :1], axis=0)[1:]
            more = " | ".join(f"{100 * (share - 1):+.1f}" for share in shares)
            print(f"| {title} | {np.median(seconds[:, 0]):.2f} | {more} |", flush=True)


if __name__ == "__main__":
    main()
