"""The version, and the mixin by which pickles carry it."""

import warnings

import sklearn
from sklearn.exceptions import InconsistentVersionWarning

__version__ = "0.2.0"
# The first two numbers of scikit-learn's.
SCIKIT_LEARN = tuple(map(int, sklearn.__version__.split(".")[:2]))


class OtherVersionWarning(InconsistentVersionWarning):
    """scikit-learn's warning, of a pickle by another version of sk_shallow.

    The versions among its attributes are those of sk_shallow.
    """

    def __str__(self):
        return (
            f"Trying to unpickle estimator {self.estimator_name} from version "
            f"{self.original_sklearn_version} of sk_shallow when using version "
            f"{self.current_sklearn_version}. This might lead to breaking code or "
            "invalid results. Use at your own risk."
        )


class Versioned:
    """A mixin, to stand before `BaseEstimator`: pickles carry the version."""

    def __getstate__(self):
        return {**super().__getstate__(), "_sk_shallow_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_sk_shallow_version", "unknown")
        if version != __version__:
            warning = OtherVersionWarning(
                estimator_name=type(self).__name__,
                current_sklearn_version=__version__,
                original_sklearn_version=version,
            )
            warnings.warn(warning, stacklevel=2)
        super().__setstate__(state)
