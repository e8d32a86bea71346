"""Gradient descent, full-batch and stochastic: three update rules, one epoch loop."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, NamedTuple

import numpy as np

from sk_shallow._arrays import axpy
from sk_shallow._solvers import _recipe
from sk_shallow._solvers._result import Result

# A loss so many times the first one has diverged.
_DIVERGED = 1e3
# After a divergence the rate is divided by this, at most so many times.
_BACK_OFF, _MAX_BACK_OFFS = 4.0, 10


@dataclass
class State:
    """What a rule remembers between steps: its moments and the number of steps."""

    moments: list[np.ndarray]
    n_steps: int = 0

    def copy(self):
        """A state of its own."""
        return State([moment.copy() for moment in self.moments], self.n_steps)

    def count(self, period):
        """Count a step; its number from 1, and its number within the period."""
        self.n_steps += 1
        return self.n_steps, (self.n_steps - 1) % period + 1


@dataclass(frozen=True)
class FirstOrder:
    """The epoch loop. A rule adds its hyperparameters, `n_moments` and `step`."""

    n_moments: ClassVar[int]
    incremental: ClassVar[bool] = True

    def solve(self, objective, theta, *, on_iteration, rng, state=None):
        """Minimise the objective from θ, in place.

        A loss that is not finite, or a thousand times the first one, is a divergence:
        the descent starts again from the first θ at a quarter of the rate.

        Parameters
        ----------
        objective : Objective
        theta : ndarray
            The start; overwritten by the iterates.
        on_iteration : callable
            `on_iteration(theta, loss) -> bool` after every epoch; True stops.
        rng : numpy.random.Generator
            Draws the order of the samples.
        state : State, default=None
            What an earlier call returned; it is not changed.

        Returns
        -------
        Result
        """
        start, rate = theta.copy(), self.learning_rate_init
        epochs_left = self.n_epochs(objective.n_samples)
        state = self.start(theta) if state is None else state.copy()
        for _ in range(1 + _MAX_BACK_OFFS):
            descent = self._descend(objective, theta, rng, state, rate, epochs_left)
            outcome = self._watch(descent, theta, on_iteration)
            epochs_left -= outcome.n_epochs
            if not outcome.diverged or epochs_left < 1:
                break
            theta[...], state, rate = start, self.start(theta), rate / _BACK_OFF
        return Result(state, self._message(rate, outcome))

    def start(self, theta):
        """The state before the first step."""
        return State([np.zeros_like(theta) for _ in range(self.n_moments)])

    def precision(self, n_samples):
        """float32 for minibatches; float64 where every step sees all samples."""
        full = self.rows_per_batch(n_samples) >= n_samples
        return np.float64 if full else np.float32

    def rows_per_batch(self, n_samples):
        """The batch size that was set, or the rule's."""
        if self.batch_size is None:
            return _recipe.batch_size(n_samples)
        return min(self.batch_size, n_samples)

    def n_epochs(self, n_samples):
        """The number of epochs that was set, or the rule's."""
        return _recipe.n_epochs(n_samples) if self.max_iter is None else self.max_iter

    def _descend(self, objective, theta, rng, state, rate, n_epochs):
        """Yield the loss of each epoch; steps change θ in place."""
        n_samples = objective.n_samples
        size = self.rows_per_batch(n_samples)
        n_steps = n_epochs * -(-n_samples // size)
        rates = (rate * self.schedule(i / n_steps) for i in range(n_steps))
        for _ in range(n_epochs):
            if size == n_samples:
                loss, grad = objective.value_and_grad(theta)
                self.step(theta, grad, state, next(rates))
            else:
                for grad in objective.gradients(
                    theta, rng.permutation(n_samples), size
                ):
                    self.step(theta, grad, state, next(rates))
                loss = objective.sweep_value(theta)
            yield loss

    def _watch(self, descent, theta, on_iteration):
        """Run epochs until one stops or diverges."""
        limit, n_epochs = np.inf, 0
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for n_epochs, loss in enumerate(descent, start=1):
                if not loss <= limit or not np.isfinite(theta).all():
                    return _Outcome(n_epochs, diverged=True)
                limit = min(limit, _DIVERGED * loss) if loss > 0 else limit
                if on_iteration(theta, loss):
                    return _Outcome(n_epochs, stopped=True)
        return _Outcome(n_epochs)

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
        if not outcome.stopped and self.schedule is _recipe.constant:
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


@dataclass(frozen=True)
class GradientDescent(FirstOrder):
    """θ ← θ - η ∂J/∂θ over all samples: the notes' algorithm."""

    learning_rate_init: float = 0.5
    max_iter: int = 1000
    schedule: Callable = _recipe.constant
    n_moments: ClassVar[int] = 0

    def rows_per_batch(self, n_samples):
        """Every step sees all samples."""
        return n_samples

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

    learning_rate_init: float = 0.05
    max_iter: int | None = None
    batch_size: int | None = None
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    schedule: Callable = _recipe.one_cycle
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
    """

    learning_rate_init: float = 0.02
    max_iter: int | None = None
    batch_size: int | None = None
    schedule: Callable = _recipe.one_cycle
    beta_1: ClassVar[float] = 0.9
    beta_2: ClassVar[float] = 0.999
    epsilon: ClassVar[float] = 1e-8
    n_moments: ClassVar[int] = 2
    # The sums grow for so many steps, then they are scaled back.
    period: ClassVar[int] = 64

    def step(self, theta, grad, state, rate):
        """θ ← θ - η m̂ / √v̂, in place; uses up grad.

        The running means are kept as sums that only grow,

            M = Σ β1⁻ⁱ gᵢ      m̂ = M β1ᵗ (1 - β1) / (1 - β1ᵗ)
            V = Σ β2⁻ⁱ gᵢ²     v̂ = V β2ᵗ (1 - β2) / (1 - β2ᵗ)

        and √V has the floor ε of Adam's denominator.
        """
        t, power = state.count(self.period)
        if power == 1:
            self._scale_back(state, t)
        b1, b2 = self.beta_1, self.beta_2
        m_factor = b1**power * (1 - b1) / (1 - b1**t)
        v_factor = b2**power * (1 - b2) / (1 - b2**t)
        rate *= m_factor / sqrt(v_factor)
        for x, g, M, V in _cache_blocks(theta, grad, *state.moments):
            axpy(b1**-power, g, M)
            np.multiply(g, g, out=g)
            axpy(b2**-power, g, V)
            np.sqrt(V, out=g)
            np.divide(M, g, out=g)
            axpy(-rate, g, x)

    def _scale_back(self, state, t):
        """M ← β1ᴾ M and V ← β2ᴾ V, with the floor of V."""
        M, V = state.moments
        if t > 1:
            M *= self.beta_1**self.period
            V *= self.beta_2**self.period
        np.maximum(V, self.epsilon**2 / (1 - self.beta_2), out=V)


def _cache_blocks(*vectors, step=2**15):
    """Windows on the vectors, so short that all of a step's fit in the cache."""
    size = len(vectors[0])
    if size <= step:
        return [vectors]
    starts = range(0, size, step)
    return [[vector[i : i + step] for vector in vectors] for i in starts]
