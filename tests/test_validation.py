import re
import warnings
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import combinations
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedKFold,
)

from sk_shallow import Activation, ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._estimators.parameters import PARAMETERS
from sk_shallow._model.initializers import INITIALIZERS
from sk_shallow._model.losses import LOSSES
from sk_shallow._model.output_activations import OUTPUT_ACTIVATIONS
from sk_shallow._solvers import SOLVERS
from sk_shallow._training import train
from sk_shallow.activations import ACTIVATIONS

ESTIMATORS = [ShallowNNClassifier, ShallowNNRegressor]
INCREMENTAL = [name for name, kind in SOLVERS.items() if kind.incremental]
N = 40
X = np.random.default_rng(0).normal(size=(N, 3))
Y = (X[:, 0] > 0).astype(int)
TWO = np.column_stack([Y, 1 - Y])

NOT_A_BOOL = [None, 1, "True"]
NOT_A_NAME = [None, 3, ["relu"], "unknown"]
NOT_A_COUNT = [0, -1, 2.0, "3", True, np.nan]
NOT_POSITIVE = [0.0, -0.1, "0.1", True, np.nan, np.inf]
NOT_FOLDS = [0, 1, -1, 2.0, True, np.nan, len]
BAD_VALUES = {
    "n_hidden": [*NOT_A_COUNT, (50,)],
    "n_estimators": [*NOT_A_COUNT, "auto"],
    "n_jobs": [0, 1.0, "2", True],
    "activation": [*NOT_A_NAME, np.tanh, Activation],
    "solver": NOT_A_NAME,
    "alpha": [-1e-9, "1", True, np.nan, np.inf, "evident"],
    "encoding": ["unknown", 3, True, ["piecewise"]],
    "categorical_features": ["all", 1, True, {"a": "b"}],
    "cv": [*NOT_FOLDS, "5"],
    "class_weight": ["unbalanced", 1.0, [1.0, 2.0]],
    "init": NOT_A_NAME,
    "standardize": NOT_A_BOOL,
    "batch_size": [*NOT_A_COUNT, "auto"],
    "learning_rate_init": NOT_POSITIVE,
    "momentum": [-0.1, 1.0, "0.9", True, np.nan],
    "nesterovs_momentum": [0, 1, "True"],
    "max_iter": NOT_A_COUNT,
    "tol": [-1e-9, "0", None, True, np.nan, np.inf],
    "n_iter_no_change": [*NOT_A_COUNT, None],
    "early_stopping": NOT_A_BOOL,
    "validation_fraction": [0.0, 1.0, -0.1, 1.1, 1, "0.1", None, True, np.nan],
    "scoring": ["unknown", None, 3],
    "warm_start": NOT_A_BOOL,
    "random_state": [-1, 2**32, 0.5, "0", np.random.default_rng(0)],
    "verbose": [None, -1, 0.5, "True"],
    "linear_path": NOT_A_BOOL,
    "monotonic_cst": [1, "up", True],
    "loss": ["mse", None, 1],
    "quantile": [0.0, 1.0, "0.5", 2, True, np.nan],
    "output_activation": ["tanh", None, 0],
}
KNOWN_NAMES = {
    "loss": LOSSES,
    "output_activation": ["auto", *OUTPUT_ACTIVATIONS],
    "activation": ACTIVATIONS,
    "solver": [*SOLVERS, "auto"],
    "alpha": ["evidence", "ard"],
    "encoding": ["auto", "piecewise", "piecewise_mixed", "whitened"],
    "categorical_features": ["from_dtype"],
    "class_weight": ["balanced"],
    "init": INITIALIZERS,
    "scoring": ["loss", "accuracy", "r2"],
}
SOLVER_VALUES = {
    "batch_size": 16,
    "learning_rate_init": 0.01,
    "momentum": 0.5,
    "nesterovs_momentum": False,
    "max_iter": 4,
}


def make(kind, fitted, **parameters):
    estimator = kind(4, alpha=1.0, random_state=0)
    if fitted:
        estimator.set_params(max_iter=2).fit(X, Y).set_params(max_iter=None)
    return estimator.set_params(**parameters)


def assert_refused(estimator, exception, message, call, *args, **kwargs):
    before = dict(vars(estimator))
    fitted = "coefs_" in before
    if fitted:
        weights = [w.copy() for w in estimator.coefs_ + estimator.intercepts_]
        predicted = estimator.predict(X)
    with pytest.raises(exception, match=message) as caught:
        getattr(estimator, call)(*args, **kwargs)
    after = vars(estimator)
    assert list(after) == list(before)
    assert [name for name in before if after[name] is not before[name]] == []
    if fitted:
        kept = estimator.coefs_ + estimator.intercepts_
        for w, w_before in zip(kept, weights, strict=True):
            np.testing.assert_array_equal(w, w_before)
        np.testing.assert_array_equal(estimator.predict(X), predicted)
    else:
        with pytest.raises(NotFittedError):
            estimator.predict(X)
    return str(caught.value)


@pytest.mark.parametrize("kind", [ShallowNNClassifier, ShallowNNRegressor])
def test_nothing_is_told_before_fit(kind):
    X, y = np.ones((3, 2)), [0, 1, 1]
    told = ["predict", "hidden_layer", "input_gradients", "decision_function"]
    told += ["predict_proba", "predict_interval"]
    calls = [partial(getattr(kind(), n), X) for n in told if hasattr(kind, n)]
    for call in (*calls, partial(kind().score, X, y)):
        with pytest.raises(NotFittedError):
            call()


def solver_parameters(solver):
    return {field.name for field in fields(SOLVERS[solver])} & set(PARAMETERS)


@pytest.fixture(params=[False, True], ids=["never fitted", "fitted"])
def fitted(request):
    return request.param


