"""The regressor with each loss and output activation, judged by laws and by others."""

import pickle

import numpy as np
import pytest
from _curves import quietly
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from sklearn.linear_model import GammaRegressor, PoissonRegressor, QuantileRegressor
from sklearn.metrics import (
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
)

from sk_shallow import ShallowNNRegressor
from sk_shallow._data.scaling import RobustScaler
from sk_shallow._model.losses import LOSSES, Huber
from sk_shallow._model.output_activations import output_activations
from sk_shallow._solvers import SOLVERS

seeds = st.integers(0, 2**31)
CASES = [(loss, h) for loss in LOSSES for h in output_activations(loss)]
LOCATIONS = [case for case in CASES if case[1] == "identity"]
POSITIVE = [case for case in CASES if case[1] != "identity"]
MEANS = ("squared_error", "poisson", "gamma")
STRAIGHT = ("absolute_error", "quantile")
LEVEL, LEVELS = 0.3, (0.1, 0.5, 0.9)
over_cases = pytest.mark.parametrize(("loss", "h"), CASES)
over_positive = pytest.mark.parametrize(("loss", "h"), POSITIVE)
over_locations = pytest.mark.parametrize("loss", [loss for loss, _ in LOCATIONS])
over_losses = pytest.mark.parametrize("loss", LOSSES)
over_outputs = pytest.mark.parametrize("h", output_activations("quantile"))
# Few hidden units under a given penalty; a linear network nearly without one; and a
# committee of few steps, which has intervals.
ONE = {"n_hidden": 4, "activation": "tanh", "solver": "lbfgs", "alpha": 1.0}
LINEAR = {"n_hidden": 2, "activation": "identity", "solver": "lbfgs", "alpha": 1e-9}
COMMITTEE = {"n_estimators": 5, "n_hidden": None, "solver": "auto", "max_iter": 20}
over_sizes = pytest.mark.parametrize("size", [ONE, COMMITTEE], ids=["one", "committee"])


def net(loss, h="auto", **parameters):
    """A regressor that is told everything."""
    parameters = {**ONE, "encoding": None, "random_state": 0, **parameters}
    if loss == "quantile":
        parameters.setdefault("quantile", LEVEL)
    return ShallowNNRegressor(loss=loss, output_activation=h, **parameters)


def fitted(loss, h, X, y, sample_weight=None, **parameters):
    return quietly(net(loss, h, **parameters).fit, X, y, sample_weight)


def sizes(n_samples=80, seed=0, n_targets=None):
    """Positive targets, whose logarithm is nearly linear in X."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 3))
    B = rng.normal(size=(3, n_targets or 1)) / 2
    Y = np.exp(X @ B + 0.3 * rng.normal(size=(n_samples, B.shape[1])))
    return X, Y if n_targets else Y[:, 0]


def numbers(n_samples=80, seed=0):
    """Targets of either sign, linear but for heavy tails."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 3))
    return X, X @ [1.0, -2.0, 0.5] + 3 + rng.standard_t(3, n_samples)


def assert_is_best(loss, told, y, w, level=LEVEL):
    """Whether a constant is the mean, or has the least loss, nearly."""
    if loss in MEANS:
        assert_allclose(told, np.average(y, weights=w), rtol=1e-3)
    elif loss == "huber":
        assert_allclose(told, hubers_constant(y, w), rtol=2e-3)
    else:
        level = 0.5 if loss == "absolute_error" else level
        best = np.quantile(y, level, weights=w, method="inverted_cdf")
        losses = [
            mean_pinball_loss(y, np.full_like(y, a), sample_weight=w, alpha=level)
            for a in (told[0], best)
        ]
        assert losses[0] < losses[1] + 1e-3 * robust_spread(y, w)
        assert_allclose(told, told[0])


def robust_spread(y, w=None):
    """Half the interquartile range, as if y were normal."""
    copies = y if w is None else np.repeat(y, w.astype(int))
    low, high = np.quantile(copies, [0.25, 0.75], method="averaged_inverted_cdf")
    return (high - low) / 1.349


