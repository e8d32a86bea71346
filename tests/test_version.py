import copy
import pickle
import re
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline

import sk_shallow
from sk_shallow import ShallowNNClassifier, ShallowNNRegressor, _version
from sk_shallow._estimators import callbacks
from sk_shallow.preprocessing import PiecewiseLinearEncoder

X = np.random.default_rng(0).normal(size=(30, 2))
Y = (X[:, 0] > 0).astype(int)
OPTIONS = {"alpha": 1.0, "max_iter": 2, "random_state": 0}
MODELS = {
    "classifier": ShallowNNClassifier(5, **OPTIONS),
    "regressor": ShallowNNRegressor(5, encoding="piecewise", **OPTIONS),
    "encoder": PiecewiseLinearEncoder(),
}
each_model = pytest.mark.parametrize("kind", MODELS)
RECIPE = "conda/recipe.yaml"


def of_the_checkout(name):
    return (Path(__file__).parents[1] / name).read_text(encoding="utf-8")


def output(model):
    return model.transform(X) if hasattr(model, "transform") else model.predict(X)


def pickled_by(version, model, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_version, "__version__", version)
        return pickle.dumps(model)


@pytest.mark.parametrize("version", ["0.0.1", "99.0"])
@pytest.mark.parametrize("is_fitted", [False, True])
@each_model
def test_another_version_is_told_of(kind, is_fitted, version, monkeypatch):
    model = clone(MODELS[kind])
    if is_fitted:
        model.fit(X, Y)
    written = pickled_by(version, model, monkeypatch)
    with pytest.warns(InconsistentVersionWarning) as told:
        again = pickle.loads(written)
    name, (*_, last) = type(model).__name__, told
    assert f"{name} from version {version} of sk_shallow" in str(last.message)
    assert f"using version {sk_shallow.__version__}" in str(last.message)
    assert last.filename == __file__
    assert vars(again).keys() == vars(model).keys()
    if is_fitted:
        assert_array_equal(output(again), output(model))


@each_model
def test_a_pickle_without_a_version_is_told_of(kind):
    model = clone(MODELS[kind]).fit(X, Y)
    state, bare = model.__getstate__(), clone(model)
    del state["_sk_shallow_version"]
    with pytest.warns(InconsistentVersionWarning, match="unknown of sk_shallow"):
        bare.__setstate__(state)
    assert_array_equal(output(bare), output(model))


@each_model
def test_the_same_version_and_copies_are_silent(kind):
    model = clone(MODELS[kind]).fit(X, Y)
    before = set(vars(model))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for again in (
            pickle.loads(pickle.dumps(model)),
            copy.copy(model),
            copy.deepcopy(model),
        ):
            assert set(vars(again)) == before
            assert_array_equal(output(again), output(model))
        assert set(vars(clone(model))) == set(model.get_params())
    assert set(vars(model)) == before


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_callbacks_name_the_version_that_they_need(kind, monkeypatch):
    monkeypatch.setattr(callbacks, "with_callbacks", None)
    model = clone(MODELS[kind])
    with pytest.raises(ImportError, match=r"scikit-learn 1\.9 or newer"):
        model.set_callbacks()
    assert set(vars(model)) == set(model.get_params())
    model.fit(X, Y).predict(X)


def test_a_pipeline_is_told_of_each_of_its_steps(monkeypatch):
    model = make_pipeline(MODELS["encoder"], MODELS["classifier"])
    written = pickled_by("0.0.1", clone(model).fit(X, Y), monkeypatch)
    with pytest.warns(InconsistentVersionWarning) as told:
        pickle.loads(written)
    assert {warning.message.estimator_name for warning in told} == {
        "PiecewiseLinearEncoder",
        "ShallowNNClassifier",
    }


@pytest.mark.parametrize(
    ("name", "indent"), [("CITATION.cff", ""), (RECIPE, "  ")], ids=["cff", "conda"]
)
def test_what_is_released_carries_the_version(name, indent):
    stated = re.findall(rf"^{indent}version: ([\d.]+\S*)$", of_the_checkout(name), re.M)
    assert stated == [sk_shallow.__version__]


def test_the_conda_recipe_asks_for_what_the_package_asks_for():
    project = tomllib.loads(of_the_checkout("pyproject.toml"))
    run = of_the_checkout(RECIPE).split("  run:\n")[1].split("\n\n")[0]
    asked = {line.strip(" -").replace(" ", "") for line in run.splitlines()}
    python = project["project"]["requires-python"]
    minimum = re.search(r'python_min: "(.*)"', of_the_checkout(RECIPE))[1]
    assert python == f">={minimum}"
    expected = {"python>=${{python_min}}", *project["project"]["dependencies"]}
    assert asked == expected
    for needed in project["build-system"]["requires"]:
        assert f"    - {needed.replace('>=', ' >=')}\n" in of_the_checkout(RECIPE)
