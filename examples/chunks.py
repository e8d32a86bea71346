"""A file that is read in pieces
=============================

``python examples/chunks.py [--rows 400000]``, with pandas, polars and pyarrow

Each reader trains a network by ``partial_fit`` in a process of its own, first on a file
of a quarter of the rows, then on the whole one. Its peak memory is about the same after
both, while that of ``fit`` on the whole file grows with it. Three passes over the file,
each at a lower rate, score as ``fit`` does within the noise: unlike a stream, a file is
known to end. Two readers keep what they have read, or read far ahead, and are left out:
pyarrow with ``pre_buffer`` for Parquet, which is its default, and polars for CSV.

A piece is a frame and goes in as it is; its strings are one-hot in the network. Rows
should be in random order in the file: a stream forgets what was long ago. It writes
files and starts processes, and is not executed for this site.
"""
# sphinx_gallery_thumbnail_path = "_generated/thumbnails/chunks.png"

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from sk_shallow import ShallowNNRegressor

CHUNK = 10_000
# Of each pass over the file.
RATES = (0.01, 0.003, 0.001)


def parquet_by_pyarrow(path):
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(batch_size=CHUNK):
            yield batch.to_pandas()


def parquet_by_polars(path):
    import polars as pl

    yield from pl.scan_parquet(path).collect_batches(chunk_size=CHUNK)


def csv_by_pandas(path):
    with pd.read_csv(path, chunksize=CHUNK) as reader:
        yield from reader


def csv_by_pyarrow(path):
    from pyarrow import csv

    with csv.open_csv(path, csv.ReadOptions(block_size=2**20)) as reader:
        for batch in reader:
            yield batch.to_pandas()


READERS = {
    reader.__name__: reader
    for reader in (parquet_by_pyarrow, parquet_by_polars, csv_by_pandas, csv_by_pyarrow)
}


def flats(n, seed):
    """So many rows of numbers and a street, and the y that they make."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.standard_normal((n, 10)), columns=[f"x{i}" for i in range(10)])
    X["street"] = rng.choice(["elm", "oak", "ash"], n)
    y = np.sin(2 * X["x0"]) + X["x1"] * X["x2"] + (X["street"] == "oak")
    return X.assign(y=y + 0.5 * rng.standard_normal(n))


def write(folder, name, n):
    """The same rows as Parquet and as CSV, written in pieces, too."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parquet, csv = folder / f"{name}.parquet", folder / f"{name}.csv"
    schema = pa.Schema.from_pandas(flats(1, 0))
    with pq.ParquetWriter(parquet, schema) as writer:
        for seed in range(-(-n // CHUNK)):
            frame = flats(CHUNK, seed)
            writer.write_table(pa.Table.from_pandas(frame, schema))
            frame.to_csv(csv, mode="a", header=seed == 0, index=False)


def split(frame):
    """X and y of a frame of pandas or of polars."""
    columns = [name for name in frame.columns if name != "y"]
    return frame[columns], frame["y"]


def network():
    return ShallowNNRegressor(50, alpha=1.0, random_state=0)


def trained(chunks):
    """A network that has seen all pieces, several times; one piece is in memory."""
    net = network()
    for rate in RATES:
        net.set_params(learning_rate_init=rate)
        for chunk in chunks():
            net.partial_fit(*split(chunk))
    return net


def peak():
    """The largest resident memory of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measured(folder, name):
    """In a process of its own: train on both files and print."""
    test = split(flats(20_000, seed=2**32 - 1))
    peaks = []
    for size in ("quarter", "whole"):
        path = folder / f"{size}.{name.split('_')[0]}"
        if name == "parquet_at_once":
            net = network().fit(*split(pd.read_parquet(path)))
        else:
            net = trained(lambda path=path: READERS[name](path))
        peaks.append(peak())
    print(f"{name:20} {net.score(*test):8.4f} {peaks[0]:9.0f} {peaks[1]:9.0f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        folder, name = arguments.measure
        measured(Path(folder), name)
        return
    head = f"{'peak memory in MiB':20} {'R²':>8} {'a quarter':>9} {'the whole':>9}"
    print(head, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), "quarter", arguments.rows // 4)
        write(Path(folder), "whole", arguments.rows)
        for name in (*READERS, "parquet_at_once"):
            command = [sys.executable, __file__, "--measure", folder, name]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
