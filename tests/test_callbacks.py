"""Callbacks: what they are told of a fit, and what they may do to it."""

import json
import pickle
import re
import runpy
import warnings
from collections import Counter
from copy import copy, deepcopy
from pathlib import Path

import joblib
import numpy as np
import pytest
from _curves import two_curves
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._solvers import SOLVERS
from sk_shallow._solvers.tasks import Iterations, Task

callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn has callbacks from version 1.9 on"
)

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "callbacks.py"
X, Z = two_curves(120, seed=0)
TARGETS = {ShallowNNRegressor: Z[:, 0], ShallowNNClassifier: np.digitize(Z[:, 0], [0])}
INCREMENTAL = [name for name, kind in SOLVERS.items() if kind.incremental]

each_kind = pytest.mark.parametrize("Estimator", TARGETS)
each_solver = pytest.mark.parametrize("solver", SOLVERS)
each_incremental = pytest.mark.parametrize("solver", INCREMENTAL)
pytestmark = pytest.mark.filterwarnings(
    "ignore:max_iter=:sklearn.exceptions.ConvergenceWarning"
)


class Recorder:
    """Writes a line to a file for each hook, from whatever process."""

    def __init__(self, path):
        self.path = path

    def _note(self, hook, context):
        tasks = [context]
        while tasks[0].parent is not None:
            tasks.insert(0, tasks[0].parent)
        names = [task.task_name for task in tasks]
        line = [hook, names, [task.task_id for task in tasks], context.max_subtasks]
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def setup(self, estimator, context):
        self._note("setup", context)

    def on_fit_task_begin(self, estimator, context):
        self._note("begin", context)

    def on_fit_task_end(self, estimator, context):
        self._note("end", context)

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def lines(self):
        """(hook, names and numbers on the way to the task, most parts) of each."""
        with open(self.path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        return [(hook, tuple(names), tuple(ids), n) for hook, names, ids, n in lines]


class Quiet:
    """The hooks of the protocol, of which heirs have some."""

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass


class Asking(Quiet):
    """Keeps the networks of all tasks that end, uses them, and writes to them."""

    def setup(self, estimator, context):
        self.models, self.outputs = {}, {}

    def on_fit_task_end(
        self,
        estimator,
        context,
        *,
        X=None,
        y=None,
        metadata=None,
        fitted_estimator=None,
    ):
        models = self.models.setdefault(context.task_name, [])
        models.append(fitted_estimator)
        fitted_estimator.score(X, y, **(metadata or {}))
        outputs = self.outputs.setdefault(context.task_name, [])
        outputs.append(fitted_estimator.predict(X))
        spoilt = deepcopy(fitted_estimator)
        for weights in (*spoilt.coefs_, *spoilt.intercepts_):
            weights[...] = np.nan


class Stopping(Quiet):
    """True at the end of the n-th task of a name, and never again."""

    def __init__(self, name, n):
        self.name, self.n = name, n

    def setup(self, estimator, context):
        self.n_seen = 0

    def on_fit_task_end(self, estimator, context):
        self.n_seen += context.task_name == self.name
        return context.task_name == self.name and self.n_seen == self.n


class Pruned(Exception):
    """What a pruner raises."""


class Raising(Quiet):
    """Raises where a hook meets a task; counts what it was torn down after."""

    def __init__(self, hook, name):
        self.hook, self.name, self.n_teardowns = hook, name, 0

    def _meet(self, hook, context):
        if (hook, context.task_name) == (self.hook, self.name):
            raise Pruned

    def setup(self, estimator, context):
        self._meet("setup", context)

    def on_fit_task_begin(self, estimator, context):
        self._meet("begin", context)

    def on_fit_task_end(self, estimator, context):
        self._meet("end", context)

    def teardown(self, estimator, context):
        self.n_teardowns += 1
        self._meet("teardown", context)


def made(Estimator, solver, **parameters):
    """An estimator for which nothing is left to choose; "lm" finds α."""
    alpha = None if solver == "lm" else 1.0
    given = {"alpha": alpha, "max_iter": 6, "random_state": 0, **parameters}
    given |= {"batch_size": 32} if solver in ("sgd", "adam") else {}
    given |= {"learning_rate_init": 0.1} if solver == "gd" else {}
    return Estimator(5, solver=solver, **given)


def weights_of(model):
    return [*model.coefs_, *model.intercepts_]


def assert_same_weights(a, b):
    for u, v in zip(weights_of(a), weights_of(b), strict=True):
        assert_array_equal(u, v)


def assert_is_tree(lines):
    """All tasks begin and end once, within their parents, after setup."""
    hooks = [hook for hook, *_ in lines]
    assert hooks[0] == "setup"
    assert hooks[-1] == "teardown"
    assert set(hooks[1:-1]) == {"begin", "end"}
    begun, ended = {}, {}
    for moment, (hook, _, path, n_most) in enumerate(lines[1:-1]):
        seen = begun if hook == "begin" else ended
        assert path not in seen
        seen[path] = moment
        if len(path) > 1:
            assert path[:-1] in begun
            assert path[:-1] not in ended
        if hook == "end":
            assert path in begun
            n_parts = sum(path == other[:-1] for other in begun)
            assert n_most is None or n_parts <= n_most
    assert set(begun) == set(ended)


def assert_in_turn(lines):
    """The last task that has begun is the first to end."""
    open_tasks = []
    for hook, _, path, _ in lines[1:-1]:
        if hook == "begin":
            open_tasks.append(path)
        else:
            assert open_tasks.pop() == path


def begun(lines, name):
    return [
        path for hook, names, path, _ in lines if hook == "begin" and names[-1] == name
    ]


@pytest.mark.parametrize("n_estimators", [1, 3])
@each_solver
@each_kind
def test_a_fit_is_a_tree_with_a_task_for_each_epoch(
    Estimator, solver, n_estimators, tmp_path
):
    recorder = Recorder(tmp_path / "lines")
    model = made(Estimator, solver, n_estimators=n_estimators).set_callbacks(recorder)
    model.fit(X, TARGETS[Estimator])
    lines = recorder.lines()
    assert_is_tree(lines)
    assert_in_turn(lines)
    epochs, members = begun(lines, "epoch"), begun(lines, "member")
    if SOLVERS[solver].trains_together or n_estimators == 1:
        assert not members
        assert epochs == [(0, i) for i in range(model.n_iter_)]
        assert lines[1] == ("begin", ("fit",), (0,), 6)
    else:
        assert members == [(0, i) for i in range(3)]
        assert lines[1] == ("begin", ("fit",), (0,), 3)
        assert max(Counter(path[1] for path in epochs).values()) == model.n_iter_


@pytest.mark.parametrize("n_estimators", [1, 2])
@each_incremental
@each_kind
def test_partial_fit_is_one_epoch(Estimator, solver, n_estimators, tmp_path):
    recorder = Recorder(tmp_path / "lines")
    parameters = {"max_iter": None, "n_estimators": n_estimators}
    model = made(Estimator, solver, **parameters).set_callbacks(recorder)
    for n_calls in (1, 2):
        model.partial_fit(X, TARGETS[Estimator])
        lines = recorder.lines()[-6:]
        assert len(recorder.lines()) == 6 * n_calls
        assert_is_tree(lines)
        assert_in_turn(lines)
        assert [names[-1] for _, names, *_ in lines[1:-1]] == [
            *("partial_fit", "epoch", "epoch", "partial_fit")
        ]
        assert lines[1][-1] == 1


@pytest.mark.parametrize("n_estimators", [1, 2])
@each_solver
def test_a_warm_start_is_a_tree_too(solver, n_estimators, tmp_path):
    recorder = Recorder(tmp_path / "lines")
    parameters = {"n_estimators": n_estimators, "warm_start": True}
    model = made(ShallowNNRegressor, solver, **parameters).fit(X, Z[:, 0])
    other = deepcopy(model).fit(X, Z[:, 0])
    model.set_callbacks(recorder).fit(X, Z[:, 0])
    assert_is_tree(recorder.lines())
    assert_in_turn(recorder.lines())
    of_each = Counter(path[:-1] for path in begun(recorder.lines(), "epoch"))
    assert max(of_each.values()) == model.n_iter_
    assert_same_weights(model, other)


@pytest.mark.slow
@each_kind
def test_a_race_has_rounds_and_then_a_training(Estimator, tmp_path):
    for parameters, is_trained in (({}, False), ({"n_hidden": 5}, True)):
        recorder = Recorder(tmp_path / str(is_trained))
        model = Estimator(random_state=0, **parameters).set_callbacks(recorder)
        model.fit(X, TARGETS[Estimator])
        lines = recorder.lines()
        assert_is_tree(lines)
        assert_in_turn(lines)
        assert lines[1] == ("begin", ("fit",), (0,), 1 + is_trained)
        assert begun(lines, "race") == [(0, 0)]
        assert 2 <= len(begun(lines, "round")) <= 4
        n_recipes = len(model.search_results_["loss"])
        assert len(begun(lines, "contender")) >= n_recipes
        assert begun(lines, "training") == [(0, 1)] * is_trained
        n_epochs = model.n_iter_ if is_trained else 0
        assert begun(lines, "epoch") == [(0, 1, i) for i in range(n_epochs)]


@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("solver", ["lbfgs", "lm"])
def test_members_in_other_threads_and_processes(solver, backend, tmp_path):
    recorder, y = Recorder(tmp_path / "lines"), TARGETS[ShallowNNRegressor]
    model = made(ShallowNNRegressor, solver, n_estimators=3, n_jobs=2)
    alone = clone(model).set_params(n_jobs=None).fit(X, y)
    with joblib.parallel_config(backend):
        model.set_callbacks(recorder).fit(X, y)
    assert_is_tree(recorder.lines())
    assert sorted(begun(recorder.lines(), "member")) == [(0, i) for i in range(3)]
    assert len(begun(recorder.lines(), "epoch")) == 3 * model.n_iter_
    assert_same_weights(model, alone)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("n_estimators", [1, 2])
@each_solver
@each_kind
def test_who_looks_changes_nothing(Estimator, solver, n_estimators, early_stopping):
    y, asking = TARGETS[Estimator], Asking()
    parameters = {"n_estimators": n_estimators, "early_stopping": early_stopping}
    model = made(Estimator, solver, **parameters).fit(X, y)
    seen = clone(model).set_callbacks(asking).fit(X, y)
    assert_same_weights(model, seen)
    assert seen.loss_curve_ == model.loss_curve_
    assert asking.models["epoch"]


@pytest.mark.slow
@each_kind
def test_who_looks_changes_no_race(Estimator):
    y, asking = TARGETS[Estimator], Asking()
    for parameters in ({}, {"n_hidden": 5}):
        model = Estimator(random_state=0, **parameters).fit(X, y)
        seen = clone(model).set_callbacks(asking).fit(X, y)
        assert_same_weights(model, seen)
        assert seen.search_results_ == model.search_results_
        winner = asking.models["race"][0]
        assert winner.solver_ == model.solver_
        assert winner.alpha_ == model.alpha_
        if not parameters:
            assert_same_weights(winner, model)


@each_incremental
def test_who_looks_changes_no_stream(solver):
    y = TARGETS[ShallowNNRegressor]
    models = [made(ShallowNNRegressor, solver, max_iter=None) for _ in range(2)]
    models[1].set_callbacks(Asking())
    for rows in np.array_split(np.arange(120), 4):
        for model in models:
            model.partial_fit(X[rows], y[rows])
    assert_same_weights(*models)


@each_solver
@each_kind
def test_the_network_of_an_epoch_is_what_fit_would_have_left(Estimator, solver):
    y, asking = TARGETS[Estimator], Asking()
    parameters = {"alpha": 1.0, "activation": "tanh", "encoding": None}
    model = made(Estimator, solver, **parameters).set_callbacks(asking).fit(X, y)
    models = asking.models["epoch"]
    for i, (network, told) in enumerate(
        zip(models, asking.outputs["epoch"], strict=True), start=1
    ):
        assert_array_equal(network.predict(X), told)  # nothing is written to it later
        assert network.n_iter_ == i
        assert network.loss_curve_ == model.loss_curve_[:i]
        assert network.solver_ == solver
        W1, W2 = network.coefs_
        b1, b2 = network.intercepts_
        Z2 = np.tanh(X @ W1 + b1) @ W2 + b2
        outputs = getattr(network, "decision_function", network.predict)(X)
        np.testing.assert_allclose(outputs, Z2[:, 0], rtol=1e-9, atol=1e-9)
    assert_same_weights(models[int(np.argmin(model.loss_curve_))], model)
    assert_same_weights(asking.models["fit"][0], model)


def test_the_network_of_a_step_has_its_error_bars():
    asking = Asking()
    model = made(ShallowNNRegressor, "lm", alpha="ard", max_iter=12)
    model.set_callbacks(asking).fit(X, Z[:, 0])
    for network in asking.models["epoch"]:
        assert np.all(network.predict(X, return_std=True)[1] > 0)
        assert network.feature_relevance_.shape == (3,)
        assert network.log_evidence_ < model.log_evidence_ + 1


def test_importances_are_those_of_the_end():
    class Looking(Quiet):
        found = ()

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            told = getattr(fitted_estimator, "feature_importances_", None)
            self.found = [*self.found, told]

    looking, (X, y) = Looking(), two_curves(60, 0)
    net = made(ShallowNNRegressor, "adam").set_callbacks(looking)
    for _ in range(2):
        looking.found = ()
        net.fit(X, y[:, 0])
        *before, end = looking.found
        assert before
        assert all(told is None for told in before)
        assert_array_equal(end, net.feature_importances_)


def test_a_member_is_a_network_of_its_own():
    asking = Asking()
    model = made(ShallowNNRegressor, "lbfgs", n_estimators=2).set_callbacks(asking)
    model.fit(X, Z[:, 0])
    members = asking.models["member"]
    assert [member.n_estimators_ for member in members] == [1, 1]
    mean = np.mean([member.predict(X) for member in members], axis=0)
    np.testing.assert_allclose(model.predict(X), mean, rtol=1e-12)


@pytest.mark.parametrize("n_most", [1, 3])
@each_solver
@each_kind
def test_true_is_the_end(Estimator, solver, n_most):
    y = TARGETS[Estimator]
    model = made(Estimator, solver, max_iter=50)
    asking = Asking()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_callbacks(Stopping("epoch", n_most), asking).fit(X, y)
    assert model.n_iter_ == len(asking.models["epoch"]) == n_most
    if solver != "lm":
        assert_same_weights(asking.models["epoch"][np.argmin(model.loss_curve_)], model)


def test_true_ends_all_bends_and_all_starts():
    kinked = made(ShallowNNRegressor, "lbfgs", loss="absolute_error", max_iter=100)
    started = made(ShallowNNRegressor, "lm", max_iter=None)
    for model in (kinked, started):
        model.set_callbacks(Stopping("epoch", 5)).fit(X, Z[:, 0])
        assert model.n_iter_ == 5


def test_bends_that_move_nothing_are_told_of_within_the_budget(tmp_path):
    recorder = Recorder(tmp_path / "lines")
    model = made(ShallowNNRegressor, "lbfgs", loss="absolute_error", max_iter=9)
    model.set_callbacks(recorder).fit(X, np.zeros(120))
    assert_is_tree(recorder.lines())
    assert len(begun(recorder.lines(), "epoch")) <= 9


@pytest.mark.parametrize("solver", ["lbfgs", "lm"])
def test_an_end_of_one_member_is_not_that_of_others(solver, tmp_path):
    recorder = Recorder(tmp_path / "lines")
    model = made(ShallowNNRegressor, solver, n_estimators=2)
    model.set_callbacks(Stopping("epoch", 2), recorder).fit(X, Z[:, 0])
    of_each = [path[1] for path in begun(recorder.lines(), "epoch")]
    assert of_each.count(0) == 2
    assert of_each.count(1) == 6


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_recipes", [1, 2])
def test_true_ends_the_race(n_recipes, tmp_path):
    recorder = Recorder(tmp_path / "lines")
    model = ShallowNNRegressor(random_state=0)
    model.set_callbacks(Stopping("contender", n_recipes), recorder).fit(X, Z[:, 0])
    assert len(model.search_results_["loss"]) == n_recipes
    assert_is_tree(recorder.lines())
    assert len(begun(recorder.lines(), "round")) == 1
    assert np.isfinite(model.predict_interval(X)).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_true_ends_the_rounds_and_what_comes_after_them_is_trained(tmp_path):
    recorder = Recorder(tmp_path / "lines")
    model = ShallowNNRegressor(5, random_state=0)
    model.set_callbacks(Stopping("round", 1), recorder).fit(X, Z[:, 0])
    assert set(model.search_results_["n_steps"]) == {100}
    assert len(begun(recorder.lines(), "round")) == 1
    assert len(begun(recorder.lines(), "epoch")) == model.n_iter_


@pytest.mark.slow
def test_true_ends_the_last_round(tmp_path):
    whole, less = Recorder(tmp_path / "whole"), Recorder(tmp_path / "less")
    model = ShallowNNRegressor(random_state=0).set_callbacks(whole).fit(X, Z[:, 0])
    n_contenders = len(begun(whole.lines(), "contender"))
    model.set_callbacks(Stopping("contender", n_contenders - 1), less).fit(X, Z[:, 0])
    assert_is_tree(less.lines())
    assert len(begun(less.lines(), "contender")) == n_contenders - 1


def test_what_leads_nowhere_is_ended():
    class Counted(Task):
        n_begun = n_ended = 0

        def begin(self, n_parts=0, in_order=True):
            self.n_begun += 1
            return self

        def end(self, made=None):
            self.n_ended += 1
            return False

    task = Counted()
    iterations = Iterations(task, lambda theta, extra: theta)
    assert not iterations.begin()
    assert not iterations.end(np.zeros(1))
    iterations.close()
    assert (task.n_begun, task.n_ended) == (1, 1)
    iterations.begin()
    iterations.close()
    assert (task.n_begun, task.n_ended) == (2, 2)


def test_a_diverged_epoch_goes_on_and_is_counted_once(tmp_path):
    recorder = Recorder(tmp_path / "lines")
    model = made(ShallowNNRegressor, "gd", max_iter=30).set_callbacks(recorder)
    model.set_params(learning_rate_init=1e3, activation="relu")
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X, Z[:, 0])
    assert_is_tree(recorder.lines())
    assert len(begun(recorder.lines(), "epoch")) == model.n_iter_


