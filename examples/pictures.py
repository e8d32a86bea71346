"""All the displays of `sk_shallow.inspection`, each alone, and six on one page.

Each is drawn in light and in dark, of the same fitted networks.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
from sklearn.datasets import load_diabetes, load_digits, load_wine, make_friedman1
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow.inspection import (
    CalibrationOfIntervalsDisplay,
    FeatureEffectDisplay,
    FeatureRelevanceDisplay,
    HiddenUnitsDisplay,
    LossCurveDisplay,
    NetworkDisplay,
)

mpl.use("agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent


def pictures():
    """What is drawn: a function of the axes for each picture, by its name."""
    digits, digit = load_digits(return_X_y=True)
    reader = ShallowNNClassifier(25, alpha=3.0, early_stopping=True, random_state=0)
    reader.fit(digits, digit)
    wines, wine = load_wine(return_X_y=True, as_frame=True)
    taster = ShallowNNClassifier(6, alpha=1.0, random_state=0).fit(wines, wine)
    patients, disease = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    doctor = ShallowNNRegressor(random_state=0).fit(patients, disease)
    judge = ShallowNNRegressor(3, solver="lm", alpha="ard", random_state=0)
    judge.fit(patients, disease)
    X, y = make_friedman1(1200, noise=1.0, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    friedman = ShallowNNRegressor(random_state=0).fit(X_train, y_train)
    wanted = permutation_importance(doctor, patients, disease, random_state=0)
    return {
        "loss_curve": lambda ax=None: LossCurveDisplay.from_estimator(reader, ax=ax),
        "candidates": lambda ax=None: LossCurveDisplay.from_estimator(
            friedman, candidates=True, ax=ax
        ),
        "hidden_units": lambda ax=None: HiddenUnitsDisplay.from_estimator(
            reader, digits, image_shape=(8, 8), ax=ax
        ),
        "hidden_units_of_columns": lambda ax=None: HiddenUnitsDisplay.from_estimator(
            taster, wines, ax=ax
        ),
        "network": lambda ax=None: NetworkDisplay.from_estimator(taster, wines, ax=ax),
        "feature_effect": lambda ax=None: FeatureEffectDisplay.from_estimator(
            doctor, patients, ["bmi", "s5"], ax=ax
        ),
        "intervals": lambda ax=None: CalibrationOfIntervalsDisplay.from_estimator(
            friedman, X_test, y_test, ax=ax
        ),
        "relevance": lambda ax=None: FeatureRelevanceDisplay.from_estimator(
            judge, ax=ax
        ),
        "importances": lambda ax=None: FeatureRelevanceDisplay.from_estimator(
            doctor, wanted, ax=ax
        ),
    }


PAGE = {
    "loss_curve": "LossCurveDisplay",
    "hidden_units": "HiddenUnitsDisplay",
    "network": "NetworkDisplay",
    "feature_effect": "FeatureEffectDisplay",
    "intervals": "CalibrationOfIntervalsDisplay",
    "relevance": "FeatureRelevanceDisplay",
}


def draw_page(drawn, path):
    """Six pictures on one page."""
    figure = plt.figure(figsize=(15, 9), layout="constrained")
    parts = figure.subfigures(2, 3, wspace=0.03, hspace=0.03)
    for (name, title), part in zip(PAGE.items(), parts.flat, strict=True):
        drawn[name](ax=part.subplots())
        part.suptitle(title, weight="bold")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output-dir", type=Path, default=HERE / "output")
    folder = parser.parse_args().output_dir
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures()
    for style, suffix in (("default", ""), ("dark_background", "_dark")):
        with plt.style.context(style):
            for name, draw in drawn.items():
                figure = draw().figure_
                figure.savefig(folder / f"{name}{suffix}.png", dpi=100)
                plt.close(figure)
            draw_page(drawn, folder / f"pictures{suffix}.png")
    print(f"wrote {2 * len(drawn) + 2} pictures to {folder}")


if __name__ == "__main__":
    main()
