"""Checked samples and their weights."""

from typing import NamedTuple

import numpy as np


class Data(NamedTuple):
    """Checked samples: X dense or CSR, y, and their positive weights or None."""

    X: object
    y: np.ndarray
    sample_weight: np.ndarray | None

    @property
    def weights(self):
        """The weights, ones where none were given."""
        n_samples = self.X.shape[0]
        return np.ones(n_samples) if self.sample_weight is None else self.sample_weight

    def weighted(self, factors):
        """The samples with their weights multiplied, without those of weight 0."""
        return self._replace(sample_weight=self.weights * factors).present()

    def present(self):
        """The samples of positive weight."""
        present = self.weights > 0
        return self if present.all() else self.take(np.flatnonzero(present))

    def take(self, rows):
        """The samples with these numbers."""
        w = self.sample_weight
        return Data(self.X[rows], self.y[rows], None if w is None else w[rows])
