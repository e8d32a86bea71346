"""Gradient descent, full-batch and stochastic: three update rules, one epoch loop."""

from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import count, islice
from math import ceil, inf, sqrt
from typing import ClassVar, NamedTuple

import numpy as np

from sk_shallow._arrays.memory import axpy
from sk_shallow._solvers import recipe
from sk_shallow._solvers.result import OVERFLOW, Result, product_operations
from sk_shallow._solvers.tasks import never

# A loss so many times that of the start, or of θ = 0, has diverged.
_DIVERGED = 10.0
# Weights that the penalty has driven below this are zero: as subnormal numbers they
# would slow every product down.
_VANISHING = 1e-12
# After a divergence the rate is divided by this, at most so many times.
_BACK_OFF, _MAX_BACK_OFFS = 4.0, 10
# So many weights, their gradient and moments fit in the cache.
_CACHE_BLOCK = 2**16
# Of a descent without a budget the mean of the iterates is judged: it takes one in so
# many, and its weight on the latest falls as (η + 1)/(t + η): about the last ninth.
_AVERAGED_EVERY, _RECENCY = 4, 8
# A batch of so many samples of a stream bears the whole rate.
_WHOLE = 64


@dataclass
class State:
    """What a rule remembers between steps: its moments and the number of steps."""

    moments: list[np.ndarray]
    n_steps: int = 0

    @cached_property
    def scratch(self):
        """Room for a block of a moment."""
        return np.empty_like(self.moments[0][:_CACHE_BLOCK])

    def copy(self):
        """A state of its own."""
        return State([moment.copy() for moment in self.moments], self.n_steps)

    def __getstate__(self):
        """Copies hold no scratch."""
        return {"moments": self.moments, "n_steps": self.n_steps}


