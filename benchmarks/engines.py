"""The two engines beside the libraries that they replace: time, peak memory, and how near to the bound of the machine.

    python benchmarks/engines.py [--quick] [--out DIR]

ITML against metric-learn, affinity propagation against scikit-learn, on simulated data: in one process and in turn,
each at 1 and 2 threads, medians of the better setting. Peak memory is taken in a process of its own. Before that ITML
with 5 to 812 features at either setting of the threads: a notebook has all of them. Writes engines.csv,
itml_by_features.csv and engines.{png,svg} to DIR; --features stops after the second.
"""

# ruff: noqa: E402 (environment and path have to be set before numpy and the package are imported)

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial
from itertools import product
from pathlib import Path

FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # where set, for the sake of old builds, they slow a current one
if __name__ == "__main__" and any(name in os.environ for name in FORCED):
    kept = {name: value for name, value in os.environ.items() if name not in FORCED}
    os.execve(sys.executable, [sys.executable, *sys.argv], kept)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

import matplotlib
import numba
import numpy as np
import pandas as pd
import seaborn as sns
from metric_learn import ITML_Supervised
from sklearn.cluster import AffinityPropagation
from sklearn.metrics import euclidean_distances
from threadpoolctl import threadpool_info, threadpool_limits

from moamap.communities.affinity import affinity_propagation
from moamap.representations.itml import ITML

matplotlib.use("Agg")
from matplotlib import pyplot as plt

N_PROFILES, N_FEATURES = 1105, 812
ITERATIONS = 48  # of affinity propagation, whether or not it has converged
THREADS = (1, 2)
FEATURES, PAIRS, SWEEPS = (5, 20, 60, 100, 200, 400, N_FEATURES), (20, 400), 20  # that many sweeps at most, for both


