"""Which engine finds communities on many drugs? Dense and sparse affinity propagation and Louvain, side by side.

    python benchmarks/communities.py [--sizes 1105 5000 10000] [--real ANNOTATED.parquet] [--out DIR]

Raw profiles, each normalized over its 812 features: simulated screens (more drugs have more MoAs of the same sizes),
and a real one from the profiles/annotated.parquet of a study. 19864 as a size takes 8 minutes and 6 GB. Per engine:
communities, single drugs, the net similarity of its labels by the distances of all pairs and the dense engine's
preference, adjusted Rand index to the dense engine, pairs of drugs of one MoA in one community beside 999 permutations
of the MoAs (z), seconds, and peak memory beside the distances or neighbours, each in a process of its own. Damping is
0.9, as the study has it for many drugs; "dense, damping 0.95" shows how far two runs of one engine differ. Writes
communities.csv to DIR.

Recommended by it: dense up to 25,000 drugs, sparse on 100 neighbours with the median of all pairs above. Sparse agrees
with dense as far as dense with itself at another damping (adjusted Rand index, damping being 0.7: 1.00 at 488 real and
1,105 drugs, .99 at 5,000; .78 at 10,000, where dense has .82 with itself at 0.9), with about as many communities (550
and 534 at 19,864), in a twentieth of the memory. Fewer neighbours, or the median of the graph, give other communities.
Louvain puts more pairs of one MoA together on the simulated screens, and fewer on the real one, so it is a choice and
no default.
"""

# ruff: noqa: E402 (environment and path have to be set before numpy and the package are imported)

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # as in the workflow; parallel by tiles
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from moamap.communities.clusters import communities_on_graph, find_communities, median_of
from moamap.connections.blocks import connections, embedded, strips
from moamap.connections.tally import tally
from moamap.core.names import ID_COLUMNS
from moamap.core.numerics import stream
from moamap.profiles.normalize import apply_normalization, learn_normalization
from moamap.profiles.simulate import simulate

THREADS, DAMPING, PERMUTATIONS = 2, 0.9, 999
ENGINES = {  # and how many neighbours they read; None for all pairs
    "dense": ("dense", None, {}),
    "dense, damping 0.95": ("dense", None, {"damping": 0.95}),
    "sparse, k = 25": ("sparse", 25, {}),
    "sparse, k = 50": ("sparse", 50, {}),
    "sparse, k = 100": ("sparse", 100, {}),
    "sparse, k = 100, median of the graph": ("sparse", 100, {"median_distance": None}),
    "louvain, resolution 1": ("louvain", 100, {"resolution": 1.0}),
    "louvain": ("louvain", 100, {}),
    "louvain, resolution 16": ("louvain", 100, {"resolution": 16.0}),
}


def screens(sizes: list[int], real: Path | None):
    """Yield what each data set is called, and its profiles: pert_id, pert_iname, moa, features."""
    for n in sizes:
        share = n / 1105
        yield "simulated", simulate(seed=0, n_drugs=n, n_moas=round(372 * share), n_common_moas=round(49 * share))[0]
    if real:
        yield "real", pd.read_parquet(real)


