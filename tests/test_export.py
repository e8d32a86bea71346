import functools
import io
import json
import os
import pickle
import re
import runpy
import shutil
import subprocess
import sys
import textwrap
import threading
from itertools import count
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
import sklearn
from _softsign import Softsign
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_shallow import (
    ELU,
    LeakyReLU,
    ShallowNNClassifier,
    ShallowNNRegressor,
    register_skl2onnx,
)
from sk_shallow._export import arrays, c, converter, network, onnx, to_sklearn
from sk_shallow._export.predictor import Predictor
from sk_shallow._model.losses import LOSSES
from sk_shallow._model.output_activations import output_activations
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow._training.recipe import ENCODINGS
from sk_shallow.activations import ACTIVATIONS

ROOT = Path(__file__).resolve().parents[1]
READER = ROOT / "examples" / "predict_with_numpy.py"
OLD = tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7)

rng = np.random.default_rng(0)
N = 120
# Columns of several sizes; one far from zero, one of few values.
X = rng.normal(size=(N, 4)) * [1, 100, 0.5, 1] + [0, 500, 30, 0]
X[:, 3] = np.round(X[:, 3])
SIGNAL = X[:, 0] + X[:, 1] / 100 - 5 + np.abs(X[:, 3])
KINDS = np.array(["no", "maybe", "yes"])[np.digitize(SIGNAL, [0, 1])]
BOTH = np.stack([SIGNAL > 0, X[:, 3] > 0], axis=1).astype(int)
AMOUNT = np.exp(SIGNAL / 2)
GAPS = X.copy()
GAPS[::7, 0] = GAPS[::5, 3] = np.nan
FRAME = pd.DataFrame(
    {
        "size": GAPS[:, 0],
        "street": pd.Series(rng.choice(["oak", "elm", "ash", None], N), dtype=object),
        "is_new": X[:, 3] > 0,
        "floor": pd.Categorical(rng.choice([0, 1, 2, 7], N)),
        "kind */ \\ ??/": pd.Categorical(rng.choice(["a", "b"], N)),
    }
)
# Rare enough to share an indicator.
MANY = FRAME[["size"]].assign(code=[f"c{min(i, 90 - i) % 70}" for i in range(N)])


def own():
    """The activations that are objects."""
    return {"steep": LeakyReLU(0.3), "low": ELU(0.5)}


def options(**given):
    return {"alpha": 1.0, "max_iter": 3, "random_state": 0, "n_hidden": 6} | given


def of_classes(samples, y, **given):
    return ShallowNNClassifier(**options(**given)), samples, y


def of_numbers(samples, y, **given):
    return ShallowNNRegressor(**options(**given)), samples, y


def makers():
    """Every kind of network, by name, not fitted."""
    found = {}
    for name, g in (ACTIVATIONS | own()).items():
        how = {"activation": name if name in ACTIVATIONS else g}
        found[f"{name} of classes"] = of_classes(X, KINDS, **how)
        found[f"{name} of numbers"] = of_numbers(X, SIGNAL, **how)
    for loss in LOSSES:
        for h in output_activations(loss):
            how = {"loss": loss, "output_activation": h}
            how |= {"quantile": 0.3} if loss == "quantile" else {}
            found[f"{loss} {h}"] = of_numbers(X, AMOUNT, **how)
    for h in output_activations("quantile"):
        how = {"loss": "quantile", "output_activation": h}
        how |= {"quantile": [0.05, 0.3, 0.5, 0.9], "n_estimators": 2}
        found[f"levels {h}"] = of_numbers(X, AMOUNT, **how)
        found[f"levels of two {h}"] = of_numbers(
            X, np.c_[AMOUNT, 9 - BOTH[:, 0]], **how
        )
    for name in ENCODINGS:
        for n in (1, 3):
            how = {"encoding": name, "n_estimators": n, "activation": "relu"}
            found[f"{name} {n}"] = of_classes(X, KINDS != "no", **how)
            found[f"{name} {n}, path"] = of_numbers(X, SIGNAL, linear_path=True, **how)
            found[f"{name} {n}, gaps"] = of_numbers(GAPS, SIGNAL, **how)
            found[f"{name} {n}, labels"] = of_classes(FRAME, KINDS, **how)
    single = X.astype(np.float32)
    found["two strings"] = of_classes(
        X, np.where(SIGNAL > 0, "a", "b"), activation="tanh"
    )
    found["numbered"] = of_classes(X, np.where(SIGNAL > 0, 3, -1), linear_path=True)
    found["multilabel"] = of_classes(X, BOTH, activation="tanh")
    found["two targets"] = of_numbers(X, np.c_[SIGNAL, AMOUNT], activation="logistic")
    found["two targets, path"] = of_numbers(
        X, np.c_[SIGNAL, AMOUNT], activation="identity", linear_path=True
    )
    found["counts"] = of_numbers(X, np.round(AMOUNT), loss="poisson", activation="relu")
    found["single"] = of_classes(single, KINDS, encoding="piecewise")
    found["single, numbers"] = of_numbers(single, SIGNAL, activation="tanh")
    found["infrequent"] = of_numbers(MANY, SIGNAL, encoding="piecewise")
    return found


