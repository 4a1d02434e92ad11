"""Streams of random numbers: the same in every process, and unrelated where purpose, seed or number differ."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np

from moamap.core.labels import label_sets
from moamap.core.numerics import stream
from moamap.validation.nulls import permutation
from moamap.validation.procedure import Procedure
from moamap.validation.stability import perturbations

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"


def test_a_stream_is_the_same_in_another_process():
    code = "from moamap.core.numerics import stream; print(stream(7, 'folds', 3).integers(2**62))"
    done = subprocess.run([sys.executable, "-c", code], cwd=WORKFLOW, capture_output=True, text=True, check=True)
    assert int(done.stdout) == stream(7, "folds", 3).integers(2**62)


def test_streams_that_differ_in_anything_differ():
    drawn = {
        tuple(stream(seed, purpose, number).integers(2**62, size=2))
        for seed, purpose, number in product(range(5), ("folds", "permutation", "subsample"), range(5))
    }
    assert len(drawn) == 75


def test_streams_of_two_purposes_are_uncorrelated():
    pairs = [(stream(0, "a", k).normal(size=200), stream(0, "b", k).normal(size=200)) for k in range(50)]
    correlation = np.corrcoef(np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))[0, 1]
    assert abs(correlation) < 4 / np.sqrt(50 * 200)


def test_permutations_and_subsamples_of_a_number_share_no_stream():
    """Both once began from [seed, number]: the subsample then was the head of the permutation."""
    x, n = np.random.default_rng(0).normal(size=(50, 3)), 50
    procedure = Procedure(x, np.ones(1, dtype=bool), "raw")
    rows = {c.value: c.rows for c in perturbations(procedure, 3, 9) if c.kind == "subsample"}
    shuffled = {number: permutation(n, 9, number) for number in (1, 2, 3)}
    for number, kept in rows.items():
        again = np.sort(np.random.default_rng([9, number]).choice(n, len(kept), replace=False))
        assert not np.array_equal(kept, again)
        assert not np.array_equal(shuffled[number], np.random.default_rng([9, number]).permutation(n))
        assert set(kept) != set(shuffled[number][: len(kept)])


def test_a_reseeded_run_gives_each_part_a_seed_of_its_own():
    labels = np.eye(4, dtype=bool)[np.arange(40) % 4]
    procedure = Procedure(np.random.default_rng(0).normal(size=(40, 3)), np.ones(4, dtype=bool), "itml", seed=2)
    changed = [c.procedure for c in perturbations(procedure, 4, procedure.seed) if c.kind == "seed"]
    seeds = [seed for p in changed for seed in (p.seed, p.parameters["seed"], p.communities["seed"])]
    assert len(set(seeds)) == 12
    folds = {tuple(map(tuple, p.folds(label_sets(labels), labels))) for p in [procedure, *changed]}
    assert len(folds) == 5
