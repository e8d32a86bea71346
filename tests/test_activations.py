import numpy as np
import pytest
from _softsign import Softsign
from hypothesis import given
from hypothesis import strategies as st

from sk_shallow.activations import (
    ACTIVATIONS,
    ELU,
    Activation,
    LeakyReLU,
    Logistic,
    ReLU,
    Tanh,
    check_slope,
)

over_registry = pytest.mark.parametrize(
    "g", ACTIVATIONS.values(), ids=ACTIVATIONS.keys()
)
parametrized = st.one_of(
    st.builds(LeakyReLU, st.floats(0, 1)),
    st.builds(ELU, st.floats(1e-3, 10)),
    st.builds(LeakyReLU, st.floats(0, 1).map(np.float64)),
    st.builds(ELU, st.floats(1e-3, 10).map(np.float64)),
)
# No point is within 1e-3 of zero, where rectifiers have no derivative.
Z = np.linspace(-6, 6, 120).reshape(12, 10)


def central_difference(g, Z, h=1e-5):
    return (g.forward(Z + h) - g.forward(Z - h)) / (2 * h)


@pytest.mark.parametrize(
    ("name", "z", "slope", "atol"),
    [
        ("logistic", [0], [1 / 4], 0),
        ("logistic", [-10, 10], [0, 0], 1e-4),
        ("sigmoid", [0], [1 / 4], 0),
        ("tanh", [0], [1], 0),
        ("tanh", [-10, 10], [0, 0], 1e-4),
        ("relu", [-3, -1e-9, 1e-9, 3], [0, 0, 1, 1], 0),
        ("leaky_relu", [-3, -1e-9, 1e-9, 3], [0.01, 0.01, 1, 1], 0),
        ("identity", [-3, 0, 3], [1, 1, 1], 0),
        ("elu", [-np.log(2), 1e-9, 3], [1 / 2, 1, 1], 1e-15),
        ("softplus", [0], [1 / 2], 1e-15),
    ],
)
def test_slope_has_the_values_of_the_notes(name, z, slope, atol):
    g = ACTIVATIONS[name]
    A = g.forward(np.array(z, dtype=float))
    np.testing.assert_allclose(g.slope(A), slope, rtol=0, atol=atol)


@pytest.mark.parametrize(
    ("name", "g"),
    [
        ("identity", lambda z: z),
        ("logistic", lambda z: 1 / (1 + np.exp(-z))),
        ("sigmoid", lambda z: 1 / (1 + np.exp(-z))),
        ("tanh", lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))),
        ("relu", lambda z: max(0.0, z)),
        ("leaky_relu", lambda z: max(0.01 * z, z)),
        ("elu", lambda z: z if z > 0 else np.exp(z) - 1),
        ("softplus", lambda z: np.log(1 + np.exp(z))),
    ],
)
def test_forward_is_the_formula(name, g):
    expected = np.vectorize(g)(Z)
    np.testing.assert_allclose(ACTIVATIONS[name].forward(Z), expected, atol=1e-14)


@over_registry
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chain_multiplies_by_the_slope(g, dtype):
    rng = np.random.default_rng(0)
    A = g.forward(np.append(rng.standard_normal(50), [0.0, -0.0]).astype(dtype))
    D = rng.standard_normal(52).astype(dtype)
    expected = D * g.slope(A.copy())
    g.chain(D, A)
    np.testing.assert_allclose(D, expected, rtol=1e-6)


@over_registry
def test_slope_is_the_central_difference(g):
    np.testing.assert_allclose(
        g.slope(g.forward(Z)), central_difference(g, Z), rtol=1e-8, atol=1e-9
    )


@given(g=parametrized)
def test_slope_is_the_central_difference_for_any_parameter(g):
    np.testing.assert_allclose(
        g.slope(g.forward(Z)), central_difference(g, Z), rtol=1e-7, atol=1e-9
    )


@over_registry
def test_is_monotone(g):
    A = g.forward(np.linspace(-20, 20, 1001))
    assert (np.diff(A) >= 0).all()
    assert (g.slope(A) >= 0).all()


