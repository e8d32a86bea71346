"""Data that is larger than the memory beside it: rows are made as they are needed."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._arrays import design
from sk_shallow._data import folds
from sk_shallow._data.columns import read, table_of
from sk_shallow._data.encoding import Encoding
from sk_shallow._data.scaling import Standardizer, Whitener, moments
from sk_shallow._model.objective import Objective
from sk_shallow._solvers import SOLVERS
from sk_shallow._training.plan import encoded

seeds = st.integers(0, 2**32 - 1)


def numbers(seed, n=40, d=5, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) * rng.uniform(0.1, 9, d)).astype(dtype)


def some_rows(seed, n):
    rng = np.random.default_rng(seed)
    start, stop = np.sort(rng.integers(0, n + 1, 2))
    return slice(start, stop), rng.integers(0, n, rng.integers(1, 2 * n))


def as_gathered(make):
    """What `make` gives where every matrix is made row by row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "_LARGEST", 0)
        return make()


@given(
    seed=seeds,
    in_type=st.sampled_from([np.float32, np.float64]),
    dtype=st.sampled_from([np.float32, np.float64]),
    is_whitened=st.booleans(),
)
def test_gathered_rows_of_a_design_are_its_rows(seed, in_type, dtype, is_whitened):
    X = numbers(seed, dtype=in_type)
    x = Standardizer.of(X)
    x = Whitener.after(x, X) if is_whitened else x
    whole = x.design(X, dtype)
    made = as_gathered(lambda: x.design(X, dtype))
    assert isinstance(whole, np.ndarray)
    assert isinstance(made, design.Gathered)
    assert (made.shape, made.dtype) == (whole.shape, whole.dtype)
    same = assert_array_equal
    if is_whitened:  # products of other sizes round differently
        same = lambda a, b: assert_allclose(a, b, rtol=1e-4, atol=1e-5)  # noqa: E731
    for rows in some_rows(seed, len(X)):
        same(made[rows], whole[rows])
        same(made.take(rows, 0, None, "clip"), whole[rows])


@given(seed=seeds, n_bins=st.sampled_from([None, 4]))
def test_gathered_rows_of_an_encoding_are_its_rows(seed, n_bins):
    X = pd.DataFrame(numbers(seed, d=3), columns=list("abc"))
    rng = np.random.default_rng(seed)
    X = X.mask(rng.random(X.shape) < 0.1)
    X.insert(1, "label", rng.choice(["x", "y", "z", None], len(X)))
    columns = read(table_of(X))
    encoding = Encoding.of(
        columns, n_bins=n_bins, quantiles="rows", max_categories=None, clip=True
    )
    whole = encoding.transform(columns)
    made = as_gathered(lambda: encoded(encoding, columns))
    assert isinstance(made, design.Gathered)
    for rows in some_rows(seed, len(X)):
        assert_array_equal(made[rows], whole[rows])
    for ours, theirs in zip(moments(made), moments(whole), strict=True):
        assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_moments_do_not_depend_on_the_blocks(monkeypatch):
    X = numbers(0, 1000)
    whole = moments(X)
    monkeypatch.setattr("sk_shallow._data.scaling._BLOCK", 64)
    for ours, theirs in zip(moments(X), whole, strict=True):
        assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", [ShallowNNClassifier, ShallowNNRegressor])
def test_a_fit_on_gathered_rows_is_the_fit(kind, solver):
    X = numbers(1, 150)
    y = X[:, 0] + X[:, 1]
    y = y > 0 if kind is ShallowNNClassifier else y
    alpha = "evidence" if solver == "lm" else 1.0
    net = kind(5, solver=solver, max_iter=5, alpha=alpha, random_state=0)
    whole = net.fit(X, y).coefs_
    made = as_gathered(lambda: net.fit(X, y).coefs_)
    for ours, theirs in zip(made, whole, strict=True):
        assert_array_equal(ours, theirs)


SHAPE = 40_000, 400


