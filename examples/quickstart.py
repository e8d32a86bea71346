"""Seven activations in a grid, raw columns in a regression
========================================================

``python examples/quickstart.py [--output-dir DIR] [--n-jobs N]``

A grid search on the handwritten digits, and a regression on the columns of the
diabetes data as they come. Every network is compared with scikit-learn's, which is
given a scaler. Where matplotlib is installed, two pictures go into the output folder.
It takes about a minute on two cores, and is not executed for this site.
"""
# sphinx_gallery_thumbnail_path = "_generated/thumbnails/quickstart.png"

import argparse
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor

WIDTHS = [50, 100]
ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "softplus"]
MLP_ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
SOLVERS = ["gd", "sgd", "adam", "lbfgs", "lm"]
HERE = Path(__file__).resolve().parent


class Row(NamedTuple):
    """One line of a table; seconds are the mean of one fit, and of all of it."""

    name: str
    n_fits: int
    score: float
    fit_seconds: float
    wall_seconds: float


def shallow_grid():
    """Seven activations × the widths at one alpha; it standardises by itself."""
    steps = [
        ("varying", VarianceThreshold()),
        ("net", ShallowNNClassifier(alpha=1.0, random_state=0)),
    ]
    return Pipeline(steps), {"net__activation": ACTIVATIONS, "net__n_hidden": WIDTHS}


def mlp_grid():
    """scikit-learn's four activations × the same widths, with a scaler."""
    steps = [
        ("varying", VarianceThreshold()),
        ("scaler", StandardScaler()),
        ("net", MLPClassifier(random_state=0)),
    ]
    return Pipeline(steps), {
        "net__activation": MLP_ACTIVATIONS,
        "net__hidden_layer_sizes": [(width,) for width in WIDTHS],
    }


def search(name, pipeline, grid, n_jobs):
    """Run the grid on the digits over five folds; print what won."""
    X, y = load_digits(return_X_y=True)
    start = time.perf_counter()
    found = GridSearchCV(pipeline, grid, cv=5, n_jobs=n_jobs, refit=False).fit(X, y)
    seconds = time.perf_counter() - start
    fit_times = found.cv_results_["mean_fit_time"]
    best = ", ".join(
        f"{key.removeprefix('net__')}={value!r}"
        for key, value in found.best_params_.items()
    )
    print(f"best of {name}: {best}, accuracy {found.best_score_:.4f}", flush=True)
    return Row(name, 5 * len(fit_times), found.best_score_, fit_times.mean(), seconds)


def cross_validated(name, model, n_jobs):
    """R² on the diabetes data as it comes, over five folds."""
    X, y = load_diabetes(return_X_y=True)
    folds = KFold(5, shuffle=True, random_state=0)
    start = time.perf_counter()
    result = cross_validate(model, X, y, cv=folds, n_jobs=n_jobs)
    seconds = time.perf_counter() - start
    score, fit_time = result["test_score"].mean(), result["fit_time"].mean()
    return Row(name, 5, score, fit_time, seconds)


