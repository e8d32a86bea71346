"""Crews: what is done ahead by workers is what is done when it is asked for."""

import os
import pickle
import tempfile
import threading
import warnings
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import count
from time import monotonic, sleep
from types import SimpleNamespace
from typing import ClassVar

import joblib
import numpy as np
import pytest
from _curves import quietly, two_curves
from _softsign import Softsign
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sk_shallow import ReLU, ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._arrays import design
from sk_shallow._choice.race import Race
from sk_shallow._solvers import SOLVERS
from sk_shallow._training import crew as crews
from sk_shallow._training import workers
from sk_shallow._training.crew import (
    LEAST_RACE,
    LEAST_WORK,
    Alone,
    Crew,
    crew_of,
)
from sk_shallow._training.trial import Trial
from sk_shallow._training.workers import Flag, Workers

X, Z = two_curves(150, seed=0)
NUMBERS, LABELS = Z[:, 0], np.digitize(Z[:, 0], [-0.3, 0.3])
PAIRS = np.column_stack([Z[:, 0] > 0, Z[:, 0] > 0.5]).astype(int)
WEIGHTS = np.random.default_rng(1).integers(1, 4, len(X)).astype(float)
SECONDS = 20


class Toy:
    """A contender whose losses are a function of its name and steps alone.

    `log` has what begins and ends to be trained, from whatever thread; what its script
    makes None of has paused.
    """

    work, is_over, travels = LEAST_WORK, False, True

    def __init__(self, recipe, log, n_steps=0, script=None):
        self.recipe, self.log, self.n_steps = recipe, log, n_steps
        self.script, self.n_legs = script, 0

    def has_reached(self, n_steps):
        return self.n_steps >= n_steps or self.is_over

    def leg(self, n_steps, is_enough=lambda: False):
        self.n_legs += 1

        def go():
            self.log.append(("begin", self.recipe))
            has_ended = self.script is None or self.script(is_enough)
            self.log.append(("end", self.recipe))
            return n_steps if has_ended else None

        return go

    def become(self, n_steps):
        before, self.n_steps = self.n_steps, max(self.n_steps, n_steps)
        return self.n_steps - before

    def advance_to(self, n_steps):
        return self.become(self.leg(n_steps)())

    def fork(self, recipe):
        return type(self)(recipe, self.log, self.n_steps // 2)

    def future_fork(self, recipe, n_steps):
        return self.fork(recipe)


class Neighbours:
    """Workers that are threads."""

    error, are_ready = None, True

    def __init__(self, n_workers):
        self.n_workers = n_workers

    def begin(self):
        pass

    def end(self, in_peace):
        pass

    def flag(self):
        return threading.Event()

    def train(self, contender, n_steps, flag):
        return contender.leg(n_steps, flag.is_set)()


def crew(n_workers):
    return Crew(Neighbours(n_workers))


def lonely():
    """A crew whose workers do not start."""
    some = crew(1)
    some._workers.are_ready = False
    return some


def becomes_true(condition):
    end = monotonic() + SECONDS
    while not condition() and monotonic() < end:
        sleep(0.001)
    return condition()


def n_threads():
    return sum(thread.name.startswith("sk_shallow") for thread in threading.enumerate())


def test_so_many_are_trained_at_once_and_no_more():
    log, everybody = [], threading.Barrier(3)
    toys = [
        Toy(i, log, script=lambda _: everybody.wait(SECONDS) >= 0) for i in range(6)
    ]
    with crew(2) as some:
        some.foresee(lambda: ((toy, 10) for toy in toys))
        assert [some.advance(toy, 10) for toy in toys] == [10] * 6
    depth = np.cumsum([1 if hook == "begin" else -1 for hook, _ in log])
    assert depth.max() == 3
    assert [toy.n_legs for toy in toys] == [1] * 6
    assert n_threads() == 0


def test_what_was_not_foreseen_or_is_small_or_does_not_travel_is_trained_here():
    here, seen = threading.get_ident(), []

    def note(_):
        seen.append(threading.get_ident())
        return True

    toys = [Toy(i, [], script=note) for i in range(5)]
    small, at_home, far, _, foreseen = toys
    small.work, at_home.travels, far.is_over = LEAST_WORK / 6, False, True
    with crew(1) as some:
        some.foresee(lambda: ((toy, 5) for toy in (small, at_home, far)))
        assert [some.advance(toy, 5) for toy in toys[:4]] == [5] * 4
        assert set(seen) == {here}
        some.foresee(tuple, [(foreseen, 5)])
        assert becomes_true(lambda: len(seen) == 5)
        assert some.advance(foreseen, 5) == 5
    assert seen.count(here) == 4


def test_nobody_waits_for_workers_that_have_not_started():
    toys = [Toy(i, []) for i in range(3)]
    with lonely() as some:
        some.foresee(lambda: ((toy, 5) for toy in toys))
        assert [some.advance(toy, 5) for toy in toys] == [5] * 3
        assert some._pool._threads == set()


def test_what_is_over_is_not_trained_ahead():
    toy = Toy(0, [])
    toy.is_over = True
    with crew(1) as some:
        some.foresee(tuple, [(toy, 5)])
    assert toy.n_legs == 0


def test_the_queue_is_in_the_order_of_the_last_foresight():
    log, is_open = [], threading.Event()
    first = Toy("first", log, script=lambda _: is_open.wait(SECONDS))
    toys = [Toy(i, log) for i in range(4)]
    with crew(1) as some:
        some.foresee(tuple, [(first, 1), *((toy, 1) for toy in toys)])
        assert becomes_true(lambda: log)
        some.foresee(tuple, [(first, 1), *((toy, 1) for toy in reversed(toys[:3]))])
        is_open.set()
        assert becomes_true(lambda: len(log) == 8)
    assert [name for hook, name in log if hook == "begin"] == ["first", 2, 1, 0]


def test_while_a_worker_is_at_what_is_asked_for_the_next_is_trained_here():
    log, is_open = [], threading.Event()
    asked = Toy("asked", log, script=lambda _: is_open.wait(SECONDS))
    here = threading.get_ident()

    def once(is_paused):
        assert threading.get_ident() == here
        if is_open.is_set():
            return True
        is_open.set()
        assert becomes_true(is_paused)
        return None

    nearby = Toy("nearby", log, script=once)
    with crew(1) as some:
        some.foresee(tuple, [(asked, 1), (nearby, 1)])
        assert becomes_true(lambda: log)
        assert some.advance(asked, 1) == 1
        assert some.advance(nearby, 1) == 1
    assert [name for hook, name in log if hook == "begin"] == ["asked"] + 2 * ["nearby"]
    assert nearby.n_legs == 1


@pytest.fixture
def always_looking(monkeypatch):
    """What is next is foreseen anew at each step."""
    monkeypatch.setattr(crews, "_LOOK", 0.0)


def test_what_is_next_is_foreseen_anew_while_one_is_trained_here(always_looking):
    log = []

    def until_there(is_paused):
        return becomes_true(lambda: is_paused() or ("end", "next") in log)

    asked, later = Toy("asked", log, script=until_there), Toy("next", log)
    with crew(1) as some:
        some.foresee(lambda: [(later, 1)] if log else [])
        assert some.advance(asked, 1) == 1
        assert ("end", "next") in log
        assert some.advance(later, 1) == 1
    assert later.n_legs == 1


def test_what_nobody_wants_any_more_is_not_gone_on_with_here(always_looking):
    log, is_open = [], threading.Event()
    asked = Toy("asked", log, script=lambda _: is_open.wait(SECONDS))
    wrong, right = Toy("wrong", log), Toy("right", log)
    wrong.script = lambda is_paused: becomes_true(is_paused) and None
    right.script = lambda _: is_open.set() is None

    def prospects():
        return [(right if ("begin", "wrong") in log else wrong, 1)]

    with crew(1) as some:
        some.foresee(lambda: [(asked, 1), *prospects()])
        assert becomes_true(lambda: log)
        assert some.advance(asked, 1) == 1
        assert some.advance(right, 1) == 1
    assert [hook for hook, name in log if name == "wrong"] == ["begin", "end"]
    assert right.n_legs == 1


def fails(_):
    raise ZeroDivisionError


def test_an_error_in_what_is_trained_ahead_here_is_raised_when_it_is_asked_for():
    log, is_open = [], threading.Event()
    asked = Toy("asked", log, script=lambda _: is_open.wait(SECONDS))
    wrong, right = Toy("wrong", log, script=fails), Toy("right", log)
    right.script = lambda _: is_open.set() is None
    with crew(1) as some:
        some.foresee(tuple, [(toy, 1) for toy in (asked, wrong, right)])
        assert becomes_true(lambda: log)
        assert some.advance(asked, 1) == 1
        assert ("begin", "wrong") in log
        assert some.advance(right, 1) == 1
        with pytest.raises(ZeroDivisionError):
            some.advance(wrong, 1)
    assert wrong.n_legs == right.n_legs == 1


def until_paused(is_paused):
    assert becomes_true(is_paused), "nobody has paused it"


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_at_the_end_nothing_is_under_way(error):
    log = []
    toy = Toy(0, log, script=until_paused)
    with suppress(KeyboardInterrupt), crew(1) as some:
        some.foresee(tuple, [(toy, 10)])
        assert becomes_true(lambda: log)
        if error is not None:
            raise error
    assert [hook for hook, _ in log] == ["begin", "end"]
    assert toy.n_steps == 0
    assert n_threads() == 0


def test_what_is_asked_for_ends_too_if_it_is_interrupted():
    def interrupted(_):
        raise KeyboardInterrupt

    log = []
    asked = Toy("asked", log, script=until_paused)
    other = Toy("other", log, script=interrupted)
    with suppress(KeyboardInterrupt), crew(1) as some:
        some.foresee(tuple, [(asked, 1), (other, 1)])
        assert becomes_true(lambda: log)
        some.advance(asked, 1)
    assert log == [("begin", "asked"), ("begin", "other"), ("end", "asked")]
    assert n_threads() == 0


@pytest.mark.parametrize("again", [False, True])
def test_what_was_given_up_is_trained_anew_if_it_is_asked_for_after_all(again):
    log = []

    def second(is_paused):
        return True if len(log) > 1 else until_paused(is_paused)

    toy = Toy(0, log, script=second)
    with crew(1) as some:
        some.foresee(tuple, [(toy, 10)])
        assert becomes_true(lambda: log)
        some.foresee(tuple, [])
        if again:
            some.foresee(tuple, [(toy, 10)])
        assert some.advance(toy, 10) == 10
    assert [hook for hook, _ in log] == ["begin", "end"] * 2


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 5),
    n_workers=st.integers(0, 3),
    allowance=st.sampled_from([100, 400, 1500, np.inf]),
    gap=st.sampled_from([1e-2, 1]),
)
def test_a_race_with_a_crew_is_the_race_without(seed, n, n_workers, allowance, gap):
    class Runner(Toy):
        patience = int(np.random.default_rng(seed).integers(50, 3000))

        @property
        def losses(self):
            own = np.random.default_rng([seed, self.recipe.number, self.n_steps])
            mean = gap * own.random() / (1 + self.n_steps)
            return mean + 1e-3 * own.random(20)

        @property
        def weights(self):
            return np.ones(20)

        @property
        def is_over(self):
            return self.n_steps >= self.patience

    class Recipe(tuple):
        number = property(lambda self: self[0])
        names = property(lambda self: {"number": self[0]})

    def begin(recipe):
        return Runner(recipe, [], script=lambda is_paused: not is_paused())

    def moved(steps):
        return lambda recipe: [
            Recipe([recipe.number + step])
            for step in steps
            if 0 <= recipe.number + step < 100
        ]

    def run(some):
        with pytest.MonkeyPatch.context() as patch, some:
            patch.setattr(crews, "LEAST_WORK", 0)
            patch.setattr(crews, "_LOOK", 0.0)
            race = Race(begin, allowance, crew=some)
            first = [Recipe([20 * i]) for i in range(n)]
            winner = race.run(first, moved((1, -1)), moved((3, -3)))
        return winner.recipe, winner.n_steps, race.table()

    assert run(crew(n_workers) if n_workers else lonely()) == run(Alone())


