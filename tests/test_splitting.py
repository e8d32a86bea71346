"""Holding samples out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sk_shallow._data.splitting import hold_out

seeds = st.integers(0, 2**31)
fractions = st.floats(0.05, 0.9)
class_sizes = st.lists(st.integers(1, 30), min_size=1, max_size=5)


def split(n_samples, fraction, seed, codes=None):
    return hold_out(n_samples, fraction, np.random.default_rng(seed), codes)


def shuffled_codes(sizes, seed):
    codes = np.repeat(np.arange(len(sizes)), sizes)
    return np.random.default_rng(seed).permutation(codes)


def assert_partition(train, held_out, n_samples):
    everything = np.concatenate([train, held_out])
    assert_array_equal(np.sort(everything), np.arange(n_samples))
    assert len(train) >= 1
    assert len(held_out) >= 1


@given(st.integers(10, 200), fractions, seeds)
def test_parts_are_disjoint_and_complete(n_samples, fraction, seed):
    train, held_out = split(n_samples, fraction, seed)
    assert_partition(train, held_out, n_samples)
    assert abs(len(held_out) - fraction * n_samples) <= 1


@given(class_sizes, fractions, seeds)
def test_parts_of_classes_are_disjoint_and_complete(sizes, fraction, seed):
    sizes = [*sizes, 10]
    codes = shuffled_codes(sizes, seed)
    train, held_out = split(len(codes), fraction, seed, codes)
    assert_partition(train, held_out, len(codes))


@given(class_sizes, fractions, seeds)
def test_the_only_sample_of_a_class_is_trained_on(sizes, fraction, seed):
    sizes = [1, *sizes, 10, 1]
    codes = shuffled_codes(sizes, seed)
    _, held_out = split(len(codes), fraction, seed, codes)
    assert (np.bincount(codes)[codes[held_out]] > 1).all()


@given(st.lists(st.integers(1, 3), min_size=8, max_size=20), seeds)
def test_no_class_is_missing_from_training(sizes, seed):
    sizes = [*sizes, 10]
    codes = shuffled_codes(sizes, seed)
    train, _ = split(len(codes), 0.2, seed, codes)
    assert_array_equal(np.unique(codes[train]), np.arange(len(sizes)))


@given(
    st.lists(st.integers(10, 60), min_size=1, max_size=4), st.floats(0.1, 0.5), seeds
)
def test_classes_keep_their_shares(sizes, fraction, seed):
    codes = shuffled_codes(sizes, seed)
    _, held_out = split(len(codes), fraction, seed, codes)
    counts = np.bincount(codes[held_out], minlength=len(sizes))
    expected = np.array(sizes) * len(held_out) / len(codes)
    assert (np.abs(counts - expected) <= 1).all()


@pytest.mark.parametrize("fraction", [0.1, 0.9])
def test_more_classes_than_places_are_split_all_the_same(fraction):
    codes = np.repeat(np.arange(10), 2)
    train, held_out = split(20, fraction, 0, codes)
    assert_partition(train, held_out, 20)
    assert len(held_out) == min(20 * fraction, 10)
    assert len(np.unique(codes[train])) == 10


def test_the_generator_decides():
    splits = [split(50, 0.3, seed)[1].tolist() for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]
    rng = np.random.default_rng(0)
    first, second = (hold_out(50, 0.3, rng)[1].tolist() for _ in range(2))
    assert first != second
