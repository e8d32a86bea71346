"""A grid search over activations, one of them one's own.

    python examples/own_activation.py

`forward` gives A = g(Z); `slope` is given A, not Z, so g must be monotone. Both write
into `out` where it is given, which may be their own input. `fit` checks the slope.

alpha is set, so that each fit trains one network; left open, it is chosen by held-out
rows.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV

from sk_shallow import Activation, LeakyReLU, ShallowNNClassifier


@dataclass(frozen=True)
class Softsign(Activation):
    """g(z) = z / (1 + |z|)."""

    def forward(self, Z, out=None):
        """A = Z / (1 + |Z|)."""
        return np.divide(Z, 1 + np.abs(Z), out=out)

    def slope(self, A, out=None):
        """g' = (1 - |A|)², as 1 - |A| = 1 / (1 + |Z|)."""
        return np.square(1 - np.abs(A), out=out)


class WrongSoftsign(Softsign):
    """The same with a slope that is not the derivative."""

    def slope(self, A, out=None):
        """Forgets the square."""
        return np.subtract(1, np.abs(A), out=out)


def main():
    X, y = load_breast_cancer(return_X_y=True)
    grid = {
        "activation": ["tanh", "relu", LeakyReLU(negative_slope=0.1), Softsign()],
        "n_hidden": [10, 30],
    }
    found = GridSearchCV(ShallowNNClassifier(alpha=1.0, random_state=0), grid)
    found.fit(X, y)
    results = found.cv_results_
    for params, score in zip(
        results["params"], results["mean_test_score"], strict=True
    ):
        print(
            f"{params['activation']!s:32} {params['n_hidden']:3d} units  "
            f"accuracy {score:.4f}"
        )
    print(f"best: {found.best_params_}, accuracy {found.best_score_:.4f}")

    try:
        ShallowNNClassifier(activation=WrongSoftsign()).fit(X, y)
    except ValueError as error:
        print(f"\nA wrong slope is refused: {error}")


if __name__ == "__main__":
    main()
