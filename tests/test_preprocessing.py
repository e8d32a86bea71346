import pickle
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_shallow._data.columns import read, table_of
from sk_shallow._data.encoding import QUANTILES, Encoding
from sk_shallow.preprocessing import PARAMETERS, PiecewiseLinearEncoder

NAN = float("nan")
seeds = st.integers(0, 2**32 - 1)
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
columns = st.integers(2, 40).flatmap(lambda n: arrays(float, n, elements=numbers))
counts_of_bins = st.integers(1, 20)
every_rule = pytest.mark.parametrize("quantiles", QUANTILES)
every_frame = pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])


def encode(X, **parameters):
    return PiecewiseLinearEncoder(**parameters).fit_transform(X)


def table(seed, n_samples=60):
    """Columns of all sorts: gaps, many zeros, few values, labels, nothing."""
    rng = np.random.default_rng(seed)
    gaps = rng.normal(size=n_samples)
    gaps[rng.random(n_samples) < 0.3] = np.nan
    zeros = rng.exponential(size=n_samples) * (rng.random(n_samples) < 0.3)
    letters = rng.choice([*"abcdefghij", None], n_samples, p=[0.3] + [0.07] * 10)
    return pd.DataFrame(
        {
            "real": rng.normal(1e3, 5, n_samples),
            "gaps": gaps,
            "zeros": zeros,
            "few": rng.integers(0, 4, n_samples),
            "constant": 3.0,
            "nothing": np.nan,
            "letter": pd.Series(letters, dtype=object),
            "flag": rng.random(n_samples) < 0.5,
        }
    )


def assert_same_encoder(first, second, X, **tolerance):
    for a, b in zip(first.bin_edges_, second.bin_edges_, strict=True):
        assert (a is None) == (b is None)
        assert a is None or a.tolist() == b.tolist()
    assert list(first.get_feature_names_out()) == list(second.get_feature_names_out())
    assert_allclose(first.transform(X), second.transform(X), **tolerance)


