import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sk_shallow._data import noise
from sk_shallow._data.noise import alpha_of_numbers, noise_odds
from sk_shallow._data.samples import Data
from sk_shallow._data.targets import Labels, Reals

seeds = st.integers(0, 2**32 - 1)
N = 400
ones = np.ones(N)


def smooth(seed, noise=0.0, n_outputs=1):
    """A smooth function of two inputs, with noise in units of its own σ."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (N, 2))
    Y = np.column_stack([np.sin(2 * X[:, 0] + j) + X[:, 1] for j in range(n_outputs)])
    return X, Y / Y.std(axis=0) + noise * rng.normal(size=Y.shape)


def noise_share(X, Y, weights):
    return noise.noise_share(X, Y, weights, len(Y))


def alpha(X, Y, n=None):
    return alpha_of_numbers(noise_odds(X, Y, np.ones(len(Y))), n or len(Y))


@given(seed=seeds)
def test_pure_noise_is_nearly_all_noise(seed):
    X, _ = smooth(seed)
    Y = np.random.default_rng(seed + 1).normal(size=(N, 1))
    assert 0.75 < noise_share(X, Y, ones) <= 1


@given(seed=seeds, n_outputs=st.integers(1, 3))
def test_a_smooth_function_without_noise_has_nearly_none(seed, n_outputs):
    X, Y = smooth(seed, n_outputs=n_outputs)
    assert 0 <= noise_share(X, Y, ones) < 0.02


@given(seed=seeds, noise=st.sampled_from([0.5, 1.0, 2.0]))
def test_the_share_of_added_noise_is_found(seed, noise):
    true_share = noise**2 / (1 + noise**2)
    share = noise_share(*smooth(seed, noise), ones)
    assert share == pytest.approx(true_share, abs=0.2)


@given(seed=seeds)
def test_more_noise_gives_a_larger_share_and_a_larger_alpha(seed):
    data = [smooth(seed, noise) for noise in (0, 0.3, 0.6, 1.2, 2.4)]
    assert (np.diff([noise_share(X, Y, ones) for X, Y in data]) > 0).all()
    assert (np.diff([alpha(X, Y) for X, Y in data]) >= 0).all()


@given(seed=seeds)
def test_k_copies_are_weight_k(seed):
    X, Y = smooth(seed, 0.5)
    k = np.random.default_rng(seed).integers(1, 4, N)
    copies = noise_share(
        np.repeat(X, k, axis=0), np.repeat(Y, k, axis=0), np.ones(sum(k))
    )
    assert noise_share(X, Y, k.astype(float)) == pytest.approx(copies, rel=1e-9)


@given(seed=seeds, d=st.integers(1, 8), n_levels=st.integers(2, 5))
def test_neighbours_at_the_same_distance_share_a_vote(seed, d, n_levels):
    rng = np.random.default_rng(seed)
    X, Y = rng.integers(n_levels, size=(80, d)) * 1.0, rng.normal(size=(80, 1))
    k = rng.integers(1, 4, 80)
    found = noise_share(X, Y, k.astype(float))
    copies = np.repeat(X, k, axis=0), np.repeat(Y, k, axis=0), np.ones(k.sum())
    assert found == pytest.approx(noise_share(*copies), rel=1e-9)
    moved = X * rng.uniform(0.1, 10, d) + rng.normal(size=d)
    assert found == pytest.approx(noise_share(moved, Y, k.astype(float)), rel=1e-9)


@given(seed=seeds, c=st.floats(1e-6, 1e6))
def test_the_unit_of_the_weights_does_not_matter(seed, c):
    X, Y = smooth(seed, 0.5)
    w = np.random.default_rng(seed).uniform(0.1, 5, N)
    expected = noise_share(X, Y, w)
    assert noise_share(X, Y, c * w) == pytest.approx(expected, rel=1e-9)


@given(
    seed=seeds,
    scale=st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3),
    shift=st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
)
def test_units_and_origins_do_not_matter(seed, scale, shift):
    X, Y = smooth(seed, 0.5)
    X_moved = X * scale[:2] + np.multiply(scale[:2], shift[:2])
    Y_moved = Y * scale[2] + scale[2] * shift[2]
    expected = noise_share(X, Y, ones)
    assert noise_share(X_moved, Y_moved, ones) == pytest.approx(expected, rel=1e-6)
    assert alpha(X_moved, Y_moved) == pytest.approx(alpha(X, Y), rel=1e-6)


def assert_sparse_is_dense(seed, offset):
    X, Y = smooth(seed, 0.5)
    X[np.random.default_rng(seed).random(X.shape) < 0.2] = 0
    X += offset
    w = np.random.default_rng(seed).uniform(0.1, 5, N)
    expected = noise_share(X, Y, w)
    for kind in (sparse.csr_array, sparse.csr_matrix):
        assert noise_share(kind(X), Y, w) == pytest.approx(expected, rel=1e-6)


@given(seed=seeds)
def test_sparse_is_dense(seed):
    assert_sparse_is_dense(seed, offset=0)


@pytest.mark.parametrize("offset", [3, 100, 1e4])
def test_sparse_is_dense_far_from_the_origin(offset):
    assert_sparse_is_dense(0, offset)


def test_a_constant_column_does_not_matter():
    X, Y = smooth(0, 0.5)
    wider = np.column_stack([X, np.full(N, 0.1)])
    assert noise_share(wider, Y, ones) == pytest.approx(noise_share(X, Y, ones))


@pytest.mark.parametrize("n_samples", [1, 5])
def test_without_any_neighbour_all_is_noise(n_samples):
    X, Y = np.ones((n_samples, 2)), np.arange(n_samples)[:, None] * 1.0
    assert noise_share(X, Y, np.ones(n_samples)) == 1


def test_alpha_of_few_numbers_is_20_at_even_odds_and_stays_within_1_and_100():
    noise = np.random.default_rng(1).normal(size=(N, 1))
    assert alpha(*smooth(0)) == 1
    assert alpha(smooth(0)[0], noise) == 100
    X, Y = smooth(0, 1.0)
    share = noise_share(X, Y, ones)
    assert alpha(X, Y) == pytest.approx(20 * (share / (1 - share)) ** 2)


@given(seed=seeds, n=st.integers(100, 8000))
def test_alpha_of_many_numbers_falls_as_their_number_grows(seed, n):
    X, Y = smooth(seed, 0.8)
    found = alpha(X, Y, n)
    assert found == pytest.approx(alpha(X, Y) * min(1, 4000 / n))


def test_alpha_of_numbers_has_the_bound_of_labels():
    X, Y = smooth(0)
    for n, bound in ((100, 1), (500, 1), (1000, 0.5), (2000, 0.25), (10**6, 0.25)):
        found = alpha(X, Y, n)
        assert found == pytest.approx(bound)


def test_alpha_of_many_samples_is_estimated_from_some_of_them():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (3999, 2))
    y = np.sin(2 * X[:, 0]) + rng.normal(size=3999) * 0.5
    found = default_alpha(X, y)
    assert found == default_alpha(X, y)
    assert found != default_alpha(X[:500], y[:500])
    assert found == pytest.approx(default_alpha(X[:500], y[:500]), rel=0.5)


def default_alpha(X, y, w=None):
    """By the coder of y; labels are integers."""
    coder = (Reals if y.dtype.kind == "f" else Labels).of(y)
    data = Data(X, y, w)
    return coder.default_alpha(coder.noise_odds(data), data)


def labelled(seed, n_classes, temperature):
    """Classes that a linear function tells, but for some noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, 2))
    Z = X @ rng.standard_normal((2, n_classes))
    return X, (Z + temperature * rng.gumbel(size=Z.shape)).argmax(axis=1)


