"""The classifier."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import ClassifierMixin

from sk_shallow._data.targets import Labels
from sk_shallow._estimators.base import ShallowNN, if_incremental
from sk_shallow._estimators.parameters import read_labels
from sk_shallow._typing import (
    ActivationName,
    Array,
    DataLike,
    EncodingName,
    Floats,
    InitName,
    Listed,
    SolverName,
    Splitter,
)
from sk_shallow.activations import Activation


class ShallowNNClassifier(ClassifierMixin, ShallowNN):
    """A classifier: a neural network with one hidden layer.

    The output is logistic for two classes and for multilabel targets, softmax for
    other numbers of classes; training minimises the log-loss, penalised by L2.

    Parameters
    ----------
    n_hidden : int, default=None
        Number of hidden units, of each member of a committee. None: 50 for a member of
        a committee (10 of a linear one, 20 to 50 where X is mostly zeros; see
        `standardize`), 20 for "lm", else 100; `n_hidden_` tells.
    activation : {"auto", "identity", "logistic", "sigmoid", "tanh", "relu", \
            "leaky_relu", "elu", "softplus"} or Activation, default="auto"
        The hidden activation g. An object, such as `LeakyReLU(negative_slope=0.1)` or
        a subclass of `Activation` of your own, can be listed in a grid as well.
        "auto": "tanh" for "lm", else the folds choose; `activation_` tells.
    solver : {"auto", "gd", "sgd", "adam", "lbfgs", "lm"}, default="auto"
        - "gd": gradient descent over all samples, in double precision.
        - "sgd", "adam": minibatches, in single precision (in double where one batch
          holds all the samples). The rate warms up, then falls to zero over
          `max_iter` epochs, and training ends there. Adam's momentum is Nesterov's.
        - "lbfgs": SciPy's L-BFGS, over all samples, in double precision.
        - "lm": Levenberg-Marquardt, damped generalised Gauss-Newton steps over all
          samples, in double precision [2]_. For up to 4000 weights; it finds α, and
          leaves error bars.
        - "auto": "lm" where α is to be found or has several values; "lbfgs" for up to
          32 units of one network, α open, and up to 5000 samples; "sgd" where
          `momentum` is set; else "adam". `solver_` tells.
    alpha : float in [0, 1e15], array-like, "evidence" or "ard", default=None
        Strength α of the L2 penalty α/2 ‖W‖² beside the sum of the samples' losses:
        its meaning does not depend on the batch, and a sample more weakens it. It acts
        on the weights of standardised inputs, not on the biases.

        - "evidence", by "lm": the α that makes the labels most probable [3]_.
        - "ard", by "lm": one α for the weights of each feature and one for W2.
        - "lm" also takes what they found: two numbers, for W1 and W2, or one for each
          feature and one for W2, or a row of them for each member.
        - None: "evidence" for "lm", else the folds choose; 1 in `partial_fit`.

        `alpha_` tells.
    n_estimators : int, default=None
        Number of members of a committee: networks whose outputs are averaged before the
        output activation. It is one shallow network, with all their units side by side.
        None: 10 (5 for such sparse X as `standardize` tells of) where neither
        `n_hidden` nor `solver` is set, else 1.
    encoding : {"auto", "piecewise", "piecewise_mixed", "whitened"} or None, \
            default="auto"
        How columns reach the hidden layer. None: standardised, as they are. "whitened":
        also decorrelated, for columns that say nearly the same. In both, `coefs_` is in
        original units. "piecewise": columns of numbers as piecewise linear functions
        with 16 bins, by a `PiecewiseLinearEncoder`, whose edges are quantiles of the
        samples, in "piecewise_mixed" of the distinct values where one is frequent.
        "auto": the folds choose, or None where there is no race. `encoding_` tells.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which columns hold labels, which are one-hot inside: those of a frame that are
        categories, strings or booleans; or these numbers, names, or a mask; or none.
        Missing values are a label; unknown ones are all zeros at `predict`.
    monotonic_cst : array-like of shape (n_features,) or dict, default=None
        1 for a feature with which the outputs must not fall, -1 for one with which they
        must not rise, 0 for any other; a dict names features, others are 0. It holds
        for all inputs, by the signs of the weights: half of the units go up into the
        outputs, half down. A gap is any value. Not with "lm", "whitened" or
        more than two classes.
    linear_path : bool, default=False
        Whether the inputs also go straight into the outputs, past the hidden layer:
        Z2 = W2ᵀ A1 + Vᵀ X + b2, as `skip` of R's nnet. V is in the penalty, and begins
        at 0; it is the third of `coefs_`.
    cv : int, splitter or iterable of (train, test), default=None
        The folds that members of the committee do not see, one each (in turn), and by
        which what is not set is chosen. None: one for each member of a committee, drawn
        by the content of the rows, so that copies stay together and labels keep their
        shares; 5 where one network is trained; none where `n_hidden` or `solver` and
        `alpha` are set, or fewer than 10 rows are distinct. Without effect
        for "lm", which sees every sample.
    class_weight : dict or "balanced", default=None
        Weights by class label, multiplied with `sample_weight`. "balanced" gives every
        class the same total weight.
    init : {"auto", "glorot", "he", "normal", "zeros"}, default="auto"
        How the first weights are drawn; "auto" is "glorot". "normal" is 0.01 times
        standard normal; "zeros" shows that the hidden units then stay equal for ever.
        The first hidden biases are zero (for "lm" and "lbfgs" with "auto" they put the
        middle of each unit among the samples), the output bias gives the mean of y.
    standardize : bool, default=True
        Standardise the columns of X for training, with the sample weights, and
        fold means and scales back into `coefs_`. Sparse X stays sparse: where fewer
        than a tenth of its entries are stored, columns are scaled and not centred, by
        the 3/4th power of their root mean square, and "adam" moves only the weights of
        the columns that a batch has.
    batch_size : int, default=None
        Samples in a minibatch ("sgd", "adam"); those of an epoch differ by one at the
        most. None: where the folds choose, a sixteenth of the samples as a power of two
        within 64 and 256; else 256 for up to 64 features, and 128 for more.
    learning_rate_init : float, default=None
        The (peak) learning rate of "gd", "sgd" and "adam". None: 0.1, 0.02 and 0.03.
    momentum : float in [0, 1), default=None
        Momentum of "sgd". None: 0.9.
    nesterovs_momentum : bool, default=None
        Whether the momentum of "sgd" is Nesterov's. None: True.
    max_iter : int, default=None
        Epochs, or iterations of "lbfgs" and "lm". None: where the folds choose, for as
        long as the held-out loss falls, within 12800 steps and an allowance of work
        that is about that of MLP's default; else 1000 for "gd" and "lbfgs", what it
        takes for "lm", and for "sgd" and "adam" as many as make 1.6 n_samples^(2/3)
        steps, or from 15,000 samples 1000 (n_samples/15000)^(1/4).
    tol : float >= 0, default=1e-4
        Relative tolerance: an iteration counts as progress if the loss (or, with early
        stopping, the validation score) improves by more than `tol` times its size.
    n_iter_no_change : int or numpy.inf, default=10
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
        Start `fit` from the fitted weights and the solver's state, of which "sgd" and
        "adam" have one: moments, of one and of two numbers for each weight. "lbfgs" and
        "lm" have none: after few iterations each they are slower than one long fit.
        Where the shape or the classes have changed, training starts afresh, with a
        warning. A copy goes on as the original would, and so does a pickle, where
        `warm_start` is set or after `partial_fit`; other pickles leave the moments out.
    random_state : int, RandomState instance or None, default=None
        Draws the first weights, the batches and the samples held out. The same int on
        the same machine with the same number of threads gives the same bits.
    n_jobs : int, default=None
        What is trained at once: what races, in processes, where the race is long
        enough for several to be worth it; and by joblib, members of a committee of
        "lbfgs" and "lm". The other solvers train all members together, in one process.
        The result is that of one job, bit by bit. -1 stands for all cores, and None for
        1, unless `joblib.parallel_config` says more: for what races, with "threading".

        The processes of a race take one or two seconds to start, wait five minutes for
        the next one, and read the samples from one temporary file. Rows that are made
        as they are needed, as those of a mapped file, stay in this process, and so does
        what no pickle holds, with a warning. BLAS has as many threads in each as here:
        one for each job is best, by `threadpoolctl.threadpool_limits(1)`.
    verbose : bool or int, default=False
        Whether to print the loss of every iteration, and the held-out loss of what
        races.

    Attributes
    ----------
    coefs_ : list of ndarrays, shapes (n_inputs, n_units), (n_units, n_outputs)
        W1 and W2, in the units of what `encoder_` gives, or of X and y; n_units is
        n_hidden times n_estimators. With `linear_path` also V, of shape (n_inputs,
        n_outputs).
    intercepts_ : list of two ndarrays, shapes (n_units,), (n_outputs,)
        b1 and b2, in original units.
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted; for multilabel targets the numbers of the labels, or
        the names that `partial_fit` was given.
    loss_ : float
        That of `loss_curve_` of the iterate that was kept, in nats.
    loss_curve_ : list of float
        J after every iteration; for minibatches, its mean over the epoch; where "lm"
        finds α, the mean loss of the samples without the penalty, from each start in
        turn. It is the mean over the members of a committee.
    n_iter_ : int
        Number of epochs or iterations that led to the weights.
    search_results_ : dict of lists
        The race: one entry for each recipe that was tried, with the parameters that
        give it, the steps that it made and its held-out loss. Empty if there was none.
    encoding_ : str or None
        How columns reach the hidden layer, as `encoding` gives it.
    encoder_ : PiecewiseLinearEncoder or None
        What turns the columns of X into the inputs of the network; None where these are
        the columns themselves.
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
    feature_relevance_ : ndarray of shape (n_inputs,)
        "ard": 1/α of each input's weights, beside their sum, in the mean of the
        members.
    out_activation_ : str
        "logistic" or "softmax".
    n_outputs_, n_layers_ : int
        Number of output units, and 3.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
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

    classes_: Array

    def __init__(
        self,
        n_hidden: int | None = None,
        *,
        activation: ActivationName | Activation = "auto",
        solver: SolverName = "auto",
        alpha: float | Listed | Literal["evidence", "ard"] | None = None,
        n_estimators: int | None = None,
        encoding: EncodingName | None = "auto",
        categorical_features: Literal["from_dtype"] | Listed | None = "from_dtype",
        monotonic_cst: Listed | dict[str, int] | None = None,
        linear_path: bool = False,
        cv: int | Splitter | Iterable[tuple[DataLike, DataLike]] | None = None,
        class_weight: dict[Any, Any] | Literal["balanced"] | None = None,
        init: InitName = "auto",
        standardize: bool = True,
        batch_size: int | None = None,
        learning_rate_init: float | None = None,
        momentum: float | None = None,
        nesterovs_momentum: bool | None = None,
        max_iter: int | None = None,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: str | Callable[..., float] = "loss",
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.n_hidden = n_hidden
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.n_estimators = n_estimators
        self.encoding = encoding
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.linear_path = linear_path
        self.cv = cv
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

    @if_incremental
    def partial_fit(
        self,
        X: DataLike,
        y: DataLike,
        classes: DataLike | None = None,
        sample_weight: DataLike | None = None,
    ) -> Self:
        """Train for one epoch over these samples, from where training is.

        The running means and spreads of the columns take the samples in; the weights
        keep their meaning in these units, so that a bad beginning is forgotten. The
        solver's state is kept, in copies and pickles too (see `warm_start`), every call
        shuffles afresh, and `max_iter` has no part. `n_iter_` and `loss_curve_` are of
        the call.

        `learning_rate_init` is constant if it is set. Otherwise the rate suits the
        number of samples of a batch; that of "adam" falls with the calls to a
        thirtieth, where it also is after `fit`. `alpha` stands beside all the samples
        that have been seen, those of repeated passes counted again.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or a multilabel indicator matrix.
        classes : array-like of shape (n_classes,), default=None
            All the classes there will be, or, for a multilabel y, the names of its
            columns. Needed in the first call only; without it, the classes of the first
            call's y are all there are.
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
            self._plan.coder.check_classes(classes)
        return self._partial_fit(X, y, sample_weight, lambda y: Labels.of(y, classes))

    def predict(self, X: DataLike) -> Array:
        """The most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or a multilabel indicator matrix.
        """
        return self._by_outputs(X, lambda Z2: self._plan.coder.decode(Z2))

    def predict_proba(self, X: DataLike) -> Floats:
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
        return self._by_outputs(X, self._told)

    def predict_log_proba(self, X: DataLike) -> Floats:
        """The logarithm of `predict_proba`, exact however small the probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return self._by_outputs(X, self._log_told)

    def decision_function(self, X: DataLike) -> Floats:
        """The outputs before the output activation: logits.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            One column per class or label; for two classes, the logit of the second.
        """
        return self._by_outputs(X, lambda Z2: self._plan.coder.decision(Z2))

    def _told(self, Z2):
        """Probabilities, by the outputs."""
        return self._plan.coder.per_class(self._plan.coder.output_unit.mean, Z2)

    def _log_told(self, Z2):
        """Their logarithms."""
        return self._plan.coder.per_class(self._plan.coder.output_unit.log_mean, Z2)

    def _read_y(self, y, n_samples):
        return read_labels(y, n_samples)

    def _make_coder(self, y):
        return Labels.of(y)

    def _check_same_targets(self, y):
        """What classes there are is checked where they are told."""

    def _class_weighted(self, data, coder):
        """Data with the weights of the classes multiplied in."""
        if self.class_weight is None:
            return data
        factors = coder.class_factors(self.class_weight, data.y, data.weights)
        return data.weighted(factors[coder.codes(data.y)])

    def _keep(self, model, plan, thetas):
        """The classes belong to the fitted model too."""
        model = super()._keep(model, plan, thetas)
        model.classes_ = plan.coder.classes
        return model

    def __sklearn_tags__(self):
        """Multilabel targets are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
