"""Sparse X whose columns are mostly zeros: scaled, not centred; steps in parts."""

import itertools
import tracemalloc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import normalize

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._arrays.design import ScaledSparse
from sk_shallow._choice.candidates import (
    Facts,
    Settings,
    candidates,
    neighbours,
    shifts,
)
from sk_shallow._data.scaling import SparseScaler, Standardizer, fold, unfold
from sk_shallow._model.layout import Layout, Part
from sk_shallow._model.member_weights import MemberWeights
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow._solvers import Adam
from sk_shallow.activations import ACTIVATIONS

seeds = st.integers(0, 2**32 - 1)
layouts = st.builds(
    Layout,
    n_in=st.just(7),
    n_hidden=st.integers(1, 4),
    n_out=st.integers(2, 3),
    n_members=st.sampled_from([1, 3]),
    has_path=st.booleans(),
)


def thin(rng, n_samples=12, n_features=7, density=0.3):
    """A sparse matrix without empty columns."""
    X = rng.normal(size=(n_samples, n_features))
    X[rng.random(X.shape) > density] = 0
    X[rng.integers(n_samples, size=n_features), np.arange(n_features)] = 1.5
    return sparse.csr_array(X)


def objective_of(layout, seed, n_samples=12, alpha=0.7, dtype=float):
    """J over samples of which each has some inputs."""
    rng = np.random.default_rng(seed)
    X = ScaledSparse(thin(rng, n_samples, layout.n_in).astype(dtype))
    Y = np.eye(layout.n_out)[rng.integers(layout.n_out, size=n_samples)].T.astype(dtype)
    w = rng.uniform(0.1, 3, (layout.n_members, n_samples))[0]
    if layout.n_members > 1:
        w = MemberWeights.of(np.zeros((layout.n_members, n_samples), bool), w)
    theta = rng.standard_normal(layout.size).astype(dtype)
    network = ACTIVATIONS["tanh"], OUTPUT_UNITS["softmax"]
    return Objective(layout, *network, X, Y, w, alpha), theta


def spread(part, values):
    """Values of a part among zeros."""
    whole = np.zeros(part.layout.size, values.dtype)
    for here, there in part.blocks(values, [whole], 5):
        there[...] = here
    return whole


@given(seed=seeds)
def test_stored_columns_multiply_as_they_are_and_transposed_without_the_empty(seed):
    rng = np.random.default_rng(seed)
    S = thin(rng, 4, 9, density=0.1)
    S = sparse.csr_array(S[:2])
    exact = np.column_stack([np.ones(2), S.toarray()])
    X = ScaledSparse(S).of_stored()
    out, B = np.empty((2, 3)), rng.normal(size=(10, 3))
    assert_allclose(np.dot(X, B, out=out), exact @ B, atol=1e-12)
    assert_array_equal(X.columns, np.flatnonzero(S.toarray().any(axis=0)))
    expected = exact.T @ B[:2]
    assert_array_equal(expected[1 + np.setdiff1d(np.arange(9), X.columns)], 0)
    kept = np.append(0, 1 + X.columns)
    out = np.empty((len(kept), 3))
    assert_allclose(np.dot(X.T, B[:2], out=out), expected[kept], atol=1e-12)


def test_the_length_of_a_row_is_the_number_of_its_entries():
    S = sparse.csr_array(np.eye(6)[:, [0, 1, 2, 3, 4, 5, 5, 5]])
    assert ScaledSparse(S).row_length == pytest.approx(8 / 6)


