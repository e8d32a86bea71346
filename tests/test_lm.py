"""Levenberg-Marquardt: known minima, laws of the fit, and honest error bars."""

import pickle
import warnings

import numpy as np
import pytest
from _curves import two_curves
from _units import CURVED, unit_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from test_objective import TARGETS
from test_solvers import LeastSquares

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._model.layout import Layout
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow._model.penalty import Penalty
from sk_shallow._solvers import SOLVERS
from sk_shallow._solvers.lm import LevenbergMarquardt
from sk_shallow.activations import ACTIVATIONS

any_unit = pytest.mark.parametrize("unit", CURVED)
seeds = st.integers(0, 2**31)
KINDS = ["vector", "columns", "binary", "multiclass", "multilabel"]
any_kind = pytest.mark.parametrize("kind", KINDS)
any_alpha = pytest.mark.parametrize("alpha", [1.0, "evidence", "ard"])
any_search = pytest.mark.parametrize("alpha", ["evidence", "ard"])


def objective_of(unit, seed, layout, alpha, n_samples=30, activation="tanh"):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n_samples), rng.normal(size=(n_samples, layout.n_in))])
    unit = unit_of(unit, layout.n_out)
    Y = TARGETS[unit.activation](rng, n_samples, layout.n_out)
    network, weights = (
        (layout, ACTIVATIONS[activation], unit),
        rng.uniform(1, 3, len(X)),
    )
    objective = Objective(*network, X, Y, weights, penalty=Penalty.of(layout, alpha))
    return objective, rng.normal(size=layout.size)


class Path:
    """Every θ and every loss that a solver shows."""

    def __init__(self):
        self.thetas, self.losses = [], []

    def __call__(self, theta, loss):
        self.thetas.append(theta.copy())
        self.losses.append(loss)
        return False


def path_of(objective, theta, **parameters):
    path = Path()
    path.result = LevenbergMarquardt(**parameters).solve(
        objective, theta, on_iteration=path
    )
    return path


def penalized(objective, theta):
    data = objective.likelihood(theta)
    return data + 0.5 * objective.penalty.precision @ theta**2


@any_unit
@settings(max_examples=6)
@given(seed=seeds, two=st.booleans())
def test_every_step_descends_until_the_gradient_is_zero(unit, seed, two):
    layout = Layout(2, 3, 3)
    alpha = [0.5, 2.0] if two else 1.0
    objective, theta = objective_of(unit, seed, layout, alpha)
    start = objective.value_and_grad(theta)[1]
    path = path_of(objective, theta)
    values = [penalized(objective, theta) for theta in path.thetas]
    assert_allclose(path.losses, np.divide(values, objective.total_weight), rtol=1e-12)
    assert (np.diff(path.losses) <= 0).all()
    assert_array_equal(theta, path.thetas[-1])
    if path.result.message is None:
        gradient = objective.total_weight * objective.value_and_grad(theta)[1]
        gradient += objective.penalty.precision * theta
        tolerance = 1e-5 * objective.total_weight * np.abs(start).max()
        assert np.abs(gradient).max() < tolerance


def on_a_quadratic(metric):
    """A descent of a quadratic; H, the gradient at θ = 0, and α."""
    objective = LeastSquares()
    objective.metric = lambda: metric
    descent = LevenbergMarquardt().start(objective, objective.start.copy())
    H, slope = objective.A.T @ objective.A, -objective.A.T @ objective.b
    return objective, descent, H, slope, objective.penalty.alpha[0] * np.eye(len(H))


@given(seed=seeds)
def test_on_a_quadratic_it_is_the_textbook_recursion(seed):
    rng = np.random.default_rng(seed)
    metric = 10 ** rng.uniform(-3, 3) * rng.uniform(0.2, 5, 4)
    objective, descent, H, slope, alpha = on_a_quadratic(metric)
    theta, mu = np.zeros(4), 0.01 * np.mean(np.diag(H) / metric)
    for _ in range(3):
        assert descent.damping.mu == pytest.approx(mu)
        A = H + alpha + mu * np.diag(metric)
        theta -= np.linalg.solve(A, slope + (H + alpha) @ theta)
        mu /= 3
        assert LevenbergMarquardt().step(objective, descent)
        assert_allclose(descent.theta, theta, rtol=1e-10)
        value = LevenbergMarquardt().value(objective, descent)
        assert value == pytest.approx(objective.value(theta))


