"""Crews: what a race will ask for, done ahead of it in other processes.

The race foresees which of its contenders train on, and how far. What has been done
ahead takes place when the race asks for it, in the order in which it asks: the result
is that of one process, bit by bit, and so is what is told on the way. What it has no
eye on any more is given up.
"""

import warnings
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from multiprocessing import current_process
from time import monotonic

from joblib import Parallel, effective_n_jobs, parallel_config

from sk_shallow._solvers.tasks import never
from sk_shallow._training.workers import Workers

# Multiplications of a race, at the least, that are worth workers, which take one or two
# seconds to start; and those that are worth being sent to one.
LEAST_RACE, LEAST_WORK = 1e11, 5e9
# Jobs of a race, at the most: so many recipes begin.
_MOST_JOBS = 10
# Seconds after which what is next is foreseen anew.
_LOOK = 0.2


def crew_of(n_jobs, work):
    """Those who train at once, where a race of so much work is worth several.

    `n_jobs` is as joblib understands it. None is 1, unless a context of joblib sets it
    for workers that share the memory, as in scikit-learn's forests: those of a cluster
    have other fits to do. A daemonic process is alone: it may not start others.
    """
    asked = Parallel(n_jobs=n_jobs, prefer="threads", require="sharedmem").n_jobs
    with parallel_config("threading"):
        n_jobs = effective_n_jobs(asked)
    if n_jobs == 1 or work < LEAST_RACE or current_process().daemon:
        return Alone()
    return Crew(Workers(min(n_jobs, _MOST_JOBS) - 1))


class Alone:
    """Nobody to do anything ahead."""

    def __enter__(self):
        """The crew."""
        return self

    def __exit__(self, *_):
        """There is nobody to dismiss."""

    def foresee(self, prospects, *args):
        """Nothing is begun."""

    def advance(self, contender, n_steps):
        """Train on to so many steps; gives the work that it took."""
        return contender.advance_to(n_steps)


class Crew:
    """The process of the fit, and workers that train contenders ahead.

    Unless it `has_reached(n_steps)`, a contender has a `leg(n_steps, is_paused)`, a
    function that gives what it will be then, for it to `become`; or None if a call of
    `is_paused` said so on the way, to be called again. One that `travels` can also be
    trained by a worker. While what the race asks for is under way elsewhere, this
    process trains the next one, whose error is raised if it is asked for.

    Parameters
    ----------
    workers : Workers
    """

    def __init__(self, workers):
        self._workers, self._legs, self._wanted = workers, {}, []
        self._prospects, self._asked, self._next_look = tuple, None, 0.0
        self._pool = ThreadPoolExecutor(workers.n_workers, "sk_shallow")

    def __enter__(self):
        """The crew; its workers start."""
        self._workers.begin()
        return self

    def __exit__(self, kind, *_):
        """All that is under way ends with the step that it is at."""
        self._asked = None
        self.foresee(tuple)
        self._pool.shutdown()
        self._workers.end(in_peace=kind is None)
        if kind is None and self._workers.error is not None:
            warnings.warn(
                "Other processes could not train, so this one has done all: "
                f"{self._workers.error!r}. Set n_jobs=1.",
                stacklevel=2,
            )

    def foresee(self, prospects, *args):
        """Begin these, the likely ones first; what was begun and is not here is over.

        Parameters
        ----------
        prospects : callable
            `prospects(*args)` yields (contender, n_steps), the next that is asked of
            some contenders, if anything is. It may know better while one is trained.
            Until it is asked, a contender is foreseen for the same n_steps.
        """
        self._prospects = partial(prospects, *args)
        self._look_ahead()

    def _look_ahead(self):
        """Begin what can be foreseen now."""
        self._next_look = monotonic() + _LOOK
        self._wanted = []
        for contender, n_steps in self._prospects():
            if contender is self._asked:
                continue
            if contender not in self._legs and is_worth_it(contender, n_steps):
                self._legs[contender] = _Leg(contender, n_steps)
            if contender in self._legs:
                self._wanted.append(self._legs[contender])
        for contender, leg in self._legs.items():
            if leg not in self._wanted and contender is not self._asked:
                leg.give_up()
        if self._wanted and self._workers.are_ready:
            for leg in self._wanted:
                leg.wait_in(self._pool, self._workers)

    def advance(self, contender, n_steps):
        """Train on to so many steps, or take what was begun; gives the work."""
        self._asked = contender
        leg = self._legs.setdefault(contender, _Leg(contender, n_steps))
        while not leg.is_done:
            others = [o for o in self._wanted if o is not leg and not o.is_done]
            begun = next((other for other in others if other.is_begun_here), None)
            if not self._has_worker(leg) and leg.is_free():
                self._go_on(leg, never)
            elif other := begun or next((o for o in others if o.is_free()), None):
                self._go_on(other, partial(self._is_enough, leg, other))
            elif leg.is_free():
                self._go_on(leg, never)
            else:
                leg.wait()
        self._asked = None
        del self._legs[contender]
        return contender.become(leg.made())

    def _is_enough(self, leg, other):
        """Whether a leg is there, or nobody wants the other any more."""
        return leg.has_come or other not in self._wanted

    def _has_worker(self, leg):
        """Whether it is under way elsewhere, or about to be."""
        n_busy = sum(o.is_under_way for o in self._legs.values() if o is not leg)
        return leg.is_with_worker and n_busy < self._workers.n_workers

    def _go_on(self, leg, is_enough):
        """Make it here, with an eye on what is next."""

        def is_paused():
            if monotonic() > self._next_look:
                self._look_ahead()
            return is_enough()

        leg.go_on(is_paused)