def hubers_constant(y, w):
    threshold = Huber().threshold * robust_spread(y, w)

    def loss(c):
        size = np.abs(y - c)
        near = np.minimum(size, threshold)
        return w @ (near * (size - near / 2))

    low, high = y.min(), y.max()
    found = minimize(
        lambda c: loss(c[0]), [np.median(y)], bounds=[(low, high)], tol=1e-14
    )
    return found.x[0]


# Others that minimise the same.


@pytest.mark.parametrize(
    ("loss", "level"), [("absolute_error", 0.5), ("quantile", 0.8)]
)
@pytest.mark.parametrize("seed", range(3))
def test_a_linear_network_is_the_linear_quantile_regression(loss, level, seed):
    X, y = numbers(seed=seed)
    options = {} if loss == "absolute_error" else {"quantile": level}
    told = fitted(loss, "identity", X, y, **LINEAR, **options, tol=0).predict(X)
    best = QuantileRegressor(quantile=level, alpha=0).fit(X, y).predict(X)
    losses = [mean_pinball_loss(y, a, alpha=level) for a in (told, best)]
    assert losses[0] <= losses[1] + 2e-3 * robust_spread(y)
    assert_allclose(told, best, rtol=0, atol=0.1 * robust_spread(y))


@pytest.mark.parametrize(
    ("loss", "kind", "deviance"),
    [
        ("poisson", PoissonRegressor, mean_poisson_deviance),
        ("gamma", GammaRegressor, mean_gamma_deviance),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_linear_network_is_the_generalised_linear_model(loss, kind, deviance, seed):
    X, y = sizes(seed=seed)
    if loss == "poisson":
        y = np.random.default_rng(seed).poisson(3 * y).astype(float)
    w = np.random.default_rng(seed).uniform(1, 3, len(y))
    told = fitted(loss, "exp", X, y, w, **LINEAR, tol=0).predict(X)
    best = kind(alpha=0, tol=1e-10, max_iter=1000).fit(X, y, w).predict(X)
    assert_allclose(told, best, rtol=1e-3)
    found, expected = (deviance(y, a, sample_weight=w) for a in (told, best))
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_linear_network_has_hubers_minimum_in_robust_spreads(seed):
    X, y = numbers(seed=seed)
    threshold, A = (
        Huber().threshold * robust_spread(y),
        np.column_stack([X, X[:, 0] ** 0]),
    )

    def loss(b):
        size = np.abs(y - A @ b)
        near = np.minimum(size, threshold)
        return np.mean(near * (size - near / 2))

    best = minimize(loss, np.linalg.lstsq(A, y)[0], method="Powell", tol=1e-12)
    best = minimize(loss, best.x, tol=1e-12)
    told = fitted("huber", "identity", X, y, **LINEAR, tol=0).predict(X)
    assert_allclose(told, A @ best.x, rtol=0, atol=1e-2 * robust_spread(y))


@pytest.mark.slow
@over_outputs
def test_levels_together_are_hardly_worse_than_each_alone(h):
    X, y = sizes(200)
    together = fitted("quantile", h, X, y, quantile=LEVELS).predict(X)
    for level, a in zip(LEVELS, together.T, strict=True):
        alone = fitted("quantile", h, X, y, quantile=level).predict(X)
        losses = [mean_pinball_loss(y, told, alpha=level) for told in (a, alone)]
        assert losses[0] < 1.15 * losses[1]


# What nothing tells of.


@over_cases
@pytest.mark.parametrize("n_targets", [None, 2])
@pytest.mark.parametrize("without", ["columns", "weights"])
def test_without_features_the_best_constant_is_told(loss, h, n_targets, without):
    X, y = sizes(61, n_targets=n_targets)
    w = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    options = {"alpha": 1e15}
    if without == "columns":
        X, options = np.ones((61, 1)), {"tol": 0}
    told = fitted(loss, h, X, y, w, n_hidden=2, **options).predict(X)
    for a, column in zip(told.reshape(61, -1).T, y.reshape(61, -1).T, strict=True):
        assert_is_best(loss, a, column, w)


@over_outputs
def test_without_features_levels_are_the_quantiles(h):
    _, y = sizes(199, n_targets=2)
    X, options = np.ones((199, 1)), {"n_hidden": 2, "tol": 0}
    told = fitted("quantile", h, X, y, quantile=LEVELS, **options).predict(X)
    for j in range(2):
        for level, a in zip(LEVELS, told[:, j].T, strict=True):
            assert_is_best("quantile", a, y[:, j], np.ones(199), level)


# Units.


@over_locations
@pytest.mark.parametrize("size", [{"solver": "lbfgs"}, COMMITTEE], ids=["one", "more"])
def test_a_power_of_two_changes_no_bit_but_the_exponent(loss, size):
    X, y = numbers()
    for c in (2.0**40, 2.0**-23):
        pair = [fitted(loss, "auto", X, values, **size) for values in (y, c * y)]
        told, scaled = (model.predict(X) for model in pair)
        assert_array_equal(scaled, c * told)
        if size is COMMITTEE:
            told, scaled = (model.predict_interval(X) for model in pair)
            assert_allclose(scaled, c * told, rtol=1e-12)


@over_locations
@pytest.mark.parametrize(("a", "b"), [(3.7, -40.0), (0.01, 5.0)])
def test_predictions_are_in_the_units_of_y(loss, a, b):
    X, y = numbers()
    options = {"cv": 4, "max_iter": 5}
    pair = [fitted(loss, "auto", X, values, **options) for values in (y, a * y + b)]
    tolerance = {"rtol": 0, "atol": 1e-6 * a * y.std()}
    for method in ("predict", "predict_interval"):
        told, moved = (getattr(model, method)(X) for model in pair)
        assert_allclose(moved, a * told + b, **tolerance)


@over_positive
@pytest.mark.parametrize("c", [2.0**30, 1e-5, 3.7])
def test_positive_outputs_are_in_the_units_of_y(loss, h, c):
    X, y = sizes()
    options = {"cv": 4, "max_iter": 5}
    pair = [fitted(loss, h, X, values, **options) for values in (y, c * y)]
    for method in ("predict", "predict_interval"):
        told, scaled = (getattr(model, method)(X) for model in pair)
        assert_allclose(scaled, c * told, rtol=1e-6, atol=1e-6 * c * y.std())


def test_the_levels_of_minus_y_are_minus_the_complements():
    X, y = numbers(200)
    options = {**LINEAR, "tol": 0}
    told = fitted("quantile", "auto", X, y, quantile=(0.2, 0.7), **options).predict(X)
    mirrored = fitted("quantile", "auto", X, -y, quantile=(0.3, 0.8), **options)
    assert_allclose(mirrored.predict(X)[:, ::-1], -told, atol=0.1 * robust_spread(y))


# Weights.


@over_cases
@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
def test_weight_k_is_k_copies(loss, h, solver):
    X, y = sizes(40)
    k = np.random.default_rng(1).integers(1, 4, 40)
    rows = np.repeat(np.arange(40), k)
    options = {"solver": solver, "max_iter": 15}
    if solver == "gd":
        options["learning_rate_init"] = 0.05
    weighted = fitted(loss, h, X, y, k, **options)
    repeated = fitted(loss, h, X[rows], y[rows], **options)
    spread = robust_spread(y)
    assert_allclose(
        weighted.predict(X), repeated.predict(X), rtol=1e-4, atol=1e-4 * spread
    )
    assert weighted.loss_ == pytest.approx(repeated.loss_, rel=1e-4)


@given(seed=seeds, is_shifted=st.booleans())
def test_the_robust_scaler_has_the_median_and_the_quartiles_of_the_copies(
    seed, is_shifted
):
    rng = np.random.default_rng(seed)
    y = rng.standard_t(2, (rng.integers(2, 30), 2))
    k = rng.integers(1, 5, len(y))
    scaler = RobustScaler.of(y, k.astype(float), is_shifted)
    copies = np.repeat(y, k, axis=0)
    assert_allclose(scaler.mean, np.median(copies, axis=0), rtol=1e-12)
    how = {"axis": 0, "method": "averaged_inverted_cdf"}
    low, high = np.quantile(copies, [0.25, 0.75], **how)
    spread = (high - low) / 1.349
    distance = np.abs(copies - scaler.mean).mean(axis=0)
    assert_allclose(scaler.sd, np.where(spread > 0, spread, distance), rtol=1e-9)
    assert_array_equal(scaler.offset, scaler.mean if is_shifted else 0)


def test_the_robust_spread_is_that_of_normal_numbers():
    y = np.random.default_rng(0).normal(5, 3, (100_000, 1))
    scaler = RobustScaler.of(y)
    assert scaler.sd == pytest.approx(3, rel=0.02)
    y[:80_000] = 7
    distance = np.abs(y - 7).mean()
    assert RobustScaler.of(y).sd == pytest.approx(distance)


# Outliers.


@pytest.mark.parametrize(("loss", "h"), [c for c in CASES if c[0] in STRAIGHT])
@pytest.mark.parametrize("n_samples", [100, 600])
def test_how_far_outliers_are_changes_no_bit(loss, h, n_samples):
    X, y = sizes(n_samples)
    told = []
    for far in (1e3, 1e6, 1e30, 1e300):
        values = y.copy()
        values[:3] = y[:3] + far * robust_spread(y)
        options = {"solver": "adam", "max_iter": 20}
        told.append(fitted(loss, h, X, values, **options).predict(X))
        assert_array_equal(told[-1], told[0])
    assert np.corrcoef(told[0][3:], y[3:])[0, 1] > 0.3


@over_outputs
def test_how_far_outliers_are_changes_nothing_of_hubers(h):
    X, y = sizes(600)
    told = []
    for far in (1e3, 1e6, 1e30, 1e300):
        values = y.copy()
        values[:3] = y[:3] + far * robust_spread(y)
        options = {"solver": "adam", "max_iter": 20}
        told.append(fitted("huber", h, X, values, **options).predict(X))
        assert_allclose(told[-1], told[0], rtol=1e-6)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_outliers_as_far_as_floats_go_leave_intervals(loss):
    X, y = sizes()
    y[:2] = 1e300
    model = fitted(loss, "auto", X, y, **COMMITTEE)
    assert np.isfinite(model.predict_interval(X)).all()


# Levels.


def levels_of(h="identity", **parameters):
    return net("quantile", h, quantile=(0.05, 0.3, 0.6, 0.95), **parameters)


def assert_ascend(model, X, dtype=np.float64):
    for factor in (1, 100, -1e4):
        told = model.predict((factor * X).astype(dtype))
        assert told.dtype == dtype
        assert np.isfinite(told).all()
        assert (np.diff(told, axis=-1) >= 0).all()


@over_outputs
@over_sizes
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_targets", [None, 2])
def test_levels_never_cross(h, size, dtype, n_targets):
    X, y = sizes(n_targets=n_targets)
    X = X.astype(dtype)
    model = quietly(levels_of(h, **size).fit, X, y)
    assert_ascend(model, X, dtype)
    assert_ascend(pickle.loads(pickle.dumps(model)), X, dtype)
    quietly(model.set_params(warm_start=True).fit, X, 2 * y)
    assert_ascend(model, X, dtype)


@over_outputs
def test_levels_of_a_stream_never_cross(h):
    X, y = sizes(200)
    model = levels_of(h, solver="adam")
    for rows in np.split(np.arange(200), 10):
        model.partial_fit(X[rows], y[rows])
        assert_ascend(model, X)


# Positive outputs.


@over_positive
@pytest.mark.parametrize("init", ["glorot", "normal"])
@pytest.mark.parametrize("solver", ["adam", "gd", "lbfgs"])
def test_positive_outputs_are_alive_and_never_negative(loss, h, init, solver):
    X, y = sizes(100)
    options = {"n_hidden": 1, "init": init, "solver": solver, "alpha": 0.01}
    if solver == "gd":
        options |= {"n_iter_no_change": np.inf, "max_iter": 300}
    model = fitted(loss, h, X, y, **options)
    for factor in (1, 100, -1e5):
        assert (model.predict(factor * X) >= 0).all()
    assert np.corrcoef(model.predict(X), y)[0, 1] > 0.3


@over_positive
def test_many_zeros_are_learned(loss, h):
    X, y = sizes(200)
    if loss != "gamma":
        y[X[:, 0] < 0.8] = 0
    model = fitted(
        loss, h, X, y, max_iter=100, quantile=0.7 if loss == "quantile" else None
    )
    told = model.predict(X)
    assert (told >= 0).all()
    assert np.isfinite(told).all()
    if loss not in ("gamma", "absolute_error", "huber"):  # whose medians are 0
        assert told[y > 0].mean() > 2 * told[y == 0].mean()


# Constants.


@over_cases
@pytest.mark.parametrize("constant", [3.7, 1e-20, 1e20])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_constant_is_told(loss, h, constant, solver):
    if solver == "lm" and loss in STRAIGHT:
        return
    X, _ = sizes(30)
    options = {"solver": solver, "max_iter": 5, "n_hidden": 2}
    for levels in [{}] if loss != "quantile" else [{}, {"quantile": LEVELS}]:
        model = fitted(loss, h, X, np.full(30, constant), **options, **levels)
        assert_allclose(model.predict(X), constant, rtol=1e-12)


@over_cases
def test_intervals_of_a_constant_are_finite(loss, h):
    X, _ = sizes(30)
    y = np.column_stack([np.full(30, 2.5), X[:, 0] ** 2 + 1])
    for levels in [{}] if loss != "quantile" else [{}, {"quantile": LEVELS}]:
        model = fitted(loss, h, X, y, **COMMITTEE, **levels)
        bounds = model.predict_interval(X)
        assert bounds.shape == (30, 2, 2)
        assert np.isfinite(bounds).all()
        assert (bounds[..., 0] <= bounds[..., 1]).all()


@over_locations
def test_minus_a_constant_and_zero_are_told(loss):
    X, _ = sizes(30)
    for constant in (0.0, -4.5):
        for levels in [{}] if loss != "quantile" else [{}, {"quantile": LEVELS}]:
            model = fitted(loss, "auto", X, np.full(30, constant), **levels)
            assert_allclose(model.predict(X), constant, rtol=1e-12, atol=1e-16)


# Numbers that single precision does not hold.


@over_cases
@pytest.mark.parametrize("unit", [1e-60, 1e60])
def test_y_that_the_precision_of_x_does_not_hold_is_refused(loss, h, unit):
    X, y = sizes(30)
    model = net(loss, h, max_iter=3)
    with pytest.raises(ValueError, match="too small or too large for float32"):
        quietly(model.fit, X.astype(np.float32), unit * y)
    assert not hasattr(model, "coefs_")
    told = quietly(model.fit, X, unit * y).predict(X) / unit
    assert_allclose(told, fitted(loss, h, X, y, max_iter=3).predict(X), rtol=1e-6)


@pytest.mark.parametrize("h", output_activations("gamma"))
@pytest.mark.parametrize("solver", ["adam", "lbfgs", "lm"])
def test_sizes_of_any_ratio_are_learned(h, solver):
    X, y = sizes(600)
    y *= np.exp(np.random.default_rng(0).uniform(-200, 0, 600))
    model = fitted("gamma", h, X, y, solver=solver, max_iter=20)
    assert np.isfinite(model.loss_curve_).all()
    assert model.loss_ >= 0
    assert np.isfinite(model.predict(X)).all()
    assert (model.predict(X) > 0).all()
