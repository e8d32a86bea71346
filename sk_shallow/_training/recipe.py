"""A recipe: all that must be known before the first step."""

from typing import Any, NamedTuple

from sk_shallow.activations import ACTIVATIONS, Activation


class Binning(NamedTuple):
    """How columns of numbers become inputs: piecewise linear functions, if anything.

    Attributes
    ----------
    n_bins : int or None
        None leaves the columns as they are.
    quantiles : str
        Whose quantiles the edges are; see `_data.encoding.QUANTILES`.
    is_whitened : bool
        Whether the inputs are decorrelated.
    """

    n_bins: int | None = None
    quantiles: str = "rows"
    is_whitened: bool = False

    @property
    def unmixed(self):
        """The same, with the inputs one by one."""
        return self._replace(is_whitened=False)


AS_THEY_ARE, WHITENED = Binning(), Binning(is_whitened=True)
# Edges by the rows, and by the distinct values of columns where one is frequent.
PIECEWISE, MIXED = Binning(16, "rows"), Binning(16, "auto")
# By the values of `encoding`.
ENCODINGS = {
    None: AS_THEY_ARE,
    "piecewise": PIECEWISE,
    "piecewise_mixed": MIXED,
    "whitened": WHITENED,
}


class Recipe(NamedTuple):
    """One way to train.

    Attributes
    ----------
    solver : solver
        With the hyperparameters that were set; None in a fitted estimator.
    n_hidden : int
        Units of one member.
    activation : Activation
    binning : Binning
    alpha : float, str or ndarray
        The strength of the penalty, or how it is to be found.
    n_members : int
    has_path : bool, default=False
        Whether there is a linear path past the hidden layer.
    """

    solver: Any
    n_hidden: int
    activation: Activation
    binning: Binning
    alpha: Any
    n_members: int
    has_path: bool = False

    @property
    def activation_name(self):
        """The name of a registered activation; else the object."""
        names = {g: name for name, g in ACTIVATIONS.items() if name != "sigmoid"}
        return names.get(self.activation, self.activation)

    @property
    def encoding_name(self):
        """The value of `encoding`."""
        return {binning: name for name, binning in ENCODINGS.items()}[self.binning]

    @property
    def names(self):
        """The parameters that give an estimator this recipe."""
        return {
            "solver": self.solver.name,
            "n_hidden": self.n_hidden,
            "activation": self.activation_name,
            "encoding": self.encoding_name,
            "linear_path": self.has_path,
            "alpha": self.alpha,
        }
