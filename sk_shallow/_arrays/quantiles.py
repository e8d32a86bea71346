"""Quantiles of weighted numbers."""

import numpy as np

# Sums of weights that differ by less, relatively, differ by rounding.
_ROUNDING = 1e-10


def weighted_quantiles(x, weights, levels):
    """The quantiles of each row of x: the middle of all numbers that are one.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_samples)
    weights : ndarray of shape (n_samples,)
        A weight k stands for k copies.
    levels : sequence of float in (0, 1)

    Returns
    -------
    ndarray of shape (n_levels, n_rows)
    """
    levels, are_equal = np.asarray(levels), weights.min() == weights.max()
    found = [
        _middle(*(_among(row, levels) if are_equal else _by(row, weights, levels)))
        for row in x
    ]
    return np.array(found).reshape(len(x), len(levels)).T


def _middle(low, high):
    return low + (high - low) / 2


def _by(x, weights, levels):
    """The least and the largest number that is each quantile of a vector."""
    order = x.argsort()
    cumulative = weights[order]
    np.cumsum(cumulative, out=cumulative)
    wanted = levels * cumulative[-1]
    least = np.searchsorted(cumulative, wanted * (1 - _ROUNDING), "left")
    most = np.searchsorted(cumulative, wanted * (1 + _ROUNDING), "right")
    most = np.minimum(most, len(x) - 1)
    return x[order[least]], x[order[most]]


def _among(x, levels):
    """The same where all weights are equal."""
    wanted = levels * len(x)
    least = np.ceil(wanted * (1 - _ROUNDING)).astype(int) - 1
    most = np.floor(wanted * (1 + _ROUNDING)).astype(int)
    most = np.minimum(most, len(x) - 1)
    x = np.partition(x, np.unique([least, most]))
    return x[least], x[most]
