"""What a fitted network looks at: its gradients, and how much each feature matters."""

import numpy as np

from sk_shallow._arrays.design import made, row_blocks
from sk_shallow._data.samples import rows_of
from sk_shallow._data.scaling import moments
from sk_shallow._model.network import gradients, slopes

# Numbers in a block of gradients.
_BLOCK = 2**20
# Rows that tell how much features matter, at least and at the most, and the products
# that they may take between.
_FEWEST, _MOST, _PRODUCTS = 32, 256, 2**22


def input_gradients(plan, weights, X):
    """∂Z2/∂x of every sample, by the features of X.

    Parameters
    ----------
    plan : Plan
    weights : b1, W1, W2, b2, V
        In original units.
    X : Columns or csr

    Returns
    -------
    ndarray of shape (n_samples, n_out, n_features)
        NaN for features of labels.
    """
    out = np.empty((X.shape[0], plan.layout.n_out, X.shape[1]), X.dtype)
    _, W1, W2, _, V = weights
    for rows, some, slope in _blocks(plan, weights, X):
        out[rows] = _by_feature(plan, some, gradients(slope, W1, W2, V))
    return out


def importances(plan, weights, problem):
    """The mean size of the gradient times the spread of the inputs of each feature.

    Parameters
    ----------
    plan : Plan
    weights : b1, W1, W2, b2, V
        In original units.
    problem : Problem

    Returns
    -------
    ndarray of shape (n_features,)
        Their sum is 1, unless all are 0.
    """
    rng, n_samples = np.random.default_rng(problem.seed), problem.data.n_samples
    _, W1, W2, _, V = weights
    n_rows = int(np.clip(_PRODUCTS // (W1.size * W2.shape[1]), _FEWEST, _MOST))
    drawn = rng.choice(n_samples, min(n_samples, n_rows), replace=False)
    some = problem.data.take(np.sort(drawn))
    sd = plan.x.sd if problem.standardize else _sd(plan, some)
    vary, sizes = np.flatnonzero(sd), np.zeros(len(sd))
    W1, V = W1[vary], V[vary] if len(V) else V
    for rows, _, slope in _blocks(plan, weights, some.X):
        for outputs, _ in row_blocks(W2.shape[1], len(vary), _BLOCK):
            G = gradients(slope, W1, W2[:, outputs], V[:, outputs])
            np.abs(G, out=G)
            sizes[vary] += np.einsum("i,ijc->c", some.weights[rows], G)
    sizes = by_feature(plan, sizes * sd)
    total = sizes.sum()
    return sizes / total if total > 0 else sizes


def by_feature(plan, values):
    """Of the inputs of the network: summed over those of each feature."""
    return values if plan.encoding is None else plan.encoding.by_feature(values)


def _sd(plan, samples):
    """σ of the inputs of the network, finite where their squares are not."""
    total, _, m2 = moments(plan.inputs(samples.X), samples.sample_weight)
    return np.sqrt(np.nan_to_num(m2) / total)


def _by_feature(plan, X, gradient):
    """The chain rule through the encoding."""
    if plan.encoding is None:
        return gradient
    return plan.encoding.by_feature(gradient * plan.encoding.slopes(X)[:, None])


def _blocks(plan, weights, X):
    """Yield the numbers of some rows, these, and the slopes of their hidden units."""
    b1, W1, W2, *_ = weights
    step = max(1, _BLOCK // (W2.shape[1] * max(W1.shape)))
    for start in range(0, X.shape[0], step):
        rows = np.arange(start, min(start + step, X.shape[0]))
        some = rows_of(X, rows)
        inputs = made(plan.inputs(some))
        yield rows, some, slopes(inputs, b1, W1, plan.activation)
