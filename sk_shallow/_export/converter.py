"""What skl2onnx has to be told to convert a Pipeline that ends with a network."""

import numpy as np

from sk_shallow._export.onnx import (
    Graph,
    class_labels,
    classify,
    package,
    predict,
    tensor,
)


def register(classifier, regressor):
    """Tell skl2onnx how the two estimators are converted."""
    update = package("skl2onnx").update_registered_converter
    options = {
        "zipmap": [True, False, "columns"],
        "output_class_labels": [False, True],
        "nocl": [True, False],
    }
    update(classifier, "SkShallowClassifier", _classes, _convert, options=options)
    update(regressor, "SkShallowRegressor", _numbers, _convert)


def _network(operator):
    """The network of an operator of skl2onnx."""
    network = operator.raw_operator._exported()
    if network.codes:
        raise ValueError(
            "skl2onnx converts networks of numbers only, and some columns hold labels. "
            "Use to_onnx()."
        )
    return network


def _dtype(operator):
    """The precision of the numbers that come in."""
    name = type(operator.inputs[0].type).__name__
    return np.dtype("float64" if name.startswith("Double") else "float32")


def _types():
    return package("skl2onnx.common.data_types")


def _floats(operator, n):
    """A tensor of floats, of n columns."""
    is_double = _dtype(operator) == np.float64
    kind = "DoubleTensorType" if is_double else "FloatTensorType"
    return getattr(_types(), kind)([None, n])


def _numbers(operator):
    """The type of predictions."""
    operator.outputs[0].type = _floats(operator, _network(operator).n_out)


def _classes(operator):
    """The types of labels and of probabilities."""
    network, types = _network(operator), _types()
    is_string = _strings_or_ints(network).dtype.kind == "U"
    kind = types.StringTensorType if is_string else types.Int64TensorType
    n = network.of_each_class().n_out
    shape = [None, n] if network.is_multilabel else [None]
    operator.outputs[0].type = kind(shape)
    operator.outputs[1].type = _floats(operator, n)


def _strings_or_ints(network):
    """The classes as skl2onnx has them: booleans are 0 and 1."""
    classes = class_labels(network)
    if classes.dtype.kind == "f":
        raise ValueError(
            "skl2onnx has no classes that are floats. Use to_onnx(), or classes that "
            "are strings or whole numbers."
        )
    return classes.astype(np.int64) if classes.dtype.kind == "b" else classes


def _convert(scope, operator, container):
    """The nodes and constants of the network."""
    network, helper = _network(operator), package("onnx.helper")
    graph = Graph(_dtype(operator), scope.get_unique_variable_name)
    names = [variable.full_name for variable in operator.inputs]
    X = graph.node("Concat", *names, axis=1) if len(names) > 1 else names[0]
    if network.classes is not None:
        network = network._replace(classes=_strings_or_ints(network))
    write = predict if network.classes is None else classify
    write(graph, network, X, *(variable.full_name for variable in operator.outputs))
    for name, values in graph.constants.items():
        proto = tensor(helper, name, values)
        container.add_initializer(name, proto.data_type, proto.dims, _content(values))
    for node, inputs, output, domain, attributes in graph.nodes:
        name = scope.get_unique_operator_name(node)
        how = {"op_domain": domain, "name": name, **attributes}
        container.add_node(node, inputs, [output], **how)


def _content(values):
    """A flat list, strings as bytes."""
    content = values.ravel().tolist()
    return [text.encode() for text in content] if values.dtype.kind == "U" else content
