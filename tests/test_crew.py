"""Crews: what is done ahead in other threads is what is done when it is asked for."""

import threading
import warnings
from contextlib import suppress
from contextvars import ContextVar, copy_context
from time import monotonic, sleep

import joblib
import numpy as np
import pytest
from _curves import quietly, two_curves
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sk_shallow import Activation, ReLU, ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._choice.race import Race
from sk_shallow._solvers import SOLVERS
from sk_shallow._training import crew as crews
from sk_shallow._training.crew import LEAST_WORK, Alone, Crew, crew_of

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

    work, is_over = LEAST_WORK, False

    def __init__(self, recipe, log, n_steps=0, n_operations=0, script=None):
        self.recipe, self.log, self.n_steps = recipe, log, n_steps
        self.n_operations, self.script, self.n_legs = n_operations, script, 0

    def leg(self, n_steps, is_enough=lambda: False):
        self.n_legs += 1
        assert self.n_legs == 1, "what has been trained ahead is trained again"

        def go():
            self.log.append(("begin", self.n_operations))
            has_ended = self.script is None or self.script(is_enough)
            self.log.append(("end", self.n_operations))
            return n_steps if has_ended else None

        return go

    def become(self, n_steps):
        before, self.n_steps = self.n_steps, max(self.n_steps, n_steps)
        self.n_legs = 0
        return self.n_steps - before

    def advance_to(self, n_steps):
        return self.become(self.leg(n_steps)())

    def fork(self, recipe):
        return type(self)(recipe, self.log, self.n_steps // 2)

    def future_fork(self, recipe, n_steps):
        return self.fork(recipe)


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
    with Crew(3) as crew:
        crew.foresee((toy, 10) for toy in toys)
        assert [crew.advance(toy, 10) for toy in toys] == [10] * 6
    depth = np.cumsum([1 if hook == "begin" else -1 for hook, _ in log])
    assert depth.max() == 3
    assert n_threads() == 0


def test_what_was_not_foreseen_or_is_small_is_trained_where_it_is_asked_for():
    here, seen = threading.get_ident(), []

    def note(_):
        seen.append(threading.get_ident())
        return True

    small, large, other = (Toy(i, [], script=note) for i in range(3))
    small.work = LEAST_WORK / 2
    with Crew(2) as crew:
        crew.foresee([(small, 5), (large, 5)])
        assert [crew.advance(toy, 5) for toy in (small, large, other)] == [5] * 3
    assert seen.count(here) == 2
    assert len(set(seen)) == 2


def test_what_is_over_is_not_trained_ahead():
    toy = Toy(0, [])
    toy.is_over = True
    with Crew(2) as crew:
        crew.foresee([(toy, 5)])
    assert toy.n_legs == 0


def test_the_queue_is_in_the_order_of_the_last_foresight():
    log, is_open = [], threading.Event()
    first = Toy("first", [], script=lambda _: is_open.wait(SECONDS))
    toys = [Toy(i, log, n_operations=i) for i in range(4)]
    with Crew(1) as crew:
        crew.foresee([(first, 1), *((toy, 1) for toy in toys)])
        crew.foresee([(first, 1), *((toy, 1) for toy in reversed(toys[:3]))])
        is_open.set()
        for toy in (first, *toys[:3]):
            crew.advance(toy, 1)
    assert [number for hook, number in log if hook == "begin"] == [2, 1, 0]


def until_paused(is_paused):
    assert becomes_true(is_paused), "nobody has paused it"


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_at_the_end_nothing_is_under_way(error):
    log = []
    toy = Toy(0, log, script=until_paused)
    with suppress(KeyboardInterrupt), Crew(2) as crew:
        crew.foresee([(toy, 10)])
        assert becomes_true(lambda: log)
        if error is not None:
            raise error
    assert [hook for hook, _ in log] == ["begin", "end"]
    assert toy.n_steps == 0
    assert n_threads() == 0


@pytest.mark.parametrize("again", [None, "soon", "late"])
def test_what_has_paused_goes_on_if_it_is_asked_for_after_all(again):
    log = []

    def twice(is_paused):
        is_first = len(log) == 1
        while is_first and again != "soon" and not is_paused():
            sleep(0.001)
        return None if is_first else True

    toy = Toy(0, log, script=twice)
    with Crew(2) as crew:
        crew.foresee([(toy, 10)])
        assert becomes_true(lambda: log)
        crew.foresee([])
        if again != "soon":
            assert becomes_true(lambda: len(log) == 2)
        if again is not None:
            crew.foresee([(toy, 10)])
        assert crew.advance(toy, 10) == 10
    assert [hook for hook, _ in log] == ["begin", "end"] * 2


def test_an_error_is_raised_where_the_work_is_asked_for():
    def failing(is_enough):
        raise ZeroDivisionError

    wrong, right = Toy(0, [], script=failing), Toy(1, [])
    with Crew(2) as crew:
        crew.foresee([(wrong, 1)])
        crew.foresee([(wrong, 1), (right, 1)])
        assert crew.advance(right, 1) == 1
        with pytest.raises(ZeroDivisionError):
            crew.advance(wrong, 1)


def test_the_context_of_the_caller_holds_in_the_threads():
    seen, word = [], ContextVar("word", default="none")

    def note(_):
        seen.append(word.get())
        return True

    def advance():
        word.set("mine")
        toy = Toy(0, [], script=note)
        with Crew(2) as crew:
            crew.foresee([(toy, 1)])
            crew.advance(toy, 1)

    copy_context().run(advance)
    assert seen == ["mine"]


def test_large_products_and_small_ones_are_never_under_way_at_once():
    log = []
    toys = [
        Toy(i, log, 0, 1e12 * (i % 3 == 0), lambda _: sleep(0.002) is None)
        for i in range(30)
    ]
    with Crew(4) as crew:
        crew.foresee((toy, 1) for toy in toys[::2])
        for toy in toys:
            crew.advance(toy, 1)
    under_way = {0: 0, 1e12: 0}
    for hook, n_operations in log:
        under_way[n_operations] += 1 if hook == "begin" else -1
        assert min(under_way.values()) == 0
    assert len(log) == 60


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 5),
    n_workers=st.integers(1, 3),
    allowance=st.sampled_from([100, 400, 1500, np.inf]),
)
def test_a_race_with_a_crew_is_the_race_without(seed, n, n_workers, allowance):
    class Runner(Toy):
        patience = int(np.random.default_rng(seed).integers(50, 3000))

        @property
        def losses(self):
            own = np.random.default_rng([seed, self.recipe.number, self.n_steps])
            return own.random() / (1 + self.n_steps) + 1e-3 * own.random(20)

        @property
        def weights(self):
            return np.ones(20)

        @property
        def is_over(self):
            return self.n_steps >= self.patience

    class Recipe(tuple):
        number = property(lambda self: self[0])
        names = property(lambda self: {"number": self[0]})

    def moved(steps):
        return lambda recipe: [
            Recipe([recipe.number + step])
            for step in steps
            if 0 <= recipe.number + step < 100
        ]

    def run(crew):
        with crew:
            race = Race(lambda r: Runner(r, []), allowance, crew=crew)
            first = [Recipe([20 * i]) for i in range(n)]
            winner = race.run(first, moved((1, -1)), moved((3, -3)))
        return winner.recipe, winner.n_steps, race.table()

    assert run(Crew(n_workers)) == run(Alone())


