"""Folds by content: which rows each member of a committee does not see.

The distinct rows are ranked and dealt out, so that copies of a row are in one fold, and
neither the order of the rows, nor a shift or a positive scale of a column, nor the
choice between k copies and the weight k matters.
"""

from numbers import Integral

import numpy as np
from scipy import sparse

# Fewer distinct samples are not cut into folds.
LEAST_UNITS = 10
# Where so many samples, on average, have the same inputs, they are told apart.
_CROWDED = 5


def distinct(X):
    """The number of the distinct row that each row is a copy of, in ranked order.

    Parameters
    ----------
    X : {ndarray, csr} of shape (n_samples, n_features)
        May hold NaN, which is equal to NaN.

    Returns
    -------
    ndarray of int, shape (n_samples,)
        Dense rows are ranked column by column, sparse ones by a projection.
    """
    if sparse.issparse(X):
        columns = X @ np.random.default_rng(0).random((X.shape[1], 2))
    else:
        columns = X
    codes = np.zeros(X.shape[0], dtype=np.int64)
    for column in columns.T:
        _, values = np.unique(column, return_inverse=True)
        _, codes = np.unique(codes * (values.max() + 1) + values, return_inverse=True)
        if codes.max() + 1 == len(codes):
            break
    return codes


def dealt(units, weights, n_folds, strata=None):
    """The fold of each row: its unit's, dealt out within each stratum.

    Parameters
    ----------
    units : ndarray of int, shape (n_samples,)
        Rows of one unit are in one fold: copies, or a group.
    weights : ndarray of shape (n_samples,)
    n_folds : int
    strata : ndarray of int, shape (n_samples,), default=None
        A unit belongs to the stratum that has most of its weight.

    Returns
    -------
    ndarray of int, shape (n_samples,)
    """
    _, units = np.unique(units, return_inverse=True)
    total = np.bincount(units, weights)
    order = np.arange(len(total))
    if strata is not None:
        order = np.argsort(_strata_of(units, weights, strata), kind="stable")
    # Each unit's place, in units of the mean weight, by cumulative weight.
    w = total[order]
    places = np.floor((np.cumsum(w) - w / 2) / w.mean() + 1e-9).astype(np.int64)
    cards = _shuffled(places.max() // n_folds + 1, n_folds).ravel()
    folds = np.empty(len(total), dtype=np.int64)
    folds[order] = cards[places]
    return folds[units]


def _strata_of(units, weights, strata):
    """The heaviest stratum of each unit; the first of several."""
    n_strata = int(strata.max()) + 1
    cells, cell = np.unique(units * n_strata + strata, return_inverse=True)
    heaviest = np.lexsort([cells, -np.bincount(cell, weights)])
    _, first = np.unique(cells[heaviest] // n_strata, return_index=True)
    return cells[heaviest][first] % n_strata


def _shuffled(n_rounds, n_folds):
    """The folds in a new order in every round: no period of the data meets one."""
    rounds = np.random.default_rng(0).random((n_rounds, n_folds))
    return rounds.argsort(axis=1)


def member_weights(test_sets, weights, n_members):
    """W of shape (n_members, n_samples): the weights, 0 where a member does not see.

    Parameters
    ----------
    test_sets : list of ndarray of int
        The rows that are held out by each fold; member m has the fold m mod their
        number.
    weights : ndarray of shape (n_samples,)
    n_members : int
    """
    W = np.tile(weights, (n_members, 1))
    for m in range(n_members):
        W[m, test_sets[m % len(test_sets)]] = 0
    return W


def units_of(data):
    """The number of the unit of each sample: its group, or the row it is a copy of."""
    if data.groups is not None:
        return np.unique(data.groups, return_inverse=True)[1]
    return distinct(data.content())


def told_apart(data, n_folds):
    """The samples, each a unit of its own, where few of them have inputs of their own.

    What is held out of a table of few cells would be whole cells. There the inputs and
    the target together are content: equal samples are one, and one of weight k is cut
    into min(k, n_folds) pieces.

    Parameters
    ----------
    data : Data
    n_folds : int

    Returns
    -------
    Data
        As it was, if there are groups or many samples have inputs of their own.
    """
    if data.groups is not None:
        return data
    cells = distinct(data.content())
    if (cells.max() + 1) * _CROWDED > data.weights.sum():
        return data
    y = np.unique(data.y, return_inverse=True)[1].reshape(data.n_samples, -1)
    _, first, content = np.unique(
        distinct(np.column_stack([cells, y])), return_index=True, return_inverse=True
    )
    w = np.bincount(content, data.weights)
    n_pieces = np.clip(np.floor(w + 1e-9), 1, n_folds).astype(np.intp)
    pieces = data.take(np.repeat(first, n_pieces))
    w = np.repeat(w / n_pieces, n_pieces)
    return pieces._replace(sample_weight=w, groups=np.arange(len(w)))


def test_sets(data, cv, strata):
    """The samples that each fold holds out.

    Parameters
    ----------
    data : Data
    cv : int, splitter, or list of (train, test)
        A list has the numbers of the samples as they came in.
    strata : ndarray of int, shape (n_samples,), or None

    Returns
    -------
    list of ndarray of int
        Empty if there are fewer than `LEAST_UNITS` distinct samples, or one group.

    Raises
    ------
    ValueError
        If no split has both samples to see and samples to hold out.
    """
    if isinstance(cv, Integral):
        units = units_of(data)
        if units.max() + 1 < (LEAST_UNITS if data.groups is None else 2):
            return []
        folds = dealt(units, data.weights, min(cv, units.max() + 1), strata)
        return [np.flatnonzero(folds == fold) for fold in range(folds.max() + 1)]
    if hasattr(cv, "split"):
        splits = cv.split(np.zeros((data.n_samples, 1)), data.y, data.groups)
        rows = np.arange(data.n_samples)
    else:
        splits, rows = cv, data.rows
    held_out = [np.flatnonzero(~np.isin(rows, train)) for train, _ in splits]
    usable = [some for some in held_out if 0 < len(some) < data.n_samples]
    if not usable:
        raise ValueError(
            f"cv must give splits with samples to see and samples to hold out. Got "
            f"{len(held_out)} without, for {data.n_samples} samples. Use KFold(5), say."
        )
    return usable
