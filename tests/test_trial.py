"""A trial, of toys whose held-out loss is a function of the steps alone."""

from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sk_shallow._choice.race import is_behind
from sk_shallow._inference.residuals import Residuals, holders_of, means_of
from sk_shallow._model.layout import Layout
from sk_shallow._model.losses import LOSSES
from sk_shallow._model.member_weights import MemberWeights
from sk_shallow._model.output_activations import number_unit
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow._training.plan import Samples
from sk_shallow._training.recipe import AS_THEY_ARE, Recipe
from sk_shallow._training.trial import Trial
from sk_shallow.activations import ACTIVATIONS

N_SAMPLES, N_MEMBERS, PER_EPOCH = 12, 3, 4
WEIGHTS = np.arange(1.0, 1 + N_SAMPLES)
# A sample that two members see, and two samples that all see.
FOLDS = np.append(np.arange(N_SAMPLES - 2) % N_MEMBERS, [-1, -1])
UNSEEN = np.arange(N_MEMBERS)[:, None] == FOLDS
JUDGED = FOLDS >= 0

any_kind = pytest.mark.parametrize("together", [False, True])


class Descent:
    """Its θ is the number of steps, and its number is in its curve."""

    def __init__(self, number, objective, theta):
        self.number, self.objective, self.iterate = number, objective, theta
        self.n_steps, self.loss_curve = 0, []

    @property
    def n_epochs(self):
        return self.n_steps // PER_EPOCH

    def advance(self, n_steps, is_enough=lambda: False):
        n_steps = min(n_steps, 2) if is_enough() else n_steps
        self.n_steps += n_steps
        self.iterate += n_steps
        new = range(len(self.loss_curve), self.n_epochs)
        self.loss_curve.extend(100.0 * self.number + epoch for epoch in new)
        return n_steps

    def fork(self, objective):
        other = deepcopy(self)
        other.objective = objective
        return other


class Solver(SimpleNamespace):
    """A recipe with it can be looked up."""

    __hash__ = object.__hash__


@dataclass
class Objective:
    """The loss of a sample is its own number times a function of the steps and α."""

    samples: Samples
    alpha: float
    script: Any
    log: list
    n_samples, has_parts = N_SAMPLES, False
    loss = OUTPUT_UNITS["identity"]
    own = 1 + np.sin(np.arange(N_SAMPLES)) / 2

    @property
    def Y(self):
        return self.samples.Y

    def held_out_outputs(self, theta):
        n_members = len(self.samples.sample_weight)
        unseen = self.samples.sample_weight[..., :] == 0
        assert_array_equal(unseen, UNSEEN[:n_members])
        assert len(np.unique(theta)) == 1
        self.log.append(int(theta[0]))
        loss = self.script(int(theta[0]), self.alpha)
        error = np.sqrt(2 * loss * self.own)
        return (self.Y + error)[:, self.samples.sample_weight.judged]

    def outputs(self, theta, rows):
        shape = (N_MEMBERS, *self.Y.shape)
        Z2 = theta[0] / 1000 * np.arange(float(np.prod(shape))).reshape(shape)
        return Z2[..., rows]

    def value(self, theta):
        return -float(theta[0])


