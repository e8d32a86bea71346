"""What a solver returns."""

from typing import Any, NamedTuple


class Result(NamedTuple):
    """The solver's state, to go on from, and what the user should know, or None."""

    state: Any = None
    message: str | None = None


OVERFLOW = (
    "The loss of the first weights overflows: X or y has too large values. Set "
    "standardize=True, or divide them by a constant."
)
