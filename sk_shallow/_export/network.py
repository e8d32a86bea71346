"""A fitted network as plain arrays and names: what every export is written from.

The inputs of the hidden layer are made of the columns x of X, one by one:

    ramp     min(max((x - left)/width, low), high), with the mean in place of a gap
    gap      1 where x is NaN
    label    1 where x is the code of a label, `left`

Where each class has a column of its own, two classes have the outputs (-z, z).
"""

from dataclasses import astuple
from typing import Any, NamedTuple

import numpy as np

from sk_shallow._model.links import Link
from sk_shallow.activations import ACTIVATIONS, Activation

RAMP, GAP, LABEL = 0, 1, 2
# The name of each activation, by its class; of two names the first.
_NAMES = {type(g): name for name, g in reversed(ACTIVATIONS.items())}


class Inputs(NamedTuple):
    """What each input of the hidden layer is; a number of each for every one of them.

    Attributes
    ----------
    feature : ndarray of int
        Which column of X it is made of.
    kind : ndarray of int
        RAMP, GAP or LABEL.
    mean, left, width, low, high : ndarray
        See above.
    """

    feature: np.ndarray
    kind: np.ndarray
    mean: np.ndarray
    left: np.ndarray
    width: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def plain(cls, mean):
        """The columns themselves; a mean of NaN leaves gaps as they are."""
        zeros, ones = np.zeros(len(mean)), np.ones(len(mean))
        bounds = -np.inf * ones, np.inf * ones
        number = np.arange(len(mean))
        return cls(number, zeros.astype(int), mean, zeros, ones, *bounds)

    @classmethod
    def of(cls, encoding):
        """Those of an `Encoding`."""
        ramps, begin, rows = encoding.ramps, 0, []
        for j, (one, is_categorical) in enumerate(
            zip(encoding.features, encoding.is_categorical, strict=True)
        ):
            if is_categorical:
                rows += _of_labels(j, one)
                continue
            end = begin + one.n_columns
            kinds = [RAMP] * one.n_ramps + [GAP] * one.missing
            numbers = (ramps.left, ramps.width, ramps.low, ramps.high)
            parts = (part[begin:end] for part in numbers)
            rows += [
                (j, kind, one.mean, *r) for kind, *r in zip(kinds, *parts, strict=True)
            ]
            begin = end
        columns = zip(*rows, strict=True)
        return cls(*map(np.array, columns))

    @property
    def passed(self):
        """Which inputs are columns as they are."""
        is_bounded = np.isfinite(self.low) | np.isfinite(self.high)
        return (self.kind == RAMP) & ~is_bounded & (self.width == 1)

    @property
    def are_columns(self):
        """Whether they are the columns of X, one by one."""
        in_turn = np.array_equal(self.feature, np.arange(len(self.feature)))
        return in_turn and bool(self.passed.all())

    @property
    def fill_gaps(self):
        """Whether there is anything to stand for a gap."""
        return bool(np.isfinite(self.mean).any())


def _of_labels(j, levels):
    """The inputs that a column of labels becomes: one for each group shown."""
    groups = levels.groups
    are_gaps = [g < len(groups) and groups[g] == (None,) for g in levels.shown]
    rest = 1.0, 0.0, 1.0
    return [
        (j, GAP if is_gap else LABEL, 0.0, float(g), *rest)
        for g, is_gap in zip(levels.shown, are_gaps, strict=True)
    ]


class Codes(NamedTuple):
    """The numbers that stand for the labels of a column; others have none."""

    labels: list
    codes: np.ndarray

    @classmethod
    def of(cls, levels):
        """Labels that share an indicator share a code."""
        pairs = [
            (label, g)
            for g, group in enumerate(levels.groups)
            for label in group
            if label is not None
        ]
        return cls([label for label, _ in pairs], np.array([g for _, g in pairs], int))


