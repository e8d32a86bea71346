"""Crews: what a race will ask for, done ahead of it in other threads.

The race foresees which of its contenders train on, and how far. What has been done
ahead takes place when the race asks for it, in the order in which it asks: the result
is that of one thread, bit by bit, and so is what is told on the way. What it has no
eye on any more pauses, and goes on from there if it is asked for after all.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from threading import Condition, Event

from joblib import Parallel, effective_n_jobs, parallel_config

from sk_shallow._arrays.threads import is_large

# Multiplications of a step, at the least, for several threads to be worth it: while
# Python is between two products, the others wait.
LEAST_WORK = 1e8


def crew_of(n_jobs):
    """Those who train at once, `n_jobs` as joblib understands it for threads.

    None is 1, unless a context of joblib sets it for workers that share the memory, as
    in scikit-learn's forests: those of a cluster have other fits to do.
    """
    asked = Parallel(n_jobs=n_jobs, prefer="threads", require="sharedmem").n_jobs
    with parallel_config("threading"):
        n_workers = effective_n_jobs(asked)
    return Crew(n_workers) if n_workers > 1 else Alone()


class Alone:
    """Nobody to do anything ahead."""

    def __enter__(self):
        """The crew."""
        return self

    def __exit__(self, *_):
        """It has no threads."""

    def foresee(self, prospects):
        """Nothing is begun."""

    def advance(self, contender, n_steps):
        """Train on to so many steps; gives the work that it took."""
        return contender.advance_to(n_steps)


class Crew:
    """Threads that train contenders ahead.

    A contender has a `leg(n_steps, is_paused)`, a function that gives what it will be
    then, for it to `become`; or None if a call of `is_paused` said so on the way, to be
    called again. Any thread may call it.

    Parameters
    ----------
    n_workers : int
        Contenders that are trained at once, at the most.
    """

    def __init__(self, n_workers):
        self._pool = ThreadPoolExecutor(n_workers, "sk_shallow")
        self._lanes, self._legs = _Lanes(), {}

    def __enter__(self):
        """The crew."""
        return self

    def __exit__(self, *_):
        """All that is under way ends with the step that it is at."""
        self.foresee(())
        self._pool.shutdown()

    def foresee(self, prospects):
        """Begin these, the likely ones first; what was begun and is not here pauses.

        Parameters
        ----------
        prospects : iterable of (contender, n_steps)
            The next that is asked of these contenders, if anything is.
        """
        wanted = []
        for contender, n_steps in prospects:
            is_worth_it = not contender.is_over and contender.work >= LEAST_WORK
            if contender not in self._legs and is_worth_it:
                self._legs[contender] = _Leg(self._lanes, contender, n_steps)
            if contender in self._legs:
                wanted.append(self._legs[contender])
        for leg in self._legs.values():
            if leg not in wanted:
                leg.pause()
        for leg in wanted:
            leg.wait_in(self._pool)

    def advance(self, contender, n_steps):
        """Train on to so many steps, or take what was begun; gives the work."""
        leg = self._legs.pop(contender, None)
        if leg is not None:
            return contender.become(leg.result(self._pool))
        with self._lanes.one_for(contender):
            return contender.advance_to(n_steps)


class _Leg:
    """The way of a contender to so many steps, in another thread."""

    def __init__(self, lanes, contender, n_steps):
        self._is_paused, self._future = Event(), None
        go = contender.leg(n_steps, self._is_paused.is_set)
        self._work = lanes.through, contender, copy_context().run, go

    def wait_in(self, pool):
        """Go on after those who have come before, unless it is under way."""
        self._is_paused.clear()
        if self._future is None or self._future.cancel() or self._has_paused:
            self._future = pool.submit(*self._work)

    @property
    def _has_paused(self):
        """Whether it has come to a stand before its end."""
        is_done = self._future.done() and self._future.exception() is None
        return is_done and self._future.result() is None

    def pause(self):
        """It comes to a stand after the step that it is at."""
        self._is_paused.set()
        self._future.cancel()

    def result(self, pool):
        """What has become of the contender, when it is there."""
        if self._is_paused.is_set():
            self.wait_in(pool)
        while (later := self._future.result()) is None:
            self.wait_in(pool)
        return later


class _Lanes:
    """Contenders side by side, all with large products or all with small ones.

    Small ones limit the BLAS threads of the process, which the others keep; the bits of
    a product depend on their number.
    """

    def __init__(self):
        self._door, self._n_under_way = Condition(), Counter()

    @contextmanager
    def one_for(self, contender):
        """A lane, while nobody has one of the other kind."""
        kind = is_large(contender.n_operations)
        with self._door:
            self._door.wait_for(lambda: not self._n_under_way[not kind])
            self._n_under_way[kind] += 1
        try:
            yield
        finally:
            with self._door:
                self._n_under_way[kind] -= 1
                self._door.notify_all()

    def through(self, contender, run, *args):
        """run(*args), in a lane."""
        with self.one_for(contender):
            return run(*args)
