"""Reading the columns of a frame or an array as numbers and labels.

Nothing outside this module knows what a dtype of pandas or of polars is.
"""

import sys
from datetime import date, time, timedelta
from itertools import compress
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.utils import check_array

from sk_shallow._data.constraints import shown

# What a column may hold, by where it can go; and what is said where it cannot.
LABELS = {"strings", "categories", "categories of numbers", "booleans"}
NUMBERS = {"numbers", "categories of numbers", "booleans"}
_NAME_IT = (
    "Name it in categorical_features, or pass X as a pandas or polars DataFrame with "
    "categorical_features='from_dtype'."
)
_ADVICE = {
    "strings": _NAME_IT,
    "categories": _NAME_IT,
    "dates or times": "Turn them into numbers, such as the days since some date.",
    "other objects": "Turn them into numbers or strings.",
}
# By the kind of a NumPy dtype, or as pandas infers it.
_HOLDS = {
    **dict.fromkeys("iuf", "numbers"),
    **dict.fromkeys(("integer", "floating", "mixed-integer-float"), "numbers"),
    **dict.fromkeys(("decimal", "empty"), "numbers"),
    **dict.fromkeys(("b", "boolean"), "booleans"),
    **dict.fromkeys(("U", "S", "T", "string", "bytes"), "strings"),
    **dict.fromkeys("mM", "dates or times"),
    **dict.fromkeys(("date", "datetime", "datetime64", "time"), "dates or times"),
    **dict.fromkeys(("timedelta", "timedelta64", "period"), "dates or times"),
}
# Objects that are no numbers.
_STRINGS = (str, bytes)
_TIMES = (date, time, timedelta, np.datetime64, np.timedelta64)
# What categorical_features may list.
_ITEMS = (str, bool, np.bool_, Integral)


class Factor(NamedTuple):
    """Labels: row i has `values[codes[i]]`. The last value, None, is a gap: code -1."""

    values: tuple
    codes: np.ndarray

    @classmethod
    def of(cls, values, codes):
        """With the gaps among the values (None, NaN, NA) as one, the last."""
        known = np.array([not _is_missing(value) for value in values], dtype=bool)
        renumbered = np.append(np.where(known, np.cumsum(known) - 1, -1), -1)
        return cls((*compress(values, known), None), renumbered[codes])

    def take(self, rows):
        """The labels of these rows."""
        return self._replace(codes=self.codes[rows])


class Columns(NamedTuple):
    """The columns of X as plain arrays.

    Attributes
    ----------
    numbers : ndarray of shape (n_samples, n_numeric)
        The columns of numbers, float32 or float64, with NaN for gaps; never written to.
    factors : tuple of Factor
        The columns of labels.
    is_categorical : ndarray of shape (n_features,)
        Which of the columns hold labels.
    header : DataFrame or ndarray of shape (0, n_features)
        X without its rows: the names of the columns, if they have any.
    """

    numbers: np.ndarray
    factors: tuple
    is_categorical: np.ndarray
    header: object

    @property
    def n_samples(self):
        """Number of rows."""
        return len(self.numbers)

    @property
    def shape(self):
        """Number of rows, and of columns."""
        return len(self.numbers), len(self.is_categorical)

    @property
    def dtype(self):
        """Of the numbers."""
        return self.numbers.dtype

    def take(self, rows):
        """The columns of these rows."""
        factors = tuple(factor.take(rows) for factor in self.factors)
        return self._replace(numbers=self.numbers[rows], factors=factors)