class Network(NamedTuple):
    """Weights, names and columns of a fitted network.

    Attributes
    ----------
    b1, W1, W2, b2, V : ndarray
        Those of the inputs; V has no rows without a linear path. Of shapes (n_units,),
        (n_inputs, n_units), (n_units, n_out), (n_out,) and (n_inputs, n_out).
    activation : Activation
        g.
    link : Link
        h.
    inputs : Inputs
    codes : dict of Codes
        Of each column of labels, by its number.
    center : ndarray of shape (n_inputs,)
        About where the inputs are.
    n_features : int
    names : list of str or None
        Of the columns.
    classes : ndarray or None
        None for numbers.
    is_multilabel : bool
    """

    b1: np.ndarray
    W1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray
    V: np.ndarray
    activation: Activation
    link: Link
    inputs: Inputs
    codes: dict
    center: np.ndarray
    n_features: int
    names: list | None = None
    classes: Any = None
    is_multilabel: bool = False

    @classmethod
    def of(cls, weights, plan, names=None):
        """From b1, W1, W2, b2, V of a fitted network, and its plan."""
        encoding, coder = plan.encoding, plan.coder
        is_kept = encoding is None or encoding.is_identity
        codes = {
            int(j): Codes.of(encoding.features[j])
            for j in ([] if is_kept else np.flatnonzero(encoding.is_categorical))
        }
        return cls(
            *weights,
            plan.activation,
            coder.unit(plan.y).link(weights[1].dtype),
            Inputs.plain(_means(plan)) if is_kept else Inputs.of(encoding),
            codes,
            plan.x.mean,
            plan.layout.n_in if encoding is None else len(encoding.features),
            names,
            getattr(coder, "classes", None),
            getattr(coder, "multilabel", False),
        )

    @property
    def n_out(self):
        """Number of outputs."""
        return len(self.b2)

    @property
    def path(self):
        """V, of zeros without a linear path."""
        return self.V if len(self.V) else np.zeros((len(self.W1), self.n_out))

    def activation_named(self, names, target, reason=""):
        """The name of g and its numbers, if it is among the names; else an error."""
        name = _NAMES.get(type(self.activation))
        if name not in names:
            raise ValueError(
                f"{target} has no activation {name or self.activation!r}: it has "
                f"{', '.join(names)}.{reason}"
            )
        return name, astuple(self.activation)

    def of_each_class(self):
        """The network with a column of probabilities for each class."""
        if self.classes is None or self.is_multilabel or self.link.name != "logistic":
            return self
        W2, b2, V = (np.concatenate([-w, w], axis=-1) for w in self[2:5])
        return self._replace(W2=W2, b2=b2, V=V)

    def in_precision(self, dtype):
        """The network as these floats; columns as they are begin at their centers.

        The center of a column is subtracted first, b1 + center W1 in double: single
        precision then holds what the column tells, whatever its mean.
        """
        wide = self._replace(**_as(np.float64, self, ("b1", "W1", "W2", "b2", "V")))
        table = self.inputs
        if np.dtype(dtype) != np.float64:
            center = np.where(table.passed, self.center, 0.0)
            table = table._replace(left=table.left + center)
            wide = wide._replace(
                b1=wide.b1 + center @ wide.W1, b2=wide.b2 + center @ wide.path
            )
        largest = np.finfo(dtype).max
        low, high = np.maximum(table.low, -largest), np.minimum(table.high, largest)
        table = table._replace(low=low, high=high)
        floats = _as(dtype, wide, ("b1", "W1", "W2", "b2", "V"))
        numbers = _as(dtype, table, ("mean", "left", "width", "low", "high"))
        return wide._replace(**floats, inputs=table._replace(**numbers))

    def labels_of(self, j):
        """The labels of column j as an array; an error if they are more than that."""
        return listed(self.codes[j].labels, f"column {self.name(j)!r}")

    def name(self, j):
        """Of column j."""
        return f"x{j}" if self.names is None else str(self.names[j])


def _means(plan):
    """What stands for a gap in each column; NaN where nothing does."""
    if plan.encoding is None:
        return np.full(plan.layout.n_in, np.nan)
    return np.array([float(one.mean) for one in plan.encoding.features])


def _as(dtype, values, names):
    """These fields of a tuple as floats of a dtype; an error if they overflow."""
    with np.errstate(over="ignore"):
        found = {name: np.asarray(getattr(values, name), dtype) for name in names}
    if any(np.isinf(array).any() for array in found.values()):
        raise ValueError(
            f"Some numbers of the network overflow in {np.dtype(dtype)}. Take float64."
        )
    return found


def listed(labels, where):
    """Labels as an array of strings, numbers or booleans; an error if they are mixed.

    Labels of other types would have to be pickled.
    """
    labels = list(labels)
    array = np.array(labels) if labels else np.array([], dtype=str)
    is_plain = array.dtype.kind in "Uifb" and array.ndim == 1
    if not is_plain or [*map(type, array.tolist())] != [*map(_type_of, labels)]:
        raise ValueError(
            f"The labels of {where} are not all strings, all ints, all floats or all "
            "booleans: they cannot be written without pickle."
        )
    return array


def _type_of(label):
    """The type of a label, as Python has it."""
    return type(label.item() if isinstance(label, np.generic) else label)
