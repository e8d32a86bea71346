"""Output activations of numbers: between the outputs Z2 and a loss, a function h.

`Through` puts an h that is positive below a loss, `Rectified` max(z, 0), and
`NonCrossing` the quantiles of one target upon each other. `number_unit` makes the unit
of it all.
"""

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from sk_shallow._model.links import Link
from sk_shallow._model.losses import FARTHEST, LEAST, LOSSES, Number, Positive
from sk_shallow._model.output_units import softplus

# Below and above, exp of an output is constant, and a straight line: its square is
# neither subnormal in single precision, nor infinite.
_LOWEST, _HIGHEST = np.float32(-40), np.float32(30)


def inverse_softplus(A, least):
    """log(exp(A) - 1), of A at the least."""
    A = np.maximum(A, least)
    return A + np.log(-np.expm1(-A))


@dataclass(frozen=True)
class Softplus:
    """h(z) = s log(1 + exp(z/s)).

    Parameters
    ----------
    scale : float or ndarray of shape (n_out, 1), default=1.0
        s, the unit of z and of h(z).
    """

    scale: Any = 1.0

    name: ClassVar[str] = "softplus"
    is_logarithmic: ClassVar[bool] = False

    def _in_units(self, Z):
        """s in the precision of Z, and z/s."""
        scale = np.asarray(self.scale, Z.dtype)
        return scale, Z / scale

    def forward(self, Z):
        """A = s log(1 + exp(Z/s))."""
        scale, Z = self._in_units(Z)
        return scale * softplus(np.maximum(Z, _LOWEST))

    def slope(self, Z):
        """h' = 1 / (1 + exp(-Z/s))."""
        return expit(np.maximum(self._in_units(Z)[1], _LOWEST))

    def link(self):
        """The numbers of `forward`."""
        return Link(self.name, self.scale, float(_LOWEST))

    def inverse(self, A, least):
        """Z of A, where s is 1."""
        return inverse_softplus(A, least)

    def scaled(self, scale):
        """The function with this s."""
        return replace(self, scale=np.reshape(scale, (-1, 1)))


class Exp(Softplus):
    """h(z) = exp(z), and on a straight line from where a square would overflow.

    A unit s of h(z) is a shift log s of z.
    """

    name: ClassVar[str] = "exp"
    is_logarithmic: ClassVar[bool] = True

    def _in_units(self, Z):
        """s in the precision of Z, and z - log s."""
        scale = np.asarray(self.scale, Z.dtype)
        return scale, Z - np.log(scale)

    def forward(self, Z):
        """A = exp(Z)."""
        scale, Z = self._in_units(Z)
        above = np.maximum(Z - _HIGHEST, 0)
        return scale * np.exp(np.clip(Z, _LOWEST, _HIGHEST)) * (1 + above)

    def slope(self, Z):
        """h' = exp(Z)."""
        scale, Z = self._in_units(Z)
        return scale * np.exp(np.clip(Z, _LOWEST, _HIGHEST))

    def link(self):
        """The numbers of `forward`."""
        return Link(self.name, self.scale, float(_LOWEST), float(_HIGHEST), 1.0)

    def inverse(self, A, least):
        """Z = log A."""
        return np.log(np.maximum(A, least))


class LogSoftplus(Softplus):
    """log h(z), for the losses that are written in log a."""

    def forward(self, Z):
        """log s + log log(1 + exp(Z/s)); the latter is z/s far below 0."""
        scale, Z = self._in_units(Z)
        far = Z < -FARTHEST
        return np.log(scale) + np.where(far, Z, np.log(softplus(np.where(far, 0, Z))))

    def slope(self, Z):
        """(log h)' = h'/h."""
        scale, Z = self._in_units(Z)
        Z = np.maximum(Z, -FARTHEST)
        return expit(Z) / softplus(Z) / scale

    def link(self):
        """The numbers of h itself."""
        return Link(self.name, self.scale)

    def inverse(self, A, least):
        """Z of log A, where s is 1."""
        return inverse_softplus(np.exp(A), least)


class _Upon(Number):
    """A unit upon another, which tells what this one does not."""

    is_smooth, has_curvature, has_mean, spread, variance_power = (
        property(attrgetter(f"unit.{name}"))
        for name in (
            "is_smooth",
            "has_curvature",
            "has_mean",
            "spread",
            "variance_power",
        )
    )

    def smoothed(self, width):
        """The unit with its kinks bent."""
        return replace(self, unit=self.unit.smoothed(width))

    def location(self, Y, weights):
        """The constant A2 that is best."""
        return self.unit.location(Y, weights)

    def objection(self, y, is_all=True):
        """That of the unit, or that no output is positive."""
        words = (
            f"output_activation={self.activation!r} requires y with a positive mean. "
            "Set output_activation='identity'."
        )
        is_wrong = is_all and self.low == 0 and not (y.mean(axis=0) > 0).all()
        return self.unit.objection(y, is_all) or (words if is_wrong else "")


