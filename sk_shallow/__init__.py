"""The best shallow neural network there is: one hidden layer, scikit-learn's interface.

Examples
--------
>>> from sklearn.datasets import load_diabetes
>>> from sk_shallow import ShallowNNRegressor
>>> X, y = load_diabetes(return_X_y=True)
>>> ShallowNNRegressor(random_state=0).fit(X, y).predict(X[:2]).shape
(2,)
"""

from sk_shallow._estimators import (
    SKOPS_TRUSTED_TYPES,
    ShallowNNClassifier,
    ShallowNNRegressor,
    register_skl2onnx,
)
from sk_shallow._version import __version__
from sk_shallow.activations import (
    ELU,
    Activation,
    Identity,
    LeakyReLU,
    Logistic,
    ReLU,
    Softplus,
    Tanh,
)

__all__ = [
    "ELU",
    "SKOPS_TRUSTED_TYPES",
    "Activation",
    "Identity",
    "LeakyReLU",
    "Logistic",
    "ReLU",
    "ShallowNNClassifier",
    "ShallowNNRegressor",
    "Softplus",
    "Tanh",
    "__version__",
    "register_skl2onnx",
]
