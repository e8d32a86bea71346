"""What was not set: the recipes that the folds choose from.

Where the user has left something open, a short list of recipes is tried, and from those
that lead the penalty moves on.
"""

from dataclasses import replace
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from sk_shallow._solvers import LBFGS, SGD, Adam, LevenbergMarquardt
from sk_shallow._training.problem import is_mostly_zeros
from sk_shallow._training.recipe import (
    AS_THEY_ARE,
    MIXED,
    PIECEWISE,
    WHITENED,
    Recipe,
)
from sk_shallow._training.trial import OVERHEAD, work_of_step
from sk_shallow.activations import Activation, Identity, ReLU, Tanh

# The penalties to begin with, of the columns as they are and in pieces; where none is
# tried; the factors between neighbours and between forks.
_ALPHAS, _ALPHAS_IN_PIECES = (10.0, 1.0, 0.1), (1.0, 10.0)
_ALPHA, _NEIGHBOUR, _SHIFT = 1.0, 10.0, 10**0.5
_LEAST, _MOST = 1e-4, 1e4
# With so many samples, edges by distinct values are worth a trial.
_MANY = 1000
# Numbers in an encoded design, at the most, unless its columns are few.
_LARGEST_DESIGN, _FEW_COLUMNS = 2e8, 640
# With so many encoded columns, one penalty is tried first.
_WIDE = 500
# Columns that are decorrelated, at the most.
_MOST_WHITENED = 500
# The units of one network, of one by second-order steps, of a member of a committee,
# and of one that is linear.
_N_HIDDEN, _N_HIDDEN_LM, _N_HIDDEN_MEMBER, _N_HIDDEN_LINEAR = 100, 20, 50, 10
# Of sparse X: units of a member, as many as there are outputs within these; members;
# the penalties to begin with, of which the last is the least that is tried; and these
# where samples have several labels, of which the rare ones are learned late.
_N_HIDDEN_SPARSE, _N_MEMBERS_SPARSE = (20, 50), 5
_ALPHAS_SPARSE, _ALPHAS_SPARSE_LABELS = (0.1, 0.01), (3.0,)
# The members of a committee, each without its fold; and the folds of one network.
N_MEMBERS, N_FOLDS = 10, 5
# A batch is a sixteenth of the samples, as a power of two within these.
_SHARE, _LEAST_BATCH, _MOST_BATCH = 16, 64, 256
# The work of a race: of each sample and input; and at the least.
_WORK, _LEAST_WORK = 6e5, 2e10
# Steps of a training that has to fit in it.
_SHORT = 100
# Its share where the activation is set, as in a grid over activations.
_SHARE_OF_WORK = 0.2
# So few units, of so few samples, are worth a solver that converges.
_FEW_UNITS, _FEW_SAMPLES = 32, 5000


class Facts(NamedTuple):
    """What there is to learn.

    Attributes
    ----------
    n_samples : float
        Their total weight: k copies are a sample of weight k.
    n_inputs : int
        Columns of the plain design.
    n_numeric : int
        Columns of numbers that can be binned: 0 for sparse X.
    has_frequent : bool
        Whether the edges of some columns depend on how they are chosen, if that is
        worth a trial.
    may_mix : bool
        Whether columns may be mixed: not where outputs are monotone in some of them.
    is_mostly_zeros : bool
        Whether X is sparse, and n_inputs the entries of a row, on average.
    n_outputs : int
        Output units.
    has_labels : bool
        Whether each of them is a label, of which a sample may have several.
    """

    n_samples: float
    n_inputs: int
    n_numeric: int
    has_frequent: bool
    may_mix: bool = True
    is_mostly_zeros: bool = False
    n_outputs: int = 1
    has_labels: bool = False

    @classmethod
    def of(cls, problem, settings):
        """Of the samples of a problem, as far as these settings ask for it."""
        X, encoding = problem.data.X, problem.encoding(AS_THEY_ARE)
        n_samples = float(problem.data.weights.sum())
        if encoding is None and is_mostly_zeros(X):
            n_inputs = X.nnz / X.shape[0]
            coder = problem.coder
            outputs = {"n_outputs": coder.n_outputs, "has_labels": coder.multilabel}
            return cls(n_samples, n_inputs, 0, False, is_mostly_zeros=True, **outputs)
        if encoding is None:
            return cls(n_samples, X.shape[1], 0, False)
        n_numeric = X.numbers.shape[1]
        is_asked = settings.races_encodings and n_samples >= _MANY
        is_asked = is_asked and _can_be_binned(n_samples, n_numeric)
        has_frequent = is_asked and not problem.agree(PIECEWISE, MIXED)
        may_mix = problem.directions is None
        return cls(n_samples, encoding.n_columns, n_numeric, has_frequent, may_mix)


