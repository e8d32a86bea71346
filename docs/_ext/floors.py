"""The floors of the package as a drawing, from the table in CONTRIBUTING.md.

The ground is at the bottom; a floor imports only from those below it. The drawing takes
its colours from the theme, so that it is light in light and dark in dark.
"""

import html
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
WIDTH, LEFT, LINE, GAP = 760, 150, 34, 8


class Floor(NamedTuple):
    """One floor: its name, its rooms, and whether users may enter."""

    name: str
    rooms: list
    public: bool


def floors(text):
    """The floors of the table, from the ground up."""
    table = text.split("| floor | room |")[1].split("\n\n")[0]
    found = []
    for line in table.splitlines()[2:]:
        name, rooms, what = (cell.strip() for cell in line.strip("|").split("|"))
        if name:
            found.append(Floor(name.strip("`"), [], what.endswith("; public")))
        found[-1].rooms.extend(re.findall(r"`(\w+)`", rooms))
        if what.endswith("; public") and not found[-1].public:
            found[-1] = found[-1]._replace(public=True)
    return found


def lines(rooms):
    """The rooms side by side, as (x, width, room), in as many lines as they need."""
    rows, x = [[]], LEFT
    for room in rooms:
        width = 8.1 * len(room) + 18
        if x + width > WIDTH - GAP:
            rows.append([])
            x = LEFT
        rows[-1].append((x, width, room))
        x += width + GAP
    return rows


def drawing(text):
    """An SVG element."""
    parts, y = [], GAP
    for floor in reversed(floors(text)):
        rows = lines(floor.rooms)
        height = LINE * len(rows) + GAP
        kind = "floor public" if floor.public else "floor"
        parts.append(
            f'<rect class="{kind}" x="1" y="{y}" '
            f'width="{WIDTH - 2}" height="{height}"/>'
            f'<text class="name" x="14" y="{y + 26}">{html.escape(floor.name)}</text>'
        )
        for i, row in enumerate(rows):
            top = y + GAP + i * LINE
            parts += [
                f'<rect class="room" x="{x:.0f}" y="{top}" width="{width:.0f}" '
                f'height="{LINE - GAP}" rx="4"/><text x="{x + width / 2:.0f}" '
                f'y="{top + 18}" text-anchor="middle">{html.escape(room)}</text>'
                for x, width, room in row
            ]
        y += height
    names = ", ".join(floor.name for floor in floors(text))
    return (
        f'<div class="floors" tabindex="0" role="region" aria-label="The floors">'
        f'<svg viewBox="0 0 {WIDTH} {y + GAP}" role="img" aria-labelledby="floors-all">'
        f'<title id="floors-all">The floors from the ground up: {names}.</title>'
        + "".join(parts)
        + "</svg></div>\n"
    )


def setup(app):
    """Before Sphinx reads the page that shows it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folder = Path(app.srcdir) / "_generated"
    folder.mkdir(exist_ok=True)
    (folder / "floors.html").write_text(drawing(text), encoding="utf-8")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
