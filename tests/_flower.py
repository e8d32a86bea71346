"""The planar flower of the notes' course: two classes of petals."""

import numpy as np


def planar_flower(n_samples=400, random_state=0):
    """Points (r sin t, r cos t) with r = 4 sin(4t); each class has half of the turn."""
    rng = np.random.default_rng(random_state)
    X, y = [], []
    for label, size in enumerate((n_samples - n_samples // 2, n_samples // 2)):
        t = np.linspace(3.12 * label, 3.12 * (label + 1), size)
        t += 0.2 * rng.standard_normal(size)
        r = 4 * np.sin(4 * t) + 0.2 * rng.standard_normal(size)
        X.append(np.column_stack([r * np.sin(t), r * np.cos(t)]))
        y.append(np.full(size, label))
    return np.vstack(X), np.concatenate(y)
