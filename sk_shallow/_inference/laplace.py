"""How sure the weights are: the normal posterior about a minimum of J [1]_, [2]_.

The penalty Σ α_c/2 ‖θ_c‖² of the groups c of weights is a normal prior on them. About a
minimum θ of Σ wᵢ ℓᵢ + Σ α_c/2 ‖θ_c‖², with the Gauss-Newton matrix H of the losses, the
posterior is nearly normal (Laplace), with the covariance σ² A⁻¹:

    A = H + diag(β)     γ_c = n_c - α_c tr_c(A⁻¹)     σ² = 2 Σ wᵢ ℓᵢ / (N - Σ γ)

γ_c is how many of the n_c weights of a group the data determines, and σ² the variance
of the noise (1 for the log-loss, which has none). β is α for the weights, 0 for the
output biases, and for the hidden biases, which are free in J, a wide prior of their
own: the bias of a unit that does nothing would not be determined otherwise. Where H
does not depend on θ, the evidence, the likelihood with the weights integrated out, is
largest at α_c = σ² γ_c / ‖θ_c‖².

References
----------
.. [1] MacKay, "A practical Bayesian framework for backpropagation networks", Neural
   Computation 4, 1992.
.. [2] Foresee and Hagan, "Gauss-Newton approximation to Bayesian learning", ICNN 1997.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from sk_shallow._arrays.design import made
from sk_shallow._model.network import linearized

# α stays within these bounds, and γ above the last.
_LEAST, _MOST, _LEAST_GAMMA = 1e-8, 1e8, 1e-3
# Standard deviation of the hidden biases in the prior.
_BIAS = 10.0
# Directions that neither data nor prior determine get this share of the curvature.
_RIDGE = 1e-12
# At least this share of the observations is left to the noise.
_LEAST_LEFT = 0.1
# Numbers in a block of the Jacobian of a prediction.
_BLOCK = 2**21


@dataclass(frozen=True)
class Laplace:
    """The normal approximation of the posterior.

    Attributes
    ----------
    factor : SquareFactor or RowsFactor
        Of A.
    gamma : ndarray of shape (n_groups,)
        γ_c.
    shares : ndarray of shape (size,)
        How far the data determines each parameter, from 0 to 1.
    noise_variance : float
        σ².
    log_likelihood, log_evidence : float
        The logarithm of the probability density of the targets, in nats, with the
        weights θ, and with the weights integrated out.
    """

    factor: object
    gamma: np.ndarray
    shares: np.ndarray
    noise_variance: float
    log_likelihood: float
    log_evidence: float

    @classmethod
    def at(cls, theta, likelihood, H, penalty, biases, n_observations=None):
        """The posterior about θ.

        Parameters
        ----------
        theta : ndarray of shape (size,)
        likelihood : float
            Σ wᵢ ℓᵢ.
        H : Square or Rows
            The Gauss-Newton matrix of Σ wᵢ ℓᵢ.
        penalty : Penalty
        biases : ndarray of bool of shape (size,)
            The hidden biases.
        n_observations : float, default=None
            N, of the numbers that the noise is part of; None where there is no noise.
        """
        wide = _variance(likelihood, n_observations, 0) / _BIAS**2 * biases
        belief = penalty.precision + wide
        factor = _factor_with_ridge(H, belief)
        variances = factor.inverse_diagonal()
        sizes = penalty.sizes
        gamma = sizes - penalty.alpha * penalty.sums(variances)
        shares = 1 - belief * variances
        noise = _variance(likelihood, n_observations, shares.sum())
        # J leaves the hidden biases free: the posterior's mean is a step from θ.
        slope = wide * theta
        energy = float(belief @ theta**2) - float(slope @ factor.solve(slope))
        log_likelihood = -likelihood / noise
        if n_observations is not None:
            log_likelihood -= 0.5 * n_observations * np.log(2 * np.pi * noise)
        volume = float(np.log(belief[belief > 0]).sum()) - factor.log_determinant()
        volume += np.count_nonzero(belief == 0) * np.log(noise)
        log_evidence = log_likelihood + 0.5 * (volume - energy / noise)
        gamma = np.clip(gamma, _LEAST_GAMMA, sizes)
        told = float(log_likelihood), float(log_evidence)
        return cls(factor, gamma, shares, noise, *told)

    @property
    def n_effective(self):
        """How many parameters the data determines, the free ones included."""
        return float(self.shares.sum())

    def variance(self, J):
        """σ² jᵀ A⁻¹ j of outputs with the gradients j, for J of shape (n, size)."""
        return self.noise_variance * self.factor.quadratic(J)


def _variance(likelihood, n_observations, n_effective):
    """σ²; 1 where there is no noise."""
    if n_observations is None:
        return 1.0
    left = max(n_observations - n_effective, _LEAST_LEFT * n_observations)
    return float(max(2 * likelihood / left, np.finfo(float).tiny))


def _factor_with_ridge(H, d):
    """The factor of H + diag(d), with the least ridge that makes it positive."""
    diagonal = H.diagonal() + d
    ridge = _RIDGE * (diagonal + _RIDGE * max(diagonal.mean(), 1e-100))
    while (factor := H.factor(d + ridge)) is None:
        ridge *= 100
    return factor


def posterior_of(objective, theta, model=None):
    """The posterior about θ, with what `objective.gauss_newton` gives there.

    Its evidence is that of all equal peaks, and no more than the likelihood, which the
    approximation forgets where the losses have no curvature left.
    """
    likelihood, _, H = model or objective.gauss_newton(theta)
    layout, biases = objective.layout, np.zeros(len(theta), dtype=bool)
    layout.view(biases).b1[...] = True
    N = objective.n_observations if objective.loss.has_noise else None
    peak = Laplace.at(theta, likelihood, H, objective.penalty, biases, N)
    live = n_live(peak, layout)
    n_peaks = log_symmetries(layout.n_hidden, objective.activation, live)
    log_evidence = min(peak.log_evidence + n_peaks, peak.log_likelihood)
    return replace(peak, log_evidence=log_evidence)


def reestimated(penalty, posterior, theta):
    """The penalty with α_c = σ² γ_c / ‖θ_c‖²."""
    with np.errstate(divide="ignore", over="ignore"):
        alpha = posterior.noise_variance * posterior.gamma / penalty.sums(theta**2)
    return penalty.with_alpha(np.clip(alpha, _LEAST, _MOST))


def log_symmetries(n_hidden, g, n_live):
    """Of the number of networks with other weights that are the same function.

    Hidden units can be exchanged, and mirrored where g(z) + g(-z) is constant, and
    Laplace's approximation sees one of these equal peaks of the posterior. Where l of
    the h units do anything, there are h!/(h - l)! 2ˡ.
    """
    z = np.array([0.5, 1.0, 2.0])
    sums = g.forward(z) + g.forward(-z)
    mirrored = np.log(2) if np.allclose(sums, sums[0]) else 0.0
    orders = gammaln(n_hidden + 1) - gammaln(n_hidden - n_live + 1)
    return float(orders + n_live * mirrored)


def n_live(posterior, layout):
    """How many hidden units the data determines, as far as it does."""
    shares = layout.view(posterior.shares).W2.max(axis=1)
    return float(np.clip(shares, 0, 1).sum())


def predictive(posteriors, thetas, X, x, y, layout, g, unit, block=_BLOCK):
    """Mean and standard deviation of y, of the mixture of the posteriors.

    Parameters
    ----------
    posteriors : list of Laplace
        One for each member of a committee.
    thetas : list of ndarray of shape (size,)
        Their means.
    X : {ndarray, csr} of shape (n_samples, n_in)
    x, y : Standardizer
        Of the inputs and of the targets.
    layout : Layout
        Of one member.
    g : Activation
    unit : output unit
    block : int
        Numbers in a block of the Jacobian.

    Returns
    -------
    mean, std : ndarray of shape (n_out, n_samples)
        In the units of y.
    """
    moments = np.empty((2, layout.n_out, X.shape[0]))
    step = max(1, block // (layout.n_out * layout.size))
    for start in range(0, X.shape[0], step):
        rows = slice(start, start + step)
        design = np.asarray(made(x.design(X[rows], np.float64)))
        moments[..., rows] = _moments(posteriors, thetas, design, layout, g, unit)
    mean, std = moments
    return mean * y.scale[:, None] + y.offset[:, None], std * y.scale[:, None]


def _moments(posteriors, thetas, X, layout, g, unit):
    """Mean and standard deviation of the standardised targets."""
    means, variances = [], []
    for posterior, theta in zip(posteriors, thetas, strict=True):
        Z2, J = linearized(X, theta, layout, g)
        variance = posterior.variance(J.reshape(-1, layout.size)).reshape(Z2.shape)
        means.append(unit.mean(Z2))
        noise = posterior.noise_variance * means[-1] ** unit.variance_power
        variances.append(noise + unit.slope(Z2) ** 2 * variance)
    variance = np.mean(variances, axis=0) + np.var(means, axis=0)
    return np.mean(means, axis=0), np.sqrt(variance)