MAKERS = makers()
each = pytest.mark.parametrize("case", MAKERS)


@functools.cache
def fitted(case):
    model, samples, y = MAKERS[case]
    return clone(model).fit(samples, y), samples


def told(model, samples):
    """Probabilities or numbers, a row for each sample."""
    kind = hasattr(model, "predict_proba")
    found = model.predict_proba(samples) if kind else model.predict(samples)
    return found.reshape(len(found), -1)


def has_labels(samples):
    return isinstance(samples, pd.DataFrame)


def coded(model, samples):
    """Samples as numbers, labels by the codes of an export."""
    if not has_labels(samples):
        return samples
    found, codes = samples.to_numpy(dtype=object).copy(), model._exported().codes
    for j, column in codes.items():
        code = dict(zip(column.labels, column.codes, strict=True))
        found[:, j] = [np.nan if pd.isna(x) else code.get(x, -1) for x in found[:, j]]
    return found.astype(float)


def check(found, expected, rtol):
    """To rtol of the largest of each column."""
    size = np.abs(expected).max(axis=0)
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= rtol * np.maximum(size, 1e-30)).all()


def precision(model, rtol=1e-12):
    return rtol if model._dtype == "float64" else 2e-5


def unseen(samples):
    """Rows far outside, with gaps and labels that fit did not see."""
    if has_labels(samples):
        far = samples.copy()
        numbers = far.select_dtypes("float").columns
        far[numbers] = far[numbers] * 50
        for name in set(far.columns) - {*numbers, "is_new"}:
            far[name] = far[name].astype(object)
            far.loc[far.index[::3], name] = 99 if name == "floor" else "new"
        return far
    far = samples * np.float32(-3)
    far[::9, 1] = np.nan
    return far


# The predictor.


@each
def test_the_predictor_gives_the_same_bits(case):
    model, samples = fitted(case)
    if has_labels(samples):
        with pytest.raises(ValueError, match=r"columns hold labels: \[1"):
            model.predictor()
        return
    call = model.predictor()
    predict = getattr(model, "predict_proba", model.predict)
    for rows in (samples, unseen(samples)):
        assert_array_equal(call(rows), predict(rows))
    found = call(samples[3])
    assert np.shape(found) == predict(samples[3:4]).shape[1:]
    assert_array_equal(found, predict(samples[3:4])[0])
    assert found.dtype == model._dtype
    assert_array_equal(pickle.loads(pickle.dumps(call))(samples), call(samples))


def test_the_predictor_looks_at_the_shape_only():
    call = fitted("two strings")[0].predictor()
    assert isinstance(call, Predictor)
    assert call(X[:2].tolist()).shape == (2, 2)
    for wrong in (X[:, :3], X[0, :3], X[None], 1.0):
        with pytest.raises(ValueError, match="Expected rows of 4 numbers"):
            call(wrong)


