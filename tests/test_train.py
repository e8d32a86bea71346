"""Training below the estimators: starts that race, penalties, curves."""

from dataclasses import dataclass, field
from math import ceil
from threading import Barrier, get_ident
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import ParallelBackendBase, parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from test_lm import objective_of

from sk_shallow._data.scaling import Standardizer
from sk_shallow._inference.laplace import posterior_of
from sk_shallow._model.layout import Layout
from sk_shallow._model.penalty import Penalty
from sk_shallow._solvers.lm import LevenbergMarquardt
from sk_shallow._solvers.result import Result
from sk_shallow._training.train import (
    Progress,
    Run,
    Watch,
    mean_curve,
    penalties,
    summary,
    train,
    train_on,
)

N_SAMPLES, LAYOUT, WATCH = 5, Layout(3, 2, 1), Watch(0.0, np.inf)
seeds = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Scripted:
    """θ is a number, how many iterations it has made, and the value that it has then.

    The value of the i-th start after n iterations is `script(i, n)`.
    """

    script: object
    max_iter: int | None = None
    log: list = field(default_factory=list)
    has_budget: bool = False
    n_starts: int = 3
    finds_alpha: bool = False

    @property
    def n_iter(self):
        return self.max_iter or 1000

    def n_operations(self, n_samples, layout):
        assert n_samples == N_SAMPLES
        return 0

    def solve(self, objective, theta, *, on_iteration, **_):
        self.log.append((int(theta[0]), self.n_iter))
        theta[1] += self.n_iter
        theta[2] = self.script(int(theta[0]), int(theta[1]))
        assert not on_iteration(theta, theta[2])
        return Result()


def race_of(n_starts, script, max_iter=None):
    """The run of so many starts, and which of them made how many iterations."""
    solver = Scripted(script, max_iter)
    objective = SimpleNamespace(penalty=None, value=lambda theta: theta[2])
    plan = SimpleNamespace(
        solver=solver, layout=None, objective=lambda samples, **_: objective
    )
    thetas = [np.array([i, 0.0, np.inf]) for i in range(n_starts)]
    samples = SimpleNamespace(X=np.empty((N_SAMPLES, 1)))
    (run,) = train(plan, samples, [thetas], [{}], None, [None], WATCH, None)
    return run, solver.log


def random_script(seed):
    return lambda i, n: float(np.random.default_rng([seed, i, n]).normal())


@given(seed=seeds, n_starts=st.integers(2, 12))
def test_the_best_quarter_goes_on_and_the_best_of_it_is_trained(seed, n_starts):
    script = random_script(seed)
    run, log = race_of(n_starts, script)
    order = sorted(range(n_starts), key=lambda i: script(i, 30))
    quarter = order[: ceil(n_starts / 4)]
    best = min(quarter, key=lambda i: script(i, 130))
    expected = [(i, 30) for i in range(n_starts)]
    assert log == [*expected, *[(i, 100) for i in quarter], (best, 1000)]
    assert_array_equal(run.theta, [best, 1130, script(best, 1130)])
    assert run.loss_curve == [run.loss] == [script(best, 1130)]


@pytest.mark.parametrize(
    ("max_iter", "rounds"),
    [(3, [3]), (30, [30]), (31, [30]), (100, [30]), (101, [30, 100])],
)
def test_the_rounds_are_shorter_than_the_training(max_iter, rounds):
    _, log = race_of(1 + 4 ** len(rounds), random_script(0), max_iter)
    assert sorted({n for _, n in log[:-1]}) == rounds
    assert log[-1][1] == max_iter


def test_one_start_does_not_race():
    _, log = race_of(1, random_script(0))
    assert log == [(0, 1000)]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_a_start_that_diverges_is_never_the_best(bad):
    run, _ = race_of(2, lambda i, n: 1.0 if i else bad)
    assert run.theta[0] == 1


def test_of_starts_that_rounding_does_not_tell_apart_the_first_is_the_best():
    run, _ = race_of(3, lambda i, n: 1.0 - 1e-9 * i)
    assert run.theta[0] == 0