def profiles():
    """Simulated profiles (1105, 812) of 40 classes, and the classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(40, size=N_PROFILES)
    hidden = rng.normal(size=(40, 60))[y] + rng.normal(size=(N_PROFILES, 60))
    X = hidden @ rng.normal(size=(60, N_FEATURES)) + 3 * rng.normal(size=(N_PROFILES, N_FEATURES))
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def similarities(n, dtype):
    return -euclidean_distances(np.random.default_rng(0).normal(size=(n, 20)), squared=True).astype(dtype)


def fit_ours(data, n_constraints, **options):
    return ITML(n_constraints=n_constraints, random_state=0, **options).fit(*data)


def fit_peer(data, n_constraints, **options):
    return ITML_Supervised(n_constraints=n_constraints, random_state=0, **options).fit(*data)


def cluster_ours(S):
    n_threads = numba.get_num_threads()
    return affinity_propagation(
        S, max_iter=ITERATIONS, convergence_iter=ITERATIONS, random_state=0, n_threads=n_threads
    )


def cluster_peer(S):
    options = {"max_iter": ITERATIONS, "convergence_iter": ITERATIONS, "random_state": 0}
    return AffinityPropagation(affinity="precomputed", **options).fit(S)


# --- the machine -----------------------------------------------------------------------------------------------------


def at(threads, call):
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    with threadpool_limits(threads):
        start = time.perf_counter()
        call()
        return time.perf_counter() - start


@numba.njit(parallel=True)
def add_scaled(a, b, c):
    for i in numba.prange(len(a)):
        a[i] = b[i] + 0.5 * c[i]


def machine():
    """Matrix products (operations a second) and memory (bytes a second), each at its better number of threads."""
    A = np.random.default_rng(0).normal(size=(2500, 2500))
    a, b, c = np.ones((3, 2**25))
    add_scaled(a, b, c)
    product = min(at(threads, lambda: A @ A) for threads in THREADS for _ in range(5))
    memory = min(at(threads, lambda: add_scaled(a, b, c)) for threads in THREADS for _ in range(5))
    return 2 * len(A) ** 3 / product, 3 * a.nbytes / memory


def kernels():
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(f"{Path(pool['filepath']).name.split('-')[0]} {pool['architecture']}" for pool in blas)


# --- bounds ----------------------------------------------------------------------------------------------------------


def itml_operations(model):
    """Of the matrix products without which the fit cannot be had in the way it goes (`moamap.representations.itml`)."""
    C, d, k, m = len(model.pairs_), N_FEATURES, model.n_active_, len(np.unique(model.pairs_))
    distances = m**2 * d
    if d > C:
        updates = model.n_iter_ * k * C**2
        return distances + C**2 * d + updates + 3 * k**2 * d + k * d**2
    return distances + model.n_iter_ * (2 * C + k) * d**2 + 2 * C * d**2 + d**3 / 3


def message_bytes(S):
    """An iteration reads S, A and R and writes A and R."""
    return ITERATIONS * 5 * S.nbytes


# --- measuring -------------------------------------------------------------------------------------------------------


def race(engines, turns):
    """Of each engine the number of threads with the smaller median, and its seconds: median and least."""
    times = {(name, threads): [] for name in engines for threads in THREADS}
    for _ in range(turns):
        for (name, threads), taken in times.items():
            taken.extend(turn(engines[name], threads))

    def best(name):
        threads = min(THREADS, key=lambda threads: np.median(times[name, threads]))
        return threads, float(np.median(times[name, threads])), min(times[name, threads])

    return {name: best(name) for name in engines}


def turn(call, threads):
    taken = [at(threads, call)]
    while sum(taken) < 0.3:
        taken.append(at(threads, call))
    return taken


def peak_memory(task, inputs, threads):
    """Bytes that the task adds to the largest size of a process that has read its inputs and run it on a few rows."""
    with tempfile.TemporaryDirectory() as folder:
        for name, array in inputs.items():
            np.save(Path(folder) / f"{name}.npy", array)
        command = [sys.executable, __file__, "--out", folder, "--measure", task, "--threads", str(threads)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(task, folder, threads):
    engine, size = task.split(":")
    X, *y = (np.load(path) for path in sorted(folder.glob("*.npy")))
    few = X[:50, :50].copy()
    if y:
        fit = {"moamap": fit_ours, "metric-learn": fit_peer}[engine]
        call, warm_up = partial(fit, (X, y[0]), int(size)), partial(fit, (few, y[0][:50]), 5)
    else:
        cluster = {"moamap": cluster_ours, "scikit-learn": cluster_peer}[engine]
        call, warm_up = partial(cluster, X), partial(cluster, few)
    at(threads, warm_up)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the imports
    before = high_water()
    at(threads, call)
    print(high_water() - before)


def high_water():
    """Peak resident bytes; getrusage's, which a process inherits from the one that started it, will not do."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def row(engine, size, dtype, peer, times, bound, memory):
    (threads, ours, least), (peer_threads, theirs, peer_least) = times["moamap"], times[peer]
    return {
        "engine": engine,
        "size": size,
        "dtype": dtype,
        "peer": peer,
        "moamap_s": ours,
        "peer_s": theirs,
        "times_faster": theirs / ours,
        "moamap_threads": threads,
        "peer_threads": peer_threads,
        "moamap_least_s": least,
        "peer_least_s": peer_least,
        "times_faster_by_least": peer_least / least,
        "bound_s": bound,
        "times_bound": least / bound,
        "moamap_peak_mb": memory["moamap"] / 2**20,
        "peer_peak_mb": memory[peer] / 2**20,
        "share_of_peer_peak": memory["moamap"] / memory[peer],
    }


def race_itml(n_constraints, turns, rate):
    data, peer = profiles(), "metric-learn"
    model = fit_ours(data, n_constraints)
    calls = {"moamap": partial(fit_ours, data, n_constraints), peer: partial(fit_peer, data, n_constraints)}
    times = race(calls, turns)
    inputs = dict(zip("Xy", data, strict=True))
    memory = {name: peak_memory(f"{name}:{n_constraints}", inputs, times[name][0]) for name in calls}
    return row("ITML", len(model.pairs_), "float64", peer, times, itml_operations(model) / rate, memory)


