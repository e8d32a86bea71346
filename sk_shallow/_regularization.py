"""The default strength of the L2 penalty: one rule for every data set.

With noise of variance σ² about a function whose weights have prior variance τ², the
most probable weights minimise the squared error plus α/2 ‖W‖² with α = σ²/τ²: the more
noise, the more penalty. Of the rules tried (see `benchmarks/REPORT.md`), the odds of
noise, σ²/(1 - σ²), serve noisy and noiseless labels best, and their square numbers.
"""

import numpy as np
from scipy import sparse

from sk_shallow._scaling import Standardizer

# α of targets that are half noise.
_HALF_NOISE_NUMBERS, _HALF_NOISE_LABELS = 20.0, 4.0
# With more samples than this, α of numbers falls as their number grows.
_MANY = 4000
_MOST_NUMBERS, _MOST_LABELS = 100.0, 20.0
# The noise is that of so many samples, whose neighbours are sought among so many.
_N_QUERIES, _N_SAMPLES = 500, 2000
# The distances of so many are in memory at once.
_BLOCK = 64
# Sparse samples of more columns than this are not made dense, and neighbours in so many
# dimensions are too far to share a label.
_N_WIDE = 1000
# α of labels is never more than this share of the weight of all samples.
_LARGEST_SHARE = 0.1


def some_of(n_samples):
    """The numbers of the samples that show the noise; a fit repeats the choice."""
    if n_samples <= _N_QUERIES:
        return np.arange(n_samples)
    return np.random.default_rng(0).permutation(n_samples)[:_N_SAMPLES]


def alpha_of_numbers(X, Y, weights, n):
    """α = 20 (σ²/(1 - σ²))², times 4000/n if that is less, within 500/n and 100.

    The lower bound is itself within 1/4 and 1; see `_least`.

    Parameters
    ----------
    X : {ndarray, csr} of shape (n_samples, n_features)
        Of some of the samples.
    Y : ndarray of shape (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,)
    n : float
        The total weight of all samples.

    Returns
    -------
    float
    """
    Y = Standardizer.of(Y, weights).transform(Y)
    alpha = _noise_odds(X, Y, weights) ** 2 / noise_of_numbers(1.0, n)
    return float(np.clip(alpha, _least(n), _MOST_NUMBERS))


def noise_of_numbers(alpha, n):
    """(σ²/(1 - σ²))², the squared odds of noise for which α is right."""
    return alpha / (_HALF_NOISE_NUMBERS * min(1.0, _MANY / n))


def alpha_of_labels(X, Y, weights, n, shares):
    """α = 4 σ²/(1 - σ²), within 500/n and 20, or n/10 if that is less.

    Less for uneven labels; see `_evenness`. The lower bound is itself within 1/4 and 1.
    For the parameters see `alpha_of_numbers`; Y is indicators, and `shares` those of
    the classes or labels in all samples.
    """
    least = _least(n)
    if X.shape[1] > _N_WIDE:
        return least
    odds = _noise_odds(X, Y, weights)
    most = min(_MOST_LABELS, _LARGEST_SHARE * n)
    alpha = _evenness(shares) * min(_HALF_NOISE_LABELS * odds, most)
    return float(max(least, alpha))


def _least(n):
    """500/n, within 1/4 and 1: many samples show a steeper function."""
    return float(np.clip(500 / n, 0.25, 1))


def _evenness(shares):
    """(2 Σ p (1 - p))² of the shares p of the labels, not above 1.

    It is 1 for two equal classes. The curvature of the log-loss is p (1 - p), and rare
    labels have neighbours of their kind only where samples are dense.
    """
    n_sides = 2 if len(shares) == 1 else 1
    return min(1.0, 2 * n_sides * float(np.sum(shares * (1 - shares)))) ** 2


def _noise_odds(X, Y, weights):
    """σ²/(1 - σ²)."""
    noise = noise_share(X, Y, weights, _N_QUERIES)
    return min(noise / max(1 - noise, np.finfo(float).tiny), 1e3)


def noise_share(X, Y, weights, n_queries=None):
    """σ², the share of the variance of Y that nearest neighbours do not share [1]_.

    Half the squared difference between the targets of nearest neighbours estimates the
    variance of the noise. A copy of a sample, in X and in Y, is not its neighbour. The
    first `n_queries` samples, if it is given, stand for all.

    References
    ----------
    .. [1] Stefánsson, Končar and Jones, "A note on the gamma test", Neural Computing &
       Applications 5, 1997.
    """
    y = Standardizer.of(Y, weights)
    nearest = _nearest(_standardized(X, weights), Y, n_queries)
    queries = np.flatnonzero(nearest >= 0)
    if not len(queries):
        return 1.0
    halves = 0.5 * np.sum((Y[queries] - Y[nearest[queries]]) ** 2, axis=1)
    noise = np.average(halves, weights=weights[queries])
    variance = max(float(y.m2.sum() / y.weight), np.finfo(float).tiny)
    return float(min(noise / variance, 1))


def _standardized(X, weights):
    """X̃; not centred where it is sparse and too wide to be made dense."""
    if sparse.issparse(X) and X.shape[1] <= _N_WIDE:
        X = X.toarray()
    x = Standardizer.of(X, weights)
    if sparse.issparse(X):
        return sparse.csr_array(X).multiply(1 / x.scale).tocsr()
    return x.transform(X)


def _nearest(X, Y, n_queries):
    """The number of the nearest sample that is no copy, for each query; -1 for none."""
    squares = _squares(X)
    zero = 1e-9 * X.shape[1] + 1e-13 * squares.mean() - squares
    n_queries, found = min(n_queries or len(Y), len(Y)), []
    for start in range(0, n_queries, _BLOCK):
        queries = np.arange(start, min(start + _BLOCK, n_queries))
        products = (-2 * X[queries]) @ X.T
        distances = products.toarray() if sparse.issparse(products) else products
        distances += squares  # ‖xᵢ - xⱼ‖² - ‖xᵢ‖²
        found.append(_nearest_others(queries, distances, zero, Y))
    return np.concatenate(found)


def _nearest_others(queries, distances, zero, Y):
    """The same for some queries, by the distances that they have from all samples."""
    own = np.arange(len(queries))
    distances[own, queries] = np.inf
    found = distances.argmin(axis=1)
    is_copy = distances[own, found] <= zero[queries]
    is_copy &= (Y[queries] == Y[found]).all(axis=1)
    for i in np.flatnonzero(is_copy):
        copies = np.flatnonzero(distances[i] <= zero[queries[i]])
        is_same = (Y[copies] == Y[queries[i]]).all(axis=1)
        distances[i, copies[is_same]] = np.inf
        found[i] = distances[i].argmin()
    return np.where(np.isinf(distances[own, found]), -1, found)


def _squares(X):
    """‖xᵢ‖² of every row."""
    if sparse.issparse(X):
        return X.multiply(X).sum(axis=1)
    return np.einsum("ij,ij->i", X, X)
