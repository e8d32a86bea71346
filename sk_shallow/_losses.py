"""Output units: the output activation h and the loss made for it.

In each canonical pair the slope of h cancels, and the error of the output layer is
dZ2 = ∂ℓ/∂Z2 = h(Z2) - Y. Every loss is computed from Z2, never from h(Z2): it stays
finite and exact where the probability itself rounds to 0 or 1. Z and Y have one column
per sample.
"""

import numpy as np
from scipy.special import expit


def _softplus(Z):
    """log(1 + exp(Z)) without overflow."""
    return np.maximum(Z, 0) + np.log1p(np.exp(-np.abs(Z)))


def _log_softmax(Z):
    """Z - log Σⱼ exp(Zⱼ)."""
    Z = Z - Z.max(axis=0)
    Z -= np.log(np.exp(Z).sum(axis=0))
    return Z


def _as_precise_as_probabilities(L):
    """L, with 0 for logarithms of what this precision cannot tell from 1."""
    L[np.abs(L) < np.finfo(L.dtype).epsneg] = 0
    return L


class SquaredError:
    """Identity output, ℓ = 1/2 Σⱼ (zⱼ - yⱼ)²."""

    activation = "identity"

    def mean(self, Z):
        """A2 = Z2."""
        return Z

    def loss(self, Z, Y):
        """ℓ of every sample, shape (n_samples,)."""
        R = Z - Y
        return 0.5 * np.einsum("ji,ji->i", R, R)

    def delta(self, Z, Y, out):
        """dZ2 = A2 - Y, in `out`, which may be Z."""
        np.subtract(Z, Y, out=out)


class LogisticLoss:
    """Logistic outputs, ℓ = -Σⱼ [yⱼ log aⱼ + (1 - yⱼ) log(1 - aⱼ)].

    One output is the binary classifier, several are the multilabel one.
    """

    activation = "logistic"

    def mean(self, Z):
        """A2 = 1 / (1 + exp(-Z2))."""
        return expit(Z)

    def log_mean(self, Z):
        """log A2 = -log(1 + exp(-Z2))."""
        return _as_precise_as_probabilities(-_softplus(-Z))

    def loss(self, Z, Y):
        """ℓ of every sample, as Σⱼ log(1 + exp(zⱼ)) - yⱼ zⱼ."""
        return np.sum(_softplus(Z) - Y * Z, axis=0)

    def delta(self, Z, Y, out):
        """dZ2 = A2 - Y = 1/2 tanh(Z2/2) + 1/2 - Y, in `out`, which may be Z."""
        np.multiply(Z, 0.5, out=out)
        np.tanh(out, out=out)
        np.multiply(out, 0.5, out=out)
        np.add(out, 0.5, out=out)
        np.subtract(out, Y, out=out)


class SoftmaxLoss:
    """Softmax output, ℓ = -Σⱼ yⱼ log aⱼ with one-hot columns y."""

    activation = "softmax"

    def mean(self, Z):
        """A2 = exp(Z2) / Σⱼ exp(Z2ⱼ)."""
        A = np.exp(Z - Z.max(axis=0))
        A /= A.sum(axis=0)
        return A

    def log_mean(self, Z):
        """log A2 = Z2 - log Σⱼ exp(Z2ⱼ)."""
        return _as_precise_as_probabilities(_log_softmax(Z))

    def loss(self, Z, Y):
        """ℓ of every sample, as -Σⱼ yⱼ log aⱼ."""
        return -np.einsum("ji,ji->i", Y, _log_softmax(Z))

    def delta(self, Z, Y, out):
        """dZ2 = A2 - Y, in `out`, which may be Z."""
        np.subtract(Z, np.maximum.reduce(Z, axis=0), out=out)
        np.exp(out, out=out)
        np.divide(out, np.add.reduce(out, axis=0), out=out)
        np.subtract(out, Y, out=out)


OUTPUT_UNITS = {
    unit.activation: unit for unit in (SquaredError(), LogisticLoss(), SoftmaxLoss())
}
