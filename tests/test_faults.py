import pickle

import numpy as np
import pytest
from scipy.special import log_expit, log_softmax
from sklearn.datasets import load_breast_cancer, load_diabetes, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_score, train_test_split

from sk_shallow import Activation, Identity, ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._model.layout import Layout
from sk_shallow._model.losses import SquaredError
from sk_shallow._model.objective import Objective
from sk_shallow._solvers import SOLVERS

FULL_BATCH = [{"solver": "gd"}, {"solver": "lbfgs"}, {"batch_size": 10**6}]
QUICK = {"gd": {"max_iter": 200, "learning_rate_init": 0.1}}
unconverged = pytest.mark.filterwarnings(
    "ignore:max_iter=.* iterations were reached:sklearn.exceptions.ConvergenceWarning"
)


@pytest.fixture(scope="module")
def diabetes():
    return train_test_split(*load_diabetes(return_X_y=True), random_state=0)


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return train_test_split(X / X.std(axis=0), y, random_state=0)


def made(kind, n_hidden, **parameters):
    """An estimator for which nothing is left to choose; "lm" finds α."""
    alpha = None if parameters.get("solver") == "lm" else 1.0
    return kind(n_hidden, **{"alpha": alpha, **parameters})


def parameter_bytes(estimator):
    return sum(w.nbytes for w in estimator.coefs_ + estimator.intercepts_)


def test_d01_several_outputs_reach_least_squares():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    Y = X @ rng.normal(size=(4, 3)) + rng.normal(size=(80, 3)) + [1, 2, 3]
    design = np.column_stack([np.ones(80), X])
    expected = design @ np.linalg.lstsq(design, Y, rcond=None)[0]
    network = made(
        ShallowNNRegressor,
        6,
        activation="identity",
        solver="lbfgs",
        alpha=0.0,
        tol=0.0,
        random_state=0,
    )
    np.testing.assert_allclose(network.fit(X, Y).predict(X), expected, atol=1e-4)


@pytest.mark.parametrize("n_outputs", [1, 2, 5])
def test_d01_gradient_does_not_grow_with_the_number_of_outputs(n_outputs):
    rng = np.random.default_rng(0)
    layout = Layout(3, 4, n_outputs)
    X = np.column_stack([np.ones(20), rng.normal(size=(20, 3))])
    Y, theta = rng.normal(size=(n_outputs, 20)), rng.normal(size=layout.size)
    J = Objective(layout, Identity(), SquaredError(), X, Y, alpha=1.0)
    gradient = J.value_and_grad(theta)[1]
    step = rng.normal(size=layout.size)
    difference = (J.value(theta + 1e-5 * step) - J.value(theta - 1e-5 * step)) / 2e-5
    np.testing.assert_allclose(gradient @ step, difference, rtol=1e-7)


def fits(solver):
    """What makes a fit: a network by this solver, or all that is chosen by default."""
    if solver == "default":
        return None, {"random_state": 0}
    options = {"solver": solver, "random_state": 0, **QUICK.get(solver, {})}
    return (8, options) if solver == "lm" else (20, options | {"alpha": 30.0})


@pytest.mark.slow
@unconverged
@pytest.mark.parametrize("solver", [*SOLVERS, "default"])
def test_d02_scale_of_y_changes_nothing(solver, diabetes):
    X, X_test, y, y_test = diabetes
    n_hidden, options = fits(solver)
    found = []
    for factor in (1.0, 1e-6, 1e6):
        network = ShallowNNRegressor(n_hidden, **options).fit(X, factor * y)
        found.append((network.score(X_test, factor * y_test), network.n_iter_))
    scores, n_iter = np.transpose(found)
    assert scores[0] > 0.25
    np.testing.assert_allclose(scores, scores[0], atol=1e-3)
    np.testing.assert_allclose(n_iter, n_iter[0], atol=5)


@pytest.mark.slow
@unconverged
@pytest.mark.parametrize("solver", [*SOLVERS, "default"])
def test_d03_offset_of_X_changes_nothing(solver, diabetes, cancer):
    for kind, (X, X_test, y, y_test), low in (
        (ShallowNNRegressor, diabetes, 0.25),
        (ShallowNNClassifier, cancer, 0.93),
    ):
        n_hidden, options = fits(solver)
        plain = kind(n_hidden, **options).fit(X, y)
        moved = kind(n_hidden, **options).fit(X + 1e6, y)
        score = plain.score(X_test, y_test)
        assert score > low
        assert abs(moved.score(X_test + 1e6, y_test) - score) < 1e-3
        assert abs(moved.n_iter_ - plain.n_iter_) <= 5


