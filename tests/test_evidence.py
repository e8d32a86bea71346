"""The search for α: what it finds is a maximum of the number that it tells."""

from copy import copy
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from _curves import quietly, two_curves
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import ARDRegression

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._inference.laplace import n_live, posterior_of
from sk_shallow._model.layout import Layout
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow._model.penalty import Penalty
from sk_shallow._solvers.lm import LevenbergMarquardt
from sk_shallow._training import evidence as module
from sk_shallow._training.evidence import resume, search
from sk_shallow.activations import ACTIVATIONS

any_unit = pytest.mark.parametrize("unit", OUTPUT_UNITS)
any_groups = pytest.mark.parametrize("by_feature", [False, True])


def problem(unit, by_feature, n_samples=200, n_hidden=4, seed=0, noise=0.1):
    """An objective on two curves, a feature that does not matter, and a first θ."""
    X, Z = two_curves(n_samples, seed)
    rng = np.random.default_rng(seed)
    Z = Z + noise * rng.normal(size=Z.shape)
    Y = {
        "identity": Z.T - Z.mean(axis=0)[:, None],
        "logistic": (Z.T > 0) * 1.0,
        "softmax": np.eye(3)[:, np.digitize(Z[:, 0], [-0.5, 0.5])],
    }[unit]
    layout = Layout(X.shape[1], n_hidden, len(Y))
    penalty = Penalty.of(layout, np.ones(layout.n_in + 1 if by_feature else 1))
    design = np.column_stack([np.ones(n_samples), X])
    network = layout, ACTIVATIONS["tanh"], OUTPUT_UNITS[unit]
    theta = 0.5 * rng.normal(size=layout.size)
    return Objective(*network, design, Y, penalty=penalty), theta


def ignore(*_):
    return False


def found_in(objective, theta, watch=ignore, **options):
    return search(objective, [theta], LevenbergMarquardt(), watch, **options)


def evidence_at(objective, theta, alpha):
    """Where θ has gone under this α."""
    objective = objective.penalized_by(objective.penalty.with_alpha(alpha))
    theta = theta.copy()
    LevenbergMarquardt(max_iter=60).solve(objective, theta, on_iteration=ignore)
    return posterior_of(objective, theta).log_evidence


@pytest.mark.parametrize("seed", [0, 1])
@any_groups
@any_unit
def test_no_neighbour_of_the_best_alpha_of_four_starts_has_a_larger_evidence(
    unit, by_feature, seed
):
    objective, theta = problem(unit, by_feature, seed=seed)
    others = 0.5 * np.random.default_rng(seed + 1).normal(size=(3, theta.size))
    found = search(objective, [theta, *others], LevenbergMarquardt(), ignore)
    lower, here, higher = (
        evidence_at(objective, found.theta, found.penalty.alpha * factor)
        for factor in (1 / 3, 1, 3)
    )
    assert max(lower, higher) < here + 2 + 0.05 * abs(here)
    assert found.evidence < here + 2 + 0.05 * abs(here)


@any_groups
@any_unit
def test_what_is_told_is_the_evidence_of_what_is_kept(unit, by_feature):
    objective, theta = problem(unit, by_feature)
    found = found_in(objective, theta)
    objective = objective.penalized_by(found.penalty)
    assert posterior_of(objective, found.theta).log_evidence == found.evidence
    _, grad, _ = objective.gauss_newton(found.theta)
    slope = grad + found.penalty.precision * found.theta
    _, at_start, _ = objective.gauss_newton(theta)
    assert np.abs(slope).max() < 0.2 * np.abs(at_start).max()


@any_groups
def test_the_start_is_not_moved_and_the_best_of_several_is_kept(by_feature):
    objective, theta = problem("identity", by_feature)
    thetas = [theta, np.roll(theta, 3), 2 * theta]
    before = [one.copy() for one in thetas]
    alone = [found_in(objective, one).evidence for one in thetas]
    for i in range(3):
        rolled = thetas[i:] + thetas[:i]
        found = search(objective, rolled, LevenbergMarquardt(), ignore)
        assert max(alone) - 0.5 <= found.evidence <= max(alone)
    assert np.ptp(alone) > 0.5
    assert_array_equal(thetas, before)


@pytest.mark.parametrize("n_steps", [1, 7, 50])
@any_groups
def test_the_budget_is_kept(by_feature, n_steps):
    objective, theta = problem("identity", by_feature)
    losses = []
    watch = lambda theta, loss, penalty: losses.append(loss)  # noqa: E731
    found = found_in(objective, theta, watch, n_steps=n_steps)
    assert len(losses) == n_steps
    assert np.isfinite(losses).all()
    assert np.isfinite(found.evidence)


