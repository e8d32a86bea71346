import os

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

import sk_shallow  # noqa: F401  (loads what is limited below)

# "few" is for other versions of what the laws stand on: that all of it works there.
for name, n_examples in {"laws": 25, "few": 5}.items():
    settings.register_profile(
        name,
        derandomize=True,
        deadline=None,
        max_examples=n_examples,
        print_blob=False,
    )
settings.load_profile("laws")

# Pictures are drawn in memory, those of doctests too.
os.environ["MPLBACKEND"] = "agg"

# The workers of a parallel run share the cores: one thread each, of BLAS and of OpenMP,
# and as many in the processes that tests start.
threadpool_limits(1)
for name in ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


# For type checkers, not to be run.
collect_ignore = ["typing_user.py"]


@pytest.fixture(autouse=True)
def _seeded():
    """What `random_state=None` draws from is the same in every run."""
    np.random.seed(0)  # noqa: NPY002


def pytest_collection_modifyitems(items):
    """Doctests that train what is chosen by default are slow."""
    for item in items:
        if item.name.endswith((".md", "NNClassifier", "NNRegressor")):
            item.add_marker(pytest.mark.slow)
