"""Coding y as columns of Y, and back."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils.class_weight import compute_class_weight

from sk_shallow._data.targets import Labels, Reals

LABELS = [np.array([3, -1, 7, 10]), np.array(["d", "aa", "cc", "b"]), np.arange(4.0)]


def draw_labels(kind, n_classes, seed, n_samples=30):
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.resize(np.arange(n_classes), n_samples))
    return LABELS[kind][:n_classes][codes], rng.uniform(0.1, 2, n_samples)


def draw_indicators(seed, n_labels=3):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, (30, n_labels))
    y[0], y[1] = 0, 1
    return y, rng.uniform(0.1, 2, 30)


kinds = pytest.mark.parametrize("kind", range(len(LABELS)))
class_counts = pytest.mark.parametrize("n_classes", [1, 2, 3, 4])
seeds = given(st.integers(0, 2**31))


@kinds
@class_counts
@seeds
def test_labels_survive_coding(kind, n_classes, seed):
    y, _ = draw_labels(kind, n_classes, seed)
    coder = Labels.of(y)
    Y = coder.encode(y, None, np.float32)
    assert Y.shape == (coder.n_outputs, 30)
    assert Y.dtype == np.float32
    Y, rows = np.asarray(Y), np.random.default_rng(seed).permutation(30)[:9]
    assert Y.dtype == np.float32
    assert set(np.unique(Y)) <= {0, 1}
    for some in (rows, slice(3, 20)):
        assert_array_equal(coder.encode(y, None, np.float32)[:, some], Y[:, some])
    coder.encode(y, None, np.float32).take(rows, 1, out := Y[:, :9].copy(), "clip")
    assert_array_equal(out, Y[:, rows])
    assert_array_equal(coder.decode(Y - 0.5), y)
    if coder.is_softmax:
        assert_array_equal(Y.sum(axis=0), 1)


@seeds
def test_indicators_survive_coding(seed):
    y, _ = draw_indicators(seed)
    coder = Labels.of(y)
    Y = coder.encode(y, None, np.float64)
    assert coder.n_outputs == 3
    assert Y.flags.c_contiguous
    assert_array_equal(coder.decode(Y - 0.5), y)


@class_counts
def test_output_unit_follows_the_number_of_classes(n_classes):
    coder = Labels.of(draw_labels(0, n_classes, 0)[0])
    expected = "logistic" if n_classes == 2 else "softmax"
    assert coder.output_unit.activation == expected
    assert coder.n_outputs == (1 if n_classes == 2 else n_classes)


@pytest.mark.parametrize("n_labels", [1, 2, 3])
def test_output_unit_of_indicators_is_logistic(n_labels):
    coder = Labels.of(draw_indicators(0, n_labels)[0])
    assert coder.output_unit.activation == "logistic"
    assert coder.n_outputs == n_labels


@kinds
@pytest.mark.parametrize("n_classes", [1, 2, 3])
def test_probabilities_have_a_column_per_class(kind, n_classes):
    y, _ = draw_labels(kind, n_classes, 1)
    coder = Labels.of(y)
    Z2 = np.random.default_rng(2).standard_normal((coder.n_outputs, 9))
    P = coder.per_class(coder.output_unit.mean, Z2)
    assert P.shape == (9, n_classes)
    assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
    assert_array_equal(coder.classes[P.argmax(axis=1)], coder.decode(Z2))
    log_P = coder.per_class(coder.output_unit.log_mean, Z2)
    assert_allclose(np.exp(log_P), P, rtol=1e-12)
    decision = coder.decision(Z2)
    if n_classes == 2:
        assert_array_equal(decision > 0, P[:, 1] > 0.5)
    else:
        assert_array_equal(decision.argmax(axis=1), P.argmax(axis=1))


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@seeds
def test_first_bias_of_labels_gives_the_weighted_shares(n_classes, seed):
    y, weights = draw_labels(1, n_classes, seed)
    coder = Labels.of(y)
    bias = np.broadcast_to(coder.first_bias(y, weights), coder.n_outputs)
    shares = coder.per_class(coder.output_unit.mean, bias[:, None])[0]
    expected = [weights[y == label].sum() for label in coder.classes]
    assert_allclose(shares, np.array(expected) / weights.sum(), rtol=1e-10)


@seeds
def test_first_bias_of_indicators_gives_the_weighted_shares(seed):
    y, weights = draw_indicators(seed)
    coder = Labels.of(y)
    shares = coder.output_unit.mean(coder.first_bias(y, weights))
    assert_allclose(shares, np.average(y, axis=0, weights=weights), rtol=1e-10)


@pytest.mark.parametrize("classes", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_first_bias_is_finite_where_a_class_is_absent(classes):
    bias = Labels(np.array(classes)).first_bias(np.array(["a"] * 5), np.ones(5))
    assert np.isfinite(bias).all()


@seeds
def test_first_bias_of_reals_is_the_weighted_mean(seed):
    rng = np.random.default_rng(seed)
    y, weights = rng.standard_normal(20) + 5, rng.uniform(0.1, 2, 20)
    coder = Reals.of(y)
    standardizer = coder.standardizer(y, weights)
    Y = coder.encode(y, standardizer, np.float64)
    mean = np.average(Y, axis=1, weights=weights)
    assert_allclose(mean, coder.first_bias(y, weights, standardizer), atol=1e-12)


@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3)])
def test_reals_are_standardised_by_column_and_keep_their_shape(shape):
    rng = np.random.default_rng(0)
    y, weights = 7 + 3 * rng.standard_normal(shape), rng.uniform(0.1, 2, 20)
    coder = Reals.of(y)
    standardizer = coder.standardizer(y, weights)
    Y = coder.encode(y, standardizer, np.float64)
    assert Y.shape == (coder.n_outputs, 20)
    assert Y.flags.c_contiguous
    assert_allclose(Y @ weights, 0, atol=1e-12)
    assert_allclose(Y**2 @ weights / weights.sum(), 1, rtol=1e-12)
    back = Y * standardizer.scale[:, None] + standardizer.mean[:, None]
    assert_allclose(coder.decode(back), y, rtol=1e-12)
    assert coder.strata(y) is None


def test_reals_code_alike_where_shapes_agree():
    vector, column, two = (Reals.of(np.zeros(s)) for s in [3, (3, 1), (3, 2)])
    assert vector.codes_like(Reals.of(np.ones(8)))
    assert not vector.codes_like(column)
    assert not column.codes_like(two)


def test_labels_code_alike_where_classes_agree():
    coder = Labels.of(np.array([0, 1, 2]))
    assert coder.codes_like(Labels.of(np.array([2, 1, 0, 0])))
    assert not coder.codes_like(Labels.of(np.array([0, 1])))
    assert not coder.codes_like(Labels.of(np.array([0, 1, 3])))
    assert not coder.codes_like(Labels.of(np.array([[0, 1, 1], [1, 0, 1]])))
    assert not coder.codes_like(Reals.of(np.array([0.0, 1.0])))


@pytest.mark.parametrize("unseen", ["a", "c", "z"])
def test_unseen_labels_are_named(unseen):
    coder = Labels.of(np.array(["b", "d"]))
    with pytest.raises(ValueError, match=rf"\['{unseen}'\].*\['b', 'd'\]"):
        coder.codes(np.array(["b", unseen, "d"]))


@kinds
def test_strata_are_the_classes(kind):
    y, _ = draw_labels(kind, 3, 0)
    coder = Labels.of(y)
    assert_array_equal(coder.classes[coder.strata(y)], y)
    assert Labels.of(np.eye(3, dtype=int)).strata(np.eye(3, dtype=int)) is None


@kinds
@class_counts
@seeds
def test_balanced_classes_have_the_same_total_weight(kind, n_classes, seed):
    y, weights = draw_labels(kind, n_classes, seed)
    coder = Labels.of(y)
    factors = coder.class_factors("balanced", y, weights)
    balanced = weights * factors[coder.codes(y)]
    totals = [balanced[y == label].sum() for label in coder.classes]
    assert_allclose(totals, weights.sum() / n_classes, rtol=1e-10)


def test_balanced_weights_are_scikit_learns():
    y = np.repeat(["a", "b", "c"], [5, 1, 9])
    coder = Labels.of(y)
    expected = compute_class_weight("balanced", classes=coder.classes, y=y)
    factors = coder.class_factors("balanced", y, np.ones(15))
    assert_allclose(factors, expected, rtol=1e-12)


def test_balanced_weights_pass_over_an_absent_class():
    coder, y = Labels(np.array(["a", "b", "c"])), np.repeat(["a", "c"], [6, 2])
    factors = coder.class_factors("balanced", y, np.ones(8))
    assert_allclose(factors[[0, 2]] * [6, 2], 4)


@kinds
def test_class_weights_by_label(kind):
    y, weights = draw_labels(kind, 3, 0)
    coder = Labels.of(y)
    first, second, _ = coder.classes.tolist()
    factors = coder.class_factors({first: 2.0, second: 0.5}, y, weights)
    assert_array_equal(factors, [2.0, 0.5, 1.0])


def test_class_weights_are_refused_where_no_class_of_y_has_one():
    coder = Labels(np.array(["a", "b"]))
    with pytest.raises(ValueError, match="at least one class in y positive"):
        coder.class_factors({"a": 0, "b": 1}, np.array(["a"] * 3), np.ones(3))


INDICATORS = np.array([[0, 1, 1], [0, 0, 1]])


@pytest.mark.parametrize(
    ("coder", "like", "unlike", "message"),
    [
        (Reals.of(np.zeros(3)), np.ones(2), np.ones((2, 1)), "targets, of a 1-D y"),
        (Reals.of(np.ones((3, 2))), np.ones((1, 2)), np.ones(2), "targets, of a 2-D y"),
        (Labels.of(np.arange(3)), [2, 0], INDICATORS, "expected a vector of labels"),
        (Labels.of(np.arange(3)), [2, 0], [2, 3], r"classes .* known ones: \[3\]"),
        (Labels.of(INDICATORS), INDICATORS, [0, 1], "indicator matrix with 3 columns"),
        (Labels.of(INDICATORS), INDICATORS, INDICATORS[:, 1:], "matrix with 3 columns"),
    ],
)
def test_a_y_of_another_kind_is_refused(coder, like, unlike, message):
    coder.check(np.asarray(like))
    with pytest.raises(ValueError, match=f"^target .*{message}"):
        coder.check(np.asarray(unlike), "target")


OF_TYPES = {
    "numbers": [np.arange(2), np.arange(2.0), np.array([False, True])],
    "words": [np.array(["0", "1"]), np.array(["0", "1"], dtype=object)],
    "dates": [np.arange(2).astype("M8[D]")],
}


@pytest.mark.parametrize("known", OF_TYPES)
@pytest.mark.parametrize("other", OF_TYPES)
def test_labels_of_another_type_are_unknown(known, other):
    for labels, others in itertools.product(OF_TYPES[known], OF_TYPES[other]):
        coder = Labels.of(labels)
        if known == other:
            assert_array_equal(coder.codes(others[[1, 0, 1]]), [1, 0, 1])
        else:
            with pytest.raises(ValueError, match="y contains classes that are not am"):
                coder.codes(others[[1, 0, 1]])


def test_the_classes_of_later_calls_are_those_of_the_first():
    coder = Labels.of(np.array([1, 2]), classes=[3, 2, 1])
    assert_array_equal(coder.classes, [1, 2, 3])
    for same in (None, [1, 2, 3], [2, 3, 1, 1]):
        coder.check_classes(same)
    with pytest.raises(ValueError, match=r"was: array.*1, 2, 3"):
        coder.check_classes([1, 2])


def test_the_names_of_labels_are_in_the_order_of_their_columns():
    coder = Labels.of(INDICATORS, classes=["b", "a", "c"])
    assert_array_equal(coder.classes, ["b", "a", "c"])
    assert re.search("columns .*'b', 'c'", coder.lacking(INDICATORS))
    coder.check_classes(["b", "a", "c"])
    with pytest.raises(ValueError, match=r"was: array.*'b', 'a', 'c'"):
        coder.check_classes(["a", "b", "c"])
    for names in (["b", "a", "b"], ["b", "a"], [1, 2, 3, 4]):
        with pytest.raises(ValueError, match="expected an indicator matrix with"):
            Labels.of(INDICATORS, classes=names)


def test_what_some_targets_lack_is_named():
    coder = Labels.of(np.array(["a", "b", "c"]))
    assert coder.lacking(np.array(["c", "a", "b"])) == ""
    assert re.search("none of .*'b'", coder.lacking(np.array(["a", "c"])))
    coder = Labels.of(INDICATORS)
    assert re.search(r"in the columns \[0, 2\]", coder.lacking(INDICATORS))
    assert coder.lacking(np.array([[0, 1, 1], [1, 0, 0]])) == ""
    assert Reals.of(np.zeros(3)).lacking(np.zeros(1)) == ""


def test_a_number_for_each_output_is_a_float_where_y_is_a_vector():
    vector, column = Reals.of(np.zeros(3)), Reals.of(np.zeros((3, 1)))
    assert isinstance(vector.per_output(np.ones(1)), float)
    assert_array_equal(column.per_output(np.ones(1)), [1.0])
