"""What a feature does to the prediction: f_j(x_j), the partial dependence."""

from typing import Any, NamedTuple, Self

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from sk_shallow._arrays.design import made
from sk_shallow._data.columns import read, table_of
from sk_shallow._typing import DataLike, Floats, Listed
from sk_shallow.inspection._figure import grid_of, label_left
from sk_shallow.inspection._weights import (
    check_network,
    feature_names,
    importance_of_features,
    in_order,
    output_names,
    weights_by_feature,
)

# Features that are drawn if none are named, and labels of one, at the most.
_MOST, _MOST_LABELS = 9, 20
# Outputs whose legend has room in the picture.
_MOST_INSIDE = 5


class Effect(NamedTuple):
    """What one feature does.

    Attributes
    ----------
    name : str
    grid : ndarray or list of str
        The values that it is given: numbers, or labels.
    average : ndarray of shape (n_outputs, n_values)
        The mean prediction.
    members : ndarray of shape (n_members, n_outputs, n_values)
        That of each member of a committee.
    rug : ndarray
        The values of the samples; empty for labels.
    """

    name: str
    grid: Any
    average: Floats
    members: Floats
    rug: Floats

    @property
    def is_categorical(self):
        """Whether the values are labels."""
        return isinstance(self.grid, list)


class FeatureEffectDisplay:
    """The mean prediction if a feature has one value in all samples, against the value.

    It is f_j(x_j), but for a constant, where the prediction is a sum of functions of
    one feature each. The band is from the lowest to the highest member of a committee;
    the ticks below are samples. Features of labels have bars.

    Parameters
    ----------
    effects : list of Effect
        One for each feature: its name, the grid, the averages, those of the members,
        and the values of the samples.
    outputs : list of str
        The names of the outputs.
    label : str, default="mean prediction"
        What the averages are of.

    Attributes
    ----------
    line_, ax_ : Line2D or BarContainer, Axes
        Those of the first feature and output.
    lines_ : list of lists of Line2D or BarContainer
        For each feature, one for each output.
    bands_ : list of lists of Collection
        The bands of the members, where there are several.
    rugs_ : list of Line2D or None
        The samples.
    axes_ : ndarray of Axes
        One for each feature.
    figure_ : Figure

    See Also
    --------
    sklearn.inspection.PartialDependenceDisplay : Of any estimator, and of two features.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_shallow import ShallowNNRegressor
    >>> from sk_shallow.inspection import FeatureEffectDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> net = ShallowNNRegressor(10, alpha=10.0, max_iter=20, random_state=0).fit(X, y)
    >>> display = FeatureEffectDisplay.from_estimator(net, X, ["bmi", "s5"])
    >>> len(display.axes_)
    2
    """

    line_: Any
    ax_: Any
    lines_: list[Any]
    bands_: list[Any]
    rugs_: list[Any]
    axes_: Any
    figure_: Any

    def __init__(
        self,
        effects: list[Effect],
        outputs: list[str],
        *,
        label: str = "mean prediction",
    ) -> None:
        self.effects = effects
        self.outputs = outputs
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: DataLike,
        features: Listed | None = None,
        *,
        target: Any = None,
        grid_resolution: int = 30,
        subsample: int | None = 300,
        random_state: int | np.random.RandomState | None = 0,
        n_columns: int = 3,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw what features do to the prediction of a network.

        Parameters
        ----------
        estimator : ShallowNNClassifier or ShallowNNRegressor
            Fitted.
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Samples to average over.
        features : list of int or str, default=None
            Which features; None: all, or the nine of the largest weights.
        target : label or int, default=None
            Of which class, or output, the prediction is; None: of all, and of two
            classes of the second. Of classes it is the probability.
        grid_resolution : int, default=30
            How many values a feature is given, at the most: quantiles of the samples.
        subsample : int or None, default=300
            How many of the samples are averaged over, at the most.
        random_state : int, RandomState instance or None, default=0
            Draws these.
        n_columns : int, default=3
            How many pictures stand side by side, at the most.
        ax : Axes or array of Axes, default=None
            Where to draw: in the place of this one, or one for each feature. None: in a
            new figure.
        **kwargs : dict
            For the lines, as matplotlib's `plot` takes them.

        Returns
        -------
        FeatureEffectDisplay

        Raises
        ------
        ValueError
            If there is no such feature or target.
        """
        check_network(estimator)
        names, outputs = feature_names(estimator), output_names(estimator)
        X = _columns(estimator, X, subsample, check_random_state(random_state))
        chosen = _chosen(estimator, X, names, features)
        parts, label = _outputs_of(estimator, target)
        if target is not None:
            outputs = [outputs[parts[0]] if len(outputs) > 1 else str(target)]
        effects = []
        for j in chosen:
            grid, changed, rug = _variations(X, j, grid_resolution)
            means = _averages(estimator, X, changed, parts)
            effects.append(Effect(str(names[j]), grid, *means, rug))
        display = cls(effects, outputs, label=label)
        return display.plot(ax=ax, n_columns=n_columns, **kwargs)

    def plot(self, ax: Any = None, *, n_columns: int = 3, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes or array of Axes, default=None
            Where to draw: in the place of this one, or one for each feature. None: in a
            new figure.
        n_columns : int, default=3
            How many pictures stand side by side, at the most.
        **kwargs : dict
            For the lines, as matplotlib's `plot` takes them.

        Returns
        -------
        self : FeatureEffectDisplay
        """
        self.axes_ = grid_of(ax, len(self.effects), n_columns)
        self.figure_ = self.axes_[0].figure
        self.lines_, self.bands_, self.rugs_ = [], [], []
        for one, effect in zip(self.axes_, self.effects, strict=True):
            draw = self._draw_bars if effect.is_categorical else self._draw_lines
            for drawn, part in zip(
                (self.lines_, self.bands_, self.rugs_),
                draw(one, effect, **kwargs),
                strict=True,
            ):
                drawn.append(part)
            one.set_xlabel(effect.name)
        label_left(self.axes_, self.label)
        self.ax_, self.line_ = self.axes_[0], self.lines_[0][0]
        if len(self.outputs) > 1:
            self._legend(self.axes_[: max(1, n_columns)][-1])
        return self

    def _legend(self, last):
        """In the first picture, or beside the last of its row if it is long."""
        if len(self.outputs) <= _MOST_INSIDE:
            self.ax_.legend(fontsize="x-small")
            return
        handles, labels = self.ax_.get_legend_handles_labels()
        place = {"loc": "upper left", "bbox_to_anchor": (1.02, 1), "borderaxespad": 0}
        last.legend(handles, labels, fontsize="x-small", **place)

    def _draw_lines(self, ax, effect, **kwargs):
        """A line for each output, the band of the members, and the samples."""
        lines, bands = [], []
        for k, (name, mean) in enumerate(
            zip(self.outputs, effect.average, strict=True)
        ):
            style = {"label": name, "marker": "." if len(mean) < 3 else ""}
            lines += ax.plot(effect.grid, mean, **{**style, **kwargs})
            if len(effect.members):
                low, high = _band(effect.members[:, k])
                color = lines[-1].get_color()
                style = {"color": color, "alpha": 0.25, "lw": 0}
                bands.append(ax.fill_between(effect.grid, low, high, **style))
        (rug,) = ax.plot(
            effect.rug,
            np.full(len(effect.rug), 0.02),
            "|",
            transform=ax.get_xaxis_transform(),
            color="gray",
            alpha=0.35,
            zorder=0,
            label="_",
        )
        return lines, bands, rug

    def _draw_bars(self, ax, effect, **kwargs):
        """A bar for each label and output, and the range of the members on it."""
        lines, bands = [], []
        n, at = len(self.outputs), np.arange(len(effect.grid))
        width = 0.8 / n
        color = {"color": kwargs["color"]} if "color" in kwargs else {}
        for k, (name, mean) in enumerate(
            zip(self.outputs, effect.average, strict=True)
        ):
            x = at + (k - (n - 1) / 2) * width
            lines.append(ax.bar(x, mean, width, label=name, alpha=0.8, **color))
            if len(effect.members):
                style = {"colors": "gray", "lw": 1.5, "zorder": 3}
                bands.append(ax.vlines(x, *_band(effect.members[:, k]), **style))
        is_long = max(map(len, effect.grid)) * len(effect.grid) > 30
        ax.set_xticks(at, effect.grid, rotation=90 if is_long else 0)
        return lines, bands, None


