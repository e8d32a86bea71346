"""Error bars from what was held out, judged by copies, by sorting, and by new samples.

With μ₋ᵢ of the members that do not see the sample i, and Rᵢ = |yᵢ - μ₋ᵢ(xᵢ)|, CV+ is

    the ⌊(1 - level)(n + 1)⌋-th smallest μ₋ᵢ(x) - Rᵢ, and
    the ⌈level (n + 1)⌉-th smallest μ₋ᵢ(x) + Rᵢ

(Barber, Candès, Ramdas and Tibshirani, "Predictive inference with the jackknife+",
Annals of Statistics 49, 2021, section 3).
"""

import pickle

import numpy as np
import pytest
from _curves import quietly, two_curves
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import norm

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._data.columns import read, table_of
from sk_shallow._inference.residuals import (
    Range,
    Residuals,
    bend,
    holders_of,
    means_of,
)
from sk_shallow._model.layout import unmerged
from sk_shallow._model.network import output
from sk_shallow._solvers import SOLVERS
from sk_shallow.activations import ACTIVATIONS

seeds = st.integers(0, 2**32 - 1)
levels = st.floats(0.05, 0.98)
any_shape = pytest.mark.parametrize("kind", ["vector", "columns"])
# A committee of five folds with nothing to choose but the steps.
PLAIN = {
    "n_estimators": 5,
    "activation": "tanh",
    "encoding": None,
    "alpha": 1.0,
    "random_state": 0,
}


# The residuals alone.


def case_of(seed, n_folds=4, n_members=4, n_out=2, n_samples=30):
    """Residuals, weights, who does not see what, and outputs here and elsewhere."""
    rng = np.random.default_rng(seed)
    folds = rng.permutation(np.arange(n_samples) % n_folds)
    unseen = np.arange(n_members)[:, None] % n_folds == folds
    return {
        "residuals": rng.normal(size=(n_out, n_samples)),
        "weights": rng.integers(1, 5, n_samples).astype(float),
        "unseen": unseen,
        "outputs": 0.5 * rng.normal(size=(n_members, n_out, n_samples)),
        "elsewhere": 3 * rng.normal(size=(n_members, n_out, 7)),
    }


def member_spread(outputs, weights, unseen):
    """The mean variance, over the samples, of the means of the folds' holders."""
    means = means_of(holders_of(unseen), outputs)
    return means.var(axis=0) @ weights / weights.sum()


def residuals_of(residuals, weights, unseen, outputs, power=0, **_):
    spread = member_spread(outputs, weights, unseen)
    return Residuals.of(residuals, weights, unseen, spread, None, power)


def interval_of(told, mean, outputs, level, rows=None):
    """The bounds, from the outputs of the members."""
    means = None if outputs is None else means_of(told.holders, outputs)
    return told.interval(mean, means, None, level, rows)


def std_of(told, mean, outputs):
    """The standard deviation, from the outputs of the members."""
    means = None if outputs is None else means_of(told.holders, outputs)
    return told.std(mean, means, None)


def copied(case):
    """The same with k copies of each sample for its weight k."""
    k = case["weights"].astype(int)
    copies = {
        name: np.repeat(case[name], k, axis=-1)
        for name in ("residuals", "unseen", "outputs")
    }
    return {**case, **copies, "weights": np.ones(k.sum())}


def cv_plus(centres, sizes, level):
    """CV+ by sorting; centres and sizes of shape (n_samples, n_new)."""
    n = len(sizes)
    k = min(int(np.ceil(level * (n + 1) - 1e-9)), n)
    low = np.sort(centres - sizes, axis=0)[n - k]
    return low, np.sort(centres + sizes, axis=0)[k - 1]


def by_sorting(case, level):
    """The bounds of each output, from the copies."""
    case, bounds = copied(case), []
    for j, residuals in enumerate(case["residuals"]):
        centres = np.array(
            [case["elsewhere"][is_held, j].mean(axis=0) for is_held in case["unseen"].T]
        )
        bounds.append(cv_plus(centres, np.abs(residuals)[:, None], level))
    return np.swapaxes(bounds, 0, 1)


