"""What the annotations of the public interface are made of."""

from collections.abc import Iterator
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray


class HasShape(Protocol):
    """A frame, a series or a sparse matrix."""

    @property
    def shape(self) -> Any:
        """Number of rows, and of columns."""


class Splitter(Protocol):
    """A splitter of scikit-learn, such as KFold(5)."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Any]:
        """Pairs of samples to see and samples to hold out."""


Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.floating[Any]]
DataLike: TypeAlias = ArrayLike | HasShape
Listed: TypeAlias = list[Any] | tuple[Any, ...] | Array
ColumnsLike: TypeAlias = list[Any] | tuple[Any, ...] | HasShape

ActivationName: TypeAlias = Literal[
    "auto",
    "identity",
    "logistic",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "softplus",
]
SolverName: TypeAlias = Literal["auto", "gd", "sgd", "adam", "lbfgs", "lm"]
EncodingName: TypeAlias = Literal["auto", "piecewise", "piecewise_mixed", "whitened"]
InitName: TypeAlias = Literal["auto", "glorot", "he", "normal", "zeros"]
LossName: TypeAlias = Literal[
    "squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma"
]
OutputActivationName: TypeAlias = Literal["auto", "identity", "relu", "softplus", "exp"]