@parametrize_with_checks(
    [
        PiecewiseLinearEncoder(),
        PiecewiseLinearEncoder(n_bins=None),
        PiecewiseLinearEncoder(n_bins=3, quantiles="distinct", dtype=np.float32),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# Numbers.


@every_rule
@given(x=columns, n_bins=counts_of_bins, others=arrays(float, 5, elements=numbers))
def test_the_increments_of_the_edges_give_back_x(quantiles, x, n_bins, others):
    encoder = PiecewiseLinearEncoder(n_bins, quantiles=quantiles).fit(x[:, None])
    edges = encoder.bin_edges_[0]
    assume(len(edges) > 1)
    z = np.concatenate([x, others])
    back = edges[0] + encoder.transform(z[:, None]) @ np.diff(edges)
    assert_allclose(back, z, rtol=0, atol=1e-14 * np.abs(z).max())


@given(x=columns, n_bins=counts_of_bins)
def test_each_column_is_the_interpolation_from_0_to_1_over_its_bin(x, n_bins):
    encoder = PiecewiseLinearEncoder(n_bins).fit(x[:, None])
    edges, R = encoder.bin_edges_[0], encoder.transform(x[:, None])
    for t, (left, right) in enumerate(pairwise(edges)):
        assert_allclose(R[:, t], np.interp(x, [left, right], [0, 1]), atol=1e-12)


@given(x=columns, n_bins=counts_of_bins)
def test_the_encoding_rises_with_x(x, n_bins):
    encoder = PiecewiseLinearEncoder(n_bins).fit(x[:, None])
    beyond = np.sort(np.concatenate([x, x - 1, x + 1, 2 * x]))
    assert (np.diff(encoder.transform(beyond[:, None]), axis=0) >= 0).all()


def test_only_the_outer_pieces_go_on_in_a_straight_line():
    encoder = PiecewiseLinearEncoder(3).fit([[0.0], [1.0], [3.0], [7.0]])
    given_, expected = [[-1.0], [2.0], [11.0]], [[-1, 0, 0], [1, 0.5, 0], [1, 1, 2]]
    assert_array_equal(encoder.transform(given_), expected)


def test_a_piecewise_linear_function_is_linear_in_the_encoding():
    x = np.linspace(-2, 2, 101)[:, None]
    edges = PiecewiseLinearEncoder(4).fit(x).bin_edges_[0]
    y = np.interp(x[:, 0], edges, [3.0, -1.0, 4.0, 1.0, 5.0])
    model = make_pipeline(PiecewiseLinearEncoder(4), LinearRegression())
    assert_allclose(model.fit(x, y).predict(x), y, atol=1e-12)


@pytest.mark.parametrize("n_bins", [1, 2, 8, 16])
@given(seed=seeds)
def test_the_edges_are_weighted_quantiles_of_the_rows(n_bins, seed):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=100), rng.integers(0, 5, 100)
    encoder = PiecewiseLinearEncoder(n_bins).fit(x[:, None], sample_weight=w)
    levels = np.arange(n_bins + 1) / n_bins
    oracle = np.quantile(np.repeat(x, w), levels, method="inverted_cdf")
    assert_array_equal(encoder.bin_edges_[0], np.unique(oracle))


@given(seed=seeds)
def test_or_quantiles_of_the_distinct_values(seed):
    x = np.random.default_rng(seed).integers(0, 50, 200).astype(float)
    encoder = PiecewiseLinearEncoder(8, quantiles="distinct").fit(x[:, None])
    oracle = np.quantile(np.unique(x), np.arange(9) / 8, method="inverted_cdf")
    assert_array_equal(encoder.bin_edges_[0], oracle)


# Of 112 rows, one of 8 bins should have 14.
@pytest.mark.parametrize(("n_zeros", "rule"), [(15, "distinct"), (14, "rows")])
@pytest.mark.parametrize("place", [0.0, 50.0, 1e3])
@pytest.mark.parametrize("as_weight", [False, True])
def test_the_column_decides_by_whether_one_value_fills_a_bin(
    n_zeros, rule, place, as_weight
):
    x = np.append(np.arange(112.0 - n_zeros), place + 0.5)[:, None]
    w = np.append(np.ones(len(x) - 1), n_zeros)
    if not as_weight:
        x, w = np.repeat(x, w.astype(int), axis=0), None
    opposite = {"distinct": "rows", "rows": "distinct"}[rule]
    auto, chosen, other = (
        PiecewiseLinearEncoder(8, quantiles=quantiles).fit(x, sample_weight=w)
        for quantiles in ("auto", rule, opposite)
    )
    assert_same_encoder(auto, chosen, x)
    assert other.bin_edges_[0].tolist() != auto.bin_edges_[0].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("n_bins", [None, 1, 3, 16])
@given(seed=seeds)
def test_clipped_columns_stand_beyond_their_range_as_at_its_end(n_bins, seed):
    X = table(seed)
    free, cut = (
        PiecewiseLinearEncoder(n_bins, clip=clip).fit(X) for clip in (False, True)
    )
    assert list(cut.get_feature_names_out()) == list(free.get_feature_names_out())
    if n_bins is not None:
        assert_array_equal(cut.transform(X), free.transform(X))
    shift = np.random.default_rng(seed).normal(scale=10, size=len(X))
    moved, back = X.copy(), X.copy()
    for name in ("real", "gaps", "zeros", "few", "constant"):
        moved[name] = X[name] + shift
        back[name] = moved[name].clip(X[name].min(), X[name].max())
    R = cut.transform(moved)
    if n_bins is None:
        assert_array_equal(R, free.transform(moved))
    else:
        assert_allclose(R, free.transform(back), atol=1e-12)
        assert R.min() >= 0
        assert R.max() <= 1


@every_rule
@pytest.mark.parametrize("n_bins", [3, 4, 10])
def test_few_values_are_the_edges(n_bins, quantiles):
    x = np.array([2.0, 0.0, 5.0, 0.0, 0.0, 0.0, 3.0])[:, None]
    encoder = PiecewiseLinearEncoder(n_bins, quantiles=quantiles).fit(x)
    assert_array_equal(encoder.bin_edges_[0], [0, 2, 3, 5])


def test_two_values_stay_one_column_and_one_becomes_zeros():
    X = np.array([[4.0, 7.0], [6.0, 7.0], [4.0, 7.0]])
    encoder = PiecewiseLinearEncoder().fit(X)
    assert_array_equal(encoder.transform([[5.0, 8.0]]), [[0.5, 0.0]])
    assert list(encoder.get_feature_names_out()) == ["x0", "x1"]


def test_there_are_never_more_bins_than_asked_for():
    x = np.random.default_rng(0).integers(0, 1000, (5000, 1))
    for n_bins in range(1, 40):
        assert len(PiecewiseLinearEncoder(n_bins).fit(x).bin_edges_[0]) == n_bins + 1


def test_none_leaves_numbers_as_they_are():
    X = np.random.default_rng(0).normal(size=(50, 3)) * [1e-300, 1, 1e300]
    X[0] = 0.1, -0.0, 5e-324
    assert_array_equal(encode(X, n_bins=None), X)


@given(seed=seeds, shift=st.floats(-100, 100), scale=st.floats(1e-3, 1e3))
def test_neither_shift_nor_scale_of_a_column_matters(seed, shift, scale):
    X = np.random.default_rng(seed).normal(size=(50, 2))
    X[::7, 1] = np.nan
    assert_allclose(encode(shift + scale * X), encode(X), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("n_bins", [None, 1, 7])
@given(seed=seeds)
def test_k_copies_are_weight_k_and_weight_0_is_absent(n_bins, seed):
    X, k = table(seed), np.random.default_rng(seed).integers(0, 4, 60)
    assume(k.any())
    encoder = PiecewiseLinearEncoder(n_bins, max_categories=4)
    weighted = encoder.fit(X, sample_weight=k)
    copied = PiecewiseLinearEncoder(n_bins, max_categories=4)
    copied.fit(X.loc[np.repeat(X.index, k)])
    assert_same_encoder(weighted, copied, X, rtol=1e-12, atol=1e-12)


@given(seed=seeds, factor=st.sampled_from([1e-6, 1 / 3, 1e6]))
def test_weights_are_relative(seed, factor):
    X, w = table(seed), np.random.default_rng(seed).integers(1, 4, 60)
    assert_same_encoder(
        PiecewiseLinearEncoder(7, max_categories=4).fit(X, sample_weight=w),
        PiecewiseLinearEncoder(7, max_categories=4).fit(X, sample_weight=factor * w),
        X,
        rtol=1e-12,
        atol=1e-12,
    )


@given(seed=seeds)
def test_the_order_of_the_rows_does_not_matter(seed):
    X, rng = table(seed), np.random.default_rng(seed)
    w, rows = rng.uniform(0.1, 3, 60), rng.permutation(60)
    assert_same_encoder(
        PiecewiseLinearEncoder(7).fit(X, sample_weight=w),
        PiecewiseLinearEncoder(7).fit(X.loc[rows], sample_weight=w[rows]),
        X,
        rtol=1e-12,
        atol=1e-12,
    )


def test_fit_transform_is_fit_then_transform():
    X, w = table(0), np.arange(60)
    fitted = PiecewiseLinearEncoder().fit(X, sample_weight=w)
    both = PiecewiseLinearEncoder().fit_transform(X, sample_weight=w)
    assert_array_equal(fitted.transform(X), both)


@pytest.mark.slow
@given(seed=seeds, order=st.permutations(range(8)), n_bins=st.sampled_from([None, 3]))
def test_columns_are_encoded_one_by_one_as_together(seed, order, n_bins):
    X = table(seed).iloc[:, order]
    one_by_one = np.hstack([encode(X[[name]], n_bins=n_bins) for name in X])
    of_polars = pl.DataFrame({name: X[name].tolist() for name in X})
    for frame in (X, of_polars):
        assert_allclose(encode(frame, n_bins=n_bins), one_by_one, rtol=1e-12)


def test_rows_are_encoded_one_by_one_as_together():
    X = table(3, 3000)
    encoder = PiecewiseLinearEncoder().fit(X)
    together = encoder.transform(X)
    for i in (0, 1, 1500, 2999):
        assert_array_equal(encoder.transform(X.iloc[[i]])[0], together[i])


def test_extreme_numbers_stay_finite():
    tiny, huge = 5e-324, 1e308
    X = np.array([[0, 0, -huge / 2], [tiny, 1, 0], [3 * tiny, 2, huge / 2]])
    encoder = PiecewiseLinearEncoder().fit(X)
    assert_array_equal(encoder.transform(X)[:, :2], [[0, 0], [1, 0], [1, 1]])
    far = encoder.set_params(dtype=np.float32).transform(np.full((1, 3), huge))
    assert np.isfinite(far).all()
    assert far[0, 1] == np.finfo(np.float32).max


def test_numbers_too_far_apart_are_refused():
    X = [[0.0, -1.7e308], [1.0, 1.7e308]]
    with pytest.raises(ValueError, match=r"too far apart.*columns \[1\]"):
        PiecewiseLinearEncoder().fit(X)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@every_frame
def test_infinity_is_refused(value, frame):
    encoder = PiecewiseLinearEncoder().fit([[0.0], [1.0]])
    for X in ([[0.0], [value]], frame({"a": [0.0, value]})):
        with pytest.raises(ValueError, match="Input X contains infinity"):
            PiecewiseLinearEncoder().fit(X)
    with pytest.raises(ValueError, match="Input X contains infinity"):
        encoder.transform([[value]])


# Precision.


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8, bool])
def test_float32_stays_and_the_rest_becomes_float64(dtype):
    X = np.random.default_rng(0).integers(0, 2, (20, 3)).astype(dtype)
    expected = np.float32 if dtype is np.float32 else np.float64
    encoder = PiecewiseLinearEncoder()
    assert encoder.fit_transform(X).dtype == encoder.transform(X).dtype == expected


