import numpy as np
import pytest
from _units import NUMBER_UNITS, STACKED, UNITS, draw, is_exponential, unit_of
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.metrics import (
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
)

from sk_shallow._model.losses import Huber
from sk_shallow._model.output_units import OUTPUT_UNITS

over_registry = pytest.mark.parametrize("name", UNITS)
over_numbers = pytest.mark.parametrize("name", [*NUMBER_UNITS, *STACKED])
over_curved = pytest.mark.parametrize(
    "name", [name for name in NUMBER_UNITS if unit_of(name).has_curvature]
)
over_kinks = pytest.mark.parametrize(
    "name", [name for name in UNITS if not unit_of(name).is_smooth]
)
over_links = pytest.mark.parametrize(
    ("name", "mean", "log_mean"),
    [
        ("logistic", expit, log_expit),
        ("softmax", lambda Z: softmax(Z, axis=0), lambda Z: log_softmax(Z, axis=0)),
    ],
)
shapes = st.tuples(st.integers(1, 4), st.integers(1, 6))
seeds = st.integers(0, 2**32 - 1)


def delta_of(unit, Z, Y):
    """dZ2."""
    delta = np.empty_like(Z)
    unit.delta(Z, Y, out=delta)
    return delta


def differences(f, Z, h=1e-5):
    """Central differences of f along each output, and whether both halves agree."""
    found, agree = [], True
    for j in range(len(Z)):
        e = h * (np.arange(len(Z)) == j)[:, None]
        ahead, here, behind = f(Z + e), f(Z), f(Z - e)
        one, other = (ahead - here) / h, (here - behind) / h
        agree &= np.allclose(one, other, rtol=1e-3, atol=1e-3 * (1 + np.abs(one).max()))
        found.append((ahead - behind) / (2 * h))
    return np.array(found), agree


@over_registry
@given(shape=shapes, seed=seeds)
def test_delta_is_the_derivative_of_the_loss(name, shape, seed):
    unit, Z, Y = draw(name, shape, seed)
    found, agree = differences(lambda Z: unit.loss(Z, Y), Z)
    assume(agree)  # no kink between
    delta = delta_of(unit, Z, Y)
    assert_allclose(delta, found, rtol=2e-6, atol=1e-7 * (1 + np.abs(delta).max()))


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("identity", lambda Z, Y: ((Z - Y) ** 2).sum(axis=0) / 2),
        (
            "logistic",
            lambda Z, Y: -(Y * log_expit(Z) + (1 - Y) * log_expit(-Z)).sum(axis=0),
        ),
        ("softmax", lambda Z, Y: -(Y * log_softmax(Z, axis=0)).sum(axis=0)),
    ],
)
@given(shape=shapes, seed=seeds)
def test_loss_is_the_formula(name, loss, shape, seed):
    unit, Z, Y = draw(name, shape, seed)
    expected = loss(Z, Y)
    np.testing.assert_allclose(unit.loss(Z, Y), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "twice"),
    [
        ("absolute_error, identity", lambda y, a: 2 * mean_absolute_error(y, a)),
        (
            "quantile, identity",
            lambda y, a: 2 * mean_pinball_loss(y, a, alpha=0.3),
        ),
        ("poisson, exp", mean_poisson_deviance),
        ("poisson, softplus", mean_poisson_deviance),
        ("gamma, exp", mean_gamma_deviance),
        ("gamma, softplus", mean_gamma_deviance),
    ],
)
@given(shape=shapes, seed=seeds)
def test_the_loss_is_half_of_scikit_learns(name, twice, shape, seed):
    unit, Z, Y = draw(name, shape, seed)
    A, losses = unit.mean(Z), unit.loss(Z, Y)
    for i in range(shape[1]):
        expected = shape[0] * twice(Y[:, i], A[:, i]) / 2
        assert losses[i] == pytest.approx(expected, rel=1e-8, abs=1e-10)


@given(shape=shapes, seed=seeds, threshold=st.floats(0.05, 3))
def test_hubers_loss_is_squared_near_and_straight_far_out(shape, seed, threshold):
    Z, Y = 2 * np.random.default_rng(seed).standard_normal((2, *shape))
    R = np.abs(Z - Y)
    far = threshold * (R - threshold / 2)
    expected = np.where(threshold > R, R**2 / 2, far).sum(axis=0)
    assert_allclose(Huber(threshold).loss(Z, Y), expected, rtol=1e-12, atol=1e-14)


