"""All pairs of drugs: the study's two passes beside the least that any way to do it would take.

    PYTHONPATH=workflow:workflow/scripts python benchmarks/connections.py [--threads 2] [--out FOLDER] [SIZE] [FEATURES]

The two passes are those of the rules `neighbours` and `connect`: nearest drugs and distribution, then every pair with
its distance and association into a Parquet file. The floor is one pass of products of the same tiles and as many
bytes written to the same disk. The peak of memory is of a process that does nothing else. 10,000 association scores are
compared with those by brute force, from the sorted distances of all pairs.
"""

import argparse
import multiprocessing
import os
import resource
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from _files import read_connections, write_connections
from moamap.connections.blocks import connections, embedded, in_order, strips
from moamap.connections.tally import tally


def profiles(n: int, d: int) -> np.ndarray:
    """Simulated: clusters of drugs in noise."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, d)) + rng.normal(size=(n // 50 + 1, d))[rng.integers(n // 50 + 1, size=n)]


def both_passes(n: int, d: int, threads: int, path: Path) -> tuple[float, float, float]:
    """Seconds of the first and of the second pass, and the peak of this process's memory (GB) after them."""
    x = profiles(n, d)
    with threadpool_limits(1):
        clocks = []
        for size in (300, n):  # the first compiles what numba compiles
            started = time.perf_counter()
            pairwise = embedded(x[:size])
            found = tally(pairwise, strips(size), n_threads=threads)
            between = time.perf_counter()
            pairs = connections(pairwise, strips(size), found.values, found.counts, n_threads=threads)
            write_connections(pairs, str(path), simulated=True)
            clocks = [between - started, time.perf_counter() - between]
    return *clocks, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def floor(n: int, d: int, threads: int, path: Path) -> tuple[float, float]:
    """Seconds of the products alone, and of writing as many bytes as the file has."""
    x = profiles(n, d)
    tiles = [(here, there) for here in strips(n) for there in strips(n) if there.start >= here.start]
    with threadpool_limits(1):
        started = time.perf_counter()
        for _ in in_order((partial(lambda a, b: x[a] @ x[b].T, *tile) for tile in tiles), threads):
            pass
        products = time.perf_counter() - started
    size, chunk = path.stat().st_size, os.urandom(2**24)
    started = time.perf_counter()
    with (path.parent / "bytes").open("wb") as file:
        for _ in range(0, size, len(chunk)):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return products, time.perf_counter() - started


def largest_error(path: Path, n: int, number: int = 10_000) -> float:
    """Of association scores, against (pairs farther + half the other ties) / (pairs - 1) by brute force."""
    pairs = read_connections([str(path)], pd.DataFrame(index=range(n)))
    ordered = np.sort(pairs.distance)
    some = np.random.default_rng(1).choice(len(ordered), number, replace=False)
    below, upto = (np.searchsorted(ordered, pairs.distance[some], side=side) for side in ("left", "right"))
    expected = (len(ordered) - upto + (upto - below - 1) / 2) / (len(ordered) - 1)
    return float(np.abs(pairs.association[some] - expected).max())


def main() -> None:
    """Print the times, their ratio, the peak of memory and the largest error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", type=int, default=19_864)
    parser.add_argument("features", nargs="?", type=int, default=812)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/connections"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    path, sizes = chosen.out / "connections.parquet", (chosen.size, chosen.features, chosen.threads)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        first, second, memory = pool.apply(both_passes, (*sizes, path))
    products, written = floor(*sizes, path)
    print(
        f"{chosen.size * (chosen.size - 1) // 2:,} pairs, {path.stat().st_size / 1e9:.2f} GB, {chosen.threads} threads"
    )
    print(
        f"study  {first + second:6.1f} s (neighbours {first:.1f}, connections {second:.1f}), {memory:.2f} GB of memory"
    )
    print(f"floor  {products + written:6.1f} s (products {products:.1f}, bytes {written:.1f})")
    print(f"ratio  {(first + second) / (products + written):6.2f}")
    print(f"largest error of 10,000 association scores: {largest_error(path, chosen.size):.1e}")


if __name__ == "__main__":
    main()
