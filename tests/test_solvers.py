"""Solvers on a convex quadratic, where the minimum and every step are known."""

import pickle
from copy import deepcopy
from itertools import chain, combinations
from math import ceil, comb
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sk_shallow import ShallowNNClassifier
from sk_shallow._arrays.curvature import Square
from sk_shallow._model.layout import Layout
from sk_shallow._model.penalty import Penalty
from sk_shallow._solvers import SOLVERS, able, honoured, recipe
from sk_shallow._solvers.first_order import SGD, Adam, FirstOrder, GradientDescent

FIRST_ORDER = [name for name, kind in SOLVERS.items() if issubclass(kind, FirstOrder)]
MINIBATCH = [name for name in FIRST_ORDER if "batch_size" in honoured(SOLVERS[name])]
BUDGETED = [name for name in SOLVERS if SOLVERS[name].has_budget]

any_solver = pytest.mark.parametrize("name", SOLVERS)
any_first_order = pytest.mark.parametrize("name", FIRST_ORDER)


class LeastSquares:
    """f(θ) = 1/2n ‖Aθ - b‖² + λ/2 ‖θ‖², sample by sample."""

    is_smooth, signs, has_parts = True, None, False

    def __init__(self, noise=1.0, ridge=0.1, n_samples=48, size=4, dtype=float):
        rng = np.random.default_rng(3)
        self.n_samples, self.ridge = n_samples, ridge
        self.A = rng.standard_normal((n_samples, size)).astype(dtype)
        truth = rng.standard_normal(size) + 2
        self.b = (self.A @ truth + noise * rng.standard_normal(n_samples)).astype(dtype)
        hessian = self.A.T @ self.A / n_samples + ridge * np.eye(size)
        self.minimum = np.linalg.solve(hessian, self.A.T @ self.b / n_samples)
        self.start = np.zeros(size, dtype)
        self.total_weight = float(n_samples)
        alpha = np.array([ridge * n_samples])
        self.penalty = Penalty(np.zeros(size, int), np.ones(size), alpha)

    def constrain(self, theta):
        """Every θ is allowed."""

    def metric(self):
        return np.ones(len(self.start))

    def likelihood(self, theta):
        return 0.5 * np.sum((self.A @ theta - self.b) ** 2)

    def gauss_newton(self, theta):
        grad = self.A.T @ (self.A @ theta - self.b)
        H = Square(len(theta))
        H.add(self.A.astype(float))
        return self.likelihood(theta), grad, H

    def value_and_grad(self, theta, rows=slice(None)):
        A = self.A[rows]
        residual = A @ theta - self.b[rows]
        value = 0.5 * np.mean(residual**2) + 0.5 * self.ridge * theta @ theta
        return value, A.T @ residual / len(A) + self.ridge * theta

    def value(self, theta):
        return self.value_and_grad(theta)[0]

    rough_value = value

    def gradients(self, theta, order, n_batches, n_done=0, loss=0.0):
        assert_array_equal(np.sort(order), np.arange(self.n_samples))
        self.sum, self.n_seen = loss, n_done
        for rows in np.array_split(order, n_batches)[n_done:]:
            value, grad = self.value_and_grad(theta, rows)
            self.sum, self.n_seen = self.sum + value, self.n_seen + 1
            yield grad

    def sweep_loss(self):
        return self.sum

    def sweep_value(self, theta):
        return self.sum / self.n_seen


def make(name, **values):
    """The solver, with those of these hyperparameters that it has."""
    kind = SOLVERS[name]
    return kind(**{key: values[key] for key in values.keys() & honoured(kind)})


def run(solver, objective, theta=None, stop=lambda *_: False, **options):
    """The last θ, every θ and loss reported, and the result."""
    theta = (objective.start if theta is None else theta).copy()
    seen = []

    def on_iteration(theta, loss):
        seen.append((theta.copy(), float(loss)))
        return stop(theta, loss)

    result = solver.solve(
        objective,
        theta,
        on_iteration=on_iteration,
        rng=np.random.default_rng(0),
        **options,
    )
    return theta, seen, result


