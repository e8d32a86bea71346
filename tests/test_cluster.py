"""Real clusters, of processes on this machine: `examples/on_a_cluster.py`."""

import re
from importlib.util import find_spec

import pytest
from test_examples import printed

pytestmark = pytest.mark.slow


def needs(package, extra):
    reason = f"{package} is not installed; it comes with the extra {extra}"
    return pytest.mark.skipif(find_spec(package) is None, reason=reason)


def shown(*parts):
    """The lines that parts of the example print, by what stands before the colon."""
    lines = printed("on_a_cluster.py", *parts, timeout=300).splitlines()
    return dict(line.split(": ", 1) for line in lines)


def number(pattern, text):
    return float(re.search(pattern, text)[1])


@needs("dask_ml", "dask")
def test_dask_through_the_death_of_a_worker_and_with_more_than_one_can_hold():
    told = shown("search", "committee", "kill", "stream")
    assert told["cluster"].startswith("tcp://127.0.0.1:")
    for search in ("search", "search through it"):
        assert told[search].endswith("as without a cluster: True")
        assert number(r"accuracy (\S+),", told[search]) > 0.9
    assert re.fullmatch(r"worker \{\d+\}, started again: \{\d+\}", told["killed"])
    assert told["committee"].endswith("as without a cluster: True")
    size = number(r"X of (\d+) MiB", told["stream"])
    limit = number(r"(\d+) MiB for each", told["stream"])
    assert number(r"at most (\d+) MiB", told["trained"]) < limit < size
    assert number(r"accuracy (\S+)", told["predicted"]) > 0.8


@needs("ray", "ray")
def test_the_same_search_on_ray():
    assert shown("ray")["ray"].endswith("as without a cluster: True")