@pytest.fixture(scope="module")
def file_of_numbers(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "X.npy"
    X = np.lib.format.open_memmap(path, "w+", np.float32, SHAPE)
    X[:] = np.random.default_rng(0).normal(size=SHAPE)
    X.flush()
    return path


@pytest.fixture
def a_file_is_large(monkeypatch):
    """What does not grow with the samples is as small as beside a large file."""
    monkeypatch.setattr(folds, "_MOST_DEALT", 2000)
    monkeypatch.setattr(Objective, "chunk_size", 2**10)


@pytest.fixture
def in_a_file(file_of_numbers):
    return np.load(file_of_numbers, mmap_mode="r")


def target(X):
    return X[:, 0] + np.abs(X[:, 1])


def memory_beside(X, work):
    """The most memory that work takes, as a share of X; and what it gives."""
    tracemalloc.start()
    try:
        given_ = work()
        return tracemalloc.get_traced_memory()[1] / X.nbytes, given_
    finally:
        tracemalloc.stop()


SMALL = {"n_hidden": 4, "alpha": 1.0, "max_iter": 1, "random_state": 0}
FITS = {
    "set": {},
    "early stopping": {"early_stopping": True},
    "lbfgs": {"solver": "lbfgs"},
    "committee": {"n_estimators": 2},
    "race": {"alpha": None, "encoding": None, "activation": "relu"},
    "whitened": {"encoding": "whitened"},
}


@pytest.mark.usefixtures("a_file_is_large")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("rules", FITS.values(), ids=FITS)
def test_a_fit_on_a_file_has_a_tenth_of_it_in_memory(in_a_file, rules):
    y = target(in_a_file)
    net = ShallowNNRegressor(**SMALL | rules)
    share, _ = memory_beside(in_a_file, lambda: net.fit(in_a_file, y))
    assert share < 0.1
    share, _ = memory_beside(in_a_file, lambda: net.predict(in_a_file))
    assert share < 0.1


@pytest.mark.parametrize("rules", FITS.values(), ids=FITS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_on_a_file_is_that_on_an_array(in_a_file, rules):
    rows = slice(0, 1000)  # the design of which is larger than what is in memory
    X, y = in_a_file[rows], target(in_a_file[rows])
    net = ShallowNNRegressor(**SMALL | rules)
    mapped = net.fit(X, y).predict(X)
    assert_allclose(net.fit(np.array(X), y).predict(X), mapped, rtol=1e-3, atol=1e-3)


NARROW = ["uint8", "int16", "float16", ">f4", ">f8", "bool"]


@pytest.fixture(params=NARROW)
def of_another_dtype(request, tmp_path):
    """A large file, and what is in it."""
    X = 9 * np.random.default_rng(0).normal(size=(40_000, 100)) + 50
    X = X > 50 if request.param == "bool" else X.astype(request.param)
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r"), X


def assert_not_copied_as_floats(net, mapped, X, y):
    """What is learned of a file is that of the array, with less memory than floats."""
    as_floats = np.broadcast_to(0.0, X.shape)
    share, _ = memory_beside(as_floats, lambda: net.fit(mapped, y))
    assert share < 0.4
    share, told = memory_beside(as_floats, lambda: net.predict(mapped))
    assert share < 0.4
    assert_allclose(told, net.fit(X, y).predict(X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "rules",
    [
        {},
        pytest.param({"early_stopping": True}, marks=pytest.mark.slow),
        pytest.param({"cv": 2}, marks=pytest.mark.slow),
    ],
    ids=repr,
)
def test_a_file_of_another_dtype_is_not_copied_as_floats(of_another_dtype, rules):
    mapped, X = of_another_dtype
    y = X[:, 0] + np.abs(X[:, 1].astype(float))
    assert_not_copied_as_floats(ShallowNNRegressor(**SMALL | rules), mapped, X, y)


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_a_file_with_labels_is_not_copied(dtype, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 9, (40_000, 100)).astype(dtype)
    X[:, 3] %= 3
    y = X[:, 0] + 2.0 * (X[:, 3] == 1)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    net = ShallowNNRegressor(**SMALL, categorical_features=[3])
    assert_not_copied_as_floats(net, mapped, X, y)


@pytest.mark.parametrize("of_another_dtype", ["uint8"], indirect=True)
def test_what_is_told_of_a_file_of_another_dtype(of_another_dtype):
    mapped, X = of_another_dtype
    y = X[:, 0] + np.abs(X[:, 1].astype(float))
    net = ShallowNNRegressor(**SMALL, cv=2).fit(mapped, y)
    for told in (
        lambda X: net.predict(X, return_std=True)[1],
        net.predict_interval,
        net.input_gradients,
    ):
        assert_allclose(told(mapped), told(X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("of_another_dtype", ["float16", ">f4"], indirect=True)
def test_what_is_no_number_in_a_file_of_another_dtype_is_refused(of_another_dtype):
    X, whole = of_another_dtype
    writable = np.memmap(X.filename, X.dtype, "r+", X.offset, X.shape)
    writable[-1, 3] = np.inf
    writable.flush()
    with pytest.raises(ValueError, match="Input X contains infinity"):
        ShallowNNRegressor(**SMALL).fit(X, whole[:, 0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("encoding", [None, "piecewise"])
def test_gradients_on_a_file_are_those_on_an_array(in_a_file, monkeypatch, encoding):
    monkeypatch.setattr(design, "_LARGEST_BESIDE_A_FILE", 0)
    X = in_a_file[:100, :5]
    net = ShallowNNRegressor(**SMALL, encoding=encoding)
    mapped = net.fit(X, target(X)).feature_importances_
    gradients = net.input_gradients(X)
    assert_array_equal(gradients, net.input_gradients(np.array(X)))
    net.fit(np.array(X), target(X))
    assert_allclose(mapped, net.feature_importances_, rtol=1e-3)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_deviation_on_a_file_is_that_on_an_array(in_a_file, monkeypatch):
    monkeypatch.setattr(design, "_LARGEST_BESIDE_A_FILE", 0)
    X = in_a_file[:100, :5]
    rules = SMALL | {"solver": "lm", "alpha": "evidence"}
    net = ShallowNNRegressor(**rules).fit(np.array(X), target(X))
    _, mapped = net.predict(X, return_std=True)
    assert_allclose(mapped, net.predict(np.array(X), return_std=True)[1], rtol=1e-12)


def test_what_is_read_from_a_file_is_in_memory(in_a_file):
    X = in_a_file[:4]
    assert design.is_mapped(X)
    assert design.is_mapped(np.asarray(X)[:, 1:].T)
    for copied in (X.copy(), X.copy()[1:], np.array(X), X[[0, 1]], X + 1):
        assert not design.is_mapped(copied)


MORE = {
    "set": {},
    "committee": {"n_estimators": 2},
    "piecewise": {"encoding": "piecewise"},
    "linear path": {"linear_path": True},
}


@pytest.fixture
def mapped(in_a_file, monkeypatch):
    """Rows of a file, more than are in memory; and the same as an array."""
    monkeypatch.setattr(design, "_LARGEST_BESIDE_A_FILE", 2**10)
    X = in_a_file[:300, :20]
    return X, np.array(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("rules", MORE.values(), ids=MORE)
@pytest.mark.parametrize("scoring", ["loss", "neg_mean_squared_error"])
def test_validation_data_in_a_file_are_those_in_an_array(mapped, rules, scoring):
    found = []
    for X in mapped:
        net = ShallowNNRegressor(**SMALL | rules, early_stopping=True, scoring=scoring)
        val = {"X_val": X[200:], "y_val": target(X[200:])}
        net.fit(mapped[1][:200], target(X[:200]), **val)
        found.append((net.validation_scores_, net.coefs_[0]))
    for theirs, ours in zip(*found, strict=True):
        assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("rules", MORE.values(), ids=MORE)
@pytest.mark.parametrize("kind", [ShallowNNRegressor, ShallowNNClassifier])
def test_further_training_on_a_file_is_that_on_an_array(mapped, kind, rules):
    def trained(X, call, **how):
        y = target(X) if kind is ShallowNNRegressor else target(X) > 0.5
        net = kind(**SMALL | rules, **how)
        for rows in (slice(100), slice(100, 300), slice(300)):
            getattr(net, call)(X[rows], y[rows])
        return net.coefs_[0]

    for how in ({"call": "partial_fit"}, {"call": "fit", "warm_start": True}):
        ours, theirs = (trained(X, **how) for X in mapped)
        assert_array_equal(ours, theirs)


LENGTHS = 100_000, 200_000


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """Many rows of few columns, in a file."""
    path = tmp_path_factory.mktemp("narrow") / "X.npy"
    X = np.lib.format.open_memmap(path, "w+", np.float32, (LENGTHS[-1], 20))
    X[:] = np.random.default_rng(0).normal(size=X.shape)
    X.flush()
    return np.load(path, mmap_mode="r")


def bytes_a_row(X, work):
    """What the peak of `work(rows)` grows by with a row."""
    work(slice(1000))
    few, many = (memory_beside(X, lambda n=n: work(slice(n)))[0] for n in LENGTHS)
    return (many - few) * X.nbytes / np.diff(LENGTHS).item()


def three(y):
    return np.digitize(y, [0.0, 1.0])


def words(y):
    return np.array(["one", "two", "three"])[three(y)]


RACE = {"alpha": None, "encoding": None, "activation": "relu", "n_estimators": 2}
# Y and the order, 4 bytes each; the code of a class is one. A split of samples has
# their numbers and their targets, too; a median a sorted copy.
NARROW = {
    "numbers": (ShallowNNRegressor, {}, np.float64, 9),
    "weighted": (ShallowNNRegressor, {"weighted": True}, np.float64, 9),
    "several": (ShallowNNRegressor, {}, lambda y: np.c_[y, y, y].astype(float), 17),
    "classes": (ShallowNNClassifier, {}, three, 6),
    "words": (ShallowNNClassifier, {}, words, 6),
    "median": (ShallowNNRegressor, {"loss": "absolute_error"}, np.float64, 18),
    "held out": (ShallowNNRegressor, {"early_stopping": True}, np.float64, 25),
}


@pytest.mark.slow
@pytest.mark.usefixtures("a_file_is_large")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("kind", "rules", "coded", "most"), NARROW.values(), ids=NARROW
)
def test_a_fit_has_some_bytes_a_row(narrow, kind, rules, coded, most):
    rules, numbers = rules.copy(), np.asarray(target(narrow), float)
    w = np.resize([1.0, 2.0, 0.5], len(numbers)) if rules.pop("weighted", 0) else None
    y = coded(numbers)

    def fit(rows):
        net = kind(**SMALL | rules)
        net.fit(narrow[rows], y[rows], None if w is None else w[rows])

    assert bytes_a_row(narrow, fit) < most


@pytest.mark.slow
@pytest.mark.usefixtures("a_file_is_large")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_race_has_an_order_for_each_contender(narrow):
    y = np.asarray(target(narrow), float)
    net = ShallowNNRegressor(**SMALL | RACE)
    share, _ = memory_beside(narrow, lambda: net.fit(narrow, y))
    n_orders = len(net.search_results_["alpha"])
    # Y, who sees what, and what does not grow with the rows.
    assert share * narrow.nbytes / len(y) < 4 * n_orders + 5 + 3


TOLD = {
    "predict": 8,
    "predict_interval": 16,
    "return_std": 16,
    "predict_proba": 24,
    "words": 20,
    "score": 24,
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("what", "size"), TOLD.items())
def test_what_is_told_is_all_that_grows_with_the_rows(narrow, what, size):
    X, y = np.array(narrow[:500], float), np.asarray(target(narrow[:500]), float)
    if what in ("predict_proba", "words"):
        net = ShallowNNClassifier(**SMALL).fit(X, words(y))
    else:
        net = ShallowNNRegressor(**SMALL | {"cv": 3}).fit(X, y)
    zeros = np.zeros(len(narrow))
    calls = {
        "words": net.predict,
        "return_std": lambda X: net.predict(X, return_std=True),
        "score": lambda X: net.score(X, zeros[: len(X)]),
    }
    tell = calls.get(what) or getattr(net, what)
    assert bytes_a_row(narrow, lambda rows: tell(narrow[rows])) < size + 1
