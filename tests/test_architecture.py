"""Who may import whom: imports only run downwards."""

import ast
import sys
from pathlib import Path

import pytest

import sk_shallow

ROOT = Path(sk_shallow.__file__).parent

# The floors, from the ground up: each imports only from those before it.
FLOORS = (
    "_version",
    "_typing",
    "_arrays",
    "activations",
    "_model",
    "_solvers",
    "_data",
    "_inference",
    "_training",
    "_choice",
    "preprocessing",
    "_export",
    "inspection",
    "_estimators",
    "__init__",
)
# Beside the standard library and NumPy, what the rooms of each floor may import.
PACKAGES = {
    "_version": {"sklearn"},
    "_typing": set(),
    "_arrays": {"scipy", "threadpoolctl"},
    "activations": {"scipy"},
    "_model": {"scipy"},
    "_solvers": {"scipy"},
    "_data": {"scipy", "sklearn"},
    "_inference": {"scipy"},
    "_training": {"joblib", "scipy", "sklearn"},
    "_choice": set(),
    "preprocessing": {"sklearn"},
    "_export": {"sklearn"},
    "inspection": {"matplotlib", "scipy", "sklearn"},
    "_estimators": {"scipy", "sklearn"},
    "__init__": set(),
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


def is_ours(full_name):
    return full_name.split(".")[0] == "sk_shallow"


def floor(name):
    """The floor of a module of this package."""
    return name.split(".")[0]


def rooms_below(name):
    """The modules of this package that a module imports."""
    found = set()
    for full_name in filter(is_ours, imported(TREES[name])):
        parts = full_name.split(".")[1:]
        rooms = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
        candidates = [r for room in rooms for r in (room, f"{room}.__init__")]
        found.add(next(room for room in candidates if room in TREES))
    return found


def dotted(node):
    """`np.linalg.norm` of such an expression."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ALIASES.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def test_every_module_has_a_floor():
    assert {floor(name) for name in TREES} == set(FLOORS) == set(PACKAGES)


@every_module
def test_imports_only_run_downwards(name):
    height = FLOORS.index(floor(name))
    higher = {r for r in rooms_below(name) if FLOORS.index(floor(r)) > height}
    assert not higher


@every_module
def test_only_these_packages(name):
    packages = {full_name.split(".")[0] for full_name in imported(TREES[name])}
    packages -= sys.stdlib_module_names | {"numpy", "sk_shallow"}
    assert packages <= PACKAGES[floor(name)]


def test_the_rooms_have_no_cycle():
    below = {name: rooms_below(name) - {name} for name in TREES}
    while below:
        lowest = {name for name, rest in below.items() if not rest}
        assert lowest, f"a cycle among {sorted(below)}"
        below = {m: rest - lowest for m, rest in below.items() if m not in lowest}


@every_module
def test_a_module_tells_its_purpose_in_its_first_line(name):
    first = ast.get_docstring(TREES[name]).splitlines()[0]
    assert first.endswith((".", ":")) or first[-1].isalnum()


@every_module
def test_nothing_private_of_another_package(name):
    for full_name in imported(TREES[name]):
        package, *rest = full_name.split(".")
        if package != "sk_shallow":
            assert not [part for part in rest if part.startswith("_")], full_name


def test_one_room_knows_of_callbacks():
    def knows(tree):
        return any(name.startswith("sklearn.callback") for name in imported(tree))

    assert [name for name, tree in TREES.items() if knows(tree)] == [
        "_estimators.callbacks"
    ]


@every_module
def test_the_public_door_is_the_only_one_to_the_estimators(name):
    if floor(name) not in ("_estimators", "__init__"):
        assert "_estimators" not in {floor(room) for room in rooms_below(name)}


FACADE = [name for name in TREES if floor(name) == "_estimators"]


@pytest.mark.parametrize("forbidden", ["exp", "dot", "matmul", "einsum", "log"])
@pytest.mark.parametrize("name", FACADE)
def test_estimators_call_no_mathematics(name, forbidden):
    names = [dotted(node) for node in ast.walk(TREES[name])]
    assert f"numpy.{forbidden}" not in names


@pytest.mark.parametrize("name", FACADE)
def test_estimators_multiply_no_matrices(name):
    assert not [
        node.lineno
        for node in ast.walk(TREES[name])
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
