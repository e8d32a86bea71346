"""Weighted standardisation, safe for sparse X, and folding it into the weights.

Training sees X̃ = (X - μ)/σ and ỹ = (y - m)/s; the fitted network takes X and gives y:

    W1 = W̃1/σ    b1 = b̃1 - μ W1    W2 = W̃2 s    b2 = b̃2 s + m
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

# A column whose σ is below this fraction of |μ| is constant up to rounding.
_CONSTANT = 1e-12


@dataclass(frozen=True)
class Standardizer:
    """Running weighted mean and spread of each column.

    Attributes
    ----------
    weight : float
        S, the total weight seen.
    mean : ndarray of shape (n_columns,)
        μ.
    m2 : ndarray of shape (n_columns,)
        Σ wᵢ (xᵢ - μ)².
    """

    weight: float
    mean: np.ndarray
    m2: np.ndarray

    @classmethod
    def identity(cls, n_columns):
        """The standardizer that changes nothing: μ = 0, σ = 1."""
        return cls(1.0, np.zeros(n_columns), np.ones(n_columns))

    @classmethod
    def of(cls, X, sample_weight=None):
        """Measure the columns of X, dense or CSR."""
        w = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        total = w.sum()
        mean = np.asarray(w @ X, dtype=np.float64).ravel() / total
        squares = _sparse_squares if sparse.issparse(X) else _dense_squares
        return cls(total, mean, squares(X, w, mean))

    def merge(self, other):
        """The standardizer of both data sets together (Chan et al., 1979)."""
        total = self.weight + other.weight
        shift = other.mean - self.mean
        return Standardizer(
            total,
            self.mean + shift * (other.weight / total),
            self.m2 + other.m2 + shift**2 * (self.weight * other.weight / total),
        )

    @property
    def scale(self):
        """σ; 1 where a column is constant."""
        sigma = np.sqrt(self.m2 / self.weight)
        return np.where(sigma <= _CONSTANT * np.abs(self.mean), 1.0, sigma)

    def transform(self, X, dtype):
        """X̃ = (X - μ)/σ: a new array, or a `StandardizedSparse` over scaled CSR."""
        if sparse.issparse(X):
            scaled = sparse.csr_array(X, dtype=dtype, copy=True)
            scaled.data /= self.scale.astype(dtype)[scaled.indices]
            return StandardizedSparse(scaled, (self.mean / self.scale).astype(dtype))
        out = np.empty(X.shape, dtype)
        scale = self.scale
        for rows in _row_blocks(X):
            out[rows] = (X[rows] - self.mean) / scale
        return out


def _row_blocks(X, n_elements=2**17):
    """Slices of rows of X, some n_elements large."""
    step = max(1, n_elements // max(1, X.shape[1]))
    return (slice(i, i + step) for i in range(0, X.shape[0], step))


def _dense_squares(X, w, mean):
    """Σ wᵢ (xᵢ - μ)² of each column, about the exact mean."""
    m2 = np.zeros(X.shape[1])
    for rows in _row_blocks(X):
        D = X[rows] - mean
        np.square(D, out=D)
        m2 += w[rows] @ D
    return m2


def _sparse_squares(X, w, mean):
    """The same from the stored entries: every absent entry adds w μ²."""
    entry_weight = np.repeat(w, np.diff(X.indptr))
    deviation = entry_weight * (X.data - mean[X.indices]) ** 2
    m2 = np.bincount(X.indices, weights=deviation, minlength=X.shape[1])
    stored = np.bincount(X.indices, weights=entry_weight, minlength=X.shape[1])
    return m2 + (w.sum() - stored) * mean**2


class StandardizedSparse:
    """X̃ = X/σ - 1 (μ/σ)ᵀ, never formed.

    `np.matmul` takes it (and its transpose) for an array, so the kernel's lines are
    the same for sparse input.

    Parameters
    ----------
    scaled : csr_array of shape (n_samples, n_features)
        X/σ.
    shift : ndarray of shape (n_features,)
        μ/σ.
    """

    def __init__(self, scaled, shift, transposed=False):
        self.scaled, self.shift, self.transposed = scaled, shift, transposed
        self.dtype = scaled.dtype
        self.shape = scaled.shape[::-1] if transposed else scaled.shape

    def __getitem__(self, rows):
        """The rows of X̃ with these numbers."""
        return StandardizedSparse(self.scaled[rows], self.shift)

    @property
    def T(self):
        """X̃ᵀ."""
        return StandardizedSparse(self.scaled, self.shift, not self.transposed)

    def __array_ufunc__(self, ufunc, method, X, W, out=None):
        """np.matmul(X̃, W, out=…) and np.matmul(X̃ᵀ, D, out=…)."""
        if ufunc is not np.matmul or method != "__call__" or X is not self:
            return NotImplemented
        if self.transposed:
            product = self.scaled.T @ W - np.outer(self.shift, W.sum(axis=0))
        else:
            product = self.scaled @ W - self.shift @ W
        if out is None:
            return product
        out[0][...] = product
        return out[0]


def design(X):
    """X as the kernel takes it: an array, or a `StandardizedSparse` without shift."""
    if sparse.issparse(X):
        return StandardizedSparse(sparse.csr_array(X), np.zeros(X.shape[1], X.dtype))
    return X


def fold(weights, x, y):
    """Weights for X̃ → ỹ, as weights for X → y.

    Parameters
    ----------
    weights : Weights
        W1 (d, h), b1 (1, h), W2 (h, k), b2 (1, k), in standardised units.
    x, y : Standardizer
        Of the inputs and of the targets.

    Returns
    -------
    Weights
        New arrays, float64, in original units.
    """
    W1 = weights.W1 / x.scale[:, None]
    W2 = weights.W2 * y.scale
    return type(weights)(
        b1=weights.b1 - x.mean @ W1,
        W1=W1,
        W2=W2,
        b2=weights.b2 * y.scale + y.mean,
    )


def unfold(weights, x, y):
    """The inverse of `fold`: weights for X → y, as weights for X̃ → ỹ."""
    return type(weights)(
        b1=weights.b1 + x.mean @ weights.W1,
        W1=weights.W1 * x.scale[:, None],
        W2=weights.W2 / y.scale,
        b2=(weights.b2 - y.mean) / y.scale,
    )