def is_spread(n_jobs, work=LEAST_RACE):
    return isinstance(crew_of(n_jobs, work), Crew)


def test_n_jobs_is_what_joblib_understands():
    assert not is_spread(None)
    assert not is_spread(1)
    assert is_spread(2)
    assert not is_spread(2, LEAST_RACE / 2)
    assert is_spread(-1) == (joblib.cpu_count() > 1)
    assert crew_of(3, LEAST_RACE)._workers.n_workers == 2
    assert crew_of(1000, LEAST_RACE)._workers.n_workers == 9
    with joblib.parallel_config("threading", n_jobs=2):
        assert is_spread(None)
        assert not is_spread(1)
    with joblib.parallel_config("loky", n_jobs=2):
        assert not is_spread(None)
        assert is_spread(2)


@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)]
)
def test_a_fit_that_is_a_job_itself_has_no_workers_unless_it_asks_for_them(backend):
    run = joblib.Parallel(n_jobs=2, backend=backend)
    assert run(joblib.delayed(is_spread)(n) for n in (None, 2)) == [False, True]


def test_a_daemonic_process_is_alone(monkeypatch):
    monkeypatch.setattr(crews, "current_process", lambda: SimpleNamespace(daemon=True))
    assert not is_spread(2)


# Fits.


class Noted(Workers):
    """Workers that note what they have trained."""

    seen: ClassVar[list] = []

    def train(self, *args):
        later = super().train(*args)
        self.seen.append(later is not None)
        return later


