"""Prior and posterior, judged by dense linear algebra and by scikit-learn."""

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

from sk_shallow._data.scaling import Standardizer
from sk_shallow._model.evidence import (
    Laplace,
    Prior,
    factor,
    log_symmetries,
    predictive,
)
from sk_shallow._model.layout import Layout
from sk_shallow._model.network import output
from sk_shallow._model.objective import Objective
from sk_shallow._model.output_units import OUTPUT_UNITS
from sk_shallow.activations import ACTIVATIONS

sizes = st.integers(1, 5)
layouts = st.builds(Layout, sizes, sizes, sizes, st.just(1))
seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(["one", "two", "each", "evidence", "ard"])
positive = st.floats(1e-3, 1e3)
tanh = ACTIVATIONS["tanh"]


def prior_of(kind, layout, rng, steepness=1.0):
    """A prior whose groups have different α."""
    if kind in ("evidence", "ard"):
        prior = Prior.of(layout, kind, steepness=steepness)
        return replace(prior, alpha=rng.uniform(0.1, 5, len(prior.alpha)))
    alpha = rng.uniform(0.1, 5, {"one": 1, "two": 2, "each": layout.n_in + 1}[kind])
    return Prior.of(layout, float(alpha[0]) if kind == "one" else alpha)


def lower(A):
    """Its lower triangle, and nothing that can be read above it."""
    return np.where(np.tri(len(A), dtype=bool), A, np.nan)


def curvature(rng, size):
    B = rng.standard_normal((2 * size, size))
    return B.T @ B


def assert_windows(layout, vector, W1, W2):
    """Each row of W1 and all of W2 have these numbers, the biases none."""
    windows = layout.view(vector)
    assert_array_equal(windows.W1, np.broadcast_to(W1, windows.W1.shape))
    assert_array_equal(windows.W2, np.broadcast_to(W2, windows.W2.shape))
    assert not windows.b1.any()
    assert not windows.b2.any()


@given(layout=layouts, alpha=positive)
def test_one_number_is_the_precision_of_both_layers(layout, alpha):
    prior = Prior.of(layout, alpha)
    assert_windows(layout, prior.precision, alpha, alpha)
    assert not prior.is_estimated


@given(layout=layouts, alpha=st.tuples(positive, positive))
def test_two_numbers_are_those_of_the_layers(layout, alpha):
    prior = Prior.of(layout, alpha)
    assert_windows(layout, prior.precision, *alpha)
    assert_array_equal(prior.alpha, alpha)


@given(layout=layouts, seed=seeds)
def test_more_numbers_are_those_of_the_features_and_of_the_output_layer(layout, seed):
    alpha = np.random.default_rng(seed).uniform(0.1, 5, layout.n_in + 1)
    prior = Prior.of(layout, alpha)
    assert_windows(layout, prior.precision, alpha[:-1, None], alpha[-1])


@pytest.mark.parametrize("kind", ["evidence", "ard"])
@given(layout=layouts, start=positive, steepness=st.sampled_from([1.0, 2.0, 4.0]))
def test_what_is_to_be_found_begins_at_the_start(kind, layout, start, steepness):
    prior = Prior.of(layout, kind, start, steepness)
    assert prior.is_estimated
    assert_array_equal(
        prior.alpha, [start] * (1 if kind == "evidence" else layout[0] + 1)
    )
    assert_windows(layout, prior.precision, start / steepness**2, start)


@given(layout=layouts, kind=kinds, seed=seeds)
def test_only_the_posterior_believes_that_hidden_biases_are_not_large(
    layout, kind, seed
):
    prior = prior_of(kind, layout, np.random.default_rng(seed))
    precision, belief = layout.view(prior.precision), layout.view(prior.belief)
    assert_array_equal(belief.W1, precision.W1)
    assert_array_equal(belief.W2, precision.W2)
    assert not belief.b2.any()
    assert_allclose(belief.b1, 0.01 * prior.alpha[-1], rtol=1e-12)


@given(layout=layouts, kind=kinds, steepness=st.floats(1, 9), seed=seeds)
def test_the_strengths_are_a_prior_of_the_same_precision(layout, kind, steepness, seed):
    prior = prior_of(kind, layout, np.random.default_rng(seed), steepness)
    strengths = prior.strengths(layout)
    assert len(strengths) in (2, layout.n_in + 1)
    assert_array_equal(Prior.of(layout, strengths).precision, prior.precision)