@pytest.fixture(params=ESTIMATORS)
def kind(request):
    return request.param


def one_with(name, kind):
    """The kind of estimator, if it has the parameter; else the other."""
    return next(k for k in (kind, *ESTIMATORS) if name in k().get_params())


@pytest.mark.parametrize("name", PARAMETERS)
def test_wrong_value_of_a_parameter(name, fitted, kind):
    kind = one_with(name, kind)
    values = BAD_VALUES[name]
    for value in values:
        estimator = make(kind, fitted, **{name: value})
        start = f"The {name!r} parameter of {kind.__name__} must be "
        end = f". Got {value!r} instead."
        pattern = f"^{re.escape(start)}.+{re.escape(end)}$"
        message = assert_refused(estimator, ValueError, pattern, "fit", X, Y)
        for known in KNOWN_NAMES.get(name, []):
            assert repr(known) in message


def test_every_parameter_is_validated(kind):
    assert set(kind().get_params()) <= set(PARAMETERS)
    assert set(BAD_VALUES) == set(PARAMETERS)


# Numbers that int8 holds, but not what is made of them; and what else is set.
COUNTS = {
    "n_hidden": (100, {"max_iter": 2}),
    "n_estimators": (100, {"n_hidden": 2, "max_iter": 2}),
    "cv": (3, {"solver": "lbfgs", "max_iter": 2}),
    "batch_size": (16, {"max_iter": 3}),
    "max_iter": (100, {"batch_size": 10}),
    "n_iter_no_change": (3, {"early_stopping": True, "max_iter": 40}),
    "random_state": (100, {"max_iter": 2}),
    "n_jobs": (1, {"max_iter": 2}),
    "verbose": (0, {"max_iter": 2}),
}
RATES = {
    "alpha": (0.5, {"max_iter": 3}),
    "learning_rate_init": (0.5, {"max_iter": 3}),
    "momentum": (0.5, {"max_iter": 3}),
    "tol": (0.5, {"solver": "lbfgs", "max_iter": 20, "n_iter_no_change": 1}),
    "validation_fraction": (0.5, {"early_stopping": True, "max_iter": 3}),
    "quantile": (0.5, {"loss": "quantile", "max_iter": 3}),
}
INT_KINDS = [np.dtype(code).type for code in "bBhHiIlLqQ"]
FLOAT_KINDS = [np.float16, np.float32, np.float64, np.longdouble, Fraction]


def weights_of(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(X, Y)
    return np.concatenate([w.ravel() for w in estimator.coefs_ + estimator.intercepts_])


def is_numeric(constraint):
    return getattr(constraint, "kind", None) in (Integral, Real)


def test_every_number_has_a_case():
    numeric = {
        name for name, allowed in PARAMETERS.items() if any(map(is_numeric, allowed))
    }
    assert numeric == set(COUNTS) | set(RATES)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*COUNTS, *RATES])
def test_a_number_of_any_kind_is_that_number(name, kind):
    value, others = {**COUNTS, **RATES}[name]
    kind = one_with(name, kind)
    expected = weights_of(make(kind, False, **others, **{name: value}))
    for number in INT_KINDS if name in COUNTS else FLOAT_KINDS:
        given_value = number(value)
        estimator = make(kind, False, **others, **{name: given_value})
        np.testing.assert_array_equal(weights_of(estimator), expected)
        assert estimator.get_params()[name] is given_value
        assert type(clone(estimator).get_params()[name]) is number


@pytest.mark.parametrize("name", [*COUNTS, *RATES])
def test_what_only_looks_like_a_number_is_refused(name, fitted, kind):
    value, _ = {**COUNTS, **RATES}[name]
    kind = one_with(name, kind)
    for other in (np.array(value), Decimal(value), complex(value), str(value)):
        estimator = make(kind, fitted, **{name: other})
        message = f"The {name!r} parameter of {kind.__name__} must be"
        assert_refused(estimator, ValueError, message, "fit", X, Y)


def test_the_numbers_of_one_network_may_be_of_several_kinds(kind):
    numbers = {"n_hidden": np.int8(100), "n_estimators": np.uint8(3)}
    numbers |= {"max_iter": np.int16(2), "alpha": np.float16(0.5)}
    estimator = make(kind, False, **numbers).fit(X, Y)
    assert estimator.coefs_[0].shape == (3, 300)
    assert (estimator.n_iter_, estimator.alpha_) == (2, 0.5)
    expected = {name: value.item() for name, value in numbers.items()}
    np.testing.assert_array_equal(
        weights_of(estimator), weights_of(make(kind, False, **expected))
    )


HUGE = {
    "n_hidden": [10**15, 10**20, 10**400],
    "n_estimators": [10**15, 10**20, 10**400],
    "alpha": [2e15, 1e308, 10**400, [2e15, 1.0], [10**400, 1]],
    "learning_rate_init": [10**400, Fraction(1, 10**400)],
    "momentum": [10**400],
    "tol": [10**400],
    "validation_fraction": [10**400],
    "random_state": [10**400],
}


@pytest.mark.parametrize("name", HUGE)
def test_a_number_that_is_too_large_is_refused_by_name(name, fitted, kind):
    for value in HUGE[name]:
        options = {"solver": "lm"} if isinstance(value, list) else {}
        estimator = make(kind, fitted, **options, **{name: value})
        message = assert_refused(estimator, ValueError, name, "fit", X, Y)
        assert len(message) < 700


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_a_network_that_no_memory_holds_is_refused(call, kind):
    for sizes in ({"n_hidden": 10**9}, {"n_estimators": 10**9}):
        estimator = make(kind, False, **sizes)
        assert_refused(estimator, ValueError, "n_hidden=.*n_estimators", call, X, Y)
    estimator = make(kind, False, alpha=None, n_estimators=10**9)
    assert_refused(estimator, ValueError, "n_hidden=.*n_estimators", "fit", X, Y)