class Threads(Noted):
    """The same, in threads: all that goes there and comes back is in pickles."""

    def begin(self):
        self._pool = ThreadPoolExecutor(self.n_workers, "sk_shallow worker")
        super().begin()
        wait([self._greeting])

    def end(self, in_peace):
        self._pool.shutdown()
        super().end(in_peace)

    def _submitted(self, work, *args):
        return self._pool.submit(self._moved, work, pickle.dumps(args))

    def _moved(self, work, args):
        return pickle.loads(pickle.dumps(work(*pickle.loads(args))))


class Started(Noted):
    """Processes that are there before the race begins."""

    def begin(self):
        super().begin()
        wait([self._greeting])


@pytest.fixture
def spread(monkeypatch):
    """Whatever their size, contenders are sent to threads; what these have done."""
    monkeypatch.setattr(crews, "LEAST_RACE", 0)
    monkeypatch.setattr(crews, "LEAST_WORK", 0)
    monkeypatch.setattr(crews, "_LOOK", 0.0)
    monkeypatch.setattr(crews, "Workers", Threads)
    Noted.seen.clear()
    return Noted.seen


@pytest.fixture
def processes(spread, monkeypatch):
    """The same with processes."""
    monkeypatch.setattr(crews, "Workers", Started)
    return spread


