import os

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

import sk_shallow  # noqa: F401  (loads the BLAS that is limited below)

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

# The workers of a parallel run share the cores: one BLAS thread each.
threadpool_limits(1, user_api="blas")


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
