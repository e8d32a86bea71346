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
        and one sample of each class is never held out.

    Returns
    -------
    train, held_out : ndarray of int

    Raises
    ------
    ValueError
        If there are too few samples to hold some out.
    """
    samples = np.arange(n_samples, dtype=np.int32)
    rng.shuffle(samples)
    kept = samples[:0]
    if codes is not None:
        _, first = np.unique(codes[samples], return_index=True)
        kept, samples = samples[first], np.delete(samples, first)
    n_held_out = min(int(np.ceil(fraction * n_samples)), len(samples))
    if not 1 <= n_held_out < n_samples:
        raise ValueError(
            f"validation_fraction={fraction} of {n_samples} samples leaves none to "
            "train on, or none to hold out. Set early_stopping=False, or give X_val "
            "and y_val to fit."
        )
    if n_held_out == len(samples):
        return kept, samples
    if codes is not None:
        codes = codes[samples]
        counts = np.unique(codes, return_counts=True)[1]
        smaller_side = min(n_held_out, len(samples) - n_held_out)
        if counts.min() < 2 or smaller_side < len(counts):
            codes = None
    train, held_out = train_test_split(
        samples,
        test_size=n_held_out,
        stratify=codes,
        random_state=int(rng.integers(2**31)),
    )
    return np.concatenate([train, kept]), held_out