@pytest.mark.parametrize("mu", [0.1, 10.0, 1e3, 1e5])
def test_a_quadratic_falls_as_predicted_however_short_the_step(mu):
    objective, descent, *_ = on_a_quadratic(np.array([0.2, 1.0, 3.0, 5.0]))
    gains, descent.damping.mu = [], mu
    descent.damping.reward = gains.append
    assert LevenbergMarquardt().step(objective, descent)
    assert_allclose(gains, 1, rtol=1e-8)


class Reluctant:
    """H, of which nothing is factored that is damped by less than so much."""

    def __init__(self, H, least):
        self.H, self.least = H, least

    def factor(self, d):
        return self.H.factor(d) if d.min() > self.least else None


def test_what_cannot_be_factored_is_damped_until_it_can():
    objective, descent, H, slope, alpha = on_a_quadratic(np.ones(4))
    mu = descent.damping.mu
    value, grad, curvature = descent.model
    descent.model = value, grad, Reluctant(curvature, alpha[0, 0] + 7 * mu)
    assert LevenbergMarquardt().step(objective, descent)
    A = H + alpha + 8 * mu * np.eye(4)
    assert_allclose(descent.theta, np.linalg.solve(A, -slope), rtol=1e-10)
    descent.model = value, grad, Reluctant(curvature, np.inf)
    assert not LevenbergMarquardt().step(objective, descent)
    assert_allclose(descent.theta, np.linalg.solve(A, -slope), rtol=1e-10)


@pytest.mark.parametrize("wall", [(1e200, 1e200), (np.inf, 0.0)], ids=["inf", "nan"])
def test_a_step_to_where_the_loss_is_not_finite_is_shortened_in_silence(wall):
    objective, descent, *_ = on_a_quadratic(np.ones(4))
    likelihood, radius = objective.likelihood, 1.0
    inside = lambda theta: np.linalg.norm(theta) < radius  # noqa: E731
    objective.likelihood = lambda theta: (
        likelihood(theta) if inside(theta) else np.float64(wall[0]) * wall[1]
    )
    assert np.linalg.norm(objective.minimum) > 2 * radius
    before = LevenbergMarquardt().value(objective, descent)
    assert LevenbergMarquardt().step(objective, descent)
    assert inside(descent.theta)
    assert LevenbergMarquardt().value(objective, descent) < before


def test_without_curvature_the_damping_is_positive():
    objective = LeastSquares()
    objective.A[...] = 0
    descent = LevenbergMarquardt().start(objective, objective.start.copy())
    assert descent.damping.mu > 0


# Nielsen's rule: 1 - (2 gain - 1)³, but no less than 1/3.
@pytest.mark.parametrize(
    ("gain", "factor"),
    [(0, 2), (0.25, 1.125), (0.5, 1), (0.75, 0.875), (0.95, 1 / 3), (9, 1 / 3)],
)
def test_the_damping_follows_the_gain_of_a_good_step(gain, factor):
    _, descent, *_ = on_a_quadratic(np.ones(4))
    before = descent.damping.mu
    descent.damping.reward(gain)
    assert descent.damping.mu == pytest.approx(factor * before)


def test_the_damping_grows_faster_and_faster_until_a_good_step():
    _, descent, *_ = on_a_quadratic(np.ones(4))
    damping, before = descent.damping, descent.damping.mu
    for factor in (2, 8, 64):
        damping.punish()
        assert damping.mu == pytest.approx(factor * before)
    damping.reward(0.5)
    damping.punish()
    assert damping.mu == pytest.approx(128 * before)


