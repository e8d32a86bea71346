"""The estimators: the one place where strings become objects. Nothing is computed here.

`fit` builds an objective, hands it to a solver that sees only a flat vector, and keeps
the vector.
"""

import copy
import warnings
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sk_shallow._initializers import INITIALIZERS
from sk_shallow._network import Layout, output
from sk_shallow._objective import Objective
from sk_shallow._scaling import Standardizer, fold, input_spread, unfold
from sk_shallow._solvers import SOLVERS, choose, constant
from sk_shallow._splitting import hold_out
from sk_shallow._stopping import Monitor, Stopping
from sk_shallow._targets import Labels, Reals
from sk_shallow._threads import suited_to
from sk_shallow._validation import (
    check_classification_data,
    check_honoured,
    check_no_early_stopping,
    check_parameters,
    check_regression_data,
    check_score,
    check_validation_data,
    check_weights,
    check_X,
)
from sk_shallow.activations import ACTIVATIONS, Activation, check_slope

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


class _Plan(NamedTuple):
    """The objects that a training is made of."""

    layout: Layout
    activation: Activation
    coder: Labels | Reals
    solver: Any
    progress: _Progress

    def objective(self, data, alpha, dtype=None):
        """J over these samples, in the solver's precision or the one that is given."""
        dtype = dtype or self.solver.precision(data.X.shape[0])
        return Objective(
            self.layout,
            self.activation,
            self.coder.output_unit,
            self.progress.x.design(data.X, dtype),
            self.coder.encode(data.y, self.progress.y, dtype),
            data.sample_weight,
            alpha,
        )

    def weights(self, theta):
        """b1, W1, W2, b2 of θ, in original units."""
        return fold(self.layout.view(theta), self.progress.x, self.progress.y)

    def n_rows(self, data):
        """The samples that are multiplied at a time."""
        return min(self.solver.batch_size, Objective.block_size, data.X.shape[0])


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
            start = self._weights_for(coder) if self.warm_start else None
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
            solver = self._make_solver(data)
            self._train(solver, data, held_out, coder, start, progress)
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
            start = None if first else self._weights_for(coder)
            data = self._class_weighted(data, coder)
            progress = _Progress(self._rng(start), *self._measured(data, coder))
            if start is not None:
                progress = progress.after(self._progress)
            solver = self._make_solver(data)
            solver = replace(solver, max_iter=1, schedule=constant, has_budget=True)
            self._train(solver, data, None, coder, start, progress)
        return self

    def _train(self, solver, data, held_out, coder, start, progress):
        """Minimise J from the start, or from a random θ; keep the best θ."""
        activation = self._make_activation()
        plan = _Plan(self._layout(coder), activation, coder, solver, progress)
        alpha = self._alpha(plan, data, start)
        share = float(data.weights.sum()) / progress.weight
        objective = plan.objective(data, alpha * share)
        theta = self._first_theta(plan, data, start, objective.dtype)

        def model_at(theta):
            return self._keep(copy.copy(self), plan, theta, data.X.dtype)

        validate = self._validator(held_out, plan, objective.dtype, model_at)
        monitor = self._make_monitor(theta, validate, solver)
        with suited_to(plan.n_rows(data), *plan.layout[:2]):
            result = solver.solve(
                objective,
                theta,
                on_iteration=monitor,
                rng=progress.rng,
                state=self._solver_state(solver, start),
            )
        if result.message:
            warnings.warn(result.message, ConvergenceWarning, stacklevel=3)
        self._keep(self, plan, monitor.stopping.best_theta, data.X.dtype)
        self._progress = progress._replace(solver_state=result.state)
        self._report(monitor, solver, alpha)

    def _alpha(self, plan, data, start):
        """The α that was set, or that of the first samples, or the rule's."""
        if self.alpha is not None:
            return self.alpha
        if start is not None:
            return self.alpha_
        return plan.coder.default_alpha(data, plan.progress.rng.spawn(1)[0])

    def _make_monitor(self, theta, validate, solver):
        """What watches the iterations; with a budget there is nothing to wait for."""
        patient = validate is None and solver.has_budget
        patience = np.inf if patient else self.n_iter_no_change
        return Monitor(Stopping(theta, self.tol, patience), validate, self.verbose)

    def _first_theta(self, plan, data, start, dtype):
        """θ of the weights to start from, or a random one."""
        if start is not None:
            weights = unfold(*start, plan.progress.x, plan.progress.y)
            return plan.layout.pack(*weights, dtype)
        theta = np.zeros(plan.layout.size)
        weights = plan.layout.view(theta)
        INITIALIZERS[self.init](plan.progress.rng, weights.W1, weights.W2)
        weights.b2[...] = plan.coder.first_bias(data.y, data.weights)
        return theta.astype(dtype)

    def _report(self, monitor, solver, alpha):
        """The fitted attributes that tell how training went."""
        self.solver_ = next(
            name for name, kind in SOLVERS.items() if type(solver) is kind
        )
        self.alpha_ = float(alpha)
        self.loss_curve_ = monitor.loss_curve
        self.n_iter_ = len(monitor.loss_curve)
        self.loss_ = monitor.best_loss
        vars(self).pop("validation_scores_", None)
        if monitor.validate is not None:
            self.validation_scores_ = [-value for value in monitor.stopping.values]

    def _keep(self, model, plan, theta, dtype):
        """Give the model the weights of θ, in original units."""
        b1, W1, W2, b2 = check_weights(plan.weights(theta), dtype)
        model.coefs_, model.intercepts_ = [W1, W2], [b1, b2]
        model._activation, model._coder = plan.activation, plan.coder
        model.n_outputs_, model.n_layers_ = plan.coder.n_outputs, 3
        model.out_activation_ = plan.coder.output_unit.activation
        return model

    def _layout(self, coder):
        return Layout(self.n_features_in_, self.n_hidden, coder.n_outputs)

    def _weights(self):
        """The fitted weights, as the kernel takes them."""
        (W1, W2), (b1, b2) = self.coefs_, self.intercepts_
        return b1, W1, W2, b2

    def _weights_for(self, coder):
        """The fitted weights, if they fit; else None, with a warning."""
        if not hasattr(self, "coefs_"):
            return None
        b1, W1, W2, b2 = self._weights()
        same_shape = Layout(*W1.shape, len(b2)) == self._layout(coder)
        if same_shape and coder.codes_like(self._coder):
            return b1, W1, W2, b2
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

    def _solver_state(self, solver, start):
        """The state to go on from, if the same solver left it."""
        if start is None or SOLVERS[self.solver_] is not type(solver):
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

    def _make_activation(self):
        """The hidden activation; an object of the user's has its slope checked."""
        if isinstance(self.activation, str):
            return ACTIVATIONS[self.activation]
        check_slope(self.activation)
        return self.activation

    def _make_solver(self, data):
        """The solver, with the hyperparameters that the user has set."""
        values = {name: getattr(self, name) for name in _SOLVER_PARAMETERS}
        requested = {name: value for name, value in values.items() if value is not None}
        name = choose(set(requested)) if self.solver == "auto" else self.solver
        check_honoured(name, requested)
        return SOLVERS[name](**requested).sized(*data.X.shape)

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
            return plan.objective(held_out, 0.0, dtype).value
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
        check_is_fitted(self)
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
    n_hidden : int, default=100
        Number of hidden units.
    activation : {"identity", "logistic", "sigmoid", "tanh", "relu", "leaky_relu", \
            "elu", "softplus"} or Activation, default="relu"
        The hidden activation g. An object, such as `LeakyReLU(negative_slope=0.1)` or
        a subclass of `Activation` of your own, can be listed in a grid as well.
    solver : {"auto", "gd", "sgd", "adam", "lbfgs"}, default="auto"
        - "gd": gradient descent over all samples, in double precision.
        - "sgd", "adam": minibatches, in single precision (in double where one batch
          holds all the samples). The rate warms up, then falls to zero over
          `max_iter` epochs, and training ends there. Adam's momentum is Nesterov's.
        - "lbfgs": SciPy's L-BFGS, over all samples, in double precision.
        - "auto": "adam"; "sgd" where `momentum` is set. `solver_` tells.
    alpha : float >= 0, default=None
        Strength α of the L2 penalty α/2 ‖W‖² beside the sum of the samples' losses:
        its meaning does not depend on the batch, and a sample more weakens it. It acts
        on the weights of standardised inputs, not on the biases. None:
        1. `alpha_` tells.
    class_weight : dict or "balanced", default=None
        Weights by class label, multiplied with `sample_weight`. "balanced" gives every
        class the same total weight.
    init : {"auto", "glorot", "he", "normal", "zeros"}, default="auto"
        How the first weights are drawn; "auto" is "glorot". "normal" is 0.01 times
        standard normal; "zeros" shows that the hidden units then stay equal for ever.
        The first hidden biases are zero, the output bias gives the mean of y.
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
        Epochs, or iterations of "lbfgs". None: 1000 for "gd" and "lbfgs"; for "sgd" and
        "adam" as many as make 1.6 n_samples^(2/3) steps, or from 15,000 samples
        1000 (n_samples/15000)^(1/4), and fewer for more than 256 features; never
        fewer than 60.
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
    verbose : bool or int, default=False
        Whether to print the loss of every iteration.

    Attributes
    ----------
    coefs_ : list of two ndarrays, shapes (n_features, n_hidden), (n_hidden, n_outputs)
        W1 and W2, in original units.
    intercepts_ : list of two ndarrays, shapes (n_hidden,), (n_outputs,)
        b1 and b2, in original units.
    classes_ : ndarray of shape (n_classes,)
        The class labels; for multilabel targets the numbers of the labels.
    loss_ : float
        J, as in `loss_curve_`, of the iterate that was kept, in nats.
    loss_curve_ : list of float
        J after every iteration; for minibatches, its mean over the epoch.
    n_iter_ : int
        Number of iterations run.
    validation_scores_ : list of float
        With early stopping: the score after every iteration, higher is better; for
        `scoring="loss"` minus the loss.
    solver_ : str
        The solver that was used.
    alpha_ : float
        The α that was used.
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
        n_hidden=100,
        *,
        activation="relu",
        solver="auto",
        alpha=None,
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
        verbose=False,
    ):
        self.n_hidden = n_hidden
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
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
    n_hidden : int, default=100
        Number of hidden units.
    activation : {"identity", "logistic", "sigmoid", "tanh", "relu", "leaky_relu", \
            "elu", "softplus"} or Activation, default="relu"
        The hidden activation g. An object, such as `LeakyReLU(negative_slope=0.1)` or
        a subclass of `Activation` of your own, can be listed in a grid as well.
    solver : {"auto", "gd", "sgd", "adam", "lbfgs"}, default="auto"
        - "gd": gradient descent over all samples, in double precision.
        - "sgd", "adam": minibatches, in single precision (in double where one batch
          holds all the samples). The rate warms up, then falls to zero over
          `max_iter` epochs, and training ends there. Adam's momentum is Nesterov's.
        - "lbfgs": SciPy's L-BFGS, over all samples, in double precision.
        - "auto": "adam"; "sgd" where `momentum` is set. `solver_` tells.
    alpha : float >= 0, default=None
        Strength α of the L2 penalty α/2 ‖W‖² beside the sum of the samples' losses:
        its meaning does not depend on the batch, and a sample more weakens it. It acts
        on the weights of standardised inputs and targets, not on the biases. None:
        20 (σ²/(1 - σ²))² within 1 and 100, with the share σ² of noise in the
        variance of y estimated from nearest neighbours. `alpha_` tells.
    init : {"auto", "glorot", "he", "normal", "zeros"}, default="auto"
        How the first weights are drawn; "auto" is "glorot". "normal" is 0.01 times
        standard normal; "zeros" shows that the hidden units then stay equal for ever.
        The first hidden biases are zero, the output bias gives the mean of y.
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
        Epochs, or iterations of "lbfgs". None: 1000 for "gd" and "lbfgs"; for "sgd" and
        "adam" as many as make 1.6 n_samples^(2/3) steps, or from 15,000 samples
        1000 (n_samples/15000)^(1/4), and fewer for more than 256 features; never
        fewer than 60.
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
    verbose : bool or int, default=False
        Whether to print the loss of every iteration.

    Attributes
    ----------
    coefs_ : list of two ndarrays, shapes (n_features, n_hidden), (n_hidden, n_outputs)
        W1 and W2, in original units.
    intercepts_ : list of two ndarrays, shapes (n_hidden,), (n_outputs,)
        b1 and b2, in original units.
    loss_ : float
        J, as in `loss_curve_`, of the iterate that was kept, in units of the variance
        of y if `standardize`.
    loss_curve_ : list of float
        J after every iteration; for minibatches, its mean over the epoch.
    n_iter_ : int
        Number of iterations run.
    validation_scores_ : list of float
        With early stopping: the score after every iteration, higher is better; for
        `scoring="loss"` minus the loss.
    solver_ : str
        The solver that was used.
    alpha_ : float
        The α that was used.
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
        n_hidden=100,
        *,
        activation="relu",
        solver="auto",
        alpha=None,
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
        verbose=False,
    ):
        self.n_hidden = n_hidden
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
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

    def predict(self, X):
        """The value of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units and the shape of y.
        """
        Z2 = self._outputs(X)
        return self._coder.decode(self._coder.output_unit.mean(Z2))

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
