"""The picture of the network: circles, and lines as wide as the weights."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sk_shallow._typing import DataLike
from sk_shallow.inspection._figure import (
    NEGATIVE,
    POSITIVE,
    axes_of,
    lines,
    text_color,
)
from sk_shallow.inspection._weights import (
    check_network,
    feature_names,
    importance_of_features,
    importance_of_units,
    in_order,
    output_names,
    weights_by_feature,
)

# Of a circle, and from its centre to a name beside it, in points.
_DIAMETER, _BESIDE = 16.0, 11.0
# Circles of more units are small, and have no numbers in them; or no names beside them.
_MOST_NUMBERED, _MOST_NAMED = 16, 60
# The width of the widest line, and the diameters of small circles together, in points.
_WIDEST, _CROWD = 5.0, 500.0
_TITLES = "inputs", "hidden units", "outputs"


class NetworkDisplay:
    """Inputs, hidden units and outputs as circles, and the weights between as lines.

    The width of a line is proportional to the size of its weight, in each layer on a
    scale of its own; red is below zero, blue above.

    Parameters
    ----------
    weights : list of two or three arrays
        W1 of shape (n_inputs, n_hidden), W2 of shape (n_hidden, n_outputs), and V of
        shape (n_inputs, n_outputs), of what is shown.
    names : list of three lists of str
        Of the inputs, the hidden units and the outputs that are shown.
    n_in_all : sequence of three ints, default=None
        How many of each the network has.

    Attributes
    ----------
    lines_ : list of LineCollection
        The weights, in the order of each matrix by rows.
    nodes_ : list of PathCollection
        The inputs, the hidden units and the outputs.
    ax_ : Axes
    figure_ : Figure

    See Also
    --------
    HiddenUnitsDisplay : The weights as colours.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_shallow import ShallowNNClassifier
    >>> from sk_shallow.inspection import NetworkDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> net = ShallowNNClassifier(5, alpha=1.0, max_iter=20, random_state=0).fit(X, y)
    >>> display = NetworkDisplay.from_estimator(net, X)
    >>> [len(lines.get_linewidths()) for lines in display.lines_]
    [20, 15]
    """

    lines_: list[Any]
    nodes_: list[Any]
    ax_: Any
    figure_: Any

    def __init__(
        self,
        weights: list[Any],
        names: list[Any],
        *,
        n_in_all: Sequence[int] | None = None,
    ) -> None:
        self.weights = [np.asarray(W) for W in weights]
        self.names = [[str(name) for name in layer] for layer in names]
        shown = [len(layer) for layer in self.names]
        self.n_in_all = shown if n_in_all is None else list(n_in_all)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: DataLike | None = None,
        *,
        max_units: int = 12,
        ax: Any = None,
        max_width: float | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a network.

        Parameters
        ----------
        estimator : ShallowNNClassifier or ShallowNNRegressor
            Fitted.
        X : {DataFrame, array-like, sparse matrix}, default=None
            Samples. The weights of inputs are then times the standard deviations of
            these: what the network sees of each, whatever its scale.
        max_units : int, default=12
            How many inputs, hidden units and outputs to draw at the most: those of the
            largest weights, and the first of the outputs.
        ax : Axes, default=None
            Where to draw; None: in a new figure.
        max_width : float, default=None
            The width of the widest line, in points. None: 5, and less where more than
            16 circles stand above one another.
        **kwargs : dict
            For the lines, as matplotlib's `LineCollection` takes them.

        Returns
        -------
        NetworkDisplay

        Notes
        -----
        Where an encoder gives a feature several inputs, a weight is the norm of theirs,
        with the sign of their sum.
        """
        check_network(estimator)
        W1, W2, *path = weights_by_feature(estimator, X)
        (d, h), k = W1.shape, W2.shape[1]
        n_in, n_hidden, n_out = (_n_shown(n, max_units) for n in (d, h, k))
        rows = in_order(importance_of_features(W1, W2, *path), n_in)
        units = in_order(importance_of_units(W1, W2), n_hidden)
        outputs = np.arange(n_out)
        names = [
            feature_names(estimator)[rows],
            units,
            np.array(output_names(estimator), dtype=object)[outputs],
        ]
        weights = [
            W1[np.ix_(rows, units)],
            W2[np.ix_(units, outputs)],
            *(V[np.ix_(rows, outputs)] for V in path),
        ]
        display = cls(weights, names, n_in_all=(d, h, k))
        return display.plot(ax=ax, max_width=max_width, **kwargs)

    def plot(
        self, ax: Any = None, *, max_width: float | None = None, **kwargs: Any
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None: in a new figure.
        max_width : float, default=None
            The width of the widest line, in points. None: 5, and less where more than
            16 circles stand above one another.
        **kwargs : dict
            For the lines, as matplotlib's `LineCollection` takes them.

        Returns
        -------
        self : NetworkDisplay
        """
        layers = list(zip(self.names, self.n_in_all, strict=True))
        n_slots = [len(shown) + (n > len(shown)) for shown, n in layers]
        tallest = max(n_slots)
        self.ax_ = ax = axes_of(ax, (6.4, min(1.6 + 0.38 * tallest, 12)))
        self.figure_ = ax.figure
        heights = [(n - 1) / 2 - np.arange(n) for n in n_slots]
        places = [y[: len(shown)] for y, shown in zip(heights, self.names, strict=True)]
        if max_width is None:
            max_width = min(_WIDEST, _WIDEST * _MOST_NUMBERED / tallest)
        ends = [(0, 1), (1, 2), (0, 2)]
        self.lines_ = [
            self._draw_lines(W, *pair, places, max_width, **kwargs)
            for W, pair in zip(self.weights, ends, strict=False)
        ]
        self.nodes_ = [self._draw_nodes(x, y) for x, y in enumerate(places)]
        self._write_names(places)
        for x, (shown, n) in enumerate(layers):
            if n > len(shown):
                self._write(x, heights[x][-1], f"… {n - len(shown)} more", "center")
        middle, above = (tallest - 1) / 2, max(0.95, 0.03 * tallest)
        for x, (n, title) in enumerate(zip(self.n_in_all, _TITLES, strict=True)):
            told = title if n > 1 else title[:-1]
            self._write(x, middle + above, f"{n} {told}", "center")
        ax.set(xlim=(-0.15, 2.15), ylim=(-middle - 0.6, middle + 1.4 * above))
        ax.set_axis_off()
        return self

    def _draw_lines(self, W, i, j, places, max_width, **kwargs):
        """The weights of a matrix between two layers."""
        sizes, widest = np.abs(W).ravel(), np.abs(W).max(initial=0) or 1.0
        style = {
            "linewidths": max_width * sizes / widest,
            "colors": np.where(W.ravel() < 0, NEGATIVE, POSITIVE),
            "alpha": 0.8,
            "zorder": 1,
            "linestyles": "dashed" if j - i > 1 else "solid",
            "capstyle": "butt",
        }
        ends = [[(i, y), (j, z)] for y in places[i] for z in places[j]]
        return self.ax_.add_collection(lines(ends, **{**style, **kwargs}))

    def _draw_nodes(self, x, places):
        """The circles of a layer."""
        ax, n = self.ax_, max(map(len, self.names))
        return ax.scatter(
            np.full(len(places), float(x)),
            places,
            s=(_DIAMETER if n <= _MOST_NUMBERED else min(8, _CROWD / n)) ** 2,
            facecolors=[ax.get_facecolor()],
            edgecolors=text_color(),
            zorder=2,
        )

    def _write_names(self, places):
        """Beside the inputs and outputs, and in the hidden units, if there is room."""
        left, middle, right = self.names
        if max(map(len, self.names)) > _MOST_NAMED:
            return
        for name, y in zip(left, places[0], strict=True):
            self._write(0, y, name, "right", -_BESIDE)
        for name, y in zip(right, places[2], strict=True):
            self._write(2, y, name, "left", _BESIDE)
        if max(map(len, self.names)) <= _MOST_NUMBERED:
            for name, y in zip(middle, places[1], strict=True):
                size = "x-small" if len(name) < 3 else 6
                self._write(1, y, name, "center", fontsize=size)

    def _write(self, x, y, text, side, beside=0.0, **style):
        """A text so many points beside a place."""
        style = {"fontsize": "small", "va": "center", "ha": side, **style}
        style |= {"xytext": (beside, 0), "textcoords": "offset points"}
        self.ax_.annotate(text, (x, y), color=text_color(), zorder=3, **style)


def _n_shown(n, most):
    """How many of n there is room for: all, rather than to tell of one more."""
    return n if n <= most + 1 else most
