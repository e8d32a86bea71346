"""Columns of numbers as piecewise linear functions, and labels as indicators.

With the edges e₀ < … < e_T of a column, x becomes T numbers,

    r_t(x) = (x - e_{t-1})/(e_t - e_{t-1})    cut to [0, 1],

but the first is not cut below, nor the last above, unless that is asked for.
Σ (e_t - e_{t-1}) r_t(x) is x - e₀, and Σ a_t r_t(x) any piecewise linear function with
its kinks at the edges. The edges never look at the targets.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from sk_shallow._arrays.design import made, row_blocks
from sk_shallow._data.constraints import shown

# Indicators of one column, at the most.
MAX_CATEGORIES = 64
# Sums of weights that differ by less, relatively, differ by rounding.
_ROUNDING = 1e-10


def distribution(x, w=None):
    """The distinct values of x in ascending order, without NaN, and their weights."""
    if w is None:
        x, cumulative = np.sort(x), np.arange(1.0, len(x) + 1)
    else:
        order = np.argsort(x)
        x, cumulative = x[order], np.cumsum(w[order])
    x = x[: np.searchsorted(x, np.nan)]
    last = np.flatnonzero(np.append(x[1:] != x[:-1], True)[: len(x)])
    return x[last].astype(np.float64), np.diff(cumulative[last], prepend=0.0)


def has_gaps(X):
    """Whether some number is NaN."""
    return any(np.isnan(X[rows]).any() for rows, _ in row_blocks(*X.shape))


def has_heavy_value(weights, n_bins):
    """Whether one of the values has more weight than a bin should have."""
    return weights.max() * n_bins > (1 + _ROUNDING) * weights.sum()


# The weights of the distinct values, for their quantiles.
QUANTILES = {
    "rows": lambda weights, n_bins: weights,
    "distinct": lambda weights, n_bins: np.ones_like(weights),
    "auto": lambda w, n: np.ones_like(w) if has_heavy_value(w, n) else w,
}


def edges_of(values, weights, n_bins, quantiles):
    """At most n_bins + 1 of the values: all of them, or their weighted quantiles."""
    if len(values) <= n_bins + 1:
        return values
    cumulative = np.cumsum(QUANTILES[quantiles](weights, n_bins))
    levels = np.arange(1, n_bins) / n_bins * cumulative[-1]
    inner = np.searchsorted(cumulative, levels * (1 - _ROUNDING))
    return values[np.unique([0, *inner, len(values) - 1])]


class Bins(NamedTuple):
    """What a column of numbers becomes.

    Attributes
    ----------
    edges : ndarray or None
        e₀, …, e_T; a single one if the column is constant, none if it is all gaps. None
        in place of the array: the column stays as it is.
    mean : float
        What stands for a gap.
    missing : bool
        Whether gaps have an indicator.
    """

    edges: np.ndarray | None
    mean: float
    missing: bool
    categories = infrequent_categories = None

    @property
    def n_ramps(self):
        """T, or 1."""
        return 1 if self.edges is None else max(1, len(self.edges) - 1)

    @property
    def n_columns(self):
        """How many columns the column becomes."""
        return self.n_ramps + self.missing

    def names(self, name):
        """What they are called, if the column is called name."""
        ramps = [f"{name}_bin_{t}" for t in range(self.n_ramps)]
        gaps = [f"missingindicator_{name}"] if self.missing else []
        return [*(ramps if self.n_ramps > 1 else [name]), *gaps]


def bins_of(X, w, n_bins, quantiles):
    """The Bins of each column of X, which has NaN for gaps."""
    return [
        Bins(_edges(x, w, n_bins, quantiles) if known else np.empty(0), mean, missing)
        for x, known, mean, missing in zip(X.T, *_moments(X, w), strict=True)
    ]


def _edges(x, w, n_bins, quantiles):
    if n_bins is None:
        return None
    return edges_of(*distribution(x, w), n_bins, quantiles)


def _moments(X, w):
    """Of each column: whether it has numbers, their mean, whether it has gaps, too."""
    n_rows, total = X.shape[0], None if w is None else w.sum()
    mean, known, n_gaps = np.zeros((3, X.shape[1]))
    for rows, _ in row_blocks(*X.shape):
        gaps = np.isnan(X[rows])
        share = np.full(len(gaps), 1 / n_rows) if w is None else w[rows] / total
        mean += share @ np.where(gaps, 0.0, X[rows])
        known += share @ ~gaps
        n_gaps += gaps.sum(axis=0)
    has_numbers = n_gaps < n_rows
    mean /= np.where(has_numbers, known, 1.0)
    missing = has_numbers & (n_gaps > 0)
    return has_numbers, mean.tolist(), missing.tolist()


class Ramps(NamedTuple):
    """Columns of numbers encoded, side by side: (x - left)/width cut to [low, high].

    Attributes
    ----------
    mean : ndarray of shape (n_numeric,)
        What stands for a gap.
    missing : ndarray of shape (n_numeric,)
        After which columns the indicator of their gaps is a column, too.
    counts : ndarray of shape (n_numeric + missing.sum(),)
        How many ramps each of those has.
    left, width, low, high : ndarray of shape (counts.sum(),)
        Of each ramp.
    """

    mean: np.ndarray
    missing: np.ndarray
    counts: np.ndarray
    left: np.ndarray
    width: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, bins, clip=False):
        """Of all Bins; with `clip` the outer ramps are cut on both sides, too."""
        edges = [e for one in bins for e in (one.edges, *[None] * one.missing)]
        ramps = [np.empty((4, 0)), *(_ramps(e, clip) for e in edges)]
        return cls(
            np.array([one.mean for one in bins]),
            np.array([one.missing for one in bins], dtype=bool),
            np.array([r.shape[1] for r in ramps[1:]], dtype=int),
            *np.hstack(ramps),
        )

    def within(self, limit):
        """The same, cut to [-limit, limit]."""
        low, high = np.maximum(self.low, -limit), np.minimum(self.high, limit)
        return self._replace(low=low, high=high)

    def opened(self, columns, means):
        """The same, where columns that were 0 are x, with these means for gaps."""
        before = np.arange(len(self.mean)) + np.cumsum(self.missing) - self.missing
        first = (np.cumsum(self.counts) - self.counts)[before[columns]]
        mean, low, high = self.mean.copy(), self.low.copy(), self.high.copy()
        mean[columns], low[first], high[first] = means, -np.inf, np.inf
        return self._replace(mean=mean, low=low, high=high)

    def __call__(self, X):
        """The ramps of the columns of X, a new array."""
        with np.errstate(over="ignore"):
            R = np.subtract(np.repeat(self._filled(X), self.counts, axis=1), self.left)
            R /= self.width
        np.maximum(R, self.low, out=R)
        return np.minimum(R, self.high, out=R)

    def slopes(self, X):
        """The slope of each ramp in its column, at a kink the mean of both sides."""
        R = np.subtract(np.repeat(self._filled(X), self.counts, axis=1), self.left)
        R /= self.width
        inside = (self.low < R) & (self.high > R)
        kinks = ((self.low == R) | (self.high == R)) & (self.low < self.high)
        steep = (inside + 0.5 * kinks) / self.width
        after = np.flatnonzero(self.missing) + 1
        known = np.insert((~np.isnan(X)).astype(float), after, 0.0, axis=1)
        return steep * np.repeat(known, self.counts, axis=1)

    def _filled(self, X):
        """X without gaps, and with their indicators."""
        gaps, after = np.isnan(X), np.flatnonzero(self.missing) + 1
        X = np.where(gaps, self.mean, X) if gaps.any() else X
        return np.insert(X, after, gaps[:, self.missing], axis=1) if after.size else X


def _ramps(edges, clip):
    """The rows left, width, low and high of r_1, …, r_T."""
    if edges is None:  # x itself
        return np.array([[0.0], [1.0], [-np.inf], [np.inf]])
    if len(edges) < 2:  # 0
        return np.array([[0.0], [1.0], [0.0], [0.0]])
    low, high = np.zeros(len(edges) - 1), np.ones(len(edges) - 1)
    if not clip:
        low[0], high[-1] = -np.inf, np.inf
    return np.array([edges[:-1], np.diff(edges), low, high])


class Levels(NamedTuple):
    """What a column of labels becomes: an indicator for each group of labels.

    The groups are each frequent label, the infrequent ones together, and the gaps. Of
    two groups only the second has an indicator; that of a single group is always 0.
    """

    frequent: tuple
    infrequent: tuple
    missing: bool
    edges = None
    mean = np.nan

    @classmethod
    def of(cls, factor, w, max_categories):
        """From the labels of samples: at most max_categories groups, and the gaps."""
        n_values = len(factor.values)
        counts = np.bincount(factor.codes % n_values, w, n_values).tolist()
        weight = dict(zip(factor.values, counts, strict=True))
        has_gaps = weight.pop(None) > 0
        labels = _sorted(label for label in weight if weight[label] > 0)
        missing = has_gaps and bool(labels)
        if max_categories is None or len(labels) <= max_categories:
            return cls(tuple(labels), (), missing)
        kept = set(_heaviest(labels, weight, max_categories - 1))
        frequent = tuple(label for label in labels if label in kept)
        infrequent = tuple(label for label in labels if label not in kept)
        return cls(frequent, infrequent, missing)

    @property
    def categories(self):
        """All labels, in their order."""
        return _vector(_sorted(self.frequent + self.infrequent))

    @property
    def infrequent_categories(self):
        """The infrequent labels, if there are any."""
        return _vector(self.infrequent) if self.infrequent else None

    @property
    def groups(self):
        """The labels of each group; that of a gap is None."""
        groups = [(label,) for label in self.frequent]
        groups += [self.infrequent] if self.infrequent else []
        return groups + [(None,)] * self.missing

    @property
    def shown(self):
        """The numbers of the groups that have an indicator."""
        n_groups = len(self.groups)
        return np.arange(n_groups) if n_groups > 2 else np.array([1])

    @property
    def n_columns(self):
        """How many columns the column becomes."""
        return len(self.shown)

    def names(self, name):
        """What they are called, if the column is called name."""
        groups = [f"{name}_{label}" for label in self.frequent]
        groups += [f"{name}_infrequent"] if self.infrequent else []
        groups += [f"missingindicator_{name}"] if self.missing else []
        return [groups[g] for g in self.shown] if len(groups) > 1 else [name]

    def _check_types(self, values, name):
        """Refuse labels that cannot be among the known ones: no strings, or only such.

        So a column becomes that was read as strings once, and as numbers then.
        """
        told = self.frequent + self.infrequent, [v for v in values if v is not None]
        kinds = [{isinstance(label, str) for label in labels} for labels in told]
        if kinds in ([{True}, {False}], [{False}, {True}]):
            before, now = (shown(labels[0]) for labels in told)
            raise ValueError(
                f"Column {name} of X holds labels such as {now}; at the first fit they "
                f"were such as {before}, and none would be known. Convert the column "
                "to the type that it had, as by 'astype(str)'."
            )

    def indicators(self, values, dtype, name):
        """A row for each label, the last of them a gap; an unknown one has zeros.

        Raises
        ------
        ValueError
            If they are of another type than all known; `name()` is that of the column.
        """
        number = {label: g for g, group in enumerate(self.groups) for label in group}
        group = np.array([number.get(label, -1) for label in values])
        if (group[:-1] < 0).all():
            self._check_types(values, name())
        return (group[:, None] == self.shown).astype(dtype)


def _vector(labels):
    """The labels as an array of one dimension, whatever they are."""
    return np.array([*labels, None], dtype=object)[:-1]


def _heaviest(labels, weight, n_labels):
    """Those of the largest weights; of equal ones, up to rounding, the first."""
    total = sum(weight.values())
    return sorted(labels, key=lambda k: -np.float32(weight[k] / total))[:n_labels]


def _sorted(labels):
    """The labels in their order; if they have none, by type and as they are written."""
    labels = list(labels)
    try:
        return sorted(labels)
    except TypeError:
        return sorted(labels, key=lambda label: (type(label).__name__, str(label)))


@dataclass(frozen=True)
class Encoding:
    """What each column becomes, and where that stands.

    Attributes
    ----------
    features : list of Bins and Levels
        One for each column of X.
    is_categorical : ndarray of shape (n_features,)
        Which of them are Levels.
    starts : ndarray of shape (n_features + 1,)
        Where the columns of each begin, and how many there are.
    ramps : Ramps
        Those of all Bins.
    """

    features: list
    is_categorical: np.ndarray
    starts: np.ndarray
    ramps: Ramps

    @classmethod
    def of(cls, columns, w=None, *, n_bins, quantiles, max_categories, clip=False):
        """From some `Columns`, and the positive weights of their rows, ones if None."""
        bins = bins_of(columns.numbers, w, n_bins, quantiles)
        levels = [Levels.of(factor, w, max_categories) for factor in columns.factors]
        numeric, labelled = iter(bins), iter(levels)
        features = [next(labelled if c else numeric) for c in columns.is_categorical]
        starts = np.cumsum([0, *(feature.n_columns for feature in features)])
        _check_ranges(features)
        return cls(features, columns.is_categorical, starts, Ramps.of(bins, clip))

    def begun(self, columns, w=None):
        """The same; what was all gaps stays as it is from its first number on."""
        bins = [one for one, is_factor in self._pairs() if not is_factor]
        empty = [one.edges is not None and not len(one.edges) for one in bins]
        if not any(empty):
            return self
        known, means, _ = _moments(columns.numbers, w)
        begun = np.flatnonzero(np.array(empty) & known)
        for j in begun:
            bins[j] = Bins(None, means[j], False)
        numeric, pairs = iter(bins), self._pairs()
        features = [one if is_factor else next(numeric) for one, is_factor in pairs]
        ramps = self.ramps.opened(begun, np.array(means)[begun])
        return replace(self, features=features, ramps=ramps)

    @property
    def n_columns(self):
        """How many columns there are in the end."""
        return int(self.starts[-1])

    def names(self, names):
        """What they are called, if the columns of X are called so."""
        pairs = zip(self.features, names, strict=True)
        return [new for feature, name in pairs for new in feature.names(name)]

    @property
    def is_passed_through(self):
        """Of each column in the end: whether it is a column of numbers as it was."""
        kept = [not c and one.edges is None for one, c in self._pairs()]
        counts = [one.n_columns for one in self.features]
        passed = np.repeat(kept, counts)
        passed[self.starts[1:][self._have_indicators()] - 1] = False
        return passed

    def spread(self, values):
        """A value for each feature as one for each column; 0 for indicators."""
        pairs = zip(self.features, values, self.is_categorical, strict=True)
        found = [
            np.append(np.repeat(v, one.n_columns - one.missing), [0] * one.missing)
            if not is_categorical
            else np.zeros(one.n_columns)
            for one, v, is_categorical in pairs
        ]
        return np.concatenate(found).astype(float)

    def _pairs(self):
        return zip(self.features, self.is_categorical, strict=True)

    def _have_indicators(self):
        return np.array([one.missing and not c for one, c in self._pairs()], dtype=bool)

    @property
    def is_identity(self):
        """Whether columns without gaps stay as they are."""
        are_kept = (one.edges is None and not one.missing for one in self.features)
        return not self.is_categorical.any() and all(are_kept)

    def transform(self, columns, dtype=None):
        """The columns encoded, as an array of this dtype or that of the numbers."""
        dtype = np.dtype(dtype or columns.numbers.dtype)
        out = np.empty((columns.n_samples, self.n_columns), dtype)
        self.writer(columns, dtype)(slice(None), out)
        return out

    def writer(self, columns, dtype):
        """`write(rows, out)`, which puts rows of the columns, encoded, into out."""
        labelled = np.flatnonzero(self.is_categorical)
        tables = [
            (
                slice(self.starts[j], self.starts[j + 1]),
                self.features[j].indicators(
                    factor.values, dtype, partial(columns.name, j)
                ),
                factor.codes,
            )
            for j, factor in zip(labelled, columns.factors, strict=True)
        ]

        def write(rows, out):
            self._write_numbers(columns.numbers, rows, out)
            for window, indicators, codes in tables:
                out[:, window] = indicators[codes[rows]]

        return write

    def slopes(self, columns):
        """The derivative of each column in the end by that of X; NaN of labels."""
        out = np.full((columns.n_samples, self.n_columns), np.nan)
        steep = self.ramps.slopes(made(columns.numbers))
        for source, target in self._runs():
            out[:, target] = steep[:, source]
        return out

    def by_feature(self, values):
        """Σ over the columns that each feature becomes, along the last axis."""
        return np.add.reduceat(values, self.starts[:-1], axis=-1)

    def _write_numbers(self, X, rows, out):
        """The ramps, in blocks of rows."""
        ramps, runs = self.ramps.within(np.finfo(out.dtype).max), list(self._runs())
        for here, some in row_blocks(X.shape[0], out.shape[1], rows=rows):
            R = ramps(X[some])
            for source, target in runs:
                out[here, target] = R[:, source]

    def _runs(self):
        """Where each run of columns of numbers is among the ramps, and in the end."""
        bounds = np.flatnonzero(np.diff([True, *self.is_categorical, True]))
        begin = 0
        for first, end in bounds.reshape(-1, 2):
            target = slice(self.starts[first], self.starts[end])
            source = slice(begin, begin := begin + target.stop - target.start)
            yield source, target


def _check_ranges(features):
    """Refuse columns of numbers that are too far apart to be subtracted."""
    with np.errstate(over="ignore"):
        ranges = [0.0 if one.edges is None else _range(one.edges) for one in features]
    too_wide = np.flatnonzero(np.isinf(ranges))
    if too_wide.size:
        raise ValueError(
            "The values of some columns are too far apart to be subtracted: columns "
            f"{too_wide[:5].tolist()}. Divide them by a constant."
        )


def _range(edges):
    return edges[-1] - edges[0] if edges.size else 0.0