def _band(members):
    """From the lowest to the highest."""
    return members.min(axis=0), members.max(axis=0)


def _columns(estimator, X, subsample, rng):
    """Some rows of X, as `Columns`."""
    encoder = estimator.encoder_
    rows = np.arange(X.shape[0] if hasattr(X, "shape") else len(X))
    if subsample is not None and len(rows) > subsample:
        rows = np.sort(rng.choice(rows, subsample, replace=False))
    if sparse.issparse(X):
        X = X.tocsr()[rows].toarray()
        rows = np.arange(len(X))
    is_categorical = None if encoder is None else encoder.is_categorical_
    some = read(table_of(X), is_categorical).take(rows)
    return some._replace(numbers=made(some.numbers))


def _chosen(estimator, X, names, features):
    """The numbers of the features."""
    if features is None:
        samples = X.numbers if estimator.encoder_ is None else X
        weights = weights_by_feature(estimator, samples)
        return in_order(importance_of_features(*weights), _MOST)
    if not len(features):
        raise ValueError("features must list one feature at least.")
    return [_number(feature, names) for feature in features]


def _number(feature, names):
    """Where a feature is, by its name or its number."""
    found = np.flatnonzero(names == feature) if isinstance(feature, str) else []
    if len(found):
        return int(found[0])
    if isinstance(feature, str) or not 0 <= feature < len(names):
        raise ValueError(
            f"There is no feature {feature!r} among {len(names)} features."
        )
    return int(feature)


