"""Workers: processes that train a contender, and send back what has become of it.

The samples are in a file, once for each way to encode them, that all of them map.
"""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import NamedTuple

import joblib
from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor

from sk_shallow._arrays.threads import n_outside, set_outside

# Seconds after which processes that have nothing to do end.
_IDLE = 300
# Multiplications, at the least, after which a worker sends a contender back.
_WORK = 5e10


class Flag(NamedTuple):
    """An event that other processes see: whether there is a file."""

    path: Path

    def set(self):
        """Make it true, where a file can be made."""
        with suppress(OSError):
            self.path.touch()

    def is_set(self):
        """Whether it is true."""
        return os.path.exists(self.path)


class Workers:
    """So many processes, for the time of a race; they wait a while for the next one.

    Parameters
    ----------
    n_workers : int

    Attributes
    ----------
    error : Exception or None
        What has kept them from training; from then on they are not ready.
    """

    def __init__(self, n_workers):
        self.n_workers, self.error = n_workers, None
        self._door, self._grounds, self._n_flags = Lock(), {}, 0
        self._folder = None

    def begin(self):
        """Start the processes, unless they are still there."""
        try:
            self._folder = TemporaryDirectory(ignore_cleanup_errors=True)
            self._greeting = self._greeted()
        except Exception as error:
            self._give_up(error)

    def end(self, in_peace):
        """Nothing is left of the race; the processes stay, if it has ended in peace."""
        if self._folder is not None:
            self._folder.cleanup()
        if not in_peace:
            self._dismiss()

    @property
    def are_ready(self):
        """Whether they have started, and nothing has gone wrong."""
        return self.error is None and self._greeting.done()

    def flag(self):
        """A flag that is not set."""
        self._n_flags += 1
        return Flag(self._path(f"{self._n_flags}.flag"))

    def train(self, contender, n_steps, flag):
        """What the contender is after so many steps; it expects it on the way.

        None where the flag was set on the way, or if there was an error, of this one
        or of another.
        """
        later = contender
        try:
            while not later.has_reached(n_steps):
                if self.error is not None:
                    return None
                ground = self._written(contender.ground)
                stop = later.next_stop(n_steps, _WORK / contender.work)
                task = later.packed(), ground, stop
                packed = self._submitted(_trained, *task, flag, n_outside()).result()
                if packed is None:
                    return None
                later = later.arrived(packed)
                contender.expect(later)
            return later
        except Exception as error:
            self._give_up(error)
            return None

    def _give_up(self, error):
        """From now on nothing is trained here; the next race has other processes."""
        self.error = error
        self._dismiss()

    def _greeted(self):
        """The future of a first task, with new processes if the last ones have died."""
        try:
            return self._submitted(_greet)
        except BrokenProcessPool:
            self._dismiss()
            return self._submitted(_greet)

    def _path(self, name):
        """That of a file of this race."""
        return Path(self._folder.name, name)

    def _written(self, ground):
        """The file with the samples."""
        samples, *_ = ground
        with self._door:
            if id(samples) not in self._grounds:
                path = self._path(f"{len(self._grounds)}.ground")
                joblib.dump(ground, path)
                self._grounds[id(samples)] = path, samples
            return self._grounds[id(samples)][0]

    def _submitted(self, work, *args):
        """The future of work(*args)."""
        return _executor(self.n_workers).submit(work, *args)

    def _dismiss(self):
        """The next race has other processes; these end with what they are at."""
        _executors.pop((self.n_workers, os.getpid()), None)


# By their number and by the process that has started them: a forked one has its own.
_executors = {}


def _executor(n_workers):
    """The processes of this process; of threads that ask at once, all get the same.

    A lock could be held where the process forks. Processes start with their first task:
    an executor that came too late has none.
    """
    key = n_workers, os.getpid()
    found = _executors.get(key)
    return found or _executors.setdefault(
        key, ProcessPoolExecutor(n_workers, timeout=_IDLE)
    )


def _greet():
    """A worker has imported what it needs."""


def _trained(contender, path, n_steps, flag, n_threads):
    """Train a contender, in a worker."""
    set_outside(n_threads)
    contender = contender.unpacked(joblib.load(path, mmap_mode="r"))
    later = contender.leg(n_steps, flag.is_set)()
    return None if later is None else later.packed(is_back=True)
