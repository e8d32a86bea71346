import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sk_shallow._arrays import memory
from sk_shallow._model import network
from sk_shallow._model.layout import Layout, merged, unmerged
from sk_shallow._model.network import (
    Hidden,
    backward,
    forward,
    gradients,
    linearized,
    output,
    slopes,
)
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow.activations import ACTIVATIONS

sizes = st.integers(1, 7)
layouts = st.builds(Layout, sizes, sizes, sizes, st.integers(1, 3), st.booleans())
single = st.builds(Layout, sizes, sizes, sizes, st.just(1), st.booleans())
seeds = st.integers(0, 2**32 - 1)
NUMBER = 0.5332404883003331
every_activation = pytest.mark.parametrize("g", ACTIVATIONS.values(), ids=ACTIVATIONS)


def random_network(seed, layout, n_samples, dtype=np.float64):
    """[1 X] and a random θ."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n_samples), rng.normal(size=(n_samples, layout.n_in))])
    return X.astype(dtype), rng.normal(size=layout.size).astype(dtype)


def propagate(X, theta, layout, g):
    """A1 and Z2."""
    width = layout.n_members * layout.n_hidden
    A1 = Hidden(np.full((len(X), width), np.nan, X.dtype), layout)
    Z2 = np.full(layout.by_member(layout.n_out, len(X)), np.nan, X.dtype)
    forward(X, layout.view(theta), g, A1, Z2)
    return A1, Z2


def flat(weights):
    """b1, W1, W2, b2, V with b2 as a vector, as the fitted network has them."""
    return weights.b1, weights.W1, weights.W2, weights.b2[:, 0], weights.V


@given(layout=layouts)
def test_windows_share_memory_and_cover_each_entry_once(layout):
    theta = np.arange(layout.size)
    b1, W1, W2, b2, V, H, W2T = layout.view(theta)
    d, h, k, n_members, has_path = layout
    width, members = n_members * h, (n_members,) if n_members > 1 else ()
    assert [w.shape for w in (b1, W1)] == [(width,), (d, width)]
    assert [w.shape for w in (W2, b2)] == [(*members, h, k), (*members, k, 1)]
    assert V.shape == (d * has_path, n_members * k)
    assert all(np.shares_memory(w, theta) for w in (b1, W1, W2, b2, H, W2T))
    covered = np.concatenate([w.ravel() for w in (b1, W1, W2, V, b2)])
    np.testing.assert_array_equal(np.sort(covered), theta)
    np.testing.assert_array_equal(H, np.vstack([b1, W1]))
    np.testing.assert_array_equal(W2T.swapaxes(-1, -2), W2)


@given(layout=layouts, seed=seeds)
def test_windows_on_the_last_axis_are_those_of_each_row(layout, seed):
    thetas = np.random.default_rng(seed).normal(size=(2, 3, layout.size))
    together, one = layout.view(thetas), layout.view(thetas[1, 2])
    for all_rows, row in zip(together[:-2], one[:-2], strict=True):
        np.testing.assert_array_equal(all_rows[1, 2], row)


@given(layout=layouts, seed=seeds)
def test_a_committee_is_split_and_joined_without_loss(layout, seed):
    theta = np.random.default_rng(seed).normal(size=layout.size)
    parts = layout.split(theta)
    assert [len(part) for part in parts] == [layout.member.size] * layout.n_members
    np.testing.assert_array_equal(layout.join(parts), theta)


@every_activation
@given(layout=layouts, seed=seeds, n_samples=sizes)
def test_a_committee_has_the_outputs_of_its_members(g, layout, seed, n_samples):
    X, theta = random_network(seed, layout, n_samples)
    _, together = propagate(X, theta, layout, g)
    members = layout.split(theta)
    alone = [propagate(X, part, layout.member, g)[1] for part in members]
    expected = np.reshape(alone, together.shape)
    np.testing.assert_allclose(together, expected, rtol=1e-10, atol=1e-12)


@every_activation
@given(layout=layouts, seed=seeds, n_samples=sizes)
def test_the_merged_network_is_the_mean_of_its_members(g, layout, seed, n_samples):
    X, theta = random_network(seed, layout, n_samples)
    members = [flat(layout.member.view(part)) for part in layout.split(theta)]
    mean = np.mean([output(X[:, 1:], *weights, g) for weights in members], axis=0)
    network = merged(members)
    np.testing.assert_allclose(output(X[:, 1:], *network, g), mean, atol=1e-10)
    own = [b2 for *_, b2, _ in members], [V for *_, V in members]
    for member, again in zip(members, unmerged(*network, *own), strict=True):
        for w, same in zip(member, again, strict=True):
            np.testing.assert_allclose(same, w, rtol=1e-12)


@given(layout=layouts, seed=seeds)
def test_members_of_a_network_whose_bias_was_edited_have_it_in_the_mean(layout, seed):
    rng, one = np.random.default_rng(seed), layout.member
    members = [flat(one.view(w)) for w in rng.normal(size=(3, one.size))]
    b1, W1, W2, *own = merged(members)
    edited = [w + rng.normal(size=w.shape) for w in own]
    before = [[member[i] for member in members] for i in (3, 4)]
    again = unmerged(b1, W1, W2, *edited, *before)
    for found, expected in zip(merged(again), (b1, W1, W2, *edited), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    for i, parts in zip((3, 4), before, strict=True):
        between = np.diff([member[i] for member in again], axis=0)
        np.testing.assert_allclose(between, np.diff(parts, axis=0), atol=1e-12)


@given(layout=layouts)
def test_the_penalised_window_is_all_but_the_biases(layout):
    theta = np.zeros(layout.size)
    layout.penalized(theta)[...] += 1
    weights = layout.view(theta)
    assert (weights.W1 == 1).all()
    assert (weights.W2 == 1).all()
    assert (weights.V == 1).all()
    assert not weights.b1.any()
    assert not weights.b2.any()


@given(layout=layouts, dtype=st.sampled_from([np.float32, np.float64]))
def test_pack_makes_a_new_theta_of_the_same_weights(layout, dtype):
    theta = np.arange(layout.size, dtype=np.float64)
    packed = layout.pack(*layout.view(theta)[:5], dtype)
    assert packed.dtype == dtype
    assert not np.shares_memory(packed, theta)
    np.testing.assert_array_equal(packed, theta)


def test_the_worked_forward_pass_of_the_notes():
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    n, m = 3, 4
    random = np.random.RandomState(1)
    W1, b1 = random.randn(m, n), np.zeros((m, 1))
    W2, b2 = random.randn(1, m), np.zeros((1, 1))
    x = random.randn(n, 1)
    A2 = sigmoid(np.dot(W2, sigmoid(np.dot(W1, x) + b1)) + b2)
    assert A2.item() == pytest.approx(NUMBER, abs=1e-12)

    layout = Layout(n, m, 1)
    theta = layout.pack(b1, W1.T, W2.T, b2, np.empty((0, 1)), np.float64)
    X = np.vstack([[[1.0]], x]).T
    _, Z2 = propagate(X, theta, layout, ACTIVATIONS["sigmoid"])
    assert OUTPUT_UNITS["logistic"].mean(Z2).item() == pytest.approx(NUMBER, abs=1e-12)


@every_activation
@given(seed=seeds, layout=single, n_samples=sizes)
def test_forward_is_the_notes_loop_over_samples_and_units(g, seed, layout, n_samples):
    X, theta = random_network(seed, layout, n_samples)
    A1, Z2 = propagate(X, theta, layout, g)
    weights = layout.view(theta)
    for i, x in enumerate(X[:, 1:]):
        z1 = [weights.W1[:, j] @ x + weights.b1[j] for j in range(layout.n_hidden)]
        a1 = g.forward(np.array(z1))
        path = x[: layout.n_path] @ weights.V
        z2 = [weights.W2[:, j] @ a1 + weights.b2[j, 0] for j in range(layout.n_out)]
        z2 += path
        np.testing.assert_allclose(A1.rows[i], a1, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(Z2[:, i], z2, rtol=1e-10, atol=1e-12)


def gradient_of(dZ2, X, theta, layout, g):
    """∂/∂θ of the function of Z2 whose derivative is dZ2."""
    A1, Z2 = propagate(X, theta, layout, g)
    unit, Y = OUTPUT_UNITS["identity"], Z2 - dZ2
    gradient, dZ1 = np.full(layout.size, np.nan), Hidden(A1.rows.copy(), layout)
    weights, windows = layout.view(theta), layout.view(gradient)
    backward(X, Y, 1.0, weights, g, unit, A1, Z2, np.empty_like(Z2), dZ1, windows)
    return gradient


@pytest.mark.parametrize("name", ["logistic", "softmax", "identity"])
@pytest.mark.parametrize("g", ["tanh", "sigmoid"])
@given(seed=seeds, layout=single, n_samples=sizes)
def test_forward_and_backward_are_the_eight_lines_of_the_notes(
    name, g, seed, layout, n_samples
):
    """The notes' columns are our rows; 1/m of theirs is the weight w/S of ours."""
    slopes = {"tanh": lambda A: 1 - A**2, "sigmoid": lambda A: A * (1 - A)}
    forwards = {"tanh": np.tanh, "sigmoid": lambda Z: 1 / (1 + np.exp(-Z))}
    heads = {
        "identity": lambda Z: Z,
        "logistic": lambda Z: 1 / (1 + np.exp(-Z)),
        "softmax": lambda Z: np.exp(Z) / np.exp(Z).sum(axis=0),
    }
    ours, theta = random_network(seed, layout, n_samples)
    views = layout.view(theta)
    X, m = ours[:, 1:].T, n_samples
    W1, b1, W2, b2 = views.W1.T, views.b1[:, None], views.W2.T, views.b2
    Y = np.random.default_rng(seed).random((layout.n_out, m))

    Z1 = W1 @ X + b1
    A1 = forwards[g](Z1)
    Z2 = W2 @ A1 + b2 + views.V.T @ X[: layout.n_path]
    A2 = heads[name](Z2)
    dZ2 = A2 - Y
    dW2, db2 = dZ2 @ A1.T / m, dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * slopes[g](A1)
    dW1, db1 = dZ1 @ X.T / m, dZ1.sum(axis=1, keepdims=True) / m

    unit, activation = OUTPUT_UNITS[name], ACTIVATIONS[g]
    hidden, outputs = propagate(ours, theta, layout, activation)
    np.testing.assert_allclose(hidden.rows.T, A1, atol=1e-12)
    np.testing.assert_allclose(outputs, Z2, atol=1e-12)
    np.testing.assert_allclose(unit.mean(outputs), A2, atol=1e-12)
    gradient, scratch = np.empty(layout.size), Hidden(hidden.rows.copy(), layout)
    grad = layout.view(gradient)
    errors = np.empty_like(outputs)
    backward(
        *(ours, Y, 1 / m, views, activation, unit),
        *(hidden, outputs, errors, scratch, grad),
    )
    np.testing.assert_allclose(errors, dZ2 / m, atol=1e-12)
    for mine, theirs in (
        (grad.W2, dW2.T),
        (grad.b2, db2),
        (grad.W1, dW1.T),
        (grad.b1, db1[:, 0]),
        (grad.V, X[: layout.n_path] @ dZ2.T / m),
    ):
        np.testing.assert_allclose(mine, theirs, atol=1e-10)


