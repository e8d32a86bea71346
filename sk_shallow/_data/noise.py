"""The default strength of the L2 penalty: one rule for every data set.

With noise of variance σ² about a function whose weights have prior variance τ², the
most probable weights minimise the squared error plus α/2 ‖W‖² with α = σ²/τ²: the more
noise, the more penalty. Of the rules tried (see `benchmarks/REPORT.md`), the odds of
noise, σ²/(1 - σ²), serve labels best, noisy or not; for numbers, their square does.
"""

import numpy as np
from scipy import sparse

from sk_shallow._data.scaling import Standardizer

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
# So many samples are few, if their noise suggests an α above 1.
FEW = 600


def are_few_and_noisy(n_samples, alpha):
    """Whether numbers are few, and the α that their noise suggests is above 1.

    `alpha()` is asked for only if they are few.
    """
    return n_samples < FEW and alpha() > 1


def some_of(n_samples):
    """The numbers of the samples that show the noise; a fit repeats the choice."""
    if n_samples <= _N_QUERIES:
        return np.arange(n_samples)
    return np.random.default_rng(0).permutation(n_samples)[:_N_SAMPLES]


def alpha_of_numbers(odds, n):
    """α = 20 odds², times 4000/n if that is less, within 500/n and 100.

    The lower bound is itself within 1/4 and 1; see `_least`.

    Parameters
    ----------
    odds : float
        σ²/(1 - σ²); see `noise_odds`.
    n : float
        The total weight of all samples.

    Returns
    -------
    float
    """
    alpha = _HALF_NOISE_NUMBERS * odds**2 * min(1.0, _MANY / n)
    return float(np.clip(alpha, _least(n), _MOST_NUMBERS))


def alpha_of_labels(odds, n, shares):
    """α = 4 odds, within 500/n and 20, or n/10 if that is less.

    Less for uneven labels; see `_evenness`. The lower bound is itself within 1/4 and 1.

    Parameters
    ----------
    odds, n : float
        See `alpha_of_numbers`.
    shares : ndarray of shape (n_classes,) or (n_labels,)
        Those of the classes or labels in all samples.

    Returns
    -------
    float
    """
    most = min(_MOST_LABELS, _LARGEST_SHARE * n)
    alpha = _evenness(shares) * min(_HALF_NOISE_LABELS * odds, most)
    return float(max(_least(n), alpha))


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


def noise_odds(X, Y, weights):
    """σ²/(1 - σ²), of some samples."""
    noise = noise_share(X, Y, weights, _N_QUERIES)
    return min(noise / max(1 - noise, np.finfo(float).tiny), 1e3)


def label_odds(X, Y, weights):
    """The same for indicators of labels; 0 where neighbours are too far to tell."""
    return noise_odds(X, Y, weights) if X.shape[1] <= _N_WIDE else 0.0


def noise_share(X, Y, weights, n_queries):
    """σ², the share of the variance of Y that nearest neighbours do not share [1]_.

    Half the squared difference between the targets of nearest neighbours estimates the
    variance of the noise; of several at the same distance, it is the mean. A copy of a
    sample, in X and in Y, is not its neighbour. The first `n_queries` samples stand for
    all.

    References
    ----------
    .. [1] Stefánsson, Končar and Jones, "A note on the gamma test", Neural Computing &
       Applications 5, 1997.
    """
    y = Standardizer.of(Y, weights)
    halves = _halves(_standardized(X, weights), Y, weights, n_queries)
    known = np.isfinite(halves)
    if not known.any():
        return 1.0
    noise = np.average(halves[known], weights=weights[:n_queries][known])
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


def _halves(X, Y, weights, n_queries):
    """½ ‖yᵢ - yⱼ‖² of each query and its nearest others; NaN if it has none."""
    squares, halves = _squares(X), []
    rounding = 1e-9 * X.shape[1] + 1e-13 * squares.mean()
    n_queries = min(n_queries, len(Y))
    for start in range(0, n_queries, _BLOCK):
        queries = np.arange(start, min(start + _BLOCK, n_queries))
        products = (-2 * X[queries]) @ X.T
        distances = products.toarray() if sparse.issparse(products) else products
        distances += squares
        distances += squares[queries][:, None]  # ‖xᵢ‖² - 2 xᵢᵀxⱼ + ‖xⱼ‖²
        i, j = _nearest_others(queries, distances, rounding, Y)
        pairs = 0.5 * np.sum((Y[queries[i]] - Y[j]) ** 2, axis=1)
        with np.errstate(invalid="ignore"):
            halves.append(
                np.bincount(i, weights[j] * pairs, len(queries))
                / np.bincount(i, weights[j], len(queries))
            )
    return np.concatenate(halves)


def _nearest_others(queries, distances, rounding, Y):
    """Pairs of a query's place and a nearest sample that is no copy of it."""
    places = np.arange(len(queries))
    distances[places, queries] = np.inf
    nearest = distances.argmin(axis=1)
    least = distances[places, nearest]
    distances[places, nearest] = np.inf
    if (least > rounding).all() and (distances.min(axis=1) > least + rounding).all():
        return places, nearest
    distances[places, nearest] = least
    return _tied(queries, distances, least, rounding, Y)


def _tied(queries, distances, least, rounding, Y):
    """The same where some have several nearest samples, or copies."""
    near = np.flatnonzero(least <= rounding)
    i, j = _pairs(distances[near] <= rounding)
    copies = (Y[queries[near[i]]] == Y[j]).all(axis=1)
    distances[near[i[copies]], j[copies]] = np.inf
    least[near] = distances[near].min(axis=1)
    distances -= np.where(np.isinf(least), 0, least)[:, None]
    return _pairs(distances <= rounding)


def _pairs(holds):
    """Rows and columns where it holds; `np.nonzero` is slower where these are few."""
    return np.divmod(np.flatnonzero(holds), holds.shape[1])


def _squares(X):
    """‖xᵢ‖² of every row."""
    if sparse.issparse(X):
        return X.multiply(X).sum(axis=1)
    return np.einsum("ij,ij->i", X, X)