@pytest.mark.parametrize("dtype", [np.float32, "float64", np.dtype("f")])
def test_the_dtype_that_is_asked_for(dtype):
    X = np.random.default_rng(0).normal(size=(50, 3))
    out = encode(X, dtype=dtype)
    assert out.dtype == dtype
    assert_allclose(out, encode(X), rtol=1e-6)
    assert encode(X.astype(np.float32), dtype=dtype).dtype == dtype


@every_frame
def test_a_frame_of_float32_stays_and_a_mixed_one_does_not(frame):
    single = np.arange(3, dtype=np.float32)
    labels = ["a", "b", "c"]
    assert encode(frame({"a": single, "b": labels})).dtype == np.float32
    assert encode(frame({"a": single, "b": [0, 1, 2]})).dtype == np.float64
    assert encode(frame({"a": labels})).dtype == np.float64


# Missing numbers.


@pytest.mark.parametrize("n_bins", [None, 1, 4])
def test_a_missing_number_is_the_mean_with_an_indicator(n_bins):
    x = np.array([1.0, 2.0, NAN, 6.0, 11.0, NAN])
    encoder = PiecewiseLinearEncoder(n_bins).fit(
        x[:, None], sample_weight=[3, 1, 9, 1, 1, 2]
    )
    out = encoder.transform([[NAN], [22 / 6]])
    assert_allclose(encoder.mean_, 22 / 6)
    assert_allclose(out[0, :-1], out[1, :-1])
    assert_array_equal(out[:, -1], [1, 0])
    assert encoder.missing_.tolist() == [True]
    assert encoder.get_feature_names_out()[-1] == "missingindicator_x0"


@pytest.mark.parametrize("n_bins", [None, 1, 4])
def test_where_none_was_missing_it_is_the_mean_alone(n_bins):
    x = np.array([1.0, 2.0, 6.0, 11.0])[:, None]
    encoder = PiecewiseLinearEncoder(n_bins).fit(x)
    assert not encoder.missing_.any()
    assert_allclose(encoder.transform([[NAN]]), encoder.transform([[5.0]]))


@pytest.mark.parametrize("n_bins", [None, 4])
def test_nothing_but_missing_numbers_become_zeros(n_bins):
    encoder = PiecewiseLinearEncoder(n_bins).fit([[NAN, 0.0], [NAN, 1.0]])
    assert_array_equal(encoder.transform([[NAN, 1.0], [7.0, 1.0]]), [[0, 1], [0, 1]])
    assert not encoder.missing_.any()


def test_the_indicator_stands_beside_its_column():
    X = [[0.0, 1.0, 5.0], [1.0, NAN, 6.0], [1.0, 2.0, NAN]]
    assert_array_equal(
        encode(X), [[0, 0, 0, 0, 0], [1, 0.5, 1, 1, 0], [1, 1, 0, 0.5, 1]]
    )


# Labels.

