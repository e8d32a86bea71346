"""What each hidden unit looks at."""

from math import ceil, sqrt
from typing import Any, Self

import numpy as np

from sk_shallow._typing import DataLike, Floats
from sk_shallow.inspection._figure import DIVERGING, axes_of, rectangle
from sk_shallow.inspection._weights import (
    check_network,
    feature_names,
    importance_of_features,
    importance_of_units,
    in_order,
    largest,
    weights_by_feature,
)

# More tiles in a row have no room for their numbers.
_MOST_NUMBERED = 12


class HiddenUnitsDisplay:
    """The weights that lead into the hidden units, one column or one image for each.

    Red is below zero, blue above. The units stand in the order of ‖w_in‖ ‖w_out‖.

    Parameters
    ----------
    weights : array-like of shape (n_features, n_units)
        Those of the units that are shown.
    units : array-like of shape (n_units,), default=None
        Their numbers.
    feature_names : array-like of shape (n_features,), default=None
        What the rows are.
    n_units_in_all, n_features_in_all : int, default=None
        How many units and features the network has.
    image_shape : (int, int), default=None
        The shape of the image that the features are.

    Attributes
    ----------
    image_ : AxesImage
        The weights; for images, all of them side by side, with NaN between.
    colorbar_ : Colorbar or None
    ax_ : Axes
    figure_ : Figure

    See Also
    --------
    NetworkDisplay : The same weights as lines.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_shallow import ShallowNNClassifier
    >>> from sk_shallow.inspection import HiddenUnitsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> net = ShallowNNClassifier(10, alpha=1.0, max_iter=5, random_state=0).fit(X, y)
    >>> display = HiddenUnitsDisplay.from_estimator(net, X, image_shape=(8, 8))
    >>> display.weights.shape
    (64, 10)
    """

    image_: Any
    colorbar_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        weights: DataLike,
        *,
        units: DataLike | None = None,
        feature_names: DataLike | None = None,
        n_units_in_all: int | None = None,
        n_features_in_all: int | None = None,
        image_shape: tuple[int, int] | None = None,
    ) -> None:
        self.weights: Floats = np.asarray(weights)
        d, h = self.weights.shape
        names = [f"x{j}" for j in range(d)] if feature_names is None else feature_names
        self.units = np.arange(h) if units is None else np.asarray(units)
        self.feature_names = np.asarray(names, dtype=object)
        self.n_units_in_all = h if n_units_in_all is None else n_units_in_all
        self.n_features_in_all = d if n_features_in_all is None else n_features_in_all
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: DataLike | None = None,
        *,
        max_units: int = 16,
        max_features: int = 30,
        image_shape: tuple[int, int] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw what the units of a network look at.

        Parameters
        ----------
        estimator : ShallowNNClassifier or ShallowNNRegressor
            Fitted.
        X : {DataFrame, array-like, sparse matrix}, default=None
            Samples. The weights are then times the standard deviations of the inputs:
            what a unit sees of each, whatever its scale.
        max_units : int, default=16
            How many units to show: those of the largest ‖w_in‖ ‖w_out‖.
        max_features : int, default=30
            How many features to show: those of the largest weights. Of images all are.
        image_shape : (int, int), default=None
            The shape of the image that the features are; each unit is then an image.
        ax : Axes, default=None
            Where to draw; None: in a new figure.
        **kwargs : dict
            As matplotlib's `imshow` takes them.

        Returns
        -------
        HiddenUnitsDisplay

        Raises
        ------
        ValueError
            If the features are no image of this shape.

        Notes
        -----
        Where an encoder gives a feature several inputs, a weight is the norm of theirs,
        with the sign of their sum.
        """
        check_network(estimator)
        names = feature_names(estimator)
        n_features = len(names)
        if image_shape is not None and np.prod(image_shape) != n_features:
            raise ValueError(
                f"image_shape={image_shape} is not that of {n_features} features."
            )
        W1, W2, *path = weights_by_feature(estimator, X)
        units = largest(importance_of_units(W1, W2), max_units)
        rows = np.arange(n_features)
        if image_shape is None:
            rows = in_order(importance_of_features(W1, W2, *path), max_features)
        display = cls(
            W1[np.ix_(rows, units)],
            units=units,
            feature_names=names[rows],
            n_units_in_all=W1.shape[1],
            n_features_in_all=n_features,
            image_shape=image_shape,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, *, colorbar: bool = True, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None: in a new figure.
        colorbar : bool, default=True
            Whether to draw the scale of the colours.
        **kwargs : dict
            As matplotlib's `imshow` takes them.

        Returns
        -------
        self : HiddenUnitsDisplay
        """
        layout = "constrained" if self.image_shape is None else "compressed"
        self.ax_ = ax = axes_of(ax, self._figsize(), layout)
        self.figure_ = ax.figure
        limit = np.nanmax(np.abs(self.weights), initial=0) or 1.0
        style = {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
        style |= {"interpolation": "nearest"}
        if self.image_shape is None:
            self._draw_columns({**style, "aspect": "auto", **kwargs})
        else:
            self._draw_images({**style, **kwargs})
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(self.image_, ax=ax, label="weight")
        n, h = len(self.units), self.n_units_in_all
        rest = "" if n == h else f"{n} of "
        ax.set_title(f"{rest}{h} hidden unit{'s' if h > 1 else ''}")
        return self

    def _figsize(self):
        d, h = self.weights.shape
        if self.image_shape is None:
            return 3.2 + 0.3 * min(h, 40), max(2.6, 1.4 + 0.24 * min(d, 60))
        n_rows, n_columns = _grid(h)
        width, height = (
            n * pixels
            for n, pixels in zip(
                (n_columns, n_rows), self.image_shape[::-1], strict=True
            )
        )
        scale = 5 / max(width, height)
        return max(3.0, width * scale + 1.2), max(2.4, height * scale + 0.5)

    def _draw_columns(self, style):
        """A row for each feature, a column for each unit."""
        ax, (d, h) = self.ax_, self.weights.shape
        self.image_ = ax.imshow(self.weights, **style)
        every = -(-h // 25)
        ax.set_xticks(np.arange(0, h, every), [str(u) for u in self.units[::every]])
        ax.set_yticks(np.arange(d), [str(name) for name in self.feature_names])
        size = "small" if d <= 30 else "xx-small"
        ax.tick_params(axis="y", labelsize=size, length=0)
        ax.tick_params(axis="x", labelsize="small", length=0)
        ax.set_xlabel("hidden unit")
        n_hidden = self.n_features_in_all - d
        if n_hidden:
            ax.set_ylabel(f"{d} of {self.n_features_in_all} features")

    def _draw_images(self, style):
        """The images of the units, side by side, with their numbers above them."""
        ax, n = self.ax_, len(self.units)
        (height, width), (n_rows, n_columns) = self.image_shape, _grid(n)
        is_numbered = n_columns <= _MOST_NUMBERED
        above = ceil(0.25 * height) if is_numbered else max(1, height // 12)
        beside = max(1, width // 10)
        tall, wide = height + above, width + beside
        mosaic = np.full((n_rows * tall, n_columns * wide - beside), np.nan)
        for i, image in enumerate(self.weights.T):
            top, left = i // n_columns * tall + above, i % n_columns * wide
            rows, columns = slice(top, top + height), slice(left, left + width)
            mosaic[rows, columns] = image.reshape(height, width)
            ax.add_patch(rectangle((left - 0.5, top - 0.5), width, height))
            if is_numbered:
                ax.text(
                    left + (width - 1) / 2,
                    top - 0.5 - 0.15 * above,
                    str(self.units[i]),
                    ha="center",
                    va="bottom",
                    fontsize=max(6, 10 - n_columns // 3),
                )
        self.image_ = ax.imshow(mosaic, **style)
        ax.set_axis_off()


def _grid(n):
    """Rows and columns for n tiles."""
    n_columns = ceil(sqrt(n))
    return ceil(n / n_columns), n_columns
