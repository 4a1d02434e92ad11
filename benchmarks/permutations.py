"""Permutations of the paper's procedure (ITML, distances, affinity propagation, enrichment) at 1105 drugs.

    python benchmarks/permutations.py [--permutations 1000] [--peer 20] [--cores 2]

Beside it, in the same run, the same by metric-learn, scipy and scikit-learn. Simulated data. Prints seconds and ratio.
"""

# ruff: noqa: E402 (environment and path have to be set before numpy and the package are imported)

import argparse
import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # as in the workflow: parallel by jobs
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

import numpy as np
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import AffinityPropagation

from moamap.communities.clusters import communities_of
from moamap.core.labels import membership
from moamap.profiles.normalize import normalize
from moamap.profiles.simulate import simulate
from moamap.representations.registry import learn
from moamap.validation.nulls import enrichment_p, permutation
from moamap.validation.procedure import Procedure

MIN_DRUGS, ALPHA = 5, 0.01


def screen():
    """Procedure and MoAs (1105, 372) of the embedded screen."""
    profiles, _ = simulate(seed=0)
    x = profiles.iloc[:, 3:].to_numpy()
    moas = membership(profiles["moa"], "whole").to_numpy()
    return Procedure(normalize(x, x.mean(axis=0), x.var(axis=0)), moas.sum(axis=0) >= MIN_DRUGS, "itml"), moas


def by_moamap(moas):
    """Enriched MoAs of a labelling."""
    return enriched(communities_of(-procedure.in_sample(moas)).numbers, moas)


def by_peers(moas):
    """The same by what a user would take instead."""
    learned = learn("itml", procedure.x, moas, engine="metric-learn")
    s = -squareform(pdist(learned.transform(procedure.x), "sqeuclidean"))
    model = AffinityPropagation(affinity="precomputed", max_iter=1000, random_state=0).fit(s)
    return enriched(model.labels_ + 1, moas)


def enriched(numbers, moas):
    """The Enrichment Number."""
    return int((enrichment_p(numbers, moas[:, procedure.tested])[0] < ALPHA).any(axis=0).sum())


def score(task):
    """Enriched MoAs of permutation `number`."""
    way, number = task
    return way(labels[permutation(len(labels), 0, number)])


def timed(pool, way, n):
    """Seconds of n permutations, and what they found."""
    start = time.perf_counter()
    found = pool.map(score, [(way, number) for number in range(1, n + 1)], chunksize=5)
    return time.perf_counter() - start, found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--permutations", type=int, default=1000)
    parser.add_argument("--peer", type=int, default=20, help="permutations by the peers")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    procedure, labels = screen()
    print(f"{procedure.base.shape[0]} simulated drugs; load {os.getloadavg()[0]:.1f} at the start", flush=True)
    with get_context("fork").Pool(options.cores) as pool:
        timed(pool, by_moamap, 2 * options.cores)  # compiled and in the cache
        theirs, their_found = timed(pool, by_peers, options.peer)
        ours, found = timed(pool, by_moamap, options.permutations)
    each = np.array([ours / options.permutations, theirs / options.peer])
    same = sum(a == b for a, b in zip(found, their_found, strict=False))
    print(f"moamap {ours:.0f} s for {options.permutations} permutations on {options.cores} cores: {each[0]:.3f} s each")
    print(f"peers {each[1]:.3f} s each ({options.peer} permutations): {each[1] / each[0]:.1f} times as long")
    print(f"the same Enrichment Number in {same} of {options.peer}")
