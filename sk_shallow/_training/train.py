"""Training: from a plan, the samples and first weights to the best θ of each member."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from sk_shallow._arrays.threads import suited_to
from sk_shallow._data.noise import are_few_and_noisy
from sk_shallow._data.scaling import Standardizer, fold
from sk_shallow._model.evidence import Laplace, Prior, log_symmetries
from sk_shallow._model.layout import Layout
from sk_shallow._model.objective import Objective
from sk_shallow._solvers.watch import Monitor, Stopping
from sk_shallow.activations import Activation

# Where α is known and steps are cheap, so many starts race, so many times as steep as
# they are drawn: all make so many steps, then the best quarter; the best one goes on.
RACE_STEEPNESS, _RACE_STEPS, _RACE_WORK = 8 * (1.0, 0.5, 0.25), (30, 100), 1e7
# Where the search for α begins; see `starts_of`.
_CLOSE, _STEEPNESS = 0.03, (1.0, 2.0, 4.0)


class Samples(NamedTuple):
    """What an objective sees of the data: [1 X̃], the codes Y, and the weights."""

    X: Any
    Y: np.ndarray
    sample_weight: np.ndarray | None


class Plan(NamedTuple):
    """The objects that a training is made of.

    The layout is that of the networks which the solver trains in one run: all members
    of a committee, or one.
    """

    layout: Layout
    activation: Activation
    coder: Any
    solver: Any
    x: Standardizer
    y: Standardizer

    def can_race(self, n_samples, alpha):
        """Whether several starts are affordable, and comparable: by one known α."""
        solver = self.solver
        if not solver.finds_alpha or isinstance(alpha, str) or solver.max_iter:
            return False
        return solver.n_operations(n_samples, self.layout) <= _RACE_WORK

    def starts(self, candidates, dtype):
        """The first θ of each run to choose from, from the weights of each member."""
        thetas = [self._joined(weights, dtype) for weights in candidates]
        return list(zip(*thetas, strict=True))

    def _joined(self, weights, dtype):
        """The θ of each run."""
        n = self.layout.n_members
        thetas = [self.layout.member.pack(*each, dtype) for each in weights]
        return [self.layout.join(thetas[i : i + n]) for i in range(0, len(thetas), n)]

    def members(self, thetas):
        """b1, W1, W2, b2 of every member in original units, from the θ of each run."""
        member = self.layout.member
        split = [theta for run in thetas for theta in self.layout.split(run)]
        return [fold(member.view(theta), self.x, self.y) for theta in split]

    def samples(self, data, dtype=None):
        """The samples in the solver's precision, or the one that is given."""
        dtype = dtype or self.solver.precision(data.X.shape[0])
        X = self.x.design(data.X, dtype)
        return Samples(X, self.coder.encode(data.y, self.y, dtype), data.sample_weight)

    def objective(self, samples, **penalty):
        """J over these samples."""
        unit = self.coder.output_unit
        return Objective(self.layout, self.activation, unit, *samples, **penalty)


class Watch(NamedTuple):
    """When training stops.

    `validate(theta) -> float`, lower is better, is judged instead of the loss.
    """

    tol: float
    patience: float
    validate: Any = None
    verbose: bool = False


class Run(NamedTuple):
    """What one run of a solver gives."""

    theta: np.ndarray
    loss: float
    loss_curve: list
    values: list
    prior: Prior | None
    posterior: Laplace | None
    state: Any
    message: str | None


class Start(NamedTuple):
    """Where the search for α and for W1 begins."""

    alpha: float = 1.0
    steepness: float = 1.0


def starts_of(n_runs, n_samples, alpha, are_numbers):
    """The starts of the members of a committee.

    For labels and few noisy numbers, all begin with the α that the noise suggests.
    Other numbers can be fitted closely first: the evidence then finds its α from below,
    and the members begin, by turns, with steeper units. They differ, and their mean
    gains by it. `alpha()` is asked for only where it matters.
    """
    if not are_numbers or are_few_and_noisy(n_samples, alpha):
        return [Start(alpha())] * n_runs
    return [Start(_CLOSE, _STEEPNESS[i % len(_STEEPNESS)]) for i in range(n_runs)]


