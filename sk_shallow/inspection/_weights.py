"""The weights of a fitted network by feature and by unit, and their names."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted


def check_network(estimator):
    """Refuse what is no fitted network of this package."""
    check_is_fitted(estimator)
    if not hasattr(estimator, "n_hidden_"):
        raise TypeError(
            "estimator must be a fitted ShallowNNClassifier or ShallowNNRegressor; of "
            "a Pipeline its last step, with X as the steps before give it. "
            f"Got {type(estimator).__name__}."
        )


def feature_names(estimator):
    """The names of the features, or x0, x1, ..."""
    d = estimator.n_features_in_
    return np.asarray(
        getattr(estimator, "feature_names_in_", [f"x{j}" for j in range(d)]), object
    )


def output_names(estimator):
    """The classes or labels; the levels of quantiles; output 0, output 1, ..."""
    classes = getattr(estimator, "classes_", None)
    if classes is not None:
        shown = classes[-1:] if estimator.n_outputs_ == 1 else classes
        return [str(label) for label in shown]
    n_outputs, levels = estimator.n_outputs_, np.ravel(estimator.quantile)
    n_levels = len(levels) if np.ndim(estimator.quantile) else 1
    n_targets = n_outputs // n_levels
    targets = [f"output {k}" for k in range(n_targets)] if n_targets > 1 else [""]
    names = [f", quantile {q:g}" for q in levels] if n_levels > 1 else [""]
    told = [(target + name).removeprefix(", ") for target in targets for name in names]
    return told if n_outputs > 1 else ["y"]


def weights_by_feature(estimator, X=None):
    """W1 with a row for each feature, W2, and V like W1, if there is a linear path.

    With samples, weights of inputs are times the standard deviations of these. Where an
    encoder gives a feature several inputs: the norm of their weights, with the sign of
    their sum.
    """
    W1, W2, *path = estimator.coefs_
    scale = _spread_of_inputs(estimator, X)
    first, *path = (_by_feature(estimator, scale * W) for W in (W1, *path))
    return [first, W2, *path]


def sum_by_feature(estimator, values):
    """Values of the inputs of the network, summed over those of each feature."""
    encoder = estimator.encoder_
    return values if encoder is None else encoder._encoding.by_feature(values.T).T


def _by_feature(estimator, W):
    norms = np.sqrt(sum_by_feature(estimator, W**2))
    return np.where(sum_by_feature(estimator, W) < 0, -norms, norms)


def _spread_of_inputs(estimator, X):
    """The standard deviations of the inputs, as a column; 1 without samples."""
    if X is None:
        return 1.0
    if estimator.encoder_ is not None:
        X = X.toarray() if sparse.issparse(X) else X
        X = estimator.encoder_.transform(X)
    variances = StandardScaler(with_mean=False).fit(X).var_
    if len(variances) != len(estimator.coefs_[0]):
        raise ValueError(
            f"X has {len(variances)} features, but the network has "
            f"{estimator.n_features_in_}."
        )
    return np.sqrt(variances)[:, None]


def importance_of_units(W1, W2):
    """‖w_in‖ ‖w_out‖ of each hidden unit."""
    return np.linalg.norm(W1, axis=0) * np.linalg.norm(W2, axis=1)


def importance_of_features(W1, W2, *path):
    """The norm of the weights of each feature, each times that of what it leads to."""
    paths = [W1 * np.linalg.norm(W2, axis=1), *path]
    return np.linalg.norm(np.hstack(paths), axis=1)


def largest(values, n):
    """Where the n largest values are, the largest first."""
    return np.argsort(-values, kind="stable")[:n]


def in_order(values, n):
    """Where the n largest values are, in their own order."""
    return np.sort(largest(values, n))
