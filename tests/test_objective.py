"""J and its gradient, judged by difference quotients and by scikit-learn's MLP."""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import pytest
from _units import NUMBER_UNITS, PLAIN, unit_of
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sk_shallow._data.scaling import Standardizer
from sk_shallow._model.layout import Layout
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow.activations import ACTIVATIONS


def real_targets(rng, n_samples, n_out):
    return rng.standard_normal((n_out, n_samples))


def indicator_targets(rng, n_samples, n_out):
    return rng.integers(0, 2, (n_out, n_samples)).astype(float)


def one_hot_targets(rng, n_samples, n_out):
    return np.eye(n_out)[:, rng.integers(0, n_out, n_samples)]


def positive_targets(rng, n_samples, n_out):
    return rng.exponential(1, (n_out, n_samples))


# By output activation.
TARGETS = {
    "identity": real_targets,
    "relu": positive_targets,
    "softplus": positive_targets,
    "exp": positive_targets,
    "logistic": indicator_targets,
    "softmax": one_hot_targets,
}


@dataclass
class Problem:
    """Random data, and J written out for it without the package's kernel."""

    activation: object
    unit: object
    seed: int = 0
    n_samples: int = 12
    n_in: int = 3
    n_hidden: int = 4
    n_out: int = 2
    is_sparse: bool = False
    is_weighted: bool = True
    alpha: float = 0.7
    has_path: bool = False

    def __post_init__(self):
        rng = self.rng = np.random.default_rng(self.seed)
        shape = self.n_samples, self.n_in
        X = rng.standard_normal(shape)
        if self.is_sparse:
            X *= rng.random(shape) < 0.5
        scaler = Standardizer.of(X)
        self.design = scaler.design(
            sparse.csr_array(X) if self.is_sparse else X, np.float64
        )
        self.inputs = (X - scaler.mean) / scaler.scale
        self.Y = TARGETS[self.unit.activation](rng, self.n_samples, self.n_out)
        sizes = self.n_in, self.n_hidden, self.n_out
        self.layout = Layout(*sizes, has_path=self.has_path)
        self.theta = rng.standard_normal(self.layout.size)
        self.weights = np.ones(self.n_samples)
        if self.is_weighted:
            self.weights = rng.uniform(0.1, 3, self.n_samples)

    def objective(self):
        weights = self.weights if self.is_weighted else None
        return Objective(
            self.layout,
            self.activation,
            self.unit,
            self.design,
            self.Y,
            weights,
            self.alpha,
        )

    def losses(self, theta, rows=slice(None)):
        b1, W1, W2, b2, V, *_ = self.layout.view(theta)
        A1 = self.activation.forward(self.inputs[rows] @ W1 + b1)
        Z2 = A1 @ W2 + b2[:, 0] + self.inputs[rows, : len(V)] @ V
        return self.weights[rows] * self.unit.loss(Z2.T, self.Y[:, rows])

    def penalty(self, theta):
        W = self.layout.view(theta)
        squares = sum((w**2).sum() for w in (W.W1, W.W2, W.V))
        return self.alpha / 2 * squares / self.weights.sum()

    def value(self, theta, rows=slice(None)):
        data = self.losses(theta, rows).mean() * self.n_samples
        return data / self.weights.sum() + self.penalty(theta)


def directional_derivative(f, theta, direction, h=1e-4):
    """Two extrapolated central differences; they disagree across a kink."""
    quotients = [
        (f(theta + s * direction) - f(theta - s * direction)) / (2 * s)
        for s in (h, h / 2, h / 4)
    ]
    return [(4 * b - a) / 3 for a, b in pairwise(quotients)]


def assert_is_gradient(grad, f, theta, rng):
    direction = rng.standard_normal(len(theta))
    direction /= np.linalg.norm(direction)
    coarse, fine = directional_derivative(f, theta, direction)
    size, floor = np.linalg.norm(grad), 1e-10 * (1 + abs(f(theta)))
    assume(abs(coarse - fine) <= 2e-8 * abs(fine) + floor)
    assert abs(grad @ direction - fine) <= 1e-7 * size + floor


any_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
any_unit = pytest.mark.parametrize("unit", OUTPUT_UNITS)
any_loss = pytest.mark.parametrize("unit", PLAIN)
any_alpha = pytest.mark.parametrize("alpha", [0.0, 2.5])
any_chunk = pytest.mark.parametrize("chunk_size", [1, 9, 2**14])


