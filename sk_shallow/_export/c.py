"""A fitted network as a C99 header that needs only math.h.

In the templates ${p} is the prefix, ${K} the number of outputs and ${real} the type.
Comparisons are written so that NaN stays NaN.
"""

import re
from string import Template

import numpy as np

ACTIVATIONS = {
    "identity": "z",
    "logistic": "1 / (1 + ${exp}(-z))",
    "tanh": "${tanh}(z)",
    "relu": "z < 0 ? 0 : z",
    "leaky_relu": "z < 0 ? ${number} * z : z",
    "elu": "z < 0 ? ${number} * ${expm1}(z) : z",
    "softplus": "${p}_softplus(z)",
}
_OUTPUTS = {
    "identity": "",
    "logistic": "    for (j = 0; j < ${K}; j++) out[j] = 1 / (1 + ${exp}(-out[j]));\n",
    "relu": "    for (j = 0; j < ${K}; j++) out[j] = out[j] < 0 ? 0 : out[j];\n",
    "softmax": """\
    ${real} most = out[0], sum = 0;
    for (j = 1; j < ${K}; j++) most = out[j] > most ? out[j] : most;
    for (j = 0; j < ${K}; j++) sum += out[j] = ${exp}(out[j] - most);
    for (j = 0; j < ${K}; j++) out[j] /= sum;
""",
    "softplus": """\
    for (j = 0; j < ${K}; j++) {
        const ${real} u = out[j] / ${p}_scale[j];
        out[j] = ${p}_scale[j] * ${p}_softplus(u < ${low} ? ${low} : u);
    }
""",
    "exp": """\
    for (j = 0; j < ${K}; j++) {
        const ${real} u = out[j] - ${log}(${p}_scale[j]);
        const ${real} v = u < ${low} ? ${low} : u > ${high} ? ${high} : u;
        out[j] = ${p}_scale[j] * ${exp}(v) * (1 + ${rise} * (u > v ? u - v : 0));
    }
""",
}
_SOFTPLUS = """\
static inline ${real} ${p}_softplus(${real} z) {
    return (z > 0 ? z : 0) + ${log1p}(${exp}(-${fabs}(z)));
}

"""
_LEVELS = """\
    for (j = 0; j < ${K}; j += ${P}_N_LEVELS) {
        ${real} *t = out + j;
        const ${real} *gap = ${p}_gap + j;
        for (i = 0; i < ${P}_N_LEVELS; i++)
            if (i != ${anchor}) t[i] = gap[i] * ${p}_softplus(t[i] / gap[i]);
        for (i = ${anchor} + 1; i < ${P}_N_LEVELS; i++) t[i] += t[i - 1];
        for (i = ${anchor} - 1; i >= 0; i--) t[i] = t[i + 1] - t[i];
    }
"""
_COLUMN = "        const ${real} r = x[i];\n"
_FILLED = "        const ${real} r = isnan(x[i]) ? ${p}_mean[i] : x[i];\n"
_INPUT = """\
        ${real} r = x[${p}_feature[i]];
        if (${p}_kind[i] == 1) r = isnan(r) ? 1 : 0;
        else if (${p}_kind[i] == 2) r = r == ${p}_left[i] ? 1 : 0;
        else {
            r = ((isnan(r) ? ${p}_mean[i] : r) - ${p}_left[i]) / ${p}_width[i];
            r = r < ${p}_low[i] ? ${p}_low[i] : r;
            r = r > ${p}_high[i] ? ${p}_high[i] : r;
        }
"""
_PATH = "        for (j = 0; j < ${K}; j++) out[j] += r * ${p}_V[i][j];\n"
_PREDICT = """\
static inline void ${p}_predict(const ${real} *x, ${real} *out) {
    ${real} a[${P}_N_UNITS];
    int i, j;
    for (j = 0; j < ${P}_N_UNITS; j++) a[j] = ${p}_b1[j];
    for (j = 0; j < ${K}; j++) out[j] = ${p}_b2[j];
    for (i = 0; i < ${P}_N_INPUTS; i++) {
%s        for (j = 0; j < ${P}_N_UNITS; j++) a[j] += r * ${p}_W1[i][j];
    }
    for (i = 0; i < ${P}_N_UNITS; i++) {
        const ${real} z = a[i];
        const ${real} g = %s;
        for (j = 0; j < ${K}; j++) out[j] += g * ${p}_W2[i][j];
    }
%s}
"""
_HEADER = """\
/* {comment} */
#ifndef {P}_H
#define {P}_H

#include <math.h>

{sizes}
{arrays}
{code}
#endif
"""
_FUNCTIONS = ("exp", "expm1", "log", "log1p", "tanh", "fabs")
_REFIT = " Fit with one of these as `activation`."


