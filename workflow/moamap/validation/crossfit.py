"""Cross-fitting: the distance of two drugs from metrics that were learned without either."""

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from scipy.spatial.distance import squareform

from moamap.core.errors import InputError
from moamap.core.numerics import median
from moamap.representations.base import Learned

Learner = Callable[[np.ndarray, np.ndarray], Learned]  # (x, moas) of the drugs to learn from -> map


def scale(squared: np.ndarray) -> float:
    """Median of squared distances over all pairs: divided by it, the distances of different maps can be compared.

    Raises InputError where it is no positive number: the map brought most drugs to one place.
    """
    middle = float(median(squareform(squared, checks=False)))
    if not 0 < middle < np.inf:
        raise InputError(
            f"validation: a map learned without two folds puts most of {len(squared)} drugs at one place (median "
            f"squared distance {middle:g}), so its distances cannot be compared; bring more drugs, or set "
            "validation: off"
        )
    return middle


def one_split(x, moas, learner: Learner, folds: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Squared distances (n, n), each pair's from a map that was learned without the folds of both drugs.
    Pairs within fold a use the map that left out a and a + 1: it, too, left out two folds.
    """
    order = np.argsort(folds, kind="stable")  # the drugs of a fold side by side, so that blocks of pairs are slices
    side, base = x[order], base[np.ix_(order, order)]
    ends = np.cumsum(np.bincount(folds))
    parts = [slice(end - size, end) for end, size in zip(ends, np.bincount(folds), strict=True)]
    squared = np.zeros((len(x), len(x)))
    for a, b in combinations(range(len(parts)), 2):
        train = (folds != a) & (folds != b)
        distances = learner(x[train], moas[train]).squared_distances(side, base)
        unit = scale(distances)
        for c, d in _blocks(a, b, len(parts)):
            np.divide(distances[parts[c], parts[d]], unit, out=squared[parts[c], parts[d]])
    back = np.argsort(order)
    return squared[np.ix_(back, back)]


def _blocks(a: int, b: int, n_folds: int) -> Iterator[tuple[int, int]]:
    yield from ((a, b), (b, a))
    if (a + 1) % n_folds == b:
        yield a, a
    if (b + 1) % n_folds == a:
        yield b, b


def crossfit(x, moas, learner: Learner, folds: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Cross-fitted squared distances (n, n): the mean over splits of each split's, scaled to a median of 1.

    Parameters
    ----------
    x : (n, n_features) normalized profiles
    moas : (n, n_moas) booleans
    learner : learns a map from some of the rows
    folds : (n_splits, n) fold of each drug in each split
    base : (n, n) squared Euclidean distances of x
    """
    return sum(one_split(x, moas, learner, split, base) for split in folds) / len(folds)


def co_membership(numbers: np.ndarray, folds: np.ndarray) -> float:
    """How often drugs of one fold share a community, as a ratio to all pairs of drugs; 1 where folds leave no trace,
    NaN where every community is a single drug.
    """
    upper = np.triu_indices(len(numbers), k=1)
    together = (numbers[:, None] == numbers)[upper]
    if not together.any():
        return np.nan
    ratios = [together[(split[:, None] == split)[upper]].mean() for split in np.atleast_2d(folds)]
    return float(np.mean(ratios) / together.mean())
