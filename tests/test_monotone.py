"""Monotone outputs: everywhere, with every solver that can, and refused elsewhere."""

import numpy as np
import pandas as pd
import pytest
from _curves import quietly
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sk_shallow import Activation, ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._model.layout import Layout
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow._solvers import SOLVERS
from sk_shallow.activations import ACTIVATIONS

CST = np.array([1, -1, 0])
seeds = st.integers(0, 2**32 - 1)
able = pytest.mark.parametrize("solver", [name for name in SOLVERS if name != "lm"])
QUICK = {"n_hidden": 8, "alpha": 0.1, "max_iter": 30, "random_state": 0}


def data(n_samples=200, seed=0):
    """A target that goes down where it should go up, for half of the samples."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 3))
    up = np.where(X[:, 2] > 0, 2.0, -2.0)
    return X, up * X[:, 0] - np.tanh(2 * X[:, 1]) + 0.3 * rng.normal(size=n_samples)


def fall(told, n_columns=3, seed=0, n_pairs=500):
    """By how much the outputs go against CST, at the most, from near to far out."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n_pairs, n_columns)) * 10 ** rng.uniform(-1, 2, (n_pairs, 1))
    most = 0.0
    for j in np.flatnonzero(CST):
        B = A.copy()
        B[:, j] += rng.exponential(10 ** rng.uniform(-2, 2, n_pairs))
        there, here = told(B), told(A)
        size = 1 + np.abs(there).max() + np.abs(here).max()
        most = max(most, np.max(CST[j] * (here - there)) / size)
    return most


def test_a_free_fit_to_the_same_data_is_not_monotone():
    X, y = data()
    assert fall(quietly(ShallowNNRegressor(**QUICK).fit, X, y).predict) > 0.01


@able
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_are_monotone_everywhere(activation, solver):
    X, y = data()
    how = {**QUICK, "activation": activation, "solver": solver}
    for encoding in (None, "piecewise"):
        net = ShallowNNRegressor(**how, monotonic_cst=CST, encoding=encoding)
        assert fall(quietly(net.fit, X, y).predict) < 1e-14


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters",
    [{}, {"n_hidden": 8, "max_iter": 100}, {"n_estimators": 4, "activation": "tanh"}],
    ids=["default", "one", "committee"],
)
def test_what_the_folds_choose_is_monotone(parameters):
    X, y = data(300)
    for kind, target in ((ShallowNNRegressor, y), (ShallowNNClassifier, y > 0)):
        net = kind(**parameters, monotonic_cst=CST, random_state=0)
        quietly(net.fit, X, target)
        told = net.predict if target is y else net.decision_function
        assert fall(told) < 1e-14
        assert net.encoding_ != "whitened"
        assert "whitened" not in net.search_results_["encoding"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"loss": "poisson"},
        {"loss": "gamma", "output_activation": "softplus"},
        {"loss": "absolute_error"},
        {"loss": "quantile", "quantile": 0.9},
        {"output_activation": "relu"},
    ],
    ids=str,
)
def test_every_loss_can_be_monotone(parameters):
    X, y = data()
    net = ShallowNNRegressor(**QUICK, **parameters, monotonic_cst=CST)
    assert fall(quietly(net.fit, X, np.exp(y)).predict) < 1e-14


def test_several_targets_and_labels_are_all_monotone():
    X, y = data()
    Y = np.column_stack([y, y - X[:, 2]])
    net = quietly(ShallowNNRegressor(**QUICK, monotonic_cst=CST).fit, X, Y)
    assert fall(net.predict) < 1e-14
    net = ShallowNNClassifier(**QUICK, monotonic_cst=CST)
    assert fall(quietly(net.fit, X, (Y > 0).astype(int)).decision_function) < 1e-14


def test_streams_and_warm_starts_stay_monotone():
    X, y = data(400)
    net = ShallowNNRegressor(**{**QUICK, "max_iter": None}, monotonic_cst=CST)
    for rows in np.array_split(np.arange(400), 8):
        net.partial_fit(X[rows], y[rows])
        assert fall(net.predict) < 1e-14
    free = quietly(ShallowNNRegressor(**QUICK, warm_start=True).fit, X, y)
    quietly(free.set_params(monotonic_cst=CST).fit, X, y)
    assert fall(free.predict) < 1e-14


def test_a_monotone_target_is_learned_as_well_as_by_a_free_fit():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (1000, 3))
    signal = np.tanh(3 * X[:, 0]) + X[:, 0] ** 3 / 8 - np.exp(X[:, 1] / 2)
    y = signal + np.sin(3 * X[:, 2])
    how = {"solver": "lbfgs", "n_hidden": 30, "alpha": 0.01, "activation": "tanh"}
    scores = [
        quietly(
            ShallowNNRegressor(**how, random_state=0, monotonic_cst=cst).fit,
            X[::2],
            y[::2],
        ).score(X[1::2], y[1::2])
        for cst in (None, CST)
    ]
    assert min(scores) > 0.99