@given(layout=layouts, kind=kinds, steepness=st.floats(1, 9), seed=seeds)
def test_sums_sizes_and_penalty_are_those_of_a_loop_over_the_weights(
    layout, kind, steepness, seed
):
    rng = np.random.default_rng(seed)
    prior, theta = prior_of(kind, layout, rng, steepness), rng.normal(size=layout.size)
    sums, sizes, penalty = [0.0] * len(prior.alpha), [0] * len(prior.alpha), 0.0
    windows = layout.view(prior.groups), layout.view(theta)
    for is_W1, numbers, values in (
        (True, windows[0].W1, windows[1].W1),
        (False, windows[0].W2, windows[1].W2),
    ):
        ratio = steepness**-2 if is_W1 and prior.is_estimated else 1.0
        for group, value in zip(numbers.flat, values.flat, strict=True):
            sums[group] += ratio * value
            sizes[group] += 1
            penalty += 0.5 * prior.alpha[group] * ratio * value**2
    assert_allclose(prior.sums(theta), sums, rtol=1e-10, atol=1e-12)
    assert_array_equal(prior.sizes, sizes)
    assert prior.penalty(theta) == pytest.approx(penalty, rel=1e-12)
    assert_allclose(prior.penalty(theta), 0.5 * prior.precision @ theta**2)


def posterior_of(layout, kind, seed, n_observations, steepness=1.0):
    """A posterior, and the dense A that it is of."""
    rng = np.random.default_rng(seed)
    prior = prior_of(kind, layout, rng, steepness)
    H, theta = curvature(rng, layout.size), rng.standard_normal(layout.size)
    posterior = Laplace.at(theta, 3.7, lower(H), prior, n_observations)
    return posterior, prior, H + np.diag(prior.belief)


observations = st.one_of(st.none(), st.floats(200, 1e4))


@given(layout=layouts, kind=kinds, seed=seeds, N=observations, steepness=positive)
def test_the_posterior_is_that_of_dense_algebra(layout, kind, seed, N, steepness):
    posterior, prior, A = posterior_of(layout, kind, seed, N, steepness)
    inverse = np.linalg.inv(A)
    members = [prior.groups == c for c in range(len(prior.alpha))]
    shares = prior.precision * inverse.diagonal()
    gamma = [(prior.ratio[own] > 0).sum() - shares[own].sum() for own in members]
    assert_allclose(posterior.gamma, np.maximum(gamma, 1e-3), rtol=1e-6, atol=1e-6)
    determined = np.trace(inverse @ (A - np.diag(prior.belief)))
    assert posterior.n_effective == pytest.approx(determined, rel=1e-6)
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
    posterior, prior, A = posterior_of(layout, kind, seed, N)
    noise, belief = posterior.noise_variance, prior.belief
    expected = -(3.7 + 0.5 * belief @ posterior.theta**2) / noise
    expected += 0.5 * np.log(belief[belief > 0]).sum()
    expected -= 0.5 * np.linalg.slogdet(A)[1]
    if N is not None:
        expected -= 0.5 * (N * np.log(2 * np.pi * noise))
        expected += 0.5 * np.count_nonzero(belief == 0) * np.log(noise)
    assert posterior.log_evidence == pytest.approx(expected, rel=1e-8, abs=1e-6)


@given(layout=layouts, kind=kinds, seed=seeds, log_scale=st.floats(-12, 12))
def test_gamma_is_between_none_and_all_of_the_weights(layout, kind, seed, log_scale):
    rng = np.random.default_rng(seed)
    prior, theta = prior_of(kind, layout, rng), rng.standard_normal(layout.size)
    B = rng.standard_normal((rng.integers(1, 9), layout.size))
    posterior = Laplace.at(theta, 1.0, 10**log_scale * B.T @ B, prior, 20.0)
    assert (posterior.gamma >= 0).all()
    assert (posterior.gamma <= prior.sizes).all()
    assert 0 < posterior.noise_variance < np.inf
    assert np.isfinite(posterior.log_evidence)


@pytest.mark.parametrize("N", [None, 20.0])
def test_without_curvature_the_posterior_is_the_prior(N):
    layout = Layout(2, 3, 1)
    prior, H = Prior.of(layout, 2.0), np.zeros((layout.size, layout.size))
    posterior = Laplace.at(np.ones(layout.size), 1.0, H, prior, N)
    assert (posterior.gamma < 0.01).all()
    assert np.isfinite(posterior.log_evidence)
    penalized = np.diag(prior.ratio)[prior.ratio > 0]
    assert_allclose(posterior.variance(penalized), posterior.noise_variance / 2)


def test_the_factor_of_what_is_not_positive_is_none():
    assert factor(-np.eye(2), np.zeros(2)) is None
    assert_allclose(factor(-np.eye(2), np.full(2, 5.0)), 2 * np.eye(2))


