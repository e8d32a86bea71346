"""L-BFGS, SciPy's."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.optimize import Bounds, minimize

from sk_shallow._solvers.result import OVERFLOW, Result, product_operations
from sk_shallow._solvers.tasks import never

# Minibatch steps that count as one iteration, and so many that all starts make.
_STEPS, _ALL_GO_ON = 4, 30
# The widths of the bends in place of kinks, in units of the targets' spread, and the
# iterations with each but the last.
_WIDTHS, _STAGE = [10 ** (-i / 2) for i in range(1, 8)], 50


@dataclass(frozen=True)
class LBFGS:
    """Quasi-Newton descent over all samples [1]_.

    References
    ----------
    .. [1] Liu and Nocedal, "On the limited memory BFGS method for large scale
       optimization", Mathematical Programming 45, 1989.
    """

    name: ClassVar[str] = "lbfgs"
    max_iter: int | None = None
    has_budget: bool = False
    incremental: ClassVar[bool] = False
    trains_together: ClassVar[bool] = False
    n_starts: ClassVar[int] = 3
    places_units: ClassVar[bool] = True
    finds_alpha: ClassVar[bool] = False
    # Iterations where max_iter is not set.
    n_steps: ClassVar[int] = 1000
    memory: ClassVar[int] = 20
    gradient_tolerance: ClassVar[float] = 1e-8

    def sized(self, n_samples, layout, are_numbers=False):
        """Nothing depends on the size of the data."""
        return self

    def rows_of_step(self, n_samples):
        """Samples that a step, as a descent counts them, looks at."""
        return float(n_samples) / _STEPS

    def most_steps(self, n_samples):
        """Steps, as a descent counts them, of max_iter iterations."""
        return self.max_iter * _STEPS

    @property
    def ends_with_budget(self):
        """Whether all iterations of the budget are made."""
        return self.has_budget

    @property
    def n_iter(self):
        """The most iterations."""
        return self.max_iter or self.n_steps

    def for_steps(self, checkpoint, n_samples):
        """The solver with the iterations that led to a checkpoint."""
        return replace(self, max_iter=checkpoint.n_epochs, has_budget=True)

    def precision(self, n_samples):
        """Curvature from differences of gradients asks for double precision."""
        return np.float64

    def n_operations(self, n_samples, layout):
        """Of the largest product."""
        return product_operations(n_samples, layout)

    def begin(self, objective, thetas, rng):
        """A descent that can be prolonged, from the best of some starts."""
        return Descent(self, objective, thetas)

    def solve(
        self, objective, theta, *, on_iteration, on_restart=None, on_begin=None, **_
    ):
        """Minimise the objective from θ, in place; see `FirstOrder.solve`.

        A loss with kinks is minimised with bends in their place, narrower and narrower;
        what is told of each iteration is the loss with its kinks. `on_begin` is called
        before each evaluation; its True leaves the narrower bends out.
        """
        n_left, stopped = self.n_iter, False
        widths = [None] if objective.is_smooth else _WIDTHS[-n_left:]
        for n_after, width in zip(range(len(widths) - 1, -1, -1), widths, strict=True):
            if stopped and on_begin is not None and on_begin():
                break
            if stopped and on_restart is not None:
                on_restart()
            n_most = n_left if n_after == 0 else min(n_left - n_after, _STAGE)
            n_done, stopped = self._minimize(
                objective, width, theta, n_most, on_iteration, on_begin
            )
            n_left -= n_done
        if stopped or self.has_budget or n_left > 0:
            return Result()
        return Result(
            message=f"max_iter={self.n_iter} iterations were reached before the loss "
            "converged. Set a larger max_iter or tol."
        )

    def go_on(self, objective, theta, n_iter, n_before):
        """Make some iterations more, in place."""
        width = None
        if not objective.is_smooth:
            width = _WIDTHS[min(n_before // _STAGE, len(_WIDTHS) - 1)]
        self._minimize(objective, width, theta, n_iter, lambda *_: False)

    def _minimize(self, objective, width, theta, max_iter, on_iteration, on_begin=None):
        """At most so many iterations; their number, and whether one was the last."""
        smooth = objective if width is None else objective.smoothed(width)
        stopped = False

        def told(theta, value):
            return on_iteration(
                theta, value if smooth is objective else objective.value(theta)
            )

        def value_and_grad(theta):
            on_begin()
            return smooth.value_and_grad(theta)

        def callback(intermediate_result):
            nonlocal stopped
            stopped = told(intermediate_result.x, intermediate_result.fun)
            if stopped:
                raise StopIteration

        options = {
            "maxiter": max_iter,
            "maxfun": 20 * max_iter,
            "maxcor": self.memory,
            "ftol": 0.0,
            "gtol": self.gradient_tolerance,
        }
        with np.errstate(over="ignore", invalid="ignore"):
            found = minimize(
                smooth.value_and_grad if on_begin is None else value_and_grad,
                theta,
                jac=True,
                method="L-BFGS-B",
                bounds=_bounds(objective.signs),
                callback=callback,
                options=options,
            )
        if not np.isfinite(found.fun):
            raise ValueError(OVERFLOW)
        theta[...] = found.x
        if found.nit == 0:
            stopped = told(theta, found.fun)
        return found.nit, stopped


def _bounds(signs):
    """0 below positive weights and above negative ones; None without signs."""
    if signs is None:
        return None
    return Bounds(np.where(signs > 0, 0, -np.inf), np.where(signs < 0, 0, np.inf))


class Descent:
    """Iterations in pieces, from several starts; fewer and fewer of them go on.

    Each piece forgets the curvature that the last has seen. A pickle is without the
    objective, which is to be set where it goes on.
    """

    def __init__(self, solver, objective, thetas):
        self._solver, self.objective = solver, objective
        self._thetas, self.n_epochs, self.loss_curve = list(thetas), 0, []

    def __getstate__(self):
        """All but the objective."""
        return {k: v for k, v in vars(self).items() if k != "objective"}

    def fork(self, objective):
        """Another descent from here, on another objective."""
        other = Descent(self._solver, objective, [t.copy() for t in self._thetas])
        other.n_epochs, other.loss_curve = self.n_epochs, self.loss_curve.copy()
        return other

    @property
    def iterate(self):
        """θ of the best start."""
        return self._thetas[0]

    def advance(self, n_steps, is_enough=never):
        """Make some more iterations; as many steps as were asked for, or none.

        They belong together: none is made if a call before them says so.
        """
        if not n_steps or is_enough():
            return 0
        n_iter = max(1, n_steps // _STEPS)
        for theta in self._thetas:
            self._solver.go_on(self.objective, theta, n_iter, self.n_epochs)
        self.n_epochs += n_iter
        if len(self._thetas) > 1:
            self._thetas.sort(key=self.objective.value)
        if self.n_epochs >= _ALL_GO_ON:
            self._thetas = self._thetas[: -(-len(self._thetas) // 2)]
        self.loss_curve.append(self.objective.value(self.iterate))
        return n_steps
