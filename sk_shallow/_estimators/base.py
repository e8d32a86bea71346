"""The estimators: the one place where strings become objects. Nothing is computed here.

`fit` builds an objective, hands it to a solver that sees only a flat vector, and keeps
the vector.
"""

import copy
import warnings
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sk_shallow._choice.defaults import Choice, Problem, choose
from sk_shallow._data.scaling import Standardizer, input_spread, unfold
from sk_shallow._data.splitting import hold_out
from sk_shallow._estimators.parameters import (
    check_alpha,
    check_honoured,
    check_no_early_stopping,
    check_parameters,
    check_score,
    check_validation_data,
    check_weights,
    check_X,
    finds_alpha,
)
from sk_shallow._model.initializers import INITIALIZERS, first_weights
from sk_shallow._model.layout import Layout, merged, unmerged
from sk_shallow._model.network import output
from sk_shallow._solvers import SOLVERS, able, constant
from sk_shallow._training.train import (
    RACE_STEEPNESS,
    Plan,
    Start,
    Watch,
    mean_curve,
    penalties,
    starts_of,
    summary,
    train,
)
from sk_shallow.activations import ACTIVATIONS, check_slope

# Fitted attributes that only some fits leave.
_OPTIONAL_ATTRIBUTES = (
    "validation_scores_",
    "alpha_",
    "noise_variance_",
    "n_effective_parameters_",
    "log_evidence_",
    "feature_relevance_",
    "_posteriors",
)
# Parameters that only some solvers have; None stands for the solver's own default.
_SOLVER_PARAMETERS = (
    "batch_size",
    "learning_rate_init",
    "momentum",
    "nesterovs_momentum",
    "max_iter",
)


class _Progress(NamedTuple):
    """What training needs, beside the weights, to go on where it was."""

    rng: np.random.Generator
    weight: float
    x: Standardizer
    y: Standardizer
    solver_state: Any = None

    def after(self, earlier):
        """What earlier samples and these together give, with the earlier state."""
        return self._replace(
            weight=earlier.weight + self.weight,
            x=earlier.x.merge(self.x),
            y=earlier.y.merge(self.y),
            solver_state=earlier.solver_state,
        )