@over_registry
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_writes_in_place_what_it_returns(g, dtype):
    z = Z.astype(dtype)
    expected_A = g.forward(z.copy())
    expected_slope = g.slope(expected_A.copy())
    for method, argument, expected in (
        (g.forward, z, expected_A),
        (g.slope, expected_A, expected_slope),
    ):
        own = argument.copy()
        assert method(own, out=own) is own
        np.testing.assert_array_equal(own, expected)
        wide = np.full((len(Z), 2 * Z.shape[1]), np.nan, dtype)
        strided = wide[:, ::2]
        assert method(argument, out=strided) is strided
        np.testing.assert_array_equal(strided, expected)
        assert np.isnan(wide[:, 1::2]).all()


@over_registry
def test_without_out_the_input_is_left_alone(g):
    z = Z.copy()
    A = g.forward(z)
    A_before = A.copy()
    g.slope(A)
    np.testing.assert_array_equal(z, Z)
    np.testing.assert_array_equal(A, A_before)


def assert_float32_stays(g):
    A = g.forward(Z.astype(np.float32))
    assert A.dtype == np.float32
    assert g.slope(A).dtype == np.float32


@over_registry
def test_float32_stays_float32(g):
    assert_float32_stays(g)


@given(g=parametrized)
def test_float32_stays_float32_for_any_parameter(g):
    assert_float32_stays(g)


@over_registry
def test_is_finite_far_out_in_single_precision(g):
    A = g.forward(np.array([-1e4, -100, 0, 100, 1e4], np.float32))
    assert np.isfinite(A).all()
    assert np.isfinite(g.slope(A)).all()


@over_registry
def test_check_slope_accepts_the_registry(g):
    check_slope(g)


@given(g=parametrized)
def test_check_slope_accepts_any_parameter(g):
    check_slope(g)


class SlopeIsDouble(Tanh):
    def slope(self, A, out=None):
        return np.multiply(super().slope(A), 2, out=out)


class SlopeTakesZ(Logistic):
    def slope(self, A, out=None):
        s = super().forward(A)
        return np.multiply(s, 1 - s, out=out)


class SlopeIsScalar(Activation):
    def forward(self, Z, out=None):
        return np.positive(Z, out=out)

    def slope(self, A, out=None):
        return 1.0


class SlopeIsWrongOnOneSide(ReLU):
    def slope(self, A, out=None):
        return np.greater_equal(A, 0, out=out)


class ForwardIgnoresOut(Tanh):
    def forward(self, Z, out=None):
        return np.tanh(Z)


class SlopeIgnoresOut(Tanh):
    def slope(self, A, out=None):
        return 1 - A**2


class SlopeNeedsAnotherOut(Tanh):
    def slope(self, A, out=None):
        out = np.empty_like(A) if out is None else out
        out[...] = 1
        out -= A * A
        return out


def test_check_slope_accepts_a_users_own():
    check_slope(Softsign())


@pytest.mark.parametrize(
    "g", [SlopeIsDouble, SlopeTakesZ, SlopeIsScalar, SlopeIsWrongOnOneSide]
)
def test_check_slope_refuses_a_wrong_slope(g):
    with pytest.raises(ValueError, match=f"slope of the activation {g.__name__} is"):
        check_slope(g())


@pytest.mark.parametrize(
    ("g", "method"),
    [
        (ForwardIgnoresOut, "forward"),
        (SlopeIgnoresOut, "slope"),
        (SlopeNeedsAnotherOut, "slope"),
    ],
)
def test_check_slope_refuses_what_does_not_work_in_place(g, method):
    with pytest.raises(ValueError, match=f"{g.__name__}.{method}.*must leave"):
        check_slope(g())


@pytest.mark.parametrize("slope", [-0.1, 1.5, np.nan])
def test_leaky_relu_refuses_a_slope_out_of_range(slope):
    with pytest.raises(ValueError, match=r"'negative_slope'.*\[0\.0, 1\.0\]"):
        LeakyReLU(slope)


@pytest.mark.parametrize("alpha", [-1.0, 0.0, np.nan])
def test_elu_refuses_an_alpha_out_of_range(alpha):
    with pytest.raises(ValueError, match=r"'alpha'.*\(0\.0, inf\)"):
        ELU(alpha)


def test_a_leaky_slope_may_be_all_or_nothing():
    Z = np.linspace(-2, 2, 9)
    np.testing.assert_array_equal(LeakyReLU(1.0).forward(Z), Z)
    np.testing.assert_array_equal(LeakyReLU(0.0).forward(Z), np.maximum(Z, 0))