HOOKS = [("setup", "fit"), ("teardown", "fit")]
HOOKS += [(hook, name) for hook in ("begin", "end") for name in ("fit", "epoch")]


@pytest.mark.parametrize(("hook", "name"), HOOKS)
@pytest.mark.parametrize("is_fitted", [False, True])
@each_solver
def test_who_raises_leaves_the_estimator_as_it_was(solver, is_fitted, hook, name):
    y, raising, others = (
        TARGETS[ShallowNNRegressor],
        Raising(hook, name),
        Raising("", ""),
    )
    model = made(ShallowNNRegressor, solver)
    if is_fitted:
        model.fit(X, y)
    model.set_callbacks(others, raising)
    before = dict(vars(model))
    with pytest.raises(Pruned):
        model.fit(X, y)
    assert vars(model) == before
    assert others.n_teardowns == raising.n_teardowns == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["race", "round", "contender", "training", "epoch"])
def test_who_raises_in_a_race_leaves_the_estimator_as_it_was(name):
    raising = Raising("begin", name)
    model = ShallowNNRegressor(
        5, random_state=0, cv=2, activation="tanh", encoding=None
    )
    model.set_callbacks(raising)
    before = dict(vars(model))
    with pytest.raises(Pruned):
        model.fit(X[:30], Z[:30, 0])
    assert vars(model) == before
    assert raising.n_teardowns == 1


