"""Folds by content: which rows each member of a committee does not see.

The distinct rows are ranked and dealt out, so that copies of a row are in one fold, and
neither the order of the rows, nor a shift or a positive scale of a column, nor the
choice between k copies and the weight k matters. Of very many rows some are dealt out,
with all of their copies; the others every member sees.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sk_shallow._arrays.design import row_blocks
from sk_shallow._data.samples import content

# Fewer distinct samples are not cut into folds.
LEAST_UNITS = 10
# Rows that are dealt out, about, at the most.
_MOST_DEALT = 2**16
# Where so many samples, on average, have the same inputs, they are told apart.
_CROWDED = 5


def distinct(columns):
    """The number of the distinct row that each row is a copy of, in ranked order.

    Parameters
    ----------
    columns : iterable of ndarray of shape (n_samples,)
        By which rows are ranked, one after the other, until all are told apart. They
        may hold NaN, which is equal to NaN.

    Returns
    -------
    ndarray of int, shape (n_samples,)
    """
    codes = None
    for column in columns:
        if codes is None:
            codes = np.zeros(len(column), dtype=np.int64)
            tied, groups = np.arange(len(codes)), codes
        column = column[tied]
        if column.min() == column.max():
            continue
        _, values = np.unique(column, return_inverse=True)
        n_before, groups, is_tied = _ranked(groups, values)
        codes[tied] += n_before
        tied, groups = tied[is_tied], groups[is_tied]
        if not len(tied):
            break
    return np.unique(codes, return_inverse=True)[1]


def _ranked(groups, values):
    """Of rows with numbers of groups: those before each in its group; and new groups.

    Returns
    -------
    n_before : ndarray of int
        Rows of the group with smaller values.
    groups : ndarray of int
        Numbers of the rows that are equal, in the order of groups and values.
    is_tied : ndarray of bool
        Whether another row is equal.
    """
    n_values = values.max() + 1
    keys, new, counts = np.unique(
        groups * n_values + values, return_inverse=True, return_counts=True
    )
    old, before = keys // n_values, np.cumsum(counts) - counts
    first = np.flatnonzero(np.diff(old, prepend=-1))
    before -= np.repeat(before[first], np.diff(first, append=len(old)))
    return before[new], new, counts[new] > 1


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


class Units(NamedTuple):
    """What is dealt out as one: a group, or a row with all of its copies.

    Attributes
    ----------
    rows : ndarray of int
        The samples that are dealt out.
    numbers : ndarray of int
        The unit of each of them.
    """

    rows: np.ndarray
    numbers: np.ndarray

    @classmethod
    def of(cls, data):
        """Those of some samples."""
        rows = dealt_rows(data)
        if data.groups is not None:
            return cls(rows, np.unique(data.groups[rows], return_inverse=True)[1])
        return cls(rows, distinct(content(data.X, rows)))

    @property
    def n(self):
        """How many there are."""
        return self.numbers.max() + 1


def dealt_rows(data):
    """The samples that folds may hold out: not all, where there are very many.

    Which, the contents tell: a sample is dealt out with all of its copies. All of them
    are, where the contents are so few that none would be.
    """
    share = _MOST_DEALT / data.n_samples
    if data.groups is not None or share >= 1:
        return np.arange(data.n_samples)
    # The bits of Xr, shuffled: as good as a number drawn for each content, also for 0.
    bits = _projected(data.X).view(np.uint64)
    bits += np.uint64(0x9E3779B97F4A7C15)
    bits *= np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(32)
    bits *= np.uint64(0xD6E8FEB86659FD93)
    rows = np.flatnonzero(bits < share * 2.0**64)
    return rows if len(rows) else np.arange(data.n_samples)


def _projected(X):
    """Xr with a random r: the same bits for copies, wherever they stand."""
    r, places = np.random.default_rng(0).random(X.shape[1]), np.zeros(X.shape[0])
    if sparse.issparse(X):
        return X @ r
    n_numbers = X.numbers.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, _ in row_blocks(*X.numbers.shape):
            some = np.nan_to_num(X.numbers[rows])
            products = np.multiply(some, r[:n_numbers], order="C")
            places[rows] = products.sum(axis=1)
        for factor, scale in zip(X.factors, r[n_numbers:], strict=True):
            places += factor.codes * scale
    return places


def told_apart(data, n_folds, units):
    """The samples, each a unit of its own, where few of them have inputs of their own.

    What is held out of a table of few cells would be whole cells. There the inputs and
    the target together are content: equal samples are one, and one of weight k is cut
    into min(k, n_folds) pieces.

    Parameters
    ----------
    data : Data
    n_folds : int
    units : Units
        Of the samples.

    Returns
    -------
    Data
        As it was, if there are groups or many samples have inputs of their own.
    """
    if data.groups is not None:
        return data
    if units.n * _CROWDED > data.weights[units.rows].sum():
        return data
    cells = distinct(content(data.X))
    y = np.unique(data.y, return_inverse=True)[1].reshape(data.n_samples, -1)
    both = distinct([cells, *y.T])
    _, first, piece_of = np.unique(both, return_index=True, return_inverse=True)
    w = np.bincount(piece_of, data.weights)
    n_pieces = np.clip(np.floor(w + 1e-9), 1, n_folds).astype(np.intp)
    pieces = data.take(np.repeat(first, n_pieces))
    w = np.repeat(w / n_pieces, n_pieces)
    return pieces._replace(sample_weight=w, groups=np.arange(len(w)))


def test_sets(data, cv, strata, units):
    """The samples that each fold holds out.

    Parameters
    ----------
    data : Data
    cv : int, splitter, or list of (train, test)
        A list has the numbers of the samples as they came in.
    strata : ndarray of int, shape (n_samples,), or None
    units : Units or None
        Of the samples; None where they are not known yet.

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
        units = units or Units.of(data)
        if units.n < (LEAST_UNITS if data.groups is None else 2):
            return []
        rows = units.rows
        w, strata = data.weights[rows], None if strata is None else strata[rows]
        folds = dealt(units.numbers, w, min(cv, units.n), strata)
        return [rows[folds == fold] for fold in range(folds.max() + 1)]
    splits, rows = cv, data.rows
    if hasattr(cv, "split"):
        splits = cv.split(np.zeros((data.n_samples, 1)), data.y, data.groups)
        rows = None
    rows = np.arange(data.n_samples) if rows is None else rows
    held_out = [np.flatnonzero(~np.isin(rows, train)) for train, _ in splits]
    usable = [some for some in held_out if 0 < len(some) < data.n_samples]
    if not usable:
        raise ValueError(
            f"cv must give splits with samples to see and samples to hold out. Got "
            f"{len(held_out)} without, for {data.n_samples} samples. Use KFold(5), say."
        )
    return usable
