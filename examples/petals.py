"""The petals: hidden units bend a line
====================================

Two classes of points lie on the petals of a flower, and no straight line separates
them. Networks of 1 to 50 hidden units, trained by L-BFGS, show from how many units on
the boundary follows the petals.
"""

# %%
# The points
# ----------
# Each class is half a turn of a curve in the plane, with noise. One unit is a logistic
# regression: its boundary is a line.

import matplotlib.pyplot as plt
import numpy as np
from quickstart import make_flower
from sklearn.inspection import DecisionBoundaryDisplay

from sk_shallow import ShallowNNClassifier

X, y = make_flower()
colours = np.where(y == 1, "navy", "darkred")

# %%
# Six widths
# ----------
# The colour of the ground is the probability of the blue class. Four units are enough
# for four petals; fifty bend the boundary around single points, and ``alpha=0.1`` keeps
# them from more.

figure, axes = plt.subplots(2, 3, figsize=(10, 6.5), layout="constrained")
for width, ax in zip((1, 2, 4, 5, 20, 50), axes.flat, strict=True):
    net = ShallowNNClassifier(width, activation="tanh", solver="lbfgs")
    net.set_params(alpha=0.1, random_state=0).fit(X, y)
    accuracy = net.score(X, y)
    print(f"{width:2d} units: {accuracy:.3f} of the points are right")
    DecisionBoundaryDisplay.from_estimator(
        net, X, ax=ax, response_method="predict_proba", cmap="RdBu", alpha=0.5
    )
    ax.scatter(*X.T, s=14, c=colours, edgecolors="white", linewidths=0.4)
    units = "unit" if width == 1 else "units"
    ax.set(title=f"{width} {units}: {accuracy:.0%}", xticks=[], yticks=[])
plt.show()