PANDAS_LABELS = {
    "str": pd.Series(["a", "b", None, "c", "a"]),
    "object": pd.Series(["a", "b", NAN, "c", "a"], dtype=object),
    "string": pd.Series(["a", "b", pd.NA, "c", "a"], dtype="string"),
    "category": pd.Series(["a", "b", None, "c", "a"], dtype="category"),
    "unused": pd.Series(
        pd.Categorical(["a", "b", None, "c", "a"], categories=[*"xcbya"], ordered=True)
    ),
}
POLARS_LABELS = {
    "String": pl.Series(["a", "b", None, "c", "a"]),
    "Categorical": pl.Series(["a", "b", None, "c", "a"], dtype=pl.Categorical),
    "Enum": pl.Series(["a", "b", None, "c", "a"], dtype=pl.Enum([*"xcbya"])),
}
LABELS = [
    *(pd.DataFrame({"k": column}) for column in PANDAS_LABELS.values()),
    *(pl.DataFrame({"k": column}) for column in POLARS_LABELS.values()),
]
ONE_HOT = np.array(
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]]
)
NAMES = ["k_a", "k_b", "k_c", "missingindicator_k"]


@pytest.mark.parametrize("X", LABELS, ids=[*PANDAS_LABELS, *POLARS_LABELS])
def test_labels_of_a_frame_become_indicators(X):
    encoder = PiecewiseLinearEncoder()
    assert_array_equal(encoder.fit_transform(X), ONE_HOT)
    assert list(encoder.get_feature_names_out()) == NAMES
    assert encoder.categories_[0].tolist() == ["a", "b", "c"]
    assert encoder.bin_edges_ == [None]
    assert encoder.infrequent_categories_ == [None]
    assert encoder.is_categorical_.tolist() == encoder.missing_.tolist() == [True]
    assert np.isnan(encoder.mean_).all()


@pytest.mark.parametrize("X", LABELS, ids=[*PANDAS_LABELS, *POLARS_LABELS])
def test_one_frame_may_follow_another(X):
    encoder = PiecewiseLinearEncoder().fit(LABELS[0])
    assert_array_equal(encoder.transform(X), ONE_HOT)


def test_arrow_columns_of_pandas():
    # It may be there and refuse an old NumPy.
    arrow = pytest.importorskip("pyarrow", exc_type=ImportError)
    labels = ["a", "b", None, "c", "a"]
    for kind in (
        arrow.string(),
        arrow.large_string(),
        arrow.dictionary(arrow.int8(), arrow.string()),
    ):
        column = pd.Series(labels, dtype=pd.ArrowDtype(kind))
        assert_array_equal(encode(pd.DataFrame({"k": column})), ONE_HOT)
    flags = pd.Series([True, False, None], dtype=pd.ArrowDtype(arrow.bool_()))
    expected = [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert_array_equal(encode(pd.DataFrame({"k": flags})), expected)
    for kind in (arrow.int64(), arrow.float32(), arrow.decimal128(5, 2)):
        column = pd.Series([Decimal(1), Decimal(3), None], dtype=pd.ArrowDtype(kind))
        assert_array_equal(
            encode(pd.DataFrame({"k": column})), [[0, 0], [1, 0], [0.5, 1]]
        )
    for kind, value in ((arrow.date32(), date(2020, 1, 1)), (arrow.duration("s"), 1)):
        column = pd.Series([value], dtype=pd.ArrowDtype(kind))
        with pytest.raises(ValueError, match="Column 'k' of X holds dates or times"):
            encode(pd.DataFrame({"k": column}))


@pytest.mark.parametrize(
    ("known", "given", "shown"),
    [
        (["1", "2", "x"], [1, 2, 2], "labels such as 1;.*such as '1'"),
        (["1", "2", "x"], [1.0, None, 2.0], r"labels such as 1\.0;.*such as '1'"),
        (["True", "False", "x"], [True, False, True], "labels such as True;.*'False'"),
        ([1, 2, 3], ["1", "2", "3"], "labels such as '1';.*such as 1,"),
    ],
)
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, None])
def test_labels_that_were_read_as_another_type_are_refused(known, given, shown, make):
    def table(labels):
        if make is not None:
            return make({"a": np.arange(3.0), "code": labels})
        return np.column_stack([np.arange(3.0), np.array(labels, dtype=object)])

    column = "code" if make is not None else 1
    encoder = PiecewiseLinearEncoder(categorical_features=[column]).fit(table(known))
    message = f"Column '?{column}'? of X holds {shown}.*Convert the column"
    with pytest.raises(ValueError, match=message):
        encoder.transform(table(given))
    gaps = table([None] * 3)
    assert_array_equal(encoder.transform(gaps)[:, -3:], np.zeros((3, 3)))
    mixed = table([*known[:2], "new"]) if shown.endswith("'") else table(known)
    assert encoder.transform(mixed)[:, -3:].sum() >= 2


@pytest.mark.parametrize("X", LABELS, ids=[*PANDAS_LABELS, *POLARS_LABELS])
def test_an_unknown_label_has_no_indicator(X):
    encoder = PiecewiseLinearEncoder().fit(X)
    unknown = type(X)({"k": ["unknown", "b"]})
    assert_array_equal(encoder.transform(unknown), [[0, 0, 0, 0], [0, 1, 0, 0]])


@every_frame
def test_a_label_missing_for_the_first_time_has_none(frame):
    encoder = PiecewiseLinearEncoder().fit(frame({"k": ["a", "b", "c"]}))
    assert_array_equal(
        encoder.transform(frame({"k": [None, "b"]})), [[0] * 3, [0, 1, 0]]
    )


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([True, False], ["k_True"]),
        (["b", "a"], ["k_b"]),
        (["b", None], ["missingindicator_k"]),
        ([True, False, None], ["k_False", "k_True", "missingindicator_k"]),
        (["a", "a"], ["k"]),
    ],
)
@every_frame
def test_two_labels_need_one_indicator_and_one_label_none(frame, labels, names):
    encoder = PiecewiseLinearEncoder()
    out = encoder.fit_transform(frame({"k": labels}))
    assert list(encoder.get_feature_names_out()) == names
    is_named = [[f"k_{label}" == name for name in names] for label in labels]
    expected = np.array(is_named, dtype=float)
    if None in labels:
        expected[-1, -1] = 1
    assert_array_equal(out, expected)


