"""DIP connections: the association score of a distance between two drugs."""

import numpy as np


def association(distance: np.ndarray) -> np.ndarray:
    """Share of the other pairs that are farther apart than this one: 1 for the closest pair, 0 for the farthest.

    (pairs farther apart + half of the other ties) / (pairs - 1), which is (P - r) / (P - 1) for a distance of average
    rank r among P pairs. The paper speaks of "association scores" without defining them; this definition is ours.
    A single pair scores 1.

    Parameters
    ----------
    distance : (n_pairs,)

    Returns
    -------
    (n_pairs,)
    """
    _, place, counts = np.unique(distance, return_inverse=True, return_counts=True)
    return scores(counts)[place]


def scores(counts: np.ndarray) -> np.ndarray:
    """The association of each distance that occurs, from how often it does: (n_values,), by rising distance."""
    n_pairs = counts.sum()
    if n_pairs == 1:
        return np.ones(1)
    farther = n_pairs - np.cumsum(counts)
    return (farther + (counts - 1) / 2) / (n_pairs - 1)


def scores_of(distance: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The association of distances among those of all pairs, also of distances that do not occur: the share of pairs
    that are farther apart. A distance below all that occur scores as the least of them.

    Parameters
    ----------
    distance : any shape, float32
    values, counts : the distances that occur, ascending, and how often they do, as `tally.Tally` has them
    """
    distance = np.maximum(distance, values[0])
    farther = counts.sum() - np.concatenate([[0], np.cumsum(counts)])
    place = np.searchsorted(values, distance)
    occurs = values[np.minimum(place, len(values) - 1)] == distance
    known = scores(counts)[np.minimum(place, len(values) - 1)]
    return np.where(occurs, known, farther[place] / counts.sum()).astype(np.float32)
