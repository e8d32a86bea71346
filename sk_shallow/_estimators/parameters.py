"""What may come in: parameters, X, y and weights. Errors in scikit-learn's words."""

from collections.abc import Collection, Iterable
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.metrics import get_scorer_names
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from sk_shallow._data.columns import (
    FLOATS,
    Columns,
    check_collected,
    check_known,
    check_lengths,
    check_real,
    read,
    table_of,
)
from sk_shallow._data.constraints import (
    BOOL,
    NONE,
    RANDOM_STATES,
    ArrayLike,
    Callable_,
    Infinity,
    Instance,
    Interval,
    Names,
    as_float,
    check_sample_weight,
    floats,
    shortened,
    shown,
)
from sk_shallow._data.targets import classes_of
from sk_shallow._model.initializers import INITIALIZERS
from sk_shallow._model.losses import LOSSES
from sk_shallow._model.output_activations import OUTPUT_ACTIVATIONS, output_activations
from sk_shallow._solvers import SOLVERS, honoured
from sk_shallow._training.recipe import ENCODINGS
from sk_shallow.activations import ACTIVATIONS, Activation, rises

# Of more classes scikit-learn asks whether they are most of the samples.
_FEW = 20
# What scikit-learn takes as labels among objects, or explains that it does not.
_WORDS = (str, bytes)
_SEVERAL = (
    "Expected one value of y for each sample, or as many for each, as "
    "MultiLabelBinarizer makes of lists of labels"
)
# The range of a number α: the square of its gradient is one in float32.
_ALPHA = Interval(Real, 0.0, 1e15, "both")
_LEVEL = Interval(Real, 0.0, 1.0, "neither")
# Down, either way, up.
_DIRECTIONS = (-1, 0, 1)


class _Splitter:
    """Anything that splits."""

    def __contains__(self, value):
        """Whether value splits."""
        return hasattr(value, "split") and not isinstance(value, str)

    def __str__(self):
        """As scikit-learn writes it."""
        return "a cross-validation splitter"


class _Splits:
    """Several pairs of samples to see and samples to hold out."""

    def __contains__(self, value):
        """Whether value may be iterated over."""
        is_one = isinstance(value, (str, bytes)) or getattr(value, "ndim", 1) == 0
        return isinstance(value, Iterable) and not is_one

    def __str__(self):
        """As scikit-learn writes it."""
        return "an iterable yielding (train, test) splits"


# What each parameter may be.
PARAMETERS = {
    "n_hidden": (Interval(Integral, 1), NONE),
    "activation": (
        Names((*ACTIVATIONS, "auto")),
        Instance(Activation, "an Activation object"),
    ),
    "solver": (Names((*SOLVERS, "auto")),),
    "alpha": (
        _ALPHA,
        Names(("evidence", "ard")),
        ArrayLike(),
        NONE,
    ),
    "n_estimators": (Interval(Integral, 1), NONE),
    "encoding": (Names(("auto", *filter(None, ENCODINGS))), NONE),
    "categorical_features": (
        Names(("from_dtype",)),
        ArrayLike(),
        NONE,
    ),
    "cv": (
        Interval(Integral, 2),
        _Splitter(),
        _Splits(),
        NONE,
    ),
    "linear_path": (BOOL,),
    "monotonic_cst": (ArrayLike(), Instance(dict, "a dict"), NONE),
    "loss": (Names(LOSSES),),
    "quantile": (_LEVEL, ArrayLike(), NONE),
    "output_activation": (Names(("auto", *OUTPUT_ACTIVATIONS)),),
    "n_jobs": (Interval(Integral, 1), Interval(Integral, -np.inf, 0), NONE),
    "class_weight": (Names(("balanced",)), Instance(dict, "a dict"), NONE),
    "init": (Names(INITIALIZERS),),
    "standardize": (BOOL,),
    "batch_size": (Interval(Integral, 1), NONE),
    "learning_rate_init": (Interval(Real, 0.0, closed="neither"), NONE),
    "momentum": (Interval(Real, 0.0, 1.0), NONE),
    "nesterovs_momentum": (BOOL, NONE),
    "max_iter": (Interval(Integral, 1), NONE),
    "tol": (Interval(Real, 0.0),),
    "n_iter_no_change": (Interval(Integral, 1), Infinity()),
    "early_stopping": (BOOL,),
    "validation_fraction": (Interval(Real, 0.0, 1.0, "neither"),),
    "scoring": (Names(("loss", *get_scorer_names())), Callable_()),
    "warm_start": (BOOL,),
    "random_state": RANDOM_STATES,
    "verbose": (BOOL, Interval(Integral, 0)),
}


