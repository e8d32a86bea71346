"""What the defaults stand for: one rule for every data set.

It was chosen by experiment over all the sets of the benchmarks; see
`benchmarks/REPORT.md`. A committee is trained where neither `n_hidden` nor `solver` is
set: of small smooth networks by second-order steps, their α found from the data, where
the targets are numbers, the work is affordable, and the samples are not few and noisy;
else of wider rectifier networks by minibatches. What is set is kept, and one network is
trained.
"""

from collections.abc import Callable
from typing import NamedTuple

from sk_shallow._data.noise import are_few_and_noisy

# Of `lm`: n k p² + p³ of all members together, for one step of each.
_AFFORDABLE = 3e9
# The activations that curvature serves best.
_SMOOTH = ("auto", "tanh", "logistic", "sigmoid", "softplus")


class Problem(NamedTuple):
    """What there is to learn; `alpha()` is what the noise suggests, None for labels."""

    n_samples: int
    n_features: int
    n_outputs: int
    is_sparse: bool
    alpha: Callable | None


class Choice(NamedTuple):
    """Parameters, some of them None or "auto"; or what they stand for."""

    solver: str
    n_hidden: int | None
    activation: object
    n_estimators: int | None

    def filled(self, n_hidden, activation, n_estimators):
        """With these where nothing was given."""
        return self._replace(
            n_hidden=self.n_hidden or n_hidden,
            activation=activation if self.activation == "auto" else self.activation,
            n_estimators=self.n_estimators or n_estimators,
        )

    def work(self, problem):
        """n k p² + p³ of all members."""
        d, k, h = problem.n_features, problem.n_outputs, self.n_hidden
        size = (d + 1) * h + (h + 1) * k
        return self.n_estimators * (problem.n_samples * k + size) * size**2


def choose(given, problem, able, finds_alpha):
    """What the parameters that were given stand for.

    Parameters
    ----------
    given : Choice
    problem : Problem
    able : list of str
        The solvers that honour everything else that was set.
    finds_alpha : bool
        Whether α is to be found from the data.

    Returns
    -------
    Choice
    """
    if given.solver != "auto":
        n_hidden, activation = (20, "tanh") if given.solver == "lm" else (100, "relu")
        return given.filled(n_hidden, activation, 1)
    is_open = given.n_hidden is None
    second = given._replace(solver="lm").filled(20, "tanh", 9 if is_open else 1)
    if finds_alpha or ("lm" in able and _suits_curvature(given, problem, second)):
        return second
    first = next(name for name in ("adam", "sgd") if name in able)
    return given._replace(solver=first).filled(100, "relu", 5 if is_open else 1)


def _suits_curvature(given, problem, second):
    """Whether second-order steps serve better, and are affordable."""
    if problem.alpha is None or problem.is_sparse or given.n_hidden is not None:
        return False
    is_smooth = isinstance(given.activation, str) and given.activation in _SMOOTH
    if not is_smooth or second.work(problem) > _AFFORDABLE:
        return False
    return not are_few_and_noisy(problem.n_samples, problem.alpha)
