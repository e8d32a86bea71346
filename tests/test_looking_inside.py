"""What a fitted network tells of its inside: A1, gradients, importances."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from _curves import quietly, two_curves
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._data.columns import read, table_of
from sk_shallow._data.encoding import Encoding
from sk_shallow._model.network import gradients, output, slopes
from sk_shallow.activations import ACTIVATIONS
from sk_shallow.preprocessing import HiddenLayer

seeds = st.integers(0, 2**32 - 1)
QUICK = {"n_hidden": 6, "alpha": 1.0, "max_iter": 20, "random_state": 0}
WAYS = {
    "plain": {},
    "committee": {"n_estimators": 3},
    "piecewise": {"encoding": "piecewise"},
    "whitened": {"encoding": "whitened"},
    "path": {"linear_path": True},
    "lm": {"solver": "lm"},
}
each_way = pytest.mark.parametrize("way", WAYS)


def differences(told, X, h=1e-6):
    """Central differences by each feature, in the last axis."""
    ways = h * np.eye(X.shape[1])
    return np.stack([(told(X + e) - told(X - e)) / (2 * h) for e in ways], axis=-1)


def data(n_samples=120, seed=0):
    X, Z = two_curves(n_samples, seed)
    return X, Z


@pytest.mark.parametrize("g", ACTIVATIONS)
@given(seed=seeds, sizes=st.tuples(*[st.integers(1, 4)] * 3), has_path=st.booleans())
def test_the_gradient_of_the_kernel_is_that_of_its_output(g, seed, sizes, has_path):
    rng, (d, h, k) = np.random.default_rng(seed), sizes
    V = rng.normal(size=(d if has_path else 0, k))
    weights = *(rng.normal(size=s) for s in (h, (d, h), (h, k), k)), V
    X, g = rng.normal(size=(5, d)), ACTIVATIONS[g]
    b1, W1, W2, _, V = weights
    near_kink = np.abs(X @ W1 + b1).min(axis=1) < 1e-3
    X = X[~near_kink]
    expected = differences(lambda X: output(X, *weights, g).T, X)
    found = gradients(slopes(X, b1, W1, g), W1, W2, V)
    assert_allclose(found, expected.reshape(found.shape), rtol=1e-5, atol=1e-7)


@each_way
def test_the_gradient_of_a_fit_is_that_of_its_prediction(way):
    X, Z = data()
    new = data(30, 1)[0]
    net = ShallowNNRegressor(**QUICK, activation="tanh", **WAYS[way])
    quietly(net.fit, X, Z)
    found = net.input_gradients(new)
    assert found.shape == (30, 2, X.shape[1])
    assert_allclose(found, differences(net.predict, new), rtol=1e-4, atol=1e-5)
    quietly(net.fit, X, Z[:, 0])
    found = net.input_gradients(new)
    assert_allclose(found, differences(net.predict, new), rtol=1e-4, atol=1e-5)
    net = ShallowNNClassifier(**QUICK, activation="tanh", **WAYS[way])
    quietly(net.fit, X, np.digitize(Z[:, 0], [-0.5, 0.5]))
    expected = differences(net.decision_function, new)
    assert_allclose(net.input_gradients(new), expected, rtol=1e-4, atol=1e-5)


@each_way
def test_the_output_layer_of_the_hidden_layer_is_the_prediction(way):
    X, Z = data()
    net = ShallowNNRegressor(**QUICK, **WAYS[way])
    A1 = quietly(net.fit, X, Z).hidden_layer(X)
    assert A1.shape == (len(X), 6 * net.n_estimators_)
    path = X @ net.coefs_[2] if way == "path" else 0
    Z2 = A1 @ net.coefs_[1] + net.intercepts_[1] + path
    assert_allclose(Z2, net.predict(X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [np.array, sparse.csr_array, pd.DataFrame])
@pytest.mark.parametrize("encoding", [None, "piecewise"])
def test_what_is_told_is_as_precise_as_the_question(dtype, make, encoding):
    X, Z = data()
    if make is sparse.csr_array:
        encoding = None
    net = quietly(ShallowNNRegressor(**QUICK, encoding=encoding).fit, make(X), Z)
    X = make(X.astype(dtype))
    assert net.predict(X).dtype == dtype
    assert net.hidden_layer(X).dtype == dtype
    assert net.input_gradients(X).dtype == dtype


def test_labels_have_no_gradient_and_gaps_a_flat_one():
    X, Z = data()
    frame = pd.DataFrame(X, columns=list("abc"[: X.shape[1]]))
    frame["label"] = np.resize(["u", "v"], len(X))
    frame.loc[::4, "a"] = np.nan
    net = quietly(ShallowNNRegressor(**QUICK).fit, frame, Z[:, 0])
    found = net.input_gradients(frame)
    assert np.isnan(found[:, -1]).all()
    assert np.isfinite(found[:, :-1]).all()
    assert not found[::4, 0].any()
    assert found[:, 0].any()
    importances = net.feature_importances_
    assert importances.shape == (frame.shape[1],)
    assert np.isfinite(importances).all()


@given(seed=seeds)
def test_at_a_kink_the_slope_is_the_mean_of_both_sides(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, (40, 2)).astype(float)
    columns = read(table_of(X), None)
    rules = {"n_bins": 4, "quantiles": "rows", "max_categories": 5}
    for clip in (True, False):
        encoding = Encoding.of(columns, **rules, clip=clip)
        h = 1e-7
        ahead, here, behind = (
            encoding.transform(read(table_of(X + s), None)) for s in (h, 0, -h)
        )
        sides = (ahead - here) / h + (here - behind) / h
        assert_allclose(encoding.slopes(columns), sides / 2, atol=1e-6)


def test_sparse_and_dense_columns_have_the_same_inside():
    X, Z = data()
    X[np.abs(X) < 0.5] = 0
    dense, thin = (
        quietly(ShallowNNRegressor(**QUICK, encoding=None).fit, x, Z)
        for x in (X, sparse.csr_array(X))
    )
    A = sparse.csr_array(X)
    close = {"rtol": 1e-3, "atol": 1e-3}
    assert_allclose(thin.input_gradients(A), dense.input_gradients(X), **close)
    assert_allclose(thin.hidden_layer(A), dense.hidden_layer(X), **close)
    assert_allclose(thin.feature_importances_, dense.feature_importances_, **close)


@pytest.mark.parametrize("kind", [ShallowNNClassifier, ShallowNNRegressor])
def test_importances_do_not_depend_on_units_and_find_what_matters(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5))
    y = 3 * X[:, 1] + np.sin(2 * X[:, 3]) > 0
    scale = np.array([1, 1e3, 1e-3, 7.0, 1])
    told = [
        quietly(kind(**QUICK, encoding=None).fit, x, y).feature_importances_
        for x in (X, X * scale + 5)
    ]
    assert_allclose(*told, rtol=1e-3, atol=1e-3)
    assert set(np.argsort(told[0])[-2:]) == {1, 3}
    assert told[0].sum() == pytest.approx(1)
    assert (told[0] >= 0).all()


def test_the_importance_of_a_line_is_its_slope_times_the_spread():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3)) * [1, 2, 5]
    net = ShallowNNRegressor(5, activation="identity", alpha=1e-6, solver="lbfgs")
    net.set_params(encoding=None, random_state=0)
    found = quietly(net.fit, X, X @ [3.0, -1.0, 0.1]).feature_importances_
    expected = np.abs([3.0, -1.0, 0.1]) * X.std(axis=0)
    assert_allclose(found, expected / expected.sum(), rtol=1e-3)


def test_importances_do_not_depend_on_a_period_of_the_rows():
    hour = np.tile(np.arange(10.0), 256)
    X = np.column_stack([hour, np.random.default_rng(0).normal(size=2560)])
    net = ShallowNNRegressor(8, activation="relu", alpha=0.1, solver="lbfgs")
    net.set_params(encoding=None, random_state=0)
    quietly(net.fit, X, 3 * np.maximum(hour - 4.5, 0) + X[:, 1])
    sizes = np.abs(net.input_gradients(X)).mean(axis=0) * X.std(axis=0)
    assert_allclose(net.feature_importances_, sizes / sizes.sum(), atol=0.05)


@pytest.mark.parametrize("has_path", [False, True])
@pytest.mark.parametrize("size", [1, 5, 2**20])
def test_importances_are_the_mean_sizes_of_gradients_whatever_the_blocks(
    size, has_path, monkeypatch
):
    X, Z = data()
    X = sparse.csr_array(np.column_stack([np.where(X > 0, X, 0), np.zeros(len(X))]))
    monkeypatch.setattr("sk_shallow._training.inspection._BLOCK", size)
    net = ShallowNNRegressor(**QUICK, linear_path=has_path, standardize=False)
    found = quietly(net.fit, X, np.tile(Z, 3)).feature_importances_
    sizes = np.abs(net.input_gradients(X)).sum(axis=(0, 1)) * X.toarray().std(axis=0)
    assert_allclose(found, sizes / sizes.sum(), rtol=1e-9)


def test_no_gradient_of_all_columns_by_all_outputs_is_allocated():
    n_samples, n_columns, n_labels, rng = 300, 30_000, 100, np.random.default_rng(0)
    rows = np.repeat(np.arange(n_samples), 100)
    entries = np.ones(n_columns), (rows, rng.permutation(n_columns))
    X = sparse.csr_array(entries, shape=(n_samples, n_columns))
    Y = rng.integers(2, size=(n_samples, n_labels))
    net = ShallowNNClassifier(4, alpha=1.0, max_iter=1, random_state=0)
    tracemalloc.start()
    try:
        net.fit(X, Y)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8 * n_columns * n_labels


def test_importances_of_ard_are_the_relevance():
    X, Z = data()
    net = quietly(ShallowNNRegressor(3, alpha="ard", random_state=0).fit, X, Z[:, 0])
    assert_allclose(net.feature_importances_, net.feature_relevance_)


def test_importances_are_there_after_fit_only():
    X, Z = data()
    net = ShallowNNRegressor(**QUICK)
    assert not hasattr(net, "feature_importances_")
    assert hasattr(quietly(net.fit, X, Z), "feature_importances_")
    net.partial_fit(X, Z)
    with pytest.raises(AttributeError, match="after partial_fit"):
        _ = net.feature_importances_


def test_what_is_constant_matters_to_no_one():
    X = np.column_stack([np.arange(40.0), np.ones(40)])
    net = quietly(ShallowNNRegressor(**QUICK).fit, X, X[:, 0])
    assert net.feature_importances_[1] == 0
    net = quietly(ShallowNNRegressor(**QUICK).fit, X, np.ones(40))
    assert np.isfinite(net.feature_importances_).all()


@pytest.mark.parametrize("make", [np.array, sparse.csr_array])
@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e160, 1e200])
def test_columns_whose_squares_are_no_numbers_have_an_importance(size, make):
    X, Z = data()
    X = np.column_stack([X, size * np.sign(Z[:, 0])])
    net = ShallowNNClassifier(**QUICK, activation="tanh", standardize=False)
    net.set_params(encoding=None)
    importances = quietly(net.fit, make(X), Z[:, 0] > 0).feature_importances_
    is_saturated = size > 1  # and flat
    assert importances.sum() == pytest.approx(0.0 if is_saturated else 1.0)
    assert importances[-1] == pytest.approx(0)


def test_features_are_selected_by_importance():
    X = np.random.default_rng(0).normal(size=(200, 8))
    y = X[:, 0] - 2 * X[:, 1] > 0
    net = ShallowNNClassifier(**{**QUICK, "max_iter": 200}, encoding=None)
    for selector in (
        SelectFromModel(net, max_features=2, threshold=-np.inf),
        RFE(net, n_features_to_select=2),
    ):
        chosen = quietly(selector.fit, X, y).get_support()
        assert_array_equal(np.flatnonzero(chosen), [0, 1])


@parametrize_with_checks([HiddenLayer(ShallowNNClassifier(**QUICK))])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Nothing that was tried:UserWarning")
def test_scikit_learn_checks_of_the_hidden_layer(estimator, check):
    check(estimator)


def test_the_hidden_layer_is_a_step_of_a_pipeline():
    X, Z = data()
    layer = HiddenLayer(ShallowNNRegressor(**QUICK)).set_output(transform="pandas")
    model = make_pipeline(layer, ShallowNNRegressor(**QUICK))
    quietly(model.fit, X, Z[:, 0])
    names = model[:-1].get_feature_names_out()
    assert_array_equal(names, [f"hiddenlayer{i}" for i in range(6)])
    assert list(model[0].transform(X).columns) == list(names)


def test_a_frozen_network_is_not_trained_again():
    X, Z = data()
    net = quietly(ShallowNNRegressor(**QUICK).fit, X, Z)
    layer = HiddenLayer(FrozenEstimator(net)).fit(X, Z)
    assert_array_equal(layer.transform(X), net.hidden_layer(X))


def test_the_hidden_layer_knows_the_columns_of_its_last_fit_only():
    X, Z = data()
    frame = pd.DataFrame(X).add_prefix("x")
    layer = HiddenLayer(ShallowNNRegressor(**QUICK))
    assert not hasattr(layer, "n_features_in_")
    assert_array_equal(quietly(layer.fit, frame, Z).feature_names_in_, frame.columns)
    assert quietly(layer.fit, X[:, :1], Z).n_features_in_ == 1
    assert not hasattr(layer, "feature_names_in_")


def test_metadata_reach_the_network_of_the_hidden_layer():
    X, Z = data()
    w = np.arange(len(X)) % 3
    net = ShallowNNRegressor(**QUICK)
    expected = quietly(HiddenLayer(net).fit, X, Z, sample_weight=w).transform(X)
    with config_context(enable_metadata_routing=True):
        for name, request in (("sample_weight", True), ("w", "w")):
            layer = HiddenLayer(net.set_fit_request(sample_weight=request))
            model = make_pipeline(layer, KNeighborsRegressor())
            quietly(model.fit, X, Z, **{name: w})
            assert_array_equal(model[0].transform(X), expected)
        net.set_fit_request(sample_weight=True)
        assert_array_equal(
            quietly(layer.fit, X, Z, sample_weight=w).transform(X), expected
        )
