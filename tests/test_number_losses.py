"""The regressor with each loss and output activation, judged by laws and by others."""

import copy
import pickle

import numpy as np
import pytest
from _curves import quietly
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq, minimize
from sklearn.base import clone
from sklearn.linear_model import GammaRegressor, PoissonRegressor, QuantileRegressor
from sklearn.metrics import (
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    r2_score,
)
from sklearn.model_selection import GridSearchCV, cross_val_predict

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
    B = np.array([[0.8, 0.0], [-0.4, 0.5], [0.2, 0.6]])[:, : n_targets or 1]
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
        copies = y if w is None else np.repeat(y, w.astype(int))
        best = np.quantile(copies, level, method="inverted_cdf")
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
    """Where the clipped residuals have the mean 0."""
    threshold = Huber().threshold * robust_spread(y, w)
    return brentq(lambda c: w @ np.clip(c - y, -threshold, threshold), y.min(), y.max())


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

    best = minimize(
        loss, np.linalg.lstsq(A, y, rcond=None)[0], method="Powell", tol=1e-12
    )
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
        assert losses[0] < 1.25 * losses[1]


# What nothing tells of.


@over_cases
@pytest.mark.parametrize("n_targets", [None, 2])
@pytest.mark.parametrize("without", ["columns", "weights"])
def test_without_features_the_best_constant_is_told(loss, h, n_targets, without):
    X, y = sizes(61, n_targets=n_targets)
    w = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    options = {"alpha": 1e6, "tol": 0}
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
        options = {"solver": "adam", "max_iter": 40}
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
        options = {"solver": "adam", "max_iter": 40}
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
    model = quietly(levels_of(h, **{"max_iter": 30, **size}).fit, X, y)
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


# What is refused, and leaves everything as it was.


def assert_refused(model, message, method, *args, **kwargs):
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        quietly(getattr(model, method), *args, **kwargs)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is before[name] for name in before)


BAD_TARGETS = [
    ("poisson", "exp", -1.0, "non-negative y"),
    ("poisson", "softplus", -1e-300, "non-negative y"),
    ("gamma", "exp", 0.0, "strictly positive y"),
    ("gamma", "softplus", -1.0, "strictly positive y"),
]


@pytest.mark.parametrize(("loss", "h", "bad", "message"), BAD_TARGETS)
@pytest.mark.parametrize("is_fitted", [False, True])
def test_targets_that_the_loss_is_not_for_are_refused(loss, h, bad, message, is_fitted):
    X, y = sizes(30)
    wrong = np.append(y[:-1], bad)
    model = net(loss, h, solver="adam", max_iter=2)
    if is_fitted:
        quietly(model.fit, X, y)
    assert_refused(model, message, "fit", X, wrong)
    assert_refused(model, message, "fit", X, np.column_stack([y, wrong]))
    assert_refused(model, message, "partial_fit", X, wrong)
    model.set_params(early_stopping=True)
    assert_refused(model, message, "fit", X, y, X_val=X, y_val=wrong)


@over_positive
def test_positive_outputs_need_a_positive_mean(loss, h):
    X, y = sizes(30)
    wanted = "requires y with a positive mean|non-negative y|strictly positive y"
    model = net(loss, h, max_iter=2)
    for wrong in (np.zeros(30), -y, np.column_stack([y, -y])):
        assert_refused(model, wanted, "fit", X, wrong)


BAD_LEVELS = [
    [], [0.5, 0.1], [0.1, 0.1], [0.1, np.nan], [0.0, 0.5], [0.5, 1.0], [True],
    ["0.1"], [None], [[0.1, 0.2]], [0.1, [0.2, 0.3]], np.zeros((2, 2)), (1,),
]  # fmt: skip


@pytest.mark.parametrize("levels", BAD_LEVELS, ids=str)
def test_levels_that_are_none_are_refused(levels):
    X, y = sizes(30)
    model = net("quantile", quantile=levels)
    assert_refused(model, r"^quantile must be a float.*in ascending order", "fit", X, y)