def test_a_dict_names_features():
    X, y = data()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    by_name = ShallowNNRegressor(**QUICK, monotonic_cst={"b": -1, "a": 1})
    by_place = ShallowNNRegressor(**QUICK, monotonic_cst=CST)
    for net in (by_name, by_place):
        quietly(net.fit, frame, y)
    assert_array_equal(by_name.predict(frame), by_place.predict(frame))


def test_directions_of_zero_are_none():
    X, y = data()
    nets = [ShallowNNRegressor(**QUICK, monotonic_cst=c) for c in (None, [0, 0, 0])]
    told = [quietly(net.fit, X, y).predict(X) for net in nets]
    assert_array_equal(*told)


def test_features_without_a_direction_may_have_gaps_and_labels():
    X, y = data()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame["d"] = np.resize(["u", "v", None], len(X))
    frame.loc[::5, "a"] = np.nan
    for encoding in (None, "piecewise"):
        net = ShallowNNRegressor(
            **QUICK, monotonic_cst={"a": 1, "b": -1}, encoding=encoding
        )
        quietly(net.fit, frame, y)

        def told(A, net=net):
            new = pd.DataFrame(A, columns=["a", "b", "c"])
            return net.predict(new.assign(d="u"))

        assert fall(told) < 1e-14


def test_sparse_features_have_directions_too():
    X, y = data()
    X = sparse.csr_array(np.where(np.abs(X) > 0.3, X, 0))
    net = quietly(ShallowNNRegressor(**QUICK, monotonic_cst=CST).fit, X, y)
    assert fall(net.predict) < 1e-14


@given(
    seed=seeds,
    layout=st.builds(
        Layout, *[st.integers(1, 4)] * 3, st.integers(1, 3), st.booleans()
    ),
)
def test_the_nearest_weights_are_allowed_and_others_stay(seed, layout):
    rng = np.random.default_rng(seed)
    directions = rng.integers(-1, 2, layout.n_in)
    shape = Objective(
        layout,
        ACTIVATIONS["tanh"],
        OUTPUT_UNITS["identity"],
        np.ones((2, layout.n_in + 1)),
        np.ones((layout.n_out, 2)),
        directions=directions,
    )
    theta = rng.normal(size=layout.size)
    before = theta.copy()
    shape.constrain(theta)
    assert (shape.signs * theta >= 0).all()
    kept = shape.signs * before >= 0
    assert_array_equal(theta[kept], before[kept])
    assert not theta[~kept].any()
    window = layout.view(shape.signs)
    through = np.einsum("dmh,mhk->dmhk", *_by_member(window, layout))
    assert_allclose(
        through, np.broadcast_to(directions[:, None, None, None], through.shape)
    )
    assert (directions[: layout.n_path, None] == window.V).all()
    assert not window.b1.any()
    assert not window.b2.any()


def _by_member(window, layout):
    d, h, k, m, _ = layout
    return window.W1.reshape(d, m, h), window.W2.reshape(m, h, k)


class Falling(Activation):
    """g(z) = -z."""

    def forward(self, Z, out=None):
        return np.negative(Z, out=out)

    def slope(self, A, out=None):
        out = np.empty_like(A) if out is None else out
        out.fill(-1)
        return out


X, Y = data(40)
FRAME = pd.DataFrame(X, columns=["a", "b", "c"]).assign(c=["u", "v"] * 20)
REFUSED = {
    "too few": ({"monotonic_cst": [1]}, X, Y, r"shape \(3,\)"),
    "of another kind": ({"monotonic_cst": [1, 2, 0]}, X, Y, "of -1, 0 or 1"),
    "ragged": ({"monotonic_cst": [1, [1, 0], 0]}, X, Y, "of -1, 0 or 1"),
    "lists by name": ({"monotonic_cst": {"a": [1, 2]}}, FRAME, Y, "of -1, 0 or 1"),
    "names without names": ({"monotonic_cst": {"a": 1}}, X, Y, "X has no names"),
    "unknown names": ({"monotonic_cst": {"z": 1}}, FRAME, Y, "not in X: .'z'"),
    "labels": ({"monotonic_cst": {"c": 1}}, FRAME, Y, "Categorical features cannot"),
    "lm": ({"solver": "lm"}, X, Y, "solver='lm'"),
    "evidence": ({"alpha": "evidence"}, X, Y, "alpha='evidence'"),
    "whitened": ({"encoding": "whitened"}, X, Y, "encoding='whitened'"),
    "falling": ({"activation": Falling()}, X, Y, "slope is nowhere negative"),
    "levels": ({"loss": "quantile", "quantile": [0.1, 0.9]}, X, Y, "several levels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_monotone_is_refused(case):
    parameters, X, y, message = REFUSED[case]
    net = ShallowNNRegressor(**{"monotonic_cst": CST, **parameters})
    with pytest.raises(ValueError, match=message):
        net.fit(X, y)
    assert not hasattr(net, "coefs_")


def test_several_classes_are_refused():
    net = ShallowNNClassifier(monotonic_cst=CST)
    with pytest.raises(ValueError, match="more than two classes"):
        net.fit(X, np.arange(40) % 3)
