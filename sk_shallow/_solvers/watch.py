"""When to stop: one rule for the training loss and for a validation score."""

import numpy as np


class Stopping:
    """Keeps the best θ, and says when patience is over.

    Patience is over after exactly n_iter_no_change consecutive iterations, none of
    which has improved the reference value by more than tol times its size. The
    reference is the value of the last such improvement, so slow progress adds up.

    Parameters
    ----------
    theta : ndarray
        The θ to return where no iteration gives a finite value.
    tol : float
        Relative tolerance.
    n_iter_no_change : int
        The patience.

    Attributes
    ----------
    values : list of float
        Every value seen; lower is better.
    best_value, best_theta
        The lowest value, and a copy of the θ that had it.
    best_extra
        What else belonged to it.
    """

    def __init__(self, theta, tol, n_iter_no_change):
        self.tol, self.n_iter_no_change = tol, n_iter_no_change
        self.values = []
        self.best_value, self.best_theta = np.inf, theta.copy()
        self.best_extra = None
        self._reference, self._n_waiting = np.inf, 0

    def update(self, theta, value, extra=None):
        """Take one iteration's value; True says stop."""
        self.values.append(value)
        if value < self.best_value:
            self.best_value = value
            self.best_theta[...] = theta
            self.best_extra = extra
        if self._improves(value):
            self._reference, self._n_waiting = value, 0
        else:
            self._n_waiting += 1
        return self._n_waiting >= self.n_iter_no_change

    def restart(self):
        """Forget the waiting: training starts again."""
        self._reference, self._n_waiting = np.inf, 0

    def _improves(self, value):
        """Whether value < reference - tol |reference|."""
        if not np.isfinite(self._reference):
            return np.isfinite(value)
        return value < self._reference - self.tol * abs(self._reference)


class Monitor:
    """Called after every iteration: keeps the curve, prints, and asks `Stopping`.

    Parameters
    ----------
    stopping : Stopping
    validate : callable, default=None
        `validate(theta) -> float`, lower is better, judged instead of the loss.
    title : str, default=None
        What each iteration is printed under; nothing is without it.
    n_iter : int, default=None
        The most iterations, if that is known.

    Attributes
    ----------
    loss_curve : list of float
    iterations : Iterations or None
        What is told of each iteration, if there is somebody to tell.
    """

    def __init__(self, stopping, validate=None, title=None, n_iter=None):
        self.stopping, self.validate, self.title = stopping, validate, title
        self._of_all = "" if n_iter is None else f" of {n_iter}"
        self.loss_curve, self.iterations = [], None

    def __call__(self, theta, loss, extra=None):
        """Take the θ and the loss of an iteration; True says stop."""
        self.loss_curve.append(float(loss))
        value = loss if self.validate is None else self.validate(theta)
        if self.title is not None:
            score = "" if self.validate is None else f", score = {-value:.8f}"
            number = f"{len(self.loss_curve)}{self._of_all}"
            print(f"{self.title} {number}, loss = {loss:.8f}{score}")
        is_enough = self.stopping.update(theta, float(value), extra)
        if self.iterations is None:
            return is_enough
        return self.iterations.end(theta, extra) or is_enough

    @property
    def on_begin(self):
        """What to call before each iteration, or None; a True asks for none."""
        return None if self.iterations is None else self.iterations.begin

    def close(self):
        """There are no more iterations."""
        if self.iterations is not None:
            self.iterations.close()

    @property
    def best_loss(self):
        """The training loss of the iterate that was kept."""
        if not np.isfinite(self.stopping.best_value):
            return self.loss_curve[-1]
        return self.loss_curve[int(np.nanargmin(self.stopping.values))]
