"""Pictures of fitted networks, in the style of scikit-learn's displays.

They need matplotlib, the extra `plot`, which is imported when something is drawn.
"""

from sk_shallow.inspection._calibration import CalibrationOfIntervalsDisplay
from sk_shallow.inspection._feature_effect import FeatureEffectDisplay
from sk_shallow.inspection._feature_relevance import FeatureRelevanceDisplay
from sk_shallow.inspection._hidden_units import HiddenUnitsDisplay
from sk_shallow.inspection._loss_curve import LossCurveDisplay
from sk_shallow.inspection._network import NetworkDisplay

__all__ = [
    "CalibrationOfIntervalsDisplay",
    "FeatureEffectDisplay",
    "FeatureRelevanceDisplay",
    "HiddenUnitsDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
]
