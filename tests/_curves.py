"""Two noisy functions of three inputs, and a call whose budget need not suffice."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning


def two_curves(n_samples, seed):
    """X and two columns Z, of standard deviation about 1."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 3))
    Z = np.column_stack([np.sin(X[:, 0]) + 0.5 * X[:, 1], X[:, 2] - np.cos(X[:, 0])])
    return X, Z + 0.3 * rng.normal(size=Z.shape)


def quietly(method, *args, **kwargs):
    """Call it; its budget need not suffice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return method(*args, **kwargs)
