"""What the fitted estimators promise about data, precision, weights and predictions."""

import copy
import inspect
import pickle
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _units import a_third
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.class_weight import compute_sample_weight

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._solvers import SOLVERS
from sk_shallow.activations import ACTIVATIONS

ESTIMATORS = [ShallowNNClassifier, ShallowNNRegressor]
KINDS = ["binary", "multiclass", "multilabel", "one output", "several outputs"]
CONTAINERS = [
    sparse.csr_matrix,
    sparse.csc_matrix,
    sparse.csr_array,
    sparse.csc_array,
]


def problem(kind, n=40, d=3, seed=0):
    """An estimator class, X with columns of different size and place, and y."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, d))
    X = Z * np.geomspace(0.1, 10, d) + np.arange(d)
    scores = np.tanh(Z) @ rng.normal(size=(d, 3))
    scores -= scores.mean(axis=0)
    y = {
        "binary": np.array(["no", "yes"])[(scores[:, 0] > 0) * 1],
        "multiclass": 2 * scores.argmax(axis=1),
        "multilabel": (scores > 0).astype(int),
        "one output": 100 + 7 * scores[:, 0],
        "several outputs": scores * [1, 10, 100],
    }[kind]
    return (ShallowNNRegressor if "output" in kind else ShallowNNClassifier), X, y


def made(Estimator, n_hidden, **parameters):
    """An estimator for which nothing is left to choose; "lm" finds α."""
    alpha = None if parameters.get("solver") == "lm" else 1.0
    return Estimator(n_hidden, **{"alpha": alpha, **parameters})


def fitted(kind, **parameters):
    Estimator, X, y = problem(kind)
    return made(Estimator, 5, random_state=0, **parameters).fit(X, y), X, y


def quiet_fit(estimator, *args, **kwargs):
    """Fit with a budget that need not suffice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(*args, **kwargs)


def example(Estimator, n=40, d=3):
    return problem("multiclass" if Estimator is ShallowNNClassifier else KINDS[3], n, d)


