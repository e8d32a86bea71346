"""What the estimators share: strings become objects here. Nothing is computed.

`fit` builds an objective, hands it to a solver that sees only a flat vector, and keeps
the vector.
"""

import copy
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from typing import Any, Self, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sk_shallow._arrays.design import by_rows
from sk_shallow._choice.candidates import (
    Facts,
    Settings,
    candidates,
    continued,
    incremental,
    unjudged,
)
from sk_shallow._choice.choice import choose
from sk_shallow._data.constraints import check_parameters, plain
from sk_shallow._data.samples import Data
from sk_shallow._data.splitting import hold_out
from sk_shallow._estimators.callbacks import Callbacks, apart_from_a_fit, told
from sk_shallow._estimators.exported import Exported
from sk_shallow._estimators.parameters import (
    PARAMETERS,
    check_alpha,
    check_cv,
    check_directions,
    check_groups,
    check_honoured,
    check_monotone,
    check_no_early_stopping,
    check_not_whitened,
    check_score,
    check_unit,
    check_validation_data,
    check_weights,
    explained_by,
    read_fitted,
    read_weights,
    read_X,
)
from sk_shallow._model.initializers import INITIALIZERS
from sk_shallow._model.layout import merged, unmerged
from sk_shallow._model.network import layer, output
from sk_shallow._solvers import SOLVERS, able
from sk_shallow._training.inspection import by_feature, importances, input_gradients
from sk_shallow._training.problem import Problem
from sk_shallow._training.recipe import ENCODINGS
from sk_shallow._training.train import (
    Progress,
    Watch,
    mean_curve,
    silenced,
    summary,
    train_on,
)
from sk_shallow._typing import Array, DataLike, Floats
from sk_shallow._version import Versioned
from sk_shallow.activations import ACTIVATIONS, Activation, check_slope
from sk_shallow.preprocessing import PiecewiseLinearEncoder

# Parameters that only some solvers have; None stands for the solver's own default.
_SOLVER_PARAMETERS = (
    "batch_size",
    "learning_rate_init",
    "momentum",
    "nesterovs_momentum",
    "max_iter",
)
# Fitted attributes that only some fits leave.
_OPTIONAL_ATTRIBUTES = (
    "validation_scores_",
    "alpha_",
    "noise_variance_",
    "n_effective_parameters_",
    "log_evidence_",
    "feature_relevance_",
)


@contextmanager
def unchanged_on_failure(estimator):
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


_Method = TypeVar("_Method", bound=Callable[..., Any])


def if_incremental(method: _Method) -> _Method:
    """A method that is there where `is_incremental`, with the type that it has."""
    return available_if(is_incremental)(method)


