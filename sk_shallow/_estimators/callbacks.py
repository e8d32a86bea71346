"""scikit-learn's callbacks, from version 1.9 on: a fit is told as a tree of tasks.

    fit ─┬─ epoch, ...                          one network, or members side by side
         └─ member ─ epoch, ...                 members of "lbfgs" and "lm"
    fit ─┬─ race ─ round ─ contender, ...       where the folds choose
         └─ training ─ epoch or member, ...     where what they chose is trained

Nothing but this module knows of `sklearn.callback`; without callbacks nothing of it
runs.
"""

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import sklearn

from sk_shallow._solvers.tasks import Task

if TYPE_CHECKING:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
else:
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:
        CallbackSupportMixin, with_callbacks = object, None

# What scikit-learn leaves in an estimator while it is fitted.
_OF_THIS_FIT = (
    "_callback_fit_ctx",
    "_skl_callbacks_to_teardown",
    "_parent_callback_ctx",
)


class Callbacks(CallbackSupportMixin):
    """A mixin: `set_callbacks`, or an error that tells which version has them."""

    def set_callbacks(self, *callbacks: Any) -> Self:
        """Set what is called while the estimator is fitted; scikit-learn 1.9 or newer.

        Tasks are "fit" or "partial_fit", and in it "epoch", one for each of `n_iter_`,
        in a committee of "lbfgs" and "lm" "member" with epochs of its own. Where the
        folds choose, "race", "round" and "contender" come first, then "training" with
        its epochs, if what they chose is trained on all samples.

        At the end of an epoch, `fitted_estimator` is the network with its weights;
        `fit` keeps those of the best one. It is that of the member, and of the
        contender as the held-out losses favour it. The callbacks themselves are in it:
        `fitted_estimator.set_callbacks()` is one without, to be saved.

        True at the end of an epoch ends the run that it is in, without a warning; of a
        contender or a round, the race. The other members, and what follows a race, are
        trained, until they are ended, too. With `n_jobs`, members call copies of the
        callbacks in their processes; of a race all is told in the process of `fit`, as
        with one job.

        Parameters
        ----------
        *callbacks : FitCallback
            Such as `sklearn.callback.ProgressBar()` and `ScoringMonitor(scoring="r2")`;
            none removes those that were set. Clones share them.

        Returns
        -------
        self : object

        Raises
        ------
        ImportError
            If scikit-learn is older than 1.9.
        TypeError
            If one does not follow the protocol.
        """
        if with_callbacks is None:
            raise ImportError(
                "set_callbacks needs scikit-learn 1.9 or newer. This is scikit-learn "
                f"{sklearn.__version__}."
            )
        return super().set_callbacks(*callbacks)


def apart_from_a_fit(attributes):
    """Attributes of an estimator, without those that only hold while it is fitted."""
    return {k: value for k, value in attributes.items() if k not in _OF_THIS_FIT}


@contextmanager
def told(estimator, name, X, data):
    """The fit for `estimator`'s callbacks, or None; at its end they are torn down.

    Parameters
    ----------
    estimator : ShallowNN
    name : str
        The root task.
    X : {DataFrame, array-like, sparse matrix} of shape (n_rows, n_features)
        As the user gave it.
    data : Data
        The samples that are trained on.
    """
    if with_callbacks is None or not getattr(estimator, "_skl_callbacks", None):
        yield None
        return
    fit = Fit(estimator, name, partial(_rows, X, data.rows), data)
    try:
        yield fit
        fit.end()
    finally:
        _tear_down(estimator)


def _tear_down(estimator):
    """The hooks of the callbacks that were set up."""
    with_callbacks(lambda estimator: None)(estimator)


def _rows(X, rows):
    """Rows of what the user gave; itself, if there are no numbers of rows."""
    X = X.tocsr() if hasattr(X, "tocsr") else X
    if rows is None:
        return X
    return getattr(X, "iloc", X if hasattr(X, "shape") else np.asarray(X))[rows]


class Fit:
    """A fit that callbacks are told of.

    Parameters
    ----------
    estimator : ShallowNN
    name : str
    X : callable
        Gives the samples.
    data : Data
    """

    def __init__(self, estimator, name, X, data):
        self.estimator, self._name, self._open = estimator, name, []
        weights = data.sample_weight
        metadata = None if weights is None else {"sample_weight": weights}
        self.samples = {"X": X, "y": data.y, "metadata": metadata}

    def race(self, attributes, is_trained):
        """The task of a race, which a training follows or does not.

        `attributes(made)` gives those of the estimator that would be, had the fit ended
        with what a task has made.
        """
        root = Told(self, self._name).begin(1 + is_trained)
        self._open.append(root)
        return Told(self, "race", None, root.context, attributes)

    def training(self, attributes):
        """The task of a training: the whole fit, but for a race before it."""
        if self._open:
            parent = self._open[0].context
            task = Told(self, "training", None, parent, attributes)
        else:
            task = Told(self, self._name, None, None, attributes)
        self._open.append(task)
        return task

    def end(self):
        """The estimator is fitted."""
        while self._open:
            self._open.pop().close()


class Told(Task):
    """A task that callbacks are told of."""

    is_told = True

    def __init__(self, fit, name, number=None, parent=None, attributes=None):
        self._fit, self._name, self._number = fit, name, number
        self._parent, self._attributes = parent, attributes
        self.context = None

    def part(self, name, number=None):
        """A part, which has not begun."""
        return Told(self._fit, name, number, self.context, self._attributes)

    def begin(self, n_parts=0, in_order=True):
        """Set the callbacks up, if it is the first task; `on_fit_task_begin`."""
        self.n_parts = n_parts
        estimator, how = self._fit.estimator, (n_parts, in_order)
        if self._parent is None:
            self.context = estimator._init_callback_context(self._name, 0, *how)
        else:
            self.context = self._parent.subcontext(self._name, self._number, *how)
        self.context.call_on_fit_task_begin(estimator=estimator, **self._fit.samples)
        return self

    def end(self, made=None):
        """`on_fit_task_end`, with the estimator that would be."""
        return self._end(None if made is None else partial(self._attributes, made))

    def close(self):
        """The same, with the estimator as it is."""
        return self._end({})

    def _end(self, attributes):
        return self.context.call_on_fit_task_end(
            estimator=self._fit.estimator,
            reconstruction_attributes=attributes,
            **self._fit.samples,
        )
