"""Pages of benchmarks/REPORT.md, one for each of its headings.

A part (`##`) with several sections (`###`) is a folder with a page for each; another
part is a page. What is here says nothing of its own: a number that is wrong is wrong in
the report.
"""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "benchmarks" / "REPORT.md"
PICTURE = re.compile(r"!\[[^]]*\]\(([^)]+)\)")


def slug(title):
    """A title as the name of a file."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


def split(text, level):
    """The text before the first heading of a level, and (title, text) of each."""
    marks = "#" * level
    before, *parts = re.split(rf"^{marks} (.+)\n", text, flags=re.MULTILINE)
    titles, texts = parts[::2], parts[1::2]
    return before.strip(), [
        (title.strip(), body.strip()) for title, body in zip(titles, texts, strict=True)
    ]


def raised(text, by):
    """The text with its headings so many levels higher."""
    return re.sub(rf"^#{{{by}}}(?=#)", "", text, flags=re.MULTILINE)


# Tables of many columns get the room of the list of headings.
WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---"


def page(title, *parts):
    """A page of a heading and texts."""
    return "\n\n".join([f"# {title}", *filter(None, parts)]) + "\n"


def contents(names):
    """A list of the pages that belong to one."""
    return "\n".join(["```{toctree}", ":maxdepth: 1", "", *names, "```"])


def pages(report):
    """The source of every page, by its path without the suffix."""
    [(title, text)] = split(report, 1)[1]
    about, parts = split(text, 2)
    found, names = {}, []
    for part, body in parts:
        intro, sections = split(body, 3)
        name = slug(part)
        if len(sections) < 3:
            found[name] = page(part, raised(body, 1))
            names.append(name)
            continue
        below = [f"{slug(section)}" for section, _ in sections]
        found[f"{name}/index"] = page(part, intro, contents(below))
        for below_name, (section, body) in zip(below, sections, strict=True):
            found[f"{name}/{below_name}"] = page(section, raised(body, 2))
        names.append(f"{name}/index")
    return {"index": page(title, about, contents(names)), **found}


def write(folder, report=REPORT):
    """Write the pages and the pictures that they show; leave alone what is the same."""
    sources = {
        name: f"{WIDE}\n\n{source}"
        for name, source in pages(report.read_text(encoding="utf-8")).items()
    }
    for name, source in sources.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        for picture in PICTURE.findall(source):
            shutil.copy2(report.parent / picture, path.parent / picture)
        if not path.exists() or path.read_text(encoding="utf-8") != source:
            path.write_text(source, encoding="utf-8")
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).with_suffix("").as_posix() not in sources:
            path.unlink()


def setup(app):
    """Before Sphinx looks for its sources."""
    app.connect("builder-inited", lambda app: write(Path(app.srcdir) / "benchmarks"))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
