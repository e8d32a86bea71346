"""A fitted network as a graph of ONNX, made by `onnx.helper` alone.

The graph has the operators of opset 17, and of ai.onnx.ml only the LabelEncoder, where
there are columns of labels.
"""

import importlib

import numpy as np

from sk_shallow._export.network import GAP, LABEL, listed

# Elements of tensors, as TensorProto numbers them.
_FLOAT, _INT64, _STRING, _DOUBLE = 1, 7, 8, 11
OPSET, IR_VERSION, ML_OPSET = 17, 8, 3


def _identity(graph, Z):
    return Z


def _leaky_relu(graph, Z, slope):
    return graph.node("Max", Z, graph.node("Mul", Z, graph.number(slope)))


def _elu(graph, Z, alpha):
    below = graph.node("Exp", graph.node("Min", Z, graph.number(0)))
    below = graph.node("Sub", below, graph.number(1))
    below = graph.node("Mul", below, graph.number(alpha))
    return graph.node("Add", graph.node("Relu", Z), below)


def _softplus(graph, Z):
    """max(z, 0) + log(1 + exp(-|z|))."""
    tail = graph.node("Exp", graph.node("Neg", graph.node("Abs", Z)))
    tail = graph.node("Log", graph.node("Add", tail, graph.number(1)))
    return graph.node("Add", graph.node("Relu", Z), tail)


def _operator(name):
    return lambda graph, Z: graph.node(name, Z)


ACTIVATIONS = {
    "identity": _identity,
    "logistic": _operator("Sigmoid"),
    "tanh": _operator("Tanh"),
    "relu": _operator("Relu"),
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "softplus": _softplus,
}


def _scaled_softplus(graph, Z, link):
    scale = graph.row(link.scale)
    u = graph.node("Div", Z, scale)
    if np.isfinite(link.low):
        u = graph.node("Max", u, graph.number(link.low))
    return graph.node("Mul", _softplus(graph, u), scale)


def _scaled_exp(graph, Z, link):
    u = graph.node("Sub", Z, graph.row(np.log(link.scale)))
    largest = np.log(np.finfo(graph.dtype).max) - 1
    v = graph.node("Min", u, graph.number(min(link.high, largest)))
    if np.isfinite(link.low):
        v = graph.node("Max", v, graph.number(link.low))
    a = graph.node("Mul", graph.node("Exp", v), graph.row(link.scale))
    if not link.rise:
        return a
    above = graph.node("Relu", graph.node("Sub", u, graph.number(link.high)))
    return graph.node("Mul", a, graph.node("Add", above, graph.number(1)))


OUTPUTS = {
    "identity": lambda graph, Z, link: Z,
    "relu": lambda graph, Z, link: graph.node("Relu", Z),
    "logistic": lambda graph, Z, link: graph.node("Sigmoid", Z),
    "softmax": lambda graph, Z, link: graph.node("Softmax", Z, axis=1),
    "softplus": _scaled_softplus,
    "exp": _scaled_exp,
}


class Graph:
    """Nodes and constants in the order of computation, with names of their own.

    Attributes
    ----------
    dtype : dtype
        Of the numbers.
    nodes : list of (operator, inputs, output, domain, attributes)
    constants : dict of ndarray
    """

    def __init__(self, dtype, name="net/{}".format):
        self.dtype, self._name = np.dtype(dtype), name
        self.nodes, self.constants = [], {}

    def node(self, operator, *inputs, output=None, domain="", **attributes):
        """The name of what an operator makes of its inputs."""
        output = output or self._name(f"{operator.lower()}_{len(self.nodes)}")
        self.nodes.append((operator, list(inputs), output, domain, attributes))
        return output

    def constant(self, values):
        """The name of an array."""
        name = self._name(f"constant_{len(self.constants)}")
        self.constants[name] = np.asarray(values)
        return name

    def floats(self, values):
        """The name of an array of floats."""
        return self.constant(np.asarray(values, self.dtype))

    def number(self, value):
        """The name of one float."""
        return self.floats([value])

    def row(self, values):
        """The name of a float for each output, or of one."""
        return self.floats(np.ravel(values))