class Serial:
    """What joblib's Parallel does, one after the other."""

    asked: ClassVar[list] = []

    def __init__(self, n_jobs):
        self.asked.append(n_jobs)

    def __call__(self, jobs):
        return [function(*args, **kwargs) for function, args, kwargs in jobs]


@pytest.mark.parametrize(
    ("n_jobs", "asked"), [(10**400, 3), (2, 2), (-1, -1), (None, None)]
)
def test_there_are_no_more_processes_than_members(n_jobs, asked, kind, monkeypatch):
    monkeypatch.setattr(train, "Parallel", Serial)
    make(kind, False, solver="lbfgs", n_estimators=3, n_jobs=n_jobs).fit(X, Y)
    assert Serial.asked.pop() == asked


LARGE = {
    "alpha": 1e15,
    "learning_rate_init": 1e308,
    "max_iter": 10**400,
    "batch_size": 10**400,
    "n_iter_no_change": 10**400,
    "tol": 1e308,
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", LARGE)
def test_a_large_number_works(name, solver, kind):
    if name in SOLVER_VALUES and name not in solver_parameters(solver):
        return
    options = {"max_iter": 30, "early_stopping": True, "n_iter_no_change": 2}
    options |= {"tol": 1e-2, name: LARGE[name]}
    estimator = make(kind, False, solver=solver, n_estimators=2, **options)
    assert np.isfinite(weights_of(estimator)).all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_infinite_patience_never_ends_training(solver, kind):
    options = {"early_stopping": True, "solver": solver, "tol": 1.0, "max_iter": 25}
    estimators = [
        make(kind, False, n_iter_no_change=n, **options) for n in (np.inf, 10**6, 2)
    ]
    endless, patient, impatient = map(weights_of, estimators)
    np.testing.assert_array_equal(endless, patient)
    assert estimators[0].n_iter_ > estimators[2].n_iter_ or solver == "lm"
    assert len(endless) == len(impatient)


def weights_of_size(most):
    sizes = st.builds(float, st.builds("{}e{}".format, st.integers(1, 9), most))
    return st.lists(sizes.filter(bool), min_size=12, max_size=12)


any_weights = st.one_of(
    weights_of_size(st.integers(-323, 98)),
    weights_of_size(st.integers(-4, 98)),
    weights_of_size(st.integers(95, 307)),
)


@pytest.mark.parametrize("solver", SOLVERS)
@given(w=any_weights, n_hidden=st.integers(1, 3))
def test_weights_of_any_size_are_honoured_or_refused(solver, w, n_hidden):
    Estimator = [ShallowNNClassifier, ShallowNNRegressor][n_hidden % 2]
    estimator = Estimator(
        n_hidden, solver=solver, alpha=1.0, max_iter=2, random_state=0
    )
    total = sum(w)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if total > 1e100:
            with pytest.raises(
                ValueError, match=r"weights must sum to at most 1e\+100"
            ):
                estimator.fit(X[:12], Y[:12], w)
        else:
            estimator.fit(X[:12], Y[:12], w)
            assert np.isfinite(estimator.predict(X)).all()


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@given(power=st.integers(-1070, -100), rest=st.sampled_from([1.0, 5e-324, 1e-100]))
def test_a_weight_that_is_lost_in_rounding_is_one_of_zero(call, power, rest):
    some, none = np.ones((2, N))
    some[::3], none[::3] = 2.0**power, 0.0
    for kind in ESTIMATORS:
        one, other = (make(kind, False, max_iter=2) for _ in range(2))
        getattr(one, call)(X, Y, sample_weight=some * (rest if rest == 1 else 1.0))
        getattr(other, call)(X, Y, sample_weight=none)
        np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])


