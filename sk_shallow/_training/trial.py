"""A trial: a recipe in training, each member without its fold."""

from copy import copy
from functools import partial
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sk_shallow._arrays.design import Gathered, row_blocks
from sk_shallow._arrays.quantiles import weighted_quantiles
from sk_shallow._arrays.threads import suited_to
from sk_shallow._inference.residuals import Residuals, holders_of, means_of
from sk_shallow._solvers.tasks import never
from sk_shallow._training.train import Run, mean_curve

# The losses are looked at after so many steps, and whenever these have grown by √2;
# from these steps, a fork can go on.
_FIRST, _GROWTH = 25, sqrt(2)
_WAYS_BACK = {50 * 2**i for i in range(9)}
# A trial is over at twice the steps of its last gain of this share, and not before;
# of sparse X, whose steps are dear, and whose committees gain less than their members.
_GAIN, _GAIN_OF_PARTS, _LEAST_STEPS = 5e-3, 2e-2, 200
# Of a robust loss outliers are most; gains show in what these leave.
_USUAL = 0.9
# So much of the loss of a constant is not worth a warning, nor is a loss that has
# fallen by less than this share over the last half of the steps.
_NEGLIGIBLE, _FALL = 1e-2, 0.1
# What an input costs beside its products, in inputs.
OVERHEAD = 40


def work_of_step(n_inputs, n_units, n_rows):
    """Multiplications of one step, about."""
    return 6 * (n_inputs + OVERHEAD) * n_units * n_rows


class Checkpoint(NamedTuple):
    """A committee after some steps, judged by what its members have not seen.

    Attributes
    ----------
    theta : ndarray
    n_steps : int
    n_epochs : int
        Epochs, or iterations; 1 at the least.
    losses : ndarray of shape (n_judged,)
        ℓᵢ of the samples that some member does not see.
    loss : float
        Their weighted mean.
    """

    theta: np.ndarray
    n_steps: int
    n_epochs: int
    losses: np.ndarray
    loss: float


