"""How many BLAS threads multiply the matrices of a fit."""

import os
import sys
from _thread import start_new_thread
from functools import cache, cached_property
from pathlib import Path
from threading import Lock, Thread

import numpy as np
from threadpoolctl import ThreadpoolController

# A product of fewer floating-point operations is faster on one thread.
_LARGE = 1e8

# Held while limits change, and while the process forks.
_door = Lock()


@cache
def _libraries():
    """The BLAS libraries of this process; looking them up takes milliseconds."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _makes_products(blas):
    """Whether a library is NumPy's; the only one is."""
    home = str(Path(np.__file__).resolve().parent)  # of numpy and of numpy.libs
    is_at_home = str(Path(blas.filepath).resolve()).startswith(home)
    return is_at_home or len(_libraries()) == 1


class _Limit:
    """One thread for some libraries, as long as somebody wants it.

    Attributes
    ----------
    running : list
        What each call of `suited_to` that wants it waits for at its end.
    limited : list of (library, int)
        Those that are limited, with their numbers of threads outside.
    """

    def __init__(self, of_products):
        self.of_products, self.running, self.limited = of_products, [], []

    @cached_property
    def libraries(self):
        """Those that it is of."""
        return [b for b in _libraries() if _makes_products(b) == self.of_products]

    def enter(self, restored):
        """One more wants it."""
        if not self.running:
            for blas in self.libraries:
                if blas.num_threads > 1:
                    self.limited.append((blas, blas.num_threads))
                    _set(blas, 1)
        self.running.append(restored)

    def leave(self, restored):
        """One less; the last gives the threads back."""
        self.running.remove(restored)
        if not self.running:
            self.restore()

    def restore(self):
        """Give the threads back, where nobody has set others since."""
        while self.limited:
            blas, n_threads = self.limited.pop()
            if blas.num_threads == 1:
                _set(blas, n_threads)


# Libraries that stand beside NumPy's, as SciPy's, have threads of their own, which
# wait for the cores that the threads of the last product still hold.
_products, _others = _Limit(True), _Limit(False)


def n_outside():
    """BLAS threads of this process, where nothing is limited here."""
    with _door:
        wide = [n for limit in (_products, _others) for _, n in limit.limited]
    return max([*wide, *(blas.num_threads for blas in _libraries())], default=1)


def set_outside(n_threads):
    """Give a process that nobody else works in so many BLAS threads."""
    for blas in _libraries():
        if blas.num_threads != n_threads:
            blas.set_num_threads(n_threads)


def suited_to(n_operations, work, *args):
    """work(*args), on one BLAS thread if its products have so few operations.

    Libraries beside NumPy's have one in any case. The number of threads belongs to the
    process: the first of several calls at once limits it, the last one restores it.
    Both is done by guards, threads that no signal interrupts; and as a lock is entered
    and left between two signals, `running` is free when the work has ended, however it
    ends.
    """
    limits = [_others] if n_operations >= _LARGE else [_others, _products]
    limits = [limit for limit in limits if limit.libraries]
    if sys.platform == "emscripten" or not limits:
        return work(*args)
    running, limited, restored = Lock(), Lock(), Lock()
    limited.acquire()
    restored.acquire()
    is_guarded = False
    try:
        with running:
            start_new_thread(_guard, (limits, running, limited, restored))
            is_guarded = True
            limited.acquire()
            return work(*args)
    finally:
        if is_guarded:
            restored.acquire()


def _guard(limits, running, limited, restored):
    """Limits until `running` is free; frees the other locks when that is done."""
    try:
        with _door:
            for limit in limits:
                limit.enter(restored)
        limited.release()
        running.acquire()
        with _door:
            for limit in limits:
                limit.leave(restored)
    finally:
        for lock in (limited, restored):
            if lock.locked():
                lock.release()


def _set(blas, n_threads):
    """In a thread that has ended: a limit of a living one is not for others to lift."""
    thread = Thread(target=blas.set_num_threads, args=(n_threads,), daemon=True)
    thread.start()
    thread.join()


def _begin_child():
    """A forked process has no guards: nothing is limited, nobody waits for them."""
    for limit in (_products, _others):
        limit.restore()
        while limit.running:
            restored = limit.running.pop()
            if restored.locked():
                restored.release()
    _door.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_door.acquire,
        after_in_parent=_door.release,
        after_in_child=_begin_child,
    )
