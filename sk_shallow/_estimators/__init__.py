"""The estimators: the one place where strings become objects."""

from sk_shallow._estimators.classifier import ShallowNNClassifier
from sk_shallow._estimators.regressor import ShallowNNRegressor

__all__ = ["ShallowNNClassifier", "ShallowNNRegressor"]
