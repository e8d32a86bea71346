"""What stands between outputs and predictions, in a few numbers, for other languages.

Where outputs stand upon each other, t_a = z_a for the anchor a of each target, and

    t_j = t_{j-1} + g softplus(z_j/g)  above it,   t_j = t_{j+1} - g softplus(z_j/g)

below it; else t = z. Then h(t) is one of

    identity    t
    logistic    1/(1 + exp(-t))
    softmax     exp(t)/Σⱼ exp(tⱼ)
    relu        max(t, 0)
    softplus    s log(1 + exp(u))                               u = max(t/s, low)
    exp         s exp(min(u, high)) (1 + rise max(u - high, 0)) u = max(t - log s, low)
"""

from typing import Any, NamedTuple

import numpy as np


class Link(NamedTuple):
    """From Z2 to A2.

    Attributes
    ----------
    name : str
        h.
    scale : float or ndarray of shape (n_out, 1)
        s.
    low, high, rise : float
        Where h is no longer itself.
    n_levels, anchor : int
        How many outputs of each target stand upon each other, and the one that stands
        by itself.
    gap : float or ndarray of shape (n_out, 1)
        g, the unit of their differences.
    """

    name: str
    scale: Any = 1.0
    low: float = -np.inf
    high: float = np.inf
    rise: float = 0.0
    n_levels: int = 1
    anchor: int = 0
    gap: Any = 1.0