@dataclass(frozen=True)
class Through(_Upon):
    """A loss upon a function h of the outputs: ℓ(h(z), y).

    Attributes
    ----------
    unit : output unit
        ℓ.
    function : Exp, Softplus or LogSoftplus
        h, or its logarithm where ℓ is written in it.
    """

    unit: Any
    function: Any

    is_shifted: ClassVar[bool] = False
    low: ClassVar[float] = 0.0

    @property
    def activation(self):
        """The name of h."""
        return self.function.name

    @property
    def is_logarithmic(self):
        """Whether a unit of y is a shift of Z2."""
        return self.function.is_logarithmic

    def mean(self, Z):
        """A2 = h(Z2)."""
        return self.unit.mean(self.function.forward(Z))

    def link(self, dtype):
        """The numbers of `mean`."""
        return self.function.link()

    def slope(self, Z):
        """h'(Z2)."""
        return self.unit.slope(self.function.forward(Z)) * self.function.slope(Z)

    def loss(self, Z, Y):
        """ℓ of every sample."""
        return self.unit.loss(self.function.forward(Z), Y)

    def delta(self, Z, Y, out):
        """dZ2 = ∂ℓ/∂A2 ∘ h'(Z2), in `out`, which may be Z."""
        A, slope = self.function.forward(Z), self.function.slope(Z)
        self.unit.delta(A, Y, out=out)
        out *= slope

    def curvature(self, Z, Y):
        """h'² ∂²ℓ/∂A2²: that of h is left out."""
        curvature = self.unit.curvature(self.function.forward(Z), Y)
        return curvature * self.function.slope(Z) ** 2

    def inverse(self, A, least=LEAST):
        """Z2 = h⁻¹(A2)."""
        return self.function.inverse(self.unit.inverse(A, least), least)

    def scaled(self, scale):
        """The unit for outputs in units of y."""
        return replace(self, function=self.function.scaled(scale))

    def units(self, mean, scale):
        """Of h: a factor of y is one of Z2, or a shift."""
        if self.is_logarithmic:
            return np.log(scale), np.ones_like(scale)
        return mean, scale


@dataclass(frozen=True)
class Rectified(_Upon):
    """A loss upon max(z, 0): ℓ(max(z, 0), y) + min(∂ℓ/∂a(0, y), 0) min(z, 0).

    The second part goes on, below 0, as ℓ comes down to it where y is above: an output
    of which nothing is left is still drawn to where the targets are.

    Attributes
    ----------
    unit : output unit
    """

    unit: Any

    activation: ClassVar[str] = "relu"
    is_shifted: ClassVar[bool] = False
    low: ClassVar[float] = 0.0

    def mean(self, Z):
        """A2 = max(Z2, 0)."""
        return np.maximum(Z, 0)

    def slope(self, Z):
        """1 above 0."""
        return (Z > 0).astype(Z.dtype)

    def loss(self, Z, Y):
        """ℓ of every sample."""
        A, D = np.maximum(Z, 0), np.empty_like(Z)
        self.unit.delta(A, Y, out=D)
        D[Z > 0] = 0
        return self.unit.loss(A, Y) + (np.minimum(D, 0) * (Z - A)).sum(axis=-2)

    def delta(self, Z, Y, out):
        """dZ2 = ∂ℓ/∂A2, below 0 as far as it is negative."""
        is_below = Z <= 0
        self.unit.delta(np.maximum(Z, 0), Y, out=out)
        np.minimum(out, 0, out=out, where=is_below)

    def curvature(self, Z, Y):
        """∂²ℓ/∂A2² above 0."""
        return self.unit.curvature(np.maximum(Z, 0), Y) * (Z > 0)

    def inverse(self, A, least=LEAST):
        """Z2 = A2, at the least."""
        return np.maximum(A, least)


