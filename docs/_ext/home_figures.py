"""The figures of the home page, in light and in dark.

Three are drawn of fitted networks, one from the first table of benchmarks/REPORT.md.
"""

import runpy
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "benchmarks" / "REPORT.md"
STYLES = {"light": "default", "dark": "dark_background"}
BLUE, RED = "#4393c3", "#d6604d"


class Rival(NamedTuple):
    """A line of the table, as it is written; the ratios are ours by the rival's."""

    name: str
    sets: str
    within: str
    loss: str
    seconds: str


def rivals(report):
    """Those of the 131 tables, but for a version before this one."""
    table = report.split("### 131 tables")[1].split("| rival |")[1].split("\n\n")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()[2:]
    ]
    found = [Rival(*(row[i] for i in (0, 1, 2, 4, 6))) for row in rows]
    return [rival for rival in found if rival.name != "the default before"]


def table(report):
    """The same as a table of a page."""
    lines = [
        "| rival (tables) | within 1 % | loss | seconds |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {rival.name} ({rival.sets}) | {rival.within} | {rival.loss} | "
        f"{rival.seconds} |"
        for rival in rivals(report)
    ]
    return "\n".join(lines) + "\n"


def draw_benchmark(report, path):
    """Loss against the time of a fit, both as a multiple of ours."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    ax.scatter([1], [1], s=90, color=BLUE, zorder=3)
    ax.annotate(
        "sk-shallow, as it comes",
        (1, 1),
        (-10, -4),
        textcoords="offset points",
        weight="bold",
        ha="right",
        va="top",
    )
    for rival in rivals(report):
        loss, seconds = 1 / float(rival.loss), 1 / float(rival.seconds)
        ax.scatter([seconds], [loss], s=60, color=RED, zorder=3)
        few = "" if int(rival.sets) > 100 else f" ({rival.sets} tables)"
        name = rival.name.replace(" / ", " /\n") + few
        right = seconds > 5
        ax.annotate(
            name,
            (seconds, loss),
            (-10 if right else 10, 0),
            textcoords="offset points",
            ha="right" if right else "left",
            va="center",
        )
    ax.axhline(1, color="gray", lw=0.8, zorder=1)
    ax.axvline(1, color="gray", lw=0.8, zorder=1)
    ax.set(
        xscale="log",
        xlabel="seconds of a fit, as a multiple of ours",
        ylabel="loss on test rows,\nas a multiple of ours",
        xlim=(0.06, 25),
        ylim=(0.95, 1.35),
    )
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 5, 10, 20])
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    ax.xaxis.set_minor_locator(plt.NullLocator())
    ax.grid(alpha=0.2)
    figure.savefig(path, transparent=True)
    plt.close(figure)


def networks():
    """What the other figure draws: the petals, and a curve with noise."""
    import numpy as np

    from sk_shallow import ShallowNNClassifier, ShallowNNRegressor

    quickstart = runpy.run_path(str(ROOT / "examples" / "quickstart.py"))
    points, petal = quickstart["make_flower"]()
    petal = np.where(petal == 1, "blue", "red")
    net = ShallowNNClassifier(
        4, activation="tanh", solver="lbfgs", alpha=0.1, random_state=0
    )
    net.fit(points, petal)
    rng = np.random.default_rng(1)
    x = rng.uniform(-3, 3, 300)
    y = np.sin(2 * x) + (0.1 + 0.1 * np.abs(x)) * rng.normal(size=300)
    curve = ShallowNNRegressor(
        loss="quantile", quantile=[0.05, 0.5, 0.95], activation="tanh", random_state=0
    )
    return points, petal, net, x, y, curve.fit(x[:, None], y)


def draw_layers(drawn, ax):
    """The network that tells the petals apart."""
    from sk_shallow.inspection import NetworkDisplay

    NetworkDisplay.from_estimator(drawn[2], drawn[0], ax=ax)
    ax.set_title("One hidden layer of four units")


def draw_classes(drawn, ax):
    """What it makes of them."""
    import matplotlib.pyplot as plt
    import numpy as np
    from sklearn.inspection import DecisionBoundaryDisplay

    points, petal, net = drawn[:3]
    DecisionBoundaryDisplay.from_estimator(
        net,
        points,
        response_method="predict_proba",
        class_of_interest="blue",
        cmap="RdBu",
        alpha=0.5,
        levels=np.linspace(0, 1, 11),
        ax=ax,
    )
    on_dark = plt.rcParams["text.color"] == "white"
    blue, red = ("#92c5de", "#f4a582") if on_dark else ("navy", "darkred")
    colours = np.where(petal == "blue", blue, red)
    ax.scatter(*points.T, s=18, c=colours, edgecolors="white", linewidths=0.3)
    ax.set(title="tells two classes apart,", xlabel="", ylabel="")
    ax.set(xticks=[], yticks=[], aspect="equal")


def draw_curve(drawn, ax):
    """A curve with its interval."""
    import numpy as np

    x, y, net = drawn[3:]
    grid = np.linspace(-3, 3, 200)[:, None]
    low, high = net.predict_interval(grid, confidence_level=0.9).T
    ax.scatter(x, y, s=8, color="gray")
    ax.fill_between(grid[:, 0], low, high, color=BLUE, alpha=0.35)
    ax.plot(grid[:, 0], net.predict(grid)[:, 1], color=BLUE, lw=2)
    ax.set(title="or gives a curve and its error bars.", xticks=[], yticks=[])


def write(folder):
    """Both figures, in both styles, where they are older than what they are made of."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    folder.mkdir(exist_ok=True)
    parts = {"layers": draw_layers, "classes": draw_classes, "curve": draw_curve}
    sources = [Path(__file__), REPORT, *(ROOT / "sk_shallow").rglob("*.py")]
    newest = max(path.stat().st_mtime for path in sources)
    paths = {
        (name, style): folder / f"{name}_{style}.{'png' if name in parts else 'svg'}"
        for name in ("benchmark", *parts)
        for style in STYLES
    }
    if all(path.exists() and path.stat().st_mtime > newest for path in paths.values()):
        return
    drawn = networks()
    report = REPORT.read_text(encoding="utf-8")
    (folder / "rivals.md").write_text(table(report), encoding="utf-8")
    for style, sheet in STYLES.items():
        with plt.style.context(["default", sheet]), mpl.rc_context({"font.size": 12}):
            draw_benchmark(report, paths["benchmark", style])
            for name, draw in parts.items():
                figure, ax = plt.subplots(figsize=(3.6, 3.5), layout="constrained")
                draw(drawn, ax)
                figure.savefig(paths[name, style], dpi=150, transparent=True)
                plt.close(figure)


def setup(app):
    """Before Sphinx looks for its images."""
    app.connect("builder-inited", lambda app: write(Path(app.srcdir) / "_generated"))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