@pytest.mark.parametrize(("n_folds", "n_members"), [(2, 2), (4, 4), (3, 8), (10, 10)])
@given(seed=seeds, level=levels)
def test_the_interval_is_cv_plus(n_folds, n_members, seed, level):
    case = case_of(seed, n_folds, n_members)
    mean = case["elsewhere"].mean(axis=0)
    low, high = interval_of(residuals_of(**case), mean, case["elsewhere"], level)
    expected_low, expected_high = by_sorting(case, level)
    assert_allclose(low, np.minimum(expected_low, mean), rtol=0, atol=1e-9)
    assert_allclose(high, np.maximum(expected_high, mean), rtol=0, atol=1e-9)


@given(seed=seeds, level=levels)
def test_without_outputs_the_residuals_stand_about_the_mean(seed, level):
    case = case_of(seed)
    mean = case["elsewhere"].mean(axis=0)
    low, high = interval_of(residuals_of(**case), mean, None, level)
    same = {**case, "elsewhere": np.broadcast_to(mean, case["elsewhere"].shape)}
    assert_allclose([low, high], by_sorting(same, level), rtol=0, atol=1e-9)


@given(seed=seeds, level=levels, with_outputs=st.booleans())
def test_weight_k_is_k_copies(seed, level, with_outputs):
    case = case_of(seed)
    weighted, repeated = residuals_of(**case), residuals_of(**copied(case))
    outputs = case["elsewhere"] if with_outputs else None
    mean = case["elsewhere"].mean(axis=0)
    assert_allclose(
        interval_of(weighted, mean, outputs, level),
        interval_of(repeated, mean, outputs, level),
        rtol=0,
        atol=1e-9,
    )
    found, expected = (std_of(one, mean, outputs) for one in (weighted, repeated))
    assert_allclose(found, expected)


@given(seed=seeds)
def test_the_variance_is_that_of_the_residuals(seed):
    case = case_of(seed)
    copies, told = copied(case), residuals_of(**case)
    variance = np.mean(copies["residuals"] ** 2, axis=1)
    mean = copies["outputs"].mean(axis=0)
    assert_allclose(std_of(told, mean, None)[:, 0] ** 2, variance)
    # With the members' outputs it is so in the mean over the samples.
    here = std_of(told, mean, copies["outputs"]) ** 2
    spread = member_spread(copies["outputs"], copies["weights"], copies["unseen"])
    noise = np.maximum(variance - spread, 0.25 * variance)
    assert_allclose(here.mean(axis=1), noise + spread)


@given(seed=seeds)
def test_samples_that_every_member_sees_do_not_count(seed):
    case = case_of(seed)
    fewer = {
        name: case[name][..., 5:]
        for name in ("residuals", "weights", "unseen", "outputs")
    }
    seen = {**case, "unseen": case["unseen"].copy()}
    seen["unseen"][:, :5] = False
    seen["residuals"][:, :5] = np.nan
    some, all_ = residuals_of(**{**case, **fewer}), residuals_of(**seen)
    mean = case["elsewhere"].mean(axis=0)
    assert_allclose(
        interval_of(all_, mean, case["elsewhere"], 0.8),
        interval_of(some, mean, case["elsewhere"], 0.8),
    )
    assert_allclose(std_of(all_, mean, None), std_of(some, mean, None))


@given(seed=seeds, level=levels)
def test_two_outputs_are_conformed_by_what_is_outside_of_them(seed, level):
    case = case_of(seed)
    case["residuals"][1] -= 1
    case["elsewhere"][:, 1] += 2
    told, rows = residuals_of(**case), (np.array([0]), np.array([1]))
    mean = case["elsewhere"].mean(axis=0)
    low, high = interval_of(told, mean, case["elsewhere"], level, rows)
    case = copied(case)
    sizes = np.maximum(-case["residuals"][0], case["residuals"][1])[:, None]
    below, above = (
        np.array([case["elsewhere"][held, j].mean(0) for held in case["unseen"].T])
        for j in (0, 1)
    )
    middle = mean.mean(axis=0)
    expected = np.minimum(cv_plus(below, sizes, level)[0], middle)
    assert_allclose(low[0], expected, rtol=0, atol=1e-9)
    expected = np.maximum(cv_plus(above, sizes, level)[1], middle)
    assert_allclose(high[0], expected, rtol=0, atol=1e-9)


