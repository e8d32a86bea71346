"""The problem: the samples, and how the networks of a recipe see them."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from sk_shallow._data import folds
from sk_shallow._data.constraints import shown
from sk_shallow._data.encoding import MAX_CATEGORIES, Encoding
from sk_shallow._data.samples import Data
from sk_shallow._data.scaling import (
    SparseScaler,
    Standardizer,
    Whitener,
    input_spread,
    sparse_spread,
)
from sk_shallow._inference.residuals import Range
from sk_shallow._model.initializers import first_weights
from sk_shallow._model.layout import Layout
from sk_shallow._training.plan import Plan, encoded

# Weights of a committee, and weights of its samples for all its members, at the most.
_LARGEST = 2**31
# The standard deviation of a column between 0 and 1, at the least.
_LEAST_SD = 0.1
# A sparse matrix with fewer entries than this share of its cells stays sparse inside.
_DENSE = 0.1


@dataclass
class Problem:
    """The samples of a fit, and what holds for every recipe.

    Attributes
    ----------
    data : Data
        With positive weights.
    coder : Reals or Labels
    draw : callable
        One of the initializers.
    standardize : bool
    places_units : bool
        Whether the first hidden biases may put the units among the samples.
    seed : int
        Of the first weights and of the batches, the same for every recipe, and of the
        samples that tell how much features matter.
    directions : ndarray of shape (n_features,), default=None
        1 where outputs must not fall with a feature, -1 where they must not rise.
    encodings : dict
        Those that have been fitted, by their unmixed binning; None for sparse X.
    """

    data: Data
    coder: Any
    draw: Any
    standardize: bool
    places_units: bool
    seed: int
    directions: np.ndarray | None = None
    encodings: dict = field(default_factory=dict)

    def __post_init__(self):
        """Nothing has been measured yet."""
        self._scalers, self._samples = {}, {}

    def plan(self, recipe):
        """The objects that the recipe is made of."""
        encoding = self.encoding(recipe.binning)
        if encoding is None and recipe.encoding_name is not None:
            raise ValueError(
                f"encoding={recipe.encoding_name!r} was set, but X is sparse. Leave "
                "encoding at 'auto' or None, or pass X.toarray()."
            )
        x = self._scaler(recipe.binning)
        sizes = len(x.mean), recipe.n_hidden, self.coder.n_outputs
        layout = Layout(*sizes, recipe.n_members, recipe.has_path)
        _check_size(layout, self.data.n_samples)
        are_numbers = self.coder.are_numbers
        seen = self._seen(layout)
        solver = recipe.solver.sized(self.data.n_samples, seen, are_numbers)
        directions = self.directions
        if directions is not None and encoding is not None:
            directions = encoding.spread(directions)
        data = encoding, x, self.y, directions
        return Plan(layout, recipe.activation, self.coder, solver, *data)

    def samples(self, plan, binning):
        """The samples as the plan sees them, made once for each binning and dtype."""
        if plan.x is not self._scaler(binning):  # that of a stream
            return plan.samples(self.data)
        dtype = plan.solver.precision(self.data.n_samples)
        key = binning, np.dtype(dtype)
        if key not in self._samples:
            self._samples[key] = plan.samples(self.data)
        return self._samples[key]

    def rngs(self, n_members):
        """A generator for each member, and one for the batches."""
        return np.random.default_rng(self.seed).spawn(n_members + 1)

    def first(self, plan, rngs):
        """b1, W1, W2, b2, V of each member, in standardised units."""
        b2 = self.first_bias
        is_spread = self.places_units and plan.solver.places_units
        spread = plan.x.spread if is_spread else 0.0
        one = plan.layout.member
        how = self.draw, one, b2
        drawn = [first_weights(rng, *how, spread=spread) for rng in rngs]
        is_constant = self.coder.units(self.y).is_constant
        for _, _, W2, *_ in drawn:
            W2[:, is_constant] = 0  # what is constant is told by b2
        if plan.directions is not None:
            signs = one.view(one.signs(plan.directions))
            for _, W1, W2, *_ in drawn:
                for W, sign in ((W1, signs.W1), (W2, signs.W2)):
                    np.multiply(np.abs(W), sign, out=W, where=sign != 0)
        return drawn

    def encoding(self, binning):
        """What the columns become, one by one."""
        key = binning.unmixed
        if key not in self.encodings:
            self.encodings[key] = self._encoding(key)
        return self.encodings[key]

    def go_on(self, binning, encoding):
        """Encode as before, but for columns that have their first numbers.

        Returns
        -------
        ndarray of int
            Which these are, of the columns in the end.
        """
        now = encoding
        if encoding is not None:
            now = encoding.begun(self.data.X, self.data.sample_weight)
        self.encodings[binning.unmixed] = now
        if now is encoding:
            return np.arange(0)
        return np.flatnonzero(now.is_passed_through & ~encoding.is_passed_through)

    def agree(self, one, other):
        """Whether two binnings give the same columns."""
        first, second = self.encoding(one).ramps, self.encoding(other).ramps
        return np.array_equal(first.left, second.left)

    def told_apart(self, n_folds, units):
        """The same problem, its samples fit to be dealt into folds."""
        data = folds.told_apart(self.data, n_folds, units)
        return self if data is self.data else replace(self, data=data)

    @cached_property
    def y(self):
        """The standardizer of the targets."""
        if not self.standardize:
            return self.coder.no_standardizer()
        return self.coder.standardizer(self.data.y, self.data.sample_weight)

    @cached_property
    def first_bias(self):
        """The outputs of the best constant."""
        return self.coder.first_bias(self.data.y, self.data.weights, self.y)

    @cached_property
    def range(self):
        """Where the samples are; None for sparse X."""
        X, y, w = self.data.X, self.data.y, self.data.sample_weight
        return Range.of(X, self.data.weights, self.coder.standardizer(y, w).sd)

    def _encoding(self, binning):
        """Fitted, with the weights of the samples."""
        X, w = self.data.X, self.data.sample_weight
        if sparse.issparse(X):
            return None
        rules = {"n_bins": binning.n_bins, "quantiles": binning.quantiles}
        return Encoding.of(X, w, max_categories=MAX_CATEGORIES, clip=True, **rules)

    def _scaler(self, binning):
        """The standardizer of the inputs as they are encoded."""
        if binning not in self._scalers:
            X = encoded(self.encoding(binning), self.data.X)
            if binning.is_whitened:
                x = self._scaler(binning.unmixed)
                x = Whitener.after(x, X, self.data.sample_weight)
            else:
                x = self._measured(X, self.encoding(binning))
            self._scalers[binning] = x
        return self._scalers[binning]

    def _seen(self, layout):
        """The layout of the inputs that a sample has, on average."""
        X = self.data.X
        if not is_mostly_zeros(X):
            return layout
        return layout._replace(n_in=max(1, X.nnz // X.shape[0]))

    def _measured(self, X, encoding):
        """The standardizer of a matrix; rare indicators are not blown up."""
        if not self.standardize:
            return Standardizer.identity(X.shape[1])
        if is_mostly_zeros(X):
            spread = sparse_spread(X.shape[1])
            return SparseScaler.of(X, self.data.sample_weight, spread)
        least = 0.0
        if encoding is not None and not encoding.is_identity:
            least = np.where(encoding.is_passed_through, 0.0, _LEAST_SD)
        spread = input_spread(X.shape[1])
        return Standardizer.of(X, self.data.sample_weight, spread, least)


def is_mostly_zeros(X):
    """Whether X is a sparse matrix whose columns are scaled, but not centred."""
    return sparse.issparse(X) and X.nnz < _DENSE * X.shape[0] * X.shape[1]


def _check_size(layout, n_samples):
    """Refuse a committee that no memory holds."""
    size = max(layout.size, layout.n_members * n_samples)
    if size > _LARGEST:
        raise ValueError(
            f"n_hidden={shown(layout.n_hidden)} and n_estimators="
            f"{shown(layout.n_members)} make a network that is too large: at most "
            f"{_LARGEST} weights, and as many samples times members, are allowed. Set "
            "smaller ones."
        )