@given(layout=layouts, kind=kinds, seed=seeds)
def test_the_new_alpha_is_noise_times_gamma_over_the_squares(layout, kind, seed):
    posterior, prior, _ = posterior_of(layout, kind, seed, 500.0, steepness=2.0)
    again = prior.reestimated(posterior)
    for c, alpha in enumerate(again.alpha):
        own = prior.groups == c
        squares = prior.ratio[own] @ posterior.theta[own] ** 2
        expected = posterior.noise_variance * posterior.gamma[c] / squares
        assert alpha == pytest.approx(expected)
    assert_array_equal(again.ratio, prior.ratio)
    assert_array_equal(again.groups, prior.groups)
    assert again.is_estimated == prior.is_estimated


def test_weights_that_vanish_have_a_large_but_finite_alpha():
    posterior, prior, _ = posterior_of(Layout(2, 3, 1), "ard", 0, 500.0)
    theta = posterior.theta.copy()
    Layout(2, 3, 1).view(theta).W1[0] = 0
    alpha = prior.reestimated(replace(posterior, theta=theta)).alpha
    assert alpha[0] == 1e8
    assert (alpha[1:] < 1e3).all()


def linear_problem(seed, n_samples=40, n_features=4, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    y = X @ rng.standard_normal(n_features) + noise * rng.standard_normal(n_samples)
    return X, y


def linear_posterior(X, y, prior, N):
    """At the exact minimum."""
    H = X.T @ X
    theta = np.linalg.solve(H + np.diag(prior.precision), X.T @ y)
    return Laplace.at(theta, 0.5 * np.sum((y - X @ theta) ** 2), lower(H), prior, N)


def linear_prior(ratio, alpha):
    groups, ratio = np.zeros(len(ratio), int), np.array(ratio, float)
    return Prior(groups, ratio, np.zeros_like(ratio), np.array([alpha]))


# The network itself cannot be judged so: with an identity activation its map W1 W2 is
# linear in x, but a normal prior on two factors is none on their product.
@given(seed=seeds, noise=st.floats(0.1, 2))
def test_iterated_on_a_linear_model_it_is_bayesian_ridge(seed, noise):
    X, y = linear_problem(seed, noise=noise)
    X, y = X - X.mean(axis=0), y - y.mean()
    names = ("alpha_1", "alpha_2", "lambda_1", "lambda_2")
    ridge = BayesianRidge(max_iter=3000, tol=1e-13, **dict.fromkeys(names, 0.0))
    ridge.fit(X, y)
    prior = linear_prior([1] * 4, 1.0)
    for _ in range(300):
        posterior = linear_posterior(X, y, prior, len(y))
        prior = prior.reestimated(posterior)
    assert_allclose(prior.alpha, ridge.lambda_ / ridge.alpha_, rtol=1e-6)
    assert posterior.noise_variance == pytest.approx(1 / ridge.alpha_, rel=1e-6)
    assert_allclose(posterior.theta, ridge.coef_, rtol=1e-6)
    _, std = ridge.predict(X, return_std=True)
    variance = posterior.noise_variance + posterior.variance(X)
    assert_allclose(np.sqrt(variance), std, rtol=1e-6)


@given(seed=seeds, alpha=positive)
def test_the_evidence_of_a_linear_model_is_its_marginal_likelihood(seed, alpha):
    X, y = linear_problem(seed)
    posterior = linear_posterior(X, y, linear_prior([1] * 4, alpha), len(y))
    covariance = posterior.noise_variance * (np.eye(len(y)) + X @ X.T / alpha)
    expected = multivariate_normal(cov=covariance).logpdf(y)
    assert posterior.log_evidence == pytest.approx(expected, rel=1e-8)


@given(seed=seeds, alpha=positive)
def test_a_free_bias_is_integrated_out_under_a_flat_prior(seed, alpha):
    X, y = linear_problem(seed)
    ones = np.ones(len(y))
    design = np.column_stack([ones, X])
    prior = linear_prior([0] + [1] * 4, alpha)
    posterior = linear_posterior(design, y + 3, prior, len(y))
    covariance = posterior.noise_variance * (np.eye(len(y)) + X @ X.T / alpha)
    precision_of_mean = ones @ np.linalg.solve(covariance, ones)
    mean = ones @ np.linalg.solve(covariance, y) / precision_of_mean
    expected = multivariate_normal(mean=mean * ones, cov=covariance).logpdf(y)
    expected -= 0.5 * np.log(precision_of_mean)
    assert posterior.log_evidence == pytest.approx(expected, rel=1e-8)


def plain_output(theta, x, layout):
    weights = layout.view(theta)
    return np.tanh(x @ weights.W1 + weights.b1) @ weights.W2 + weights.b2[:, 0]


def plain_jacobian(theta, x, layout, h=1e-5):
    return np.stack(
        [
            plain_output(theta + h * unit, x, layout)
            - plain_output(theta - h * unit, x, layout)
            for unit in np.eye(layout.size)
        ],
        axis=1,
    ) / (2 * h)


def plain_mixture(posteriors, inverses, x, layout):
    """Mean and standard deviation of the outputs of one sample."""
    means = np.array([plain_output(p.theta, x, layout) for p in posteriors])
    squares = []
    for posterior, inverse, mean in zip(posteriors, inverses, means, strict=True):
        J, noise = plain_jacobian(posterior.theta, x, layout), posterior.noise_variance
        squares.append(noise + noise * np.diag(J @ inverse @ J.T) + mean**2)
    centre = means.mean(axis=0)
    return centre, np.sqrt(np.mean(squares, axis=0) - centre**2)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csr_matrix])