def read_X(estimator, X, *y, categorical_features="from_dtype", reset=False):
    """X as `Columns` of finite or missing values, or as CSR without duplicate entries.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like or None
        Which columns hold labels; an array tells it for a fitted estimator.
    """
    if sparse.issparse(X):
        _check_no_labels(categorical_features)
        validate_data(estimator, X, *y, reset=reset, skip_check_array=True)
        options = {"accept_sparse": "csr", "dtype": FLOATS, "input_name": "X"}
        return _canonical(check_array(X, estimator=estimator, **options))
    is_read = isinstance(X, Columns)
    table = X if is_read else table_of(X)
    validate_data(estimator, table.header, *y, reset=reset, skip_check_array=True)
    return X if is_read else read(table, categorical_features)


def read_numbers(y, n_samples):
    """Numbers to learn: float64, of one dimension, or (n_samples, n_outputs)."""
    y = _read_y(y, n_samples)
    check_real(y, "y")
    if y.dtype.kind != "f":
        y = floats(y, "y")
        check_known(y, "y")
    y = _as_vector(y)
    return y.astype(np.float64, copy=not y.flags.forc)


def read_labels(y, n_samples):
    """Labels to learn: a vector, or a dense indicator matrix."""
    y = _read_y(y, n_samples, accept_sparse="csr")
    _check_words(y)
    y = _as_vector(y)
    told = classes_of(y) if y.ndim == 1 and y.dtype != object else y
    check_classification_targets(told if told.shape[0] <= _FEW else y)
    if y.ndim == 1:
        return y
    if not type_of_target(y).startswith("multilabel"):
        raise ValueError(
            "y must be a vector of labels, or a multilabel indicator matrix of zeros "
            f"and ones. Got an array of shape {y.shape} with other values."
        )
    y = y.toarray() if sparse.issparse(y) else np.asarray(y)
    if not ((y == 0) | (y == 1)).all():
        raise ValueError(
            "A multilabel y must be an indicator matrix of zeros and ones. Got the "
            f"values {np.unique(y)[:5].tolist()}."
        )
    return y


def read_weights(sample_weight, n_samples):
    """The weights as a vector, or None."""
    if sample_weight is None:
        return None
    check_collected(sample_weight, "sample_weight")
    return check_sample_weight(sample_weight, n_samples)


def check_level(confidence_level):
    """The level as a float, if it is one."""
    if confidence_level not in _LEVEL:
        raise ValueError(
            f"confidence_level must be {_LEVEL}. Got {shown(confidence_level)} instead."
        )
    return _LEVEL.plain(confidence_level)


@config_context(array_api_dispatch=False)
def check_groups(groups, n_samples):
    """The groups as a vector, or None."""
    if groups is None:
        return None
    check_collected(groups, "groups")
    groups = column_or_1d(groups)
    check_consistent_length(np.empty(n_samples), groups)
    check_known(groups, "groups")
    if groups.dtype.kind != "O":
        return groups
    try:
        classes_of(groups)
    except TypeError as error:
        raise TypeError(
            f"The values of groups cannot be sorted: {shown(str(error))}. Use values "
            "of one type: numbers, or strings."
        ) from error
    return groups


def check_cv(cv, n_samples):
    """The folds: an int, a splitter, or a list of splits of so many samples.

    Raises
    ------
    ValueError
        If the splits are of other samples.
    """
    if isinstance(cv, Integral) or hasattr(cv, "split"):
        return cv
    splits = [_rows_of(split, n_samples) for split in cv]
    if not all(len(split) == 2 for split in splits) or not splits:
        raise ValueError(
            "cv must be an int, a splitter such as KFold(5), or an iterable of pairs "
            "(train, test) of arrays that hold the numbers of samples; there are "
            f"{n_samples} samples, from 0 to {n_samples - 1}."
        )
    return splits


