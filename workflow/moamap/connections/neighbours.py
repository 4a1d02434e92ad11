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