@given(
    seed=seeds,
    layout=st.builds(Layout, *[st.integers(1, 3)] * 3, st.just(1)),
    n_members=st.integers(1, 3),
    n_rows=st.integers(1, 9),
)
def test_predictions_are_those_of_a_mixture(container, seed, layout, n_members, n_rows):
    rng = np.random.default_rng(seed)
    X = rng.normal(2, 3, (7, layout.n_in))
    x, y = Standardizer.of(X), Standardizer.of(rng.normal(5, 4, (9, layout.n_out)))
    found = [posterior_of(layout, "two", seed + m, 500.0) for m in range(n_members)]
    posteriors, inverses = (
        [p for p, _, _ in found],
        [np.linalg.inv(A) for *_, A in found],
    )
    mean, std = predictive(posteriors, container(X), x, y, layout, tanh, n_rows)
    assert mean.shape == std.shape == (layout.n_out, 7)
    for i, row in enumerate(x.transform(X)):
        m, s = plain_mixture(posteriors, inverses, row, layout)
        assert_allclose(mean[:, i], m * y.scale + y.mean, rtol=1e-8, atol=1e-8)
        assert_allclose(std[:, i], s * y.scale, rtol=1e-5)


def objective_of(unit, layout, rng, n_samples=30, alpha=0.3):
    X = np.column_stack([np.ones(n_samples), rng.normal(size=(n_samples, layout.n_in))])
    Y = np.eye(layout.n_out)[:, rng.integers(0, layout.n_out, n_samples)]
    prior, weights = Prior.of(layout, alpha), rng.uniform(0.1, 3, n_samples)
    unit = OUTPUT_UNITS[unit]
    return Objective(layout, tanh, unit, X, Y, weights, prior=prior)


@pytest.mark.parametrize("unit", OUTPUT_UNITS)
def test_the_objective_counts_each_output_as_often_as_its_sample_weighs(unit):
    rng, layout = np.random.default_rng(0), Layout(2, 3, 3)
    objective, theta = objective_of(unit, layout, rng), rng.normal(size=layout.size)
    likelihood, _, H = objective.gauss_newton(theta)
    N = 3 * objective.sample_weight.sum() if unit == "identity" else None
    expected = Laplace.at(theta, likelihood, H, objective.prior, N)
    posterior = objective.posterior_at(theta)
    assert posterior.noise_variance == pytest.approx(expected.noise_variance)
    assert posterior.log_evidence == pytest.approx(expected.log_evidence)
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
    variance = objective.posterior_at(theta).variance(shift)
    assert_allclose(variance, 1 / mean_curvature, rtol=1e-6)


@pytest.mark.parametrize("name", ["tanh", "logistic", "relu", "softplus"])
def test_symmetries_are_the_exchanges_and_mirrorings_that_change_nothing(name):
    g, h = ACTIVATIONS[name], 3
    rng = np.random.default_rng(0)
    X, w2 = rng.normal(size=(20, 2)), np.array([[1.0], [2.0], [4.0]])
    W1, b1 = rng.normal(size=(2, h)), rng.normal(size=h)
    expected, same = output(X, b1, W1, w2, np.zeros(1), g), 0
    for order in permutations(range(h)):
        for signs in product([1, -1], repeat=h):
            j, s = list(order), np.array(signs)
            parts = (b1 * s)[j], (W1 * s)[:, j], (w2.T * s).T[j]
            found = output(X, *parts, np.zeros(1), g)
            same += np.ptp(found - expected) < 1e-9
    assert log_symmetries(h, g) == pytest.approx(np.log(same))
