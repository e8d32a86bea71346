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
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sk_shallow._defaults import Choice, Problem, choose
from sk_shallow._evidence import predictive
from sk_shallow._initializers import INITIALIZERS, first_weights
from sk_shallow._network import Layout, merged, output, unmerged
from sk_shallow._scaling import Standardizer, input_spread, unfold
from sk_shallow._solvers import SOLVERS, able, constant
from sk_shallow._splitting import hold_out
from sk_shallow._targets import Labels, Reals
from sk_shallow._training import (
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
from sk_shallow._validation import (
    check_alpha,
    check_classification_data,
    check_honoured,
    check_no_early_stopping,
    check_parameters,
    check_regression_data,
    check_score,
    check_validation_data,
    check_weights,
    check_X,
    finds_alpha,
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


def _is_incremental(estimator):
    """Whether the solver can go on from its state; the reason, if not."""
    solver = SOLVERS.get(estimator.solver)
    if solver is None or solver.incremental:
        return True
    raise AttributeError(
        f"partial_fit is not available with solver={estimator.solver!r}, which needs "
        "all samples at once. Use 'adam', 'sgd' or 'gd'."
    )


class _ShallowNN(BaseEstimator):
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


class ShallowNNClassifier(ClassifierMixin, _ShallowNN):
    """A classifier: a neural network with one hidden layer.

    The output is logistic for two classes and for multilabel targets, softmax for
    other numbers of classes; training minimises the log-loss, penalised by L2.

    Parameters
    ----------
    n_hidden : int, default=None
        Number of hidden units, of each member of a committee. None: 20 for "lm", 100
        for the other solvers; `n_hidden_` tells.
    activation : {"auto", "identity", "logistic", "sigmoid", "tanh", "relu", \
            "leaky_relu", "elu", "softplus"} or Activation, default="auto"
        The hidden activation g. An object, such as `LeakyReLU(negative_slope=0.1)` or
        a subclass of `Activation` of your own, can be listed in a grid as well.
        "auto": "tanh" for "lm", "relu" for the other solvers; `activation_` tells.
    solver : {"auto", "gd", "sgd", "adam", "lbfgs", "lm"}, default="auto"
        - "gd": gradient descent over all samples, in double precision.
        - "sgd", "adam": minibatches, in single precision (in double where one batch
          holds all the samples). The rate warms up, then falls to zero over
          `max_iter` epochs, and training ends there. Adam's momentum is Nesterov's.
        - "lbfgs": SciPy's L-BFGS, over all samples, in double precision.
        - "lm": Levenberg-Marquardt, damped generalised Gauss-Newton steps over all
          samples, in double precision [2]_. For up to 4000 weights; it finds α, and
          leaves error bars.
        - "auto": "adam"; "sgd" where `momentum` is set, "lm" where α is to be found.
          `solver_` tells.
    alpha : float >= 0, array-like, "evidence" or "ard", default=None
        Strength α of the L2 penalty α/2 ‖W‖² beside the sum of the samples' losses:
        its meaning does not depend on the batch, and a sample more weakens it. It acts
        on the weights of standardised inputs, not on the biases. "evidence" finds the
        α that makes the labels most probable [3]_, and "ard" one for the weights of
        each feature and one for W2, both by "lm", which also takes what they found:
        two numbers, for W1 and W2, or one for each feature and one for W2, or a row of
        them for each member. None: "evidence" for "lm", else 4 σ²/(1 - σ²), with
        the share σ² of noise in the variance of the labels estimated from nearest
        neighbours among at most 2000 samples (0 with more than 1000 features), within
        500/n (itself within 1/4 and 1) and the lesser of 20 and n/10, and less for
        uneven classes. `alpha_` tells.
    n_estimators : int, default=None
        Number of members of a committee: networks from different first weights, whose
        outputs are averaged before the output activation. It is one shallow network,
        with all their units side by side. None: 5 where neither `n_hidden` nor
        `solver` is set, else 1.
    class_weight : dict or "balanced", default=None
        Weights by class label, multiplied with `sample_weight`. "balanced" gives every
        class the same total weight.
    init : {"auto", "glorot", "he", "normal", "zeros"}, default="auto"
        How the first weights are drawn; "auto" is "glorot". "normal" is 0.01 times
        standard normal; "zeros" shows that the hidden units then stay equal for ever.
        The first hidden biases are zero (for "lm" with "auto" they put the middle of
        each unit among the samples), the output bias gives the mean of y.
    standardize : bool, default=True
        Standardise the columns of X for training, with the sample weights, and
        fold means and scales back into `coefs_`. Sparse X stays sparse.
    batch_size : int, default=None
        Samples in a minibatch ("sgd", "adam"); those of an epoch differ by one at the
        most. None: 256 for up to 64 features, else 128.
    learning_rate_init : float, default=None
        The (peak) learning rate of "gd", "sgd" and "adam". None: 0.1, 0.02 and 0.03.
    momentum : float in [0, 1), default=None
        Momentum of "sgd". None: 0.9.
    nesterovs_momentum : bool, default=None
        Whether the momentum of "sgd" is Nesterov's. None: True.
    max_iter : int, default=None
        Epochs, or iterations of "lbfgs" and "lm". None: 1000, for "lm" 100 if it is to
        find α, and for "sgd" and "adam" as many as make 1.6 n_samples^(2/3) steps, or
        from 15,000 samples 1000 (n_samples/15000)^(1/4), and fewer for more than 256
        features; never fewer than 60.
    tol : float >= 0, default=1e-4
        Relative tolerance: an iteration counts as progress if the loss (or, with early
        stopping, the validation score) improves by more than `tol` times its size.
    n_iter_no_change : int, default=10
        Training stops after so many consecutive iterations without progress. "sgd" and
        "adam" ask this of the validation score only.
    early_stopping : bool, default=False
        Stop on samples held out, with any solver. The best iterate is kept.
    validation_fraction : float in (0, 1), default=0.1
        The share held out, unless `fit` is given `X_val`.
    scoring : str or callable, default="loss"
        What early stopping watches: the loss, or any scikit-learn scorer; neither
        takes `class_weight` into account.
    warm_start : bool, default=False
        Start `fit` from the fitted weights and the solver's state. Where the shape or
        the classes have changed, training starts afresh, with a warning.
    random_state : int, RandomState instance or None, default=None
        Draws the first weights, the batches and the samples held out. The same int on
        the same machine with the same number of threads gives the same bits.
    n_jobs : int, default=None
        Members of a committee that "lbfgs" and "lm" train at once, by joblib; the
        result does not depend on it. The other solvers train all members together.
    verbose : bool or int, default=False
        Whether to print the loss of every iteration.

    Attributes
    ----------
    coefs_ : list of two ndarrays, shapes (n_features, n_units), (n_units, n_outputs)
        W1 and W2, in original units; n_units is n_hidden times n_estimators.
    intercepts_ : list of two ndarrays, shapes (n_units,), (n_outputs,)
        b1 and b2, in original units.
    classes_ : ndarray of shape (n_classes,)
        The class labels; for multilabel targets the numbers of the labels.
    loss_ : float
        J, as in `loss_curve_`, of the iterate that was kept, in nats.
    loss_curve_ : list of float
        J after every iteration; for minibatches, its mean over the epoch; for "lm",
        once it begins to find α, minus the log-evidence of a sample. It is the mean
        over the members of a committee.
    n_iter_ : int
        Number of iterations run.
    validation_scores_ : list of float
        With early stopping: the score after every iteration, higher is better; for
        `scoring="loss"` minus the loss.
    solver_ : str
        The solver that was used.
    n_hidden_, n_estimators_ : int
        The number of hidden units of a member, and of members.
    activation_ : str or Activation
        The activation that was used.
    alpha_ : float or ndarray of shape (n_groups,) or (n_estimators, n_groups)
        The α that was used or found, as `alpha` takes it.
    n_effective_parameters_ : float
        "lm": how many parameters the data determines, in the mean of the members.
    log_evidence_ : float
        "lm": the log-probability (density) of y with the weights integrated out, by
        Laplace's approximation, in nats, in the mean of the members [3]_. Between fits
        of the same y, higher is better.
    feature_relevance_ : ndarray of shape (n_features,)
        "ard": 1/α of each feature's weights, beside their sum, in the mean of the
        members.
    out_activation_ : str
        "logistic" or "softmax".
    n_outputs_, n_layers_ : int
        Number of output units, and 3.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if all of them are strings.

    See Also
    --------
    ShallowNNRegressor : For numbers instead of classes.
    sklearn.neural_network.MLPClassifier : Any number of hidden layers.

    References
    ----------
    .. [1] Rumelhart, Hinton and Williams, "Learning representations by back-propagating
       errors", Nature 323, 1986.
    .. [2] Hagan and Menhaj, "Training feedforward networks with the Marquardt
       algorithm", IEEE Transactions on Neural Networks 5, 1994.
    .. [3] MacKay, "A practical Bayesian framework for backpropagation networks",
       Neural Computation 4, 1992.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import cross_val_score
    >>> from sk_shallow import ShallowNNClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> scores = cross_val_score(ShallowNNClassifier(random_state=0), X, y)
    >>> bool(scores.mean() > 0.96)
    True
    """

    def __init__(
        self,
        n_hidden=None,
        *,
        activation="auto",
        solver="auto",
        alpha=None,
        n_estimators=None,
        class_weight=None,
        init="auto",
        standardize=True,
        batch_size=None,
        learning_rate_init=None,
        momentum=None,
        nesterovs_momentum=None,
        max_iter=None,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        scoring="loss",
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=False,
    ):
        self.n_hidden = n_hidden
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.n_estimators = n_estimators
        self.class_weight = class_weight
        self.init = init
        self.standardize = standardize
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @available_if(_is_incremental)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch over these samples, from where training is.

        The running means and spreads of the columns take the samples in, and the
        weights are re-expressed so that this alone does not change the network. The
        solver's state is kept (but not in a pickle), every call shuffles afresh, the
        learning rate is constant, and `max_iter` has no part. alpha stands beside all
        the samples that have been seen, those of repeated passes counted again.
        `n_iter_` and `loss_curve_` are of the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or a multilabel indicator matrix.
        classes : array-like of shape (n_classes,), default=None
            All the classes there will be. Needed in the first call only; without it,
            the classes of the first call's y are all there are.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If y has a class that is not among the known ones, or X another number of
            features than before.
        """
        if hasattr(self, "coefs_"):
            self._coder.check_classes(classes)
        return self._partial_fit(X, y, sample_weight, lambda y: Labels.of(y, classes))

    def predict(self, X):
        """The most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or a multilabel indicator matrix.
        """
        Z2 = self._outputs(X)
        return self._coder.decode(Z2)

    def predict_proba(self, X):
        """The probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`. Rows sum to one, except for multilabel targets,
            where each column is the probability that the label is present.
        """
        Z2 = self._outputs(X)
        return self._coder.per_class(self._coder.output_unit.mean, Z2)

    def predict_log_proba(self, X):
        """The logarithm of `predict_proba`, exact however small the probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        Z2 = self._outputs(X)
        return self._coder.per_class(self._coder.output_unit.log_mean, Z2)

    def decision_function(self, X):
        """The outputs before the output activation: logits.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            One column per class or label; for two classes, the logit of the second.
        """
        Z2 = self._outputs(X)
        return self._coder.decision(Z2)

    def _check_data(self, X, y, sample_weight, reset):
        return check_classification_data(self, X, y, sample_weight, reset=reset)

    def _make_coder(self, y):
        return Labels.of(y)

    def _class_weighted(self, data, coder):
        """Data with the weights of the classes multiplied in."""
        if self.class_weight is None:
            return data
        factors = coder.class_factors(self.class_weight, data.y, data.weights)
        return data.weighted(factors[coder.codes(data.y)])

    def _keep(self, model, plan, theta, dtype):
        """The classes belong to the fitted model too."""
        model = super()._keep(model, plan, theta, dtype)
        model.classes_ = plan.coder.classes
        return model

    def __sklearn_tags__(self):
        """Multilabel targets are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class ShallowNNRegressor(RegressorMixin, _ShallowNN):
    """A regressor: a neural network with one hidden layer and linear output.

    Training minimises the squared error, penalised by L2.

    Parameters
    ----------
    n_hidden : int, default=None
        Number of hidden units, of each member of a committee. None: 20 for "lm", 100
        for the other solvers; `n_hidden_` tells.
    activation : {"auto", "identity", "logistic", "sigmoid", "tanh", "relu", \
            "leaky_relu", "elu", "softplus"} or Activation, default="auto"
        The hidden activation g. An object, such as `LeakyReLU(negative_slope=0.1)` or
        a subclass of `Activation` of your own, can be listed in a grid as well.
        "auto": "tanh" for "lm", "relu" for the other solvers; `activation_` tells.
    solver : {"auto", "gd", "sgd", "adam", "lbfgs", "lm"}, default="auto"
        - "gd": gradient descent over all samples, in double precision.
        - "sgd", "adam": minibatches, in single precision (in double where one batch
          holds all the samples). The rate warms up, then falls to zero over
          `max_iter` epochs, and training ends there. Adam's momentum is Nesterov's.
        - "lbfgs": SciPy's L-BFGS, over all samples, in double precision.
        - "lm": Levenberg-Marquardt, damped generalised Gauss-Newton steps over all
          samples, in double precision [2]_. For up to 4000 weights; it finds α, and
          leaves error bars.
        - "auto": where `n_hidden` is not set, "lm" if X is dense, g smooth, and its
          work affordable (up to some 10,000 samples of few features), unless the
          samples are fewer than 600 and noisy; also where α is to be found. Else
          "adam"; "sgd" where `momentum` is set. `solver_` tells.
    alpha : float >= 0, array-like, "evidence" or "ard", default=None
        Strength α of the L2 penalty α/2 ‖W‖² beside the sum of the samples' losses:
        its meaning does not depend on the batch, and a sample more weakens it. It acts
        on the weights of standardised inputs and targets, not on the biases. "evidence"
        finds the α that makes the targets most probable [3]_, and "ard" one for the
        weights of each feature and one for W2, both by "lm", which also takes what they
        found: two numbers, for W1 and W2, or one for each feature and one for W2, or a
        row of them for each member. None: "evidence" for "lm", else
        20 (σ²/(1 - σ²))², times 4000/n if that is less, within 500/n (itself within
        1/4 and 1) and 100, with the share σ² of noise in the variance of y estimated
        from nearest neighbours among at most 2000 samples. `alpha_` tells.
    n_estimators : int, default=None
        Number of members of a committee: networks from different first weights, whose
        outputs are averaged. It is one shallow network, with all their units side by
        side. None: where neither `n_hidden` nor `solver` is set, 9 for "lm" and 5 for
        "adam"; else 1.
    init : {"auto", "glorot", "he", "normal", "zeros"}, default="auto"
        How the first weights are drawn; "auto" is "glorot". "normal" is 0.01 times
        standard normal; "zeros" shows that the hidden units then stay equal for ever.
        The first hidden biases are zero (for "lm" with "auto" they put the middle of
        each unit among the samples), the output bias gives the mean of y.
    standardize : bool, default=True
        Standardise the columns of X and of y for training, with the sample weights, and
        fold means and scales back into `coefs_`. Sparse X stays sparse.
    batch_size : int, default=None
        Samples in a minibatch ("sgd", "adam"); those of an epoch differ by one at the
        most. None: 256 for up to 64 features, else 128.
    learning_rate_init : float, default=None
        The (peak) learning rate of "gd", "sgd" and "adam". None: 0.1, 0.02 and 0.03.
    momentum : float in [0, 1), default=None
        Momentum of "sgd". None: 0.9.
    nesterovs_momentum : bool, default=None
        Whether the momentum of "sgd" is Nesterov's. None: True.
    max_iter : int, default=None
        Epochs, or iterations of "lbfgs" and "lm". None: 1000, for "lm" 100 if it is to
        find α, and for "sgd" and "adam" as many as make 4 n_samples^(2/3) / (1 + 2 o²)
        steps, or from 15,000 samples 2500 (n_samples/15000)^(1/4) / (1 + 2 o²), with
        the odds o = σ²/(1 - σ²) of noise, but at least a fifth of what there would be
        without noise; fewer for more than 256 features; never fewer than 60.
    tol : float >= 0, default=1e-4
        Relative tolerance: an iteration counts as progress if the loss (or, with early
        stopping, the validation score) improves by more than `tol` times its size.
    n_iter_no_change : int, default=10
        Training stops after so many consecutive iterations without progress. "sgd" and
        "adam" ask this of the validation score only.
    early_stopping : bool, default=False
        Stop on samples held out, with any solver. The best iterate is kept.
    validation_fraction : float in (0, 1), default=0.1
        The share held out, unless `fit` is given `X_val`.
    scoring : str or callable, default="loss"
        What early stopping watches: the loss, or any scikit-learn scorer.
    warm_start : bool, default=False
        Start `fit` from the fitted weights and the solver's state. Where the shape or
        the classes have changed, training starts afresh, with a warning.
    random_state : int, RandomState instance or None, default=None
        Draws the first weights, the batches and the samples held out. The same int on
        the same machine with the same number of threads gives the same bits.
    n_jobs : int, default=None
        Members of a committee that "lbfgs" and "lm" train at once, by joblib; the
        result does not depend on it. The other solvers train all members together.
    verbose : bool or int, default=False
        Whether to print the loss of every iteration.

    Attributes
    ----------
    coefs_ : list of two ndarrays, shapes (n_features, n_units), (n_units, n_outputs)
        W1 and W2, in original units; n_units is n_hidden times n_estimators.
    intercepts_ : list of two ndarrays, shapes (n_units,), (n_outputs,)
        b1 and b2, in original units.
    loss_ : float
        J, as in `loss_curve_`, of the iterate that was kept, in units of the variance
        of y if `standardize`.
    loss_curve_ : list of float
        J after every iteration; for minibatches, its mean over the epoch; for "lm",
        once it begins to find α, minus the log-evidence of a sample. It is the mean
        over the members of a committee.
    n_iter_ : int
        Number of iterations run.
    validation_scores_ : list of float
        With early stopping: the score after every iteration, higher is better; for
        `scoring="loss"` minus the loss.
    solver_ : str
        The solver that was used.
    n_hidden_, n_estimators_ : int
        The number of hidden units of a member, and of members.
    activation_ : str or Activation
        The activation that was used.
    alpha_ : float or ndarray of shape (n_groups,) or (n_estimators, n_groups)
        The α that was used or found, as `alpha` takes it.
    noise_variance_ : float or ndarray of shape (n_outputs,)
        "lm": the variance of the noise of y, in its units squared.
    n_effective_parameters_ : float
        "lm": how many parameters the data determines, in the mean of the members.
    log_evidence_ : float
        "lm": the log-probability (density) of y with the weights integrated out, by
        Laplace's approximation, in nats, in the mean of the members [3]_. Between fits
        of the same y, higher is better.
    feature_relevance_ : ndarray of shape (n_features,)
        "ard": 1/α of each feature's weights, beside their sum, in the mean of the
        members.
    out_activation_ : str
        "identity".
    n_outputs_, n_layers_ : int
        Number of output units, and 3.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if all of them are strings.

    See Also
    --------
    ShallowNNClassifier : For classes instead of numbers.
    sklearn.neural_network.MLPRegressor : Any number of hidden layers.

    References
    ----------
    .. [1] Rumelhart, Hinton and Williams, "Learning representations by back-propagating
       errors", Nature 323, 1986.
    .. [2] Hagan and Menhaj, "Training feedforward networks with the Marquardt
       algorithm", IEEE Transactions on Neural Networks 5, 1994.
    .. [3] MacKay, "A practical Bayesian framework for backpropagation networks",
       Neural Computation 4, 1992.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import cross_val_score
    >>> from sk_shallow import ShallowNNRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> scores = cross_val_score(ShallowNNRegressor(random_state=0), X, y)
    >>> bool(scores.mean() > 0.45)
    True
    """

    def __init__(
        self,
        n_hidden=None,
        *,
        activation="auto",
        solver="auto",
        alpha=None,
        n_estimators=None,
        init="auto",
        standardize=True,
        batch_size=None,
        learning_rate_init=None,
        momentum=None,
        nesterovs_momentum=None,
        max_iter=None,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        scoring="loss",
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=False,
    ):
        self.n_hidden = n_hidden
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.n_estimators = n_estimators
        self.init = init
        self.standardize = standardize
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @available_if(_is_incremental)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch over these samples, from where training is.

        The running means and spreads of the columns and of the target take the samples
        in, and the weights are re-expressed so that this alone does not change the
        network. The solver's state is kept (but not in a pickle), every call shuffles
        afresh, the learning rate is constant, and `max_iter` has no part. alpha stands
        beside all the samples that have been seen, those of repeated passes counted
        again. `n_iter_` and `loss_curve_` are of the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If X has another number of features than before, or y of outputs.
        """
        return self._partial_fit(X, y, sample_weight, Reals.of)

    def predict(self, X, return_std=False):
        """The value of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of y as well: that of the noise,
            of the posterior of the weights (Laplace's approximation), and of the
            members about their mean. Needs solver "lm".

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units and the shape of y.
        std : ndarray of the same shape
            If `return_std`.

        Raises
        ------
        AttributeError
            If `return_std`, and the solver that was used has left no posterior.
        """
        if return_std:
            return self._moments(X)
        Z2 = self._outputs(X)
        return self._coder.decode(self._coder.output_unit.mean(Z2))

    def _moments(self, X):
        """Mean and standard deviation of y."""
        check_is_fitted(self, "coefs_")
        if not hasattr(self, "_posteriors"):
            raise AttributeError(
                f"return_std=True needs the posterior of the weights, which solver="
                f"{self.solver_!r} does not give. Use solver='lm'."
            )
        X = check_X(self, X)
        sizes = self.n_features_in_, self.n_hidden_, self.n_outputs_
        x, y = self._progress.x, self._progress.y
        moments = predictive(
            self._posteriors, X, x, y, Layout(*sizes), self._activation
        )
        mean, std = (self._coder.decode(moment.astype(X.dtype)) for moment in moments)
        return mean, std

    def _check_data(self, X, y, sample_weight, reset):
        return check_regression_data(self, X, y, sample_weight, reset=reset)

    def _make_coder(self, y):
        return Reals.of(y)

    def _class_weighted(self, data, coder):
        return data

    def __sklearn_tags__(self):
        """Several outputs are welcome."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
