"""How Sphinx builds the site; `python -m sphinx -W -b html docs docs/_build`."""

import sys
from importlib import import_module
from pathlib import Path

from docutils import nodes

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "sk-shallow"
author = copyright = "the sk-shallow developers"
version = release = import_module("sk_shallow").__version__
language = "en"
default_role = "literal"
smartquotes = False  # a value of a parameter is copied as it is written

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "floors",
    "gallery_thumbnails",
    "home_figures",
    "offline_mathjax",
    "report_pages",
    "sphinx_gallery.gen_gallery",
    "two_language_search",
]
# The pages beside the notes and of the tutorial are listed by those who wrote them.
exclude_patterns = [
    "_build",
    "_generated",
    "**/GALLERY_HEADER.rst",
    "*/executed/index.rst",
]
templates_path = ["_templates"]
suppress_warnings = [
    "config.cache",
    # The copies of an earlier build, below the folder of the examples.
    "sphinx_gallery.duplicate_filename",
]

myst_enable_extensions = [
    "amsmath",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
    "fieldlist",
]
myst_heading_anchors = 3

# The pages and their names; numpydoc's own tables of members are left to the template.
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
# Not asked for: sections where there is nothing to say (ES01, EX01, SA01), a summary
# that is a formula or begins with a name (SS02, SS05), a word on `self` (RT02, RT03).
numpydoc_validation_checks = {
    "all",
    *("ES01", "EX01", "SA01", "SS02", "SS05", "RT02", "RT03"),
}
# Activations are their formulas; what is scikit-learn's is validated there.
numpydoc_validation_exclude = {
    r"\.(Identity|Logistic|Tanh|ReLU|LeakyReLU|ELU|Softplus)\.(forward|slope|chain)$",
    r"\.(get_metadata_routing|get_params|set_params|set_output|set_\w+_request)$",
    r"\.HiddenLayer\.(fit_transform|get_feature_names_out)$",
    r"\.ShallowNNClassifier\.score$",
}

# A folder of examples is a gallery as soon as there is a script in it.
galleries = [
    (folder, gallery)
    for folder, gallery in (
        ("../examples", "gallery"),
        ("notes", "notes/executed"),
        ("zh", "zh/executed"),
    )
    if (HERE / folder / "GALLERY_HEADER.rst").exists()
    and any((HERE / folder).glob("*.py"))
]
sphinx_gallery_conf = {
    "examples_dirs": [folder for folder, _ in galleries],
    "gallery_dirs": [gallery for _, gallery in galleries],
    # Not executed: long ones, a server, a reader of files; their pages say so.
    "filename_pattern": r"[/\\](?!chunks|on_a_cluster|onnx_server|predict_with_numpy"
    r"|quickstart)\w+\.py$",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "default_thumb_file": str(HERE / "_generated" / "thumbnails" / "network.png"),
    "min_reported_time": 0,
    "write_computation_times": False,  # each page has its own
    "show_signature": False,
    "remove_config_comments": True,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"sk-shallow {release}"
html_search_language = "en-zh"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_context = {"default_mode": "auto"}
html_favicon = "_static/favicon.svg"
html_sidebars = {
    page: []
    for page in (
        "index",
        "start",
        "troubleshooting",
        "changelog",
        "contributing",
        "citing",
    )
}
html_theme_options = {
    "logo": {"text": "sk-shallow"},
    "header_links_before_dropdown": 5,
    "show_prev_next": True,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}

# A prompt is no part of what is copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def as_text(app, env, node, contnode):
    """What inherited docstrings say of scikit-learn's manual, without a link."""
    inherited = node.get("refdoc", "").startswith("api/generated/")
    if not inherited or node.get("refdomain") != "std":
        return None
    is_example = contnode.astext().startswith("sphx_glr_")
    return nodes.Text("scikit-learn's gallery") if is_example else contnode


def without_empty_lines(app, doctree):
    """A doctest needs one before the fence that closes it; a reader does not."""
    for block in doctree.findall(nodes.literal_block):
        if block.rawsource == block.astext():
            block.rawsource = block.astext().rstrip()
            block.children = [nodes.Text(block.rawsource)]


def in_its_language(app, pagename, templatename, context, doctree):
    """The Chinese pages say that they are, to those who read them aloud."""
    if pagename.startswith("zh/"):
        context["language"] = "zh-CN"


def setup(app):
    """Called by Sphinx."""
    app.connect("html-page-context", in_its_language)
    app.connect("missing-reference", as_text)
    app.connect("doctree-read", without_empty_lines)
