"""The nearest 100 drugs of every drug beside the libraries that find them: time, peak memory, the same neighbours?

    PYTHONPATH=workflow python benchmarks/neighbours.py [--features 812] [--threads 2] [SIZE...]

Peers: scikit-learn's NearestNeighbors (brute force) and, where it is installed (pip install faiss-cpu), faiss's flat
index, both exact and in float32. Every engine runs in a process of its own, on the same simulated profiles, several
times in turn; the ratio is that of the medians. moamap also counts how often each distance occurs, which the
associations of all pairs need and the peers do not give. "same" is the share of neighbours at the same rank.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from importlib.util import find_spec
from statistics import median

import numpy as np

K = 100
ENGINES = ["moamap", "scikit-learn"] + ["faiss"] * bool(find_spec("faiss"))


def profiles(n: int, n_features: int) -> np.ndarray:
    """Simulated profiles in groups, (n, n_features)."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n // 20 + 1, n_features))[rng.integers(n // 20 + 1, size=n)] + rng.normal(
        size=(n, n_features)
    )


def by_moamap(x: np.ndarray, threads: int) -> np.ndarray:
    """The neighbours' indices (n, 100), as all three give them."""
    from threadpoolctl import threadpool_limits

    from moamap.connections.blocks import embedded, strips
    from moamap.connections.tally import tally

    with threadpool_limits(1):
        return tally(embedded(x), strips(len(x)), n_threads=threads).index


def by_scikit_learn(x: np.ndarray, threads: int) -> np.ndarray:
    """As `by_moamap`."""
    from sklearn.neighbors import NearestNeighbors

    small = x.astype(np.float32)
    return NearestNeighbors(n_neighbors=K, algorithm="brute", n_jobs=threads).fit(small).kneighbors()[1]


def by_faiss(x: np.ndarray, threads: int) -> np.ndarray:
    """As `by_moamap`; each drug finds itself, too, which is left out."""
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatL2(x.shape[1])
    index.add(x.astype(np.float32))
    found = index.search(x.astype(np.float32), K + 1)[1]
    found[found == np.arange(len(x))[:, None]] = -1
    return np.array([row[row >= 0][:K] for row in found])


FUNCTIONS = {"moamap": by_moamap, "scikit-learn": by_scikit_learn, "faiss": by_faiss}


def measure(engine: str, n: int, n_features: int, threads: int) -> dict:
    """Seconds, peak memory and neighbours of one engine, once it is warm."""
    x = profiles(n, n_features)
    FUNCTIONS[engine](x[:300], threads)
    started = time.perf_counter()
    index = FUNCTIONS[engine](x, threads)
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"seconds": seconds, "memory_mb": memory, "index": index[:: max(1, n // 500)].tolist()}


def in_a_process(engine: str, n: int, options: argparse.Namespace) -> dict:
    """`measure`, in a process of its own."""
    command = [sys.executable, __file__, "--one", engine, "--features", str(options.features)]
    done = subprocess.run(
        [*command, "--threads", str(options.threads), str(n)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print a line for every size and engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=[1105, 5000, 19_864])
    parser.add_argument("--features", type=int, default=812)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=list(FUNCTIONS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.sizes[0], options.features, options.threads)))
        return
    print(f"{'drugs':>7}  {'engine':<13}{'seconds':>9}{'times as long':>15}{'memory MB':>11}{'same':>8}")
    for n in options.sizes:
        runs = {engine: [] for engine in ENGINES}
        for _ in range(options.rounds):
            for engine in ENGINES:
                runs[engine].append(in_a_process(engine, n, options))
        ours = runs["moamap"][0]["index"]
        base = median(run["seconds"] for run in runs["moamap"])
        for engine, found in runs.items():
            seconds = median(run["seconds"] for run in found)
            same = np.mean(np.array(found[0]["index"]) == np.array(ours))
            memory = max(run["memory_mb"] for run in found)
            print(f"{n:>7,}  {engine:<13}{seconds:>9.2f}{seconds / base:>15.2f}{memory:>11,.0f}{same:>8.4f}")


if __name__ == "__main__":
    main()