class Settings(NamedTuple):
    """What the user has set, as objects; None is open.

    Attributes
    ----------
    solvers : list of solver
        The one that was set, or those that honour what else was set.
    n_hidden, n_members : int or None
    activation : Activation or None
    alpha : float, str, ndarray or None
    binnings : tuple of Binning or None
    is_one : bool
        Whether networks trained on all samples are wanted: one, or n_members.
    has_cv : bool
        Whether the folds are set.
    has_path : bool
        Whether there is a linear path.
    """

    solvers: list
    n_hidden: int | None
    n_members: int | None
    activation: Activation | None
    alpha: Any
    binnings: tuple | None
    is_one: bool
    has_cv: bool
    has_path: bool = False

    @property
    def has_race(self):
        """Whether something is left for the folds to choose, beside the steps."""
        return not self.is_one or self.alpha is None

    @property
    def is_second_order(self):
        """Whether curvature finds α, or is told several."""
        kinds = {type(solver) for solver in self.solvers}
        is_number = self.alpha is None or isinstance(self.alpha, Real)
        return kinds == {LevenbergMarquardt} or not is_number

    @property
    def races_encodings(self):
        """Whether the encoding is for the folds to choose."""
        return self.binnings is None and self.has_race and not self.is_second_order

    @property
    def has_folds(self):
        """Whether the members of a trial are held-out networks."""
        return (self.has_race or self.has_cv) and not self.is_second_order


def candidates(settings, facts):
    """The recipes to begin with.

    Returns
    -------
    list of Recipe
    """
    recipes = [
        _recipe(settings, facts, solver, binning, activation, alpha)
        for solver in _solvers(settings, facts)
        for activation in _activations(settings, facts, solver)
        for binning in _binnings(settings, facts, solver, activation)
        for alpha in _alphas(settings, facts, solver, binning)
    ]
    return recipes if settings.has_race else recipes[:1]


def affordable(recipes, settings, facts):
    """The first of the recipes, and those of which the allowance can pay a trial."""
    first, *others = recipes
    most = allowance(settings, facts)
    return [first, *(r for r in others if _least_work(r, facts) <= most)]


def incremental(settings):
    """The recipe of `partial_fit`, which sees some samples at a time.

    Returns
    -------
    Recipe
    """
    solvers = [solver for solver in settings.solvers if solver.incremental]
    chosen = [s for s in solvers if isinstance(s, Adam)] or solvers
    alpha = settings.alpha if isinstance(settings.alpha, Real) else _ALPHA
    known = settings._replace(is_one=True, solvers=chosen[:1], alpha=alpha)
    return candidates(known, Facts(0, 0, 0, False))[0]


def continued(settings, recipe, kind, is_incremental=False):
    """A recipe with what has been set since: for its networks to be trained on.

    Parameters
    ----------
    settings : Settings
    recipe : Recipe
        Of the fitted networks.
    kind : type
        That of the solver which has trained them.
    is_incremental : bool, default=False
        Whether only some samples will be seen at a time.

    Returns
    -------
    Recipe
    """
    solvers = [s for s in settings.solvers if s.incremental or not is_incremental]
    if not isinstance(settings.alpha, Real | None):
        solvers = [s for s in solvers if s.finds_alpha] or solvers
    kinds = kind, Adam, object
    solver = next(s for one in kinds for s in solvers if isinstance(s, one))
    alpha = recipe.alpha if settings.alpha is None else settings.alpha
    if settings.alpha is None and not (solver.finds_alpha or isinstance(alpha, Real)):
        alpha = _ALPHA
    activation = settings.activation or recipe.activation
    return recipe._replace(solver=solver, alpha=alpha, activation=activation)


def allowance(settings, facts):
    """The multiplications that a race may take; less where the activation is set.

    They take about the time of MLPClassifier's default fit.
    """
    work = _LEAST_WORK + _WORK * facts.n_samples * (facts.n_inputs + OVERHEAD)
    return work if settings.activation is None else _SHARE_OF_WORK * work


def unjudged(settings, recipe):
    """The recipe where nothing can be held out to judge it by."""
    is_open = settings.alpha is None and not isinstance(recipe.alpha, str)
    return recipe._replace(alpha=_ALPHA) if is_open else recipe


def neighbours(settings, facts, recipe):
    """Recipes with a larger and with a smaller α."""
    return _shifted(settings, facts, recipe, (_NEIGHBOUR, 1 / _NEIGHBOUR))


def shifts(settings, facts, recipe):
    """Recipes that a fork may go on with: a smaller α, or a larger one.

    None of sparse X, whose weights are many times the samples: a way back to fork from
    would be as large again.
    """
    if facts.is_mostly_zeros:
        return []
    return _shifted(settings, facts, recipe, (1 / _SHIFT, _SHIFT))


def _shifted(settings, facts, recipe, factors):
    """The recipe with α times these factors."""
    if settings.alpha is not None or isinstance(recipe.alpha, str):
        return []
    alphas = [float(f"{recipe.alpha * factor:.2g}") for factor in factors]
    least = _alphas_of_zeros(facts)[-1] if facts.is_mostly_zeros else _LEAST
    least = max(least, 1 / facts.n_samples)
    return [recipe._replace(alpha=a) for a in alphas if least <= a <= _MOST]


