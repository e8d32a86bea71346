"""Two things that NumPy lacks for speed."""

import numpy as np
from scipy.linalg.blas import daxpy, saxpy

_AXPY = {"f": saxpy, "d": daxpy}


def axpy(a, x, y):
    """y ← y + a x in one pass, for contiguous vectors of one dtype."""
    _AXPY[y.dtype.char](x, y, len(y), a)


def aligned(shape, dtype):
    """An empty array that starts at a cache line: vector instructions run faster."""
    dtype = np.dtype(dtype)
    n_bytes = int(np.prod(shape)) * dtype.itemsize
    raw = np.empty(n_bytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + n_bytes].view(dtype).reshape(shape)