def trial_of(script, max_iter=None, together=False, Y=None, n_members=N_MEMBERS):
    """A trial, and the steps at which its objective was asked."""
    log = []
    layout, unseen = Layout(2, 3, 1, n_members), UNSEEN[:n_members]
    per_run = layout if together else layout.member
    begun = []

    def begin(objective, thetas, rng):
        assert len(thetas) == 2
        number = len(begun) % n_members
        expected = WEIGHTS * ~unseen
        expected = expected if together else expected[number]
        found = objective.samples.sample_weight
        assert_array_equal(found[...] if together else found, expected)
        begun.append(Descent(number, objective, thetas[0]))
        return begun[-1]

    solver = Solver(
        max_iter=max_iter,
        trains_together=together,
        n_starts=2,
        begin=begin,
        n_operations=lambda *_: 0,
        rows_of_step=lambda n: n / PER_EPOCH,
        most_steps=lambda n: max_iter * PER_EPOCH,
    )
    recipe = Recipe(solver, 3, ACTIVATIONS["tanh"], AS_THEY_ARE, 1.0, 1)
    Y = np.sin(np.arange(N_SAMPLES))[None] if Y is None else Y
    plan = SimpleNamespace(
        layout=layout,
        solver=solver,
        y=SimpleNamespace(scale=np.array([5.0])),
        coder=SimpleNamespace(
            output_unit=OUTPUT_UNITS["identity"], by_output=lambda values: values
        ),
        joined=lambda weights, dtype: [
            np.zeros(per_run.size, dtype) for _ in range(1 if together else n_members)
        ],
    )
    plan.of_run = plan.one = plan
    plan.objective = lambda samples, alpha: Objective(samples, alpha, script, log)

    def plan_of(recipe):
        assert recipe.n_members == n_members
        return plan

    problem = SimpleNamespace(
        data=SimpleNamespace(n_samples=N_SAMPLES, weights=WEIGHTS, y=None),
        first_bias=Y[:, 0],
        range=None,
        plan=plan_of,
        samples=lambda plan, binning: Samples(None, Y, WEIGHTS),
        rngs=lambda n: [None] * (n + 1),
        first=lambda plan, rngs: list(rngs),
    )
    return Trial(recipe, problem, MemberWeights.of(unseen, WEIGHTS)), log


def mean_own():
    return np.average(Objective.own[JUDGED], weights=WEIGHTS[JUDGED])


def falling(n_steps, alpha):
    return alpha / n_steps


def level(n_steps, alpha):
    return 0.01


@any_kind
def test_it_is_judged_often_and_wherever_it_is_asked_to_stand(together):
    trial, log = trial_of(falling, together=together)
    for n_steps in (7, 100, 100, 90, 400):
        trial.advance_to(n_steps)
        assert log[-1] == trial.n_steps == max(n_steps, log[-1])
        assert {descent.n_steps for descent in trial._descents} == {trial.n_steps}
    assert {7, 100, 400} <= set(log)
    assert log == sorted(set(log))
    for before, after in pairwise([0, *log]):
        assert after <= max(before + 25, ceil(before * sqrt(2)), 25)
    assert len(log) < 15


def shown(trial):
    """What a race sees of a trial."""
    rest = trial.n_steps, trial.is_over, trial.best, trial.run().loss_curve
    return *rest, trial._path, list(trial._ways_back)


@any_kind
def test_a_trial_that_is_trained_ahead_is_what_it_was_until_it_becomes_the_other(
    together,
):
    (trial, log), (other, expected) = (trial_of(falling, None, together) for _ in "ab")
    for one in (trial, other):
        one.advance_to(100)
    draws, before = np.random.default_rng(0), shown(trial)
    go, n_pauses = trial.leg(400, lambda: draws.random() < 0.5), 0
    while (later := go()) is None:
        n_pauses += 1
        assert repr(shown(trial)) == repr(before)
    assert n_pauses > 1
    assert repr(shown(trial)) == repr(before)
    assert trial.become(later) == other.advance_to(400)
    assert repr(shown(trial)) == repr(shown(other))
    assert log == expected


@any_kind
@given(seed=st.integers(0, 2**31), n=st.sampled_from([100, 200, 400]))
def test_forks_that_were_foreseen_are_those_that_there_are(together, seed, n):
    script = lambda n, _: float(np.random.default_rng([seed, n]).uniform(1, 2))  # noqa: E731
    (trial, _), (other, _) = (trial_of(script, None, together) for _ in "ab")
    for one in (trial, other):
        one.advance_to(n)
    n, recipe = trial.n_steps, trial.recipe._replace(alpha=0.5)
    now = trial.future_fork(recipe, n)
    assert trial.future_fork(recipe, n) is now
    go, then = trial.leg(2 * n), {trial.future_fork(recipe, 2 * n)}
    assert trial.fork(recipe) is now
    assert now.n_steps == other.fork(recipe).n_steps
    later = go()
    then.add(trial.future_fork(recipe, 2 * n))  # there is more to tell it by
    trial.become(later)
    other.advance_to(2 * n)
    fork, expected = trial.fork(recipe), other.fork(recipe)
    assert fork in then or trial.n_steps < 2 * n
    for one in (fork, expected):
        one.advance_to(2 * n)
    assert fork._path == expected._path
    assert list(fork._ways_back) == list(expected._ways_back)
    assert repr(fork.best) == repr(expected.best)


