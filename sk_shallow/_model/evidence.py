"""The penalty as a prior, its strength found from the data, and error bars.

The penalty Σ α_c/2 ‖θ_c‖² of the groups c of weights is a Gaussian prior on them. About
a minimum θ of Σ wᵢ ℓᵢ + Σ α_c/2 ‖θ_c‖², with the Gauss-Newton matrix H of the losses,
the posterior is nearly normal (Laplace), with the covariance σ² A⁻¹ [1]_:

    A = H + diag(α)     γ_c = n_c - α_c tr_c(A⁻¹)     σ² = 2 Σ wᵢ ℓᵢ / (N - Σ γ_c)

γ_c is how many of the n_c weights of a group the data determines, and σ² the variance
of the noise (1 for the log-loss, which has none). The evidence for α, the likelihood
with the weights integrated out, is largest where α_c = σ² γ_c / ‖θ_c‖².

References
----------
.. [1] MacKay, "A practical Bayesian framework for backpropagation networks", Neural
   Computation 4, 1992.
.. [2] Foresee and Hagan, "Gauss-Newton approximation to Bayesian learning", ICNN 1997.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dtrtrs
from scipy.special import gammaln

from sk_shallow._model.network import linearized

# α stays within these bounds, and γ above the last.
_LEAST, _MOST, _LEAST_GAMMA = 1e-8, 1e8, 1e-3
# Precision of the hidden biases in the posterior, beside that of W2: the bias of a unit
# that does nothing would not be determined otherwise.
_BIAS = 1e-2
# Directions that neither data nor prior determine get this share of the mean curvature.
_RIDGE = 1e-12


@dataclass(frozen=True)
class Prior:
    """A normal prior of mean 0 for each group of weights.

    Attributes
    ----------
    groups : ndarray of shape (size,)
        Number of the group of each weight.
    ratio : ndarray of shape (size,)
        Precision of each weight beside that of its group; 0 for weights that are free.
    weak : ndarray of shape (size,)
        The same of weights that are free in J, but not quite in the posterior.
    alpha : ndarray of shape (n_groups,)
        α_c, in units of the noise: σ² times the precision.
    is_estimated : bool
        Whether α is to be found from the data.
    """

    groups: np.ndarray
    ratio: np.ndarray
    weak: np.ndarray
    alpha: np.ndarray
    is_estimated: bool = False

    @classmethod
    def of(cls, layout, alpha, start=1.0, steepness=1.0):
        """The prior with this α.

        Parameters
        ----------
        layout : Layout
        alpha : float, ndarray, "evidence" or "ard"
            One α for all of W1 and W2, or one for W1 and one for W2, or one for the
            weights of each feature and one for W2. To be found are one ("evidence"),
            or one for each feature and one for W2 ("ard"). The biases are free.
        start : float, default=1.0
            The α to begin with where it is to be found.
        steepness : float, default=1.0
            How many times larger the prior expects W1.
        """
        is_estimated = isinstance(alpha, str)
        if is_estimated:
            alpha = np.full(1 if alpha == "evidence" else layout.n_in + 1, start)
        alpha = np.atleast_1d(np.asarray(alpha, dtype=np.float64))
        groups, ratio = np.zeros(layout.size, dtype=int), np.zeros(layout.size)
        weak = np.zeros(layout.size)
        number, strength = layout.view(groups), layout.view(ratio)
        number.b1[...], layout.view(weak).b1[...] = len(alpha) - 1, _BIAS
        if len(alpha) == layout.n_in + 1:
            number.W1[...] = np.arange(layout.n_in)[:, None]
        number.W2[...] = len(alpha) - 1
        strength.W1[...], strength.W2[...] = steepness**-2, 1
        return cls(groups, ratio, weak, alpha, is_estimated)

    @property
    def precision(self):
        """diag(α), shape (size,)."""
        return self.ratio * self.alpha[self.groups]

    @property
    def belief(self):
        """diag(α) with the weak precisions, shape (size,)."""
        return (self.ratio + self.weak) * self.alpha[self.groups]

    def strengths(self, layout):
        """α of W1, or of each feature, and of W2, as J has them."""
        precision = layout.view(self.precision)
        by_feature = precision.W1[:, 0]
        is_ard = len(self.alpha) == layout.n_in + 1
        return np.append(by_feature if is_ard else by_feature[:1], precision.W2[0, 0])

    @property
    def sizes(self):
        """n_c."""
        return np.bincount(self.groups, self.ratio > 0, len(self.alpha))

    def sums(self, values):
        """The weighted sum over each group."""
        return np.bincount(self.groups, self.ratio * values, len(self.alpha))

    def penalty(self, theta):
        """Σ α_c/2 ‖θ_c‖²."""
        return 0.5 * float(self.alpha @ self.sums(theta**2))

    def reestimated(self, posterior):
        """The prior with α_c = σ² γ_c / ‖θ_c‖²."""
        squares = self.sums(posterior.theta**2)
        with np.errstate(divide="ignore", over="ignore"):
            alpha = posterior.noise_variance * posterior.gamma / squares
        return replace(self, alpha=np.clip(alpha, _LEAST, _MOST))


@dataclass(frozen=True)
class Laplace:
    """The normal approximation of the posterior about θ.

    Attributes
    ----------
    theta : ndarray of shape (size,)
    cholesky : ndarray of shape (size, size)
        Lower triangle L of A = L Lᵀ.
    gamma : ndarray of shape (n_groups,)
        γ_c.
    noise_variance : float
        σ².
    n_effective : float
        How many parameters the data determines, the free ones included.
    log_evidence : float
        The logarithm of the probability density of the targets, in nats.
    """

    theta: np.ndarray
    cholesky: np.ndarray
    gamma: np.ndarray
    noise_variance: float
    n_effective: float
    log_evidence: float

    @classmethod
    def at(cls, theta, likelihood, H, prior, n_observations=None):
        """The posterior at θ.

        Parameters
        ----------
        theta : ndarray of shape (size,)
        likelihood : float
            Σ wᵢ ℓᵢ.
        H : ndarray of shape (size, size)
            Lower triangle of the Gauss-Newton matrix of Σ wᵢ ℓᵢ.
        prior : Prior
        n_observations : float, default=None
            N, of the numbers that the noise is part of; None where there is no noise.
        """
        belief = prior.belief
        L = _factor_with_ridge(H, belief)
        variances = dpotri(L, lower=1)[0].diagonal()
        sizes, traces = prior.sizes, prior.sums(variances)
        gamma = np.clip(sizes - prior.alpha * traces, _LEAST_GAMMA, sizes)
        n_free = np.count_nonzero(belief == 0)
        n_effective = float(len(theta) - belief @ variances)
        if n_observations is None:
            noise, scale = 1.0, 0.0
        else:
            left = max(n_observations - n_effective, 0.1 * n_observations)
            noise = max(2 * likelihood / left, np.finfo(float).tiny)
            scale = 0.5 * (n_observations - n_free) * np.log(noise)
            scale += 0.5 * n_observations * np.log(2 * np.pi)
        with np.errstate(divide="ignore"):
            log_prior = 0.5 * float(np.log(belief[prior.ratio + prior.weak > 0]).sum())
        log_evidence = (
            log_prior
            - (likelihood + 0.5 * float(belief @ theta**2)) / noise
            - float(np.log(L.diagonal()).sum())
            - scale
        )
        return cls(theta.copy(), L, gamma, float(noise), n_effective, log_evidence)

    def variance(self, J):
        """σ² jᵀ A⁻¹ j of outputs with the gradients j, for J of shape (n, size)."""
        solved, _ = dtrtrs(self.cholesky, J.T, lower=1)
        return self.noise_variance * np.einsum("ij,ij->j", solved, solved)


def log_symmetries(n_hidden, g):
    """Of the number of networks with other weights that are the same function.

    Hidden units can be exchanged, and mirrored where g(z) + g(-z) is constant, and
    Laplace's approximation sees one of these h! 2ʰ equal peaks of the posterior.
    """
    z = np.array([0.5, 1.0, 2.0])
    sums = g.forward(z) + g.forward(-z)
    mirrored = np.log(2) if np.allclose(sums, sums[0]) else 0.0
    return float(gammaln(n_hidden + 1) + n_hidden * mirrored)


def factor(H, diagonal):
    """Lower triangle L of L Lᵀ = H + diag(diagonal); None if that is not positive."""
    A = H.copy(order="F")
    np.einsum("ii->i", A)[...] += diagonal
    L, info = dpotrf(A, lower=1, overwrite_a=1)
    return L if info == 0 else None


def _factor_with_ridge(H, diagonal):
    """The same, with the least ridge that makes it positive."""
    ridge = _RIDGE * max((H.diagonal() + diagonal).mean(), 1e-100)
    while (L := factor(H, diagonal + ridge)) is None:
        ridge *= 100
    return L


def predictive(posteriors, X, x, y, layout, g, n_rows=512):
    """Mean and standard deviation of y, of the mixture of the posteriors.

    Parameters
    ----------
    posteriors : list of Laplace
        One for each member of a committee.
    X : {ndarray, csr} of shape (n_samples, n_in)
    x, y : Standardizer
        Of the inputs and of the targets.
    layout : Layout
        Of one member.
    g : Activation
    n_rows : int, default=512
        The samples that are propagated at a time.

    Returns
    -------
    mean, std : ndarray of shape (n_out, n_samples)
        In the units of y.
    """
    moments = np.empty((2, layout.n_out, X.shape[0]))
    for start in range(0, X.shape[0], n_rows):
        rows = slice(start, start + n_rows)
        design = np.asarray(x.design(X[rows], np.float64))
        moments[..., rows] = _moments(posteriors, design, layout, g)
    mean, std = moments
    return mean * y.scale[:, None] + y.mean[:, None], std * y.scale[:, None]


def _moments(posteriors, X, layout, g):
    """Mean and standard deviation of the standardised outputs."""
    means, variances = [], []
    for posterior in posteriors:
        mean, J = linearized(X, posterior.theta, layout, g)
        variance = posterior.variance(J.reshape(-1, layout.size)).reshape(mean.shape)
        means.append(mean)
        variances.append(posterior.noise_variance + variance)
    variance = np.mean(variances, axis=0) + np.var(means, axis=0)
    return np.mean(means, axis=0), np.sqrt(variance)
