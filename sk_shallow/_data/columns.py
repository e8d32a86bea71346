"""Reading the columns of a frame or an array as numbers and labels.

Nothing outside this module knows what a dtype of pandas or of polars is.
"""

import sys
from contextlib import contextmanager
from datetime import date, time, timedelta
from itertools import compress
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.utils import assert_all_finite, check_array

from sk_shallow._arrays.design import (
    Converted,
    Gathered,
    is_large_file,
    row_blocks,
    taken,
)
from sk_shallow._data.constraints import floats, shortened, shown
from sk_shallow._version import SCIKIT_LEARN

# What a column may hold, by where it can go; and what is said where it cannot.
LABELS = {"strings", "categories", "categories of numbers", "booleans"}
NUMBERS = {"numbers", "categories of numbers", "booleans"}
_NAME_IT = (
    "Name it in categorical_features, or pass X as a pandas or polars DataFrame with "
    "categorical_features='from_dtype'."
)
_ADVICE = {
    "strings": _NAME_IT,
    "strings that are numbers": (
        "Convert them to numeric values explicitly, such as by 'astype(float)', or "
        "name the column in categorical_features if they are labels."
    ),
    "categories": _NAME_IT,
    "complex numbers": (
        "Complex data not supported: turn them into two columns, of the real and of "
        "the imaginary parts."
    ),
    "dates or times": "Turn them into numbers, such as the days since some date.",
    "other objects": "Turn them into numbers or strings.",
}
# By the kind of a NumPy dtype, or as pandas infers it.
_HOLDS = {
    **dict.fromkeys("iuf", "numbers"),
    **dict.fromkeys(("integer", "floating", "mixed-integer-float"), "numbers"),
    **dict.fromkeys(("decimal", "empty"), "numbers"),
    **dict.fromkeys(("c", "complex"), "complex numbers"),
    **dict.fromkeys(("b", "boolean"), "booleans"),
    **dict.fromkeys(("U", "S", "T", "string", "bytes"), "strings"),
    **dict.fromkeys("mM", "dates or times"),
    **dict.fromkeys(("date", "datetime", "datetime64", "time"), "dates or times"),
    **dict.fromkeys(("timedelta", "timedelta64", "period"), "dates or times"),
}
# By the types of objects, in the order in which they count.
_OBJECTS = {
    "strings": (str, bytes),
    "dates or times": (date, time, timedelta, np.datetime64, np.timedelta64),
    "complex numbers": (complex, np.complexfloating),
}
# Whether scikit-learn knows the frames of polars, or only the interchange protocol.
_POLARS_IS_KNOWN = SCIKIT_LEARN >= (1, 9)
# The precisions of numbers; others become the first.
FLOATS = [np.float64, np.float32]
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
    numbers : ndarray or Taken of shape (n_samples, n_numeric)
        The columns of numbers, float32 or float64, with NaN for gaps; never written to.
    factors : tuple of Factor
        The columns of labels.
    is_categorical : ndarray of shape (n_features,)
        Which of the columns hold labels.
    header : DataFrame, _Header or ndarray of shape (0, n_features)
        X without its rows: the names of the columns, if they have any.
    """

    numbers: np.ndarray
    factors: tuple
    is_categorical: np.ndarray
    header: object

    @property
    def n_samples(self):
        """Number of rows."""
        return self.numbers.shape[0]

    @property
    def shape(self):
        """Number of rows, and of columns."""
        return self.n_samples, len(self.is_categorical)

    @property
    def dtype(self):
        """Of the numbers."""
        return self.numbers.dtype

    def name(self, j):
        """Column j, for a message."""
        names = getattr(self.header, "columns", getattr(self.header, "names", None))
        return _name(names, j)

    def take(self, rows):
        """The columns of these rows."""
        factors = tuple(factor.take(rows) for factor in self.factors)
        return self._replace(numbers=taken(self.numbers, rows), factors=factors)


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
    with _named(table, numbers, block):
        block = _as_floats(block)
    factors = tuple(Factor.of(*table.factorize(j)) for j in labels)
    return Columns(block, factors, is_categorical, table.header)


def _as_floats(block):
    """Numbers as floats, none of them infinite."""
    if block.dtype not in FLOATS:
        how = {"dtype": FLOATS, "ensure_all_finite": "allow-nan", "input_name": "X"}
        return check_array(block, **how, ensure_min_features=0)
    blocks = (block,)
    if isinstance(block, Gathered):
        blocks = (block[rows] for rows, _ in row_blocks(*block.shape, 2**18))
    for some in blocks:
        assert_all_finite(some, allow_nan=True, input_name="X")
    return block


class _Array:
    """A NumPy array: its labels have to be pointed out."""

    names = None
    tells_labels = False

    @config_context(array_api_dispatch=False)
    def __init__(self, X):
        X = X if hasattr(X, "__array__") else _of_lists(X)
        kind = getattr(getattr(X, "dtype", None), "kind", "")
        dtype = object if kind == "c" else None
        with shortened():
            self.array = check_array(X, dtype=dtype, ensure_all_finite=False)
        self.shape, self.header = self.array.shape, self.array[:0]

    def holds(self, j):
        """What column j holds."""
        kind = self.array.dtype.kind
        if kind == "O":
            return _told_by(self.array[:, j])
        return _HOLDS.get(kind, "other objects")

    def block(self, columns):
        """These columns, as an array; those of a large file as floats, not copied."""
        X, everything = self.array, len(columns) == self.shape[1]
        are_floats = X.dtype in FLOATS
        if is_large_file(X) and not (everything and are_floats):
            dtype = X.dtype if are_floats else FLOATS[0]
            return Converted(X, dtype, slice(None) if everything else columns)
        return X if everything else X[:, columns]

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
        # pandas 2 does not skip None among complex numbers.
        again = {"unknown-array": column.tolist, "mixed": column.dropna}
        return infer(again[kind](), skipna=True) if kind in again else kind

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


class _Header:
    """The names of columns, in the interchange protocol of frames.

    By it scikit-learn asked for names before version 1.9; polars no longer speaks it.
    """

    def __init__(self, names):
        self.names, self.shape = names, (0, len(names))

    def __dataframe__(self):
        """All that is asked for is `column_names`."""
        return self

    def column_names(self):
        """The names."""
        return self.names


class _Polars(_Frame):
    """A DataFrame of polars."""

    package = "polars"

    def __init__(self, X):
        super().__init__(X)
        if not _POLARS_IS_KNOWN:
            self.header = _Header(self.names)

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
        If X is sparse, or a LazyFrame of polars.
    ValueError
        If it has not two dimensions, or no rows or columns.
    """
    check_collected(X, "X")
    if sparse.issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required: what stands for "
            "a zero is not zero. Use '.toarray()' to convert to a dense numpy array."
        )
    kinds = (kind for kind in (_Pandas, _Polars) if kind.matches(X))
    return next(kinds, _Array)(X)


