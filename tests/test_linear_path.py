"""The linear path past the hidden layer, from the estimators' side."""

import pickle

import numpy as np
import pytest
from _curves import quietly, two_curves
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._solvers import SOLVERS

any_solver = pytest.mark.parametrize("solver", SOLVERS)
QUICK = {"n_hidden": 4, "alpha": 1.0, "random_state": 0, "activation": "tanh"}


def data(n_samples=150, seed=0):
    X, Z = two_curves(n_samples, seed)
    return X, 3 * X[:, 0] + Z[:, 0]


def fitted(X, y, kind=ShallowNNRegressor, **parameters):
    return quietly(kind(**{**QUICK, "linear_path": True, **parameters}).fit, X, y)


def formula(model, X):
    """Z2, by the fitted attributes."""
    (W1, W2, V), (b1, b2) = model.coefs_, model.intercepts_
    return np.tanh(X @ W1 + b1) @ W2 + X @ V + b2


@any_solver
@pytest.mark.parametrize("n_estimators", [1, 3])
def test_the_attributes_give_the_prediction(solver, n_estimators):
    X, y = data()
    Y = np.column_stack([y, X[:, 1]])
    net = fitted(X, Y, solver=solver, n_estimators=n_estimators, max_iter=20)
    assert net.coefs_[2].shape == (X.shape[1], 2)
    assert net.coefs_[2].any()
    assert_allclose(net.predict(X), formula(net, X), rtol=1e-9, atol=1e-9)


def test_without_it_there_are_two_matrices():
    net = fitted(*data(), linear_path=False, max_iter=3)
    assert len(net.coefs_) == 2


def test_where_the_units_are_held_at_zero_it_is_ridge_regression():
    X, y = data()
    # "zeros" keeps W1 and W2 at 0: nothing flows through the hidden layer.
    how = {"solver": "lbfgs", "init": "zeros", "alpha": 5.0, "standardize": False}
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    net = fitted(X, y, **how, tol=0.0)
    ridge = Ridge(alpha=5.0).fit(X, y)
    assert_allclose(net.coefs_[2][:, 0], ridge.coef_, rtol=1e-4)
    assert_allclose(net.predict(X), ridge.predict(X), rtol=1e-4, atol=1e-4)
    labels = (y > 0).astype(int)
    net = fitted(X, labels, ShallowNNClassifier, **how, tol=0.0)
    linear = LogisticRegression(C=1 / 5.0, tol=1e-8).fit(X, labels)
    expected = linear.predict_proba(X)
    assert_allclose(net.predict_proba(X), expected, rtol=1e-3, atol=1e-3)


@any_solver
def test_a_line_goes_on_far_outside(solver):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (200, 1))
    how = {"n_hidden": 5, "alpha": 1e-3, "solver": solver, "max_iter": 300}
    straight, bent = (
        fitted(X, 5 * X[:, 0], **how, linear_path=path).predict([[10.0]])
        for path in (True, False)
    )
    assert abs(straight - 50) < abs(bent - 50)


def test_members_and_weights_by_hand_go_on():
    X, y = data()
    net = fitted(X, y, n_estimators=3, max_iter=10, warm_start=True)
    net.coefs_[2] = net.coefs_[2] + 0.25
    assert_allclose(net.predict(X), formula(net, X)[:, 0])
    before = net.predict(X)
    again = pickle.loads(pickle.dumps(net))
    assert_array_equal(again.predict(X), before)
    net.set_params(learning_rate_init=1e-12, max_iter=1, solver="adam")
    quietly(net.fit, X, y)
    assert_allclose(net.predict(X), before, rtol=1e-4, atol=1e-4)


def test_weights_of_other_shapes_are_refused():
    X, y = data()
    net = fitted(X, y, max_iter=3)
    net.coefs_ = net.coefs_[:2]
    with pytest.raises(ValueError, match="must have the shapes"):
        net.predict(X)


def test_sparse_columns_have_the_same_path():
    X, y = data()
    X[np.abs(X) < 0.5] = 0
    told = [
        fitted(x, y, max_iter=5, encoding=None).predict(X)
        for x in (X, sparse.csr_array(X))
    ]
    assert_allclose(*told, rtol=1e-3, atol=1e-3)


def test_a_warm_start_with_or_without_it_is_another_network():
    X, y = data()
    net = fitted(X, y, max_iter=3, warm_start=True)
    with pytest.warns(UserWarning, match="training starts afresh"):
        net.set_params(linear_path=False).fit(X, y)
    assert len(net.coefs_) == 2


@pytest.mark.slow
def test_it_stands_in_the_table_of_the_race():
    X, y = data()
    net = quietly(ShallowNNRegressor(linear_path=True, random_state=0).fit, X, y)
    assert set(net.search_results_["linear_path"]) == {True}
    assert_allclose(net.predict(X).shape, y.shape)
    mean, std = net.predict(X, return_std=True)
    low, high = net.predict_interval(X).T
    assert ((low < mean) & (mean < high) & (std > 0)).all()
