"""The design [1 X̃], dense or sparse, in memory or not, and where to gather its rows."""

from copy import copy

import numpy as np
from scipy import sparse

# Numbers of a matrix that is in memory as a whole, at the most; where X is in a file,
# where there is room for a small part of it.
_LARGEST, _LARGEST_BESIDE_A_FILE = 2**27, 2**17
# Numbers that are made at once, about, and rows, at the least.
_MADE, _FEWEST_MADE = 2**17, 64
# Of so many rows something is told at once.
_TOLD = 2**15


class Gathered:
    """A matrix whose rows are made when they are asked for.

    Parameters
    ----------
    shape : (int, int)
    dtype : dtype
    write : callable
        `write(rows, out)` puts the rows with these numbers, an array or a slice, into
        `out`.
    """

    def __init__(self, shape, dtype, write):
        self.shape, self.dtype, self._write = shape, np.dtype(dtype), write

    def __getitem__(self, rows):
        """The rows with these numbers."""
        shape = _n_rows(self, rows), self.shape[1]
        out = np.empty(shape, self.dtype)
        self._write(rows, out)
        return out

    def take(self, rows, *_):
        """The same, called as NumPy's `take`."""
        return self[rows]

    def window(self, rows):
        """The rows of a slice, which wait to be made."""
        numbers = range(self.shape[0])[rows]

        def write(some, out):
            some = numbers[some]
            self._write(slice(some.start, some.stop, some.step), out)

        return Gathered((len(numbers), self.shape[1]), self.dtype, write)


def formed(shape, dtype, write, source):
    """A matrix whose rows `write` makes: an array, or `Gathered` where it is too large.

    Parameters
    ----------
    shape, dtype, write : see `Gathered`
    source : ndarray
        What the rows are made from.
    """
    most = _LARGEST_BESIDE_A_FILE if is_mapped(source) else _LARGEST
    if shape[0] * shape[1] > most:
        return Gathered(shape, dtype, write)
    out = np.empty(shape, dtype)
    write(slice(None), out)
    return out


class Taken(Gathered):
    """Some rows of a matrix, not copied."""

    def __init__(self, X, rows):
        self._X, self._rows = X, rows
        super().__init__((len(rows), X.shape[1]), X.dtype, self._take)

    def _take(self, rows, out):
        out[...] = self._X[self._rows[rows]]

    @property
    def T(self):
        """The columns, one after the other."""
        return (column[self._rows] for column in self._X.T)


class Converted(Gathered):
    """Columns of a matrix, by numbers or as a slice, as another dtype; not copied."""

    def __init__(self, X, dtype, columns):
        self._X, self._columns = X, columns
        shape = X.shape[0], X[:0, columns].shape[1]
        super().__init__(shape, dtype, self._convert)

    def _convert(self, rows, out):
        out[...] = self._X[rows][:, self._columns]

    @property
    def T(self):
        """The columns, one after the other."""
        numbers = np.arange(self._X.shape[1])[self._columns]
        return (self._X[:, j].astype(self.dtype) for j in numbers)


def taken(X, rows):
    """The rows with these numbers: an array, or `Taken` where X is in a file."""
    return Taken(X, rows) if is_large_file(X, rows) else X[rows]


def is_large_file(X, rows=slice(None)):
    """Whether X is in a file, and these rows are more than what is copied of one."""
    return _n_rows(X, rows) * X.shape[1] > _LARGEST_BESIDE_A_FILE and is_mapped(X)


def made(X):
    """X, its rows made where they wait to be asked for."""
    return X[:] if isinstance(X, Gathered) else X


def is_mapped(X):
    """Whether an array is in a file, or its rows are made."""
    if isinstance(X, Gathered):
        return True
    is_memmap = False
    while isinstance(X, np.ndarray):
        is_memmap |= isinstance(X, np.memmap)
        X = X.base
    return is_memmap and X is not None  # the base of a copy is None, of a file its map


def _n_rows(X, rows):
    """How many rows of X have these numbers, an array or a slice."""
    return len(range(X.shape[0])[rows] if isinstance(rows, slice) else rows)


