"""How the first θ is drawn: random, so that the hidden units differ.

Each initializer fills W1 and W2 in place; the biases start at zero (the notes), but for
`biases_within`.
"""

import numpy as np


def _normal(rng, W, sd):
    """W ~ N(0, sd²)."""
    W[...] = sd * rng.standard_normal(W.shape)


def glorot(rng, W1, W2):
    """Variance 2 / (fan_in + fan_out): for sigmoids and linear units [1]_.

    References
    ----------
    .. [1] Glorot and Bengio, "Understanding the difficulty of training deep
       feedforward neural networks", AISTATS 2010.
    """
    for W in (W1, W2):
        _normal(rng, W, np.sqrt(2 / sum(W.shape[-2:])))


def he(rng, W1, W2):
    """Variance 2 / fan_in into rectifiers, 1 / fan_in into the output [1]_.

    References
    ----------
    .. [1] He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    _normal(rng, W1, np.sqrt(2 / W1.shape[-2]))
    _normal(rng, W2, np.sqrt(1 / W2.shape[-2]))


def normal(rng, W1, W2):
    """0.01 × standard normal, as in the notes."""
    for W in (W1, W2):
        _normal(rng, W, 0.01)


def zeros(rng, W1, W2):
    """All zero: every hidden unit stays equal to every other for ever."""
    W1[...] = 0
    W2[...] = 0


def biases_within(rng, W1, spread):
    """b1 that puts the middle of each unit at a point where samples may be.

    The point is between the mean, 0, and a normal one with the spread of the samples.
    Steps that see curvature fit each unit where it is.
    """
    points = spread * rng.random(W1.shape[1]) * rng.standard_normal(W1.shape)
    return -np.einsum("dj,dj->j", points, W1)


def first_weights(rng, draw, layout, b2, steepness=1.0, spread=0.0):
    """b1, W1, W2, b2, V of one network; the linear path V begins at 0.

    Parameters
    ----------
    rng : numpy.random.Generator
    draw : callable
        One of the initializers.
    layout : Layout
        Of one network.
    b2 : float or ndarray of shape (n_out,)
        The output biases.
    steepness : float, default=1.0
        How many times larger W1 is than it is drawn.
    spread : float, default=0.0
        Where b1 puts the units; see `biases_within`.
    """
    W1 = np.empty((layout.n_in, layout.n_hidden))
    W2 = np.empty((layout.n_hidden, layout.n_out))
    draw(rng, W1, W2)
    W1 *= steepness
    b1 = biases_within(rng, W1, spread) if spread else np.zeros(layout.n_hidden)
    V = np.zeros((layout.n_path, layout.n_out))
    return b1, W1, W2, np.broadcast_to(b2, layout.n_out), V


INITIALIZERS = {
    "auto": glorot,
    "glorot": glorot,
    "he": he,
    "normal": normal,
    "zeros": zeros,
}
