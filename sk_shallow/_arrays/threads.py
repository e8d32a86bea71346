"""How many BLAS threads multiply the matrices of a fit."""

from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController

# A product of fewer floating-point operations is faster on one thread.
_LARGE = 1e8

_lock = Lock()
_running = []


@cache
def _controller():
    """The BLAS libraries of this process; looking them up takes milliseconds."""
    return ThreadpoolController()


@contextmanager
def suited_to(n_operations):
    """One BLAS thread inside the block if its products have so few operations.

    The first of several blocks at once limits, the last one restores.
    """
    if n_operations >= _LARGE:
        yield
        return
    with _lock:
        if not _running:
            _running.append(_controller().limit(limits=1, user_api="blas"))
        _running.append(None)
    try:
        yield
    finally:
        with _lock:
            _running.pop()
            if len(_running) == 1:
                _running.pop().restore_original_limits()
