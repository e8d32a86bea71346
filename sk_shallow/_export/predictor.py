"""A fitted network as one function of an array: predictions without validation."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from sk_shallow._model.network import output
from sk_shallow._typing import DataLike, Floats


class Predictor:
    """What predicts from arrays of numbers, and checks nothing but their shape.

    A copy of the weights, which later training does not change.

    Parameters
    ----------
    weights : list of ndarray
        b1, W1, W2, b2, V.
    activation : Activation
        g.
    encode : callable or None
        From X to the inputs of the network.
    decode : callable
        From Z2 to predictions.
    n_features : int
    """

    def __init__(
        self,
        weights: list[Floats],
        activation: Any,
        encode: Callable[[Floats], Floats] | None,
        decode: Callable[[Floats], Floats],
        n_features: int,
    ) -> None:
        self._weights = [w.copy() for w in weights]
        self._activation, self._encode, self._decode = activation, encode, decode
        self._n_features, self._dtype = n_features, weights[1].dtype

    def __call__(self, X: DataLike) -> Floats:
        """The predictions of some rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_features,)
            Numbers, in the precision of the samples of `fit`; one row may stand by
            itself, and so does what is predicted for it.

        Returns
        -------
        ndarray
            What `predict_proba` of the classifier gives, or `predict` of the regressor.
        """
        X = np.asarray(X, self._dtype)
        if X.ndim == 1:
            return self(X[None])[0]
        if X.ndim != 2 or X.shape[1] != self._n_features:
            raise ValueError(
                f"Expected rows of {self._n_features} numbers. Got an array of shape "
                f"{X.shape}."
            )
        inputs = X if self._encode is None else self._encode(X)
        return self._decode(output(inputs, *self._weights, self._activation))


def predictor(weights, plan, n_features):
    """The `Predictor` of b1, W1, W2, b2, V and a plan."""
    encoding, coder = plan.encoding, plan.coder
    is_kept = encoding is None or encoding.is_identity
    if not is_kept and encoding.is_categorical.any():
        columns = np.flatnonzero(encoding.is_categorical).tolist()
        raise ValueError(
            "A predictor takes arrays of numbers, but these columns hold labels: "
            f"{columns}. Use predict, or encode them before fit."
        )
    dtype = weights[1].dtype
    encode = None
    if encoding is not None:
        ramps = encoding.ramps.within(np.finfo(dtype).max)
        encode = partial(_encoded, ramps, dtype)
        if is_kept:
            encode = partial(_filled, ramps.mean.astype(dtype))
    decode = partial(_probabilities, coder, coder.unit(plan.y))
    if coder.are_numbers:
        decode = partial(_numbers, coder, coder.unit(plan.y))
    return Predictor(weights, plan.activation, encode, decode, n_features)


def _filled(mean, X):
    """X with these means in place of gaps."""
    gaps = np.isnan(X)
    return np.where(gaps, mean, X) if gaps.any() else X


def _encoded(ramps, dtype, X):
    """The inputs of the network."""
    return ramps(X).astype(dtype, copy=False)


def _numbers(coder, unit, Z2):
    """A2 in the shape of y."""
    return coder.decode(unit.mean(Z2))


def _probabilities(coder, unit, Z2):
    """A column for each class."""
    return coder.per_class(unit.mean, Z2)