def assert_same_fit(one, other):
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            assert_array_equal(a, b)
    for name in ("loss_curve_", "loss_", "alpha_", "search_results_", "n_iter_"):
        assert getattr(one, name) == getattr(other, name), name
    assert_array_equal(one.feature_importances_, other.feature_importances_)


def framed():
    pd = pytest.importorskip("pandas")
    labels = np.array(["a", "b", "c"])[np.digitize(X[:, 1], [-1, 1])]
    frame = pd.DataFrame(X).add_prefix("x").assign(label=pd.Categorical(labels))
    frame.loc[::7, "x0"] = np.nan
    return frame


CASES = {
    "numbers": (ShallowNNRegressor, lambda: X, NUMBERS, {}),
    "absolute_error": (ShallowNNRegressor, lambda: X, Z, {"loss": "absolute_error"}),
    "labels": (ShallowNNClassifier, lambda: X, LABELS, {}),
    "multilabel": (
        ShallowNNClassifier,
        lambda: X,
        PAIRS,
        {"n_hidden": 7, "max_iter": 200},
    ),
    "frame": (ShallowNNClassifier, framed, LABELS, {}),
    "sparse": (ShallowNNRegressor, lambda: sparse.csr_array(X * (X > 0)), NUMBERS, {}),
    "committee": (ShallowNNRegressor, lambda: X, NUMBERS, {"n_estimators": 3}),
    "activation": (ShallowNNClassifier, lambda: X, LABELS, {"activation": "tanh"}),
    "max_iter": (ShallowNNClassifier, lambda: X, LABELS, {"max_iter": 3}),
    "early": (ShallowNNRegressor, lambda: X, NUMBERS, {"early_stopping": True}),
    **{
        name: (
            ShallowNNRegressor,
            lambda: X,
            NUMBERS,
            {"solver": name, "n_hidden": 6, "max_iter": 200, "cv": 3},
        )
        for name in SOLVERS
    },
}


