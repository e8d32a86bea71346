"""Gradient descent, full-batch and stochastic: three update rules, one epoch loop."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, inf, sqrt
from typing import ClassVar, NamedTuple

import numpy as np

from sk_shallow._arrays.memory import axpy
from sk_shallow._solvers import recipe
from sk_shallow._solvers.result import OVERFLOW, Result, product_operations

# A loss so many times that of the start, or of θ = 0, has diverged.
_DIVERGED = 10.0
# Weights that the penalty has driven below this are zero: as subnormal numbers they
# would slow every product down.
_VANISHING = 1e-12
# After a divergence the rate is divided by this, at most so many times.
_BACK_OFF, _MAX_BACK_OFFS = 4.0, 10
# So many weights, their gradient and moments fit in the cache.
_CACHE_BLOCK = 2**16


@dataclass
class State:
    """What a rule remembers between steps: its moments and the number of steps."""

    moments: list[np.ndarray]
    scratch: np.ndarray
    n_steps: int = 0

    def copy(self):
        """A state of its own."""
        moments = [moment.copy() for moment in self.moments]
        return State(moments, np.empty_like(self.scratch), self.n_steps)

    def count(self, period):
        """Count a step; its number, from 1, within the period."""
        self.n_steps += 1
        return (self.n_steps - 1) % period + 1


@dataclass(frozen=True)
class FirstOrder:
    """The epoch loop. A rule adds its hyperparameters, `n_moments` and `step`.

    Where it `has_budget`, training ends with its last epoch, and not before.
    """

    n_moments: ClassVar[int]
    incremental: ClassVar[bool] = True
    trains_together: ClassVar[bool] = True
    finds_alpha: ClassVar[bool] = False

    def solve(self, objective, theta, *, on_iteration, rng, state=None):
        """Minimise the objective from θ, in place.

        A loss that is not finite, or ten times that of the start and of θ = 0, is a
        divergence: the descent starts again from the first θ at a quarter of the rate.

        Parameters
        ----------
        objective : Objective
        theta : ndarray
            The start; overwritten by the iterates.
        on_iteration : callable
            `on_iteration(theta, loss) -> bool` after every epoch; True stops. A
            divergence is reported as an infinite loss.
        rng : numpy.random.Generator
            Draws the order of the samples.
        state : State, default=None
            What an earlier call returned; it is not changed.

        Returns
        -------
        Result

        Raises
        ------
        ValueError
            If the loss at the start is not finite.
        """
        start, rate = theta.copy(), self.learning_rate_init
        n_batches = max(1, ceil(objective.n_samples / self.batch_size))
        n_steps = ceil(self.max_iter * n_batches)
        state = self.start(theta) if state is None else state.copy()
        with np.errstate(over="ignore", invalid="ignore"):
            at_start = objective.rough_value(theta)
            limit = max(at_start, objective.rough_value(np.zeros_like(theta)))
        if not np.isfinite(at_start):
            raise ValueError(OVERFLOW)
        for _ in range(1 + _MAX_BACK_OFFS):
            rates = [rate * self.schedule(i / n_steps) for i in range(n_steps)]
            descent = self._descend(objective, theta, rng, state, rates, n_batches)
            outcome = _watch(descent, theta, on_iteration, _DIVERGED * limit)
            n_steps -= outcome.n_epochs * n_batches
            if not outcome.diverged or n_steps < 1:
                break
            theta[...], state, rate = start, self.start(theta), rate / _BACK_OFF
        if outcome.diverged:
            theta[...], state = start, self.start(theta)
            on_iteration(theta, at_start)
        return Result(state, self._message(rate, outcome))

    def start(self, theta):
        """The state before the first step."""
        moments = [np.zeros_like(theta) for _ in range(self.n_moments)]
        return State(moments, np.empty(min(len(theta), _CACHE_BLOCK), theta.dtype))

    def sized(self, n_samples, layout, noise):
        """The solver, with the numbers that were not set taken from the recipe."""
        size, n_steps = recipe.budget(n_samples, layout.n_in, noise)
        size = min(self.batch_size or size, n_samples)
        n_epochs = self.max_iter or n_steps / ceil(n_samples / size)
        return replace(self, batch_size=size, max_iter=n_epochs)

    def precision(self, n_samples):
        """float32 for minibatches; float64 where every step sees all samples."""
        return np.float64 if self.batch_size >= n_samples else np.float32

    def n_operations(self, n_samples, layout):
        """Of the largest product."""
        return product_operations(min(self.batch_size, n_samples), layout)

    def _descend(self, objective, theta, rng, state, rates, n_batches):
        """Yield the loss of each epoch; the last may be a part of one."""
        rates = iter(rates)
        rate = next(rates, None)
        if n_batches == 1:
            _, grad = objective.value_and_grad(theta)
        else:
            order = np.arange(objective.n_samples)
        while rate is not None:
            if n_batches == 1:
                self.step(theta, grad, state, rate)
                rate = next(rates, None)
                loss, grad = objective.value_and_grad(theta)
            else:
                rng.shuffle(order)
                for grad in objective.gradients(theta, order, n_batches):
                    self.step(theta, grad, state, rate)
                    rate = next(rates, None)
                    if rate is None:
                        break
                loss = objective.sweep_value(theta)
            yield loss

    def _message(self, rate, outcome):
        """What the user should know of the descent, or None."""
        if outcome.diverged:
            return (
                f"The loss diverged, also with learning_rate_init={rate:.3g}. "
                "Set a smaller learning_rate_init, or standardize=True."
            )
        if rate < self.learning_rate_init:
            return (
                f"The loss diverged with learning_rate_init={self.learning_rate_init}; "
                f"the rate was reduced to {rate:.3g}."
            )
        if not outcome.stopped and not self.has_budget:
            return (
                f"max_iter={outcome.n_epochs} iterations were reached before the loss "
                "converged. Set a larger max_iter, learning_rate_init or tol."
            )
        return None


class _Outcome(NamedTuple):
    """How a descent ended."""

    n_epochs: int
    stopped: bool = False
    diverged: bool = False


def _watch(descent, theta, on_iteration, limit):
    """Run epochs until one stops or diverges."""
    n_epochs = 0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for n_epochs, loss in enumerate(descent, start=1):
            if not loss <= limit or not np.isfinite(theta).all():
                on_iteration(theta, np.inf)
                return _Outcome(n_epochs, diverged=True)
            if on_iteration(theta, loss):
                return _Outcome(n_epochs, stopped=True)
    return _Outcome(n_epochs)


@dataclass(frozen=True)
class GradientDescent(FirstOrder):
    """θ ← θ - η ∂J/∂θ over all samples: the notes' algorithm."""

    learning_rate_init: float = 0.1
    max_iter: int = 1000
    schedule: Callable = recipe.constant
    has_budget: bool = False
    n_moments: ClassVar[int] = 0
    batch_size: ClassVar[float] = inf

    def sized(self, n_samples, layout, noise):
        """Every step sees all samples."""
        return self

    def step(self, theta, grad, state, rate):
        """θ ← θ - η g, in place; uses up grad."""
        grad *= rate
        theta -= grad


