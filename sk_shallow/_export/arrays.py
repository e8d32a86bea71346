"""A fitted network as an .npz file without pickle, for a reader with only NumPy."""

import numpy as np

from sk_shallow._export.network import listed

ACTIVATIONS = ("identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "softplus")
# The numbers of those that have some, where they are not parameters.
_NUMBERS = {"softplus": (1.0, -np.inf)}


def save_arrays(file, network):
    """Write all that predictions need; `examples/predict_with_numpy.py` reads it.

    Parameters
    ----------
    file : str, path or binary file
        As `numpy.savez` takes it.
    network : Network
    """
    np.savez(file, **arrays(network))


def arrays(network):
    """What is written, by name: strings, numbers and booleans, no objects."""
    name, numbers = network.activation_named(ACTIVATIONS, "The reader", _REFIT)
    network = network.of_each_class()
    found = network.inputs._asdict()
    found |= {key: getattr(network, key) for key in ("b1", "W1", "W2", "b2")}
    found |= {
        "V": network.path,
        "g": name,
        "g_numbers": np.array(_NUMBERS.get(name, numbers), dtype=float),
        "labelled": np.array(sorted(network.codes), dtype=int),
        "is_multilabel": network.is_multilabel,
    }
    for j, codes in network.codes.items():
        found |= {f"labels_{j}": network.labels_of(j), f"codes_{j}": codes.codes}
    if network.classes is not None:
        found["classes"] = listed(network.classes, "y")
    if network.names is not None:
        found["feature_names"] = np.array(list(map(str, network.names)))
    return found | _output(network.link, network.n_out)


_REFIT = " Fit with one of these as `activation`."


def _output(link, n_out):
    """h by name, its numbers, and how outputs are summed up before it."""
    numbers = (link.scale, link.low, link.high, link.rise)
    per_output = [np.broadcast_to(np.ravel(number), n_out) for number in numbers]
    level = np.arange(n_out) % link.n_levels
    return {
        "h": link.name,
        "h_numbers": np.array(per_output, dtype=float),
        "anchor": level == link.anchor,
        "gap": np.broadcast_to(np.ravel(link.gap), n_out).astype(float),
        "stack": np.kron(np.eye(n_out // link.n_levels), _sums(link)),
        "n_levels": link.n_levels,
    }


def _sums(link):
    """S such that t = p S, with p of the anchor z, of others the difference."""
    n, m = link.n_levels, link.anchor
    source, level = np.indices((n, n))
    S = np.zeros((n, n))
    S[m] = 1
    S[(m < source) & (source <= level)] = 1
    S[(level <= source) & (source < m)] = -1
    return S