def row_blocks(n_rows, n_columns, n_elements=2**15, rows=slice(None)):
    """Where blocks of some of the rows stand among these, and their numbers.

    Yields
    ------
    here : slice
    some : slice or ndarray of int
    """
    step = max(1, n_elements // max(1, n_columns))
    if isinstance(rows, slice):
        numbers = range(n_rows)[rows]
        for i in range(0, len(numbers), step):
            some = numbers[i : i + step]
            yield slice(i, i + step), slice(some.start, some.stop, some.step)
    else:
        for i in range(0, len(rows), step):
            yield slice(i, i + step), rows[i : i + step]


def by_rows(tell, *matrices):
    """What is told of the rows of matrices, some of them at a time.

    Parameters
    ----------
    tell : callable
        `tell(*matrices)` gives arrays, with a row for each of theirs.
    *matrices : matrix or None
        At least the last one is there.

    Returns
    -------
    sequence of ndarray
    """
    n_rows, whole = matrices[-1].shape[0], []
    if n_rows <= _TOLD:
        return tell(*matrices)
    for rows, _ in row_blocks(n_rows, 1, _TOLD):
        told = tell(*(_window(M, rows) for M in matrices))
        whole = whole or [np.empty((n_rows, *t.shape[1:]), t.dtype) for t in told]
        for some, out in zip(told, whole, strict=True):
            out[rows] = some
    return whole


def _window(M, rows):
    """The rows of a slice, which wait to be made where those of M do."""
    if M is None:
        return None
    return M.window(rows) if isinstance(M, Gathered) else M[rows]


class Indicators:
    """A row for each of some classes, 1 where a sample is of it, made when asked for.

    Parameters
    ----------
    codes : ndarray of int of shape (n_samples,)
        The class of each sample.
    classes : ndarray of int of shape (n_classes,)
    dtype : dtype
    """

    def __init__(self, codes, classes, dtype):
        self.shape, self.dtype = (len(classes), len(codes)), np.dtype(dtype)
        self._codes, self._classes = codes, classes.astype(codes.dtype)[:, None]

    def __getitem__(self, key):
        """Some classes and samples, as an array."""
        classes, rows = key
        return (self._codes[rows] == self._classes[classes]).astype(self.dtype)

    def take(self, rows, axis, out, mode):
        """All classes of some samples, called as NumPy's `take`."""
        out[...] = self._codes.take(rows, mode=mode) == self._classes

    def __array__(self, dtype=None, copy=None):
        """All of them."""
        return self[:, :].astype(dtype or self.dtype, copy=False)


class ScaledSparse:
    """[1 X̃] with X̃ = X/σ, sparse as X is.

    `np.dot` takes it (and its transpose) for an array, so the kernel's lines are
    the same for sparse input.

    Parameters
    ----------
    scaled : csr_array of shape (n_samples, n_features)
        X/σ.
    transposed : bool, default=False
    has_ones : bool, default=True
        Without the ones it is X̃.
    """

    # Whether what a batch has no entries of has no gradient there.
    has_parts = True

    def __init__(self, scaled, transposed=False, has_ones=True):
        self.scaled, self.transposed, self.has_ones = scaled, transposed, has_ones
        self.dtype = scaled.dtype

    @property
    def shape(self):
        """That of [1 X̃], or of its transpose."""
        n_samples, n_features = self.scaled.shape
        shape = n_samples, self.has_ones + n_features
        return shape[:: -1 if self.transposed else 1]

    def __getitem__(self, rows):
        """The rows with these numbers."""
        return self._but(scaled=self.scaled[rows])

    def take(self, rows, *_):
        """The same, called as NumPy's `take`."""
        return self[rows]

    def without_ones(self):
        """X̃."""
        return self._but(has_ones=False)

    @property
    def T(self):
        """[1 X̃]ᵀ."""
        return self._but(transposed=not self.transposed)

    def _but(self, **changes):
        """The same, with these attributes."""
        other = copy(self)
        vars(other).update(changes)
        return other

    def __array__(self, dtype=None, copy=None):
        """[1 X̃], formed: for a few rows."""
        X = self._formed()
        return np.column_stack([np.ones(len(X)), X]).astype(dtype or self.dtype)

    def _formed(self):
        """X̃, as an array."""
        return self.scaled.toarray()

    def __array_function__(self, func, types, args, kwargs):
        """np.dot of [1 X̃] or of [1 X̃]ᵀ by an array, into `out`."""
        if func is not np.dot or args[0] is not self:
            return NotImplemented
        dot = self._into_columns if self.transposed else self._into_rows
        dot(args[1], kwargs["out"], int(self.has_ones))
        return kwargs["out"]

    def _into_rows(self, B, out, n):
        """out ← X̃ W + b, of B = [b; W]."""
        out[...] = self.scaled @ B[n:]
        out += B[:n].sum(axis=0)

    def _into_columns(self, D, out, n):
        """out ← [1ᵀ D; X̃ᵀ D]; gives 1ᵀ D."""
        total = D.sum(axis=0)
        out[:n] = total
        out[n:] = self.scaled.T @ D
        return total

    @property
    def row_length(self):
        """Entries of a row, on average."""
        return self.scaled.nnz / max(1, self.scaled.shape[0])

    def counts(self):
        """How many rows have an entry in each column."""
        return np.bincount(self.scaled.indices, minlength=self.scaled.shape[1])

    def of_stored(self):
        """The same, with the transpose of the columns alone that have entries."""
        return StoredColumns(self.scaled)


class StoredColumns(ScaledSparse):
    """[1 X̃] of a few rows, whose transpose is without the columns that are empty.

    Attributes
    ----------
    columns : ndarray of int of shape (n_stored,)
        Those with entries.
    """

    def __init__(self, scaled):
        super().__init__(scaled)
        is_stored = np.zeros(scaled.shape[1], dtype=bool)
        is_stored[scaled.indices] = True
        self.columns = np.flatnonzero(is_stored)

    @property
    def T(self):
        """[1 X̃]ᵀ without the rows that are zero."""
        S, columns = self.scaled, self.columns
        number = np.empty(S.shape[1], S.indices.dtype)
        number[columns] = np.arange(len(columns))
        shape = S.shape[0], len(columns)
        stored = sparse.csr_array((S.data, number[S.indices], S.indptr), shape=shape)
        return ScaledSparse(stored, transposed=True, has_ones=self.has_ones)


class StandardizedSparse(ScaledSparse):
    """[1 X̃] with X̃ = X/σ - 1 (μ/σ)ᵀ, never formed.

    Parameters
    ----------
    scaled : csr_array of shape (n_samples, n_features)
        X/σ.
    shift : ndarray of shape (n_features,)
        μ/σ.
    """

    has_parts = False

    def __init__(self, scaled, shift):
        super().__init__(scaled)
        self.shift = shift

    def _formed(self):
        """X̃, as an array."""
        return super()._formed() - self.shift

    def _into_rows(self, B, out, n):
        """out ← X̃ W + b, of B = [b; W]."""
        out[...] = self.scaled @ B[n:]
        out += B[:n].sum(axis=0) - self.shift @ B[n:]

    def _into_columns(self, D, out, n):
        """out ← [1ᵀ D; X̃ᵀ D]; gives 1ᵀ D."""
        total = super()._into_columns(D, out, n)
        out[n:] -= np.outer(self.shift, total)
        return total


def without_ones(X):
    """X̃, from [1 X̃]."""
    return X[:, 1:] if isinstance(X, np.ndarray) else X.without_ones()


def row_buffer(X, n_rows):
    """Where to gather n_rows of a design; None where it gives rows of its own."""
    if isinstance(X, np.ndarray):
        return np.empty((n_rows, X.shape[1]), X.dtype)
    return None


def rows_at_once(X, n_rows):
    """How many rows of a design to ask for: fewer than n_rows if they must be made."""
    if isinstance(X, Gathered):
        return min(n_rows, max(_FEWEST_MADE, _MADE // X.shape[1]))
    return n_rows
