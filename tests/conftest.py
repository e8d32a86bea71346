from hypothesis import settings
from threadpoolctl import threadpool_limits

import sk_shallow  # noqa: F401  (loads the BLAS that is limited below)

settings.register_profile(
    "laws", derandomize=True, deadline=None, max_examples=25, print_blob=False
)
settings.load_profile("laws")

# The workers of a parallel run share the cores: one BLAS thread each.
threadpool_limits(1, user_api="blas")