@any_groups
def test_a_watch_that_has_seen_enough_ends_the_search(by_feature):
    objective, theta = problem("identity", by_feature)
    seen = []

    def watch(theta, loss, penalty):
        seen.append((theta.copy(), penalty))
        return len(seen) == 30

    found_in(objective, theta, watch)
    assert len(seen) == 30
    assert len(np.unique([penalty.alpha[0] for _, penalty in seen])) > 1


class Steps:
    """What a search shows of its steps."""

    def __init__(self):
        self.thetas, self.losses, self.alphas = [], [], []

    def __call__(self, theta, loss, penalty):
        self.thetas.append(theta.copy())
        self.losses.append(loss)
        self.alphas.append(penalty.alpha)
        return False

    def last_of_each(self):
        """The last θ under each α, and that α."""
        ends = [
            i
            for i, (alpha, after) in enumerate(pairwise([*self.alphas, None]))
            if after is None or (after != alpha).any()
        ]
        return [(self.thetas[i], self.alphas[i]) for i in ends]


@any_groups
@any_unit
def test_the_loss_of_each_step_is_the_mean_of_the_samples(unit, by_feature):
    objective, theta = problem(unit, by_feature)
    steps = Steps()
    found = found_in(objective, theta, steps)
    expected = [objective.likelihood(one) / 200 for one in steps.thetas]
    assert_allclose(steps.losses, expected)
    assert found.loss == pytest.approx(objective.likelihood(found.theta) / 200)


@pytest.mark.parametrize("c", [0.1, 1.0, 20.0])
@any_groups
@any_unit
def test_the_first_alpha_is_thirty_variances(unit, by_feature, c):
    objective, theta = problem(unit, by_feature)
    steps, variance = Steps(), 1.0
    if unit == "identity":
        objective.Y *= c
        b2 = objective.layout.view(theta).b2
        variance = np.mean((objective.Y - b2) ** 2)
    found_in(objective, theta, steps, n_steps=1)
    assert_allclose(steps.alphas, 30 * variance * np.ones_like(steps.alphas))


# From above to where a unit lives, down, and to neighbours.
@pytest.mark.parametrize("seed", range(3))
@any_unit
def test_alpha_falls_by_thirds_then_by_half_to_a_tenth_and_then_has_neighbours(
    unit, seed
):
    objective, theta = problem(unit, False, seed=seed)
    steps = Steps()
    found = found_in(objective, theta, steps)
    ends = steps.last_of_each()
    live = [n_live_at(objective, *end) for end in ends]
    first = next(i for i, n in enumerate(live) if n > 0.5)
    alphas = np.array([alpha[0] for _, alpha in ends])
    factors = alphas[1:] / alphas[:-1]
    assert_allclose(factors[:first], 1 / 3)
    # What is kept is settled for longer, and its neighbours are compared with it.
    back = next(i for i, f in enumerate(factors) if i >= first and f > 0.6)
    assert back > first
    assert ((factors[first:back] >= 0.1 - 1e-9) & (factors[first:back] <= 0.5)).all()
    kept = found.penalty.alpha[0]
    assert kept in alphas
    assert min(abs(np.log(alphas[-1] / kept / factor)) for factor in (1 / 3, 3)) < 1e-9


def n_live_at(objective, theta, alpha):
    objective = objective.penalized_by(objective.penalty.with_alpha(alpha))
    return n_live(posterior_of(objective, theta), objective.layout)


@pytest.mark.parametrize("seed", range(2))
@any_groups
@any_unit
def test_what_had_the_largest_evidence_on_the_way_is_kept(unit, by_feature, seed):
    objective, theta = problem(unit, by_feature, seed=seed)
    steps = Steps()
    found = found_in(objective, theta, steps)
    evidences = [
        posterior_of(
            objective.penalized_by(objective.penalty.with_alpha(alpha)), theta
        ).log_evidence
        for theta, alpha in steps.last_of_each()
    ]
    assert found.evidence > max(evidences) - 2.5
    assert found.evidence > evidences[0] + 10


@pytest.mark.parametrize("n_steps", [1, 7, 50])
@any_groups
def test_the_budget_is_that_of_each_start(by_feature, n_steps):
    objective, theta = problem("identity", by_feature)
    steps, starts = Steps(), [theta, 2 * theta, np.roll(theta, 3)]
    search(objective, starts, LevenbergMarquardt(), steps, n_steps)
    assert len(steps.losses) == 3 * n_steps


