"""The page of the notes beside the code: its lines are there, and do what it says."""

import ast
import re
import runpy
import textwrap
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "notes" / "index.md"
INCLUDE = re.compile(r"```\{literalinclude\} (?P<path>\S+)\n(?P<options>[^`]*)```")
OPTION = re.compile(r"^:(?P<name>[a-z-]+):[ ]?(?P<value>.*)$", re.MULTILINE)
NETWORK, UNITS = "_model/network.py", "_model/output_units.py"
FIRST_ORDER, DRAWN = "_solvers/first_order.py", "_model/initializers.py"

# What the page shows of the source, in the order of the page, docstrings left out.
LINES = [
    (
        NETWORK,
        "Z1 = X W1 + b1      A1 = g(Z1)                      (n, h)\n"
        "Z2 = W2ᵀ A1ᵀ + b2   A2 = h(Z2)                      (k, n)\n"
        "dZ2 = (A2 − Y) w/S                                  (k, n)\n"
        "dW2ᵀ = dZ2 A1       db2 = dZ2 1                     (k, h), (k, 1)\n"
        "dZ1 = (dZ2ᵀ W2ᵀ) ∘ g'(Z1)                           (n, h)\n"
        "dW1 = Xᵀ dZ1        db1 = 1ᵀ dZ1                    (d, h), (h,)",
    ),
    (NETWORK, "np.dot(X, W.H, out=A1.rows)  # Z1 = [1 X] [b1; W1]"),
    (NETWORK, "g.forward(A1.rows, out=A1.rows)  # A1 = g(Z1)"),
    (NETWORK, "np.matmul(W.W2T, A1.T, out=Z2)  # Z2 = W2ᵀ A1ᵀ + b2\nZ2 += W.b2"),
    (UNITS, "def mean(self, Z):\n    return expit(Z)"),
    (
        UNITS,
        "def loss(self, Z, Y):\n    return np.sum(softplus(Z) - Y * Z, axis=-2)",
    ),
    (
        "_model/objective.py",
        "def value(self, theta):\n"
        "    return self.likelihood(theta) / self.total_weight"
        " + self._half_penalty(theta)",
    ),
    (
        "activations.py",
        "def forward(self, Z: Floats, out: Floats | None = None) -> Floats:\n"
        "    A = np.multiply(Z, 0.5, out=out)\n"
        "    A = np.tanh(A, out=A)\n"
        "    A = np.add(A, 1, out=A)\n"
        "    return np.multiply(A, 0.5, out=A)\n"
        "def slope(self, A: Floats, out: Floats | None = None) -> Floats:\n"
        "    return np.multiply(A, 1 - A, out=out)",
    ),
    (
        "activations.py",
        "def forward(self, Z: Floats, out: Floats | None = None) -> Floats:\n"
        "    return np.tanh(Z, out=out)\n"
        "def slope(self, A: Floats, out: Floats | None = None) -> Floats:\n"
        "    D = np.square(A, out=out)\n"
        "    return np.subtract(1, D, out=D)",
    ),
    (
        "activations.py",
        "def forward(self, Z: Floats, out: Floats | None = None) -> Floats:\n"
        "    return np.maximum(Z, _zeros(Z), out=out)\n"
        "def slope(self, A: Floats, out: Floats | None = None) -> Floats:\n"
        "    return np.sign(A, out=out)",
    ),
    (
        "activations.py",
        "def forward(self, Z: Floats, out: Floats | None = None) -> Floats:\n"
        "    return np.maximum(Z, Z.dtype.type(self.negative_slope) * Z, out=out)\n"
        "def slope(self, A: Floats, out: Floats | None = None) -> Floats:\n"
        "    D = np.greater(A, 0, out=out)\n"
        "    return np.maximum(D, A.dtype.type(self.negative_slope), out=out)",
    ),
    (
        UNITS,
        "def delta(self, Z, Y, out):\n"
        "    np.multiply(Z, 0.5, out=out)\n"
        "    np.tanh(out, out=out)\n"
        "    np.multiply(out, 0.5, out=out)\n"
        "    np.add(out, 0.5, out=out)\n"
        "    np.subtract(out, Y, out=out)",
    ),
    (
        NETWORK,
        "unit.delta(Z2, Y, out=dZ2)  # dZ2 = A2 − Y\n"
        "dZ2 *= w  # each sample's times wᵢ/S",
    ),
    (NETWORK, "product(dZ2, A1.members, out=grad.W2T)  # dW2ᵀ = dZ2 A1"),
    (NETWORK, "np.add.reduce(dZ2, axis=-1, keepdims=True, out=grad.b2)  # db2 = dZ2 1"),
    (
        NETWORK,
        "product(dZ2.swapaxes(-1, -2), W.W2T, out=dZ1.members)  # dA1 = dZ2ᵀ W2ᵀ\n"
        "g.chain(dZ1.rows, A1.rows)  # dZ1 = dA1 ∘ g'(Z1)",
    ),
    (
        "activations.py",
        "D *= self.slope(A, out=A)",
    ),
    (NETWORK, "np.dot(X.T, dZ1.rows, out=grad.H)  # [db1; dW1] = [1 X]ᵀ dZ1"),
    (
        FIRST_ORDER,
        "def step(self, theta, grad, state, rate):\n"
        "    grad *= rate\n"
        "    theta -= grad",
    ),
    (
        FIRST_ORDER,
        "def _full_steps(self, objective, theta, state, rates):\n"
        "    _, grad = objective.value_and_grad(theta)\n"
        "    for rate in rates:\n"
        "        self.take(theta, grad, state, rate)\n"
        "        objective.constrain(theta)\n"
        "        loss, grad = objective.value_and_grad(theta)\n"
        "        yield True, lambda loss=loss: loss",
    ),
    (
        DRAWN,
        "def normal(rng, W1, W2):\n"
        "    for W in (W1, W2):\n"
        "        _normal(rng, W, 0.01)",
    ),
    (
        DRAWN,
        "def _normal(rng, W, sd):\n    W[...] = sd * rng.standard_normal(W.shape)",
    ),
    (DRAWN, "def zeros(rng, W1, W2):\n    W1[...] = 0\n    W2[...] = 0"),
]