class Trial:
    """A committee that can always be trained on; its best checkpoint is kept.

    Parameters
    ----------
    recipe : Recipe
    problem : Problem
    W : MemberWeights

    Attributes
    ----------
    problem : Problem
    best : Checkpoint
    n_steps : int
    weights : ndarray of shape (n_judged,)
        Of the samples that some member does not see.
    """

    def __init__(self, recipe, problem, W):
        self.recipe, self.problem, self._W = recipe, problem, W
        self.plan = problem.plan(recipe._replace(n_members=len(W)))
        self.weights = problem.data.weights[W.judged]
        is_open = recipe.solver.max_iter is None
        n_samples = problem.data.n_samples
        self._most = np.inf if is_open else self.plan.solver.most_steps(n_samples)
        self.n_steps, self.best, self._last_gain = 0, None, (0, np.inf)
        self._path = [(0, np.inf)]
        *rngs, rng = problem.rngs(len(W))
        plan, solver = self.plan.of_run, self.plan.solver
        drawn = [problem.first(plan, rngs) for _ in range(solver.n_starts)]
        self._samples = problem.samples(self.plan, recipe.binning)
        dtype = self._samples.Y.dtype
        starts = zip(*(plan.joined(weights, dtype) for weights in drawn), strict=True)
        runs = zip(self._set_objectives(), starts, strict=True)
        self._descents = [solver.begin(*run, rng) for run in runs]
        self._curve, self._ways_back, self._forks = [], {}, {}
        self._ahead, self._n_made = None, {}

    def _set_objectives(self):
        """J of the committee, to be judged by; and those that are minimised."""
        alpha, W = self.recipe.alpha, self._W
        self._objective = self._new_objective()
        if self.plan.solver.trains_together:
            return [self._objective]
        one = self.plan.one
        each = (self._samples._replace(sample_weight=w) for w in W)
        return [one.objective(samples, alpha=alpha) for samples in each]

    def _new_objective(self):
        """J of the committee, with room of its own."""
        samples = self._samples._replace(sample_weight=self._W)
        return self.plan.objective(samples, alpha=self.recipe.alpha)

    def fork(self, recipe):
        """A trial with another α, from where this one was well before its best."""
        at = self._way_back_from(self.best.n_steps)
        made = self._forks.pop((recipe, at, self.n_steps), None)
        return made or self._forked(recipe, at)

    def future_fork(self, recipe, n_steps):
        """What `fork` will probably give after so many steps."""
        is_gaining = n_steps > self.n_steps and self._is_gaining
        at = self._way_back_from(n_steps if is_gaining else self.best.n_steps)
        key = recipe, at, n_steps
        if key not in self._forks:
            self._forks[key] = self._forked(recipe, at)
        return self._forks[key]

    @property
    def _is_gaining(self):
        """Whether there is a new best ahead, or the best is the last so far."""
        ahead = self._ahead
        if ahead is None or ahead.n_steps == self.n_steps:
            return self.best.n_steps == self.n_steps
        return ahead.best.n_steps > self.n_steps

    def _way_back_from(self, n_steps):
        """The steps from which a fork goes on, if it comes from so many."""
        return max((n for n in self._ways_back if n * _GROWTH <= n_steps), default=0)

    def _forked(self, recipe, at):
        """A trial with another α, from where this one was."""
        if at == 0:
            return Trial(recipe, self.problem, self._W)
        other = copy(self)
        other.recipe, other.n_steps, other.best = recipe, at, None
        other._last_gain = (at, np.inf)
        other._path = [there for there in self._path if there[0] <= at]
        runs = zip(self._ways_back[at], other._set_objectives(), strict=True)
        other._descents = [descent.fork(objective) for descent, objective in runs]
        other._ways_back = {n: self._ways_back[n] for n in self._ways_back if n <= at}
        other._curve, other._forks, other._ahead = other._mean_curve(), {}, None
        return other

    def stop(self):
        """As many steps as it has made are all that were wanted."""
        self._most = self.n_steps

    @property
    def losses(self):
        """Those of the best checkpoint."""
        return self.best.losses

    @property
    def is_over(self):
        """Whether max_iter is reached, or half of the steps have gained nothing."""
        return self.n_steps >= min(
            self._most, max(_LEAST_STEPS, 2 * self._last_gain[0])
        )

    @property
    def work(self):
        """Multiplications of one step, about."""
        n_in, h, _, n_members, _ = self.plan.layout
        n_in = self._samples.X.row_length if self._objective.has_parts else n_in
        n_rows = self.recipe.solver.rows_of_step(self.problem.data.weights.sum())
        return work_of_step(n_in, h * n_members, n_rows)

    @property
    def n_operations(self):
        """Of the largest product."""
        n_samples, layout = self._objective.n_samples, self.plan.layout
        return self.plan.solver.n_operations(n_samples, layout)

    def advance_to(self, n_steps):
        """Train on to so many steps, unless it is over; gives the work that it took."""
        return self.become(self.leg(n_steps)())

    def leg(self, n_steps, is_paused=never):
        """A function that trains on to so many steps, and gives what this is then.

        It stays what it is, but for the descents, until it is to `become` the other.
        Where a call of `is_paused` between two steps says so, the function gives None,
        and goes on from there when it is called again.
        """
        later = copy(self)
        later._path, later._ways_back = self._path.copy(), self._ways_back.copy()
        later._n_made = {}
        self.expect(later)
        how = later._advance_to, n_steps, is_paused
        return partial(suited_to, self.n_operations, *how)

    @property
    def ground(self):
        """The samples, who sees them, and the weights to judge by."""
        return self._samples, self._W, self.weights

    @property
    def travels(self):
        """Whether another process may train it: not where rows wait to be made."""
        return not isinstance(self._samples.X, Gathered)

    def packed(self, is_back=False):
        """What another process needs beside the ground, or what it has changed."""
        other = copy(self)
        other.problem = other._samples = other._W = other.weights = None
        other._objective = other._ahead = None
        other._ways_back, other._forks = {}, {}
        if is_back:
            other.recipe = other.plan = None
            other._ways_back = self._ways_back
        return other

    def unpacked(self, ground):
        """The same, on its ground again."""
        self._samples, self._W, self.weights = ground
        for descent, objective in zip(
            self._descents, self._set_objectives(), strict=True
        ):
            descent.objective = objective
        return self

    def arrived(self, later):
        """What another process has made of it, here."""
        later.problem, later.recipe, later.plan = self.problem, self.recipe, self.plan
        later._ways_back = self._ways_back | later._ways_back
        return later.unpacked(self.ground)

    def expect(self, later):
        """It will probably become this, or what that becomes."""
        self._ahead = later

    def has_reached(self, n_steps):
        """Whether there is nothing more to do for so many steps."""
        return self.n_steps >= n_steps or self.is_over

    def next_stop(self, n_steps, n_least=1):
        """The steps of the first checkpoint after so many more, n_steps at the most."""
        stop, least = self.n_steps, min(n_steps, self.n_steps + n_least)
        while stop < least:
            stop = min(n_steps, max(_FIRST, ceil(stop * _GROWTH)))
        return min(stop, self._most)

    def become(self, later):
        """Be what has been trained on; gives the work that it took."""
        n_steps, forks = later.n_steps - self.n_steps, self._forks
        vars(self).update(vars(later))
        self._forks = {k: fork for k, fork in forks.items() if k[-1] >= self.n_steps}
        self._ahead = None
        return n_steps * self.work

    def _advance_to(self, n_steps, is_paused):
        """From checkpoint to checkpoint; itself, or None where it has paused."""
        while not self.has_reached(n_steps):
            next_one = self.next_stop(n_steps)
            n = next_one - self.n_steps
            for i, descent in enumerate(self._descents):
                n_before = self._n_made.get(i, 0)
                self._n_made[i] = n_before + descent.advance(n - n_before, is_paused)
                if self._n_made[i] < n:
                    return None
            self._settle(next_one)
        return self

    def _settle(self, n_steps):
        """A checkpoint, after so many steps."""
        self.n_steps, self._n_made, self._curve = n_steps, {}, self._mean_curve()
        self._judge()
        if n_steps in _WAYS_BACK and not self._objective.has_parts:
            ways = [descent.fork(descent.objective) for descent in self._descents]
            self._ways_back[n_steps] = ways

    def _judge(self):
        """A checkpoint; the best is kept."""
        here = self._checkpoint()
        if self.best is None or here.loss < self.best.loss:
            self.best = here
        usual = self._usual(here)
        gain = _GAIN_OF_PARTS if self._objective.has_parts else _GAIN
        if usual < (1 - gain) * self._last_gain[1]:
            self._last_gain = self.n_steps, usual
        self._path.append((self.n_steps, self.best.loss))

    def _usual(self, here):
        """The mean loss, of a robust loss without the largest tenth."""
        if self._objective.loss.spread != "robust":
            return here.loss
        most = weighted_quantiles(here.losses[None], self.weights, [_USUAL])
        usual = here.losses <= most.item()
        return float(np.average(here.losses[usual], weights=self.weights[usual]))

    @property
    def _is_falling(self):
        """Whether the best loss after half of the steps was much larger."""
        halfway = [loss for n_steps, loss in self._path if 2 * n_steps <= self.n_steps]
        return not self.is_over and self.best.loss < (1 - _FALL) * halfway[-1]

    def _checkpoint(self):
        """Judge by what has been held out."""
        thetas = [descent.iterate for descent in self._descents]
        theta = self.plan.layout.join(thetas) if len(thetas) > 1 else thetas[0].copy()
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = self._objective.held_out_outputs(theta)
            losses, loss = self._losses(outputs)
        return Checkpoint(theta, self.n_steps, self._n_epochs, losses, loss)

    def _losses(self, outputs):
        """ℓᵢ of the judged samples, and their mean; infinite after a divergence."""
        losses = self._objective.loss.loss(outputs, self._judged_Y)
        losses = np.where(np.isnan(losses), np.inf, losses)
        return losses, float(np.average(losses, weights=self.weights))

    @property
    def _n_epochs(self):
        """Of the longest run."""
        return max(1, *(descent.n_epochs for descent in self._descents))

    def run(self):
        """The best checkpoint, as what a solver leaves."""
        # Descents may be on their way, in the room of the objective that they have.
        theta, curve = self.best.theta, self._curve[: self.best.n_epochs]
        curve = curve or [self._new_objective().value(theta)]
        return Run(theta, curve[-1], curve, [], None, None, None, None)

    @property
    def _judged_Y(self):
        """Y of the samples that some member does not see."""
        Y, judged = self._samples.Y, self._W.judged
        return Y[:, :] if len(judged) == Y.shape[1] else Y[:, judged]

    def _mean_curve(self):
        """That of the descents, where they are."""
        return mean_curve([descent.loss_curve for descent in self._descents])

    def residuals(self):
        """What the members have not seen, in the units of y."""
        coder, w, theta = self.plan.coder, self.weights, self.best.theta
        rows, unseen = self._W.judged, self._W.unseen(self._W.judged)
        unit, scale = coder.output_unit, coder.by_output(self.plan.y.scale)[:, None]
        A = unit.mean(self._objective.held_out_outputs(theta)) * scale
        outputs = self._objective.outputs(theta, rows)
        means = unit.mean(means_of(holders_of(unseen), outputs)) * scale
        p = unit.variance_power
        spread = means.var(axis=0) / means.mean(axis=0) ** p
        return Residuals.of(
            (self._judged_Y * scale - A) / A ** (p / 2),
            w,
            unseen,
            spread @ w / w.sum(),
            self.problem.range,
            p,
            unit.low,
        )

    def complaints(self):
        """What the user should know, but for what max_iter asked for.

        Yields
        ------
        category, message
        """
        if self.n_steps >= self._most:
            return
        constant = self._loss_of_a_constant()
        if self._varies and not self.best.loss < constant:
            yield (
                UserWarning,
                "Nothing that was tried predicts held-out samples better than a "
                "constant: see search_results_. The features may tell nothing of y.",
            )
        is_open = self._most == np.inf
        if is_open and self._is_falling and self.best.loss > _NEGLIGIBLE * constant:
            yield (
                ConvergenceWarning,
                f"The held-out loss was still falling after {self.n_steps} steps, when "
                "the race ended. Set max_iter to train for longer.",
            )

    @property
    def _varies(self):
        """Whether the targets of two samples differ."""
        Y = self._samples.Y
        blocks = row_blocks(*Y.shape[::-1])
        return any((Y[:, rows] != Y[:, :1]).any() for rows, _ in blocks)

    def _loss_of_a_constant(self):
        """The mean loss of an output that is the same for all samples."""
        constant = np.reshape(self.problem.first_bias, (-1, 1))
        constant = np.broadcast_to(constant, self._judged_Y.shape)
        return self._losses(constant)[1]