@dataclass(frozen=True)
class FirstOrder:
    """The epoch loop. A rule adds its hyperparameters, `n_moments` and `step`.

    Where it `has_budget`, training ends with its last epoch; where it is one that
    `ends_with_budget`, not before.
    """

    n_moments: ClassVar[int]
    # The share of its rate that a stream has in the end, and the norm of a gradient
    # there, at the most.
    least_of_stream: ClassVar[float]
    longest_of_stream: ClassVar[float]
    is_streaming: bool = field(default=False, kw_only=True)
    incremental: ClassVar[bool] = True
    trains_together: ClassVar[bool] = True
    n_starts: ClassVar[int] = 1
    places_units: ClassVar[bool] = False
    finds_alpha: ClassVar[bool] = False
    # Whether moments decay by themselves, so that a step may leave out what has no
    # gradient.
    takes_parts: ClassVar[bool] = False

    def solve(
        self,
        objective,
        theta,
        *,
        on_iteration,
        rng,
        state=None,
        on_restart=None,
        on_begin=None,
    ):
        """Minimise the objective from θ, in place.

        A loss that is not finite, or ten times that of the start and of θ = 0, is a
        divergence: the descent starts again from the first θ at a quarter of the rate.

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
        on_restart : callable, default=None
            Called where the descent has diverged and starts again.
        on_begin : callable, default=None
            Called before each epoch; before the first one again after a divergence.

        Returns
        -------
        Result

        Raises
        ------
        ValueError
            If the loss at the start is not finite.
        """
        start, rate = theta.copy(), self.learning_rate_init
        n_batches = self.n_batches(objective.n_samples)
        n_steps = ceil(self.max_iter * n_batches)
        state = self.start(theta) if state is None else state.copy()
        with np.errstate(over="ignore", invalid="ignore"):
            at_start = objective.rough_value(theta)
            at_zero = objective.rough_value(np.zeros_like(theta))
        limit = inf if self.is_streaming else _DIVERGED * max(at_start, at_zero)
        if not np.isfinite(at_start):
            raise ValueError(OVERFLOW)
        for _ in range(1 + _MAX_BACK_OFFS):
            rates = self._rates(rate, n_steps)
            descent = self._descend(objective, theta, rng, state, rates, n_batches)
            if on_begin is not None:
                descent = _announced(descent, ceil(n_steps / n_batches), on_begin)
            outcome = _watch(descent, theta, on_iteration, limit)
            n_steps -= outcome.n_epochs * n_batches
            if not outcome.diverged or n_steps < 1:
                break
            theta[...], state, rate = start, self.start(theta), rate / _BACK_OFF
            if on_restart is not None:
                on_restart()
        if outcome.diverged:
            theta[...], state = start, self.start(theta)
            on_iteration(theta, at_start)
        return Result(state, self._message(rate, outcome))

    def _rates(self, rate, n_steps):
        """The rate of each step."""
        return (rate * self.schedule(i, n_steps) for i in range(n_steps))

    def begin(self, objective, thetas, rng):
        """A descent at a falling rate that can always be prolonged."""
        return Descent(self, objective, *thetas, rng)

    def start(self, theta):
        """The state before the first step."""
        return State([np.zeros_like(theta) for _ in range(self.n_moments)])

    def sized(self, n_samples, layout, are_numbers=False):
        """The solver, with the numbers that were not set taken from the recipe."""
        size, n_steps = recipe.budget(n_samples, layout.n_in, are_numbers)
        size = min(self.batch_size or size, n_samples)
        solver = replace(self, batch_size=size)
        return solver if self.max_iter else solver._with_budget(n_steps, n_samples)

    @property
    def n_iter(self):
        """The most epochs, the last one counted whole."""
        return ceil(self.max_iter)

    def rows_of_step(self, n_samples):
        """Samples that a step of a descent looks at."""
        return min(self.batch_size or inf, float(n_samples))

    def most_steps(self, n_samples):
        """Steps of max_iter epochs."""
        return self.max_iter * self.n_batches(n_samples)

    @property
    def ends_with_budget(self):
        """Whether all epochs of the budget are made, whatever the loss does."""
        return self.has_budget

    def n_batches(self, n_samples):
        """Steps of an epoch."""
        return max(1, ceil(n_samples / self.batch_size))

    def for_steps(self, checkpoint, n_samples):
        """The solver with the budget that led to a checkpoint."""
        return self._with_budget(checkpoint.n_steps, n_samples)

    def _with_budget(self, n_steps, n_samples):
        """The solver with the epochs of so many steps: whole ones, or a part of one."""
        n_epochs = n_steps / self.n_batches(n_samples)
        n_epochs = n_epochs if n_epochs < 1 else round(n_epochs)
        return replace(self, max_iter=n_epochs, has_budget=True)

    def for_one_epoch(self, n_samples, n_before, is_rate_set):
        """The solver with the budget of an epoch; long gradients are shortened.

        A rate that was set is constant. Others suit the size of the batches and fall
        with the samples before; see `recipe.streaming`.
        """
        one = replace(self, max_iter=1, has_budget=True, is_streaming=True)
        if is_rate_set:
            return replace(one, schedule=recipe.constant)
        size = min(self.batch_size or n_samples, n_samples, _WHOLE)
        seen = {"before": n_before / _WHOLE, "new": n_samples / _WHOLE}
        return replace(
            one,
            learning_rate_init=self.learning_rate_init * sqrt(size / _WHOLE),
            schedule=partial(recipe.streaming, **seen, least=self.least_of_stream),
        )

    def precision(self, n_samples):
        """float32 for minibatches; float64 where every step sees all samples."""
        return np.float64 if self.batch_size >= n_samples else np.float32

    def n_operations(self, n_samples, layout):
        """Of the largest product."""
        return product_operations(min(self.batch_size, n_samples), layout)

    def _descend(self, objective, theta, rng, state, rates, n_batches):
        """Yield the loss of each epoch; the only one may be a part."""
        epoch = Epoch(objective.n_samples, n_batches)
        for at_end, loss in self.steps(objective, theta, rng, state, rates, epoch):
            if at_end:
                yield loss()

    def steps(self, objective, theta, rng, state, rates, epoch):
        """Make the steps; yield whether an epoch ends with each, and J then."""
        if epoch.n_batches == 1:
            yield from self._full_steps(objective, theta, state, rates)
            return
        rate = next(rates, None)
        while rate is not None:
            if epoch.is_over:
                epoch.begin(rng)
            for part, grad in self._sweep(objective, theta, epoch):
                self.take(theta, grad, state, rate, part)
                objective.constrain(theta)
                rate, epoch.n_done = next(rates, None), epoch.n_done + 1
                at_end = rate is None or epoch.is_over
                yield at_end, lambda: objective.sweep_value(theta)
                if rate is None:
                    break

    def _sweep(self, objective, theta, epoch):
        """Each batch's part of θ, None for all, and gradient."""
        batches = epoch.order, epoch.n_batches, epoch.n_done, epoch.loss
        if self.takes_parts and objective.has_parts:
            return objective.parts(theta, *batches)
        return ((None, g) for g in objective.gradients(theta, *batches))

    def _full_steps(self, objective, theta, state, rates):
        """The same, each step over all samples."""
        _, grad = objective.value_and_grad(theta)
        for rate in rates:
            self.take(theta, grad, state, rate)
            objective.constrain(theta)
            loss, grad = objective.value_and_grad(theta)
            yield True, lambda loss=loss: loss

    def take(self, theta, grad, state, rate, part=None):
        """A step by a gradient, or by that of a part, shortened where it is too long.

        What is in no part stays where it is.
        """
        state.n_steps += 1
        longest = self.longest_of_stream if self.is_streaming else inf
        if longest < inf and (norm := sqrt(float(grad @ grad))) > longest:
            grad *= longest / norm
        self.prepare(theta, grad, state, part)
        if part is None:
            self.step(theta, grad, state, rate)
        else:
            self.step_in(part, theta, grad, state, rate)

    def prepare(self, theta, grad, state, part):
        """What is to be done to all of θ and the state before a step."""

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


