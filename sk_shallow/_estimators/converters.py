"""The estimators among those that skl2onnx converts."""

from sk_shallow._estimators.classifier import ShallowNNClassifier
from sk_shallow._estimators.regressor import ShallowNNRegressor
from sk_shallow._export.converter import register


def register_skl2onnx() -> None:
    """Let skl2onnx convert the estimators, in Pipelines too.

    Needs the packages of the extra "onnx". Once in a process is enough.
    Columns of labels inside the network are refused: `to_onnx` has them.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    See Also
    --------
    ShallowNNClassifier.to_onnx : One network, without skl2onnx.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sk_shallow import ShallowNNClassifier, register_skl2onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> net = ShallowNNClassifier(5, alpha=1.0, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), net).fit(X, y)
    >>> import skl2onnx  # doctest: +SKIP
    >>> register_skl2onnx()  # doctest: +SKIP
    >>> model = skl2onnx.to_onnx(pipeline, X[:1])  # doctest: +SKIP
    """
    register(ShallowNNClassifier, ShallowNNRegressor)