@over_losses
def test_levels_belong_to_the_quantile_loss(loss):
    X, y = sizes(30)
    if loss == "quantile":
        model, message = net(loss, quantile=None), "loss='quantile' needs quantile"
    else:
        model, message = net(loss, quantile=0.5), f"loss='{loss}' takes no quantile"
    assert_refused(model, message, "fit", X, y)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
@pytest.mark.parametrize("h", ["identity", "relu"])
def test_a_loss_of_positive_means_refuses_other_outputs(loss, h):
    X, y = sizes(30)
    assert_refused(net(loss, h), "must be among.*'exp', 'softplus'", "fit", X, y)


@pytest.mark.parametrize("loss", STRAIGHT)
@pytest.mark.parametrize(
    "options",
    [{"solver": "lm"}, {"solver": "auto", "alpha": "ard"}, {"alpha": [1.0, 2.0]}],
    ids=str,
)
def test_straight_lines_have_no_curvature(loss, options):
    X, y = sizes(30)
    model = net(loss, **options)
    message = f"needs the curvature of the loss, and loss='{loss}'"
    assert_refused(model, message, "fit", X, y)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_what_predicts_no_mean_has_no_deviation(loss):
    X, y = sizes(30)
    model = fitted(loss, "auto", X, y, cv=3)
    with pytest.raises(AttributeError, match="needs a loss that predicts the mean"):
        model.predict(X, return_std=True)
    assert model.predict_interval(X).shape == (30, 2)


