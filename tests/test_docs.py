"""What the site is made of says the same as the code: names, floors, numbers.

Nothing here needs Sphinx; `.ci/run` builds the site with warnings as errors.
"""

import importlib
import inspect
import re
from pathlib import Path

import floors
import home_figures
import pytest
import report_pages
from test_architecture import FLOORS

from sk_shallow import Activation

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
API = (DOCS / "api" / "index.md").read_text(encoding="utf-8")
REPORT = home_figures.REPORT.read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PUBLIC = ("sk_shallow", "sk_shallow.inspection", "sk_shallow.preprocessing")


def public_names(module):
    """What a module offers: its `__all__`, or what it defines."""
    module = importlib.import_module(module)
    defined = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "") == module.__name__
    ]
    names = getattr(module, "__all__", defined)
    return {name for name in names if not name.startswith("__")}


def documented():
    """The names of the API page, by the module under which they stand."""
    found, module = {}, None
    for line in API.splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.match(r"(?: {3}|\.\. py:data:: )(\w+)$", line):
            found.setdefault(module, []).append(match[1])
    return found


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_has_its_page(module):
    names = documented()[module]
    assert len(names) == len(set(names))
    assert set(names) == public_names(module)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_class_and_function_has_an_example(module):
    for name in public_names(module):
        value = getattr(importlib.import_module(module), name)
        if callable(value):
            assert ">>> " in value.__doc__, name


def test_every_activation_of_the_module_is_one_of_the_package():
    module = importlib.import_module("sk_shallow.activations")
    classes = {name for name, _ in inspect.getmembers(module, inspect.isclass)}
    ours = {name for name in classes if issubclass(getattr(module, name), Activation)}
    assert ours == {name for name in public_names("sk_shallow") if name in classes}


def test_the_floors_are_those_of_the_imports():
    drawn = floors.floors(CONTRIBUTING)
    assert [floor.name for floor in drawn] == list(FLOORS[:-1])
    for floor in drawn:
        folder = ROOT / "sk_shallow" / floor.name
        rooms = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        if folder.is_dir() and not floor.public:
            assert sorted(floor.rooms) == sorted(rooms), floor.name
        else:
            assert floor.rooms == []
        assert floor.public == (not floor.name.startswith("_"))


def test_the_drawing_has_every_floor_and_room_once():
    svg = floors.drawing(CONTRIBUTING)
    names = re.findall(r'<text class="name"[^>]*>(\w+)</text>', svg)
    assert names == list(FLOORS[-2::-1])
    rooms = re.findall(r'text-anchor="middle">(\w+)</text>', svg)
    wanted = [room for floor in floors.floors(CONTRIBUTING) for room in floor.rooms]
    assert sorted(rooms) == sorted(wanted)
    right = [
        float(x) + float(width)
        for x, width in re.findall(r'class="room" x="(\d+)"[^>]*width="(\d+)"', svg)
    ]
    assert len(right) == len(rooms)
    assert max(right) <= floors.WIDTH


def test_the_pages_of_the_report_hold_every_line_of_it_once():
    pages = report_pages.pages(REPORT)
    told = [
        line.lstrip("#").strip()
        for source in pages.values()
        for line in re.sub(
            r"```\{toctree\}.*?```", "", source, flags=re.DOTALL
        ).splitlines()
    ]
    report = [line.lstrip("#").strip() for line in REPORT.splitlines()]
    assert sorted(filter(None, told)) == sorted(filter(None, report))
    assert all(source.startswith("# ") for source in pages.values())
    assert max(len(source.splitlines()) for source in pages.values()) < 150


def test_every_page_of_the_report_is_in_a_list_of_contents():
    pages = report_pages.pages(REPORT)
    listed = {"index"}
    for name, source in pages.items():
        folder = name.rpartition("/")[0]
        for block in re.findall(
            r"```\{toctree\}\n:maxdepth: 1\n\n(.*?)```", source, re.S
        ):
            listed |= {f"{folder}/{entry}".strip("/") for entry in block.split()}
    assert listed == set(pages)


def test_the_home_page_tells_the_numbers_of_the_report():
    rivals = home_figures.rivals(REPORT)
    assert len(rivals) == len({rival.name for rival in rivals}) >= 5
    assert {"MLP", "HistGradientBoosting", "CatBoost"} <= {
        rival.name for rival in rivals
    }
    for rival in rivals:
        assert float(rival.loss) > 0
        assert float(rival.seconds) > 0
        assert re.fullmatch(r"\d+%", rival.within)
        assert f"| {rival.name} | {rival.sets} | {rival.within} |" in REPORT
        assert f"| {rival.name} ({rival.sets}) |" in home_figures.table(REPORT)
