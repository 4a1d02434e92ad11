"""What is kept of the pairs of drugs: the nearest of each drug. Rows of the drugs stand for their names."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Neighbours:
    """The k nearest of n drugs, nearest first; of two at the same distance the one with the smaller index."""

    index: np.ndarray  # (n, k) int32
    distance: np.ndarray  # (n, k) float32
    association: np.ndarray  # (n, k) float32