@every_frame
def test_nothing_but_missing_labels_become_zeros(frame):
    column = {
        pd.DataFrame: pd.Series([None, None], dtype="category"),
        pl.DataFrame: pl.Series([None, None], dtype=pl.String),
    }[frame]
    encoder = PiecewiseLinearEncoder().fit(frame({"k": column}))
    assert_array_equal(encoder.transform(frame({"k": ["a", None]})), [[0], [0]])
    assert encoder.categories_[0].size == 0
    assert not encoder.missing_.any()


@pytest.mark.parametrize("max_categories", [2, 3, 5, 9])
@given(seed=seeds)
def test_the_rarest_labels_share_an_indicator_as_in_one_hot_encoder(
    max_categories, seed
):
    rng = np.random.default_rng(seed)
    counts = rng.permutation(8) + 1  # no two labels are equally frequent
    k = rng.permutation(np.repeat([*"abcdefgh"], counts))
    oracle = OneHotEncoder(
        max_categories=max_categories, sparse_output=False, drop="if_binary"
    )
    expected = oracle.fit_transform(k[:, None])
    encoder = PiecewiseLinearEncoder(max_categories=max_categories)
    assert_array_equal(encoder.fit_transform(pd.DataFrame({"k": k})), expected)
    infrequent, theirs = (
        encoder.infrequent_categories_[0],
        oracle.infrequent_categories_,
    )
    assert (infrequent is None) == (theirs[0] is None)
    assert infrequent is None or infrequent.tolist() == theirs[0].tolist()


def test_the_cap_keeps_the_missing_apart():
    labels = pd.DataFrame({"k": [*"aaabbcd", None]})
    encoder = PiecewiseLinearEncoder(max_categories=2).fit(labels)
    names = ["k_a", "k_infrequent", "missingindicator_k"]
    assert list(encoder.get_feature_names_out()) == names
    assert_array_equal(encoder.transform(labels).sum(axis=0), [3, 4, 1])
    assert encoder.categories_[0].tolist() == [*"abcd"]
    assert encoder.infrequent_categories_[0].tolist() == [*"bcd"]


def test_without_a_cap_each_label_has_its_indicator():
    labels = pd.DataFrame({"k": [f"{i:03}" for i in range(200)]})
    assert encode(labels).shape == (200, 64)
    assert_array_equal(encode(labels, max_categories=None), np.eye(200))


def test_labels_of_several_types_and_of_numbers():
    mixed = pd.DataFrame({"k": pd.Series([2, "a", 1.5, ("t",)]).astype("category")})
    assert_array_equal(encode(mixed).sum(axis=0), [1, 1, 1, 1])
    integers = pd.DataFrame({"k": pd.Series([10, 9, 2, 9], dtype="category")})
    expected = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 0]]
    encoder = PiecewiseLinearEncoder().fit(integers)
    assert_array_equal(encoder.transform(integers), expected)
    plain = integers.astype(float)
    assert_array_equal(encoder.transform(plain), expected)
    as_numbers = encode(integers, categorical_features=None)
    assert_array_equal(as_numbers, encode(plain))


@pytest.mark.parametrize(
    "listed", [["k", "n"], np.array([0, 2]), [True, False, True], pd.Index(["n", "k"])]
)
@every_frame
def test_columns_may_be_listed_by_name_number_or_mask(frame, listed):
    X = frame({"k": [*"abc"], "x": [0.0, 1.0, 3.0], "n": [5, 6, 7]})
    encoder = PiecewiseLinearEncoder(categorical_features=listed).fit(X)
    assert encoder.is_categorical_.tolist() == [True, False, True]
    names = ["k_a", "k_b", "k_c", "x_bin_0", "x_bin_1", "n_5", "n_6", "n_7"]
    assert list(encoder.get_feature_names_out()) == names


@pytest.mark.parametrize(
    "X",
    [
        np.array([["a", 0.0], ["b", 1.0], [None, 3.0], ["c", 1.0]], dtype=object),
        np.array([[4.0, 0.0], [5.0, 1.0], [NAN, 3.0], [6.0, 1.0]]),
        [["a", 0.0], ["b", 1.0], [NAN, 3.0], ["c", 1.0]],
        [["a", 0.0], ["b", 1.0], ["", 3.0], ["c", 1.0]],
    ],
)
def test_labels_of_an_array_have_to_be_listed(X):
    out = encode(X, categorical_features=[0])
    assert_array_equal(out[:, 4:], [[0, 0], [1, 0], [1, 1], [1, 0]])
    assert_array_equal(out[:, :4].sum(axis=1), 1)
    assert_array_equal(np.sort(out[:, :4].sum(axis=0)), 1)


def test_missing_labels_of_all_kinds_share_an_indicator():
    labels = [*"abc", None, NAN, float("nan"), pd.NA, pd.NaT, np.float64("nan")]
    X = np.array(labels, dtype=object)[:, None]
    encoder = PiecewiseLinearEncoder(categorical_features=[0]).fit(X)
    assert encoder.categories_[0].tolist() == [*"abc"]
    assert_array_equal(encoder.transform(X)[:, -1], [0] * 3 + [1] * 6)
    numeric = np.array([1.0, NAN, 2.0, NAN, 3.0])[:, None]
    assert_array_equal(encoder.fit_transform(numeric)[:, -1], np.isnan(numeric[:, 0]))


def test_an_array_of_strings_can_be_all_labels():
    X = np.array([["a", "x"], ["b", "y"], ["c", "x"]])
    encoder = PiecewiseLinearEncoder(categorical_features=[True, True]).fit(X)
    assert_array_equal(encoder.transform([["b", "z"]]), [[0, 1, 0, 0]])


# Numbers of frames.

