"""What the lecture notes say of networks with one hidden layer."""

import warnings

import numpy as np
import pytest
from _flower import planar_flower
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._model.layout import Layout
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow._model.penalty import Penalty
from sk_shallow._solvers import SOLVERS
from sk_shallow.activations import ACTIVATIONS

LINEAR = {
    "activation": "identity",
    "solver": "lbfgs",
    "alpha": 0.0,
    "tol": 1e-12,
    "max_iter": 5000,
    "random_state": 0,
}


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_hidden", [2, 8])
def test_a_linear_hidden_layer_adds_nothing_to_logistic_regression(n_classes, n_hidden):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((300, 4)) * [1, 5, 0.2, 1] + 2
    scores = X @ rng.standard_normal((4, n_classes)) + 2 * rng.gumbel(
        size=(300, n_classes)
    )
    y = scores.argmax(axis=1)
    network = ShallowNNClassifier(n_hidden, **LINEAR).fit(X, y)
    # So weak a penalty is none: its part in the loss is below the tolerance.
    linear = LogisticRegression(C=1e9, solver="newton-cg", tol=1e-10).fit(X, y)
    expected = log_loss(y, linear.predict_proba(X))
    assert network.loss_ == pytest.approx(expected, rel=1e-6)
    assert log_loss(y, network.predict_proba(X)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_linear_hidden_layer_adds_nothing_to_least_squares(n_outputs):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((200, 5)) * [1, 5, 0.2, 1, 3] + 2
    Y = X @ rng.standard_normal((5, n_outputs)) + rng.standard_normal((200, n_outputs))
    network = ShallowNNRegressor(6, **LINEAR).fit(X, Y if n_outputs > 1 else Y[:, 0])
    design = np.column_stack([np.ones(200), X])
    expected = design @ np.linalg.lstsq(design, Y, rcond=None)[0]
    np.testing.assert_allclose(
        network.predict(X).reshape(Y.shape), expected, rtol=1e-4, atol=1e-4
    )


def fit_on_the_flower(activation, solver, init):
    X, y = planar_flower()
    network = ShallowNNClassifier(
        4,
        activation=activation,
        solver=solver,
        init=init,
        alpha=0.0,
        learning_rate_init=None if solver in ("lbfgs", "lm") else 0.1,
        max_iter=60,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(X, y)
    W1, W2 = network.coefs_
    return np.vstack([network.intercepts_[0], W1, W2.T])


def spread(units):
    """The largest difference between the weights of two hidden units."""
    return np.ptp(units, axis=1).max()


any_solver = pytest.mark.parametrize("solver", SOLVERS)
any_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


@any_solver
@any_activation
def test_zero_weights_never_break_symmetry(activation, solver):
    units = fit_on_the_flower(activation, solver, "zeros")
    assert spread(units) <= 1e-5 * np.abs(units).max() + 1e-12


@any_solver
@any_activation
def test_small_random_weights_break_symmetry(activation, solver):
    units = fit_on_the_flower(activation, solver, "normal")
    assert spread(units) > 1e-2 * np.abs(units).max() > 1e-6


@any_solver
@pytest.mark.parametrize("activation", ["logistic", "softplus"])
def test_units_that_start_equal_learn_and_stay_equal(activation, solver):
    X, y = planar_flower()
    X, Y = np.column_stack([np.ones(400), X])[100:300], y[None, 100:300] * 1.0
    Y[:, :20] = 1
    layout, g = Layout(2, 4, 1), ACTIVATIONS[activation]
    penalty = {"alpha": 1.0, "penalty": Penalty.of(layout, 1.0)}
    objective = Objective(layout, g, OUTPUT_UNITS["logistic"], X, Y, **penalty)
    theta = np.zeros(layout.size)
    start = objective.value(theta)
    few = {"max_iter": 5} if solver == "lm" else {}
    SOLVERS[solver](**few).sized(200, layout, None).solve(
        objective,
        theta,
        on_iteration=lambda *_: False,
        rng=np.random.default_rng(0),
    )
    window = layout.view(theta)
    units = np.vstack([window.H, window.W2T])
    assert objective.value(theta) < 0.98 * start
    assert np.abs(units).max(axis=1).min() > 0
    assert spread(units) <= 1e-5 * np.abs(units).max()


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_zero_weights_do_not_learn_where_zero_goes_to_zero(activation):
    units = fit_on_the_flower(activation, "gd", "zeros")
    np.testing.assert_array_equal(units, 0)


def test_four_tanh_units_learn_the_flower_and_a_line_does_not():
    X, y = planar_flower()
    network = ShallowNNClassifier(
        4,
        activation="tanh",
        solver="gd",
        alpha=0.0,
        learning_rate_init=0.5,
        max_iter=3000,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(X, y)
    assert network.score(X, y) >= 0.88
    assert LogisticRegression(solver="newton-cg").fit(X, y).score(X, y) < 0.6
