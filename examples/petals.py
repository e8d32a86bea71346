"""The petals of the notes: hidden units bend a line until it follows the flower.

Networks of 1 to 50 units by L-BFGS, as in the notes' course, with their decision
boundaries, written to examples/output/petals.png.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from quickstart import make_flower
from sklearn.inspection import DecisionBoundaryDisplay

from sk_shallow import ShallowNNClassifier

mpl.use("agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
WIDTHS = (1, 2, 4, 5, 20, 50)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output-dir", type=Path, default=HERE / "output")
    folder = parser.parse_args().output_dir
    folder.mkdir(parents=True, exist_ok=True)
    X, y = make_flower()
    figure, axes = plt.subplots(2, 3, figsize=(10, 6.5), layout="constrained")
    for width, ax in zip(WIDTHS, axes.flat, strict=True):
        net = ShallowNNClassifier(width, activation="tanh", solver="lbfgs")
        net.set_params(alpha=0.1, random_state=0).fit(X, y)
        accuracy = net.score(X, y)
        print(f"{width:2d} units: {accuracy:.3f} of the points are right")
        how = {"response_method": "predict_proba", "cmap": "RdBu", "alpha": 0.6}
        DecisionBoundaryDisplay.from_estimator(net, X, ax=ax, **how)
        colours = np.where(y == 1, "tab:blue", "tab:red")
        ax.scatter(*X.T, s=8, c=colours, edgecolors="white", linewidths=0.3)
        ax.set(title=f"{width} units: {accuracy:.0%}", xticks=[], yticks=[])
    figure.savefig(folder / "petals.png", dpi=100)
    plt.close(figure)
    print(f"wrote {folder / 'petals.png'}")


if __name__ == "__main__":
    main()