@pytest.mark.parametrize("weight", [5e-324, 1e-310, 1e-100, 2.0])
def test_weights_that_are_small_are_relative(weight, kind):
    weighted = make(kind, False, max_iter=2).fit(X, Y, np.full(N, weight))
    plain = make(kind, False, max_iter=2).fit(X, Y, np.full(N, max(weight, 1.0)))
    np.testing.assert_allclose(weighted.coefs_[0], plain.coefs_[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("class_weight", "w", "message"),
    [
        ({0: 1e90, 1: 1.0}, 1e20, r"times class_weight must sum to at most 1e\+100"),
        ({0: 1e308, 1: 1.0}, 1.0, r"times class_weight must sum to at most 1e\+100"),
        ({0: 10**400, 1: 1.0}, 1.0, r"values of class_weight must be numbers"),
    ],
)
def test_class_weights_that_leave_the_floats(class_weight, w, message, fitted):
    estimator = make(ShallowNNClassifier, fitted, class_weight=class_weight)
    assert_refused(estimator, ValueError, message, "fit", X, Y, np.full(N, w))


def test_weights_whose_products_vanish(fitted):
    estimator = make(ShallowNNClassifier, fitted, class_weight={0: 5e-324, 1: 0.0})
    message = "sample_weight times class_weight is zero for all samples"
    weights = np.where(Y == 0, 0.1, 10.0)
    assert_refused(estimator, ValueError, message, "fit", X, Y, weights)


@pytest.mark.parametrize("number", [np.int8, np.float16, Fraction])
def test_class_weights_may_be_numbers_of_any_kind(number):
    one, other = (
        make(ShallowNNClassifier, False, max_iter=2, class_weight={0: of(2), 1: of(3)})
        for of in (number, float)
    )
    np.testing.assert_array_equal(weights_of(one), weights_of(other))


class Loud:
    def __repr__(self):
        return "x" * 10**6


def complaint_of(estimator):
    """What is said where a fit is refused."""
    try:
        weights_of(estimator)
    except ValueError as error:
        return str(error)
    return ""


LONG = ["x" * 10**6, ["x" * 10**5] * 20, dict.fromkeys(range(10**5)), Loud()]


@pytest.mark.slow
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_message_about_a_parameter_is_short(name, kind):
    kind = one_with(name, kind)
    for value in [*LONG, np.zeros(10**4), list(range(10**4))]:
        estimator = make(kind, False, **{name: value})
        assert len(complaint_of(estimator)) < 2000


MANY = np.repeat(np.arange(1000), 2)


@pytest.mark.parametrize(
    "labels", [MANY, MANY.astype(str).astype(object) + "x" * 1000], ids=["many", "long"]
)
def test_a_message_about_labels_is_short(labels):
    many = np.zeros((2000, 1))
    options = {"max_iter": 1, "n_hidden": 1, "alpha": 1.0}
    model = ShallowNNClassifier(**options).partial_fit(many, labels)
    unseen = labels[::-1].copy() + (7 if labels.dtype != object else "y")
    for call in (
        lambda: model.partial_fit(many, unseen),
        lambda: model.partial_fit(many, labels, classes=unseen),
        lambda: ShallowNNClassifier(early_stopping=True, **options).fit(
            many, labels, X_val=many, y_val=unseen
        ),
        lambda: ShallowNNClassifier(
            class_weight=dict.fromkeys(unseen.tolist(), 1.0), **options
        ).fit(many, labels),
        lambda: ShallowNNClassifier(
            class_weight=dict.fromkeys(labels.tolist(), -1.0), **options
        ).fit(many, labels),
    ):
        with pytest.raises(ValueError, match=r"class") as caught:
            call()
        assert len(str(caught.value)) < 1500


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_a_message_about_what_is_no_number_is_short(call, fitted):
    words = np.array(["x" * 10**5] * N, dtype=object)
    estimator = make(ShallowNNRegressor, fitted)
    for args in ((X, words), (X, words[:, None]), (X, Y, words)):
        message = "could not convert string to float"
        message = assert_refused(estimator, ValueError, message, call, *args)
        assert len(message) < 500


def test_a_message_about_columns_is_short(kind):
    names = ["x" * 1000 + str(j) for j in range(500)]
    frame = pd.DataFrame(np.zeros((20, 500)), columns=names)
    for listed, given_X in (
        (["y" * 10**5], frame),
        ([0.5] * 10**4, frame),
        ([10**400], frame),
        (list(range(500)), sparse.csr_array(frame.to_numpy())),
        (None, frame.assign(**{names[7]: "word"})),
    ):
        estimator = make(kind, False, categorical_features=listed)
        with pytest.raises(ValueError, match=r"categorical_features|Column") as caught:
            estimator.fit(given_X, Y[:20])
        assert len(str(caught.value)) < 1500


def test_a_message_about_an_array_is_short_and_keeps_its_end(kind):
    words = np.array(["x" * 10**5] * N, dtype=object)
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array") as caught:
        kind().fit(words, Y)
    assert len(str(caught.value)) < 500
    assert str(caught.value).endswith("if it contains a single sample.")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", SOLVER_VALUES)
def test_solver_honours_a_parameter_or_refuses_it(solver, name, fitted, kind):
    value = SOLVER_VALUES[name]
    estimator = make(kind, fitted, solver=solver, **{name: value})
    if name in solver_parameters(solver):
        estimator.set_params(tol=1.0, n_iter_no_change=1)
        assert estimator.fit(X, Y).solver_ == solver
        return
    having = [repr(other) for other in SOLVERS if name in solver_parameters(other)]
    message = assert_refused(estimator, ValueError, repr(name), "fit", X, Y)
    assert f"solver={solver!r}" in message
    assert f"{name}={value!r}" in message
    assert having
    assert all(other in message for other in having)


def test_every_parameter_of_a_solver_has_a_case():
    assert set().union(*map(solver_parameters, SOLVERS)) == set(SOLVER_VALUES)


@pytest.mark.parametrize("n_set", range(len(SOLVER_VALUES) + 1))
def test_auto_chooses_a_solver_that_honours_all_that_was_set(n_set, kind):
    for names in combinations(SOLVER_VALUES, n_set):
        requested = {name: SOLVER_VALUES[name] for name in names}
        chosen = make(kind, False, **requested).fit(X, Y).solver_
        assert set(names) <= solver_parameters(chosen)


def spoiled(array, value):
    array = np.array(array, dtype=float)
    array.flat[7] = value
    return array


def one_object(value, other=1):
    array = np.full(N, other, dtype=object)
    array[7] = value
    return array


def with_column(j, values):
    frame = pd.DataFrame(X)
    frame[j] = values
    return frame


DAYS = np.arange(N).astype("datetime64[D]")
BAD_X = {
    "nan where zeros are not stored": (
        sparse.csr_array(spoiled(X, np.nan)),
        "Input X contains NaN",
    ),
    "inf": (spoiled(X, np.inf), "Input X contains infinity"),
    "one dimension": (X[:, 0], "Expected 2D array, got 1D array"),
    "three dimensions": (X[:, :, None], "Found array with dim 3"),
    "no sample": (X[:0], r"0 sample\(s\)"),
    "no feature": (X[:, :0], r"0 feature\(s\)"),
    "rows of several lengths": (
        [*X[:-1].tolist(), [1.0, 2.0]],
        "Expected 2D array, got rows of different lengths instead: row 0 has 3 "
        "values, row 39 has 2",
    ),
    "rows that are numbers": ([*X[:-1].tolist(), 1.0], "different lengths"),
    "values of several lengths": (
        [[0.0, 1.0, [1.0]], *[[0.0, 1.0, [2.0, 3.0]]] * (N - 1)],
        "Column 2 of X cannot be converted to float: .* Turn what it holds into num",
    ),
    "complex": (
        X + 1j,
        r"Column 0 of X holds complex numbers\. Complex data not supported: turn them",
    ),
    "complex in lists": (
        [[0.0, 1j, 1.0]] * N,
        "Column 1 of X holds complex numbers",
    ),
    "a column of complex objects": (
        with_column(1, 1j).astype(object).to_numpy(),
        "Column 1 of X holds complex numbers",
    ),
    "a column of complex numbers": (
        with_column(2, 1j),
        "Column 2 of X holds complex numbers",
    ),
    "an int that no float holds": (
        with_column(1, 10**400).to_numpy(),
        "Column 1 of X cannot be converted to float: .*too large",
    ),
    "strings that are numbers": (
        X.astype(str),
        r"Column 0 of X holds strings that are numbers\. Convert them to numeric "
        r"values explicitly, such as by 'astype\(float\)', or name the column in cat",
    ),
    "lists of strings that are numbers": (
        [[1.0, "2", 3.0]] * N,
        "Column 1 of X holds strings that are numbers",
    ),
    "words": (
        np.full((N, 3), "word"),
        "Column 0 of X holds strings. Name it in categorical_features, or pass X as",
    ),
    "a column of words": (
        with_column(1, "word").to_numpy(),
        "Column 1 of X holds strings. Name it in categorical_features, or pass X as",
    ),
    "dates": (
        np.tile(DAYS[:, None], 3),
        "Column 0 of X holds dates or times. Turn them into numbers",
    ),
    "a column of dates": (
        with_column(2, DAYS.astype("datetime64[s]")),
        "Column 2 of X holds dates or times. Turn them into numbers",
    ),
    "a column of lists": (
        with_column(1, [[1, 2]] * N),
        "Column 1 of X holds other objects. Turn them into numbers or strings",
    ),
    "too few": (X[:-1], "inconsistent numbers of samples"),
}
# The same, where the type is wrong.
BAD_TYPES = {
    "a plan": (
        pl.DataFrame(X).lazy(),
        r"A LazyFrame was passed for X, but a DataFrame is required\. Use '\.collect",
    ),
    "a column of dicts": (
        np.array([[0.0, 1.0, {"a": 1}]] * N),
        r"Column 2 of X cannot be converted to float: .*'dict'.* Turn what it holds",
    ),
    "a column of sets": (
        [[0.0, {1, 2}, 1.0]] * N,
        "Column 1 of X cannot be converted to float: .*'set'",
    ),
}
BAD_Y = {
    "nan": (spoiled(Y, np.nan), "Input y contains NaN"),
    "inf": (spoiled(Y, np.inf), "Input y contains infinity"),
    "none": (None, "requires y to be passed"),
    "three dimensions": (TWO[:, :, None], "dim 3|Unknown label type"),
    "too few": (Y[:-1], "inconsistent numbers of samples"),
    "rows of labels": (
        [[1], [0, 1]] * (N // 2),
        "Expected one value of y .* MultiLabelBinarizer .* row 0 has 1 values, row 1 h",
    ),
    **{
        f"{gap!r} among {what}": (
            values,
            r"Input y contains NaN, or what stands for it: .* in row 7\. Leave out the",
        )
        for gap in (None, np.nan, pd.NA, pd.NaT, np.datetime64("NaT"))
        for what, values in {
            "numbers": one_object(gap),
            "words": one_object(gap, "word"),
            "columns": np.column_stack([one_object(0), one_object(gap)]),
        }.items()
    },
}
BAD_TARGETS = {
    "words": (np.full(N, "word"), "could not convert string to float"),
    "complex": (Y + 1j, "Complex data not supported"),
    "dates": (DAYS, "y holds dates or times. Turn them into numbers, such as the days"),
    "durations": (DAYS - DAYS[0], "y holds dates or times. Turn them into numbers"),
    "columns of dates": (np.column_stack([DAYS, DAYS]), "y holds dates or times"),
    "infinite objects": (one_object(np.inf), "Input y contains infinity"),
    "complex objects": (one_object(1j), "y holds complex numbers. Complex data not"),
    "complex of NumPy": (one_object(np.complex64(1j)), "y holds complex numbers"),
    "dates as objects": (one_object(DAYS[0].item()), "y holds dates or times"),
    "an int that no float holds": (
        one_object(10**400),
        "y cannot be converted to float: .*too large.*Turn what it holds into numbers",
    ),
}
BAD_LABELS = {
    "words and numbers": (
        one_object(1, "word"),
        r"Unknown label type: unknown\. y is .* types \['int'\]\. Labels are strings",
    ),
    "objects that are numbers": (
        one_object(1),
        r"y\.astype\(str\) or y\.astype\(int\)",
    ),
    "objects in columns": (
        TWO.astype(object),
        r"Labels are strings, or an array of nu",
    ),
    "lists in an array": (
        one_object([1, 2]),
        r"types \['int', 'list'\].*MultiLabelBin",
    ),
    "arrays in an array": (
        one_object(np.ones(2), "word"),
        r"\['ndarray'\].*MultiLabelBi",
    ),
    "numbers": (X[:, 0], "Unknown label type: continuous"),
    "columns of numbers": (X, "Unknown label type: continuous-multioutput"),
    "columns of labels": (TWO * [1, 2], r"multilabel indicator .*\(40, 2\)"),
    "an indicator of ones and twos": (TWO + 1, "zeros and ones"),
    "an indicator of -1 and 1": (2 * TWO - 1, "zeros and ones"),
}
BAD_WEIGHTS = {
    "all zero": (np.zeros(N), "at least one non-zero"),
    "zero": (0.0, "at least one non-zero"),
    "a negative one": (spoiled(np.ones(N), -1e-9), "Negative values"),
    "nan": (spoiled(np.ones(N), np.nan), "sample_weight contains NaN"),
    "inf": (spoiled(np.ones(N), np.inf), "sample_weight contains infinity"),
    "too few": (np.ones(N - 1), r"\(39,\), expected \(40,\)"),
    "two dimensions": (np.ones((N, 1)), "1D array or scalar, got 2D array"),
    "words": (
        ["word"] * N,
        "sample_weight cannot be converted to float: .*could not convert string to fl",
    ),
    "an int that no float holds": (
        one_object(10**400),
        "sample_weight cannot be converted to float: .*too large",
    ),
}
BAD_TYPES_OF_WEIGHTS = {
    "complex objects": (one_object(1j), "sample_weight cannot be .*'complex'"),
    "complex of NumPy": (one_object(np.complex64(1j)), "sample_weight .*'complex64'"),
    "a gap": (one_object(pd.NA), "sample_weight cannot be .*'NAType'"),
    "dates": (DAYS, "sample_weight cannot be .*'datetime64'"),
    "durations": (DAYS - DAYS[0], "sample_weight cannot be .*'timedelta64'"),
    "a LazyFrame": (pl.DataFrame({"w": Y}).lazy(), "passed for sample_weight"),
}


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
class TestBadData:
    @pytest.mark.parametrize("case", BAD_X)
    def test_X(self, case, call, fitted, kind):
        value, message = BAD_X[case]
        assert_refused(make(kind, fitted), ValueError, message, call, value, Y)

    @pytest.mark.parametrize("case", BAD_TYPES)
    def test_types_of_X(self, case, call, fitted, kind):
        value, message = BAD_TYPES[case]
        assert_refused(make(kind, fitted), TypeError, message, call, value, Y)

    def test_a_plan_as_y(self, call, fitted, kind):
        plan = pl.DataFrame({"y": Y}).lazy()
        message = "A LazyFrame was passed for y, but a DataFrame is required"
        assert_refused(make(kind, fitted), TypeError, message, call, X, plan)

    @pytest.mark.parametrize("case", BAD_Y)
    def test_y(self, case, call, fitted, kind):
        value, message = BAD_Y[case]
        assert_refused(make(kind, fitted), ValueError, message, call, X, value)

    @pytest.mark.parametrize("case", BAD_TARGETS)
    def test_y_of_the_regressor(self, case, call, fitted):
        value, message = BAD_TARGETS[case]
        estimator = make(ShallowNNRegressor, fitted)
        assert_refused(estimator, ValueError, message, call, X, value)

    @pytest.mark.parametrize("case", BAD_LABELS)
    def test_y_of_the_classifier(self, case, call, fitted):
        value, message = BAD_LABELS[case]
        estimator = make(ShallowNNClassifier, fitted)
        assert_refused(estimator, ValueError, message, call, X, value)

    @pytest.mark.parametrize("case", BAD_WEIGHTS)
    def test_sample_weight(self, case, call, fitted, kind):
        value, message = BAD_WEIGHTS[case]
        estimator = make(kind, fitted)
        weights = {"sample_weight": value}
        assert_refused(estimator, ValueError, message, call, X, Y, **weights)

    @pytest.mark.parametrize("case", BAD_TYPES_OF_WEIGHTS)
    def test_types_of_sample_weight(self, case, call, fitted, kind):
        value, message = BAD_TYPES_OF_WEIGHTS[case]
        weights = {"sample_weight": value}
        estimator = make(kind, fitted)
        assert_refused(estimator, TypeError, message, call, X, Y, **weights)

    def test_sparse_targets_of_the_regressor(self, call, fitted):
        message, estimator = (
            "Sparse data was passed for y",
            make(ShallowNNRegressor, fitted),
        )
        for y in (sparse.csr_array(TWO), sparse.csc_matrix(TWO * 1.0)):
            assert_refused(estimator, TypeError, message, call, X, y)


BAD_CLASS_WEIGHTS = {
    "negative": ({0: -1.0, 1: 1.0}, Y),
    "all zero": ({0: 0.0, 1: 0.0}, Y),
    "nan": ({0: np.nan, 1: 1.0}, Y),
    "not a number": ({0: "heavy"}, Y),
    "balanced, multilabel": ("balanced", TWO),
}


@pytest.mark.parametrize("case", BAD_CLASS_WEIGHTS)
def test_class_weight_that_cannot_be_used(case, fitted):
    value, y = BAD_CLASS_WEIGHTS[case]
    estimator = make(ShallowNNClassifier, fitted, class_weight=value)
    assert_refused(estimator, ValueError, "class_weight", "fit", X, y)


BAD_CATEGORICAL_FEATURES = {
    "no numbers, names or mask": ([0.5], X, "array-like of bool, int or str"),
    "too short a mask": ([True, False], X, r"shape \(n_features,\), got: \(2,\)"),
    "beyond the last": ([0, 3], X, r"\[0, n_features - 1\], got: 3"),
    "names without names": (["a"], X, "data without feature names"),
    "an unknown name": (
        ["d"],
        pd.DataFrame(X, columns=list("abc")),
        r"'d' which is not a valid feature name .* \['a', 'b', 'c'\]",
    ),
    "sparse": ([0], sparse.csr_array(X), r"X is sparse.* categorical_features=\[0\]"),
}


@pytest.mark.parametrize("case", BAD_CATEGORICAL_FEATURES)
def test_categorical_features_that_X_does_not_have(case, fitted, kind):
    value, given, message = BAD_CATEGORICAL_FEATURES[case]
    estimator = make(kind, fitted, categorical_features=value)
    assert_refused(estimator, ValueError, message, "fit", given, Y)


def test_no_stream_begins_with_correlations(fitted, kind):
    estimator = make(kind, fitted, encoding="whitened", alpha=1.0)
    if not fitted:
        message = "partial_fit cannot begin with encoding='whitened'.*'auto' or None"
        assert_refused(estimator, ValueError, message, "partial_fit", X, Y)


@pytest.mark.parametrize("encoding", ["piecewise", "whitened"])
def test_no_encoding_of_sparse_columns(encoding, fitted, kind):
    estimator = make(kind, fitted, encoding=encoding)
    message = f"encoding='{encoding}' .* X is sparse.* 'auto' or None"
    assert_refused(estimator, ValueError, message, "fit", sparse.csr_array(X), Y)


NO_SPLITS = r"cv must be .* pairs \(train, test\) .* 40 samples, from 0 to 39"
BAD_CV = {
    "more samples": (list(KFold(4).split(range(N + 1))), NO_SPLITS),
    "samples counted from the end": ([(np.arange(-9, 0), np.arange(9))], NO_SPLITS),
    "no numbers of samples": ([([0.5], [1.5])], NO_SPLITS),
    "masks of other samples": ([(np.ones(N + 1, bool),) * 2], NO_SPLITS),
    "no pairs": ([np.arange(N)], NO_SPLITS),
    "no parts": ([3, 4], NO_SPLITS),
    "no split": ([], NO_SPLITS),
    "nothing held out": ([(np.arange(N), [])], "to hold out. Got 1 without"),
    "nothing to see": ([([], np.arange(N))], "to see .* Got 1 without"),
    "a splitter that holds all out": (PredefinedSplit([0] * N), "Got 1 without"),
    "more folds than a class has": (StratifiedKFold(30), "n_splits=30 cannot be"),
    "groups that are not given": (GroupKFold(2), "'groups' parameter"),
}


@pytest.mark.parametrize("case", BAD_CV)
def test_splits_that_make_no_folds(case, fitted, kind):
    value, message = BAD_CV[case]
    estimator = make(kind, fitted, cv=value)
    assert_refused(estimator, ValueError, message, "fit", X, Y)


def test_splits_may_be_masks(kind):
    numbers = list(KFold(4, shuffle=True, random_state=0).split(X))
    masks = [[np.isin(np.arange(N), part) for part in split] for split in numbers]
    one, other = (make(kind, False, cv=cv).fit(X, Y) for cv in (numbers, masks))
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])
    assert one.search_results_ == other.search_results_