@given(seed=seeds, level=levels, power=st.integers(1, 2))
def test_where_the_variance_grows_with_the_mean_so_do_the_bars(seed, level, power):
    case = case_of(seed)
    outputs = np.exp(case["elsewhere"])
    told, mean = residuals_of(**case, power=power), outputs.mean(axis=0)
    low, high = interval_of(told, mean, outputs, level)
    std = std_of(told, mean, None)
    assert_allclose(std**2, told.variance[:, None] * mean**power)
    case = copied(case)
    for j, residuals in enumerate(case["residuals"]):
        held = case["unseen"].T
        centres = np.array([outputs[is_held, j].mean(axis=0) for is_held in held])
        sizes = np.abs(residuals)[:, None] * centres ** (power / 2)
        expected = cv_plus(centres, sizes, level)
        assert_allclose(low[j], np.minimum(expected[0], mean[j]), rtol=0, atol=1e-9)
        assert_allclose(high[j], np.maximum(expected[1], mean[j]), rtol=0, atol=1e-9)


# Beyond the samples.


def range_of(X, weights=None, scale=(1.0,)):
    weights = np.ones(len(X)) if weights is None else weights
    return Range.of(read(table_of(X), None), weights, np.array(scale))


@given(seed=seeds)
def test_the_distance_from_the_range_is_measured_by_the_spread(seed):
    rng = np.random.default_rng(seed)
    X, k = rng.normal(5, [1, 10, 1e-3], (40, 3)), rng.integers(1, 4, 40)
    X[::3, 1] = np.nan
    where, copies = range_of(X, k), range_of(np.repeat(X, k, axis=0))
    new = rng.normal(5, [3, 30, 3e-3], (20, 3))
    new[::4, 0] = np.nan
    assert_allclose(where.beyond(new), copies.beyond(new), rtol=1e-9)
    low, high = np.nanmin(X, axis=0), np.nanmax(X, axis=0)
    outside = np.nan_to_num(new - np.clip(new, low, high))
    sd = np.nanstd(np.repeat(X, k, axis=0), axis=0)
    assert_allclose(where.beyond(new), np.sqrt(np.sum((outside / sd) ** 2, axis=1)))
    assert not where.beyond(X).any()


@given(seed=seeds, power=st.integers(-1000, 1015))
def test_the_distance_does_not_depend_on_the_unit_however_small(seed, power):
    rng = np.random.default_rng(seed)
    X, Z, w = rng.random((30, 2)), 3 * rng.random((9, 2)), rng.integers(1, 4, 30)
    X, Z = (np.round(A * 2**20) / 2**20 for A in (X, Z))
    expected, found = (
        Range.of(read(table_of(np.ldexp(X, p))), w, np.ones(1)).beyond(np.ldexp(Z, p))
        for p in (0, power)
    )
    assert_allclose(found, expected, rtol=1e-12)


def test_nothing_is_farther_than_the_floats():
    X = read(table_of(np.ldexp(np.random.default_rng(0).random((30, 2)), -1030)))
    where = Range.of(X, np.ones(30), np.zeros(1))
    d = where.beyond(np.array([[1e308, 1e308], [-1e308, 0.0]]))
    assert np.isfinite(d**2).all()
    assert not bend(where, np.ones((3, 2))).any()


def test_columns_without_a_spread_have_no_outside():
    X = np.column_stack([np.arange(4.0), np.full(4, 7.0), np.full(4, np.nan)])
    new = np.array([[1.0, 8.0, 5.0], [1.0, np.nan, np.nan], [1.0, 7.0, -1e300]])
    assert_array_equal(range_of(X).beyond(new), 0)


def test_sparse_samples_have_no_range():
    assert Range.of(sparse.csr_array(np.eye(3)), np.ones(3), np.ones(1)) is None


# The estimators.


def data(kind="vector", n_samples=60, seed=0):
    X, Z = two_curves(n_samples, seed)
    return X, {"vector": 5 + 2 * Z[:, 0], "columns": 10 * Z + 3}[kind]


def fitted(X, y, sample_weight=None, **parameters):
    model = ShallowNNRegressor(**{**PLAIN, **parameters})
    return quietly(model.fit, X, y, sample_weight)


def member_outputs(model, X):
    """The outputs of each member, of shape (n_members, n_outputs, n_samples)."""
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    own = np.zeros((0, len(b2))), model._output_biases, model._paths
    members = unmerged(b1, W1, W2, b2, *own)
    return np.array([output(X, *one, ACTIVATIONS["tanh"]) for one in members])