def test_a_copy_of_a_descent_goes_its_own_way_from_the_first_damping():
    objective, descent, *_ = on_a_quadratic(np.ones(4))
    start, first = descent.theta.copy(), descent.damping.mu
    copy = descent.copy()
    assert LevenbergMarquardt().step(objective, copy)
    assert_array_equal(descent.theta, start)
    assert descent.damping.mu == first
    assert (copy.theta != start).all()
    again = copy.copy()
    assert_array_equal(again.theta, copy.theta)
    assert again.damping.mu == pytest.approx(first)


def test_most_descents_end_before_the_budget():
    ended = 0
    for seed in range(10):
        objective, theta = objective_of("identity", seed, Layout(2, 3, 3), 1.0)
        ended += path_of(objective, theta).result.message is None
    assert ended >= 8


def orthogonal_problem(seed, n_samples, n_in, n_out):
    """Centred X with Xᵀ X = I, Y, and the singular values of Xᵀ Y."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_in))
    X, _ = np.linalg.qr(X - X.mean(axis=0))
    Y = rng.normal(size=(n_samples, n_out)) + 5 * X @ rng.normal(size=(n_in, n_out))
    return X, Y, np.linalg.svd(X.T @ Y, full_matrices=False)


# α/2 (‖W1‖² + ‖W2‖²) is least, for one product W1 W2, as α times its nuclear norm.
@given(seed=seeds, n_in=st.integers(1, 4), n_out=st.integers(1, 3), extra=st.booleans())
def test_a_linear_network_thresholds_the_singular_values(seed, n_in, n_out, extra):
    X, Y, (U, s, V) = orthogonal_problem(seed, 20, n_in, n_out)
    alpha = 0.5 * s[-1]
    layout = Layout(n_in, min(n_in, n_out) + extra, n_out)
    network = layout, ACTIVATIONS["identity"], OUTPUT_UNITS["identity"]
    design, penalty = np.column_stack([np.ones(20), X]), Penalty.of(layout, alpha)
    objective = Objective(*network, design, Y.T, penalty=penalty)
    theta = np.random.default_rng(seed).normal(size=layout.size)
    path_of(objective, theta)
    weights = layout.view(theta)
    assert_allclose(weights.W1 @ weights.W2, U * (s - alpha) @ V, rtol=1e-4, atol=1e-5)
    residuals = Y - Y.mean(axis=0) - X @ (U * (s - alpha) @ V)
    least = 0.5 * np.sum(residuals**2) + alpha * np.sum(s - alpha)
    assert penalized(objective, theta) == pytest.approx(least, rel=1e-8)


def test_the_budget_is_kept_and_what_is_missing_is_said():
    objective, theta = objective_of("identity", 0, Layout(2, 3, 3), 1.0)
    path = path_of(objective, theta, max_iter=3)
    assert len(path.losses) == 3
    assert "max_iter=3" in path.result.message


@pytest.mark.parametrize(
    ("n_samples", "n_hidden"), [(10, 2000), (10**7, 100)], ids=["wide", "long"]
)
def test_what_is_too_large_is_refused_with_a_way_out(n_samples, n_hidden):
    with pytest.raises(ValueError, match=r"'lm'.*'adam'"):
        LevenbergMarquardt().sized(n_samples, Layout(5, n_hidden, 1), None)
    solver = LevenbergMarquardt(max_iter=7)
    assert solver.sized(n_samples, Layout(2, 3, 1), None) == solver


# A network with one input and output has 3 h + 1 weights.
@pytest.mark.parametrize(
    ("n_samples", "n_hidden", "more_samples", "more_hidden"),
    [(10, 1333, 0, 1), (10**6, 333, 1, 0)],
    ids=["4000 weights", "1e12 outputs times squared weights"],
)
def test_the_largest_size_is_allowed(n_samples, n_hidden, more_samples, more_hidden):
    solver, layout = LevenbergMarquardt(), Layout(1, n_hidden, 1)
    assert solver.sized(n_samples, layout) is solver
    layout = Layout(1, n_hidden + more_hidden, 1)
    with pytest.raises(ValueError, match="'lm'"):
        solver.sized(n_samples + more_samples, layout)


def test_the_work_is_that_of_the_product_of_the_jacobian_of_one_member():
    J = np.empty((50 * 2, Layout(3, 4, 2).size))
    work = LevenbergMarquardt().n_operations(50, Layout(3, 4, 2, 7))
    assert work == J.shape[1] * J.size


def test_a_committee_is_as_large_as_its_members():
    assert LevenbergMarquardt().sized(1000, Layout(5, 20, 1, 100), None)


def test_an_estimator_too_large_is_refused_and_stays_unfitted():
    X, y = data("vector")
    model = ShallowNNRegressor(2000, solver="lm")
    with pytest.raises(ValueError, match=r"'lm'.*'adam'"):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")


def data(kind, n_samples=80, seed=0):
    X, Z = two_curves(n_samples, seed)
    y = {
        "vector": Z[:, 0],
        "columns": 10 * Z + 3,
        "binary": Z[:, 0] > 0,
        "multiclass": np.digitize(Z[:, 0], [-0.5, 0.5]),
        "multilabel": (Z > 0).astype(int),
    }
    return X, y[kind]


def lm(kind, n_hidden=3, **parameters):
    regression = kind in ("vector", "columns")
    Estimator = ShallowNNRegressor if regression else ShallowNNClassifier
    return Estimator(n_hidden, **{"solver": "lm", "random_state": 0, **parameters})


def prediction(model, X):
    return np.asarray(getattr(model, "predict_proba", model.predict)(X))


def assert_same_network(one, other, rtol):
    for found, expected in zip(
        one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


@any_kind
def test_lbfgs_finds_nothing_lower_where_lm_has_ended(kind):
    X, y = data(kind)
    model = lm(kind, alpha=2.0, activation="tanh", tol=0.0, warm_start=True)
    least, before = model.fit(X, y).loss_, prediction(model, X)
    model.set_params(solver="lbfgs", tol=1e-4).fit(X, y)
    assert model.loss_ == pytest.approx(least, rel=1e-9)
    assert_allclose(prediction(model, X), before, atol=1e-4 * np.abs(before).max())


@any_kind
def test_lm_finds_nothing_lower_where_lbfgs_has_ended(kind):
    X, y = data(kind)
    parameters = {"alpha": 2.0, "activation": "tanh", "tol": 0.0, "warm_start": True}
    model = lm(kind, solver="lbfgs", max_iter=3000, **parameters)
    least, before = model.fit(X, y).loss_, prediction(model, X)
    model.set_params(solver="lm", max_iter=None).fit(X, y)
    assert model.loss_ == pytest.approx(least, rel=1e-7)
    assert_allclose(prediction(model, X), before, atol=1e-3 * np.abs(before).max())


def test_a_warm_start_with_another_solver_keeps_the_activation():
    X, y = data("vector")
    model = lm("vector", alpha=2.0, warm_start=True).fit(X, y)
    before = model.loss_
    model.set_params(solver="lbfgs").fit(X, y)
    assert model.activation_ == "tanh"
    assert model.loss_curve_[0] <= before * (1 + 1e-9)


def briefly(model, X, y, sample_weight=None):
    """Fit it for so few iterations that rounding does not grow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.set_params(max_iter=40).fit(X, y, sample_weight)