@pytest.mark.slow
@pytest.mark.parametrize(("n_jobs", "weights"), [(2, None), (3, WEIGHTS)])
@pytest.mark.parametrize("case", CASES)
def test_the_bits_are_those_of_one_core(case, n_jobs, weights, spread):
    Estimator, make, y, given = CASES[case]
    model = Estimator(random_state=0, n_jobs=1, **given)
    data = make(), y, weights
    quietly(model.fit, *data)
    assert not spread
    again = clone(model).set_params(n_jobs=n_jobs)
    quietly(again.fit, *data)
    assert_same_fit(again, model)
    assert any(spread) == (given.get("solver") != "lm")
    assert n_threads() == 0


def test_an_activation_of_ones_own_comes_back_as_itself(spread):
    own, sizes = Softsign(), {"n_estimators": 2, "n_hidden": 3, "max_iter": 20}
    given = {"activation": own, "encoding": None, **sizes}
    models = [small(n_jobs=n, **given) for n in (1, 2)]
    for model in models:
        quietly(model.fit, X, NUMBERS)
    assert any(spread)
    assert_same_fit(*models)
    assert all(model.activation_ is own for model in models)


@pytest.mark.parametrize("case", ["max_iter", "gd"])
def test_a_fork_to_so_many_steps_is_begun_once(case, spread, monkeypatch):
    origins, begun, forked = {}, defaultdict(set), Trial._forked

    def noted(trial, recipe, at):
        fork = forked(trial, recipe, at)
        origins[fork] = trial, recipe, at
        return fork

    class Leg(crews._Leg):
        def __init__(self, contender, n_steps):
            super().__init__(contender, n_steps)
            if contender in origins:
                begun[origins[contender], n_steps].add(contender)

    monkeypatch.setattr(Trial, "_forked", noted)
    monkeypatch.setattr(crews, "_Leg", Leg)
    Estimator, make, y, given = CASES[case]
    quietly(Estimator(random_state=0, n_jobs=2, **given).fit, make(), y)
    assert begun
    assert all(len(forks) == 1 for forks in begun.values())


def small(**given):
    return ShallowNNRegressor(random_state=0, **{"max_iter": 4, "n_jobs": 2, **given})


def test_a_context_of_joblib_gives_the_jobs(spread):
    with joblib.parallel_config("threading", n_jobs=2):
        quietly(clone(small()).set_params(n_jobs=None).fit, X, NUMBERS)
    assert spread


@pytest.mark.slow
@pytest.mark.parametrize("case", ["numbers", "frame", "sparse", "sgd"])
def test_the_bits_of_processes_are_those_of_one_core(case, processes):
    Estimator, make, y, given = CASES[case]
    models = [Estimator(random_state=0, n_jobs=n, **given) for n in (1, 2)]
    for model in models:
        quietly(model.fit, make(), y)
    assert_same_fit(*models)
    assert any(processes)


