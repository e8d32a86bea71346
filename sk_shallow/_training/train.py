"""Training: from a plan, the samples and first weights to the best θ of each member."""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from sk_shallow._arrays.threads import suited_to
from sk_shallow._data.scaling import Standardizer, unfold
from sk_shallow._inference.laplace import Laplace, posterior_of
from sk_shallow._model.penalty import Penalty
from sk_shallow._solvers.tasks import Iterations, Task
from sk_shallow._solvers.watch import Monitor, Stopping
from sk_shallow._training.evidence import resume, search

# Where a run has several starts, all make so many iterations, then the best quarter.
_RACE_STEPS = (30, 100)


class Progress(NamedTuple):
    """What training needs, beside the weights, to go on where it was.

    Attributes
    ----------
    rng : numpy.random.Generator
    weight : float
        The total weight of the samples that have been seen.
    x, y : Standardizer
    is_stream : bool
        Whether all samples came by `partial_fit`.
    solver_state : State or None
    """

    rng: np.random.Generator
    weight: float
    x: Standardizer
    y: Standardizer
    is_stream: bool = False
    solver_state: Any = None

    @property
    def n_before(self):
        """Samples of the stream so far; infinite after `fit`."""
        return self.weight if self.is_stream else np.inf

    @classmethod
    def of(cls, problem, plan, rng):
        """Before the first step."""
        return cls(rng, float(problem.data.weights.sum()), plan.x, plan.y)

    def after(self, earlier, new=()):
        """What earlier samples, without these columns, and these together give."""
        x = earlier.x.without(new) if len(new) else earlier.x
        return self._replace(
            weight=earlier.weight + self.weight,
            x=x.merge(self.x),
            y=earlier.y.merge(self.y),
            is_stream=earlier.is_stream,
        )


class Watch(NamedTuple):
    """When training stops, and what it prints.

    `validate(theta) -> float`, lower is better, is judged instead of the loss.
    """

    tol: float
    patience: float
    validate: Any = None
    is_verbose: bool = False

    def titled(self, run, n_runs):
        """The title of what one of the runs prints; None where nothing is printed."""
        if not self.is_verbose:
            return None
        return "Iteration" if n_runs == 1 else f"Member {run} of {n_runs}, iteration"


class Run(NamedTuple):
    """What one run of a solver gives."""

    theta: np.ndarray
    loss: float
    loss_curve: list
    values: list
    penalty: Penalty | None
    posterior: Laplace | None
    state: Any
    message: str | None


def silenced(members, columns):
    """The members, their outputs the same whatever is in these columns."""
    if not len(columns):
        return members
    is_new = np.zeros((len(members[0][1]), 1), bool)
    is_new[columns] = True

    def silent(W):
        return np.where(is_new[: len(W)], 0, W)

    return [(b1, silent(W1), W2, b2, silent(V)) for b1, W1, W2, b2, V in members]


def penalties(plan, alpha, share, n_runs, begin=1.0):
    """The penalty of each run, as an objective takes it.

    Parameters
    ----------
    plan : Plan
    alpha : float, "evidence", "ard" or ndarray
        For all runs, or a row for each.
    share : float
        The samples' share of the weight that α stands beside.
    n_runs : int
    begin : float or ndarray, default=1.0
        What α is to be found from, as `alpha` gives it, where it is to be found.
    """
    if not plan.solver.finds_alpha:
        return [{"alpha": alpha * share}] * n_runs
    if isinstance(alpha, str):
        alpha = _spread(begin, 1 if alpha == "evidence" else plan.layout.n_in + 1)
    alphas = alpha if np.ndim(alpha) == 2 else [alpha] * n_runs
    return [{"penalty": Penalty.of(plan.layout, one)} for one in alphas]


def _spread(alpha, n_groups):
    """The α of so many groups, or a row of it for each member, from that of others."""
    alpha = np.atleast_1d(alpha)
    if alpha.shape[-1] == n_groups:
        return alpha
    return np.broadcast_to(alpha[..., -1:], (*alpha.shape[:-1], n_groups))


