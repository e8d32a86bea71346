"""The function that training minimises, of the flat vector θ alone:

J(θ) = 1/S [ Σ wᵢ ℓ(yᵢ, Z2ᵢ) + α/2 (‖W1‖² + ‖W2‖²) ],    S = Σ wᵢ

It is the same function for every solver and every batch size: over a batch B of the n
samples, Σ over all of them is estimated by n/|B| Σ over B, and α stays as it is.
"""

from itertools import pairwise

import numpy as np

from sk_shallow._arrays import aligned, axpy
from sk_shallow._network import backward, forward
from sk_shallow._scaling import row_buffer


class Objective:
    """J(θ) and its gradient, over all samples or batch by batch.

    Parameters
    ----------
    layout : Layout
    activation : Activation
        The hidden g.
    loss : output unit
        One of `_losses`.
    X : ndarray of shape (n_samples, 1 + n_in) or StandardizedSparse
        [1 X]. Its dtype is the precision of training.
    Y : ndarray of shape (n_out, n_samples)
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
        self._grad = aligned(layout.size, self.dtype)
        self._grad_windows = layout.view(self._grad)
        self._workspaces = {}
        self._sweep = None

    def rough_value(self, theta, n_rows=256):
        """J(θ) roughly: with the mean loss of the first samples."""
        rows = slice(min(n_rows, self.n_samples))
        w = self.sample_weight
        total = rows.stop if w is None else float(w[rows].sum())
        losses = self._sum_of_losses(rows, self.layout.view(theta))
        return losses / total + self._half_penalty(theta)

    def value(self, theta):
        """J(θ) over all samples."""
        weights = self.layout.view(theta)
        data = sum(self._sum_of_losses(rows, weights) for rows in self._blocks())
        return data / self._total_weight + self._half_penalty(theta)

    def value_and_grad(self, theta):
        """J(θ) and ∂J/∂θ over all samples; the gradient is a new array."""
        weights, data, total = self.layout.view(theta), 0.0, np.zeros_like(self._grad)
        for rows in self._blocks():
            Y = self.Y[:, rows]
            work = self._workspace(Y.shape[1])
            Z2 = np.empty_like(work.dZ2)
            factor = self._factor(rows, 1 / self._total_weight)
            self._propagate(self.X[rows], Y, factor, weights, work, Z2)
            total += self._grad
            data += self._weighted_sum(self.loss.loss(Z2, Y), rows)
        window = self.layout.penalized
        axpy(self._penalty, window(theta), window(total))
        return data / self._total_weight + self._half_penalty(theta), total

    def gradients(self, theta, order, n_batches):
        """Yield ∂J/∂θ over each batch, at what θ is when the batch has its turn.

        Parameters
        ----------
        theta : ndarray of shape (layout.size,)
            The caller may change it, in place, between batches.
        order : ndarray of int
            Numbers of the samples, each once.
        n_batches : int
            The batches are of one size, or differ by one.

        Yields
        ------
        ndarray of shape (layout.size,)
            The objective's own buffer, overwritten by the next batch.
        """
        weights, window = self.layout.view(theta), self.layout.penalized
        W, dW = window(theta), window(self._grad)
        if self._sweep is None or len(self._sweep.slices) != n_batches:
            self._sweep = _Sweep(self.Y, n_batches)
        for rows, Y, Z2 in self._sweep.batches(self.Y, order):
            work = self._workspace(len(rows))
            X = self.X.take(rows, 0, work.X, "clip")
            share = self.n_samples / (len(rows) * self._total_weight)
            self._propagate(X, Y, self._factor(rows, share), weights, work, Z2)
            axpy(self._penalty, W, dW)
            yield self._grad

    def sweep_value(self, theta):
        """J over the batches of the last sweep, each at the θ that it has seen."""
        rows, Y, Z2 = self._sweep.seen()
        data = self._weighted_sum(self.loss.loss(Z2, Y), rows)
        share = self.n_samples / (len(rows) * self._total_weight)
        return data * share + self._half_penalty(theta)

    def _sum_of_losses(self, rows, weights):
        """Σ wᵢ ℓᵢ over a block of rows."""
        Y = self.Y[:, rows]
        work = self._workspace(Y.shape[1])
        forward(self.X[rows], weights, self.activation, work.A1, work.dZ2)
        return self._weighted_sum(self.loss.loss(work.dZ2, Y), rows)

    def _propagate(self, X, Y, factor, weights, work, Z2):
        """Forward and backward over some rows, each times its factor."""
        forward(X, weights, self.activation, work.A1, Z2)
        self.loss.delta(Z2, Y, out=work.dZ2)
        work.dZ2 *= factor
        backward(
            X, weights, self.activation, work.A1, work.dZ2, work.dZ1, self._grad_windows
        )

    def _half_penalty(self, theta):
        """α/2S (‖W1‖² + ‖W2‖²)."""
        W = self.layout.penalized(theta)
        return 0.5 * self._penalty * float(np.dot(W, W))

    def _factor(self, rows, share):
        """wᵢ times share."""
        if self.sample_weight is None:
            return share
        return (self.sample_weight[rows] * share).astype(self.dtype)

    def _weighted_sum(self, losses, rows):
        """Σ wᵢ ℓᵢ in double precision."""
        if self.sample_weight is None:
            return float(losses.sum(dtype=np.float64))
        return float(np.dot(losses.astype(np.float64), self.sample_weight[rows]))

    def _blocks(self):
        """Slices of all rows, block_size at a time."""
        step = self.block_size
        return (slice(i, i + step) for i in range(0, self.n_samples, step))

    def _workspace(self, n_rows):
        """The buffers for so many rows, made once."""
        if n_rows not in self._workspaces:
            self._workspaces[n_rows] = _Workspace(self.X, self.layout, n_rows)
        return self._workspaces[n_rows]


class _Workspace:
    """X, A1, dZ1 and dZ2 of some rows."""

    def __init__(self, X, layout, n_rows):
        self.X = row_buffer(X, n_rows)
        self.A1 = aligned((n_rows, layout.n_hidden), X.dtype)
        self.dZ1 = aligned((n_rows, layout.n_hidden), X.dtype)
        self.dZ2 = aligned((layout.n_out, n_rows), X.dtype)


class _Sweep:
    """Y and Z2 of all samples in the order of a sweep, and their windows by batch."""

    def __init__(self, Y, n_batches):
        n_samples = Y.shape[1]
        self.Y, self.Z2 = np.empty_like(Y), np.empty_like(Y)
        ends = [n_samples * i // n_batches for i in range(n_batches + 1)]
        self.slices = [slice(*pair) for pair in pairwise(ends)]
        self.windows = [(self.Y[:, s], self.Z2[:, s]) for s in self.slices]

    def batches(self, Y, order):
        """Gather Y in this order; yield (rows, Y, Z2) of each batch."""
        self.order = order
        Y.take(order, axis=1, out=self.Y, mode="clip")
        for batch, (Y_batch, Z2_batch) in zip(self.slices, self.windows, strict=True):
            self.n_seen = batch.stop
            yield order[batch], Y_batch, Z2_batch

    def seen(self):
        """The samples that have had their turn, their Y and their Z2."""
        n = self.n_seen
        return self.order[:n], self.Y[:, :n], self.Z2[:, :n]