CHANGES = [
    {"loss": "huber", "quantile": None},
    {"quantile": 0.4},
    {"quantile": (0.3,)},
    {"output_activation": "exp"},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_stream_keeps_its_loss(changes):
    X, y = sizes(30)
    model = net("quantile", solver="adam").partial_fit(X, y)
    model.set_params(**changes)
    assert_refused(model, "not the same as on last call", "partial_fit", X, y)
    expected = clone(model).fit(X, y)
    with pytest.warns(UserWarning, match="starts afresh"):
        model.set_params(warm_start=True).fit(X, y)
    assert_array_equal(model.predict(X), expected.predict(X))


# What training is judged by.


def mean_loss(loss, y, a, spread):
    """By the formulas, in units of the spread."""
    y, a = np.asarray(y, float) / spread, np.asarray(a, float) / spread
    if loss == "squared_error":
        return np.mean((y - a) ** 2) / 2
    if loss == "huber":
        size, threshold = np.abs(y - a), Huber().threshold
        far = threshold * (size - threshold / 2)
        return np.mean(np.where(size < threshold, size**2 / 2, far))
    return {
        "absolute_error": mean_absolute_error,
        "quantile": lambda y, a: mean_pinball_loss(y, a, alpha=LEVEL),
        "poisson": lambda y, a: mean_poisson_deviance(y, a) / 2,
        "gamma": lambda y, a: mean_gamma_deviance(y, a) / 2,
    }[loss](y, a)


@over_cases
def test_early_stopping_and_the_race_judge_by_the_loss(loss, h):
    X, y = sizes(100)
    new, y_new = sizes(50, seed=1)
    options = {"solver": "adam", "alpha": 1e-9, "max_iter": 5, "early_stopping": True}
    model = net(loss, h, **options)
    quietly(model.fit, X, y, X_val=new, y_val=y_new)
    spread = model._plan.y.scale[0]
    best = -max(model.validation_scores_)
    expected = mean_loss(loss, y_new, model.predict(new), spread)
    assert_is_loss(best, expected, h)
    if loss not in ("poisson", "gamma"):
        measured = y.std() if loss == "squared_error" else robust_spread(y)
        assert spread == pytest.approx(measured)


@over_cases
def test_the_race_is_judged_by_the_loss_of_what_was_held_out(loss, h):
    X, y = sizes(60)
    rows = np.arange(60)
    splits = [(rows[rows % 3 != k], rows[rows % 3 == k]) for k in range(3)]
    options = {"n_estimators": 3, "n_hidden": None, "solver": "auto", "alpha": 0.1}
    model = fitted(loss, h, X, y, cv=splits, **options)
    member, losses = copy.deepcopy(model), []
    W1, W2 = model.coefs_
    b1, _ = model.intercepts_
    size = len(W2) // 3
    for k, (_, test) in enumerate(splits):
        units = slice(k * size, (k + 1) * size)
        A1 = np.tanh(X[test] @ W1[:, units] + b1[units])
        Z2 = A1 @ (3 * W2[units]) + model._output_biases[k]
        a = member._plan.means(Z2.T)[0]
        losses.append(mean_loss(loss, y[test], a, model._plan.y.scale[0]))
    assert_is_loss(min(model.search_results_["loss"]), np.mean(losses), h)


def assert_is_loss(told, expected, h):
    """That of relu is larger, where an output below 0 should be above."""
    if h == "relu":
        assert expected * (1 - 1e-4) <= told < 1.5 * expected
    else:
        assert told == pytest.approx(expected, rel=1e-4)


# Streams.


@pytest.mark.slow
@over_cases
@pytest.mark.parametrize("size", [1, 50])
def test_a_stream_is_learned(loss, h, size):
    X, y = sizes(1000)
    model = net(loss, h, n_hidden=10, solver="adam", alpha=0.1)
    n_passes, n_rows = (1, 200 if h == "relu" else 100) if size == 1 else (2, 1000)
    for _ in range(n_passes):
        for i in range(0, n_rows, size):
            model.partial_fit(X[i : i + size], y[i : i + size])
    new, y_new = sizes(500, seed=1)
    told = model.predict(new), np.full(500, best_constant(loss, y))
    losses = [mean_loss(loss, y_new, np.maximum(a, 0.01), y.std()) for a in told]
    assert losses[0] < (0.9 if size == 1 else 0.8) * losses[1]


def best_constant(loss, y):
    """Roughly."""
    if loss in MEANS:
        return y.mean()
    return np.quantile(y, LEVEL if loss == "quantile" else 0.5)


def test_counts_may_begin_with_zeros():
    X, y = sizes(200)
    y = np.random.default_rng(0).poisson(3 * y)
    for h in output_activations("poisson"):
        model = net("poisson", h, n_hidden=10, solver="adam", alpha=0.1)
        model.partial_fit(X[:20], np.zeros(20))
        for _ in range(20):
            model.partial_fit(X, y)
        assert r2_score(y, model.predict(X)) > 0.4


@given(seed=seeds)
def test_merged_robust_scalers_are_between_and_near_all_of_the_samples(seed):
    rng = np.random.default_rng(seed)
    y = rng.normal(3, 2, (2000, 1))
    scaler = RobustScaler.of(y[:50])
    for i in range(50, 2000, 50):
        before, batch = scaler, RobustScaler.of(y[i : i + 50])
        scaler = scaler.merge(batch)
        low, high = sorted([before.mean[0], batch.mean[0]])
        assert low - 1e-12 <= scaler.mean[0] <= high + 1e-12
    assert scaler.weight == 2000
    assert scaler.mean == pytest.approx(3, abs=0.3)
    assert scaler.sd == pytest.approx(2, rel=0.2)
    far = scaler.merge(RobustScaler.of(1e9 * y[:1]))
    assert far.sd == pytest.approx(scaler.sd, rel=0.01)
    assert far.mean == pytest.approx(scaler.mean, abs=0.1)


# What a fitted regressor shows.


@over_cases
@over_sizes
def test_coefs_and_intercepts_give_the_predictions(loss, h, size):
    X, y = sizes(n_targets=2)
    model = fitted(loss, h, X, y, **size)
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    told = model.predict(X)
    if model.activation_ != "tanh" or model.encoder_ is not None:
        pytest.fail("the formula is for tanh")
    Z2 = np.tanh(X @ W1 + b1) @ W2 + b2
    h = model.out_activation_
    if h == "softplus":
        s = model._plan.y.scale
        expected = s * np.logaddexp(0, Z2 / s)
    else:
        expected = {
            "identity": lambda Z: Z,
            "relu": lambda Z: np.maximum(Z, 0),
            "exp": np.exp,
        }[h](Z2)
    assert_allclose(told, expected, rtol=1e-9, atol=1e-12)


@over_cases
@pytest.mark.parametrize("levels", [LEVEL, [LEVEL], LEVELS], ids=str)
@pytest.mark.parametrize("n_targets", [None, 2])
def test_shapes_and_dtypes(loss, h, levels, n_targets):
    if loss != "quantile" and levels != LEVEL:
        return
    X, y = sizes(40, n_targets=n_targets)
    options = {"quantile": levels} if loss == "quantile" else {}
    ends = (len(levels),) if isinstance(levels, list | tuple) else ()
    for dtype in (np.float32, np.float64):
        A = X.astype(dtype)
        model = fitted(loss, h, A, y, **COMMITTEE, **options)
        told, bounds = model.predict(A), model.predict_interval(A)
        assert told.shape == y.shape + ends
        assert bounds.shape == (*y.shape, 2)
        assert told.dtype == bounds.dtype == dtype
        assert model.n_outputs_ == (n_targets or 1) * (ends or (1,))[0]
        if ends:
            told = told[..., len(levels) // 2]
        assert model.score(A, y) == pytest.approx(r2_score(y, told), abs=1e-6)
        if loss in MEANS:
            mean, std = model.predict(A, return_std=True)
            assert mean.shape == std.shape == y.shape
            assert mean.dtype == std.dtype == dtype
            assert (std > 0).all()


@over_cases
@over_sizes
def test_copies_predict_the_same(loss, h, size):
    X, y = sizes(40)
    options = {"quantile": list(LEVELS)} if loss == "quantile" else {}
    model = fitted(loss, h, X, y, **size, **options)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_array_equal(other.predict(X), model.predict(X))
    again = clone(model)
    assert again.get_params() == model.get_params()
    assert_array_equal(quietly(again.fit, X, y).predict(X), model.predict(X))


# Bars.


def noisy(kind, n_samples, seed):
    """Targets whose noise is as the loss has it."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, (n_samples, 2))
    mean = np.exp(0.5 * X[:, 0] + 0.3 * X[:, 1])
    if kind == "poisson":
        return X, rng.poisson(5 * mean).astype(float)
    if kind == "gamma":
        return X, mean * rng.gamma(4, 1 / 4, n_samples)
    return X, 2 + mean + 0.5 * rng.normal(size=n_samples)


@over_cases
def test_intervals_cover_what_they_promise(loss, h):
    shares = []
    for seed in range(3):
        X, y = noisy(loss, 400, seed)
        X_new, y_new = noisy(loss, 2000, seed + 10)
        model = fitted(loss, h, X, y, **COMMITTEE)
        low, high = model.predict_interval(X_new).T
        shares.append(np.mean((low <= y_new) & (y_new <= high)))
    assert 0.87 < np.mean(shares) < 0.935


@pytest.mark.parametrize(("loss", "h"), [case for case in CASES if case[0] in MEANS])
@pytest.mark.parametrize("solver", ["auto", "lm"])
def test_the_deviation_is_that_of_new_samples_where_the_mean_is_small_and_large(
    loss, h, solver
):
    X, y = noisy(loss, 600, 0)
    X_new, y_new = noisy(loss, 4000, 1)
    size = COMMITTEE if solver == "auto" else {"solver": "lm"}
    model = fitted(loss, h, X, y, **size)
    mean, std = model.predict(X_new, return_std=True)
    squares = ((y_new - mean) / std) ** 2
    for third in np.array_split(mean.argsort(), 3):
        assert 0.7 < squares[third].mean() < 1.35
    if solver == "lm":
        dispersion = {"squared_error": 0.25, "poisson": 1.0, "gamma": 0.25}[loss]
        assert model.noise_variance_ == pytest.approx(dispersion, rel=0.25)


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "h"), [c for c in POSITIVE if c[0] in MEANS])
def test_the_deviation_of_lm_is_that_of_networks_of_other_samples(loss, h):
    """Without noise of a new sample: what is left is the doubt about the mean."""
    X_new, means = noisy(loss, 50, 99)[0], []
    options = {"solver": "lm", "n_hidden": 2, "alpha": 0.1}
    for seed in range(14):
        X, y = noisy(loss, 100, seed)
        model = fitted(loss, h, X, y, **options)
        mean, std = model.predict(X_new, return_std=True)
        power = {"squared_error": 0, "poisson": 1, "gamma": 2}[loss]
        doubt = np.sqrt(np.maximum(std**2 - model.noise_variance_ * mean**power, 0))
        means.append((mean, doubt))
    spread = np.std([mean for mean, _ in means], axis=0)
    told = np.mean([doubt for _, doubt in means], axis=0)
    assert 0.6 < np.median(told / spread) < 1.6


@pytest.mark.slow
@over_outputs
def test_the_width_between_levels_follows_the_noise(h):
    def halves(seed):
        rng = np.random.default_rng(seed)
        X = rng.uniform(-2, 2, (2000, 2))
        sd = np.where(X[:, 0] > 0, 1.5, 0.2)
        return X, 8 + X[:, 1] + sd * rng.normal(size=2000)

    (X, y), (X_new, y_new) = halves(0), halves(1)
    options = {"n_hidden": 20, "solver": "adam", "cv": 5, "max_iter": 60}
    model = fitted("quantile", h, X, y, quantile=(0.05, 0.5, 0.95), **options)
    low, high = model.predict_interval(X_new).T
    inside, is_loud = (low <= y_new) & (y_new <= high), X_new[:, 0] > 0
    assert 0.86 < inside.mean() < 0.94
    assert 0.84 < inside[is_loud].mean() < 0.96
    assert 0.84 < inside[~is_loud].mean() < 0.97
    assert np.mean((high - low)[is_loud]) > 3 * np.mean((high - low)[~is_loud])


def test_hubers_loss_tells_no_variance():
    X, y = noisy("huber", 100, 0)
    model = fitted("squared_error", "auto", X, y, solver="lm")
    assert model.noise_variance_ == pytest.approx(0.25, rel=0.3)
    assert not hasattr(
        quietly(model.set_params(loss="huber").fit, X, y), "noise_variance_"
    )


# Among others.


@over_cases
def test_numbers_of_any_type_are_the_same_targets(loss, h):
    X, y = sizes(40)
    y = 1 + np.random.default_rng(0).poisson(3 * y)
    expected = fitted(loss, h, X, y.astype(float), max_iter=5).predict(X)
    for dtype in (np.uint8, np.int64, np.float32, object):
        told = fitted(loss, h, X, y.astype(dtype), max_iter=5).predict(X)
        assert_array_equal(told, expected)


def test_searches_take_losses_and_levels():
    X, y = sizes(60)
    levels = [0.5, [0.1, 0.5], (0.1, 0.5, 0.9), np.array([0.2, 0.6], np.float32)]
    search = GridSearchCV(net("quantile", max_iter=5), {"quantile": levels}, cv=2)
    assert np.isfinite(quietly(search.fit, X, y).cv_results_["mean_test_score"]).all()
    losses = [{"loss": [loss]} for loss in LOSSES if loss != "quantile"]
    search = GridSearchCV(net("huber", max_iter=5), losses, cv=2)
    assert np.isfinite(quietly(search.fit, X, y).cv_results_["mean_test_score"]).all()
    model = net("quantile", quantile=LEVELS, max_iter=5)
    assert quietly(cross_val_predict, model, X, y, cv=3).shape == (60, 3)


@over_cases
def test_one_row_and_zero_weights_will_do(loss, h):
    X, y = sizes(20)
    model = fitted(loss, h, X[:1], y[:1])
    assert_allclose(model.predict(X), y[0], rtol=1e-9)
    w = np.arange(20) % 2
    half = fitted(loss, h, X[1::2], y[1::2], max_iter=5).predict(X)
    y[::2] = 1e300
    told = fitted(loss, h, X, y, w, max_iter=5).predict(X)
    assert_allclose(told, half, rtol=1e-6, atol=1e-9)
