"""Distances of all pairs of drugs, tile by tile, so that memory does not grow with their number.

Tiles are fixed by the number of drugs alone, and each is made by one thread, so that every distance has the same bits
in whatever order, and by however many threads and jobs, the tiles are made.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

import numba
import numpy as np

from moamap.connections.distances import scores
from moamap.connections.neighbours import Connections

TILE = 1024  # rows and columns
CHUNK = 2**22  # pairs that are handed on at a time
NEAR = 1e-6  # share of the squared lengths below which a difference of products has lost too many of its digits

Result = TypeVar("Result")


class Pairwise(NamedTuple):
    """The distances of n drugs, made when they are asked for."""

    n: int
    longest: float  # no distance is larger
    tile: Callable[[slice, slice], np.ndarray]  # rows, columns -> (n_rows, n_columns) float32, contiguous


def embedded(x: np.ndarray) -> Pairwise:
    """Euclidean distances of the rows of an embedding (n, d), by products in float64."""
    centred = x - x.mean(axis=0)
    lengths = np.einsum("ij,ij->i", centred, centred)

    def tile(rows: slice, columns: slice) -> np.ndarray:
        """Distances of some rows to some others: (n_rows, n_columns) float32."""
        products = centred[rows] @ centred[columns].T
        return _distances(products, centred[rows], centred[columns], lengths[rows], lengths[columns])

    return Pairwise(len(x), 2 * float(np.sqrt(lengths.max())), tile)


def of_square(square: np.ndarray) -> Pairwise:
    """Distances that are there already, as (n, n)."""
    return Pairwise(len(square), float(square.max()), lambda rows, columns: square[rows, columns].astype(np.float32))


@numba.njit(cache=True, nogil=True)
def _distances(products, rows, columns, row_lengths, column_lengths):
    """|a - b| from a'b, |a|^2 and |b|^2; drugs that nearly coincide are subtracted, as their products cancel out."""
    out = np.empty(products.shape, np.float32)
    for i in range(len(products)):
        cancelled = False
        for j in range(products.shape[1]):
            both = row_lengths[i] + column_lengths[j]
            squared = both - 2 * products[i, j]
            cancelled |= squared < NEAR * both
            out[i, j] = np.sqrt(max(squared, 0.0))
        if not cancelled:
            continue
        for j in range(products.shape[1]):
            both = row_lengths[i] + column_lengths[j]
            if both - 2 * products[i, j] < NEAR * both:
                out[i, j] = np.sqrt(np.sum((rows[i] - columns[j]) ** 2))
    return out


def strips(n: int) -> list[slice]:
    """The rows of n drugs, `TILE` at a time."""
    return [slice(start, min(start + TILE, n)) for start in range(0, n, TILE)]


def share(n: int, block: int, n_blocks: int) -> list[slice]:
    """The strips of one of `n_blocks` jobs: neighbouring ones, about as many pairs of drugs for each job."""
    above = np.array(
        [strip.start * (2 * n - strip.start) for strip in strips(n)]
    )  # pairs, twice, and a drug with itself
    return [strip for strip, job in zip(strips(n), above * n_blocks // n**2, strict=True) if job == block]


def strip_of(pairwise: Pairwise, rows: slice) -> np.ndarray:
    """Distances of a strip to its own drugs and all that follow: (n_rows, n - rows.start) float32."""
    return np.hstack([pairwise.tile(rows, columns) for columns in strips(pairwise.n) if columns.start >= rows.start])


def in_order(jobs: Iterable[Callable[[], Result]], n_threads: int) -> Iterator[Result]:
    """The results of jobs, in their order; little more than one a thread is under way or waiting."""
    if n_threads == 1:
        yield from (job() for job in jobs)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        waiting: list[Future[Result]] = []
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) > n_threads:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def connections(
    pairwise: Pairwise, rows: list[slice], values: np.ndarray, counts: np.ndarray, *, n_threads: int = 1
) -> Iterator[Connections]:
    """The pairs of some strips of rows (`blocks.share`) with all drugs that follow, a few million at a time.

    Parameters
    ----------
    pairwise : distances
    rows : strips
    values, counts : of the distances of all pairs, as `neighbours.Tally` has them
    n_threads : that make strips; the result is the same for any number
    """
    first, last = values[[0, -1]].view(np.int32)
    table = np.zeros(last - first + 1, np.float32)  # memory that is never written to is never taken
    table[values.view(np.int32) - first] = scores(counts)
    if not rows:  # more jobs than strips
        yield Connections(*(np.empty(0, kind) for kind in (np.int32, np.int32, np.float32, np.float32)))
    made = in_order((partial(strip_of, pairwise, strip) for strip in rows), n_threads)
    for strip, distance in zip(rows, made, strict=True):
        height = max(1, CHUNK // distance.shape[1])
        for top in range(0, len(distance), height):
            yield Connections(*_pairs(distance[top : top + height], top, strip.start, table, first))


@numba.njit(cache=True, nogil=True)
def _pairs(distance, top, start, table, first):
    """Rows of a strip, without what lies on or left of the diagonal; the association score by the distance's bits."""
    n_rows, width = distance.shape
    n_pairs = sum([width - top - i - 1 for i in range(n_rows)])
    drug_1, drug_2 = np.empty(n_pairs, np.int32), np.empty(n_pairs, np.int32)
    kept, score = np.empty(n_pairs, np.float32), np.empty(n_pairs, np.float32)
    place = 0
    for i in range(n_rows):
        bits = distance[i].view(np.int32)
        for j in range(top + i + 1, width):
            drug_1[place], drug_2[place] = start + top + i, start + j
            kept[place], score[place] = distance[i, j], table[max(bits[j] - first, 0)]
            place += 1
    return drug_1, drug_2, kept, score