def trajectory(solver, objective, **options):
    return np.array([theta for theta, _ in run(solver, objective, **options)[1]])


CONSTANT = {"schedule": recipe.constant, "batch_size": 48}


@any_solver
def test_reaches_the_closed_form_minimum(name):
    objective = LeastSquares()
    theta, seen, _ = run(make(name, max_iter=500, batch_size=48), objective)
    assert_allclose(theta, objective.minimum, rtol=1e-4)
    assert_allclose(seen[-1][1], objective.value(objective.minimum), rtol=1e-6)


@pytest.mark.parametrize("name", MINIBATCH)
@pytest.mark.parametrize("batch_size", [5, 16, 47])
def test_reaches_the_minimum_by_minibatches(name, batch_size):
    objective = LeastSquares(noise=0.0, ridge=0.0)
    theta, _, _ = run(make(name, max_iter=400, batch_size=batch_size), objective)
    assert_allclose(theta, objective.minimum, rtol=1e-3)


def test_gradient_descent_steps_along_the_gradient():
    objective, rate = LeastSquares(), 0.2
    expected, theta = [], objective.start.copy()
    for _ in range(6):
        theta = theta - rate * objective.value_and_grad(theta)[1]
        expected.append(theta)
    solver = GradientDescent(learning_rate_init=rate, max_iter=6)
    assert_allclose(trajectory(solver, objective), expected, rtol=1e-12)
    sgd = SGD(learning_rate_init=rate, max_iter=6, momentum=0.0, **CONSTANT)
    assert_allclose(trajectory(sgd, objective), expected, rtol=1e-12)


@pytest.mark.parametrize("is_nesterov", [False, True])
def test_sgd_steps_with_momentum(is_nesterov):
    objective, rate, mu = LeastSquares(), 0.1, 0.8
    expected, theta, v = [], objective.start.copy(), np.zeros_like(objective.start)
    for _ in range(6):
        grad = objective.value_and_grad(theta)[1]
        v = mu * v - rate * grad
        theta = theta + (mu * v - rate * grad if is_nesterov else v)
        expected.append(theta)
    solver = SGD(rate, 6, momentum=mu, nesterovs_momentum=is_nesterov, **CONSTANT)
    assert_allclose(trajectory(solver, objective), expected, rtol=1e-12)


@pytest.mark.parametrize("size", [7, 2**16 + 9])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-9), (np.float32, 2e-4)])
def test_adam_is_the_textbook_recursion(size, dtype, rtol):
    rng, adam, rate = np.random.default_rng(1), Adam(), 0.01
    b1, b2 = adam.beta_1, adam.beta_2
    theta = rng.standard_normal(size).astype(dtype)
    state, x = adam.start(theta), theta.astype(float)
    m, v = np.zeros(size), np.full(size, adam.epsilon**2)
    scales = 10.0 ** rng.uniform(-2, 2, size)
    for _ in range(200):
        g = (scales * rng.standard_normal(size)).astype(dtype)
        adam.take(theta, g.copy(), state, rate)
        g = g.astype(float)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        x -= rate * (b1 * m + (1 - b1) * g) / np.sqrt(v)
    assert state.n_steps == 200 > 3 * adam.period
    assert_allclose(theta, x, rtol=rtol, atol=rtol)


def test_adam_leaves_a_coordinate_without_gradient():
    theta, adam = np.ones(2), Adam()
    state = adam.start(theta)
    for _ in range(2 * adam.period):
        adam.take(theta, np.array([0.0, 1.0]), state, 0.01)
    assert theta[0] == 1
    assert theta[1] < 0.5


@any_first_order
@pytest.mark.parametrize("batch_size", [6, 48])
@pytest.mark.parametrize("rate", [1e2, 1e6, 1e30])
def test_absurd_rate_ends_finite_and_says_so(name, batch_size, rate):
    objective = LeastSquares()
    solver = make(name, learning_rate_init=rate, max_iter=60, batch_size=batch_size)
    theta, seen, result = run(solver, objective)
    at_start = objective.value(objective.start)
    assert np.isfinite(theta).all()
    assert objective.value(theta) <= 10 * at_start
    assert seen
    kept = [loss for _, loss in seen if np.isfinite(loss)]
    assert kept
    assert max(kept) <= 10 * at_start
    assert "diverged" in result.message
    assert "learning_rate_init" in result.message


