"""The search for α: Levenberg-Marquardt under one α after another, judged by evidence.

The evidence has several maxima, and so has J. From above, where few units do anything,
α falls by steps towards σ² γ / ‖θ‖², where a linear model's evidence would be largest,
and the units that the data asks for come in. What had the largest evidence on the way
is kept: it is a maximum, and what is told of it is the evidence at its own α. Where
every feature has an α of its own, each then goes to σ² γ_c / ‖θ_c‖² for as long as the
evidence grows.
"""

from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from sk_shallow._inference.laplace import Laplace, n_live, posterior_of, reestimated

# The first α, beside the variance of the targets, and the last from which units start.
_HIGHEST, _LOWEST = 30.0, 0.01
# Factors between one α and the next: to a neighbour, and the least and the largest.
_NEIGHBOUR, _LEAST_FALL, _LARGEST_FALL = 3.0, 2.0, 10.0
# The fall ends where the next α would hardly be smaller.
_SETTLED = 1.5
# Steps under one α, unless a step gains less than so many nats, and than this share of
# J; and steps for what is kept.
_STEPS, _NATS, _SHARE, _LAST_STEPS, _LAST_NATS = 15, 0.5, 1e-3, 30, 2e-2
_MOST_STEPS = 500
# Steps between estimates of the α of the groups.
_GROUP_STEPS = 5
# So many times α is changed without a gain.
_PATIENCE = 4
# What evidence grows by, in nats, where it grows; by more for a neighbour; and what
# some more steps may add.
_GAIN, _CLEAR_GAIN, _NEAR = 0.5, 2.0, 10.0


class Candidate(NamedTuple):
    """Where some steps under one α have led."""

    objective: Any
    descent: Any
    posterior: Laplace

    @property
    def evidence(self):
        """Of the targets, in nats."""
        return self.posterior.log_evidence

    @property
    def loss(self):
        """The mean loss of the samples, without the penalty."""
        return self.descent.model[0] / self.objective.total_weight

    @property
    def penalty(self):
        """α."""
        return self.objective.penalty

    @property
    def theta(self):
        """θ."""
        return self.descent.theta

    def is_better_than(self, other, gain=_GAIN):
        """Whether its evidence is larger by so much."""
        return self.evidence > other.evidence + gain

    def under(self, alpha):
        """The objective with this α."""
        return self.objective.penalized_by(self.penalty.with_alpha(alpha))


class _Steps:
    """Steps of a solver, of which a watch may have enough."""

    def __init__(self, solver, watch, n_left, on_begin=None):
        self.solver, self.watch, self.n_left = solver, watch, n_left
        self.on_begin = on_begin

    def settle(self, objective, descent, n_steps=_STEPS, nats=_NATS, share=_SHARE):
        """Go so many steps, or until they gain little."""
        descent, solver = descent.copy(), self.solver
        tol = max(share, 2 * nats / objective.n_observations)
        value, moved = solver.value(objective, descent), True
        while moved and n_steps and self.n_left:
            if self.on_begin is not None and self.on_begin():
                self.n_left = 0
                break
            before, moved = value, solver.step(objective, descent)
            value = solver.value(objective, descent)
            n_steps, self.n_left = n_steps - 1, self.n_left - 1
            loss = descent.model[0] / objective.total_weight
            if self.watch(descent.theta, loss, objective.penalty):
                self.n_left = 0
            moved = moved and before - value > tol * abs(before)
        return Candidate(
            objective, descent, posterior_of(objective, descent.theta, descent.model)
        )

    def settle_for_long(self, candidate):
        """Go on with what is to be kept."""
        objective, descent, _ = candidate
        return self.settle(objective, descent, _LAST_STEPS, _LAST_NATS, share=0.0)


def search(objective, thetas, solver, watch, n_steps=None, on_begin=None):
    """The best that is found from several θ.

    Parameters
    ----------
    objective : Objective
        Its penalty says which groups have an α of their own; not which.
    thetas : list of ndarray of shape (size,)
    solver : LevenbergMarquardt
    watch : callable
        `watch(theta, loss, penalty)` after each step, with the mean loss of the samples
        beside which the penalty changes; True ends the search.
    n_steps : int, default=None
        The most that are made from each θ.
    on_begin : callable, default=None
        Called before each step; True ends the search from all θ.

    Returns
    -------
    Candidate
    """
    found = [
        _search(
            _Steps(solver, watch, n_steps or _MOST_STEPS, on_begin), objective, theta
        )
        for theta in thetas
    ]
    return reduce(lambda a, b: b if b.is_better_than(a) else a, found)


