"""Laws of a process with two BLAS threads; prints which of them fail, and how.

The suite itself has one: this runs as a process of its own.
"""

import json
import os
import random
import signal
import sys
import threading
import time
import traceback
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from scipy import linalg  # noqa: F401  (loads its BLAS)
from threadpoolctl import ThreadpoolController, threadpool_limits

from sk_shallow import Identity, ShallowNNRegressor
from sk_shallow._arrays.threads import suited_to
from sk_shallow._training.workers import Workers

N_THREADS = 2
CONTROLLER = ThreadpoolController().select(user_api="blas")
LAWS = []


def law(function):
    LAWS.append(function)
    return function


def limits():
    """The BLAS threads of this process, or None where its libraries differ."""
    found = {blas.num_threads for blas in CONTROLLER.lib_controllers}
    return found.pop() if len(found) == 1 else None


def limits_of_products():
    """The threads of NumPy's library, and of SciPy's, which stands beside it."""
    found = {True: set(), False: set()}
    for blas in CONTROLLER.lib_controllers:
        found["numpy" in Path(blas.filepath).parent.name].add(blas.num_threads)
    return found[True], found[False]


def becomes_true(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


def is_restored():
    """Whether the limit is lifted, at once or by a guard that is on its way."""
    return becomes_true(lambda: limits() == N_THREADS)


def in_a_thread(function):
    """What a function gives in a thread other than the main one."""
    found = []
    started(lambda: found.append(function())).join(10)
    return found[0]


def started(work, *args):
    thread = threading.Thread(target=work, args=args, daemon=True)
    thread.start()
    return thread


def forked(check):
    """The process id of a child that succeeds if the check does."""
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.alarm(10)
            status = int(not check())
        finally:
            os._exit(status)
    return child


class Watched(Identity):
    """Notes the limit while it is computed; raises if asked to."""

    def __init__(self, error=None):
        self.error, self.seen = error, set()

    def __deepcopy__(self, memo):
        return self

    def forward(self, Z, out=None):
        self.seen.add(limits())
        if self.error and limits() == 1:
            raise self.error
        return super().forward(Z, out)


def fit(n_hidden=4, **parameters):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 4))
    y = np.sin(X[:, 0]) + 0.1 * rng.normal(size=160)
    given = {"solver": "lm", "alpha": 1.0, "max_iter": 20, **parameters}
    return ShallowNNRegressor(n_hidden, random_state=1, **given).fit(X, y)


@law
def small_products_have_one_thread_and_large_ones_all():
    assert suited_to(0, limits) == 1
    assert suited_to(1e8, limits_of_products) == ({N_THREADS}, {1})


@law
def a_fit_is_limited_and_restores():
    for solver in "lm", "adam":
        activation = Watched()
        fit(activation=activation, solver=solver)
        assert 1 in activation.seen
        assert limits() == N_THREADS


@law
def an_exception_restores():
    for error in ZeroDivisionError(), KeyboardInterrupt():
        try:
            fit(activation=Watched(error))
        except type(error):
            assert limits() == N_THREADS
        else:
            raise AssertionError("nothing was raised")


@law
def overlapping_calls_are_limited_until_the_last_ends():
    begun, is_over = threading.Barrier(4), [threading.Event() for _ in range(3)]
    leave, seen = threading.Event(), []

    def work(my_turn):
        begun.wait(10)
        my_turn.wait(10)
        seen.append(limits())

    def pool_worker(my_turn):
        suited_to(0, work, my_turn)
        seen.append("ended")
        leave.wait(10)

    workers = [started(pool_worker, event) for event in is_over]
    begun.wait(10)
    for n, event in enumerate(is_over, 1):
        event.set()
        assert becomes_true(lambda n=n: len(seen) == 2 * n)
        assert limits() == (N_THREADS if n == 3 else 1)
    assert seen == [1, "ended"] * 3
    assert suited_to(0, limits) == 1
    assert limits() == N_THREADS
    leave.set()
    for worker in workers:
        worker.join()