@every_activation
@given(seed=seeds, layout=layouts, n_samples=sizes)
def test_backward_is_the_derivative_of_forward(g, seed, layout, n_samples):
    X, theta = random_network(seed, layout, n_samples)
    rng, h = np.random.default_rng(seed), 1e-6
    dZ2 = rng.normal(size=layout.by_member(layout.n_out, n_samples))
    gradient = gradient_of(dZ2, X, theta, layout, g)

    direction = rng.normal(size=layout.size)
    direction /= np.linalg.norm(direction)
    ahead, behind = (
        np.sum(dZ2 * propagate(X, theta + step * direction, layout, g)[1])
        for step in (h, -h)
    )
    difference = (ahead - behind) / (2 * h)
    assert gradient @ direction == pytest.approx(difference, rel=1e-5, abs=1e-6)


@every_activation
@given(seed=seeds, layout=single, n_samples=sizes)
def test_the_jacobian_is_the_differences_column_by_column(g, seed, layout, n_samples):
    X, theta = random_network(seed, layout, n_samples)
    Z2, J = linearized(X, theta, layout, g)
    np.testing.assert_allclose(Z2, propagate(X, theta, layout, g)[1])
    h = 1e-6
    for column, unit in enumerate(np.eye(layout.size)):
        ahead, behind = (
            propagate(X, theta + step * unit, layout, g)[1] for step in (h, -h)
        )
        difference = (ahead - behind) / (2 * h)
        np.testing.assert_allclose(J[..., column], difference, rtol=1e-5, atol=1e-6)


