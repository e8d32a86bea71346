"""The network: forward and backward propagation, line by line as in the notes.

The rows of X are samples. Outputs are kept as the notes keep them, one column per
sample, so that sums over the outputs run along the long axis. For one network with d
inputs, h hidden units and k outputs, over n rows (the code's shapes on the right):

    Z1 = X W1 + b1      A1 = g(Z1)                      (n, h)
    Z2 = W2ᵀ A1ᵀ + b2   A2 = h(Z2)                      (k, n)
    dZ2 = (A2 − Y) w/S                                  (k, n)
    dW2ᵀ = dZ2 A1       db2 = dZ2 1                     (k, h), (k, 1)
    dZ1 = (dZ2ᵀ W2ᵀ) ∘ g'(Z1)                           (n, h)
    dW1 = Xᵀ dZ1        db1 = 1ᵀ dZ1                    (d, h), (h,)

X has a first column of ones, so that H = [b1; W1] is one matrix. With a linear path,
Z2 = W2ᵀ A1ᵀ + b2 + Vᵀ Xᵀ, and dV = Xᵀ dZ2ᵀ, for X without the ones. A committee of M
networks is one wider network: their hidden units stand side by side in
H = [H₁ | … | H_M], and each member has outputs of its own. Where M > 1, all that
belongs to the outputs has a leading axis for the members.

W2ᵀ is what lies in memory by rows: so no product is one of two transposed arrays, in
which some builds of BLAS are slow, or wrong where two threads multiply at once.
"""

import numpy as np

from sk_shallow._arrays.design import row_blocks, rows_at_once, without_ones
from sk_shallow._arrays.memory import product

# Numbers of A1 that stay in the cache.
_CACHED = 2**16


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


def forward(X, W, g, A1, Z2):
    """Forward propagation; leaves A1 and Z2 in the arrays of these names."""
    np.dot(X, W.H, out=A1.rows)  # Z1 = [1 X] [b1; W1]
    g.forward(A1.rows, out=A1.rows)  # A1 = g(Z1)
    np.matmul(W.W2T, A1.T, out=Z2)  # Z2 = W2ᵀ A1ᵀ + b2
    Z2 += W.b2
    if len(W.V):
        path = np.empty((len(A1.rows), W.V.shape[1]), W.V.dtype)
        np.dot(without_ones(X), W.V, out=path)  # Z2 += Vᵀ Xᵀ
        Z2 += path.T.reshape(Z2.shape)


def backward(X, Y, w, W, g, unit, A1, Z2, dZ2, dZ1, grad):
    """Backward propagation from Z2 into the windows of grad; overwrites A1 and dZ1."""
    unit.delta(Z2, Y, out=dZ2)  # dZ2 = A2 − Y
    dZ2 *= w  # each sample's times wᵢ/S
    product(dZ2, A1.members, out=grad.W2T)  # dW2ᵀ = dZ2 A1
    np.add.reduce(dZ2, axis=-1, keepdims=True, out=grad.b2)  # db2 = dZ2 1
    product(dZ2.swapaxes(-1, -2), W.W2T, out=dZ1.members)  # dA1 = dZ2ᵀ W2ᵀ
    g.chain(dZ1.rows, A1.rows)  # dZ1 = dA1 ∘ g'(Z1)
    np.dot(X.T, dZ1.rows, out=grad.H)  # [db1; dW1] = [1 X]ᵀ dZ1
    if len(W.V):
        errors = np.ascontiguousarray(dZ2.reshape(-1, dZ2.shape[-1]).T)
        np.dot(without_ones(X).T, errors, out=grad.V)  # dV = Xᵀ dZ2ᵀ


def jacobian(X, W, g, A1, J):
    """∂Z2/∂θ of one network into the windows J, of shape (n_out, n_rows, ...).

    Overwrites A1, which `forward` has left.
    """
    k = len(W.b2)
    own = np.arange(k)
    J.W2[...] = J.b2[...] = J.V[...] = 0
    J.W2[own, :, :, own] = A1.rows  # ∂z2ⱼ/∂W2 = A1, for the weights into output j
    J.b2[own, :, own] = 1  # ∂z2ⱼ/∂b2
    if len(W.V):
        J.V[own, :, :, own] = without_ones(X)  # ∂z2ⱼ/∂V = X, for the path to output j
    dZ1 = W.W2T[:, None] * g.slope(A1.rows, out=A1.rows)  # ∂z2ⱼ/∂Z1 = W2ᵀ ∘ g'(Z1)
    np.multiply(X[:, :, None], dZ1[:, :, None, :], out=J.H)  # ∂z2ⱼ/∂[b1; W1]


def linearized(X, theta, layout, g):
    """Z2 of some rows, and its Jacobian of shape (n_out, n_rows, layout.size)."""
    A1 = Hidden(np.empty((len(X), layout.n_hidden)), layout)
    Z2 = np.empty((layout.n_out, len(X)))
    J = np.empty((*Z2.shape, layout.size))
    forward(X, layout.view(theta), g, A1, Z2)
    jacobian(X, layout.view(theta), g, A1, layout.view(J))
    return Z2, J


def hidden(X, b1, W1, g, out=None):
    """A1 of raw rows, in `out` unless they are sparse."""
    A1 = np.matmul(X, W1, out=out) if isinstance(X, np.ndarray) else X @ W1
    A1 += b1
    return g.forward(A1, out=A1)  # A1 = g(X W1 + b1)


def layer(X, b1, W1, g):
    """A1 of raw rows, some of them at a time."""
    A1 = np.empty((X.shape[0], len(b1)), W1.dtype)
    for rows, _ in row_blocks(*A1.shape, _CACHED):
        A1[rows] = hidden(X[rows], b1, W1, g)
    return A1


def slopes(X, b1, W1, g):
    """g'(Z1) of raw rows."""
    return g.slope(hidden(X, b1, W1, g))


def gradients(slope, W1, W2, V):
    """∂Z2/∂X of raw rows with these slopes, of shape (n_rows, n_out, n_in)."""
    dZ1 = np.multiply(slope[:, None], W2.T, order="C")  # ∂z2ⱼ/∂z1 = w2ⱼ ∘ g'(Z1)
    G = np.tensordot(dZ1, W1, (2, 1))  # ∂z2ⱼ/∂x = W1 ∂z2ⱼ/∂z1
    return G + V.T if len(V) else G


def output(X, b1, W1, W2, b2, V, g, n_numbers=_CACHED):
    """Z2 of raw rows, some at a time: those with so many numbers in A1."""
    Z2 = np.empty((W2.shape[1], X.shape[0]), W2.dtype)
    W2T = np.ascontiguousarray(W2.T)
    n_rows = rows_at_once(X, max(1, n_numbers // len(b1)))
    room = np.empty((min(n_rows, X.shape[0]), len(b1)), np.result_type(X.dtype, W1))
    for rows, _ in row_blocks(X.shape[0], 1, n_rows):
        some = X[rows]
        A1 = hidden(some, b1, W1, g, room[: some.shape[0]])
        np.matmul(W2T, A1.T, out=Z2[:, rows])  # Z2 = W2ᵀ A1ᵀ + b2
        if len(V):
            Z2[:, rows] += (some @ V).T
    Z2 += b2[:, None]
    return Z2