def definition(source, name):
    """The lines of a function or a class, found by its dotted name."""
    node = ast.parse(source)
    for part in name.split("."):
        (node,) = (n for n in node.body if getattr(n, "name", None) == part)
    return source.splitlines()[node.lineno - 1 : node.end_lineno]


def shown(lines, options):
    """From the line that `start-at` is in to that of `end-at`, as Sphinx takes them."""
    first, last = 0, len(lines) - 1
    if "start-at" in options:
        first = next(i for i, s in enumerate(lines) if options["start-at"] in s)
    if "end-at" in options:
        last = next(
            i for i, s in enumerate(lines) if i >= first and options["end-at"] in s
        )
    return textwrap.dedent("\n".join(lines[first : last + 1]))


def code(text):
    """The text without its docstrings of one line, and without empty lines."""
    lines = (line for line in text.splitlines() if line.strip())
    return "\n".join(line for line in lines if not re.match(r'\s*""".*"""$', line))


def includes():
    """(the file, what the page shows of it) of each include, in order."""
    for match in INCLUDE.finditer(PAGE.read_text(encoding="utf-8")):
        path = (PAGE.parent / match["path"]).resolve()
        options = dict(OPTION.findall(match["options"]))
        allowed = {"pyobject", "start-at", "end-at", "dedent", "language"}
        assert set(options) <= allowed  # by name, never by numbers of lines
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        if "pyobject" in options:
            lines = definition(source, options["pyobject"])
        name = path.relative_to(ROOT / "sk_shallow").as_posix()
        yield name, code(shown(lines, options))


def test_the_page_shows_the_lines_that_it_speaks_of():
    assert list(includes()) == LINES


def test_every_formula_has_its_line():
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```{literalinclude}") == len(LINES)


@pytest.fixture(scope="module")
def by_hand():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", plt.close)
        return runpy.run_path(str(PAGE.with_name("plot_petals_by_hand.py")))


@pytest.mark.slow
def test_the_weights_by_hand_are_those_of_the_library(by_hand):
    for steps_of_the_notes, ours in by_hand["pairs"].values():
        np.testing.assert_allclose(steps_of_the_notes, ours, rtol=1e-10, atol=1e-10)


@pytest.mark.slow
def test_the_petals_have_been_learned_by_all_the_steps(by_hand):
    net = by_hand["net"]
    assert net.n_iter_ == by_hand["n_steps"]
    assert net.score(by_hand["points"], by_hand["half"]) > 0.9
    for first, last in zip(by_hand["start"][::2], net.coefs_, strict=True):
        assert np.abs(first).max() < 0.1 < 1 < np.abs(last).max()