@any_first_order
@pytest.mark.parametrize("max_iter", [1, 2])
def test_divergence_that_uses_up_the_budget_ends_at_the_start(name, max_iter):
    objective = LeastSquares()
    objective.start += 1
    solver = make(name, learning_rate_init=1e30, max_iter=max_iter, batch_size=48)
    theta, seen, result = run(solver, objective)
    assert_array_equal(theta, objective.start)
    assert_array_equal(seen[-1][0], objective.start)
    assert seen[-1][1] == objective.value(objective.start)
    assert "diverged" in result.message


@any_first_order
def test_reduced_rate_still_reaches_the_minimum(name):
    objective = LeastSquares()
    solver, restarts = (
        make(name, learning_rate_init=300.0, max_iter=2000, batch_size=48),
        [],
    )
    theta, _, result = run(solver, objective, on_restart=lambda: restarts.append(1))
    assert f"reduced to {300 / 4 ** len(restarts):.3g}." in result.message
    assert_allclose(theta, objective.minimum, rtol=1e-2)


@any_first_order
def test_state_is_not_changed_and_training_goes_on_from_it(name):
    objective, rate = LeastSquares(), {"learning_rate_init": 0.05}
    half, whole = (make(name, max_iter=n, **rate, **CONSTANT) for n in (70, 140))
    theta, first, result = run(half, objective)
    kept = deepcopy(result.state)
    _, second, after = run(half, objective, theta=theta, state=result.state)
    for moment, before in zip(result.state.moments, kept.moments, strict=True):
        assert_array_equal(moment, before)
    assert result.state.n_steps == kept.n_steps
    _, expected, at_once = run(whole, objective)
    assert_allclose(
        [theta for theta, _ in first + second],
        [theta for theta, _ in expected],
        rtol=1e-10,
    )
    assert after.state.n_steps == at_once.state.n_steps
    for moment, other in zip(after.state.moments, at_once.state.moments, strict=True):
        assert_allclose(moment, other, rtol=1e-8)


@any_solver
@pytest.mark.parametrize("n_iterations", [1, 3])
@pytest.mark.parametrize("max_iter", [3, 50])
def test_true_stops_at_once(name, n_iterations, max_iter):
    calls = iter(range(1, 100))
    theta, seen, result = run(
        make(name, max_iter=max_iter, batch_size=12),
        LeastSquares(),
        stop=lambda *_: next(calls) == n_iterations,
    )
    assert len(seen) == n_iterations
    assert_array_equal(theta, seen[-1][0])
    assert result.message is None


@any_solver
def test_end_of_the_iterations_is_told_unless_it_is_the_plan(name):
    _, seen, result = run(make(name, max_iter=2, batch_size=12), LeastSquares())
    assert len(seen) == 2
    if name in BUDGETED:
        assert result.message is None
    else:
        assert "max_iter=2" in result.message


@pytest.mark.parametrize("name", ["lbfgs", "lm"])
def test_a_descent_that_ends_by_itself_has_nothing_to_say(name):
    theta, seen, result = run(make(name), LeastSquares())
    assert len(seen) < 100
    assert result.message is None
    assert_allclose(theta, LeastSquares().minimum)


@pytest.mark.parametrize(
    "start", [(1e200, 0), (np.inf, 0), (np.inf, np.inf), (np.nan, 0)], ids=str
)
@any_solver
def test_a_start_without_a_finite_loss_is_an_error_and_no_warning(name, start):
    theta = np.array([*start, 0.0, 0.0])
    with pytest.raises(ValueError, match="overflows"):
        run(make(name, max_iter=3, batch_size=12), LeastSquares(), theta)


@any_solver
def test_reports_an_iteration_at_the_minimum_too(name):
    objective = LeastSquares(noise=0.0, ridge=0.0)
    solver = make(name, max_iter=3, batch_size=12)
    theta, seen, _ = run(solver, objective, theta=objective.minimum)
    assert len(seen) >= 1
    assert objective.value(theta) < 1e-3 * objective.value(objective.start)


