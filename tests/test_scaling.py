import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from sk_shallow._arrays.design import row_buffer
from sk_shallow._data.scaling import Standardizer, Whitener, fold, input_spread, unfold
from sk_shallow._model.layout import Layout
from sk_shallow._model.network import output
from sk_shallow.activations import ACTIVATIONS

seeds = st.integers(0, 2**32 - 1)
kinds = pytest.mark.parametrize(
    "kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"]
)
both_precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def columns(seed, n_samples=40, n_features=5):
    """Columns of many units, with zeros."""
    rng = np.random.default_rng(seed)
    X = rng.normal(rng.normal(0, 3, n_features), 1, (n_samples, n_features))
    X[rng.random(X.shape) < 0.5] = 0
    return X * 10.0 ** rng.integers(-3, 4, n_features)


def positive_weights(seed, n_samples=40):
    return np.random.default_rng(seed).uniform(0.1, 5, n_samples)


def with_explicit_zeros(X):
    stored = sparse.csr_array(np.where(X == 0, 1.0, X))
    stored.data[stored.data == 1.0] = 0
    return stored


def assert_same_moments(first, second, rtol=1e-9):
    assert_allclose(first.weight, second.weight, rtol=rtol)
    assert_allclose(first.mean, second.mean, rtol=rtol, atol=1e-12)
    assert_allclose(first.scale, second.scale, rtol=rtol)


@kinds
@given(seed=seeds)
def test_moments_agree_with_standard_scaler(kind, seed):
    X, w = columns(seed), positive_weights(seed)
    oracle = StandardScaler().fit(X, sample_weight=w)
    measured = Standardizer.of(kind(X), w)
    assert measured.weight == pytest.approx(w.sum())
    assert_allclose(measured.mean, oracle.mean_, rtol=1e-10, atol=1e-12)
    assert_allclose(measured.scale, oracle.scale_, rtol=1e-9)
    assert_allclose(measured.transform(X), oracle.transform(X), atol=1e-8)


@kinds
@given(seed=seeds)
def test_k_copies_are_weight_k(kind, seed):
    X, k = columns(seed), np.random.default_rng(seed).integers(0, 4, 40)
    k[0] = 1
    weighted = Standardizer.of(kind(X), k.astype(float))
    assert_same_moments(weighted, Standardizer.of(kind(np.repeat(X, k, axis=0))))


@given(seed=seeds)
def test_sparse_moments_are_dense_moments(seed):
    X, w = columns(seed), positive_weights(seed)
    dense = Standardizer.of(X, w)
    assert_same_moments(Standardizer.of(sparse.csr_array(X), w), dense)
    assert_same_moments(Standardizer.of(with_explicit_zeros(X), w), dense)


@kinds
@pytest.mark.parametrize("n_samples", [1, 7, 1000])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_constant_column_has_scale_one(kind, n_samples, weighted):
    values = np.array([0, 0.1, -0.3, 1e6, 1e6 + 0.1, 1e-9])
    X = np.tile(values, (n_samples, 1))
    w = positive_weights(0, n_samples) if weighted else None
    measured = Standardizer.of(kind(X), w, spread=0.5)
    assert_allclose(measured.mean, values, rtol=1e-12)
    np.testing.assert_array_equal(measured.scale, np.ones(len(values)))
    assert_allclose(measured.transform(X), 0, atol=1e-6)


@kinds
@pytest.mark.parametrize("value", [-3.3e-5, 0.1, 1e6 + 0.1])
@pytest.mark.parametrize("n_samples", [100_000, 1_000_000])
def test_a_constant_column_has_scale_one_in_many_rows(kind, n_samples, value):
    X = np.full((n_samples, 3), value)
    np.testing.assert_array_equal(Standardizer.of(kind(X)).scale, np.ones(3))


@given(value=st.floats(-1e6, 1e6, width=32), n=st.integers(1, 300), seed=seeds)
def test_merging_keeps_a_constant_column_constant(value, n, seed):
    parts = [
        Standardizer.of(np.full((n, 1), value), positive_weights(seed + i, n))
        for i in range(3)
    ]
    assert parts[0].merge(parts[1]).merge(parts[2]).scale == 1


@kinds
@given(seed=seeds)
def test_an_offset_of_a_million_moves_the_mean_and_nothing_else(kind, seed):
    X, w = np.random.default_rng(seed).normal(size=(40, 3)), positive_weights(seed)
    near, far = Standardizer.of(X, w), Standardizer.of(kind(X + 1e6), w)
    assert_allclose(far.mean - 1e6, near.mean, atol=1e-7)
    assert_allclose(far.scale, near.scale, rtol=1e-6)