BAD_GROUPS = {
    "too few": (np.arange(N - 1), "inconsistent numbers of samples"),
    "two dimensions": (X, "1d array"),
    "NaN among floats": (spoiled(np.ones(N), np.nan), "Input groups contains NaN"),
    **{
        f"{gap!r}": (
            one_object(gap),
            r"groups contains NaN, or .* in row 7\. Leave out",
        )
        for gap in (None, np.nan, pd.NA, pd.NaT, np.datetime64("NaT"))
    },
    "a day that is none": (
        np.where(Y, DAYS, np.datetime64("NaT")),
        r"groups contains NaN, or .* in row",
    ),
}


@pytest.mark.parametrize("case", BAD_GROUPS)
def test_groups_of_other_samples(case, fitted, kind):
    groups, message = BAD_GROUPS[case]
    estimator = make(kind, fitted, cv=4)
    assert_refused(estimator, ValueError, message, "fit", X, Y, groups=groups)


def test_groups_that_have_no_order(fitted, kind):
    groups, message = one_object("a"), "groups cannot be sorted.*Use values of one type"
    estimator = make(kind, fitted, cv=4)
    assert_refused(estimator, TypeError, message, "fit", X, Y, groups=groups)


OTHER_OUTPUTS = "^(?!output array|operands|cannot).*(outputs|labels|columns|shape)"
ALL = {"X_val": X, "y_val": Y, "sample_weight_val": np.ones(N)}
BAD_VALIDATION = {
    "no y_val": ({"X_val": X}, "X_val is provided, but y_val was not"),
    "no X_val": ({"y_val": Y}, "y_val is provided, but X_val was not"),
    "weights only": (
        {"sample_weight_val": np.ones(N)},
        "sample_weight_val is provided, but X_val was not",
    ),
    "other features": (ALL | {"X_val": X[:, :2]}, "X has 2 features, .* expecting 3"),
    "inf": (ALL | {"X_val": spoiled(X, np.inf)}, "Input X contains infinity"),
    "words": (ALL | {"X_val": np.full((N, 3), "word")}, "Column 0 of X holds strings"),
    "too few": (ALL | {"y_val": Y[1:]}, "inconsistent numbers of samples"),
    "all zero": (ALL | {"sample_weight_val": np.zeros(N)}, "at least one non-zero"),
    "other columns": (ALL | {"y_val": TWO}, OTHER_OUTPUTS),
}