@pytest.mark.parametrize("name", MINIBATCH)
def test_minibatches_ask_for_single_precision(name):
    solver = make(name, batch_size=10)
    assert solver.precision(11) == np.float32
    assert solver.precision(10) == np.float64


@pytest.mark.parametrize("name", sorted(SOLVERS.keys() - set(MINIBATCH)))
def test_all_samples_at_once_ask_for_double_precision(name):
    assert SOLVERS[name]().precision(10**6) == np.float64


def test_hyperparameters_of_each_solver():
    rate = {"learning_rate_init", "max_iter"}
    assert rate <= honoured(GradientDescent)
    assert honoured(Adam) >= rate | {"batch_size"}
    assert honoured(SGD) >= rate | {"batch_size", "momentum", "nesterovs_momentum"}
    assert not honoured(GradientDescent) & {"batch_size", "momentum"}
    assert "learning_rate_init" not in honoured(SOLVERS["lbfgs"])
    assert not honoured(Adam) & {"momentum", "beta_1", "period"}


def test_able_are_those_that_honour_whatever_was_set():
    names = sorted(honoured(SGD))
    subsets = chain.from_iterable(combinations(names, k) for k in range(len(names) + 1))
    for requested in map(set, subsets):
        for name, kind in SOLVERS.items():
            assert (name in able(requested)) == (requested <= honoured(kind))
    assert able(set()) == list(SOLVERS)
    assert able({"momentum"}) == ["sgd"]


sample_counts, feature_counts = st.integers(1, 10**7), st.integers(1, 10**5)


@given(sample_counts, sample_counts, feature_counts, st.booleans())
def test_budget_is_positive_and_grows_with_the_samples(n, more, d, are_numbers):
    batch_size, n_steps = recipe.budget(n, d, are_numbers)
    assert min(batch_size, n_steps) >= 1
    assert isinstance(batch_size, int)
    assert isinstance(n_steps, int)
    assert recipe.budget(n + more, d, are_numbers)[1] >= n_steps
    assert recipe.budget(n, d + more, are_numbers)[1] <= n_steps


@given(sample_counts, feature_counts)
def test_numbers_get_twice_the_steps_of_labels(n, d):
    numbers, labels = (recipe.budget(n, d, kind)[1] for kind in (True, False))
    assert 60 <= labels <= numbers <= max(60, 2 * labels + 1)


def test_budget_has_no_gap_where_its_rule_changes():
    below, above = (recipe.budget(n, 10)[1] for n in (15_000, 15_001))
    assert 0 <= above - below < 0.05 * below


@pytest.mark.parametrize("name", MINIBATCH)
@given(n=sample_counts, d=feature_counts, are_numbers=st.booleans())
def test_sized_fills_in_what_was_not_set(name, n, d, are_numbers):
    layout = Layout(d, 5, 1)
    solver = make(name).sized(n, layout, are_numbers)
    given_ = make(name, batch_size=7, max_iter=3).sized(n, layout, are_numbers)
    n_batches = np.ceil(n / solver.batch_size)
    assert 1 <= solver.batch_size <= n
    n_epochs = recipe.budget(n, d, are_numbers)[1] / n_batches
    assert solver.max_iter == (round(n_epochs) if n_epochs >= 1 else n_epochs)
    assert given_.batch_size == min(7, n)
    assert given_.max_iter == 3


@pytest.mark.parametrize("schedule", [recipe.triangle, recipe.constant])
@given(st.integers(1, 10**9), st.data())
def test_schedules_are_fractions_of_the_rate(schedule, n_steps, data):
    step = data.draw(st.integers(0, n_steps - 1))
    assert 0 < schedule(step, n_steps) <= 1


@pytest.mark.parametrize("name", BUDGETED)
def test_default_rate_falls_to_zero(name):
    schedule = SOLVERS[name]().schedule
    rates = [schedule(i, 1000) for i in range(1000)]
    assert max(rates) == pytest.approx(1, abs=0.01)
    assert rates[-1] < 0.01