@any_alpha
@any_kind
def test_weight_k_is_k_copies_and_weight_0_is_none(kind, alpha):
    X, y = data(kind, 60)
    k = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = briefly(lm(kind, alpha=alpha), X, y, k)
    copies = np.repeat(X, k, axis=0), np.repeat(y, k, axis=0)
    repeated = briefly(lm(kind, alpha=alpha), *copies)
    assert_same_network(weighted, repeated, rtol=1e-6)
    assert_allclose(weighted.alpha_, repeated.alpha_, rtol=1e-6)
    assert weighted.log_evidence_ == pytest.approx(repeated.log_evidence_, rel=1e-6)


@any_alpha
@any_kind
def test_sparse_is_dense(kind, alpha):
    X, y = data(kind, 60)
    X[np.abs(X) < 0.5] = 0
    dense = briefly(lm(kind, alpha=alpha), X, y)
    model = briefly(lm(kind, alpha=alpha), sparse.csr_array(X), y)
    assert_same_network(model, dense, rtol=1e-6)
    if kind in ("vector", "columns"):
        found = model.predict(sparse.csr_matrix(X), return_std=True)
        expected = dense.predict(X, return_std=True)
        assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@any_search
@any_kind
def test_the_same_seed_gives_the_same_bits(kind, alpha):
    X, y = data(kind)
    model = lm(kind, alpha=alpha).fit(X, y)
    again = clone(model).fit(X, y)
    assert_array_equal(again.coefs_[0], model.coefs_[0])
    assert_array_equal(again.alpha_, model.alpha_)
    other = clone(model).set_params(random_state=1).fit(X, y)
    assert not np.allclose(other.coefs_[0], model.coefs_[0])