class Epoch:
    """The batches of an epoch, and how many have had their turn.

    Attributes
    ----------
    n_samples : int
    order : ndarray of int32 or None
        Of the samples; None before the first epoch.
    n_batches : int
    n_done : int
        All of them, before the first epoch.
    loss : float
        Σ wᵢ ℓᵢ of the batches before `n_done`, if a sweep is to go on from there.
    """

    def __init__(self, n_samples, n_batches):
        self.n_samples, self.order = n_samples, None
        self.n_batches = self.n_done = n_batches
        self.loss = 0.0

    @property
    def is_over(self):
        """Whether the next batch is of another epoch."""
        return self.n_done == self.n_batches

    def begin(self, rng):
        """The next one: the samples are shuffled."""
        if self.order is None:
            self.order = np.arange(self.n_samples, dtype=np.int32)
        rng.shuffle(self.order)
        self.n_done, self.loss = 0, 0.0


class Descent:
    """Steps without a budget; what is judged is the mean of the latest iterates.

    The rate warms up as t/τ, then falls as √(τ/(t + τ)): unlike a schedule with an
    end, it lets the descent go on from wherever it is. A pickle is without the
    objective, which is to be set where it goes on.

    Attributes
    ----------
    iterate : ndarray
        The mean of the latest iterates.
    n_steps : int
    loss_curve : list of float
        J of each whole epoch.
    """

    def __init__(self, solver, objective, theta, rng):
        self.solver, self._rng = solver, rng
        self.n_steps, self.loss_curve = 0, []
        self._theta, self._state = theta, solver.start(theta)
        self._mean = RunningMean(theta.copy())
        self._begin_on(objective)

    def _begin_on(self, objective):
        """Go on with an epoch of this objective."""
        n_samples = objective.n_samples
        self._epoch = Epoch(n_samples, self.solver.n_batches(n_samples))
        self.objective = objective

    @property
    def objective(self):
        """What is minimised."""
        return self._objective

    @objective.setter
    def objective(self, objective):
        """Go on with this one, from where the epoch is."""
        self._objective = objective
        where = self._theta, self._rng, self._state, self._rates(), self._epoch
        self._steps = self.solver.steps(objective, *where)

    def __getstate__(self):
        """All that is not made from the objective."""
        made = "_objective", "_steps"
        return {k: v for k, v in vars(self).items() if k not in made}

    def fork(self, objective):
        """Another descent from here, on another objective."""
        other = copy(self)
        other._theta, other._state = self._theta.copy(), self._state.copy()
        other._mean = RunningMean(self._mean.value.copy(), self._mean.n_seen)
        other._rng, other.loss_curve = deepcopy(self._rng), self.loss_curve.copy()
        other._begin_on(objective)
        return other

    @property
    def iterate(self):
        """The mean of the latest iterates."""
        return self._mean.value

    @property
    def n_epochs(self):
        """Number of epochs, the last one counted whole."""
        return ceil(self.n_steps / self._epoch.n_batches)

    def advance(self, n_steps, is_enough=never):
        """Make so many more steps, or fewer if a call between two says so; how many."""
        n_before = self.n_steps
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for at_end, loss in islice(self._steps, n_steps):
                self.n_steps += 1
                if self.n_steps % _AVERAGED_EVERY == 0:
                    self._mean.update(self._theta)
                if at_end:
                    self.loss_curve.append(float(loss()))
                if is_enough():
                    break
        n_made = self.n_steps - n_before
        if n_made == n_steps and not self._epoch.is_over:
            self._epoch.loss = self._objective.sweep_loss()
        return n_made

    def _rates(self):
        """η_t, from where the descent is."""
        rate = self.solver.learning_rate_init
        return (rate * recipe.falling(t) for t in count(self.n_steps))


