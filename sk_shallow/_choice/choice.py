"""The choice: the folds are made, and what they favour wins."""

from functools import partial
from numbers import Integral

from sk_shallow._choice.candidates import (
    N_FOLDS,
    affordable,
    allowance,
    neighbours,
    shifts,
)
from sk_shallow._choice.race import Race
from sk_shallow._data import folds
from sk_shallow._model.member_weights import MemberWeights
from sk_shallow._training.crew import crew_of
from sk_shallow._training.trial import Trial


def choose(
    problem, settings, facts, recipes, cv=None, verbose=False, told=None, n_jobs=None
):
    """The trial that the folds favour, and the table of the race.

    Parameters
    ----------
    problem : Problem
    settings : Settings
    facts : Facts
    recipes : list of Recipe
        Those to begin with.
    cv : int, splitter or list of (train, test), default=None
        The folds; None for one to each member.
    verbose : bool, default=False
    told : callable, default=None
        `told()` gives the Task that a race is, if there is one.
    n_jobs : int, default=None
        Trials that are trained at once.

    Returns
    -------
    winner : Trial or None
        None where nothing is, or can be, held out.
    table : dict of lists
    """
    n_members = N_FOLDS if settings.is_one else recipes[0].n_members
    problem, held_out = _folded(problem, settings, n_members if cv is None else cv)
    if not held_out:
        return None, {}
    n_samples, w = problem.data.n_samples, problem.data.sample_weight
    W = MemberWeights.dealt(n_samples, held_out, n_members, w)
    begin = partial(Trial, problem=problem, W=W)
    task = None if told is None else told()
    work = allowance(settings, facts)
    with crew_of(n_jobs, work) as crew:
        race = Race(begin, work, verbose, task, crew)
        winner = race.run(
            affordable(recipes, settings, facts),
            partial(neighbours, settings, facts),
            partial(shifts, settings, facts),
        )
    return winner, race.table()


def _folded(problem, settings, cv):
    """The problem with samples that can be dealt out, and those that each fold has."""
    if not settings.has_folds:
        return problem, []
    folded, units = problem, None
    if isinstance(cv, Integral):
        units = folds.Units.of(problem.data)
        folded = problem.told_apart(cv, units)
        units = units if folded is problem else None
    strata = problem.coder.strata(folded.data.y)
    return folded, folds.test_sets(folded.data, cv, strata, units)