def itml_by_features():
    """One row per number of features, pairs and threads: least seconds of either engine at that very setting."""
    X, y = profiles()
    rows = []
    for n_features, n_constraints, threads in product(FEATURES, PAIRS, THREADS):
        data = np.ascontiguousarray(X[:, :n_features]), y
        calls = {"moamap_s": fit_ours, "peer_s": fit_peer}
        calls = {name: partial(fit, data, n_constraints, max_iter=SWEEPS) for name, fit in calls.items()}
        calls["moamap_s"]()  # compiled, and the pages touched
        least = {name: min(turn(call, threads)) for name, call in calls.items()}
        size = {"features": n_features, "pairs": 2 * n_constraints, "threads": threads}
        rows.append(size | least | {"times_faster": least["peer_s"] / least["moamap_s"]})
    return pd.DataFrame(rows)


def race_affinity(n, dtype, turns, rate):
    S, peer = similarities(n, dtype), "scikit-learn"
    calls = {"moamap": partial(cluster_ours, S), peer: partial(cluster_peer, S)}
    cluster_ours(S[:50, :50].copy())  # compiles, the first time
    times = race(calls, turns)
    memory = {name: peak_memory(f"{name}:{n}", {"S": S}, times[name][0]) for name in calls}
    return row("affinity propagation", n, np.dtype(dtype).name, peer, times, message_bytes(S) / rate, memory)


# --- results ---------------------------------------------------------------------------------------------------------


def draw(table, path):
    """Time against size, engine beside engine, with the bound."""
    blue, orange = sns.color_palette("colorblind")[:2]
    panels = list(table.groupby(["engine", "dtype"], sort=False))
    figure, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 3.8), layout="constrained", squeeze=False)
    for axis, ((engine, dtype), part) in zip(axes[0], panels, strict=True):
        axis.plot(part["size"], part["peer_s"], "s-", color=orange, label=part["peer"].iloc[0])
        axis.plot(part["size"], part["moamap_s"], "o-", color=blue, label="moamap")
        axis.plot(part["size"], part["bound_s"], "k+:", label="bound of the machine")
        for size, ours, theirs in part[["size", "moamap_s", "peer_s"]].itertuples(index=False):
            axis.annotate(f"{theirs / ours:.0f}x", (size, np.sqrt(ours * theirs)), ha="center", va="center", size=8)
        axis.set(xscale="log", yscale="log", title=f"{engine}, {dtype}", ylabel="seconds")
        axis.set_xlabel("pairs (812 features)" if engine == "ITML" else f"points ({ITERATIONS} iterations)")
        axis.set_xticks(part["size"], [f"{size:,}" for size in part["size"]])
        axis.minorticks_off()
        axis.margins(x=0.15, y=0.1)
        axis.legend(frameon=False, fontsize=8, loc="upper left")
    figure.suptitle("Simulated data; medians, each engine at its better number of threads", fontsize=10)
    for suffix in ("png", "svg"):
        figure.savefig(path / f"engines.{suffix}", dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes and few turns")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks"))
    parser.add_argument("--features", action="store_true", help="ITML by the number of features only")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.measure:
        measure(arguments.measure, arguments.out, arguments.threads)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    by_features = itml_by_features()
    by_features.to_csv(arguments.out / "itml_by_features.csv", index=False)
    print(by_features.to_string(index=False, float_format="{:.3g}".format))
    if arguments.features:
        return
    products, memory = machine()
    print(f"BLAS kernels: {kernels()}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    print(f"best of 1 and 2 threads: matrix products {products / 1e9:.0f} GFLOP/s, memory {memory / 1e9:.0f} GB/s")
    fits = [(20, 2), (200, 2)] if arguments.quick else [(20, 7), (200, 5), (1000, 3)]
    clusterings = [(1105, 2)] if arguments.quick else [(1105, 7), (5000, 2), (10_000, 1)]
    rows = [race_itml(size, turns, products) for size, turns in fits]
    rows += [race_affinity(n, dtype, turns, memory) for dtype in (np.float32, np.float64) for n, turns in clusterings]
    table = pd.DataFrame(rows)
    table.to_csv(arguments.out / "engines.csv", index=False)
    draw(table, arguments.out)
    print(table.T.to_string(header=False, float_format="{:.3g}".format))
    print(f"load {os.getloadavg()[0]:.1f} at the end; written to {arguments.out}/engines.{{csv,png,svg}}")


if __name__ == "__main__":
    main()