def read(table, categorical_features="from_dtype"):
    """The columns of a table.

    Parameters
    ----------
    table : what `table_of` gives
        A frame or an array.
    categorical_features : "from_dtype", None, or array-like, default="from_dtype"
        Which columns hold labels: in a frame those of a dtype of categories, strings
        or booleans; none; or these numbers, names, or where this mask is true.

    Returns
    -------
    Columns
    """
    held = [table.holds(j) for j in range(table.shape[1])]
    is_categorical = _mask(table, held, categorical_features)
    labels, numbers = np.flatnonzero(is_categorical), np.flatnonzero(~is_categorical)
    for j in numbers:
        _check_numbers(table, j, held[j])
    block = table.block(numbers) if numbers.size else np.empty((table.shape[0], 0))
    block = check_array(
        block,
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan",
        ensure_min_features=0,
        input_name="X",
    )
    factors = tuple(Factor.of(*table.factorize(j)) for j in labels)
    return Columns(block, factors, is_categorical, table.header)


class _Array:
    """A NumPy array: its labels have to be pointed out."""

    names = None
    tells_labels = False

    @config_context(array_api_dispatch=False)
    def __init__(self, X):
        self.array = check_array(X, dtype=None, ensure_all_finite=False)
        if self.array.dtype.kind in "US" and not hasattr(X, "dtype"):
            self.array = check_array(X, dtype=object, ensure_all_finite=False)
        self.shape, self.header = self.array.shape, self.array[:0]

    def holds(self, j):
        """What column j holds."""
        kind = self.array.dtype.kind
        return _HOLDS.get(kind, "other objects") if kind != "O" else self._objects(j)

    def _objects(self, j):
        """What a column of objects holds; `check_array` refuses what is no number."""
        types = set(map(type, self.array[:, j]))
        if any(issubclass(kind, _STRINGS) for kind in types):
            return "strings"
        is_time = any(issubclass(kind, _TIMES) for kind in types)
        return "dates or times" if is_time else "numbers"

    def block(self, columns):
        """These columns, as an array."""
        everything = len(columns) == self.shape[1]
        return self.array if everything else self.array[:, columns]

    def factorize(self, j):
        """The distinct values of column j, and for each row the number of its own."""
        column = self.array[:, j]
        if column.dtype.kind == "O":
            return _factorize(column)
        values, codes = np.unique(column, return_inverse=True)
        return values.tolist(), codes.ravel()


class _Frame:
    """What the frames share."""

    tells_labels = True

    def __init__(self, X):
        self.frame, self.shape, self.names = X, X.shape, list(X.columns)
        self.dtypes, self.header = list(X.dtypes), X[:0]
        check_array(np.broadcast_to(0, X.shape))  # complains of no rows or columns

    @classmethod
    def matches(cls, X):
        """Whether X is such a frame; its package is loaded if it is."""
        package = sys.modules.get(cls.package)
        return package is not None and isinstance(X, package.DataFrame)


class _Pandas(_Frame):
    """A DataFrame of pandas."""

    package = "pandas"

    def holds(self, j):
        """What column j holds."""
        dtype = self.dtypes[j]
        if hasattr(dtype, "categories"):
            is_number = dtype.categories.dtype.kind in "iufb"
            return "categories of numbers" if is_number else "categories"
        return _HOLDS.get(dtype.kind) or _HOLDS.get(self._inferred(j), "other objects")

    def _inferred(self, j):
        """What the objects of column j are, in the words of pandas."""
        infer = sys.modules["pandas"].api.types.infer_dtype
        column = self.frame.iloc[:, j]
        kind = infer(column, skipna=True)
        return infer(column.tolist(), skipna=True) if kind == "unknown-array" else kind

    def block(self, columns):
        """These columns, as an array."""
        frame = self.frame.iloc[:, columns]
        kinds = {(dtype.kind, getattr(dtype, "itemsize", 0)) for dtype in frame.dtypes}
        dtype = np.float32 if kinds == {("f", 4)} else np.float64
        has_objects = any(kind == "O" for kind, _ in kinds)
        return frame.to_numpy(dtype=object if has_objects else dtype, na_value=np.nan)

    def factorize(self, j):
        """The distinct values of column j, and for each row the number of its own."""
        codes, values = self.frame.iloc[:, j].factorize()
        return values.tolist(), codes