classes = st.integers(2, 5)


@given(seed=seeds, n_classes=classes, temperature=st.sampled_from([0.1, 0.5, 2.0]))
def test_alpha_of_labels_is_bounded_whatever_the_labels_are_called(
    seed, n_classes, temperature
):
    X, y = labelled(seed, n_classes, temperature)
    found = default_alpha(X, y)
    assert 1 <= found <= 20
    names = np.random.default_rng(seed).permutation(n_classes)
    assert default_alpha(X, names[y]) == pytest.approx(found)


@given(seed=seeds, k=st.integers(2, 5))
def test_alpha_of_weight_k_is_that_of_k_copies(seed, k):
    X, y = labelled(seed, 3, 1.0)
    X, y = X[:100], y[:100]
    copies = default_alpha(np.repeat(X, k, axis=0), np.repeat(y, k))
    assert default_alpha(X, y, np.full(100, float(k))) == pytest.approx(copies)


def test_labels_without_noise_have_the_least_alpha():
    X = np.random.default_rng(0).standard_normal((N, 1))
    for n, bound in ((100, 1), (500, 1), (1000, 0.5), (2000, 0.25), (10**6, 0.25)):
        found = default_alpha(X, (X[:, 0] > 0).astype(int), np.full(N, n / N))
        assert found == pytest.approx(bound)


@given(seed=seeds)
def test_noisier_labels_have_a_larger_alpha(seed):
    found = [default_alpha(*labelled(seed, 2, t)) for t in (0.01, 1.0, 5.0)]
    assert found[0] <= found[1] <= found[2] * 1.5


@given(seed=seeds, temperature=st.sampled_from([0.1, 1.0]))
def test_one_label_of_two_classes_is_one_label_of_a_multilabel_y(seed, temperature):
    X, y = labelled(seed, 2, temperature)
    assert Labels.of(y[:, None]).multilabel
    assert default_alpha(X, y[:, None]) == pytest.approx(default_alpha(X, y))


def test_levels_that_repeat_with_other_targets_show_the_noise():
    levels = np.repeat(np.arange(5.0), 10)[:, None]
    noise = np.random.default_rng(0).standard_normal(levels.shape)
    Y = np.sin(1.5 * levels) + 0.05 * noise
    assert noise_share(levels, Y, np.ones(50)) < 0.02