class Homesick(ReLU):
    """Works in this process alone."""

    def __init__(self, what_else):
        object.__setattr__(self, "home", os.getpid())
        object.__setattr__(self, "what_else", what_else)

    def forward(self, Z, out=None):
        if os.getpid() != self.home:
            self.what_else()
        return super().forward(Z, out)


def no_number():
    raise ZeroDivisionError


def end():
    os._exit(1)


def test_without_room_for_a_file_all_is_done_here(tmp_path, spread, monkeypatch):
    monkeypatch.setattr(crews, "Workers", Workers)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    one, other = small(n_jobs=1), small()
    quietly(one.fit, X, NUMBERS)
    with pytest.warns(UserWarning, match="Other processes could not train"):
        other.fit(X, NUMBERS)
    assert_same_fit(other, one)


def test_threads_that_ask_at_once_have_the_same_processes(monkeypatch):
    make, asked = workers.ProcessPoolExecutor, []

    def ask():
        asked.append(workers._executor(99))

    def overtaken(*args, **kwargs):
        monkeypatch.setattr(workers, "ProcessPoolExecutor", make)
        other = threading.Thread(target=ask)
        other.start()
        other.join()
        return make(*args, **kwargs)

    monkeypatch.setattr(workers, "_executors", {})
    monkeypatch.setattr(workers, "ProcessPoolExecutor", overtaken)
    ask()
    assert len(asked) == 2
    assert asked[0] is asked[1]


def test_who_is_interrupted_leaves_the_processes_of_others(monkeypatch):
    monkeypatch.setattr(workers, "_executors", {})
    mine, others = workers._executor(98), workers._executor(99)
    Workers(98).end(in_peace=False)
    assert workers._executor(98) is not mine
    assert workers._executor(99) is others


def test_who_cannot_be_told_to_stop_goes_on(tmp_path):
    flag = Flag(tmp_path / "missing" / "1.flag")
    flag.set()
    assert not flag.is_set()


@pytest.mark.slow
@pytest.mark.parametrize("what_else", [no_number, end])
def test_what_workers_cannot_do_is_done_here(what_else, processes):
    model = small(activation=Homesick(what_else), n_hidden=5)
    with pytest.warns(UserWarning, match="Other processes could not train"):
        model.fit(X, NUMBERS)
    assert processes
    assert not any(processes)
    other = quietly(small(activation="relu", n_hidden=5, n_jobs=1).fit, X, NUMBERS)
    assert_array_equal(model.coefs_[0], other.coefs_[0])
    quietly(small(n_hidden=5).fit, X, NUMBERS)
    assert any(processes), "the next fit has no workers"


def test_processes_that_cannot_start_are_done_without(spread, monkeypatch):
    def refused(*_):
        raise OSError("no more processes")

    monkeypatch.setattr(Noted, "_submitted", refused)
    monkeypatch.setattr(crews, "Workers", Noted)
    with pytest.warns(UserWarning, match="no more processes"):
        model = small(n_hidden=5).fit(X, NUMBERS)
    other = quietly(small(n_hidden=5, n_jobs=1).fit, X, NUMBERS)
    assert_array_equal(model.coefs_[0], other.coefs_[0])


def test_after_an_error_no_process_is_asked_again():
    class Refusing(Workers):
        n_asked = 0

        def _submitted(self, *_):
            self.n_asked += 1
            raise OSError

    contender = SimpleNamespace(
        **{"ground": ((), None, None), "work": 1, "packed": lambda: None},
        **{"has_reached": lambda n: False, "next_stop": lambda n, n_least: n},
    )
    workers = Refusing(1)
    workers.begin()
    assert workers.train(contender, 5, workers.flag()) is None
    assert workers.n_asked == 1
    workers.end(in_peace=True)


def test_what_no_pickle_holds_stays_here(spread):
    class Locked(ReLU):
        def __init__(self):
            object.__setattr__(self, "door", threading.Lock())

        def __deepcopy__(self, memo):
            return self

    with pytest.warns(UserWarning, match="pickle"):
        small(activation=Locked()).fit(X, NUMBERS)


