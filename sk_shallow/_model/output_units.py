"""Output units: the output activation h and the loss made for it.

In each canonical pair the slope of h cancels, and the error of the output layer is
dZ2 = ∂ℓ/∂Z2 = h(Z2) - Y. Every loss is computed from Z2, never from h(Z2): it stays
finite and exact where the probability itself rounds to 0 or 1. Z and Y have one column
per sample; Z may have leading axes, for the members of a committee. A unit `has_noise`
if the scale of its loss is a variance of noise, for the data to tell, and
`is_shift_invariant` if its loss does not change where all logits grow by the same.
"""

import numpy as np
from scipy.special import expit

from sk_shallow._model.links import Link
from sk_shallow._model.losses import SquaredError

# exp of less adds nothing to 1, and could be a subnormal number, which is slow.
_LEAST_LOGIT = np.float32(-60)


def softplus(Z):
    """log(1 + exp(Z)) without overflow."""
    return np.maximum(Z, 0) + np.log1p(np.exp(-np.abs(Z)))


def _log_softmax(Z):
    """Z - log Σⱼ exp(Zⱼ)."""
    Z = Z - Z.max(axis=-2, keepdims=True)
    Z -= np.log(np.exp(Z).sum(axis=-2, keepdims=True))
    return Z


def _as_precise_as_probabilities(L):
    """L, with 0 for logarithms of what this precision cannot tell from 1."""
    L[np.abs(L) < np.finfo(L.dtype).epsneg] = 0
    return L


class LogisticLoss:
    """Logistic outputs, ℓ = -Σⱼ [yⱼ log aⱼ + (1 - yⱼ) log(1 - aⱼ)].

    One output is the binary classifier, several are the multilabel one.
    """

    activation = "logistic"
    has_noise = False
    has_curvature = is_smooth = True
    spread = None
    is_shift_invariant = False

    def mean(self, Z):
        """A2 = 1 / (1 + exp(-Z2))."""
        return expit(Z)

    def link(self, dtype):
        """The numbers of `mean`."""
        return Link(self.activation)

    def log_mean(self, Z):
        """log A2 = -log(1 + exp(-Z2))."""
        return _as_precise_as_probabilities(-softplus(-Z))

    def loss(self, Z, Y):
        """ℓ of every sample, as Σⱼ log(1 + exp(zⱼ)) - yⱼ zⱼ."""
        return np.sum(softplus(Z) - Y * Z, axis=-2)

    def delta(self, Z, Y, out):
        """dZ2 = A2 - Y = 1/2 tanh(Z2/2) + 1/2 - Y, in `out`, which may be Z."""
        np.multiply(Z, 0.5, out=out)
        np.tanh(out, out=out)
        np.multiply(out, 0.5, out=out)
        np.add(out, 0.5, out=out)
        np.subtract(out, Y, out=out)

    def scale_by_root_of_curvature(self, Z, Y, J):
        """J ← Λ^½ J, with Λ = diag(a (1 - a)); J has the shape (*Z.shape, size)."""
        J *= np.sqrt(expit(Z) * expit(-Z))[..., None]


class SoftmaxLoss:
    """Softmax output, ℓ = -Σⱼ yⱼ log aⱼ with one-hot columns y."""

    activation = "softmax"
    has_noise = False
    has_curvature = is_smooth = True
    spread = None
    is_shift_invariant = True

    def mean(self, Z):
        """A2 = exp(Z2) / Σⱼ exp(Z2ⱼ)."""
        A = np.exp(Z - Z.max(axis=-2, keepdims=True))
        A /= A.sum(axis=-2, keepdims=True)
        return A

    def link(self, dtype):
        """The numbers of `mean`."""
        return Link(self.activation)

    def log_mean(self, Z):
        """log A2 = Z2 - log Σⱼ exp(Z2ⱼ)."""
        return _as_precise_as_probabilities(_log_softmax(Z))

    def loss(self, Z, Y):
        """ℓ of every sample, as -Σⱼ yⱼ log aⱼ."""
        return -np.einsum("...ji,...ji->...i", Y, _log_softmax(Z))

    def delta(self, Z, Y, out):
        """dZ2 = A2 - Y, in `out`, which may be Z."""
        np.subtract(Z, np.maximum.reduce(Z, axis=-2, keepdims=True), out=out)
        np.maximum(out, _LEAST_LOGIT, out=out)
        np.exp(out, out=out)
        np.divide(out, np.add.reduce(out, axis=-2, keepdims=True), out=out)
        np.subtract(out, Y, out=out)

    def scale_by_root_of_curvature(self, Z, Y, J):
        """J ← B J, where BᵀB = Λ = diag(a) - a aᵀ; J has the shape (*Z.shape, size).

        With the unit vector s = √a: B = (I - s sᵀ) diag(s).
        """
        s = np.sqrt(self.mean(Z))[..., None]
        J *= s
        J -= s * (s * J).sum(axis=0)


OUTPUT_UNITS = {
    unit.activation: unit for unit in (SquaredError(), LogisticLoss(), SoftmaxLoss())
}
