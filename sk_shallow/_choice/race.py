"""The race: of several recipes, the one that its held-out losses favour.

It sees contenders and numbers only. A contender has a `recipe` and can `advance_to` a
number of steps, which tells the work that it took; then it has held-out `losses`, one
for each sample, with their `weights`. It knows whether it `is_over`, can
`fork(recipe)` from a while ago, and is told to `stop` if it is to stay as it is.

All begin; after each round those that are behind are out, and neighbours of the leader
join. Short races favour penalties that are too strong: so when the winner's steps
double, and double again, a fork with another penalty may overtake it.
"""

from itertools import chain
from math import inf, sqrt

import numpy as np

from sk_shallow._solvers.tasks import Task
from sk_shallow._training.crew import Alone

# Steps of each round, and how many contenders go on from it.
ROUNDS = ((100, 4), (200, 2), (400, 1))
# Who is behind by more standard errors of the paired difference is out.
_BEHIND = 2.0
# Times that the leader's neighbours are asked for in a round.
_MOVES = 3
# The share of the allowance that the winner may have beside it; and its steps, at the
# least, whatever they take, unless it is over, and at the most.
_MORE = 0.5
LEAST_STEPS, MOST_STEPS = 400, 12_800


def mean_loss(contender):
    """The mean of its held-out losses; infinite where it has diverged."""
    with np.errstate(over="ignore"):
        return float(np.average(contender.losses, weights=contender.weights))


def is_behind(contender, leader):
    """Whether the contender's losses are larger, beyond doubt."""
    if not np.isfinite(mean_loss(contender)):
        return True
    gaps, w = contender.losses - leader.losses, leader.weights
    mean = np.average(gaps, weights=w)
    with np.errstate(over="ignore"):
        variance = np.average((gaps - mean) ** 2, weights=w)
    return float(mean) > _BEHIND * sqrt(variance / w.sum())


