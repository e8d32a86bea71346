"""The network: one flat vector of parameters, forward and backward propagation.

Samples are rows:

    Z1 = X W1 + b1      A1 = g(Z1)      Z2 = A1 W2 + b2      A2 = h(Z2)

The arrays may carry one more, leading axis, that of the members of a committee;
then every line below computes all members at once.
"""

from typing import NamedTuple

import numpy as np


class Weights(NamedTuple):
    """The four windows on θ."""

    b1: np.ndarray
    W1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


class Layout(NamedTuple):
    """Sizes of the network, and where its weights lie in θ = [b1 | W1 | W2 | b2].

    W1 and W2 are neighbours: the L2 penalty is on one slice. Members lie one after
    the other.
    """

    n_in: int
    n_hidden: int
    n_out: int
    n_members: int = 1

    @property
    def shapes(self):
        """The shapes of b1, W1, W2, b2."""
        d, h, k = self.n_in, self.n_hidden, self.n_out
        return Weights((1, h), (d, h), (h, k), (1, k))

    @property
    def member_size(self):
        """The number of parameters of one member."""
        return sum(rows * columns for rows, columns in self.shapes)

    @property
    def size(self):
        """The length of θ."""
        return self.n_members * self.member_size

    def view(self, theta):
        """Windows on θ, with a leading axis where there are several members."""
        lead = () if self.n_members == 1 else (self.n_members,)
        rows = theta.reshape(*lead, self.member_size)
        ends = np.cumsum([r * c for r, c in self.shapes])[:-1]
        parts = np.split(rows, ends, axis=-1)
        return Weights(
            *(p.reshape(*lead, *s) for p, s in zip(parts, self.shapes, strict=True))
        )

    def penalized(self, theta):
        """The window [W1 | W2] on θ."""
        start, stop = self.n_hidden, self.member_size - self.n_out
        if self.n_members == 1:
            return theta[start:stop]
        return theta.reshape(self.n_members, -1)[:, start:stop]

    def pack(self, weights, dtype):
        """A new θ that holds these weights."""
        theta = np.empty(self.size, dtype)
        for window, values in zip(self.view(theta), weights, strict=True):
            window[...] = values
        return theta


def transpose(A):
    """Aᵀ, member by member."""
    return A.T if A.ndim == 2 else A.swapaxes(-1, -2)


def forward(X, theta, g, A1, Z2):
    """Forward propagation; leaves g(X W1 + b1) in A1 and A1 W2 + b2 in Z2."""
    Z1 = np.matmul(X, theta.W1, out=A1)  # Z1 = X W1 + b1
    Z1 += theta.b1
    g.forward(Z1, out=A1)  # A1 = g(Z1)
    np.matmul(A1, theta.W2, out=Z2)  # Z2 = A1 W2 + b2
    Z2 += theta.b2


def backward(X, theta, g, A1, dZ2, dZ1, grad):
    """Backward propagation of dZ2 into the windows of grad; overwrites A1 and dZ1."""
    np.matmul(transpose(A1), dZ2, out=grad.W2)  # dW2 = A1ᵀ dZ2
    np.sum(dZ2, axis=-2, keepdims=True, out=grad.b2)  # db2 = 1ᵀ dZ2
    np.matmul(dZ2, transpose(theta.W2), out=dZ1)  # dZ1 = (dZ2 W2ᵀ) ∘ g'(Z1)
    dZ1 *= g.slope(A1, out=A1)
    np.matmul(X.T, dZ1, out=grad.W1)  # dW1 = Xᵀ dZ1
    np.sum(dZ1, axis=-2, keepdims=True, out=grad.b1)  # db1 = 1ᵀ dZ1


def output(X, theta, g, n_rows=1024):
    """Z2 of every row of X, in blocks of n_rows: memory does not grow with A1."""
    Z2 = np.empty((X.shape[0], theta.W2.shape[-1]), theta.W2.dtype)
    A1 = np.empty((min(n_rows, X.shape[0]), theta.W1.shape[-1]), theta.W1.dtype)
    for start in range(0, X.shape[0], n_rows):
        block = Z2[start : start + n_rows]
        forward(X[start : start + n_rows], theta, g, A1[: len(block)], block)
    return Z2
