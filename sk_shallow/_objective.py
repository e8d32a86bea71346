"""The function that training minimises, of the flat vector θ alone:

J(θ) = 1/S [ Σ wᵢ ℓ(yᵢ, Z2ᵢ) + α/2 (‖W1‖² + ‖W2‖²) ],    S = Σ wᵢ

It is the same function for every solver and every batch size: over a subset B of the
n samples, Σ over all of them is estimated by n/|B| Σ over B, and α stays as it is.
"""

import numpy as np

from sk_shallow._network import backward, forward


class Objective:
    """J(θ) and its gradient, over all samples or some of them.

    Parameters
    ----------
    layout : Layout
    activation : Activation
        The hidden g.
    loss : output unit
        One of `_losses`.
    X : ndarray of shape (n_samples, n_in) or StandardizedSparse
        Its dtype is the precision of training.
    Y : ndarray of shape (n_samples, n_out)
    sample_weight : ndarray of shape (n_samples,) or None
        Weights wᵢ > 0; None stands for ones.
    alpha : float
        α, the strength of the L2 penalty.
    """

    # Rows in flight at once: their A1 and dZ1 stay in the cache.
    block_size = 1024

    def __init__(self, layout, activation, loss, X, Y, sample_weight=None, alpha=0.0):
        self.layout, self.activation, self.loss = layout, activation, loss
        self.X, self.Y, self.sample_weight = X, Y, sample_weight
        self.n_samples = X.shape[0]
        self.dtype = X.dtype
        total = self.n_samples if sample_weight is None else sample_weight.sum()
        self._total_weight = float(total)
        self._penalty = alpha / self._total_weight
        self._grad = np.zeros(layout.size, self.dtype)
        self._block_grad = np.zeros(layout.size, self.dtype)
        self._buffers = {}

    def value(self, theta):
        """J(θ) over all samples."""
        weights = self.layout.view(theta)
        data = 0.0
        for X, Y, w in self._blocks(None):
            A1, Z2, _ = self._buffers_for(len(Y))
            forward(X, weights, self.activation, A1, Z2)
            data += _weighted_sum(self.loss.loss(Z2, Y), w)
        return data / self._total_weight + self._half_penalty(theta)

    def value_and_grad(self, theta, rows=None):
        """J(θ) and ∂J/∂θ over these rows, or over all.

        Parameters
        ----------
        theta : ndarray of shape (layout.size,)
        rows : ndarray of int, default=None
            Numbers of the samples in the batch.

        Returns
        -------
        value : float
        grad : ndarray of shape (layout.size,)
            The objective's own buffer: copy it to keep it.
        """
        share = 1 if rows is None else self.n_samples / len(rows)
        weights, data = self.layout.view(theta), 0.0
        target = self._grad
        for X, Y, w in self._blocks(rows):
            data += self._propagate(X, Y, w, weights, self.layout.view(target))
            if target is self._block_grad:
                self._grad += self._block_grad
            target = self._block_grad
        self._grad *= share / self._total_weight
        penalized = self.layout.penalized
        penalized(self._grad)[...] += self._penalty * penalized(theta)
        value = data * share / self._total_weight + self._half_penalty(theta)
        return value, self._grad

    def _propagate(self, X, Y, w, weights, grad):
        """Forward and backward over one block; returns Σ wᵢ ℓᵢ, leaves ∂/∂θ in grad."""
        A1, Z2, dZ1 = self._buffers_for(len(Y))
        forward(X, weights, self.activation, A1, Z2)
        losses = self.loss.loss_and_delta(Z2, Y, out=Z2)
        if w is not None:
            Z2 *= w[:, None]
        backward(X, weights, self.activation, A1, Z2, dZ1, grad)
        return _weighted_sum(losses, w)

    def _half_penalty(self, theta):
        """α/2S (‖W1‖² + ‖W2‖²)."""
        W = self.layout.penalized(theta)
        return 0.5 * self._penalty * float(np.vdot(W, W))

    def _blocks(self, rows):
        """(X, Y, w) of the rows, at most block_size at a time."""
        w = self.sample_weight
        n_rows = self.n_samples if rows is None else len(rows)
        for start in range(0, n_rows, self.block_size):
            block = slice(start, start + self.block_size)
            block = block if rows is None else rows[block]
            yield self.X[block], self.Y[block], None if w is None else w[block]

    def _buffers_for(self, n_rows):
        """A1, Z2, dZ1 for a block of so many rows."""
        if n_rows not in self._buffers:
            n_hidden, n_out = self.layout.n_hidden, self.layout.n_out
            widths = (n_hidden, n_out, n_hidden)
            self._buffers[n_rows] = [np.empty((n_rows, m), self.dtype) for m in widths]
        return self._buffers[n_rows]


def _weighted_sum(losses, w):
    """Σ wᵢ ℓᵢ in double precision."""
    if w is None:
        return float(losses.sum(dtype=np.float64))
    return float(np.dot(losses.astype(np.float64), w))
