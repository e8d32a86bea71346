"""Every output unit that the estimators can have, and targets for it."""

import numpy as np
from hypothesis import settings

from sk_shallow._model.losses import LOSSES
from sk_shallow._model.output_activations import number_unit, output_activations
from sk_shallow._model.output_units import OUTPUT_UNITS

# For a law of every pair of two registries: a third of the examples for each.
a_third = settings(max_examples=-(-settings.default.max_examples // 3))
LEVELS = {"quantile": (0.3,)}
# Losses of numbers with each of their output activations; of one level.
NUMBER_UNITS = {
    f"{loss}, {h}": (loss, h) for loss in LOSSES for h in output_activations(loss)
}
# Several levels of two targets.
STACKED = {
    f"three levels, {h}": number_unit("quantile", h, (0.1, 0.6, 0.9), 2)
    for h in output_activations("quantile")
}


def unit_of(name, n_out=1):
    """The unit of this name, with so many outputs."""
    if name in OUTPUT_UNITS:
        return OUTPUT_UNITS[name]
    if name in STACKED:
        return STACKED[name]
    loss, h = NUMBER_UNITS[name]
    return number_unit(loss, h, LEVELS.get(loss, ()), n_out)


def outputs_of(name, n_out):
    """How many outputs the unit has where so many were asked for."""
    return 6 if name in STACKED else n_out


def is_exponential(unit):
    """Whether an error of an output is multiplied by what it has grown to."""
    return getattr(unit, "is_logarithmic", False)


UNITS = [*OUTPUT_UNITS, *NUMBER_UNITS, *STACKED]
# Those that have as many outputs as they are told; and of these, those with curvature.
PLAIN = [*OUTPUT_UNITS, *NUMBER_UNITS]
CURVED = [name for name in PLAIN if getattr(unit_of(name), "has_curvature", True)]


def draw(name, shape, seed):
    """Outputs, and targets of which some are nearly certain."""
    n_out, n_samples = shape
    n_out, rng = outputs_of(name, n_out), np.random.default_rng(seed)
    unit = unit_of(name, n_out)
    Z, truth = 3 * rng.standard_normal((2, n_out, n_samples))
    certainty = 4 if name in OUTPUT_UNITS else 1
    return unit, Z, unit.mean(certainty * truth)