@over_registry
@given(shape=shapes, seed=seeds)
def test_loss_is_least_where_the_mean_is_the_target(name, shape, seed):
    unit, Z, _ = draw(name, shape, seed)
    other = Z + np.random.default_rng(seed).standard_normal(Z.shape)
    Y = unit.mean(Z)
    best = unit.loss(Z, Y)
    if unit.is_smooth:
        size = 1 + (np.abs(Y) ** 2 if is_exponential(unit) else 0)
        assert_allclose(delta_of(unit, Z, Y) / size, 0, atol=1e-13)
    if name in NUMBER_UNITS or name in STACKED:
        assert_allclose(best / (1 + np.abs(Y).max()), 0, atol=1e-13)
    assert (unit.loss(other, Y) >= best - 1e-12 * (1 + np.abs(Y).max())).all()


@over_registry
@given(shape=shapes, seed=seeds, n_members=st.integers(2, 4))
def test_members_on_a_leading_axis_are_as_if_alone(name, shape, seed, n_members):
    unit, Z, Y = draw(name, shape, seed)
    Z = 3 * np.random.default_rng(seed).standard_normal((n_members, *Z.shape))

    def told(Z):
        links = [unit.mean, unit.log_mean] if hasattr(unit, "log_mean") else [unit.mean]
        return [unit.loss(Z, Y), delta_of(unit, Z, Y), *(link(Z) for link in links)]

    for together, *alone in zip(told(Z), *map(told, Z), strict=True):
        np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-14)


@over_registry
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_error_is_a_subnormal_number_which_would_be_slow(name, dtype):
    far = np.linspace(0, 2 * np.log(np.finfo(dtype).tiny), 200, dtype=dtype)
    unit, Z = unit_of(name, 2), np.array([far, np.zeros_like(far)])
    if name in STACKED:
        Z = np.concatenate([Z] * 3)
    Y = np.full_like(Z, name.startswith("gamma"))
    sizes = np.abs(delta_of(unit, Z, Y))
    assert not ((sizes > 0) & (sizes < np.finfo(dtype).tiny)).any()


@over_registry
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_out_may_be_the_outputs_themselves(name, dtype):
    unit, Z, Y = draw(name, (5, 3), 0)
    Z, Y = Z.astype(dtype), Y.astype(dtype)
    apart = delta_of(unit, Z, Y)
    assert unit.loss(Z, Y).dtype == unit.mean(Z).dtype == dtype
    unit.delta(Z, Y, out=Z)
    np.testing.assert_array_equal(Z, apart)


@pytest.mark.parametrize("name", [*OUTPUT_UNITS, "poisson, exp"])
def test_canonical_pairs_have_the_notes_error(name):
    unit, Z, Y = draw(name, (5, 3), 0)
    assert_allclose(delta_of(unit, Z, Y), unit.mean(Z) - Y, rtol=1e-10, atol=1e-12)


@over_registry
def test_nothing_but_out_is_written_to(name):
    unit, Z, Y = draw(name, (5, 3), 0)
    Z.flags.writeable = Y.flags.writeable = False
    delta_of(unit, Z, Y)
    unit.loss(Z, Y)
    unit.mean(Z)


@over_registry
def test_is_finite_far_out_in_single_precision(name):
    Z = np.array([[1e4, -1e4, 1e4], [-1e4, 1e4, 1e4]], np.float32)
    Y = np.array([[1, 1, 0], [0, 0, 1]], np.float32)
    if name in STACKED:
        Z, Y = np.concatenate([Z] * 3), np.concatenate([Y] * 3)
    unit, Y = unit_of(name, 2), Y + name.startswith("gamma")
    for values in (unit.loss(Z, Y), unit.mean(Z), delta_of(unit, Z, Y)):
        assert np.isfinite(values).all()
        assert values.dtype == np.float32


@over_curved
@given(shape=shapes, seed=seeds)
def test_the_curvature_is_the_slope_of_the_mean_twice_times_that_of_the_loss(
    name, shape, seed
):
    unit, Z, Y = draw(name, shape, seed)
    A, h = unit.mean(Z), 1e-5
    slope = (unit.mean(Z + h) - unit.mean(Z - h)) / (2 * h)
    is_smooth = np.abs(Z) > 1e-4
    assert_allclose(unit.slope(Z)[is_smooth], slope[is_smooth], rtol=1e-6, atol=1e-9)
    curvature, loss = unit.curvature(Z, Y), NUMBER_UNITS[name][0]
    expected = {
        "squared_error": np.ones_like,
        "huber": lambda A: np.abs(A - Y) <= Huber().threshold,
        "poisson": lambda A: 1 / A,
        "gamma": lambda A: Y / A**3,
    }[loss](A)
    assert_allclose(curvature, unit.slope(Z) ** 2 * expected, rtol=1e-8, atol=1e-12)
    J = np.random.default_rng(seed).standard_normal((*Z.shape, 3))
    scaled = J.copy()
    unit.scale_by_root_of_curvature(Z, Y, scaled)
    assert_allclose(scaled, J * np.sqrt(curvature)[..., None])