@any_first_order
@given(n_before=st.integers(0, 10**6), n_samples=st.integers(1, 1000))
def test_the_rate_of_a_stream_suits_its_batches_and_never_vanishes(
    name, n_before, n_samples
):
    def rates(n_before, n_samples):
        one = make(name).for_one_epoch(n_samples, n_before, is_rate_set=False)
        return [one.learning_rate_init * one.schedule(step, 3) for step in range(4)]

    given_, next_ = rates(n_before, n_samples), rates(n_before + n_samples, n_samples)
    assert sorted(given_, reverse=True) == given_
    assert max(given_) <= make(name).learning_rate_init
    assert next_[0] == pytest.approx(given_[3])
    assert rates(n_before, 4 * n_samples)[0] >= given_[0]
    least = rates(np.inf, n_samples)
    assert least[0] == least[3] > 0
    assert rates(10**9, n_samples)[0] == least[0]


@any_first_order
def test_a_rate_of_a_stream_that_was_set_is_constant(name):
    one = make(name, learning_rate_init=0.3).for_one_epoch(1, 7, is_rate_set=True)
    assert one.learning_rate_init * one.schedule(0, 1) == 0.3


def test_budget_has_the_powers_of_its_rule():
    def n_steps(n_samples, n_features=1):
        return recipe.budget(n_samples, n_features)[1]

    assert n_steps(8_000) == pytest.approx(4 * n_steps(1_000), rel=0.01)
    assert n_steps(16 * 10**5) == pytest.approx(2 * n_steps(10**5), rel=0.01)
    assert n_steps(10**4, 256) == n_steps(10**4)
    assert n_steps(10**4, 1024) == pytest.approx(n_steps(10**4) / 2, rel=0.01)
    assert [recipe.budget(10**4, d)[0] for d in (64, 65)] == [256, 128]


def test_the_triangle_is_two_straight_lines():
    rates = [recipe.triangle(step, 500) for step in range(500)]
    assert_allclose(rates, np.interp(np.arange(500), [0, 50, 500], [0.02, 1, 0]))


@given(step=st.integers(0, 10**6))
def test_a_rate_without_an_end_rises_by_a_line_and_falls_as_a_root(step):
    line, root = (step + 1) / 50, (1 + (step + 1) / 50) ** -0.5
    assert_allclose(recipe.falling(step), min(line, root), rtol=1e-12)
    stream = recipe.streaming(1, 2, before=7, new=2 * step, least=0.1)
    assert_allclose(stream, max(0.1, (1 + (7 + step) / 200) ** -0.5), rtol=1e-12)


@any_first_order
@pytest.mark.parametrize("n_samples", [1, 16, 64, 1000])
def test_the_rate_of_a_stream_grows_with_the_root_of_a_batch_up_to_64(name, n_samples):
    solver = make(name)
    one = solver.for_one_epoch(n_samples, 0, is_rate_set=False)
    share = np.sqrt(min(n_samples, 64) / 64)
    assert one.learning_rate_init == pytest.approx(share * solver.learning_rate_init)
    assert one.max_iter == 1
    assert one.has_budget


@any_first_order
@given(size=st.floats(1e-3, 1e6))
def test_a_long_gradient_of_a_stream_is_taken_for_one_of_its_direction(name, size):
    free = make(name)
    stream = free.for_one_epoch(64, 0, is_rate_set=False)
    thetas, gradient = np.ones((2, 2)), size * np.array([0.6, -0.8])
    stream.take(thetas[0], gradient.copy(), stream.start(thetas[0]), 0.1)
    shortened = min(1, free.longest_of_stream / size) * gradient
    free.take(thetas[1], shortened, free.start(thetas[1]), 0.1)
    assert_allclose(*thetas, rtol=1e-12)


# Descents that can be prolonged.

DESCENDING = [name for name, kind in SOLVERS.items() if hasattr(kind, "begin")]


def begin(name, **values):
    """A descent, from as many starts as the solver has."""
    solver, objective = make(name, **values), LeastSquares()
    starts = [objective.start + i for i in range(solver.n_starts)]
    return solver.begin(objective, starts, np.random.default_rng(0))


