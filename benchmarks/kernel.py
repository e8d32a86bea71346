"""Microseconds per training step: ours, its rivals, and the least possible work.

    python benchmarks/kernel.py [--threads 1] [--repeats 5] [--shapes 0 3] [--quick]

Each rival trains the same network (relu units, Adam) with the same batches and epochs
on the same float64 X, in one process with BLAS limited to `--threads`. The time is that
of the whole `fit`, or of the whole loop, divided by its number of steps. The rivals
take turns in every round; a cell is the median over the rounds, with the quartiles, and
a ratio is the median of the rounds' ratios. The floor is the five matrix products of a
step in float32, with `out=`, and nothing else. Torch is left out if it is missing.
"""

import argparse
import time
import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor


class Shape(NamedTuple):
    """Sizes of a problem; no classes stand for a regression."""

    n: int
    inputs: int
    hidden: int
    classes: int | None
    batch: int
    epochs: int

    @property
    def outputs(self):
        """Output units: one for a regression and for two classes."""
        return self.classes if self.classes and self.classes > 2 else 1

    @property
    def steps(self):
        """Steps in all epochs; the last batch of an epoch may be smaller."""
        return self.epochs * -(-self.n // self.batch)


SHAPES = [
    Shape(1600, 64, 100, 10, 200, epochs=80),
    Shape(1600, 64, 100, 10, 32, epochs=20),
    Shape(20000, 8, 50, 2, 200, epochs=10),
    Shape(20000, 100, 100, 2, 200, epochs=10),
    Shape(60000, 784, 128, 10, 128, epochs=10),
    Shape(60000, 784, 512, 10, 256, epochs=10),
    Shape(20000, 8, 50, None, 200, epochs=10),
    Shape(20000, 100, 100, None, 200, epochs=10),
]
RATIOS = {
    "MLP/ours": ("MLP", "ours"),
    "ours/floor": ("ours", "floor"),
    "torch/ours": ("torch", "ours"),
}


def make_data(shape, seed=0):
    """Normal X, and y from a random network of eight units."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((shape.n, shape.inputs))
    teacher = rng.standard_normal((shape.inputs, 8)) / np.sqrt(shape.inputs)
    Z = np.tanh(X @ teacher) @ rng.standard_normal((8, shape.classes or 1))
    return X, Z.argmax(axis=1) if shape.classes else Z[:, 0]


# The rivals: each takes the problem and returns the function to be timed.


def mlp(shape, X, y):
    """scikit-learn's network."""
    model = (MLPClassifier if shape.classes else MLPRegressor)(
        hidden_layer_sizes=(shape.hidden,), **_budget(shape)
    )
    return lambda: _fit(model, X, y)


def ours(shape, X, y):
    """This package's network; it standardises X in `fit`, as by default."""
    model = (ShallowNNClassifier if shape.classes else ShallowNNRegressor)(
        shape.hidden, **_budget(shape)
    )
    return lambda: _fit(model, X, y)


def floor(shape, X, y):
    """Five matrix products per step."""
    rng = np.random.default_rng(0)
    d, h, k = shape.inputs, shape.hidden, shape.outputs
    X = X.astype(np.float32)
    sizes = [(d, h), (h, k), (shape.batch, h), (shape.batch, h), (shape.batch, k)]
    W1, W2, A1, dZ1, Z2 = (rng.standard_normal(s, dtype=np.float32) for s in sizes)
    dW1, dW2 = np.empty_like(W1), np.empty_like(W2)

    def step(X, A1, dZ1, Z2):
        np.matmul(X, W1, out=A1)
        np.matmul(A1, W2, out=Z2)
        np.matmul(A1.T, Z2, out=dW2)
        np.dot(Z2, W2.T, out=dZ1)
        np.matmul(X.T, dZ1, out=dW1)

    def run():
        for _ in range(shape.epochs):
            for start in range(0, shape.n, shape.batch):
                m = min(shape.batch, shape.n - start)
                step(X[start : start + m], A1[:m], dZ1[:m], Z2[:m])

    return run


def torch_loop(shape, X, y):
    """An eager PyTorch loop in float32, as tutorials write it."""
    import torch
    from torch import nn

    losses = {None: nn.MSELoss, 2: nn.BCEWithLogitsLoss}
    loss = losses.get(shape.classes, nn.CrossEntropyLoss)()
    dtype = torch.float32 if shape.outputs == 1 else torch.int64

    def run():
        torch.manual_seed(0)
        inputs, targets = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
        targets = targets.to(dtype)
        net = nn.Sequential(
            nn.Linear(shape.inputs, shape.hidden),
            nn.ReLU(),
            nn.Linear(shape.hidden, shape.outputs),
        )
        adam = torch.optim.Adam(net.parameters(), lr=1e-3)
        for _ in range(shape.epochs):
            for rows in torch.randperm(shape.n).split(shape.batch):
                adam.zero_grad()
                Z2 = net(inputs[rows])
                loss(Z2[:, 0] if shape.outputs == 1 else Z2, targets[rows]).backward()
                adam.step()

    return run


def _budget(shape):
    """The parameters that both estimators share; no epoch is skipped."""
    return {
        "solver": "adam",
        "batch_size": shape.batch,
        "max_iter": shape.epochs,
        "tol": 0.0,
        "n_iter_no_change": shape.epochs + 1,
        "random_state": 0,
    }


def _fit(model, X, y):
    """Fit; all epochs must have been run."""
    model.fit(X, y)
    assert model.n_iter_ == model.max_iter, (model, model.n_iter_)


def available_rivals(threads):
    """Names and adapters; torch only where it is installed."""
    rivals = {"MLP": mlp, "ours": ours, "floor": floor}
    try:
        import torch
    except ImportError:
        return rivals
    torch.set_num_threads(threads)
    return rivals | {"torch": torch_loop}


def measure(shape, rivals, repeats):
    """µs per step, a list over the rounds for each rival."""
    X, y = make_data(shape)
    runs = {name: adapter(shape, X, y) for name, adapter in rivals.items()}
    times = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) / shape.steps * 1e6)
    return times