class RunningMean:
    """θ̄ ← θ̄ + (η + 1)/(t + η) (θ - θ̄), with the t-th θ that is taken in [1]_.

    References
    ----------
    .. [1] Shamir and Zhang, "Stochastic gradient descent for non-smooth optimization:
       convergence results and optimal averaging schemes", ICML 2013.
    """

    def __init__(self, value, n_seen=0):
        self.value, self.n_seen = value, n_seen

    def update(self, theta):
        """Take in a θ."""
        self.n_seen += 1
        share = (_RECENCY + 1) / (self.n_seen + _RECENCY)
        self.value *= 1 - share
        axpy(share, theta, self.value)


class _Outcome(NamedTuple):
    """How a descent ended."""

    n_epochs: int
    stopped: bool = False
    diverged: bool = False


def _announced(descent, n_epochs, on_begin):
    """The epochs of a descent, each with a word before."""
    for _ in range(n_epochs):
        on_begin()
        yield next(descent)


def _watch(descent, theta, on_iteration, limit):
    """Run epochs until one stops or diverges."""
    n_epochs = 0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for n_epochs, loss in enumerate(descent, start=1):
            if not loss <= limit or not np.isfinite(theta).all():
                return _Outcome(n_epochs, diverged=True)
            if on_iteration(theta, loss):
                return _Outcome(n_epochs, stopped=True)
    return _Outcome(n_epochs)


