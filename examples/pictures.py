"""The displays: pictures of fitted networks
=========================================

Each display of ``sk_shallow.inspection``, drawn from fitted networks, and six of them
on one page, which ``python examples/pictures.py FILE`` also writes into a file.
"""

# %%
# How training went
# -----------------
# The objective J after each epoch, the loss of held-out samples, and the iterate that
# was kept.

import sys

import matplotlib.pyplot as plt
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

digits, digit = load_digits(return_X_y=True)
reader = ShallowNNClassifier(25, alpha=3.0, early_stopping=True, random_state=0)
reader.fit(digits, digit)
LossCurveDisplay.from_estimator(reader)
plt.show()

# %%
# What raced
# ----------
# Where the data choose, ``candidates=True`` draws the recipes that competed: the loss
# of held-out samples against the steps.

X, y = make_friedman1(1200, noise=1.0, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
friedman = ShallowNNRegressor(random_state=0).fit(X_train, y_train)
LossCurveDisplay.from_estimator(friedman, candidates=True)
plt.show()

# %%
# What the hidden units look at
# -----------------------------
# The weights of each unit as an image, where the features are pixels.

HiddenUnitsDisplay.from_estimator(reader, digits, image_shape=(8, 8))
plt.show()

# %%
# The same of named columns.

wines, wine = load_wine(return_X_y=True, as_frame=True)
taster = ShallowNNClassifier(6, alpha=1.0, random_state=0).fit(wines, wine)
HiddenUnitsDisplay.from_estimator(taster, wines)
plt.show()

# %%
# The network itself
# ------------------
# The width of a line is the size of a weight, its colour the sign.

NetworkDisplay.from_estimator(taster, wines)
plt.show()

# %%
# What a feature does
# -------------------
# The mean prediction where a feature has a given value, and how far the members of the
# committee agree.

patients, disease = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
doctor = ShallowNNRegressor(random_state=0).fit(patients, disease)
FeatureEffectDisplay.from_estimator(doctor, patients, ["bmi", "s5"])
plt.show()

# %%
# Whether intervals hold what they promise
# ----------------------------------------
# The share of test samples inside the intervals, against the confidence level.

CalibrationOfIntervalsDisplay.from_estimator(friedman, X_test, y_test)
plt.show()

# %%
# Which features matter
# ---------------------
# By ``alpha="ard"``, which gives every feature a penalty of its own.

judge = ShallowNNRegressor(3, solver="lm", alpha="ard", random_state=0)
judge.fit(patients, disease)
FeatureRelevanceDisplay.from_estimator(judge)
plt.show()

# %%
# By permutation, for any network.

importances = permutation_importance(doctor, patients, disease, random_state=0)
FeatureRelevanceDisplay.from_estimator(doctor, importances)
plt.show()

# %%
# Six on one page
# ---------------
# Every display draws into axes that are given.

# sphinx_gallery_thumbnail_number = 5
page = plt.figure(figsize=(10, 13), layout="constrained")
parts = iter(page.subfigures(3, 2, wspace=0.03, hspace=0.03).flat)


def axes(title):
    """Those of the next part of the page, under a title."""
    part = next(parts)
    part.suptitle(title, weight="bold")
    return part.subplots()


LossCurveDisplay.from_estimator(reader, ax=axes("LossCurveDisplay"))
HiddenUnitsDisplay.from_estimator(
    reader, digits, image_shape=(8, 8), ax=axes("HiddenUnitsDisplay")
)
NetworkDisplay.from_estimator(taster, wines, ax=axes("NetworkDisplay"))
FeatureEffectDisplay.from_estimator(
    doctor, patients, ["bmi", "s5"], ax=axes("FeatureEffectDisplay")
)
CalibrationOfIntervalsDisplay.from_estimator(
    friedman, X_test, y_test, ax=axes("CalibrationOfIntervalsDisplay")
)
FeatureRelevanceDisplay.from_estimator(judge, ax=axes("FeatureRelevanceDisplay"))
if sys.argv[1:]:
    page.savefig(sys.argv[1], dpi=80)
plt.show()
