"""Of the site's sources, pytest reads the pages: Sphinx executes the scripts."""

collect_ignore_glob = [
    "*.py",
    "*/*.py",
    "_build",
    "benchmarks",
    "*/executed",
    "gallery",
    "api/generated",
]