@pytest.mark.parametrize(
    ("activation", "unit"),
    [*product(ACTIVATIONS, OUTPUT_UNITS), *product(["tanh"], NUMBER_UNITS)],
)
@given(
    shape=st.fixed_dictionaries(
        {
            "seed": st.integers(0, 2**31),
            "n_in": st.integers(1, 5),
            "n_hidden": st.integers(1, 6),
            "n_out": st.integers(1, 4),
            "is_sparse": st.booleans(),
            "is_weighted": st.booleans(),
            "has_path": st.booleans(),
        }
    ),
    n_batches=st.integers(1, 4),
    size=st.integers(1, 5),
)
def test_gradient_is_the_limit_of_difference_quotients(
    activation, unit, shape, n_batches, size
):
    network = ACTIVATIONS[activation], unit_of(unit, shape["n_out"])
    for alpha in (0.0, 2.5):
        problem = Problem(
            *network,
            n_samples=n_batches * size,
            alpha=alpha,
            **shape,
        )
        objective, theta, rng = problem.objective(), problem.theta, problem.rng
        value, grad = objective.value_and_grad(theta)
        assert_allclose(
            [value, objective.value(theta)], problem.value(theta), rtol=1e-10
        )
        assert_is_gradient(grad, problem.value, theta, rng)

        order = rng.permutation(n_batches * size)
        sweep = objective.gradients(theta, order, n_batches)
        grads = [grad.copy() for grad in sweep]
        which = rng.integers(n_batches)
        rows = order.reshape(n_batches, size)[which]
        assert len(grads) == n_batches
        assert_is_gradient(
            grads[which], lambda t, J=problem, B=rows: J.value(t, B), theta, rng
        )


ORACLES = {
    "identity": (MLPRegressor, 1),
    "logistic": (MLPClassifier, 1),
    "softmax": (MLPClassifier, 3),
}


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@any_unit
@any_alpha
def test_gradient_is_the_step_of_scikit_learns_mlp(activation, unit, alpha):
    make_mlp, n_out = ORACLES[unit]
    rng, n, rate = np.random.default_rng(5), 40, 0.3
    X, layout = rng.standard_normal((n, 4)), Layout(4, 6, n_out)
    if unit == "identity":
        y, options = rng.standard_normal(n), {}
        Y = y[None]
    else:
        classes = np.arange(max(n_out, 2))
        y, options = rng.permutation(np.resize(classes, n)), {"classes": classes}
        Y = y[None].astype(float) if n_out == 1 else np.eye(n_out)[:, y]
    # One step moves by the mean gradient of the batch plus alpha / n of the weights.
    mlp = make_mlp(
        hidden_layer_sizes=(6,),
        activation=activation,
        solver="sgd",
        alpha=alpha,
        batch_size=n,
        learning_rate_init=rate,
        momentum=0,
        shuffle=False,
    )
    mlp.partial_fit(X, y, **options)
    theta = rng.standard_normal(layout.size)
    b1, W1, W2, b2, *_ = layout.view(theta)
    parts = [*mlp.coefs_, *mlp.intercepts_]
    for part, window in zip(parts, (W1, W2, b1, b2[:, 0]), strict=True):
        part[...] = window
    mlp.partial_fit(X, y)
    (W1, W2), (b1, b2) = mlp.coefs_, mlp.intercepts_
    moved = layout.pack(b1, W1, W2, b2, np.empty((0, n_out)), float) - theta
    objective = Objective(
        layout,
        ACTIVATIONS[activation],
        OUTPUT_UNITS[unit],
        np.column_stack([np.ones(n), X]),
        Y,
        alpha=alpha,
    )
    _, grad = objective.value_and_grad(theta)
    assert_allclose(moved, -rate * grad, rtol=1e-9, atol=1e-14)


@any_loss
@given(seed=st.integers(0, 2**31), alpha=st.floats(0, 10))
def test_weight_k_is_k_copies(unit, seed, alpha):
    rng = np.random.default_rng(seed)
    copies, layout = rng.integers(1, 5, 9), Layout(3, 4, 2)
    X = np.column_stack([np.ones(9), rng.standard_normal((9, 3))])
    unit = unit_of(unit, 2)
    Y = TARGETS[unit.activation](rng, 9, 2)
    theta = rng.standard_normal(layout.size)
    common = layout, ACTIVATIONS["tanh"], unit
    weighted = Objective(*common, X, Y, copies.astype(float), alpha)
    X, Y = np.repeat(X, copies, axis=0), np.repeat(Y, copies, axis=1)
    repeated = Objective(*common, X, Y, alpha=alpha)
    value, grad = weighted.value_and_grad(theta)
    expected_value, expected_grad = repeated.value_and_grad(theta)
    assert_allclose(value, expected_value, rtol=1e-12)
    assert_allclose(grad, expected_grad, rtol=1e-10, atol=1e-13)


def softplus_problem(unit, seed, n_samples, **options):
    network = ACTIVATIONS["softplus"], unit_of(unit, 2)
    return Problem(*network, seed, n_samples, **options)


any_problem = given(
    seed=st.integers(0, 2**31),
    n_batches=st.integers(1, 6),
    size=st.integers(1, 5),
    is_sparse=st.booleans(),
    is_weighted=st.booleans(),
)


@any_loss
@any_problem
def test_mean_of_the_batches_is_the_whole(unit, seed, n_batches, size, **kind):
    n = n_batches * size
    problem = softplus_problem(unit, seed, n, **kind)
    objective, theta = problem.objective(), problem.theta
    order = problem.rng.permutation(n)
    grads = [grad.copy() for grad in objective.gradients(theta, order, n_batches)]
    value, grad = objective.value_and_grad(theta)
    assert_allclose(np.mean(grads, axis=0), grad, rtol=1e-9, atol=1e-12)
    assert_allclose(objective.sweep_value(theta), value, rtol=1e-12)


