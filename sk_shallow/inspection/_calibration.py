"""Whether intervals hold what they promise."""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length

from sk_shallow._typing import DataLike, Floats
from sk_shallow.inspection._figure import axes_of
from sk_shallow.inspection._weights import check_network

# Two standard errors.
_WIDTH = 2.0


class CalibrationOfIntervalsDisplay:
    """The share of samples within their intervals, against the level of these.

    Of intervals that hold what they promise the line is the diagonal; about it is the
    band of two standard errors of as many samples.

    Parameters
    ----------
    levels : array-like of shape (n_levels,)
        The levels of the intervals.
    coverage : array-like of shape (n_levels,) or (n_outputs, n_levels)
        The share of the samples that are within.
    n_samples : int, default=None
        How many there are; None: no band.
    name : str, default=None
        Of the network, for the legend.

    Attributes
    ----------
    line_ : Line2D or None
        That of the first output.
    lines_ : list of Line2D
        One for each output.
    diagonal_ : Line2D
    band_ : Collection or None
    ax_ : Axes
    figure_ : Figure

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : The same for probabilities of classes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_shallow import ShallowNNRegressor
    >>> from sk_shallow.inspection import CalibrationOfIntervalsDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = ShallowNNRegressor(alpha=10.0, activation="relu", cv=5, random_state=0)
    >>> net = net.fit(X[::2], y[::2])
    >>> display = CalibrationOfIntervalsDisplay.from_estimator(net, X[1::2], y[1::2])
    >>> bool(abs(display.coverage - display.levels).max() < 0.1)
    True
    """

    line_: Any
    lines_: list[Any]
    diagonal_: Any
    band_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        levels: DataLike,
        coverage: DataLike,
        *,
        n_samples: int | None = None,
        name: str | None = None,
    ) -> None:
        self.levels: Floats = np.asarray(levels)
        self.coverage: Floats = np.asarray(coverage)
        self.n_samples = n_samples
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: DataLike,
        y: DataLike,
        *,
        levels: DataLike | None = None,
        ax: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw what the intervals of a regressor hold.

        Parameters
        ----------
        estimator : ShallowNNRegressor
            Fitted, with samples held out; see its `predict_interval`.
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Samples that `fit` has not seen.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        levels : array-like of shape (n_levels,), default=None
            The levels of the intervals; None: 0.05, 0.1, ..., 0.95.
        ax : Axes, default=None
            Where to draw; None: in a new figure.
        name : str, default=None
            Of the network, for the legend.
        **kwargs : dict
            For the lines, as matplotlib's `plot` takes them.

        Returns
        -------
        CalibrationOfIntervalsDisplay

        Raises
        ------
        AttributeError
            If nothing was held out.
        TypeError
            If the estimator is no regressor.
        """
        check_network(estimator)
        if not hasattr(estimator, "predict_interval"):
            raise TypeError(
                "estimator must be a fitted ShallowNNRegressor. "
                f"Got {type(estimator).__name__}."
            )
        y = check_array(y, ensure_2d=False, input_name="y")
        check_consistent_length(X, y)
        given = np.linspace(0.05, 0.95, 19) if levels is None else np.asarray(levels)
        held = []
        for level in given:
            bounds = estimator.predict_interval(X, confidence_level=float(level))
            low, high = bounds[..., 0], bounds[..., 1]
            held.append(np.mean((low <= y) & (y <= high), axis=0))
        coverage = np.array(held).T
        display = cls(given, coverage, n_samples=len(y), name=name)
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None: in a new figure.
        name : str, default=None
            Of the network, for the legend; None: that of the display.
        **kwargs : dict
            For the lines, as matplotlib's `plot` takes them.

        Returns
        -------
        self : CalibrationOfIntervalsDisplay
        """
        self.ax_ = ax = axes_of(ax, (4.8, 4.6))
        self.figure_ = ax.figure
        name = self.name if name is None else name
        has_diagonal = any(line.get_label() == _DIAGONAL for line in ax.lines)
        (self.diagonal_,) = ax.plot(
            [0, 1],
            [0, 1],
            ls=":",
            color="gray",
            zorder=1,
            label="_" if has_diagonal else _DIAGONAL,
        )
        rows = np.atleast_2d(self.coverage)
        outputs = [f"output {k}" for k in range(len(rows))] if len(rows) > 1 else [""]
        labels = [": ".join(filter(None, (name, output))) for output in outputs]
        self.lines_ = [
            ax.plot(
                self.levels,
                row,
                **{"marker": ".", "label": label or "held", "zorder": 3, **kwargs},
            )[0]
            for row, label in zip(rows, labels, strict=True)
        ]
        self.line_ = self.lines_[0]
        self.band_ = None if self.n_samples is None or has_diagonal else self._band()
        ax.set(
            xlabel="level of the intervals",
            ylabel="share of samples within",
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
        )
        ax.legend(loc="upper left", fontsize="small")
        return self

    def _band(self):
        """p ± 2 √(p (1 - p)/n)."""
        p = np.linspace(0, 1, 101)
        error = _WIDTH * np.sqrt(p * (1 - p) / self.n_samples)
        return self.ax_.fill_between(
            p, p - error, p + error, color="gray", alpha=0.2, lw=0, zorder=0
        )


_DIAGONAL = "as promised"