def test_starts_of_lm_race_by_the_loss_and_the_penalty():
    objective, theta = objective_of("identity", 1, LAYOUT, 300.0)
    solver, starts = LevenbergMarquardt(max_iter=1), [theta, 3 * theta]
    values, likelihoods, ends = [], [], []
    for start in starts:
        end = start.copy()
        solver.solve(objective, end, on_iteration=lambda *_: False)
        likelihoods.append(objective.likelihood(end))
        values.append(likelihoods[-1] + objective.penalty.value(end))
        solver.solve(objective, end, on_iteration=lambda *_: False)
        ends.append(end)
    plan = SimpleNamespace(
        solver=solver, layout=LAYOUT, objective=lambda *_, **__: objective
    )
    (run,) = train(plan, objective, [starts], [{}], None, [None], WATCH, None)
    assert np.argmin(values) != np.argmin(likelihoods)
    assert_array_equal(run.theta, ends[int(np.argmin(values))])
    assert run.penalty is objective.penalty
    assert run.posterior.log_evidence == posterior_of(objective, run.theta).log_evidence


@given(st.lists(st.lists(st.floats(-9, 9), min_size=1, max_size=6), min_size=1))
def test_a_curve_that_has_ended_keeps_its_last_value(curves):
    length = max(map(len, curves))
    expected = [
        np.mean([curve[min(i, len(curve) - 1)] for curve in curves])
        for i in range(length)
    ]
    found = mean_curve(curves)
    assert isinstance(found, list)
    assert_allclose(found, expected, atol=1e-12)


FINDING, GIVEN = (
    SimpleNamespace(layout=LAYOUT, solver=SimpleNamespace(finds_alpha=finds))
    for finds in (True, False)
)


def test_alpha_that_is_given_stands_beside_a_share_of_the_samples():
    assert penalties(GIVEN, 6.0, 0.25, 3) == [{"alpha": 1.5}] * 3


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (2.0, [[2, 2]] * 2),
        (np.array([1.0, 2.0]), [[1, 2]] * 2),
        (np.arange(1.0, 5.0), [[1, 2, 3, 4]] * 2),
        (np.array([[1.0, 2.0], [3.0, 4.0]]), [[1, 2], [3, 4]]),
    ],
    ids=str,
)
def test_alpha_is_one_for_all_runs_or_a_row_for_each(alpha, expected):
    found = [
        one["penalty"].strengths(LAYOUT) for one in penalties(FINDING, alpha, 1, 2)
    ]
    assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("begin", "common", "each"),
    [
        (1.0, 1.0, [1, 1, 1, 1]),
        (7.0, 7.0, [7, 7, 7, 7]),
        (np.array([3.0, 5.0]), 5.0, [5, 5, 5, 5]),
        (np.array([1.0, 2.0, 3.0, 4.0]), 4.0, [1, 2, 3, 4]),
    ],
    ids=str,
)
def test_a_search_begins_from_what_was_found_or_from_the_alpha_of_W2(
    begin, common, each
):
    groups = {"evidence": ([common], [common] * 2), "ard": (each, each)}
    for alpha, (found, by_group) in groups.items():
        (one, other) = penalties(FINDING, alpha, 1.0, 2, begin)
        assert_array_equal(one["penalty"].alpha, found)
        assert_array_equal(other["penalty"].alpha, found)
        assert_array_equal(one["penalty"].strengths(LAYOUT), by_group)


def test_a_search_of_several_runs_begins_from_a_row_for_each():
    begin = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = [one["penalty"].alpha for one in penalties(FINDING, "ard", 1.0, 2, begin)]
    assert_array_equal(found, [[2] * 4, [4] * 4])
    found = [
        one["penalty"].alpha for one in penalties(FINDING, "evidence", 1.0, 2, begin)
    ]
    assert_array_equal(found, [[2], [4]])


def test_the_penalty_of_a_search_is_that_of_its_groups():
    theta = np.arange(1.0, 1 + LAYOUT.size)
    (one,) = penalties(FINDING, "ard", 1.0, 1, np.array([1.0, 2.0, 3.0, 4.0]))
    expected = Penalty.of(LAYOUT, [1.0, 2.0, 3.0, 4.0]).value(theta)
    assert one["penalty"].value(theta) == expected


# What the posteriors tell.