@given(layout=layouts, seed=seeds)
def test_gradients_of_parts_have_the_mean_of_the_whole(layout, seed):
    n, size = 6, 2
    objective, theta = objective_of(layout, seed, n)
    found = []
    for first in itertools.combinations(range(n), size):
        order = np.append(first, np.setdiff1d(np.arange(n), first))
        part, grad = next(objective.parts(theta, order, n // size))
        found.append(spread(part, grad))
    _, expected = objective.value_and_grad(theta)
    assert_allclose(np.mean(found, axis=0), expected, rtol=1e-9, atol=1e-12)


@given(layout=layouts, seed=seeds, n_batches=st.integers(1, 5))
def test_parts_have_the_losses_of_the_gradients(layout, seed, n_batches):
    objective, theta = objective_of(layout, seed)
    order = np.random.default_rng(seed).permutation(12)
    for _ in objective.gradients(theta, order, n_batches):
        pass
    expected = objective.sweep_value(theta)
    for _ in objective.parts(theta, order, n_batches):
        pass
    assert_allclose(objective.sweep_value(theta), expected, rtol=1e-12)


@given(layout=layouts, seed=seeds, size=st.integers(1, 40))
def test_what_is_done_to_blocks_is_done_to_the_part(layout, seed, size):
    rng = np.random.default_rng(seed)
    part = Part(layout, rng.permutation(layout.n_in)[:4])
    theta, values = rng.normal(size=layout.size), rng.normal(size=part.small.size)
    before, seen = theta.copy(), part.gather(theta)
    for here, there in part.blocks(values, [theta], size):
        there += here
    assert_allclose(part.gather(theta), seen + values)
    assert_allclose(theta, before + spread(part, values))


@dataclass(frozen=True)
class WholeAdam(Adam):
    """Adam, which moves all weights with each step."""

    takes_parts: ClassVar[bool] = False


@pytest.mark.parametrize("n_members", [1, 3])
def test_steps_in_parts_that_are_all_are_steps(n_members):
    layout = Layout(7, 4, 2, n_members)
    objective, theta = objective_of(layout, 1, 40)
    objective.X = ScaledSparse(
        sparse.csr_array(np.random.default_rng(0).random((40, 7)))
    )
    found = []
    for rule in (Adam, WholeAdam):
        solver, found_theta = rule(max_iter=50, batch_size=10), theta.copy()
        rng = np.random.default_rng(2)
        solver.solve(objective, found_theta, on_iteration=lambda *_: False, rng=rng)
        found.append(found_theta)
    assert_allclose(*found, rtol=1e-7, atol=1e-9)
    assert np.abs(found[0] - theta).max() > 0.1


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-9), (np.float32, 2e-4)])
def test_means_decay_where_a_step_in_parts_moves_nothing(dtype, rtol):
    rng, adam, rate = np.random.default_rng(1), Adam(), 0.01
    layout = Layout(30, 3, 2, 2)
    theta = rng.standard_normal(layout.size).astype(dtype)
    state, x = adam.start(theta), theta.astype(float)
    m, v = np.zeros(layout.size), np.full(layout.size, adam.epsilon**2)
    for _ in range(200):
        part = Part(layout, np.flatnonzero(rng.random(30) < 0.3))
        values = rng.standard_normal(part.small.size).astype(dtype)
        moves = spread(part, np.ones_like(values)) > 0
        g = spread(part, values).astype(float)
        state.n_steps += 1
        adam.prepare(theta, values, state, part)
        adam.step_in(part, theta, values, state, rate)
        m = adam.beta_1 * m + (1 - adam.beta_1) * g
        v = adam.beta_2 * v + (1 - adam.beta_2) * g**2
        step = (adam.beta_1 * m + (1 - adam.beta_1) * g) / np.sqrt(v)
        x -= np.where(moves, rate * step, 0)
    assert_allclose(theta, x, rtol=rtol, atol=rtol)


@given(seed=seeds)
def test_rows_of_sparse_columns_have_one_size_whatever_the_units(seed):
    rng = np.random.default_rng(seed)
    X = thin(rng, 40, 9).toarray()
    w = rng.uniform(0.1, 3, 40)
    for units in (1.0, 10.0**-8, 10.0**8):
        x = SparseScaler.of(sparse.csr_array(units * X), w, spread=0.3)
        scaled = x.design(sparse.csr_array(units * X), np.float64).scaled.toarray()
        assert_allclose(scaled, x.transform(units * X), rtol=1e-12)
        squares = (scaled**2).sum(axis=1)
        assert np.average(squares, weights=w) == pytest.approx(9 * 0.3**2)
        root = np.sqrt(np.average(scaled**2, axis=0, weights=w))
        squares, n_entries = w @ X**2, (X != 0).sum(axis=1)
        kept = n_entries > 0
        usual = (X**2).sum(axis=1)[kept] / n_entries[kept] @ w[kept] / w[kept].sum()
        size = root / np.sqrt(squares) * (squares + usual) ** 0.375
        assert_allclose(size, size[0], rtol=1e-9)
        assert_allclose(x.design(units * X, np.float64)[:, 1:], scaled, rtol=1e-12)


@given(seed=seeds)
def test_sparse_scalers_of_parts_are_that_of_the_whole(seed):
    rng = np.random.default_rng(seed)
    X, w = thin(rng, 40, 9), rng.uniform(0.1, 3, 40)
    whole = SparseScaler.of(X, w)
    merged = SparseScaler.of(X[:15], w[:15]).merge(SparseScaler.of(X[15:], w[15:]))
    assert_allclose(merged.scale, whole.scale, rtol=1e-9)
    dense = Standardizer.of(X[15:].toarray(), w[15:])
    merged = SparseScaler.of(X[:15], w[:15]).merge(dense)
    assert_allclose(merged.mean, whole.mean, rtol=1e-9, atol=1e-12)
    assert (merged.scale > 0).all()