def ratios(times):
    """The median of the rounds' ratios, of the rivals that were there."""
    return {
        title: float(np.median(np.divide(times[above], times[below])))
        for title, (above, below) in RATIOS.items()
        if above in times and below in times
    }


def cell(values):
    """Median (first quartile to third quartile)."""
    low, median, high = np.percentile(values, [25, 50, 75])
    return f"{median:.0f} ({low:.0f}-{high:.0f})"


def table_line(cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def print_shape(shape, times):
    """One line of the table."""
    sizes = shape._replace(classes=shape.classes or "regression")
    numbers = [f"{ratio:.2f}" for ratio in ratios(times).values()]
    table_line([*sizes, *map(cell, times.values()), *numbers])


def print_geometric_means(found, n_rivals):
    """The last line: over the shapes that were run."""
    means = {
        title: np.exp(np.mean(np.log([one[title] for one in found])))
        for title in found[0]
    }
    blanks = [""] * (len(Shape._fields) + n_rivals - 1)
    numbers = [f"{mean:.2f}" for mean in means.values()]
    table_line(["geometric mean", *blanks, *numbers])


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--shapes",
        type=int,
        nargs="+",
        choices=range(len(SHAPES)),
        default=range(len(SHAPES)),
        help="numbers of the shapes, from 0; 6 and 7 are regressions",
    )
    parser.add_argument(
        "--quick", action="store_true", help="two rounds, a quarter of the epochs"
    )
    return parser.parse_args()


def main():
    options = parse_options()
    repeats, shapes = options.repeats, [SHAPES[i] for i in options.shapes]
    if options.quick:
        repeats = min(2, repeats)
        shapes = [s._replace(epochs=-(-s.epochs // 4)) for s in shapes]
    rivals = available_rivals(options.threads)
    columns = [title for title, names in RATIOS.items() if rivals.keys() >= {*names}]
    table_line([*Shape._fields, *(f"{name}, µs" for name in rivals), *columns])
    table_line(["---:"] * (len(Shape._fields) + len(rivals) + len(columns)))
    found = []
    with threadpool_limits(options.threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for shape in shapes:
            times = measure(shape, rivals, repeats)
            print_shape(shape, times)
            found.append(ratios(times))
    print_geometric_means(found, len(rivals))


if __name__ == "__main__":
    main()