def splits(n_samples, n_folds=5):
    """(train, test) of each fold."""
    rows = np.arange(n_samples)
    folds = rows % n_folds
    return [(rows[folds != k], rows[folds == k]) for k in range(n_folds)]


@pytest.mark.parametrize("level", [0.5, 0.9, 0.97])
@any_shape
def test_predict_interval_is_cv_plus_of_the_members(kind, level):
    (X, y), (X_new, _) = data(kind), data(kind, 40, seed=1)
    X_new = np.clip(X_new, X.min(axis=0), X.max(axis=0))
    model = fitted(X, y, cv=splits(60))
    i, j = np.arange(60), np.arange(60) % 5
    held_out = member_outputs(model, X)[j, :, i]
    sizes = np.abs(y.reshape(60, -1) - held_out)
    elsewhere = member_outputs(model, X_new)[j]
    bounds = model.predict_interval(X_new, level).reshape(40, -1, 2)
    mean = model.predict(X_new).reshape(40, -1)
    for k in range(mean.shape[1]):
        low, high = cv_plus(elsewhere[:, k], sizes[:, k, None], level)
        tolerance = {"rtol": 0, "atol": 1e-4 * y.std()}
        assert_allclose(bounds[:, k, 0], np.minimum(low, mean[:, k]), **tolerance)
        assert_allclose(bounds[:, k, 1], np.maximum(high, mean[:, k]), **tolerance)


def test_the_deviation_is_that_of_the_held_out_residuals_and_of_the_members():
    X, y = data(n_samples=100)
    model = fitted(X, y, cv=splits(100))
    outputs, rows = member_outputs(model, X)[:, 0], np.arange(100)
    variance = np.mean((y - outputs[rows % 5, rows]) ** 2)
    spread = outputs.var(axis=0)
    mean, std = model.predict(X, return_std=True)
    assert_allclose(mean, model.predict(X), rtol=1e-6)
    assert_allclose(std**2, variance - spread.mean() + spread, rtol=1e-4)


@any_shape
def test_a_weight_is_copies_for_the_bars_of_a_fit(kind):
    X, y = data(kind, 50)
    k = np.random.default_rng(0).integers(1, 4, 50)
    rows = np.repeat(np.arange(50), k)
    folds = np.arange(50) % 5
    of_rows, of_copies = (
        [(np.flatnonzero(f != m), np.flatnonzero(f == m)) for m in range(5)]
        for f in (folds, folds[rows])
    )
    common = {"activation": "identity", "solver": "lbfgs", "n_hidden": 3}
    weighted = fitted(X, y, k, cv=of_rows, **common)
    repeated = fitted(X[rows], y[rows], cv=of_copies, **common)
    X_new = 2 * data(kind, 40, seed=1)[0]
    scale = {"rtol": 1e-3, "atol": 1e-3 * y.std()}
    found, expected = (m.predict_interval(X_new) for m in (weighted, repeated))
    assert_allclose(found, expected, **scale)
    found, expected = (
        m.predict(X_new, return_std=True)[1] for m in (weighted, repeated)
    )
    assert_allclose(found, expected, **scale)


def some_problem(seed, n_samples=60, n_new=300):
    """A function of one to four columns with heavy tails; samples, and new ones."""
    rng = np.random.default_rng(seed)
    d, noise = rng.integers(1, 5), rng.uniform(0.05, 1)
    B, c = rng.normal(size=(d, 3)), rng.normal(size=3)
    X = rng.normal(size=(n_samples + n_new, d))
    y = np.sin(X @ B) @ c + noise * rng.standard_t(4, size=len(X))
    return X[:n_samples], y[:n_samples], X[n_samples:], y[n_samples:]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Nothing that was tried predicts")
@pytest.mark.parametrize(
    "parameters",
    [
        {"random_state": 0},
        PLAIN,
        {"n_hidden": 5, "alpha": 1.0, "cv": 5, "solver": "lbfgs", "random_state": 0},
    ],
    ids=["default", "committee", "one"],
)
def test_intervals_cover_what_they_promise(parameters):
    shares, within = [], []
    for seed in range(12):
        X, y, X_new, y_new = some_problem(seed)
        model = quietly(ShallowNNRegressor(**parameters).fit, X, y)
        low, high = model.predict_interval(X_new, 0.9).T
        shares.append(np.mean((low <= y_new) & (y_new <= high)))
        mean, std = model.predict(X_new, return_std=True)
        within.append(np.mean(np.abs(y_new - mean) < 1.645 * std))
    assert 0.86 <= np.mean(shares) < 0.96
    assert min(shares) > 0.75
    assert 0.86 <= np.mean(within) < 0.96


