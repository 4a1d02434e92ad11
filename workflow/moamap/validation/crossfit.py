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

    Raises InputError where it is not a positive number: the map puts most drugs at one point.
    """
    middle = float(median(squareform(squared, checks=False)))
    if not 0 < middle < np.inf:
        raise InputError(
            f"validation: a map learned without two folds puts most of {len(squared)} drugs at one point (median "
            f"squared distance {middle:g}), so its distances cannot be compared"
        )
    return middle


def one_split(x: np.ndarray, moas: np.ndarray, learner: Learner, folds: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Squared distances (n, n), each pair's from a map that was learned without the folds of both drugs; NaN where no
    such map could be learned. Pairs within fold a use the map that left out a and a + 1: it, too, left out two folds.
    """
    order = np.argsort(folds, kind="stable")  # the drugs of a fold side by side, so that blocks of pairs are slices
    side, base = x[order], _rearranged(base, order)
    ends = np.cumsum(np.bincount(folds))
    parts = [slice(end - size, end) for end, size in zip(ends, np.bincount(folds), strict=True)]
    squared = np.full((len(x), len(x)), np.nan)
    for a, b in combinations(range(len(parts)), 2):
        train = (folds != a) & (folds != b)
        try:
            distances = learner(x[train], moas[train]).squared_distances(side, base)
            unit = scale(distances)
        except InputError:  # too few drugs or MoAs remain, or the map collapses
            continue
        for c, d in _blocks(a, b, len(parts)):
            np.divide(distances[parts[c], parts[d]], unit, out=squared[parts[c], parts[d]])
    return _rearranged(squared, np.argsort(order))


def _rearranged(square: np.ndarray, order: np.ndarray) -> np.ndarray:
    """square[np.ix_(order, order)], in a third of the time."""
    return square.take(order, axis=0).take(order, axis=1)


def _blocks(a: int, b: int, n_folds: int) -> Iterator[tuple[int, int]]:
    yield from ((a, b), (b, a))
    if (a + 1) % n_folds == b:
        yield a, a
    if (b + 1) % n_folds == a:
        yield b, b


def crossfit(x: np.ndarray, moas: np.ndarray, learner: Learner, folds: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Cross-fitted squared distances (n, n): the mean over splits of each split's, scaled to a median of 1.

    NaN where no split has a map that was learned without either drug: see `with_unlearned`.

    Parameters
    ----------
    x : (n, n_features) normalized profiles
    moas : (n, n_moas) booleans
    learner : learns a map from some of the rows; raises InputError where that is not possible
    folds : (n_splits, n) fold of each drug in each split
    base : (n, n) squared Euclidean distances of x
    """
    total, times = np.zeros(base.shape), 0
    for split in folds:
        squared = one_split(x, moas, learner, split, base)
        missing = np.isnan(squared)
        if missing.any():
            squared[missing] = 0
        total += squared
        times = times + ~missing if missing.any() else times + 1
    with np.errstate(invalid="ignore"):
        mean = total / times
    np.fill_diagonal(mean, 0)
    return mean


def with_unlearned(squared: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Cross-fitted distances in which pairs without one (NaN) have that of the profiles themselves, scaled alike.

    It is what every supervised method learns from nothing, and no label of either drug is in it.
    """
    unlearned = np.isnan(squared)
    if not unlearned.any():
        return squared
    unit = float(median(squareform(base, checks=False)))
    return np.where(unlearned, base / (unit if unit > 0 else 1.0), squared)


def share_unlearned(squared: np.ndarray) -> float:
    """Share of the pairs of drugs for which no map could be learned: of what `crossfit` gives."""
    n = len(squared)
    return float(np.isnan(squared).sum() / (n * (n - 1)))  # the diagonal is none of them


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