@pytest.mark.slow
def test_who_raises_in_another_process_leaves_the_estimator_as_it_was():
    raising = Raising("end", "member")
    model = made(ShallowNNRegressor, "lbfgs", n_estimators=2, n_jobs=2)
    model.set_callbacks(raising)
    before = dict(vars(model))
    with pytest.raises(Pruned):
        model.fit(X, Z[:, 0])
    assert vars(model) == before
    assert raising.n_teardowns == 1


def test_what_is_wrong_with_the_samples_is_told_to_nobody(tmp_path):
    recorder = Recorder(tmp_path / "lines")
    model = made(ShallowNNRegressor, "gd").set_callbacks(recorder)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, np.full(120, np.nan))
    assert not recorder.path.exists()


def test_none_are_left_and_clones_share_them():
    asking = Asking()
    model = made(ShallowNNRegressor, "gd").set_callbacks(asking)
    with pytest.raises(TypeError, match="FitCallback"):
        model.set_callbacks(Asking)
    clone(model).fit(X, Z[:, 0])
    assert len(asking.models["epoch"]) == 6
    before = set(vars(made(ShallowNNRegressor, "gd").fit(X, Z[:, 0])))
    assert set(vars(model.fit(X, Z[:, 0]).set_callbacks())) == before


class Copying(Quiet):
    """Pickles and copies the network of each epoch, without its callbacks."""

    def __init__(self):
        self.unpicklable = lambda: None

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        assert context.estimator_name == "ShallowNNRegressor"
        network = fitted_estimator.set_callbacks()
        self.copies = copy(network), deepcopy(network)
        self.copies += (pickle.loads(pickle.dumps(network)),)