@pytest.mark.parametrize("n_hidden", [None, 4])
@any_shape
def test_an_interval_contains_the_mean_and_grows_with_the_level(kind, n_hidden):
    (X, y), (X_new, _) = data(kind), data(kind, 100, seed=1)
    model = fitted(X, y, n_hidden=n_hidden, cv=5)
    mean, width = model.predict(X_new), np.zeros(y[:1].shape[1:])
    for level in (0.01, 0.3, 0.6, 0.9, 0.99, 0.99999):
        bounds = model.predict_interval(3 * X_new - 1, level)
        mean = model.predict(3 * X_new - 1)
        assert (bounds[..., 0] <= mean).all()
        assert (mean <= bounds[..., 1]).all()
        assert (np.diff(bounds)[..., 0] >= width * (1 - 1e-6)).all()
        width = np.diff(bounds)[..., 0]
    assert np.isfinite(width).all()


@any_shape
def test_the_level_is_nine_tenths(kind):
    X, y = data(kind)
    model = fitted(X, y)
    assert_array_equal(model.predict_interval(X), model.predict_interval(X, 0.9))


def beyond(d):
    """What a function may rise and bend, d standard deviations away."""
    return d + d**2


@pytest.mark.slow
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("n_hidden", [None, 4])
def test_bars_widen_beyond_the_range_with_the_square_of_the_distance(
    n_hidden, standardize
):
    X, y = data("columns", 100)
    y = y * [1, 100]
    model = fitted(X, y, n_hidden=n_hidden, cv=5, standardize=standardize)
    inside = model.predict(X, return_std=True)[1].max(axis=0)
    directions = np.array([[1, 0, 0], [0, -1, 0], [0.6, 0, 0.8]])
    edge = np.where(directions < 0, X.min(axis=0), X.max(axis=0))
    for d in (0.5, 2.0, 8.0):
        X_new = edge + d * directions * X.std(axis=0)
        _, std = model.predict(X_new, return_std=True)
        least = beyond(d) * y.std(axis=0)
        assert (std > least * (1 - 1e-6)).all()
        bounds = model.predict_interval(X_new, 0.8)
        assert (np.diff(bounds)[..., 0] > 2 * norm.ppf(0.9) * least * (1 - 1e-6)).all()
    if n_hidden is not None:
        assert_allclose(std, np.tile(np.hypot(inside, least), (3, 1)), rtol=1e-5)


def test_bars_of_lm_widen_as_well():
    X, y = data(n_samples=100)
    model = ShallowNNRegressor(3, solver="lm", alpha=1.0, random_state=0).fit(X, y)
    X_new = X.max(axis=0) + 4 * X.std(axis=0) * [[1, 0, 0], [0, 1, 0]]
    _, std = model.predict(X_new, return_std=True)
    assert (std > beyond(4) * y.std()).all()


def test_a_column_beyond_its_range_stands_at_its_end_if_encoded_and_the_bars_widen():
    X, y = data(n_samples=100)
    model = fitted(X, y, encoding="piecewise")
    end = np.where([True, False, False], X.max(axis=0), X.mean(axis=0))
    near, far = end[None], end[None] + [[5, 0, 0]]
    (mean,), (std,) = model.predict(near, return_std=True)
    (same,), (wider,) = model.predict(far, return_std=True)
    assert same == pytest.approx(mean, rel=1e-5)
    assert wider > std + y.std()


def test_gaps_and_sparse_samples_have_bars():
    X, y = data(n_samples=100)
    X[np.abs(X) < 0.3] = 0
    dense, from_sparse = fitted(X, y), fitted(sparse.csr_array(X), y)
    moments = [m.predict(Z, return_std=True) for m, Z in ((dense, X), (from_sparse, X))]
    assert_allclose(moments[0], moments[1], rtol=0.2, atol=0.2 * y.std())
    assert np.isfinite(from_sparse.predict_interval(sparse.csr_array(X))).all()
    X[X == 0] = np.nan
    model = fitted(X, y)
    assert np.isfinite(model.predict_interval(X)).all()
    assert np.isfinite(model.predict(X, return_std=True)).all()