def _rows_of(split, n_samples):
    """The parts of a split, as far as they are numbers, or masks, of samples."""
    parts = [np.asarray(part) for part in split] if isinstance(split, Iterable) else []
    parts = [
        np.flatnonzero(part)
        if part.dtype == bool and part.shape == (n_samples,)
        # An empty list has a dtype of its own.
        else part
        if part.size
        else part.astype(np.intp)
        for part in parts
    ]
    allowed = np.arange(n_samples)
    are_rows = (p.dtype.kind in "iu" and np.isin(p, allowed).all() for p in parts)
    return parts if all(are_rows) else []


@config_context(array_api_dispatch=False)
def _read_y(y, n_samples, **options):
    """Y of one or two dimensions, without gaps."""
    check_collected(y, "y")
    how = {"ensure_2d": False, "dtype": None, "ensure_all_finite": False}
    with shortened():
        try:
            y = check_array(y, **how, **options, input_name="y")
        except ValueError:
            if isinstance(y, (list, tuple)):
                check_lengths(y, _SEVERAL)
            raise
        check_consistent_length(np.empty(n_samples), y)
        check_known(y, "y")
    return y


def _as_vector(y):
    """A column as a vector, with a warning."""
    is_column = y.ndim == 2 and y.shape[1] == 1
    return column_or_1d(y, warn=True) if is_column else y


def _check_words(y):
    """Refuse objects that are no strings: what classes they are, is not known."""
    if y.dtype.kind != "O":
        return
    others = {kind for kind in map(type, y.ravel()) if not issubclass(kind, _WORDS)}
    if others:
        names = sorted(kind.__name__ for kind in others)
        are_several = any(issubclass(kind, Collection) for kind in others)
        advice = (
            "MultiLabelBinarizer makes one of lists of labels"
            if are_several
            else "use y.astype(str) or y.astype(int)"
        )
        raise ValueError(
            "Unknown label type: unknown. y is an array of objects, among them of the "
            f"types {shown(names)}. Labels are strings, or an array of numbers: "
            f"{advice}."
        )


def check_levels(loss, quantile):
    """The level as a float, several as a tuple, or None.

    Raises
    ------
    ValueError
        If the loss needs levels and there are none, or the other way round; or if they
        are not ascending numbers between 0 and 1.
    """
    wanted = f"{_LEVEL}, or several of them in ascending order"
    if (loss == "quantile") != (quantile is not None):
        needed = f"needs quantile to be {wanted}"
        words = needed if quantile is None else "takes no quantile"
        raise ValueError(f"loss={loss!r} {words}. Got quantile={shown(quantile)}.")
    if quantile is None or quantile in _LEVEL:
        return quantile if quantile is None else _LEVEL.plain(quantile)
    levels = list(quantile)
    are_levels = levels and all(level in _LEVEL for level in levels)
    if not (are_levels and levels == sorted(set(levels))):
        raise ValueError(f"quantile must be {wanted}. Got {shown(quantile)} instead.")
    return tuple(_LEVEL.plain(level) for level in levels)


def check_output_activation(loss, output_activation):
    """The output activation, that of the loss where it is open.

    Raises
    ------
    ValueError
        If the loss cannot have it.
    """
    allowed = output_activations(loss)
    if output_activation not in ("auto", *allowed):
        raise ValueError(
            f"loss={loss!r} needs a positive output: output_activation must be among "
            f"{list(allowed)}, or 'auto'. Got {output_activation!r} instead."
        )
    return allowed[0] if output_activation == "auto" else output_activation


def check_curvature(unit, loss, solver, alpha):
    """Refuse second-order steps where the loss has no curvature."""
    if unit.has_curvature or not (solver == "lm" or finds_alpha(alpha)):
        return
    given = "solver='lm'" if solver == "lm" else f"alpha={shown(alpha)}"
    raise ValueError(
        f"{given} needs the curvature of the loss, and loss={loss!r} has none: it "
        "consists of straight lines. Use solver='adam' or 'lbfgs' and one number, or "
        "None, as alpha; or loss='huber' or 'squared_error'."
    )