@any_search
@any_kind
def test_the_network_stays_where_it_was_found_if_its_alpha_is_given(kind, alpha):
    X, y = data(kind, 300)
    model = lm(kind, 2, alpha=alpha, warm_start=True).fit(X, y)
    before, alpha_ = prediction(model, X), model.alpha_
    model.set_params(alpha=alpha_).fit(X, y)
    assert_allclose(prediction(model, X), before, atol=0.1 * np.abs(before).max())
    assert_array_equal(model.alpha_, alpha_)


@any_search
@any_kind
def test_a_warm_start_goes_on_with_the_search_from_where_it_has_ended(kind, alpha):
    X, y = data(kind)
    model = lm(kind, alpha=alpha, warm_start=True).fit(X, y)
    first, loss, alpha_ = model.loss_curve_[0], model.loss_, np.mean(model.alpha_)
    assert first > 1.2 * loss
    model.fit(X, y)
    assert model.loss_curve_[0] < 1.1 * loss
    if alpha == "evidence":
        assert 0.2 < np.mean(model.alpha_) / alpha_ < 5


@any_search
def test_irrelevant_features_are_told(alpha):
    X, y = data("vector", 300)
    model = lm("vector", alpha=alpha).fit(X, y)
    if alpha == "evidence":
        assert not hasattr(model, "feature_relevance_")
        return
    relevance = model.feature_relevance_
    assert relevance.sum() == pytest.approx(1)
    assert relevance[0] > relevance[1] > 100 * relevance[2]


@any_search
@pytest.mark.parametrize("solver", sorted(set(SOLVERS) - {"lm"}))
@pytest.mark.parametrize("kind", ["vector", "binary"])
def test_alpha_is_found_by_lm_alone(kind, solver, alpha):
    X, y = data(kind)
    with pytest.raises(ValueError, match=rf"'{solver}'.*'{alpha}'.*solver='lm'"):
        lm(kind, solver=solver, alpha=alpha).fit(X, y)


@pytest.mark.parametrize(
    "alpha",
    [[1.0], [1, 2, 3], [1.0] * 5, [[1, 2], [1, 2]], [[1, 2, 3]]],
    ids=lambda alpha: str(np.shape(alpha)),
)
@pytest.mark.parametrize("kind", ["vector", "binary"])
def test_an_alpha_of_another_shape_is_refused(kind, alpha):
    X, y = data(kind)
    with pytest.raises(ValueError, match="alpha"):
        lm(kind, alpha=alpha).fit(X, y)


def test_the_message_names_the_shapes_that_are_allowed():
    X, y = data("vector")
    expected = r"shape \(3,\).*2 numbers.*4, for each feature.*1 member"
    with pytest.raises(ValueError, match=expected):
        lm("vector", alpha=[1, 2, 3]).fit(X, y)


