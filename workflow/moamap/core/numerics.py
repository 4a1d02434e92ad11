"""Numerics that more than one stage uses."""

import hashlib
import os
from pathlib import Path

import numpy as np


def stream(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """Random numbers for one purpose: `number` tells the permutations, runs or splits of that purpose apart.

    Streams of different purposes are independent (numpy's SeedSequence), also where seed and number are the same.
    """
    # not Python's hash(), which differs between processes
    words = np.frombuffer(hashlib.sha256(purpose.encode()).digest()[:16], dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence([seed, number, *map(int, words)]))


def squared_euclidean(x: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of all pairs of rows, by the Gram matrix.

    Parameters
    ----------
    x : (n, d)

    Returns
    -------
    (n, n), symmetric, never negative, with a zero diagonal
    """
    centred = x - x.mean(axis=0)
    gram = centred @ centred.T
    lengths = gram.diagonal()
    squared = np.maximum(lengths[:, None] + lengths - 2 * gram, 0)
    np.fill_diagonal(squared, 0)
    return squared


def as_stored(squared: np.ndarray) -> np.ndarray:
    """Squared distances (n, n) as they are after the distances have been kept as float32, as in the study's files.

    Affinity propagation can be touchy: a rerun of the study must see its very numbers.
    """
    return np.square(np.sqrt(squared).astype(np.float32), dtype=float)


def median(x: np.ndarray) -> np.floating:
    """The median of all values, as `np.median`; many times as fast.

    It partitions a copy at one position only, for which numpy has vector instructions; `np.median` uses several.
    """
    values = x.flatten()
    half = values.size // 2
    values.partition(half)
    upper = values[half]
    return upper if values.size % 2 else (values[:half].max() + upper) / 2


def memory() -> int:
    """Bytes of memory of the machine, or of the container that this runs in."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")]
    found = [path.read_text().strip() for path in limits if path.is_file()]
    return min([physical, *(int(limit) for limit in found if limit.isdecimal())])