def to_onnx(network, dtype):
    """The model: X, or its columns, to predictions, or labels and probabilities.

    Parameters
    ----------
    network : Network
    dtype : {"float32", "float64"}

    Returns
    -------
    onnx.ModelProto
    """
    helper, graph = package("onnx.helper"), Graph(dtype)
    kind = helper.np_dtype_to_tensor_dtype(graph.dtype)
    inputs, X = _read(graph, network, helper, kind)
    n = network.of_each_class().n_out
    if network.classes is None:
        predict(graph, network, X, "predictions")
        outputs = [helper.make_tensor_value_info("predictions", kind, [None, n])]
    else:
        classify(graph, network, X, "label", "probabilities")
        outputs = [
            helper.make_tensor_value_info("label", *_label_type(network, helper)),
            helper.make_tensor_value_info("probabilities", kind, [None, n]),
        ]
    nodes = [
        helper.make_node(operator, inputs, [output], domain=domain, **attributes)
        for operator, inputs, output, domain, attributes in graph.nodes
    ]
    constants = [tensor(helper, *pair) for pair in graph.constants.items()]
    made = helper.make_graph(nodes, "sk_shallow", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", OPSET)]
    if network.codes:
        opsets.append(helper.make_opsetid("ai.onnx.ml", ML_OPSET))
    return helper.make_model(
        made, ir_version=IR_VERSION, opset_imports=opsets, producer_name="sk_shallow"
    )


def predict(graph, network, X, output):
    """A2, a row for each sample."""
    name, numbers = network.activation_named(ACTIVATIONS, "The graph", _REFIT)
    network = network.of_each_class().in_precision(graph.dtype)
    R = _inputs(graph, network, X)
    Z = graph.node("MatMul", R, graph.floats(network.W1))
    Z = graph.node("Add", Z, graph.floats(network.b1))
    A = ACTIVATIONS[name](graph, Z, *numbers)
    Z = graph.node("MatMul", A, graph.floats(network.W2))
    Z = graph.node("Add", Z, graph.floats(network.b2))
    if len(network.V):
        path = graph.node("MatMul", R, graph.floats(network.V))
        Z = graph.node("Add", Z, path)
    A = OUTPUTS[network.link.name](graph, _stacked(graph, network, Z), network.link)
    return graph.node("Identity", A, output=output)


def classify(graph, network, X, label, probabilities):
    """The labels, and the probabilities."""
    P = predict(graph, network, X, probabilities)
    if network.is_multilabel:
        half = graph.node("Greater", P, graph.number(0.5))
        return graph.node("Cast", half, output=label, to=_INT64)
    classes = graph.constant(class_labels(network))
    best = graph.node("ArgMax", P, axis=1, keepdims=0)
    return graph.node("Gather", classes, best, output=label, axis=0)


_REFIT = " Fit with one of these as `activation`."


def class_labels(network):
    """The classes as strings, whole numbers, booleans or floats."""
    classes = listed(network.classes, "y")
    return classes.astype(np.int64) if classes.dtype.kind in "iu" else classes


def _stacked(graph, network, Z):
    """Outputs upon each other, each column in turn, where they are so."""
    link, K = network.link, network.n_out
    if link.n_levels == 1:
        return Z
    m, gap = link.anchor, graph.row(link.gap)
    up = graph.node("Mul", _softplus(graph, graph.node("Div", Z, gap)), gap)
    columns = [None] * K
    for first in range(0, K, link.n_levels):
        columns[first + m] = _column(graph, Z, first + m)
        for j in range(first + m + 1, first + link.n_levels):
            columns[j] = graph.node("Add", columns[j - 1], _column(graph, up, j))
        for j in range(first + m - 1, first - 1, -1):
            columns[j] = graph.node("Sub", columns[j + 1], _column(graph, up, j))
    return graph.node("Concat", *columns, axis=1)


def _column(graph, X, j):
    return graph.node("Gather", X, graph.constant(np.array([j])), axis=1)


def _inputs(graph, network, X):
    """What the hidden layer sees; X as it is where nothing is made of it."""
    table = network.inputs
    if table.are_columns:
        if table.fill_gaps:
            X = graph.node("Where", graph.node("IsNaN", X), graph.floats(table.mean), X)
        is_moved = table.left.any()
        return graph.node("Sub", X, graph.floats(table.left)) if is_moved else X
    X = graph.node("Gather", X, graph.constant(table.feature), axis=1)
    gaps = graph.node("IsNaN", X)
    R = graph.node("Where", gaps, graph.floats(table.mean), X)
    R = graph.node("Sub", R, graph.floats(table.left))
    R = graph.node("Div", R, graph.floats(table.width))
    R = graph.node("Max", R, graph.floats(table.low))
    R = graph.node("Min", R, graph.floats(table.high))
    if (table.kind == GAP).any():
        is_gap = graph.node("Cast", gaps, to=_float_type(graph.dtype))
        R = graph.node("Where", graph.constant(table.kind == GAP), is_gap, R)
    if (table.kind == LABEL).any():
        hit = graph.node("Equal", X, graph.floats(table.left))
        hit = graph.node("Cast", hit, to=_float_type(graph.dtype))
        R = graph.node("Where", graph.constant(table.kind == LABEL), hit, R)
    return R


def _float_type(dtype):
    """The number of single or double precision."""
    return _FLOAT if dtype == np.float32 else _DOUBLE


def _read(graph, network, helper, kind):
    """The inputs of the graph, and the name of X as numbers, labels as their codes."""
    n = network.n_features
    if not network.codes:
        return [helper.make_tensor_value_info("X", kind, [None, n])], "X"
    names = [network.name(j) for j in range(n)]
    if len({*names, "label", "probabilities", "predictions"}) < n + 3:
        raise ValueError(
            "Each column is an input of the graph by its name, beside the outputs "
            "'label', 'probabilities' and 'predictions': names must differ from these "
            f"and from each other. Got {names}."
        )
    labels = {j: network.labels_of(j) for j in network.codes}
    are_strings = [j in labels and labels[j].dtype.kind == "U" for j in range(n)]
    kinds = [_STRING if is_string else kind for is_string in are_strings]
    inputs = [
        helper.make_tensor_value_info(name, of, [None, 1])
        for name, of in zip(names, kinds, strict=True)
    ]
    columns = list(names)
    for j, codes in network.codes.items():
        how = _coded_strings if are_strings[j] else _coded_numbers
        columns[j] = how(graph, names[j], labels[j], codes.codes)
    return inputs, graph.node("Concat", *columns, axis=1)


def _coded_strings(graph, x, labels, codes):
    """The codes of strings; "" is a gap, unless it is a label."""
    code = {"": np.nan} | dict(zip(labels.tolist(), codes.tolist(), strict=True))
    return _encoded(graph, x, keys_strings=list(code), values=list(code.values()))


def _coded_numbers(graph, x, labels, codes):
    """The codes of numbers or booleans; NaN is a gap."""
    keys = labels.astype(np.float32)
    if not np.array_equal(keys.astype(labels.dtype), labels):
        raise ValueError("Labels that are numbers must be exact in single precision.")
    single = graph.node("Cast", x, to=_float_type(np.float32))
    code = _encoded(graph, single, keys_floats=keys.tolist(), values=codes.tolist())
    return graph.node("Where", graph.node("IsNaN", x), x, code)


def _encoded(graph, x, values, **keys):
    """What a LabelEncoder makes of a column; -1 of what it does not know."""
    how = {"values_floats": list(map(float, values)), "default_float": -1.0}
    code = graph.node("LabelEncoder", x, domain="ai.onnx.ml", **keys, **how)
    return graph.node("Cast", code, to=_float_type(graph.dtype))


def _label_type(network, helper):
    """The type of the labels, and their shape."""
    if network.is_multilabel:
        return _INT64, [None, network.n_out]
    classes = class_labels(network)
    is_string = classes.dtype.kind == "U"
    return _STRING if is_string else helper.np_dtype_to_tensor_dtype(classes.dtype), [
        None
    ]


def tensor(helper, name, values):
    """An array as a TensorProto."""
    if values.dtype.kind == "U":
        kind, content = _STRING, [text.encode() for text in values.ravel().tolist()]
    else:
        kind = helper.np_dtype_to_tensor_dtype(values.dtype)
        content = values.ravel().tolist()
    return helper.make_tensor(name, kind, values.shape, content)


def package(name):
    """A package of the extra; an error that names it, if it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{name} is not installed. It comes with the extra 'onnx', from a clone: "
            'pip install ".[onnx]"'
        ) from error