@dataclass(frozen=True)
class SGD(FirstOrder):
    """Stochastic gradient descent with momentum, by default Nesterov's [1]_.

    References
    ----------
    .. [1] Sutskever et al., "On the importance of initialization and momentum in deep
       learning", ICML 2013.
    """

    learning_rate_init: float = 0.02
    max_iter: int | None = None
    batch_size: int | None = None
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    schedule: Callable = recipe.triangle
    has_budget: bool = True
    n_moments: ClassVar[int] = 1

    def step(self, theta, grad, state, rate):
        """v ← μv - ηg;  θ ← θ + v, or θ + μv - ηg (Nesterov)."""
        (v,) = state.moments
        grad *= rate
        v *= self.momentum
        v -= grad
        if self.nesterovs_momentum:
            theta -= grad
            np.multiply(v, self.momentum, out=grad)
            theta += grad
        else:
            theta += v


@dataclass(frozen=True)
class Adam(FirstOrder):
    """Adam [1]_: steps scaled by running means of the gradient and its square.

    References
    ----------
    .. [1] Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    .. [2] Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.
    """

    learning_rate_init: float = 0.03
    max_iter: int | None = None
    batch_size: int | None = None
    schedule: Callable = recipe.triangle
    has_budget: bool = True
    beta_1: ClassVar[float] = 0.9
    beta_2: ClassVar[float] = 0.95
    epsilon: ClassVar[float] = 1e-8
    n_moments: ClassVar[int] = 2
    # The sums grow for so many steps, then they are scaled back.
    period: ClassVar[int] = 64

    def step(self, theta, grad, state, rate):
        """θ ← θ - η m̂ / √v̂, in place; uses up grad.

        The running means are kept as sums that only grow, and Nesterov's m̂ looks one
        step ahead [2]_:

            M = Σ β1⁻ⁱ gᵢ      m̂ = (1 - β1) (g + β1ᵗ⁺¹ M)
            V = Σ β2⁻ⁱ gᵢ²     v̂ = (1 - β2) β2ᵗ V

        The warm-up of the rate takes the place of the correction of their bias, and √V
        has the floor ε of Adam's denominator.
        """
        power = state.count(self.period)
        if power == 1:
            self._scale_back(state, theta, grad)
        b1, b2 = self.beta_1, self.beta_2
        rate *= (1 - b1) / sqrt((1 - b2) * b2**power)
        M, V = state.moments
        for x, g, m, v in _cache_blocks(theta, grad, M, V):
            u = state.scratch[: len(x)]
            axpy(b1**-power, g, m)
            np.multiply(g, g, out=u)
            axpy(b2**-power, u, v)
            axpy(b1 ** (power + 1), m, g)
            np.sqrt(v, out=u)
            np.divide(g, u, out=g)
            axpy(-rate, g, x)

    def _scale_back(self, state, theta, grad):
        """M ← β1ᴾ M and V ← β2ᴾ V, with the floor of V; θ ← 0 where it vanishes."""
        M, V = state.moments
        M *= self.beta_1**self.period
        V *= self.beta_2**self.period
        np.maximum(V, self.epsilon**2 / (1 - self.beta_2), out=V)
        size = np.abs(theta)
        vanishing = (size > 0) & (size < _VANISHING)
        theta[vanishing] = grad[vanishing] = M[vanishing] = 0


def _cache_blocks(*vectors):
    """Windows on the vectors, so short that all of a step's fit in the cache."""
    size, step = len(vectors[0]), _CACHE_BLOCK
    if size <= step:
        return [vectors]
    starts = range(0, size, step)
    return [[vector[i : i + step] for vector in vectors] for i in starts]
