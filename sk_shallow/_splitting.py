"""Holding samples out for early stopping."""

import numpy as np
from sklearn.model_selection import train_test_split


def hold_out(n_samples, fraction, rng, codes=None):
    """Numbers of the samples to train on, and of those held out.

    Parameters
    ----------
    n_samples : int
    fraction : float
        The share to hold out.
    rng : numpy.random.Generator
    codes : ndarray of shape (n_samples,), default=None
        Class of each sample: the classes keep their shares where their sizes allow it,
        and the only sample of a class is never held out.

    Returns
    -------
    train, held_out : ndarray of int
    """
    samples = np.arange(n_samples)
    if not 1 <= np.ceil(fraction * n_samples) < n_samples:
        raise ValueError(
            f"validation_fraction={fraction} of {n_samples} samples leaves none to "
            "train on. Set a smaller validation_fraction, or early_stopping=False."
        )
    only = np.zeros(0, np.intp)
    if codes is not None:
        is_only = np.bincount(codes)[codes] == 1
        only, samples = samples[is_only], samples[~is_only]
        codes = codes[samples]
        n_held_out = int(np.ceil(fraction * len(samples)))
        smaller_side = min(n_held_out, len(samples) - n_held_out)
        codes = codes if smaller_side >= len(np.unique(codes)) else None
    train, held_out = train_test_split(
        samples,
        test_size=fraction,
        stratify=codes,
        random_state=int(rng.integers(2**31)),
    )
    return np.concatenate([train, only]), held_out