@pytest.mark.parametrize("solver", ["sgd", "gd"])
def test_d04_divergence_backs_off_and_says_so(solver):
    X, y = make_regression(200, 5, noise=1.0, random_state=0)
    y *= 1e6 / np.abs(y).max()
    network = made(
        ShallowNNRegressor, 20, solver=solver, standardize=False, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="diverged.*rate"):
        network.fit(X, y)
    assert all(np.isfinite(w).all() for w in network.coefs_ + network.intercepts_)
    assert np.isfinite(network.predict(X)).all()
    assert np.isfinite([network.loss_, *network.loss_curve_]).all()
    assert np.mean((network.predict(X) - y) ** 2) <= np.mean(y**2)


@unconverged
@pytest.mark.parametrize("options", FULL_BATCH)
def test_d05_best_iterate_is_kept(options):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=60)
    network = made(
        ShallowNNRegressor,
        10,
        alpha=0.5,
        max_iter=40,
        standardize=False,
        random_state=0,
        **options,
    ).fit(X, y)
    assert network.loss_ == min(network.loss_curve_)
    penalty = 0.5 * sum(np.sum(W**2) for W in network.coefs_)
    J = (0.5 * np.sum((network.predict(X) - y) ** 2) + 0.5 * penalty) / len(y)
    np.testing.assert_allclose(J, network.loss_, rtol=1e-9)


@pytest.mark.parametrize("kind", [ShallowNNClassifier, ShallowNNRegressor])
def test_d06_no_partial_fit_where_the_solver_cannot(kind):
    for solver, solver_kind in SOLVERS.items():
        assert hasattr(kind(solver=solver), "partial_fit") is solver_kind.incremental
    assert hasattr(kind(), "partial_fit")
    lbfgs = kind(solver="lbfgs")
    with pytest.raises(AttributeError, match=r"partial_fit") as caught:
        _ = lbfgs.partial_fit
    assert "lbfgs" in f"{caught.value} {caught.value.__cause__}"


class Recorder(Activation):
    """Identity, which remembers the first column of all that it has seen."""

    def __init__(self):
        self.seen = []

    def forward(self, Z, out=None):
        self.seen.append(np.array(Z[:, 0], copy=True))
        return np.positive(Z, out=out)

    def slope(self, A, out=None):
        out = np.empty_like(A) if out is None else out
        out.fill(1)
        return out


def test_d07_every_partial_fit_shuffles_afresh():
    X = np.arange(64.0)[:, None]
    recorder = Recorder()
    network = made(
        ShallowNNRegressor,
        1,
        activation=recorder,
        alpha=0.0,
        batch_size=16,
        learning_rate_init=1e-12,
        random_state=0,
    )
    orders = []
    for _ in range(3):
        recorder.seen.clear()
        network.partial_fit(X, X[:, 0])
        batches = [z for z in recorder.seen if len(z) == 16]
        ranks = np.argsort(np.argsort(np.concatenate(batches)))
        orders.append(tuple(ranks))
    assert all(sorted(order) == list(range(64)) for order in orders)
    assert len(set(orders)) == 3


def test_d08_warm_start_notices_another_width(diabetes):
    X, _, y, _ = diabetes
    network = made(ShallowNNRegressor, 10, warm_start=True, max_iter=3, random_state=0)
    network.fit(X, y).set_params(n_hidden=20)
    with pytest.warns(UserWarning, match="starts afresh"):
        network.fit(X, y)
    assert network.coefs_[0].shape == (X.shape[1], 20)
    assert network.coefs_[1].shape == (20, 1)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_d08_solver_state_is_kept(method, diabetes):
    X, _, y, _ = diabetes
    network = made(ShallowNNRegressor, 10, warm_start=True, random_state=0)
    if method == "fit":
        network.set_params(max_iter=2)
    n_steps = []
    for _ in range(3):
        getattr(network, method)(X, y)
        n_steps.append(network._progress.solver_state.n_steps)
    assert n_steps[0] > 0
    assert n_steps == [n_steps[0], 2 * n_steps[0], 3 * n_steps[0]]


@pytest.mark.parametrize("solver", SOLVERS)
def test_d09_early_stopping_with_every_solver(solver, diabetes):
    X, _, y, _ = diabetes
    network = made(
        ShallowNNRegressor,
        30,
        solver=solver,
        alpha=0.0,
        max_iter=400,
        early_stopping=True,
        n_iter_no_change=5,
        random_state=0,
    ).fit(X, y)
    assert len(network.validation_scores_) == network.n_iter_ < 400
    best = int(np.argmax(network.validation_scores_))
    assert network.loss_ == network.loss_curve_[best]


@pytest.mark.parametrize("parameters", [{"n_hidden": 4, "alpha": 1.0}, {}], ids=str)
def test_d10_one_class_has_one_column_of_ones(parameters):
    X = np.random.default_rng(0).normal(size=(30, 2))
    network = ShallowNNClassifier(random_state=0, **parameters).fit(X, ["only"] * 30)
    np.testing.assert_array_equal(network.predict_proba(X), np.ones((30, 1)))
    np.testing.assert_array_equal(network.predict_log_proba(X), np.zeros((30, 1)))
    np.testing.assert_array_equal(network.predict(X), ["only"] * 30)


