"""What n_jobs gives: the time of one core over that of two, side by side.

    python benchmarks/cores.py [--n-jobs 2] [--repeats 5] [--sets NAME ...]
    python benchmarks/cores.py --plan 2 4 8 16 64 [--sets NAME ...]

Fits with n_jobs=1 and with n_jobs take turns in one process, with one BLAS thread for
each product; their weights must be equal, bit by bit. A ratio is the median over the
turns, with its quartiles. The cores that a fit has had are its CPU seconds over its
seconds. Before and after each fit as many threads as n_jobs multiply matrices: where
these had less than 0.9 cores each, the machine was busy with something else, and the
turn does not count, as long as there are others. CPU is the CPU seconds of
n_jobs, with those of its processes, over those of one core: what is trained in vain,
and what goes there and back. The processes have started before the first turn.

With --plan nothing runs side by side: the CPU seconds of each training are measured on
one core, and a clock of its own tells when as many cores as are given would be done, if
cores did not wait for memory and nothing had to be sent.
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path
from statistics import median
from threading import Thread

import numpy as np
from _timing import printed_heading, timed
from sklearn.datasets import make_classification
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier
from sk_shallow._choice import choice
from sk_shallow._training.crew import Alone, is_worth_it
from sk_shallow._training.workers import Workers

COMMITTEE = {"n_hidden": 50, "n_estimators": 10}
# By name: rows, and what is set.
GENERATED = {
    "200 x 20": (200, {}),
    "500 x 20": (500, {}),
    "1,000 x 20": (1000, {}),
    "2,000 x 20": (2000, {}),
    "20,000 x 20": (20_000, {}),
    "20,000 x 20, a committee": (20_000, COMMITTEE),
}
# A core that others use, too.
BUSY = 0.9


def samples(name):
    """X, y, and what is set."""
    if name in GENERATED:
        n_samples, given = GENERATED[name]
        how = {"n_informative": 10, "random_state": 0}
        return *make_classification(n_samples, 20, **how), given
    with np.load(os.path.join(os.environ["SK_SHALLOW_DATA"], f"{name}.npz")) as data:
        return data["X"].reshape(len(data["X"]), -1), data["y"], {}


def cpu_of_children():
    """CPU seconds that the processes of this one have had so far."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == os.getpid():
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def fit(X, y, given, n_jobs):
    """(seconds, cores that it has had, weights) of a fit."""
    model = ShallowNNClassifier(random_state=0, n_jobs=n_jobs, **given)
    start = time.process_time() + cpu_of_children()
    seconds, _ = timed(lambda: model.fit(X, y))
    cpu = time.process_time() + cpu_of_children() - start
    return seconds, cpu / seconds, model.coefs_


def share_of_a_core(n_threads, seconds=0.1):
    """What each of so many threads has of a core."""
    end = time.perf_counter() + seconds

    def multiply():
        A = np.ones((300, 300), np.float32)
        while time.perf_counter() < end:
            A @ A

    threads = [Thread(target=multiply) for _ in range(n_threads)]
    start = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu, passed = time.process_time() - start[1], time.perf_counter() - start[0]
    return cpu / passed / n_threads


def turns(X, y, given, n_jobs, repeats):
    """Rows (seconds, cores, those of n_jobs, and the least share of a core)."""
    rows = []
    workers = Workers(n_jobs - 1)
    workers.begin()
    while not workers.are_ready:
        time.sleep(0.01)
    workers.end(in_peace=True)
    for _ in range(repeats):
        free = [share_of_a_core(n_jobs)]
        one, share, expected = fit(X, y, given, 1)
        free.append(share_of_a_core(n_jobs))
        more, cores, found = fit(X, y, given, n_jobs)
        free.append(share_of_a_core(n_jobs))
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_array_equal(a, b)
        rows.append((one, share, more, cores, min(free)))
    return rows


def told(name, rows):
    """A line of the table, of the turns that count."""
    quiet = [row for row in rows if row[-1] >= BUSY]
    ratios = [one / more for one, _, more, *_ in quiet or rows]
    low, high = np.percentile(ratios, [25, 75])
    one, share, more, cores, _ = (median(c) for c in zip(*(quiet or rows), strict=True))
    spread = f"{median(ratios):.2f} ({low:.2f} to {high:.2f})"
    cpu = median(more * cores / (one * share) for one, share, more, cores, _ in rows)
    cells = f"{one:.2f} | {share:.2f} | {more:.2f} | {cores:.2f} | {spread} | {cpu:.2f}"
    return f"| {name} | {cells} | {len(quiet)} of {len(rows)} |"


