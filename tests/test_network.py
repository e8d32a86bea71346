import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sk_shallow._losses import OUTPUT_UNITS
from sk_shallow._network import Layout, backward, forward, output
from sk_shallow.activations import ACTIVATIONS

sizes = st.integers(1, 7)
layouts = st.builds(Layout, sizes, sizes, sizes)
seeds = st.integers(0, 2**32 - 1)
NUMBER = 0.5332404883003331
every_activation = pytest.mark.parametrize("g", ACTIVATIONS.values(), ids=ACTIVATIONS)


def random_network(seed, layout, n_samples, dtype=np.float64):
    """[1 X] and the windows of a random θ."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n_samples), rng.normal(size=(n_samples, layout.n_in))])
    theta = rng.normal(size=layout.size)
    return X.astype(dtype), layout.view(theta.astype(dtype))


def propagate(X, weights, g):
    """A1 and Z2."""
    A1 = np.full((len(X), weights.W1.shape[1]), np.nan, X.dtype)
    Z2 = np.full((len(weights.b2), len(X)), np.nan, X.dtype)
    forward(X, weights, g, A1, Z2)
    return A1, Z2


@given(layout=layouts)
def test_windows_share_memory_and_cover_each_entry_once(layout):
    theta = np.arange(layout.size)
    b1, W1, W2, b2, B1 = layout.view(theta)
    d, h, k = layout
    assert [w.shape for w in (b1, W1, W2, b2)] == [(h,), (d, h), (h, k), (k,)]
    assert all(np.shares_memory(w, theta) for w in (b1, W1, W2, b2, B1))
    covered = np.concatenate([w.ravel() for w in (b1, W1, W2, b2)])
    np.testing.assert_array_equal(np.sort(covered), theta)
    np.testing.assert_array_equal(B1, np.vstack([b1, W1]))


@given(layout=layouts)
def test_the_penalised_window_is_W1_and_W2_and_nothing_else(layout):
    theta = np.zeros(layout.size)
    layout.penalized(theta)[...] += 1
    weights = layout.view(theta)
    assert (weights.W1 == 1).all()
    assert (weights.W2 == 1).all()
    assert not weights.b1.any()
    assert not weights.b2.any()


@given(layout=layouts, dtype=st.sampled_from([np.float32, np.float64]))
def test_pack_makes_a_new_theta_of_the_same_weights(layout, dtype):
    theta = np.arange(layout.size, dtype=np.float64)
    packed = layout.pack(*layout.view(theta)[:4], dtype)
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
    weights = layout.view(layout.pack(b1, W1.T, W2.T, b2, np.float64))
    X = np.vstack([[[1.0]], x]).T
    _, Z2 = propagate(X, weights, ACTIVATIONS["sigmoid"])
    assert OUTPUT_UNITS["logistic"].mean(Z2).item() == pytest.approx(NUMBER, abs=1e-12)


@every_activation
@given(seed=seeds, layout=layouts, n_samples=sizes)
def test_forward_is_the_notes_loop_over_samples_and_units(g, seed, layout, n_samples):
    X, weights = random_network(seed, layout, n_samples)
    A1, Z2 = propagate(X, weights, g)
    for i, x in enumerate(X[:, 1:]):
        z1 = [weights.W1[:, j] @ x + weights.b1[j] for j in range(layout.n_hidden)]
        a1 = g.forward(np.array(z1))
        z2 = [weights.W2[:, j] @ a1 + weights.b2[j] for j in range(layout.n_out)]
        np.testing.assert_allclose(A1[i], a1, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(Z2[:, i], z2, rtol=1e-10, atol=1e-12)


@every_activation
@given(seed=seeds, layout=layouts, n_samples=sizes)
def test_backward_is_the_derivative_of_forward(g, seed, layout, n_samples):
    X, weights = random_network(seed, layout, n_samples)
    rng, h = np.random.default_rng(seed), 1e-6
    A1, Z2 = propagate(X, weights, g)
    dZ2 = rng.normal(size=Z2.shape)
    gradient = np.full(layout.size, np.nan)
    windows = layout.view(gradient)
    backward(X, weights, g, A1, dZ2, np.empty_like(A1), windows)

    theta = layout.pack(*weights[:4], np.float64)
    direction = rng.normal(size=layout.size)
    direction /= np.linalg.norm(direction)
    ahead, behind = (
        np.sum(dZ2 * propagate(X, layout.view(theta + step * direction), g)[1])
        for step in (h, -h)
    )
    difference = (ahead - behind) / (2 * h)
    assert gradient @ direction == pytest.approx(difference, rel=1e-5, abs=1e-6)


@every_activation
@given(
    seed=seeds, layout=layouts, n_samples=st.integers(0, 9), n_rows=st.integers(1, 12)
)
def test_output_in_blocks_of_any_size_is_forward(g, seed, layout, n_samples, n_rows):
    X, weights = random_network(seed, layout, n_samples)
    _, Z2 = propagate(X, weights, g)
    raw = np.ascontiguousarray(X[:, 1:])
    raw.flags.writeable = False
    for given_as in (raw, sparse.csr_array(raw), sparse.csr_matrix(raw)):
        blocks = output(given_as, *weights[:4], g, n_rows=n_rows)
        np.testing.assert_allclose(blocks, Z2, rtol=1e-10, atol=1e-12)


@every_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_output_keeps_the_dtype_and_the_default_blocks_agree(g, dtype):
    X, weights = random_network(0, Layout(3, 4, 2), 2500, dtype)
    _, Z2 = propagate(X, weights, g)
    Z2_in_blocks = output(X[:, 1:], *weights[:4], g)
    assert Z2_in_blocks.dtype == dtype
    tolerance = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(Z2_in_blocks, Z2, rtol=tolerance, atol=tolerance)