def resume(objective, thetas, solver, watch, n_steps=None, on_begin=None):
    """The same from one θ and the α of the objective's penalty, where one has ended."""
    steps = _Steps(solver, watch, n_steps or _MOST_STEPS, on_begin)
    best = steps.settle_for_long(
        steps.settle(objective, solver.start(objective, thetas[0]))
    )
    return _finish(steps, best)


def _search(steps, objective, theta):
    """The best that is found from θ, beginning with a large α."""
    here, best = _enter(steps, objective, steps.solver.start(objective, theta))
    return _finish(steps, steps.settle_for_long(_fall(steps, here, best)))


def _finish(steps, best):
    """What is best near the best α in common."""
    if len(best.penalty.alpha) > 1:
        best = _part(steps, best)
        best = steps.settle_for_long(best)
    return _climb(steps, best)


def _enter(steps, objective, start):
    """From θ under the largest α with which a unit lives; and the best until then."""
    ones = np.ones(len(objective.penalty.alpha))
    alpha, best = _HIGHEST * _variance(objective, start.theta), None
    while True:
        under = objective.penalized_by(objective.penalty.with_alpha(alpha * ones))
        here = steps.settle(under, start)
        best = here if best is None or here.is_better_than(best) else best
        lives = n_live(here.posterior, objective.layout) > 0.5
        if lives or alpha < _LOWEST or not steps.n_left:
            return here, best
        alpha /= _NEIGHBOUR


def _variance(objective, theta):
    """Of the targets beside the output of a network without weights; 1 for labels."""
    if not objective.loss.has_noise:
        return 1.0
    nothing = theta.copy()
    objective.layout.penalized(nothing)[...] = 0
    variance = 2 * objective.likelihood(nothing) / objective.n_observations
    return max(variance, np.finfo(float).tiny)


def _fall(steps, here, best):
    """The best on the way down to the α at which the data would have it."""
    n_waiting = 0
    while steps.n_left and n_waiting < _PATIENCE:
        alpha, target = here.penalty.alpha[0], _common(here)
        if target * _SETTLED > alpha:
            break
        bounds = alpha / _LARGEST_FALL, alpha / _LEAST_FALL
        alpha = np.clip(np.sqrt(alpha * target), *bounds)
        under = here.under(np.full(len(here.penalty.alpha), alpha))
        here = steps.settle(under, here.descent)
        n_waiting = 0 if here.is_better_than(best) else n_waiting + 1
        best = best if n_waiting else here
    return best


def _common(here):
    """σ² Σ γ_c / Σ ‖θ_c‖²."""
    squares = here.penalty.sums(here.theta**2).sum()
    with np.errstate(divide="ignore", over="ignore"):
        return here.posterior.noise_variance * here.posterior.gamma.sum() / squares


def _part(steps, best):
    """Each group has an α of its own, for as long as the evidence grows."""
    here, n_waiting = best, 0
    while steps.n_left and n_waiting < _PATIENCE:
        penalty = reestimated(here.penalty, here.posterior, here.theta)
        old = here.penalty.alpha
        alpha = np.clip(penalty.alpha, old / _LARGEST_FALL, old * _LARGEST_FALL)
        here = steps.settle(here.under(alpha), here.descent, _GROUP_STEPS)
        n_waiting = 0 if here.is_better_than(best) else n_waiting + 1
        best = best if n_waiting else here
    return best


def _climb(steps, best):
    """To neighbours above, or else below, that have a larger evidence."""
    for factor in (_NEIGHBOUR, 1 / _NEIGHBOUR):
        start = best
        while steps.n_left:
            under = best.under(best.penalty.alpha * factor)
            there = steps.settle(under, best.descent)
            if there.evidence > best.evidence - _NEAR:
                there = steps.settle_for_long(there)
            if not there.is_better_than(best, _CLEAR_GAIN):
                break
            best = there
        if best is not start:
            break
    return best
