"""What the displays share of matplotlib, which is imported here and nowhere else."""

import numpy as np

# Of weights above and below zero; told apart by all eyes, on white and on black.
POSITIVE, NEGATIVE = "#4393c3", "#d6604d"
# Red below zero, blue above.
DIVERGING = "RdBu"


def pyplot():
    """matplotlib.pyplot, or an error that tells how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Displays need matplotlib. It comes with the extra 'plot', from a clone: "
            'pip install ".[plot]"'
        ) from error
    return plt


def axes_of(ax, figsize=None, layout="constrained"):
    """The axes that are given, or those of a new figure."""
    plt = pyplot()
    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout=layout)
    return ax


def grid_of(ax, n, n_columns, *, sharey=True, size=(3.2, 2.7)):
    """So many axes in place of those that are given.

    Parameters
    ----------
    ax : Axes, array of n of them, or None
    n, n_columns : int
    sharey : bool, default=True
        Whether they have one vertical scale.
    size : (float, float), default=(3.2, 2.7)
        Of each in a new figure, in inches.

    Returns
    -------
    ndarray of shape (n,)
    """
    plt = pyplot()
    if isinstance(ax, np.ndarray | list | tuple):
        given = np.asarray(ax, dtype=object).ravel()
        if len(given) < n:
            raise ValueError(f"ax must be {n} axes, one for each picture.")
        return given[:n]
    if ax is not None and n == 1:
        return np.array([ax], dtype=object)
    n_columns = min(n, n_columns)
    shape = -(-n // n_columns), n_columns
    if ax is None:
        size = size[0] * shape[1] + 0.6, size[1] * shape[0] + 0.3
        cells = plt.figure(figsize=size, layout="constrained").add_gridspec(*shape)
    else:
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError("ax must be of a grid, as plt.subplots makes them.")
        ax.set_axis_off()
        cells = place.subgridspec(*shape)
    axes = cells.subplots(sharey=sharey, squeeze=False).ravel()
    for spare in axes[n:]:
        spare.remove()
    return axes[:n]


def label_left(axes, label):
    """The label of the vertical scale, on the left of each row."""
    for ax in axes:
        place = ax.get_subplotspec()
        if place is None or place.is_first_col() or len(axes) == 1:
            ax.set_ylabel(label)


def count_in_ones(axis):
    """Ticks at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True))


def rectangle(corner, width, height):
    """A thin frame."""
    from matplotlib.patches import Rectangle

    style = {"fill": False, "edgecolor": "gray", "linewidth": 0.5}
    return Rectangle(corner, width, height, **style)


def lines(ends, **style):
    """Lines from point to point."""
    from matplotlib.collections import LineCollection

    return LineCollection(ends, **style)


def text_color():
    """That of the style."""
    from matplotlib import rcParams

    return rcParams["text.color"]