def test_the_network_of_an_epoch_can_be_saved_and_goes_on():
    copying = Copying()
    model = made(ShallowNNRegressor, "adam").set_callbacks(copying).fit(X, Z[:, 0])
    for network in copying.copies:
        assert_same_weights(network, model)
        network.partial_fit(X, Z[:, 0])
        assert network.n_iter_ == 1


class Taking(Quiet):
    """Takes the samples that it is told of."""

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
        self.X, self.y, self.metadata = X, y, metadata


def containers():
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    sparse = pytest.importorskip("scipy.sparse")
    columns = {f"x{i}": x for i, x in enumerate(X.T)}
    frames = pandas.DataFrame(columns), polars.DataFrame(columns)
    return [X, X.tolist(), *frames, sparse.csr_array(X), sparse.coo_array(X)]


def test_the_samples_are_those_of_the_user():
    w, taking = np.where(np.arange(120) % 3, 2.0, 0.0), Taking()
    for given in containers():
        model = made(ShallowNNRegressor, "gd").set_callbacks(taking)
        model.fit(given, Z[:, 0])
        assert taking.metadata is None
        assert isinstance(taking.X, type(given)) or "coo" in type(given).__name__
        assert model.score(taking.X, taking.y) == model.score(given, Z[:, 0])
        model.fit(given, Z[:, 0], sample_weight=w)
        assert_array_equal(taking.metadata["sample_weight"], w[w > 0])
        assert_array_equal(taking.y, Z[w > 0, 0])
        of_rows = model.predict(taking.X)
        assert_array_equal(of_rows, model.predict(given)[w > 0])


