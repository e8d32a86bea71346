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


def product_operations(n_rows, layout, block_size=1024):
    """Floating-point operations of [1 X] H, some rows at a time."""
    width = layout.n_members * layout.n_hidden
    return 2 * min(n_rows, block_size) * layout.n_in * width
