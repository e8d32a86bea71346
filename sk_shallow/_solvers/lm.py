"""Levenberg-Marquardt: damped Gauss-Newton steps, and the prior found on the way."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np
from scipy.linalg.lapack import dpotrs

from sk_shallow._model.evidence import factor
from sk_shallow._solvers.result import OVERFLOW, Result


class _Damping:
    """μ: down after a good step, up, faster and faster, after bad ones [1]_.

    References
    ----------
    .. [1] Nielsen, "Damping parameter in Marquardt's method", IMM-REP-1999-05, DTU.
    """

    def __init__(self, mu):
        self.mu, self._growth = mu, 2.0

    def reward(self, gain):
        """After a step; gain is its decrease over the predicted one."""
        self.mu *= max(1 / 3, 1 - (2 * gain - 1) ** 3)
        self._growth = 2.0

    def punish(self):
        """After a step uphill."""
        self.mu *= self._growth
        self._growth *= 2


@dataclass(frozen=True)
class LevenbergMarquardt:
    """Solve (H + diag(α) + μD) δ = -∂/∂θ; θ ← θ + δ where that descends [1]_, [2]_.

    D is the metric of the inputs: the damping does not depend on their units.

    Where the prior is to be estimated, α follows the evidence after every step, once
    some have been made, and minus the log-evidence of a sample takes the place of the
    loss. It is an approximation about a minimum: what it was before does not count.

    References
    ----------
    .. [1] Marquardt, "An algorithm for least-squares estimation of nonlinear
       parameters", SIAM Journal on Applied Mathematics 11, 1963.
    .. [2] Hagan and Menhaj, "Training feedforward networks with the Marquardt
       algorithm", IEEE Transactions on Neural Networks 5, 1994.
    """

    max_iter: int | None = None
    incremental: ClassVar[bool] = False
    trains_together: ClassVar[bool] = False
    finds_alpha: ClassVar[bool] = True
    has_budget: ClassVar[bool] = False
    # The first μ beside the mean of the diagonal of H.
    first_damping: ClassVar[float] = 1e-2
    # Steps before α is estimated for the first time, and in all, with that and without.
    n_warm_up: ClassVar[int] = 20
    n_search: ClassVar[int] = 100
    n_steps: ClassVar[int] = 1000
    max_rejections: ClassVar[int] = 20
    # The matrix takes some 100 MB, and a step a minute, at the most.
    max_size: ClassVar[int] = 4000
    max_work: ClassVar[float] = 1e12

    def sized(self, n_samples, layout, noise):
        """The solver, if it can take this size.

        Raises
        ------
        ValueError
            If the matrix of the normal equations, or the work for it, is too large.
        """
        size, n_rows = layout.member.size, n_samples * layout.n_out
        work = n_rows * size**2
        if size > self.max_size or work > self.max_work:
            raise ValueError(
                f"solver='lm' solves for {size} weights from {n_rows} outputs: "
                f"at most {self.max_size} weights are allowed, and {self.max_work:.0e} "
                f"outputs times squared weights. Got {work:.0e}. Use solver='adam' or "
                "'lbfgs', or a smaller n_hidden."
            )
        return self

    def precision(self, n_samples):
        """The normal equations square the condition number: double precision."""
        return np.float64

    def n_operations(self, n_samples, layout):
        """Of the product Jᵀ J."""
        return n_samples * layout.n_out * layout.member.size**2

    def solve(self, objective, theta, *, on_iteration, rng=None, state=None):
        """Minimise the objective from θ, in place; see `FirstOrder.solve`.

        It leaves the prior that it has found in the objective.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            model = objective.gauss_newton(theta)
            if not np.isfinite(model[0]):
                raise ValueError(OVERFLOW)
            is_search = objective.prior.is_estimated
            n_before = self.n_warm_up if is_search else inf
            max_iter = self.max_iter or (self.n_search if is_search else self.n_steps)
            metric = objective.metric()
            damping = self._damping(model[2], metric)
            for n_steps in range(1, max_iter + 1):
                moved = self._step(objective, theta, model, damping, metric)
                if moved:
                    model = objective.gauss_newton(theta)
                is_warm = n_steps > n_before
                loss = self._loss(objective, theta, model, is_warm)
                stopped = on_iteration(theta, loss)
                if is_search and not is_warm and (stopped or not moved):
                    n_before = n_steps
                elif stopped or not (moved or is_search):
                    return Result()
                if n_steps == n_before and on_iteration(theta, inf) and stopped:
                    return Result()
                if not moved:
                    damping = self._damping(model[2], metric)
        if is_search:
            return Result()
        return Result(
            message=f"max_iter={max_iter} iterations were reached before the loss "
            "converged. Set a larger max_iter or tol."
        )

    def _damping(self, H, metric):
        """The first μ."""
        mean = (H.diagonal() / metric).mean()
        return _Damping(self.first_damping * (mean if mean > 0 else 1.0))

    def _step(self, objective, theta, model, damping, metric):
        """Move θ downhill; False where no step descends."""
        prior, (likelihood, grad, H) = objective.prior, model
        before = likelihood + prior.penalty(theta)
        slope = grad + prior.precision * theta
        for _ in range(self.max_rejections):
            damper = damping.mu * metric
            L = factor(H, prior.precision + damper)
            if L is not None:
                step = dpotrs(L, -slope, lower=1)[0]
                predicted = 0.5 * float(step @ (damper * step - slope))
                there = theta + step
                after = objective.likelihood(there) + prior.penalty(there)
                if after < before:
                    damping.reward((before - after) / predicted)
                    theta[...] = there
                    return True
            damping.punish()
        return False

    def _loss(self, objective, theta, model, is_warm):
        """J; or minus the log-evidence per sample, and α is estimated anew."""
        prior, (likelihood, _, H) = objective.prior, model
        if not is_warm:
            return (likelihood + prior.penalty(theta)) / objective.total_weight
        posterior = objective.posterior(theta, likelihood, H)
        objective.prior = prior.reestimated(posterior)
        return -posterior.log_evidence / objective.total_weight
