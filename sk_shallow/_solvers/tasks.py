"""Who is told how far a fit is: nobody, unless the facade has an heir of `Task`."""

from functools import partial
from math import inf


def never():
    """Whether it is enough: no."""
    return False


class Task:
    """A part of a fit, which may have parts itself. Nobody is told of this one.

    Attributes
    ----------
    is_told : bool
    n_parts : int or None
        The most parts that it may have; None if unknown.
    """

    is_told, n_parts = False, None

    def part(self, name, number=None):
        """A part, which has not begun; with a number where there is no order."""
        return self

    def begin(self, n_parts=0, in_order=True):
        """It begins, and has so many parts at the most."""
        return self

    def end(self, made=None):
        """It has ended, and made this; True where its siblings shall not begin."""
        return False


class Iterations:
    """Those of a run, as parts of a task.

    One that begins anew, after a divergence, has begun once. Those beyond the most
    that the task may have are not told of: they move nothing.

    Parameters
    ----------
    task : Task
    made : callable
        `made(theta, extra)` gives what an iteration has made, if somebody asks.

    Attributes
    ----------
    is_over : bool
        Whether there shall be no more.
    """

    def __init__(self, task, made):
        self._task, self._made, self._now = task, made, None
        self._n_left = inf if task.n_parts is None else task.n_parts
        self.is_over = False

    def begin(self):
        """Before an iteration; True where there shall be none."""
        if self._now is None and self._n_left and not self.is_over:
            self._now = self._task.part("epoch").begin()
            self._n_left -= 1
        return self.is_over

    def end(self, theta, extra=None):
        """After an iteration; True where it shall be the last."""
        self.begin()
        now, self._now = self._now, None
        if now is not None and now.end(partial(self._made, theta, extra)):
            self.is_over = True
        return self.is_over

    def close(self):
        """End one that has begun, and led nowhere."""
        if self._now is not None:
            self._now.end()
