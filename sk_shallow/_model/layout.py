"""The flat vector of parameters: sizes, windows, members side by side."""

from typing import Any, NamedTuple

import numpy as np


class Weights(NamedTuple):
    """Windows on θ; H = [b1; W1] is the hidden layer, its bias in the first row.

    W2 has the shape (h, k) and b2 is a column (k, 1); both with a leading axis for the
    members of a committee. θ holds W2T, which is W2ᵀ. V is the linear path past the
    hidden layer, of shape (d, n_members k), or (0, n_members k) where there is none.
    """

    b1: np.ndarray
    W1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray
    V: np.ndarray
    H: np.ndarray
    W2T: np.ndarray


class Part(NamedTuple):
    """The weights of some inputs, and all that belong to no input.

    What is said of them alone lies in a vector as those of a smaller network.

    Attributes
    ----------
    layout : Layout
        Of all weights.
    inputs : ndarray of int
        The numbers of the inputs, each once.
    """

    layout: Any
    inputs: np.ndarray

    @property
    def small(self):
        """The layout of the part."""
        return self.layout._replace(n_in=len(self.inputs))

    def gather(self, vector):
        """A new vector: the part of θ, or of what belongs to it."""
        out = np.empty(self.small.size, vector.dtype)
        here, there = self.small.view(out), self.layout.view(vector)
        here.b1[...], here.W2[...], here.b2[...] = there.b1, there.W2, there.b2
        here.W1[...] = there.W1[self.inputs]
        here.V[...] = there.V[self.inputs[: len(there.V)]]
        return out

    def blocks(self, values, vectors, size):
        """Yield, block by block, a vector of the part and others cut to the same.

        What is done to a block is done to the vectors.

        Parameters
        ----------
        values : ndarray of shape (small.size,)
        vectors : list of ndarray of shape (layout.size,)
        size : int
            Of a block, about: one that stays in the cache.

        Yields
        ------
        list of ndarray
            One-dimensional: of `values`, and of each vector.
        """
        here, there = self.small.view(values), [self.layout.view(v) for v in vectors]
        for whole in ("b1", "W2T", "b2"):
            pair = here, *there
            yield [getattr(windows, whole).reshape(-1) for windows in pair]
        yield from self._blocks_of(here.W1, [windows.W1 for windows in there], size)
        if len(here.V):
            yield from self._blocks_of(here.V, [windows.V for windows in there], size)

    def _blocks_of(self, values, targets, size):
        """The same of what has a row for each input."""
        width = values.shape[1]
        step = max(1, size // width)
        room = np.empty((len(targets), min(step, len(values)), width), values.dtype)
        for i in range(0, len(values), step):
            some = self.inputs[i : i + step]
            copies = room[:, : len(some)]
            for target, copy in zip(targets, copies, strict=True):
                target.take(some, axis=0, out=copy, mode="clip")
            yield [part.reshape(-1) for part in (values[i : i + step], *copies)]
            for target, copy in zip(targets, copies, strict=True):
                target[some] = copy


class Layout(NamedTuple):
    """Sizes of the network, and where its weights lie in θ = [b1 | W1 | W2ᵀ | V | b2].

    b1 and W1 together are one matrix, and the penalised W1, W2 and V are one slice.
    The sizes are those of one member.
    """

    n_in: int
    n_hidden: int
    n_out: int
    n_members: int = 1
    has_path: bool = False

    @property
    def n_path(self):
        """Inputs of the linear path: all, or none."""
        return self.n_in if self.has_path else 0

    @property
    def size(self):
        """The length of θ."""
        d, h, k, n_members, _ = self
        return n_members * ((d + 1) * h + (h + 1 + self.n_path) * k)

    @property
    def member(self):
        """The layout of one member."""
        return self._replace(n_members=1)

    def by_member(self, *shape):
        """The shape, with a leading axis for the members of a committee."""
        return shape if self.n_members == 1 else (self.n_members, *shape)

    def view(self, theta):
        """Windows on θ, or on the last axis of an array of many."""
        d, h, k, n_members, _ = self
        rows, width, n_out = theta.shape[:-1], n_members * h, n_members * k
        hidden, last = (d + 1) * width, self.size - n_out
        path = hidden + width * k
        W2T = theta[..., hidden:path].reshape(*rows, *self.by_member(k, h))
        return Weights(
            b1=theta[..., :width],
            W1=theta[..., width:hidden].reshape(*rows, d, width),
            W2=W2T.swapaxes(-1, -2),
            b2=theta[..., last:].reshape(*rows, *self.by_member(k, 1)),
            V=theta[..., path:last].reshape(*rows, self.n_path, n_out),
            H=theta[..., :hidden].reshape(*rows, d + 1, width),
            W2T=W2T,
        )

    def penalized(self, theta):
        """The window [W1 | W2 | V] on θ."""
        _, h, k, n_members, _ = self
        return theta[n_members * h : self.size - n_members * k]

    def pack(self, b1, W1, W2, b2, V, dtype):
        """A new θ that holds these weights."""
        parts = b1, W1, W2.swapaxes(-1, -2), V, b2
        return np.concatenate([part.ravel() for part in parts]).astype(dtype)

    def signs(self, directions):
        """The sign that each weight must keep for outputs to be monotone [1]_; 0: any.

        Half of the units go up into all outputs, the others down, and an input goes
        into each of them so that the outputs follow its direction.

        Parameters
        ----------
        directions : ndarray of shape (n_in,)
            1 where outputs must not fall with an input, -1 where they must not rise.

        Returns
        -------
        ndarray of shape (size,)

        References
        ----------
        .. [1] Sill, "Monotonic networks", NeurIPS 1997.
        """
        signs = np.zeros(self.size)
        upward = np.where(np.arange(self.n_hidden) % 2, -1.0, 1.0)
        window = self.view(signs)
        window.W1[...] = np.outer(directions, np.tile(upward, self.n_members))
        window.W2[...] = upward[:, None]
        window.V[...] = np.reshape(directions, (-1, 1))[: self.n_path]
        return signs

    def join(self, thetas):
        """The θ of a committee, from those of its members."""
        views = [self.member.view(theta) for theta in thetas]
        return self.pack(
            np.concatenate([weights.b1 for weights in views]),
            np.concatenate([weights.W1 for weights in views], axis=1),
            np.stack([weights.W2 for weights in views]),
            np.stack([weights.b2 for weights in views]),
            np.concatenate([weights.V for weights in views], axis=1),
            thetas[0].dtype,
        )

    def split(self, theta):
        """The θ of each member: the inverse of `join`."""
        b1, W1, W2, b2, V, *_ = self.view(theta)
        d, h, k, n_members, _ = self
        parts = zip(
            b1.reshape(n_members, h),
            W1.reshape(d, n_members, h).swapaxes(0, 1),
            W2.reshape(n_members, h, k),
            b2.reshape(n_members, k),
            V.reshape(self.n_path, n_members, k).swapaxes(0, 1),
            strict=True,
        )
        return [self.pack(*part, theta.dtype) for part in parts]


def merged(members):
    """One wider network that is the mean of these: (b1, W1, W2, b2, V) of each."""
    b1, W1, W2, b2, V = zip(*members, strict=True)
    n = len(members)
    return np.hstack(b1), np.hstack(W1), np.vstack(W2) / n, sum(b2) / n, sum(V) / n


def unmerged(b1, W1, W2, b2, V, biases, paths):
    """The members of a merged network, by the output biases and the V of each.

    Where b2, or V, is not the mean of theirs, they are shifted until it is.
    """
    n_members = len(biases)
    biases, paths = _about(b2, biases), _about(V, paths)
    return list(
        zip(
            np.split(b1, n_members),
            np.split(W1, n_members, axis=1),
            np.split(W2 * n_members, n_members),
            biases,
            paths,
            strict=True,
        )
    )


def _about(mean, parts):
    """The parts, shifted to have this mean."""
    shift = mean - sum(parts) / len(parts)
    return [part + shift for part in parts]
