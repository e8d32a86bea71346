"""The default batch size, number of steps and rates: one rule for every data set.

It was chosen by experiment over all the sets of the benchmark; see
`benchmarks/REPORT.md`.
"""

from math import sqrt

# τ of a rate that falls for ever, which warms up to 3/4 over 3/4 of it; and steps over
# which that of a stream stays.
_WARM_UP, _STAY = 50, 200
# The share of a budget over which its rate warms up.
_TENTH = 0.1


def budget(n_samples, n_features, are_numbers=False):
    """The batch size and the number of steps.

    The steps grow as n^(2/3), from 60, up to 15,000 samples and as n^(1/4) from there,
    and fall with the square root of the number of features beyond 256. Numbers get
    twice as many steps as labels: their loss goes on falling for longer.

    Parameters
    ----------
    n_samples, n_features : int
    are_numbers : bool, default=False
        Whether the targets are.
    """
    batch_size = 256 if n_features <= 64 else 128
    if n_samples <= 15_000:
        n_steps = 1.6 * n_samples ** (2 / 3)
    else:
        n_steps = 1000 * (n_samples / 15_000) ** 0.25
    n_steps *= min(1.0, (256 / n_features) ** 0.5) * (2 if are_numbers else 1)
    return batch_size, max(60, round(n_steps))


def triangle(step, n_steps):
    """Rate factor: up linearly over a tenth of the steps, then down linearly to 0."""
    progress = step / n_steps
    if progress < _TENTH:
        return 0.02 + 0.98 * progress / _TENTH
    return (1 - progress) / (1 - _TENTH)


def constant(step, n_steps):
    """Rate factor 1: the rate that was set by hand."""
    return 1.0


def falling(step):
    """Rate factor without an end: up as t/τ, until it meets √(τ/(t + τ)), then down."""
    t = step + 1
    return min(t / _WARM_UP, sqrt(_WARM_UP / (t + _WARM_UP)))


def streaming(step, n_steps, before, new, least):
    """Rate factor of a stream: it falls, but so far that what drifts can be followed.

    Parameters
    ----------
    step, n_steps : int
        Of this call.
    before, new : float
        What has been seen, and what is new, in batches that bear the whole rate.
    least : float
        The factor that is left in the end.
    """
    seen = before + new * step / n_steps
    return max(least, sqrt(_STAY / (seen + _STAY)))