def test_the_predictor_has_weights_of_its_own():
    model, samples = fitted("two targets")
    model, before = pickle.loads(pickle.dumps(model)), model.predict(samples)
    call = model.predictor()
    for w in (*model.coefs_, *model.intercepts_):
        w *= 0
    assert_array_equal(call(samples), before)


# scikit-learn.


def refusal(case):
    """Why scikit-learn's network cannot be this one; None if it can."""
    model, _ = fitted(case)
    exported, link = model._exported(), model._exported().link
    name = exported.activation_named(ACTIVATIONS, "")[0]
    if name not in to_sklearn.ACTIVATIONS:
        return f"scikit-learn's MLP has no activation '{name}': it has identity, "
    if model.linear_path and name not in ("identity", "relu"):
        return "no linear path"
    if link.n_levels > 1:
        return "no quantiles that stand upon each other"
    if link.name in ("relu", "softplus"):
        return f"no output activation '{link.name}'"
    return "needs scikit-learn 1.7" if link.name == "exp" and OLD else None


@each
def test_scikit_learns_own_network_predicts_the_same(case):
    model, samples = fitted(case)
    reason = refusal(case)
    if reason:
        with pytest.raises(ValueError, match=reason):
            model.to_sklearn()
        return
    theirs = model.to_sklearn()
    kind = MLPClassifier if hasattr(model, "classes_") else MLPRegressor
    last = theirs[-1] if model.encoder_ is not None else theirs
    assert isinstance(theirs, Pipeline) is (model.encoder_ is not None)
    assert type(last) is kind
    for rows in (samples, samples[:1]):
        check(told(theirs, rows), told(model, rows), precision(model))
    if kind is MLPClassifier:
        assert_array_equal(theirs.predict(samples), model.predict(samples))
        assert_array_equal(theirs.classes_, model.classes_)
    again = pickle.loads(pickle.dumps(theirs))
    assert_array_equal(again.predict(samples), theirs.predict(samples))
    assert clone(last).get_params() == last.get_params()
    assert repr(theirs)
    assert_array_equal(theirs.predict(samples), again.predict(samples))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", ["two strings", "multilabel", "two targets"])
def test_a_clone_of_scikit_learns_network_trains(case):
    model, samples, y = MAKERS[case]
    theirs = clone(fitted(case)[0].to_sklearn()).set_params(solver="lbfgs", max_iter=20)
    assert theirs.get_params()["hidden_layer_sizes"] == (model.n_hidden,)
    assert theirs.fit(StandardScaler().fit_transform(samples), y).n_layers_ == 3


def test_scikit_learns_network_checks_the_names_of_columns():
    frame = pd.DataFrame(X, columns=list("abcd"))
    theirs = ShallowNNRegressor(**options(activation="tanh")).fit(frame, SIGNAL)
    theirs = theirs.to_sklearn()
    assert_array_equal(theirs.feature_names_in_, list("abcd"))
    with pytest.raises(ValueError, match="feature names"):
        theirs.predict(frame[list("dcba")])


def test_scikit_learns_network_has_no_single_class():
    model = ShallowNNClassifier(**options(activation="tanh")).fit(X, np.zeros(N))
    with pytest.raises(ValueError, match=r"needs two classes or labels.*Got 1"):
        model.to_sklearn()


# NumPy.


@pytest.fixture(scope="module")
def reader():
    space = {"__name__": "reader"}
    exec(compile(READER.read_text(encoding="utf-8"), str(READER), "exec"), space)
    return space["predict"]


def saved(model):
    file = io.BytesIO()
    model.save_arrays(file)
    file.seek(0)
    return file


@each
def test_a_reader_with_only_numpy_predicts_the_same(case, reader):
    model, samples = fitted(case)
    for rows in (samples, unseen(samples)):
        found = reader(saved(model), rows)
        check(found, told(model, rows), precision(model))


