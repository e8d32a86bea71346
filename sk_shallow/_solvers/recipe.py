"""The default batch size, number of steps and rate: one rule for every data set.

It was chosen by experiment over all the sets of the benchmark; see
`benchmarks/REPORT.md`.
"""


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


def triangle(progress, warm_up=0.1):
    """Rate factor: up linearly over the warm-up, then down linearly to 0."""
    if progress < warm_up:
        return 0.02 + 0.98 * progress / warm_up
    return (1 - progress) / (1 - warm_up)


def constant(progress):
    """Rate factor 1: the rate that was set by hand."""
    return 1.0