def check_has_mean(unit, loss):
    """Refuse a standard deviation about what is not the mean."""
    if not unit.has_mean:
        raise AttributeError(
            f"return_std=True needs a loss that predicts the mean of y; loss={loss!r} "
            "does not. Use predict_interval."
        )


def check_same_coder(now, before):
    """Refuse to go on with a stream under another loss."""
    if now != before:
        raise ValueError(
            "loss, quantile or output_activation is not the same as on last call to "
            "partial_fit. Call fit to begin anew, or set it back."
        )


def check_directions(monotonic_cst, n_features, names, is_categorical):
    """The direction of each feature, -1, 0 or 1; None if no feature has one.

    Raises
    ------
    ValueError
        If they are others, or of other features, or of features of labels.
    """
    if monotonic_cst is None:
        return None
    cst = monotonic_cst
    if isinstance(cst, dict):
        unknown = [name for name in cst if names is None or name not in list(names)]
        if unknown:
            told = "X has no names" if names is None else f"X has {shown(list(names))}"
            raise ValueError(
                f"monotonic_cst contains features that are not in X: {shown(unknown)}; "
                f"{told}."
            )
        cst = [cst.get(name, 0) for name in names]
    cst = list(cst)
    are_known = (isinstance(one, Real) and one in _DIRECTIONS for one in cst)
    if len(cst) != n_features or not all(are_known):
        raise ValueError(
            "monotonic_cst must be None, or a dict by the names of features, or an "
            f"array-like of shape ({n_features},), of -1, 0 or 1. Got "
            f"{shown(monotonic_cst)} instead."
        )
    cst = np.array(cst, dtype=float)
    wrong = np.flatnonzero((cst != 0) & is_categorical)
    if wrong.size:
        raise ValueError(
            "Categorical features cannot have monotonic constraints: columns "
            f"{wrong[:5].tolist()}. Set 0 for them in monotonic_cst."
        )
    return cst if cst.any() else None


def check_monotone(coder, solver, alpha, encoding, activation):
    """Refuse what cannot keep outputs monotone.

    Raises
    ------
    ValueError
        Naming the first obstacle, and what to do.
    """
    numbers = "Use solver='adam' or 'lbfgs', and one number, or None, as alpha"
    obstacles = [
        (solver == "lm", "solver='lm'", numbers),
        (finds_alpha(alpha), f"alpha={shown(alpha)}", numbers),
        (encoding == "whitened", "encoding='whitened'", "Set another encoding"),
        (
            activation is not None and not rises(activation),
            f"activation={shown(activation)}",
            "Use one whose slope is nowhere negative",
        ),
        (
            coder.output_unit.is_shift_invariant,
            "more than two classes",
            "Fit one class against the others",
        ),
        (
            coder.is_stacked,
            "several levels in quantile",
            "Fit one level at a time",
        ),
    ]
    for is_there, obstacle, remedy in obstacles:
        if is_there:
            raise ValueError(
                f"monotonic_cst cannot be kept with {obstacle}. {remedy}, or set "
                "monotonic_cst=None."
            )


def check_alpha(alpha, n_features, n_estimators):
    """α as a str, a float or an array.

    Raises
    ------
    ValueError
        If an array has neither two numbers, for W1 and W2, nor one for each feature and
        one for W2, nor a row of those for each member; or if a number is out of range.
    """
    if isinstance(alpha, str):
        return alpha
    if isinstance(alpha, Real):
        return as_float(alpha)
    try:
        alphas = check_array(
            alpha, ensure_2d=False, dtype=np.float64, input_name="alpha"
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"alpha must be an array of numbers: {shown(str(error))}. Got "
            f"{shown(alpha)} instead."
        ) from error
    *rows, n_groups = alphas.shape
    if n_groups not in (2, n_features + 1) or rows not in ([], [n_estimators]):
        raise ValueError(
            f"alpha has shape {alphas.shape}. Expected 2 numbers, for W1 and W2, or "
            f"{n_features + 1}, for each feature and W2; or a row of them for each of "
            f"the {n_estimators} members."
        )
    outside = [number for number in alphas.ravel().tolist() if number not in _ALPHA]
    if outside:
        raise ValueError(
            f"The numbers of alpha must be {_ALPHA}. Got {shown(outside)} among them."
        )
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


