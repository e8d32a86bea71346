"""MathJax beside the pages, so that formulas need no network.

Its files come with the package sphinx-mathjax-offline; of its 24 MB those are copied
that TeX in HTML needs.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

from sphinx.errors import ExtensionError

FILES = ("tex-chtml.js", "input/tex/extensions", "output/chtml/fonts/woff-v2")


def copy(app, error):
    """What the pages load, from the installed package into `_static/mathjax`."""
    if error is not None or app.builder.format != "html":
        return
    package = find_spec("sphinx-mathjax-offline")
    if package is None:
        raise ExtensionError("install sphinx-mathjax-offline (the extra `docs`)")
    source = Path(package.origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for name in FILES:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        else:
            shutil.copy2(source / name, target / name)


def setup(app):
    """Sphinx's MathJax, from a path below `_static`."""
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
