"""What α stands for on θ, judged by a loop over the weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sk_shallow._model.layout import Layout
from sk_shallow._model.penalty import Penalty

sizes = st.integers(1, 5)
layouts = st.builds(Layout, sizes, sizes, sizes, st.just(1), st.booleans())
seeds = st.integers(0, 2**32 - 1)
positive = st.floats(1e-3, 1e3)
kinds = st.sampled_from(["one", "two", "each"])


def alpha_of(kind, layout, rng):
    return rng.uniform(0.1, 5, {"one": 1, "two": 2, "each": layout.n_in + 1}[kind])


def assert_windows(layout, vector, W1, W2):
    """Each row of W1, and of V, and all of W2 have these numbers, the biases none."""
    windows = layout.view(vector)
    assert_array_equal(windows.W1, np.broadcast_to(W1, windows.W1.shape))
    assert_array_equal(windows.W2, np.broadcast_to(W2, windows.W2.shape))
    rows = W1 if np.ndim(W1) == 0 else W1[: layout.n_path]
    assert_array_equal(windows.V, np.broadcast_to(rows, windows.V.shape))
    assert not windows.b1.any()
    assert not windows.b2.any()


@given(layout=layouts, alpha=positive)
def test_one_number_is_the_precision_of_both_layers(layout, alpha):
    assert_windows(layout, Penalty.of(layout, alpha).precision, alpha, alpha)


@given(layout=layouts, alpha=st.tuples(positive, positive))
def test_two_numbers_are_those_of_the_layers(layout, alpha):
    penalty = Penalty.of(layout, alpha)
    assert_windows(layout, penalty.precision, *alpha)
    assert_array_equal(penalty.alpha, alpha)


@given(layout=layouts, seed=seeds)
def test_more_numbers_are_those_of_the_features_and_of_the_output_layer(layout, seed):
    alpha = alpha_of("each", layout, np.random.default_rng(seed))
    precision = Penalty.of(layout, alpha).precision
    assert_windows(layout, precision, alpha[:-1, None], alpha[-1])


@given(layout=layouts, kind=kinds, seed=seeds)
def test_the_strengths_are_a_penalty_of_the_same_precision(layout, kind, seed):
    penalty = Penalty.of(layout, alpha_of(kind, layout, np.random.default_rng(seed)))
    strengths = penalty.strengths(layout)
    assert len(strengths) == (layout.n_in + 1 if kind == "each" else 2)
    assert_array_equal(Penalty.of(layout, strengths).precision, penalty.precision)


@given(layout=layouts, kind=kinds, seed=seeds)
def test_sums_sizes_and_value_are_those_of_a_loop_over_the_weights(layout, kind, seed):
    rng = np.random.default_rng(seed)
    penalty = Penalty.of(layout, alpha_of(kind, layout, rng))
    theta = rng.normal(size=layout.size)
    sums, sizes, value = [0.0] * len(penalty.alpha), [0] * len(penalty.alpha), 0.0
    groups, weights = layout.view(penalty.groups), layout.view(theta)
    for name in ("W1", "W2", "V"):
        numbers, values = getattr(groups, name), getattr(weights, name)
        for group, weight in zip(numbers.flat, values.flat, strict=True):
            sums[group] += weight
            sizes[group] += 1
            value += 0.5 * penalty.alpha[group] * weight**2
    assert_allclose(penalty.sums(theta), sums, rtol=1e-10, atol=1e-12)
    assert_array_equal(penalty.sizes, sizes)
    assert penalty.value(theta) == pytest.approx(value, rel=1e-12)
    assert_allclose(penalty.value(theta), 0.5 * penalty.precision @ theta**2)


@given(layout=layouts, kind=kinds, seed=seeds)
def test_another_alpha_has_the_same_groups(layout, kind, seed):
    rng = np.random.default_rng(seed)
    penalty = Penalty.of(layout, alpha_of(kind, layout, rng))
    alpha = alpha_of(kind, layout, rng)
    other, expected = penalty.with_alpha(alpha), Penalty.of(layout, alpha)
    assert_array_equal(other.precision, expected.precision)
