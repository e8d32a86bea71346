import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_shallow import LeakyReLU, ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._solvers import SOLVERS
from sk_shallow.activations import ACTIVATIONS

ESTIMATORS = [ShallowNNClassifier, ShallowNNRegressor]
# By default the folds choose. By each solver one network is trained, without a race.
AFFORDABLE = {
    "gd": {"alpha": 1.0, "max_iter": 100},
    "lbfgs": {"alpha": 1.0, "max_iter": 100},
    "lm": {"n_hidden": 5},
}
QUICK = [kind(solver="adam", alpha=1.0) for kind in ESTIMATORS]
OTHERS = [kind() for kind in ESTIMATORS]
OTHERS += [
    kind(solver=solver, **AFFORDABLE.get(solver, {"alpha": 1.0}))
    for kind in ESTIMATORS
    for solver in SOLVERS
    if solver != "adam"
]


@parametrize_with_checks(QUICK)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Nothing that was tried:UserWarning")
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# These ask for what comes with the steps.
OF_THE_FIT = (
    "check_class_weight_classifiers",
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_regressors_train",
)


@pytest.mark.slow
@parametrize_with_checks(OTHERS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Nothing that was tried:UserWarning")
def test_scikit_learn_checks_of_all_others(estimator, check):
    is_default = estimator.solver == "auto"
    if not is_default and check.func.__name__ not in OF_THE_FIT:
        estimator = clone(estimator).set_params(max_iter=20)
    check(estimator)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_clone_of_a_fitted_estimator_has_its_parameters_and_no_more(kind, iris):
    estimator = kind(7, activation=LeakyReLU(0.3), solver="adam", encoding=None)
    estimator.set_params(max_iter=3, random_state=0)
    parameters = estimator.get_params()
    copy = clone(estimator.fit(*iris))
    assert copy.get_params() == parameters
    assert set(vars(copy)) == set(parameters)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_set_params_then_fit_is_as_if_constructed_so(kind, iris):
    parameters = {"n_hidden": 5, "activation": "tanh", "max_iter": 4, "alpha": 1.0}
    constructed = kind(**parameters, random_state=0).fit(*iris)
    changed = kind(random_state=0).fit(*iris).set_params(**parameters).fit(*iris)
    for a, b in zip(constructed.coefs_, changed.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert changed.n_iter_ == 4


def test_set_params_refuses_an_unknown_name():
    with pytest.raises(ValueError, match="Invalid parameter 'hidden_layer_sizes'"):
        ShallowNNClassifier().set_params(hidden_layer_sizes=(3,))


def test_grid_search_over_activation_names_and_objects(iris):
    activations = [*ACTIVATIONS, LeakyReLU(0.1), LeakyReLU(0.3)]
    estimator = ShallowNNClassifier(8, alpha=1.0, max_iter=40, random_state=0)
    grid = {"activation": activations}
    search = GridSearchCV(estimator, grid, cv=3).fit(*iris)
    tried = search.cv_results_["params"]
    assert [candidate["activation"] for candidate in tried] == activations
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ > 0.9
    best = search.best_estimator_
    assert best.activation == search.best_params_["activation"]
    assert best.score(*iris) > 0.9


def test_grid_search_scores_do_not_depend_on_the_number_of_jobs(diabetes):
    estimator = ShallowNNRegressor(10, alpha=1.0, max_iter=10, random_state=0)
    grid = {"activation": ["tanh", LeakyReLU(0.2)], "n_hidden": [2, 10]}
    one, two = (
        GridSearchCV(estimator, grid, cv=2, n_jobs=n).fit(*diabetes) for n in (1, 2)
    )
    np.testing.assert_allclose(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_pipeline_routes_and_transforms_the_validation_set(kind, iris):
    X, y = iris
    X_val, y_val = X[::5], y[::5]
    with config_context(enable_metadata_routing=True):
        network = kind(6, alpha=1.0, early_stopping=True, max_iter=15, random_state=0)
        network.set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(
            StandardScaler(), network, transform_input=["X_val"]
        ).fit(X, y, X_val=X_val, y_val=y_val)
    scaler = StandardScaler().fit(X)
    by_hand = clone(network).fit(
        scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val
    )
    assert pipeline[-1].validation_scores_ == by_hand.validation_scores_
    np.testing.assert_array_equal(
        pipeline.predict(X), by_hand.predict(scaler.transform(X))
    )


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_validation_set_goes_through_the_steps_that_choose_columns(kind):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=90), "noise": rng.normal(size=90)})
    frame["k"] = ["u", "v", None] * 30
    y = np.where(frame["k"] == "u", frame["a"] > 0, frame["a"] > 1).astype(int)
    columns = make_column_transformer(("passthrough", ["k", "a"]))
    columns.set_output(transform="pandas")
    X, X_val, y, y_val = frame[::2], frame[1::2], y[::2], y[1::2]
    network = kind(6, alpha=1.0, early_stopping=True, max_iter=15, random_state=0)
    with config_context(enable_metadata_routing=True):
        network.set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(columns, network, transform_input=["X_val"])
        pipeline.fit(X, y, X_val=X_val, y_val=y_val)
    by_hand = clone(network).fit(X[["k", "a"]], y, X_val=X_val[["k", "a"]], y_val=y_val)
    assert pipeline[-1].validation_scores_ == by_hand.validation_scores_
    assert pipeline[-1].n_features_in_ == 2


def test_a_validation_set_that_no_step_has_transformed_stands_as_it_is(iris):
    X, y = iris
    network = ShallowNNClassifier(6, alpha=1.0, early_stopping=True, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network.set_params(max_iter=5))
    pipeline.fit(X, y, shallownnclassifier__X_val=X, shallownnclassifier__y_val=y)
    scaled = StandardScaler().fit_transform(X)
    by_hand = clone(network).fit(scaled, y, X_val=X, y_val=y)
    assert pipeline[-1].validation_scores_ == by_hand.validation_scores_


def test_cross_validation_routes_sample_weight(iris):
    X, y = iris
    weight = np.where(y == 0, 1e-9, 1.0)
    with config_context(enable_metadata_routing=True):
        network = ShallowNNClassifier(10, solver="lbfgs", alpha=0.1, random_state=0)
        network.set_fit_request(sample_weight=True).set_score_request(
            sample_weight=False
        )
        scores = cross_val_score(network, X, y, cv=3, params={"sample_weight": weight})
        unweighted = cross_val_score(network, X, y, cv=3)
    assert scores.mean() < 0.75 < 0.9 < unweighted.mean()


def test_transformed_target_regressor(diabetes):
    X, y = diabetes
    network = ShallowNNRegressor(10, alpha=1.0, random_state=0)
    model = TransformedTargetRegressor(network, func=np.log, inverse_func=np.exp)
    expected = np.exp(clone(network).fit(X, np.log(y)).predict(X))
    np.testing.assert_allclose(model.fit(X, y).predict(X), expected)


@pytest.mark.slow
def test_cross_val_score_with_defaults(iris):
    assert cross_val_score(ShallowNNClassifier(random_state=0), *iris).mean() > 0.93