def penalties(plan, alpha, share, starts):
    """The penalty of each run, as an objective takes it.

    Parameters
    ----------
    plan : Plan
    alpha : float, "evidence", "ard" or ndarray
        For all runs, or a row for each.
    share : float
        The samples' share of the weight that α stands beside.
    starts : list of Start
        One for each run.
    """
    if not plan.solver.finds_alpha:
        return [{"alpha": alpha * share}] * len(starts)
    if isinstance(alpha, str):
        return [{"prior": Prior.of(plan.layout, alpha, *start)} for start in starts]
    alphas = alpha if np.ndim(alpha) == 2 else [alpha] * len(starts)
    return [{"prior": Prior.of(plan.layout, one)} for one in alphas]


def train(plan, samples, starts, penalties, state, rngs, watch, n_jobs):
    """Run the solver from each start; the runs are independent of each other.

    Returns
    -------
    list of Run
    """
    jobs = zip(starts, penalties, rngs, strict=True)
    return Parallel(n_jobs=n_jobs if len(starts) > 1 else 1)(
        delayed(_run)(plan, samples, *job, state, watch) for job in jobs
    )


def _race(solver, objective, thetas):
    """The θ that is lowest after some steps, of those that led after fewer [1]_.

    References
    ----------
    .. [1] Jamieson and Talwalkar, "Non-stochastic best arm identification and
       hyperparameter optimization", AISTATS 2016.
    """

    def rounded_value(theta):
        value = objective.likelihood(theta) + objective.prior.penalty(theta)
        return np.nan_to_num(np.float32(value), nan=np.inf)

    for n_steps in _RACE_STEPS:
        runner = replace(solver, max_iter=n_steps)
        for theta in thetas:
            runner.solve(objective, theta, on_iteration=lambda *_: False)
        thetas = sorted(thetas, key=rounded_value)[: -(-len(thetas) // 4)]
    return thetas[0]


def _run(plan, samples, thetas, penalty, rng, state, watch):
    """Minimise J from θ; keep the best iterate, or the last if α is to be found."""
    objective = plan.objective(samples, **penalty)
    with suited_to(plan.solver.n_operations(objective.n_samples, plan.layout)):
        theta = thetas[0] if len(thetas) == 1 else _race(plan.solver, objective, thetas)
        stopping = Stopping(theta, watch.tol, watch.patience, lambda: objective.prior)
        monitor = Monitor(stopping, watch.validate, watch.verbose)
        result = plan.solver.solve(
            objective, theta, on_iteration=monitor, rng=rng, state=state
        )
        prior, loss, curve = objective.prior, monitor.best_loss, monitor.loss_curve
        is_search = prior is not None and prior.is_estimated
        if is_search and watch.validate is None:
            loss = curve[-1]
        else:
            theta, objective.prior = stopping.best_theta, stopping.best_extra
        posterior = None if prior is None else objective.posterior_at(theta)
    values, prior = stopping.values, objective.prior
    return Run(theta, loss, curve, values, prior, posterior, *result)


def mean_curve(curves):
    """The mean of curves; one that has ended keeps its last value."""
    length = max(map(len, curves))
    padded = [curve + curve[-1:] * (length - len(curve)) for curve in curves]
    return np.mean(padded, axis=0).tolist()


def summary(plan, runs, weight):
    """What the posteriors tell: fitted attributes by their names.

    Parameters
    ----------
    plan : Plan
    runs : list of Run
    weight : float
        S, the total weight of the samples.
    """
    posteriors, scale = [run.posterior for run in runs], plan.y.scale
    priors = [run.prior for run in runs]
    alphas = np.array([prior.strengths(plan.layout) for prior in priors])
    evidences = [posterior.log_evidence for posterior in posteriors]
    symmetries = log_symmetries(plan.layout.n_hidden, plan.activation)
    density = weight * np.log(scale).sum()  # of ỹ, as that of y
    told = {
        "_posteriors": posteriors,
        "alpha_": _simplest(alphas),
        "n_effective_parameters_": float(np.mean([p.n_effective for p in posteriors])),
        "log_evidence_": float(np.mean(evidences) + symmetries - density),
    }
    if plan.coder.output_unit.has_noise:
        noise = np.mean([posterior.noise_variance for posterior in posteriors])
        told["noise_variance_"] = plan.coder.per_output(noise * scale**2)
    if len(priors[0].alpha) == plan.layout.n_in + 1:
        relevance = np.mean(1 / alphas[:, :-1], axis=0)
        told["feature_relevance_"] = relevance / relevance.sum()
    return told


def _simplest(alphas):
    """A float where all are one number, a vector where there is one row."""
    if len(alphas) > 1:
        return alphas
    (row,) = alphas
    return float(row[0]) if len(set(row)) == 1 else row
