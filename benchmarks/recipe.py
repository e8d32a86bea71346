"""How fast a default fit reaches the test loss of scikit-learn's default MLP.

    python benchmarks/recipe.py [--sets iris adult] [--seeds 3] [--threads 1]

Ours is `solver="adam"` with otherwise default parameters on the columns as they come.
The rival is `MLPClassifier()` or `MLPRegressor()` with its defaults, in a pipeline with
StandardScaler (and a scaled target). Both see the same matrix, one after the other in
one process, with BLAS limited to `--threads`. The loss is the log-loss, or RMSE over
the standard deviation of the test targets; ratios are ours over the rival's, of the
means over the seeds. A seed chooses the split, where none is published, and the first
weights; sets of fewer than 1,000 rows have four times the seeds, as their test sets are
small.
"""

import argparse

import numpy as np
from _datasets import names, split
from _rivals import scaled, with_scaled_target
from _timing import geometric_mean, printed_heading, timed
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor

LARGE, SMALL = 5000, 1000


def rival(task, X, seed):
    """scikit-learn's network with its defaults, scaled."""
    if task == "classification":
        return scaled(MLPClassifier(random_state=seed), X)
    return with_scaled_target(scaled(MLPRegressor(random_state=seed), X))


def ours(task, X, seed):
    """This package's network."""
    classifies = task == "classification"
    network = ShallowNNClassifier if classifies else ShallowNNRegressor
    return network(solver="adam", random_state=seed)


def scores(model, data):
    """(test loss, test error)."""
    predicted = model.predict(data.X_test)
    if data.task == "regression":
        rmse = np.sqrt(np.mean((predicted - data.y_test) ** 2)) / data.y_test.std()
        return rmse, rmse**2
    probabilities = model.predict_proba(data.X_test)
    loss = log_loss(data.y_test, probabilities, labels=model.classes_)
    return loss, np.mean(predicted != data.y_test)


def measure(name, n_seeds):
    """(seconds, loss, error) of the rival and of ours, for every seed."""
    data = split(name, 0)
    n_seeds *= 4 if len(data.y_train) + len(data.y_test) < SMALL else 1
    results = []
    for seed in range(n_seeds):
        data = split(name, seed)
        row = []
        for make in (rival, ours):
            model = make(data.task, data.X_train, seed)
            seconds, _ = timed(lambda m=model, d=data: m.fit(d.X_train, d.y_train))
            row.append((seconds, *scores(model, data)))
        results.append(row)
    return data.X_train.shape, np.array(results)


def print_row(name, shape, runs):
    """One line of the table; returns (rows, times faster, ratio of the losses)."""
    (s0, loss0, error0), (s1, loss1, error1) = runs.mean(axis=0)
    ratios = runs[:, 0, 0] / runs[:, 1, 0]
    print(
        f"| {name} | {shape[0]} | {shape[1]} | {len(runs)} | {s0:.2f} | {s1:.4f} "
        f"| {s0 / s1:.1f} ({ratios.min():.1f}-{ratios.max():.1f}) | {loss0:.4f} "
        f"| {loss1:.4f} | {loss1 / loss0:.3f} | {error0:.4f} | {error1:.4f} |",
        flush=True,
    )
    return shape[0], s0 / s1, loss1 / loss0


def print_summary(rows):
    """Geometric means of the speed-up, and how many losses are as good."""
    parts = {
        f"{LARGE} training rows or more": [r for r in rows if r[0] >= LARGE],
        f"fewer than {LARGE}": [r for r in rows if r[0] < LARGE],
    }
    for title, chosen in parts.items():
        if chosen:
            _, faster, losses = (
                geometric_mean(column) for column in zip(*chosen, strict=True)
            )
            print(
                f"\n{title}: {len(chosen)} sets, {faster:.1f} times faster, loss ratio "
                f"{losses:.3f} (geometric means)"
            )
    losses = [r[2] for r in rows]
    n_good = sum(loss <= 1.005 for loss in losses)
    print(
        f"\nloss within 0.5 % of the rival's or better: {n_good} of {len(losses)} "
        f"sets; worst ratio {max(losses):.3f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=names())
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    rows = []
    with (
        printed_heading("python benchmarks/recipe.py"),
        threadpool_limits(args.threads),
    ):
        print(
            "| set | rows | columns | seeds | MLP, s | ours, s | times faster (range) "
            "| MLP loss | our loss | ratio | MLP error | our error |"
        )
        print("|---|" + "---:|" * 11)
        for name in args.sets:
            rows.append(print_row(name, *measure(name, args.seeds)))
        print_summary(rows)


if __name__ == "__main__":
    main()
