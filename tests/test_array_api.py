"""scikit-learn's array API dispatch, which SciPy has to know of from its import on."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = '''
import sys
from importlib import import_module

import numpy as np
import pandas as pd
import polars as pl
from scipy import sparse
from sklearn import config_context, set_config

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow.preprocessing import PiecewiseLinearEncoder

rng = np.random.default_rng(0)
X, w, groups = rng.normal(size=(60, 3)), rng.uniform(1, 2, size=60), np.arange(60) % 6
frame = pd.DataFrame(X, columns=list("abc")).assign(k=["u", "v"] * 30)
tables = {"array": X, "single": np.float32(X), "list": X.tolist()}
tables |= {"pandas": frame, "polars": pl.DataFrame(frame.to_dict("list"))}
tables |= {"sparse": sparse.csr_array(X)}
numbers = X[:, 0] - X[:, 1] ** 2
labels = (numbers > 0).astype(int)


def results(model, X, y, asarray):
    """What a model gives of X and y, made arrays of another kind."""
    make = asarray if type(X) is np.ndarray else lambda X: X
    X, y, w_, groups_ = make(X), asarray(y), asarray(w), asarray(groups)
    model = model.fit(X, y, sample_weight=w_, groups=groups_)
    yield model.predict(X)
    yield model.score(X, y, sample_weight=w_)
    if hasattr(model, "predict_proba"):
        yield model.predict_proba(X)
    model = model.set_params(n_hidden=3, early_stopping=True, cv=None, alpha=1.0)
    yield model.fit(X, y, X_val=X, y_val=y, sample_weight_val=w_).validation_scores_
    yield model.set_params(early_stopping=False).partial_fit(X, y).coefs_[0]


def cases(asarray, names):
    for name in names:
        X = tables[name]
        for kind, y in ((ShallowNNClassifier, labels), (ShallowNNRegressor, numbers)):
            model = kind(3, cv=3, max_iter=2, random_state=0)
            yield from results(model, X, y, asarray)
        if name != "sparse":
            make = asarray if name == "array" else lambda X: X
            yield PiecewiseLinearEncoder().fit(make(X), sample_weight=w).transform(X)


def compare(package, names):
    asarray = import_module(package).asarray
    with config_context(array_api_dispatch=True):
        found = list(cases(asarray, names))
    for one, other in zip(cases(np.asarray, names), found, strict=True):
        assert type(one) is type(other) or np.ndim(one) == 0, (type(one), type(other))
        np.testing.assert_allclose(other, one)


try:
    set_config(array_api_dispatch=True)
except ImportError as error:
    sys.exit(f"not to be had: {error}")
set_config(array_api_dispatch=False)
compare("numpy", tables)
for package in sys.argv[1:]:
    compare(package, ["array"])
print("the same")
'''


@pytest.mark.slow
def test_dispatch_changes_nothing():
    others = [name for name in ("array_api_strict", "torch") if find_spec(name)]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    extra = {"PYTHONPATH": os.pathsep.join(paths), "SCIPY_ARRAY_API": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore::UserWarning", "-c", SCRIPT, *others],
        env=os.environ | extra,
        capture_output=True,
        text=True,
        check=False,
    )
    if "not to be had" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout == "the same\n", done.stderr