def runs_of(alphas, seed=0):
    """Runs that have ended with these α, and their posteriors."""
    rng = np.random.default_rng(seed)
    posteriors = [
        SimpleNamespace(
            log_evidence=rng.normal(),
            n_effective=rng.uniform(1, 9),
            noise_variance=rng.uniform(1, 2),
        )
        for _ in alphas
    ]
    layout = Layout(3, 2, 2)
    return posteriors, [
        Run(None, 0.0, [], [], Penalty.of(layout, alpha), posterior, None, None)
        for alpha, posterior in zip(alphas, posteriors, strict=True)
    ]


def told_of(runs, weight=7.0, has_noise=True, power=0):
    unit = SimpleNamespace(
        has_noise=has_noise, has_mean=has_noise, variance_power=power
    )
    coder = SimpleNamespace(output_unit=unit, per_output=lambda values: values)
    scale = np.array([2.0, 0.1])
    plan = SimpleNamespace(
        y=SimpleNamespace(scale=scale), layout=Layout(3, 2, 2), coder=coder
    )
    return summary(plan, runs, weight), scale


@pytest.mark.parametrize("n_runs", [1, 3])
def test_what_is_told_is_the_mean_over_the_runs_in_the_units_of_y(n_runs):
    posteriors, runs = runs_of([2.0] * n_runs)
    told, scale = told_of(runs)
    evidence = np.mean([one.log_evidence for one in posteriors])
    assert told["log_evidence_"] == pytest.approx(evidence - 7 * np.log(scale).sum())
    effective = np.mean([one.n_effective for one in posteriors])
    assert told["n_effective_parameters_"] == pytest.approx(effective)
    noise = np.mean([one.noise_variance for one in posteriors])
    assert_allclose(told["noise_variance_"], noise * scale**2)
    for power in (1, 2):
        told_of_power, _ = told_of(runs, power=power)
        expected = noise * scale ** (2 - power)
        assert_allclose(told_of_power["noise_variance_"], expected)
    assert told["_posteriors"] == posteriors
    assert "feature_relevance_" not in told
    assert "noise_variance_" not in told_of(runs, has_noise=False)[0]


@pytest.mark.parametrize(
    ("alphas", "expected"),
    [
        ([2.0], 2.0),
        ([[2.0, 2.0]], 2.0),
        ([[2.0, 3.0]], [2, 3]),
        ([[1.0, 2.0, 3.0, 4.0]], [1, 2, 3, 4]),
        ([2.0, 2.0], [[2, 2], [2, 2]]),
        ([[1.0, 2.0], [3.0, 4.0]], [[1, 2], [3, 4]]),
    ],
    ids=str,
)
def test_alpha_is_told_as_simply_as_it_can_be_given_again(alphas, expected):
    found = told_of(runs_of(alphas)[1])[0]["alpha_"]
    assert isinstance(found, type(expected) if np.isscalar(expected) else np.ndarray)
    assert_array_equal(found, expected)


def test_the_relevance_of_a_feature_is_its_share_of_the_prior_variances():
    alphas = np.random.default_rng(0).uniform(1, 9, (2, 4))
    found = told_of(runs_of(alphas)[1])[0]["feature_relevance_"]
    assert found.sum() == pytest.approx(1)
    variances = (1 / alphas[:, :3]).sum(axis=0)
    assert_allclose(found / found[0], variances / variances[0])


@pytest.mark.parametrize("is_stream", [True, False])
def test_later_samples_come_on_top_of_the_earlier_ones(is_stream):
    rng = np.random.default_rng(0)
    X, w = rng.normal(3, 2, (30, 2)), rng.uniform(1, 3, 30)
    parts = slice(10), slice(10, None), slice(None)
    scalers = [Standardizer.of(X[rows], w[rows]) for rows in parts]
    first, second, whole = (
        Progress(rng, w[rows].sum(), x, x, is_stream)
        for rows, x in zip(parts, scalers, strict=True)
    )
    both = second._replace(is_stream=not is_stream, solver_state=5).after(first)
    assert both.is_stream == is_stream
    assert both.solver_state == 5
    assert both.weight == pytest.approx(whole.weight)
    assert both.n_before == (both.weight if is_stream else np.inf)
    for found in (both.x, both.y):
        assert_allclose(found.mean, whole.x.mean)
        assert_allclose(found.scale, whole.x.scale)