def test_d10_one_number_is_predicted():
    X = np.random.default_rng(0).normal(size=(30, 2))
    network = ShallowNNRegressor(random_state=0).fit(X, [0.3] * 30)
    np.testing.assert_allclose(network.predict(X), 0.3, rtol=1e-3)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_d11_log_probabilities_at_extreme_logits(n_classes, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3)).astype(dtype)
    network = made(ShallowNNClassifier, 8, random_state=0).fit(
        X, np.arange(80) % n_classes
    )
    network.coefs_ = [W * dtype(1e3) for W in network.coefs_]
    logits = network.decision_function(X)
    assert np.abs(logits).max() > 1e4
    if n_classes == 2:
        expected = log_expit(np.column_stack([-logits, logits]))
    else:
        expected = log_softmax(logits, axis=1)
    found = network.predict_log_proba(X)
    assert np.isfinite(found).all()
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(found, expected, rtol=10 * eps, atol=eps)


def test_d12_early_stopping_with_a_class_of_one_row(cancer):
    X, _, y, _ = cancer
    y = np.where(np.arange(len(y)) == 7, 2, y)
    network = made(ShallowNNClassifier, 8, early_stopping=True, random_state=0).fit(
        X, y
    )
    assert list(network.classes_) == [0, 1, 2]
    assert network.score(X, y) > 0.9


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_d13_pickle_holds_no_buffers(solver, method):
    if method == "partial_fit" and not SOLVERS[solver].incremental:
        method = "fit"
    rng = np.random.default_rng(0)
    is_large = SOLVERS[solver].incremental
    X, y = rng.normal(size=(50, 400 if is_large else 4)), rng.normal(size=50)
    options = {} if method == "partial_fit" else {"max_iter": 2, "tol": 1e3}
    options["n_iter_no_change"] = 1
    n_hidden = 500 if is_large else 20
    network = made(
        ShallowNNRegressor, n_hidden, solver=solver, random_state=0, **options
    )
    getattr(network, method)(X, y)
    pickled, size = pickle.dumps(network), parameter_bytes(network)
    posterior = size**2 // 16 + 10 * size if solver == "lm" else 0
    # All 50 samples are one batch: the moments, to go on with, are in double precision.
    n_moments = SOLVERS[solver].n_moments if method == "partial_fit" else 0
    assert len(pickled) <= 1.3 * size + n_moments * size + posterior + 10_000
    np.testing.assert_array_equal(pickle.loads(pickled).predict(X), network.predict(X))


@pytest.mark.parametrize("kind", [ShallowNNClassifier, ShallowNNRegressor])
def test_d14_the_width_is_the_only_positional_parameter(kind):
    assert kind(50).n_hidden == 50
    with pytest.raises(TypeError, match="positional"):
        kind(50, "relu")


def test_d15_partial_fit_needs_no_scaler(diabetes):
    X, X_test, y, y_test = diabetes
    scales = 10.0 ** np.arange(-5, 5)
    scores = []
    for scale, shift, unit in ((1.0, 0.0, 1.0), (scales, 1e3 * scales, 1e6)):
        network = made(ShallowNNRegressor, 20, learning_rate_init=0.01, random_state=0)
        for _ in range(15):
            for batch in np.array_split(np.arange(len(X)), 4):
                network.partial_fit(scale * X[batch] + shift, unit * y[batch])
        scores.append(network.score(scale * X_test + shift, unit * y_test))
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    assert scores[0] > 0.25


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("patience", [1, 2, 7])
def test_d16_patience_is_exact(solver, patience, diabetes):
    X, _, y, _ = diabetes
    scores = iter([0.1, 0.2, 0.3, *np.linspace(0.29, 0.0, 30)])
    network = made(
        ShallowNNRegressor,
        5,
        solver=solver,
        early_stopping=True,
        scoring=lambda *_: next(scores),
        n_iter_no_change=patience,
        random_state=0,
        **{"max_iter": 30} | QUICK.get(solver, {}),
    ).fit(X, y)
    assert network.n_iter_ == 3 + patience
    assert max(network.validation_scores_) == network.validation_scores_[2] == 0.3


@pytest.mark.slow
def test_d17_diabetes_as_it_comes():
    X, y = load_diabetes(return_X_y=True)
    ridge = cross_val_score(RidgeCV(np.logspace(-3, 3, 13)), X, y).mean()
    ours = cross_val_score(ShallowNNRegressor(random_state=0), X, y).mean()
    assert ours >= ridge - 0.02
