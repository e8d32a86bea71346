"""What y is: numbers or class labels, coded as the columns of Y, and back.

A coder names its output unit, and turns y into Y and the outputs Z2 into predictions.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from scipy.special import logit

from sk_shallow._arrays.design import Indicators, row_blocks
from sk_shallow._data.constraints import as_float, shown
from sk_shallow._data.scaling import (
    RobustScaler,
    Standardizer,
    TargetScaler,
    Units,
)
from sk_shallow._model.losses import SquaredError
from sk_shallow._model.output_activations import number_unit
from sk_shallow._model.output_units import LogisticLoss, SoftmaxLoss

# What stands for nothing in a positive output.
_NOTHING = 1e-17
# The least share of a class that the first bias allows for.
_RAREST = 1e-6


def classes_of(y):
    """The distinct labels of a vector, sorted."""
    blocks = [np.unique(y[rows]) for rows, _ in row_blocks(len(y), 1)]
    return np.unique(np.concatenate(blocks))


def announced(classes, multilabel):
    """The labels that there will be, sorted; or as the columns of y, if multilabel.

    Raises
    ------
    ValueError
        If they are no vector of labels that can be sorted, without gaps.
    """
    told = np.asarray(classes)
    try:
        found, first = np.unique(told, return_index=True)
    except TypeError:  # there is no order
        found = told[:0]
    if told.ndim != 1 or not len(found) or (found != found).any():
        raise ValueError(
            "classes must be an array-like of shape (n_classes,), of labels of one "
            f"type, numbers or strings. Got {shown(classes)} instead."
        )
    return told[np.sort(first)] if multilabel else found


def _shape_of(y):
    """The number of targets, and whether y has one dimension."""
    return (1, True) if y.ndim == 1 else (y.shape[1], False)


@dataclass(frozen=True)
class Reals:
    """Real targets, standardised for training.

    Attributes
    ----------
    n_targets : int
    is_vector : bool
        Whether y has one dimension.
    output_unit : output unit
    levels : tuple of float
        Of the quantiles of each target, each an output; empty for one prediction of
        each.
    """

    n_targets: int
    is_vector: bool
    output_unit: Any
    levels: tuple = ()

    are_numbers, multilabel = True, False

    @classmethod
    def of(cls, y, loss="squared_error", activation="identity", levels=None):
        """The coder of a checked y.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        loss, activation : str
            See `number_unit`.
        levels : float, tuple of float or None
            Of quantiles.
        """
        (n_targets, is_vector), is_one = _shape_of(y), isinstance(levels, float)
        levels = (levels,) if is_one else levels or ()
        unit = number_unit(loss, activation, levels, n_targets)
        return cls(n_targets, is_vector, unit, () if is_one else levels)

    @property
    def n_levels(self):
        """How many quantiles of each target there are; 0 for one prediction."""
        return len(self.levels)

    @property
    def is_stacked(self):
        """Whether outputs stand upon each other."""
        return self.n_levels > 1

    @property
    def n_outputs(self):
        """The number of rows of Y."""
        return self.n_targets * max(1, self.n_levels)

    def codes_like(self, other):
        """Whether the other coder's outputs mean the same."""
        return self == other

    def check(self, y, name="y", is_all=False):
        """Refuse a y of another shape, or one that the loss is not for."""
        if _shape_of(y) != (self.n_targets, self.is_vector):
            raise ValueError(
                f"{name} has shape {y.shape}, but the network has {self.n_targets} "
                f"targets, of a {1 if self.is_vector else 2}-D y."
            )
        objection = self.output_unit.objection(y, is_all)
        if objection:
            raise ValueError(objection)

    def standardizer(self, y, sample_weight):
        """Of the targets: their location and spread, as the loss asks for."""
        unit, y = self.output_unit, self._columns(y)
        if unit.spread == "robust":
            return RobustScaler.of(y, sample_weight, unit.is_shifted)
        measured = Standardizer.of(y, sample_weight, name="y")
        if unit.is_shifted:
            return measured
        how = {"is_shifted": False, "by": unit.spread}
        return TargetScaler(**vars(measured), **how)

    def no_standardizer(self):
        """Targets as they are."""
        return Standardizer.identity(self.n_targets)

    def encode(self, y, standardizer, dtype):
        """Ỹ = (y - m)/s, a row for each output; 0 where y is constant, if shifted."""
        y = self._columns(y)
        Y = np.empty((self.n_outputs, len(y)), dtype)
        for rows, _ in row_blocks(*y.shape):
            some = standardizer.transform(y[rows]).T
            if self.output_unit.is_shifted:
                some[standardizer.is_constant] = 0
            with np.errstate(over="ignore"):
                Y[:, rows] = self.by_output(some)
        return Y

    def units(self, y):
        """Of the outputs, from the standardizer of the targets.

        Parameters
        ----------
        y : Standardizer

        Returns
        -------
        Units
        """
        unit, is_constant = self.output_unit, self.by_output(y.is_constant)
        mean, scale = unit.units(self.by_output(y.offset), self.by_output(y.scale))
        values = self.by_output((y.mean - y.offset) / y.scale)
        constant = mean + scale * unit.inverse(values, _NOTHING)
        return Units(np.where(is_constant, constant, mean), scale, is_constant)

    def unit(self, y):
        """The output unit for outputs in units of y."""
        return self.output_unit.scaled(self.by_output(y.scale))

    def first_bias(self, y, weights, standardizer):
        """The outputs of the best constant: inverse link of the location of y."""
        unit = self.output_unit
        if isinstance(unit, SquaredError):
            return 0.0
        Y = self.encode(y, standardizer, np.float64)
        return unit.inverse(unit.location(Y, weights))

    def around(self, level):
        """The outputs nearest to the bounds of an interval, low and high ones.

        Returns
        -------
        pair of ndarray of int of shape (n_targets,), or None
            None where each target has one output.
        """
        if not self.n_levels:
            return None
        levels = np.array(self.levels)
        first = np.arange(self.n_targets) * self.n_levels
        ends = (1 - level) / 2, (1 + level) / 2
        return tuple(first + np.abs(levels - end).argmin() for end in ends)

    def middle(self, told):
        """Of several quantiles the one nearest to the median."""
        if not self.n_levels:
            return told
        levels = np.array(self.levels)
        return told[..., np.abs(levels - 0.5).argmin()]

    def strata(self, y):
        """Real targets are split without regard to y."""
        return None

    def lacking(self, y):
        """What some numbers may lack to be judged: nothing."""
        return ""

    def decode(self, A2):
        """Outputs in the shape of y, with an axis for several levels at the end."""
        if self.n_levels:
            n_samples = A2.shape[-1]
            A2 = A2.reshape(self.n_targets, self.n_levels, n_samples).transpose(2, 0, 1)
            return A2[:, 0] if self.is_vector else A2
        return self.by_target(A2)

    def by_target(self, values):
        """Rows, one for each target, in the shape of y."""
        return values[0] if self.is_vector else values.T

    def by_output(self, values):
        """A row for each target as one for each output."""
        return np.repeat(values, self.n_levels, axis=0) if self.is_stacked else values

    def per_output(self, values):
        """A float where y is a vector, else an array with a number for each output."""
        return float(values[0]) if self.is_vector else values

    def _columns(self, y):
        """Y as (n_samples, n_targets)."""
        return y.reshape(-1, self.n_targets)


