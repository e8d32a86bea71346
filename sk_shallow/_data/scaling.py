"""Weighted standardisation, safe for sparse X, and folding it into the weights.

Training sees X̃ = (X - μ)/σ and ỹ = (y - m)/s; the fitted network takes X and gives y:

    W1 = W̃1/σ    b1 = b̃1 - μ W1    W2 = W̃2 s    b2 = b̃2 s + m - μ V    V = Ṽ s/σ

A constant y is m, whatever the weights.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sk_shallow._arrays.design import (
    ScaledSparse,
    StandardizedSparse,
    formed,
    row_blocks,
)
from sk_shallow._arrays.memory import ones
from sk_shallow._arrays.quantiles import weighted_quantiles

# What is added to the correlations beside their largest eigenvalue, by the bytes of a
# number: rounding is enlarged by its root.
_RIDGE = {4: 1e-6, 8: 1e-8}
# Elements of a block of rows that is multiplied.
_BLOCK = 2**17
# A column whose σ is below this fraction of |μ| is constant up to rounding.
_CONSTANT = 1e-12
# Quartiles, how far apart those of a normal variable are, and how many spreads from
# the targets before a batch of a stream counts, at the most.
_QUARTILES, _NORMAL_RANGE, _FARTHEST_SD = (0.25, 0.5, 0.75), 1.349, 4.0
# A variance below this is made of squares that underflow.
_LEAST_VARIANCE = 1e-290
# Of a sparse column's size, what it is divided by; and the mean square of the rows.
_POWER, _SQUARE = 0.75, 3.0


@dataclass(frozen=True)
class Standardizer:
    """Running weighted mean and spread of each column.

    Attributes
    ----------
    weight : float or ndarray of shape (n_columns,)
        S, the total weight seen; of each column, if some began later.
    mean : ndarray of shape (n_columns,)
        μ.
    m2 : ndarray of shape (n_columns,)
        Σ wᵢ (xᵢ - μ)².
    spread : float
        The standard deviation that standardised columns have.
    least_sd : ndarray of shape (n_columns,) or float
        What is taken for σ where it is less.
    name : str
        What the columns are of.
    """

    weight: float | np.ndarray
    mean: np.ndarray
    m2: np.ndarray
    spread: float = 1.0
    least_sd: np.ndarray | float = 0.0
    name: str = "X"

    @classmethod
    def identity(cls, n_columns):
        """The standardizer that changes nothing: μ = 0, σ = 1."""
        return cls(1.0, np.zeros(n_columns), np.ones(n_columns))

    @classmethod
    def of(cls, X, sample_weight=None, spread=1.0, least_sd=0.0, name="X"):
        """Measure the columns of X, dense or CSR.

        Raises
        ------
        ValueError
            If the squares of a column overflow, or underflow where it is not constant.
        """
        total, mean, m2 = moments(X, sample_weight)
        _check_squares(name, ~np.isfinite(m2), "large", "Divide")
        small = np.flatnonzero(m2 < _LEAST_VARIANCE * total)
        ranges = np.zeros(len(m2))
        if small.size:
            ranges[small] = _ranges(X)[small]
        _check_squares(name, ranges > _CONSTANT * np.abs(mean), "small", "Multiply")
        return cls(total, mean, m2, spread, least_sd, name)

    def merge(self, other):
        """The standardizer of both data sets together (Chan et al., 1979)."""
        total = self.weight + other.weight
        with np.errstate(over="ignore", under="ignore"):
            shift = other.mean - self.mean
            between = shift**2 * (self.weight * other.weight / total)
            mean = self.mean + shift * (other.weight / total)
        m2 = self.m2 + other.m2 + between
        _check_squares(self.name, ~np.isfinite(m2), "large", "Divide")
        is_small = m2 < _LEAST_VARIANCE * total
        differ = (self.weight > 0) & (np.abs(shift) > _CONSTANT * np.abs(mean))
        _check_squares(self.name, is_small & differ, "small", "Multiply")
        return replace(self, weight=total, mean=mean, m2=m2)

    def without(self, columns):
        """The same, as if nothing had been seen of these columns, to be merged."""
        shape = self.mean.shape
        parts = {"weight": self.weight, "m2": self.m2, "least_sd": self.least_sd}
        parts = {name: np.broadcast_to(v, shape).copy() for name, v in parts.items()}
        for part in parts.values():
            part[columns] = 0.0
        return replace(self, **parts)

    @property
    def sd(self):
        """σ."""
        return np.sqrt(self.m2 / self.weight)

    @property
    def is_constant(self):
        """Whether a column is constant, up to rounding."""
        return self.sd <= _CONSTANT * np.abs(self.mean)

    @property
    def offset(self):
        """What is subtracted."""
        return self.mean

    @property
    def scale(self):
        """σ, or the least, over the spread; 1 where a column is constant."""
        return np.where(
            self.is_constant, 1.0, np.maximum(self.sd, self.least_sd) / self.spread
        )

    def transform(self, X):
        """X̃ = (X - μ)/σ, of a dense X."""
        return (X - self.offset) / self.scale

    def outward(self, W1):
        """W1 for X, from that for X̃."""
        return W1 / self.scale[:, None]

    def inward(self, W1):
        """W1 for X̃, from that for X."""
        return W1 * self.scale[:, None]

    def design(self, X, dtype):
        """[1 X̃]: a new array, `Gathered` where it is large, or `StandardizedSparse`."""
        if sparse.issparse(X):
            scaled = self._scaled(X)
            with np.errstate(over="ignore"):
                shift = (self.offset / self.scale).astype(dtype)
                return StandardizedSparse(scaled.astype(dtype, copy=False), shift)
        return self._dense_design(X, dtype)

    def _dense_design(self, X, dtype):
        """[1 X̃]: a new array, or `Gathered` where it is large."""
        shape = X.shape[0], 1 + X.shape[1]
        write = partial(self._write, X, self.offset, 1 / self.scale)
        return formed(shape, dtype, write, X)

    def _write(self, X, mean, factor, rows, out):
        """[1 X̃] of some rows into `out`."""
        out[:, 0] = 1
        for here, some in row_blocks(*X.shape, rows=rows):
            D = _dense(X[some]) - mean
            D *= factor
            with np.errstate(over="ignore"):
                out[here, 1:] = self._mixed(D)

    def _mixed(self, D):
        """X̃ of columns in units of their spread."""
        return D

    def _scaled(self, X):
        """X/σ, of a sparse X."""
        X = sparse.csr_array(X)
        data = X.data / self.scale[X.indices]
        return sparse.csr_array((data, X.indices, X.indptr), shape=X.shape)


@dataclass(frozen=True)
class SparseScaler(Standardizer):
    """The scaler of columns that are mostly zeros: X̃ = X/s, as sparse as X.

    With r = √((Σ wᵢ xᵢ² + v)/S) of each column, s = c rᵖ/spread, between columns as
    they are (p = 0) and columns of one size (p = 1): what few rows have is neither lost
    nor blown up. c gives rows the length that they have with p = 1.

    v is the mean square of the entries of a row, on average. So in each column an entry
    of usual size stands beside those that it has: where a rare column has a small one
    by chance, it would blow up all that come later.

    Attributes
    ----------
    spread : float
        The root mean square that X̃ would have, were all columns of one size.
    entry_m2 : float
        Σ wᵢ vᵢ, with the mean square of the entries of each row that are not 0.
    entry_weight : float
        Σ wᵢ of the rows that have such.
    """

    entry_m2: float = 1.0
    entry_weight: float = 1.0

    @classmethod
    def of(cls, X, sample_weight=None, spread=1.0):
        """Measure the columns of X in CSR.

        Raises
        ------
        ValueError
            If the squares of a column overflow, or underflow where it is not constant.
        """
        x = super().of(X, sample_weight, spread)
        w = ones(X.shape[0]) if sample_weight is None else sample_weight
        row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        n_entries = np.bincount(row, X.data != 0, len(w))
        means = np.square(X.data, dtype=float) / np.maximum(n_entries, 1)[row]
        return replace(
            x, entry_m2=float(w[row] @ means), entry_weight=float(w @ (n_entries > 0))
        )

    def merge(self, other):
        """The scaler of both data sets; v is that of the sparse ones."""
        x = super().merge(other)
        if not isinstance(other, SparseScaler):
            return x
        return replace(
            x,
            entry_m2=self.entry_m2 + other.entry_m2,
            entry_weight=self.entry_weight + other.entry_weight,
        )

    @property
    def offset(self):
        """Nothing is subtracted."""
        return np.zeros_like(self.mean)

    @property
    def scale(self):
        """s; 1 where all is zero."""
        size = np.hypot(self.mean, self.sd)
        if not size.any():
            return np.ones_like(size)
        unit = size.max()
        squares = (size / unit) ** 2
        v = self.entry_m2 / self.entry_weight / unit**2
        r = np.sqrt(squares + v / self.weight)
        c = unit * np.sqrt(np.mean(squares * r ** (-2 * _POWER)))
        return c * r**_POWER / self.spread

    def design(self, X, dtype):
        """[1 X̃]: a new array, or a `ScaledSparse`."""
        if not sparse.issparse(X):
            return super().design(X, dtype)
        return ScaledSparse(self._scaled(X).astype(dtype, copy=False))


@dataclass(frozen=True)
class Whitener(Standardizer):
    """The standardizer of columns that are also decorrelated: X̃ = (X - μ)/σ M [1]_.

    M = C^(1/2) (C + εI)⁻¹, with the correlations C, is the symmetric one: of all that
    decorrelate it moves the columns least. What never varies is left out.

    Attributes
    ----------
    mixing : ndarray of shape (n_columns, n_columns)
        M.

    References
    ----------
    .. [1] Kessy, Lewin and Strimmer, "Optimal whitening and decorrelation", The
       American Statistician 72, 2018.
    """

    mixing: np.ndarray | None = None

    @classmethod
    def after(cls, x, X, sample_weight=None):
        """That of the columns of X, which x standardises."""
        w = ones(X.shape[0]) if sample_weight is None else sample_weight
        C = np.zeros((X.shape[1], X.shape[1]))
        for rows, _ in row_blocks(*X.shape, _BLOCK):
            D = x.transform(_dense(X[rows])) / x.spread
            C += D.T @ (D * w[rows, None])
        values, vectors = np.linalg.eigh(C / w.sum())
        values = np.maximum(values, 0.0)
        ridge = max(_RIDGE[X.dtype.itemsize] * values[-1], np.finfo(float).tiny)
        M = (vectors * (np.sqrt(values) / (values + ridge))) @ vectors.T
        return cls(**vars(x), mixing=M)

    def merge(self, other):
        """Its own μ and σ, to which M belongs, with the weight of both."""
        total, is_new = self.weight + other.weight, np.equal(self.weight, 0)
        m2 = self.m2 * (total / np.where(is_new, 1.0, self.weight))
        mean = np.where(is_new, other.mean, self.mean)
        m2 = np.where(is_new, other.m2, m2)
        return replace(self, weight=total, mean=mean, m2=m2)

    def without(self, columns):
        """The same, as if nothing had been seen of these columns; M leaves them so."""
        M = self.mixing.copy()
        M[columns], M[:, columns] = 0.0, 0.0
        M[columns, columns] = 1.0
        return replace(super().without(columns), mixing=M)

    def design(self, X, dtype):
        """[1 X̃]: dense, whatever X is."""
        return self._dense_design(X, dtype)

    def _mixed(self, D):
        """X̃ of columns in units of their spread."""
        return D @ self.mixing

    def outward(self, W1):
        """W1 for X, from that for X̃."""
        return super().outward(self.mixing @ W1)

    def inward(self, W1):
        """W1 for X̃, from that for X."""
        return np.linalg.pinv(self.mixing, hermitian=True) @ super().inward(W1)


@dataclass(frozen=True)
class TargetScaler(Standardizer):
    """The standardizer of targets whose loss asks for another location, or spread.

    Attributes
    ----------
    mean : ndarray of shape (n_targets,)
        Or the median.
    m2 : ndarray of shape (n_targets,)
        Such that σ is the spread.
    is_shifted : bool
        Whether the location is subtracted.
    by : {"sd", "mean"}
        What targets are divided by.
    """

    is_shifted: bool = True
    by: str = "sd"

    @property
    def offset(self):
        """μ, or 0."""
        return self.mean if self.is_shifted else np.zeros_like(self.mean)

    @property
    def scale(self):
        """What targets are divided by: of those that do not vary, their size, or 1."""
        size = np.where(self.mean != 0, np.abs(self.mean), 1.0)
        return size if self.by == "mean" else np.where(self.is_constant, size, self.sd)


@dataclass(frozen=True)
class RobustScaler(TargetScaler):
    """That of the median and half the interquartile range, as if y were normal.

    Where the quartiles are equal, the mean distance from the median is taken.
    """

    @classmethod
    def of(cls, y, sample_weight=None, is_shifted=True):
        """Measure the columns of y."""
        w = ones(len(y)) if sample_weight is None else sample_weight
        with np.errstate(over="ignore"):
            low, median, high = weighted_quantiles(y.T, w, _QUARTILES)
            spread = (high - low) / _NORMAL_RANGE
            distance = w @ np.abs(y - median) / w.sum()
            spread = np.where(spread > _CONSTANT * np.abs(median), spread, distance)
            m2 = spread**2 * w.sum()
        _check_squares("y", ~np.isfinite(m2), "large", "Divide")
        is_small = (m2 < _LEAST_VARIANCE * w.sum()) & (spread > 0)
        _check_squares("y", is_small, "small", "Multiply")
        return cls(w.sum(), median, m2, name="y", is_shifted=is_shifted)

    def transform(self, X):
        """X̃; what is out of sight is brought nearer, as no such loss feels how far."""
        return np.clip(super().transform(X), -1 / _CONSTANT, 1 / _CONSTANT)

    def merge(self, other):
        """The mean of both, of which the new one is near the old."""
        total, sd = self.weight + other.weight, self.sd
        share, most = other.weight / total, np.where(sd > 0, _FARTHEST_SD * sd, np.inf)
        shift = other.mean - self.mean
        spread = np.minimum(np.maximum(other.sd, np.abs(shift)), most)
        mean = self.mean + np.clip(shift, -most, most) * share
        m2 = (sd + (spread - sd) * share) ** 2 * total
        return replace(self, weight=total, mean=mean, m2=m2)


def moments(X, sample_weight=None):
    """S, μ and Σ wᵢ (xᵢ - μ)² of the columns of X, dense or CSR."""
    w = ones(X.shape[0]) if sample_weight is None else sample_weight
    total = w.sum()
    squares = _sparse_squares if sparse.issparse(X) else _dense_squares
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        mean = _sums(X, w) / total
        m1, m2 = squares(X, w, mean)
        mean += m1 / total
        m2 = np.maximum(m2 - m1**2 / total, 0.0)
    return total, mean, m2


def _check_squares(name, are_refused, size, remedy):
    """Refuse columns whose squares are no numbers to reckon with."""
    if are_refused.any():
        raise ValueError(
            f"The values of some columns of {name} are too {size} to be squared: "
            f"columns {np.flatnonzero(are_refused)[:5].tolist()}. {remedy} them by a "
            "constant."
        )


def _ranges(X):
    """The largest value of each column minus the least."""
    if X.shape[1] == 0:
        return np.zeros(0)
    if sparse.issparse(X):
        return (X.max(axis=0) - X.min(axis=0)).toarray().ravel()
    low, high = np.full((2, X.shape[1]), [[np.inf], [-np.inf]])
    for rows, _ in row_blocks(*X.shape):
        D = X[rows]
        np.minimum(low, D.min(axis=0), out=low)
        np.maximum(high, D.max(axis=0), out=high)
    return high - low


def input_spread(n_features):
    """Standard deviation of the standardised inputs, (16/d)^(3/4).

    A hidden unit that sees many inputs needs less of each: with the spread, the same
    penalty, rate and first weights serve any number of features.
    """
    return (16 / n_features) ** 0.75


def sparse_spread(n_features):
    """Root mean square of the scaled inputs of sparse X: the rows have one size."""
    return np.sqrt(_SQUARE / n_features)


def _dense(X):
    """X as an array."""
    return X.toarray() if sparse.issparse(X) else X


def _sums(X, w):
    """Σ wᵢ xᵢ of each column."""
    if sparse.issparse(X):
        return np.asarray(w @ X, dtype=np.float64).ravel()
    return sum(w[rows] @ X[rows] for rows, _ in row_blocks(*X.shape, _BLOCK))


def _dense_squares(X, w, mean):
    """Σ wᵢ (xᵢ - μ) and Σ wᵢ (xᵢ - μ)² of each column; the first is rounding."""
    m1, m2 = np.zeros((2, X.shape[1]))
    for rows, _ in row_blocks(*X.shape):
        D = X[rows] - mean
        m1 += w[rows] @ D
        np.square(D, out=D)
        m2 += w[rows] @ D
    return m1, m2


def _sparse_squares(X, w, mean):
    """The same from the stored entries: every absent entry adds -w μ and w μ²."""
    entry_weight = np.repeat(w, np.diff(X.indptr))
    deviation = X.data - mean[X.indices]

    def per_column(weights):
        return np.bincount(X.indices, weights, minlength=X.shape[1])

    is_full = per_column(None) == X.shape[0]
    absent = np.maximum(w.sum() - per_column(entry_weight), 0.0)
    absent[is_full] = 0.0
    m1 = per_column(entry_weight * deviation) - absent * mean
    return m1, per_column(entry_weight * deviation**2) + absent * mean**2


class Units(NamedTuple):
    """What outputs are shifted and multiplied by, to be in units of y.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_out,)
    is_constant : ndarray of bool of shape (n_out,)
        Whose outputs are the mean, whatever the weights.
    """

    mean: np.ndarray
    scale: np.ndarray
    is_constant: np.ndarray


def fold(weights, x, y):
    """Weights for X̃ → ỹ, as weights for X → y.

    Parameters
    ----------
    weights : Weights
        b1 (h,), W1 (d, h), W2 (h, k), b2 (k, 1), V (d, k) or (0, k), in standardised
        units.
    x : Standardizer
        Of the inputs.
    y : Standardizer or Units
        Of the outputs.

    Returns
    -------
    b1, W1, W2, b2, V : ndarray
        New arrays, float64, in original units.
    """
    W1 = x.outward(weights.W1)
    scale = np.where(y.is_constant, 0.0, y.scale)
    W2 = np.multiply(weights.W2, scale, order="C")
    b2 = weights.b2[:, 0] * scale + y.mean
    V = weights.V * scale
    if len(V):
        V = x.outward(V)
        b2 -= x.offset @ V
    return weights.b1 - x.offset @ W1, W1, W2, b2, V


def unfold(b1, W1, W2, b2, V, x, y):
    """The inverse of `fold`: weights for X → y, as weights for X̃ → ỹ."""
    b1 = b1 + x.offset @ W1
    scale = np.where(y.is_constant, np.inf, y.scale)
    if len(V):
        b2 = b2 + x.offset @ V
        V = x.inward(V)
    return b1, x.inward(W1), W2 / scale, (b2 - y.mean) / scale, V / scale
