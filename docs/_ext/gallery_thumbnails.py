"""What stands in the gallery for a program that draws nothing, or is not executed.

A program names its picture in a comment, `sphinx_gallery_thumbnail_path`.
"""

from itertools import pairwise
from pathlib import Path

BLUE, RED, GRAY = "#4393c3", "#d6604d", "gray"


def network(ax, x=0.0, y=0.0, scale=1.0, layers=((-1, 1), (-2, 0, 2), (0,))):
    """Circles and lines, one layer beside the other."""
    for i, (left, right) in enumerate(pairwise(layers)):
        for a in left:
            for b in right:
                ax.plot(
                    [x + scale * i, x + scale * (i + 1)],
                    [y + scale * 0.4 * a, y + scale * 0.4 * b],
                    color=GRAY,
                    lw=1.5 * scale,
                    zorder=1,
                )
    for i, units in enumerate(layers):
        heights = [y + scale * 0.4 * unit for unit in units]
        colour = RED if i == len(layers) - 1 else BLUE
        places = [x + scale * i] * len(units)
        ax.scatter(places, heights, s=250 * scale**2, color=colour, zorder=2)


def plain(ax):
    """The network, for any other program."""
    network(ax, -1, 0)


def callbacks(ax):
    """A loss that falls and rises again, with the best epoch kept."""
    import numpy as np

    t = np.linspace(0, 1, 200)
    loss = np.exp(-7 * t) + 0.5 * t**2
    best = loss.argmin()
    ax.plot(3 * t[: best + 1] - 1.5, 1.6 * loss[: best + 1] - 0.9, color=BLUE, lw=3)
    ax.plot(3 * t[best:] - 1.5, 1.6 * loss[best:] - 0.9, color=GRAY, lw=2, ls=":")
    ax.scatter(3 * t[best] - 1.5, 1.6 * loss[best] - 0.9, s=180, color=RED, zorder=3)
    ax.text(3 * t[best] - 1.5, -0.35, "kept", ha="center", color=RED, size=13)


def chunks(ax):
    """A file in pieces, of which one is in the network."""
    for i in range(6):
        chosen = i == 2
        ax.add_patch(
            _rectangle(-1.6, 0.6 - 0.3 * i, 0.7, 0.25, RED if chosen else "lightgray")
        )
    _arrow(ax, (-0.8, 0.12), (-0.2, 0.0))
    network(ax, 0.1, 0, 0.75)


def cluster(ax):
    """A scheduler and workers, each with a network."""
    for x, y in ((-1.3, 0.75), (-1.3, -0.75), (0.7, 0.75), (0.7, -0.75)):
        ax.plot([0, x + 0.3], [0, y], color=GRAY, lw=1.5, ls=":", zorder=0)
        network(ax, x, y, 0.33)
    ax.scatter(0, 0, s=500, color=RED, zorder=3)


def server(ax):
    """Rows in, probabilities out."""
    ax.text(-1.65, 0.75, "[[5.1, 3.5, 1.4, 0.2]]", family="monospace", size=13)
    _arrow(ax, (-0.9, 0.65), (-0.9, 0.2))
    network(ax, -0.5, 0, 0.5)
    _arrow(ax, (-0.9, -0.25), (-0.9, -0.7))
    ax.text(-1.65, -0.98, '{"probabilities": …}', family="monospace", size=13)


def own_activation(ax):
    """g(z) = z / (1 + |z|) and its slope."""
    import numpy as np

    z = np.linspace(-5, 5, 201)
    ax.axhline(0, color="lightgray", lw=1)
    ax.axvline(0, color="lightgray", lw=1)
    ax.plot(0.32 * z, z / (1 + abs(z)), color=BLUE, lw=3)
    ax.plot(0.32 * z, 1 / (1 + abs(z)) ** 2, color=RED, lw=2, ls="--")
    ax.text(0.75, 0.35, "$g$", color=BLUE, size=16)
    ax.text(-1.0, 0.3, "$g'$", color=RED, size=16)


def numpy_alone(ax):
    """The two products."""
    for y, line in ((0.35, "A = g(X @ W1 + b1)"), (-0.35, "y = h(A @ W2 + b2)")):
        ax.text(0, y, line, family="monospace", size=14, ha="center", va="center")


def quickstart(ax):
    """The seven activations of the grid."""
    import numpy as np

    import sk_shallow as nn

    classes = (
        nn.Identity,
        nn.Logistic,
        nn.Tanh,
        nn.ReLU,
        nn.LeakyReLU,
        nn.ELU,
        nn.Softplus,
    )
    z = np.linspace(-2, 2, 101)
    for i, activation in enumerate(classes):
        x, y = -1.25 + 0.83 * (i % 4), 0.5 - (i // 4)
        A = activation().forward(z)
        ax.axhline(y, x / 3.6 + 0.42, x / 3.6 + 0.58, color="lightgray", lw=1)
        ax.plot(x + 0.16 * z, y + 0.16 * A, color=BLUE, lw=2.5)


def _rectangle(x, y, width, height, colour):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, color=colour)


def _arrow(ax, start, end):
    style = {"arrowstyle": "->", "color": GRAY, "lw": 2}
    ax.annotate("", end, start, arrowprops=style)


PICTURES = {
    "network": plain,
    "callbacks": callbacks,
    "chunks": chunks,
    "on_a_cluster": cluster,
    "onnx_server": server,
    "own_activation": own_activation,
    "predict_with_numpy": numpy_alone,
    "quickstart": quickstart,
}


def write(folder):
    """Each picture, where it is older than this file."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        path = folder / f"{name}.png"
        if path.exists() and path.stat().st_mtime > Path(__file__).stat().st_mtime:
            continue
        figure = plt.figure(figsize=(4, 2.8))
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set(xlim=(-1.8, 1.8), ylim=(-1.26, 1.26))
        ax.axis("off")
        draw(ax)
        figure.savefig(path, dpi=100)
        plt.close(figure)


def setup(app):
    """Before the gallery looks for them."""
    app.connect(
        "builder-inited",
        lambda app: write(Path(app.srcdir) / "_generated" / "thumbnails"),
        priority=400,
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
