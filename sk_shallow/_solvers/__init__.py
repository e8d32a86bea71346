"""Solvers: each minimises an objective of a flat vector, and knows nothing else.

A solver's dataclass fields are the hyperparameters that it honours.
"""

from dataclasses import fields

from sk_shallow._solvers._first_order import SGD, Adam, GradientDescent
from sk_shallow._solvers._lbfgs import LBFGS
from sk_shallow._solvers._recipe import constant

__all__ = ["SOLVERS", "choose", "constant", "honoured"]

SOLVERS = {"gd": GradientDescent, "sgd": SGD, "adam": Adam, "lbfgs": LBFGS}

# Up to so many multiply-adds in one gradient, L-BFGS is the faster way to an optimum.
_LBFGS_COST = 5e6


def honoured(solver):
    """The names of the hyperparameters that this solver class has."""
    return {field.name for field in fields(solver)}


def choose(n_samples, n_parameters, requested, *, incremental=False):
    """The name of the solver that `"auto"` stands for.

    Parameters
    ----------
    n_samples, n_parameters : int
    requested : set of str
        The hyperparameters that the user has set: the choice honours them all.
    incremental : bool, default=False
        Whether it must be able to go on from its state, for `partial_fit`.

    Returns
    -------
    str or None
        None where no solver honours them all.
    """
    small = n_samples * n_parameters <= _LBFGS_COST
    preference = ("lbfgs", "adam", "sgd") if small else ("adam", "sgd", "lbfgs")
    for name in preference:
        solver = SOLVERS[name]
        if requested <= honoured(solver) and solver.incremental >= incremental:
            return name
    return None