@every_activation
@given(
    seed=seeds, layout=single, n_samples=st.integers(0, 9), n_rows=st.integers(1, 12)
)
def test_output_in_blocks_of_any_size_is_forward(g, seed, layout, n_samples, n_rows):
    X, theta = random_network(seed, layout, n_samples)
    _, Z2 = propagate(X, theta, layout, g)
    weights = flat(layout.view(theta))
    raw = np.ascontiguousarray(X[:, 1:])
    raw.flags.writeable = False
    for given_as in (raw, sparse.csr_array(raw), sparse.csr_matrix(raw)):
        n_numbers = n_rows * layout.n_hidden
        blocks = output(given_as, *weights, g, n_numbers=n_numbers)
        np.testing.assert_allclose(blocks, Z2, rtol=1e-10, atol=1e-12)


@every_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_output_keeps_the_dtype_and_the_default_blocks_agree(g, dtype):
    layout = Layout(3, 4, 2)
    X, theta = random_network(0, layout, 2500, dtype)
    _, Z2 = propagate(X, theta, layout, g)
    Z2_in_blocks = output(X[:, 1:], *flat(layout.view(theta)), g)
    assert Z2_in_blocks.dtype == dtype
    tolerance = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(Z2_in_blocks, Z2, rtol=tolerance, atol=tolerance)