PANDAS_NUMBERS = {
    "float": pd.Series([1.0, 3.0, None]),
    "Int64": pd.Series([1, 3, None], dtype="Int64"),
    "UInt8": pd.Series([1, 3, None], dtype="UInt8"),
    "Float32": pd.Series([1, 3, None], dtype="Float32"),
    "object": pd.Series([1, 3.0, None], dtype=object),
    "NA": pd.Series([1, 3.0, pd.NA], dtype=object),
    "Decimal": pd.Series([Decimal(1), Decimal(3), None], dtype=object),
    "category": pd.Series([1, 3, None], dtype="category"),
}
POLARS_NUMBERS = {
    "Float64": pl.Series([1.0, 3.0, None]),
    "Int8": pl.Series([1, 3, None], dtype=pl.Int8),
    "Float32": pl.Series([1, 3, None], dtype=pl.Float32),
    "Decimal": pl.Series([Decimal(1), Decimal(3), None]),
}
NUMBERS = [
    *(pd.DataFrame({"n": column}) for column in PANDAS_NUMBERS.values()),
    *(pl.DataFrame({"n": column}) for column in POLARS_NUMBERS.values()),
]


@pytest.mark.parametrize("X", NUMBERS, ids=[*PANDAS_NUMBERS, *POLARS_NUMBERS])
def test_numbers_of_every_dtype_of_a_frame(X):
    expected = [[0, 0], [1, 0], [0.5, 1]]
    encoder = PiecewiseLinearEncoder(categorical_features=None).fit(X)
    assert_array_equal(encoder.transform(X), expected)
    assert_array_equal(encode(X, n_bins=None, categorical_features=None)[:2, 0], [1, 3])


@every_frame
def test_booleans_are_numbers_where_nothing_is_a_label(frame):
    X = frame({"a": [True, False, None], "b": [0.5, 1.0, 2.0]})
    out = encode(X, categorical_features=None, n_bins=None)
    assert_array_equal(out, [[1, 0, 0.5], [0, 0, 1], [0.5, 1, 2]])


def test_a_frame_is_encoded_as_the_array_of_its_numbers():
    X = np.random.default_rng(0).normal(size=(40, 3))
    names = [*"abc"]
    for frame in (pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)):
        assert_array_equal(encode(frame), encode(X))
        assert_array_equal(encode(frame, n_bins=None), X)


# What is refused.

TIMES = {
    "pandas": pd.DataFrame({"t": pd.date_range("2020", periods=3)}),
    "zone": pd.DataFrame({"t": pd.date_range("2020", periods=3, tz="UTC")}),
    "timedelta": pd.DataFrame({"t": pd.to_timedelta([1, 2, 3], "D")}),
    "period": pd.DataFrame({"t": pd.period_range("2020", periods=3, freq="D")}),
    "object": pd.DataFrame({"t": pd.Series([date(2020, 1, 1), None], dtype=object)}),
    "polars": pl.DataFrame({"t": [datetime(2020, 1, 1), None]}),
    "date": pl.DataFrame({"t": [date(2020, 1, 1), None]}),
    "duration": pl.DataFrame({"t": [timedelta(1), None]}),
}


@pytest.mark.parametrize("X", TIMES.values(), ids=TIMES)
def test_dates_and_times_are_refused_by_name(X):
    with pytest.raises(ValueError, match="Column 't' of X holds dates or times"):
        PiecewiseLinearEncoder().fit(X)


@pytest.mark.parametrize(
    "X",
    [
        np.array([["2020-01-01"], ["2021-01-01"]], dtype="datetime64[D]"),
        np.array([[1], [2]], dtype="timedelta64[s]"),
        np.array([[date(2020, 1, 1)], [None]], dtype=object),
    ],
)
def test_dates_and_times_of_an_array_by_number(X):
    with pytest.raises(ValueError, match="Column 0 of X holds dates or times"):
        PiecewiseLinearEncoder().fit(X)


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"o": pd.Series([1, "a"], dtype=object)}),
        pd.DataFrame({"o": pd.interval_range(0, 2)}),
        pd.DataFrame({"o": pd.Series([[1], [2]], dtype=object)}),
        pl.DataFrame({"o": [[1], [2]]}),
        pl.DataFrame({"o": [{"a": 1}, {"a": 2}]}),
    ],
)
def test_other_objects_are_refused_by_name(X):
    with pytest.raises(ValueError, match="Column 'o' of X holds other objects"):
        PiecewiseLinearEncoder().fit(X)


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"z": [1j, 2j]}),
        pd.DataFrame({"z": pd.Series([1j, None], dtype=object)}),
    ],
)
def test_complex_numbers_are_refused_by_name(X):
    with pytest.raises(ValueError, match=r"Column 'z' .* complex numbers.* imaginary"):
        PiecewiseLinearEncoder().fit(X)


def test_a_plan_is_refused():
    encoder = PiecewiseLinearEncoder().fit([[0.0], [1.0]])
    for method in (encoder.fit, encoder.transform, encoder.fit_transform):
        with pytest.raises(TypeError, match=r"LazyFrame was passed for X.*\.collect"):
            method(pl.LazyFrame({"a": [0.0, 1.0]}))


@every_frame
def test_strings_that_are_numbers_are_refused_by_name(frame):
    X = frame({"a": ["1", "2.5", None]})
    with pytest.raises(ValueError, match="Column 'a' of X holds strings that are num"):
        PiecewiseLinearEncoder(categorical_features=None).fit(X)


@pytest.mark.parametrize(
    "X",
    [
        np.array([[0.0, "a"], [1.0, "b"]], dtype=object),
        np.array([["c", "a"], ["1", "b"]]),
        [[0.0, "a"], [1.0, "b"]],
    ],
)
def test_strings_of_an_array_are_refused_by_number(X):
    encoder = PiecewiseLinearEncoder()
    with pytest.raises(
        ValueError, match=r"Column \d of X holds strings. Name it in cat"
    ):
        encoder.fit(X)
    with pytest.raises(ValueError, match="Column 1 of X holds strings"):
        encoder.set_params(categorical_features=[0]).fit(X)