@any_groups
@any_unit
def test_to_go_on_where_a_search_has_ended_changes_little(unit, by_feature):
    objective, theta = problem(unit, by_feature)
    found = found_in(objective, theta)
    ended, steps = found.theta.copy(), Steps()
    objective = objective.penalized_by(found.penalty)
    again = resume(objective, [ended], LevenbergMarquardt(), steps)
    assert_array_equal(ended, found.theta)
    assert_array_equal(steps.alphas[0], found.penalty.alpha)
    assert again.evidence > found.evidence - 0.5
    assert again.evidence < found.evidence + 0.05 * abs(found.evidence) + 5
    brief = Steps()
    resume(objective, [ended], LevenbergMarquardt(), brief, n_steps=2)
    assert len(brief.losses) == 2


@any_unit
def test_each_feature_has_its_alpha_and_what_does_not_matter_the_largest(unit):
    objective, theta = problem(unit, True)
    alone, _ = problem(unit, False)
    found, common = found_in(objective, theta), found_in(alone, theta)
    assert len(np.unique(found.penalty.alpha)) == objective.layout.n_in + 1
    assert found.evidence > common.evidence - 1


@pytest.mark.parametrize("n_hidden", [1, 10])
@pytest.mark.parametrize("n_samples", [40, 100, 1000])
def test_with_nothing_to_learn_the_evidence_is_that_of_a_constant(n_samples, n_hidden):
    rng = np.random.default_rng(n_samples)
    X, y = rng.uniform(-3, 3, (n_samples, 2)), rng.normal(size=n_samples)
    constant = -n_samples / 2 * np.log(2 * np.pi * np.e * y.var())
    model = ShallowNNRegressor(n_hidden, solver="lm", random_state=0).fit(X, y)
    assert constant - 8 < model.log_evidence_ < constant + 8
    assert model.alpha_ < 1e5
    labels = y > np.median(y)
    model = ShallowNNClassifier(n_hidden, solver="lm", random_state=0).fit(X, labels)
    assert abs(model.log_evidence_ + n_samples * np.log(2)) < 8


def sine_and_line(seed, n_samples):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 10))
    f = np.sin(2 * X[:, 0]) + X[:, 1]
    return X, f, f + 0.1 * rng.normal(size=n_samples)


@pytest.mark.parametrize("seed", range(4))
def test_alpha_does_not_run_away_where_something_is_to_be_learnt(seed):
    X, _, y = sine_and_line(seed, 60)
    X_new, f_new, _ = sine_and_line(100 + seed, 500)
    linear = ARDRegression().fit(X, y).score(X_new, f_new)
    one, many = (
        ShallowNNRegressor(5, alpha=alpha, random_state=0).fit(X, y)
        for alpha in ("evidence", "ard")
    )
    assert one.score(X_new, f_new) > 0.5
    assert many.score(X_new, f_new) > linear + 0.1
    assert many.log_evidence_ > one.log_evidence_
    assert many.feature_relevance_[:2].sum() > 0.99


@pytest.mark.parametrize("c", [0.01, 100])
def test_the_scale_of_y_does_not_matter_without_standardising(c):
    X, _, y = sine_and_line(0, 200)
    common = {"solver": "lm", "standardize": False, "random_state": 0}
    model = ShallowNNRegressor(3, **common).fit(X, c * y)
    assert model.score(X, c * y) > 0.7


@pytest.mark.parametrize("alpha", ["evidence", "ard"])
def test_more_weights_than_numbers_are_no_trouble(alpha):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 40))
    y = X[:, 0] + 0.1 * rng.normal(size=30)
    model = ShallowNNRegressor(10, solver="lm", alpha=alpha, random_state=0)
    _, std = quietly(model.fit, X, y).predict(X, return_std=True)
    assert np.isfinite(std).all()
    assert np.isfinite(model.log_evidence_)
    assert 1e-8 < np.min(model.alpha_) <= np.max(model.alpha_) < 1e10


@pytest.mark.parametrize("alpha", ["evidence", "ard"])
def test_labels_that_can_be_separated_are_no_surer_than_certain(alpha):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    y = X[:, 0] > 0
    model = ShallowNNClassifier(3, solver="lm", alpha=alpha, random_state=0).fit(X, y)
    assert model.log_evidence_ <= 0
    assert np.min(model.alpha_) > 1e-7
    assert model.score(X, y) == 1


# The way of a search, of a toy whose evidence is a function of α.