@dataclass(frozen=True)
class Labels:
    """The classes, and how they are coded.

    Attributes
    ----------
    classes : ndarray
        Sorted class labels; for multilabel targets the numbers of the labels, or their
        names, in the order of the columns of y.
    multilabel : bool
        Whether y is an indicator matrix, one column per label.
    """

    classes: np.ndarray
    multilabel: bool = False

    are_numbers = is_stacked = False

    @classmethod
    def of(cls, y, classes=None):
        """The labels of a checked y: a vector of labels, or an indicator matrix."""
        multilabel = y.ndim == 2
        found = np.arange(y.shape[1]) if multilabel else classes_of(y)
        if classes is None:
            return cls(found, multilabel)
        labels = cls(announced(classes, multilabel), multilabel)
        labels.check(y)
        return labels

    def check(self, y, name="y", is_all=False):
        """Refuse a y with other labels, or of another kind."""
        if (y.ndim == 2) != self.multilabel or (
            self.multilabel and y.shape[1] != len(self.classes)
        ):
            expected = (
                f"an indicator matrix with {len(self.classes)} columns"
                if self.multilabel
                else "a vector of labels"
            )
            raise ValueError(f"{name} has shape {y.shape}; expected {expected}.")
        if not self.multilabel:
            self.codes(y, name)

    def check_classes(self, classes):
        """Refuse classes that differ from these."""
        if classes is None:
            return
        if not np.array_equal(announced(classes, self.multilabel), self.classes):
            raise ValueError(
                f"`classes={shown(classes)}` is not the same as on last call to "
                f"partial_fit, was: {shown(self.classes)}"
            )

    @property
    def is_softmax(self):
        """Whether each class has an output of its own, and one of them is true."""
        return not self.multilabel and len(self.classes) != 2

    @property
    def n_outputs(self):
        """The number of columns of Y: one for two classes."""
        return len(self.classes) if self.multilabel or self.is_softmax else 1

    def codes(self, y, name="y"):
        """The position in `classes` of each label.

        Raises
        ------
        ValueError
            If y has a label that is not among the classes.
        """
        codes, others = np.empty(len(y), np.min_scalar_type(len(self.classes))), []
        for rows, _ in row_blocks(len(y), 1):
            try:
                found = np.searchsorted(self.classes, y[rows])
            except TypeError:  # labels of another type: none is known
                found = np.zeros(len(y[rows]), np.intp)
            found[found == len(self.classes)] = 0
            others.append(y[rows][self.classes[found] != y[rows]])
            codes[rows] = found
        unseen = np.unique(np.concatenate(others))
        if len(unseen):
            raise ValueError(
                f"{name} contains classes that are not among the known ones: "
                f"{shown(unseen.tolist())}. The known classes are "
                f"{shown(self.classes.tolist())}."
            )
        return codes

    @property
    def output_unit(self):
        """Softmax where the classes exclude each other, else logistic."""
        return SoftmaxLoss() if self.is_softmax else LogisticLoss()

    def codes_like(self, other):
        """Whether the other coder's outputs mean the same."""
        return (
            isinstance(other, Labels)
            and self.multilabel == other.multilabel
            and np.array_equal(self.classes, other.classes)
        )

    def standardizer(self, y, sample_weight):
        """Labels are not standardised."""
        return self.no_standardizer()

    def no_standardizer(self):
        """Targets as they are."""
        return Standardizer.identity(self.n_outputs)

    def units(self, y):
        """Of the outputs: logits have none."""
        return y

    def unit(self, y):
        """The output unit: logits have no units."""
        return self.output_unit

    def encode(self, y, standardizer, dtype):
        """Y: indicators of the labels, 0/1 for two classes, or one-hot columns."""
        if self.multilabel:
            return np.ascontiguousarray(y.T, dtype)
        classes = np.arange(len(self.classes))[-self.n_outputs :]
        return Indicators(self.codes(y), classes, dtype)

    def first_bias(self, y, weights, standardizer=None):
        """The output that gives every class or label its share: inverse link of Ȳ."""
        shares = self._shares(y, weights)
        if self.is_softmax:
            return np.log(np.maximum(shares, _RAREST))
        return logit(np.clip(shares[-self.n_outputs :], _RAREST, 1 - _RAREST))

    def _shares(self, y, weights):
        """The share of every class or label."""
        if self.multilabel:
            return weights @ y / weights.sum()
        return self._totals(y, weights) / weights.sum()

    def _totals(self, y, weights):
        """The weight of every class."""
        codes, totals = self.codes(y), np.zeros(len(self.classes))
        for rows, _ in row_blocks(len(y), 1):
            np.add.at(totals, codes[rows], weights[rows])
        return totals

    def strata(self, y):
        """The classes keep their shares in a split; label combinations do not."""
        return None if self.multilabel else self.codes(y)

    def lacking(self, y):
        """What a checked y lacks to be judged, in words; "" if nothing."""
        if self.multilabel:
            is_mixed = y.any(axis=0) & ~y.all(axis=0)
            words = "only ones or only zeros in the columns"
        else:
            is_mixed, words = np.isin(self.classes, y), "none of the classes"
        missing = self.classes[~is_mixed].tolist()
        return f"{words} {shown(missing)}" if missing else ""

    def decode(self, Z2):
        """The most probable labels, from the outputs Z2."""
        if self.multilabel:
            return (Z2.T > 0).astype(int)
        if self.is_softmax:
            return self.classes[Z2.argmax(axis=0)]
        return self.classes[(Z2[0] > 0).astype(int)]

    def per_class(self, h, Z2):
        """h of the outputs, a column per class: h(-z), h(z) where there are two."""
        if self.multilabel or self.is_softmax:
            return h(Z2).T
        return np.vstack([h(-Z2), h(Z2)]).T

    def decision(self, Z2):
        """The logits: one per class or label, or that of the second class of two."""
        return Z2.T if self.multilabel or self.is_softmax else Z2[0]

    def class_factors(self, class_weight, y, sample_weight):
        """The weight of each class.

        Parameters
        ----------
        class_weight : dict or "balanced"
            Weights by label; "balanced" gives every class the same total weight,
            S / (n_classes S_c), with S_c the total weight of class c.
        y : ndarray of shape (n_samples,)
        sample_weight : ndarray of shape (n_samples,)

        Returns
        -------
        ndarray of shape (n_classes,)

        Raises
        ------
        ValueError
            If the labels are multilabel, or a weight is not a number >= 0, or none of
            the classes of y has a positive one.
        """
        if self.multilabel:
            raise ValueError(
                "class_weight is for classes that exclude each other; y is a "
                "multilabel indicator matrix. Set class_weight=None, or use "
                "sample_weight."
            )
        totals = self._totals(y, sample_weight)
        if not isinstance(class_weight, dict):
            shares = np.count_nonzero(totals) * totals / sample_weight.sum()
            return np.divide(1, shares, out=np.ones_like(shares), where=shares > 0)
        labels = self.classes.tolist()
        unknown = [label for label in class_weight if label not in labels]
        if unknown and not set(labels) <= set(class_weight):
            raise ValueError(
                f"class_weight has weights for {shown(unknown)}, which are no classes. "
                f"The classes are {shown(labels)}."
            )
        factors = [class_weight.get(label, 1.0) for label in labels]
        are_numbers = all(isinstance(f, Real) for f in factors)
        factors = np.array([as_float(f) for f in factors] if are_numbers else [np.nan])
        in_range = (factors >= 0) & np.isfinite(factors)
        if not in_range.all() or not factors[totals > 0].any():
            raise ValueError(
                "The values of class_weight must be numbers in the range [0, inf), and "
                "that of at least one class in y positive. Got "
                f"{shown(class_weight)} instead."
            )
        return factors
