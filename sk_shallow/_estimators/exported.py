"""The methods that take a fitted network elsewhere; each is one call of `_export`."""

import os
from typing import Any, BinaryIO, Literal

from sklearn.utils.validation import check_is_fitted

from sk_shallow._data.constraints import Names
from sk_shallow._export.arrays import save_arrays
from sk_shallow._export.c import to_c
from sk_shallow._export.network import Network
from sk_shallow._export.onnx import to_onnx
from sk_shallow._export.predictor import Predictor, predictor
from sk_shallow._export.to_sklearn import to_sklearn

_FLOATS = Names(("float32", "float64"))


class Exported:
    """A mixin: a fitted network for scikit-learn, NumPy, C, ONNX, or as a function."""

    def predictor(self) -> Predictor:
        """A function that predicts from arrays of numbers, with nothing checked.

        For one row at a time, where `predict` mostly validates. It takes an array-like
        of shape (n_samples, n_features) or (n_features,), and gives what
        `predict_proba` of the classifier gives, or `predict` of the regressor, bit by
        bit; one row by itself has a result by itself. It looks at nothing but the
        number of columns: not at their names, nor for infinite numbers. It holds a copy
        of the weights, and can be pickled.

        Returns
        -------
        callable

        Raises
        ------
        ValueError
            If columns hold labels, which are no numbers.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sk_shallow import ShallowNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> net = ShallowNNClassifier(5, alpha=1.0, random_state=0).fit(X, y)
        >>> probabilities = net.predictor()
        >>> int(net.classes_[probabilities([5.1, 3.5, 1.4, 0.2]).argmax()])
        0
        """
        return predictor(self._fitted_weights(), self._plan, self.n_features_in_)

    def to_sklearn(self) -> Any:
        """scikit-learn's own network with these weights.

        A fitted `MLPClassifier` or `MLPRegressor`, behind a copy of `encoder_` in a
        `Pipeline` where there is one. It predicts the same to 1e-12 of its size (where
        exp is the output activation of a loss not made for it, up to 1e13 spreads of
        y). It can be pickled and cloned, and without an encoder it needs nothing of
        this library. With `warm_start` or `partial_fit` it cannot go on.

        Returns
        -------
        MLPClassifier, MLPRegressor or Pipeline

        Raises
        ------
        ValueError
            If scikit-learn's network has no such thing: activations other than
            "identity", "logistic", "tanh" and "relu"; a linear path with "logistic" or
            "tanh"; several quantiles; output activations "relu" and "softplus", and
            before scikit-learn 1.7 "exp", too; a single class.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sk_shallow import ShallowNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> net = ShallowNNClassifier(5, activation="tanh", alpha=1.0, random_state=0)
        >>> net.fit(X, y).to_sklearn()
        MLPClassifier(activation='tanh', hidden_layer_sizes=(5,))
        """
        return to_sklearn(self._exported(), self.encoder_, self.loss_curve_)

    def save_arrays(self, file: str | os.PathLike[str] | BinaryIO) -> None:
        """Write weights, edges and labels to an .npz file, without pickle.

        What reads it needs NumPy and the lines below, which are also in
        `examples/predict_with_numpy.py`. They take rows as they are, labels included,
        with None or NaN for gaps, and give one row for each: probabilities in the
        order of `classes`, or numbers, those of several quantile levels side by side.

        Parameters
        ----------
        file : str, path or binary file
            As `numpy.savez` takes it.

        Raises
        ------
        ValueError
            If the activation is one of your own, or the labels of a column, or of y,
            are not all strings, all ints, all floats or all booleans.

        Examples
        --------
        >>> from io import BytesIO
        >>> import numpy as np
        >>> def softplus(Z):
        ...     return np.logaddexp(0, Z)
        >>> def exp(Z, p):
        ...     U = Z - np.log(p[0])
        ...     rise = 1 + p[3] * np.maximum(U - p[2], 0)
        ...     return p[0] * np.exp(np.clip(U, p[1], p[2])) * rise
        >>> F = {
        ...     "identity": lambda Z, p: Z,
        ...     "relu": lambda Z, p: np.maximum(Z, 0),
        ...     "leaky_relu": lambda Z, p: np.maximum(Z, p[0] * Z),
        ...     "elu": lambda Z, p: np.maximum(Z, 0) + p * np.expm1(np.minimum(Z, 0)),
        ...     "tanh": lambda Z, p: np.tanh(Z),
        ...     "logistic": lambda Z, p: np.exp(-softplus(-Z)),
        ...     "softplus": lambda Z, p: p[0] * softplus(np.maximum(Z / p[0], p[1])),
        ...     "softmax": lambda Z, p: np.exp(Z - np.logaddexp.reduce(Z, 1)[:, None]),
        ...     "exp": exp,
        ... }
        >>> def predict(file, X):
        ...     m, X = dict(np.load(file)), np.array(X, dtype=object)
        ...     for j in m["labelled"]:
        ...         gaps = [x is None or x != x for x in X[:, j]]
        ...         labels, codes = m[f"labels_{j}"].tolist(), m[f"codes_{j}"]
        ...         code = dict(zip(labels, codes, strict=True))
        ...         X[:, j] = np.where(gaps, np.nan, [code.get(x, -1) for x in X[:, j]])
        ...     X = X[:, m["feature"]].astype(float)
        ...     R = (np.where(np.isnan(X), m["mean"], X) - m["left"]) / m["width"]
        ...     R = np.clip(R, m["low"], m["high"])
        ...     R = np.choose(m["kind"], [R, np.isnan(X), m["left"] == X])
        ...     A = F[str(m["g"])](R @ m["W1"] + m["b1"], m["g_numbers"])
        ...     Z = A @ m["W2"] + m["b2"] + R @ m["V"]
        ...     T = np.where(m["anchor"], Z, m["gap"] * softplus(Z / m["gap"]))
        ...     return F[str(m["h"])](T @ m["stack"], m["h_numbers"])
        >>> from sklearn.datasets import load_iris
        >>> from sk_shallow import ShallowNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> net = ShallowNNClassifier(5, alpha=1.0, random_state=0).fit(X, y)
        >>> file = BytesIO()
        >>> net.save_arrays(file)
        >>> _ = file.seek(0)
        >>> np.allclose(predict(file, X), net.predict_proba(X), rtol=0, atol=1e-12)
        True
        """
        save_arrays(file, self._exported())

    def to_c(
        self, prefix: str = "net", dtype: Literal["float32", "float64"] = "float64"
    ) -> str:
        """The network as a C99 header that needs only math.h.

        It defines `<prefix>_predict(const double *x, double *out)`, with x one row and
        room for `<PREFIX>_N_OUTPUTS` numbers in out: probabilities in the order of
        `classes_`, or predictions. A gap is NAN; a label is a code, which the comment
        at the beginning lists.

        Parameters
        ----------
        prefix : str, default="net"
            What all names begin with.
        dtype : {"float64", "float32"}, default="float64"
            double or float, everywhere.

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If the activation is one of your own, `prefix` no identifier, or a weight
            overflows in float.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sk_shallow import ShallowNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> net = ShallowNNClassifier(5, alpha=1.0, random_state=0).fit(X, y)
        >>> header = net.to_c("iris", dtype="float32")
        >>> "void iris_predict(const float *x, float *out)" in header
        True
        """
        _check_dtype(dtype)
        return to_c(self._exported(), prefix, dtype)

    def to_onnx(self, dtype: Literal["float32", "float64"] = "float32") -> Any:
        """The network as a model of ONNX; needs the package onnx (extra "onnx").

        The input is X, of shape (n_samples, n_features); where there are columns of
        labels each column is an input of its own, of shape (n_samples, 1), by its name
        (or x0, x1, …), labels as strings, or as numbers if they are such. NaN is a gap,
        and among strings "". The outputs are `label` and `probabilities`, or
        `predictions` of shape (n_samples, n_outputs). Of opset 17 and IR version 8.

        Parameters
        ----------
        dtype : {"float32", "float64"}, default="float32"
            Of inputs, weights and results. In single precision the means of columns are
            subtracted first.

        Returns
        -------
        onnx.ModelProto
            `onnx.save(model, path)` writes it.

        Raises
        ------
        ImportError
            If onnx is not installed.
        ValueError
            If the activation is one of your own, or labels are of mixed types.

        See Also
        --------
        register_skl2onnx : For Pipelines.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sk_shallow import ShallowNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> net = ShallowNNClassifier(5, alpha=1.0, random_state=0).fit(X, y)
        >>> model = net.to_onnx()  # doctest: +SKIP
        >>> [output.name for output in model.graph.output]  # doctest: +SKIP
        ['label', 'probabilities']
        """
        _check_dtype(dtype)
        return to_onnx(self._exported(), dtype)

    def _exported(self):
        """The `Network`."""
        weights = self._fitted_weights()
        names = getattr(self, "feature_names_in_", None)
        return Network.of(
            weights, self._plan, None if names is None else names.tolist()
        )

    def _fitted_weights(self):
        """b1, W1, W2, b2, V; an error before `fit`."""
        check_is_fitted(self, "coefs_")
        return self._weights()


def _check_dtype(dtype):
    if dtype not in _FLOATS:
        raise ValueError(f"dtype must be {_FLOATS}. Got {dtype!r} instead.")