def train_on(
    plan,
    problem,
    binning,
    members,
    watch,
    n_jobs,
    *,
    alpha,
    progress,
    earlier=None,
    begin=1.0,
    task=None,
):
    """Minimise J from the weights of the members, or from drawn ones.

    Parameters
    ----------
    plan : Plan
        Of the whole committee.
    problem : Problem
    binning : Binning
        Of the plan's recipe.
    members : list of (b1, W1, W2, b2, V), or None
        In original units.
    watch : Watch
    n_jobs : int or None
    alpha : float, str or ndarray
    progress : Progress
    earlier : Progress, default=None
        That of the members, if these samples come on top of theirs.
    begin : float or ndarray, default=1.0
        Where the search for α goes on.
    task : Task, default=None
        What this training is; it begins here. Its parts are the epochs, or the members
        where these are trained each on its own.

    Returns
    -------
    list of Run
    """
    n_members = plan.layout.n_members
    plan = plan.of_run
    n_runs = n_members // plan.layout.n_members
    rngs = progress.rng.spawn(n_members)
    if members is None:
        is_free = plan.solver.max_iter is None or plan.solver.has_budget
        is_free = is_free and watch.validate is None
        n_starts = plan.solver.n_starts if n_runs == 1 and is_free else 1
        drawn = [problem.first(plan, rngs) for _ in range(n_starts)]
    else:
        # In a stream the weights keep their meaning in standardised units.
        x, y = (plan.x, plan.y) if earlier is None else (earlier.x, earlier.y)
        units = plan.coder.units(y)
        drawn = [[unfold(*weights, x, units) for weights in members]]
    samples = problem.samples(plan, binning)
    thetas = [plan.joined(weights, samples.Y.dtype) for weights in drawn]
    share = float(problem.data.weights.sum()) / progress.weight
    found = None
    if isinstance(alpha, str):
        found = search if members is None else resume
    return train(
        plan,
        samples,
        list(zip(*thetas, strict=True)),
        penalties(plan, alpha, share, n_runs, begin),
        progress.solver_state,
        rngs if n_runs > 1 else [progress.rng],
        watch,
        n_jobs,
        found,
        task,
    )


def train(
    plan,
    samples,
    starts,
    penalties,
    state,
    rngs,
    watch,
    n_jobs,
    searched=None,
    task=None,
):
    """Run the solver from each start; the runs are independent of each other.

    `searched` is how α is found, if it is: `search`, or `resume`. `task` begins here.

    Returns
    -------
    list of Run
    """
    task, n_most = task or Task(), _n_most(plan.solver, searched, len(starts[0]))
    run = partial(_search, searched) if searched else _run
    n_operations = plan.solver.n_operations(samples.X.shape[0], plan.layout)
    n_runs = len(starts)
    titles = [watch.titled(i, n_runs) for i in range(1, n_runs + 1)]
    if n_runs == 1:
        tasks = [task.begin(n_most)]
    else:
        task.begin(n_runs, in_order=False)
        tasks = [task.part("member", i) for i in range(n_runs)]
        run = partial(_member, run, n_most)
    shared = n_operations, run, plan, samples
    jobs = [
        (*shared, *job, state, watch)
        for job in zip(starts, penalties, rngs, titles, tasks, strict=True)
    ]
    # Backends of joblib may send a single run, too, to other machines.
    if n_runs == 1 or n_jobs == 1:
        return [suited_to(*job) for job in jobs]
    n_jobs = None if n_jobs is None else min(n_jobs, n_runs)
    return Parallel(n_jobs=n_jobs)(delayed(suited_to)(*job) for job in jobs)


def _n_most(solver, searched, n_starts):
    """The most iterations of a run; None where they end with the search for α."""
    if not searched:
        return solver.n_iter
    return None if solver.max_iter is None else n_starts * solver.max_iter


def _member(run, n_most, plan, samples, thetas, penalty, rng, title, task, *watched):
    """One of several runs, a task of its own, from copies: solvers write into θ."""
    task.begin(n_most)
    thetas = [theta.copy() for theta in thetas]
    done = run(plan, samples, thetas, penalty, rng, title, task, *watched)
    task.end(lambda: done)
    return done


def _tell(monitor, task, objective):
    """Have the iterations told of, if there is somebody to tell."""
    if task.is_told:
        monitor.iterations = Iterations(task, partial(_so_far, objective, monitor))


def _so_far(objective, monitor, theta, penalty=None):
    """The run, if it ended with this θ."""
    theta, posterior = theta.copy(), None
    penalty = objective.penalty if penalty is None else penalty
    if penalty is not None:
        posterior = posterior_of(objective.penalized_by(penalty), theta)
    curve, values = monitor.loss_curve.copy(), monitor.stopping.values.copy()
    return Run(theta, curve[-1], curve, values, penalty, posterior, None, None)


