"""Stopping, warm starts and partial_fit."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from _curves import quietly
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_squared_error, r2_score

from sk_shallow import Activation, ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._data.scaling import Standardizer, unfold
from sk_shallow._solvers import SOLVERS
from sk_shallow._training.recipe import ENCODINGS

ESTIMATORS = [ShallowNNClassifier, ShallowNNRegressor]
INCREMENTAL = [name for name, kind in SOLVERS.items() if kind.incremental]

each_estimator = pytest.mark.parametrize("Estimator", ESTIMATORS)
each_solver = pytest.mark.parametrize("solver", SOLVERS)
each_incremental = pytest.mark.parametrize("solver", INCREMENTAL)
each_size = pytest.mark.parametrize("n", [50, 600], ids=["one batch", "minibatches"])


def example(Estimator, n=50, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = 50 + 5 * np.tanh(X[:, 0]) + 3 * X[:, 1] + 0.3 * rng.normal(size=n)
    return X, np.digitize(y, [48, 52]) if Estimator is ShallowNNClassifier else y


def made(Estimator, n_hidden, **parameters):
    """An estimator for which nothing is left to choose; "lm" finds α."""
    alpha = None if parameters.get("solver") == "lm" else 1.0
    return Estimator(n_hidden, **{"alpha": alpha, **parameters})


# Full steps of the default size diverge on small regressions, and say so.
def rate_of(solver):
    return {"learning_rate_init": 0.1} if solver == "gd" else {}


def prediction(model, X):
    return getattr(model, "predict_proba", model.predict)(X)


def network_score(model, X, y, sample_weight=None):
    return model.score(X, y, sample_weight)


class ScriptedScores:
    """A scorer that reads its scores from a list, and copies what it is shown."""

    def __init__(self, scores):
        self.scores, self.seen = scores, []

    def __call__(self, model, X, y):
        self.seen.append(model.predict(X))
        return self.scores[min(len(self.seen), len(self.scores)) - 1]


@pytest.mark.slow
@pytest.mark.parametrize("given", [True, False], ids=["X_val", "held out"])
@pytest.mark.parametrize("scoring", ["loss", "name", network_score])
@each_solver
@each_estimator
def test_early_stopping_with_every_solver_and_scoring(
    Estimator, solver, scoring, given
):
    X, y = example(Estimator, 300)
    if scoring == "name":
        scoring = "accuracy" if Estimator is ShallowNNClassifier else "r2"
    model = made(
        Estimator,
        50,
        solver=solver,
        scoring=scoring,
        early_stopping=True,
        random_state=0,
    )
    model.set_params(max_iter=60, tol=1e-3, **rate_of(solver))
    validation = {"X_val": X[200:], "y_val": y[200:]} if given else {}
    quietly(model.fit, X[:200], y[:200], **validation)
    assert len(model.validation_scores_) == model.n_iter_
    assert model.score(X, y) > 0.5
    if given and scoring != "loss":
        best = model.score(X[200:], y[200:])
        np.testing.assert_allclose(max(model.validation_scores_), best, rtol=1e-12)


@each_size
@each_solver
@each_estimator
def test_the_kept_network_has_the_best_validation_loss(Estimator, solver, n):
    X, y = example(Estimator, n)
    X_val, y_val = example(Estimator, 80, seed=1)
    w = np.arange(80.0) % 4
    model = made(Estimator, 10, solver=solver, early_stopping=True, random_state=0)
    model.set_params(max_iter=40)
    quietly(model.fit, X, y, X_val=X_val, y_val=y_val, sample_weight_val=w)
    if Estimator is ShallowNNClassifier:
        loss = log_loss(y_val, model.predict_proba(X_val), sample_weight=w)
    else:
        loss = mean_squared_error(y_val, model.predict(X_val), sample_weight=w)
        loss /= 2 * y.var()
    np.testing.assert_allclose(-max(model.validation_scores_), loss, rtol=1e-4)


@each_solver
@each_estimator
def test_the_loss_is_that_of_the_kept_network(Estimator, solver):
    X, y = example(Estimator)
    y = y if Estimator is ShallowNNClassifier else y - 50
    model = made(
        Estimator, 5, solver=solver, alpha=0.3, standardize=False, random_state=0
    )
    rate = {"learning_rate_init": 0.01} if SOLVERS[solver].incremental else {}
    quietly(model.set_params(max_iter=7, **rate).fit, X, y)
    assert model.loss_ == min(model.loss_curve_)
    if Estimator is ShallowNNClassifier:
        data = log_loss(y, model.predict_proba(X))
    else:
        data = mean_squared_error(y, model.predict(X)) / 2
    penalty = 0.3 / 2 / len(y) * sum((W**2).sum() for W in model.coefs_)
    np.testing.assert_allclose(model.loss_, data + penalty, rtol=1e-9)


@pytest.mark.parametrize("best", [1, 4])
@pytest.mark.parametrize("patience", [1, 2, 5])
@each_solver
@each_estimator
def test_patience_is_exact_and_the_best_iterate_is_kept(
    Estimator, solver, patience, best
):
    X, y = example(Estimator)
    scorer = ScriptedScores([*range(1, best + 1), 0])
    model = made(
        Estimator, 5, solver=solver, scoring=scorer, early_stopping=True, tol=0.01
    )
    model.set_params(max_iter=50, n_iter_no_change=patience, random_state=0)
    model.set_params(**rate_of(solver)).fit(X, y, X_val=X, y_val=y)
    assert model.n_iter_ == best + patience == len(model.validation_scores_)
    np.testing.assert_array_equal(model.predict(X), scorer.seen[best - 1])


@pytest.mark.parametrize(("scale", "n_iter"), [(1, 20), (1e-9, 20), (1e9, 20)], ids=str)
@each_solver
def test_the_tolerance_is_relative_and_slow_progress_adds_up(solver, scale, n_iter):
    X, y = example(ShallowNNRegressor)
    slow = [-scale * 0.96**i for i in range(15)] + [-scale]
    model = made(
        ShallowNNRegressor,
        5,
        solver=solver,
        scoring=ScriptedScores(slow),
        early_stopping=True,
        tol=0.1,
    )
    model.set_params(max_iter=50, n_iter_no_change=7, random_state=0)
    model.set_params(**rate_of(solver))
    model.fit(X, y, X_val=X, y_val=y)
    # Improvements of a tenth are reached every third iteration: 0, 3, 6, 9 and 12.
    assert model.n_iter_ == n_iter


@pytest.mark.parametrize("scoring", ["loss", network_score])
@each_estimator
def test_validation_weights_are_honoured(Estimator, scoring):
    X, y = example(Estimator, 90)
    w = np.arange(60) % 3
    model = made(
        Estimator, 5, early_stopping=True, scoring=scoring, max_iter=9, random_state=0
    )
    curves = [
        model.fit(X[:30], y[:30], **validation).validation_scores_
        for validation in (
            {"X_val": X[30:], "y_val": y[30:], "sample_weight_val": w},
            {"X_val": np.repeat(X[30:], w, axis=0), "y_val": np.repeat(y[30:], w)},
        )
    ]
    np.testing.assert_allclose(*curves, rtol=1e-9)


@pytest.mark.parametrize("early_stopping", [True, False])
@each_solver
@each_estimator
def test_verbose_prints_a_line_per_iteration(Estimator, solver, early_stopping, capsys):
    X, y = example(Estimator)
    model = made(Estimator, 5, solver=solver, max_iter=4, early_stopping=early_stopping)
    quietly(model.fit, X, y)
    assert capsys.readouterr().out == ""
    quietly(model.set_params(verbose=True).fit, X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_
    for line, loss in zip(lines, model.loss_curve_, strict=True):
        assert line.startswith("Iteration ")
        assert " of 4, " in line or solver == "lm"
        assert f"{loss:.8f}" in line
        assert ("score" in line) is early_stopping


def test_verbose_tells_the_members_apart(capsys):
    X, y = example(ShallowNNRegressor)
    model = made(ShallowNNRegressor, 3, solver="lbfgs", n_estimators=2, max_iter=3)
    quietly(model.set_params(verbose=True).fit, X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", loss")[0] for line in lines] == [
        f"Member {i} of 2, iteration {k} of 3" for i in (1, 2) for k in (1, 2, 3)
    ]


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
@each_estimator
def test_a_budget_that_does_not_suffice_warns(Estimator, solver):
    X, y = example(Estimator)
    model = made(Estimator, 5, solver=solver, max_iter=2, **rate_of(solver))
    with pytest.warns(ConvergenceWarning, match="max_iter=2 iterations"):
        model.fit(X, y)


@each_size
@each_incremental
@each_estimator
def test_a_warm_start_goes_on_from_the_fitted_function(Estimator, solver, n):
    X, y = example(Estimator, n)
    model = made(
        Estimator, 5, solver=solver, max_iter=5, warm_start=True, random_state=0
    )
    before = prediction(quietly(model.fit, X, y), X)
    moved, y_moved = example(Estimator, n, seed=1)
    y_moved = y_moved if Estimator is ShallowNNClassifier else 3 * y_moved
    model.set_params(learning_rate_init=1e-12, max_iter=1)
    if solver == "sgd":
        model.set_params(momentum=0.0)
    quietly(model.fit, 2 * moved + 1, y_moved)
    np.testing.assert_allclose(prediction(model, X), before, rtol=1e-4, atol=1e-6)
    assert model.n_iter_ == 1


@each_solver
@each_estimator
def test_a_warm_start_lowers_the_loss_further(Estimator, solver):
    X, y = example(Estimator)
    model = made(
        Estimator, 5, solver=solver, max_iter=10, warm_start=True, random_state=0
    )
    model.set_params(alpha=1.0)
    quietly(model.fit, X, y)
    first = model.loss_curve_
    quietly(model.fit, X, y)
    assert model.loss_curve_[0] < first[0]
    assert model.loss_ < min(first)


@each_estimator
@pytest.mark.parametrize("change", ["n_hidden", "target", "features"])
def test_a_warm_start_with_another_shape_starts_afresh_and_says_so(Estimator, change):
    X, y = example(Estimator)
    model = made(Estimator, 5, warm_start=True, max_iter=5, random_state=0).fit(X, y)
    n_hidden = 6 if change == "n_hidden" else 5
    if change == "target":
        y = y + 7 if Estimator is ShallowNNClassifier else np.column_stack([y, -y])
    X = X[:, :2] if change == "features" else X
    with pytest.warns(UserWarning, match="afresh"):
        model.set_params(n_hidden=n_hidden).fit(X, y)
    fresh = made(Estimator, n_hidden, max_iter=5, random_state=0).fit(X, y)
    np.testing.assert_array_equal(prediction(model, X), prediction(fresh, X))


def test_a_warm_start_goes_on_with_another_solver():
    X, y = example(ShallowNNRegressor)
    model = made(ShallowNNRegressor, 5, warm_start=True, random_state=0, alpha=1).fit(
        X, y
    )
    before = model.loss_
    model.set_params(solver="lbfgs", max_iter=30)
    assert quietly(model.fit, X, y).loss_curve_[-1] < before
    assert model.solver_ == "lbfgs"


@each_incremental
@each_estimator
def test_a_stream_has_the_means_and_spreads_of_all_that_it_has_seen(Estimator, solver):
    X, y = example(Estimator, 60)
    w = np.random.default_rng(1).uniform(1, 3, 60)
    model = made(Estimator, 5, solver=solver, random_state=0)
    if Estimator is ShallowNNClassifier:
        model.partial_fit(X[:7], y[:7], sample_weight=w[:7], classes=[0, 1, 2])
    else:
        model.partial_fit(X[:7], y[:7], sample_weight=w[:7])
    model.partial_fit(X[7:8], y[7:8], sample_weight=w[7:8])
    model.partial_fit(X[8:], y[8:], sample_weight=w[8:])
    seen, whole = model._plan.x, Standardizer.of(X, w, model._plan.x.spread)
    assert_allclose(seen.mean, whole.mean, atol=1e-12)
    assert_allclose(seen.scale, whole.scale, rtol=1e-10)


@each_incremental
@each_estimator
def test_weights_keep_their_meaning_in_standardised_units(Estimator, solver):
    X, y = example(Estimator)
    model = made(Estimator, 5, solver=solver, max_iter=5, random_state=0)
    quietly(model.fit, X, y)

    def standardised():
        (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
        V = np.zeros((0, len(b2)))
        return unfold(b1, W1, W2, b2, V, model._plan.x, model._plan.y)

    before = standardised()
    model.set_params(learning_rate_init=1e-12)
    if solver == "sgd":
        model.set_params(momentum=0.0)
    y = y if Estimator is ShallowNNClassifier else 100 * y - 7
    model.partial_fit(5 * X + 3, y)
    for now, then in zip(standardised(), before, strict=True):
        assert_allclose(now, then, rtol=1e-4, atol=1e-5)


def score_of_a_stream(solver, sizes, scale=lambda i: 1.0, unit=1.0):
    """R² on the last of the distributions, whose scale may change with the calls."""
    rng = np.random.default_rng(1)
    model = made(ShallowNNRegressor, 20, solver=solver, random_state=0)
    for i, n in enumerate(sizes):
        X = scale(i) * rng.normal(size=(n, 2))
        model.partial_fit(X, unit * (3 * X[:, 0] + X[:, 1]))
    X = scale(i) * rng.normal(size=(500, 2))
    return model.score(X, unit * (3 * X[:, 0] + X[:, 1]))


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("first", [1, 2, 3])
@each_incremental
def test_a_bad_beginning_of_a_stream_is_forgotten(solver, first, unit):
    sizes = [first, *[20] * 80]
    # X is in this unit, y in its inverse.
    assert score_of_a_stream(solver, sizes, lambda i: unit, unit**-2) > 0.95


@pytest.mark.parametrize(
    ("begin", "encoding"),
    [
        *(("partial_fit", name) for name in ENCODINGS if name != "whitened"),
        *(("fit", name) for name in (None, "whitened")),
    ],
)
def test_a_column_is_learned_from_its_first_number_on(begin, encoding):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    X.loc[::9, "a"] = np.nan
    X.insert(1, "label", rng.choice(["u", "v", "w"], len(X)))
    y = X["b"] + X["c"]
    ends = []
    for moved in (X, X.assign(b=1000 + 0.01 * X["b"])):
        net = ShallowNNRegressor(8, alpha=1.0, encoding=encoding, random_state=0)
        first = moved[:100].assign(b=np.nan)
        getattr(net, begin)(first, y[:100]).partial_fit(first, y[:100])
        assert np.isfinite(net.predict(moved)).all()
        for _ in range(3):
            for rows in np.split(np.arange(100, 400), 6):
                net.partial_fit(moved.iloc[rows], y.iloc[rows])
        ends.append(net.predict(moved))
        filled = moved.assign(b=moved["b"].iloc[100:150].mean())
        gaps = net.predict(moved.assign(b=np.nan))
        assert_allclose(gaps, net.predict(filled), rtol=1e-6)
    assert_allclose(*ends, rtol=1e-6, atol=1e-6)
    others = ShallowNNRegressor(8, alpha=1.0, encoding=encoding, random_state=0)
    getattr(others, begin)(X[:100].assign(b=np.nan), y[:100])
    for _ in range(18):
        others.partial_fit(X.iloc[100:150].assign(b=np.nan), y[100:150])
    assert r2_score(y, ends[0]) > others.score(X, y) + (0.02 if begin == "fit" else 0.2)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_warm_start_goes_on_where_a_column_begins(encoding):
    rng = np.random.default_rng(0)
    X = rng.normal([0.0, 1000.0, 0.0], [1.0, 5.0, 1.0], (200, 3))
    y = X[:, 0] + X[:, 2] + 0.1 * (X[:, 1] - 1000)
    net = ShallowNNRegressor(4, alpha=1e-3, solver="lbfgs", encoding=encoding)
    net.set_params(max_iter=50, tol=0, warm_start=True, random_state=0)
    with pytest.warns(ConvergenceWarning):
        net.fit(X * [1, np.nan, 1], y)
    before = net.score(X, y)
    with pytest.warns(ConvergenceWarning):
        net.set_params(max_iter=1).fit(X, y)
    assert net.score(X, y) > before - 1e-3
    with pytest.warns(ConvergenceWarning):
        net.set_params(max_iter=50).fit(X, y)
    assert net.score(X, y) > before + 0.05


def test_what_is_exported_knows_a_column_that_began_late():
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = X[:, 0] + X[:, 1]
    net = ShallowNNRegressor(4, alpha=1.0, random_state=0)
    net.partial_fit(X * [1, np.nan, 1], y).partial_fit(X, y)
    assert_allclose(net.predictor()(X), net.predict(X), rtol=1e-9)


@pytest.mark.slow
@each_incremental
def test_a_stream_learns_from_one_sample_at_a_time(solver):
    assert score_of_a_stream(solver, [1] * 600) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize(
    "scale",
    [lambda i: 10.0 ** (i // 30), lambda i: 1e4 if i >= 30 else 1.0],
    ids=["growing", "jumping"],
)
@each_incremental
def test_a_stream_survives_a_scale_that_changes(solver, scale):
    assert score_of_a_stream(solver, [20] * 90, scale) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"n_hidden": 30}, {"n_hidden": 30, "alpha": 0.1, "solver": "adam"}],
    ids=["a committee", "one network", "by adam"],
)
def test_a_stream_does_not_spoil_what_fit_has_learnt(options):
    rng = np.random.default_rng(0)

    def some(n):
        X = rng.normal(size=(n, 3))
        return X, np.sin(2 * X[:, 0]) + X[:, 1]

    held_out = some(1000)
    model = quietly(ShallowNNRegressor(random_state=0, **options).fit, *some(500))
    before = 1 - model.score(*held_out)
    for _ in range(20):
        model.partial_fit(*some(40))
        assert 1 - model.score(*held_out) < 1.5 * before


def test_all_the_classes_are_named_in_the_first_call():
    X, y = example(ShallowNNClassifier)
    model = made(ShallowNNClassifier, 5, random_state=0)
    model.partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(X).shape == (50, 3)
    for _ in range(40):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.85
    known = made(ShallowNNClassifier, 5).partial_fit(X[y < 2], y[y < 2])
    with pytest.raises(ValueError, match=r"classes.*\[2\]"):
        known.partial_fit(X, y)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@each_estimator
def test_partial_fit_keeps_the_state_of_the_solver(Estimator, solver):
    X, y = example(Estimator)
    model = quietly(made(Estimator, 5, solver=solver, random_state=0).fit, X, y)
    without_state = pickle.loads(pickle.dumps(model))
    model.partial_fit(X, y)
    without_state.partial_fit(X, y)
    assert not np.allclose(model.coefs_[1], without_state.coefs_[1], rtol=1e-6)


class Recording(Activation):
    """The identity; remembers what it was given."""

    def __init__(self):
        self.calls = []

    def forward(self, Z, out=None):
        self.calls.append(np.argsort(Z[:, 0]).tolist())
        return np.positive(Z, out=out)

    def slope(self, A, out=None):
        out = np.empty_like(A) if out is None else out
        out.fill(1)
        return out


def test_every_call_of_partial_fit_shuffles_afresh():
    X, y = example(ShallowNNRegressor, 40)
    activation = Recording()
    model = made(ShallowNNRegressor, 1, activation=activation, batch_size=10)
    model.set_params(learning_rate_init=1e-9, random_state=0)
    orders = []
    for _ in range(3):
        model.partial_fit(X, y)
        orders.append([order for order in activation.calls if len(order) == 10][-4:])
        activation.calls.clear()
    assert orders[0] != orders[1] != orders[2] != orders[0]


@each_incremental
@each_estimator
def test_partial_fit_learns_over_minibatches(Estimator, solver):
    X, y = example(Estimator, 600)
    model = made(
        Estimator, 10, solver=solver, alpha=1.0, random_state=0, **rate_of(solver)
    )
    for _ in range(80 if solver == "gd" else 40):
        model.partial_fit(X, y)
        assert model.n_iter_ == 1
    assert model.score(X, y) > 0.75


def test_partial_fit_follows_a_moving_target():
    rng = np.random.default_rng(0)
    model = made(ShallowNNRegressor, 20, random_state=0)
    for scale in [*np.geomspace(1, 1e3, 30), *[1e3] * 60]:
        X = rng.normal(size=(200, 2))
        y = scale * (10 + X[:, 0] - 2 * X[:, 1])
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.9


@pytest.mark.slow
@each_incremental
@each_estimator
def test_partial_fit_never_diverges_in_silence(Estimator, solver):
    X, y = example(Estimator)
    model = made(Estimator, 20, solver=solver, random_state=0)
    for _ in range(60):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model.partial_fit(X, y)
        if any(issubclass(w.category, ConvergenceWarning) for w in said):
            break
        assert np.abs(prediction(model, X)).max() < 1e6


@pytest.mark.slow
def test_partial_fit_learns_from_small_batches():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (3000, 3))
    y = np.sin(X).sum(axis=1)
    model = made(ShallowNNRegressor, 30, random_state=0)
    for _ in range(3):
        for batch in np.array_split(np.arange(3000), 300):
            model.partial_fit(X[batch], y[batch])
    assert model.score(X, y) > 0.8


def example_of_noise(share, n=400):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 3))
    return X, (1 - share) * np.sin(2 * X[:, 0]) + share * rng.standard_normal(n)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_the_steps_do_not_depend_on_what_alpha_is_set_to_nor_on_noise(solver):
    counts = set()
    for share, alpha in ((0, 0), (0, 50.0), (1, 0), (1, 50.0)):
        X, y = example_of_noise(share)
        model = ShallowNNRegressor(3, solver=solver, alpha=alpha, random_state=0)
        counts.add(model.fit(X, y).n_iter_)
    assert len(counts) == 1


@pytest.mark.slow
@pytest.mark.parametrize("n_hidden", [None, 40], ids=["a committee", "one network"])
def test_the_folds_choose_fewer_steps_where_there_is_noise(n_hidden):
    n_iter = []
    for share in (0, 0.5):
        model = ShallowNNRegressor(n_hidden, encoding=None, random_state=0)
        n_iter.append(quietly(model.fit, *example_of_noise(share)).n_iter_)
    assert 2 * n_iter[1] < n_iter[0]


@pytest.mark.slow
@each_estimator
def test_after_a_race_partial_fit_is_one_epoch_of_what_can_go_on(Estimator):
    X, y = example(Estimator)
    model = quietly(Estimator(5, random_state=0).fit, X, y)
    assert model.solver_ == "lbfgs"
    alpha, weights = model.alpha_, model.coefs_[0]
    model.partial_fit(X, y)
    assert (model.solver_, model.n_iter_, model.alpha_) == ("adam", 1, alpha)
    assert not np.allclose(model.coefs_[0], weights)
    model.set_params(momentum=0.5).partial_fit(X, y)
    assert model.solver_ == "sgd"


@each_estimator
def test_after_a_race_a_warm_start_goes_on_with_its_recipe(Estimator):
    X, y = example(Estimator)
    model = Estimator(random_state=0, warm_start=True, encoding="piecewise")
    quietly(model.set_params(activation="tanh").fit, X, y)
    chosen = model.alpha_, model.n_hidden_, model.n_estimators_, model.coefs_[0].shape
    before = prediction(model, X)
    quietly(model.set_params(max_iter=1, learning_rate_init=1e-12).fit, X, y)
    np.testing.assert_allclose(prediction(model, X), before, rtol=1e-3, atol=1e-5)
    shape = model.coefs_[0].shape
    assert (model.alpha_, model.n_hidden_, model.n_estimators_, shape) == chosen
    assert model.n_iter_ == 1


@each_estimator
def test_a_race_and_early_stopping(Estimator):
    X, y = example(Estimator, 150)
    model = Estimator(random_state=0, early_stopping=True, n_iter_no_change=5)
    quietly(model.fit, X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    scores = model.validation_scores_
    assert len(scores) == model.n_iter_
    best = int(np.argmax(scores))
    assert model.loss_ == model.loss_curve_[best]
    assert model.search_results_["loss"]


def test_partial_fit_cannot_find_alpha():
    X, y = example(ShallowNNRegressor)
    for alpha in ("evidence", [1.0, 2.0]):
        model = ShallowNNRegressor(3, alpha=alpha, random_state=0)
        for _ in range(2):
            with pytest.raises(ValueError, match="one number as alpha"):
                model.partial_fit(X, y)
            model.fit(X, y)


def test_a_warm_start_with_a_solver_that_does_not_find_alpha():
    X, y = example(ShallowNNRegressor)
    model = ShallowNNRegressor(3, solver="lm", warm_start=True, random_state=0)
    quietly(model.fit(X, y).set_params(solver="lbfgs").fit, X, y)
    assert (model.solver_, model.alpha_) == ("lbfgs", 1.0)
    assert model.score(X, y) > 0.95


@pytest.mark.parametrize("alpha", [[1, 2, 3], [1.0], "ard"])
def test_what_the_solver_cannot_do_is_said_before_all_else(alpha):
    X = np.random.default_rng(0).standard_normal((30, 4))
    with pytest.raises(ValueError, match=r"one number as alpha.*solver='lm'"):
        made(ShallowNNRegressor, 3, solver="adam", alpha=alpha).fit(X, X[:, 0])


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_overflowing_start_is_an_error(solver):
    X = np.random.default_rng(0).standard_normal((30, 2))
    model = made(
        ShallowNNRegressor, 3, solver=solver, standardize=False, alpha=0, max_iter=5
    )
    with pytest.raises(ValueError, match="overflow"):
        model.fit(X, 1e200 * X[:, 0])
    assert not hasattr(model, "coefs_")


def test_a_score_that_is_not_finite_is_an_error():
    X = np.random.default_rng(0).standard_normal((60, 2))
    model = made(
        ShallowNNClassifier,
        3,
        early_stopping=True,
        scoring=lambda *_, **__: float("nan"),
    )
    with pytest.raises(ValueError, match="scoring"):
        model.fit(X, X[:, 0] > 0)


class Careless:
    """A scorer that leaves zeros in all that it is shown."""

    def __init__(self):
        self.seen = []

    def __call__(self, model, X, y, sample_weight=None):
        self.seen.append((np.array(X), np.array(y), np.array(sample_weight)))
        score = float(np.mean(model.predict(X) == y))
        for shown in (X, y, sample_weight):
            if shown is not None:
                shown[...] = 0
        return score


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("held_out", ["X_val", "a part of X"])
@each_estimator
def test_a_scorer_cannot_write_to_what_it_scores(Estimator, held_out, weighted):
    X, y = example(Estimator, 60)
    w = np.linspace(1, 2, 60) if weighted else None
    samples = {"sample_weight": w}
    if held_out == "X_val":
        samples |= {"X_val": X[40:], "y_val": y[40:]}
        samples |= {"sample_weight_val": w[40:] if weighted else None}
    before = X.copy(), y.copy(), np.array(w)
    scorer = Careless()
    model = made(Estimator, 3, max_iter=4, early_stopping=True, scoring=scorer)
    model.fit(X, y, **samples)
    for given, copied in zip((X, y, w), before, strict=True):
        np.testing.assert_array_equal(given, copied)
    assert len(scorer.seen) == 4
    for seen in scorer.seen[1:]:
        for now, first in zip(seen, scorer.seen[0], strict=True):
            np.testing.assert_array_equal(now, first)


def test_a_scorer_cannot_write_to_a_frame_of_labels():
    frame = pd.DataFrame({"a": np.arange(40.0), "b": ["x", "y"] * 20})
    y = np.arange(40.0)

    def careless(model, X, y):
        score = -float(np.abs(model.predict(X) - y).mean())
        X.numbers[...] = y[...] = 0
        X.factors[0].codes[...] = 0
        return score

    model = made(ShallowNNRegressor, 3, max_iter=3, early_stopping=True)
    model.set_params(scoring=careless).fit(frame, y, X_val=frame, y_val=y)
    assert frame.equals(pd.DataFrame({"a": np.arange(40.0), "b": ["x", "y"] * 20}))
    np.testing.assert_array_equal(y, np.arange(40.0))
    assert len(set(model.validation_scores_)) == 3


NEEDS_ALL = ["roc_auc_ovr", "roc_auc_ovo", "neg_log_loss"]


@pytest.mark.filterwarnings("ignore:Only one class is present")
@pytest.mark.parametrize("scoring", [*NEEDS_ALL, lambda *_: 1 / 0])
@pytest.mark.parametrize("target", ["two", "three", "labels"])
@pytest.mark.parametrize("given", [True, False], ids=["X_val", "held out"])
def test_classes_that_a_scorer_misses_are_named(target, scoring, given):
    X, _ = example(ShallowNNClassifier, 60)
    y = np.repeat(["a", "b", "rare"], [29, 30, 1])
    if target == "two":
        y = np.where(y == "rare", y, "other")
    if target == "labels":
        if scoring == "neg_log_loss":
            return
        y = np.column_stack([y == "a", y == "b", y == "rare"]).astype(int)
    validation = {"X_val": X[10:50], "y_val": y[10:50]} if given else {}
    model = made(ShallowNNClassifier, 3, early_stopping=True, random_state=0)
    words = {"labels": r"only ones or only zeros in the columns \[2\]"}
    missing = words.get(target, r"none of the classes \['rare'\]")
    message = f"scoring=.* which have .*{missing}.*X_val and y_val.*validation_fraction"
    with pytest.raises(ValueError, match=message) as caught:
        model.set_params(scoring=scoring).fit(X, y, **validation)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("scoring", [*NEEDS_ALL, "accuracy"])
def test_a_scorer_that_has_all_classes_is_not_disturbed(scoring):
    X, y = example(ShallowNNClassifier, 60)
    model = made(ShallowNNClassifier, 3, early_stopping=True, max_iter=3)
    model.set_params(scoring=scoring).fit(X, y, X_val=X, y_val=y)
    assert len(model.validation_scores_) == 3


def test_a_scorer_that_fails_for_another_reason_says_so():
    X, y = example(ShallowNNClassifier, 60)
    model = made(ShallowNNClassifier, 3, early_stopping=True, scoring=lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.fit(X, y, X_val=X, y_val=y)


@each_solver
@each_estimator
def test_what_is_held_out_for_stopping_is_not_trained_on(Estimator, solver):
    X, y = example(Estimator, 60)
    held_out = []

    def same_score(model, X_val, y_val):
        held_out.append(X_val)
        return 0.5

    def weights_after(X):
        model = made(Estimator, 3, solver=solver, early_stopping=True, random_state=0)
        model.set_params(scoring=same_score, n_iter_no_change=4)
        model.fit(X, y)
        return model.coefs_ + model.intercepts_

    expected = weights_after(X)
    rows = np.flatnonzero((X[:, None] == held_out[0]).all(axis=2).any(axis=1))
    assert len(rows) == 6
    moved = X.copy()
    moved[rows] = -100 * moved[rows] + 7
    for weights, others in zip(weights_after(moved), expected, strict=True):
        np.testing.assert_array_equal(weights, others)


@pytest.mark.parametrize("weight", [None, 2.0])
@pytest.mark.parametrize("sizes", [(40, 10), (10, 40, 25)])
def test_alpha_stands_beside_all_the_samples_that_have_been_seen(sizes, weight):
    alpha, seen = 30.0, 0.0
    options = {"solver": "gd", "standardize": False, "random_state": 0}
    model = ShallowNNRegressor(4, alpha=alpha, activation="tanh", **options)
    for i, n in enumerate(sizes):
        X, y = example(ShallowNNRegressor, n, seed=i)
        y = y / 50
        w = None if weight is None else np.full(n, weight)
        model.partial_fit(X, y, sample_weight=w)
        seen += n * (weight or 1.0)
        squares = sum((W**2).sum() for W in model.coefs_)
        fit = 0.5 * np.mean((y - model.predict(X)) ** 2)
        (loss,) = model.loss_curve_
        assert loss == pytest.approx(fit + alpha / 2 * squares / seen, rel=1e-9)


DEFAULTS = {
    "gd": {"learning_rate_init": 0.1, "max_iter": 1000},
    "sgd": {"learning_rate_init": 0.02, "momentum": 0.9, "nesterovs_momentum": True},
    "adam": {"learning_rate_init": 0.03},
    "lbfgs": {},
    "lm": {},
}


@each_solver
@each_estimator
def test_what_is_not_set_has_the_value_in_the_docstring(Estimator, solver):
    X, y = example(Estimator)
    options = {"solver": solver, "random_state": 0, "alpha": 1.0}
    left, set_ = made(Estimator, 3, **options), made(Estimator, 3, **options)
    weights = [
        np.concatenate([w.ravel() for w in quietly(model.fit, X, y).coefs_])
        for model in (left, set_.set_params(**DEFAULTS[solver]))
    ]
    np.testing.assert_array_equal(*weights)
    for name, value in DEFAULTS[solver].items():
        other = (not value) if isinstance(value, bool) else value / 2
        if name == "max_iter":
            continue
        changed = quietly(clone(set_).set_params(**{name: other}).fit, X, y)
        assert np.abs(changed.coefs_[0] - left.coefs_[0]).max() > 1e-6


@pytest.mark.parametrize("power", [-149, -140, -128])
@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@each_estimator
def test_float32_columns_that_no_float32_weight_suits_are_refused(
    Estimator, call, power
):
    X, y = example(Estimator)
    tiny = np.ldexp(X, power).astype(np.float32)
    with pytest.raises(ValueError, match=r"float32.*Pass X as float64"):
        getattr(made(Estimator, 3, max_iter=3), call)(tiny, y)
    wide = tiny.astype(np.float64)
    model = made(Estimator, 3, max_iter=3).fit(wide, y)
    assert np.isfinite(prediction(model, wide)).all()


def test_weights_that_do_not_fit_in_float32_are_an_error():
    X = np.random.default_rng(0).standard_normal((60, 2)).astype(np.float32)
    with pytest.raises(ValueError, match="float64"):
        made(ShallowNNRegressor, 3).fit(X, 1e60 * X[:, 0].astype(np.float64))


@pytest.mark.parametrize("solver", INCREMENTAL)
def test_the_order_of_the_samples_does_not_make_a_descent_diverge(solver):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 4))
    y = np.where(X[:, 0] > 2, 10 + X[:, 1], 0.0)
    order = np.argsort(y, kind="stable")
    model = ShallowNNRegressor(20, solver=solver, alpha=0.0, init="normal")
    quietly(model.set_params(random_state=0).fit, X[order], y[order])
    assert model.score(X, y) > 0.6


@pytest.mark.slow
def test_adam_learns_a_curve_from_one_sample_at_a_time():
    rng = np.random.default_rng(1)
    model = ShallowNNRegressor(20, random_state=0)
    for x in rng.normal(size=(2500, 1, 1)):
        model.partial_fit(x, np.sin(2 * x[:, 0]))
    x = rng.normal(size=(500, 1))
    assert model.score(x, np.sin(2 * x[:, 0])) > 0.7


@pytest.mark.parametrize("solver", ["sgd", "gd"])
def test_a_rate_that_was_set_does_not_make_a_stream_explode(solver):
    rng = np.random.default_rng(1)
    model = ShallowNNRegressor(20, solver=solver, learning_rate_init=0.05)
    model.set_params(random_state=0)
    for x in rng.normal(size=(300, 1, 1)):
        model.partial_fit(x, np.sin(2 * x[:, 0]))
    assert np.abs(model.predict(rng.normal(size=(100, 1)))).max() < 100
