"""Losses of numbers, each an output unit with the output activation made for it.

Those of locations, squared, absolute, Huber's and of quantiles, have an identity
output, a = z; those of counts and sizes, half the deviances of Poisson and gamma, an
exponential one, log a = z. Other output activations stand in `output_activations`.

What `output_units` says of a unit holds for each. A unit `is_smooth` if its loss has no
kinks, or else can be `smoothed`, and `has_curvature` if second derivatives tell of it.
It `has_mean` if the mean of y is what it predicts; V(a) = aᵖ, with its `variance_power`
p, is the variance of y about a, but for a factor. Targets are divided by a `spread` of
theirs, after their location has been subtracted if the unit `is_shifted`. For outputs
in units of y, `scaled` gives the unit, and `units` what to add and to multiply by.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.special import xlogy

from sk_shallow._arrays.quantiles import weighted_quantiles
from sk_shallow._model.links import Link

# Beyond this size of a logarithm, exp goes on as a straight line, in the losses.
FARTHEST = 60.0
# What sizes are not told apart from, beside their mean, if they are smaller.
_LEAST_SIZE = float(np.exp(-FARTHEST))
# The threshold of Huber's loss, in robust spreads of the targets.
_THRESHOLD = 0.03
# What a positive output begins with, at the least.
LEAST = 1e-2


def _bounded(Z):
    """Z within what exp can take."""
    return np.clip(Z, -FARTHEST, FARTHEST)


def _largest(dtype):
    """The logarithm of what is finite."""
    return np.log(np.finfo(dtype).max) - 1


def _exp_and_on(Z):
    """∫ exp(z), exp being constant beyond the farthest z."""
    return np.exp(_bounded(Z)) * (1 + np.maximum(Z - FARTHEST, 0))


class Number:
    """What most units of numbers share: elementwise, in a, and with curvature."""

    activation = "identity"
    is_shift_invariant = False
    has_noise = True
    is_smooth = True
    has_curvature = True
    is_shifted = True
    is_logarithmic = False
    has_mean = True
    spread = "sd"
    variance_power = 0
    low = -np.inf

    def mean(self, Z):
        """A2 = Z2."""
        return Z

    def link(self, dtype):
        """The numbers of `mean`, in this precision."""
        return Link(self.activation)

    def slope(self, Z):
        """∂A2/∂Z2, elementwise."""
        return np.ones_like(Z)

    def inverse(self, A, least=LEAST):
        """Z2 of some A2; of the least where it is below."""
        return A

    def location(self, Y, weights):
        """The constant A2 that is best."""
        return Y @ weights / weights.sum()

    def scaled(self, scale):
        """The unit for outputs in units of y."""
        return self

    def units(self, mean, scale):
        """What to add to outputs, and to multiply them by, to be in units of y."""
        return mean, scale

    def smoothed(self, width):
        """The unit with its kinks bent."""
        return self

    def objection(self, y, is_all=True):
        """Why targets cannot be learned, if they are all, or at all; "" if they can."""
        return ""

    def curvature(self, Z, Y):
        """∂²ℓ/∂Z2², elementwise."""
        return np.ones_like(Z)

    def scale_by_root_of_curvature(self, Z, Y, J):
        """J ← Λ^½ J, with Λ = diag(∂²ℓ/∂Z2²)."""
        J *= np.sqrt(self.curvature(Z, Y))[..., None]


@dataclass(frozen=True)
class SquaredError(Number):
    """Identity output, ℓ = 1/2 Σⱼ (zⱼ - yⱼ)²."""

    def loss(self, Z, Y):
        """ℓ of every sample, shape (..., n_samples)."""
        R = Z - Y
        return 0.5 * np.einsum("...ji,...ji->...i", R, R)

    def delta(self, Z, Y, out):
        """dZ2 = A2 - Y, in `out`, which may be Z."""
        np.subtract(Z, Y, out=out)

    def scale_by_root_of_curvature(self, Z, Y, J):
        """J ← Λ^½ J, with Λ = ∂²ℓ/∂Z2² = I."""


@dataclass(frozen=True)
class _Sizes(Number):
    """ℓ = Σⱼ t(rⱼ) |rⱼ| with r = y - z and a factor t of its sign.

    |r| is r²/2ε for |r| ≤ ε, and |r| - ε/2 beyond.

    Parameters
    ----------
    width : float, default=0.0
        ε.
    """

    width: float = 0.0

    has_curvature: ClassVar[bool] = False
    has_mean: ClassVar[bool] = False
    spread: ClassVar[str] = "robust"

    @property
    def is_smooth(self):
        """Whether the kink is bent."""
        return self.width > 0

    def smoothed(self, width):
        """The unit with this ε."""
        return replace(self, width=width)

    def loss(self, Z, Y):
        """ℓ of every sample."""
        R = Y - Z
        sizes = np.abs(R)
        if self.width:
            inside = R * R * (0.5 / self.width)
            sizes = np.where(sizes < self.width, inside, sizes - 0.5 * self.width)
        return (self.tilt(R) * sizes).sum(axis=-2)

    def delta(self, Z, Y, out):
        """dZ2 = -t(r) sign(r), or -t(r) r/ε between."""
        R = Y - Z
        if self.width:
            np.divide(R, -self.width, out=out)
            np.clip(out, -1, 1, out=out)
        else:
            np.sign(np.negative(R, out=out), out=out)
        out *= self.tilt(R)


@dataclass(frozen=True)
class AbsoluteError(_Sizes):
    """ℓ = Σⱼ |yⱼ - zⱼ|, for the median."""

    def tilt(self, R):
        """t = 1."""
        return R.dtype.type(1)

    def location(self, Y, weights):
        """The median."""
        return weighted_quantiles(Y, weights, [0.5])[0]


@dataclass(frozen=True)
class Quantile(_Sizes):
    """ℓ = Σⱼ τⱼ max(rⱼ, 0) + (1 - τⱼ) max(-rⱼ, 0), r = y - z, the pinball loss [1]_.

    Parameters
    ----------
    levels : tuple of float
        τ of each output.

    References
    ----------
    .. [1] Koenker and Bassett, "Regression quantiles", Econometrica 46, 1978.
    """

    levels: tuple = (0.5,)

    def tilt(self, R):
        """t = τ above, 1 - τ below."""
        levels = np.array(self.levels, R.dtype)[:, None]
        return np.where(R > 0, levels, 1 - levels)

    def location(self, Y, weights):
        """The quantile of each."""
        pairs = zip(Y, self.levels, strict=True)
        found = [weighted_quantiles(y[None], weights, [level])[0] for y, level in pairs]
        return np.concatenate(found)


@dataclass(frozen=True)
class Huber(Number):
    """ℓ = Σⱼ r²/2 for |r| ≤ δ, and δ(|r| - δ/2) beyond, with r = y - z [1]_.

    Parameters
    ----------
    threshold : float
        δ, in units of the robust spread of the targets.

    References
    ----------
    .. [1] Huber, "Robust estimation of a location parameter", Annals of Mathematical
       Statistics 35, 1964.
    """

    threshold: float = _THRESHOLD

    has_mean: ClassVar[bool] = False
    spread: ClassVar[str] = "robust"

    def loss(self, Z, Y):
        """ℓ of every sample, c (|r| - c/2) with the part c within the threshold."""
        sizes = np.abs(Y - Z)
        within = np.minimum(sizes, self.threshold)
        return (within * (sizes - 0.5 * within)).sum(axis=-2)

    def delta(self, Z, Y, out):
        """dZ2 = -r, within the threshold."""
        np.subtract(Z, Y, out=out)
        np.clip(out, -self.threshold, self.threshold, out=out)

    def curvature(self, Z, Y):
        """1 within the threshold, else 0."""
        return (np.abs(Y - Z) <= self.threshold).astype(Z.dtype)

    def location(self, Y, weights):
        """The median, nearly."""
        return weighted_quantiles(Y, weights, [0.5])[0]


class Positive(Number):
    """What units of positive means share: z = log a, and targets without a shift."""

    activation = "exp"
    is_shifted = False
    is_logarithmic = True
    spread = "mean"
    low = 0.0

    def mean(self, Z):
        """A2 = exp(Z2), as far as it is finite."""
        return np.exp(np.minimum(Z, _largest(Z.dtype)))

    def link(self, dtype):
        """The numbers of `mean`, in this precision."""
        return Link(self.activation, high=float(_largest(dtype)))

    def slope(self, Z):
        """∂A2/∂Z2 = A2."""
        return self.mean(Z)

    def inverse(self, A, least=LEAST):
        """Z2 = log A2."""
        return np.log(np.maximum(A, least))

    def units(self, mean, scale):
        """The logarithm of the unit is a shift."""
        return np.log(scale), np.ones_like(scale)


@dataclass(frozen=True)
class Poisson(Positive):
    """exp output, ℓ = Σⱼ exp(zⱼ) - yⱼ - yⱼ (zⱼ - log yⱼ), half Poisson's deviance."""

    variance_power: ClassVar[int] = 1

    def objection(self, y, is_all=True):
        """Counts are not negative, and not all of them are zero."""
        is_wrong = (y < 0).any() or (is_all and not y.any(axis=0).all())
        words = "loss='poisson' requires non-negative y and sum(y) > 0."
        return words if is_wrong else ""

    def loss(self, Z, Y):
        """ℓ of every sample."""
        return (_exp_and_on(Z) - Y * Z + (xlogy(Y, Y) - Y)).sum(axis=-2)

    def delta(self, Z, Y, out):
        """dZ2 = A2 - Y."""
        np.clip(Z, -FARTHEST, FARTHEST, out=out)
        np.exp(out, out=out)
        np.subtract(out, Y, out=out)

    def curvature(self, Z, Y):
        """exp(z)."""
        return np.exp(_bounded(Z))


@dataclass(frozen=True)
class Gamma(Positive):
    """exp output, ℓ = Σⱼ yⱼ exp(-zⱼ) - 1 + zⱼ - log yⱼ, half the gamma deviance."""

    variance_power: ClassVar[int] = 2

    def objection(self, y, is_all=True):
        """Sizes are positive."""
        return "loss='gamma' requires strictly positive y." if (y <= 0).any() else ""

    def loss(self, Z, Y):
        """ℓ of every sample."""
        Y = np.maximum(Y, _LEAST_SIZE)
        return (Y * _exp_and_on(-Z) + Z - (1 + np.log(Y))).sum(axis=-2)

    def delta(self, Z, Y, out):
        """dZ2 = 1 - Y/A2."""
        np.clip(Z, -FARTHEST, FARTHEST, out=out)
        np.exp(np.negative(out, out=out), out=out)
        np.multiply(out, np.maximum(Y, _LEAST_SIZE), out=out)
        np.subtract(1, out, out=out)

    def curvature(self, Z, Y):
        """y exp(-z)."""
        return np.maximum(Y, _LEAST_SIZE) * np.exp(-_bounded(Z))


LOSSES = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "quantile": Quantile,
    "poisson": Poisson,
    "gamma": Gamma,
}
