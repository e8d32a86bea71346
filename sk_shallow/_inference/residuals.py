"""Error bars from what the members have not seen.

A sample's residual is that of the members that do not see it. The mean of the squares
is the variance of a new sample about such members. With their outputs, the residuals
give intervals whose coverage does not rest on a normal posterior: CV+ [1]_.

Beyond the samples nothing bounds how a function rises and bends: where x is d standard
deviations outside their range, √(Σ dⱼ²) over the columns j, the standard deviation of y
times d + d² is added.

References
----------
.. [1] Barber, Candès, Ramdas and Tibshirani, "Predictive inference with the
   jackknife+", Annals of Statistics 49, 2021.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

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
        gaps = np.isnan(X.numbers)
        low = np.where(gaps, np.inf, X.numbers).min(axis=0)
        high = np.where(gaps, -np.inf, X.numbers).max(axis=0)
        D = np.where(gaps, 0.0, X.numbers - np.where(np.isinf(low), 0.0, low))
        unit = _powers_of_two(D.max(axis=0))
        D /= unit
        known = np.maximum(weights @ ~gaps, weights.min())
        mean, square = weights @ D / known, weights @ np.square(D) / known
        sd = np.sqrt(np.maximum(square - mean**2, 0.0)) * unit
        return cls(low, high, np.where(sd > 0, sd, np.inf), scale)

    def beyond(self, X):
        """d of each row: its distance from the range."""
        D = np.maximum(self.low - X, X - self.high)
        with np.errstate(over="ignore"):
            D = np.where(np.isfinite(D) & (D > 0), D, 0.0) / self.sd
        return np.linalg.norm(np.minimum(D, _FARTHEST), axis=1)


def _powers_of_two(x):
    """2ⁿ ≤ x, or 1 where x is 0: to divide by it is exact."""
    return np.where(x > 0, np.ldexp(1.0, np.frexp(x)[1] - 1), 1.0).astype(x.dtype)


class Fold(NamedTuple):
    """The sizes of the residuals of one fold, ascending, and the weights up to each.

    Attributes
    ----------
    sizes : ndarray of shape (n_out, n_samples)
    weights : ndarray of shape (n_out, n_samples + 1)
    """

    sizes: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, residuals, weights):
        """Of the residuals of some samples, and their weights for each output."""
        sizes = np.abs(residuals)
        order = sizes.argsort(axis=1)
        weights = np.broadcast_to(weights, sizes.shape)
        cumulative = np.cumsum(np.take_along_axis(weights, order, 1), axis=1)
        zeros = np.zeros((len(sizes), 1))
        return cls(np.take_along_axis(sizes, order, 1), np.hstack([zeros, cumulative]))


class Residuals(NamedTuple):
    """Held-out residuals, in the units of y.

    Attributes
    ----------
    folds : list of Fold
    holders : ndarray of bool, shape (n_folds, n_members)
        The members that do not see each fold.
    variance, noise : ndarray of shape (n_out,)
        The mean square of the residuals, and what remains of it without the spread of
        the members.
    range : Range or None
    """

    folds: list
    holders: np.ndarray
    variance: np.ndarray
    noise: np.ndarray
    range: Range | None

    @classmethod
    def of(cls, residuals, weights, unseen, spread, where):
        """From the residuals of all samples.

        Parameters
        ----------
        residuals : ndarray of shape (n_out, n_samples)
        weights : ndarray of shape (n_samples,)
        unseen : ndarray of bool, shape (n_members, n_samples)
        spread : ndarray of shape (n_out,)
            The mean variance of the outputs that the holders of the folds give.
        where : Range or None
        """
        holders, number = np.unique(unseen.T, axis=0, return_inverse=True)
        is_held = holders.any(axis=1)
        rows = [np.flatnonzero(number.ravel() == i) for i in np.flatnonzero(is_held)]
        judged = np.concatenate(rows)
        w = weights[judged]
        variance = np.square(residuals[:, judged]) @ w / w.sum()
        return cls(
            [Fold.of(residuals[:, some], weights[some]) for some in rows],
            holders[is_held],
            variance,
            np.maximum(variance - spread, _LEAST_NOISE * variance),
            where,
        )

    def means(self, outputs):
        """Of the holders of each fold: (n_folds, n_out, n_samples)."""
        return _means(self.holders, outputs)

    def std(self, outputs, X):
        """The standard deviation of y, from the outputs of the members.

        Parameters
        ----------
        outputs : ndarray of shape (n_members, n_out, n_samples) or None
            None where the members have not been kept.
        X : ndarray of shape (n_samples, n_columns) or None

        Returns
        -------
        ndarray of shape (n_out, n_samples)
        """
        if outputs is None:
            variance = self.variance[:, None]
        else:
            variance = self.noise[:, None] + self.means(outputs).var(axis=0)
        return np.sqrt(variance + np.square(bend(self.range, X)))

    def interval(self, mean, outputs, X, level):
        """The bounds of y.

        Parameters
        ----------
        mean : ndarray of shape (n_out, n_samples)
            Of the fitted network.
        outputs, X : see `std`
        level : float

        Returns
        -------
        low, high : ndarray of shape (n_out, n_samples)
        """
        folds, means = self.folds, mean[None]
        if outputs is None:
            folds = [_pooled(folds)]
        else:
            means = self.means(outputs)
        extra = float(ndtri((1 + level) / 2)) * bend(self.range, X)
        high = _bounds(means, folds, level) + extra
        low = -_bounds(-means, folds, level) - extra
        return np.minimum(low, mean), np.maximum(high, mean)


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


def member_spread(outputs, weights, unseen):
    """The mean variance, over the samples, of the means of the folds' holders."""
    holders = np.unique(unseen.T, axis=0)
    means = _means(holders[holders.any(axis=1)], outputs)
    return means.var(axis=0) @ weights / weights.sum()


def _means(holders, outputs):
    """The mean output of the holders of each fold."""
    share = holders / holders.sum(axis=1, keepdims=True)
    return np.tensordot(share, outputs, 1)


def _pooled(folds):
    """All residuals as those of one fold."""
    sizes = np.concatenate([fold.sizes for fold in folds], axis=1)
    weights = np.concatenate([np.diff(fold.weights) for fold in folds], axis=1)
    return Fold.of(sizes, weights)


def _bounds(means, folds, level):
    """The least t that the level of all mean + residual is not above.

    A new sample has the weight 1: a weight k stands for k copies.
    """
    total = np.sum([fold.weights[:, -1] for fold in folds], axis=0)
    needed = np.minimum(level * (total + 1), total)
    pairs = list(zip(means, folds, strict=True))
    low = np.min([mean + fold.sizes[:, :1] for mean, fold in pairs], axis=0)
    high = np.max([mean + fold.sizes[:, -1:] for mean, fold in pairs], axis=0)
    for _ in range(_N_HALVINGS):
        middle = low + (high - low) / 2
        is_enough = _weight_up_to(middle, means, folds) >= needed[:, None] * (1 - 1e-12)
        high = np.where(is_enough, middle, high)
        low = np.where(is_enough, low, middle)
    return high


def _weight_up_to(t, means, folds):
    """The weight of all mean + residual that are not above t."""
    weight = np.zeros(t.shape)
    for mean, fold in zip(means, folds, strict=True):
        for j, sizes in enumerate(fold.sizes):
            n_below = np.searchsorted(sizes, t[j] - mean[j], side="right")
            weight[j] += fold.weights[j][n_below]
    return weight