def prediction(model, X):
    """The prediction that tells most."""
    return getattr(model, "predict_proba", model.predict)(X)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_weights_reproduce_predictions_by_the_plain_formula(activation, kind):
    model, X, y = fitted(kind, activation=activation)
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    Z2 = ACTIVATIONS[activation].forward(X @ W1 + b1) @ W2 + b2
    if isinstance(model, ShallowNNRegressor):
        np.testing.assert_allclose(model.predict(X), Z2.reshape(y.shape), rtol=1e-10)
        return
    np.testing.assert_allclose(
        model.decision_function(X), Z2[:, 0] if kind == "binary" else Z2, atol=1e-9
    )
    A2 = softmax(Z2, axis=1) if kind == "multiclass" else expit(Z2)
    A2 = np.hstack([1 - A2, A2]) if kind == "binary" else A2
    np.testing.assert_allclose(model.predict_proba(X), A2, atol=1e-9)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), A2, atol=1e-9)
    most_probable = (A2 > 0.5) if kind == "multilabel" else model.classes_[A2.argmax(1)]
    np.testing.assert_array_equal(model.predict(X), most_probable)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_weights_copied_into_scikit_learns_network_predict_the_same(activation, kind):
    model, X, y = fitted(kind, activation=activation)
    MLP = MLPRegressor if isinstance(model, ShallowNNRegressor) else MLPClassifier
    mlp = MLP(hidden_layer_sizes=(5,), activation=activation, max_iter=1)
    with pytest.warns(ConvergenceWarning):
        mlp.fit(X, y)
    assert mlp.out_activation_ == model.out_activation_
    assert (mlp.n_layers_, mlp.n_outputs_) == (model.n_layers_, model.n_outputs_)
    assert [W.shape for W in mlp.coefs_] == [W.shape for W in model.coefs_]
    mlp.coefs_, mlp.intercepts_ = model.coefs_, model.intercepts_
    if MLP is MLPClassifier:
        np.testing.assert_array_equal(mlp.predict(X), model.predict(X))
    np.testing.assert_allclose(prediction(mlp, X), prediction(model, X), rtol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [40, 300], ids=["one batch", "minibatches"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_type_of_the_input_is_the_type_of_the_output(kind, n, dtype):
    Estimator, X, y = problem(kind, n)
    model = made(Estimator, 5, max_iter=2, random_state=0).fit(X.astype(dtype), y)
    arrays = [prediction(model, X.astype(dtype)), *model.coefs_, *model.intercepts_]
    if Estimator is ShallowNNClassifier:
        arrays += [model.decision_function(X.astype(dtype))]
        arrays += [model.predict_log_proba(X.astype(dtype))]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_sparse_is_dense(Estimator, container, solver):
    _, X, y = example(Estimator)
    X = np.where(X > 1, X, 0)
    model = made(
        Estimator, 5, solver=solver, max_iter=20, activation="tanh", random_state=0
    )
    expected = prediction(quiet_fit(model, X, y), X)
    np.testing.assert_allclose(prediction(model, container(X)), expected, rtol=1e-10)
    quiet_fit(model, container(X), y)
    np.testing.assert_allclose(prediction(model, X), expected, rtol=1e-6)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_sparse_minibatches_and_entries_stored_twice(Estimator):
    _, X, y = example(Estimator, n=300)
    X = np.where(X > 1, X, 0)
    model = made(
        Estimator, 5, batch_size=64, max_iter=3, activation="tanh", random_state=0
    )
    expected = prediction(model.fit(X, y), X)
    rows, columns = np.nonzero(X)
    halves, twice = X[rows, columns] / 2, (np.tile(rows, 2), np.tile(columns, 2))
    split = sparse.csr_array(sparse.coo_array((np.tile(halves, 2), twice), X.shape))
    np.testing.assert_allclose(prediction(model, split), expected, rtol=1e-10)
    for S in (sparse.csr_array(X), split):
        np.testing.assert_allclose(
            prediction(model.fit(S, y), X), expected, rtol=1e-3, atol=1e-3
        )


@pytest.mark.parametrize("Frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_frames_are_arrays_with_names(Estimator, Frame):
    _, X, y = example(Estimator)
    frame = Frame(dict(zip("abc", X.T, strict=True)))
    model = made(Estimator, 5, random_state=0).fit(frame, y)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    expected = prediction(made(Estimator, 5, random_state=0).fit(X, y), X)
    np.testing.assert_allclose(prediction(model, frame), expected, rtol=1e-6)
    with pytest.warns(UserWarning, match="valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(Frame({"a": X[:, 0], "c": X[:, 2], "b": X[:, 1]}))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_memory_mapped_read_only_input(Estimator, dtype, tmp_path):
    _, X, y = example(Estimator)
    np.save(tmp_path / "X.npy", X.astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = made(Estimator, 5, random_state=0).fit(mapped, y).partial_fit(mapped, y)
    twin = made(Estimator, 5, random_state=0).fit(X.astype(dtype), y)
    twin.partial_fit(X.astype(dtype), y)
    np.testing.assert_array_equal(prediction(model, mapped), prediction(twin, mapped))


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("container", [np.array, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_nothing_that_is_given_is_written_to(Estimator, container, solver, standardize):
    _, X, y = example(Estimator)
    X, w = container(X), np.arange(40.0)
    parts = [y, w, *([X] if container is np.array else [X.data, X.indices, X.indptr])]
    before = [part.copy() for part in parts]
    model = made(
        Estimator,
        5,
        solver=solver,
        max_iter=3,
        standardize=standardize,
        early_stopping=True,
    )
    quiet_fit(model, X, y, w, X_val=X, y_val=y, sample_weight_val=w)
    if hasattr(model, "partial_fit"):
        model.set_params(early_stopping=False, learning_rate_init=1e-9)
        model.partial_fit(X, y, sample_weight=w)
    prediction(model, X)
    for part, original in zip(parts, before, strict=True):
        np.testing.assert_array_equal(part, original)


weights_of_few_samples = st.lists(st.integers(0, 4), min_size=4, max_size=14).filter(
    lambda weights: sum(weight > 0 for weight in weights) > 1
)


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
@a_third
@given(weights=weights_of_few_samples)
def test_a_weight_is_a_number_of_copies(Estimator, solver, weights):
    _, X, y = example(Estimator, n=len(weights))
    model = made(
        Estimator, 3, solver=solver, max_iter=12, activation="tanh", random_state=0
    )
    weighted = prediction(quiet_fit(model, X, y, np.array(weights)), X)
    quiet_fit(model, np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted, prediction(model, X), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("solver", SOLVERS)
def test_class_weights_are_sample_weights(solver):
    _, X, y = problem("multiclass")
    w = np.linspace(0.5, 2, 40)
    model = made(ShallowNNClassifier, 5, solver=solver, max_iter=15, random_state=0)
    by_sample = quiet_fit(model, X, y, w * np.choose(y // 2, [3, 1, 0.5]))
    expected = by_sample.predict_proba(X)
    quiet_fit(model.set_params(class_weight={0: 3, 4: 0.5}), X, y, w)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)
    quiet_fit(model.set_params(class_weight="balanced"), X, y)
    balanced = model.predict_proba(X)
    model.set_params(class_weight=None)
    quiet_fit(model, X, y, compute_sample_weight("balanced", y))
    np.testing.assert_allclose(balanced, model.predict_proba(X), rtol=1e-6)


def test_balanced_classes_have_equal_shares_of_the_weighted_probability():
    _, X, y = problem("multiclass", n=60)
    model = made(
        ShallowNNClassifier,
        5,
        activation="tanh",
        solver="lbfgs",
        tol=0,
        max_iter=5000,
        random_state=0,
    )
    quiet_fit(model.set_params(class_weight="balanced"), X, y)
    w = compute_sample_weight("balanced", y)
    shares = np.average(model.predict_proba(X), axis=0, weights=w)
    np.testing.assert_allclose(shares, 1 / 3, atol=1e-5)


@pytest.mark.parametrize("n", [40, 600], ids=["one batch", "minibatches"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_same_random_state_gives_the_same_bits(Estimator, solver, n):
    _, X, y = example(Estimator, n)
    first, second, other = (
        quiet_fit(
            made(Estimator, 5, solver=solver, max_iter=4, random_state=seed), X, y
        )
        for seed in (3, 3, 4)
    )
    for a, b, c in zip(first.coefs_, second.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.allclose(a, c)


@pytest.mark.parametrize("kind", KINDS)
def test_predicting_stores_nothing_and_threads_agree(kind):
    model, X, _ = fitted(kind)
    before, frozen = dict(vars(model)), pickle.dumps(model)
    chunks = [np.tile(X[i:], (40, 1)) for i in range(24)]
    expected = [prediction(model, chunk) for chunk in chunks]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda chunk: prediction(model, chunk), chunks))
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is before[name] for name in before)
    assert pickle.dumps(model) == frozen


@pytest.mark.parametrize("solver", [s for s in SOLVERS if SOLVERS[s].incremental])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_pickled_model_predicts_and_goes_on_training(Estimator, solver):
    _, X, y = example(Estimator, n=50)
    model = made(Estimator, 20, solver=solver, learning_rate_init=0.02, random_state=0)
    quiet_fit(model.set_params(max_iter=3), X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(prediction(copy, X), prediction(model, X))
    score = copy.score(X, y)
    for _ in range(60):
        copy.partial_fit(X, y)
    assert copy.score(X, y) > score


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_pickle_holds_little_but_the_parameters(Estimator):
    _, X, y = example(Estimator, n=30, d=100)
    model = made(Estimator, 300, max_iter=2).fit(X, y)
    n_bytes = sum(part.nbytes for part in [*model.coefs_, *model.intercepts_])
    assert len(pickle.dumps(model)) < 1.2 * n_bytes


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_probabilities_sum_to_one(kind):
    model, X, _ = fitted(kind)
    P = model.predict_proba(1e3 * X)
    assert P.shape == (40, len(model.classes_))
    assert (P >= 0).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
    assert np.isfinite(model.predict_log_proba(1e3 * X)).all()


@pytest.mark.parametrize("label", ["only", 7])
def test_one_class(label):
    _, X, _ = problem("binary")
    model = made(ShallowNNClassifier, 5, random_state=0).fit(X, [label] * 40)
    assert model.classes_.tolist() == [label]
    assert model.predict(X).tolist() == [label] * 40
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((40, 1)))
    np.testing.assert_array_equal(model.predict_log_proba(X), np.zeros((40, 1)))


FITS = {
    "one network": {},
    "a committee": {"n_estimators": 3},
    "stopping": {"early_stopping": True},
    "folds": {"cv": 3, "n_estimators": 3},
    "single precision": {"batch_size": 16},
}
# Where the samples of `fit` are all that a stream has seen, its scale does not move.
FURTHER = {fit: ("fit", "partial_fit")[: 1 + (fit != "stopping")] for fit in FITS}
TRAININGS = [
    (solver, fit)
    for solver in SOLVERS
    for fit in FITS
    if (solver in ("sgd", "adam") or fit != "single precision")
    and (solver in ("adam", "lm") or fit != "folds")
]


def shifted_in_place(model, c):
    model.intercepts_[1][...] += c


def shifted_by_other_arrays(model, c):
    W1, W2 = model.coefs_
    b1, b2 = model.intercepts_
    model.coefs_, model.intercepts_ = (W1.copy(), W2.copy()), (b1.copy(), b2 + c)


@pytest.mark.parametrize("edit", [shifted_in_place, shifted_by_other_arrays])
@pytest.mark.parametrize(("solver", "fit"), TRAININGS)
def test_weights_that_are_written_are_those_that_are_used(solver, fit, edit):
    _, X, y = problem("one output")
    options = {"max_iter": 3, "warm_start": True, "random_state": 0}
    model = made(ShallowNNRegressor, 4, solver=solver, **options, **FITS[fit])
    quiet_fit(model, X, y)
    has_bars = solver == "lm" or fit == "folds"
    has_intervals = fit == "folds" and solver != "lm"
    before = model.predict(X)
    bars = model.predict(X, return_std=True)[1] if has_bars else None
    intervals = model.predict_interval(X) if has_intervals else None
    edit(model, 1000.0)
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    plain = model.activation_
    g = ACTIVATIONS[plain].forward
    np.testing.assert_allclose(model.predict(X), (g(X @ W1 + b1) @ W2 + b2)[:, 0])
    np.testing.assert_allclose(model.predict(X), before + 1000)
    if has_bars:
        mean, std = model.predict(X, return_std=True)
        np.testing.assert_allclose(mean, before + 1000)
        np.testing.assert_allclose(std, bars, rtol=1e-6)
    if has_intervals:
        np.testing.assert_allclose(model.predict_interval(X), intervals + 1000)
    np.testing.assert_allclose(
        pickle.loads(pickle.dumps(model)).predict(X), before + 1000
    )
    still = copy.deepcopy(model).set_params(solver="gd", max_iter=1, cv=None)
    still.set_params(batch_size=None, alpha=1.0, learning_rate_init=1e-12)
    for call in FURTHER[fit]:
        further = copy.deepcopy(still).set_params(early_stopping=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            getattr(further, call)(X, y)
        np.testing.assert_allclose(further.predict(X), before + 1000, rtol=1e-6)


def test_the_layout_of_weights_that_are_written_changes_no_bit():
    """Written by columns, they would make products of two transposed arrays."""
    _, X, y = problem("several outputs")
    X = np.asfortranarray(X, np.float32)
    model = made(ShallowNNRegressor, 4, solver="gd", max_iter=2, linear_path=True)
    quiet_fit(model, X, y)
    ways = model.predict, model.input_gradients, model.hidden_layer
    before = [way(X) for way in ways]
    model.coefs_ = [np.asfortranarray(w) for w in model.coefs_]
    assert all(w.flags.c_contiguous for w in model._weights())
    for expected, way in zip(before, ways, strict=True):
        np.testing.assert_array_equal(way(X), expected)


@pytest.mark.parametrize(("solver", "fit"), TRAININGS)
@pytest.mark.parametrize("kind", ["multiclass", "several outputs"])
def test_further_training_begins_with_weights_that_are_written(kind, solver, fit):
    Estimator, X, y = problem(kind)
    options = {"max_iter": 2, "warm_start": True, "random_state": 0}
    model = made(Estimator, 4, solver=solver, **options, **FITS[fit])
    other = made(Estimator, 4, solver=solver, **options, **FITS[fit])
    quiet_fit(model, X, y)
    quiet_fit(other.set_params(random_state=1), X[::-1], y[::-1])
    model.coefs_ = [W.copy() for W in other.coefs_]
    model.intercepts_ = [b.tolist() for b in other.intercepts_]
    expected = prediction(other, X)
    np.testing.assert_allclose(prediction(model, X), expected, rtol=1e-9)
    model.set_params(solver="gd", max_iter=1, cv=None, batch_size=None, alpha=1.0)
    model.set_params(learning_rate_init=1e-12, early_stopping=False)
    for call in FURTHER[fit]:
        further = copy.deepcopy(model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            getattr(further, call)(X, y)
        np.testing.assert_allclose(
            prediction(further, X), expected, rtol=1e-6, atol=1e-9
        )


@pytest.mark.parametrize("kind", ["multiclass", "several outputs"])
def test_weights_of_other_shapes_are_refused(kind):
    model, X, _ = fitted(kind, max_iter=2)
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    expected = re.escape(f"{W1.shape}, {W2.shape}")
    for coefs, intercepts in (
        ([W1.T, W2], [b1, b2]),
        ([W1[:, :2], W2], [b1, b2]),
        ([W1, W2[:, :1]], [b1, b2]),
        ([W1, W2], [b1, b2[:1]]),
        ([W1, W2], [b1, 0.0]),
    ):
        model.coefs_, model.intercepts_ = coefs, intercepts
        with pytest.raises(ValueError, match=f"must have the shapes .*{expected}"):
            model.predict(X)


@pytest.mark.parametrize("kind", ["multiclass", "several outputs"])
def test_units_can_be_pruned_for_predictions_but_not_for_training(kind):
    model, X, y = fitted(kind, max_iter=2)
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    model.coefs_, model.intercepts_ = [W1[:, :2], W2[:2]], [b1[:2], b2]
    pruned = prediction(model, X)
    model.coefs_ = [W1, np.vstack([W2[:2], 0 * W2[2:]])]
    model.intercepts_ = [b1, b2]
    np.testing.assert_allclose(prediction(model, X), pruned, rtol=1e-9)
    model.coefs_, model.intercepts_ = [W1[:, :2], W2[:2]], [b1[:2], b2]
    with pytest.raises(ValueError, match="must have the shapes"):
        model.partial_fit(X, y)


CONSTANTS = [0.0, 3.7, 1e-6, 1e6, -1 / 3, 1e150, 1e-200]


def trained(how, model, X, y):
    """The model after a fit to y, or what else leads to y."""
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if how == "partial_fit":
            for i in range(3):
                model.partial_fit(X[i::3], y[i::3])
            return model
        if how == "warm start":
            model.set_params(warm_start=True).fit(X, rng.normal(size=y.shape))
        weights = rng.random(len(y)) if how == "weights" else None
        return model.fit(X, y, weights)


@pytest.mark.slow
@pytest.mark.parametrize("value", CONSTANTS)
@pytest.mark.parametrize(
    "how", ["fit", "weights", "stopping", "partial_fit", "warm start", "committee"]
)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_constant_target_is_predicted_to_rounding(solver, how, value):
    if how == "partial_fit" and not SOLVERS[solver].incremental:
        return
    _, X, varying = problem("one output")
    options = {"early_stopping": how == "stopping", "random_state": 0}
    options["n_estimators"] = 3 if how == "committee" else 1
    for n in (1, 40):
        y = np.full(n, value)
        if n == 1 and how in ("stopping", "partial_fit"):
            continue
        model = made(ShallowNNRegressor, 3, solver=solver, max_iter=20, **options)
        found = trained(how, model, X[:n], y).predict(X)
        np.testing.assert_allclose(found, value, rtol=1e-14)
    two = np.column_stack([varying, y])
    model = made(ShallowNNRegressor, 3, solver=solver, max_iter=20, **options)
    found = trained(how, model, X, two).predict(X)
    np.testing.assert_allclose(found[:, 1], value, rtol=1e-14)
    assert np.ptp(found[:, 0]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("value", CONSTANTS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_default_predicts_a_constant_target_to_rounding(value, weighted):
    _, X, _ = problem("one output")
    w = np.random.default_rng(0).random(40) if weighted else None
    model = ShallowNNRegressor(random_state=0).fit(X, np.full(40, value), w)
    np.testing.assert_allclose(model.predict(X), value, rtol=1e-14)
    _, std = model.predict(X, return_std=True)
    np.testing.assert_allclose(std, 0.0, atol=1e-14 * abs(value))
    bounds = model.predict_interval(X)
    np.testing.assert_allclose(bounds, value, rtol=1e-14)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_units_of_X_and_y_change_no_bit_or_are_refused(kind, solver):
    Estimator, X, y = problem(kind)
    model = made(Estimator, 3, solver=solver, max_iter=2, random_state=0)
    expected = prediction(quiet_fit(model, X, y), X)
    are_numbers = Estimator is ShallowNNRegressor
    for power in (-1070, -600, -470, -300, 300, 490, 600, 1000):
        scaled, factor = np.ldexp(X, power), 2.0**power
        for given_X, given_y, unit in (
            (scaled, y, 1.0),
            *([(X, y * factor, factor)] if are_numbers else []),
        ):
            if not -480 < power < 500:
                with pytest.raises(
                    ValueError, match=r"too (small|large) to be squared"
                ):
                    model.fit(given_X, given_y)
                continue
            found = prediction(quiet_fit(model, given_X, given_y), given_X)
            np.testing.assert_array_equal(found, expected * unit)


@pytest.mark.parametrize("name", ["X", "y"])
@pytest.mark.parametrize("size", [1e-300, 1e300])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_default_refuses_what_cannot_be_squared(name, size, weighted):
    _, X, y = problem("several outputs")
    X[:, 1] *= size if name == "X" else 1.0
    y[:, 1] *= size if name == "y" else 1.0
    w = np.linspace(1, 2, 40) if weighted else None
    message = f"of {name} are too (small|large) .* columns \\[1\\]. (Mult|Div).* by a"
    with pytest.raises(ValueError, match=message):
        ShallowNNRegressor(random_state=0).fit(X, y, w)


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_have_the_shape_of_y(kind):
    model, X, y = fitted(kind)
    assert model.predict(X).shape == y.shape
    assert model.predict(X[:1]).shape == y[:1].shape
    assert np.isfinite(model.score(X, y))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_column_as_y_is_a_vector_with_a_warning(Estimator):
    _, X, y = example(Estimator)
    expected = made(Estimator, 5, random_state=0).fit(X, y).predict(X)
    with pytest.warns(DataConversionWarning):
        model = made(Estimator, 5, random_state=0).fit(X, y[:, None])
    np.testing.assert_array_equal(model.predict(X), expected)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["multiclass", "one output"])
def test_what_the_folds_have_chosen_is_told_and_can_be_given(kind):
    Estimator, X, y = problem(kind)
    chosen = quiet_fit(Estimator(5, random_state=0), X, y)
    told = {
        "solver": chosen.solver_,
        "n_hidden": chosen.n_hidden_,
        "activation": chosen.activation_,
        "alpha": chosen.alpha_,
        "encoding": chosen.encoding_,
    }
    assert isinstance(chosen.alpha_, float)
    tried = chosen.search_results_
    columns = zip(*tried.values(), strict=True)
    rows = [dict(zip(tried, row, strict=True)) for row in columns]
    assert any(row.items() >= told.items() for row in rows)
    given = quiet_fit(Estimator(**told, random_state=0), X, y)
    assert (given.alpha_, given.search_results_) == (chosen.alpha_, {})
    assert given.coefs_[0].shape == chosen.coefs_[0].shape
    assert given.score(X, y) == pytest.approx(chosen.score(X, y), abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "one output"])
class TestTheDefault:
    """What holds for every fit holds for the committee that the folds have chosen."""

    def test_the_plain_formula_and_the_type(self, kind):
        Estimator, X, y = problem(kind)
        X = X.astype(np.float32)
        model = quiet_fit(Estimator(random_state=0, encoding="piecewise"), X, y)
        (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
        arrays = [prediction(model, X), W1, W2, b1, b2]
        assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
        g = ACTIVATIONS[model.activation_]
        Z2 = (g.forward(model.encoder_.transform(X) @ W1 + b1) @ W2 + b2)[:, 0]
        expected = expit(Z2) if kind == "binary" else Z2
        found = model.predict_proba(X)[:, 1] if kind == "binary" else model.predict(X)
        np.testing.assert_allclose(found, expected, rtol=1e-4)

    def test_a_weight_is_a_number_of_copies(self, kind):
        Estimator, X, y = problem(kind, n=30)
        y, k = np.where(np.arange(30) % 5, y, np.roll(y, 1)), 1 + np.arange(30) % 2
        model = Estimator(random_state=0)
        weighted = prediction(quiet_fit(model, X, y, k), X)
        recipe = model.solver_, model.activation_, model.alpha_, model.n_iter_
        quiet_fit(model, np.repeat(X, k, axis=0), np.repeat(y, k))
        again = model.solver_, model.activation_, model.alpha_, model.n_iter_
        assert again == recipe
        again = prediction(model, X)
        # Hundreds of steps at a finite rate enlarge what the order of sums rounds.
        np.testing.assert_allclose(weighted, again, atol=1e-3 * np.ptp(weighted))

    def test_the_same_bits_in_the_main_thread_and_in_any_other(self, kind):
        Estimator, X, y = problem(kind)

        def fit(seed):
            return quiet_fit(Estimator(random_state=seed), X, y)

        first, other = fit(3), fit(4)
        with ThreadPoolExecutor(1) as threads:
            (second,) = threads.map(fit, [3])
        for a, b in zip(first.coefs_, second.coefs_, strict=True):
            np.testing.assert_array_equal(a, b)
        assert first.search_results_ == second.search_results_
        assert not np.array_equal(first.coefs_[0], other.coefs_[0])

    def test_nothing_is_written_to_and_a_pickle_tells_the_same(self, kind):
        Estimator, X, y = problem(kind)
        frame, w = pd.DataFrame(X, columns=list("abc")), np.linspace(1, 3, 40)
        frame["d"] = pd.Categorical(np.resize(["x", "y", None], 40))
        frame.loc[::7, "a"] = np.nan
        before, w_before, y_before = frame.copy(), w.copy(), y.copy()
        model = quiet_fit(Estimator(random_state=0), frame, y, w)
        expected = prediction(model, frame)
        pd.testing.assert_frame_equal(frame, before)
        np.testing.assert_array_equal(w, w_before)
        np.testing.assert_array_equal(y, y_before)
        copy = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(prediction(copy, frame), expected)
        if kind == "one output":
            for a, b in zip(
                model.predict(frame, return_std=True),
                copy.predict(frame, return_std=True),
                strict=True,
            ):
                np.testing.assert_array_equal(a, b)
        n_bytes = sum(w.nbytes for w in [*model.coefs_, *model.intercepts_])
        assert len(pickle.dumps(model)) < 1.2 * n_bytes + 20_000


def mixed_frame(Frame, X, labels):
    columns = dict(zip("abc", X.T.tolist(), strict=True))
    columns["a"] = [None if i % 7 == 0 else a for i, a in enumerate(columns["a"])]
    return Frame(columns | {"d": labels})


@pytest.mark.parametrize("encoding", [None, "piecewise", "whitened"])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_labels_and_gaps_in_frames_and_arrays(Estimator, encoding):
    _, X, y = example(Estimator)
    labels = np.resize(["red", "blue", "grey"], 40).tolist()
    model = made(Estimator, 5, encoding=encoding, random_state=0)
    frames = [mixed_frame(Frame, X, labels) for Frame in (pd.DataFrame, pl.DataFrame)]
    expected = prediction(model.fit(frames[0], y), frames[0])
    names = model.encoder_.get_feature_names_out().tolist()
    assert {"missingindicator_a", "d_blue", "d_red"} <= set(names)
    assert model.n_features_in_ == 4
    assert model.coefs_[0].shape == (len(names), 5)
    unknown = mixed_frame(pd.DataFrame, X, ["green"] * 40)
    assert np.isfinite(prediction(model, unknown)).all()
    np.testing.assert_allclose(prediction(model, frames[1]), expected, rtol=1e-9)
    array = frames[0].to_numpy()
    model.set_params(categorical_features=[3])
    np.testing.assert_allclose(prediction(model.fit(array, y), array), expected)


@pytest.mark.parametrize("encoding", [None, "piecewise", "whitened"])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_network_of_dense_samples_takes_sparse_ones(Estimator, encoding):
    _, X, y = example(Estimator)
    X = np.where(X > 1, X, 0)
    S = sparse.csr_array(X)
    one, other = (
        made(Estimator, 5, encoding=encoding, early_stopping=True, random_state=0)
        for _ in range(2)
    )
    one.fit(X, y, X_val=X, y_val=y)
    other.fit(X, y, X_val=S, y_val=y)
    assert one.validation_scores_ == pytest.approx(other.validation_scores_)
    one, other = (m.set_params(early_stopping=False) for m in (one, other))
    one.partial_fit(X, y)
    other.partial_fit(S, y)
    np.testing.assert_allclose(prediction(other, S), prediction(one, X), rtol=1e-5)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_network_of_sparse_samples_knows_no_gaps(Estimator):
    _, X, y = example(Estimator)
    model = made(Estimator, 5, random_state=0).fit(sparse.csr_array(X), y)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.predict(X)
    assert np.isfinite(prediction(model.fit(X, y), X)).all()


def near_copies(n, seed=0):
    """Columns that say nearly the same; what differs tells y."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 1)) + 0.01 * rng.normal(size=(n, 6))
    return X, np.sin(50 * (X[:, 0] - X[:, 1])) + 50 * (X[:, 2] - X[:, 3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_that_say_nearly_the_same_are_decorrelated(dtype):
    X, y = near_copies(400)
    Xt, yt = near_copies(400, seed=1)
    model = quiet_fit(ShallowNNRegressor(random_state=0), X.astype(dtype), y)
    assert model.encoding_ == "whitened"
    assert model.encoder_ is None
    assert model.score(Xt.astype(dtype), yt) > 0.97
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    A1 = ACTIVATIONS[model.activation_].forward(Xt.astype(dtype) @ W1 + b1)
    by_hand = (A1 @ W2 + b2)[:, 0]
    np.testing.assert_allclose(by_hand, model.predict(Xt.astype(dtype)), rtol=1e-3)
    before = model.score(Xt, yt)
    for seed in range(2, 7):
        model.partial_fit(*near_copies(20, seed))
    assert model.score(Xt, yt) > before - 0.02


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_whitened_columns_with_every_solver(Estimator, solver):
    _, X, y = example(Estimator)
    X = np.column_stack([X, X[:, 0] + 0.01 * X[:, 1]])
    model = made(Estimator, 5, solver=solver, encoding="whitened", warm_start=True)
    before = quiet_fit(model.set_params(random_state=0, max_iter=20), X, y).loss_
    assert model.encoding_ == "whitened"
    assert quiet_fit(model, X, y).loss_ < 1.05 * before


def section(Estimator, name):
    """The names that a section of a docstring describes."""
    sections = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.getdoc(Estimator), flags=re.M)
    lines = re.findall(r"^(\w[\w, ]*) : ", sections[sections.index(name) + 1], re.M)
    return [part for line in lines for part in line.split(", ")]


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_docstring_names_the_parameters_and_the_attributes(Estimator):
    assert section(Estimator, "Parameters") == list(
        inspect.signature(Estimator).parameters
    )
    _, X, y = example(Estimator)
    frame = pd.DataFrame(X, columns=list("abc"))
    settings = {"solver": "lm", "alpha": "ard", "early_stopping": True}
    model = made(Estimator, 5, random_state=0, **settings).fit(frame, y)
    fitted_attributes = {name for name in vars(model) if name.endswith("_")}
    assert set(section(Estimator, "Attributes")) == fitted_attributes


@pytest.mark.parametrize("kind", KINDS)
def test_fitted_attributes_have_the_documented_types(kind):
    model, _, y = fitted(kind, early_stopping=True)
    k = {"binary": 1, "one output": 1}.get(kind, 3)
    assert [W.shape for W in model.coefs_] == [(3, 5), (5, k)]
    assert [b.shape for b in model.intercepts_] == [(5,), (k,)]
    assert (model.n_outputs_, model.n_layers_, model.n_features_in_) == (k, 3, 3)
    assert model.solver_ in SOLVERS
    assert all(isinstance(v, float) for v in (model.alpha_, model.loss_))
    for curve in (model.loss_curve_, model.validation_scores_):
        assert isinstance(curve, list)
        assert len(curve) == model.n_iter_
        assert all(isinstance(value, float) for value in curve)
    assert model.loss_ in model.loss_curve_
    out = {"binary": "logistic", "multiclass": "softmax", "multilabel": "logistic"}
    assert model.out_activation_ == out.get(kind, "identity")
    if kind == "multilabel":
        assert model.classes_.tolist() == [0, 1, 2]
    elif isinstance(model, ShallowNNClassifier):
        np.testing.assert_array_equal(model.classes_, np.unique(y))


@pytest.mark.parametrize("max_iter", [1, 3])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_number_of_iterations_is_within_the_budget(Estimator, solver, max_iter):
    _, X, y = example(Estimator)
    model = quiet_fit(made(Estimator, 5, solver=solver, max_iter=max_iter), X, y)
    assert isinstance(model.n_iter_, int)
    assert 1 <= model.n_iter_ <= max_iter