@pytest.mark.parametrize("scoring", ["loss", "r2"])
@pytest.mark.parametrize("case", BAD_VALIDATION)
def test_bad_validation_set(case, scoring, fitted, kind):
    passed, message = BAD_VALIDATION[case]
    estimator = make(kind, fitted, early_stopping=True, scoring=scoring)
    assert_refused(estimator, ValueError, message, "fit", X, Y, **passed)


def test_validation_set_without_early_stopping(fitted, kind):
    message = "early_stopping is False"
    assert_refused(make(kind, fitted), ValueError, message, "fit", X, Y, **ALL)


def test_validation_set_with_unseen_classes(fitted):
    estimator = make(ShallowNNClassifier, fitted, early_stopping=True)
    message = r"\[2\].*known classes are \[0, 1\]"
    assert_refused(estimator, ValueError, message, "fit", X, Y, X_val=X, y_val=Y + 1)


class SlopeOfZ(Activation):
    def forward(self, Z, out=None):
        return np.tanh(Z, out=out)

    def slope(self, A, out=None):
        return np.subtract(1, np.tanh(A) ** 2, out=out)


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_activation_with_a_wrong_slope(call, fitted, kind):
    estimator = make(kind, fitted, activation=SlopeOfZ())
    message = r"slope of the activation SlopeOfZ is wrong: at z = .*g'\(Z\)"
    assert_refused(estimator, ValueError, message, call, X, Y)