@kinds
@given(seed=seeds, cut=st.integers(1, 39), spread=st.floats(0.1, 3))
def test_merging_is_one_pass_over_both(kind, seed, cut, spread):
    X, w = columns(seed), positive_weights(seed)
    whole = Standardizer.of(kind(X), w, spread)
    first = Standardizer.of(kind(X[:cut]), w[:cut], spread)
    second = Standardizer.of(kind(X[cut:]), w[cut:], spread)
    assert_same_moments(first.merge(second), whole)
    assert_same_moments(second.merge(first), whole)


@both_precisions
@pytest.mark.parametrize("n_samples", [3, 30_000])
def test_design_has_ones_then_columns_of_mean_zero_and_the_spread(dtype, n_samples):
    X = np.random.default_rng(0).normal(5, 3, (n_samples, 6))
    before = X.copy()
    design = Standardizer.of(X, spread=0.7).design(X, dtype)
    assert design.dtype == dtype
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(design[:, 0], np.ones(n_samples))
    assert_allclose(design[:, 1:].mean(axis=0, dtype=np.float64), 0, atol=1e-6)
    assert_allclose(design[:, 1:].std(axis=0, dtype=np.float64), 0.7, rtol=1e-5)


def test_rows_may_be_wider_than_a_block():
    X = np.random.default_rng(0).normal(5, 3, (4, 2**15 + 1))
    measured = Standardizer.of(X)
    assert_allclose(measured.mean, X.mean(axis=0))
    assert_allclose(measured.scale, X.std(axis=0))
    assert_allclose(measured.design(X, float)[:, 1:], measured.transform(X))


@kinds
@both_precisions
@pytest.mark.parametrize("power", [-400, 400])
def test_the_design_does_not_depend_on_the_unit(kind, dtype, power):
    X = np.random.default_rng(0).normal(5, 3, (9, 2))
    plain, scaled = (
        np.asarray(Standardizer.of(kind(Z)).design(kind(Z), dtype))
        for Z in (X, np.ldexp(X, power))
    )
    np.testing.assert_array_equal(scaled, plain)


@kinds
def test_what_single_precision_cannot_hold_is_infinite_without_a_warning(kind):
    X = np.random.default_rng(0).normal(5, 3, (9, 2))
    design = Standardizer.of(X).design(kind(1e100 * X), np.float32)
    assert not np.isfinite(np.asarray(design)[:, 1:]).any()


TOO_FAR = r"columns of X are too (small|large) to be squared: columns \[.*by a const"


def is_refused(call):
    """Whether the columns are refused, as too small or too large."""
    try:
        call()
    except ValueError as error:
        return re.search(TOO_FAR, str(error)) is not None
    return False


@kinds
@given(seed=seeds, power=st.integers(-1100, 1020), weighted=st.booleans())
def test_a_power_of_two_changes_no_bit_or_is_refused(kind, seed, power, weighted):
    X = columns(seed)
    X /= 2.0 ** np.frexp(np.abs(X).max(axis=0))[1]
    w = positive_weights(seed) if weighted else None
    plain, scaled = Standardizer.of(kind(X), w), np.ldexp(X, power)
    if is_refused(lambda: Standardizer.of(kind(scaled), w)):
        assert not -460 < power < 500
        return
    found = Standardizer.of(kind(scaled), w)
    np.testing.assert_array_equal(found.mean, np.ldexp(plain.mean, power))
    np.testing.assert_array_equal(found.scale, np.ldexp(plain.scale, power))
    np.testing.assert_array_equal(found.transform(scaled), plain.transform(X))


@kinds
@pytest.mark.parametrize("size", [1e-200, 1e-310, 5e-324, 1e200, 8e307])
@pytest.mark.parametrize("weight", [1.0, 1e-30, 1e90])
def test_columns_that_cannot_be_squared_are_named(kind, size, weight):
    X = np.random.default_rng(0).integers(0, 3, size=(30, 4)).astype(float)
    X[:, [1, 3]] *= size
    w = np.ones(30)
    w[::2] = weight
    with pytest.raises(ValueError, match=r"of X .* columns \[1, 3\]\. (Mult|Div)"):
        Standardizer.of(kind(X), w)