@over_kinks
@given(shape=shapes, seed=seeds, width=st.floats(1e-3, 1))
def test_bent_kinks_are_near_and_have_a_derivative(name, shape, seed, width):
    unit, Z, Y = draw(name, shape, seed)
    bent = unit.smoothed(width)
    assert bent.is_smooth
    gap = unit.loss(Z, Y) - bent.loss(Z, Y)
    if not name.endswith("relu"):  # which goes on below 0 with another slope
        assert (gap >= -1e-9).all()
        assert (gap <= len(Z) * width / 2 + 1e-9).all()
    found, _ = differences(lambda Z: bent.loss(Z, Y), Z)
    scale = 1 + np.abs(unit.mean(Z)).max()
    assert_allclose(
        delta_of(bent, Z, Y), found, rtol=1e-3, atol=2e-5 * scale**2 / width
    )


@over_numbers
@given(shape=shapes, seed=seeds)
def test_the_inverse_gives_the_mean_that_is_wanted(name, shape, seed):
    unit, Z, _ = draw(name, shape, seed)
    A = np.maximum(unit.mean(Z), 0.05)
    A = np.sort(A.reshape(-1, 3, shape[1]), axis=1) if name in STACKED else A
    if name in STACKED:
        A = (A + np.array([0, 0.1, 0.2])[:, None]).reshape(Z.shape)
    found = unit.mean(np.reshape(unit.inverse(A[:, 0]), (-1, 1)))[:, 0]
    assert_allclose(found, A[:, 0], rtol=1e-9)


@over_numbers
@given(shape=shapes, seed=seeds)
def test_outputs_in_units_of_y_give_means_in_units_of_y(name, shape, seed):
    unit, Z, _ = draw(name, shape, seed)
    rng = np.random.default_rng(seed)
    n_targets = 2 if name in STACKED else len(Z)
    scale, mean = np.exp(rng.standard_normal((2, n_targets)))
    mean = mean if unit.is_shifted else np.zeros(n_targets)
    mean, scale = (np.repeat(v, len(Z) // n_targets) for v in (mean, scale))
    shift, factor = unit.units(mean, scale)
    told = unit.scaled(scale).mean(Z * factor[:, None] + shift[:, None])
    expected = unit.mean(Z) * scale[:, None] + mean[:, None]
    assert_allclose(told, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", STACKED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=seeds, size=st.floats(0, 12))
def test_levels_never_cross(name, dtype, seed, size):
    Z = 10**size * np.random.default_rng(seed).standard_normal((6, 50))
    A = unit_of(name).mean(Z.astype(dtype)).reshape(2, 3, 50)
    assert (np.diff(A, axis=1) >= 0).all()


@given(seed=seeds)
def test_a_rectified_output_that_is_dead_is_drawn_to_positive_targets(seed):
    rng = np.random.default_rng(seed)
    Z, Y = -rng.exponential(1, (2, 30)), rng.integers(0, 3, (2, 30)).astype(float)
    for name in NUMBER_UNITS:
        if name.endswith("relu"):
            delta = delta_of(unit_of(name, 2), Z, Y)
            assert (delta[Y > 0] < 0).all()
            assert not delta[Y == 0].any()


def test_log_losses_are_exact_far_out():
    Z, Y = np.array([[-1e4], [0.0]]), np.array([[1.0], [0.0]])
    assert OUTPUT_UNITS["softmax"].loss(Z, Y) == pytest.approx([1e4])
    assert OUTPUT_UNITS["logistic"].loss(Z[:1], Y[:1]) == pytest.approx([1e4])


@over_links
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_mean_and_log_mean_are_those_of_scipy(name, mean, log_mean, dtype, rtol):
    unit = OUTPUT_UNITS[name]
    rng = np.random.default_rng(0)
    Z = (rng.standard_normal((4, 50)) * np.logspace(-2, 4, 50)).astype(dtype)
    assert unit.mean(Z).dtype == unit.log_mean(Z).dtype == dtype
    np.testing.assert_allclose(unit.mean(Z), mean(Z), rtol=10 * rtol, atol=1e-30)
    np.testing.assert_allclose(unit.log_mean(Z), log_mean(Z), rtol=rtol, atol=rtol)
