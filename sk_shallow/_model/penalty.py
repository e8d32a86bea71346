"""What α stands for on θ: the penalty Σ α_c/2 Σ rᵢ θᵢ² of groups c of weights."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Penalty:
    """An α for each group of weights.

    Attributes
    ----------
    groups : ndarray of shape (size,)
        Number of the group of each weight.
    ratio : ndarray of shape (size,)
        rᵢ, the strength for each weight beside that of its group; 0 for the biases.
    alpha : ndarray of shape (n_groups,)
        α_c.
    """

    groups: np.ndarray
    ratio: np.ndarray
    alpha: np.ndarray

    @classmethod
    def of(cls, layout, alpha):
        """The penalty with this α on W1 and W2; the biases are free.

        Parameters
        ----------
        layout : Layout
        alpha : float or ndarray
            One number for all of W1 and W2, or one for W1 and one for W2, or one for
            the weights of each feature and one for W2.
        """
        alpha = np.atleast_1d(np.asarray(alpha, dtype=np.float64))
        groups, ratio = np.zeros(layout.size, dtype=int), np.zeros(layout.size)
        number = layout.view(groups)
        if len(alpha) == layout.n_in + 1:
            number.W1[...] = np.arange(layout.n_in)[:, None]
            number.V[...] = np.arange(layout.n_path)[:, None]
        number.W2[...] = len(alpha) - 1
        layout.penalized(ratio)[...] = 1
        return cls(groups, ratio, alpha)

    def with_alpha(self, alpha):
        """The same groups with this α."""
        return replace(self, alpha=alpha)

    @property
    def precision(self):
        """diag(α), shape (size,)."""
        return self.ratio * self.alpha[self.groups]

    def strengths(self, layout):
        """α of W1, or of each feature, and of W2, as J has them."""
        precision = layout.view(self.precision)
        by_feature = precision.W1[:, 0]
        is_by_feature = len(self.alpha) == layout.n_in + 1
        return np.append(
            by_feature if is_by_feature else by_feature[:1], precision.W2[0, 0]
        )

    @property
    def sizes(self):
        """How many weights each group has."""
        return np.bincount(self.groups, self.ratio > 0, len(self.alpha))

    def sums(self, values):
        """Σ rᵢ vᵢ over each group."""
        return np.bincount(self.groups, self.ratio * values, len(self.alpha))

    def value(self, theta):
        """Σ α_c/2 Σ rᵢ θᵢ²."""
        return 0.5 * float(self.alpha @ self.sums(theta**2))
