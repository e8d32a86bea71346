"""How training went."""

from itertools import chain
from typing import Any, Self

import numpy as np

from sk_shallow._typing import DataLike, Floats
from sk_shallow.inspection._figure import axes_of, count_in_ones, grid_of
from sk_shallow.inspection._weights import check_network

# A range of losses beyond which their scale is logarithmic.
_WIDE = 20


class LossCurveDisplay:
    """The loss of training and of held-out samples, and the iterate that was kept.

    All losses are in one unit, that of the loss which training minimises: nats for
    classes, for numbers that of standardised targets, half the squared error in
    variances of y for one. The training loss has the penalty in it (but where "lm"
    finds α), the held-out losses have not.

    Parameters
    ----------
    training : array-like of shape (n_iterations,)
        The training loss after every iteration.
    held_out : array-like of shape (n_iterations,), default=None
        The loss of held-out samples.
    scores : array-like of shape (n_iterations,), default=None
        Held-out scores that are no loss; they get a scale of their own, on the right.
    score_name : str, default="score"
        What these scores are.
    kept : int, default=None
        Which iterate was kept; the first is 1.
    candidates : dict of lists, default=None
        The race: `n_steps` and held-out `loss` of each candidate, and by what names
        they differ. They get a picture of their own, beside.
    unit : str, default=None
        Of the losses.
    name : str, default=None
        Of the network, for the legend.

    Attributes
    ----------
    line_, held_out_line_, score_line_ : Line2D or None
        The training loss, the held-out loss, and the held-out scores.
    kept_ : PathCollection or None
        The iterate that was kept, on each of these.
    candidates_ : list of PathCollection
        The candidates, a collection for each kind; the least loss has a ring.
    ax_, score_ax_, candidates_ax_ : Axes or None
        Those of the losses, of the scores, and of the candidates.
    figure_ : Figure

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores against numbers of samples.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_shallow import ShallowNNClassifier
    >>> from sk_shallow.inspection import LossCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> net = ShallowNNClassifier(10, alpha=1.0, early_stopping=True, random_state=0)
    >>> display = LossCurveDisplay.from_estimator(net.fit(X, y))
    >>> display.ax_.get_ylabel()
    'loss, in nats'
    """

    line_: Any
    held_out_line_: Any
    score_line_: Any
    kept_: Any
    candidates_: list[Any]
    ax_: Any
    score_ax_: Any
    candidates_ax_: Any
    figure_: Any

    def __init__(
        self,
        training: DataLike,
        *,
        held_out: DataLike | None = None,
        scores: DataLike | None = None,
        score_name: str = "score",
        kept: int | None = None,
        candidates: dict[str, list[Any]] | None = None,
        unit: str | None = None,
        name: str | None = None,
    ) -> None:
        self.training: Floats = np.asarray(training)
        self.held_out = None if held_out is None else np.asarray(held_out)
        self.scores = None if scores is None else np.asarray(scores)
        self.score_name = score_name
        self.kept = kept
        self.candidates = candidates
        self.unit = unit
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        candidates: bool = False,
        ax: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw how the training of a network went.

        Parameters
        ----------
        estimator : ShallowNNClassifier or ShallowNNRegressor
            Fitted.
        candidates : bool, default=False
            Whether to draw the candidates of the race, too: their held-out losses after
            the steps that they made.
        ax : Axes, default=None
            Where to draw; with candidates, side by side in its place, or two of them.
            None: in a new figure.
        name : str, default=None
            Of the network, for the legend.
        **kwargs : dict
            For the line of the training loss, as matplotlib's `plot` takes them.

        Returns
        -------
        LossCurveDisplay
        """
        check_network(estimator)
        values = getattr(estimator, "validation_scores_", None)
        is_loss = estimator.scoring == "loss"
        how = estimator.scoring
        display = cls(
            estimator.loss_curve_,
            held_out=-np.array(values) if values and is_loss else None,
            scores=values if values and not is_loss else None,
            score_name=how if isinstance(how, str) else "score",
            kept=_kept(estimator.loss_curve_, estimator.loss_, values),
            candidates=(estimator.search_results_ or None) if candidates else None,
            unit=_unit(estimator),
            name=name,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; with candidates, side by side in its place, or two of them.
            None: in a new figure.
        name : str, default=None
            Of the network, for the legend; None: that of the display.
        **kwargs : dict
            For the line of the training loss, as matplotlib's `plot` takes them.

        Returns
        -------
        self : LossCurveDisplay
        """
        if self.candidates is None:
            self.ax_, self.candidates_ax_ = axes_of(ax), None
        else:
            axes = grid_of(ax, 2, 2, sharey=False, size=(4.4, 3.9))
            self.ax_, self.candidates_ax_ = axes
        ax, self.figure_ = self.ax_, self.ax_.figure
        name = self.name if name is None else name
        self._prefix = "" if name is None else f"{name}: "
        self.score_ax_ = self.held_out_line_ = self.score_line_ = self.kept_ = None
        self.line_ = self._curve(ax, self.training, "training", **kwargs)
        if self.held_out is not None:
            self.held_out_line_ = self._curve(ax, self.held_out, "held out", ls="--")
        if self.scores is not None:
            self.score_ax_ = ax.twinx()
            color = _next_color(ax)
            self.score_line_ = self._curve(
                self.score_ax_, self.scores, self.score_name, ls="--", color=color
            )
            self.score_ax_.set_ylabel(f"held-out {self.score_name}")
        if self.kept is not None:
            self._mark_kept()
        unit = "" if self.unit is None else f", in {self.unit}"
        ax.set(xlabel="iteration", ylabel=f"loss{unit}")
        count_in_ones(ax.xaxis)
        if _are_wide(self.training, self.held_out):
            ax.set_yscale("log")
        self._legend()
        self.candidates_ = [] if self.candidates is None else self._draw_candidates()
        return self

    def _curve(self, ax, values, label, **kwargs):
        """A line; its points are marked where it is none."""
        style = {
            "label": self._prefix + label,
            "marker": "." if len(values) < 3 else "",
        }
        steps = np.arange(1, len(values) + 1)
        return ax.plot(steps, values, **{**style, **kwargs})[0]

    def _mark_kept(self):
        """A ring on the curve that was judged."""
        line = self.score_line_ or self.held_out_line_ or self.line_
        self.kept_ = line.axes.scatter(
            [self.kept],
            [line.get_ydata()[self.kept - 1]],
            s=70,
            facecolors="none",
            edgecolors=line.get_color(),
            linewidths=1.8,
            zorder=5,
            label=f"{self._prefix}kept: iteration {self.kept}",
        )

    def _legend(self):
        """One legend for the losses and the scores."""
        axes = [ax for ax in (self.ax_, self.score_ax_) if ax is not None]
        pairs = [ax.get_legend_handles_labels() for ax in axes]
        handles, labels = (list(chain(*parts)) for parts in zip(*pairs, strict=True))
        place = "best" if self.score_ax_ is None else "center right"
        axes[-1].legend(handles, labels, fontsize="small", loc=place)

    def _draw_candidates(self):
        """The held-out losses of the candidates, the least of them ringed."""
        table, ax = self.candidates, self.candidates_ax_
        n_steps, losses = np.array(table["n_steps"]), np.array(table["loss"])
        kinds, is_finite = np.array(_kinds(table)), np.isfinite(losses)
        drawn = []
        for i, kind in enumerate(dict.fromkeys(kinds)):
            chosen = (kinds == kind) & is_finite
            style = {"marker": _MARKERS[i % len(_MARKERS)], "color": f"C{i}", "s": 28}
            points = n_steps[chosen], losses[chosen]
            drawn.append(ax.scatter(*points, alpha=0.8, label=kind, **style))
        if is_finite.any():
            best = np.argmin(np.where(is_finite, losses, np.inf))
            style = {"facecolors": "none", "edgecolors": "gray", "linewidths": 1.8}
            ax.scatter([n_steps[best]], [losses[best]], s=130, zorder=3, **style)
        rounds = np.unique(n_steps)
        ax.set_xscale("log")
        ax.set_xticks(rounds, [str(n) for n in rounds])
        ax.minorticks_off()
        ax.set_xlim(rounds[0] / 1.5, rounds[-1] * 1.5)
        if _are_wide(losses):
            ax.set_yscale("log")
        ax.set(xlabel="steps of a candidate", ylabel="held-out loss, in the same unit")
        ax.legend(fontsize="small")
        return drawn


