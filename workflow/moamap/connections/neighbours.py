"""What is kept of the pairs of drugs: the nearest of each drug, or all. Rows of the drugs stand for their names."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class Neighbours:
    """The k nearest of n drugs, nearest first; of two at the same distance the one with the smaller index."""

    index: np.ndarray  # (n, k) int32
    distance: np.ndarray  # (n, k) float32
    association: np.ndarray  # (n, k) float32


class Connections(NamedTuple):
    """Pairs of drugs, in scipy's condensed order."""

    drug_1: np.ndarray  # (n_pairs,) int32
    drug_2: np.ndarray  # (n_pairs,) int32
    distance: np.ndarray  # (n_pairs,) float32
    association: np.ndarray  # (n_pairs,) float32


def nearest_pairs(neighbours: Neighbours) -> Connections:
    """The pairs of every drug with its nearest, each pair once, in condensed order."""
    n, k = neighbours.index.shape
    drug, other = np.repeat(np.arange(n, dtype=np.int32), k), neighbours.index.ravel()
    first, second = np.minimum(drug, other), np.maximum(drug, other)
    _, kept = np.unique(first.astype(np.int64) * n + second, return_index=True)
    return Connections(
        first[kept], second[kept], neighbours.distance.ravel()[kept], neighbours.association.ravel()[kept]
    )