@dataclass(frozen=True)
class GradientDescent(FirstOrder):
    """θ ← θ - η ∂J/∂θ over all samples: the notes' algorithm."""

    name: ClassVar[str] = "gd"
    learning_rate_init: float = 0.1
    max_iter: int = 1000
    schedule: Callable = recipe.constant
    has_budget: bool = False
    n_moments: ClassVar[int] = 0
    least_of_stream: ClassVar[float] = 1.0
    longest_of_stream: ClassVar[float] = 10.0
    batch_size: ClassVar[float] = inf

    @property
    def ends_with_budget(self):
        """Never: the rate does not fall with it."""
        return False

    def sized(self, n_samples, layout, are_numbers=False):
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

    name: ClassVar[str] = "sgd"
    learning_rate_init: float = 0.02
    max_iter: int | None = None
    batch_size: int | None = None
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    schedule: Callable = recipe.triangle
    has_budget: bool = True
    n_moments: ClassVar[int] = 1
    least_of_stream: ClassVar[float] = 1.0
    longest_of_stream: ClassVar[float] = 10.0

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

    name: ClassVar[str] = "adam"
    learning_rate_init: float = 0.03
    max_iter: int | None = None
    batch_size: int | None = None
    schedule: Callable = recipe.triangle
    has_budget: bool = True
    beta_1: ClassVar[float] = 0.9
    beta_2: ClassVar[float] = 0.95
    epsilon: ClassVar[float] = 1e-8
    n_moments: ClassVar[int] = 2
    least_of_stream: ClassVar[float] = 1 / 30
    longest_of_stream: ClassVar[float] = inf
    # The sums grow for so many steps, then they are scaled back.
    period: ClassVar[int] = 64
    takes_parts: ClassVar[bool] = True

    def prepare(self, theta, grad, state, part):
        """Scale the sums back, once in a period."""
        if (state.n_steps - 1) % self.period == 0:
            self._scale_back(theta, grad, state, part)

    def step(self, theta, grad, state, rate):
        """θ ← θ - η m̂ / √v̂, in place; uses up grad.

        The running means are kept as sums that only grow, and Nesterov's m̂ looks one
        step ahead [2]_:

            M = Σ β1⁻ⁱ gᵢ      m̂ = (1 - β1) (g + β1ᵗ⁺¹ M)
            V = Σ β2⁻ⁱ gᵢ²     v̂ = (1 - β2) β2ᵗ V

        The warm-up of the rate takes the place of the correction of their bias, and √V
        has the floor ε of Adam's denominator. Where there is no gradient the sums stay
        as they are: the means of weights that a step leaves out decay all the same.
        """
        self._move(_cache_blocks(grad, theta, *state.moments), state, rate)

    def step_in(self, part, theta, grad, state, rate):
        """The same where the gradient is that of a part: the rest stays as it is."""
        blocks = part.blocks(grad, [theta, *state.moments], _CACHE_BLOCK // 2)
        for block in blocks:
            self._move(_cache_blocks(*block), state, rate)

    def _move(self, blocks, state, rate):
        """A step in each block of gradient, θ, M and V."""
        power = (state.n_steps - 1) % self.period + 1
        b1, b2 = self.beta_1, self.beta_2
        rate *= (1 - b1) / sqrt((1 - b2) * b2**power)
        for g, x, m, v in blocks:
            u = state.scratch[: len(x)]
            axpy(b1**-power, g, m)
            np.multiply(g, g, out=u)
            axpy(b2**-power, u, v)
            axpy(b1 ** (power + 1), m, g)
            np.sqrt(v, out=u)
            np.divide(g, u, out=g)
            axpy(-rate, g, x)

    def _scale_back(self, theta, grad, state, part):
        """M ← β1ᴾ M and V ← β2ᴾ V, with the floor of V; θ ← 0 where it vanishes."""
        M, V = state.moments
        M *= self.beta_1**self.period
        V *= self.beta_2**self.period
        np.maximum(V, self.epsilon**2 / (1 - self.beta_2), out=V)
        size = np.abs(theta)
        vanishing = (size > 0) & (size < _VANISHING)
        theta[vanishing] = M[vanishing] = 0
        grad[vanishing if part is None else part.gather(vanishing)] = 0


def _cache_blocks(*vectors):
    """Windows on the vectors, so short that all of a step's fit in the cache."""
    size, step = len(vectors[0]), _CACHE_BLOCK
    if size <= step:
        return [vectors]
    starts = range(0, size, step)
    return [[vector[i : i + step] for vector in vectors] for i in starts]
