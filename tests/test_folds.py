"""Folds by content: laws."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

from sk_shallow import ShallowNNRegressor
from sk_shallow._data import folds
from sk_shallow._data.columns import read, table_of
from sk_shallow._data.samples import Data, content
from sk_shallow._model.member_weights import MemberWeights

seeds = st.integers(0, 2**32 - 1)


def table(seed, n=60, d=3, n_levels=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X if n_levels is None else np.floor(X * n_levels)


def distinct(X):
    return folds.distinct(content(X if sparse.issparse(X) else read(table_of(X))))


def fold_of(X, weights=None, strata=None, n_folds=5):
    weights = np.ones(X.shape[0]) if weights is None else weights
    return folds.dealt(distinct(X), weights, n_folds, strata)


@given(seed=seeds, n_levels=st.sampled_from([None, 1, 3]))
def test_the_order_of_the_rows_does_not_matter(seed, n_levels):
    X = table(seed, n_levels=n_levels)
    order = np.random.default_rng(seed).permutation(len(X))
    np.testing.assert_array_equal(fold_of(X)[order], fold_of(X[order]))


@given(seed=seeds, shift=st.integers(-1000, 1000), power=st.integers(-9, 9))
def test_a_shift_or_a_scale_of_a_column_does_not_matter(seed, shift, power):
    X = np.round(table(seed), 3) * 1000
    np.testing.assert_array_equal(fold_of(X), fold_of((X + shift) * 2.0**power))


@given(seed=seeds)
def test_copies_are_weights_and_in_one_fold(seed):
    X, rng = table(seed), np.random.default_rng(seed)
    k, strata = rng.integers(1, 4, len(X)), rng.integers(0, 3, len(X))
    copies = np.repeat(np.arange(len(X)), k)
    weighted = fold_of(X, k.astype(float), strata)
    copied = fold_of(X[copies], strata=strata[copies])
    np.testing.assert_array_equal(weighted[copies], copied)


@given(seed=seeds, n=st.integers(10, 80), n_folds=st.integers(2, 9))
def test_the_folds_are_of_one_size(seed, n, n_folds):
    counts = np.bincount(fold_of(table(seed, n), n_folds=n_folds), minlength=n_folds)
    assert counts.max() - counts.min() <= 1


@given(seed=seeds, n_levels=st.integers(1, 4), d=st.integers(1, 4))
def test_distinct_rows_are_numbered_in_their_order(seed, n_levels, d):
    X = table(seed, d=d, n_levels=n_levels)
    _, expected = np.unique(X, axis=0, return_inverse=True)
    np.testing.assert_array_equal(distinct(X), expected.ravel())


@given(n_folds=st.integers(2, 9), n_rounds=st.integers(1, 9))
def test_every_round_deals_each_fold_once(n_folds, n_rounds):
    n = n_folds * n_rounds
    fold = folds.dealt(np.arange(n), np.ones(n), n_folds)
    rounds = np.sort(fold.reshape(n_rounds, n_folds), axis=1)
    np.testing.assert_array_equal(rounds, np.tile(np.arange(n_folds), (n_rounds, 1)))


@given(seed=seeds)
def test_a_unit_is_of_the_stratum_that_has_most_of_its_weight(seed):
    rng = np.random.default_rng(seed)
    units, strata = rng.integers(0, 20, 80), rng.integers(0, 3, 80)
    weights = rng.uniform(0.1, 2, 80)
    totals = np.zeros((20, 3))
    np.add.at(totals, (units, strata), weights)
    heaviest = totals.argmax(axis=1)[units]
    found, expected = (folds.dealt(units, weights, 5, s) for s in (strata, heaviest))
    np.testing.assert_array_equal(found, expected)


@given(seed=seeds, n_classes=st.integers(2, 4))
def test_the_labels_keep_their_shares(seed, n_classes):
    X, rng = table(seed, 100), np.random.default_rng(seed)
    y = rng.integers(0, n_classes, len(X))
    fold = fold_of(X, strata=y)
    for label in range(n_classes):
        counts = np.bincount(fold[y == label], minlength=5)
        assert counts.max() - counts.min() <= 2


def test_no_period_of_a_factorial_design_meets_the_folds():
    levels = np.arange(5.0)
    X = np.array([(a, b) for a in levels for b in levels for _ in range(1)])
    fold = fold_of(X)
    for column in X.T:
        for level in levels:
            assert len(np.unique(fold[column == level])) > 1


@given(seed=seeds)
def test_a_sparse_matrix_has_its_copies_in_one_fold(seed):
    X = np.repeat(table(seed, 20, n_levels=2), 2, axis=0)
    fold = fold_of(sparse.csr_array(X))
    np.testing.assert_array_equal(fold[::2], fold[1::2])


def data_of(X, groups=None):
    return Data.of(read(table_of(X)), np.arange(len(X)), None, groups)


def test_missing_values_are_equal_to_each_other():
    X = np.repeat([[np.nan, 1.0], [2.0, np.nan], [np.nan, 2.0]], 2, axis=0)
    np.testing.assert_array_equal(distinct(X)[::2], distinct(X)[1::2])
    assert len(np.unique(distinct(X))) == 3


@given(seed=seeds)
def test_groups_stay_together(seed):
    groups = np.random.default_rng(seed).integers(0, 15, 80)
    held_out = folds.test_sets(data_of(table(seed, 80), groups), 5, None, None)
    assert sum(map(len, held_out)) == 80
    for some, other in pairwise(held_out):
        assert not set(groups[some]) & set(groups[other])


def test_a_splitter_and_a_list_of_splits_are_taken_as_they_are():
    X = table(0, 30)
    for cv, groups in ((KFold(3), None), (GroupKFold(3), np.arange(30) // 3)):
        splits = list(cv.split(X, None, groups))
        for given_as in (cv, splits):
            held_out = folds.test_sets(data_of(X, groups), given_as, None, None)
            for rows, (_, test) in zip(held_out, splits, strict=True):
                np.testing.assert_array_equal(rows, test)


@pytest.mark.parametrize("cv", [2, 5, 12, 13, 100])
def test_each_sample_is_held_out_once_at_the_most_alone(cv):
    held_out = folds.test_sets(data_of(table(0, 12)), cv, None, None)
    assert len(held_out) == min(cv, 12)
    assert all(map(len, held_out))
    np.testing.assert_array_equal(np.sort(np.concatenate(held_out)), np.arange(12))


def test_fewer_than_ten_distinct_rows_are_not_cut():
    X = np.repeat(table(0, 10), 20, axis=0)
    assert folds.test_sets(data_of(X[:-20]), 5, None, None) == []
    assert len(folds.test_sets(data_of(X), 5, None, None)) == 5


def test_splits_that_hold_out_nothing_or_all_are_passed_over():
    rows, data = np.arange(30), data_of(table(0, 30))
    nothing, one, all_ = (rows, []), (rows[1:], rows[:1]), ([], rows)
    (found,) = folds.test_sets(data, [nothing, one, all_], None, None)
    np.testing.assert_array_equal(found, [0])
    with pytest.raises(ValueError, match="2 without, for 30 samples"):
        folds.test_sets(data, [nothing, all_], None, None)


@given(seed=seeds, is_sparse=st.booleans())
def test_of_many_rows_some_are_dealt_out_with_their_copies(seed, is_sparse):
    rng = np.random.default_rng(seed)
    table_ = rng.integers(0, 2, (400, 5)) * rng.normal(size=(400, 5))
    table_[rng.random(table_.shape) < 0.1] = 0.0 if is_sparse else np.nan
    X = np.repeat(table_, 2, axis=0)[order := rng.permutation(800)]
    X = sparse.csr_array(X) if is_sparse else read(table_of(X))
    data = Data.of(X, np.arange(800))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "_MOST_DEALT", 200)
        held_out = folds.test_sets(data, 5, None, None)
        assert len(held_out) == 5
        np.testing.assert_array_equal(
            np.sort(np.concatenate(held_out)), folds.dealt_rows(data)
        )
        fold = np.full(800, -1)
        for f, rows in enumerate(held_out):
            fold[rows] = f
    fold_of_copies = np.empty_like(fold)
    fold_of_copies[order] = fold
    np.testing.assert_array_equal(fold_of_copies[::2], fold_of_copies[1::2])
    assert 80 < np.count_nonzero(fold >= 0) < 400  # 200 wanted


@pytest.mark.parametrize("given_as", ["splitter", "list"])
def test_of_many_rows_a_splitter_of_ones_own_deals_out_all(monkeypatch, given_as):
    monkeypatch.setattr(folds, "_MOST_DEALT", 20)
    y = np.zeros(300, int)
    y[np.random.default_rng(0).permutation(300)[:6]] = [1, 1, 1, 2, 2, 2]
    data = data_of(table(0, 300))._replace(y=y)
    cv = StratifiedKFold(3)
    splits = list(cv.split(np.zeros((300, 1)), y))
    held_out = folds.test_sets(data, cv if given_as == "splitter" else splits, y, None)
    for (_, test), rows in zip(splits, held_out, strict=True):
        np.testing.assert_array_equal(rows, test)
        np.testing.assert_array_equal(np.bincount(y[rows], minlength=3)[1:], 1)


@given(seed=seeds)
def test_of_many_rows_few_of_a_rare_class_are_in_each_fold(seed):
    rng = np.random.default_rng(seed)
    strata = (np.arange(3000) % 100 == 0).astype(int)
    data = data_of(rng.normal(size=(3000, 2)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "_MOST_DEALT", 1500)
        held_out = folds.test_sets(data, 3, strata, None)
    counts = [np.count_nonzero(strata[rows]) for rows in held_out]
    assert 0 < sum(counts) < 30
    assert max(counts) - min(counts) <= 2


@given(seed=seeds)
def test_which_rows_are_dealt_out_does_not_depend_on_the_layout_in_memory(seed):
    n_rows, d = 2**15 // 11 + 1, 11  # the last row is a block of its own
    X = np.tile(table(seed, 11, d), (n_rows // 11 + 1, 1))[:n_rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "_MOST_DEALT", n_rows // 2)
        dealt, same = (
            folds.dealt_rows(Data.of(read(table_of(np.array(X, order=o))), X[:, 0]))
            for o in "CF"
        )
    np.testing.assert_array_equal(dealt, same)
    with_all_copies = np.isin(np.arange(n_rows) % 11, dealt % 11)
    np.testing.assert_array_equal(dealt, np.flatnonzero(with_all_copies))


@given(seed=seeds, n_levels=st.integers(1, 2))
def test_of_few_contents_some_are_dealt_out(seed, n_levels):
    X = np.random.default_rng(seed).normal(size=(n_levels, 1))
    X = read(table_of(np.repeat(X, 100, axis=0)))
    data = Data.of(X, np.arange(100.0 * n_levels))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "_MOST_DEALT", 20)
        assert len(folds.dealt_rows(data)) > 0
        apart = folds.told_apart(data, 5, folds.Units.of(data))
        assert len(folds.test_sets(apart, 5, None, None)) == 5


@given(seed=seeds, n_sets=st.integers(1, 5), n_members=st.integers(1, 7))
def test_member_weights_are_the_weights_without_test_sets(seed, n_sets, n_members):
    rng = np.random.default_rng(seed)
    sets = [np.flatnonzero(rng.random(30) < 0.3) for _ in range(n_sets)]
    weights = rng.uniform(1, 3, 30) if seed % 2 else None
    expected = np.tile(np.ones(30) if weights is None else weights, (n_members, 1))
    for m in range(n_members):
        expected[m, sets[m % n_sets]] = 0
    unseen = expected == 0
    for W in (
        MemberWeights.dealt(30, sets, n_members, weights),
        MemberWeights.of(unseen, weights),
    ):
        rows = rng.permutation(30)[:20]
        np.testing.assert_array_equal(W[...], expected)
        np.testing.assert_array_equal(W[..., rows], expected[:, rows])
        np.testing.assert_array_equal(list(W), expected)
        assert W.total(rows) == pytest.approx(expected[:, rows].max(axis=0).sum())
        np.testing.assert_array_equal(W.judged, np.flatnonzero(unseen.any(axis=0)))
        np.testing.assert_array_equal(W.unseen(rows), unseen[:, rows])
        for m in range(n_members):
            np.testing.assert_array_equal(W.unseen_by(m), np.flatnonzero(unseen[m]))


@pytest.mark.parametrize("n_members", [2, 3, 6])
def test_each_member_does_not_see_its_fold(n_members):
    held_out, weights = [np.array([0, 2]), np.array([1, 3])], np.arange(1.0, 5.0)
    W = MemberWeights.dealt(4, held_out, n_members, weights)
    assert len(W) == n_members
    for m, row in enumerate(W):
        assert not row[held_out[m % 2]].any()
        seen = held_out[1 - m % 2]
        np.testing.assert_array_equal(row[seen], weights[seen])


def crowded(seed, n=300, n_levels=3, is_continuous=False):
    """Few cells with many samples each."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, n_levels, (n, 2)).astype(float)
    return X, rng.normal(size=n) if is_continuous else rng.integers(0, 2, n)


