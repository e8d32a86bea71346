"""The design [1 X̃], dense or sparse, in memory or not, and where to gather its rows."""

import numpy as np

# Numbers of a matrix that is in memory as a whole, at the most; where X is in a file,
# where there is room for a small part of it.
_LARGEST, _LARGEST_BESIDE_A_FILE = 2**27, 2**17
# Numbers that are made at once, about, and rows, at the least.
_MADE, _FEWEST_MADE = 2**17, 64


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


def taken(X, rows):
    """The rows with these numbers: an array, or `Taken` where X is in a file."""
    is_small = _n_rows(X, rows) * X.shape[1] <= _LARGEST_BESIDE_A_FILE
    return X[rows] if is_small or not is_mapped(X) else Taken(X, rows)


def is_mapped(X):
    """Whether an array is in a file, or its rows are made."""
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap):
            return True
        X = X.base
    return isinstance(X, Gathered)


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


class StandardizedSparse:
    """[1 X̃] with X̃ = X/σ - 1 (μ/σ)ᵀ, never formed.

    `np.dot` takes it (and its transpose) for an array, so the kernel's lines are
    the same for sparse input.

    Parameters
    ----------
    scaled : csr_array of shape (n_samples, n_features)
        X/σ.
    shift : ndarray of shape (n_features,)
        μ/σ.
    transposed : bool, default=False
    has_ones : bool, default=True
        Without the ones it is X̃.
    """

    def __init__(self, scaled, shift, transposed=False, has_ones=True):
        self.scaled, self.shift = scaled, shift
        self.transposed, self.has_ones = transposed, has_ones
        self.dtype = scaled.dtype
        n_samples, n_features = scaled.shape
        shape = n_samples, has_ones + n_features
        self.shape = shape[:: -1 if transposed else 1]

    def __getitem__(self, rows):
        """The rows with these numbers."""
        return StandardizedSparse(self.scaled[rows], self.shift)

    def without_ones(self):
        """X̃."""
        return StandardizedSparse(self.scaled, self.shift, has_ones=False)

    def take(self, rows, *_):
        """The same, called as NumPy's `take`."""
        return self[rows]

    def __array__(self, dtype=None, copy=None):
        """[1 X̃], formed: for a few rows."""
        X = self.scaled.toarray() - self.shift
        return np.column_stack([np.ones(len(X)), X]).astype(dtype or self.dtype)

    @property
    def T(self):
        """[1 X̃]ᵀ."""
        turned = not self.transposed, self.has_ones
        return StandardizedSparse(self.scaled, self.shift, *turned)

    def __array_function__(self, func, types, args, kwargs):
        """np.dot of [1 X̃] or of [1 X̃]ᵀ by an array, into `out`."""
        if func is not np.dot or args[0] is not self:
            return NotImplemented
        B, out, n = args[1], kwargs["out"], int(self.has_ones)
        if self.transposed:  # [1ᵀ D; X̃ᵀ D]
            total = B.sum(axis=0)
            out[:n] = total
            out[n:] = self.scaled.T @ B
            out[n:] -= np.outer(self.shift, total)
        else:  # X̃ W + b
            out[...] = self.scaled @ B[n:]
            out += B[:n].sum(axis=0) - self.shift @ B[n:]
        return out


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