def check_collected(value, name):
    """Refuse a LazyFrame of polars: it has no values yet."""
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(value, polars.LazyFrame):
        raise TypeError(
            f"A LazyFrame was passed for {name}, but a DataFrame is required. Use "
            "'.collect()' to convert to a DataFrame."
        )


def check_real(y, name):
    """Refuse an array of what NumPy would count as real numbers, or cut to such."""
    kind = y.dtype.kind
    held = _told_by(y.ravel()) if kind == "O" else _HOLDS.get(kind)
    if held in ("dates or times", "complex numbers"):
        raise ValueError(f"{name} holds {held}. {_ADVICE[held]}")


def check_known(values, name):
    """Refuse infinite numbers, and gaps: of objects in the words for NaN."""
    kind = values.dtype.kind
    if kind == "f":
        assert_all_finite(values, input_name=name)
    for i, value in enumerate(values.ravel() if kind in "OmM" else ()):
        if not isinstance(value, np.ndarray) and _is_missing(value):
            row = i * len(values) // values.size
            raise ValueError(
                f"Input {name} contains NaN, or what stands for it: {shown(value)} in "
                f"row {row}. Leave out the samples without {name}."
            )


def _told_by(objects):
    """What a vector of objects holds; `floats` refuses what is no number."""
    types = set(map(type, objects))
    for held, kinds in _OBJECTS.items():
        if any(issubclass(kind, kinds) for kind in types):
            return held
    return "numbers"


def _of_lists(X):
    """Nested lists as an array, of objects where they hold more than real numbers."""
    try:
        array = np.asarray(X)
    except ValueError:
        check_lengths(X, "Expected 2D array")
    else:
        if array.dtype.kind not in "USc":
            return array
    return np.asarray(X, dtype=object)


def check_lengths(rows, expected):
    """Refuse rows of different lengths, and say what was expected."""
    lengths = [len(row) if hasattr(row, "__len__") else 1 for row in rows]
    other = next((i for i, n in enumerate(lengths) if n != lengths[0]), None)
    if other is not None:
        raise ValueError(
            f"{expected}, got rows of different lengths instead: row 0 has "
            f"{lengths[0]} values, row {other} has {lengths[other]}."
        )


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


def _name(names, j):
    """Column j, for a message: its name, or its number where it has none."""
    return j if names is None else shown(list(names)[j])


def _check_numbers(table, j, held):
    """Refuse column j if what it holds is no numbers."""
    if held in NUMBERS:
        return
    if held == "strings" and _are_numerals(table.factorize(j)[0]):
        held = "strings that are numbers"
    raise ValueError(
        f"Column {_name(table.names, j)} of X holds {held}. {_ADVICE[held]}"
    )


def _are_numerals(values):
    """Whether all values that are known can be converted to float."""
    try:
        np.array([float(value) for value in values if not _is_missing(value)])
    except (TypeError, ValueError, OverflowError):
        return False
    return True


@contextmanager
def _named(table, numbers, block):
    """Where objects cannot be converted to float, name the first column of such."""
    try:
        yield
    except (TypeError, ValueError, OverflowError):
        if block.dtype.kind == "O":
            for j, column in zip(numbers, block.T, strict=True):
                name = f"Column {_name(table.names, j)} of X"
                floats(column, name, "numbers or strings")
        raise


def _factorize(column):
    """The distinct objects, and for each row the number of its own."""
    numbers = {}
    codes = [numbers.setdefault(value, len(numbers)) for value in column]
    return list(numbers), np.array(codes, dtype=np.intp)


def _is_missing(value):
    """Whether value stands for a gap: None, NaN, or the NA or NaT of pandas."""
    return value is None or type(value).__name__ == "NAType" or value != value
