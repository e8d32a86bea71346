"""Timing and reporting that the benchmarks share."""

import platform
import time
import warnings
from contextlib import contextmanager

import numpy as np
import scipy
import sklearn
from sklearn.exceptions import ConvergenceWarning

import sk_shallow


def timed(run):
    """(seconds, result) of one call; the rivals' budgets end without warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        result = run()
        return time.perf_counter() - start, result


def geometric_mean(values):
    """exp of the mean logarithm."""
    return float(np.exp(np.mean(np.log(values))))


def versions():
    """One line on the machine and the versions."""
    return (
        f"sk_shallow {sk_shallow.__version__}, scikit-learn {sklearn.__version__}, "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}, Python "
        f"{platform.python_version()}, {platform.machine()} {cpu_name()}"
    )


def cpu_name():
    """What the system calls its processor."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(x.split(":")[1].strip() for x in lines if "model name" in x)
    except (OSError, StopIteration):
        return platform.processor()


@contextmanager
def printed_heading(command):
    """Print the command and the versions, then the seconds at the end."""
    print(f"`{command}`\n\n{versions()}\n", flush=True)
    start = time.perf_counter()
    yield
    print(f"\n{time.perf_counter() - start:.0f} seconds in all.")