def test_n_jobs_is_what_joblib_understands():
    assert isinstance(crew_of(None), Alone)
    assert not isinstance(crew_of(1), Crew)
    assert isinstance(crew_of(2), Crew)
    assert isinstance(crew_of(-1), Crew) == (joblib.cpu_count() > 1)
    with joblib.parallel_config("threading", n_jobs=2):
        assert isinstance(crew_of(None), Crew)
        assert not isinstance(crew_of(1), Crew)
    with joblib.parallel_config("loky", n_jobs=2):
        assert not isinstance(crew_of(None), Crew)
        assert isinstance(crew_of(2), Crew)


def is_spread(n_jobs):
    return isinstance(crew_of(n_jobs), Crew)


@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)]
)
def test_a_fit_that_is_a_job_itself_has_one_thread_unless_it_asks_for_more(backend):
    run = joblib.Parallel(n_jobs=2, backend=backend)
    assert run(joblib.delayed(is_spread)(n) for n in (None, 2)) == [False, True]


# Fits.


@pytest.fixture
def spread(monkeypatch):
    """Whatever the size of its steps, a contender is trained ahead; the threads' names.

    None has a crew of its own: that several have been there is for a test to see.
    """
    seen = set()
    through = crews._Lanes.through

    def noted(self, *args):
        seen.add(threading.current_thread().name)
        return through(self, *args)

    monkeypatch.setattr(crews, "LEAST_WORK", 0)
    monkeypatch.setattr(crews._Lanes, "through", noted)
    return seen


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
    assert bool(spread) == (given.get("solver") != "lm")
    assert n_threads() == 0


def small(**given):
    return ShallowNNRegressor(random_state=0, n_jobs=2, max_iter=4, **given)


def test_a_context_of_joblib_gives_the_jobs(spread):
    with joblib.parallel_config("threading", n_jobs=2):
        quietly(clone(small()).set_params(n_jobs=None).fit, X, NUMBERS)
    assert spread


def test_small_steps_are_not_spread():
    class Watched(Activation):
        seen = set()  # noqa: RUF012

        def forward(self, Z, out=None):
            self.seen.add(threading.get_ident())
            return ReLU().forward(Z, out)

        def slope(self, A, out=None):
            return ReLU().slope(A, out)

    quietly(small(activation=Watched(), n_hidden=3).fit, X, NUMBERS)
    assert Watched.seen == {threading.get_ident()}


class Failing(ReLU):
    """Raises after some calls, in a thread of the crew."""

    def __init__(self, error):
        object.__setattr__(self, "error", error)

    def __deepcopy__(self, memo):
        return self

    def forward(self, Z, out=None):
        if threading.current_thread().name.startswith("sk_shallow"):
            raise self.error
        return super().forward(Z, out)


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt()])
def test_an_error_in_a_thread_leaves_the_estimator_as_it_was(error, spread):
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
