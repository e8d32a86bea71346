"""Cat or not: a picture classifier with seven hidden units, as the notes build it.

The pictures are drawn here: 209 to train on and 50 to test, of 32 × 32 pixels in three
colours. A cat is a head with two pointed ears; what is no cat has a head without ears,
or round ones, or a box. Half of the heads are darker than the ground: no pixel alone
tells anything, and one unit only guesses. A picture is a row of 3,072 numbers. What the
units look at is written to examples/output/cat_or_not.png.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from sklearn.linear_model import LogisticRegression

from sk_shallow import ShallowNNClassifier

mpl.use("agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
SIZE = 32
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]


def disc(row, column, radius):
    return (ROWS - row) ** 2 + (COLUMNS - column) ** 2 <= radius**2


def pointed(row, column, size):
    """A triangle that stands on a row."""
    height = row - ROWS
    return (
        (height >= 0)
        & (height <= size)
        & (np.abs(COLUMNS - column) <= (size - height) / 2)
    )


def picture(rng, is_cat):
    """(SIZE, SIZE, 3) numbers between 0 and 1."""
    row, column = rng.uniform(18, 20), rng.uniform(15, 17)
    radius = rng.uniform(8, 9)
    shape = disc(row, column, radius)
    ears = [(row - 0.6 * radius, column + side * 0.6 * radius) for side in (-1, 1)]
    if is_cat:
        for ear in ears:
            shape |= pointed(*ear, 1.1 * radius)
    elif (kind := rng.integers(3)) == 1:
        for ear in ears:
            shape |= disc(*ear, 0.45 * radius)
    elif kind == 2:
        shape = np.maximum(np.abs(ROWS - row), np.abs(COLUMNS - column)) <= radius
    ground, coat = rng.uniform(0, 0.4, 3), rng.uniform(0.5, 1, 3)
    if rng.random() < 0.5:  # a dark head on a bright ground
        ground, coat = coat, ground
    image = np.where(shape[..., None], coat, ground)
    for side in (-1, 1):
        eye = disc(row - 1, column + side * 0.4 * radius, 0.15 * radius)
        image[eye] = 1 - coat
    return np.clip(image + 0.05 * rng.normal(size=image.shape), 0, 1)


def pictures(n, seed):
    """(images, labels), half of them cats."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return np.array([picture(rng, is_cat) for is_cat in y]), y


def draw(images, y, net, path):
    """Some pictures, and what the units look at: the mean of the three colours."""
    figure = plt.figure(figsize=(9, 4.5), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1.7, 1])
    for ax, image, label in zip(above.subplots(2, 8).flat, images, y, strict=False):
        ax.imshow(image)
        ax.set(xticks=[], yticks=[])
        ax.set_title("cat" if label else "not", fontsize=8)
    below.suptitle("what each hidden unit looks at")
    units = below.subplots(1, 7)
    shape = SIZE, SIZE, 3
    for ax, weights in zip(units.flat, net.coefs_[0].T, strict=True):
        image = weights.reshape(shape).mean(axis=-1)
        most = np.abs(image).max()
        ax.imshow(image, cmap="RdBu", vmin=-most, vmax=most)
        ax.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output-dir", type=Path, default=HERE / "output")
    folder = parser.parse_args().output_dir
    folder.mkdir(parents=True, exist_ok=True)
    images, y = pictures(209, seed=0)
    images_test, y_test = pictures(50, seed=1)
    X, X_test = (one.reshape(len(one), -1) for one in (images, images_test))
    linear = LogisticRegression(max_iter=2000).fit(X, y)
    net = ShallowNNClassifier(7, activation="relu", alpha=0.1, random_state=0)
    net.fit(X, y)
    for name, model in (("one unit", linear), ("seven hidden units", net)):
        right = model.score(X, y), model.score(X_test, y_test)
        print(f"{name}: {right[0]:.2f} right in training, {right[1]:.2f} in test")
    draw(images, y, net, folder / "cat_or_not.png")
    print(f"wrote {folder / 'cat_or_not.png'}")


if __name__ == "__main__":
    main()