@any_kind
@given(seed=st.integers(0, 2**31))
def test_the_best_checkpoint_is_kept_as_it_was(together, seed):
    script = lambda n, _: float(np.random.default_rng([seed, n]).uniform(1, 2))  # noqa: E731
    trial, log = trial_of(script, together=together)
    for n_steps in (100, 200):
        trial.advance_to(n_steps)
    losses = [script(n, 1.0) for n in log]
    best, n_steps = trial.best, log[int(np.argmin(losses))]
    assert best.n_steps == n_steps
    assert best.n_epochs == max(1, n_steps // PER_EPOCH)
    assert_array_equal(best.theta, np.full(trial.plan.layout.size, n_steps))
    assert_allclose(best.loss, min(losses) * mean_own())
    assert_allclose(trial.losses, min(losses) * Objective.own[JUDGED])
    assert_array_equal(trial.weights, WEIGHTS[JUDGED])
    # The curve is that of the mean run, up to there.
    first = 0.0 if together else 100.0 * np.mean(range(N_MEMBERS))
    run = trial.run()
    assert_array_equal(run.theta, best.theta)
    assert_array_equal(run.loss_curve, first + np.arange(n_steps // PER_EPOCH))
    assert run.loss == run.loss_curve[-1]


@any_kind
@pytest.mark.parametrize("n_members", [1, 2, 3])
def test_a_checkpoint_is_a_copy_of_all_members(together, n_members):
    trial, _ = trial_of(level, together=together, n_members=n_members)
    trial.advance_to(25)
    theta = trial.best.theta
    trial.advance_to(60)
    assert_array_equal(theta, np.full(Layout(2, 3, 1, n_members).size, 25))
    assert_array_equal(trial.weights, WEIGHTS[UNSEEN[:n_members].any(axis=0)])


def test_of_equal_checkpoints_the_first_is_kept():
    trial, log = trial_of(level)
    trial.advance_to(100)
    assert trial.best.n_steps == log[0]


def test_a_run_without_a_whole_epoch_tells_where_it_is():
    trial, _ = trial_of(falling)
    trial.advance_to(3)
    assert trial.best.n_epochs == 1
    assert trial.run().loss_curve == [-3.0]


@pytest.mark.parametrize("n_bad", [1, N_SAMPLES])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, 1.7e308])
def test_a_divergence_is_infinitely_bad_and_what_was_before_is_kept(bad, n_bad):
    losses = np.where(np.arange(N_SAMPLES) < n_bad, bad, 1.0)
    trial, _ = trial_of(lambda n, _: 1.0 if n <= 50 else losses)
    trial.advance_to(200)
    assert trial.best.n_steps <= 50
    assert_allclose(trial.best.loss, mean_own())
    trial, _ = trial_of(lambda *_: losses)
    trial.advance_to(100)
    assert trial.best.loss == np.inf
    assert_array_equal(np.isinf(trial.losses), np.arange(JUDGED.sum()) < n_bad)
    other, _ = trial_of(lambda *_: 1e9)
    other.advance_to(100)
    assert is_behind(trial, other)


@pytest.mark.parametrize("last", [25, 101, 150, 300])
def test_it_is_over_at_twice_the_steps_of_the_last_gain(last):
    trial, log = trial_of(lambda n, _: 1 / min(n, last))
    trial.advance_to(last)
    trial.advance_to(10**6)
    assert trial.is_over
    over = max(200, 2 * last)
    assert log[-1] >= over > log[-2]
    assert trial.advance_to(10**7) == 0


@pytest.mark.parametrize(("share", "is_gain"), [(0.0049, False), (0.0051, True)])
def test_a_gain_is_half_a_percent_of_the_last_and_small_ones_add_up(share, is_gain):
    def script(n_steps, _):
        return 1 - share * (n_steps >= 150)

    trial, _ = trial_of(script)
    trial.advance_to(150)
    trial.advance_to(10**6)
    assert (trial.n_steps >= 300) == is_gain
    trial, _ = trial_of(lambda n, _: 1 - 0.003 * (n >= 120) - 0.003 * (n >= 150))
    trial.advance_to(150)
    trial.advance_to(10**6)
    assert trial.n_steps >= 300


def test_while_the_loss_falls_it_goes_on():
    trial, _ = trial_of(falling)
    trial.advance_to(5000)
    assert trial.n_steps == 5000
    assert not trial.is_over


@pytest.mark.parametrize("max_iter", [1, 5, 60, 300])
@any_kind
def test_max_iter_ends_it(together, max_iter):
    trial, _ = trial_of(falling, max_iter, together)
    trial.advance_to(10**6)
    assert trial.is_over
    assert trial.n_steps == max_iter * PER_EPOCH
    assert not list(trial.complaints())


def test_the_work_is_that_of_all_members_for_each_step():
    trial, _ = trial_of(falling)
    rows = WEIGHTS.sum() / PER_EPOCH
    step = 6 * (2 + 40) * 3 * N_MEMBERS * rows
    assert trial.advance_to(70) == pytest.approx(70 * step)
    assert trial.advance_to(100) == pytest.approx(30 * step)
    assert trial.advance_to(50) == 0


@any_kind
@pytest.mark.parametrize(
    ("best", "way"), [(100, 50), (141, 50), (142, 100), (400, 200)]
)
def test_a_fork_goes_on_from_well_before_the_best(together, best, way):
    trial, log = trial_of(lambda n, a: abs(n - best) + a, together=together)
    for n_steps in sorted({50, 100, best, 200, 400}):
        trial.advance_to(n_steps)
    before = deepcopy(trial)
    n_asked = len(log)
    fork = trial.fork(trial.recipe._replace(alpha=0.5))
    assert fork.n_steps == way
    assert fork.best is None
    assert fork.recipe.alpha == 0.5
    assert not fork.is_over
    fork.advance_to(best)
    assert {descent.n_steps for descent in fork._descents} == {best}
    assert fork.best.loss == pytest.approx(0.5 * mean_own())
    assert all(n > way for n in log[n_asked:])
    for one in fork._descents:
        assert one.objective.alpha == 0.5
    # The origin has not moved, nor what it can be forked from.
    assert trial.n_steps == before.n_steps
    assert trial.best.loss == before.best.loss
    for one, other in zip(trial._descents, before._descents, strict=True):
        assert_array_equal(one.iterate, other.iterate)
        assert one.objective.alpha == 1.0
    assert trial.fork(trial.recipe).n_steps == way
    # A fork of a fork begins at the same place, or earlier.
    assert fork.fork(fork.recipe).n_steps == way


def test_without_a_way_back_a_fork_begins_afresh():
    trial, _ = trial_of(lambda n, _: float(abs(n - 60)))
    for n_steps in (50, 60, 100):
        trial.advance_to(n_steps)
    fork = trial.fork(trial.recipe._replace(alpha=0.5))
    assert fork.n_steps == 0
    assert fork.best is None
    assert fork.recipe.alpha == 0.5


def complaints(trial):
    return [category for category, _ in trial.complaints()]


# The loss of a constant, of the first output's bias.
def constant(trial):
    Y = trial._objective.Y[0, JUDGED]
    return 0.5 * np.average(Y**2, weights=WEIGHTS[JUDGED]) / mean_own()


@pytest.mark.parametrize(("share", "expected"), [(0.999, []), (1.001, [UserWarning])])
def test_what_is_no_better_than_a_constant_is_said(share, expected):
    size = constant(trial_of(level)[0])
    trial, _ = trial_of(lambda *_: share * size)
    trial.advance_to(400)
    assert trial.is_over
    assert complaints(trial) == expected


@pytest.mark.parametrize("values", [(5.0,), (0.0, 1.0)])
def test_a_constant_target_is_no_complaint(values):
    Y = np.repeat(np.array(values)[:, None], N_SAMPLES, axis=1)
    trial, _ = trial_of(lambda *_: 10.0, Y=Y)
    trial.advance_to(400)
    assert complaints(trial) == []


def test_of_a_target_that_varies_in_one_column_it_is_a_complaint():
    Y = np.array([np.zeros(N_SAMPLES), np.sin(np.arange(N_SAMPLES))])
    trial, _ = trial_of(lambda *_: 10.0, Y=Y)
    trial.advance_to(400)
    assert complaints(trial) == [UserWarning]


@pytest.mark.parametrize(
    ("fall", "size", "expected"),
    [
        (0.11, 0.5, [ConvergenceWarning]),
        (0.09, 0.5, []),
        (0.11, 0.012, [ConvergenceWarning]),
        (0.11, 0.009, []),
    ],
)
def test_a_loss_that_is_still_falling_is_said_where_it_matters(fall, size, expected):
    size *= constant(trial_of(level)[0])

    def script(n_steps, _):
        return size * (1 if n_steps >= 400 else max(1, 200 / n_steps) / (1 - fall))

    trial, _ = trial_of(script)
    for n_steps in (200, 400):
        trial.advance_to(n_steps)
    assert not trial.is_over
    assert complaints(trial) == expected


def test_a_fork_is_falling_from_where_it_began():
    trial, _ = trial_of(lambda n, alpha: alpha / n)
    for n_steps in (200, 400):
        trial.advance_to(n_steps)
    fork = trial.fork(trial.recipe._replace(alpha=0.9))
    fork.advance_to(300)
    assert complaints(fork) == [ConvergenceWarning]
    fork = trial.fork(trial.recipe._replace(alpha=2.0))
    fork.advance_to(400)
    assert complaints(fork) == []


def test_what_is_over_is_not_falling():
    trial, _ = trial_of(lambda n, _: 0.01 if n >= 100 else 0.02)
    trial.advance_to(100)
    trial.advance_to(200)
    assert trial.is_over
    assert complaints(trial) == []


def test_residuals_are_those_of_the_best_checkpoint_in_the_units_of_y():
    trial, _ = trial_of(lambda n, _: float(abs(n - 60) + 1))
    for n_steps in (60, 200):
        trial.advance_to(n_steps)
    found, J = trial.residuals(), trial._objective
    unseen, w = UNSEEN[:, JUDGED], WEIGHTS[JUDGED]
    means = J.outputs(trial.best.theta, np.flatnonzero(JUDGED))
    means = means_of(holders_of(unseen), means)
    spread = means.var(axis=0) @ w / w.sum()
    residuals = -5 * np.sqrt(2 * Objective.own[JUDGED])[None]
    expected = Residuals.of(residuals, w, unseen, spread * 25, None)
    assert_allclose(found.variance, 50 * mean_own())
    assert_allclose(found.variance, expected.variance)
    assert_allclose(found.noise, expected.noise)
    assert_allclose(found.noise, found.variance - 25 * spread)
    assert_array_equal(found.holders, expected.holders)
    assert len(found.folds) == N_MEMBERS


@pytest.mark.parametrize("name", LOSSES)
@given(seed=st.integers(0, 2**31), size=st.floats(1, 1e12))
def test_gains_of_robust_losses_are_of_what_outliers_leave(name, seed, size):
    rng = np.random.default_rng(seed)
    losses, weights = rng.random(40), rng.uniform(1, 2, 40)
    is_wrong = np.arange(40) < 2
    losses[is_wrong] = 2 * size
    unit = number_unit(name, "exp", (0.5,) if name == "quantile" else ())
    trial = SimpleNamespace(_objective=SimpleNamespace(loss=unit), weights=weights)
    mean = float(np.average(losses, weights=weights))
    told = Trial._usual(trial, SimpleNamespace(losses=losses, loss=mean))
    if name in ("absolute_error", "huber", "quantile"):
        order = np.argsort(losses)
        shares = weights[order].cumsum() / weights.sum()
        kept = order[: 1 + np.argmax(shares >= 0.9)]
        assert not is_wrong[kept].any()
        expected = np.average(losses[kept], weights=weights[kept])
        assert told == pytest.approx(expected)
    else:
        assert told == mean


@pytest.mark.parametrize(
    ("has_parts", "share", "is_gain"),
    [
        (False, 0.001, False),
        (False, 0.01, True),
        (True, 0.01, False),
        (True, 0.03, True),
    ],
)
def test_a_gain_has_to_be_larger_where_steps_are_in_parts(has_parts, share, is_gain):
    here = SimpleNamespace(loss=1 - share, losses=np.full(4, 1 - share))
    trial = SimpleNamespace(
        best=SimpleNamespace(loss=1.0), n_steps=300, _last_gain=(100, 1.0), _path=[]
    )
    trial._checkpoint, trial._usual = lambda: here, lambda there: there.loss
    trial._objective = SimpleNamespace(has_parts=has_parts)
    Trial._judge(trial)
    assert trial.best is here
    assert (trial._last_gain == (300, 1 - share)) == is_gain