class ShallowNN(Exported, Versioned, Callbacks, BaseEstimator):
    """What the classifier and the regressor share: they differ in what y is."""

    coefs_: list[Floats]
    intercepts_: list[Floats]
    loss_: float
    loss_curve_: list[float]
    n_iter_: int
    search_results_: dict[str, list[Any]]
    encoding_: str | None
    encoder_: PiecewiseLinearEncoder | None
    validation_scores_: list[float]
    solver_: str
    n_hidden_: int
    n_estimators_: int
    activation_: str | Activation
    alpha_: float | Floats
    n_effective_parameters_: float
    log_evidence_: float
    feature_relevance_: Floats
    out_activation_: str
    n_outputs_: int
    n_layers_: int
    n_features_in_: int
    feature_names_in_: Array

    def fit(
        self,
        X: DataLike,
        y: DataLike,
        sample_weight: DataLike | None = None,
        *,
        groups: DataLike | None = None,
        X_val: DataLike | None = None,
        y_val: DataLike | None = None,
        sample_weight_val: DataLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Inputs; never written to. A frame may have columns of numbers, categories,
            strings and booleans. NaN is a value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets: numbers, class labels, or a multilabel indicator matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights: a sample of weight k counts as k copies, one of weight 0, or below
            1e-30 of the largest, as absent. Where their mean is below 1 they are
            relative, and brought to the mean 1. They may sum to 1e100.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group are in one fold.
        X_val, y_val, sample_weight_val : array-like, default=None
            Samples for early stopping, instead of a part of X, with the columns that X
            has here. In a Pipeline, `transform_input=["X_val"]` sends X_val through the
            steps before, as in the example. An X_val that no step has transformed, as
            in `pipeline.fit(X, y, net__X_val=X_val)`, has other units than X: training
            then stops by inputs that mean nothing, and no error tells if it has as many
            columns.

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

        Examples
        --------
        >>> from sklearn import config_context
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import PowerTransformer
        >>> from sk_shallow import ShallowNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> with config_context(enable_metadata_routing=True):
        ...     net = ShallowNNClassifier(20, early_stopping=True, random_state=0)
        ...     net = net.set_fit_request(X_val=True, y_val=True)
        ...     steps = PowerTransformer(), net
        ...     pipeline = make_pipeline(*steps, transform_input=["X_val"])
        ...     pipeline = pipeline.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
        >>> bool(pipeline.score(X, y) > 0.9)
        True
        """
        with unchanged_on_failure(self):
            check_parameters(self, PARAMETERS)
            check_validation_data(self.early_stopping, X_val, y_val, sample_weight_val)
            data = self._read(X, y, sample_weight, groups, reset=True)
            coder = self._make_coder(data.y)
            coder.check(data.y, is_all=True)
            is_further = self.warm_start and self._can_go_on(coder)
            rng = self._rng(is_further)
            held_out = None
            if X_val is not None:
                held_out = self._read(X_val, y_val, sample_weight_val)
                coder.check(held_out.y, "y_val")
            elif self.early_stopping:
                data, held_out = self._hold_out(data, coder, rng)
            problem = self._problem(data, coder, rng)
            with told(self, "fit", X, data) as fit:
                if is_further:
                    recipe, members = self._recipe_now(), self._members()
                    self._train(recipe, problem, rng, held_out, members, fit=fit)
                else:
                    self._fit_anew(problem, rng, held_out, fit)
                self._importances = importances(self._plan, self._weights(), problem)
        return self

    def _fit_anew(self, problem, rng, held_out, fit):
        """Let the folds choose what is open; then train, or keep what they trained."""
        settings = self._settings()
        facts = Facts.of(problem, settings)
        recipes = candidates(settings, facts)
        check_honoured(recipes[0].solver, self._requested(), self.alpha)
        problem.plan(recipes[0])  # complains of what is too large
        cv = None if self.cv is None else check_cv(self._value("cv"), self._n_samples)
        verbose = self._value("verbose")
        is_trained = (
            settings.is_one or held_out is not None or self.max_iter is not None
        )
        race = None
        if fit is not None:
            race = partial(fit.race, partial(self._with_contender, rng), is_trained)
        how = cv, verbose, race, self._value("n_jobs")
        winner, table = choose(problem, settings, facts, recipes, *how)
        self.search_results_ = table
        if winner is None:
            self._train(unjudged(settings, recipes[0]), problem, rng, held_out, fit=fit)
            return
        problem = winner.problem
        if is_trained:
            budget = winner.best if self.max_iter is None else None
            how = {"budget": budget, "fit": fit}
            self._train(winner.recipe, problem, rng, held_out, **how)
        else:
            progress = Progress.of(problem, winner.plan, rng)
            self._keep_all(winner.recipe, winner.plan, [winner.run()], progress)
        if problem.coder.are_numbers:
            self._residuals = winner.residuals()
        self._keeps_holders = not is_trained
        for category, message in winner.complaints():
            warnings.warn(message, category, stacklevel=3)

    def _partial_fit(self, X, y, sample_weight, make_coder):
        """One epoch over these samples."""
        with unchanged_on_failure(self):
            check_parameters(self, PARAMETERS)
            check_no_early_stopping(self.early_stopping)
            first = not hasattr(self, "coefs_")
            data = self._read(X, y, sample_weight, reset=first)
            coder = make_coder(data.y) if first else self._plan.coder
            coder.check(data.y)
            self._check_same_targets(data.y)
            is_further = not first and self._can_go_on(coder)
            rng = self._rng(is_further)
            problem = self._problem(data, coder, rng)
            if is_further:
                recipe, members = self._recipe_now(True), self._members()
                earlier = self._progress
            else:
                check_not_whitened(self.encoding)
                recipe = incremental(self._settings())
                check_honoured(recipe.solver, self._requested(), self.alpha)
                members = earlier = None
            n_before = 0.0 if earlier is None else earlier.n_before
            solver = recipe.solver.for_one_epoch(
                problem.data.n_samples, n_before, self.learning_rate_init is not None
            )
            recipe = recipe._replace(solver=solver)
            with told(self, "partial_fit", X, data) as fit:
                how = {"earlier": earlier, "fit": fit}
                self._train(recipe, problem, rng, None, members, **how)
                if earlier is None:
                    self._progress = self._progress._replace(is_stream=True)
                self._is_partial = True
        return self

    def hidden_layer(self, X: DataLike) -> Floats:
        """A1, what the hidden units give: the inputs of the output layer.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            The units of the members of a committee stand side by side.
        """
        _, inputs = self._read_inputs(X)
        b1, W1, *_ = (w.astype(inputs.dtype, copy=False) for w in self._weights())
        return layer(inputs, b1, W1, self._plan.activation)

    def input_gradients(self, X: DataLike) -> Floats:
        """∂Z2/∂X, how the outputs before h change with the features.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (n_samples, n_outputs, n_features)
            In the units of `decision_function`, or of y (of log y where the output
            activation is "exp"), by those of X. NaN for features of labels; at the
            kinks of a piecewise linear encoding the mean of both sides. Of several
            levels of quantiles the one nearest to the median is an output; the others
            are the steps to them, before their softplus.
        """
        X = self._read_columns(X)
        found = input_gradients(self._plan, self._weights(), X)
        return found[:, 0] if self.n_outputs_ == 1 else found

    @property
    def feature_importances_(self) -> Floats:
        """How much each feature matters; the sum is 1.

        The mean size of `input_gradients` times the spread of the feature, over all
        outputs and at most 256 samples of the fit; where a feature becomes several
        inputs, as bins or labels, their sum. With `alpha="ard"` it is
        `feature_relevance_`, in the same way. All are 0 where outputs are constant.

        Raises
        ------
        AttributeError
            Before the end of `fit`, and after `partial_fit`, which sees some samples at
            a time.
        """
        check_is_fitted(self, "coefs_")
        if hasattr(self, "feature_relevance_"):
            return by_feature(self._plan, self.feature_relevance_)
        if self._importances is None:
            raise AttributeError(
                "feature_importances_ is not available after partial_fit, which sees "
                "some samples at a time, nor before fit has ended. Call fit, or use "
                "input_gradients."
            )
        return self._importances.copy()

    def _train(
        self,
        recipe,
        problem,
        rng,
        held_out,
        members=None,
        *,
        earlier=None,
        budget=None,
        fit=None,
    ):
        """Train these members, or drawn ones, on all samples; keep the networks."""
        if members is not None:
            new = problem.go_on(recipe.binning, self._plan.encoding)
            members = silenced(members, new)
        plan = problem.plan(recipe)
        progress = Progress.of(problem, plan, rng)
        if earlier is not None:
            progress = progress.after(earlier, new)
            plan = plan._replace(x=progress.x, y=progress.y)
        if members is not None and recipe.solver.name == self.solver_:
            progress = progress._replace(solver_state=self._progress.solver_state)
        if budget is not None:
            solver = plan.solver.for_steps(budget, problem.data.n_samples)
            plan = plan._replace(solver=solver)
        precision = plan.solver.precision(problem.data.n_samples)
        validate = self._validator(held_out, plan, precision)
        is_patient = validate is None and plan.solver.ends_with_budget
        patience = np.inf if is_patient else self._value("n_iter_no_change")
        task = None
        if fit is not None:
            made = partial(self._with_run, recipe, plan.of_run, problem, progress)
            task = fit.training(made)
        runs = train_on(
            plan,
            problem,
            recipe.binning,
            members,
            Watch(self._value("tol"), patience, validate, self._value("verbose")),
            self._value("n_jobs"),
            alpha=check_alpha(recipe.alpha, len(plan.x.mean), recipe.n_members),
            progress=progress,
            earlier=earlier,
            begin=1.0 if members is None else self.alpha_,
            task=task,
        )
        self._range = None if runs[0].posterior is None else problem.range
        for message in {run.message for run in runs if run.message}:
            warnings.warn(message, ConvergenceWarning, stacklevel=4)
        self._keep_all(recipe, plan.of_run, runs, progress)

    def _with_contender(self, rng, contender):
        """The attributes that there would be, had the race ended with a contender."""
        recipe, plan, problem = contender.recipe, contender.plan, contender.problem
        progress = Progress.of(problem, plan, rng)
        return self._with_run(recipe, plan, problem, progress, contender.run)

    def _with_run(self, recipe, plan, problem, progress, run):
        """The attributes that there would be, had training ended with `run()`."""
        other, rng = copy.copy(self), copy.deepcopy(progress.rng)
        other._range = problem.range
        other._keep_all(recipe, plan, [run()], progress._replace(rng=rng))
        return vars(other)

    def _keep_all(self, recipe, plan, runs, progress):
        """The networks, and the fitted attributes that tell how training went."""
        for name in _OPTIONAL_ATTRIBUTES:
            vars(self).pop(name, None)
        self._posteriors = self._residuals = self._importances = None
        self._keeps_holders = self._is_partial = False
        self._keep(self, plan, [run.theta for run in runs])
        self._progress = progress._replace(solver_state=runs[0].state)
        self._recipe = recipe._replace(solver=None)
        self.solver_, self.activation_ = recipe.solver.name, recipe.activation_name
        self.n_hidden_, self.n_estimators_ = recipe.n_hidden, len(self._output_biases)
        self.encoding_ = recipe.encoding_name
        self.encoder_ = self._encoder(plan.encoding, recipe.binning)
        self.loss_curve_ = mean_curve([run.loss_curve for run in runs])
        self.n_iter_ = len(self.loss_curve_)
        self.loss_ = float(np.mean([run.loss for run in runs]))
        if self.early_stopping and runs[0].values:
            values = mean_curve([run.values for run in runs])
            self.validation_scores_ = [-value for value in values]
        if runs[0].posterior is None:
            self.alpha_ = float(recipe.alpha)
        else:
            vars(self).update(summary(plan, runs, progress.weight))

    def _keep(self, model, plan, thetas):
        """Give the model the weights of θ, in original units."""
        members, dtype = plan.members(thetas), self._dtype
        check_unit(plan.y.scale, dtype)
        b1, W1, W2, b2, V = check_weights(merged(members), dtype)
        path = [V] if plan.layout.has_path else []
        model.coefs_, model.intercepts_ = [W1, W2, *path], [b1, b2]
        own = [[np.asarray(w, dtype) for w in member[3:]] for member in members]
        model._output_biases, model._paths = map(list, zip(*own, strict=True))
        model._plan = plan._replace(solver=None)
        model._n_features = self.n_features_in_
        model.n_outputs_, model.n_layers_ = plan.coder.n_outputs, 3
        model.out_activation_ = plan.coder.output_unit.activation
        return model

    def _encoder(self, encoding, binning):
        """The public transformer; None where the columns stand as they are."""
        if encoding is None or encoding.is_identity:
            return None
        return PiecewiseLinearEncoder.fitted(
            encoding,
            self,
            n_bins=binning.n_bins,
            quantiles=binning.quantiles,
            clip=True,
        )

    def _read(self, X, y, sample_weight=None, groups=None, *, reset=False):
        """Checked samples of positive weight."""
        how = self.categorical_features if reset else self._is_categorical
        X = read_X(self, X, y, categorical_features=how, reset=reset)
        n_samples = X.shape[0]
        y = self._read_y(y, n_samples)
        if reset:
            self._is_categorical = getattr(X, "is_categorical", None)
            self._dtype, self._n_samples = X.dtype.name, n_samples
        w = read_weights(sample_weight, n_samples)
        return Data.of(X, y, w, check_groups(groups, n_samples))

    def _read_inputs(self, X):
        """The columns of numbers in X, and X as the network takes it: a matrix."""
        X = self._read_columns(X)
        return getattr(X, "numbers", None), self._plan.inputs(X)

    def _read_columns(self, X):
        """The columns of X, checked against those of the fit."""
        check_is_fitted(self, "coefs_")
        return read_X(self, X, categorical_features=self._is_categorical)

    def _by_outputs(self, X, tell):
        """What `tell(Z2)` gives."""

        def told(inputs):
            return (tell(self._outputs_of(inputs)),)

        _, inputs = self._read_inputs(X)
        (all_told,) = by_rows(told, inputs)
        return all_told

    def _outputs_of(self, inputs):
        """Z2, of the inputs of the network."""
        weights = (w.astype(inputs.dtype, copy=False) for w in self._weights())
        return output(inputs, *weights, self._plan.activation)

    def _member_outputs(self, X):
        """Z2 of each member, of shape (n_members, n_outputs, n_samples)."""
        g = self._plan.activation
        return np.array([output(X, *weights, g) for weights in self._members()])

    def _told_by_members(self, X):
        """What the committee predicts, and a list of what each member does."""
        _, inputs = self._read_inputs(X)
        outputs = self._member_outputs(inputs)
        return self._told(outputs.mean(axis=0)), [self._told(Z2) for Z2 in outputs]

    def _problem(self, data, coder, rng):
        """The samples of the fit, with the weights of the classes."""
        draw, seed = INITIALIZERS[self.init], int(rng.integers(2**63))
        data = self._class_weighted(data, coder)
        how = draw, bool(self.standardize), self.init == "auto"
        return Problem(data, coder, *how, seed, self._directions(coder))

    def _directions(self, coder):
        """The direction of each feature in which outputs are monotone, or None."""
        names = getattr(self, "feature_names_in_", None)
        is_categorical = self._is_categorical
        if is_categorical is None:
            is_categorical = np.zeros(self.n_features_in_, bool)
        directions = check_directions(
            self.monotonic_cst, self.n_features_in_, names, is_categorical
        )
        if directions is not None:
            activation = self._make_activation()
            how = self.solver, self.alpha, self.encoding, activation
            check_monotone(coder, *how)
        return directions

    def _settings(self):
        """What is set, as objects; None is open."""
        requested, n_members = self._requested(), self._value("n_estimators")
        names = able(requested) if self.solver == "auto" else [self.solver]
        if self.solver != "auto":
            check_honoured(SOLVERS[self.solver], requested, self.alpha)
        return Settings(
            [SOLVERS[name](**requested) for name in names],
            self._value("n_hidden"),
            n_members,
            self._make_activation(),
            self._value("alpha"),
            None if self.encoding == "auto" else (ENCODINGS[self.encoding],),
            self.n_hidden is not None or self.solver != "auto" or n_members == 1,
            self.cv is not None,
            bool(self.linear_path),
        )

    def _requested(self):
        """The hyperparameters of solvers that the user has set."""
        values = {name: self._value(name) for name in _SOLVER_PARAMETERS}
        return {name: value for name, value in values.items() if value is not None}

    def _value(self, name):
        """What a parameter is, numbers as Python's."""
        return plain(getattr(self, name), PARAMETERS[name])

    def _make_activation(self):
        """The hidden activation; an object of the user's has its slope checked."""
        if not isinstance(self.activation, str):
            check_slope(self.activation)
            return self.activation
        return None if self.activation == "auto" else ACTIVATIONS[self.activation]

    def _recipe_now(self, is_incremental=False):
        """The recipe of the fitted network, with what has been set since."""
        kind = SOLVERS[self.solver_]
        recipe = continued(self._settings(), self._recipe, kind, is_incremental)
        check_honoured(recipe.solver, self._requested(), self.alpha)
        return recipe

    def _members(self):
        """The fitted weights of each member."""
        biases = self._output_biases
        n_units = len(biases) * self._plan.layout.n_hidden
        return unmerged(*self._weights(n_units), biases, self._paths)

    def _weights(self, n_units=None):
        """The fitted weights, as the kernel takes them; of so many units, if given."""
        return read_fitted(self.coefs_, self.intercepts_, self._plan.layout, n_units)

    def _can_go_on(self, coder):
        """Whether training can go on from the fitted weights; a warning, if not."""
        if not hasattr(self, "coefs_"):
            return False
        is_same = (
            self.n_features_in_ == self._n_features
            and self.n_hidden in (None, self.n_hidden_)
            and self.n_estimators in (None, self.n_estimators_)
            and bool(self.linear_path) == self._plan.layout.has_path
            and coder.codes_like(self._plan.coder)
        )
        if not is_same:
            warnings.warn(
                "The number of features, hidden units or outputs, the classes or the "
                "loss differ from those of the fitted network: training starts afresh.",
                UserWarning,
                stacklevel=3,
            )
        return is_same

    def _rng(self, is_further):
        """A copy of the generator to go on with, or a new one from random_state."""
        if is_further:
            return copy.deepcopy(self._progress.rng)
        seed = check_random_state(self._value("random_state")).randint(2**31 - 1)
        return np.random.default_rng(seed)

    def _hold_out(self, data, coder, rng):
        """The samples to train on, and those held out."""
        train, held_out = hold_out(
            data.n_samples,
            self._value("validation_fraction"),
            rng,
            coder.strata(data.y),
        )
        return data.take(train), data.take(held_out)

    def _validator(self, held_out, plan, dtype):
        """`validate(theta)`, lower is better; None without early stopping."""
        if held_out is None:
            return None
        if self.scoring == "loss":
            one = plan.of_run
            return one.objective(one.samples(held_out, dtype)).value
        scorer = check_scoring(self, self.scoring)

        def validate(theta):
            model = self._keep(copy.copy(self), plan, [theta])
            samples, weights = held_out, {}
            if callable(self.scoring):  # and may write to what it is given
                samples = held_out.copy()
            if samples.sample_weight is not None:
                weights["sample_weight"] = samples.sample_weight
            with explained_by(plan.coder, held_out.y, self.scoring):
                score = scorer(model, samples.plain_X, samples.y, **weights)
                return -check_score(score, self.scoring)

        return validate

    def __copy__(self):
        """Copies hold all that a pickle may leave out."""
        other = type(self).__new__(type(self))
        vars(other).update(apart_from_a_fit(vars(self)))
        return other

    def __deepcopy__(self, memo):
        other = memo[id(self)] = copy.copy(self)
        vars(other).update(copy.deepcopy(vars(other), memo))
        return other

    def __getstate__(self):
        """A pickle holds the solver's state only where training is to go on."""
        state = super().__getstate__()
        if "_progress" in state and not (self.warm_start or self._is_partial):
            state["_progress"] = state["_progress"]._replace(solver_state=None)
        return state

    def __sklearn_tags__(self):
        """Sparse input, categories and gaps are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags
