"""The Gauss-Newton matrix, judged by differences of the linearised network's loss."""

import numpy as np
import pytest
from _units import CURVED, a_third, unit_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from test_objective import TARGETS, Problem

from sk_shallow._model.layout import Layout
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow.activations import ACTIVATIONS

STEP = 1e-5

any_unit = pytest.mark.parametrize("unit", OUTPUT_UNITS)
any_curved = pytest.mark.parametrize("unit", CURVED)
any_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
seeds = st.integers(0, 2**31)
shapes = st.fixed_dictionaries(
    {
        "seed": seeds,
        "n_samples": st.integers(1, 12),
        "n_in": st.integers(1, 4),
        "n_hidden": st.integers(1, 4),
        "n_out": st.integers(1, 4),
        "is_sparse": st.booleans(),
        "is_weighted": st.booleans(),
        "has_path": st.booleans(),
    }
)


def problem_of(activation, unit, **shape):
    """Random data for an objective without a penalty."""
    unit = unit_of(unit, shape.get("n_out", 2))
    return Problem(ACTIVATIONS[activation], unit, alpha=0.0, **shape)


def symmetrised(H):
    """All of a matrix of which the lower triangle is filled."""
    return np.tril(H) + np.tril(H, -1).T


def delta(unit, Z, Y):
    """∂ℓ/∂Z."""
    out = np.empty_like(Z)
    unit.delta(Z, Y, out=out)
    return out


def outputs(problem, theta):
    """Z2, by the formula, of shape (n_out, n_samples)."""
    b1, W1, W2, b2, V, *_ = problem.layout.view(theta)
    A1 = problem.activation.forward(problem.inputs @ W1 + b1)
    return (A1 @ W2 + b2[:, 0] + problem.inputs[:, : len(V)] @ V).T


def differences(f, theta):
    """Central differences of f along each coordinate, in the last axis."""
    steps = STEP * np.eye(len(theta))
    pairs = [(f(theta + step), f(theta - step)) for step in steps]
    return np.stack([ahead - behind for ahead, behind in pairs], axis=-1) / (2 * STEP)


def expected_curvature(problem, theta):
    """The Hessian of the loss of the linearised network, by differences."""
    Z2, J = outputs(problem, theta), differences(lambda t: outputs(problem, t), theta)

    def gradient(step):
        dZ2 = delta(problem.unit, Z2 + J @ step, problem.Y) * problem.weights
        return np.tensordot(dZ2, J, 2)

    return differences(gradient, np.zeros(len(theta)))


def without_shift(H, problem):
    """H, with the share of a shift of the logits taken from the block of b2."""
    k, H = problem.layout.n_out, H.copy()
    if problem.unit.is_shift_invariant:
        block = H[-k:, -k:]
        block -= block.trace() / (k**2 + k)
    return H


@any_unit
@given(seed=seeds, n_out=st.integers(1, 5), n_samples=st.integers(1, 6))
def test_the_root_of_curvature_squares_to_the_hessian_of_the_loss(
    unit, seed, n_out, n_samples
):
    rng = np.random.default_rng(seed)
    Z = 3 * rng.standard_normal((n_out, n_samples))
    Y, kind = TARGETS[unit](rng, n_samples, n_out), OUTPUT_UNITS[unit]
    B = np.repeat(np.eye(n_out)[:, None], n_samples, axis=1)
    kind.scale_by_root_of_curvature(Z, Y, B)
    for i in range(n_samples):
        y = Y[:, [i]]
        hessian = differences(lambda z, y=y: delta(kind, z[:, None], y)[:, 0], Z[:, i])
        assert_allclose(B[:, i].T @ B[:, i], hessian, rtol=1e-7, atol=1e-8)


