"""L-BFGS, SciPy's."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.optimize import minimize

from sk_shallow._solvers.result import OVERFLOW, Result, product_operations


@dataclass(frozen=True)
class LBFGS:
    """Quasi-Newton descent over all samples [1]_.

    References
    ----------
    .. [1] Liu and Nocedal, "On the limited memory BFGS method for large scale
       optimization", Mathematical Programming 45, 1989.
    """

    max_iter: int = 1000
    incremental: ClassVar[bool] = False
    trains_together: ClassVar[bool] = False
    finds_alpha: ClassVar[bool] = False
    has_budget: ClassVar[bool] = False
    memory: ClassVar[int] = 20
    gradient_tolerance: ClassVar[float] = 1e-8

    def sized(self, n_samples, layout, noise):
        """Nothing depends on the size of the data."""
        return self

    def precision(self, n_samples):
        """Curvature from differences of gradients asks for double precision."""
        return np.float64

    def n_operations(self, n_samples, layout):
        """Of the largest product."""
        return product_operations(n_samples, layout)

    def solve(self, objective, theta, *, on_iteration, rng=None, state=None):
        """Minimise the objective from θ, in place; see `FirstOrder.solve`."""
        stopped = False

        def callback(intermediate_result):
            nonlocal stopped
            stopped = on_iteration(intermediate_result.x, intermediate_result.fun)
            if stopped:
                raise StopIteration

        options = {
            "maxiter": self.max_iter,
            "maxfun": 20 * self.max_iter,
            "maxcor": self.memory,
            "ftol": 0.0,
            "gtol": self.gradient_tolerance,
        }
        with np.errstate(over="ignore", invalid="ignore"):
            found = minimize(
                objective.value_and_grad,
                theta,
                jac=True,
                method="L-BFGS-B",
                callback=callback,
                options=options,
            )
        if not np.isfinite(found.fun):
            raise ValueError(OVERFLOW)
        theta[...] = found.x
        if found.nit == 0:
            on_iteration(theta, found.fun)
        if stopped or found.nit < self.max_iter:
            return Result()
        return Result(
            message=f"max_iter={self.max_iter} iterations were reached before the loss "
            "converged. Set a larger max_iter or tol."
        )
