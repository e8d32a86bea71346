"""How the rivals get their columns."""

from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def scaled(model, X=None):
    """The model behind a StandardScaler that leaves sparse X sparse."""
    return make_pipeline(StandardScaler(with_mean=not sparse.issparse(X)), model)


def with_scaled_target(model):
    """The regressor behind a StandardScaler of y."""
    return TransformedTargetRegressor(model, transformer=StandardScaler())
