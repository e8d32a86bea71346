"""The default strength of the L2 penalty: one rule for every data set.

With noise of variance σ² about a function whose weights have prior variance τ², the
most probable weights minimise the squared error plus α/2 ‖W‖² with α = σ²/τ²: the more
noise, the more penalty. Of the rules tried (see `benchmarks/REPORT.md`), the square of
the odds of noise, σ²/(1 - σ²), serves noisy and noiseless sets best.
"""

import numpy as np
from scipy import sparse

from sk_shallow._scaling import Standardizer

# α of labels, whose noise is part of the model.
LABELS = 1.0
# α of numbers that are half noise, and its bounds.
_HALF_NOISE, _LEAST, _MOST = 20.0, 1.0, 100.0
# The noise is estimated from so many samples, sparse ones of so few columns as dense.
_N_SAMPLES, _N_DENSE = 500, 1000


def alpha_of_numbers(X, Y, weights, rng):
    """α = 20 (σ²/(1 - σ²))², within 1 and 100.

    Parameters
    ----------
    X : {ndarray, csr} of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,)
    rng : numpy.random.Generator
        Chooses the samples to estimate σ² from.

    Returns
    -------
    float
    """
    rows = np.arange(X.shape[0])
    if len(rows) > _N_SAMPLES:
        rows = rng.choice(rows, _N_SAMPLES, replace=False)
    noise = noise_share(X[rows], Y[rows], weights[rows])
    odds = noise / max(1 - noise, np.finfo(float).tiny)
    return float(np.clip(_HALF_NOISE * min(odds, 1e3) ** 2, _LEAST, _MOST))


def noise_share(X, Y, weights):
    """σ², the share of the variance of Y that nearest neighbours do not share [1]_.

    Half the squared difference between the targets of nearest neighbours estimates the
    variance of the noise. A copy of a sample, in X and in Y, is not its neighbour.

    References
    ----------
    .. [1] Stefánsson, Končar and Jones, "A note on the gamma test", Neural Computing &
       Applications 5, 1997.
    """
    x, y = Standardizer.of(X, weights), Standardizer.of(Y, weights)
    Y = y.transform(Y)
    distances = _squared_distances(X, x)
    is_copy = (distances == 0) & (Y[:, None] == Y).all(axis=2)
    distances[is_copy] = np.inf
    nearest = distances.argmin(axis=1)
    has_one = np.isfinite(distances[np.arange(len(Y)), nearest])
    if not has_one.any():
        return 1.0
    halves = 0.5 * np.mean((Y - Y[nearest]) ** 2, axis=1)
    return float(min(1.0, np.average(halves[has_one], weights=weights[has_one])))


def _squared_distances(X, x):
    """‖X̃ᵢ - X̃ⱼ‖², zero where it is rounding."""
    if sparse.issparse(X) and X.shape[1] <= _N_DENSE:
        X = X.toarray()
    if sparse.issparse(X):
        X = sparse.csr_array(X).multiply(1 / x.scale).tocsr()
        products = (X @ X.T).toarray()
    else:
        X = x.transform(X)
        products = X @ X.T
    squares = products.diagonal()
    distances = squares[:, None] + squares - 2 * products
    rounding = 1e-9 * X.shape[1] + 1e-13 * squares.mean()
    distances[distances <= rounding] = 0
    return distances