def test_held_out_samples_are_not_among_those():
    taking = Taking()
    model = made(ShallowNNRegressor, "gd", early_stopping=True).set_callbacks(taking)
    model.fit(X, Z[:, 0])
    assert len(taking.X) == len(taking.y) == 108
    assert {tuple(row) for row in taking.X} < {tuple(row) for row in X}


@each_kind
def test_a_scoring_monitor_alone(Estimator):
    scoring = "r2" if Estimator is ShallowNNRegressor else "accuracy"
    y, monitor = TARGETS[Estimator], callback.ScoringMonitor(scoring=scoring)
    model = made(Estimator, "adam").set_callbacks(monitor)
    model.fit(X, y, sample_weight=np.arange(120.0))
    rows = monitor.get_logs().data
    assert [row["task_name"] for row in rows] == ["fit"] + ["epoch"] * 6
    score = model.score(X, y, np.arange(120.0))
    assert rows[0][scoring] == pytest.approx(score, rel=1e-12)


def test_a_scoring_monitor_in_a_pipeline():
    monitor = callback.ScoringMonitor(scoring="r2")
    net = made(ShallowNNRegressor, "lbfgs").set_callbacks(monitor)
    model = make_pipeline(StandardScaler(), net).fit(X, Z[:, 0])
    logs = monitor.get_logs()
    assert logs.estimator_name == "Pipeline"
    assert [row["task_name"] for row in logs.data] == ["fit"] + ["epoch"] * 6
    assert logs.data[0]["r2"] == pytest.approx(model.score(X, Z[:, 0]), rel=1e-12)


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_scoring_monitor_under_a_grid_search(n_jobs):
    monitor = callback.ScoringMonitor(scoring="r2")
    net = made(ShallowNNRegressor, "adam").set_callbacks(monitor)
    search = GridSearchCV(net, {"alpha": [1.0, 10.0]}, cv=2, n_jobs=n_jobs)
    search.fit(X, Z[:, 0])
    rows = monitor.get_logs().data
    assert monitor.get_logs().estimator_name == "GridSearchCV"
    assert [row["task_name"] for row in rows].count("epoch") == 5 * 6
    assert (
        len({row["parent_task_id_path"] for row in rows if "epoch" in row.values()})
        == 5
    )


