"""A committee is one wider network, and each of its members is trained as if alone."""

import pickle
from dataclasses import replace

import joblib
import numpy as np
import pytest
from _curves import quietly, two_curves
from _units import PLAIN, unit_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from test_objective import TARGETS

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._data.scaling import Standardizer
from sk_shallow._model.layout import Layout, unmerged
from sk_shallow._model.member_weights import MemberWeights
from sk_shallow._model.network import output
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow._solvers import SOLVERS
from sk_shallow.activations import ACTIVATIONS

TOGETHER = [name for name, kind in SOLVERS.items() if kind.trains_together]
APART = [name for name in SOLVERS if name not in TOGETHER]
INCREMENTAL = [name for name, kind in SOLVERS.items() if kind.incremental]

any_unit = pytest.mark.parametrize("unit", OUTPUT_UNITS)
any_loss = pytest.mark.parametrize("unit", PLAIN)
any_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
any_solver = pytest.mark.parametrize("solver", SOLVERS)
any_kind = pytest.mark.parametrize("kind", ["vector", "columns", "binary", "classes"])
seeds = st.integers(0, 2**31)
sizes = st.integers(1, 4)
committees = st.builds(Layout, sizes, sizes, sizes, st.integers(2, 4))


def objective_of(unit, layout, seed, n_samples=12, is_sparse=False, activation="tanh"):
    """J over the same random samples, whatever the number of members."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, layout.n_in))
    unit, weights = unit_of(unit, layout.n_out), rng.uniform(1, 3, len(X))
    Y = TARGETS[unit.activation](rng, n_samples, layout.n_out)
    design = Standardizer.of(X).design(sparse.csr_array(X) if is_sparse else X, float)
    network = layout, ACTIVATIONS[activation], unit
    return Objective(*network, design, Y, weights, 0.7)


def random_theta(layout, seed):
    return np.random.default_rng(seed).normal(size=layout.size)


def assert_members(layout, together, alone):
    for member, expected in zip(layout.split(together), alone, strict=True):
        assert_allclose(member, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@any_activation
@any_unit
@given(layout=committees, seed=seeds, is_sparse=st.booleans())
def test_J_is_the_mean_of_the_members_and_its_gradient_that_of_each(
    activation, unit, layout, seed, is_sparse
):
    theta, common = random_theta(layout, seed), (seed, 12, is_sparse, activation)
    value, grad = objective_of(unit, layout, *common).value_and_grad(theta)
    member = objective_of(unit, layout.member, *common)
    alone = [member.value_and_grad(part) for part in layout.split(theta)]
    assert value == pytest.approx(np.mean([v for v, _ in alone]), rel=1e-10)
    assert_members(layout, grad, [g for _, g in alone])


@any_loss
@given(layout=committees, seed=seeds, is_sparse=st.booleans())
def test_all_values_of_J_are_means_of_the_members(unit, layout, seed, is_sparse):
    theta = random_theta(layout, seed)
    parts, common = layout.split(theta), (seed, 12, is_sparse)
    together = objective_of(unit, layout, *common)
    member = objective_of(unit, layout.member, *common)
    for name in ("value", "likelihood", "rough_value"):
        mean = np.mean([getattr(member, name)(part) for part in parts])
        assert getattr(together, name)(theta) == pytest.approx(mean, rel=1e-10)


@any_loss
@given(
    layout=committees,
    seed=seeds,
    is_sparse=st.booleans(),
    n_batches=st.integers(1, 5),
)
def test_the_gradient_of_a_batch_is_that_of_each_member(
    unit, layout, seed, is_sparse, n_batches
):
    theta, rng = random_theta(layout, seed), np.random.default_rng(seed)
    together = objective_of(unit, layout, seed, 12, is_sparse)
    member = objective_of(unit, layout.member, seed, 12, is_sparse)
    order = rng.permutation(12)
    grads = [g.copy() for g in together.gradients(theta, order, n_batches)]
    value, alone, values = together.sweep_value(theta), [], []
    for part in layout.split(theta):
        alone.append([g.copy() for g in member.gradients(part, order, n_batches)])
        values.append(member.sweep_value(part))
    assert value == pytest.approx(np.mean(values), rel=1e-10)
    for grad, expected in zip(grads, zip(*alone, strict=True), strict=True):
        assert_members(layout, grad, expected)


@given(
    layout=st.builds(Layout, sizes, sizes, sizes, st.integers(1, 4)),
    seed=seeds,
    is_sparse=st.booleans(),
    block_size=st.integers(1, 13),
)
def test_outputs_are_each_members_and_held_out_ones_of_those_that_do_not_see(
    layout, seed, is_sparse, block_size
):
    theta = random_theta(layout, seed)
    J = objective_of("identity", layout, seed, 12, is_sparse)
    J.block_size = block_size
    rng = np.random.default_rng(seed)
    unseen = rng.random((layout.n_members, 12)) < 0.4
    J.sample_weight = MemberWeights.of(unseen, J.sample_weight)
    X, expected = np.asarray(J.X[:])[:, 1:], []
    for part in layout.split(theta):
        b1, W1, W2, b2, V, *_ = layout.member.view(part)
        expected.append(output(X, b1, W1, W2, b2[:, 0], V, J.activation))
    found = J.outputs(theta, order := rng.permutation(12))
    assert found.shape == (layout.n_members, layout.n_out, 12)
    expected = np.array(expected)
    assert_allclose(found, expected[..., order], rtol=1e-9, atol=1e-12)
    held_out, judged = J.held_out_outputs(theta), np.flatnonzero(unseen.any(axis=0))
    means = [expected[unseen[:, i], :, i].mean(axis=0) for i in judged]
    assert_allclose(
        held_out, np.reshape(means, (-1, layout.n_out)).T, rtol=1e-9, atol=1e-12
    )


@any_loss
@pytest.mark.parametrize("n_batches", [1, 3])
@pytest.mark.parametrize("solver", TOGETHER)
def test_training_together_is_training_each_alone(solver, n_batches, unit):
    layout = Layout(2, 3, 2, 3, has_path=True)
    rules = {"max_iter": 7, "learning_rate_init": 0.003}
    if solver == "gd":
        n_batches = 1
    else:
        rules["batch_size"] = 12 // n_batches
    rule = SOLVERS[solver](**rules).sized(12, layout, None)
    theta = random_theta(layout, 1)
    parts = layout.split(theta)

    def solve(layout, theta):
        losses = []
        rule.solve(
            objective_of(unit, layout, 1),
            theta,
            on_iteration=lambda _, loss: losses.append(loss),
            rng=np.random.default_rng(2),
        )
        return losses

    curve = solve(layout, theta)
    curves = [solve(layout.member, part) for part in parts]
    assert len(curve) == 7
    assert_allclose(curve, np.mean(curves, axis=0), rtol=1e-10)
    assert_members(layout, theta, parts)


def data(kind, n_samples=60, seed=0):
    X, Z = two_curves(n_samples, seed)
    y = {
        "vector": 5 + 2 * Z[:, 0],
        "columns": Z,
        "binary": Z[:, 0] > 0,
        "classes": np.digitize(Z[:, 0], [-0.5, 0.5]),
    }
    return X, y[kind]


def committee(kind, solver, n_estimators=3, **parameters):
    regression = kind in ("vector", "columns")
    Estimator = ShallowNNRegressor if regression else ShallowNNClassifier
    common = {"activation": "tanh", "max_iter": 15, "random_state": 0, "alpha": 1.0}
    model = Estimator(4, solver=solver, n_estimators=n_estimators)
    rate = {"learning_rate_init": 0.1} if solver == "gd" else {}
    return model.set_params(**{**common, **rate, **parameters})


def fitted(kind, solver, *args, **parameters):
    return quietly(committee(kind, solver, *args, **parameters).fit, *data(kind))


def logits(model, X):
    """Z2 of a fitted model, one column per output."""
    Z2 = getattr(model, "decision_function", model.predict)(X)
    return np.reshape(Z2, (len(X), -1))


def plain_logits(model, X):
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    return np.tanh(X @ W1 + b1) @ W2 + b2


def members_of(model):
    """(b1, W1, W2, b2, V) of each member, in original units."""
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    V = np.zeros((0, len(b2)))
    return unmerged(b1, W1, W2, b2, V, model._output_biases, model._paths)


@any_solver
@any_kind
def test_a_committee_is_one_wider_network(kind, solver):
    X, _ = data(kind)
    model = fitted(kind, solver)
    k = {"vector": 1, "columns": 2, "binary": 1, "classes": 3}[kind]
    assert [W.shape for W in model.coefs_] == [(3, 12), (12, k)]
    assert [b.shape for b in model.intercepts_] == [(12,), (k,)]
    assert (model.n_hidden_, model.n_estimators_) == (4, 3)
    assert_allclose(logits(model, X), plain_logits(model, X), rtol=1e-9, atol=1e-9)


@any_solver
@any_kind
def test_its_outputs_are_the_mean_of_its_members(kind, solver):
    X, _ = data(kind)
    model = fitted(kind, solver)
    tanh = ACTIVATIONS["tanh"]
    alone = [output(X, *w, tanh).T for w in members_of(model)]
    assert_allclose(logits(model, X), np.mean(alone, axis=0), rtol=1e-9, atol=1e-9)


@any_solver
@any_kind
def test_the_members_differ(kind, solver):
    weights = [W1 for _, W1, *_ in members_of(fitted(kind, solver))]
    for i in range(3):
        for j in range(i):
            assert np.abs(weights[i] - weights[j]).max() > 0.1


@any_solver
@any_kind
def test_every_member_has_learnt(kind, solver):
    X, y = data(kind)
    n_epochs = 100 if solver in TOGETHER else 30
    rate = {"learning_rate_init": 0.3} if solver == "gd" else {}
    model = fitted(kind, solver, max_iter=n_epochs, **rate)
    assert model.score(X, y) > 0.6
    for b1, W1, W2, b2, _ in members_of(model):
        alone = clone(model)
        vars(alone).update(vars(model))
        alone.coefs_, alone.intercepts_ = [W1, W2], [b1, b2]
        assert alone.score(X, y) > 0.5


@any_solver
@any_kind
def test_one_member_is_what_a_named_solver_trains(kind, solver):
    one, default = (fitted(kind, solver, n) for n in (1, None))
    assert one.n_estimators_ == default.n_estimators_ == 1
    for found, expected in zip(one.coefs_, default.coefs_, strict=True):
        assert_array_equal(found, expected)
    assert one.coefs_[0].shape == (3, 4)


@any_solver
@any_kind
def test_the_curve_is_that_of_the_mean_member(kind, solver):
    model = fitted(kind, solver, max_iter=6)
    assert model.n_iter_ == len(model.loss_curve_) == 6
    assert model.loss_ <= model.loss_curve_[0]
    assert np.isfinite(model.loss_curve_).all()


def assert_same_fit(one, other):
    for name in ("coefs_", "intercepts_", "_output_biases"):
        for found, expected in zip(
            getattr(one, name), getattr(other, name), strict=True
        ):
            assert_array_equal(found, expected)
    assert one.loss_curve_ == other.loss_curve_
    assert_array_equal(one.alpha_, other.alpha_)


@any_kind
@any_solver
def test_the_number_of_threads_does_not_matter(kind, solver):
    X, y = data(kind)
    model = committee(kind, solver, alpha="evidence" if solver == "lm" else 1.0)
    quietly(model.fit, X, y)
    with joblib.parallel_config(backend="threading"):
        again = clone(model).set_params(n_jobs=2)
        quietly(again.fit, X, y)
    assert_same_fit(again, model)


@pytest.mark.slow
@pytest.mark.parametrize("solver", APART)
def test_the_number_of_processes_does_not_matter(solver):
    X, y = data("vector")
    alpha = "ard" if solver == "lm" else 1.0
    model = committee("vector", solver, alpha=alpha, early_stopping=True)
    quietly(model.fit, X, y)
    again = clone(model).set_params(n_jobs=2)
    # All arrays reach the processes as memory maps that cannot be written to.
    with joblib.parallel_config(max_nbytes=1):
        quietly(again.fit, X, y)
    assert_same_fit(again, model)
    assert again.validation_scores_ == model.validation_scores_
    if solver == "lm":
        moments = (m.predict(X, return_std=True) for m in (again, model))
        assert_array_equal(*map(np.array, moments))


@any_solver
@any_kind
def test_a_warm_start_goes_on_with_every_member(kind, solver):
    X, y = data(kind)
    model = fitted(kind, solver, max_iter=10, warm_start=True)
    first, before = model.loss_, members_of(model)
    quietly(model.fit, X, y)
    assert model.loss_curve_[0] < first * 1.05
    assert model.loss_ < first
    for (_, W1, *_), (_, start, *_) in zip(members_of(model), before, strict=True):
        moved = np.abs(W1 - start).max()
        assert 0 < moved < 2 * np.abs(start).max()


@any_kind
def test_a_warm_start_goes_on_with_another_solver(kind):
    X, y = data(kind)
    model = fitted(kind, "adam", max_iter=60, warm_start=True)
    before = model.loss_
    for solver in ("lbfgs", "lm", "adam"):
        quietly(model.set_params(solver=solver, max_iter=10).fit, X, y)
        assert model.loss_curve_[0] < 1.05 * before
        assert model.solver_ == solver
        before = model.loss_


def test_another_number_of_members_starts_afresh_and_says_so():
    X, y = data("vector")
    model = fitted("vector", "lbfgs", warm_start=True)
    with pytest.warns(UserWarning, match="afresh"):
        quietly(model.set_params(n_estimators=2).fit, X, y)
    fresh = fitted("vector", "lbfgs", 2)
    assert_array_equal(model.coefs_[0], fresh.coefs_[0])


@pytest.mark.slow
@pytest.mark.parametrize("solver", INCREMENTAL)
@any_kind
def test_partial_fit_learns_with_every_member(kind, solver):
    X, y = data(kind)
    model = committee(kind, solver)
    losses = [model.partial_fit(X, y).loss_ for _ in range(40)]
    assert losses[-1] < 0.8 * losses[0]
    assert model.coefs_[1].shape[0] == 12
    weights = [W1 for _, W1, *_ in members_of(model)]
    assert np.abs(weights[0] - weights[1]).max() > 0.1


@any_solver
@any_kind
def test_a_pickle_predicts_and_goes_on(kind, solver):
    X, y = data(kind)
    model = fitted(kind, solver, warm_start=True)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(logits(again, X), logits(model, X))
    if solver == "lm" and kind in ("vector", "columns"):
        moments = (m.predict(X, return_std=True) for m in (again, model))
        assert_array_equal(*map(np.array, moments))
    quietly(again.fit, X, y)
    assert again.coefs_[0].shape == (3, 12)
    assert again.loss_curve_[0] < 1.05 * model.loss_


def test_a_pickle_is_hardly_larger_than_its_parameters():
    models = [fitted("vector", "adam", n) for n in (2, 200)]
    small, large = (len(pickle.dumps(model)) for model in models)
    n_bytes = [sum(w.nbytes for w in m.coefs_ + m.intercepts_) for m in models]
    assert large - small < 2 * (n_bytes[1] - n_bytes[0])


@any_solver
def test_the_same_seed_gives_the_same_committee(solver):
    one, again, other = (fitted("vector", solver, random_state=s) for s in (0, 0, 1))
    assert_same_fit(one, again)
    assert not np.allclose(one.coefs_[0], other.coefs_[0])


@any_solver
@any_kind
def test_early_stopping_watches_every_solver(kind, solver):
    model = fitted(kind, solver, early_stopping=True)
    assert len(model.validation_scores_) == model.n_iter_
    assert model.coefs_[0].shape == (3, 12)


def test_members_searching_for_alpha_find_one_each_to_be_given_back():
    X, y = data("vector", 300)
    model = committee("vector", "lm", alpha="ard", max_iter=None).fit(X, y)
    assert model.alpha_.shape == (3, 4)
    assert len(np.unique(model.alpha_[:, 0])) == 3
    given = committee("vector", "lm", alpha=model.alpha_).set_params(max_iter=400)
    quietly(given.fit, X, y)
    assert_array_equal(given.alpha_, model.alpha_)


def test_the_deviation_of_a_committee_is_that_of_a_mixture():
    X, _ = data("vector")
    model = fitted("vector", "lm")
    mean, std = model.predict(X, return_std=True)
    moments = []
    for posterior, (b1, W1, W2, b2, V) in zip(
        model._posteriors, members_of(model), strict=True
    ):
        alone = pickle.loads(pickle.dumps(model))
        alone._posteriors, alone._output_biases = [posterior], [b2]
        alone._paths = [V]
        alone.coefs_, alone.intercepts_ = [W1, W2], [b1, b2]
        moments.append(alone.predict(X, return_std=True))
    means, stds = np.swapaxes(moments, 0, 1)
    assert_allclose(mean, means.mean(axis=0), rtol=1e-9)
    assert_allclose(mean, model.predict(X), rtol=1e-9)
    squares = np.mean(stds**2 + means**2, axis=0)
    assert_allclose(std, np.sqrt(squares - mean**2), rtol=1e-6)


def test_a_rule_without_a_size_is_the_same_for_any_number_of_members():
    for name in TOGETHER:
        alone, together = Layout(3, 4, 1), Layout(3, 4, 1, 9)
        rule = SOLVERS[name]()
        assert rule.sized(500, alone, None) == rule.sized(500, together, None)
        assert replace(rule, max_iter=3).sized(500, together, None).max_iter == 3


@pytest.mark.parametrize("options", [{}, {"cv": 5}, {"alpha": 1.0}])
@any_kind
def test_one_member_is_one_network(kind, options):
    X, y = data(kind)
    model = committee(kind, "auto", n_estimators=1, n_hidden=None, **options)
    quietly(model.fit, X, y)
    assert model.n_estimators_ == 1
    assert model.coefs_[0].shape == (3, model.n_hidden_)