@every_frame
def test_strings_that_are_not_listed_are_refused_by_name(frame):
    X = frame({"a": [0.0, 1.0], "k": ["x", "y"]})
    for listed in (None, ["a"], [0], [True, False]):
        with pytest.raises(ValueError, match="Column 'k' of X holds strings"):
            PiecewiseLinearEncoder(categorical_features=listed).fit(X)
    encoder = PiecewiseLinearEncoder().fit(frame({"a": [0.0, 1.0], "k": [0, 1]}))
    with pytest.raises(ValueError, match="Column 'k' of X holds strings"):
        encoder.transform(X)


@pytest.mark.parametrize(
    "kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array]
)
def test_sparse_data_is_refused_with_the_reason(kind):
    X = kind(np.eye(3))
    encoder = PiecewiseLinearEncoder().fit(np.eye(3))
    for method in (encoder.fit, encoder.transform, encoder.fit_transform):
        with pytest.raises(TypeError, match="what stands for a zero is not zero"):
            method(X)


@every_frame
def test_frames_without_rows_or_columns_are_refused(frame):
    with pytest.raises(ValueError, match="0 sample"):
        PiecewiseLinearEncoder().fit(frame({"a": ["x"]})[:0])
    with pytest.raises(ValueError, match=r"0 (feature|sample)"):
        PiecewiseLinearEncoder().fit(frame({"a": ["x"]})[[]])


BAD_VALUES = {
    "n_bins": [0, -1, 2.0, "3", True, NAN],
    "quantiles": ["unknown", None, 1],
    "categorical_features": ["unknown", 1, 0.5, {"a": 1}],
    "max_categories": [0, 2.0, "3", True],
    "clip": [None, 1, 0.0, "True"],
    "dtype": [np.float16, int, "half", 32, np.longdouble],
}


def test_every_parameter_is_validated():
    names = set(PiecewiseLinearEncoder().get_params())
    assert names == set(PARAMETERS) == set(BAD_VALUES)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD_VALUES.items() for value in values],
)
def test_bad_parameters_are_refused_at_fit(name, value):
    encoder = PiecewiseLinearEncoder().set_params(**{name: value})
    with pytest.raises(
        ValueError, match=f"The '{name}' parameter of Piecewise"
    ) as info:
        encoder.fit([[0.0], [1.0]])
    assert f"Got {value!r} instead." in str(info.value)


@pytest.mark.parametrize("name", ["n_bins", "max_categories"])
@pytest.mark.parametrize("number", [np.dtype(code).type for code in "bBhHiIlLqQ"])
def test_an_int_of_any_width_is_that_int(name, number):
    X = np.random.default_rng(0).normal(size=(300, 2))
    X[:, 1] = np.arange(300) % 150
    encoded = [
        PiecewiseLinearEncoder(categorical_features=[1], **{name: value}).fit_transform(
            X
        )
        for value in (number(127), 127)
    ]
    np.testing.assert_array_equal(*encoded)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_bins", "x" * 10**6),
        ("n_bins", np.array(16)),
        ("max_categories", list(range(10**5))),
        ("quantiles", ["x" * 10**6]),
        ("categorical_features", ["x" * 10**6]),
        ("categorical_features", np.array(0)),
        ("categorical_features", [0.5] * 10**5),
        ("dtype", "x" * 10**6),
    ],
)
def test_a_message_is_short_whatever_was_given(name, value):
    encoder = PiecewiseLinearEncoder(**{name: value})
    with pytest.raises(ValueError, match=name) as info:
        encoder.fit(pd.DataFrame({"x" * 10**5: [0.0, 1.0]}))
    assert len(str(info.value)) < 1500


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([True], r"must have shape \(n_features,\), got: \(1,\)"),
        ([2], r"must be in \[0, n_features - 1\], got: 2"),
        ([-1], r"must be in \[0, n_features - 1\], got: -1"),
        (["c"], r"item value 'c' which is not a valid feature name.*\['a', 'b'\]"),
        ([0.5], "must be an array-like of bool, int or str"),
        ([None], "must be an array-like of bool, int or str"),
        ([[0]], "must be an array-like of bool, int or str"),
    ],
)
@every_frame
def test_bad_lists_of_columns_are_refused(frame, listed, message):
    encoder = PiecewiseLinearEncoder(categorical_features=listed)
    with pytest.raises(ValueError, match=message):
        encoder.fit(frame({"a": [0, 1], "b": [0, 1]}))


def test_names_without_names_are_refused():
    encoder = PiecewiseLinearEncoder(categorical_features=["a"])
    with pytest.raises(ValueError, match="fitted on data without feature names"):
        encoder.fit([[0.0], [1.0]])


@pytest.mark.parametrize(
    ("w", "message"),
    [
        ([1.0], r"sample_weight.shape == \(1,\), expected \(2,\)"),
        ([1.0, -1.0], "Negative values in data passed to `sample_weight`"),
        ([0.0, 0.0], "at least one non-zero number"),
        ([1.0, NAN], "sample_weight contains NaN"),
    ],
)
def test_bad_weights_are_refused(w, message):
    with pytest.raises(ValueError, match=message):
        PiecewiseLinearEncoder().fit([[0.0], [1.0]], sample_weight=w)


