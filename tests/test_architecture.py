"""Who may import whom: imports only run downwards."""

import ast
import sys
from pathlib import Path

import pytest

import sk_shallow

ROOT = Path(sk_shallow.__file__).parent
SIBLINGS = "_solvers"

# Beside the standard library: the packages, and the modules of this one.
MAY_IMPORT = {
    "_arrays": {"numpy", "scipy"},
    "activations": {"numpy", "scipy"},
    "_losses": {"numpy", "scipy"},
    "_initializers": {"numpy", "scipy"},
    "_stopping": {"numpy", "scipy"},
    "_network": {"numpy"},
    "_scaling": {"numpy", "scipy"},
    "_defaults": set(),
    "_evidence": {"numpy", "scipy", "_network"},
    "_objective": {"numpy", "scipy", "_arrays", "_evidence", "_network", "_scaling"},
    "_regularization": {"numpy", "scipy", "_scaling"},
    "_targets": {"numpy", "scipy", "_losses", "_scaling", "_regularization"},
    "_solvers.__init__": {"numpy", "scipy", "_arrays", SIBLINGS},
    "_solvers._first_order": {"numpy", "scipy", "_arrays", SIBLINGS},
    "_solvers._lbfgs": {"numpy", "scipy", "_arrays", SIBLINGS},
    "_solvers._lm": {"numpy", "scipy", "_evidence", SIBLINGS},
    "_solvers._recipe": {"numpy", "scipy", "_arrays", SIBLINGS},
    "_solvers._result": {"numpy", "scipy", "_arrays", SIBLINGS},
    "_splitting": {"numpy", "sklearn"},
    "_threads": {"threadpoolctl"},
    "_training": {
        "numpy",
        "joblib",
        "_defaults",
        "_evidence",
        "_network",
        "_objective",
        "_scaling",
        "_stopping",
        "_threads",
        "activations",
    },
    "_validation": {
        "numpy",
        "scipy",
        "sklearn",
        "_initializers",
        "_solvers",
        "activations",
    },
    "_estimators": {
        "numpy",
        "scipy",
        "sklearn",
        "_defaults",
        "_evidence",
        "_initializers",
        "_network",
        "_scaling",
        "_solvers",
        "_splitting",
        "_targets",
        "_training",
        "_validation",
        "activations",
    },
    "__init__": {"_estimators", "activations"},
}


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


TREES = {
    module_name(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
}
ALIASES = {"np": "numpy"}

every_module = pytest.mark.parametrize("name", TREES)


def imported(tree):
    """The full names of all that a module imports, wherever in it."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def concern(full_name):
    """The package that a name belongs to, or the module of this package."""
    first, *rest = full_name.split(".")
    return rest[0] if first == "sk_shallow" else first


def dotted(node):
    """`np.linalg.norm` of such an expression."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ALIASES.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def test_every_module_has_a_row():
    assert sorted(TREES) == sorted(MAY_IMPORT)


@every_module
def test_imports_only_run_downwards(name):
    concerns = {concern(full_name) for full_name in imported(TREES[name])}
    assert concerns - sys.stdlib_module_names <= MAY_IMPORT[name]


def test_the_table_has_no_cycle():
    modules = {module.split(".")[0] for module in TREES}
    below = {module: set() for module in modules}
    for name, allowed in MAY_IMPORT.items():
        module = name.split(".")[0]
        below[module] |= (allowed & modules) - {module}
    while below:
        lowest = {module for module, rest in below.items() if not rest}
        assert lowest, f"a cycle among {sorted(below)}"
        below = {m: rest - lowest for m, rest in below.items() if m not in lowest}


@every_module
def test_nothing_private_of_another_package(name):
    for full_name in imported(TREES[name]):
        package, *rest = full_name.split(".")
        if package != "sk_shallow":
            assert not [part for part in rest if part.startswith("_")], full_name


@every_module
def test_the_public_door_is_the_only_one_to_the_estimators(name):
    if name != "__init__":
        concerns = {concern(full_name) for full_name in imported(TREES[name])}
        assert "_estimators" not in concerns


@pytest.mark.parametrize("forbidden", ["exp", "dot", "matmul", "einsum", "log"])
def test_estimators_call_no_mathematics(forbidden):
    names = [dotted(node) for node in ast.walk(TREES["_estimators"])]
    assert f"numpy.{forbidden}" not in names


def test_estimators_multiply_no_matrices():
    assert not [
        node.lineno
        for node in ast.walk(TREES["_estimators"])
        if isinstance(node, ast.BinOp | ast.AugAssign)
        and isinstance(node.op, ast.MatMult)
    ]


def test_the_package_is_the_public_names_it_lists():
    exported = {
        alias.name
        for node in TREES["__init__"].body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert exported == set(sk_shallow.__all__)
