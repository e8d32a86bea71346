"""The script people run: GridSearchCV over activations and widths, ours against MLP.

    python benchmarks/gridsearch.py [--sets digits adult california_housing]

One grid (two activations and two widths), 5 folds, n_jobs=1, one process,
BLAS limited to `--threads`. The rival's network has its defaults, in a pipeline with
StandardScaler, and a scaled target in regression; ours takes the columns as they come.
Categories are one-hot for both. Scores are accuracy and R².
"""

import argparse

from _datasets import as_categories, load, table_encoder
from _rivals import scaled, with_scaled_target
from _timing import geometric_mean, printed_heading, timed
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor

ACTIVATIONS = ["tanh", "relu"]
WIDTHS = [50, 100]


def rival(task):
    """(pipeline, grid) of scikit-learn's network."""
    if task == "classification":
        step, model = "mlpclassifier__", MLPClassifier(random_state=0)
        pipeline = scaled(model)
    else:
        step, model = "regressor__mlpregressor__", MLPRegressor(random_state=0)
        pipeline = with_scaled_target(scaled(model))
    widths = [(width,) for width in WIDTHS]
    grid = {f"{step}activation": ACTIVATIONS, f"{step}hidden_layer_sizes": widths}
    return pipeline, grid


def ours(task):
    """(estimator, grid) of this package's."""
    classifies = task == "classification"
    network = ShallowNNClassifier if classifies else ShallowNNRegressor
    grid = {"activation": ACTIVATIONS, "n_hidden": WIDTHS}
    return network(random_state=0), grid


def matrix(name):
    """(X, y, task), every column a number."""
    X, y, meta = load(name)
    if hasattr(X, "iloc"):
        X = table_encoder().fit_transform(as_categories(X, meta)).astype(float)
    return X, y, meta["task"]


def search(make, X, y, task):
    """(seconds, best score, best parameters)."""
    folds = StratifiedKFold if task == "classification" else KFold
    cv = folds(5, shuffle=True, random_state=0)
    found = GridSearchCV(*make(task), cv=cv)
    seconds, _ = timed(lambda: found.fit(X, y))
    values = [str(value) for value in found.best_params_.values()]
    return seconds, found.best_score_, ", ".join(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sets = ["digits", "california_housing", "adult"]
    parser.add_argument("--sets", nargs="+", default=sets)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    command = "python benchmarks/gridsearch.py"
    with printed_heading(command), threadpool_limits(args.threads):
        print(
            "| set | rows | columns | MLP, s | ours, s | times faster | MLP best score "
            "| our best score | MLP best | our best |"
        )
        print("|---|" + "---:|" * 7 + "---|---|")
        ratios = []
        for name in args.sets:
            X, y, task = matrix(name)
            s1, score1, best1 = search(ours, X, y, task)
            s0, score0, best0 = search(rival, X, y, task)
            ratios.append(s0 / s1)
            print(
                f"| {name} | {X.shape[0]} | {X.shape[1]} | {s0:.1f} | {s1:.1f} "
                f"| {ratios[-1]:.1f} | {score0:.4f} | {score1:.4f} | {best0} "
                f"| {best1} |",
                flush=True,
            )
        print(f"\n{geometric_mean(ratios):.1f} times faster in geometric mean")


if __name__ == "__main__":
    main()
