"""What a parameter or a weight may be. Errors in scikit-learn's words."""

from contextlib import contextmanager
from numbers import Integral, Real
from reprlib import Repr
from typing import NamedTuple

import numpy as np
from sklearn import config_context
from sklearn.utils import check_array

# Weights sum to so much at the most: their products with squares stay finite.
MOST_WEIGHT = 1e100
# What NumPy makes floats of, though it is no real number.
_NOT_REAL = (np.complexfloating, np.datetime64, np.timedelta64)
# Items of a value that are shown, characters of each, and of all together.
_ITEMS, _CHARACTERS, _LENGTH = 10, 80, 400
_REPR = Repr()
_REPR.maxlist = _REPR.maxtuple = _REPR.maxset = _REPR.maxfrozenset = _ITEMS
_REPR.maxdict = _REPR.maxarray = _REPR.maxdeque = _ITEMS
_REPR.maxstring = _REPR.maxlong = _CHARACTERS
_REPR.maxother = _LENGTH


def shown(value):
    """A value for a message: its repr, shortened where it is long."""
    try:
        text = _REPR.repr(value)
    except ValueError:  # an int of more digits than Python writes
        return f"<{type(value).__name__} instance>"
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}..."


@contextmanager
def shortened():
    """Shorten what is said of a value that is no number, where it is long."""
    try:
        yield
    except ValueError as error:
        text = str(error)
        if len(text) <= _LENGTH:
            raise
        half = _LENGTH // 2
        raise ValueError(f"{text[:half]}...{text[-half:]}") from None


def as_float(number):
    """A real number as a float; infinite where it is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return np.inf if number > 0 else -np.inf


def floats(values, name, wanted="numbers"):
    """An array as float64.

    Raises
    ------
    ValueError or TypeError
        Naming what cannot be converted, and what is wanted.
    """
    try:
        _check_real(values)
        return values.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{name} cannot be converted to float: {shown(str(error))}. Turn what it "
            f"holds into {wanted}."
        ) from error


def _check_real(values):
    """Refuse complex objects, which NumPy cuts to their real parts, and dates."""
    is_object = values.dtype.kind == "O"
    kinds = set(map(type, values.ravel())) if is_object else {values.dtype.type}
    for kind in kinds:
        if issubclass(kind, _NOT_REAL):
            raise TypeError(f"must be real numbers, not {kind.__name__!r}")


class InvalidParameterError(ValueError, TypeError):
    """A parameter has a wrong type or value."""


class Interval(NamedTuple):
    """A range of numbers of one kind."""

    kind: type
    low: float
    high: float = np.inf
    closed: str = "left"

    def __contains__(self, value):
        """Whether value is such a number; a bool is none."""
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, self.kind):
            return False
        value = self.plain(value)
        if value == self.low:
            return self.closed in ("left", "both")
        if value == self.high:
            return self.closed in ("right", "both")
        return self.low < value < self.high

    def plain(self, value):
        """Such a number as an int or a float of Python's."""
        return int(value) if self.kind is Integral else as_float(value)

    def __str__(self):
        """As scikit-learn writes it."""
        name = "an int" if self.kind is Integral else "a float"
        opening = "[" if self.closed in ("left", "both") else "("
        closing = "]" if self.closed in ("right", "both") else ")"
        return f"{name} in the range {opening}{self.low}, {self.high}{closing}"


class Names(tuple):
    """Some strings."""

    def __contains__(self, value):
        """Whether value is one of the strings."""
        return isinstance(value, str) and super().__contains__(value)

    def __str__(self):
        """As scikit-learn writes it."""
        return f"a str among {{{', '.join(map(repr, sorted(self)))}}}"


class Instance(NamedTuple):
    """The instances of a class."""

    kind: type
    description: str

    def __contains__(self, value):
        """Whether value is an instance."""
        return isinstance(value, self.kind)

    def __str__(self):
        """What they are."""
        return self.description


class Callable_:
    """Anything that can be called."""

    def __contains__(self, value):
        """Whether value can be called."""
        return callable(value)

    def __str__(self):
        """As scikit-learn writes it."""
        return "a callable"


class ArrayLike:
    """A list, a tuple, or an array that has a dimension."""

    def __contains__(self, value):
        """Whether value is one of them."""
        is_array = isinstance(value, np.ndarray) and value.ndim > 0
        return is_array or isinstance(value, (list, tuple))

    def __str__(self):
        """As scikit-learn writes it."""
        return "an array-like"


class Infinity:
    """The float that no count reaches."""

    def __contains__(self, value):
        """Whether value is infinite."""
        return isinstance(value, Real) and value == np.inf

    def __str__(self):
        """As NumPy writes it."""
        return "numpy.inf"


BOOL = Instance((bool, np.bool_), "a bool")
NONE = Instance(type(None), "None")
RANDOM_STATES = (
    Interval(Integral, 0, 2**32 - 1, "both"),
    Instance(np.random.RandomState, "a numpy.random.RandomState instance"),
    NONE,
)


def check_parameters(estimator, parameters):
    """Refuse parameters of a wrong type or range.

    Parameters
    ----------
    estimator : estimator
    parameters : dict
        What each parameter may be.

    Raises
    ------
    InvalidParameterError
        Naming the parameter, what is allowed, and what was given.
    """
    for name, value in estimator.get_params(deep=False).items():
        allowed = parameters.get(name)
        if allowed and not any(value in constraint for constraint in allowed):
            *most, last = map(str, allowed)
            described = f"{', '.join(most)} or {last}" if most else last
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(estimator).__name__} must be "
                f"{described}. Got {shown(value)} instead."
            )


def plain(value, allowed):
    """A value that a parameter may be; a number as an int or a float of Python's."""
    constraint = next(constraint for constraint in allowed if value in constraint)
    return constraint.plain(value) if isinstance(constraint, Interval) else value


@config_context(array_api_dispatch=False)
def check_sample_weight(sample_weight, n_samples):
    """The weights as a float64 vector.

    Raises
    ------
    ValueError
        If they are not one finite, non-negative number per sample, or all zero, or
        too large.
    """
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, as_float(sample_weight))
    how = {"ensure_2d": False, "dtype": None, "input_name": "sample_weight"}
    with shortened():
        w = check_array(sample_weight, **how, ensure_all_finite=False)
        w = check_array(floats(w, "sample_weight"), **how)
    if w.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {w.ndim}D array. Expected "
            f"either a scalar value or a 1D array of length {n_samples}."
        )
    if w.shape != (n_samples,):
        raise ValueError(f"sample_weight.shape == {w.shape}, expected {(n_samples,)}!")
    if (w < 0).any():
        raise ValueError("Negative values in data passed to `sample_weight`.")
    if not (w > 0).any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    check_total(w, "Sample weights")
    return w


def check_total(weights, name):
    """Refuse weights whose sum is too large."""
    with np.errstate(over="ignore"):
        total = weights.sum()
    if total > MOST_WEIGHT:
        raise ValueError(
            f"{name} must sum to at most {MOST_WEIGHT}. Got the sum {total}. Divide "
            "them by a constant."
        )