@given(seed=seeds, small=st.floats(1e-9, 1.0))
def test_no_column_is_blown_up_more_than_one_without_entries(seed, small):
    rng = np.random.default_rng(seed)
    X = thin(rng, 40, 9).toarray()
    X[:, 2] = 0
    X[:, 5] = 0
    X[rng.integers(40), 5] = small
    scale = SparseScaler.of(sparse.csr_array(X)).scale
    assert (scale >= scale[2]).all()


@given(seed=seeds)
def test_zeros_that_are_stored_and_copies_leave_sparse_scales_as_they_are(seed):
    rng = np.random.default_rng(seed)
    X, w = thin(rng, 40, 9), rng.integers(1, 4, 40)
    stored = X.copy()
    stored.data[rng.random(X.nnz) < 0.3] = 0
    bare = sparse.csr_array(stored.toarray())
    expected = SparseScaler.of(bare, w.astype(float)).scale
    assert_allclose(SparseScaler.of(stored, w.astype(float)).scale, expected)
    copies = bare[np.repeat(np.arange(40), w)]
    assert_allclose(SparseScaler.of(copies).scale, expected, rtol=1e-9)
    assert_array_equal(SparseScaler.of(0 * bare).scale, 1)


@given(layout=layouts, seed=seeds)
def test_unfold_inverts_fold_without_a_shift(layout, seed):
    rng, layout = np.random.default_rng(seed), layout.member
    X = thin(rng)
    x, y = SparseScaler.of(X), SparseScaler.identity(layout.n_out)
    theta = rng.standard_normal(layout.size)
    raw = fold(layout.view(theta), x, y)
    assert_allclose(layout.pack(*unfold(*raw, x, y), float), theta, rtol=1e-9)
    Z1 = x.design(X, float).scaled @ layout.view(theta).W1 + layout.view(theta).b1
    assert_allclose(X @ raw[1] + raw[0], Z1, atol=1e-9)


def topics(n_samples=400, n_words=3000, n_classes=4, seed=0, lengths=(60,)):
    """Documents of so many words; those of each class prefer some."""
    rng = np.random.default_rng(seed)
    frequency = 1 / np.arange(1, n_words + 1)
    lean = np.exp(rng.normal(size=(n_classes, n_words))) * frequency
    lean /= lean.sum(axis=1, keepdims=True)
    y = rng.integers(n_classes, size=n_samples)
    n_words = np.array(lengths)[np.arange(n_samples) % len(lengths)]
    documents = [rng.multinomial(n, lean[c]) for n, c in zip(n_words, y, strict=True)]
    return sparse.csr_array(np.array(documents, dtype=float)), y


