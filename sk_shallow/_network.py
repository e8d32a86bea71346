"""The network: one flat vector of parameters, forward and backward propagation.

The rows of X are samples, and a first column of ones makes the hidden bias the weight
of a constant input. Outputs are kept as the notes keep them, one column per sample, so
that sums over the outputs run along the long axis:

    Z1 = X W1 + b1      A1 = g(Z1)      Z2 = W2ᵀ A1ᵀ + b2      A2 = h(Z2)

A committee of M networks is one wider network: their hidden units stand side by side in
W1 = [W1₁ | … | W1_M], and each member has outputs of its own. Where M > 1, all that
belongs to the outputs has a leading axis for the members.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Weights(NamedTuple):
    """Windows on θ; B1 = [b1; W1] is the hidden layer, its bias in the first row.

    W2 has the shape (h, k) and b2 is a column (k, 1); both with a leading axis for the
    members of a committee. W2T is W2ᵀ. `product` multiplies, member by member, and
    `outer` does where the inner dimension is that of the outputs.
    """

    b1: np.ndarray
    W1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray
    B1: np.ndarray
    W2T: np.ndarray
    product: Callable
    outer: Callable


class Layout(NamedTuple):
    """Sizes of the network, and where its weights lie in θ = [b1 | W1 | W2 | b2].

    b1 and W1 together are one matrix, and so the penalised W1 and W2 are one slice.
    The sizes are those of one member.
    """

    n_in: int
    n_hidden: int
    n_out: int
    n_members: int = 1

    @property
    def size(self):
        """The length of θ."""
        d, h, k, n_members = self
        return n_members * ((d + 1) * h + (h + 1) * k)

    @property
    def member(self):
        """The layout of one member."""
        return self._replace(n_members=1)

    def by_member(self, *shape):
        """The shape, with a leading axis for the members of a committee."""
        return shape if self.n_members == 1 else (self.n_members, *shape)

    def view(self, theta):
        """Windows on θ, or on the last axis of an array of many."""
        d, h, k, n_members = self
        rows, width = theta.shape[:-1], n_members * h
        hidden, last = (d + 1) * width, self.size - n_members * k
        W2 = theta[..., hidden:last].reshape(*rows, *self.by_member(h, k))
        product = np.dot if n_members == 1 else np.matmul
        return Weights(
            b1=theta[..., :width],
            W1=theta[..., width:hidden].reshape(*rows, d, width),
            W2=W2,
            b2=theta[..., last:].reshape(*rows, *self.by_member(k, 1)),
            B1=theta[..., :hidden].reshape(*rows, d + 1, width),
            W2T=W2.swapaxes(-1, -2),
            product=product,
            outer=_outer if n_members > 1 and k == 1 else product,
        )

    def penalized(self, theta):
        """The window [W1 | W2] on θ."""
        _, h, k, n_members = self
        return theta[n_members * h : self.size - n_members * k]

    def pack(self, b1, W1, W2, b2, dtype):
        """A new θ that holds these weights."""
        return np.concatenate([part.ravel() for part in (b1, W1, W2, b2)]).astype(dtype)

    def join(self, thetas):
        """The θ of a committee, from those of its members."""
        views = [self.member.view(theta) for theta in thetas]
        return self.pack(
            np.concatenate([weights.b1 for weights in views]),
            np.concatenate([weights.W1 for weights in views], axis=1),
            np.stack([weights.W2 for weights in views]),
            np.stack([weights.b2 for weights in views]),
            thetas[0].dtype,
        )

    def split(self, theta):
        """The θ of each member: the inverse of `join`."""
        b1, W1, W2, b2, *_ = self.view(theta)
        d, h, k, n_members = self
        parts = zip(
            b1.reshape(n_members, h),
            W1.reshape(d, n_members, h).swapaxes(0, 1),
            W2.reshape(n_members, h, k),
            b2.reshape(n_members, k),
            strict=True,
        )
        return [self.pack(*part, theta.dtype) for part in parts]


class Hidden:
    """What belongs to the hidden units, for some rows, and its windows by member.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_members * n_hidden)
    members, T : ndarray of shape (n_rows, n_hidden) and its transpose
        With a leading axis for the members of a committee.
    """

    def __init__(self, rows, layout):
        self.rows = rows
        by_member = rows.reshape(len(rows), layout.n_members, layout.n_hidden)
        by_member = by_member.swapaxes(0, 1)
        self.members = rows if layout.n_members == 1 else by_member
        self.T = self.members.swapaxes(-1, -2)


def _outer(D, W, out):
    """D W for columns D, as one product: NumPy is slow with an inner dimension 1.

    [D₁ | … | D_M] times the matrix with the rows W_m as its diagonal blocks. `out` is
    `Hidden.members`: with the rows in front, it is one matrix.
    """
    n_members, n_rows, h = out.shape
    blocks = np.zeros((n_members, n_members, h), W.dtype)
    np.einsum("iih->ih", blocks)[...] = W[:, 0]
    rows = out.swapaxes(0, 1).reshape(n_rows, -1)
    np.dot(D[..., 0].T, blocks.reshape(n_members, -1), out=rows)


def forward(X, theta, g, A1, Z2):
    """Forward propagation; leaves A1 and Z2 in the arrays of these names."""
    np.dot(X, theta.B1, out=A1.rows)  # Z1 = [1 X] [b1; W1]
    g.forward(A1.rows, out=A1.rows)  # A1 = g(Z1)
    np.matmul(theta.W2T, A1.T, out=Z2)  # Z2 = W2ᵀ A1ᵀ + b2
    Z2 += theta.b2


def backward(X, theta, g, A1, dZ2, dZ1, grad):
    """Backward propagation of dZ2 into the windows of grad; overwrites A1 and dZ1."""
    dZ2T = dZ2.swapaxes(-1, -2)
    theta.product(A1.T, dZ2T, out=grad.W2)  # dW2 = A1ᵀ dZ2ᵀ
    np.add.reduce(dZ2, axis=-1, keepdims=True, out=grad.b2)  # db2 = dZ2 1
    theta.outer(dZ2T, theta.W2T, out=dZ1.members)  # dA1 = dZ2ᵀ W2ᵀ
    g.chain(dZ1.rows, A1.rows)  # dZ1 = dA1 ∘ g'(Z1)
    np.dot(X.T, dZ1.rows, out=grad.B1)  # [db1; dW1] = [1 X]ᵀ dZ1


def jacobian(X, theta, g, A1, J):
    """∂Z2/∂θ of one network into the windows J, of shape (n_out, n_rows, ...).

    Overwrites A1, which `forward` has left.
    """
    k = len(theta.b2)
    own = np.arange(k)
    J.W2[...] = J.b2[...] = 0
    J.W2[own, :, :, own] = A1.rows  # ∂z2ⱼ/∂W2 = A1, for the weights into output j
    J.b2[own, :, own] = 1  # ∂z2ⱼ/∂b2
    dZ1 = theta.W2T[:, None] * g.slope(A1.rows, out=A1.rows)  # ∂z2ⱼ/∂Z1 = W2ᵀ ∘ g'(Z1)
    np.multiply(X[:, :, None], dZ1[:, :, None, :], out=J.B1)  # ∂z2ⱼ/∂[b1; W1]


def linearized(X, theta, layout, g):
    """Z2 of some rows, and its Jacobian of shape (n_out, n_rows, layout.size)."""
    A1 = Hidden(np.empty((len(X), layout.n_hidden)), layout)
    Z2 = np.empty((layout.n_out, len(X)))
    J = np.empty((*Z2.shape, layout.size))
    forward(X, layout.view(theta), g, A1, Z2)
    jacobian(X, layout.view(theta), g, A1, layout.view(J))
    return Z2, J


def merged(members):
    """One wider network that is the mean of these: (b1, W1, W2, b2) of each."""
    b1, W1, W2, b2 = zip(*members, strict=True)
    n_members = len(members)
    return np.hstack(b1), np.hstack(W1), np.vstack(W2) / n_members, sum(b2) / n_members


def unmerged(b1, W1, W2, biases):
    """The members of a merged network, by the output biases of each."""
    n_members = len(biases)
    return list(
        zip(
            np.split(b1, n_members),
            np.split(W1, n_members, axis=1),
            np.split(W2 * n_members, n_members),
            biases,
            strict=True,
        )
    )


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
