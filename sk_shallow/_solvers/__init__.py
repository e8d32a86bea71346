"""Solvers: each minimises an objective of a flat vector, and knows nothing else.

A solver's dataclass fields are the hyperparameters that it honours.
"""

from dataclasses import fields

from sk_shallow._solvers.first_order import SGD, Adam, GradientDescent
from sk_shallow._solvers.lbfgs import LBFGS
from sk_shallow._solvers.lm import LevenbergMarquardt

__all__ = [
    "LBFGS",
    "SGD",
    "SOLVERS",
    "Adam",
    "GradientDescent",
    "LevenbergMarquardt",
    "able",
    "honoured",
]

SOLVERS = {
    kind.name: kind for kind in (GradientDescent, SGD, Adam, LBFGS, LevenbergMarquardt)
}


def honoured(solver):
    """The names of the hyperparameters that this solver class has."""
    return {field.name for field in fields(solver)}


def able(requested):
    """The names of the solvers that honour these hyperparameters.

    Parameters
    ----------
    requested : collection of str

    Returns
    -------
    list of str
    """
    return [name for name in SOLVERS if set(requested) <= honoured(SOLVERS[name])]