@dataclass(frozen=True)
class NonCrossing(_Upon):
    """Quantiles of each target upon each other, which cannot cross [1]_.

    One of them is z of its own; each above it is the one below plus softplus(z), each
    below it the one above minus softplus(z). Where the unit is one of log a, so are
    they.

    Attributes
    ----------
    unit : output unit
    n_levels : int
    anchor : int
        The one that stands by itself.
    scale : float or ndarray of shape (n_out, 1), default=1.0
        The unit of the differences.

    References
    ----------
    .. [1] Cannon, "Non-crossing nonlinear regression quantiles by monotone composite
       quantile regression neural network", Stochastic Environmental Research and Risk
       Assessment 32, 2018.
    """

    unit: Any
    n_levels: int
    anchor: int
    scale: Any = 1.0

    activation, is_logarithmic, is_shifted, low = (
        property(attrgetter(f"unit.{name}"))
        for name in ("activation", "is_logarithmic", "is_shifted", "low")
    )

    def _by_target(self, Z):
        """Z with the levels of each target in the last axis but one."""
        return Z.reshape(*Z.shape[:-2], -1, self.n_levels, Z.shape[-1])

    def _stacked(self, Z):
        """The quantiles, as the unit has them."""
        A = self._by_target(Softplus(self.scale).forward(Z))
        A[..., self.anchor, :] = self._by_target(Z)[..., self.anchor, :]
        for j in range(self.anchor + 1, self.n_levels):
            A[..., j, :] += A[..., j - 1, :]
        for j in range(self.anchor - 1, -1, -1):
            np.subtract(A[..., j + 1, :], A[..., j, :], out=A[..., j, :])
        return A.reshape(Z.shape)

    def mean(self, Z):
        """A2."""
        return self.unit.mean(self._stacked(Z))

    def link(self, dtype):
        """The numbers of `mean`."""
        how = {"n_levels": self.n_levels, "anchor": self.anchor, "gap": self.scale}
        return self.unit.link(dtype)._replace(**how)

    def loss(self, Z, Y):
        """ℓ of every sample."""
        return self.unit.loss(self._stacked(Z), Y)

    def delta(self, Z, Y, out):
        """dZ2: each output moves all quantiles on its side of the anchor's."""
        stacked, slope = self._stacked(Z), Softplus(self.scale).slope(Z)
        self.unit.delta(stacked, Y, out=out)
        D, slope, m = self._by_target(out), self._by_target(slope), self.anchor
        for j in range(self.n_levels - 1, m, -1):
            D[..., j - 1, :] += D[..., j, :]
        for j in range(m):
            D[..., j + 1, :] += D[..., j, :]
        np.negative(slope[..., :m, :], out=slope[..., :m, :])
        slope[..., m, :] = 1
        D *= slope

    def inverse(self, A, least=LEAST):
        """Z2 that gives these quantiles, or larger differences."""
        Z = self.unit.inverse(A, least).reshape(-1, self.n_levels)
        gaps = inverse_softplus(np.diff(Z, axis=1), least)
        m = self.anchor
        return np.hstack([gaps[:, :m], Z[:, [m]], gaps[:, m:]]).ravel()

    def scaled(self, scale):
        """The unit for outputs in units of y."""
        unit = self.unit.scaled(scale)
        own = 1.0 if self.is_logarithmic else np.reshape(scale, (-1, 1))
        return replace(self, unit=unit, scale=own)

    def units(self, mean, scale):
        """Only the anchor is shifted."""
        mean, scale = self.unit.units(mean, scale)
        is_anchor = np.arange(len(mean)) % self.n_levels == self.anchor
        return np.where(is_anchor, mean, 0.0), scale


KINDS = (Exp, Softplus, LogSoftplus, Through, Rectified, NonCrossing)
OUTPUT_ACTIVATIONS = ("identity", "relu", "softplus", "exp")


def output_activations(loss):
    """The output activations that a loss can have; the first is its own."""
    is_positive = issubclass(LOSSES[loss], Positive)
    return ("exp", "softplus") if is_positive else OUTPUT_ACTIVATIONS


def number_unit(loss, activation, levels=(), n_targets=1):
    """The output unit of numbers.

    Parameters
    ----------
    loss : str
        One of `LOSSES`.
    activation : str
        One of its `output_activations`.
    levels : tuple of float, default=()
        Of the quantiles of each target, ascending.
    n_targets : int, default=1
    """
    kind = LOSSES[loss]
    unit = kind(levels=levels * n_targets) if levels else kind()
    if activation == "relu":
        unit = Rectified(unit)
    elif activation == "softplus":
        unit = Through(unit, LogSoftplus() if unit.is_logarithmic else Softplus())
    elif activation != unit.activation:
        unit = Through(unit, Exp())
    if len(levels) > 1:
        anchor = int(np.argmin(np.abs(np.array(levels) - 0.5)))
        unit = NonCrossing(unit, len(levels), anchor)
    return unit
