"""The function that training minimises, of the flat vector θ alone:

J(θ) = 1/S [ Σ wᵢ ℓ(yᵢ, Z2ᵢ) + α/2 (‖W1‖² + ‖W2‖² + ‖V‖²) ],    S = Σ wᵢ

It is the same function for every solver and every batch size: over a batch B of the n
samples, Σ over all of them is estimated by n/|B| Σ over B, and α stays as it is. For a
committee J is the mean of its members', and each has the gradient of its own.
"""

from copy import copy
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.special import gammaln

from sk_shallow._arrays.curvature import curvature
from sk_shallow._arrays.design import row_buffer, rows_at_once
from sk_shallow._arrays.memory import aligned, axpy
from sk_shallow._model.layout import Part
from sk_shallow._model.network import Hidden, backward, forward, linearized


class Objective:
    """J(θ) and its gradient, over all samples or batch by batch.

    Parameters
    ----------
    layout : Layout
    activation : Activation
        The hidden g.
    loss : output unit
        One of `_losses`.
    X : ndarray of shape (n_samples, 1 + n_in), StandardizedSparse or ScaledSparse
        [1 X]. Its dtype is the precision of training.
    Y : ndarray of shape (n_out, n_samples)
    sample_weight : ndarray of shape (n_samples,) or MemberWeights or None
        Weights wᵢ > 0; None stands for ones.
    alpha : float
        α, the strength of the L2 penalty.
    penalty : Penalty, default=None
        That of a solver which takes `likelihood` and `gauss_newton`, without one.
    directions : ndarray of shape (n_in,), default=None
        Of the inputs that outputs are monotone in; see `Layout.signs`.
    """

    # Rows in flight at once: their A1 and dZ1 stay in the cache.
    block_size = 1024
    # Samples of a sweep whose Y and Z2 are in memory, if a batch has no more.
    chunk_size = 2**14
    # Numbers in a block of the Jacobian.
    jacobian_size = 2**19

    def __init__(
        self,
        layout,
        activation,
        loss,
        X,
        Y,
        sample_weight=None,
        alpha=0.0,
        penalty=None,
        directions=None,
    ):
        self.layout, self.activation, self.loss = layout, activation, loss
        self.X, self.Y, self.sample_weight = X, Y, sample_weight
        self.n_samples = X.shape[0]
        self.dtype = X.dtype
        self.total_weight = self._total(slice(None))
        self.penalty = penalty
        self.signs = None if directions is None else layout.signs(directions)
        self._penalty = alpha / self.total_weight
        self._workspaces = {}
        self._sweep = None

    @cached_property
    def _grad(self):
        """Where a gradient is made."""
        return aligned(self.layout.size, self.dtype)

    @cached_property
    def _grad_windows(self):
        """Windows on it."""
        return self.layout.view(self._grad)

    @property
    def has_parts(self):
        """Whether a batch sees some inputs only; see `parts`."""
        return getattr(self.X, "has_parts", False)

    def rough_value(self, theta, n_rows=256):
        """J(θ) roughly: with the mean loss of some samples, evenly apart."""
        rows = slice(0, None, -(-self.n_samples // n_rows))
        losses = self._sum_of_losses(rows, self.layout.view(theta))
        return losses / self._total(rows) + self._half_penalty(theta)

    def value(self, theta):
        """J(θ) over all samples."""
        return self.likelihood(theta) / self.total_weight + self._half_penalty(theta)

    def outputs(self, theta, rows):
        """Z2 of some samples, of shape (n_members, n_out, n_rows)."""
        shape = self.layout.n_members, self.layout.n_out, len(rows)
        return self._outputs(self.layout, theta, rows).reshape(shape)

    def held_out_outputs(self, theta):
        """Z2 of the samples that some member does not see: the mean over those.

        Returns
        -------
        ndarray of shape (n_out, n_judged)
        """
        W = self.sample_weight
        judged = W.judged
        total, count = np.zeros((self.layout.n_out, len(judged))), np.zeros(len(judged))
        for m, member in enumerate(self.layout.split(theta)):
            held_out = W.unseen_by(m)
            here = np.searchsorted(judged, held_out)
            total[:, here] += self._outputs(self.layout.member, member, held_out)
            count[here] += 1
        return total / count

    def _outputs(self, layout, theta, rows):
        """Z2 of some samples, by the network of a layout."""
        weights, Z2 = layout.view(theta), layout.by_member(layout.n_out, len(rows))
        Z2 = np.empty(Z2, self.dtype)
        step = rows_at_once(self.X, self.block_size)
        for i in range(0, len(rows), step):
            some = rows[i : i + step]
            hidden = len(some), layout.n_members * layout.n_hidden
            A1 = Hidden(aligned(hidden, self.dtype), layout)
            here = np.empty(layout.by_member(layout.n_out, len(some)), self.dtype)
            forward(self.X[some], weights, self.activation, A1, here)
            Z2[..., i : i + step] = here
        return Z2

    def likelihood(self, theta):
        """Σ wᵢ ℓᵢ: minus the log-likelihood, but for the scale of the noise."""
        weights = self.layout.view(theta)
        return sum(self._sum_of_losses(rows, weights) for rows in self._blocks())

    def value_and_grad(self, theta):
        """J(θ) and ∂J/∂θ over all samples; the gradient is a new array."""
        weights, data, total = self.layout.view(theta), 0.0, np.zeros_like(self._grad)
        for rows in self._blocks():
            Y = self.Y[:, rows]
            work = self._workspace(Y.shape[1])
            Z2 = np.empty_like(work.dZ2)
            factor = self._factor(rows, 1 / self.total_weight)
            self._propagate(self.X[rows], Y, factor, weights, work, Z2)
            total += self._grad
            data += self._losses(Z2, Y, rows)
        window = self.layout.penalized
        axpy(self._penalty, window(theta), window(total))
        return data / self.total_weight + self._half_penalty(theta), total

    def gauss_newton(self, theta):
        """Σ wᵢ ℓᵢ, its gradient, and its generalised Gauss-Newton matrix [1]_.

        With the Jacobian J of Z2 and the curvature Λ of the loss: H = Jᵀ Λ J. A shift
        of all the logits of a softmax changes nothing; along it, H gets the mean
        curvature of b2, so that the posterior is proper.

        Returns
        -------
        likelihood : float
        grad : ndarray of shape (layout.size,)
        H : Square or Rows

        References
        ----------
        .. [1] Schraudolph, "Fast curvature matrix-vector products for second-order
           gradient descent", Neural Computation 14, 2002.
        """
        p, k = self.layout.size, self.layout.n_out
        data, grad, H = 0.0, np.zeros(p), self._no_curvature()
        step = max(1, self.jacobian_size // (p * k))
        for rows in self._blocks(step):
            X = np.asarray(self.X[rows])
            Z2, J = linearized(X, theta, self.layout, self.activation)
            Y, w = self.Y[:, rows], self._factor(rows, 1.0)
            data += self._losses(Z2, Y, rows)
            dZ2 = np.empty_like(Z2)
            self.loss.delta(Z2, Y, out=dZ2)
            dZ2 *= w
            grad += np.tensordot(dZ2, J, 2)  # Jᵀ dZ2
            self.loss.scale_by_root_of_curvature(Z2, Y, J)
            J *= np.sqrt(w)[..., None]
            H.add(J.reshape(-1, p))
        if self.loss.is_shift_invariant:
            shift = np.zeros((1, p))
            shift[:, -k:] = np.sqrt(H.diagonal()[-k:].sum()) / k
            H.add(shift)
        return data, grad, H

    def _no_curvature(self):
        """H of no rows; the biases are eliminated last."""
        biases = np.ones(self.layout.size, dtype=bool)
        self.layout.penalized(biases)[...] = False
        n_rows = self.n_samples * self.layout.n_out + self.loss.is_shift_invariant
        return curvature(n_rows, biases)

    @property
    def n_observations(self):
        """N, of the numbers that there are to predict."""
        return self.layout.n_out * self.total_weight

    def penalized_by(self, penalty):
        """The same losses with another penalty."""
        other = copy(self)
        other.penalty = penalty
        return other

    def constrain(self, theta):
        """The nearest θ whose weights have the signs that they must have, in place."""
        if self.signs is not None:
            theta[self.signs * theta < 0] = 0

    @property
    def is_smooth(self):
        """Whether the loss has no kinks."""
        return self.loss.is_smooth

    def smoothed(self, width):
        """The same with the kinks of the loss bent, so wide."""
        other = copy(self)
        other.loss = self.loss.smoothed(width)
        return other

    def metric(self):
        """The mean square of what each weight multiplies in X; 1 for W2 and biases."""
        metric, squares = np.ones(self.layout.size), np.zeros(self.X.shape[1])
        for rows in self._blocks():
            X = np.square(np.asarray(self.X[rows]))
            w = self.sample_weight
            squares += X.sum(axis=0) if w is None else w[rows] @ X
        squares[squares == 0] = self.total_weight
        window, squares = self.layout.view(metric), squares[:, None] / self.total_weight
        window.H[...] = squares
        window.V[...] = squares[1 : 1 + self.layout.n_path]
        return metric

    def gradients(self, theta, order, n_batches, n_done=0, loss=0.0):
        """Yield ∂J/∂θ over each batch, at what θ is when the batch has its turn.

        Parameters
        ----------
        theta : ndarray of shape (layout.size,)
            The caller may change it, in place, between batches.
        order : ndarray of int
            Numbers of the samples, each once.
        n_batches : int
            The batches are of one size, or differ by one.
        n_done : int, default=0
            How many batches have had their turn before.
        loss : float, default=0.0
            The `sweep_loss` of these.

        Yields
        ------
        ndarray of shape (layout.size,)
            The objective's own buffer, overwritten by the next batch.
        """
        weights, window = self.layout.view(theta), self.layout.penalized
        W, dW = window(theta), window(self._grad)
        for rows, Y, Z2 in self._batches(order, n_batches, n_done, loss):
            work = self._workspace(len(rows))
            self._propagate(
                self.X.take(rows, 0, work.rows_of(self.X), "clip"),
                *(Y, self._factor(rows, self._share(rows)), weights, work, Z2),
            )
            axpy(self._penalty, W, dW)
            yield self._grad

    def parts(self, theta, order, n_batches, n_done=0, loss=0.0):
        """The same, of sparse X: each batch with the part of θ that it sees.

        An input without an entry in the batch has no gradient there. The penalty on
        the weights of an input counts once it is seen, over the chance of it: the
        gradients have the mean ∂J/∂θ over all orders.

        Yields
        ------
        part : Part
        grad : ndarray
            Of the part; a new array.
        """
        chances = _chances(self.X.counts(), self.n_samples, n_batches)
        seldom = (self._penalty / chances).astype(self.dtype)[:, None]
        weights = self.layout.view(theta)
        for rows, Y, Z2 in self._batches(order, n_batches, n_done, loss):
            work = self._workspace(len(rows))
            X = self.X[rows].of_stored()
            part = Part(self.layout, X.columns)
            grad = aligned(part.small.size, self.dtype)
            windows = part.small.view(grad)
            factor = self._factor(rows, self._share(rows))
            self._propagate(X, Y, factor, weights, work, Z2, windows)
            windows.W2[...] += self._penalty * weights.W2
            for dW, W in ((windows.W1, weights.W1), (windows.V, weights.V)):
                _add_rows(dW, W, X.columns[: len(dW)], seldom)
            yield part, grad

    def _batches(self, order, n_batches, n_done, loss):
        """(rows, Y, Z2) of each batch of a sweep that is still to come."""
        if self._sweep is None or self._sweep.n_batches != n_batches:
            self._sweep = _Sweep(self.Y, self.layout, n_batches, self.chunk_size)
        return self._sweep.batches(self.Y, order, self._losses, n_done, loss)

    def _share(self, rows):
        """What a sum over a batch is multiplied by, to estimate the mean."""
        return self.n_samples / (len(rows) * self.total_weight)

    def sweep_loss(self):
        """Σ wᵢ ℓᵢ of the batches of the last sweep, each at the θ that it has seen."""
        return self._sweep.sum_of_losses(self._losses)[0]

    def sweep_value(self, theta):
        """J over these batches."""
        data, n_seen = self._sweep.sum_of_losses(self._losses)
        share = self.n_samples / (n_seen * self.total_weight)
        return data * share + self._half_penalty(theta)

    def _sum_of_losses(self, rows, weights):
        """Σ wᵢ ℓᵢ over a block of rows."""
        Y = self.Y[:, rows]
        work = self._workspace(Y.shape[1])
        forward(self.X[rows], weights, self.activation, work.A1, work.dZ2)
        return self._losses(work.dZ2, Y, rows)

    def _propagate(self, X, Y, factor, weights, work, Z2, grad=None):
        """Forward and backward over some rows, each times its factor."""
        g, A1, grad = self.activation, work.A1, grad or self._grad_windows
        forward(X, weights, g, A1, Z2)
        backward(X, Y, factor, weights, g, self.loss, A1, Z2, work.dZ2, work.dZ1, grad)

    def _half_penalty(self, theta):
        """α/2S (‖W1‖² + ‖W2‖² + ‖V‖²)."""
        W = self.layout.penalized(theta)
        return 0.5 * self._penalty * float(np.dot(W, W)) / self.layout.n_members

    def _total(self, rows):
        """Σ wᵢ of some rows, whether all members see them or not."""
        w = self.sample_weight
        if w is None:
            return float(len(range(self.n_samples)[rows]))
        return float(w[rows].sum()) if w.ndim == 1 else w.total(rows)

    def _factor(self, rows, share):
        """wᵢ times share, to multiply dZ2 with."""
        w = self.sample_weight
        if w is None:
            return share
        factor = (w[..., rows] * share).astype(self.dtype)
        return factor if w.ndim == 1 else factor[:, None]

    def _losses(self, Z2, Y, rows):
        """Σ wᵢ ℓᵢ of some rows in double precision, of the mean member."""
        losses = self.loss.loss(Z2, Y)
        if self.sample_weight is not None:
            losses = losses * self.sample_weight[..., rows]
        return float(losses.sum(dtype=np.float64)) / self.layout.n_members

    def _blocks(self, step=None):
        """Slices of all rows, block_size or so many at a time, at the most."""
        step = rows_at_once(self.X, step or self.block_size)
        return (slice(i, i + step) for i in range(0, self.n_samples, step))

    def _workspace(self, n_rows):
        """The buffers for so many rows, made once."""
        if n_rows not in self._workspaces:
            self._workspaces[n_rows] = _Workspace(self.X, self.layout, n_rows)
        return self._workspaces[n_rows]


def _add_rows(A, B, rows, factor, size=2**15):
    """A ← A + factor ∘ B, of these rows of B, some numbers at a time."""
    step = max(1, size // B.shape[1])
    room = np.empty((min(step, len(rows)), B.shape[1]), B.dtype)
    for i in range(0, len(rows), step):
        some = rows[i : i + step]
        copy = B.take(some, axis=0, out=room[: len(some)], mode="clip")
        copy *= factor[some]
        A[i : i + step] += copy


def _chances(counts, n_samples, n_batches):
    """The chance that an input is in a batch, by the number of samples it is in.

    1 - C(n - c, b)/C(n, b), with b of the n samples in a batch.
    """
    b = n_samples / n_batches
    absent = np.maximum(n_samples - counts, 0.0)
    can_miss = absent >= b
    left = np.where(can_miss, absent - b, 0.0)
    ratio = gammaln(absent + 1) - gammaln(left + 1)
    ratio -= gammaln(n_samples + 1) - gammaln(n_samples - b + 1)
    chances = np.where(can_miss, -np.expm1(ratio), 1.0)
    return np.where(counts > 0, chances, 1.0)


class _Workspace:
    """X, A1, dZ1 and dZ2 of some rows."""

    def __init__(self, X, layout, n_rows):
        self._X, self._n_rows = None, n_rows
        hidden = (n_rows, layout.n_members * layout.n_hidden)
        self.A1 = Hidden(aligned(hidden, X.dtype), layout)
        self.dZ1 = Hidden(aligned(hidden, X.dtype), layout)
        self.dZ2 = aligned(layout.by_member(layout.n_out, n_rows), X.dtype)

    def rows_of(self, X):
        """Where the rows are gathered; made when it is needed."""
        if self._X is None:
            self._X = row_buffer(X, self._n_rows)
        return self._X


class _Sweep:
    """Y and Z2 of a sweep, a chunk of its batches at a time, and the sum of its losses.

    `losses(Z2, Y, rows)` is that of some rows.
    """

    def __init__(self, Y, layout, n_batches, chunk_size):
        n_samples, self.n_batches = Y.shape[1], n_batches
        ends = [n_samples * i // n_batches for i in range(n_batches + 1)]
        step = max(1, chunk_size * n_batches // n_samples)
        self.chunks = [ends[i : i + step + 1] for i in range(0, n_batches, step)]
        longest = max(chunk[-1] - chunk[0] for chunk in self.chunks)
        self.Y = np.empty((Y.shape[0], longest), Y.dtype)
        self.Z2 = np.empty(layout.by_member(*self.Y.shape), Y.dtype)

    def batches(self, Y, order, losses, n_done=0, loss=0.0):
        """Yield (rows, Y, Z2) of each batch but the first ones, in this order.

        `loss` is the sum of the losses of those.
        """
        self._sum, self._n_done, self._n_seen = loss, 0, 0
        n_before = len(order) * n_done // self.n_batches
        for ends in self.chunks:
            if ends[-1] <= n_before:
                continue
            self._settle(losses)
            self._start = ends[0]
            self._n_done = self._n_seen = max(0, n_before - ends[0])
            self._rows = order[ends[0] : ends[-1]]
            gathered = self.Y[:, : len(self._rows)]
            Y.take(self._rows, axis=1, out=gathered, mode="clip")
            for a, b in pairwise(ends):
                if a >= n_before:
                    batch = slice(a - ends[0], b - ends[0])
                    self._n_seen = batch.stop
                    yield self._rows[batch], self.Y[:, batch], self.Z2[..., batch]

    def sum_of_losses(self, losses):
        """Σ wᵢ ℓᵢ of the samples that have had their turn, and their number."""
        self._settle(losses)
        return self._sum, self._start + self._n_done

    def _settle(self, losses):
        """Add the losses of the samples that have had their turn since."""
        new = slice(self._n_done, self._n_seen)
        if new.start < new.stop:
            self._sum += losses(self.Z2[..., new], self.Y[:, new], self._rows[new])
            self._n_done = new.stop