def test_rows_that_are_made_stay_here(spread, monkeypatch):
    monkeypatch.setattr(design, "_LARGEST", 0)
    quietly(small(solver="adam", encoding=None, n_hidden=5).fit, X, NUMBERS)
    assert not spread


class Failing(ReLU):
    """Raises after some calls."""

    def __init__(self, error):
        object.__setattr__(self, "error", error)
        object.__setattr__(self, "calls", count())

    def __deepcopy__(self, memo):
        return self

    def forward(self, Z, out=None):
        if next(self.calls) > 3:
            raise self.error
        return super().forward(Z, out)


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt()])
def test_an_error_in_training_leaves_the_estimator_as_it_was(error, spread):
    model = small(activation=Failing(error))
    before = dict(vars(model))
    with pytest.raises(type(error)):
        model.fit(X, NUMBERS)
    assert vars(model) == before
    assert n_threads() == 0


def test_what_is_printed_is_in_the_same_order(spread, capsys):
    for n_jobs in (1, 2):
        quietly(small(verbose=True).set_params(n_jobs=n_jobs).fit, X, NUMBERS)
    lines = capsys.readouterr().out.splitlines()
    half = len(lines) // 2
    assert lines[:half] == lines[half:]
    assert half > 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n"), [("contender", 2), ("contender", 9), ("round", 1)]
)
def test_who_stops_a_race_stops_it_where_it_would_on_one_core(name, n, spread):
    pytest.importorskip("sklearn.callback")
    from test_callbacks import Asking, Stopping

    def fitted(n_jobs):
        asking, model = Asking(), ShallowNNRegressor(random_state=0, n_jobs=n_jobs)
        model.set_callbacks(asking, Stopping(name, n)).fit(X, NUMBERS)
        return model, asking

    (one, told), (other, retold) = fitted(1), fitted(2)
    assert spread
    assert_same_fit(other, one)
    assert {k: len(v) for k, v in told.models.items()} == {
        k: len(v) for k, v in retold.models.items()
    }
    for task, outputs in told.outputs.items():
        assert_array_equal(outputs, retold.outputs[task])


@pytest.mark.slow
def test_callbacks_are_told_the_same_from_one_thread(tmp_path, spread):
    pytest.importorskip("sklearn.callback")
    from test_callbacks import Recorder

    class Here(Recorder):
        def _note(self, hook, context):
            assert threading.current_thread() is threading.main_thread()
            super()._note(hook, context)

    lines = []
    for n_jobs in (1, 2):
        recorder = Here(tmp_path / str(n_jobs))
        model = ShallowNNClassifier(random_state=0, n_jobs=n_jobs)
        model.set_callbacks(recorder).fit(X, LABELS)
        lines.append(recorder.lines())
    assert spread
    assert lines[0] == lines[1]


@pytest.mark.parametrize(
    ("hook", "name"),
    [("begin", "round"), ("begin", "contender"), ("end", "contender"), ("end", "race")],
)
def test_who_raises_leaves_the_estimator_as_it_was_and_no_threads(hook, name, spread):
    pytest.importorskip("sklearn.callback")
    from test_callbacks import Pruned, Raising

    raising = Raising(hook, name)
    model = small(n_hidden=4).set_callbacks(raising)
    before = dict(vars(model))
    with pytest.raises(Pruned):
        model.fit(X, NUMBERS)
    assert vars(model) == before
    assert raising.n_teardowns == 1
    assert n_threads() == 0
    raising.hook = None
    other = quietly(small(n_hidden=4).fit, X, NUMBERS)
    again = quietly(model.fit, X, NUMBERS)
    assert_array_equal(again.coefs_[0], other.coefs_[0])
    assert spread


def test_warnings_are_those_of_one_core(spread):
    found = []
    for n_jobs in (1, 2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            small(n_hidden=4).set_params(n_jobs=n_jobs).fit(X, NUMBERS)
        found.append([(w.category, str(w.message)) for w in caught])
    assert found[0] == found[1]
    assert all(category is not ConvergenceWarning for category, _ in found[0])
