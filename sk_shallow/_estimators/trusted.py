"""What fitted models are made of, for `skops.io.load`, which asks what to trust."""

from sk_shallow._arrays.curvature import RowsFactor, SquareFactor
from sk_shallow._data.encoding import Bins, Encoding, Levels, Ramps
from sk_shallow._data.scaling import (
    RobustScaler,
    SparseScaler,
    Standardizer,
    TargetScaler,
    Whitener,
)
from sk_shallow._data.targets import Labels, Reals
from sk_shallow._estimators.classifier import ShallowNNClassifier
from sk_shallow._estimators.regressor import ShallowNNRegressor
from sk_shallow._inference.laplace import Laplace
from sk_shallow._inference.residuals import Fold, Range, Residuals
from sk_shallow._model.layout import Layout
from sk_shallow._model.losses import LOSSES
from sk_shallow._model.output_activations import KINDS
from sk_shallow._solvers.first_order import State
from sk_shallow._training.plan import Plan
from sk_shallow._training.recipe import Binning, Recipe
from sk_shallow._training.train import Progress
from sk_shallow.activations import ACTIVATIONS
from sk_shallow.preprocessing import HiddenLayer, PiecewiseLinearEncoder

_NETWORKS = (ShallowNNClassifier, ShallowNNRegressor)
_STEPS = (PiecewiseLinearEncoder, HiddenLayer)
_TRAINING = (Plan, Layout, Recipe, Binning, Progress, State)
_COLUMNS = (Encoding, Bins, Levels, Ramps)
_SCALES = (Standardizer, Whitener, SparseScaler, TargetScaler, RobustScaler)
_TARGETS = (Labels, Reals, *LOSSES.values(), *KINDS)
_BARS = (Residuals, Fold, Range, Laplace, SquareFactor, RowsFactor)
_KINDS = {
    *_NETWORKS,
    *_STEPS,
    *_TRAINING,
    *_COLUMNS,
    *_SCALES,
    *_TARGETS,
    *_BARS,
    *map(type, ACTIVATIONS.values()),
}

# As skops writes them. What a user passes as a parameter is for the user to trust.
SKOPS_TRUSTED_TYPES = sorted(f"{kind.__module__}.{kind.__name__}" for kind in _KINDS)