class Toy:
    """A solver and an objective; each step gains so much of J, without moving θ.

    Parameters
    ----------
    evidence : callable
        Of the α of the groups.
    target : callable
        Where each α is to go; the same for all, where they have one in common.
    live : float
        The α below which a unit lives.
    gain : float
        What a step leaves of J.
    """

    n_observations, total_weight = 100, 50.0
    loss, size = OUTPUT_UNITS["logistic"], 1.0

    def __init__(self, evidence, target, live=np.inf, gain=1.0, n_groups=1):
        self.evidence, self.target, self.live, self.gain = evidence, target, live, gain
        self.layout = Layout(max(1, n_groups - 1), 1, 1)
        self.penalty = Penalty.of(self.layout, np.ones(n_groups))
        self.log = []

    def penalized_by(self, penalty):
        other = copy(self)
        other.penalty = penalty
        return other

    def start(self, objective, theta):
        return SimpleNamespace(theta=theta, model=[1.0], copy=lambda: self._copy(1.0))

    def _copy(self, value):
        theta = np.full(self.layout.size, self.size)
        descent = SimpleNamespace(theta=theta, model=[value])
        descent.copy = lambda: self._copy(descent.model[0])
        return descent

    def value(self, objective, descent):
        return descent.model[0]

    def step(self, objective, descent):
        descent.model = [descent.model[0] * self.gain]
        return True

    def posterior_of(self, objective, theta, model=None):
        alpha = objective.penalty.alpha
        lives = alpha.max() < self.live
        return SimpleNamespace(
            log_evidence=self.evidence(alpha),
            noise_variance=2.0,
            gamma=self.gamma(objective, alpha, theta),
            shares=np.full(self.layout.size, float(lives)),
        )

    def gamma(self, objective, alpha, theta):
        return self.target(alpha) * objective.penalty.sums(theta**2) / 2

    def watch(self, theta, loss, penalty):
        self.log.append(penalty.alpha)
        return False

    def search(self, monkeypatch, **options):
        """What is found, and the α of each step."""
        monkeypatch.setattr(module, "posterior_of", self.posterior_of)
        thetas = [np.ones(self.layout.size)]
        found = search(self, thetas, self, self.watch, **options)
        return found, np.squeeze(self.log)


def of_common(function):
    return lambda alpha: function(alpha[0])


def stay(alpha):
    return alpha


@pytest.mark.parametrize(
    ("live", "n_thirds"), [(40, 0), (10.1, 1), (0.02, 7), (1e-9, 8)], ids=str
)
def test_a_search_enters_where_a_unit_lives_or_where_none_ever_will(
    monkeypatch, live, n_thirds
):
    toy = Toy(of_common(lambda alpha: 0.0), stay, live)
    _, alphas = toy.search(monkeypatch)
    entered = 30 / 3.0 ** np.arange(n_thirds + 1)
    assert_allclose(alphas[: n_thirds + 1], entered)
    # It settles there for long, and for as long above and below.
    here = entered[-1] if n_thirds == 0 else entered[0]
    neighbours = [3 * here, 3 * here, here / 3, here / 3]
    assert_allclose(alphas[n_thirds + 1 :], [here, *neighbours])


@pytest.mark.parametrize(
    ("target", "factor"),
    [(1e-9, 0.1), (1 / 144, 0.1), (1 / 25, 0.2), (1 / 9, 1 / 3), (1 / 2.5, 0.5)],
)
def test_alpha_falls_to_the_mean_of_itself_and_its_target(monkeypatch, target, factor):
    toy = Toy(lambda alpha: -9 * np.log(alpha[0]), lambda alpha: target * alpha)
    _, alphas = toy.search(monkeypatch, n_steps=9)
    assert_allclose(alphas, 30 * factor ** np.arange(9.0))


@pytest.mark.parametrize(("share", "falls"), [(0.67, False), (0.66, True)])
def test_the_fall_ends_where_alpha_would_hardly_be_smaller(monkeypatch, share, falls):
    toy = Toy(lambda alpha: 0.0, lambda alpha: share * alpha)
    _, alphas = toy.search(monkeypatch, n_steps=2)
    assert (alphas[1] < alphas[0]) == falls


@pytest.mark.parametrize("size", [0.0, 1e-160])
def test_weights_of_zero_ask_for_no_smaller_alpha(monkeypatch, size):
    toy = Toy(lambda alpha: 0.0, stay)
    toy.size, toy.gamma = size, lambda *_: np.array([2.0])
    _, alphas = toy.search(monkeypatch, n_steps=2)
    assert_allclose(alphas, 30)


