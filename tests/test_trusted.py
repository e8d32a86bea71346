import io
import pickle
from functools import cache
from types import FunctionType

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sk_shallow import (
    SKOPS_TRUSTED_TYPES,
    LeakyReLU,
    ShallowNNClassifier,
    ShallowNNRegressor,
)
from sk_shallow._model.losses import LOSSES
from sk_shallow._model.output_activations import output_activations
from sk_shallow._solvers import SOLVERS
from sk_shallow.activations import ACTIVATIONS
from sk_shallow.preprocessing import HiddenLayer, PiecewiseLinearEncoder

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}"
)
N = 50
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(N, 3))
LABELS = ["u", "v", None]
FRAME = pd.DataFrame(NUMBERS.copy(), columns=list("abc"))
FRAME["d"] = np.resize(LABELS, N)
FRAME["e"] = pd.Categorical(np.resize([1, 2, 3], N))
FRAME.loc[::9, "a"] = np.nan
TABLES = {
    "array": NUMBERS,
    "single": NUMBERS.astype(np.float32),
    "sparse": sparse.csr_array(NUMBERS),
    "mostly zeros": sparse.csr_array(np.pad(NUMBERS, ((0, 0), (0, 40)))),
    "pandas": FRAME,
    "polars": pl.DataFrame({"a": NUMBERS[:, 0], "d": np.resize(LABELS, N).tolist()}),
}
IS_ONE = NUMBERS[:, 0] + 0.3 * RNG.normal(size=N) > 0
TARGETS = {
    "numbers": NUMBERS @ [1.0, 2.0, 0.0] + IS_ONE,
    "sizes": np.exp(NUMBERS[:, 0]),
    "columns": NUMBERS @ RNG.normal(size=(3, 2)),
    "binary": IS_ONE.astype(int),
    "strings": np.where(IS_ONE, "yes", "no"),
    "objects": np.where(IS_ONE, "yes", "no").astype(object),
    "multiclass": np.digitize(NUMBERS[:, 0], [-0.5, 0.5]),
    "multilabel": np.column_stack([IS_ONE, NUMBERS[:, 1] > 0]).astype(int),
}
QUICK = {"alpha": 1.0, "max_iter": 3, "warm_start": True}
CASES = {
    (name, target, table): options
    for target in ("numbers", "multiclass")
    for name, table, options in (
        ("default", "array", {}),
        ("default", "pandas", {}),
        ("default", "mostly zeros", {}),
        ("one network", "polars", {"n_hidden": 5}),
        ("evidence", "array", {"n_hidden": 3, "solver": "lm"}),
        ("rows", "sparse", {"n_hidden": 40, "solver": "lm", "alpha": "ard"}),
        *(
            (s, t, {"solver": s, **QUICK})
            for s in SOLVERS
            for t in ("single", "pandas")
        ),
        *(
            (f"committee, {s}", "array", {"solver": s, "n_estimators": 3, **QUICK})
            for s in SOLVERS
        ),
    )
}
CASES |= {("default", target, "array"): {} for target in ("columns", "multilabel")}
CASES |= {("target", target, "array"): {"solver": "sgd", **QUICK} for target in TARGETS}
CASES |= {
    (g, "binary", "array"): {"activation": g, "n_hidden": 3, **QUICK}
    for g in ACTIVATIONS
}
CASES |= {
    (f"{loss}, {h}", "sizes", "array"): {
        "loss": loss,
        "quantile": [0.1, 0.5] if loss == "quantile" else None,
        "output_activation": h,
        "n_hidden": 3,
        **QUICK,
    }
    for loss in LOSSES
    for h in output_activations(loss)
}
each_case = pytest.mark.parametrize("case", CASES, ids=", ".join)


@cache
def fitted(case):
    _, target, table = case
    X, y = TABLES[table], TARGETS[target]
    is_regression = y.dtype.kind == "f"
    kind = ShallowNNRegressor if is_regression else ShallowNNClassifier
    return kind(random_state=0, **CASES[case]).fit(X, y)


def loaded(model):
    skops = pytest.importorskip("skops.io")
    return skops.loads(skops.dumps(model), trusted=SKOPS_TRUSTED_TYPES)


