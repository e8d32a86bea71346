"""An activation of one's own
==========================

A grid search over activations, one of them written here, and what happens to one whose
derivative is wrong.
"""

# %%
# Two methods
# -----------
# ``forward`` gives A = g(Z); ``slope`` is given A, not Z, so g must be monotone. Both
# write into ``out`` where it is given, which may be their own input.

# sphinx_gallery_thumbnail_path = "_generated/thumbnails/own_activation.png"
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV

from sk_shallow import Activation, LeakyReLU, ShallowNNClassifier


@dataclass(frozen=True)
class Softsign(Activation):
    """g(z) = z / (1 + abs(z))."""

    def forward(self, Z, out=None):
        """A = Z / (1 + abs(Z))."""
        return np.divide(Z, 1 + np.abs(Z), out=out)

    def slope(self, A, out=None):
        """g' = (1 - abs(A))², as 1 - abs(A) = 1 / (1 + abs(Z))."""
        return np.square(1 - np.abs(A), out=out)


# %%
# In a grid
# ---------
# The object stands in the grid beside names and other objects. ``alpha`` is set, so
# that each fit trains one network; left open, it is chosen by held-out rows.

X, y = load_breast_cancer(return_X_y=True)
grid = {
    "activation": ["tanh", "relu", LeakyReLU(negative_slope=0.1), Softsign()],
    "n_hidden": [10, 30],
}
found = GridSearchCV(ShallowNNClassifier(alpha=1.0, random_state=0), grid).fit(X, y)
results = found.cv_results_
for params, score in zip(results["params"], results["mean_test_score"], strict=True):
    print(
        f"{params['activation']!s:30} {params['n_hidden']:2d} units  "
        f"accuracy {score:.4f}"
    )
print(f"best: {found.best_params_}, accuracy {found.best_score_:.4f}")

# %%
# A wrong slope is refused
# ------------------------
# ``fit`` compares the slope with finite differences before it trains.


class WrongSoftsign(Softsign):
    """The same with a slope that is not the derivative."""

    def slope(self, A, out=None):
        """Forgets the square."""
        return np.subtract(1, np.abs(A), out=out)


try:
    ShallowNNClassifier(activation=WrongSoftsign()).fit(X, y)
except ValueError as error:
    print(error)
