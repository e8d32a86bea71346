"""Solvers: each minimises an objective of a flat vector, and knows nothing else.

A solver's dataclass fields are the hyperparameters that it honours.
"""

from dataclasses import fields

from sk_shallow._solvers._first_order import SGD, Adam, GradientDescent
from sk_shallow._solvers._lbfgs import LBFGS
from sk_shallow._solvers._recipe import constant

__all__ = ["SOLVERS", "choose", "constant", "honoured"]

SOLVERS = {"gd": GradientDescent, "sgd": SGD, "adam": Adam, "lbfgs": LBFGS}


def honoured(solver):
    """The names of the hyperparameters that this solver class has."""
    return {field.name for field in fields(solver)}


def choose(requested):
    """The name of the solver that `"auto"` stands for.

    Parameters
    ----------
    requested : set of str
        The hyperparameters that the user has set: the choice honours them all.

    Returns
    -------
    str
    """
    return next(
        name for name in ("adam", "sgd") if requested <= honoured(SOLVERS[name])
    )