@kinds
@pytest.mark.parametrize("value", [0.0, 5e-324, 1e-300, -1e-160, 1e150])
def test_a_constant_column_of_any_size_is_constant(kind, value):
    measured = Standardizer.of(kind(np.full((30, 1), value)))
    assert measured.is_constant.all()
    assert_allclose(measured.mean, value, rtol=1e-15)
    assert measured.merge(measured).is_constant.all()


@pytest.mark.parametrize("size", [1e-200, 5e-324, 1e200, 1e305])
def test_merging_refuses_what_measuring_would(size):
    here, there = (Standardizer.of(np.full((5, 1), x)) for x in (0.0, size))
    assert is_refused(lambda: here.merge(there))
    assert is_refused(lambda: there.merge(here))
    assert is_refused(lambda: Standardizer.of(np.repeat([[0.0], [size]], 5, axis=0)))


@given(seed=seeds)
def test_a_constant_target_is_its_mean_whatever_the_weights(seed):
    rng = np.random.default_rng(seed)
    layout, Y = Layout(3, 4, 2), rng.normal(size=(40, 2))
    Y[:, 1] = 7.3
    y = Standardizer.of(Y, positive_weights(seed), name="y")
    x = Standardizer.of(columns(seed, n_features=3))
    theta = rng.normal(size=layout.size)
    _, _, W2, b2, _ = folded = fold(layout.view(theta), x, y)
    assert_allclose(b2[1], 7.3, rtol=1e-14)
    assert not W2[:, 1].any()
    _, _, V2, c2, _ = unfold(*folded, x, y)
    assert not V2[:, 1].any()
    assert c2[1] == 0
    assert_allclose(V2[:, 0], layout.view(theta).W2[:, 0], rtol=1e-9)


def test_identity_changes_nothing():
    X = columns(0)
    identity = Standardizer.identity(X.shape[1])
    np.testing.assert_array_equal(identity.transform(X), X)
    np.testing.assert_array_equal(identity.design(X, np.float64)[:, 1:], X)


def test_the_spread_is_one_at_16_features_and_an_eighth_at_256():
    assert input_spread(16) == 1
    assert input_spread(256) == pytest.approx(1 / 8)
    assert input_spread(1) == pytest.approx(8)


@both_precisions
@given(seed=seeds, h=st.integers(1, 6))
def test_sparse_design_multiplies_like_the_dense_one(dtype, seed, h):
    X, rng = columns(seed), np.random.default_rng(seed)
    measured = Standardizer.of(X, positive_weights(seed), spread=0.7)
    exact = np.column_stack([np.ones(len(X)), measured.transform(X)])
    design = measured.design(sparse.csr_array(X), dtype)
    rows = rng.permutation(len(X))[:11]
    assert row_buffer(design, 11) is None
    tolerance = {"rtol": 1e-9, "atol": 1e-9} if dtype == np.float64 else {"atol": 1e-3}
    for left, expected in (
        (design, exact),
        (design.T, exact.T),
        (design.T.T, exact),
        (design[rows], exact[rows]),
        (design[3:9], exact[3:9]),
        (design.take(rows, 0, None, "clip").T, exact[rows].T),
    ):
        assert left.shape == expected.shape
        assert left.dtype == dtype
        B = rng.normal(size=(expected.shape[1], h)).astype(dtype)
        out = np.full((len(expected), h), np.nan, dtype)
        np.dot(left, B, out=out)
        assert_allclose(out, expected @ B, **tolerance)


def test_sparse_design_does_not_write_to_X():
    X = sparse.csr_array(columns(0))
    X.data.flags.writeable = False
    before = X.toarray()
    Standardizer.of(X).design(X, np.float64)
    np.testing.assert_array_equal(X.toarray(), before)


def random_problem(seed, n_features=5, n_hidden=4, n_out=2):
    """X, its standardizer, another one for y, and weights in standardised units."""
    rng = np.random.default_rng(seed)
    X = columns(seed)
    Y = rng.normal(rng.normal(0, 50, n_out), 20, (40, n_out))
    layout = Layout(n_features, n_hidden, n_out, has_path=bool(seed % 2))
    weights = layout.view(rng.normal(size=layout.size))
    return X, Standardizer.of(X, spread=1.7), Standardizer.of(Y), weights


every_activation = pytest.mark.parametrize("g", ACTIVATIONS.values(), ids=ACTIVATIONS)