def test_a_fit_of_sparse_rows_is_used_with_dense_ones():
    X, y = topics(200, 1000)
    assert X.nnz < 0.1 * np.prod(X.shape)
    model = ShallowNNClassifier(random_state=0).fit(X, y)
    assert model.coefs_[0].shape[0] == X.shape[1]
    found = model.predict_proba(X)
    assert_allclose(model.predict_proba(X.toarray()), found, rtol=1e-5, atol=1e-7)
    A1 = np.maximum(X.toarray() @ model.coefs_[0] + model.intercepts_[0], 0)
    Z2 = A1 @ model.coefs_[1] + model.intercepts_[1]
    P = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    assert_allclose(P / P.sum(axis=1, keepdims=True), found, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_the_defaults_know_topics_as_well_as_a_linear_model():
    X, y = topics(2000)
    Z, t = topics(2000)
    X, y, Z, t = X[:1000], y[:1000], Z[1000:], t[1000:]
    ours = ShallowNNClassifier(random_state=0).fit(X, y)
    linear = LogisticRegression().fit(X, y)
    assert ours.score(Z, t) > linear.score(Z, t) - 0.02
    theirs = log_loss(t, linear.predict_proba(Z))
    assert log_loss(t, ours.predict_proba(Z)) < 1.02 * theirs


def test_rare_words_of_long_documents_do_not_decide_on_short_ones():
    X, y = topics(800, lengths=(10, 10, 10, 3000))
    X = normalize(X)
    ours = ShallowNNClassifier(random_state=0).fit(X[:400], y[:400])
    linear = LogisticRegression(C=30).fit(X[:400], y[:400])
    theirs = log_loss(y[400:], linear.predict_proba(X[400:]))
    assert log_loss(y[400:], ours.predict_proba(X[400:])) < theirs


@pytest.mark.parametrize(
    ("solver", "standardize"),
    [("sgd", True), ("adam", True), ("adam", False), ("lbfgs", True)],
)
def test_every_solver_learns_from_sparse_rows(solver, standardize):
    X, _ = topics(200, 1000)
    model = ShallowNNRegressor(
        10, alpha=0.1, solver=solver, standardize=standardize, random_state=0
    )
    target = np.asarray(X[:, :20].sum(axis=1)).ravel()
    least = {"sgd": 0.01, "adam": 0.5, "lbfgs": 0.5}[solver]
    assert model.fit(X, target).score(X, target) > least


def test_weights_count_as_copies_of_sparse_rows():
    X, y = topics(120, 400)
    w = np.random.default_rng(0).integers(1, 4, 120)
    model = ShallowNNClassifier(5, alpha=1.0, solver="lbfgs", random_state=0)
    found = model.fit(X, y, sample_weight=w).predict_proba(X)
    rows = np.repeat(np.arange(120), w)
    assert_allclose(model.fit(X[rows], y[rows]).predict_proba(X), found, atol=1e-3)


@pytest.mark.parametrize("is_stream", [False, True])
def test_nothing_of_the_size_of_X_formed_is_allocated(is_stream):
    n_samples, n_features, rng = 2000, 50_000, np.random.default_rng(0)
    columns = rng.integers(n_features, size=20 * n_samples)
    rows = np.repeat(np.arange(n_samples), 20)
    X = sparse.csr_array(
        (np.ones(len(rows)), (rows, columns)), shape=(n_samples, n_features)
    )
    y = (np.asarray(X[:, : n_features // 2].sum(axis=1)).ravel() > 10).astype(int)
    model = ShallowNNClassifier(4, alpha=1.0, max_iter=1, random_state=0)
    tracemalloc.start()
    try:
        model.partial_fit(X, y, [0, 1]) if is_stream else model.fit(X, y)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < n_samples * n_features / 2 < n_features**2 / 2


def test_a_stream_of_hashed_words_learns():
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(500)])
    y = rng.integers(2, size=1500)
    texts = [" ".join(words[rng.integers(250, size=30) + 200 * c]) for c in y]
    hashed = HashingVectorizer(n_features=2**13)
    model = ShallowNNClassifier(10, random_state=0)
    for start in range(0, 1000, 100):
        rows = slice(start, start + 100)
        model.partial_fit(hashed.transform(texts[rows]), y[rows], classes=[0, 1])
    assert model.score(hashed.transform(texts[1000:]), y[1000:]) > 0.9


def settings_of(**known):
    nothing = dict.fromkeys(Settings._fields[:6])
    defaults = {"solvers": [Adam()], "is_one": False, "has_cv": False}
    return Settings(**{**nothing, **defaults, **known})


@pytest.mark.parametrize(("n_outputs", "expected"), [(1, 20), (33, 33), (400, 50)])
def test_members_of_sparse_samples_have_as_many_units_as_outputs(n_outputs, expected):
    facts = Facts(1000, 100, 0, False, is_mostly_zeros=True, n_outputs=n_outputs)
    recipes = candidates(settings_of(), facts)
    assert {recipe.n_hidden for recipe in recipes} == {expected}
    assert {recipe.n_members for recipe in recipes} == {5}
    assert [recipe.alpha for recipe in recipes] == [0.1, 0.01]


def test_penalties_of_sparse_samples_end_where_the_steps_do_as_well():
    settings = settings_of()
    facts = Facts(1000, 100, 0, False, is_mostly_zeros=True)
    first, last = candidates(settings, facts)
    assert [r.alpha for r in neighbours(settings, facts, first)] == [1.0, 0.01]
    assert [r.alpha for r in neighbours(settings, facts, last)] == [0.1]
    assert shifts(settings, facts, first) == []


def test_penalties_of_sparse_samples_with_several_labels_begin_where_they_end():
    settings = settings_of()
    facts = Facts(1000, 100, 0, False, is_mostly_zeros=True, has_labels=True)
    (one,) = candidates(settings, facts)
    assert one.alpha == 3.0
    (more,) = neighbours(settings, facts, one)
    assert more.alpha == 30.0
    assert [r.alpha for r in neighbours(settings, facts, more)] == [300.0, 3.0]


@pytest.mark.slow
def test_rare_labels_are_learned_as_well_as_by_linear_models():
    X, y = topics(3000, n_classes=30)
    Y = np.eye(30, dtype=int)[y]
    groups = np.arange(30) % 3 == np.arange(3)[:, None]
    Y = np.hstack([Y, Y @ groups.T])
    X = normalize(X, norm="l2")
    ours = ShallowNNClassifier(random_state=0).fit(X[:1500], Y[:1500])
    linear = OneVsRestClassifier(LogisticRegression(C=30)).fit(X[:1500], Y[:1500])
    found = [m.predict_proba(X[1500:]) for m in (ours, linear)]
    found = [average_precision_score(Y[1500:], P, average="macro") for P in found]
    assert found[0] > found[1] - 0.01
