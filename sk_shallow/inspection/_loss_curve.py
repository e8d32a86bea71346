"""How training went."""

from typing import Any, Self

import numpy as np

from sk_shallow._typing import DataLike, Floats
from sk_shallow.inspection._figure import axes_of
from sk_shallow.inspection._weights import check_network

# A range of losses beyond which their scale is logarithmic.
_WIDE = 20


class LossCurveDisplay:
    """The loss of training and of held-out samples, and the iterate that was kept.

    All losses are in one unit: that of the loss which training minimises. It is nats
    for classes, and for numbers that of standardised targets. The training loss has
    the penalty in it (not where "lm" finds α), the held-out losses have not.

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
        The race: `n_steps` and held-out `loss` of each candidate, with what else they
        are called by in the legend.
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
        The candidates, one collection for each kind.
    ax_, score_ax_, steps_ax_ : Axes or None
        Those of the losses, of the scores, and of the candidates' steps.
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
    steps_ax_: Any
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
            Where to draw; None: in a new figure.
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
            Where to draw; None: in a new figure.
        name : str, default=None
            Of the network, for the legend; None: that of the display.
        **kwargs : dict
            For the line of the training loss, as matplotlib's `plot` takes them.

        Returns
        -------
        self : LossCurveDisplay
        """
        self.ax_ = ax = axes_of(ax)
        self.figure_ = ax.figure
        name = self.name if name is None else name
        self._prefix = "" if name is None else f"{name}: "
        self.score_ax_ = self.steps_ax_ = None
        self.held_out_line_ = self.score_line_ = self.kept_ = None
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
        self.candidates_ = [] if self.candidates is None else self._draw_candidates()
        unit = "" if self.unit is None else f", in {self.unit}"
        ax.set(xlabel="iteration", ylabel=f"loss{unit}")
        if self._is_wide():
            ax.set_yscale("log")
        self._legend()
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
        i = self.kept - 1
        judged = self.training if self.held_out is None else self.held_out
        line = self.held_out_line_ or self.line_
        label = f"{self._prefix}kept: iteration {self.kept}"
        self.kept_ = self.ax_.scatter(
            [self.kept],
            [judged[i]],
            s=70,
            facecolors="none",
            edgecolors=line.get_color(),
            linewidths=1.8,
            zorder=5,
            label=label,
        )

    def _draw_candidates(self):
        """The held-out losses of the candidates, against steps on a scale of theirs."""
        table = self.candidates
        self.steps_ax_ = ax = self.ax_.twiny()
        ax.set(xscale="log", xlabel="steps of a candidate")
        n_steps, losses = np.array(table["n_steps"]), np.array(table["loss"])
        kinds = np.array(_kinds(table))
        drawn, is_finite = [], np.isfinite(losses)
        for i, kind in enumerate(dict.fromkeys(kinds)):
            chosen = (kinds == kind) & is_finite
            points = n_steps[chosen], losses[chosen]
            style = {"s": 24, "alpha": 0.8, "marker": _MARKERS[i % len(_MARKERS)]}
            color = f"C{i + 2}"
            drawn.append(ax.scatter(*points, color=color, label=kind, **style))
        return drawn

    def _is_wide(self):
        """Whether the losses are positive, and differ by far."""
        curves = [self.training, *([] if self.held_out is None else [self.held_out])]
        values = np.concatenate(curves)
        values = values[np.isfinite(values)]
        return bool(values.size and values.max() > _WIDE * values.min() > 0)

    def _legend(self):
        """One legend for all axes."""
        others = [ax for ax in (self.score_ax_, self.steps_ax_) if ax is not None]
        pairs = [ax.get_legend_handles_labels() for ax in (self.ax_, *others)]
        handles, labels = (sum(parts, []) for parts in zip(*pairs, strict=True))
        top = others[-1] if others else self.ax_
        top.legend(handles, labels, fontsize="small")


_MARKERS = "osD^vP"


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
    """What each candidate is called: what is not the same for all, but for numbers."""
    names = [
        name
        for name in ("solver", "activation", "encoding", "linear_path")
        if len({str(value) for value in table.get(name, [])}) > 1
    ]
    rows = zip(*(table[name] for name in names), strict=True)
    told = [", ".join(str(v) for v in row if v is not None) for row in rows]
    return told or ["candidates"] * len(table["loss"])
