"""What a task costs beyond its work: dask and Ray, plain and by joblib.

    python benchmarks/cluster.py [--tasks 500] [--repeats 5]

Tasks that do nothing go to two workers of a cluster on this machine. A call with ten of
them is its start; what a call with more takes longer, divided by how many more there
are, is what a task costs. These are milliseconds of the wall clock, and CPU
milliseconds of the process that asks, in which dask's scheduler lives, too: medians,
and for the wall clock the extremes. joblib sends one task at a time, and as many as it
finds right (`batch_size="auto"`, which needs some time to find them).
"""

import argparse
import os
import runpy
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import joblib
import numpy as np
from _timing import printed_heading

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FEW = 10


def nothing(i):
    return i


def by_joblib(backend, n_tasks, batch_size, **options):
    with joblib.parallel_config(backend, **options):
        jobs = (joblib.delayed(nothing)(i) for i in range(n_tasks))
        joblib.Parallel(batch_size=batch_size)(jobs)


def timed(run, n_tasks):
    """Milliseconds of the wall clock, and of this process."""
    starts = np.array([perf_counter(), process_time()])
    run(n_tasks)
    return 1e3 * (np.array([perf_counter(), process_time()]) - starts)


def measured(name, run, n_tasks, repeats):
    run(FEW)
    few, many = (
        np.array(times)
        for times in zip(
            *((timed(run, FEW), timed(run, n_tasks)) for _ in range(repeats)),
            strict=True,
        )
    )
    wall, cpu = ((many - few) / (n_tasks - FEW)).T
    print(
        f"| {name} | {np.median(few[:, 0]):.0f} | {np.median(wall):.2f} "
        f"({wall.min():.2f}–{wall.max():.2f}) | {np.median(cpu):.2f} |",
        flush=True,
    )


def with_joblib(backend, measure, **options):
    for batch_size in (1, "auto"):
        run = partial(by_joblib, backend, batch_size=batch_size, **options)
        measure(f"joblib on {backend}, batch_size={batch_size!r}", run)


def on_dask(measure):
    from dask.distributed import Client

    local_cluster = runpy.run_path(str(EXAMPLES / "on_a_cluster.py"))["local_cluster"]
    with local_cluster() as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        measure(
            "dask, `client.map`",
            lambda n: client.gather(client.map(nothing, range(n), pure=False)),
        )
        with_joblib("dask", measure, client=client)


def on_ray(measure):
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.util.joblib import register_ray

    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
    )
    register_ray()
    task = ray.remote(nothing)
    measure("Ray, `.remote`", lambda n: ray.get([task.remote(i) for i in range(n)]))
    with_joblib("ray", measure, n_jobs=2)
    ray.shutdown()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    def measure(name, run):
        measured(name, run, arguments.tasks, arguments.repeats)

    with printed_heading(f"python benchmarks/cluster.py --tasks {arguments.tasks}"):
        print("| tasks by | start, ms | a task, ms | a task, CPU ms here |")
        print("|---|---:|---:|---:|")
        with_joblib("loky", measure, n_jobs=2)
        on_dask(measure)
        on_ray(measure)


if __name__ == "__main__":
    main()
