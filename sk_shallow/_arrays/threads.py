"""How many BLAS threads multiply the matrices of a fit."""

import os
import sys
from _thread import start_new_thread
from functools import cache
from threading import Lock, Thread

from threadpoolctl import ThreadpoolController

# A product of fewer floating-point operations is faster on one thread.
_LARGE = 1e8

# Held while the lists change, and while the process forks.
_door = Lock()
# What each call of `suited_to` that runs waits for at its end.
_running = []
# The libraries that are limited, with their numbers of threads outside.
_limited = []


@cache
def _libraries():
    """The BLAS libraries of this process; looking them up takes milliseconds."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def is_large(n_operations):
    """Whether a product of so many operations is worth several threads."""
    return n_operations >= _LARGE


def n_outside():
    """BLAS threads of this process, where nothing is limited here."""
    with _door:
        wide = [n for _, n in _limited]
    return max([*wide, *(blas.num_threads for blas in _libraries())], default=1)


def set_outside(n_threads):
    """Give a process that nobody else works in so many BLAS threads."""
    for blas in _libraries():
        if blas.num_threads != n_threads:
            blas.set_num_threads(n_threads)


def suited_to(n_operations, work, *args):
    """work(*args), on one BLAS thread if its products have so few operations.

    The number of threads belongs to the process: the first of several calls at once
    limits it, the last one restores it. Both is done by guards, threads that no signal
    interrupts; and as a lock is entered and left between two signals, `running` is free
    when the work has ended, however it ends.
    """
    is_alone = sys.platform == "emscripten" or not _libraries()
    if is_large(n_operations) or is_alone:
        return work(*args)
    running, limited, restored = Lock(), Lock(), Lock()
    limited.acquire()
    restored.acquire()
    is_guarded = False
    try:
        with running:
            start_new_thread(_guard, (running, limited, restored))
            is_guarded = True
            limited.acquire()
            return work(*args)
    finally:
        if is_guarded:
            restored.acquire()


def _guard(running, limited, restored):
    """One BLAS thread until `running` is free; frees the others when that is done."""
    try:
        with _door:
            if not _running:
                _limit()
            _running.append(restored)
        limited.release()
        running.acquire()
        with _door:
            _running.remove(restored)
            if not _running:
                _restore()
    finally:
        for lock in (limited, restored):
            if lock.locked():
                lock.release()


def _limit():
    wide = [(blas, blas.num_threads) for blas in _libraries() if blas.num_threads > 1]
    for blas, n_threads in wide:
        _limited.append((blas, n_threads))
        _set(blas, 1)


def _restore():
    """Give the threads back, where nobody has set others since."""
    while _limited:
        blas, n_threads = _limited.pop()
        if blas.num_threads == 1:
            _set(blas, n_threads)


def _set(blas, n_threads):
    """In a thread that has ended: a limit of a living one is not for others to lift."""
    thread = Thread(target=blas.set_num_threads, args=(n_threads,), daemon=True)
    thread.start()
    thread.join()


def _begin_child():
    """A forked process has no guards: nothing is limited, nobody waits for them."""
    _restore()
    while _running:
        _running.pop().release()
    _door.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_door.acquire,
        after_in_parent=_door.release,
        after_in_child=_begin_child,
    )