def apart(X, y, w=None, groups=None, n_folds=5):
    data = Data.of(read(table_of(X)), y, w, groups)
    return folds.told_apart(data, n_folds, folds.Units.of(data))


@given(seed=seeds, is_continuous=st.booleans())
def test_samples_of_few_cells_are_told_apart(seed, is_continuous):
    X, y = crowded(seed, is_continuous=is_continuous)
    data = apart(X, y)
    assert data.weights.sum() == pytest.approx(300)
    held_out = folds.test_sets(data, 5, None, None)
    cells = distinct(X).max() + 1
    for rows in held_out:
        seen = np.delete(data.X.numbers, rows, axis=0)
        assert distinct(seen).max() + 1 == cells


@given(seed=seeds)
def test_pieces_of_copies_are_those_of_weights(seed):
    (X, y), rng = crowded(seed), np.random.default_rng(seed)
    k, order = rng.integers(1, 4, 300), rng.permutation(300)
    copies = np.repeat(order, k[order])
    one, other = apart(X, y, k.astype(float)), apart(X[copies], y[copies])
    np.testing.assert_array_equal(one.X.numbers, other.X.numbers)
    np.testing.assert_array_equal(one.y, other.y)
    np.testing.assert_allclose(one.weights, other.weights)


def test_samples_with_inputs_of_their_own_or_groups_are_left_as_they_are():
    X, y = table(0), np.arange(60)
    assert apart(X, y).groups is None
    Z, labels = crowded(0)
    groups = np.arange(300) // 20
    assert apart(Z, labels, groups=groups).groups is groups


def test_two_groups_are_enough():
    data = data_of(table(0, 30), np.arange(30) // 15)
    assert len(folds.test_sets(data, 5, None, None)) == 2


def test_the_rows_of_a_fit_are_ranked_once(monkeypatch):
    calls, ranked = [], folds.distinct

    def counted(columns):
        calls.append(None)
        return ranked(columns)

    monkeypatch.setattr(folds, "distinct", counted)
    X = table(0, 60)
    net = ShallowNNRegressor(3, cv=3, max_iter=2, encoding=None, activation="relu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(X, np.arange(60.0))
    assert len(calls) == 1
