"""The nearest drugs of every drug, and how far apart pairs of drugs are altogether: one pass over all pairs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numba
import numpy as np

from moamap.connections.blocks import Pairwise, in_order, strips
from moamap.connections.distances import scores_of
from moamap.connections.neighbours import Neighbours

NEIGHBOURS = 100
SPAN = 2**27  # float32 numbers that are told apart, from the largest distance down to its 65,536th part; what is less
# counts as one distance: these drugs coincide


@dataclass(frozen=True)
class Tally:
    """What some of the pairs say: the nearest drugs seen so far, and how often each distance occurs."""

    distance: np.ndarray  # (n, k) float32, ascending; infinite where fewer have been seen
    index: np.ndarray  # (n, k) int32
    values: np.ndarray  # (n_values,) float32, the distances that occur, ascending
    counts: np.ndarray  # (n_values,) int64


def tally(pairwise: Pairwise, rows: list[slice], *, n_threads: int = 1) -> Tally:
    """Pass once over the pairs of some strips of rows (`blocks.share`) with what lies right of the diagonal.

    Parameters
    ----------
    pairwise : distances
    rows : strips
    n_threads : that make tiles; the result is the same for any number
    """
    n, k = pairwise.n, min(NEIGHBOURS, pairwise.n - 1)
    distance, index = np.full((n, k), np.inf, np.float32), np.full((n, k), n, np.int32)
    last = int(np.nextafter(np.float32(pairwise.longest), np.float32(np.inf)).view(np.int32))
    first = max(0, last - SPAN + 1)
    counts = np.zeros(last - first + 1, np.uint32)  # memory that is never written to is never taken
    least = len(counts)
    tiles = [(here, there) for here in rows for there in strips(n) if there.start >= here.start]
    made = in_order((partial(pairwise.tile, *tile) for tile in tiles), n_threads)
    for (here, there), tile in zip(tiles, made, strict=True):
        least = min(least, _count(tile, here == there, counts, first))
        _keep_nearest(tile, here.start, there.start, distance, index)
        if here != there:
            _keep_nearest(np.ascontiguousarray(tile.T), there.start, here.start, distance, index)
    found = least + np.flatnonzero(counts[least:])
    values = (found + first).astype(np.int32).view(np.float32)
    return Tally(distance, index, values, counts[found].astype(np.int64))


@numba.njit(cache=True, nogil=True)
def _count(tile, on_diagonal, counts, first):
    """How often each distance occurs, by the bits of its float32, which rise as the number does; the least place."""
    least = len(counts)
    for i in range(len(tile)):
        bits = tile[i].view(np.int32)
        for j in range(i + 1 if on_diagonal else 0, len(bits)):
            place = max(bits[j] - first, 0)
            counts[place] += 1
            least = min(least, place)
    return least


@numba.njit(cache=True, nogil=True)
def _keep_nearest(tile, first_row, first_column, distance, index):
    """Insert the drugs of the tile's columns among the nearest of those of its rows."""
    k = distance.shape[1]
    for i in range(tile.shape[0]):
        row = first_row + i
        nearest, who = distance[row], index[row]
        for j in range(tile.shape[1]):
            d, column = tile[i, j], first_column + j
            if d > nearest[k - 1] or column == row or (d == nearest[k - 1] and column > who[k - 1]):
                continue
            place = k - 1
            while place > 0 and (nearest[place - 1] > d or (nearest[place - 1] == d and who[place - 1] > column)):
                nearest[place], who[place] = nearest[place - 1], who[place - 1]
                place -= 1
            nearest[place], who[place] = d, column


def merged(tallies: Iterable[Tally]) -> Tally:
    """Those of all pairs, from those of their parts."""
    first, *others = tallies
    for other in others:
        distance = np.hstack([first.distance, other.distance])
        index = np.hstack([first.index, other.index])
        order = np.lexsort((index, distance))[:, : first.index.shape[1]]
        values, place = np.unique(np.concatenate([first.values, other.values]), return_inverse=True)
        counts = np.zeros(len(values), np.int64)
        np.add.at(counts, place, np.concatenate([first.counts, other.counts]))
        first = Tally(np.take_along_axis(distance, order, 1), np.take_along_axis(index, order, 1), values, counts)
    return first


def neighbours_of(found: Tally) -> Neighbours:
    """The neighbours of a tally of all pairs, with their association scores."""
    return Neighbours(found.index, found.distance, scores_of(found.distance, found.values, found.counts))