@pytest.mark.slow
def test_a_scoring_monitor_of_members_in_other_processes():
    monitor = callback.ScoringMonitor(scoring="r2")
    model = made(ShallowNNRegressor, "lbfgs", n_estimators=2, n_jobs=2)
    model.set_callbacks(monitor).fit(X, Z[:, 0])
    rows = monitor.get_logs().data
    paths = [row["task_id_path"] for row in rows]
    epochs = [(0, member, i) for member in range(2) for i in range(6)]
    assert sorted(paths) == sorted([(0,), (0, 0), (0, 1), *epochs])
    assert all(row["r2"] < 1 for row in rows)


def bars(printed):
    """What stands before each bar."""
    return re.findall(r"^(.*?\S) +[━╸╺ ]+ *100%", printed, re.MULTILINE)


@pytest.mark.slow
def test_a_progress_bar(capsys):
    pytest.importorskip("rich")
    y, bar = Z[:, 0], callback.ProgressBar()
    made(ShallowNNRegressor, "adam").set_callbacks(bar).fit(X, y)
    assert bars(capsys.readouterr().out) == ["ShallowNNRegressor - fit"]
    for n_jobs in (None, 2):
        net = made(ShallowNNRegressor, "lm", n_estimators=2, n_jobs=n_jobs)
        net.set_callbacks(bar).fit(X, y)
        printed = bars(capsys.readouterr().out)
        assert printed[0] == "ShallowNNRegressor - fit"
        assert sorted(printed[1:]) == [
            "  ShallowNNRegressor - member #0",
            "  ShallowNNRegressor - member #1",
        ]
    ShallowNNRegressor(5, random_state=0).set_callbacks(bar).fit(X, y)
    printed = bars(capsys.readouterr().out)
    assert printed[:3] == [
        "ShallowNNRegressor - fit",
        "  ShallowNNRegressor - race #0",
        "    ShallowNNRegressor - round #0",
    ]
    assert printed[-1] == "  ShallowNNRegressor - training #1"