@pytest.mark.parametrize("alpha", [[-1, 2], [1, np.nan], [np.inf, 1]], ids=str)
def test_an_alpha_that_is_no_strength_is_refused(alpha):
    X, y = data("vector")
    with pytest.raises(ValueError, match="alpha"):
        lm("vector", alpha=alpha).fit(X, y)


@pytest.mark.parametrize("alpha", [[1, 2], [1, 2, 3, 4], [[1, 2]]], ids=str)
@any_kind
def test_an_array_of_alpha_is_used_as_it_is(kind, alpha):
    X, y = data(kind)
    model = lm(kind, alpha=alpha).fit(X, y)
    assert_array_equal(model.alpha_, np.ravel(alpha))


@any_kind
def test_equal_numbers_are_one(kind):
    X, y = data(kind)
    flat = briefly(lm(kind, alpha=[2.0, 2.0]), X, y)
    assert flat.alpha_ == 2.0
    assert_same_network(flat, briefly(lm(kind, alpha=2.0), X, y), rtol=1e-7)


def test_a_stronger_penalty_on_a_feature_makes_its_weights_smaller():
    X, y = data("vector")
    sizes = [
        np.abs(lm("vector", alpha=[1, a, 1, 1]).fit(X, y).coefs_[0][1]).max()
        for a in (1, 10, 100, 1e4)
    ]
    assert (np.diff(sizes) < 0).all()
    assert sizes[-1] < 0.1 * sizes[0]


@pytest.mark.slow
@pytest.mark.parametrize("c", [7.3, 1e-5])
@pytest.mark.parametrize("kind", ["vector", "columns"])
@any_alpha
def test_the_unit_of_y_changes_the_density_and_not_alpha(alpha, kind, c):
    X, y = data(kind)
    w = np.random.default_rng(2).uniform(0.5, 2, len(X))
    model = lm(kind, alpha=alpha).fit(X, y, sample_weight=w)
    scaled = clone(model).fit(X, c * y, sample_weight=w)
    change = scaled.log_evidence_ - model.log_evidence_
    assert change == pytest.approx(-w.sum() * model.n_outputs_ * np.log(c), rel=1e-6)
    assert_allclose(scaled.noise_variance_, c**2 * model.noise_variance_, rtol=1e-6)
    assert_allclose(scaled.alpha_, model.alpha_, rtol=1e-6)
    assert_allclose(
        scaled.predict(X, return_std=True),
        c * np.array(model.predict(X, return_std=True)),
        rtol=1e-5,
        atol=1e-6 * c,
    )


def smooth(X):
    return np.sin(2 * X[:, 0]) + 0.5 * X[:, 1]


