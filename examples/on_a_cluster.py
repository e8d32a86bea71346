"""A cluster, with dask and with Ray
=================================

``pip install ".[dask,ray]"``, then
``python examples/on_a_cluster.py [search committee kill stream ray]``

More machines for searches and committees, data beyond the memory of one. It is not
executed for this site.

The cluster is real, if small: a scheduler and two worker processes that talk TCP over
127.0.0.1. For one of many machines, give ``Client`` the address of its scheduler; the
rest stays the same. dask-ml 2025.1 works with scikit-learn 1.9 and 1.6; only its two
wrappers are used.

Two things need care:

- joblib puts the arrays of a search on one worker, and dask keeps no second copy. If
  that worker dies, so does the search (dask/distributed#3149). ``safe`` keeps copies.
- ``Incremental.fit`` on the whole array lets idle workers make blocks ahead of
  training, until their memory is full. ``train_in_windows`` gives it a few at a time.
"""
# sphinx_gallery_thumbnail_path = "_generated/thumbnails/on_a_cluster.png"

import os
import signal
import sys
from contextlib import contextmanager
from threading import Thread
from time import perf_counter, sleep

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sk_shallow import ShallowNNClassifier

MIB = 2**20
ACTIVATIONS = ["tanh", "relu", "elu", "softplus", "leaky_relu"]


def local_cluster(memory_limit="640MiB"):
    """A scheduler and two workers on this machine, all on ports that are free."""
    from dask.distributed import LocalCluster

    return LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        memory_limit=memory_limit,
    )


def digits_search():
    """The digits, the splits, and a search over activations."""
    X, y = load_digits(return_X_y=True)
    splits = list(StratifiedKFold(3).split(X, y))
    net = ShallowNNClassifier(20, alpha=1.0, max_iter=60, random_state=0)
    return X, y, splits, GridSearchCV(net, {"activation": ACTIVATIONS}, cv=splits)


def told(where, search, seconds, alone):
    """Print what was found, and whether it is what one process finds, bit by bit."""
    of_both = [
        (
            found.cv_results_["mean_test_score"],
            *found.best_estimator_.coefs_,
            *found.best_estimator_.intercepts_,
        )
        for found in (search, alone)
    ]
    print(
        f"{where}: {len(ACTIVATIONS) * 3} fits in {seconds:.1f} s, best is "
        f"{search.best_params_['activation']}, accuracy {search.best_score_:.4f}, "
        f"as without a cluster: {all(map(np.array_equal, *of_both))}"
    )


def search_here():
    """The search in this process, to compare with."""
    X, y, _, search = digits_search()
    return search.fit(X, y)


# (a) Everything that calls joblib: searches, cross-validation, members of a committee.


def search_on(client, alone):
    """GridSearchCV: each fit of the grid is a task of the cluster."""
    X, y, _, search = digits_search()
    start = perf_counter()
    with joblib.parallel_config("dask", client=client):
        search.fit(X, y)
    told("search", search, perf_counter() - start, alone)


def committee_on(client):
    """Members that L-BFGS trains each on its own; each is a task."""
    X, y, *_ = digits_search()
    net = ShallowNNClassifier(
        20, n_estimators=4, solver="lbfgs", alpha=1.0, tol=1e-2, random_state=0
    )
    alone = clone(net).fit(X, y)
    start = perf_counter()
    with joblib.parallel_config("dask", client=client):
        net.set_params(n_jobs=-1).fit(X, y)
    is_same = all(map(np.array_equal, net.coefs_, alone.coefs_))
    print(
        f"committee: {net.n_estimators_} members in {perf_counter() - start:.1f} s, "
        f"as without a cluster: {is_same}"
    )


@contextmanager
def safe(client, arrays):
    """joblib on dask, with a copy of the arrays on each worker that stays there.

    These are all arrays that tasks are given: X, y and the indices of the splits.
    """
    client.amm.stop()  # dask's memory manager would remove the copies.
    with joblib.parallel_config("dask", client=client, scatter=arrays):
        yield


def kill_one(client, after):
    """Kill the process of a worker that is at work, once so many tasks are done."""
    address, pid = next(iter(client.run(os.getpid).items()))

    def n_done(dask_scheduler):
        prefixes = dask_scheduler.task_prefixes.values()
        return sum(p.state_counts["memory"] for p in prefixes if "batch" in p.name)

    def is_time(dask_scheduler):
        is_busy = dask_scheduler.workers[address].processing
        return is_busy and n_done(dask_scheduler) >= before + after

    before = client.run_on_scheduler(n_done)
    while not client.run_on_scheduler(is_time):
        sleep(0.01)
    os.kill(pid, signal.SIGKILL)