def compare(data: str, drugs: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """One row per engine."""
    features = drugs.drop(columns=ID_COLUMNS)
    x = apply_normalization(features, learn_normalization(features, drugs["pert_iname"], axis="profile"))
    write_pairs(np.asarray(x), folder)
    moa = pd.factorize(drugs["moa"])[0]
    rows, dense = [], None
    for name in ENGINES:
        if name == "dense, damping 0.95" and len(drugs) > 10_000:
            continue  # minutes
        cost = measured(name, folder)
        with np.load(folder / "found.npz") as found:
            numbers, exemplars = found["numbers"], found["exemplars"]
            dense = (numbers, float(found["preference"])) if dense is None else dense
        rows.append(
            {
                "data": data,
                "drugs": len(drugs),
                "engine": name,
                "communities": len(exemplars),
                "single drugs": int((np.bincount(numbers) == 1).sum()),
                "largest": int(np.bincount(numbers).max()),
                "net similarity": net_similarity(np.asarray(x), numbers, exemplars, dense[1]),
                "Rand index to dense": adjusted_rand_score(dense[0], numbers),
                **same_moa(numbers, moa),
                **cost,
            }
        )
        print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
    return pd.DataFrame(rows)


def write_pairs(x: np.ndarray, folder: Path) -> None:
    """Distances of all pairs, the 100 nearest of each drug, and the median distance."""
    pairwise = embedded(x)
    found = tally(pairwise, strips(pairwise.n), n_threads=THREADS)
    every = connections(pairwise, strips(pairwise.n), found.values, found.counts, n_threads=THREADS)
    np.save(folder / "distance.npy", np.concatenate([pairs.distance for pairs in every]))
    np.savez(
        folder / "neighbours.npz",
        index=found.index,
        distance=found.distance,
        median_distance=median_of(found.values, found.counts),
    )


def net_similarity(x: np.ndarray, numbers: np.ndarray, exemplars: np.ndarray, preference: float) -> float:
    """Minus the squared distances to the exemplars, and their preferences: what affinity propagation maximizes."""
    return float(-np.square(x - x[exemplars[numbers - 1]]).sum() + preference * len(exemplars))


def same_moa(numbers: np.ndarray, moa: np.ndarray) -> dict[str, float]:
    """Pairs of drugs of one MoA in one community; where the MoAs are permuted; and how far beyond these."""
    rng = stream(0, "benchmark of communities")
    null = [together(numbers, rng.permutation(moa)) for _ in range(PERMUTATIONS)]
    pairs = together(numbers, moa)
    return {"same-MoA pairs": pairs, "permuted": np.mean(null), "z": (pairs - np.mean(null)) / np.std(null)}


def together(numbers: np.ndarray, moa: np.ndarray) -> int:
    counts = np.bincount(numbers * (moa.max() + 1) + moa)
    return int((counts * (counts - 1) // 2).sum())


def measured(name: str, folder: Path) -> dict[str, float]:
    """Cost of one engine, run in a process of its own, which leaves its communities in found.npz."""
    command = [sys.executable, __file__, "--measure", name, "--out", str(folder)]
    environment = os.environ | {"NUMBA_NUM_THREADS": str(THREADS)}
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    seconds, iterations, converged, memory = map(float, out.split())
    return {"iterations": iterations, "converged": bool(converged), "seconds": seconds, "peak MB": memory}


def measure(name: str, folder: Path) -> None:
    engine, k, changed = ENGINES[name]
    options = {"engine": engine, "n_threads": THREADS, "damping": DAMPING} | changed
    if k is None:
        given, find = [np.load(folder / "distance.npy")], find_communities
        few = [np.random.default_rng(0).random(50 * 49 // 2, dtype=np.float32)]
    else:
        with np.load(folder / "neighbours.npz") as known:
            given, find = [known["index"][:, :k], known["distance"][:, :k]], communities_on_graph
            options = {"median_distance": float(known["median_distance"])} | options
        few = [(np.arange(50)[:, None] + np.arange(1, 21)) % 50, np.random.default_rng(0).random((50, 20))]
    find(*few, **options)  # compiles, and imports what the engine needs
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    before, start = high_water(), time.perf_counter()
    found = find(*given, **options)
    seconds = time.perf_counter() - start
    iterations = np.nan if found.iterations is None else found.iterations
    print(seconds, iterations, int(found.converged), (high_water() - before) / 2**20)
    preference = np.nan if found.preference is None else found.preference
    np.savez(folder / "found.npz", numbers=found.numbers, exemplars=found.exemplars, preference=preference)


def high_water() -> int:
    """Peak resident bytes."""
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1105, 5000, 10_000])
    parser.add_argument("--real", type=Path, metavar="ANNOTATED.parquet")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks"))
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.out)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    tables = []
    for data, drugs in screens(options.sizes, options.real):
        with tempfile.TemporaryDirectory() as folder:
            tables.append(compare(data, drugs, Path(folder)))
        pd.concat(tables).to_csv(options.out / "communities.csv", index=False)
    print(pd.concat(tables).to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