@any_unit
@any_chunk
@pytest.mark.parametrize("n_batches", [1, 2, 3, 7, 23])
def test_sweep_value_of_uneven_batches_is_the_whole(unit, n_batches, chunk_size):
    problem = softplus_problem(unit, 1, 23)
    objective, theta = problem.objective(), problem.theta
    objective.chunk_size = chunk_size
    order = problem.rng.permutation(23)
    assert sum(1 for _ in objective.gradients(theta, order, n_batches)) == n_batches
    assert_allclose(objective.sweep_value(theta), problem.value(theta), rtol=1e-12)


@any_unit
@any_chunk
@any_problem
def test_sweep_value_sees_each_batch_at_its_own_theta(
    unit, chunk_size, seed, n_batches, size, **kind
):
    problem = softplus_problem(unit, seed, n_batches * size, **kind)
    objective, theta = problem.objective(), problem.theta.copy()
    objective.chunk_size = chunk_size
    order = problem.rng.permutation(n_batches * size)
    data, batches = 0.0, iter(order.reshape(n_batches, size))
    sweep = objective.gradients(theta, order, n_batches)
    for _, rows in zip(sweep, batches, strict=True):
        data += problem.losses(theta, rows).sum() / problem.weights.sum()
        theta += 0.1 * problem.rng.standard_normal(len(theta))
    expected = data + problem.penalty(theta)
    assert_allclose(objective.sweep_value(theta), expected, rtol=1e-10)


@any_loss
@any_chunk
def test_sweep_value_of_a_broken_sweep_is_that_of_the_batches_seen(unit, chunk_size):
    problem = softplus_problem(unit, 3, 20)
    objective, theta = problem.objective(), problem.theta
    objective.chunk_size = chunk_size
    order = problem.rng.permutation(20)
    sweep = objective.gradients(theta, order, 5)
    for n_seen in (4, 8, 12):
        next(sweep)
        expected = problem.value(theta, order[:n_seen])
        for _ in range(2):
            assert_allclose(objective.sweep_value(theta), expected, rtol=1e-12)


@any_unit
@any_chunk
@pytest.mark.parametrize("n_done", [1, 3, 6])
def test_a_sweep_goes_on_by_another_objective_as_by_its_own(unit, chunk_size, n_done):
    problem = softplus_problem(unit, 5, 23)
    theta, order = problem.theta, problem.rng.permutation(23)
    first, second, whole = (problem.objective() for _ in range(3))
    for objective in (first, second, whole):
        objective.chunk_size = chunk_size
    sweep, expected = (o.gradients(theta, order, 7) for o in (first, whole))
    for _ in range(n_done):
        assert_array_equal(next(sweep), next(expected))
    loss = first.sweep_loss()
    assert loss == whole.sweep_loss()
    rest = second.gradients(theta, order, 7, n_done, loss)
    for found, grad in zip(rest, expected, strict=True):
        assert_array_equal(found, grad)
        assert second.sweep_value(theta) == whole.sweep_value(theta)


def test_number_of_batches_may_change_between_sweeps():
    objective = softplus_problem("identity", 4, 12).objective()
    theta, order = np.zeros(objective.layout.size), np.arange(12)
    counts = [sum(1 for _ in objective.gradients(theta, order, b)) for b in (2, 3)]
    assert counts == [2, 3]


@any_loss
@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("block_size", [1, 4, 11, 22, 23, 1000])
def test_block_size_does_not_matter(unit, is_sparse, block_size):
    problem = softplus_problem(unit, 2, 23, is_sparse=is_sparse)
    theta = problem.theta
    objective, plain = problem.objective(), problem.objective()
    objective.block_size = block_size
    value, grad = objective.value_and_grad(theta)
    _, expected = plain.value_and_grad(theta)
    assert_allclose([value, objective.value(theta)], problem.value(theta), rtol=1e-12)
    assert_allclose(grad, expected, rtol=1e-10, atol=1e-13)


@any_unit
def test_rough_value_is_that_of_rows_evenly_apart(unit):
    problem = softplus_problem(unit, 6, 9, is_weighted=False)
    rough = problem.objective().rough_value(problem.theta)
    assert_allclose(rough, problem.value(problem.theta), rtol=1e-12)
    rough = problem.objective().rough_value(problem.theta, n_rows=4)
    apart = problem.value(problem.theta, slice(None, None, 3))
    assert_allclose(rough, apart, rtol=1e-12)


def test_gradient_of_all_rows_is_the_callers_own():
    problem = softplus_problem("identity", 7, 9)
    objective = problem.objective()
    _, grad = objective.value_and_grad(problem.theta)
    before = grad.copy()
    objective.value_and_grad(problem.theta + 1)
    assert_allclose(grad, before, rtol=0, atol=0)
