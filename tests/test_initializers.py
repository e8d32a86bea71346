import numpy as np
import pytest
from _curves import quietly
from hypothesis import given
from hypothesis import strategies as st

from sk_shallow import ShallowNNRegressor
from sk_shallow._model.initializers import INITIALIZERS, first_weights
from sk_shallow._model.layout import Layout
from sk_shallow._solvers import SOLVERS

over_registry = pytest.mark.parametrize("name", INITIALIZERS)
random_ones = pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"zeros"}))


def drawn(name, n_in=4, n_hidden=3, n_out=2, seed=0, lead=()):
    W1 = np.full((*lead, n_in, n_hidden), np.nan)
    W2 = np.full((*lead, n_hidden, n_out), np.nan)
    INITIALIZERS[name](np.random.default_rng(seed), W1, W2)
    return W1, W2


@over_registry
@pytest.mark.parametrize("lead", [(), (3,)])
def test_fills_both_in_place(name, lead):
    assert all(np.isfinite(W).all() for W in drawn(name, lead=lead))


@over_registry
def test_same_seed_same_weights(name):
    for W, again in zip(drawn(name, seed=5), drawn(name, seed=5), strict=True):
        np.testing.assert_array_equal(W, again)


@random_ones
def test_units_members_and_seeds_differ(name):
    W1, W2 = drawn(name, lead=(2,))
    other, _ = drawn(name, lead=(2,), seed=1)
    for W in (W1, W2, np.concatenate([W1, other])):
        assert len(np.unique(W)) == W.size


@pytest.mark.parametrize(
    ("name", "sd1", "sd2"),
    [
        ("auto", np.sqrt(2 / (400 + 300)), np.sqrt(2 / (300 + 200))),
        ("glorot", np.sqrt(2 / (400 + 300)), np.sqrt(2 / (300 + 200))),
        ("he", np.sqrt(2 / 400), np.sqrt(1 / 300)),
        ("normal", 0.01, 0.01),
        ("zeros", 0, 0),
    ],
)
@pytest.mark.parametrize("lead", [(), (2,)])
def test_spread_is_the_formula(name, sd1, sd2, lead):
    for W, sd in zip(drawn(name, 400, 300, 200, lead=lead), (sd1, sd2), strict=True):
        assert W.std() == pytest.approx(sd, rel=0.02)
        assert abs(W.mean()) <= 5 * sd / np.sqrt(W.size)


@given(seed=st.integers(0, 2**32 - 1), steepness=st.floats(0.1, 8))
def test_first_weights_are_those_drawn_times_the_steepness(seed, steepness):
    layout, draw = Layout(3, 5, 2), INITIALIZERS["glorot"]
    drawn, steeper = (
        first_weights(np.random.default_rng(seed), draw, layout, 0.5, factor)
        for factor in (1.0, steepness)
    )
    by_default = first_weights(np.random.default_rng(seed), draw, layout, 0.5)
    np.testing.assert_array_equal(by_default[1], drawn[1])
    np.testing.assert_array_equal(steeper[1], drawn[1] * steepness)
    np.testing.assert_array_equal(steeper[2], drawn[2])
    assert not steeper[0].any()
    np.testing.assert_array_equal(steeper[3], [0.5, 0.5])


@given(seed=st.integers(0, 2**32 - 1), spread=st.floats(0.1, 8))
def test_units_begin_within_the_spread_of_the_samples(seed, spread):
    layout, draw = Layout(1, 200, 1), INITIALIZERS["normal"]
    rng = np.random.default_rng(seed)
    b1, W1, *_ = first_weights(rng, draw, layout, 0.0, spread=spread)
    middles = -b1 / W1[0]
    assert np.abs(middles).max() < 6 * spread
    assert 0.3 * spread < middles.std() < spread


# A constant target leaves the hidden biases where they began.
@pytest.mark.parametrize("init", ["auto", "glorot"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_first_hidden_biases_are_zero_but_for_auto_with_lbfgs_and_lm(solver, init):
    X = np.random.default_rng(0).normal(size=(20, 2))
    model = ShallowNNRegressor(
        9, solver=solver, init=init, alpha=1.0, max_iter=2, random_state=0
    )
    quietly(model.fit, np.concatenate([X, -X]), np.ones(40))
    biases = np.abs(model.intercepts_[0])
    if init == "auto" and solver in ("lbfgs", "lm"):
        assert biases.min() > 1e-3
    else:
        assert biases.max() < 1e-12