@pytest.mark.parametrize("c", [2.0**7, 2.0**-17])
@pytest.mark.parametrize("n_hidden", [None, 4])
def test_bars_are_in_the_units_of_y(n_hidden, c):
    X, y = data("columns")
    X_new = 2 * X
    model, scaled = (
        fitted(X, values, n_hidden=n_hidden, cv=5) for values in (y, c * y)
    )
    tolerance = {"rtol": 1e-6, "atol": 1e-6 * c * y.std()}
    found, expected = scaled.predict_interval(X_new), model.predict_interval(X_new)
    assert_allclose(found, c * expected, **tolerance)
    (_, found), (_, expected) = (
        m.predict(X_new, return_std=True) for m in (scaled, model)
    )
    assert_allclose(found, c * expected, **tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@any_shape
def test_bounds_have_the_shape_of_y_and_two_columns(kind, dtype):
    X, y = data(kind)
    model = fitted(X.astype(dtype), y)
    bounds = model.predict_interval(X[:7].astype(dtype))
    assert bounds.shape == (*y[:7].shape, 2)
    assert bounds.dtype == dtype
    mean, std = model.predict(X[:7].astype(dtype), return_std=True)
    assert mean.shape == std.shape == y[:7].shape
    assert mean.dtype == std.dtype == dtype


def test_a_pickle_has_the_same_bars():
    X, y = data()
    model = fitted(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_interval(X), model.predict_interval(X))


# Where nothing was held out.


def assert_has_no_bars(model, X):
    for method, options in (
        (model.predict_interval, {}),
        (model.predict, {"return_std": True}),
    ):
        with pytest.raises(AttributeError, match="nothing was held out: "):
            method(X, **options)


@pytest.mark.parametrize("solver", sorted(SOLVERS))
def test_a_fit_that_held_nothing_out_has_no_interval(solver):
    X, y = data()
    model = ShallowNNRegressor(3, solver=solver, alpha=1.0, max_iter=5, random_state=0)
    quietly(model.fit, X, y)
    if solver != "lm":
        assert_has_no_bars(model, X)
    with pytest.raises(AttributeError, match=r"predict_interval.*nothing was held out"):
        model.predict_interval(X)


def test_cv_gives_bars_to_a_fit_that_has_nothing_to_choose():
    X, y = data()
    model = ShallowNNRegressor(3, solver="adam", alpha=1.0, random_state=0)
    assert_has_no_bars(quietly(model.fit, X, y), X)
    quietly(model.set_params(cv=4).fit, X, y)
    assert model.predict_interval(X).shape == (60, 2)


def test_bars_do_not_outlive_their_fit():
    X, y = data()
    model = fitted(X, y)
    assert model.predict_interval(X).shape == (60, 2)
    model.partial_fit(X, y)
    assert_has_no_bars(model, X)


def test_too_few_rows_for_folds_have_no_bars():
    X, y = data(n_samples=9)
    assert_has_no_bars(fitted(X, y), X)


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1, "0.9", None, np.nan])
def test_a_level_that_is_none_is_refused(level):
    X, y = data()
    model = fitted(X, y)
    with pytest.raises(ValueError, match=r"confidence_level must be .*\(0.0, 1.0\)"):
        model.predict_interval(X, level)


def test_classifiers_have_no_intervals():
    assert not hasattr(ShallowNNClassifier, "predict_interval")


# What is set is what is judged.


@pytest.mark.parametrize(
    "options",
    [
        {"max_iter": 1},
        {"n_hidden": 30, "max_iter": 2},
        {"n_hidden": 30, "solver": "lbfgs", "max_iter": 3},
    ],
    ids=str,
)
def test_bars_are_those_of_as_many_iterations_as_were_set(options):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 4))
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.2 * rng.normal(size=3000)
    model = ShallowNNRegressor(random_state=0, **options)
    quietly(model.fit, X[:600], y[:600])
    low, high = model.predict_interval(X[600:]).T
    assert np.mean((low <= y[600:]) & (y[600:] <= high)) > 0.83