class _Polars(_Frame):
    """A DataFrame of polars."""

    package = "polars"

    def holds(self, j):
        """What column j holds."""
        polars, dtype = sys.modules["polars"], self.dtypes[j]
        if dtype in (polars.Categorical, polars.Enum):
            return "categories"
        if dtype == polars.Boolean:
            return "booleans"
        if dtype == polars.String:
            return "strings"
        if dtype.is_temporal():
            return "dates or times"
        is_number = dtype.is_numeric() or dtype == polars.Null
        return "numbers" if is_number else "other objects"

    def block(self, columns):
        """These columns, as an array."""
        polars, frame = sys.modules["polars"], self.frame[:, columns.tolist()]
        single = all(dtype == polars.Float32 for dtype in frame.dtypes)
        return frame.cast(polars.Float32 if single else polars.Float64).to_numpy()

    def factorize(self, j):
        """The distinct values of column j, and for each row the number of its own."""
        return _factorize(self.frame.to_series(int(j)).to_list())


def table_of(X):
    """X, a pandas or polars DataFrame or an array-like, as a table to read from.

    Raises
    ------
    TypeError
        If X is sparse.
    ValueError
        If it has not two dimensions, or no rows or columns.
    """
    if sparse.issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required: what stands for "
            "a zero is not zero. Use '.toarray()' to convert to a dense numpy array."
        )
    kinds = (kind for kind in (_Pandas, _Polars) if kind.matches(X))
    return next(kinds, _Array)(X)


def _mask(table, held, categorical_features):
    """Which columns are labels."""
    mask = np.zeros(len(held), dtype=bool)
    if categorical_features is None:
        return mask
    if isinstance(categorical_features, str):  # "from_dtype"
        return np.array([table.tells_labels and what in LABELS for what in held])
    items = np.asarray(categorical_features, dtype=object)
    if items.ndim != 1 or not all(isinstance(item, _ITEMS) for item in items):
        raise ValueError(
            "categorical_features must be an array-like of bool, int or str, got: "
            f"{shown(items.tolist())}"
        )
    if items.size and all(isinstance(item, (bool, np.bool_)) for item in items):
        return _check_mask(items.astype(bool), len(mask))
    mask[[_position(table, item) for item in items]] = True
    return mask


def _check_mask(mask, n_features):
    if mask.shape != (n_features,):
        raise ValueError(
            "categorical_features set as a boolean mask must have shape (n_features,), "
            f"got: {mask.shape}"
        )
    return mask


def _position(table, item):
    """The number of the column that is given by number or by name."""
    if not isinstance(item, str):
        if not 0 <= item < table.shape[1]:
            raise ValueError(
                "categorical_features set as integer indices must be in [0, n_features "
                f"- 1], got: {shown(int(item))}"
            )
        return int(item)
    if table.names is None:
        raise ValueError(
            "categorical_features should be passed as an array of integers or as a "
            "boolean mask when the model is fitted on data without feature names."
        )
    if item not in table.names:
        raise ValueError(
            f"categorical_features has an item value {shown(item)} which is not a "
            "valid feature name of the training data. Observed feature names: "
            f"{shown(table.names)}"
        )
    return table.names.index(item)


def _check_numbers(table, j, held):
    """Refuse column j if what it holds is no numbers."""
    if held not in NUMBERS:
        name = j if table.names is None else shown(table.names[j])
        raise ValueError(f"Column {name} of X holds {held}. {_ADVICE[held]}")


def _factorize(column):
    """The distinct objects, and for each row the number of its own."""
    numbers = {}
    codes = [numbers.setdefault(value, len(numbers)) for value in column]
    return list(numbers), np.array(codes, dtype=np.intp)


def _is_missing(value):
    """Whether value stands for a gap: None, NaN, or the NA or NaT of pandas."""
    return value is None or type(value).__name__ == "NAType" or value != value