def test_a_progress_bar_of_a_pipeline_reaches_the_network(capsys):
    pytest.importorskip("rich")
    net = made(ShallowNNRegressor, "adam")
    model = make_pipeline(StandardScaler(), net).set_callbacks(callback.ProgressBar())
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The estimator StandardScaler does not support"
        )
        model.fit(X, Z[:, 0])
    assert "ShallowNNRegressor - fit" in capsys.readouterr().out
    assert not hasattr(model[-1], "_skl_callbacks")


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(EXAMPLE))


@pytest.mark.slow
def test_the_best_network_is_kept(example, tmp_path):
    X_new, Z_new = two_curves(200, seed=1)
    y, y_new = ((z[:, 0] > 0).astype(int) for z in (Z, Z_new))

    def loss(model):
        return log_loss(y_new, model.predict_proba(X_new))

    path, asking = tmp_path / "best.joblib", Asking()
    best = example["KeepBest"](loss, lambda model: joblib.dump(model, path))
    net = ShallowNNClassifier(30, alpha=1e-3, max_iter=60, random_state=0)
    net.set_callbacks(best, asking).fit(X, y)
    losses = [loss(model) for model in asking.models["epoch"]]
    assert best.epoch == np.argmin(losses) < 59
    assert loss(best.model) == min(losses) < loss(net)
    assert_same_weights(joblib.load(path), best.model)


