"""The design [1 X̃], dense or sparse, and where to gather its rows."""

import numpy as np


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
    """

    def __init__(self, scaled, shift, transposed=False):
        self.scaled, self.shift, self.transposed = scaled, shift, transposed
        self.dtype = scaled.dtype
        n_samples, n_features = scaled.shape
        self.shape = (n_samples, 1 + n_features)[:: -1 if transposed else 1]

    def __getitem__(self, rows):
        """The rows with these numbers."""
        return StandardizedSparse(self.scaled[rows], self.shift)

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
        return StandardizedSparse(self.scaled, self.shift, not self.transposed)

    def __array_function__(self, func, types, args, kwargs):
        """np.dot of [1 X̃] or of [1 X̃]ᵀ by an array, into `out`."""
        if func is not np.dot or args[0] is not self:
            return NotImplemented
        B, out = args[1], kwargs["out"]
        if self.transposed:  # [1ᵀ D; X̃ᵀ D]
            out[0] = B.sum(axis=0)
            out[1:] = self.scaled.T @ B
            out[1:] -= np.outer(self.shift, out[0])
        else:  # X̃ W + b
            out[...] = self.scaled @ B[1:]
            out += B[0] - self.shift @ B[1:]
        return out


def row_buffer(X, n_rows):
    """Where to gather n_rows of a design; None for a sparse one, which needs none."""
    if isinstance(X, StandardizedSparse):
        return None
    return np.empty((n_rows, X.shape[1]), X.dtype)
