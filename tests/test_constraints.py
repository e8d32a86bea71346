"""Numbers and messages: what a parameter may be, and how a value is told."""

from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_shallow._data.constraints import (
    ArrayLike,
    Infinity,
    Interval,
    as_float,
    check_sample_weight,
    plain,
    shown,
)

INTS = [int, *(np.dtype(code).type for code in "bBhHiIlLqQ")]
FLOATS = [float, np.float16, np.float32, np.float64, np.longdouble, Fraction]
COUNT, RATE = Interval(Integral, 1), Interval(Real, 0.0, closed="neither")
LONGEST = 403

leaves = st.one_of(
    st.integers(),
    st.floats(),
    st.text(max_size=300),
    st.none(),
    st.booleans(),
    st.binary(max_size=300),
)
values = st.recursive(
    leaves,
    lambda some: st.one_of(
        st.lists(some, max_size=30),
        st.tuples(some, some),
        st.dictionaries(st.text(max_size=5), some, max_size=30),
    ),
)


@pytest.mark.parametrize("kind", INTS)
@given(value=st.integers(1, 127))
def test_an_int_of_any_width_is_an_int_of_pythons(kind, value):
    number = plain(kind(value), (COUNT,))
    assert type(number) is int
    assert number == value


@pytest.mark.parametrize("kind", [*FLOATS, *INTS])
@given(value=st.integers(1, 127))
def test_a_real_number_of_any_kind_is_a_float(kind, value):
    number = kind(value) if kind in INTS else kind(value) / kind(64)
    found = plain(number, (RATE,))
    assert type(found) is float
    assert found == (value if kind in INTS else value / 64)


@pytest.mark.parametrize(
    "value",
    [np.array(1), np.array([1]), Decimal(1), 1j, "1", True, np.True_, 1.5, None],
)
def test_what_is_no_int_is_none(value):
    assert value not in COUNT
    assert (value in RATE) == isinstance(value, float)


@given(exponent=st.integers(309, 5000), sign=st.sampled_from([1, -1]))
def test_what_no_float_holds_is_infinite(exponent, sign):
    assert as_float(sign * 10**exponent) == sign * np.inf
    assert as_float(Fraction(sign * 10**exponent, 3)) == sign * np.inf
    assert 10**exponent in COUNT
    assert 10**exponent not in RATE
    assert Fraction(1, 10 ** (exponent + 30)) not in RATE


@given(value=st.floats(allow_nan=True))
def test_infinity_is_the_one_number_that_is_infinite(value):
    assert (value in Infinity()) == (value == np.inf)
    assert (np.float64(value) in Infinity()) == (value == np.inf)


def test_an_array_without_a_dimension_is_no_array():
    assert np.array(1.0) not in ArrayLike()
    assert all(value in ArrayLike() for value in ([], (1,), np.ones(2)))


@given(value=values)
def test_what_is_shown_is_the_repr_if_that_is_short(value):
    text = shown(value)
    assert len(text) <= LONGEST
    if len(repr(value)) <= 30 and not isinstance(value, (list, tuple, dict)):
        assert text == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        list(range(10)),
        {"a": [1.5, None]},
        np.arange(3),
        np.float32(0.5),
        np.tanh,
        ("x" * 70, True),
    ],
    ids=str,
)
def test_what_is_short_is_shown_as_it_is(value):
    assert shown(value) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10**6,
        b"x" * 10**6,
        list(range(10**5)),
        ["x" * 10**5] * 10**3,
        dict.fromkeys(range(10**5), "x" * 1000),
        np.zeros(10**6),
        np.array(["x" * 10**4] * 5000),
        10**4000,
        10**6000,
        [10**6000],
        type("X" * 10**5, (), {})(),
    ],
    ids=lambda value: type(value).__name__[:9],
)
def test_what_is_long_is_shortened(value):
    assert 3 < len(shown(value)) <= LONGEST


@given(
    w=st.lists(
        st.floats(0, exclude_min=True, allow_infinity=False), min_size=1, max_size=20
    )
)
def test_weights_are_taken_as_they_are_or_refused(w):
    if sum(w) <= 1e100:
        np.testing.assert_array_equal(check_sample_weight(w, len(w)), w)
    else:
        with pytest.raises(ValueError, match=r"must sum to at most 1e\+100"):
            check_sample_weight(w, len(w))


def test_one_weight_for_all_may_be_any_number():
    for weight in (2, np.int8(2), np.float16(2), Fraction(2)):
        np.testing.assert_array_equal(check_sample_weight(weight, 3), [2.0, 2.0, 2.0])
    with pytest.raises(ValueError, match="contains infinity"):
        check_sample_weight(10**400, 3)