def answers(model, X):
    """All that a fitted model can tell of X."""
    told = [model.predict(X)]
    if isinstance(model, ShallowNNClassifier):
        return [*told, model.predict_proba(X), model.decision_function(X)]
    for method, options in (
        (model.predict, {"return_std": True}),
        (model.predict_interval, {}),
    ):
        try:
            told += list(method(X, **options))
        except AttributeError:  # nothing was held out
            told.append(np.empty(0))
    return told


def assert_same_answers(one, other, X):
    for a, b in zip(answers(one, X), answers(other, X), strict=True):
        assert_array_equal(a, b)
        assert a.dtype == b.dtype


class _Types(pickle.Pickler):
    """A pickler that notes what is in an object, beside plain containers."""

    def __init__(self):
        super().__init__(io.BytesIO())
        self.found = set()

    def reducer_override(self, value):
        if not isinstance(value, type):
            self.found.add(value if isinstance(value, FunctionType) else type(value))
        return NotImplemented


def types_in(model):
    """The names of the types and functions of this package in a model."""
    pickler = _Types()
    pickler.dump(model)
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in pickler.found}
    return {name for name in names if name.startswith("sk_shallow.")}


@pytest.mark.slow
@each_case
def test_every_type_in_a_fitted_model_is_trusted(case):
    assert types_in(fitted(case)) <= set(SKOPS_TRUSTED_TYPES)


@pytest.mark.slow
def test_every_trusted_type_is_in_some_fitted_model():
    models = *map(fitted, CASES), HiddenLayer(ShallowNNRegressor())
    assert set().union(*map(types_in, models)) == set(SKOPS_TRUSTED_TYPES)


@pytest.mark.slow
@each_case
def test_skops_loads_a_model_that_tells_the_same(case):
    model, X = fitted(case), TABLES[case[-1]]
    assert_same_answers(loaded(model), model, X)


@pytest.mark.parametrize("n_estimators", [1, 3])
@pytest.mark.parametrize("target", ["numbers", "multiclass"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_model_from_skops_goes_on_bit_by_bit(solver, target, n_estimators):
    X, y = NUMBERS, TARGETS[target]
    kind = ShallowNNRegressor if target == "numbers" else ShallowNNClassifier
    options = {"n_estimators": n_estimators, "random_state": 0, **QUICK}
    model = kind(5, solver=solver, **options).fit(X, y)
    again = loaded(model)
    assert_same_answers(again.fit(X, y), model.fit(X, y), X)
    if SOLVERS[solver].incremental:
        again = loaded(model.partial_fit(X[:20], y[:20]))
        more = X[20:], y[20:]
        assert_same_answers(again.partial_fit(*more), model.partial_fit(*more), X)


@pytest.mark.parametrize("table", ["array", "single", "pandas", "polars"])
@pytest.mark.parametrize("options", [{}, {"n_bins": None, "max_categories": 2}])
def test_skops_loads_an_encoder(table, options):
    X = TABLES[table]
    encoder = PiecewiseLinearEncoder(**options).fit(X)
    again = loaded(encoder)
    assert types_in(encoder) <= set(SKOPS_TRUSTED_TYPES)
    assert_array_equal(again.transform(X), encoder.transform(X))
    names = (one.get_feature_names_out() for one in (again, encoder))
    assert_array_equal(*names)


def test_skops_loads_a_hidden_layer():
    X, y = NUMBERS, TARGETS["numbers"]
    layer = HiddenLayer(ShallowNNRegressor(3, solver="gd", **QUICK)).fit(X, y)
    assert_array_equal(loaded(layer).transform(X), layer.transform(X))


@pytest.mark.parametrize("kind", [ShallowNNClassifier, ShallowNNRegressor])
def test_skops_loads_what_is_not_fitted(kind):
    parameters = {"n_hidden": 3, "activation": ACTIVATIONS["elu"], "alpha": [1.0, 2.0]}
    assert loaded(kind(**parameters)).get_params() == kind(**parameters).get_params()


def test_skops_loads_the_best_pipeline_of_a_search():
    X, y = NUMBERS, TARGETS["numbers"]
    network = ShallowNNRegressor(3, solver="gd", random_state=0, **QUICK)
    pipeline = make_pipeline(PiecewiseLinearEncoder(), network)
    grid = {"shallownnregressor__activation": ["relu", LeakyReLU(0.2)]}
    best = GridSearchCV(pipeline, grid, cv=2).fit(X, y).best_estimator_
    assert_array_equal(loaded(best).predict(X), best.predict(X))