def to_c(network, prefix, dtype):
    """The text of the header.

    Parameters
    ----------
    network : Network
    prefix : str
        What all names begin with.
    dtype : {"float64", "float32"}
        double or float.
    """
    if not (prefix.isascii() and prefix.isidentifier()):
        raise ValueError(f"prefix must be an identifier of C. Got {prefix!r} instead.")
    name, numbers = network.activation_named(ACTIVATIONS, "The C header", _REFIT)
    write, comment = _Literals(dtype), _comment(network)
    as_they_are = network.inputs.are_columns and not write.is_float
    network = network.of_each_class().in_precision(dtype)
    sizes = _sizes(network)
    code = _code(network, name, as_they_are)
    words = _words(network.link, numbers, write) | {"p": prefix, "P": prefix.upper()}
    words["K"] = f"{prefix.upper()}_N_OUTPUTS"
    return _HEADER.format(
        comment=comment,
        P=prefix.upper(),
        sizes="".join(f"#define {prefix.upper()}_{k} {n}\n" for k, n in sizes.items()),
        arrays="".join(
            write.array(f"{prefix}_{key}", values)
            for key, values in _arrays(network, as_they_are).items()
        ),
        code=Template(code).substitute(words),
    )


def _sizes(network):
    """The constants that a caller needs."""
    return {
        "N_FEATURES": network.n_features,
        "N_INPUTS": len(network.W1),
        "N_UNITS": len(network.b1),
        "N_OUTPUTS": network.n_out,
        "N_LEVELS": network.link.n_levels,
    }


def _arrays(network, as_they_are):
    """What is stored, by name."""
    link = network.link
    found = {key: getattr(network, key) for key in ("b1", "W1", "W2", "b2")}
    if len(network.V):
        found["V"] = network.V
    if not as_they_are:
        found |= network.inputs._asdict()
    elif network.inputs.fill_gaps:
        found["mean"] = network.inputs.mean
    if link.name in ("softplus", "exp"):
        found["scale"] = _per_output(link.scale, network.n_out)
    if link.n_levels > 1:
        found["gap"] = _per_output(link.gap, network.n_out)
    return found


def _code(network, name, as_they_are):
    """The functions, as templates."""
    column = _FILLED if network.inputs.fill_gaps else _COLUMN
    row = column if as_they_are else _INPUT
    row += _PATH if len(network.V) else ""
    levels = _LEVELS if network.link.n_levels > 1 else ""
    end = levels + _OUTPUTS[network.link.name]
    code = _PREDICT % (row, ACTIVATIONS[name], end)
    return (_SOFTPLUS if "_softplus(" in code else "") + code


def _words(link, numbers, write):
    """What stands for the words of the templates."""
    suffix = "f" if write.is_float else ""
    return {
        **{name: name + suffix for name in _FUNCTIONS},
        "number": "".join(map(write.number, numbers)),
        "real": write.real,
        "low": write.number(link.low),
        "high": write.number(link.high),
        "rise": write.number(link.rise),
        "anchor": str(link.anchor),
    }


def _per_output(number, n_out):
    """A number for each output."""
    return np.broadcast_to(np.ravel(number), n_out).astype(float)


class _Literals:
    """Numbers as C writes them, with all their digits."""

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype).type
        self.is_float = self.dtype is np.float32
        self.real = "float" if self.is_float else "double"

    def number(self, value):
        """One number."""
        value = self.dtype(value)
        if np.isnan(value):
            return "NAN"
        if np.isinf(value):
            return "-INFINITY" if value < 0 else "INFINITY"
        text = np.format_float_scientific(value, unique=True, trim="0")
        return text + "f" * self.is_float

    def array(self, name, values):
        """A constant array of one or two dimensions; numbers of columns as ints."""
        is_int = values.dtype.kind in "iu"
        kind, write = ("int", str) if is_int else (self.real, self.number)
        shape = "".join(f"[{n}]" for n in values.shape)
        return f"static const {kind} {name}{shape} = {_nested(values, write)};\n"


def _nested(values, write):
    """Values in braces."""
    if values.ndim == 1:
        return "{" + ", ".join(map(write, values)) + "}"
    return "{\n" + ",\n".join(_nested(row, write) for row in values) + "}"


def _comment(network):
    """What x and out are, in words that no C compiler stumbles over."""
    lines = [
        "A network with one hidden layer, written by sk_shallow.",
        "x: the columns, in this order; NAN for a gap.",
        *(f"  {j}: {_column(network, j)}" for j in range(network.n_features)),
        f"out: {_meaning(network)}",
    ]
    text = "\n   ".join(lines)
    return re.sub(r"[*/](?=[*/])", r"\g<0> ", text).replace("??", "? ?")


def _column(network, j):
    """The name of a column, and the codes of its labels."""
    name, codes = ascii(network.name(j)), network.codes.get(j)
    if codes is None:
        return name
    pairs = zip(codes.codes, codes.labels, strict=True)
    listed = ", ".join(f"{code} = {label!a}" for code, label in pairs)
    return f"{name}, by code: {listed}; -1 for any other"


def _meaning(network):
    """What the outputs are."""
    if network.classes is None:
        n = network.link.n_levels
        return "predictions" + f", {n} quantiles for each target" * (n > 1)
    kind = "labels, each by itself" if network.is_multilabel else "classes"
    names = ", ".join(ascii(label) for label in network.classes.tolist())
    return f"probabilities of the {kind}: {names}"
