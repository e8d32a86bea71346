"""Gradient descent, full-batch and stochastic: three update rules, one epoch loop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from sk_shallow._solvers import _recipe
from sk_shallow._solvers._result import Result

# A loss so many times the first one has diverged.
_DIVERGED = 1e3
# After a divergence the rate is divided by this, at most so many times.
_BACK_OFF, _MAX_BACK_OFFS = 4.0, 10


class State(NamedTuple):
    """What a rule remembers between steps: its moments and the number of steps."""

    moments: np.ndarray
    n_steps: np.ndarray

    def copy(self):
        """A state of its own."""
        return State(self.moments.copy(), self.n_steps.copy())


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
        moments = np.zeros((self.n_moments, theta.size), theta.dtype)
        return State(moments, np.zeros(1, np.int64))

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
        """Yield the mean batch loss of each epoch."""
        n = objective.n_samples
        size = self.rows_per_batch(n)
        n_steps = n_epochs * -(-n // size)
        step = 0
        for _ in range(n_epochs):
            total = 0.0
            for rows in _batches(n, size, rng):
                value, grad = objective.value_and_grad(theta, rows)
                total += value * (n if rows is None else len(rows))
                state.n_steps[0] += 1
                self.step(theta, grad, state, rate * self.schedule(step / n_steps))
                step += 1
            yield total / n

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


def _batches(n_samples, size, rng):
    """Sample numbers in random order, `size` at a time; None where one batch is all."""
    if size >= n_samples:
        yield None
        return
    order = rng.permutation(n_samples)
    for start in range(0, n_samples, size):
        yield order[start : start + size]


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

    def step(self, theta, grad, state, rate):
        """θ ← θ - η m̂ / (√v̂ + ε), with m̂ = m/(1 - β1ᵗ) and v̂ = v/(1 - β2ᵗ)."""
        m, v = state.moments
        t = int(state.n_steps[0])
        root = np.sqrt(1 - self.beta_2**t)
        m *= self.beta_1
        m += (1 - self.beta_1) * grad
        v *= self.beta_2
        np.square(grad, out=grad)
        grad *= 1 - self.beta_2
        v += grad
        np.sqrt(v, out=grad)
        grad += self.epsilon * root
        np.divide(m, grad, out=grad)
        grad *= rate * root / (1 - self.beta_1**t)
        theta -= grad
