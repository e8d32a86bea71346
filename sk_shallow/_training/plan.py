"""A plan: the objects that a training is made of."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite

from sk_shallow._arrays.design import formed
from sk_shallow._data.columns import read, table_of
from sk_shallow._data.encoding import Encoding, has_gaps
from sk_shallow._data.scaling import Standardizer, fold, unfold
from sk_shallow._inference.laplace import predictive
from sk_shallow._inference.residuals import bend
from sk_shallow._model.layout import Layout
from sk_shallow._model.objective import Objective
from sk_shallow.activations import Activation


def encoded(encoding, X):
    """X as a matrix, `Gathered` if large; sparse as it is, without an encoding.

    Samples need not come in the container of those that the encoding was fitted to,
    None for sparse ones.
    """
    is_kept = encoding is None or encoding.is_identity
    if sparse.issparse(X):
        if is_kept:
            return X
        X = read(table_of(X.toarray()), encoding.is_categorical)
    if encoding is None:
        assert_all_finite(X.numbers, input_name="X")
        return X.numbers
    if is_kept and not has_gaps(X.numbers):
        return X.numbers
    shape, dtype = (X.n_samples, encoding.n_columns), X.dtype
    return formed(shape, dtype, encoding.writer(X, dtype), X.numbers)


class Samples(NamedTuple):
    """What an objective sees of the data: [1 X̃], the codes Y, and the weights."""

    X: Any
    Y: np.ndarray
    sample_weight: np.ndarray | None


class Plan(NamedTuple):
    """From the columns of X to the weights in original units.

    The layout is that of the networks which the solver trains in one run: all members
    of a committee, or one. A fitted estimator keeps its plan, without the solver.
    `directions` tells in which inputs outputs are monotone; see `Layout.signs`.
    """

    layout: Layout
    activation: Activation
    coder: Any
    solver: Any
    encoding: Encoding | None
    x: Standardizer
    y: Standardizer
    directions: np.ndarray | None = None

    @property
    def one(self):
        """The plan of one member."""
        return self._replace(layout=self.layout.member)

    @property
    def of_run(self):
        """The plan of the networks that the solver trains in one run."""
        return self if self.solver.trains_together else self.one

    def inputs(self, X):
        """The columns of X, encoded: a matrix."""
        return encoded(self.encoding, X)

    def samples(self, data, dtype=None):
        """The samples in the solver's precision, or the one that is given."""
        dtype = dtype or self.solver.precision(data.n_samples)
        X = self.x.design(self.inputs(data.X), dtype)
        return Samples(X, self.coder.encode(data.y, self.y, dtype), data.sample_weight)

    def objective(self, samples, **penalty):
        """J over these samples."""
        network = self.layout, self.activation, self.coder.output_unit
        return Objective(*network, *samples, **penalty, directions=self.directions)

    def joined(self, weights, dtype):
        """The θ of each run, from the weights of each member."""
        n, one = self.layout.n_members, self.layout.member
        thetas = [one.pack(*each, dtype) for each in weights]
        return [self.layout.join(thetas[i : i + n]) for i in range(0, len(thetas), n)]

    def members(self, thetas):
        """b1, W1, W2, b2, V of every member in original units, from θ of each run."""
        one = self.layout.member
        layouts = [one._replace(n_members=len(run) // one.size) for run in thetas]
        pairs = zip(layouts, thetas, strict=True)
        split = [theta for layout, run in pairs for theta in layout.split(run)]
        units = self.coder.units(self.y)
        return [fold(one.view(theta), self.x, units) for theta in split]

    def means(self, Z2):
        """A2 in units of y, from outputs in such."""
        return self.coder.unit(self.y).mean(Z2)


def posterior_std(posteriors, members, inputs, plan, where, X):
    """The standard deviation of y, by the posteriors of the weights of the members.

    Parameters
    ----------
    posteriors : list of Laplace
    members : list of (b1, W1, W2, b2, V)
        In original units.
    inputs : {ndarray, csr} of shape (n_samples, n_inputs)
    plan : Plan
    where : Range or None
    X : ndarray of shape (n_samples, n_columns) or None
        The columns of numbers, beyond whose range the bars widen.

    Returns
    -------
    ndarray of shape (n_out, n_samples)
    """
    one = plan.layout.member
    units = plan.coder.units(plan.y)
    thetas = [one.pack(*unfold(*each, plan.x, units), np.float64) for each in members]
    network = one, plan.activation, plan.coder.output_unit
    _, std = predictive(posteriors, thetas, inputs, plan.x, plan.y, *network)
    return np.hypot(std, bend(where, X))