def assert_same_descent(found, expected):
    assert_array_equal(found.iterate, expected.iterate)
    assert_array_equal(found.loss_curve, expected.loss_curve)
    assert found.n_epochs == expected.n_epochs


@any_first_order
@pytest.mark.parametrize("batch_size", [7, 48])
def test_a_descent_in_pieces_is_one_descent(name, batch_size):
    whole, parts = (begin(name, batch_size=batch_size) for _ in range(2))
    whole.advance(45)
    for n_steps in (1, 8, 25, 11):
        parts.advance(n_steps)
    assert_same_descent(parts, whole)
    n_batches = whole.solver.n_batches(48)
    assert whole.n_steps == parts.n_steps == 45
    assert len(whole.loss_curve) == 45 // n_batches
    assert whole.n_epochs == ceil(45 / n_batches)


@pytest.mark.parametrize("name", DESCENDING)
@pytest.mark.parametrize("batch_size", [7, 48])
def test_a_descent_that_pauses_is_one_descent(name, batch_size):
    whole, paused = (begin(name, batch_size=batch_size) for _ in range(2))
    assert whole.advance(45) == 45
    calls, n_left, n_pauses = iter(range(10**6)), 45, 0
    while n_left:
        n_made = paused.advance(n_left, lambda: next(calls) % 4 == 0)
        n_left, n_pauses = n_left - n_made, n_pauses + 1
    assert n_pauses > 1
    assert paused.advance(0) == 0
    assert_same_descent(paused, whole)


@pytest.mark.parametrize("name", DESCENDING)
@pytest.mark.parametrize("batch_size", [7, 48])
def test_a_descent_that_goes_on_from_a_pickle_is_one_descent(name, batch_size):
    whole, moved = (begin(name, batch_size=batch_size) for _ in range(2))
    for n_steps in (1, 8, 25, 11):
        whole.advance(n_steps)
        moved.advance(n_steps)
        moved = pickle.loads(pickle.dumps(moved))
        moved.objective = LeastSquares()
    assert_same_descent(moved, whole)


@pytest.mark.parametrize("name", DESCENDING)
@pytest.mark.parametrize("batch_size", [7, 48])
def test_a_fork_and_its_origin_do_not_disturb_each_other(name, batch_size):
    origin, alone = (begin(name, batch_size=batch_size) for _ in range(2))
    for descent in (origin, alone):
        descent.advance(26)
    fork, twin = (origin.fork(LeastSquares()) for _ in range(2))
    assert_same_descent(fork, origin)
    for descent in (fork, origin, alone, twin):
        descent.advance(30)
    assert_same_descent(origin, alone)
    assert_same_descent(fork, twin)
    if batch_size == 48 or name == "lbfgs":
        assert_same_descent(fork, origin)


def test_the_iterate_of_a_descent_is_the_mean_with_weights_of_the_eighth_degree():
    objective, theta, taken = LeastSquares(), LeastSquares().start.copy(), []
    for t in range(45):
        rate = 0.1 * min((t + 1) / 50, (50 / (t + 51)) ** 0.5)
        theta = theta - rate * objective.value_and_grad(theta)[1]
        if (t + 1) % 4 == 0:
            taken.append(theta)
    weights = [comb(i + 8, 8) for i in range(len(taken))]
    descent = begin("gd", learning_rate_init=0.1)
    descent.advance(45)
    assert_allclose(descent.iterate, np.average(taken, axis=0, weights=weights))
    assert_allclose(descent.loss_curve[-1], objective.value(theta))


@pytest.mark.parametrize("name", DESCENDING)
def test_the_steps_of_max_iter_look_at_every_sample_as_often(name):
    solver = make(name, max_iter=7, batch_size=12)
    assert solver.most_steps(48) * solver.rows_of_step(48) == 7 * 48


@pytest.mark.parametrize("name", DESCENDING)
def test_the_budget_of_a_checkpoint_is_made_in_silence(name):
    checkpoint = SimpleNamespace(n_steps=8, n_epochs=2)
    solver = make(name, batch_size=12).for_steps(checkpoint, 48)
    n_epochs = 8 if name == "gd" else 2  # all samples at once
    assert solver.ends_with_budget == (name != "gd")
    _, seen, result = run(solver, LeastSquares())
    assert len(seen) == n_epochs
    assert result.message is None


