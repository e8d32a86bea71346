"""Quantiles of weighted numbers."""

import numpy as np

# Sums of weights that differ by less, relatively, differ by rounding.
_ROUNDING = 1e-10


def weighted_quantile(x, weights, level):
    """The quantile of each row of x: the middle of all numbers that are one.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_samples)
    weights : ndarray of shape (n_samples,)
        A weight k stands for k copies.
    level : float in (0, 1)

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    order = x.argsort(axis=1)
    x, cumulative = np.take_along_axis(x, order, 1), weights[order].cumsum(axis=1)
    wanted = level * cumulative[:, -1:]
    least = (cumulative < wanted * (1 - _ROUNDING)).sum(axis=1, keepdims=True)
    most = (cumulative <= wanted * (1 + _ROUNDING)).sum(axis=1, keepdims=True)
    most = np.minimum(most, x.shape[1] - 1)
    low, high = (np.take_along_axis(x, i, 1)[:, 0] for i in (least, most))
    return low + (high - low) / 2