@pytest.mark.parametrize("n_gains", [0, 1, 3])
@pytest.mark.parametrize("by_feature", [False, True])
def test_after_four_alphas_without_a_gain_it_goes_back(
    monkeypatch, n_gains, by_feature
):
    """Of half a nat, whatever the gains were before."""
    least = 30 * 0.1**n_gains

    def evidence(alpha):
        depth = np.round(np.log10(30 / alpha[0]))
        return 0.6 * depth if alpha[0] > 0.9 * least else 0.6 * n_gains + 0.4

    toy = Toy(evidence, lambda alpha: 1e-9 + 0 * alpha, n_groups=3 if by_feature else 1)
    found, alphas = toy.search(monkeypatch)
    alphas = alphas[:, 0] if by_feature else alphas
    depths = np.log10(30 / alphas)
    down = np.arange(n_gains + 5.0)
    assert_allclose(depths[: n_gains + 6], [*down, n_gains], atol=1e-9)
    assert_allclose(found.penalty.alpha, least)
    if by_feature:
        parted = depths[n_gains + 6 :]
        assert_allclose(parted[:5], [*(n_gains + 1 + np.arange(4.0)), n_gains])


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("n_gains", [0, 1, 4])
def test_it_climbs_by_thirds_while_the_evidence_grows_by_two(
    monkeypatch, direction, n_gains
):
    def evidence(alpha):
        n = direction * np.log(alpha[0] / 30) / np.log(3)
        return 2.1 * n if n < n_gains + 0.5 else 2.1 * n_gains + 1.9

    found, alphas = Toy(evidence, stay).search(monkeypatch)
    assert_allclose(found.penalty.alpha, 30 * 3.0 ** (direction * n_gains))
    # A neighbour that is as good as nearly is settled for as long as what it is beside.
    steps = np.log(alphas / 30) / np.log(3)
    assert_allclose(steps[:2], 0, atol=1e-9)
    assert (abs(steps) < n_gains + 1.1).all()


@pytest.mark.parametrize(("loss", "n"), [(9.9, 2), (10.1, 1)])
def test_a_neighbour_that_is_far_behind_is_not_settled_for_long(monkeypatch, loss, n):
    toy = Toy(lambda alpha: 0.0 if 29 < alpha[0] < 31 else -loss, stay)
    _, alphas = toy.search(monkeypatch)
    assert_allclose(alphas, [30, 30] + n * [90] + n * [10])


@pytest.mark.parametrize("n_groups", [2, 3])
def test_each_group_goes_to_its_target_by_tenths_and_tens_at_the_most(
    monkeypatch, n_groups
):
    target = np.array([29.0, 2e4, 1e-3])[-n_groups:]
    evidence = lambda alpha: -np.abs(np.log(alpha / target)).sum()  # noqa: E731
    toy = Toy(evidence, stay, n_groups=n_groups)
    toy.target = lambda alpha: alpha if np.ptp(alpha) == 0 and toy.first() else target
    toy.first = lambda: len(toy.log) < 2
    found, alphas = toy.search(monkeypatch)
    assert_allclose(alphas[:2], 30)
    assert_allclose(alphas[2], [29, 300, 3][-n_groups:])
    assert_allclose(alphas[3], [29, 3000, 0.3][-n_groups:])
    assert_allclose(found.penalty.alpha, target)


# A step gains half of J, or too little of it for so many observations.
@pytest.mark.parametrize(
    ("n_observations", "gain", "n_common", "n_kept"),
    [
        (100, 0.5, 15, 30),
        (100, 0.989, 15, 30),
        (100, 0.991, 1, 30),
        (100, 0.99959, 1, 30),
        (100, 0.99961, 1, 1),
        (10**6, 0.9989, 15, 30),
        (10**6, 0.9991, 1, 30),
    ],
)
def test_it_settles_until_steps_gain_little(
    monkeypatch, n_observations, gain, n_common, n_kept
):
    toy = Toy(lambda alpha: 0.0 if alpha[0] == 30 else -99.0, stay, gain=gain)
    toy.n_observations = n_observations
    _, alphas = toy.search(monkeypatch)
    ends = [n_common + n_kept, n_common, n_common]
    assert_allclose(alphas, np.repeat([30.0, 90.0, 10.0], ends))


def test_groups_settle_for_five_steps(monkeypatch):
    first, second = np.array([30.0, 60.0, 30.0]), np.array([30.0, 60.0, 90.0])
    toy = Toy(lambda alpha: 9.0 * (alpha[1] == 60), stay, gain=0.5, n_groups=3)
    targets = {45: first, 50: second}
    toy.target = lambda alpha: targets.get(len(toy.log), alpha)
    _, alphas = toy.search(monkeypatch, n_steps=55)
    assert_allclose(alphas[:45], 30)
    assert_allclose(alphas[45:], np.repeat([first, second], 5, axis=0))