def _race(solver, objective, thetas):
    """The θ that is lowest after some steps, of those that led after fewer [1]_.

    References
    ----------
    .. [1] Jamieson and Talwalkar, "Non-stochastic best arm identification and
       hyperparameter optimization", AISTATS 2016.
    """

    def rounded_value(theta):
        penalty = objective.penalty
        if penalty is None:
            value = objective.value(theta)
        else:
            value = objective.likelihood(theta) + penalty.value(theta)
        with np.errstate(over="ignore"):
            return np.nan_to_num(np.float32(value), nan=np.inf)

    rounds = [n for n in _RACE_STEPS if n < (solver.max_iter or np.inf)]
    for n_steps in rounds or [solver.max_iter]:
        runner = replace(solver, max_iter=n_steps)
        for theta in thetas:
            runner.solve(objective, theta, on_iteration=lambda *_: False)
        thetas = sorted(thetas, key=rounded_value)[: -(-len(thetas) // 4)]
    return thetas[0]


def _run(plan, samples, thetas, penalty, rng, title, task, state, watch):
    """Minimise J from θ; keep the best iterate."""
    objective = plan.objective(samples, **penalty)
    theta = thetas[0] if len(thetas) == 1 else _race(plan.solver, objective, thetas)
    stopping = Stopping(theta, watch.tol, watch.patience)
    monitor = Monitor(stopping, watch.validate, title, plan.solver.n_iter)
    _tell(monitor, task, objective)
    result = plan.solver.solve(
        objective,
        theta,
        on_iteration=monitor,
        rng=rng,
        state=state,
        on_restart=stopping.restart,
        on_begin=monitor.on_begin,
    )
    monitor.close()
    theta, penalty = stopping.best_theta, objective.penalty
    posterior = None if penalty is None else posterior_of(objective, theta)
    loss, curve, values = monitor.best_loss, monitor.loss_curve, stopping.values
    return Run(theta, loss, curve, values, penalty, posterior, *result)


def _search(searched, plan, samples, thetas, penalty, rng, title, task, state, watch):
    """Find α from θ; keep what the evidence prefers, or else what is best validated."""
    objective, solver = plan.objective(samples, **penalty), plan.solver
    patience = np.inf if watch.validate is None else watch.patience
    stopping = Stopping(thetas[0], watch.tol, patience)
    monitor = Monitor(stopping, watch.validate, title)
    _tell(monitor, task, objective)
    how = solver, monitor, solver.max_iter, monitor.on_begin
    found = searched(objective, thetas, *how)
    monitor.close()
    theta, posterior, penalty = found.theta, found.posterior, found.penalty
    loss = found.loss
    if watch.validate is not None:
        theta, penalty = stopping.best_theta, stopping.best_extra
        posterior = posterior_of(objective.penalized_by(penalty), theta)
        loss = monitor.best_loss
    curve, values = monitor.loss_curve, stopping.values
    return Run(theta, loss, curve, values, penalty, posterior, None, None)


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
    alphas = np.array([run.penalty.strengths(plan.layout) for run in runs])
    evidences = [posterior.log_evidence for posterior in posteriors]
    density = weight * np.log(scale).sum()  # of ỹ, as that of y
    told = {
        "_posteriors": posteriors,
        "alpha_": _simplest(alphas),
        "n_effective_parameters_": float(np.mean([p.n_effective for p in posteriors])),
        "log_evidence_": float(np.mean(evidences) - density),
    }
    unit = plan.coder.output_unit
    if unit.has_noise and unit.has_mean:
        noise = np.mean([posterior.noise_variance for posterior in posteriors])
        power = 2 - unit.variance_power
        told["noise_variance_"] = plan.coder.per_output(noise * scale**power)
    if len(runs[0].penalty.alpha) == plan.layout.n_in + 1:
        relevance = np.mean(1 / alphas[:, :-1], axis=0)
        told["feature_relevance_"] = relevance / relevance.sum()
    return told


def _simplest(alphas):
    """A float where all are one number, a vector where there is one row."""
    if len(alphas) > 1:
        return alphas
    (row,) = alphas
    return float(row[0]) if len(set(row)) == 1 else row
