"""Checked samples and their weights."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sk_shallow._arrays.design import made
from sk_shallow._arrays.memory import ones
from sk_shallow._data.constraints import check_total

# Beside a weight of one, less than this is lost in rounding: it counts as zero.
_NEGLIGIBLE = 1e-30


def rows_of(X, rows):
    """The rows with these numbers, of `Columns` or csr."""
    return X[rows] if sparse.issparse(X) else X.take(rows)


def content(X, rows=slice(None)):
    """What tells whether rows of `Columns` or csr are equal: yields vectors.

    Those of dense ones are the columns, those of sparse ones are projections.
    """
    if sparse.issparse(X):
        draw = np.random.default_rng(0).random((X.shape[1], 2))
        yield from (X @ draw)[rows].T
        return
    for column in X.numbers.T:
        yield column[rows]
    for factor in X.factors:
        yield factor.codes[rows]


class Data(NamedTuple):
    """Checked samples.

    Attributes
    ----------
    X : Columns or csr
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None
        Positive weights; None stands for ones.
    rows : ndarray of int, shape (n_samples,), or None
        Their numbers among the samples that came in; None where these are all.
    groups : ndarray of shape (n_samples,) or None
        Samples of one group are in one fold.
    """

    X: Any
    y: np.ndarray
    sample_weight: np.ndarray | None
    rows: np.ndarray | None = None
    groups: np.ndarray | None = None

    @classmethod
    def of(cls, X, y, sample_weight=None, groups=None):
        """The samples of positive weight."""
        return cls(X, y, sample_weight, None, groups).present()

    @property
    def n_samples(self):
        """Number of samples."""
        return len(self.y)

    @property
    def weights(self):
        """The weights, ones where none were given."""
        w = self.sample_weight
        return ones(self.n_samples) if w is None else w

    def weighted(self, factors):
        """The samples with their weights multiplied, without those of weight 0."""
        with np.errstate(over="ignore", under="ignore"):
            weights = self.weights * factors
        if not weights.any():
            raise ValueError(
                "sample_weight times class_weight is zero for all samples."
            )
        check_total(weights, "sample_weight times class_weight")
        return self._replace(sample_weight=weights).present()

    def present(self):
        """The samples of positive weight; relative weights brought to the mean 1.

        A weight k stands for k copies. Where the mean of the weights is below 1, they
        cannot be numbers of copies, and only their ratios count.
        """
        w = self.sample_weight
        if w is None:
            return self
        present = w > _NEGLIGIBLE * w.max()
        some = self if present.all() else self.take(np.flatnonzero(present))
        w = some.sample_weight
        if w.mean() >= 1:
            return some
        w = w / w.max()
        w /= w.mean()
        return some._replace(sample_weight=w)

    def take(self, rows):
        """The samples with these numbers."""
        X = rows_of(self.X, rows)
        w, groups = (
            None if values is None else values[rows]
            for values in (self.sample_weight, self.groups)
        )
        numbers = rows if self.rows is None else self.rows[rows]
        return Data(X, self.y[rows], w, numbers, groups)

    def copy(self):
        """The samples in arrays of their own."""
        return self.take(np.arange(self.n_samples))

    @property
    def plain_X(self):
        """X as an array, if it has numbers only."""
        has_labels = sparse.issparse(self.X) or len(self.X.factors)
        return self.X if has_labels else made(self.X.numbers)
