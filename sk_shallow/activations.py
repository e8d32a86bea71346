"""Hidden activations: g(Z) and its slope g'(Z), on adjacent lines.

Every activation here is monotone, so that its slope is a function of
A = g(Z): the backward pass never needs Z. The registry `ACTIVATIONS` maps the
names that the estimators take to the objects that compute.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sk_shallow._typing import Floats


class Activation:
    """A monotone elementwise function g and its slope, written from A = g(Z).

    Subclass it to train with an activation of your own. Both methods are
    elementwise, write into `out` where it is given, return what they wrote, and
    must allow `out` to be their own input. `fit` checks the slope against
    central differences and refuses an object whose slope is wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_shallow import Activation, ShallowNNClassifier
    >>> class Softsign(Activation):
    ...     def forward(self, Z, out=None):
    ...         return np.divide(Z, 1 + np.abs(Z), out=out)
    ...     def slope(self, A, out=None):
    ...         return np.square(1 - np.abs(A), out=out)
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1]
    >>> clf = ShallowNNClassifier(5, activation=Softsign(), random_state=0)
    >>> clf.fit(X, y).predict([[0.5], [2.5]])
    array([0, 1])
    """

    def forward(self, Z: Floats, out: Floats | None = None) -> Floats:
        """Return A = g(Z), in `out` where it is given.

        Parameters
        ----------
        Z : ndarray
            What the units sum up, of any shape.
        out : ndarray of the shape of Z, default=None
            Where A is written; it may be Z itself. None: a new array.

        Returns
        -------
        ndarray of the shape of Z
            A, which is `out` where that is given.
        """
        raise NotImplementedError

    def slope(self, A: Floats, out: Floats | None = None) -> Floats:
        """Return g'(Z) written from A = g(Z), in `out` where it is given.

        Parameters
        ----------
        A : ndarray
            What `forward` gave.
        out : ndarray of the shape of A, default=None
            Where the slope is written; it may be A itself. None: a new array.

        Returns
        -------
        ndarray of the shape of A
            The derivative of g at Z.
        """
        raise NotImplementedError

    def chain(self, D: Floats, A: Floats) -> None:
        """The chain rule, D ← D ∘ g'(Z), in place.

        Parameters
        ----------
        D : ndarray
            The derivatives of the loss by A; afterwards those by Z.
        A : ndarray of the shape of D
            What `forward` gave; it is used up.
        """
        D *= self.slope(A, out=A)


@dataclass(frozen=True)
class Identity(Activation):
    """g(z) = z.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_shallow import Identity
    >>> Identity().forward(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    def forward(self, Z: Floats, out: Floats | None = None) -> Floats:
        """A = Z."""
        return np.positive(Z, out=out)

    def slope(self, A: Floats, out: Floats | None = None) -> Floats:
        """g' = 1."""
        out = np.empty_like(A) if out is None else out
        out.fill(1)
        return out


@dataclass(frozen=True)
class Logistic(Activation):
    """g(z) = 1 / (1 + exp(-z)), the notes' sigmoid.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_shallow import Logistic
    >>> Logistic().forward(np.array([-2.0, 0.0, 2.0]))
    array([0.119..., 0.5       , 0.880...])
    """

    def forward(self, Z: Floats, out: Floats | None = None) -> Floats:
        """A = 1/2 (1 + tanh(Z/2)), which cannot overflow."""
        A = np.multiply(Z, 0.5, out=out)
        A = np.tanh(A, out=A)
        A = np.add(A, 1, out=A)
        return np.multiply(A, 0.5, out=A)

    def slope(self, A: Floats, out: Floats | None = None) -> Floats:
        """g' = A (1 - A)."""
        return np.multiply(A, 1 - A, out=out)


@dataclass(frozen=True)
class Tanh(Activation):
    """g(z) = tanh(z).

    Examples
    --------
    >>> import numpy as np
    >>> from sk_shallow import Tanh
    >>> Tanh().forward(np.array([-2.0, 0.0, 2.0]))
    array([-0.964...,  0.        ,  0.964...])
    """

    def forward(self, Z: Floats, out: Floats | None = None) -> Floats:
        """A = tanh(Z)."""
        return np.tanh(Z, out=out)

    def slope(self, A: Floats, out: Floats | None = None) -> Floats:
        """g' = 1 - A²."""
        D = np.square(A, out=out)
        return np.subtract(1, D, out=D)


@lru_cache(maxsize=4)
def _few_zeros(shape, dtype):
    """The same zeros at every call, read-only."""
    zeros = np.zeros(shape, dtype)
    zeros.flags.writeable = False
    return zeros


def _zeros(Z):
    """Zeros of the shape of Z, made once if they are few."""
    make = _few_zeros if Z.size <= 2**17 else np.zeros
    return make(Z.shape, Z.dtype)


@dataclass(frozen=True)
class ReLU(Activation):
    """g(z) = max(0, z).

    Examples
    --------
    >>> import numpy as np
    >>> from sk_shallow import ReLU
    >>> ReLU().forward(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def forward(self, Z: Floats, out: Floats | None = None) -> Floats:
        """A = max(Z, 0); NumPy is slower with a scalar 0."""
        return np.maximum(Z, _zeros(Z), out=out)

    def slope(self, A: Floats, out: Floats | None = None) -> Floats:
        """g' = 1 where A > 0, else 0."""
        return np.sign(A, out=out)

    def chain(self, D: Floats, A: Floats) -> None:
        """D ∘ [A > 0]: as integers, the bits of A >= 0 have the sign of A."""
        bits = f"u{A.itemsize}"
        slope, D = A.view(bits), D.view(bits)
        np.sign(slope, out=slope)
        D *= slope


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """g(z) = z for z > 0, else negative_slope z.

    Parameters
    ----------
    negative_slope : float in [0, 1], default=0.01
        The slope for z < 0. The notes use 0.01.

    Examples
    --------
    A grid over the slope lists objects:

    >>> from sk_shallow import LeakyReLU
    >>> grid = {"activation": [LeakyReLU(s) for s in (0.01, 0.1, 0.3)]}
    >>> grid["activation"][1]
    LeakyReLU(negative_slope=0.1)
    """

    negative_slope: float = 0.01

    def __post_init__(self):
        """Refuse a slope outside [0, 1]."""
        if not 0 <= self.negative_slope <= 1:
            raise ValueError(
                "The 'negative_slope' parameter of LeakyReLU must be a float in the "
                f"range [0.0, 1.0]. Got {self.negative_slope!r} instead."
            )

    def forward(self, Z: Floats, out: Floats | None = None) -> Floats:
        """A = max(Z, sZ), as 0 <= s <= 1."""
        return np.maximum(Z, Z.dtype.type(self.negative_slope) * Z, out=out)

    def slope(self, A: Floats, out: Floats | None = None) -> Floats:
        """g' = 1 where A > 0, else s."""
        D = np.greater(A, 0, out=out)
        return np.maximum(D, A.dtype.type(self.negative_slope), out=out)


@dataclass(frozen=True)
class ELU(Activation):
    """g(z) = z for z > 0, else alpha (exp(z) - 1).

    Parameters
    ----------
    alpha : float > 0, default=1.0
        Minus the limit of g for z → -∞.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_shallow import ELU
    >>> ELU(alpha=0.5).forward(np.array([-1.0, 2.0]))
    array([-0.316...,  2.        ])
    """

    alpha: float = 1.0

    def __post_init__(self):
        """Refuse an alpha that is not positive."""
        if not self.alpha > 0:
            raise ValueError(
                "The 'alpha' parameter of ELU must be a float in the range (0.0, inf). "
                f"Got {self.alpha!r} instead."
            )

    def forward(self, Z: Floats, out: Floats | None = None) -> Floats:
        """A = max(Z, 0) + alpha (exp(min(Z, 0)) - 1)."""
        negative = np.expm1(np.minimum(Z, 0)) * Z.dtype.type(self.alpha)
        A = np.maximum(Z, 0, out=out)
        return np.add(A, negative, out=A)

    def slope(self, A: Floats, out: Floats | None = None) -> Floats:
        """g' = min(A, 0) + alpha where A <= 0, else 1."""
        positive = A > 0
        D = np.add(A, A.dtype.type(self.alpha), out=out)
        np.copyto(D, 1, where=positive)
        return D


@dataclass(frozen=True)
class Softplus(Activation):
    """g(z) = log(1 + exp(z)).

    Examples
    --------
    >>> import numpy as np
    >>> from sk_shallow import Softplus
    >>> Softplus().forward(np.array([-2.0, 0.0, 2.0]))
    array([0.126..., 0.693..., 2.126...])
    """

    def forward(self, Z: Floats, out: Floats | None = None) -> Floats:
        """A = max(Z, 0) + log(1 + exp(-abs(Z))), which cannot overflow."""
        tail = np.log1p(np.exp(-np.abs(Z)))
        A = np.maximum(Z, 0, out=out)
        return np.add(A, tail, out=A)

    def slope(self, A: Floats, out: Floats | None = None) -> Floats:
        """g' = 1 - exp(-A)."""
        D = np.negative(A, out=out)
        D = np.expm1(D, out=D)
        return np.negative(D, out=D)


ACTIVATIONS = {
    "identity": Identity(),
    "logistic": Logistic(),
    "sigmoid": Logistic(),
    "tanh": Tanh(),
    "relu": ReLU(),
    "leaky_relu": LeakyReLU(),
    "elu": ELU(),
    "softplus": Softplus(),
}


def rises(activation):
    """Whether the slope is nowhere negative, as far as some points tell."""
    Z = np.linspace(-50, 50, 1001).reshape(-1, 1)
    return bool((activation.slope(activation.forward(Z)) >= 0).all())


def check_slope(activation):
    """Refuse an activation whose slope is not the derivative of its forward.

    Parameters
    ----------
    activation : Activation

    Raises
    ------
    ValueError
        If `slope(forward(Z))` differs from the central difference of `forward`, or
        if either method, writing in place, gives something else.
    """
    name, h = type(activation).__name__, 1e-5
    Z = np.linspace(-3.97, 4.01, 40).reshape(8, 5)
    A = activation.forward(Z.copy())
    slope = activation.slope(A.copy())
    difference = activation.forward(Z + h) - activation.forward(Z - h)
    difference /= 2 * h
    wrong = ~np.isclose(slope, difference, rtol=1e-4, atol=1e-6)
    if np.shape(slope) != Z.shape or wrong.any():
        at = np.unravel_index(np.argmax(wrong), wrong.shape)
        raise ValueError(
            f"The slope of the activation {name} is wrong: at z = {Z[at]:.4g}, "
            f"slope(A) is {np.broadcast_to(slope, Z.shape)[at]:.6g}, while the central "
            f"difference of forward is {difference[at]:.6g}. `slope` receives "
            "A = forward(Z), not Z, and must return g'(Z)."
        )
    for method, argument, expected in (
        (activation.forward, Z, A),
        (activation.slope, A, slope),
    ):
        out = argument.copy()
        method(out, out=out)
        if not np.allclose(out, expected, rtol=1e-12, atol=0, equal_nan=True):
            raise ValueError(
                f"{name}.{method.__name__}(array, out=array) must leave its result in "
                "`out`, also where `out` is its own input; it left something else."
            )
