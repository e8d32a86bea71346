"""How the time of a fit grows with rows, inputs, units and classes; and its memory.

    python benchmarks/growth.py [--largest 1000000] [--plot growth.png]

Each size is doubled in turn from 8,000 rows, 32 inputs, 64 units, 2 classes; a fit has
three epochs of `solver="adam"`, so that the work is the same share of the data, and the
default budget of steps is timed beside it. The peak memory of a default fit, beyond X
itself, is that of a child process, as a share of X in float64.
"""

import argparse
import subprocess
import sys
from statistics import median

import numpy as np
from _timing import printed_heading, timed
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier

START = {"rows": 8000, "inputs": 32, "units": 64, "classes": 2}
DOUBLINGS = {"inputs": 5, "units": 5, "classes": 5}

CHILD = """
import sys
import numpy as np
from sk_shallow import ShallowNNClassifier

def peak():
    status = open("/proc/self/status").read()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])

n, d = int(sys.argv[1]), int(sys.argv[2])
tiny = np.random.default_rng(0).standard_normal((500, 5))
ShallowNNClassifier(solver="adam", max_iter=1).fit(tiny, tiny[:, 0] > 0)
X = np.random.default_rng(0).standard_normal((n, d))
y = X[:, 0] > 0
open("/proc/self/clear_refs", "w").write("5")
before = peak()
ShallowNNClassifier(solver="adam").fit(X, y)
print((peak() - before) / X.nbytes)
"""


def seconds(sizes, repeats=3, **parameters):
    """Median time of a fit on random data of these sizes."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((sizes["rows"], sizes["inputs"]), dtype=np.float32)
    y = rng.integers(0, sizes["classes"], sizes["rows"])
    model = ShallowNNClassifier(sizes["units"], solver="adam", **parameters)
    return median(timed(lambda: model.fit(X, y))[0] for _ in range(repeats))


def doubled(name, largest):
    """The sizes to time for one of them."""
    if name == "rows":
        n_doublings = int(np.log2(largest / 1000))
        return [1000 * 2**i for i in range(n_doublings + 1)]
    return [START[name] * 2**i for i in range(DOUBLINGS[name] + 1)]


def growth_table(largest):
    """Rows (what, size, seconds of three epochs, seconds of the default budget)."""
    table = []
    for name in START:
        for value in doubled(name, largest):
            sizes = {**START, name: value}
            repeats = 3 if value * sizes["inputs"] < 10**7 else 1
            three = seconds(sizes, repeats, max_iter=3, batch_size=200)
            table.append((name, value, three, seconds(sizes, repeats)))
            print("| {} | {} | {:.4f} | {:.4f} |".format(*table[-1]), flush=True)
    return table


def memory_table():
    """Peak memory of a fit beyond X, as a share of X, in child processes."""
    for n, d in [(200_000, 20), (100_000, 100), (20_000, 784)]:
        command = [sys.executable, "-c", CHILD, str(n), str(d)]
        share = float(subprocess.run(command, capture_output=True, check=True).stdout)
        print(f"| {n} | {d} | {8e-6 * n * d:.0f} | {share:.2f} |", flush=True)


def plot(table, path):
    """One curve for each size that was doubled, on logarithmic axes."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(2, 2, figsize=(8, 6), sharey=True, layout="constrained")
    for axis, name in zip(axes.flat, START, strict=True):
        chosen = [row[1:] for row in table if row[0] == name]
        sizes, three, default = map(np.array, zip(*chosen, strict=True))
        axis.loglog(sizes, three, "o-", label="three epochs")
        axis.loglog(sizes, default, "s-", label="default budget")
        axis.loglog(sizes, three[-1] * sizes / sizes[-1], "k:", label="linear")
        axis.set_xscale("log", base=2)
        axis.set_xlabel(name)
    for axis in axes[:, 0]:
        axis.set_ylabel("seconds of a fit")
    axes[0, 0].legend()
    plt.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=1_024_000)
    parser.add_argument("--plot")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    with (
        printed_heading("python benchmarks/growth.py"),
        threadpool_limits(args.threads),
    ):
        print("| doubled | size | three epochs, s | default budget, s |")
        print("|---|" + "---:|" * 3)
        table = growth_table(args.largest)
        print("\n| rows | columns | X, MB | peak beyond X, share of X |")
        print("|---:|---:|---:|---:|")
        memory_table()
    if args.plot:
        plot(table, args.plot)


if __name__ == "__main__":
    main()
