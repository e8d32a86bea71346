"""H + diag(d) in its two forms, judged by dense algebra and by each other."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sk_shallow._arrays.curvature import Rows, Square, curvature

any_form = pytest.mark.parametrize("form", ["square", "rows"])
cases = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "n_rows": st.integers(3, 9),
        "size": st.integers(4, 12),
        "n_last": st.integers(1, 3),
        "log_scale": st.floats(-3, 3),
        "are_free": st.booleans(),
    }
)


def case_of(seed, n_rows, size, n_last, log_scale, are_free):
    """J, d, and which columns are eliminated last; d of those may be 0."""
    rng = np.random.default_rng(seed)
    J, last = rng.standard_normal((n_rows, size)), np.zeros(size, bool)
    last[rng.permutation(size)[:n_last]] = True
    d = 10**log_scale * rng.uniform(0.1, 1, size)
    d[last] *= 0.0 if are_free else 1e-3
    return J, d, last


def form_of(form, J, last):
    H = Square(J.shape[1]) if form == "square" else Rows(len(J), last)
    for part in np.array_split(J, 2):
        H.add(part)
    return H


@any_form
@given(case=cases)
def test_each_form_is_dense_algebra(form, case):
    J, d, last = case_of(**case)
    A, H = J.T @ J + np.diag(d), form_of(form, J, last)
    assert_allclose(H.diagonal(), np.diag(J.T @ J), rtol=1e-12)
    assert_allclose(H.dense(), np.tril(J.T @ J), rtol=1e-12, atol=1e-13)
    factor, inverse = H.factor(d), np.linalg.inv(A)
    tolerance = 1e-13 * np.linalg.cond(A)
    b = np.random.default_rng(0).standard_normal(len(d))
    scale = np.abs(inverse).max()
    assert_allclose(factor.solve(b), inverse @ b, atol=10 * tolerance * scale)
    expected = inverse.diagonal()
    assert_allclose(factor.inverse_diagonal(), expected, atol=tolerance * scale)
    expected = np.linalg.slogdet(A)[1]
    assert factor.log_determinant() == pytest.approx(expected, abs=tolerance)
    V = np.random.default_rng(1).standard_normal((5, len(d)))
    expected = np.einsum("ij,jk,ik->i", V, inverse, V)
    assert_allclose(factor.quadratic(V), expected, atol=100 * tolerance * scale)


@given(case=cases)
def test_the_two_forms_agree(case):
    J, d, last = case_of(**{**case, "log_scale": 0.0})
    one, other = (form_of(form, J, last).factor(d) for form in ("square", "rows"))
    b = np.random.default_rng(0).standard_normal(len(d))
    for found, expected in (
        (other.solve(b), one.solve(b)),
        (other.log_determinant(), one.log_determinant()),
        (other.inverse_diagonal(), one.inverse_diagonal()),
        (other.quadratic(J), one.quadratic(J)),
    ):
        assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


@any_form
def test_what_is_not_positive_has_no_factor(form):
    H = form_of(form, np.zeros((2, 3)), np.array([True, False, False]))
    assert H.factor(np.array([1.0, 1.0, -1.0])) is None
    assert H.factor(np.array([1.0, 0.0, 1.0])) is None
    assert H.factor(np.array([-1.0, 1.0, 1.0])) is None
    assert_allclose(H.factor(np.full(3, 4.0)).solve(np.ones(3)), 0.25)


@given(size=st.integers(1, 40), n_rows=st.integers(1, 40))
def test_the_form_is_the_smaller_one(size, n_rows):
    H = curvature(n_rows, np.arange(size) < 1)
    assert isinstance(H, Rows if 3 * n_rows <= size else Square)
    assert not H.dense().any()


@any_form
@pytest.mark.parametrize(("n_rows", "size"), [(60, 60), (20, 60), (5, 200)])
def test_a_pickle_is_no_larger_than_a_triangle(form, n_rows, size):
    J = np.random.default_rng(0).standard_normal((n_rows, size))
    factor = form_of(form, J, np.arange(size) < 4).factor(np.ones(size))
    pickled = pickle.dumps(factor)
    if form == "square" or 3 * n_rows <= size:
        assert len(pickled) < 8 * size * (size + 1) / 2 + 2000
    V = np.random.default_rng(1).standard_normal((5, size))
    assert_array_equal(pickle.loads(pickled).quadratic(V), factor.quadratic(V))