class TestPartialFit:
    @pytest.mark.parametrize("call", ["partial_fit", "predict"])
    def test_a_chunk_whose_labels_were_read_as_numbers(self, call, kind):
        frame = pd.DataFrame(X).add_prefix("x").assign(code=np.where(Y == 1, "1", "x"))
        args = (frame.assign(code=Y), Y)[: 1 + (call == "partial_fit")]
        estimator = kind(4, alpha=1.0, random_state=0).partial_fit(frame, Y)
        with pytest.raises(ValueError, match="Column 'code' of X holds labels such as"):
            getattr(estimator, call)(*args)

    def test_other_number_of_features(self, kind):
        message = "X has 2 features, but .* is expecting 3 features"
        for call in ("partial_fit", "predict"):
            args = (X[:, :2], Y)[: 1 + (call == "partial_fit")]
            assert_refused(make(kind, True), ValueError, message, call, *args)

    def test_early_stopping(self, fitted, kind):
        estimator = make(kind, fitted, early_stopping=True)
        message = "does not support early_stopping=True.*Set early_stopping=False"
        assert_refused(estimator, ValueError, message, "partial_fit", X, Y)

    def test_unseen_class(self):
        message = r"\[2\].*known classes are \[0, 1\]"
        estimator = make(ShallowNNClassifier, True)
        assert_refused(estimator, ValueError, message, "partial_fit", X, Y + 1)

    def test_class_that_is_not_among_the_announced(self):
        message = r"\[1\].*known classes are \[0, 5\]"
        estimator = make(ShallowNNClassifier, False)
        assert_refused(estimator, ValueError, message, "partial_fit", X, Y, [0, 5])

    def test_other_classes_announced_later(self):
        estimator = make(ShallowNNClassifier, True)
        message = r"classes.*\[0, 1\]"
        assert_refused(estimator, ValueError, message, "partial_fit", X, Y, [0, 1, 2])

    @pytest.mark.parametrize(
        "classes",
        [
            {0, 1},
            1,
            "a",
            [[0], [1]],
            [0, np.nan],
            ["a", None],
            [],
            np.array([0, "a"], dtype=object),
        ],
        ids=repr,
    )
    def test_what_is_announced_is_no_vector_of_labels(self, classes, fitted):
        estimator = make(ShallowNNClassifier, fitted)
        message = r"classes must be an array-like of shape \(n_classes,\).* instead"
        assert_refused(estimator, ValueError, message, "partial_fit", X, Y, classes)

    @pytest.mark.parametrize(("known", "given"), [(1, 2), (2, 1), (2, 3), (3, 2)])
    def test_other_number_of_outputs(self, known, given, kind):
        y = {1: Y, 2: TWO, 3: np.column_stack([TWO, Y])}
        estimator = kind(4, alpha=1.0, max_iter=2, random_state=0).fit(X, y[known])
        assert_refused(estimator, ValueError, OTHER_OUTPUTS, "partial_fit", X, y[given])


