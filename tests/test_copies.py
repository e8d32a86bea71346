"""What a copy and a pickle hold: all that training needs to go on."""

import pickle
from copy import copy, deepcopy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._solvers import SOLVERS

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4))
TARGETS = {
    ShallowNNRegressor: X[:, 0] + np.sin(X[:, 1]),
    ShallowNNClassifier: (X[:, 0] + X[:, 1] > 0).astype(int),
}
INCREMENTAL = [name for name, kind in SOLVERS.items() if kind.incremental]
COPIES = {
    "deepcopy": deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}
each_kind = pytest.mark.parametrize("Estimator", TARGETS)
each_copy = pytest.mark.parametrize("how", COPIES)
each_incremental = pytest.mark.parametrize("solver", INCREMENTAL)
each_committee = pytest.mark.parametrize("n_estimators", [1, 3])
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}"
)


def made(Estimator, solver, **options):
    options = {"alpha": 1.0, "max_iter": 3, "random_state": 0, **options}
    options |= {"batch_size": 16} if solver in ("sgd", "adam") else {}
    return Estimator(6, solver=solver, **options)


def batches(Estimator):
    y = TARGETS[Estimator]
    return [(X[i::3], y[i::3]) for i in range(3)]


def arrays(value):
    """All arrays of floats in the state of a fitted model, in their order."""
    if isinstance(value, np.ndarray):
        return [value] if value.dtype.kind == "f" else []
    if isinstance(value, dict):
        value = list(value.values())
    elif hasattr(value, "__dict__"):
        value = list(vars(value).values())
    is_nested = isinstance(value, (list, tuple))
    return [a for one in value for a in arrays(one)] if is_nested else []


def weights(model):
    return [*model.coefs_, *model.intercepts_]


def assert_same_network(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        assert_array_equal(a, b)
    assert one.loss_curve_ == other.loss_curve_
    assert_array_equal(one.predict(X), other.predict(X))


@each_copy
@each_incremental
@each_kind
@each_committee
def test_a_copy_goes_on_with_partial_fit_bit_by_bit(
    how, solver, Estimator, n_estimators
):
    first, second, third = batches(Estimator)
    model = made(Estimator, solver, n_estimators=n_estimators)
    model.partial_fit(*first).partial_fit(*second)
    again = COPIES[how](model)
    for batch in (third, first):
        assert_same_network(again.partial_fit(*batch), model.partial_fit(*batch))


@each_incremental
@each_kind
def test_a_deep_copy_of_a_fit_goes_on_with_partial_fit_bit_by_bit(solver, Estimator):
    model = made(Estimator, solver).fit(X, TARGETS[Estimator])
    again, batch = deepcopy(model), batches(Estimator)[0]
    assert_same_network(again.partial_fit(*batch), model.partial_fit(*batch))


@each_copy
@pytest.mark.parametrize("solver", SOLVERS)
@each_kind
@each_committee
def test_a_copy_goes_on_with_a_warm_start_bit_by_bit(
    how, solver, Estimator, n_estimators
):
    y = TARGETS[Estimator]
    options = {"warm_start": True, "n_estimators": n_estimators}
    model = made(Estimator, solver, **options).fit(X, y)
    again = COPIES[how](model)
    assert_same_network(again.fit(X, y), model.fit(X, y))


@pytest.mark.slow
@each_kind
def test_after_a_race_a_pickle_goes_on_bit_by_bit(Estimator):
    y, frame = TARGETS[Estimator], pd.DataFrame(X, columns=list("abcd"))
    frame["e"] = np.resize(["u", "v", None], N)
    model = Estimator(random_state=0, warm_start=True).fit(frame, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(frame), model.predict(frame))
    assert again.fit(frame, y).loss_curve_ == model.fit(frame, y).loss_curve_
    model.set_params(warm_start=False, max_iter=3).partial_fit(frame, y)
    again.set_params(warm_start=False, max_iter=3).partial_fit(frame, y)
    assert_array_equal(again.predict(frame), model.predict(frame))


@pytest.mark.parametrize("solver", SOLVERS)
@each_kind
def test_a_deep_copy_shares_no_array(solver, Estimator):
    model = made(Estimator, solver).fit(X, TARGETS[Estimator])
    own, copied = arrays(model), arrays(deepcopy(model))
    assert len(copied) > 4
    assert not any(np.shares_memory(a, b) for a in own for b in copied)


@each_incremental
@each_kind
def test_what_a_copy_learns_its_original_does_not(solver, Estimator):
    first, second, third = batches(Estimator)
    model, witness = (
        made(Estimator, solver).partial_fit(*first).partial_fit(*second)
        for _ in range(2)
    )
    deepcopy(model).partial_fit(*third)
    copy(model).partial_fit(*third)
    assert_same_network(model.partial_fit(*third), witness.partial_fit(*third))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_incremental
def test_a_pickle_holds_the_moments_only_where_training_is_to_go_on(solver, dtype):
    wide = np.random.default_rng(0).normal(size=(40, 300)).astype(dtype)
    y = wide[:, 0]
    model = made(ShallowNNRegressor, solver).set_params(n_hidden=300).fit(wide, y)
    n_weights = sum(w.size for w in weights(model))
    size = n_weights * wide.itemsize
    moments = SOLVERS[solver].n_moments * n_weights * 4
    assert len(pickle.dumps(model)) < 1.1 * size
    after = model.set_params(warm_start=True), deepcopy(model).partial_fit(wide, y)
    for goes_on in after:
        assert len(pickle.dumps(goes_on)) < 1.1 * size + moments