@contextmanager
def _unchanged_on_failure(estimator):
    """Put every attribute back if the block raises, Ctrl-C included."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def is_incremental(estimator):
    """Whether the solver can go on from its state; the reason, if not."""
    solver = SOLVERS.get(estimator.solver)
    if solver is None or solver.incremental:
        return True
    raise AttributeError(
        f"partial_fit is not available with solver={estimator.solver!r}, which needs "
        "all samples at once. Use 'adam', 'sgd' or 'gd'."
    )


class ShallowNN(BaseEstimator):
    """What the classifier and the regressor share: they differ in what y is."""

    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Inputs; never written to.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets: numbers, class labels, or a multilabel indicator matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights: a sample of weight k counts as k copies, one of weight 0 as absent.
        X_val, y_val, sample_weight_val : array-like, default=None
            Samples for early stopping, instead of a part of X.

        Returns
        -------
        self : object
            The fitted estimator. If anything raises, Ctrl-C included, it is as it was
            before the call.

        Raises
        ------
        ValueError
            If a parameter or the data is not valid, or if the chosen solver cannot
            honour a parameter that was set.
        """
        with _unchanged_on_failure(self):
            check_parameters(self)
            check_validation_data(self.early_stopping, X_val, y_val, sample_weight_val)
            data = self._check_data(X, y, sample_weight, reset=True)
            coder = self._make_coder(data.y)
            choice = self._choose(data, coder)
            layout = self._layout(choice, coder)
            start = self._weights_for(layout, coder) if self.warm_start else None
            rng = self._rng(start)
            if X_val is not None:
                held_out = self._check_data(
                    X_val, y_val, sample_weight_val, reset=False
                )
                coder.check(held_out.y, "y_val")
            elif self.early_stopping:
                data, held_out = self._hold_out(data, coder, rng)
            else:
                held_out = None
            data = self._class_weighted(data, coder)
            progress = _Progress(rng, *self._measured(data, coder))
            odds = cache(partial(coder.noise_odds, data))
            alpha = self._alpha(choice, data, coder, start, odds)
            solver = self._make_solver(choice, layout, data, coder, odds)
            self._train(choice, solver, alpha, data, held_out, coder, start, progress)
        return self

    def _partial_fit(self, X, y, sample_weight, make_coder):
        """One epoch over these samples."""
        with _unchanged_on_failure(self):
            check_parameters(self)
            check_no_early_stopping(self.early_stopping)
            first = not hasattr(self, "coefs_")
            data = self._check_data(X, y, sample_weight, reset=first)
            coder = make_coder(data.y) if first else self._coder
            coder.check(data.y)
            choice = self._choose(data, coder, incremental=True)
            layout = self._layout(choice, coder)
            start = None if first else self._weights_for(layout, coder)
            data = self._class_weighted(data, coder)
            progress = _Progress(self._rng(start), *self._measured(data, coder))
            if start is not None:
                progress = progress.after(self._progress)
            odds = partial(coder.noise_odds, data)
            alpha = self._alpha(choice, data, coder, start, odds)
            solver = self._make_solver(choice, layout, data, coder)
            solver = replace(solver, max_iter=1, schedule=constant, has_budget=True)
            self._train(choice, solver, alpha, data, None, coder, start, progress)
        return self

    def _train(self, choice, solver, alpha, data, held_out, coder, start, progress):
        """Minimise J from the start, or from random weights; keep the best iterate."""
        layout = self._layout(choice, coder)
        if not solver.trains_together:
            layout = layout.member
        activation = self._make_activation(choice)
        plan = Plan(layout, activation, coder, solver, progress.x, progress.y)
        share = float(data.weights.sum()) / progress.weight
        samples = plan.samples(data)
        rngs = progress.rng.spawn(choice.n_estimators)
        turns = self._turns(alpha, plan, data, rngs)
        is_drawn = start is None and held_out is None and self.init == "auto"
        races = is_drawn and plan.can_race(data.X.shape[0], alpha)
        first = [
            self._first_weights(plan, data, start, rngs, turns, steeper)
            for steeper in (RACE_STEEPNESS if races else (None,))
        ]

        def model_at(theta):
            return self._keep(copy.copy(self), plan, [theta], data.X.dtype)

        validate = self._validator(held_out, plan, samples.Y.dtype, model_at)
        starts = plan.starts(first, samples.Y.dtype)
        runs = train(
            plan,
            samples,
            starts,
            penalties(plan, alpha, share, turns[: len(starts)]),
            self._solver_state(choice, start),
            rngs if len(starts) > 1 else [progress.rng],
            Watch(self.tol, self._patience(solver, validate), validate, self.verbose),
            self.n_jobs,
        )
        for message in {run.message for run in runs if run.message}:
            warnings.warn(message, ConvergenceWarning, stacklevel=3)
        self._keep(self, plan, [run.theta for run in runs], data.X.dtype)
        self._progress = progress._replace(solver_state=runs[0].state)
        self._report(choice, runs, alpha, validate)
        if runs[0].posterior is not None:
            vars(self).update(summary(plan, runs, progress.weight))

    def _alpha(self, choice, data, coder, start, odds):
        """The α that was set, or that of the first samples, or the rule's."""
        if self.alpha is not None:
            return check_alpha(self.alpha, self.n_features_in_, choice.n_estimators)
        if SOLVERS[choice.solver].finds_alpha:
            return "evidence"
        if start is not None and isinstance(self.alpha_, float):
            return self.alpha_
        return coder.default_alpha(odds(), data)

    def _turns(self, alpha, plan, data, rngs):
        """Where each member's search for α begins, if α is to be found."""
        if not isinstance(alpha, str):
            return [Start()] * len(rngs)
        suggested = self._suggested_alpha(plan.coder, data)
        are_numbers = plan.coder.output_unit.has_noise
        return starts_of(len(rngs), data.weights.sum(), suggested, are_numbers)

    def _suggested_alpha(self, coder, data):
        """A function of nothing: the α that suits the noise, measured once."""
        return cache(lambda: coder.default_alpha(coder.noise_odds(data), data))

    def _patience(self, solver, validate):
        """How many iterations to wait; with a budget there is nothing to wait for."""
        patient = validate is None and solver.has_budget
        return np.inf if patient else self.n_iter_no_change

    def _first_weights(self, plan, data, start, rngs, turns, steeper):
        """The weights of each member to start from, in standardised units."""
        if start is not None:
            return [unfold(*weights, plan.x, plan.y) for weights in start]
        b2 = plan.coder.first_bias(data.y, data.weights)
        is_spread = plan.solver.finds_alpha and self.init == "auto" and not steeper
        spread = plan.x.spread if is_spread else 0.0
        how = INITIALIZERS[self.init], plan.layout.member, b2
        return [
            first_weights(rng, *how, steeper or turn.steepness, spread)
            for rng, turn in zip(rngs, turns, strict=True)
        ]

    def _report(self, choice, runs, alpha, validate):
        """The fitted attributes that tell how training went."""
        for name in _OPTIONAL_ATTRIBUTES:
            vars(self).pop(name, None)
        self.solver_, self.n_hidden_, self.activation_, self.n_estimators_ = choice
        self.loss_curve_ = mean_curve([run.loss_curve for run in runs])
        self.n_iter_ = len(self.loss_curve_)
        self.loss_ = float(np.mean([run.loss for run in runs]))
        if validate is not None:
            values = mean_curve([run.values for run in runs])
            self.validation_scores_ = [-value for value in values]
        if runs[0].posterior is None:
            self.alpha_ = float(alpha)

    def _keep(self, model, plan, thetas, dtype):
        """Give the model the weights of θ, in original units."""
        members = plan.members(thetas)
        b1, W1, W2, b2 = check_weights(merged(members), dtype)
        model.coefs_, model.intercepts_ = [W1, W2], [b1, b2]
        model._output_biases = [np.asarray(bias, dtype) for *_, bias in members]
        model._activation, model._coder = plan.activation, plan.coder
        model.n_outputs_, model.n_layers_ = plan.coder.n_outputs, 3
        model.out_activation_ = plan.coder.output_unit.activation
        return model

    def _choose(self, data, coder, incremental=False):
        """What the parameters that were not set stand for."""
        parameters = self.n_hidden, self.activation, self.n_estimators
        given = Choice(self.solver, *parameters)
        requested = self._requested()
        solvers = able(requested)
        if incremental:
            solvers = [name for name in solvers if SOLVERS[name].incremental]
        if hasattr(self, "coefs_") and (incremental or self.warm_start):
            given = given.filled(self.n_hidden_, self.activation_, self.n_estimators_)
            if given.solver == "auto" and self.solver_ in solvers:
                given = given._replace(solver=self.solver_)
        if self.alpha is not None and not finds_alpha(self.alpha):
            solvers = [name for name in solvers if name != "lm"]
        are_numbers = coder.output_unit.has_noise
        alpha = self._suggested_alpha(coder, data) if are_numbers else None
        is_sparse = not isinstance(data.X, np.ndarray)
        problem = Problem(*data.X.shape, coder.n_outputs, is_sparse, alpha)
        searches = finds_alpha(self.alpha) and not incremental
        choice = choose(given, problem, solvers, searches)
        check_honoured(choice.solver, requested, self.alpha)
        return choice

    def _requested(self):
        """The hyperparameters of solvers that the user has set."""
        values = {name: getattr(self, name) for name in _SOLVER_PARAMETERS}
        return {name: value for name, value in values.items() if value is not None}

    def _layout(self, choice, coder):
        """The sizes of the whole committee."""
        sizes = self.n_features_in_, choice.n_hidden, coder.n_outputs
        return Layout(*sizes, choice.n_estimators)

    def _weights(self):
        """The fitted weights, as the kernel takes them."""
        (W1, W2), (b1, b2) = self.coefs_, self.intercepts_
        return b1, W1, W2, b2

    def _weights_for(self, layout, coder):
        """The fitted weights of each member, if they fit; else None, with a warning."""
        if not hasattr(self, "coefs_"):
            return None
        b1, W1, W2, b2 = self._weights()
        n_members = len(self._output_biases)
        fitted = Layout(len(W1), len(W2) // n_members, len(b2), n_members)
        if fitted == layout and coder.codes_like(self._coder):
            return unmerged(b1, W1, W2, self._output_biases)
        warnings.warn(
            "The number of features, hidden units or outputs, or the classes, differ "
            "from those of the fitted network: training starts afresh.",
            UserWarning,
            stacklevel=4,
        )
        return None

    def _rng(self, start):
        """A copy of the generator to go on with, or a new one from random_state."""
        if start is not None:
            return copy.deepcopy(self._progress.rng)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        return np.random.default_rng(seed)

    def _solver_state(self, choice, start):
        """The state to go on from, if the same solver left it."""
        if start is None or self.solver_ != choice.solver:
            return None
        return self._progress.solver_state

    def _measured(self, data, coder):
        """The total weight, and the standardizers of X and of y."""
        n_features, w = data.X.shape[1], data.sample_weight
        total = float(data.weights.sum())
        if not self.standardize:
            x, y = map(Standardizer.identity, (n_features, coder.n_outputs))
            return total, x, y
        x = Standardizer.of(data.X, w, input_spread(n_features))
        return total, x, coder.standardizer(data.y, w)

    def _make_activation(self, choice):
        """The hidden activation; an object of the user's has its slope checked."""
        if isinstance(choice.activation, str):
            return ACTIVATIONS[choice.activation]
        check_slope(choice.activation)
        return choice.activation

    def _make_solver(self, choice, layout, data, coder, odds=None):
        """The solver, with the hyperparameters that the user has set.

        `odds()` are those of noise: the number of steps may depend on them.
        """
        solver = SOLVERS[choice.solver](**self._requested())
        is_open = odds is not None and solver.has_budget and solver.max_iter is None
        noise = odds() ** 2 if is_open and coder.output_unit.has_noise else None
        return solver.sized(data.X.shape[0], layout, noise)

    def _hold_out(self, data, coder, rng):
        """The samples to train on, and those held out."""
        train, held_out = hold_out(
            data.X.shape[0], self.validation_fraction, rng, coder.strata(data.y)
        )
        return data.take(train), data.take(held_out)

    def _validator(self, held_out, plan, dtype, model_at):
        """`validate(theta)`, lower is better; None without early stopping."""
        if held_out is None:
            return None
        if self.scoring == "loss":
            return plan.objective(plan.samples(held_out, dtype)).value
        scorer = check_scoring(self, self.scoring)
        weights = {}
        if held_out.sample_weight is not None:
            weights["sample_weight"] = held_out.sample_weight

        def validate(theta):
            score = scorer(model_at(theta), held_out.X, held_out.y, **weights)
            return -check_score(score, self.scoring)

        return validate

    def _outputs(self, X):
        """Z2."""
        check_is_fitted(self, "coefs_")
        X = check_X(self, X)
        weights = (w.astype(X.dtype, copy=False) for w in self._weights())
        return output(X, *weights, self._activation)

    def __getstate__(self):
        """Pickles hold parameters, not the solver's buffers."""
        state = dict(super().__getstate__())
        if "_progress" in state:
            state["_progress"] = state["_progress"]._replace(solver_state=None)
        return state

    def __sklearn_tags__(self):
        """Sparse input is welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
