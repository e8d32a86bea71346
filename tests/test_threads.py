"""One BLAS thread for small products, and what the process has otherwise."""

import json
import os
import subprocess
import sys
from pathlib import Path

import _two_blas_threads
import pytest

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="the laws fork and send signals"
)


@pytest.fixture(scope="module")
def failures():
    """By the name of the law, in a process with two BLAS threads."""
    n_threads = str(_two_blas_threads.N_THREADS)
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    run = subprocess.run(
        [sys.executable, Path(_two_blas_threads.__file__)],
        env={**os.environ, **dict.fromkeys(names, n_threads)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.stderr == ""
    return json.loads(run.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("law", [one.__name__ for one in _two_blas_threads.LAWS])
def test_two_blas_threads(failures, law):
    assert failures[law] is None, failures[law]