class Interrupted(Activation):
    """Like Ctrl-C at the forward call of the given number."""

    def __init__(self):
        self.n_calls, self.last = 0, np.inf

    def forward(self, Z, out=None):
        self.n_calls += 1
        if self.n_calls == self.last:
            raise KeyboardInterrupt("Ctrl-C")
        return np.tanh(Z, out=out)

    def slope(self, A, out=None):
        return np.subtract(1, np.square(A), out=out)


class InterruptedScorer:
    def __init__(self):
        self.n_calls = 0

    def __call__(self, estimator, X, y):
        self.n_calls += 1
        if self.n_calls == 3:
            raise KeyboardInterrupt("Ctrl-C")
        return float(estimator.score(X, y))


@pytest.mark.parametrize("solver", SOLVERS)
def test_interrupt_in_the_middle_of_fit(solver, fitted, kind):
    activation = Interrupted()
    common = {"activation": activation, "solver": solver, "tol": 1e-2}
    make(kind, False, **common).fit(X, Y)
    middle = activation.n_calls // 2
    estimator = make(kind, fitted, **common)
    before = dict(vars(estimator))
    activation.n_calls, activation.last = 0, middle
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(X, Y)
    assert activation.n_calls == middle > 5
    assert list(vars(estimator)) == list(before)
    assert all(vars(estimator)[name] is value for name, value in before.items())


@pytest.mark.parametrize("solver", SOLVERS)
def test_interrupt_by_a_scorer(solver, fitted, kind):
    scorer = InterruptedScorer()
    options = {"solver": solver, "early_stopping": True, "scoring": scorer}
    estimator = make(kind, fitted, **options)
    assert_refused(estimator, KeyboardInterrupt, "Ctrl-C", "fit", X, Y)
    assert scorer.n_calls == 3


@pytest.mark.parametrize("solver", INCREMENTAL)
def test_interrupted_partial_fit_leaves_no_trace_in_what_follows(solver, kind):
    options = {} if solver == "gd" else {"batch_size": 8}
    activation = Interrupted()
    quiet, interrupted = (
        make(kind, False, activation=activation, solver=solver, **options)
        for _ in range(2)
    )
    quiet.partial_fit(X, Y).partial_fit(X, Y)
    activation.n_calls = 0
    interrupted.partial_fit(X, Y)
    activation.last, activation.n_calls = activation.n_calls, 0
    assert_refused(interrupted, KeyboardInterrupt, "Ctrl-C", "partial_fit", X, Y)
    activation.last = np.inf
    interrupted.partial_fit(X, Y)
    for a, b in zip(quiet.coefs_, interrupted.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
