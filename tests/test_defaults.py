"""What the defaults stand for: laws of the one rule, over problems of any size."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sk_shallow import LeakyReLU, ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._choice.defaults import _AFFORDABLE, Choice, Problem, choose
from sk_shallow._data.noise import FEW
from sk_shallow._solvers import SOLVERS, able
from sk_shallow.activations import ACTIVATIONS

HYPERPARAMETERS = ["batch_size", "learning_rate_init", "momentum", "max_iter"]
OPEN = Choice("auto", None, "auto", None)

counts = st.integers(1, 300)
activations = st.sampled_from(["auto", *ACTIVATIONS, LeakyReLU(0.1)])
solvers = st.sampled_from(["auto", *SOLVERS])
choices = st.builds(
    Choice, solvers, st.none() | counts, activations, st.none() | st.integers(1, 30)
)
problems = st.builds(
    Problem,
    st.integers(1, 10**6) | st.integers(1, 1000),
    st.integers(1, 10**4) | st.integers(1, 20),
    st.integers(1, 20),
    st.booleans(),
    st.none() | (st.floats(1, 100) | st.just(1.0)).map(lambda alpha: lambda: alpha),
)
requests = st.sets(st.sampled_from(HYPERPARAMETERS)).map(able)
smooth_problems = problems.map(lambda p: p._replace(is_sparse=False, alpha=lambda: 1.0))


@given(choice=choices, problem=problems, names=requests, finds_alpha=st.booleans())
def test_what_is_given_is_kept_and_nothing_is_left_open(
    choice, problem, names, finds_alpha
):
    chosen = choose(choice, problem, names, finds_alpha)
    for before, after in zip(choice, chosen, strict=True):
        assert after == before or before in (None, "auto")
        assert after is not None
        assert not isinstance(after, str) or after != "auto"
    assert chosen.solver in SOLVERS
    assert choose(chosen, problem, names, finds_alpha) == chosen


@given(choice=choices, problem=problems, names=requests, finds_alpha=st.booleans())
def test_a_solver_that_is_named_trains_one_network(choice, problem, names, finds_alpha):
    for solver in SOLVERS:
        named = choice._replace(solver=solver, n_estimators=None)
        assert choose(named, problem, names, finds_alpha).n_estimators == 1


@given(choice=choices, problem=problems, names=requests)
def test_the_solver_that_is_chosen_is_able(choice, problem, names):
    chosen = choose(choice._replace(solver="auto"), problem, names, finds_alpha=False)
    assert chosen.solver in names


@given(choice=choices, problem=problems, names=requests)
def test_alpha_is_found_by_lm_whatever_the_problem(choice, problem, names):
    chosen = choose(choice._replace(solver="auto"), problem, names, finds_alpha=True)
    assert chosen.solver == "lm"


@given(choice=choices, problem=problems, names=requests)
def test_lm_is_chosen_only_where_it_is_affordable(choice, problem, names):
    chosen = choose(choice._replace(solver="auto"), problem, names, finds_alpha=False)
    if chosen.solver == "lm":
        assert chosen.work(problem) <= _AFFORDABLE
        assert not problem.is_sparse
        assert problem.alpha is not None


@given(problem=smooth_problems, names=requests)
def test_numbers_are_fitted_by_lm_exactly_where_it_is_affordable(problem, names):
    chosen = choose(OPEN, problem, names, finds_alpha=False)
    second = choose(OPEN, problem, names, finds_alpha=True)
    is_affordable = second.work(problem) <= _AFFORDABLE and "lm" in names
    assert (chosen == second) == is_affordable


@given(choice=choices, problem=problems)
def test_labels_and_sparse_inputs_go_to_adam(choice, problem):
    choice = choice._replace(solver="auto")
    for special in (problem._replace(alpha=None), problem._replace(is_sparse=True)):
        assert choose(choice, special, list(SOLVERS), False).solver == "adam"


@given(
    choice=choices, problem=problems, others=st.sets(st.sampled_from(HYPERPARAMETERS))
)
def test_momentum_asks_for_sgd(choice, problem, others):
    names = able({"momentum", *others})
    assert choose(choice._replace(solver="auto"), problem, names, False).solver == "sgd"


@given(problem=smooth_problems, alpha=st.floats(1, 100, exclude_min=True))
def test_few_noisy_samples_go_to_adam(problem, alpha):
    n_samples = min(problem.n_samples, FEW - 1)
    few = problem._replace(n_samples=n_samples, alpha=lambda: alpha)
    assert choose(OPEN, few, list(SOLVERS), False).solver == "adam"


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", LeakyReLU(0.1)])
@given(problem=problems)
def test_kinked_activations_and_objects_go_to_adam(activation, problem):
    given_one = OPEN._replace(activation=activation)
    assert choose(given_one, problem, list(SOLVERS), False).solver == "adam"


@given(problem=problems, n_hidden=counts, names=requests)
def test_a_width_that_is_set_is_that_of_one_network(problem, n_hidden, names):
    chosen = choose(OPEN._replace(n_hidden=n_hidden), problem, names, False)
    assert (chosen.n_hidden, chosen.n_estimators) == (n_hidden, 1)


@given(problem=problems, names=requests)
def test_what_is_left_open_is_a_committee(problem, names):
    assert choose(OPEN, problem, names, False).n_estimators > 1


@given(problem=problems, n_hidden=counts, n_estimators=counts, factor=st.integers(2, 9))
def test_more_of_anything_is_more_work(problem, n_hidden, n_estimators, factor):
    choice = Choice("lm", n_hidden, "tanh", n_estimators)
    work = choice.work(problem)
    for name in ("n_samples", "n_features", "n_outputs"):
        larger = problem._replace(**{name: factor * getattr(problem, name)})
        assert choice.work(larger) > work
    for name in ("n_hidden", "n_estimators"):
        larger = choice._replace(**{name: factor * getattr(choice, name)})
        assert larger.work(problem) > work


@given(problem=smooth_problems, factor=st.integers(2, 100))
def test_what_is_too_large_for_lm_stays_so_as_it_grows(problem, factor):
    larger = problem._replace(n_samples=factor * problem.n_samples)
    if choose(OPEN, larger, list(SOLVERS), False).solver == "lm":
        assert choose(OPEN, problem, list(SOLVERS), False).solver == "lm"


def fitted(Estimator, X, y, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = Estimator(max_iter=1, random_state=0, **parameters)
        return model.fit(X, y)


def chosen_by(model):
    return model.solver_, model.n_hidden_, model.activation_, model.n_estimators_


def committee_for(alpha):
    """What is chosen for a few samples of numbers or, without an α, of labels."""
    return choose(OPEN, Problem(150, 2, 1, False, alpha), list(SOLVERS), False)


SECOND, FIRST = committee_for(lambda: 1.0), committee_for(None)
N_FIRST, N_SECOND = FIRST.n_estimators, SECOND.n_estimators
X = np.random.default_rng(0).uniform(-2, 2, (150, 2))
Y = {
    ShallowNNRegressor: np.sin(X[:, 0]) + X[:, 1],
    ShallowNNClassifier: np.sin(X[:, 0]) + X[:, 1] > 0,
}
each_estimator = pytest.mark.parametrize("Estimator", Y)


@each_estimator
def test_the_fitted_network_tells_what_was_chosen(Estimator):
    model = fitted(Estimator, X, Y[Estimator])
    assert chosen_by(model) == (SECOND if Estimator is ShallowNNRegressor else FIRST)
    _, n_hidden, _, n_estimators = chosen_by(model)
    assert model.coefs_[0].shape == (2, n_hidden * n_estimators)
    assert model.get_params()["n_hidden"] is None
    assert model.get_params()["activation"] == "auto"


@each_estimator
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"momentum": 0.5}, ("sgd", 100, "relu", N_FIRST)),
        ({"batch_size": 50}, FIRST),
        ({"learning_rate_init": 0.01}, FIRST),
        ({"activation": "relu"}, FIRST),
        ({"alpha": 1.0}, FIRST),
        ({"n_hidden": 7}, ("adam", 7, "relu", 1)),
        ({"n_hidden": 7, "n_estimators": 2}, ("adam", 7, "relu", 2)),
        ({"solver": "lbfgs"}, ("lbfgs", 100, "relu", 1)),
        ({"solver": "lm"}, ("lm", 20, "tanh", 1)),
        ({"solver": "lm", "n_hidden": 3, "n_estimators": 2}, ("lm", 3, "tanh", 2)),
        ({"solver": "adam", "activation": "elu"}, ("adam", 100, "elu", 1)),
        ({"alpha": "evidence", "n_estimators": 2}, ("lm", 20, "tanh", 2)),
        ({"alpha": "ard", "activation": "relu"}, ("lm", 20, "relu", N_SECOND)),
    ],
    ids=str,
)
def test_what_is_set_decides_about_the_rest(Estimator, parameters, expected):
    assert chosen_by(fitted(Estimator, X, Y[Estimator], **parameters)) == expected


@each_estimator
def test_sparse_inputs_are_not_made_dense(Estimator):
    model = fitted(Estimator, sparse.csr_array(X), Y[Estimator])
    assert chosen_by(model) == FIRST


def test_pure_noise_in_few_samples_is_not_for_lm():
    y = np.random.default_rng(1).normal(size=len(X))
    assert chosen_by(fitted(ShallowNNRegressor, X, y)) == FIRST


@each_estimator
def test_the_first_call_of_partial_fit_decides_for_all(Estimator):
    model = Estimator(random_state=0)
    for _ in range(2):
        model.partial_fit(X, Y[Estimator])
        assert chosen_by(model) == FIRST


@each_estimator
def test_partial_fit_keeps_the_width_and_the_activation_of_fit(Estimator):
    parameters = {"n_hidden": 6, "n_estimators": 2, "alpha": 1.0}
    model = Estimator(random_state=0, activation="tanh", **parameters)
    model.fit(X, Y[Estimator])
    model.set_params(n_hidden=None, n_estimators=None, activation="auto")
    model.partial_fit(X, Y[Estimator])
    assert chosen_by(model) == ("adam", 6, "tanh", 2)
