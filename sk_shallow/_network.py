"""The network: one flat vector of parameters, forward and backward propagation.

The rows of X are samples, and a first column of ones makes the hidden bias the weight
of a constant input. Outputs are kept as the notes keep them, one column per sample, so
that sums over the outputs run along the long axis:

    Z1 = X W1 + b1      A1 = g(Z1)      Z2 = W2ᵀ A1ᵀ + b2      A2 = h(Z2)
"""

from typing import NamedTuple

import numpy as np


class Weights(NamedTuple):
    """Windows on θ; B1 = [b1; W1] is the hidden layer, its bias in the first row."""

    b1: np.ndarray
    W1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray
    B1: np.ndarray


class Layout(NamedTuple):
    """Sizes of the network, and where its weights lie in θ = [b1 | W1 | W2 | b2].

    b1 and W1 together are one matrix, and so the penalised W1 and W2 are one slice.
    """

    n_in: int
    n_hidden: int
    n_out: int

    @property
    def size(self):
        """The length of θ."""
        return (self.n_in + 1) * self.n_hidden + (self.n_hidden + 1) * self.n_out

    def view(self, theta):
        """Windows on θ."""
        d, h, k = self
        hidden, last = (d + 1) * h, len(theta) - k
        return Weights(
            b1=theta[:h],
            W1=theta[h:hidden].reshape(d, h),
            W2=theta[hidden:last].reshape(h, k),
            b2=theta[last:],
            B1=theta[:hidden].reshape(d + 1, h),
        )

    def penalized(self, theta):
        """The window [W1 | W2] on θ."""
        return theta[self.n_hidden : len(theta) - self.n_out]

    def pack(self, b1, W1, W2, b2, dtype):
        """A new θ that holds these weights."""
        return np.concatenate([part.ravel() for part in (b1, W1, W2, b2)]).astype(dtype)


def forward(X, theta, g, A1, Z2):
    """Forward propagation; leaves A1 and Z2 in the arrays of these names."""
    np.dot(X, theta.B1, out=A1)  # Z1 = [1 X] [b1; W1]
    g.forward(A1, out=A1)  # A1 = g(Z1)
    np.matmul(theta.W2.T, A1.T, out=Z2)  # Z2 = W2ᵀ A1ᵀ + b2
    Z2 += theta.b2[:, None]


def backward(X, theta, g, A1, dZ2, dZ1, grad):
    """Backward propagation of dZ2 into the windows of grad; overwrites A1 and dZ1."""
    np.dot(A1.T, dZ2.T, out=grad.W2)  # dW2 = A1ᵀ dZ2ᵀ
    np.add.reduce(dZ2, axis=1, out=grad.b2)  # db2 = dZ2 1
    np.dot(dZ2.T, theta.W2.T, out=dZ1)  # dA1 = dZ2ᵀ W2ᵀ
    g.chain(dZ1, A1)  # dZ1 = dA1 ∘ g'(Z1)
    np.dot(X.T, dZ1, out=grad.B1)  # [db1; dW1] = [1 X]ᵀ dZ1


def output(X, b1, W1, W2, b2, g, n_rows=1024):
    """Z2 of raw rows, n_rows at a time: memory does not grow with A1."""
    Z2 = np.empty((W2.shape[1], X.shape[0]), W2.dtype)
    for start in range(0, X.shape[0], n_rows):
        A1 = X[start : start + n_rows] @ W1  # A1 = g(X W1 + b1)
        A1 += b1
        A1 = g.forward(A1, out=A1)
        np.matmul(W2.T, A1.T, out=Z2[:, start : start + n_rows])  # Z2 = W2ᵀ A1ᵀ + b2
    Z2 += b2[:, None]
    return Z2