def test_before_the_first_step_these_samples_are_all_and_no_stream():
    data, plan = SimpleNamespace(weights=np.arange(4)), SimpleNamespace(x=1, y=2)
    progress = Progress.of(SimpleNamespace(data=data), plan, None)
    assert progress[1:] == (6.0, 1, 2, False, None)
    assert progress.n_before == np.inf


class Elsewhere(ParallelBackendBase):
    """Like those of clusters, it takes whatever joblib's Parallel is given."""

    def effective_n_jobs(self, n_jobs):
        return 2

    def configure(self, n_jobs=1, **others):
        raise AssertionError("a run went to the backend")

    def submit(self, func, callback=None):
        raise NotImplementedError


@pytest.mark.parametrize(("n_runs", "n_jobs"), [(1, None), (1, 2), (2, 1)])
def test_a_run_that_has_no_company_stays_here(n_runs, n_jobs):
    plan = SimpleNamespace(
        solver=Scripted(lambda i, n: 0.0),
        layout=None,
        objective=lambda samples: SimpleNamespace(
            penalty=None, value=lambda theta: theta[2]
        ),
    )
    starts = [[np.array([i, 0.0, np.inf])] for i in range(n_runs)]
    jobs = starts, [{}] * n_runs, None, [None] * n_runs
    samples = SimpleNamespace(X=np.empty((N_SAMPLES, 1)))
    with parallel_config(Elsewhere()):
        runs = train(plan, samples, *jobs, WATCH, n_jobs)
    assert [run.theta[0] for run in runs] == list(range(n_runs))


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_every_run_has_its_start_its_penalty_and_as_many_threads_as_jobs(n_jobs):
    meeting, objectives, threads = Barrier(2, timeout=60), [], set()

    def script(i, n):
        if n_jobs == 2:
            meeting.wait()
        threads.add(get_ident())
        return 0.0

    def objective_of_run(samples, **penalty):
        objectives.append(penalty)
        return SimpleNamespace(penalty=None, value=lambda theta: theta[2])

    plan = SimpleNamespace(
        solver=Scripted(script), layout=None, objective=objective_of_run
    )
    starts = [[np.array([i, 0.0, np.inf])] for i in range(2)]
    jobs = starts, [{"alpha": i} for i in range(2)], None, [None] * 2
    samples = SimpleNamespace(X=np.empty((N_SAMPLES, 1)))
    with parallel_config("threading"):
        runs = train(plan, samples, *jobs, WATCH, n_jobs)
    assert [run.theta[0] for run in runs] == [0, 1]
    assert sorted(one["alpha"] for one in objectives) == [0, 1]
    assert (threads == {get_ident()}) == (n_jobs != 2)


class Restarting(Scripted):
    """Improves once, waits, and starts again."""

    def solve(self, objective, theta, *, on_iteration, rng, state, on_restart, **_):
        assert (rng, state) == ("rng", "state")
        for i, loss in enumerate([1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0]):
            if i == 3:
                on_restart()
            theta[0] = i
            self.log.append(on_iteration(theta, loss))
        return Result("after", "message")


def test_a_restart_renews_the_patience_and_the_best_iterate_is_kept():
    solver = Restarting(None)
    objective = SimpleNamespace(penalty=None)
    plan = SimpleNamespace(
        solver=solver, layout=None, objective=lambda *_, **__: objective
    )
    samples = SimpleNamespace(X=np.empty((N_SAMPLES, 1)))
    jobs = [[np.array([-1.0])]], [{}], "state", ["rng"]
    (run,) = train(plan, samples, *jobs, Watch(0.0, 3), None)
    assert solver.log == [False] * 6 + [True]
    assert run.theta == [0]
    assert run.loss == 1.0
    assert run.loss_curve == run.values == [1, 2, 2, 3, 3, 3, 3]
    assert (run.state, run.message) == ("after", "message")


# From a plan of a committee to the starts of each run.