class Schedule:
    """So many cores on paper, and when what is asked of them will be done.

    Attributes
    ----------
    now : float
        CPU seconds since the beginning.
    """

    def __init__(self, n_cores):
        self.free, self.now = [0.0] * n_cores, 0.0
        self._waiting, self._under_way, self._left = {}, {}, {}

    def ask(self, legs):
        """These, with their seconds, are asked for, in this order; others pause."""
        for leg in [*self._waiting, *self._under_way]:
            if leg not in legs:
                self._pause(leg)
        for leg in legs:
            if leg not in self._under_way:
                seconds, asked = self._waiting.pop(leg, (None, self.now))
                seconds = self._left.pop(leg, legs[leg]) if seconds is None else seconds
                self._waiting[leg] = seconds, asked
        self.settle()

    def settle(self):
        """Begin what can begin until now."""
        while self._waiting and min(self.free) <= self.now:
            self._begin()

    def _begin(self):
        """The first of the queue, on the core that is free first."""
        leg = next(iter(self._waiting))
        seconds, asked = self._waiting.pop(leg)
        core = int(np.argmin(self.free))
        self.free[core] = max(self.free[core], asked) + seconds
        self._under_way[leg] = core, self.free[core]

    def _pause(self, leg):
        """What is left of it is for later."""
        if leg in self._waiting:
            self._left[leg], _ = self._waiting.pop(leg)
            return
        core, end = self._under_way.pop(leg)
        self._left[leg] = max(0.0, end - self.now)
        if self.free[core] == end:
            self.free[core] = min(end, self.now)

    def wait_for(self, leg):
        """Until it has ended."""
        if leg in self._left:
            self._waiting[leg] = self._left.pop(leg), self.now
        while leg in self._waiting:
            self._begin()
        self.now = max(self.now, self._under_way.pop(leg)[1])


class Planned(Alone):
    """A crew on paper: each training is made at once, on one core.

    Attributes
    ----------
    schedules : list of Schedule
    alone : float
        CPU seconds without anything that was made ahead for nothing.
    extra : float
        Those of what was.
    """

    def __init__(self, schedules):
        self.schedules, self.alone, self.extra = schedules, 0.0, 0.0
        self._legs, self._last = {}, time.process_time()

    def __exit__(self, *_):
        """The race is over."""
        self._tick()
        self.extra = sum(seconds for _, seconds in self._legs.values())

    def _tick(self):
        """What the race itself has taken since."""
        passed = time.process_time() - self._last
        self._last, self.alone = self._last + passed, self.alone + passed
        for schedule in self.schedules:
            schedule.now += passed
            schedule.settle()

    def foresee(self, prospects, *args):
        """Make what is new."""
        asked = {}
        for contender, n_steps in prospects(*args):
            if contender not in self._legs and is_worth_it(contender, n_steps):
                self._tick()
                later = contender.leg(n_steps)()
                seconds = time.process_time() - self._last
                self._last += seconds
                self._legs[contender] = later, seconds
            if contender in self._legs:
                asked[contender] = self._legs[contender][1]
        self._tick()
        for schedule in self.schedules:
            schedule.ask(asked)

    def advance(self, contender, n_steps):
        """Wait for it, or train it here."""
        self._tick()
        leg = self._legs.pop(contender, None)
        if leg is None:
            return contender.advance_to(n_steps)
        later, seconds = leg
        self.alone += seconds
        for schedule in self.schedules:
            schedule.wait_for(contender)
        return contender.become(later)


def planned(X, y, given, cores):
    """CPU seconds of a fit on one core, of more that are for nothing, and on paper."""
    schedules, crews = [Schedule(n) for n in cores], []

    def crew_of(*_):
        crews.append(Planned(schedules))
        return crews[-1]

    before, choice.crew_of = choice.crew_of, crew_of
    try:
        seconds, share, _ = fit(X, y, given, 1)
    finally:
        choice.crew_of = before
    (crew,) = crews
    outside = seconds * share - crew.alone - crew.extra
    return outside + crew.alone, crew.extra, [outside + s.now for s in schedules]


def print_plan(names, cores):
    """A table of ratios, if nothing but the order of the work mattered."""
    heads = "rows", "seconds", "in vain", *(f"{n} cores" for n in cores)
    print(f"| {' | '.join(heads)} |")
    print("|---" * (3 + len(cores)) + "|")
    for name in names:
        alone, extra, times = planned(*samples(name), cores)
        ratios = " | ".join(f"{alone / seconds:.2f}" for seconds in times)
        print(f"| {name} | {alone:.2f} | {extra:.2f} | {ratios} |", flush=True)


def print_ratios(names, n_jobs, repeats):
    """A table of what was measured."""
    print(f"| rows | seconds | cores | n_jobs={n_jobs} | cores | ratio | CPU | turns |")
    print("|---" * 8 + "|")
    for name in names:
        print(told(name, turns(*samples(name), n_jobs, repeats)), flush=True)


def main():
    """Print the table, or the plan."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sets", nargs="*", default=[*GENERATED, "mnist"])
    parser.add_argument("--plan", nargs="*", type=int)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    heading = printed_heading(" ".join(["python", *sys.argv]))
    with threadpool_limits(1, user_api="blas"), heading:
        if options.plan:
            print_plan(options.sets, options.plan)
        else:
            print_ratios(options.sets, options.n_jobs, options.repeats)
    print(f"Load: {', '.join(f'{load:.1f}' for load in os.getloadavg())}.")


if __name__ == "__main__":
    main()