_MARKERS = "osD^vP"


def _are_wide(*curves):
    """Whether losses are positive, and differ by far."""
    values = np.concatenate([curve for curve in curves if curve is not None])
    values = values[np.isfinite(values)]
    return bool(values.size and values.max() > _WIDE * values.min() > 0)


def _next_color(ax):
    """The colour after those of the lines that are there."""
    return f"C{len(ax.lines)}"


def _kept(curve, loss, scores):
    """The number of the iterate with the best score, or else with this loss."""
    if scores:
        return int(np.nanargmax(scores)) + 1
    gaps = np.abs(np.array(curve) - loss)
    return int(np.nanargmin(gaps)) + 1 if np.isfinite(gaps).any() else None


def _unit(estimator):
    """What the losses are counted in."""
    if hasattr(estimator, "classes_"):
        return "nats"
    is_variance = estimator.loss == "squared_error"
    if not estimator.standardize:
        return None
    return "variances of y" if is_variance else "units of standardised y"


def _kinds(table):
    """What each candidate is called: the names that not all share."""
    named = {
        name: [_told(name, value) for value in table[name]]
        for name in ("solver", "activation", "encoding", "linear_path")
        if name in table
    }
    differing = [told for told in named.values() if len(set(told)) > 1]
    kinds = [", ".join(filter(None, row)) for row in zip(*differing, strict=True)]
    return [kind or "plain" for kind in kinds] or ["candidates"] * len(table["loss"])


def _told(name, value):
    """A value in a legend; nothing for what is not there."""
    if isinstance(value, bool):
        return name.replace("_", " ") if value else ""
    return "" if value is None else str(value)