class Planned:
    """A plan of some members, each in a run of its own or all in one, and what it saw.

    Its θ is the number of the weights that were drawn.
    """

    def __init__(self, n_members=1, together=False, **options):
        self.layout = Layout(1, 1, 1, n_members)
        self.of_run = self
        if not together:
            self.of_run = SimpleNamespace(layout=self.layout.member)
        self.of_run.solver = Scripted(random_script(0), **options)
        self.of_run.samples = lambda data: SimpleNamespace(X=data.X, Y=data.X)
        self.of_run.joined = self.joined
        self.of_run.objective = self.objective
        self.of_run.x = self.of_run.y = Standardizer.identity(1)
        self.of_run.coder = SimpleNamespace(units=lambda y: y)
        self.n_runs = 1 if together else n_members
        self.n_drawn, self.shown, self.penalties = 0, [], []

    def first(self, plan, rngs):
        assert len(rngs) == self.layout.n_members
        self.n_drawn += 1
        return self.n_drawn - 1

    def joined(self, weights, dtype):
        self.shown.append(weights)
        number = weights if isinstance(weights, int) else 0
        return [np.array([number, 0.0, np.inf]) for _ in range(self.n_runs)]

    def objective(self, samples, **penalty):
        self.penalties.append(penalty)
        return SimpleNamespace(penalty=None, value=lambda theta: theta[2])

    def train(self, members=None, validate=None, weight=5.0, **options):
        data = SimpleNamespace(weights=np.ones(N_SAMPLES), X=np.ones((N_SAMPLES, 1)))
        problem = SimpleNamespace(
            data=data, first=self.first, samples=lambda plan, _: plan.samples(data)
        )
        progress = Progress(np.random.default_rng(0), weight, None, None)
        watch = Watch(0.0, np.inf, validate)
        common = {"alpha": 6.0, "progress": progress, **options}
        return train_on(self, problem, None, members, watch, None, **common)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("n_members", [1, 2, 3])
@pytest.mark.parametrize("is_validated", [False, True])
@pytest.mark.parametrize(
    ("max_iter", "has_budget", "is_free"),
    [(None, False, True), (50, True, True), (50, False, False)],
)
def test_one_run_has_several_starts_if_its_iterations_are_free(
    together, n_members, is_validated, max_iter, has_budget, is_free
):
    plan = Planned(n_members, together, max_iter=max_iter, has_budget=has_budget)
    validate = (lambda theta: 0.0) if is_validated else None
    runs = plan.train(validate=validate)
    assert len(runs) == len(plan.penalties) == plan.n_runs
    races = plan.n_runs == 1 and is_free and not is_validated
    assert plan.n_drawn == len(plan.shown) == (3 if races else 1)


@pytest.mark.parametrize("weight", [5.0, 20.0])
def test_alpha_stands_beside_the_share_of_these_samples(weight):
    plan = Planned(2)
    plan.train(weight=weight)
    assert plan.penalties == [{"alpha": 6 * 5 / weight}] * 2


@pytest.mark.parametrize("is_stream", [False, True])
def test_members_go_on_in_the_units_of_what_they_have_seen(is_stream):
    rng, plan = np.random.default_rng(0), Planned(2)
    x = Standardizer.of(rng.normal(3, 2, (9, 1)), None)
    y = Standardizer.of(rng.normal(-1, 9, (9, 1)), None)
    if not is_stream:
        plan.of_run.x, plan.of_run.y = x, y
    earlier = Progress(rng, 9.0, x, y, True) if is_stream else None
    one, other = ([rng.normal(size=(1, 1)) for _ in range(4)] for _ in range(2))
    no_path = np.zeros((0, 1))
    members = [(b1[0], W1, W2, b2[0], no_path) for b1, W1, W2, b2 in (one, other)]
    plan.train(members, earlier=earlier)
    assert plan.n_drawn == 0
    (shown,) = plan.shown
    X = rng.normal(size=(7, 1))
    for (b1, W1, W2, b2, _), (c1, V1, V2, c2, _) in zip(members, shown, strict=True):
        Z1, standardised = X @ W1 + b1, (X - x.mean) / x.scale
        assert_allclose(standardised @ V1 + c1, Z1)
        output = np.tanh(Z1) @ V2 + c2
        assert_allclose(output * y.scale + y.mean, np.tanh(Z1) @ W2 + b2)