class _Products:
    """NumPy, with a word on the factors of each product."""

    def __init__(self, told):
        self._told = told

    def __getattr__(self, name):
        return getattr(np, name)

    def dot(self, A, B, out):
        self._told(A, B)
        return np.dot(A, B, out=out)

    def matmul(self, A, B, out):
        self._told(A, B)
        return np.matmul(A, B, out=out)

    def tensordot(self, A, B, axes):
        """That of the last axis of A and of B."""
        self._told(A.reshape(-1, A.shape[-1]), B.T)
        return np.tensordot(A, B, axes)


def is_transposed(A):
    return min(A.shape[-2:]) > 1 and A.strides[-2] < A.strides[-1]


@given(layout=layouts, seed=seeds, n_rows=st.sampled_from([1, 2, 5]))
def test_no_product_is_one_of_two_transposed_arrays(layout, seed, n_rows):
    """OpenBLAS 0.3.31 gives garbage for those, if two threads ask at once.

    Not for those of a column and a row, which are transposed or not, as you like.
    """
    seen, g = [], ACTIVATIONS["relu"]

    def told(A, B):
        seen.append(is_transposed(A) and is_transposed(B))

    X, theta = random_network(seed, layout, n_rows)
    with pytest.MonkeyPatch.context() as patch:
        for module in (network, memory):
            patch.setattr(module, "np", _Products(told))
        errors = np.ones(layout.by_member(layout.n_out, n_rows))
        gradient_of(errors, X, theta, layout, g)
        member = layout.member.view(layout.split(theta)[0])
        b1, W1, W2, b2, V = flat(member)
        output(X[:, 1:], b1, W1, np.ascontiguousarray(W2), b2, V, g)
        gradients(slopes(X[:, 1:], b1, W1, g), W1, np.ascontiguousarray(W2), V)
    assert len(seen) >= 4
    assert not any(seen)