def test_the_columns_have_to_be_those_of_fit():
    X = pd.DataFrame({"a": [0.0, 1.0], "b": ["x", "y"]})
    encoder = PiecewiseLinearEncoder().fit(X)
    assert encoder.feature_names_in_.tolist() == ["a", "b"]
    assert encoder.n_features_in_ == 2
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(X[["b", "a"]])
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(X[["a"]])
    with pytest.raises(
        ValueError, match=r"has 1 features, but Piecewise.* expecting 2"
    ):
        PiecewiseLinearEncoder().fit(X.to_numpy()[:, [0, 0]]).transform([[0.0]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        encoder.transform(X.to_numpy())


def test_unfitted():
    for method in ("transform", "get_feature_names_out"):
        with pytest.raises(NotFittedError):
            getattr(PiecewiseLinearEncoder(), method)([[0.0]])


# At home in scikit-learn.


def test_names_of_the_columns():
    encoder = PiecewiseLinearEncoder(2, max_categories=3).fit(table(0))
    names = encoder.get_feature_names_out()
    assert encoder.n_features_out_ == len(names) == len(set(names))
    assert list(names) == [
        "real_bin_0",
        "real_bin_1",
        "gaps_bin_0",
        "gaps_bin_1",
        "missingindicator_gaps",
        "zeros_bin_0",
        "zeros_bin_1",
        "few_bin_0",
        "few_bin_1",
        "constant",
        "nothing",
        *(
            f"letter_{label}"
            for label in encoder.categories_[6]
            if label not in encoder.infrequent_categories_[6]
        ),
        "letter_infrequent",
        "missingindicator_letter",
        "flag_True",
    ]
    with pytest.raises(
        ValueError, match="input_features is not equal to feature_names"
    ):
        encoder.get_feature_names_out([*"abcdefgh"])


def test_names_of_the_columns_of_an_array():
    encoder = PiecewiseLinearEncoder(2).fit(np.arange(10.0).reshape(5, 2))
    names = ["x0_bin_0", "x0_bin_1", "x1_bin_0", "x1_bin_1"]
    assert list(encoder.get_feature_names_out()) == names
    assert encoder.get_feature_names_out(["a", "b"])[-1] == "b_bin_1"


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_the_output_may_be_a_frame(container):
    X = table(0)
    encoder = PiecewiseLinearEncoder().set_output(transform=container)
    out = encoder.fit_transform(X)
    assert type(out).__module__.startswith(container)
    assert list(out.columns) == list(encoder.get_feature_names_out())
    assert_array_equal(out.to_numpy(), encode(X))
    assert_array_equal(encoder.transform(X).to_numpy(), encode(X))


def test_pandas_output_keeps_the_index():
    X = table(0).set_index(np.arange(100, 160))
    out = PiecewiseLinearEncoder().set_output(transform="pandas").fit_transform(X)
    assert out.index.equals(X.index)


def test_grid_search_over_the_bins():
    X, y = load_diabetes(return_X_y=True)
    model = make_pipeline(PiecewiseLinearEncoder(), Ridge())
    grid = {
        "piecewiselinearencoder__n_bins": [None, 1, 4],
        "piecewiselinearencoder__quantiles": [*QUANTILES],
    }
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.4


def test_a_pipeline_passes_weights_on():
    X, w = table(0), np.random.default_rng(0).integers(0, 3, 60)
    y = X["few"] > 1
    model = make_pipeline(PiecewiseLinearEncoder(4), LogisticRegression())
    model.fit(X, y, piecewiselinearencoder__sample_weight=w)
    assert_same_encoder(
        model[0], PiecewiseLinearEncoder(4).fit(X, sample_weight=w), X, rtol=1e-12
    )
    assert model.score(X, y) > 0.9


def test_metadata_routing():
    X, w = table(0), np.arange(60)
    y = X["few"] > 1
    with config_context(enable_metadata_routing=True):
        encoder = PiecewiseLinearEncoder(4).set_fit_request(sample_weight=True)
        weighted = LogisticRegression().set_fit_request(sample_weight=True)
        model = make_pipeline(encoder, weighted).fit(X, y, sample_weight=w)
    expected = PiecewiseLinearEncoder(4).fit(X, sample_weight=w)
    assert_same_encoder(model[0], expected, X, rtol=1e-12)


def test_beside_other_transformers():
    X = table(0)
    both = make_column_transformer(
        (PiecewiseLinearEncoder(), ["real", "letter"]), (OneHotEncoder(), ["few"])
    )
    assert both.fit_transform(X).shape == (60, 16 + 11 + 4)


def test_a_pickle_encodes_the_same():
    X = table(0)
    encoder = PiecewiseLinearEncoder().fit(X)
    copy = pickle.loads(pickle.dumps(encoder))
    assert_same_encoder(encoder, copy, X, rtol=0)


def test_transform_stores_nothing_and_writes_to_nothing():
    X = table(0)
    before, encoder = X.copy(deep=True), PiecewiseLinearEncoder(n_bins=None).fit(X)
    state = pickle.dumps(encoder)
    encoder.transform(X)[:] = 7
    assert pickle.dumps(encoder) == state
    pd.testing.assert_frame_equal(X, before)
    array = np.eye(3)
    PiecewiseLinearEncoder(n_bins=None).fit_transform(array)[:] = 7
    assert_array_equal(array, np.eye(3))


def test_columns_are_read_once_and_encoded_in_several_ways():
    X, w = table(0), np.arange(60.0)
    columns = read(table_of(X))
    for parameters in ({"n_bins": None}, {"n_bins": 3}, {"quantiles": "distinct"}):
        encoder = PiecewiseLinearEncoder(**parameters).fit(X, sample_weight=w)
        from_columns = PiecewiseLinearEncoder(**parameters)
        from_columns.fit(columns, sample_weight=w)
        assert_same_encoder(encoder, from_columns, X, rtol=0)
        assert from_columns.feature_names_in_.tolist() == X.columns.tolist()
        assert_array_equal(encoder.transform(columns), encoder.transform(X))
        rules = {"n_bins": 16, "quantiles": "auto", "max_categories": 64, **parameters}
        encoding = Encoding.of(columns.take(w > 0), w[w > 0], **rules)
        assert_array_equal(encoding.transform(columns), encoder.transform(X))