@pytest.mark.parametrize("n_hidden", [None, 5])
def test_a_fit_stops_in_time(example, n_hidden):
    ticks = iter(range(1000))
    stop = example["StopAfter"](4.5, lambda: next(ticks))
    asking = Asking()
    model = ShallowNNRegressor(n_hidden, random_state=0).set_callbacks(stop, asking)
    model.fit(X, Z[:, 0])
    assert len(asking.models["contender"]) == len(model.search_results_["loss"]) == 5
    assert len(asking.models.get("epoch", [])) == (n_hidden == 5)
    made_so_far = made(ShallowNNRegressor, "adam").set_callbacks(
        example["StopAfter"](2.5, lambda: next(ticks))
    )
    assert made_so_far.fit(X, Z[:, 0]).n_iter_ == 3


class Trial:
    """A trial that is hopeless from its third report on."""

    def __init__(self):
        self.reports = []

    def report(self, value, step):
        self.reports.append((step, value))

    def should_prune(self):
        return len(self.reports) > 2


def test_a_hopeless_trial_is_pruned(example):
    trial = Trial()
    prune = example["Prune"](trial, lambda model: -model.score(X, Z[:, 0]), Pruned)
    model = made(ShallowNNRegressor, "adam").set_callbacks(prune)
    before = dict(vars(model))
    with pytest.raises(Pruned, match="after epoch 2"):
        model.fit(X, Z[:, 0])
    assert [step for step, _ in trial.reports] == [0, 1, 2]
    assert vars(model) == before


@pytest.mark.slow
def test_optuna_prunes(example, capsys):
    pytest.importorskip("optuna")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example["prune"](n_trials=12)
    n_pruned = re.match(r"pruned: (\d+) of 12 trials", capsys.readouterr().out)
    assert 0 < int(n_pruned[1]) < 12


@pytest.mark.slow
def test_the_example_prints_what_it_has_done(example, capsys):
    example["keep_best"]()
    example["stop_in_time"](0.3)
    printed = capsys.readouterr().out
    lowest, at_the_end = re.search(r"loss (\S+) after .* end (\S+)", printed).groups()
    assert float(lowest) < float(at_the_end)
    assert re.search(r"stopped: \d+ recipes in", printed)
