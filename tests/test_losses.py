import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, log_expit, log_softmax, softmax

from sk_shallow._model.output_units import OUTPUT_UNITS

over_registry = pytest.mark.parametrize(
    "unit", OUTPUT_UNITS.values(), ids=OUTPUT_UNITS.keys()
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


def draw(unit, shape, seed):
    """Outputs, and targets of which some are nearly certain."""
    rng = np.random.default_rng(seed)
    Z, truth = 3 * rng.standard_normal((2, *shape))
    return Z, unit.mean(4 * truth)


@over_registry
@given(shape=shapes, seed=seeds)
def test_delta_is_the_derivative_of_the_loss(unit, shape, seed):
    Z, Y = draw(unit, shape, seed)
    delta = np.empty_like(Z)
    unit.delta(Z, Y, out=delta)
    h = 1e-5
    for j in range(shape[0]):
        e = h * (np.arange(shape[0]) == j)[:, None]
        difference = (unit.loss(Z + e, Y) - unit.loss(Z - e, Y)) / (2 * h)
        np.testing.assert_allclose(delta[j], difference, rtol=1e-6, atol=1e-8)


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
    unit = OUTPUT_UNITS[name]
    Z, Y = draw(unit, shape, seed)
    expected = loss(Z, Y)
    np.testing.assert_allclose(unit.loss(Z, Y), expected, rtol=1e-10, atol=1e-12)


@over_registry
@given(shape=shapes, seed=seeds)
def test_loss_is_least_where_the_mean_is_the_target(unit, shape, seed):
    Z, other = np.random.default_rng(seed).standard_normal((2, *shape))
    Y, delta = unit.mean(Z), np.empty_like(Z)
    unit.delta(Z, Y, out=delta)
    best = unit.loss(Z, Y)
    np.testing.assert_allclose(delta, 0, atol=1e-14)
    assert (unit.loss(other, Y) >= best - 1e-12).all()


@over_registry
@given(shape=shapes, seed=seeds, n_members=st.integers(2, 4))
def test_members_on_a_leading_axis_are_as_if_alone(unit, shape, seed, n_members):
    _, Y = draw(unit, shape, seed)
    Z = 3 * np.random.default_rng(seed).standard_normal((n_members, *shape))

    def told(Z):
        delta = np.empty_like(Z)
        unit.delta(Z, Y, out=delta)
        links = [unit.mean, unit.log_mean] if hasattr(unit, "log_mean") else [unit.mean]
        return [unit.loss(Z, Y), delta, *(link(Z) for link in links)]

    for together, *alone in zip(told(Z), *map(told, Z), strict=True):
        np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-14)


@over_registry
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_error_is_a_subnormal_number_which_would_be_slow(unit, dtype):
    far = np.linspace(0, 2 * np.log(np.finfo(dtype).tiny), 200, dtype=dtype)
    Z = np.array([far, np.zeros_like(far)])
    delta = np.empty_like(Z)
    unit.delta(Z, np.zeros_like(Z), out=delta)
    sizes = np.abs(delta)
    assert not ((sizes > 0) & (sizes < np.finfo(dtype).tiny)).any()


@over_registry
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_out_may_be_the_outputs_themselves(unit, dtype):
    Z, Y = (array.astype(dtype) for array in draw(unit, (5, 3), 0))
    apart = np.empty_like(Z)
    unit.delta(Z, Y, out=apart)
    np.testing.assert_allclose(apart, unit.mean(Z) - Y, atol=1e-6)
    assert unit.loss(Z, Y).dtype == dtype
    unit.delta(Z, Y, out=Z)
    np.testing.assert_array_equal(Z, apart)


@over_registry
def test_nothing_but_out_is_written_to(unit):
    Z, Y = draw(unit, (5, 3), 0)
    Z.flags.writeable = Y.flags.writeable = False
    unit.delta(Z, Y, out=np.empty_like(Z))
    unit.loss(Z, Y)
    unit.mean(Z)


@over_registry
def test_is_finite_far_out_in_single_precision(unit):
    Z = np.array([[1e4, -1e4, 1e4], [-1e4, 1e4, 1e4]], np.float32)
    Y = np.array([[1, 1, 0], [0, 0, 1]], np.float32)
    delta = np.empty_like(Z)
    unit.delta(Z, Y, out=delta)
    for values in (unit.loss(Z, Y), unit.mean(Z), delta):
        assert np.isfinite(values).all()
        assert values.dtype == np.float32


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