def _least_work(recipe, facts):
    """The work of a short training by minibatches, about."""
    n_bins, n_rows = recipe.binning.n_bins or 1, min(_LEAST_BATCH, facts.n_samples)
    n_inputs = facts.n_inputs + (n_bins - 1) * facts.n_numeric
    n_units = recipe.n_hidden * recipe.n_members
    return work_of_step(n_inputs, n_units, n_rows) * _SHORT


def _recipe(settings, facts, solver, binning, activation, alpha):
    """One recipe, with what was set."""
    n_most = _N_MEMBERS_SPARSE if facts.is_mostly_zeros else N_MEMBERS
    n_members = settings.n_members or (1 if settings.is_one else n_most)
    n_hidden = settings.n_hidden or _n_hidden(settings, facts, solver, activation)
    sizes = n_members, settings.has_path
    return Recipe(solver, n_hidden, activation, binning, alpha, *sizes)


def _n_hidden(settings, facts, solver, activation):
    """The number of units where it was not set."""
    if isinstance(solver, LevenbergMarquardt):
        return _N_HIDDEN_LM
    if settings.is_one:
        return _N_HIDDEN
    if facts.is_mostly_zeros:
        return int(np.clip(facts.n_outputs, *_N_HIDDEN_SPARSE))
    is_linear = isinstance(activation, Identity) and settings.activation is None
    return _N_HIDDEN_LINEAR if is_linear else _N_HIDDEN_MEMBER


def _solvers(settings, facts):
    """The solvers to try."""
    if settings.is_second_order:
        kinds = (LevenbergMarquardt,)
    elif len(settings.solvers) == 1:
        kinds = (object,)
    elif _suits_lbfgs(settings, facts):
        kinds = (LBFGS,)
    else:
        kinds = (Adam,)
    able = [solver for solver in settings.solvers if isinstance(solver, kinds)]
    able = able or [s for s in settings.solvers if isinstance(s, SGD)]
    return [_with_batches(s, facts) if settings.has_race else s for s in able]


def _suits_lbfgs(settings, facts):
    """Whether a solver that converges is worth its time, and free to do so."""
    is_small = settings.is_one and (settings.n_hidden or _N_HIDDEN) <= _FEW_UNITS
    is_small = is_small and facts.n_samples <= _FEW_SAMPLES
    is_free = any(isinstance(s, LBFGS) and not s.max_iter for s in settings.solvers)
    return settings.has_race and is_small and is_free


def _with_batches(solver, facts):
    """The solver, with a batch size if it has one that is open."""
    if getattr(solver, "batch_size", 0) is not None:
        return solver
    size = 2 ** round(np.log2(max(1, facts.n_samples / _SHARE)))
    return replace(solver, batch_size=int(np.clip(size, _LEAST_BATCH, _MOST_BATCH)))


def _activations(settings, facts, solver):
    """The activations to try."""
    if settings.activation is not None:
        return [settings.activation]
    if isinstance(solver, LevenbergMarquardt):
        return [Tanh()]
    is_set = len(settings.solvers) == 1 and isinstance(solver, Adam | SGD)
    if is_set or not settings.has_race or facts.is_mostly_zeros:
        return [ReLU()]
    more = [Tanh()] if isinstance(solver, LBFGS) else []
    return [ReLU(), *more, Identity()]


def _binnings(settings, facts, solver, activation):
    """The encodings to try."""
    if settings.binnings is not None:
        return settings.binnings
    is_plain = isinstance(activation, Identity) and settings.activation is None
    is_plain |= isinstance(solver, LevenbergMarquardt) or not settings.has_race
    if is_plain or not _can_be_binned(facts.n_samples, facts.n_numeric):
        return [AS_THEY_ARE]
    mixed = [MIXED] if facts.has_frequent else []
    is_mixable = facts.may_mix and 1 < facts.n_inputs <= _MOST_WHITENED
    whitened = [WHITENED] if is_mixable else []
    return [AS_THEY_ARE, *whitened, PIECEWISE, *mixed]


def _can_be_binned(n_samples, n_numeric):
    """Whether there are columns of numbers, and room for all their bins."""
    n_columns = n_numeric * PIECEWISE.n_bins
    is_small = n_columns <= _FEW_COLUMNS or n_samples * n_columns <= _LARGEST_DESIGN
    return n_columns > 0 and is_small


def _alphas(settings, facts, solver, binning):
    """The penalties to begin with."""
    if settings.alpha is not None:
        return [settings.alpha]
    if isinstance(solver, LevenbergMarquardt):
        return ["evidence"]
    if isinstance(solver, LBFGS):
        return [_ALPHA]
    if facts.is_mostly_zeros:
        return _alphas_of_zeros(facts)
    if binning == AS_THEY_ARE:
        return _ALPHAS
    if binning == WHITENED:
        return [_ALPHA]
    is_wide = facts.n_numeric * PIECEWISE.n_bins > _WIDE
    return _ALPHAS_IN_PIECES[:1] if is_wide or binning == MIXED else _ALPHAS_IN_PIECES


def _alphas_of_zeros(facts):
    """The same of sparse X; none below the last is tried."""
    return _ALPHAS_SPARSE_LABELS if facts.has_labels else _ALPHAS_SPARSE
