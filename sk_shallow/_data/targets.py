"""What y is: numbers or class labels, coded as the columns of Y, and back.

A coder names its output unit, and turns y into Y and the outputs Z2 into predictions.
"""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from scipy.special import logit

from sk_shallow._data.constraints import as_float, shown
from sk_shallow._data.scaling import Standardizer
from sk_shallow._model.output_units import LogisticLoss, SoftmaxLoss, SquaredError

# The least share of a class that the first bias allows for.
_RAREST = 1e-6


@dataclass(frozen=True)
class Reals:
    """Real targets, standardised for training.

    Attributes
    ----------
    n_outputs : int
    is_vector : bool
        Whether y has one dimension.
    """

    n_outputs: int
    is_vector: bool

    output_unit = SquaredError()

    @classmethod
    def of(cls, y):
        """The coder of a checked y."""
        return cls(1 if y.ndim == 1 else y.shape[1], y.ndim == 1)

    def codes_like(self, other):
        """Whether the other coder's outputs mean the same."""
        return self == other

    def check(self, y, name="y"):
        """Refuse a y of another shape."""
        if Reals.of(y) != self:
            raise ValueError(
                f"{name} has shape {y.shape}, but the network has {self.n_outputs} "
                f"outputs, of a {1 if self.is_vector else 2}-D y."
            )

    def standardizer(self, y, sample_weight):
        """Of the targets: m and s."""
        return Standardizer.of(self._columns(y), sample_weight, name="y")

    def encode(self, y, standardizer, dtype):
        """Ỹ = (y - m)/s, a column per sample; 0 where y is constant."""
        Y = standardizer.transform(self._columns(y)).T
        Y[standardizer.is_constant] = 0
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(Y, dtype)

    def first_bias(self, y, weights):
        """The mean of the standardised targets."""
        return 0.0

    def strata(self, y):
        """Real targets are split without regard to y."""
        return None

    def lacking(self, y):
        """What some numbers may lack to be judged: nothing."""
        return ""

    def decode(self, Z2):
        """Outputs in the shape of y."""
        return Z2[0] if self.is_vector else Z2.T

    def per_output(self, values):
        """A float where y is a vector, else an array with a number for each output."""
        return float(values[0]) if self.is_vector else values

    def _columns(self, y):
        """Y as (n_samples, n_outputs)."""
        return y.reshape(-1, self.n_outputs)


@dataclass(frozen=True)
class Labels:
    """The classes, and how they are coded.

    Attributes
    ----------
    classes : ndarray
        Sorted class labels; for multilabel targets the numbers of the labels.
    multilabel : bool
        Whether y is an indicator matrix, one column per label.
    """

    classes: np.ndarray
    multilabel: bool = False

    @classmethod
    def of(cls, y, classes=None):
        """The labels of a checked y: a vector of labels, or an indicator matrix."""
        multilabel = y.ndim == 2
        found = np.arange(y.shape[1]) if multilabel else np.unique(y)
        if classes is None:
            return cls(found, multilabel)
        labels = cls(np.unique(classes), multilabel)
        labels.check(y)
        return labels

    def check(self, y, name="y"):
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
        if classes is not None and not np.array_equal(np.unique(classes), self.classes):
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
        codes = np.searchsorted(self.classes, y)
        codes[codes == len(self.classes)] = 0
        unseen = np.unique(y[self.classes[codes] != y])
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
        return Standardizer.identity(self.n_outputs)

    def encode(self, y, standardizer, dtype):
        """Y: indicators of the labels, 0/1 for two classes, or one-hot columns."""
        if self.multilabel:
            return np.ascontiguousarray(y.T, dtype)
        codes = self.codes(y)
        if not self.is_softmax:
            return codes.astype(dtype)[None]
        Y = np.zeros((len(self.classes), len(codes)), dtype)
        Y[codes, np.arange(len(codes))] = 1
        return Y

    def first_bias(self, y, weights):
        """The output that gives every class or label its share: inverse link of Ȳ."""
        shares = self._shares(y, weights)
        if self.is_softmax:
            return np.log(np.maximum(shares, _RAREST))
        return logit(np.clip(shares[-self.n_outputs :], _RAREST, 1 - _RAREST))

    def _shares(self, y, weights):
        """The share of every class or label."""
        if self.multilabel:
            return weights @ y / weights.sum()
        totals = np.bincount(self.codes(y), weights, minlength=len(self.classes))
        return totals / weights.sum()

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
        totals = np.bincount(self.codes(y), sample_weight, minlength=len(self.classes))
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
