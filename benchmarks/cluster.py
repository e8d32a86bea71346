"""What a task costs beyond its work: dask and Ray, plain and by joblib.

    python benchmarks/cluster.py [--tasks 500] [--repeats 5]

Tasks that do nothing go to two workers of a cluster on this machine. The milliseconds
of a task are those of the wall clock, divided by the number of tasks: the median of the
repeats and their extremes, and the CPU milliseconds of the process that asks, in which
dask's scheduler lives, too. joblib sends one task at a time, and as many as it finds
right (`batch_size="auto"`, which needs some time to find them).
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


def nothing(i):
    return i


def by_joblib(backend, n_tasks, batch_size, **options):
    with joblib.parallel_config(backend, **options):
        jobs = (joblib.delayed(nothing)(i) for i in range(n_tasks))
        joblib.Parallel(batch_size=batch_size)(jobs)


def measured(name, run, n_tasks, repeats):
    run(n_tasks // 10)
    wall, cpu = [], []
    for _ in range(repeats):
        starts = perf_counter(), process_time()
        run(n_tasks)
        wall.append(1e3 * (perf_counter() - starts[0]) / n_tasks)
        cpu.append(1e3 * (process_time() - starts[1]) / n_tasks)
    low, middle, high = np.quantile(wall, [0, 0.5, 1])
    print(
        f"| {name} | {middle:.2f} | {low:.2f}–{high:.2f} | {np.median(cpu):.2f} |",
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

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
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
        print("| tasks | ms of a task | from–to | CPU ms of the asking process |")
        print("|---|---:|---:|---:|")
        with_joblib("loky", measure, n_jobs=2)
        on_dask(measure)
        on_ray(measure)


if __name__ == "__main__":
    main()