@any_unit
@given(seed=seeds, n_out=st.integers(1, 4), size=st.integers(1, 5))
def test_the_root_of_curvature_multiplies_any_matrix(unit, seed, n_out, size):
    rng = np.random.default_rng(seed)
    Z, J = rng.standard_normal((n_out, 3)), rng.standard_normal((n_out, 3, size))
    Y = TARGETS[unit](rng, 3, n_out)
    B, scaled = np.repeat(np.eye(n_out)[:, None], 3, axis=1), J.copy()
    for array in (B, scaled):
        OUTPUT_UNITS[unit].scale_by_root_of_curvature(Z, Y, array)
    for i in range(3):
        assert_allclose(scaled[:, i], B[:, i] @ J[:, i], rtol=1e-12, atol=1e-14)


@any_unit
@pytest.mark.parametrize("size", [50.0, 1e3, 1e5])
def test_the_root_of_curvature_stays_finite_where_probabilities_vanish(unit, size):
    Z = np.array([[size, -size, 0.0], [-size, -size, 0.0]])
    B, Y = np.ones((2, 3, 4)), np.ones((2, 3))
    OUTPUT_UNITS[unit].scale_by_root_of_curvature(Z, Y, B)
    assert np.isfinite(B).all()


@pytest.mark.slow
@any_activation
@any_unit
@given(shape=shapes)
def test_it_is_the_hessian_of_the_linearised_networks_loss(activation, unit, shape):
    problem = problem_of(activation, unit, **shape)
    H = problem.objective().gauss_newton(problem.theta)[2].dense()
    expected = expected_curvature(problem, problem.theta)
    found = without_shift(symmetrised(H), problem)
    tolerance = 1e-7 * max(1.0, np.abs(expected).max())
    assert_allclose(found, expected, rtol=1e-6, atol=tolerance)


@any_unit
@given(shape=shapes)
def test_a_shift_of_the_logits_has_the_mean_curvature_of_the_biases(unit, shape):
    problem = problem_of("tanh", unit, **shape)
    k = problem.layout.n_out
    H = problem.objective().gauss_newton(problem.theta)[2].dense()
    added = symmetrised(H)[-k:, -k:]
    added -= expected_curvature(problem, problem.theta)[-k:, -k:]
    if unit != "softmax":
        assert_allclose(added, 0, atol=1e-6)
        return
    A = problem.unit.mean(outputs(problem, problem.theta))
    mean = (problem.weights * A * (1 - A)).sum() / k
    assert_allclose(added, np.full((k, k), mean / k), atol=1e-6)
    shift = np.ones(k) / np.sqrt(k)
    assert shift @ added @ shift == pytest.approx(mean, abs=1e-5)


@any_activation
@any_curved
@a_third
@given(shape=shapes)
def test_its_gradient_is_that_of_J_times_the_total_weight(activation, unit, shape):
    problem = problem_of(activation, unit, **shape)
    objective = problem.objective()
    likelihood, grad, _ = objective.gauss_newton(problem.theta)
    value, expected = objective.value_and_grad(problem.theta)
    total = problem.weights.sum()
    assert_allclose(grad, total * expected, rtol=1e-9, atol=1e-11)
    assert likelihood == pytest.approx(total * value, rel=1e-12)
    assert likelihood == pytest.approx(problem.losses(problem.theta).sum(), rel=1e-10)
    assert likelihood == pytest.approx(objective.likelihood(problem.theta), rel=1e-12)


@any_curved
@given(shape=shapes)
def test_only_the_lower_triangle_of_H_is_filled_and_it_is_not_negative(unit, shape):
    problem = problem_of("tanh", unit, **shape)
    H = problem.objective().gauss_newton(problem.theta)[2].dense()
    assert H.flags.f_contiguous
    assert not np.triu(H, 1).any()
    eigenvalues = np.linalg.eigvalsh(symmetrised(H))
    assert eigenvalues[0] >= -1e-12 * eigenvalues[-1]


def assert_same(found, expected):
    found, expected = ((*parts, H.dense()) for *parts, H in (found, expected))
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@any_curved
@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("jacobian_size", [1, 60, 200, 301, 10**6])
def test_the_size_of_the_blocks_does_not_matter(unit, is_sparse, jacobian_size):
    problem = problem_of("tanh", unit, seed=1, n_samples=23, is_sparse=is_sparse)
    objective = problem.objective()
    expected = objective.gauss_newton(problem.theta)
    objective.jacobian_size = jacobian_size
    assert_same(objective.gauss_newton(problem.theta), expected)


