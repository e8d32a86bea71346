"""Cat or not: pictures and seven hidden units
===========================================

A picture classifier as the lecture notes build it, with one output and seven hidden
units. A picture of 32 × 32 pixels in three colours is a row of 3,072 numbers.
"""

# %%
# The pictures
# ------------
# They are drawn here: 209 to train on and 50 to test. A cat is a head with two pointed
# ears; what is no cat has a head without ears, or round ones, or a box. Half of the
# heads are darker than the ground, so that no pixel alone tells anything.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

from sk_shallow import ShallowNNClassifier

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


images, y = pictures(209, seed=0)
images_test, y_test = pictures(50, seed=1)
X, X_test = (one.reshape(len(one), -1) for one in (images, images_test))

figure, axes = plt.subplots(2, 8, figsize=(9, 2.8), layout="constrained")
for ax, image, label in zip(axes.flat, images, y, strict=False):
    ax.imshow(image)
    ax.set(xticks=[], yticks=[])
    ax.set_title("cat" if label else "not")
plt.show()

# %%
# One unit, and seven
# -------------------
# One unit, which is a logistic regression, learns the training pictures by heart and
# guesses on the others.

linear = LogisticRegression(max_iter=2000).fit(X, y)
net = ShallowNNClassifier(7, activation="relu", alpha=0.1, random_state=0).fit(X, y)
for name, model in (("one unit", linear), ("seven hidden units", net)):
    right = model.score(X, y), model.score(X_test, y_test)
    print(f"{name}: {right[0]:.2f} right in training, {right[1]:.2f} in test")

# %%
# What the units look at
# ----------------------
# The weights of each hidden unit as a picture, the mean of the three colours: ears and
# eyes, bright against dark and dark against bright.

figure, axes = plt.subplots(1, 7, figsize=(9, 1.5), layout="constrained")
for ax, weights in zip(axes, net.coefs_[0].T, strict=True):
    image = weights.reshape(SIZE, SIZE, 3).mean(axis=-1)
    most = np.abs(image).max()
    ax.imshow(image, cmap="RdBu", vmin=-most, vmax=most)
    ax.set(xticks=[], yticks=[])
plt.show()
