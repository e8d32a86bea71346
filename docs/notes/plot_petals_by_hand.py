"""
.. _petals-by-hand:

The petals by hand, then by the library
=======================================

Fifteen lines of NumPy take the steps of the lecture notes on the petals, two classes
of points that no line separates. The library then takes the same steps from the same
first weights, and ends at the same network: the weights differ by rounding.
"""

# %%
# Two classes of petals
# ---------------------
# A point at the angle :math:`t` has the radius :math:`4 \sin 4t`, and some noise; where
# that is negative, it lies on the other side of the centre. The first half of the turn
# is one class, the second half the other, so that their petals alternate.

import warnings

import matplotlib.pyplot as plt
import numpy as np

from sk_shallow import ShallowNNClassifier

rng = np.random.default_rng(0)
half = np.repeat([0, 1], 200)
t = 3.12 * half + np.tile(np.linspace(0, 3.12, 200), 2)
t += 0.2 * rng.normal(size=400)
r = 4 * np.sin(4 * t) + 0.2 * rng.normal(size=400)
points = np.column_stack([r * np.sin(t), r * np.cos(t)])

# %%
# By hand
# -------
# Samples are columns here, as the notes have them: ``X`` has a column of two numbers
# for each point, ``W1`` a row for each hidden unit. Four units with :math:`\tanh`, one
# output with the sigmoid, weights that start at 0.01 times a normal number, and biases
# that start at zero. A step is the forward pass, the backward pass, and the weights
# minus the learning rate times their derivatives.

X, Y, m = points.T, half[None, :], len(half)
rate, n_steps = 1.2, 3000

W1, b1 = 0.01 * rng.normal(size=(4, 2)), np.zeros((4, 1))
W2, b2 = 0.01 * rng.normal(size=(1, 4)), np.zeros((1, 1))
start = W1, b1, W2, b2  # kept for the library

for _ in range(n_steps):
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    W1, b1 = W1 - rate * dW1, b1 - rate * db1
    W2, b2 = W2 - rate * dW2, b2 - rate * db2

print(f"{np.mean((A2 > 0.5) == Y):.1%} of the points are right")

# %%
# By the library
# --------------
# The same four units, ``solver="gd"`` for plain gradient descent over all samples, no
# penalty, and no standardisation, which the notes do not have. With ``warm_start`` a
# fit goes on from the weights that are there: a first step makes the arrays, and the
# first weights from above take their place. Samples are rows in scikit-learn, so that
# every matrix is transposed.

net = ShallowNNClassifier(
    4,
    activation="tanh",
    solver="gd",
    learning_rate_init=rate,
    alpha=0.0,
    standardize=False,
    n_iter_no_change=np.inf,
    warm_start=True,
)
with warnings.catch_warnings():
    # So many steps are wanted, whether they converge or not.
    warnings.simplefilter("ignore")
    net.set_params(max_iter=1).fit(points, half)
    net.coefs_ = [start[0].T, start[2].T]
    net.intercepts_ = [start[1][:, 0], start[3][:, 0]]
    net.set_params(max_iter=n_steps).fit(points, half)

print(f"{net.score(points, half):.1%} of the points are right")

# %%
# The same weights
# ----------------
# After 3000 steps each. One unit in the last place of a number near 10 is
# :math:`2 \times 10^{-15}`.

pairs = {
    "W1": (W1.T, net.coefs_[0]),
    "b1": (b1[:, 0], net.intercepts_[0]),
    "W2": (W2.T, net.coefs_[1]),
    "b2": (b2[:, 0], net.intercepts_[1]),
}
for name, (by_hand, by_library) in pairs.items():
    print(f"{name}: at most {np.abs(by_hand - by_library).max():.0e} apart")

# %%
# Where each network changes its mind, on top of each other: the line by hand is thick,
# that of the library thin and dashed. The second picture is the cost :math:`J` of each
# step, as ``loss_curve_`` keeps it.

across = np.linspace(-5, 5, 200)
grid = np.column_stack([axis.ravel() for axis in np.meshgrid(across, across)])
scores = W2 @ np.tanh(W1 @ grid.T + b1) + b2
probabilities = net.predict_proba(grid)[:, 1]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.scatter(*points.T, c=half, cmap="coolwarm", s=8)
square = len(across), len(across)
left.contour(
    across, across, scores.reshape(square), levels=[0], colors="gray", linewidths=4
)
left.contour(
    across,
    across,
    probabilities.reshape(square),
    levels=[0.5],
    colors="black",
    linestyles="dashed",
)
left.set(
    title="by hand (gray), by the library (dashed)", xlabel="$x_1$", ylabel="$x_2$"
)
right.plot(net.loss_curve_)
right.set(title="the cost of each step", xlabel="step", ylabel="$J$")
plt.show()

# %%
# What the library adds by default: it standardises the inputs, so that a rate of 0.1
# serves most data; it keeps the best step, not the last; it stops where nothing falls
# any more; and it has other ways down than gradient descent. See
# :class:`~sk_shallow.ShallowNNClassifier`.
