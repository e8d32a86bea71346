"""What may come in: parameters, X, y and weights. Errors in scikit-learn's words."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.metrics import get_scorer_names
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from sk_shallow._data.samples import Data
from sk_shallow._model.initializers import INITIALIZERS
from sk_shallow._solvers import SOLVERS, honoured
from sk_shallow.activations import ACTIVATIONS, Activation


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
        if value == self.low:
            return self.closed in ("left", "both")
        if value == self.high:
            return self.closed in ("right", "both")
        return bool(self.low < value < self.high)

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


BOOL = Instance((bool, np.bool_), "a bool")
NONE = Instance(type(None), "None")
RANDOM_STATES = (
    Interval(Integral, 0, 2**32 - 1, "both"),
    Instance(np.random.RandomState, "a numpy.random.RandomState instance"),
    NONE,
)

# What each parameter may be.
PARAMETERS = {
    "n_hidden": (Interval(Integral, 1), NONE),
    "activation": (
        Names((*ACTIVATIONS, "auto")),
        Instance(Activation, "an Activation object"),
    ),
    "solver": (Names((*SOLVERS, "auto")),),
    "alpha": (
        Interval(Real, 0.0),
        Names(("evidence", "ard")),
        Instance((list, tuple, np.ndarray), "an array-like"),
        NONE,
    ),
    "n_estimators": (Interval(Integral, 1), NONE),
    "n_jobs": (Interval(Integral, -np.inf), NONE),
    "class_weight": (Names(("balanced",)), Instance(dict, "a dict"), NONE),
    "init": (Names(INITIALIZERS),),
    "standardize": (BOOL,),
    "batch_size": (Interval(Integral, 1), NONE),
    "learning_rate_init": (Interval(Real, 0.0, closed="neither"), NONE),
    "momentum": (Interval(Real, 0.0, 1.0), NONE),
    "nesterovs_momentum": (BOOL, NONE),
    "max_iter": (Interval(Integral, 1), NONE),
    "tol": (Interval(Real, 0.0),),
    "n_iter_no_change": (Interval(Integral, 1),),
    "early_stopping": (BOOL,),
    "validation_fraction": (Interval(Real, 0.0, 1.0, "neither"),),
    "scoring": (Names(("loss", *get_scorer_names())), Callable_()),
    "warm_start": (BOOL,),
    "random_state": RANDOM_STATES,
    "verbose": (BOOL, Interval(Integral, 0)),
}


def check_parameters(estimator):
    """Refuse parameters of a wrong type or range.

    Raises
    ------
    InvalidParameterError
        Naming the parameter, what is allowed, and what was given.
    """
    for name, value in estimator.get_params(deep=False).items():
        allowed = PARAMETERS.get(name)
        if allowed and not any(value in constraint for constraint in allowed):
            *most, last = map(str, allowed)
            described = f"{', '.join(most)} or {last}" if most else last
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(estimator).__name__} must be "
                f"{described}. Got {value!r} instead."
            )


_NUMBERS = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}


def check_X(estimator, X):
    """X as a finite float32 or float64 array, or as CSR without duplicate entries."""
    return _canonical(validate_data(estimator, X, reset=False, **_NUMBERS))


def check_regression_data(estimator, X, y, sample_weight, *, reset=True):
    """Checked data with y of one dimension, or (n_samples, n_outputs), float64."""
    options = {"multi_output": True, "y_numeric": True, "reset": reset, **_NUMBERS}
    X, y = validate_data(estimator, X, y, **options)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    return _without_absent(_canonical(X), y.astype(np.float64), sample_weight)


def check_classification_data(estimator, X, y, sample_weight, *, reset=True):
    """Checked data with y a vector of labels, or a dense indicator matrix."""
    options = {"multi_output": True, "reset": reset, **_NUMBERS}
    X, y = validate_data(estimator, X, y, **options)
    check_classification_targets(y)
    if y.ndim == 2 and type_of_target(y).startswith("multilabel"):
        y = y.toarray() if sparse.issparse(y) else np.asarray(y)
        if not np.isin(y, (0, 1)).all():
            raise ValueError(
                "A multilabel y must be an indicator matrix of zeros and ones. Got the "
                f"values {np.unique(y)[:5].tolist()}."
            )
    elif y.ndim == 2 and y.shape[1] > 1:
        raise ValueError(
            "y must be a vector of labels, or a multilabel indicator matrix of zeros "
            f"and ones. Got an array of shape {y.shape} with other values."
        )
    else:
        y = column_or_1d(y, warn=True)
    return _without_absent(_canonical(X), y, sample_weight)


def check_sample_weight(sample_weight, n_samples):
    """The weights as a float64 vector.

    Raises
    ------
    ValueError
        If they are not one finite, non-negative number per sample, or all zero.
    """
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, float(sample_weight))
    w = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
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
    return w


def check_alpha(alpha, n_features, n_estimators):
    """α as a str, a float or an array.

    Raises
    ------
    ValueError
        If an array has neither two numbers, for W1 and W2, nor one for each feature and
        one for W2, nor a row of those for each member; or if a number is negative.
    """
    if isinstance(alpha, str):
        return alpha
    if isinstance(alpha, Real):
        return float(alpha)
    alphas = check_array(alpha, ensure_2d=False, dtype=np.float64, input_name="alpha")
    alphas = np.atleast_1d(alphas)
    *rows, n_groups = alphas.shape
    if n_groups not in (2, n_features + 1) or rows not in ([], [n_estimators]):
        raise ValueError(
            f"alpha has shape {alphas.shape}. Expected 2 numbers, for W1 and W2, or "
            f"{n_features + 1}, for each feature and W2; or a row of them for each of "
            f"the {n_estimators} members."
        )
    if (alphas < 0).any():
        raise ValueError(f"alpha has negative values: {alphas[alphas < 0][:5]}.")
    return alphas


def finds_alpha(alpha):
    """Whether alpha asks for more than one known number."""
    return not (alpha is None or isinstance(alpha, Real))


def check_validation_data(early_stopping, X_val, y_val, sample_weight_val):
    """Refuse half a validation set, or one that nothing would use."""
    if X_val is None and y_val is None:
        if sample_weight_val is not None:
            raise ValueError(
                "sample_weight_val is provided, but X_val was not provided."
            )
        return
    for given, missing, value in (("X_val", "y_val", y_val), ("y_val", "X_val", X_val)):
        if value is None:
            raise ValueError(f"{given} is provided, but {missing} was not provided.")
    if not early_stopping:
        raise ValueError(
            "X_val and y_val are passed to fit while at the same time early_stopping "
            "is False. When passing X_val and y_val to fit, early_stopping should be "
            "set to True."
        )


def check_no_early_stopping(early_stopping):
    """Refuse early stopping in `partial_fit`."""
    if early_stopping:
        raise ValueError(
            "partial_fit does not support early_stopping=True, as it never holds "
            "samples out. Set early_stopping=False."
        )


def check_score(score, scoring):
    """The score as a finite number."""
    score = float(score)
    if not np.isfinite(score):
        raise ValueError(
            f"scoring={scoring!r} gives {score} on the validation samples. Use a "
            "scorer that is defined on them, or give others as X_val and y_val."
        )
    return score


def check_weights(weights, dtype):
    """The fitted weights in the precision of X.

    Raises
    ------
    ValueError
        If they do not fit in it.
    """
    with np.errstate(over="ignore"):
        weights = [np.asarray(w, dtype) for w in weights]
    if not all(np.isfinite(w).all() for w in weights):
        raise ValueError(
            f"The fitted weights overflow in {np.dtype(dtype)}, the precision of X. "
            "Pass X as float64, or divide y by a constant."
        )
    return weights


def check_honoured(solver, requested, alpha):
    """Refuse what the chosen solver does not have."""
    if finds_alpha(alpha) and not SOLVERS[solver].finds_alpha:
        raise ValueError(
            f"solver={solver!r} takes one number as alpha. Got alpha={alpha!r}. Use "
            "solver='lm', or leave solver at 'auto'."
        )
    unsupported = sorted(set(requested) - honoured(SOLVERS[solver]))
    if unsupported:
        name = unsupported[0]
        honouring = [s for s, kind in SOLVERS.items() if name in honoured(kind)]
        raise ValueError(
            f"The {name!r} parameter has no meaning for solver={solver!r}. Got "
            f"{name}={requested[name]!r}. Leave it at None, or use a solver that has "
            f"it: {', '.join(map(repr, honouring))}."
        )


def _without_absent(X, y, sample_weight):
    """Data without the samples of weight 0."""
    check_consistent_length(X, y)
    if sample_weight is None:
        return Data(X, y, None)
    return Data(X, y, check_sample_weight(sample_weight, X.shape[0])).present()


def _canonical(X):
    """X, with each entry stored once."""
    if sparse.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X
