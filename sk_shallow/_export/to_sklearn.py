"""A fitted network as scikit-learn's own: MLPClassifier or MLPRegressor.

scikit-learn has no way to make a fitted network from weights, so this room, and no
other, sets the attributes that its `fit` sets, private ones included; the tests predict
with them on both ends of the supported versions. scikit-learn's networks are imported
when they are asked for: they take time.
"""

import copy

import numpy as np
import sklearn

from sk_shallow._version import SCIKIT_LEARN

ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
_HAS_EXP = SCIKIT_LEARN >= (1, 7)


def to_sklearn(network, encoder, curve):
    """MLPClassifier or MLPRegressor, in a Pipeline behind the encoder if there is one.

    Parameters
    ----------
    network : Network
    encoder : PiecewiseLinearEncoder or None
    curve : list of float
        The losses of training.
    """
    name, _ = network.activation_named(ACTIVATIONS, "scikit-learn's MLP", _REFIT)
    W1, b1, W2 = _with_path(network, name)
    is_numbers = network.classes is None
    mlp = (_regressor if is_numbers else _classifier)(network)
    mlp.set_params(hidden_layer_sizes=(len(b1),), activation=name)
    _set(
        mlp,
        coefs_=[W1, W2],
        intercepts_=[b1, network.b2.copy()],
        n_features_in_=len(W1),
        n_layers_=3,
        n_outputs_=network.n_out,
        out_activation_=network.link.name,
        n_iter_=len(curve),
        t_=0,
        loss_curve_=list(curve),
        loss_=curve[-1],
        best_loss_=min(curve),
    )
    if encoder is not None:
        from sklearn.pipeline import Pipeline

        return Pipeline([("encoder", copy.deepcopy(encoder)), ("mlp", mlp)])
    if network.names is not None:
        mlp.feature_names_in_ = np.array(network.names, dtype=object)
    return mlp


_REFIT = " Fit with one of these as `activation`."


def _with_path(network, name):
    """W1, b1 and W2, with the linear path as units: x, or max(x, 0) - max(-x, 0)."""
    b1, W1, W2, _, V = network[:5]
    if not len(V):
        return W1.copy(), b1.copy(), W2.copy()
    if name not in ("identity", "relu"):
        raise ValueError(
            "scikit-learn's MLP has no linear path, and of its activations only "
            f"identity and relu can stand for one. Got activation {name!r}."
        )
    eye = np.eye(len(W1), dtype=W1.dtype)
    signs = (1, -1) if name == "relu" else (1,)
    W1 = np.hstack([W1, *(sign * eye for sign in signs)])
    W2 = np.vstack([W2, *(sign * V for sign in signs)])
    return W1, np.append(b1, np.zeros(len(signs) * len(eye), b1.dtype)), W2


def _classifier(network):
    """An MLPClassifier of the classes."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import LabelBinarizer

    classes, n = network.classes, len(network.classes)
    if n < 2:
        raise ValueError(
            f"scikit-learn's MLP needs two classes or labels to predict. Got {n}."
        )
    targets = np.eye(n, dtype=int) if network.is_multilabel else classes
    binarizer = LabelBinarizer().fit(targets)
    mlp = MLPClassifier()
    _set(mlp, _label_binarizer=binarizer, classes_=binarizer.classes_)
    return mlp


def _regressor(network):
    """An MLPRegressor; of means of counts by its Poisson loss."""
    from sklearn.neural_network import MLPRegressor

    link = network.link
    if link.n_levels > 1:
        raise ValueError(
            "scikit-learn's MLP has no quantiles that stand upon each other. Fit one "
            "network for each level."
        )
    if link.name == "identity":
        return MLPRegressor()
    if link.name != "exp":
        raise ValueError(
            f"scikit-learn's MLP has no output activation {link.name!r}: it has "
            "identity, and exp from version 1.7 on."
        )
    if not _HAS_EXP:
        raise ValueError(
            "The output activation 'exp' needs scikit-learn 1.7 or newer. Got version "
            f"{sklearn.__version__}."
        )
    return MLPRegressor(loss="poisson")


def _set(mlp, **attributes):
    """Set what `fit` sets."""
    vars(mlp).update(attributes)