class Race:
    """Contenders on one track, and the table of what they showed.

    Parameters
    ----------
    begin : callable
        `begin(recipe)` gives a contender.
    allowance : float
        The work that all may take together; the winner may take half as much again.
    verbose : bool, default=False
        Whether to print how each contender does.
    task : Task, default=None
        What the race is: its parts are rounds, and theirs are contenders on their way
        to so many steps.
    crew : Crew, default=None
        Who trains contenders ahead, if anybody.
    """

    def __init__(self, begin, allowance=np.inf, verbose=False, task=None, crew=None):
        self._begin, self._verbose, self._rows = begin, verbose, {}
        self._neighbours, self._foreseen = None, {}
        self._crew = crew or Alone()
        self._left, self._more = allowance, _MORE * allowance
        self._task, self._round, self._is_stopped = task or Task(), None, False

    def run(self, recipes, neighbours, shifts):
        """The best of the recipes, and of those that they lead to.

        Parameters
        ----------
        recipes : list
        neighbours : callable
            `neighbours(recipe)` gives recipes that are worth a trial if it leads.
        shifts : callable
            `shifts(recipe)` gives recipes that a fork of it may go on with: the first
            again and again, the others once.

        Returns
        -------
        contender
        """
        self._neighbours = neighbours
        self._task.begin(len(ROUNDS) + 1)
        field = [self._begin(recipe) for recipe in recipes]
        for n_steps, n_kept in ROUNDS:
            self._round = self._task.part("round").begin(None)
            field = self._left_after(field, n_steps, n_kept)
            self._end(self._round, field[0])
            field = field[: n_kept if self._left > 0 else 1]
            if self._is_spent or all(contender.is_over for contender in field):
                break
        winner = field[0]
        if not self._is_stopped:
            self._round = self._task.part("round").begin(None)
            winner = self._finished(winner, shifts)
            self._end(self._round, winner)
        if self._is_stopped:
            winner.stop()
        self._task.end(winner)
        return winner

    def _end(self, task, contender):
        """A task has ended; if nobody wants more, nothing is left for the others."""
        if task.end(contender):
            self._is_stopped, self._left, self._more = True, -inf, 0.0

    @property
    def _is_spent(self):
        """Whether the winner has had what it may have, too."""
        return self._left < -self._more

    def table(self):
        """What each contender showed, as columns."""
        rows = list(self._rows.values())
        return {name: [row[name] for row in rows] for name in rows[0]}

    def _left_after(self, field, n_steps, n_kept):
        """Those that are not behind after so many steps, in order."""
        self._foreseen = {}  # what was, is on its way to other steps
        for i, contender in enumerate(field):
            if not self._is_stopped:
                ahead = field[i:], sorted(field[:i], key=mean_loss), n_steps, n_kept
                self._crew.foresee(self._next_of_round, *ahead)
                self._advance(contender, n_steps)
        field = [contender for contender in field if contender.recipe in self._rows]
        field.sort(key=mean_loss)
        for _ in range(_MOVES):
            leader = field[0]
            recipes = self._around(leader, self._rows)
            new = [self._begun(recipe) for recipe in recipes if self._left > 0]
            self._crew.foresee(self._next_of_round, new, [*field], n_steps, n_kept)
            for contender in new:
                if self._left > 0:
                    field.append(contender)
                    self._advance(contender, n_steps)
            field.sort(key=mean_loss)
            if field[0] is leader:
                break
        return self._close(field)

    def _close(self, field):
        """Those of a field in order that are not behind the first."""
        return [field[0], *(c for c in field[1:] if not is_behind(c, field[0]))]

    def _around(self, contender, known):
        """Recipes that are worth a trial if it leads."""
        return [r for r in self._neighbours(contender.recipe) if r not in known]

    def _begun(self, recipe):
        """A contender, which may have been foreseen."""
        return self._foreseen.pop(recipe, None) or self._begin(recipe)

    def _next_of_round(self, waiting, done, n_steps, n_kept):
        """Yield what is asked of those that wait, then of what they may lead to.

        If one of them leads, or else the first of those that are done, its neighbours
        follow; those that are done may go on.
        """
        yield from ((contender, n_steps) for contender in waiting)
        if not done or self._left <= 0:
            return
        known = {*self._rows, *(contender.recipe for contender in waiting)}
        for recipe in chain(*(self._around(c, known) for c in (done[0], *waiting[:1]))):
            new = self._foreseen[recipe] = self._begun(recipe)
            yield new, n_steps
        yield from (
            (contender, 2 * n_steps) for contender in self._close(done)[:n_kept]
        )

    def _finished(self, leader, shifts):
        """The leader, trained until its losses have stopped falling."""
        n_shifts = None
        while not self._is_stopped:
            leader, n_shifts = self._shifted(leader, shifts, n_shifts), 1
            if not self._goes_on(leader):
                return leader
            self._crew.foresee(self._next_of_leader, leader, shifts)
            self._advance(leader, 2 * leader.n_steps)
        return leader

    def _goes_on(self, leader):
        """Whether its steps may double."""
        n_steps = 2 * leader.n_steps
        is_spent = self._is_spent and n_steps > LEAST_STEPS
        return not (leader.is_over or n_steps > MOST_STEPS or is_spent)

    def _next_of_leader(self, leader, shifts, forks=(), others=()):
        """Yield what is asked of these forks, the leader, and a fork of it then.

        Forks with the other recipes may follow.
        """
        now, then = leader.n_steps, 2 * leader.n_steps
        yield from ((fork, now) for fork in forks)
        if self._goes_on(leader):
            yield leader, then
            first = shifts(leader.recipe)[:1]
            yield from ((leader.future_fork(r, then), then) for r in first)
        yield from ((leader.future_fork(r, now), now) for r in others)

    def _shifted(self, leader, shifts, n_shifts):
        """The leader, or a fork that has overtaken it."""
        n = len(shifts(leader.recipe)[:n_shifts])
        for i in range(n):
            there = self._followed(leader, shifts, i, n)
            if there is not leader:
                return there
        return leader

    def _followed(self, leader, shifts, i, n):
        """The last of the forks by the i-th shift, of n, that overtake one another."""
        while not self._is_spent and i < len(recipes := shifts(leader.recipe)):
            fork, others = leader.fork(recipes[i]), recipes[i + 1 : n]
            self._crew.foresee(self._next_of_leader, leader, shifts, [fork], others)
            self._advance(fork, leader.n_steps)
            if not mean_loss(fork) < mean_loss(leader):
                break
            leader, n = fork, i + 1
        return leader

    def _advance(self, contender, n_steps):
        """Train a contender on, and note what it shows."""
        task = self._round.part("contender").begin()
        self._left -= self._crew.advance(contender, n_steps)
        names, loss = contender.recipe.names, mean_loss(contender)
        row = {**names, "n_steps": contender.n_steps, "loss": loss}
        self._rows[contender.recipe] = row
        if self._verbose:
            told = ", ".join(f"{name}={value}" for name, value in names.items())
            print(f"{told}: held-out loss = {loss:.6f} after {contender.n_steps} steps")
        self._end(task, contender)
