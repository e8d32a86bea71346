"""Error bars from what the members have not seen.

A sample's residual is that of the members that do not see it. The mean of the squares
is the variance of a new sample about such members. With their outputs, the residuals
give intervals whose coverage does not rest on a normal posterior: CV+ [1]_. Where two
outputs are quantiles, how far samples are outside of them moves both: CQR [2]_.

Beyond the samples nothing bounds how a function rises and bends: where x is d standard
deviations outside their range, √(Σ dⱼ²) over the columns j, the standard deviation of y
times d + d² is added.

References
----------
.. [1] Barber, Candès, Ramdas and Tibshirani, "Predictive inference with the
   jackknife+", Annals of Statistics 49, 2021.
.. [2] Romano, Patterson and Candès, "Conformalized quantile regression", NeurIPS 2019.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from sk_shallow._arrays.design import row_blocks

# Halvings of the range in which the bound of an interval is sought.
_N_HALVINGS = 50
# The part of the variance of the residuals that is noise, at the least.
_LEAST_NOISE = 0.25
# The largest distance from the range, as a float whose square is one.
_FARTHEST = 1e150


class Range(NamedTuple):
    """Where the samples are, column by column, and how far y goes among them.

    Attributes
    ----------
    low, high, sd : ndarray of shape (n_columns,)
    scale : ndarray of shape (n_out,)
        The standard deviation of y.
    """

    low: np.ndarray
    high: np.ndarray
    sd: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, X, weights, scale):
        """Of `Columns`, with NaN for gaps; None for sparse X."""
        if not hasattr(X, "numbers"):
            return None
        X = X.numbers
        low, high = _extent(X)
        least = np.where(np.isinf(low), 0.0, low)
        unit = _powers_of_two(np.maximum(high - least, 0.0))
        known, sums, squares = np.zeros((3, X.shape[1]))
        for rows, _ in row_blocks(*X.shape):
            w, gaps = weights[rows], np.isnan(X[rows])
            D = np.where(gaps, 0.0, (X[rows] - least) / unit)
            known += w @ ~gaps
            sums += w @ D
            squares += w @ np.square(D)
        known = np.maximum(known, weights.min())
        variance = np.maximum(squares / known - (sums / known) ** 2, 0.0)
        sd = np.sqrt(variance) * unit
        return cls(low, high, np.where(sd > 0, sd, np.inf), scale)

    def beyond(self, X):
        """d of each row: its distance from the range."""
        d = np.empty(X.shape[0], np.result_type(X.dtype, self.sd))
        for rows, _ in row_blocks(*X.shape):
            D = np.maximum(self.low - X[rows], X[rows] - self.high)
            with np.errstate(over="ignore"):
                D = np.where(np.isfinite(D) & (D > 0), D, 0.0) / self.sd
            d[rows] = np.linalg.norm(np.minimum(D, _FARTHEST), axis=1)
        return d


def _extent(X):
    """The least and the largest value of each column, infinite where all are gaps."""
    low, high = np.full((2, X.shape[1]), [[np.inf], [-np.inf]], X.dtype)
    for rows, _ in row_blocks(*X.shape):
        np.fmin(low, np.fmin.reduce(X[rows]), out=low)
        np.fmax(high, np.fmax.reduce(X[rows]), out=high)
    return low, high


def _powers_of_two(x):
    """2ⁿ ≤ x, or 1 where x is 0: to divide by it is exact."""
    return np.where(x > 0, np.ldexp(1.0, np.frexp(x)[1] - 1), 1.0).astype(x.dtype)


class Fold(NamedTuple):
    """The residuals of one fold.

    Attributes
    ----------
    residuals : ndarray of shape (n_out, n_samples)
    weights : ndarray of shape (n_samples,)
    """

    residuals: np.ndarray
    weights: np.ndarray


class Scores(NamedTuple):
    """How far samples are outside of bounds, ascending, and the weights up to each.

    Attributes
    ----------
    sizes : ndarray of shape (n_bounds, n_samples)
    weights : ndarray of shape (n_bounds, n_samples + 1)
    """

    sizes: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, folds, low, high):
        """Of some folds, outside of the outputs with these numbers.

        Above the high one by r, or below the low one by -r: |r| where they are one.
        """
        R = np.concatenate([fold.residuals for fold in folds], axis=1)
        sizes = np.maximum(-R[low], R[high])
        order = sizes.argsort(axis=1)
        weights = np.concatenate([fold.weights for fold in folds])
        zeros = np.zeros((len(sizes), 1))
        cumulative = np.hstack([zeros, np.cumsum(weights[order], axis=1)])
        return cls(np.take_along_axis(sizes, order, 1), cumulative)


class Residuals(NamedTuple):
    """Held-out residuals, in the units of y.

    Where the variance of y grows with its mean a as aᵖ, they are divided by √aᵖ.

    Attributes
    ----------
    folds : list of Fold
    holders : ndarray of bool, shape (n_folds, n_members)
        The members that do not see each fold.
    variance, noise : ndarray of shape (n_out,)
        The mean square of the residuals, and what remains of it without the spread of
        the members.
    range : Range or None
    power : int
        p.
    least : float
        What y cannot be below.
    """

    folds: list
    holders: np.ndarray
    variance: np.ndarray
    noise: np.ndarray
    range: Range | None
    power: int
    least: float

    @classmethod
    def of(cls, residuals, weights, unseen, spread, where, power=0, least=-np.inf):
        """From the residuals of all samples.

        Parameters
        ----------
        residuals : ndarray of shape (n_out, n_samples)
        weights : ndarray of shape (n_samples,)
        unseen : ndarray of bool, shape (n_members, n_samples)
        spread : ndarray of shape (n_out,)
            The mean variance of the means that the holders of the folds give.
        where : Range or None
        power, least : see above
        """
        holders, number = np.unique(unseen.T, axis=0, return_inverse=True)
        is_held = holders.any(axis=1)
        rows = [np.flatnonzero(number.ravel() == i) for i in np.flatnonzero(is_held)]
        judged = np.concatenate(rows)
        w = weights[judged]
        variance = np.square(residuals[:, judged]) @ w / w.sum()
        noise = np.maximum(variance - spread, _LEAST_NOISE * variance)
        folds = [Fold(residuals[:, some], weights[some]) for some in rows]
        held = holders[is_held]
        return cls(folds, held, variance, noise, where, power, least)

    def std(self, mean, means, X):
        """The standard deviation of y, from the outputs of the members.

        Parameters
        ----------
        mean : ndarray of shape (n_out, n_samples)
            Of the fitted network.
        means : ndarray of shape (n_folds, n_out, n_samples) or None
            Of the holders of each fold; None where they have not been kept.
        X : ndarray of shape (n_samples, n_columns) or None

        Returns
        -------
        ndarray of shape (n_out, n_samples)
        """
        noise, spread = self.variance, 0.0
        if means is not None:
            noise, spread = self.noise, means.var(axis=0)
        variance = noise[:, None] * mean**self.power + spread
        return np.sqrt(variance + np.square(bend(self.range, X)))

    def interval(self, mean, means, X, level, rows=None):
        """The bounds of y.

        Parameters
        ----------
        mean, means, X : see `std`
        level : float
        rows : pair of ndarray of int, default=None
            Which outputs are conformed to be the low bounds, and the high ones; the
            means where there is one output for each target.

        Returns
        -------
        low, high : ndarray of shape (n_bounds, n_samples)
        """
        below, above = (np.arange(len(mean)),) * 2 if rows is None else rows
        if means is None:
            scores, means = [Scores.of(self.folds, below, above)], mean[None]
        else:
            scores = [Scores.of([fold], below, above) for fold in self.folds]
        unit = means ** (self.power / 2)
        extra = float(ndtri((1 + level) / 2)) * bend(self.range, X)
        high = _bounds(means[:, above], unit[:, above], scores, level) + extra
        low = -_bounds(-means[:, below], unit[:, below], scores, level) - extra
        middle = mean[below] + (mean[above] - mean[below]) / 2
        low = np.maximum(np.minimum(low, middle), self.least)
        return low, np.maximum(high, middle)


def bend(where, X):
    """What a function may rise and bend beyond the samples.

    Parameters
    ----------
    where : Range or None
    X : ndarray of shape (n_samples, n_columns) or None

    Returns
    -------
    ndarray of shape (n_out, n_samples), or of one zero
    """
    if where is None or X is None:
        return np.zeros((1, 1))
    d = where.beyond(X)
    with np.errstate(over="ignore"):
        return where.scale[:, None] * (d + d**2)


def holders_of(unseen):
    """The members that do not see each fold, from those that do not see each sample."""
    holders = np.unique(unseen.T, axis=0)
    return holders[holders.any(axis=1)]


def means_of(holders, outputs):
    """The mean output of the holders of each fold: (n_folds, n_out, n_samples)."""
    share = holders / holders.sum(axis=1, keepdims=True)
    return np.tensordot(share, outputs, 1)


def _bounds(means, units, scores, level):
    """The least t that the level of all mean + unit × score is not above.

    A new sample has the weight 1: a weight k stands for k copies.
    """
    total = np.sum([fold.weights[:, -1] for fold in scores], axis=0)
    needed = np.minimum(level * (total + 1), total)
    parts = list(zip(means, units, scores, strict=True))
    low = np.min([mean + unit * fold.sizes[:, :1] for mean, unit, fold in parts], 0)
    high = np.max([mean + unit * fold.sizes[:, -1:] for mean, unit, fold in parts], 0)
    for _ in range(_N_HALVINGS):
        middle = low + (high - low) / 2
        is_enough = _weight_up_to(middle, parts) >= needed[:, None] * (1 - 1e-12)
        high = np.where(is_enough, middle, high)
        low = np.where(is_enough, low, middle)
    return high


def _weight_up_to(t, parts):
    """The weight of all mean + unit × score that are not above t."""
    weight = np.zeros(t.shape)
    for mean, unit, fold in parts:
        for j, sizes in enumerate(fold.sizes):
            excess = (t[j] - mean[j]) / unit[j]
            weight[j] += fold.weights[j][np.searchsorted(sizes, excess, side="right")]
    return weight