def search_through_a_death(cluster, alone):
    """The same search while a worker is killed; its nanny starts another.

    A client of its own: copies that an earlier one left on a worker that is gone would
    be waited for.
    """
    from dask.distributed import Client

    X, y, splits, search = digits_search()
    with Client(cluster) as client:
        before = set(client.run(os.getpid).values())
        start = perf_counter()
        with safe(client, [X, y, *(rows for split in splits for rows in split)]):
            killer = Thread(target=kill_one, args=(client, 3))
            killer.start()
            search.fit(X, y)
            killer.join()
        seconds = perf_counter() - start
        client.wait_for_workers(2)
        after = set(client.run(os.getpid).values())
    print(f"killed: worker {before - after}, started again: {after - before}")
    told("search through it", search, seconds, alone)


# (b) More rows than a worker can hold.


def generated(block_info):
    """A block of X, from its place alone: any worker can make it, and make it again."""
    place = block_info[None]["array-location"][0][0]
    rng = np.random.default_rng(place)
    return rng.standard_normal(block_info[None]["chunk-shape"])


def larger_than_memory(n_bytes, n_features=200, block=10_000):
    """X and y as dask arrays; nothing is computed yet."""
    import dask.array as da

    n_blocks = -(-n_bytes // (block * n_features * 8))
    chunks = ((block,) * n_blocks, (n_features,))
    X = da.map_blocks(generated, chunks=chunks, dtype=float)
    return X, (np.sin(2 * X[:, 0]) + X[:, 1] > 0).astype(int)


def train_in_windows(model, X, y, n_blocks=8):
    """`Incremental.partial_fit` on a few blocks at a time: no more are ever made."""
    for first in range(0, X.numblocks[0], n_blocks):
        window = slice(first, first + n_blocks)
        model.partial_fit(X.blocks[window], y.blocks[window], classes=[0, 1])
    return model


def peak_memory(client):
    """The largest resident memory of a worker so far, in bytes."""

    def peak():
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    return max(client.run(peak).values())


def stream_on(client):
    """Out-of-core training: the blocks go one after the other to `partial_fit`."""
    from dask_ml.wrappers import Incremental

    limit = min(
        worker["memory_limit"] for worker in client.scheduler_info()["workers"].values()
    )
    X, y = larger_than_memory(int(1.1 * limit))
    print(
        f"stream: X of {X.nbytes / MIB:.0f} MiB in {X.numblocks[0]} blocks, "
        f"{limit / MIB:.0f} MiB for each worker"
    )
    net = ShallowNNClassifier(20, alpha=1.0, batch_size=512, random_state=0)
    before = set(client.run(os.getpid).values())
    start = perf_counter()
    model = train_in_windows(Incremental(net, shuffle_blocks=False), X, y)
    seconds = perf_counter() - start
    assert set(client.run(os.getpid).values()) == before, "a worker ran out of memory"
    print(
        f"trained: {seconds:.1f} s, at most {peak_memory(client) / MIB:.0f} MiB "
        "in a worker"
    )
    return model.estimator_, X, y


# (c) Prediction for more rows than fit anywhere.


def predict_on(net, X, y):
    """ParallelPostFit: each block is predicted where it is made."""
    from dask_ml.wrappers import ParallelPostFit

    X, y = X.blocks[:8], y.blocks[:8]
    start = perf_counter()
    share = float((ParallelPostFit(net).predict(X) == y).mean().compute())
    print(
        f"predicted: {X.shape[0]} rows in {perf_counter() - start:.1f} s, "
        f"accuracy {share:.4f}"
    )
    return share


# (d) The same search on Ray.


def search_on_ray(alone):
    """The search of (a); only the name of the backend differs."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.util.joblib import register_ray

    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=100 * MIB,
        _node_ip_address="127.0.0.1",
    )
    register_ray()
    X, y, _, search = digits_search()
    start = perf_counter()
    with joblib.parallel_config("ray", n_jobs=2):
        search.fit(X, y)
    told("ray", search, perf_counter() - start, alone)
    ray.shutdown()


def main(parts):
    alone = search_here() if {"search", "kill", "ray"} & set(parts) else None
    if set(parts) - {"ray"}:
        on_dask(parts, alone)
    if "ray" in parts:
        search_on_ray(alone)


def on_dask(parts, alone):
    from dask.distributed import Client

    with local_cluster() as cluster, Client(cluster) as client:
        print(f"cluster: {cluster.scheduler_address}, {len(client.ncores())} workers")
        if "search" in parts:
            search_on(client, alone)
        if "committee" in parts:
            committee_on(client)
        if "kill" in parts:
            search_through_a_death(cluster, alone)
        if "stream" in parts:
            predict_on(*stream_on(client))


if __name__ == "__main__":
    main(sys.argv[1:] or ["search", "committee", "kill", "stream", "ray"])
