"""How much each feature matters."""

from typing import Any, Self

import numpy as np

from sk_shallow._typing import DataLike, Floats
from sk_shallow.inspection._figure import axes_of
from sk_shallow.inspection._weights import (
    check_network,
    feature_names,
    largest,
)


class FeatureRelevanceDisplay:
    """A bar for each feature, the most relevant on top.

    Parameters
    ----------
    relevance : array-like of shape (n_features,)
        Of all features.
    std : array-like of shape (n_features,), default=None
        The standard deviations of these numbers, for error bars.
    feature_names : array-like of shape (n_features,), default=None
        Their names.
    label : str, default="relevance"
        What the numbers are.

    Attributes
    ----------
    bars_ : BarContainer
        Those of the most relevant features, from the top.
    order_ : ndarray of int
        Which features these are.
    ax_ : Axes
    figure_ : Figure

    See Also
    --------
    sklearn.inspection.permutation_importance : Importances of any estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_shallow import ShallowNNRegressor
    >>> from sk_shallow.inspection import FeatureRelevanceDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> net = ShallowNNRegressor(2, solver="lm", alpha="ard", random_state=0).fit(X, y)
    >>> display = FeatureRelevanceDisplay.from_estimator(net)
    >>> sorted(str(name) for name in X.columns[display.order_[:2]])
    ['bmi', 's5']
    """

    bars_: Any
    order_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        relevance: DataLike,
        *,
        std: DataLike | None = None,
        feature_names: DataLike | None = None,
        label: str = "relevance",
    ) -> None:
        self.relevance: Floats = np.asarray(relevance)
        self.std = None if std is None else np.asarray(std)
        names = (
            [f"x{j}" for j in range(len(self.relevance))]
            if feature_names is None
            else feature_names
        )
        self.feature_names = np.asarray(names, dtype=object)
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        importances: Any = None,
        *,
        max_features: int = 20,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw how much each feature matters to a network.

        Parameters
        ----------
        estimator : ShallowNNClassifier or ShallowNNRegressor
            Fitted.
        importances : array-like of shape (n_features,) or Bunch, default=None
            What to draw: numbers, or what scikit-learn's `permutation_importance`
            gives. None: `feature_relevance_`, which `alpha="ard"` leaves.
        max_features : int, default=20
            How many bars to draw: those of the most relevant features.
        ax : Axes, default=None
            Where to draw; None: in a new figure.
        **kwargs : dict
            For the bars, as matplotlib's `barh` takes them.

        Returns
        -------
        FeatureRelevanceDisplay

        Raises
        ------
        ValueError
            If there are no importances, or not one for each feature.
        """
        check_network(estimator)
        std, label = None, "importance"
        if importances is None:
            if not hasattr(estimator, "feature_relevance_"):
                raise ValueError(
                    "The network has no feature_relevance_, which alpha='ard' leaves. "
                    "Pass importances, such as permutation_importance gives."
                )
            relevance = estimator.feature_importances_
            label = "relevance, 1/α"
        elif hasattr(importances, "importances_mean"):
            relevance, std = importances.importances_mean, importances.importances_std
        else:
            relevance = np.asarray(importances)
        names = feature_names(estimator)
        if relevance.shape != names.shape:
            raise ValueError(
                f"importances must have the shape {names.shape}, one number for each "
                f"feature. Got {relevance.shape}."
            )
        display = cls(relevance, std=std, feature_names=names, label=label)
        return display.plot(ax=ax, max_features=max_features, **kwargs)

    def plot(self, ax: Any = None, *, max_features: int = 20, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None: in a new figure.
        max_features : int, default=20
            How many bars to draw: those of the most relevant features.
        **kwargs : dict
            For the bars, as matplotlib's `barh` takes them.

        Returns
        -------
        self : FeatureRelevanceDisplay
        """
        self.order_ = largest(self.relevance, max_features)
        n, d = len(self.order_), len(self.relevance)
        self.ax_ = ax = axes_of(ax, (6.0, 1.1 + 0.26 * max(n, 3)))
        self.figure_ = ax.figure
        style: dict[str, Any] = {"height": 0.7}
        if self.std is not None:
            style |= {"xerr": self.std[self.order_], "ecolor": "gray", "capsize": 2}
        y, values = np.arange(n), self.relevance[self.order_]
        self.bars_ = ax.barh(y, values, **{**style, **kwargs})
        ax.set_yticks(y, [str(name) for name in self.feature_names[self.order_]])
        ax.set_ylim(n - 0.4, -0.6)
        ax.set_xlabel(self.label)
        if n < d:
            ax.set_title(f"the first {n} of {d} features", fontsize="medium")
        return self