def _outputs_of(estimator, target):
    """Which columns of the response are wanted, and what they are."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        n_columns, label = estimator.n_outputs_, "mean prediction"
        found = np.flatnonzero(np.arange(n_columns) == target)
        all_parts = np.arange(n_columns)
    else:
        label, found = "mean probability", np.flatnonzero(classes == target)
        is_single = estimator.n_outputs_ == 1
        last = len(classes) - 1
        all_parts = np.array([last]) if is_single else np.arange(len(classes))
    if target is None:
        if len(all_parts) == 1 and classes is not None:
            label = f"{label} of {classes[-1]}"
        return all_parts, label
    if not len(found):
        raise ValueError(f"target={target!r} is no class or output of the network.")
    return found, label if classes is None else f"{label} of {target}"


def _variations(X, j, grid_resolution):
    """The values of a feature, what makes all rows have each, and the samples.

    Returns
    -------
    grid : ndarray of numbers or list of labels
    changed : list of callable
        `change(columns)` gives columns with the value in all rows.
    rug : ndarray
    """
    i = int(np.count_nonzero(X.is_categorical[:j] == X.is_categorical[j]))
    if X.is_categorical[j]:
        factor = X.factors[i]
        counts = np.bincount(factor.codes % len(factor.values))
        codes = np.argsort(-counts, kind="stable")[
            : min(_MOST_LABELS, np.sum(counts > 0))
        ]
        labels = [
            "missing" if (v := factor.values[c]) is None else str(v) for c in codes
        ]
        return labels, [_with_label(i, c) for c in codes], np.empty(0)
    x = X.numbers[:, i]
    known = x[~np.isnan(x)]
    levels = np.linspace(0, 1, grid_resolution)
    grid = np.unique(np.quantile(known, levels)) if len(known) else np.zeros(1)
    values = np.unique(known)
    grid = values if 0 < len(values) <= grid_resolution else grid
    return grid, [_with_number(i, value) for value in grid], known


def _with_number(i, value):
    def change(X):
        numbers = X.numbers.copy()
        numbers[:, i] = value
        return X._replace(numbers=numbers)

    return change


def _with_label(i, code):
    def change(X):
        factors = list(X.factors)
        codes = np.full_like(factors[i].codes, code)
        factors[i] = factors[i]._replace(codes=codes)
        return X._replace(factors=tuple(factors))

    return change


def _averages(estimator, X, changed, parts):
    """The mean of what is predicted after each change.

    Returns
    -------
    average : ndarray of shape (n_parts, n_changes)
    members : ndarray of shape (n_members, n_parts, n_changes)
        Of a committee; else there are none.
    """
    averages = []
    for change in changed:
        all_together, members = estimator._told_by_members(change(X))
        told = np.array([all_together, *members])
        told = told.reshape(*told.shape[:2], -1)[..., parts]
        averages.append(told.mean(axis=1))
    average, *members = np.stack(averages, axis=-1)
    members = members if len(members) > 1 else []
    return average, np.reshape(members, (len(members), *average.shape))