def is_worth_it(contender, n_steps):
    """Whether a worker may be asked to train it so far."""
    if contender.has_reached(n_steps) or not contender.travels:
        return False
    return (n_steps - contender.n_steps) * contender.work >= LEAST_WORK


class _Leg:
    """The way of a contender to so many steps, here or with a worker."""

    def __init__(self, contender, n_steps):
        self._contender, self._n_steps = contender, n_steps
        self._later = self._error = None
        self._go, self._is_paused, self._future, self._flag = None, never, None, None

    @property
    def is_done(self):
        """Whether it has been made, or cannot be."""
        if self._later is None and self.has_come:
            future, self._future = self._future, None
            self._later = None if future.cancelled() else future.result()
        return self._later is not None or self._error is not None

    @property
    def is_begun_here(self):
        """Whether it must be made here."""
        return self._go is not None

    @property
    def is_with_worker(self):
        """Whether it is under way elsewhere, or in the queue."""
        return self._future is not None and not self._future.done()

    @property
    def is_under_way(self):
        """Whether a worker is at it."""
        return self._future is not None and self._future.running()

    @property
    def has_come(self):
        """Whether a worker has done with it, one way or another."""
        return self._future is not None and self._future.done()

    def is_free(self):
        """Whether it can be made here; it is taken out of the queue."""
        return self._future is None or self._future.cancel()

    def wait_in(self, pool, workers):
        """Be made by a worker, after those who have come before."""
        if self.is_done or self.is_begun_here or not self.is_free():
            return
        self._flag = workers.flag()
        self._future = pool.submit(
            workers.train, self._contender, self._n_steps, self._flag
        )

    def give_up(self):
        """A worker comes to a stand after the step that it is at."""
        if not self.is_free():
            self._flag.set()

    def wait(self):
        """Until a worker has done with it."""
        wait((self._future,))

    def go_on(self, is_paused):
        """Make it here, until it is done or paused."""
        self._is_paused = is_paused
        if self._go is None:
            self._go = self._contender.leg(self._n_steps, lambda: self._is_paused())
        try:
            self._later = self._go()
        except Exception as error:
            self._error = error

    def made(self):
        """What the contender is then; or the error on its way is raised."""
        if self._error is not None:
            raise self._error
        return self._later