@pytest.mark.parametrize("n_estimators", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_intervals_cover_what_they_promise(n_estimators, seed):
    rng, noise = np.random.default_rng(seed), 0.3
    X, X_new = rng.uniform(-2, 2, (300, 2)), rng.uniform(-2, 2, (4000, 2))
    y, y_new = (smooth(Z) + noise * rng.normal(size=len(Z)) for Z in (X, X_new))
    model = lm("vector", 8, n_estimators=n_estimators).fit(X, y)
    mean, std = model.predict(X_new, return_std=True)
    assert_allclose(mean, model.predict(X_new), rtol=1e-9, atol=1e-9)
    error = np.abs(y_new - mean) / std
    assert 0.63 < np.mean(error < 1) < 0.76
    assert 0.92 < np.mean(error < 1.96) < 0.98
    assert model.noise_variance_ == pytest.approx(noise**2, rel=0.35)
    assert (std > 0.99 * np.sqrt(model.noise_variance_)).all()


@pytest.mark.parametrize("n_estimators", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_standard_deviation_grows_away_from_the_samples(n_estimators, seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, (300, 2))
    y = smooth(X) + 0.3 * rng.normal(size=300)
    model = lm("vector", 8, n_estimators=n_estimators).fit(X, y)
    _, among = model.predict(X, return_std=True)
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    rings = [model.predict(r * circle, return_std=True)[1].mean() for r in (1, 3, 4, 6)]
    assert (np.diff(rings) > 0).all()
    assert rings[2] > 1.5 * among.mean()


def test_fewer_samples_are_less_certain():
    stds = []
    for n in (30, 100, 1000):
        X, y = data("vector", n)
        model = lm("vector", alpha=1.0).fit(X, y)
        _, std = model.predict(X[:30], return_std=True)
        stds.append(np.mean(std**2 - model.noise_variance_))
    assert (np.diff(stds) < 0).all()


@pytest.mark.parametrize("solver", sorted(set(SOLVERS) - {"lm"}))
def test_where_nothing_was_held_out_other_solvers_have_no_deviation(solver):
    X, y = data("vector")
    model = lm("vector", solver=solver, alpha=1.0, max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    with pytest.raises(
        AttributeError, match=r"nothing was held out: alpha was set.*cv.*solver='lm'"
    ):
        model.predict(X, return_std=True)
    assert not hasattr(model, "log_evidence_")


def test_a_posterior_does_not_outlive_its_fit():
    X, y = data("vector")
    model = lm("vector", alpha="ard").fit(X, y)
    told = ("log_evidence_", "noise_variance_", "feature_relevance_")
    assert all(hasattr(model, name) for name in told)
    model.set_params(solver="adam", alpha=1.0, max_iter=2).fit(X, y)
    assert not any(hasattr(model, name) for name in told)
    with pytest.raises(AttributeError):
        model.predict(X, return_std=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["vector", "columns"])
def test_mean_and_standard_deviation_have_the_shape_of_y(kind, dtype):
    X, y = data(kind)
    model = lm(kind).fit(X.astype(dtype), y)
    moments = model.predict(X[:7].astype(dtype), return_std=True)
    assert [m.shape for m in moments] == [y[:7].shape] * 2
    assert [m.dtype for m in moments] == [dtype] * 2
    assert np.shape(model.noise_variance_) == y.shape[1:]


def test_each_output_has_the_standard_deviation_of_its_own_unit():
    X, y = data("columns")
    y = np.column_stack([y[:, 0], 100 * y[:, 0]])
    _, std = lm("columns").fit(X, y).predict(X, return_std=True)
    assert_allclose(std[:, 1], 100 * std[:, 0], rtol=1e-2)


@any_alpha
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_classifiers_learn_and_their_probabilities_sum_to_one(kind, alpha):
    X, y = data(kind, 200)
    model = lm(kind, alpha=alpha).fit(X, y)
    proba = model.predict_proba(X)
    n_classes = {"binary": 2, "multiclass": 3, "multilabel": 2}[kind]
    assert proba.shape == (200, n_classes)
    if kind != "multilabel":
        assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    assert ((proba >= 0) & (proba <= 1)).all()
    assert model.score(X, y) > 0.75
    assert np.isfinite(model.log_evidence_)
    assert 0 < model.n_effective_parameters_ <= sum(w.size for w in model.coefs_) + 9
    assert not hasattr(model, "noise_variance_")


def test_one_class_alone_is_certain():
    X, _ = data("binary")
    model = lm("binary").fit(X, np.zeros(len(X)))
    assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))


@pytest.mark.parametrize("given_samples", [True, False])
@any_alpha
@pytest.mark.parametrize("kind", ["vector", "multiclass"])
def test_early_stopping_keeps_the_best_network_and_its_alpha(
    kind, alpha, given_samples
):
    X, y = data(kind, 200)
    model = lm(kind, alpha=alpha, early_stopping=True, n_iter_no_change=25)
    validation = {"X_val": X[150:], "y_val": y[150:]} if given_samples else {}
    model.fit(X[:150], y[:150], **validation)
    assert len(model.validation_scores_) == model.n_iter_
    best = int(np.argmax(model.validation_scores_))
    assert model.loss_ == model.loss_curve_[best]
    shorter = clone(model).set_params(max_iter=best + 1, n_iter_no_change=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        shorter.fit(X[:150], y[:150], **validation)
    assert_same_network(model, shorter, rtol=1e-12)
    assert_array_equal(model.alpha_, shorter.alpha_)


@any_alpha
@any_kind
def test_fitting_writes_to_neither_X_nor_y(kind, alpha):
    X, y = data(kind, 40)
    before = X.copy(), y.copy()
    for array in (X, y):
        array.flags.writeable = False
    lm(kind, alpha=alpha).fit(X, y).predict(X)
    assert_array_equal(X, before[0])
    assert_array_equal(y, before[1])


@pytest.mark.parametrize("Estimator", [ShallowNNClassifier, ShallowNNRegressor])
def test_partial_fit_is_refused_where_alpha_is_to_be_found(Estimator):
    X, y = data("binary")
    with pytest.raises(AttributeError, match="partial_fit"):
        Estimator(3, solver="lm").partial_fit(X, y)


@pytest.mark.parametrize("Estimator", [ShallowNNClassifier, ShallowNNRegressor])
def test_partial_fit_cannot_find_alpha_and_says_so(Estimator):
    X, y = data("binary")
    with pytest.raises((ValueError, AttributeError), match=r"alpha|partial_fit"):
        Estimator(3, alpha="evidence").partial_fit(X, y)


@pytest.mark.parametrize("alpha", ["evidence", "ard"])
def test_partial_fit_goes_on_from_what_lm_has_found(alpha):
    X, y = data("vector")
    model = lm("vector", alpha=alpha, activation="tanh", n_estimators=2).fit(X, y)
    before = model.predict(X)
    model.set_params(solver="adam", alpha=None, learning_rate_init=1e-9)
    model.partial_fit(X, y)
    assert_allclose(model.predict(X), before, atol=1e-4)


def test_edited_weights_are_those_of_the_error_bars_and_of_a_warm_start():
    X, y = data("vector")
    for n_estimators in (1, 3):
        model = lm("vector", alpha=1.0, n_estimators=n_estimators, warm_start=True)
        mean, std = model.fit(X, y).predict(X, return_std=True)
        model.intercepts_[1] += 100
        moved, same = model.predict(X, return_std=True)
        assert_allclose(moved, mean + 100, rtol=1e-10)
        assert_allclose(same, std, rtol=1e-6)
        model.set_params(solver="gd", learning_rate_init=1e-12, max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        assert_allclose(model.predict(X), mean + 100, rtol=1e-6)


@pytest.mark.parametrize("n_samples", [20, 400])
def test_a_pickle_holds_a_triangle_for_each_member_at_the_most(n_samples):
    X, y = data("vector", n_samples)
    model = lm("vector", 20, alpha=1.0, n_estimators=3).fit(X, y)
    size = Layout(3, 20, 1).size
    bare = clone(model).set_params(alpha=1.0)
    vars(bare).update({k: v for k, v in vars(model).items() if k != "_posteriors"})
    posteriors = len(pickle.dumps(model)) - len(pickle.dumps(bare))
    assert posteriors < 3 * (8 * size * (size + 1) / 2 + 8 * 5 * size + 2000)


@pytest.mark.parametrize("alpha", ["evidence", "ard"])
@any_kind
def test_the_curve_is_the_mean_loss_of_the_samples_whatever_alpha_is(kind, alpha):
    X, y = data(kind)
    model = lm(kind, alpha=alpha).fit(X, y)
    plan = model._plan
    unit, Y = plan.coder.output_unit, plan.coder.encode(y, plan.y, np.float64)
    Z2 = model._by_outputs(X, np.transpose).T
    Z2 = (Z2 - plan.y.mean[:, None]) / plan.y.scale[:, None]
    assert model.loss_ == pytest.approx(unit.loss(Z2, Y).mean(), rel=1e-6)
    assert min(model.loss_curve_) <= model.loss_ * (1 + 1e-9)
