"""Levenberg-Marquardt: damped Gauss-Newton steps."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from sk_shallow._solvers.result import OVERFLOW, Result

# The first μ beside the mean of the diagonal of H.
_FIRST_DAMPING = 1e-2


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


@dataclass
class Descent:
    """Where a descent is.

    Attributes
    ----------
    theta : ndarray
        θ, which steps move in place.
    model : tuple
        Σ wᵢ ℓᵢ at θ, its gradient, and its curvature H.
    metric : ndarray
        D.
    damping : _Damping
        μ.
    """

    theta: np.ndarray
    model: Any
    metric: np.ndarray
    damping: _Damping = field(init=False)

    def copy(self):
        """Another from the same θ, with the first μ."""
        return Descent(self.theta.copy(), self.model, self.metric)

    def __post_init__(self):
        mean = (self.model[2].diagonal() / self.metric).mean()
        self.damping = _Damping(_FIRST_DAMPING * (mean if mean > 0 else 1.0))


@dataclass(frozen=True)
class LevenbergMarquardt:
    """Solve (H + diag(α) + μD) δ = -∂/∂θ; θ ← θ + δ where that descends [1]_, [2]_.

    D is the metric of the inputs: the damping does not depend on their units.

    References
    ----------
    .. [1] Marquardt, "An algorithm for least-squares estimation of nonlinear
       parameters", SIAM Journal on Applied Mathematics 11, 1963.
    .. [2] Hagan and Menhaj, "Training feedforward networks with the Marquardt
       algorithm", IEEE Transactions on Neural Networks 5, 1994.
    """

    name: ClassVar[str] = "lm"
    max_iter: int | None = None
    incremental: ClassVar[bool] = False
    trains_together: ClassVar[bool] = False
    n_starts: ClassVar[int] = 4
    places_units: ClassVar[bool] = True
    finds_alpha: ClassVar[bool] = True
    has_budget: ClassVar[bool] = False
    ends_with_budget: ClassVar[bool] = False
    # Steps where max_iter is not set.
    n_steps: ClassVar[int] = 1000
    max_rejections: ClassVar[int] = 20
    # The matrix takes some 100 MB, and a step a minute, at the most.
    max_size: ClassVar[int] = 4000
    max_work: ClassVar[float] = 1e12

    @property
    def n_iter(self):
        """The most steps."""
        return self.max_iter or self.n_steps

    def sized(self, n_samples, layout, are_numbers=False):
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

    def solve(self, objective, theta, *, on_iteration, on_begin=None, **_):
        """Minimise the objective from θ, in place; see `FirstOrder.solve`."""
        descent = self.start(objective, theta)
        n_steps = self.n_iter
        for _ in range(n_steps):
            if on_begin is not None:
                on_begin()
            moved = self.step(objective, descent)
            if on_iteration(theta, self.value(objective, descent)) or not moved:
                return Result()
        return Result(
            message=f"max_iter={n_steps} iterations were reached before the loss "
            "converged. Set a larger max_iter or tol."
        )

    def start(self, objective, theta):
        """A descent from θ."""
        with np.errstate(over="ignore", invalid="ignore"):
            model = objective.gauss_newton(theta)
        if not np.isfinite(model[0]):
            raise ValueError(OVERFLOW)
        return Descent(theta, model, objective.metric())

    def value(self, objective, descent):
        """J where the descent is."""
        value = descent.model[0] + objective.penalty.value(descent.theta)
        return value / objective.total_weight

    def step(self, objective, descent):
        """Move θ downhill; False where no step descends."""
        with np.errstate(over="ignore", invalid="ignore"):
            moved = self._moved(objective, descent)
            if moved:
                descent.model = objective.gauss_newton(descent.theta)
        return moved

    def _moved(self, objective, descent):
        """Whether one of some steps, shorter and shorter, has led downhill."""
        theta, damping, penalty = descent.theta, descent.damping, objective.penalty
        (likelihood, grad, H), precision = descent.model, objective.penalty.precision
        before, slope = likelihood + penalty.value(theta), grad + precision * theta
        for _ in range(self.max_rejections):
            damper = damping.mu * descent.metric
            factor = H.factor(precision + damper)
            if factor is not None:
                step = factor.solve(-slope)
                predicted = 0.5 * float(step @ (damper * step - slope))
                there = theta + step
                after = objective.likelihood(there) + penalty.value(there)
                if after < before:
                    damping.reward((before - after) / predicted)
                    theta[...] = there
                    return True
            damping.punish()
        return False