@each
def test_the_file_needs_no_pickle(case):
    model, _ = fitted(case)
    with np.load(saved(model), allow_pickle=False) as file:
        found = {name: file[name] for name in file}
    assert not [name for name, array in found.items() if array.dtype.kind == "O"]
    if hasattr(model, "classes_"):
        assert_array_equal(found["classes"], model.classes_)


def snippet(text):
    """The lines of code of a reader, without empty ones."""
    return [line for line in text.splitlines() if line.strip()]


def test_the_docstring_has_the_lines_of_the_example():
    text = READER.read_text(encoding="utf-8")
    body = text[text.index("def softplus") : text.index("def rows_of")]
    doc = ShallowNNClassifier.save_arrays.__doc__
    lines = re.findall(r"^ *(?:>>>|\.\.\.) (.*)$", doc, re.MULTILINE)
    wanted = snippet(body)
    begin = lines.index(wanted[0])
    assert lines[begin : begin + len(wanted)] == wanted
    predict = body[body.index("def predict") :]
    assert len(snippet(predict)) <= 15


def test_the_reader_runs_where_there_is_only_numpy(tmp_path):
    model, samples = fitted("piecewise 3, gaps")
    model.save_arrays(tmp_path / "network.npz")
    np.savetxt(tmp_path / "rows.csv", samples, delimiter=",", fmt="%.17g")
    blocked = ["sk_shallow", "sklearn", "scipy"]
    code = f"""
        import runpy, sys
        sys.modules |= dict.fromkeys({blocked})
        sys.argv[1:] = ["network.npz", "rows.csv"]
        runpy.run_path({str(READER)!r}, run_name="__main__")
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    how = {"capture_output": True, "text": True, "check": False, "cwd": tmp_path}
    done = subprocess.run(command, **how)
    assert done.returncode == 0, done.stderr
    assert_allclose(np.array(done.stdout.split(), float), model.predict(samples))


def test_labels_of_mixed_types_are_not_written():
    frame = pd.DataFrame(
        {"a": X[:, 0], "b": pd.Series([1, "1"] * (N // 2), dtype=object)}
    )
    model = ShallowNNRegressor(**options(categorical_features=["b"]))
    model.fit(frame, SIGNAL)
    with pytest.raises(ValueError, match="labels of column 'b' are not all strings"):
        model.save_arrays(io.BytesIO())
    mixed = np.array([1, "1"] * (N // 2), dtype=object)
    with pytest.raises(ValueError, match="The labels of y are not all"):
        network.listed(mixed, "y")


# C.

COMPILER = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
MAIN = """
#include <stdio.h>
#include <stdlib.h>
{headers}
int main(int argc, char **argv) {{
    static {real} x[4096], out[4096];
    const int which = argc > 1 ? atoi(argv[1]) : -1;
    int d = 0, k = 0, i;
    switch (which) {{ {sizes} }}
    for (;;) {{
        for (i = 0; i < d; i++) {{
            char word[64];
            if (scanf("%63s", word) != 1) return 0;
            x[i] = ({real})strtod(word, NULL);
        }}
        switch (which) {{ {calls} }}
        for (i = 0; i < k; i++) printf("%.17g ", (double)out[i]);
    }}
}}
"""


@pytest.fixture(scope="module", params=["float64", "float32"])
def program(request, tmp_path_factory):
    """The folder of a program with all networks, and their precision."""
    if COMPILER is None:
        pytest.skip("there is no C compiler")
    folder, real = tmp_path_factory.mktemp("c"), {"float64": "double"}
    numbers = dict(zip(MAKERS, count(), strict=False))
    for case, n in numbers.items():
        header = fitted(case)[0].to_c(f"net{n}", request.param)
        (folder / f"net{n}.h").write_text(header, encoding="ascii")
    ids = numbers.values()
    sizes = " ".join(
        f"case {n}: d = NET{n}_N_FEATURES; k = NET{n}_N_OUTPUTS; break;" for n in ids
    )
    source = MAIN.format(
        real=real.get(request.param, "float"),
        headers="\n".join(f'#include "net{n}.h"' for n in ids),
        sizes=sizes,
        calls=" ".join(f"case {n}: net{n}_predict(x, out); break;" for n in ids),
    )
    (folder / "main.c").write_text(source, encoding="ascii")
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1"]
    command = [COMPILER, *flags, "main.c", "-o", "main", "-lm"]
    how = {"capture_output": True, "text": True, "check": False, "cwd": folder}
    done = subprocess.run(command, **how)
    assert done.returncode == 0, done.stderr
    return folder / "main", numbers, request.param


def run_c(program, case, rows):
    path, numbers, _ = program
    text = "\n".join(" ".join(map(repr, row)) for row in rows.astype(float).tolist())
    command = [str(path), str(numbers[case])]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True
    )
    return np.array(done.stdout.split(), float).reshape(len(rows), -1)


@pytest.mark.slow
@each
def test_c_predicts_the_same(case, program):
    model, samples = fitted(case)
    is_double = program[2] == "float64"
    for rows in (samples[:100], unseen(samples)[:100]) if is_double else [samples]:
        found = run_c(program, case, coded(model, rows))
        check(found, told(model, rows), precision(model) if is_double else 3e-5)


def test_the_header_says_what_is_what():
    model, _ = fitted("None 1, labels")
    header = model.to_c("flats")
    comment = header[: header.index("*/")]
    assert "1: 'street', by code: 0 = 'ash', 1 = 'elm', 2 = 'oak'; -1" in comment
    assert "out: probabilities of the classes: 'maybe', 'no', 'yes'" in comment
    assert "#define FLATS_N_OUTPUTS 3" in header
    for words, case in {
        "predictions, 4 quantiles for each target": "levels identity",
        "labels, each by itself: 0, 1": "multilabel",
    }.items():
        assert words in fitted(case)[0].to_c()


@pytest.mark.parametrize("prefix", ["1st", "a-b", "", "é"])
def test_a_prefix_is_an_identifier(prefix):
    with pytest.raises(ValueError, match="prefix must be an identifier of C"):
        fitted("two strings")[0].to_c(prefix)


def test_a_precision_is_one_of_two():
    for method in ("to_c", "to_onnx"):
        with pytest.raises(ValueError, match="dtype must be a str among"):
            getattr(fitted("two strings")[0], method)(dtype="float16")


# ONNX.


def feed(model, samples, dtype):
    """What a model of ONNX takes."""
    if not has_labels(samples):
        return {"X": samples.astype(dtype)}
    found = {}
    for name in samples.columns:
        column = samples[name].astype(object)
        j = samples.columns.get_loc(name)
        codes = model._exported().codes
        is_string = j in codes and isinstance(codes[j].labels[0], str)
        gap = "" if is_string else np.nan
        values = [gap if pd.isna(x) else x for x in column]
        kind = object if is_string else dtype
        found[name] = np.array(values, dtype=kind)[:, None]
    return found


def check_onnx(outputs, model, samples, rtol):
    """The outputs in their order; what is nearly nothing may be nothing."""
    expected = told(model, samples)
    assert outputs[-1].shape == expected.shape
    assert_allclose(outputs[-1], expected, rtol=0, atol=rtol * np.abs(expected).max())
    if hasattr(model, "classes_"):
        best = np.sort(told(model, samples), axis=1)
        clear = np.abs(best - 0.5).min(axis=1) > 1e-3
        if not model._exported().is_multilabel and best.shape[1] > 1:
            clear = best[:, -1] - best[:, -2] > 1e-3
        expected = model.predict(samples)
        assert clear.mean() > 0.8
        assert_array_equal(np.asarray(outputs[0])[clear], expected[clear])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each
def test_onnxruntime_predicts_the_same(case, dtype):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx").checker.check_model(model := made(case, dtype), True)
    ours, samples = fitted(case)
    session = runtime.InferenceSession(model.SerializeToString())
    rtol = 1e-5 if dtype == "float32" else 1e-12
    for rows in (samples, unseen(samples)) if dtype == "float64" else [samples]:
        outputs = session.run(None, feed(ours, rows, dtype))
        check_onnx(outputs, ours, rows, max(rtol, precision(ours)))


def made(case, dtype="float32"):
    pytest.importorskip("onnx")
    return fitted(case)[0].to_onnx(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each
def test_the_reference_evaluator_predicts_the_same(case, dtype):
    pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    ours, samples = fitted(case)
    evaluator = ReferenceEvaluator(made(case, dtype))
    rtol = 1e-5 if dtype == "float32" else 1e-12
    for rows in (samples, unseen(samples)) if dtype == "float64" else [samples]:
        outputs = evaluator.run(None, feed(ours, rows, dtype))
        check_onnx(outputs, ours, rows, max(rtol, precision(ours)))


def test_the_model_of_onnx_is_of_an_old_version():
    model = made("None 1, labels")
    assert model.ir_version <= 8
    assert {o.domain: o.version for o in model.opset_import} == {
        "": 17,
        "ai.onnx.ml": 3,
    }
    assert {o.domain for o in made("multilabel").opset_import} == {""}
    assert [i.name for i in model.graph.input] == list(FRAME.columns)
    assert [o.name for o in model.graph.output] == ["label", "probabilities"]


def test_a_column_is_not_called_like_an_output():
    pytest.importorskip("onnx")
    frame = FRAME.rename(columns={"size": "label"})
    model = ShallowNNClassifier(**options()).fit(frame, KINDS)
    with pytest.raises(ValueError, match="names must differ"):
        model.to_onnx()


def test_numbers_as_labels_are_exact_in_single_precision():
    pytest.importorskip("onnx")
    frame = pd.DataFrame({"a": pd.Categorical(2**25 + np.arange(N) % 3)})
    model = ShallowNNRegressor(**options()).fit(frame, SIGNAL)
    with pytest.raises(ValueError, match="exact in single precision"):
        model.to_onnx()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("onnx.helper", lambda: fitted("multilabel")[0].to_onnx()),
        ("skl2onnx", register_skl2onnx),
    ],
)
def test_a_missing_package_is_named(name, call, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"{name} is not installed.*\[onnx\]"):
        call()


def test_the_example_of_a_server_answers(tmp_path):
    pytest.importorskip("onnxruntime")
    path, url = str(tmp_path / "network.onnx"), "http://localhost:{}"
    pytest.importorskip("onnx").save(made("two strings"), path)
    example = runpy.run_path(str(ROOT / "examples" / "onnx_server.py"))
    example["Handler"].log_message = lambda *_: None
    with example["make_server"](path) as server:
        url = url.format(server.server_port)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        told = urlopen(url, json.dumps(X[:5].tolist()).encode()).read()
        with pytest.raises(HTTPError, match="400") as wrong:
            urlopen(url, b"rows")
        wrong.value.close()
        server.shutdown()
        thread.join()
    model, found = fitted("two strings")[0], json.loads(told)
    assert found["label"] == model.predict(X[:5]).tolist()
    expected = model.predict_proba(X[:5])
    assert_allclose(found["probabilities"], expected, rtol=0, atol=1e-5)


PIPED = [
    "two strings",
    "numbered",
    "multilabel",
    "piecewise 3",
    "piecewise 1, gaps",
    "two targets",
    "levels softplus",
    "relu of classes",
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", PIPED)
def test_skl2onnx_converts_a_pipeline(case, dtype):
    skl2onnx = pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    register_skl2onnx()
    model, samples, y = MAKERS[case]
    pipeline = make_pipeline(StandardScaler(), clone(model)).fit(samples, y)
    is_of_classes = hasattr(pipeline, "classes_")
    how = {"options": {"zipmap": False}} if is_of_classes else {}
    example = samples[:1].astype(dtype)
    made = skl2onnx.to_onnx(pipeline, example, target_opset=17, **how)
    session = runtime.InferenceSession(made.SerializeToString())
    outputs = session.run(None, {"X": samples.astype(dtype)})
    assert_allclose(
        outputs[-1],
        told(pipeline, samples),
        rtol=0,
        atol=2e-5 * max(1, np.abs(told(pipeline, samples)).max()),
    )
    if is_of_classes:
        agree = np.asarray(outputs[0]) == pipeline.predict(samples)
        assert agree.mean() > 0.99


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_skl2onnx_is_told_of_columns_of_labels():
    skl2onnx = pytest.importorskip("skl2onnx")
    register_skl2onnx()
    model = ShallowNNClassifier(**options(categorical_features=[3])).fit(X, KINDS)
    with pytest.raises(ValueError, match="some columns hold labels"):
        skl2onnx.to_onnx(model, X[:1])


# All of them.


def test_a_fit_of_sparse_samples_has_nothing_for_a_gap(reader):
    model = ShallowNNRegressor(**options()).fit(sparse.csr_array(X), SIGNAL)
    gap = np.array([[np.nan, 500, 30, 0]])
    assert np.isnan(model.predictor()(gap)).all()
    with np.errstate(invalid="ignore"):
        assert np.isnan(reader(saved(model), gap)).all()
    check(reader(saved(model), X)[:, 0], model.predict(X), 1e-12)
    assert "isnan" not in model.to_c()


METHODS = {
    "predictor": (),
    "to_sklearn": (),
    "save_arrays": ("never.npz",),
    "to_c": (),
    "to_onnx": (),
}
TABLES = [arrays.ACTIVATIONS, c.ACTIVATIONS, onnx.ACTIVATIONS]


@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_fitted_goes_nowhere(method):
    if method == "to_onnx":
        pytest.importorskip("onnx")
    with pytest.raises(NotFittedError):
        getattr(ShallowNNRegressor(), method)(*METHODS[method])


@pytest.mark.parametrize("method", [name for name in METHODS if name != "predictor"])
def test_an_activation_of_ones_own_is_refused(method):
    if method == "to_onnx":
        pytest.importorskip("onnx")
    model = ShallowNNRegressor(**options(activation=Softsign())).fit(X, SIGNAL)
    assert_array_equal(model.predictor()(X), model.predict(X))
    with pytest.raises(ValueError, match=r"no activation <.*Softsign.*: it has ident"):
        getattr(model, method)(*METHODS[method])


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_have_all_that_the_registries_have(table):
    assert {ACTIVATIONS[name] for name in table} == set(ACTIVATIONS.values())
    assert set(network._NAMES.values()) == set(table)
    links = {*OUTPUT_UNITS, *(h for loss in LOSSES for h in output_activations(loss))}
    assert links == set(c._OUTPUTS) == set(onnx.OUTPUTS)


@pytest.mark.parametrize("method", ["to_c", "to_onnx"])
def test_single_precision_refuses_what_overflows(method):
    if method == "to_onnx":
        pytest.importorskip("onnx")
    model = ShallowNNRegressor(**options(activation="tanh"))
    model.fit(X * [1e-45, 1, 1, 1], SIGNAL)
    with pytest.raises(ValueError, match="overflow in float32"):
        getattr(model, method)(dtype="float32")


@pytest.mark.slow
def test_importing_loads_nothing_more():
    code = """
        import sys
        import sk_shallow
        names = {name.split(".")[0] for name in sys.modules}
        assert not names & {"onnx", "skl2onnx", "onnxruntime"}
        assert "sklearn.neural_network" not in sys.modules
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-c", textwrap.dedent(code)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    subprocess.run(command, env=env, check=True)


def test_the_converter_is_told_by_what_it_converts():
    assert converter.package("json").__name__ == "json"


def test_the_command_of_the_reader_takes_labels_and_gaps(tmp_path):
    samples = FRAME[["size", "street"]]
    model = ShallowNNClassifier(**options()).fit(samples, KINDS)
    model.save_arrays(tmp_path / "net.npz")
    samples[:20].to_csv(tmp_path / "rows.csv", header=False, index=False)
    command = [sys.executable, READER, tmp_path / "net.npz", tmp_path / "rows.csv"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert_allclose(np.loadtxt(io.StringIO(told)), model.predict_proba(samples[:20]))