@any_unit
def test_the_jacobian_is_never_larger_than_a_block(unit):
    problem = problem_of("tanh", unit, seed=1, n_samples=23)
    objective, sizes = problem.objective(), []

    class Recording(type(problem.unit)):
        def scale_by_root_of_curvature(self, Z, Y, J):
            sizes.append(J.size)
            super().scale_by_root_of_curvature(Z, Y, J)

    objective.loss = Recording()
    objective.jacobian_size = 5 * problem.layout.size * problem.layout.n_out
    objective.gauss_newton(problem.theta)
    assert max(sizes) == objective.jacobian_size
    assert len(sizes) == 5


@any_unit
@given(shape=shapes)
def test_sparse_inputs_are_dense_ones(unit, shape):
    problem = problem_of("tanh", unit, **{**shape, "is_sparse": True})
    objective = problem.objective()
    found = objective.gauss_newton(problem.theta)
    objective.X = np.column_stack([np.ones(problem.n_samples), problem.inputs])
    assert_same(found, objective.gauss_newton(problem.theta))


@any_curved
@given(seed=seeds)
def test_weight_k_is_k_copies(unit, seed):
    rng, layout = np.random.default_rng(seed), Layout(3, 4, 2)
    X = np.column_stack([np.ones(9), rng.standard_normal((9, 3))])
    unit = unit_of(unit, 2)
    Y, theta = TARGETS[unit.activation](rng, 9, 2), rng.standard_normal(layout.size)
    k = rng.integers(1, 5, 9)
    common = layout, ACTIVATIONS["tanh"], unit
    weighted = Objective(*common, X, Y, k.astype(float))
    repeated = Objective(*common, np.repeat(X, k, axis=0), np.repeat(Y, k, axis=1))
    assert_same(weighted.gauss_newton(theta), repeated.gauss_newton(theta))


@given(shape=shapes)
def test_of_a_linear_network_in_its_output_layer_it_is_the_hessian_itself(shape):
    problem = problem_of("tanh", "identity", **shape)
    objective, theta = problem.objective(), problem.theta
    H = objective.gauss_newton(theta)[2].dense()
    last = problem.layout.n_out * (problem.layout.n_hidden + 1)

    def gradient(tail):
        moved = np.append(theta[:-last], tail)
        return problem.weights.sum() * objective.value_and_grad(moved)[1][-last:]

    hessian = differences(gradient, theta[-last:])
    tolerance = 1e-7 * max(1.0, np.abs(hessian).max())
    found = symmetrised(H)[-last:, -last:]
    assert_allclose(found, hessian, rtol=1e-6, atol=tolerance)


@given(shape=shapes)
def test_only_the_biases_are_eliminated_last(shape):
    problem = problem_of("tanh", "identity", **{**shape, "n_samples": 1, "n_out": 1})
    H = problem.objective().gauss_newton(problem.theta)[2]
    if problem.layout.size >= 3:
        weights = problem.layout.penalized(~H.last)
        assert weights.all()
        assert weights.sum() == (~H.last).sum()


@given(shape=shapes)
def test_the_metric_is_the_mean_square_of_what_a_weight_multiplies(shape):
    problem = problem_of("tanh", "identity", **shape)
    objective, X = problem.objective(), problem.inputs
    if not problem.is_sparse:
        X = np.where(np.arange(problem.n_in) == 0, 0.0, X)
        objective.X = np.column_stack([np.ones(len(X)), X])
    squares = np.average(X**2, axis=0, weights=problem.weights)
    metric = problem.layout.view(objective.metric())
    expected = np.where(squares == 0, 1.0, squares)[:, None]
    assert_allclose(metric.W1, expected + np.zeros_like(metric.W1), rtol=1e-9)
    for ones in (metric.b1, metric.W2, metric.b2):
        assert_allclose(ones, 1, rtol=1e-12)
