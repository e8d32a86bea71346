"""The default batch size, number of epochs and rate: one rule for every data set."""

import numpy as np

# Up to so many samples every step sees all of them.
FULL_BATCH = 64


def batch_size(n_samples):
    """A fiftieth of the samples, within 16 … 128; all of them where they are few."""
    if n_samples <= FULL_BATCH:
        return n_samples
    return int(np.clip(n_samples // 50, 16, 128))


def n_epochs(n_samples):
    """20 √(4000/n), within 8 … 80."""
    return int(np.clip(20 * np.sqrt(4000 / n_samples), 8, 80))


def one_cycle(progress, warm_up=0.1):
    """Rate factor: up linearly over the warm-up, then down to 0 along a cosine."""
    if progress < warm_up:
        return 0.1 + 0.9 * progress / warm_up
    return 0.5 * (1 + np.cos(np.pi * (progress - warm_up) / (1 - warm_up)))


def constant(progress):
    """Rate factor 1: the rate that was set by hand."""
    return 1.0
