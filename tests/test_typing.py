import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest

import sk_shallow
from sk_shallow import (
    ShallowNNClassifier,
    ShallowNNRegressor,
    inspection,
    preprocessing,
)
from sk_shallow._data.constraints import Names
from sk_shallow._estimators import parameters
from sk_shallow.preprocessing import PiecewiseLinearEncoder

ROOT = Path(__file__).parent.parent
ALLOWED = {
    ShallowNNClassifier: parameters.PARAMETERS,
    ShallowNNRegressor: parameters.PARAMETERS,
    PiecewiseLinearEncoder: preprocessing.PARAMETERS,
}
PUBLIC = [getattr(sk_shallow, name) for name in sk_shallow.__all__]
DISPLAYS = [getattr(inspection, name) for name in inspection.__all__]
CLASSES = [kind for kind in PUBLIC if isinstance(kind, type)] + [PiecewiseLinearEncoder]
CLASSES += DISPLAYS
each_estimator = pytest.mark.parametrize("Estimator", ALLOWED)


@pytest.mark.parametrize(
    ("checker", "options"),
    [
        ("mypy", ["--cache-dir", os.devnull]),
        ("basedpyright", ["--pythonpath", sys.executable]),
    ],
)
def test_a_script_of_a_user_has_an_error_where_one_is_marked(checker, options):
    pytest.importorskip(checker)
    command = [sys.executable, "-m", checker, *options, "tests/typing_user.py"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def alternatives(annotation):
    """The members of a union, of unions in it too."""
    if get_origin(annotation) in (Union, UnionType):
        return [one for part in get_args(annotation) for one in alternatives(part)]
    return [annotation]


def literals(annotation):
    """The strings that an annotation lists."""
    kinds = alternatives(annotation)
    return {s for kind in kinds if get_origin(kind) is Literal for s in get_args(kind)}


@pytest.mark.parametrize(
    ("Estimator", "name"),
    [(kind, name) for kind in ALLOWED for name in kind().get_params()],
)
def test_annotations_and_constraints_allow_the_same(Estimator, name):
    annotation = get_type_hints(Estimator.__init__)[name]
    kinds, allowed = alternatives(annotation), ALLOWED[Estimator][name]
    if str not in kinds:
        names = {s for one in allowed if isinstance(one, Names) for s in one}
        assert literals(annotation) == names
    examples = {NoneType: None, bool: True, int: 3, float: 0.5}
    is_allowed = {
        kind: any(value in constraint for constraint in allowed)
        for kind, value in examples.items()
    }
    # A float may be written as an int, and a number of iterations is no bool.
    for kind, value in is_allowed.items():
        assert not value or kind in kinds or (kind is int and float in kinds)
        assert value or kind not in kinds


@pytest.mark.parametrize("kind", CLASSES)
def test_public_methods_are_annotated_in_full(kind):
    for name, method in inspect.getmembers(kind, inspect.isroutine):
        is_ours = str(getattr(method, "__module__", "")).startswith("sk_shallow")
        if not is_ours or (name.startswith("_") and name != "__init__"):
            continue
        hints = get_type_hints(method)
        arguments = set(inspect.signature(method).parameters) - {"self"}
        assert set(hints) - {"return"} == arguments, name
        assert name == "__init__" or "return" in hints, name


def documented(kind):
    """The names under Attributes in the docstring."""
    section = inspect.getdoc(kind).split("Attributes\n-")[1].split("\n\n")[0]
    heads = re.findall(r"^(\w[\w, ]*) :", section, re.MULTILINE)
    return {name for head in heads for name in head.split(", ")}


@each_estimator
def test_fitted_attributes_are_declared_and_have_no_value(Estimator):
    declared = {n for n in get_type_hints(Estimator) if not n.startswith("_")}
    assert declared == documented(Estimator)
    assert not [name for name in declared if hasattr(Estimator(), name)]


@pytest.mark.parametrize("Display", DISPLAYS)
def test_what_a_picture_leaves_is_declared_and_documented(Display):
    assert set(get_type_hints(Display)) == documented(Display)


def is_of(value, annotation):
    """Whether a value is of the annotated type, as far as that can be seen."""
    origin = get_origin(annotation)
    if annotation is Any:
        return True
    if origin in (Union, UnionType):
        return any(is_of(value, part) for part in get_args(annotation))
    if origin is Literal:
        return value in get_args(annotation)
    if origin in (list, dict):
        return type(value) is origin
    return isinstance(value, origin or annotation)


@pytest.mark.parametrize("options", [{}, {"solver": "lm", "alpha": "ard"}])
@pytest.mark.parametrize("Estimator", [ShallowNNClassifier, ShallowNNRegressor])
def test_fitted_attributes_are_what_is_declared(Estimator, options):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), np.arange(40) % 2
    model = Estimator(random_state=0, **options).fit(X + 3 * y[:, None], y)
    hints = get_type_hints(Estimator)
    for name in set(hints) & set(vars(model)):
        assert is_of(getattr(model, name), hints[name]), name
    assert is_of(model.predict(X), get_type_hints(Estimator.predict)["return"])