@law
def the_same_bits_in_any_thread():
    first, second = fit(), in_a_thread(fit)
    for a, b in zip(first.coefs_, second.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


@law
def the_limits_of_others_hold_after_a_fit():
    def own_limit(n_threads):
        with threadpool_limits(n_threads, user_api="blas"):
            return limits()

    for run in (lambda f: f()), in_a_thread:
        run(fit)
        for n_threads in 1, 2:
            assert own_limit(n_threads) == n_threads
            assert in_a_thread(partial(own_limit, n_threads)) == n_threads
        assert limits() == N_THREADS


@law
def a_fit_leaves_the_limit_that_it_finds():
    for n_threads in 1, 2, 3:
        with threadpool_limits(n_threads, user_api="blas"):
            fit()
            in_a_thread(fit)
            assert limits() == n_threads
        assert limits() == N_THREADS


@law
def what_others_set_meanwhile_stands():
    def set_limits(n_threads):
        in_a_thread(partial(CONTROLLER.limit, limits=n_threads, user_api="blas"))

    suited_to(0, set_limits, 3)
    assert limits() == 3
    set_limits(N_THREADS)


@law
def an_interrupt_at_any_moment_restores():
    class Interrupt(BaseException):
        pass

    def interrupt(*_):
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    draws, n_interrupts = random.Random(0), 0
    for _ in range(200):
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, draws.uniform(1e-5, 1e-3))
                assert suited_to(0, limits) == 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Interrupt:
            n_interrupts += 1
        assert is_restored()
    signal.signal(signal.SIGALRM, before)
    assert n_interrupts > 10
    assert suited_to(0, limits) == 1
    assert is_restored()


@law
def a_child_forked_meanwhile_is_not_limited():
    stop = threading.Event()

    def work():
        while not stop.is_set():
            suited_to(0, time.sleep, 0.001)

    def check():
        found = limits(), suited_to(0, limits), limits()
        found += in_a_thread(lambda: (suited_to(0, limits), limits()))
        return found == (N_THREADS, 1, N_THREADS, 1, N_THREADS)

    others = [started(work) for _ in range(2)]
    statuses = {os.waitpid(forked(check), 0)[1] for _ in range(20)}
    stop.set()
    for other in others:
        other.join()
    assert statuses == {0}
    assert limits() == N_THREADS


@law
def a_child_forked_by_the_work_itself_ends():
    parent = os.getpid()

    def work():
        child = os.fork()
        signal.alarm(0 if child else 10)
        return child

    try:
        child = suited_to(0, work)
    finally:
        if os.getpid() != parent:
            os._exit(limits() != N_THREADS)
    assert os.waitpid(child, 0)[1] == 0
    assert limits() == N_THREADS


class Counting:
    """A contender that learns how many BLAS threads there are where it is trained."""

    ground, limits, work = ((), None, None), (), 1

    def packed(self, is_back=False):
        return self

    def unpacked(self, ground):
        return self

    def arrived(self, later):
        return later

    def expect(self, later):
        pass

    def has_reached(self, n_steps):
        return len(self.limits) > 0

    def next_stop(self, n_steps, n_least):
        return n_steps

    def leg(self, n_steps, is_paused):
        self.limits = [
            blas.num_threads
            for blas in ThreadpoolController().select(user_api="blas").lib_controllers
        ]
        return lambda: self


@law
def workers_have_the_threads_of_this_process_and_not_its_limit_for_small_products():
    workers = Workers(1)
    workers.begin()
    try:
        for n_threads in N_THREADS, 1, N_THREADS:
            with threadpool_limits(n_threads, user_api="blas"):
                task = Counting(), 1, workers.flag()
                for there in workers.train(*task), suited_to(0, workers.train, *task):
                    assert set(there.limits) == {n_threads}
    finally:
        workers.end(in_peace=True)


def failure(function):
    """How a law fails, or None."""
    try:
        assert limits() == N_THREADS, "the laws before left a limit"
        function()
    except BaseException:
        return traceback.format_exc()
    return None


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump({one.__name__: failure(one) for one in LAWS}, sys.stdout)