@every_activation
@given(seed=seeds)
def test_a_folded_network_is_the_same_function_of_raw_X(g, seed):
    X, x, y, weights = random_problem(seed)
    b1, W1, W2, b2, V, *_ = weights
    standardised = output(x.transform(X), b1, W1, W2, b2[:, 0], V, g)
    expected = standardised * y.scale[:, None] + y.mean[:, None]
    assert_allclose(output(X, *fold(weights, x, y), g), expected, rtol=1e-8, atol=1e-6)


@given(seed=seeds)
def test_unfold_inverts_fold(seed):
    _, x, y, weights = random_problem(seed)
    before = [w.copy() for w in weights[:5]]
    folded = fold(weights, x, y)
    assert all(w.flags.c_contiguous for w in folded)
    back = unfold(*folded, x, y)
    for expected, w, restored in zip(before, weights[:5], back, strict=True):
        np.testing.assert_array_equal(w, expected)
        assert_allclose(restored.ravel(), expected.ravel(), rtol=1e-9, atol=1e-9)


@every_activation
@given(seed=seeds)
def test_other_units_for_training_do_not_change_the_function(g, seed):
    X, x, y, weights = random_problem(seed)
    _, x_later, y_later, _ = random_problem(seed + 1)
    raw = fold(weights, x, y)
    x_later, y_later = x.merge(x_later), y.merge(y_later)
    b1, W1, W2, b2, V = unfold(*raw, x_later, y_later)
    standardised = output(x_later.transform(X), b1, W1, W2, b2, V, g)
    later = standardised * y_later.scale[:, None] + y_later.mean[:, None]
    assert_allclose(later, output(X, *raw, g), rtol=1e-7, atol=1e-5)


def correlated(seed, n_samples=200, n_features=4):
    """Columns of many units that say nearly the same."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)) * 10.0 ** -np.arange(n_features)
    mixed = X @ rng.normal(size=(n_features, n_features))
    return (mixed + rng.normal(size=n_features)) * 10.0 ** rng.integers(
        -3, 4, n_features
    )


def whitener(X, w=None, spread=1.0):
    return Whitener.after(Standardizer.of(X, w, spread), X, w)


@given(seed=seeds)
def test_whitened_columns_are_uncorrelated_and_alike(seed):
    rng, w = np.random.default_rng(seed), positive_weights(seed, 200)
    X = rng.normal(size=(200, 1)) + 0.1 * rng.normal(size=(200, 3))
    found = whitener(X, w, spread=2.0).design(X, np.float64)[:, 1:]
    covariance = np.cov(found.T, aweights=w, bias=True)
    assert_allclose(covariance, 4 * np.eye(3), atol=1e-3)
    assert_allclose(w @ found, 0, atol=1e-6 * w.sum())


@given(seed=seeds)
def test_the_units_of_whitened_columns_do_not_matter(seed):
    X = correlated(seed)
    order, scale = [2, 0, 3, 1], 10.0 ** np.arange(4)
    one, other = whitener(X), whitener(scale * X[:, order] - 3)
    assert_allclose(
        other.design(scale * X[:, order] - 3, np.float64)[:, 1:],
        one.design(X, np.float64)[:, 1:][:, order],
        atol=1e-3,
    )


@given(seed=seeds)
def test_weights_of_whitened_columns_go_out_and_in(seed):
    rng, X = np.random.default_rng(seed), correlated(seed)
    x, W1 = whitener(X), rng.normal(size=(4, 3))
    assert_allclose(
        (X - x.mean) @ x.outward(W1), x.design(X, np.float64)[:, 1:] @ W1, atol=1e-5
    )
    assert_allclose(x.inward(x.outward(W1)), W1, atol=1e-5)


def test_what_never_varies_is_left_out():
    X = correlated(0)
    X = np.column_stack([X, X[:, 0], np.ones(200)])
    x = whitener(X)
    W1 = x.outward(np.random.default_rng(1).normal(size=(6, 3)))
    seen = np.zeros(6)
    seen[[0, 4]] = 1, -1
    assert np.abs(seen @ W1).max() < 1e-5 * np.abs(W1).max()
    assert np.abs(W1[5]).max() < 1e-6
    nothing = whitener(np.ones((5, 2)))
    assert_allclose(nothing.design(np.ones((5, 2)), np.float64)[:, 1:], 0)


def test_a_whitener_stays_what_it_is():
    X = correlated(0)
    x = whitener(X)
    after = x.merge(Standardizer.of(correlated(1)))
    assert after.weight == 400
    assert_allclose(after.design(X, np.float64), x.design(X, np.float64))
