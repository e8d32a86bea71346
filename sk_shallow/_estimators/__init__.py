"""The estimators: the one place where strings become objects."""

from sk_shallow._estimators.classifier import ShallowNNClassifier
from sk_shallow._estimators.converters import register_skl2onnx
from sk_shallow._estimators.regressor import ShallowNNRegressor
from sk_shallow._estimators.trusted import SKOPS_TRUSTED_TYPES

__all__ = [
    "SKOPS_TRUSTED_TYPES",
    "ShallowNNClassifier",
    "ShallowNNRegressor",
    "register_skl2onnx",
]