def classify(n_jobs):
    """The grid search, and the same over scikit-learn's network."""
    ours = search("ShallowNNClassifier", *shallow_grid(), n_jobs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp = search("StandardScaler + MLPClassifier", *mlp_grid(), n_jobs)
    return [ours, mlp]


def regress(n_jobs):
    """The regression, and three ways to do it with scikit-learn alone."""
    ours = cross_validated(
        "ShallowNNRegressor", ShallowNNRegressor(random_state=0), n_jobs
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        rivals = [
            cross_validated(f"StandardScaler + {name}", scaled(mlp), n_jobs)
            for name, mlp in (
                ("MLPRegressor", MLPRegressor(random_state=0)),
                (
                    "MLPRegressor(max_iter=2000)",
                    MLPRegressor(max_iter=2000, random_state=0),
                ),
            )
        ]
    return [ours, *rivals, cross_validated("RidgeCV", RidgeCV(), n_jobs)]


def scaled(model):
    """The model behind a scaler."""
    return make_pipeline(StandardScaler(), model)


def print_table(title, score_name, rows):
    """The rows under a heading."""
    print(f"\n{title}")
    print(f"{'':44} {'fits':>4} {score_name:>13} {'s per fit':>10} {'s in all':>9}")
    for row in rows:
        print(
            f"{row.name:44} {row.n_fits:4d} {row.score:13.4f} "
            f"{row.fit_seconds:10.3f} {row.wall_seconds:9.1f}"
        )
    print(flush=True)


def make_flower(n_samples=400, seed=1):
    """Points on a flower in the plane: its petals are of two classes."""
    rng = np.random.default_rng(seed)
    half = n_samples // 2
    petals = []
    for j in range(2):
        t = np.linspace(j * 3.12, (j + 1) * 3.12, half) + 0.2 * rng.normal(size=half)
        r = 4 * np.sin(4 * t) + 0.2 * rng.normal(size=half)
        petals.append(np.column_stack([r * np.sin(t), r * np.cos(t)]))
    return np.vstack(petals), np.repeat([0, 1], half)


def draw_flower(path):
    """What 1, 2, 4 and 20 hidden units make of the flower."""
    import matplotlib.pyplot as plt
    from sklearn.inspection import DecisionBoundaryDisplay

    X, y = make_flower()
    figure, axes = plt.subplots(
        2, 2, figsize=(8, 8), sharex=True, sharey=True, layout="constrained"
    )
    for n_hidden, ax in zip([1, 2, 4, 20], axes.flat, strict=True):
        model = ShallowNNClassifier(
            n_hidden, activation="tanh", alpha=0.1, random_state=0
        ).fit(X, y)
        DecisionBoundaryDisplay.from_estimator(
            model,
            X,
            response_method="predict_proba",
            levels=np.linspace(0, 1, 11),
            cmap="RdBu",
            alpha=0.5,
            ax=ax,
        )
        colors = np.array(["tab:red", "tab:blue"])[y]
        ax.scatter(*X.T, c=colors, s=16, edgecolor="white", linewidth=0.4)
        units = "hidden unit" if n_hidden == 1 else "hidden units"
        ax.set(
            title=f"{n_hidden} {units}: {model.score(X, y):.1%} of the points right",
            aspect="equal",
            xlabel="",
            ylabel="",
        )
    figure.suptitle("The planar flower: probability of the blue class, tanh units")
    figure.supxlabel("$x_1$")
    figure.supylabel("$x_2$")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_loss_curves(path):
    """J after every iteration of each solver, on the digits: the same J for all."""
    import matplotlib.pyplot as plt

    X, y = load_digits(return_X_y=True)
    figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for solver in SOLVERS:
        model = ShallowNNClassifier(
            10, activation="tanh", solver=solver, alpha=1.0, tol=1e-2, random_state=0
        )
        if solver == "lm":  # its iterations are few, and each takes long
            model.set_params(max_iter=100)
        model.fit(X, y)
        iterations = np.arange(1, model.n_iter_ + 1)
        ax.plot(
            iterations, model.loss_curve_, label=f"{solver}, {model.n_iter_} iterations"
        )
    ax.set(
        xscale="log",
        yscale="log",
        title="The solvers on the handwritten digits: 10 tanh units, tol=0.01",
        xlabel="iteration (for sgd and adam: epoch)",
        ylabel="objective J, in nats",
    )
    ax.grid(alpha=0.3)
    ax.legend(title="solver")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw(folder):
    """Both pictures, if matplotlib is there."""
    if find_spec("matplotlib") is None:
        print("matplotlib is not installed: no pictures.")
        return
    import matplotlib as mpl

    mpl.use("agg")
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in (
        ("flower.png", draw_flower),
        ("loss_curves.png", draw_loss_curves),
    ):
        picture(folder / name)
        print(f"wrote {folder / name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output-dir", type=Path, default=HERE / "output")
    parser.add_argument("--n-jobs", type=int, default=2)
    options = parser.parse_args()
    print_table(
        f"Handwritten digits: GridSearchCV over activations and widths {WIDTHS}, "
        "5 folds",
        "best accuracy",
        classify(options.n_jobs),
    )
    print_table(
        "Diabetes, columns as they come: 5-fold cross-validation",
        "mean R²",
        regress(options.n_jobs),
    )
    draw(options.output_dir)


if __name__ == "__main__":
    main()