@pytest.mark.parametrize("n_steps", [1, 4, 12, 15])
def test_a_piece_of_lbfgs_is_a_solve_of_a_quarter_as_many_iterations(n_steps):
    descent = make("lbfgs").begin(LeastSquares(), [LeastSquares().start], None)
    descent.advance(n_steps)
    n_iter = max(1, n_steps // 4)
    theta, seen, _ = run(make("lbfgs", max_iter=n_iter), LeastSquares())
    assert len(seen) == n_iter
    assert_array_equal(descent.iterate, theta)


class Wells:
    """f(θ) = θ²/1000 - Σ depthᵢ exp(-(θ - placeᵢ)²)."""

    is_smooth, signs, has_parts = True, None, False
    places, depths = np.array([0.0, 6.0, 12.0]), np.array([3.0, 5.0, 9.0])

    def __init__(self):
        self.visited = set()

    def value_and_grad(self, theta):
        self.visited.add(round(theta[0] / 6))
        away = theta - self.places
        wells = self.depths * np.exp(-(away**2))
        return theta[0] ** 2 / 1000 - wells.sum(), theta / 500 + 2 * (away @ wells)

    def value(self, theta):
        return self.value_and_grad(theta)[0]


@pytest.mark.parametrize("n_starts", [1, 2, 3])
def test_lbfgs_goes_on_from_the_best_of_its_starts(n_starts):
    wells, pieces = Wells(), [12, 17, 92, 4, 1]
    starts = [np.array([place + 0.5]) for place in wells.places[:n_starts]]
    descent = make("lbfgs").begin(wells, starts, np.random.default_rng(0))
    for n_steps in pieces:
        descent.advance(n_steps)
        assert descent.loss_curve[-1] == wells.value(descent.iterate)
    assert descent.n_epochs == sum(max(1, n_steps // 4) for n_steps in pieces)
    lowest = wells.value(wells.places[[n_starts - 1]])
    assert_allclose(descent.loss_curve, lowest, rtol=1e-2)


@pytest.mark.parametrize("n_starts", [1, 2, 3])
def test_from_thirty_iterations_on_half_of_the_starts_of_lbfgs_go_on(n_starts):
    wells = Wells()
    starts = [np.array([place + 0.5]) for place in wells.places[:n_starts]]
    descent, n_going_on = make("lbfgs").begin(wells, starts, None), []
    for n_iter in (10, 19, 1, 1, 1):
        wells.visited.clear()
        descent.advance(4 * n_iter)
        n_going_on.append(len(wells.visited))
    half = ceil(n_starts / 2)
    assert n_going_on == [n_starts, n_starts, n_starts, half, ceil(half / 2)]


@pytest.mark.parametrize("name", MINIBATCH)
def test_every_epoch_has_an_order_of_its_own(name):
    objective, orders = LeastSquares(), set()
    gradients = objective.gradients

    def recording(theta, order, *batches):
        orders.add(tuple(order))
        return gradients(theta, order, *batches)

    objective.gradients = recording
    run(make(name, max_iter=20, batch_size=10), objective)
    assert len(orders) == 20


@any_first_order
def test_the_steps_to_come_cost_nothing(name):
    solver = make(name, max_iter=10**12, batch_size=10)
    _, seen, _ = run(solver, LeastSquares(), stop=lambda *_: True)
    assert len(seen) == 1


def test_weights_that_the_penalty_drives_to_zero_never_become_subnormal():
    rng = np.random.default_rng(0)
    X, noise = rng.standard_normal((20000, 4)), rng.integers(0, 2, 20000)
    model = ShallowNNClassifier(
        8, solver="adam", alpha=100.0, max_iter=8, batch_size=10
    )
    weights = np.abs(np.concatenate([W.ravel() for W in model.fit(X, noise).coefs_]))
    assert not ((weights > 0) & (weights < 1e-30)).any()