def check_not_whitened(encoding):
    """Refuse to begin a stream with the correlations of its first samples."""
    if encoding == "whitened":
        raise ValueError(
            "partial_fit cannot begin with encoding='whitened', which needs many "
            "samples to know how the columns are correlated. Leave encoding at 'auto' "
            "or None, or call fit first."
        )


def check_score(score, scoring):
    """The score as a finite number."""
    score = float(score)
    if not np.isfinite(score):
        raise ValueError(
            f"scoring={shown(scoring)} gives {score} on the validation samples. Use a "
            "scorer that is defined on them, or give others as X_val and y_val."
        )
    return score


@contextmanager
def explained_by(coder, y_val, scoring):
    """Where scoring fails, say what the validation samples lack, if they do."""
    try:
        yield
    except Exception as error:
        lacking = coder.lacking(y_val)
        if not lacking:
            raise
        raise ValueError(
            f"scoring={shown(scoring)} fails on the validation samples, which have "
            f"{lacking}: {shown(error)}. Give samples of each as X_val and y_val, or "
            "set a larger validation_fraction or another scoring."
        ) from error


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
            "Pass X as float64, or multiply its columns, or divide y, by a constant."
        )
    return weights


def check_unit(scale, dtype):
    """Refuse a spread, or mean, of y that is no number in the precision of X."""
    limits = np.finfo(dtype)
    if ((scale < limits.tiny) | (scale > limits.max)).any():
        raise ValueError(
            f"y is too small or too large for {np.dtype(dtype)}, the precision of X. "
            "Pass X as float64, or multiply y by a constant."
        )


def read_fitted(coefs, intercepts, layout, n_units=None):
    """b1, W1, W2, b2, V of a fitted network as arrays by rows, whoever wrote them.

    Raises
    ------
    ValueError
        If they are not of the network's shapes, with any number of units if none is
        given.
    """
    coefs, intercepts = (
        [np.asarray(w, order="C") for w in ws] for ws in (coefs, intercepts)
    )
    n_units = intercepts[0].size if n_units is None else n_units
    path = [(layout.n_in, layout.n_out)] if layout.has_path else []
    shapes = [(layout.n_in, n_units), (n_units, layout.n_out), *path]
    lengths = [(n_units,), (layout.n_out,)]
    found = [w.shape for w in coefs], [w.shape for w in intercepts]
    if found != (shapes, lengths):
        raise ValueError(
            f"coefs_ and intercepts_ must have the shapes {shapes} and {lengths} of "
            f"the fitted network. Got {found[0]} and {found[1]}."
        )
    (W1, W2, *path), (b1, b2) = coefs, intercepts
    V = path[0] if path else np.zeros((0, layout.n_out), W2.dtype)
    weights = b1, W1, W2, b2, V
    return [w if w.dtype.kind == "f" else w.astype(float) for w in weights]


def check_honoured(solver, requested, alpha):
    """Refuse what a solver, or its class, does not have."""
    if finds_alpha(alpha) and not solver.finds_alpha:
        raise ValueError(
            f"solver={solver.name!r} takes one number as alpha. Got alpha="
            f"{shown(alpha)}. Use solver='lm', or leave solver at 'auto'."
        )
    unsupported = sorted(set(requested) - honoured(solver))
    if unsupported:
        name = unsupported[0]
        honouring = [s for s, kind in SOLVERS.items() if name in honoured(kind)]
        raise ValueError(
            f"The {name!r} parameter has no meaning for solver={solver.name!r}. Got "
            f"{name}={shown(requested[name])}. Leave it at None, or use a solver that "
            f"has it: {', '.join(map(repr, honouring))}."
        )


def _check_no_labels(categorical_features):
    """Refuse columns of labels where there are only numbers."""
    if categorical_features is None or isinstance(categorical_features, str):
        return
    if any(item is not False for item in np.asarray(categorical_features).tolist()):
        raise ValueError(
            "X is sparse: all of its columns hold numbers. Got categorical_features="
            f"{shown(categorical_features)}. Pass X as a DataFrame or a dense array."
        )


def _canonical(X):
    """X, with each entry stored once."""
    if sparse.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X
