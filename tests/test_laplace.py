"""The posterior, judged by dense linear algebra and by scikit-learn."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import multivariate_normal
from sklearn.linear_model import BayesianRidge

from sk_shallow._arrays.curvature import Square
from sk_shallow._data.scaling import Standardizer
from sk_shallow._inference import laplace
from sk_shallow._inference.laplace import (
    Laplace,
    log_symmetries,
    n_live,
    posterior_of,
    predictive,
    reestimated,
)
from sk_shallow._model.layout import Layout
from sk_shallow._model.losses import SquaredError
from sk_shallow._model.network import linearized, output
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow._model.penalty import Penalty
from sk_shallow.activations import ACTIVATIONS

sizes = st.integers(1, 5)
layouts = st.builds(Layout, sizes, sizes, sizes, st.just(1))
seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(["one", "two", "each"])
positive = st.floats(1e-3, 1e3)
tanh = ACTIVATIONS["tanh"]


def penalty_of(kind, layout, rng):
    """A penalty whose groups have different α."""
    n_groups = {"one": 1, "two": 2, "each": layout.n_in + 1}[kind]
    return Penalty.of(layout, rng.uniform(0.1, 5, n_groups))


def square(A):
    """H, of which nothing can be read above the lower triangle."""
    H = Square(len(A))
    H.H = np.asfortranarray(np.where(np.tri(len(A), dtype=bool), A, np.nan))
    return H


def random_curvature(rng, size):
    B = rng.standard_normal((2 * size, size))
    return B.T @ B


def biases_of(layout):
    biases = np.zeros(layout.size, bool)
    layout.view(biases).b1[...] = True
    return biases


def belief_of(penalty, biases, likelihood, N):
    """The precisions: the hidden biases have the standard deviation 10 beside σ = 1."""
    noise = 1.0 if N is None else 2 * likelihood / N
    return penalty.precision + biases * noise / 100


class Case:
    """A posterior, and the dense A that it is of."""

    def __init__(self, layout, kind, seed, N, likelihood=3.7):
        rng = np.random.default_rng(seed)
        self.penalty, self.N = penalty_of(kind, layout, rng), N
        self.theta, self.likelihood = rng.standard_normal(layout.size), likelihood
        self.biases = biases_of(layout)
        self.belief = belief_of(self.penalty, self.biases, likelihood, N)
        H = random_curvature(rng, layout.size)
        self.A = H + np.diag(self.belief)
        self.posterior = Laplace.at(
            self.theta, likelihood, square(H), self.penalty, self.biases, N
        )


observations = st.one_of(st.none(), st.floats(200, 1e4))


@given(layout=layouts, kind=kinds, seed=seeds, N=observations)
def test_the_posterior_is_that_of_dense_algebra(layout, kind, seed, N):
    case = Case(layout, kind, seed, N)
    posterior, penalty = case.posterior, case.penalty
    inverse = np.linalg.inv(case.A)
    shares = penalty.precision * inverse.diagonal()
    for c, gamma in enumerate(posterior.gamma):
        own = (penalty.groups == c) & (penalty.ratio > 0)
        expected = max(own.sum() - shares[own].sum(), 1e-3)
        assert gamma == pytest.approx(expected, rel=1e-6, abs=1e-6)
    determined = inverse @ (case.A - np.diag(case.belief))
    assert_allclose(posterior.shares, determined.diagonal(), atol=1e-6)
    assert posterior.n_effective == pytest.approx(np.trace(determined), rel=1e-6)
    if N is None:
        assert posterior.noise_variance == 1
    else:
        left = N - posterior.n_effective
        assert posterior.noise_variance == pytest.approx(2 * 3.7 / left)
    J = np.random.default_rng(seed).standard_normal((6, layout.size))
    expected = [posterior.noise_variance * j @ inverse @ j for j in J]
    assert_allclose(posterior.variance(J), expected, rtol=1e-6)


@given(layout=layouts, kind=kinds, seed=seeds, N=observations)
def test_the_log_evidence_is_laplaces_formula(layout, kind, seed, N):
    case = Case(layout, kind, seed, N)
    noise, belief = case.posterior.noise_variance, case.belief
    # At the minimum of what J and the prior of the biases are near θ together.
    slope = np.where(case.biases, belief * case.theta, 0)
    energy = 3.7 + 0.5 * belief @ case.theta**2
    energy -= 0.5 * slope @ np.linalg.solve(case.A, slope)
    expected = -energy / noise + 0.5 * np.log(belief[belief > 0]).sum()
    expected -= 0.5 * np.linalg.slogdet(case.A)[1]
    if N is not None:
        expected -= 0.5 * (N * np.log(2 * np.pi * noise))
        expected += 0.5 * np.count_nonzero(belief == 0) * np.log(noise)
    assert case.posterior.log_evidence == pytest.approx(expected, rel=1e-8, abs=1e-6)


@pytest.mark.parametrize("alpha", [1.0, 1e4, 1e8])
@pytest.mark.parametrize("b1", [0.0, 3.0, 100.0])
@pytest.mark.parametrize("n_hidden", [1, 5])
def test_units_that_do_nothing_cost_no_evidence(alpha, b1, n_hidden):
    layout, y = Layout(2, n_hidden, 1), np.random.default_rng(0).normal(size=50)
    objective = objective_on(layout, y - y.mean(), Penalty.of(layout, alpha))
    theta = np.zeros(layout.size)
    layout.view(theta).b1[...] = b1
    noise = np.sum((y - y.mean()) ** 2) / 49
    constant = -49 / 2 * (np.log(2 * np.pi * noise) + 1) - 0.5 * np.log(2 * np.pi)
    constant -= 0.5 * np.log(50)  # the mean is integrated out
    found = posterior_of(objective, theta).log_evidence
    # W2 multiplies g(b1), which is not 0.
    assert found == pytest.approx(constant, abs=0.05 + n_hidden * np.log1p(50 / alpha))


def objective_on(layout, y, penalty):
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(len(y)), rng.normal(size=(len(y), layout.n_in))])
    network = layout, tanh, OUTPUT_UNITS["identity"]
    return Objective(*network, X, y[None], penalty=penalty)


@given(layout=layouts, kind=kinds, seed=seeds, log_scale=st.floats(-12, 12))
def test_gamma_is_between_none_and_all_of_the_weights(layout, kind, seed, log_scale):
    rng = np.random.default_rng(seed)
    penalty, theta = penalty_of(kind, layout, rng), rng.standard_normal(layout.size)
    B = rng.standard_normal((rng.integers(1, 9), layout.size))
    H, biases = square(10**log_scale * B.T @ B), biases_of(layout)
    posterior = Laplace.at(theta, 1.0, H, penalty, biases, 20.0)
    assert (posterior.gamma >= 0).all()
    assert (posterior.gamma <= penalty.sizes).all()
    assert 0 < posterior.noise_variance < np.inf
    assert np.isfinite(posterior.log_evidence)


@pytest.mark.parametrize("N", [None, 20.0])
def test_without_curvature_the_posterior_is_the_prior(N):
    layout = Layout(2, 3, 1)
    penalty, H = Penalty.of(layout, 2.0), Square(layout.size)
    biases, theta = biases_of(layout), np.ones(layout.size)
    posterior = Laplace.at(theta, 1.0, H, penalty, biases, N)
    assert (posterior.gamma < 0.01).all()
    assert np.isfinite(posterior.log_evidence)
    penalized = np.diag(penalty.ratio)[penalty.ratio > 0]
    assert_allclose(posterior.variance(penalized), posterior.noise_variance / 2)
    wide = np.diag(biases * 1.0)[biases]
    assert_allclose(posterior.variance(wide), 100, rtol=0.2)


@given(layout=layouts, kind=kinds, seed=seeds)
def test_the_new_alpha_is_noise_times_gamma_over_the_squares(layout, kind, seed):
    case = Case(layout, kind, seed, 500.0)
    again = reestimated(case.penalty, case.posterior, case.theta)
    for c, alpha in enumerate(again.alpha):
        own = (case.penalty.groups == c) & (case.penalty.ratio > 0)
        noise, gamma = case.posterior.noise_variance, case.posterior.gamma[c]
        assert alpha == pytest.approx(noise * gamma / np.sum(case.theta[own] ** 2))
    assert_array_equal(again.ratio, case.penalty.ratio)
    assert_array_equal(again.groups, case.penalty.groups)


@pytest.mark.parametrize("weight", [0.0, 1e-160])
def test_weights_that_vanish_have_a_large_but_finite_alpha(weight):
    layout = Layout(2, 3, 1)
    case = Case(layout, "each", 0, 500.0)
    layout.view(case.theta).W1[0] = weight
    alpha = reestimated(case.penalty, case.posterior, case.theta).alpha
    assert alpha[0] == 1e8
    assert (alpha[1:] < 1e3).all()


@given(seed=seeds, N=st.floats(0.5, 8))
def test_a_tenth_of_the_observations_is_left_to_the_noise_at_the_least(seed, N):
    posterior = Case(Layout(3, 4, 2), "one", seed, N).posterior
    assert posterior.n_effective > N
    assert posterior.noise_variance == pytest.approx(2 * 3.7 / (N / 10))


@given(seed=seeds, power=st.integers(-200, 200))
def test_the_unit_of_the_losses_does_not_matter(seed, power):
    rng, c, none = np.random.default_rng(seed), 2.0**power, np.zeros(4, bool)
    H, theta, penalty = random_curvature(rng, 4), np.ones(4), linear_penalty([1] * 4, 2)
    plain, scaled = (
        Laplace.at(theta, u, square(u * H), penalty.with_alpha(u * penalty.alpha), none)
        for u in (1.0, c)
    )
    assert_allclose(scaled.shares, plain.shares, rtol=1e-9)
    assert_allclose(scaled.variance(H), plain.variance(H) / c, rtol=1e-9)


def test_the_ridge_grows_until_there_is_a_factor():
    class Stubborn(Square):
        def factor(self, d):
            return super().factor(d) if d.max() > 1 + 1e-7 else None

    H, penalty = Stubborn(4), linear_penalty([1] * 4, 1.0)
    posterior = Laplace.at(np.ones(4), 1.0, H, penalty, np.zeros(4, bool))
    assert_allclose(posterior.variance(np.eye(4)), 1, rtol=1e-4)
    assert (posterior.variance(np.eye(4)) < 1 - 1e-7).all()


@given(layout=layouts, seed=seeds)
def test_a_unit_lives_as_far_as_the_best_determined_of_its_outputs(layout, seed):
    shares = np.random.default_rng(seed).uniform(-0.5, 1.5, layout.size)
    W2 = np.clip(layout.view(shares).W2, 0, 1)
    expected = sum(max(row) for row in W2.tolist())
    case = replace(Case(layout, "one", 0, None).posterior, shares=shares)
    assert n_live(case, layout) == pytest.approx(expected)


def linear_problem(seed, n_samples=40, n_features=4, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    y = X @ rng.standard_normal(n_features) + noise * rng.standard_normal(n_samples)
    return X, y


def linear_posterior(X, y, penalty, N):
    """At the exact minimum, with that."""
    H, none = X.T @ X, np.zeros(X.shape[1], bool)
    theta = np.linalg.solve(H + np.diag(penalty.precision), X.T @ y)
    likelihood = 0.5 * np.sum((y - X @ theta) ** 2)
    return Laplace.at(theta, likelihood, square(H), penalty, none, N), theta


def linear_penalty(ratio, alpha):
    groups, ratio = np.zeros(len(ratio), int), np.array(ratio, float)
    return Penalty(groups, ratio, np.array([alpha]))


# The network itself cannot be judged so: with an identity activation its map W1 W2 is
# linear in x, but a normal prior on two factors is none on their product.
@given(seed=seeds, noise=st.floats(0.1, 2))
def test_iterated_on_a_linear_model_it_is_bayesian_ridge(seed, noise):
    X, y = linear_problem(seed, noise=noise)
    X, y = X - X.mean(axis=0), y - y.mean()
    names = ("alpha_1", "alpha_2", "lambda_1", "lambda_2")
    ridge = BayesianRidge(max_iter=3000, tol=1e-13, **dict.fromkeys(names, 0.0))
    ridge.fit(X, y)
    penalty = linear_penalty([1] * 4, 1.0)
    for _ in range(300):
        posterior, theta = linear_posterior(X, y, penalty, len(y))
        penalty = reestimated(penalty, posterior, theta)
    assert_allclose(penalty.alpha, ridge.lambda_ / ridge.alpha_, rtol=1e-6)
    assert posterior.noise_variance == pytest.approx(1 / ridge.alpha_, rel=1e-6)
    assert_allclose(theta, ridge.coef_, rtol=1e-6)
    _, std = ridge.predict(X, return_std=True)
    variance = posterior.noise_variance + posterior.variance(X)
    assert_allclose(np.sqrt(variance), std, rtol=1e-6)


@given(seed=seeds, alpha=positive)
def test_the_evidence_of_a_linear_model_is_its_marginal_likelihood(seed, alpha):
    X, y = linear_problem(seed)
    posterior, _ = linear_posterior(X, y, linear_penalty([1] * 4, alpha), len(y))
    covariance = posterior.noise_variance * (np.eye(len(y)) + X @ X.T / alpha)
    expected = multivariate_normal(cov=covariance).logpdf(y)
    assert posterior.log_evidence == pytest.approx(expected, rel=1e-8)


@given(seed=seeds, alpha=positive)
def test_a_free_bias_is_integrated_out_under_a_flat_prior(seed, alpha):
    X, y = linear_problem(seed)
    ones = np.ones(len(y))
    design = np.column_stack([ones, X])
    penalty = linear_penalty([0] + [1] * 4, alpha)
    posterior, _ = linear_posterior(design, y + 3, penalty, len(y))
    covariance = posterior.noise_variance * (np.eye(len(y)) + X @ X.T / alpha)
    precision_of_mean = ones @ np.linalg.solve(covariance, ones)
    mean = ones @ np.linalg.solve(covariance, y) / precision_of_mean
    expected = multivariate_normal(mean=mean * ones, cov=covariance).logpdf(y)
    expected -= 0.5 * np.log(precision_of_mean)
    assert posterior.log_evidence == pytest.approx(expected, rel=1e-8)


def plain_output(theta, x, layout):
    weights = layout.view(theta)
    A1, V = np.tanh(x @ weights.W1 + weights.b1), weights.V
    return A1 @ weights.W2 + weights.b2[:, 0] + x[: len(V)] @ V


def plain_jacobian(theta, x, layout, h=1e-5):
    return np.stack(
        [
            plain_output(theta + h * unit, x, layout)
            - plain_output(theta - h * unit, x, layout)
            for unit in np.eye(layout.size)
        ],
        axis=1,
    ) / (2 * h)


def plain_mixture(cases, x, layout):
    """Mean and standard deviation of the outputs of one sample."""
    means = np.array([plain_output(case.theta, x, layout) for case in cases])
    squares = []
    for case, mean in zip(cases, means, strict=True):
        J, noise = plain_jacobian(case.theta, x, layout), case.posterior.noise_variance
        variance = np.diag(J @ np.linalg.solve(case.A, J.T))
        squares.append(noise + noise * variance + mean**2)
    centre = means.mean(axis=0)
    return centre, np.sqrt(np.mean(squares, axis=0) - centre**2)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csr_matrix])
@given(
    seed=seeds,
    layout=st.builds(Layout, *[st.integers(1, 3)] * 3, st.just(1)),
    n_members=st.integers(1, 3),
    block=st.integers(1, 300),
)
def test_predictions_are_those_of_a_mixture(container, seed, layout, n_members, block):
    rng = np.random.default_rng(seed)
    X = rng.normal(2, 3, (7, layout.n_in))
    x, y = Standardizer.of(X), Standardizer.of(rng.normal(5, 4, (9, layout.n_out)))
    cases = [Case(layout, "two", seed + m, 500.0) for m in range(n_members)]
    posteriors, thetas = zip(*[(c.posterior, c.theta) for c in cases], strict=True)
    inputs = container(X), x, y, layout, tanh, SquaredError()
    mean, std = predictive(posteriors, thetas, *inputs, block)
    assert mean.shape == std.shape == (layout.n_out, 7)
    for i, row in enumerate(x.transform(X)):
        m, s = plain_mixture(cases, row, layout)
        assert_allclose(mean[:, i], m * y.scale + y.mean, rtol=1e-8, atol=1e-8)
        assert_allclose(std[:, i], s * y.scale, rtol=1e-5)


@pytest.mark.parametrize("block", [1, 40, 1000])
def test_the_jacobian_of_a_prediction_is_never_larger_than_a_block(block, monkeypatch):
    layout, rng, sizes = Layout(2, 3, 2), np.random.default_rng(0), []
    X, case = rng.normal(size=(50, 2)), Case(Layout(2, 3, 2), "one", 0, 500.0)
    x, y = Standardizer.of(X), Standardizer.of(rng.normal(size=(50, 2)))

    def recording(*args):
        Z2, J = linearized(*args)
        sizes.append(J.size)
        return Z2, J

    monkeypatch.setattr(laplace, "linearized", recording)
    network = layout, tanh, SquaredError()
    predictive([case.posterior], [case.theta], X, x, y, *network, block)
    assert max(sizes) <= max(block, layout.n_out * layout.size)


def objective_of(unit, layout, rng, n_samples=30, alpha=0.3):
    X = np.column_stack([np.ones(n_samples), rng.normal(size=(n_samples, layout.n_in))])
    Y = np.eye(layout.n_out)[:, rng.integers(0, layout.n_out, n_samples)]
    penalty, weights = Penalty.of(layout, alpha), rng.uniform(0.1, 3, n_samples)
    unit = OUTPUT_UNITS[unit]
    return Objective(layout, tanh, unit, X, Y, weights, penalty=penalty)


@pytest.mark.parametrize("unit", OUTPUT_UNITS)
def test_the_objective_counts_each_output_as_often_as_its_sample_weighs(unit):
    rng, layout = np.random.default_rng(0), Layout(2, 3, 3)
    objective, theta = objective_of(unit, layout, rng), rng.normal(size=layout.size)
    likelihood, _, H = objective.gauss_newton(theta)
    N = 3 * objective.sample_weight.sum() if unit == "identity" else None
    biases = biases_of(layout)
    expected = Laplace.at(theta, likelihood, H, objective.penalty, biases, N)
    posterior = posterior_of(objective, theta)
    assert posterior.noise_variance == pytest.approx(expected.noise_variance)
    peaks = log_symmetries(3, tanh, n_live(expected, layout))
    assert posterior.log_evidence < posterior.log_likelihood
    assert posterior.log_evidence == pytest.approx(expected.log_evidence + peaks)
    assert_allclose(posterior.gamma, expected.gamma)
    assert (posterior.noise_variance == 1) == (unit != "identity")


@given(seed=seeds, n_hidden=sizes, n_out=st.integers(2, 5))
def test_a_shift_of_the_logits_has_the_variance_of_a_mean_logit(seed, n_hidden, n_out):
    rng, layout = np.random.default_rng(seed), Layout(2, n_hidden, n_out)
    objective, theta = (
        objective_of("softmax", layout, rng),
        rng.normal(size=layout.size),
    )
    shares = np.array(
        [
            objective.loss.mean(plain_output(theta, x, layout)[:, None])[:, 0]
            for x in objective.X[:, 1:]
        ]
    )
    mean_curvature = objective.sample_weight @ (shares * (1 - shares)).mean(axis=1)
    shift = np.zeros((1, layout.size))
    layout.view(shift).b2[...] = 1 / np.sqrt(n_out)
    variance = posterior_of(objective, theta).variance(shift)
    assert_allclose(variance, 1 / mean_curvature, rtol=1e-6)


@pytest.mark.parametrize("n_live", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ["tanh", "logistic", "relu", "softplus"])
def test_symmetries_are_the_exchanges_and_mirrorings_that_change_nothing(name, n_live):
    g, h = ACTIVATIONS[name], 3
    rng = np.random.default_rng(0)
    X, w2 = rng.normal(size=(20, 2)), np.array([[1.0], [2.0], [4.0]])
    W1, b1 = rng.normal(size=(2, h)), rng.normal(size=h)
    dead, no_path = np.arange(h) >= n_live, (np.zeros(1), np.zeros((0, 1)))
    W1[:, dead], b1[dead], w2[dead] = 0, 0, 0
    expected, same = output(X, b1, W1, w2, *no_path, g), set()
    for order in permutations(range(h)):
        for signs in product([1, -1], repeat=h):
            j, s = list(order), np.array(signs)
            parts = (b1 * s)[j], (W1 * s)[:, j], (w2.T * s).T[j]
            found = output(X, *parts, *no_path, g)
            if np.ptp(found - expected) < 1e-9:
                same.add(str([np.round(part + 0.0, 9).tolist() for part in parts]))
    assert log_symmetries(h, g, n_live) == pytest.approx(np.log(len(same)))
