"""Communities on a graph of nearest neighbours, in memory that is linear in the number of points."""

from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils import check_random_state

from moamap.communities.affinity import Communities, add_noise, pass_row, pass_until_stable, threads


class Graph(NamedTuple):
    """A symmetric graph in compressed rows: the edges of point i are those from `start[i]` up to `start[i + 1]`.

    Attributes
    ----------
    start : ndarray of int64, shape (n + 1,)
    neighbour : ndarray of int32, shape (n_edges,)
        The other end of each edge, ascending within a point; every edge is there from both ends, none is a loop.
    similarity : ndarray of float, shape (n_edges,)
        Minus the squared distance.
    """

    start: np.ndarray
    neighbour: np.ndarray
    similarity: np.ndarray


def graph_of(index: np.ndarray, distance: np.ndarray, dtype: DTypeLike = np.float64) -> Graph:
    """The graph in which two points are joined where either lists the other among its neighbours.

    Parameters
    ----------
    index, distance : (n, k) the neighbours of each point and how far they are
    dtype : of the similarities
    """
    n, k = index.shape
    point, neighbour = np.repeat(np.arange(n), k), index.ravel().astype(np.int64)
    # where both list each other, each keeps the distance that it lists itself
    pairs, first = np.unique(np.concatenate([point * n + neighbour, neighbour * n + point]), return_index=True)
    start = np.searchsorted(pairs, np.arange(n + 1) * n)
    similarity = -np.square(distance.ravel()[first % (n * k)].astype(dtype))
    return Graph(start, (pairs % n).astype(np.int32), similarity)


def sparse_affinity_propagation(
    graph: Graph,
    *,
    preference: float,
    damping: float = 0.5,
    max_iter: int = 200,
    convergence_iter: int = 15,
    random_state: int | np.random.RandomState | None = None,
    n_threads: int = 1,
) -> Communities:
    """Find exemplars by passing messages along the edges of a graph only (Frey and Dueck 2007).

    Points that are not joined cannot be each other's exemplars, as if their similarity were minus infinity. On a
    complete graph messages, noise and result are those of `moamap.affinity_propagation`. A point that no exemplar is
    joined to after the last iteration becomes an exemplar itself, the only choice of a finite net similarity.

    Takes two arrays of the size of `graph.similarity`, and of its type, beside a copy.

    Parameters
    ----------
    graph : as `graph_of` makes it; every point has an edge
    preference : similarity of a point to itself: the larger, the more communities
    damping, max_iter, convergence_iter, random_state, n_threads : as in `moamap.affinity_propagation`

    Returns
    -------
    Communities
        Without convergence the labels follow the last iteration; if no point became an exemplar they are all -1.
    """
    start, neighbour, _ = graph
    s, self_similarity = _without_ties(graph, preference, check_random_state(random_state))
    pass_messages = partial(_pass_messages, start, neighbour, s, np.zeros_like(s), np.zeros_like(s))
    with threads(n_threads):
        exemplars, n_iter, converged = pass_until_stable(
            pass_messages, self_similarity, damping, max_iter, convergence_iter
        )
    if not len(exemplars):
        return Communities(np.full(len(self_similarity), -1), exemplars, n_iter, converged, -np.inf)
    community = _nearest(start, neighbour, s, exemplars)
    best = _best_exemplars(start, neighbour, s, self_similarity, community)
    exemplar = _nearest(start, neighbour, s, np.unique(best))
    exemplars, labels = np.unique(exemplar, return_inverse=True)
    net = _similarity_to(start, neighbour, graph.similarity, exemplar) + len(exemplars) * preference
    return Communities(labels, exemplars, n_iter, converged, float(net))


def _without_ties(graph, preference, rng):
    """Similarities of the edges, and of each point to itself, with noise of the size of their rounding.

    The noise is drawn point by point in the order of the neighbours, the point itself among them, as the dense engine
    does.
    """
    start, neighbour, similarity = graph
    similarity = similarity.copy()
    self_similarity = np.empty(len(start) - 1, similarity.dtype)
    precision = np.finfo(similarity.dtype)
    for i, (first, last) in enumerate(pairwise(start)):
        at = np.searchsorted(neighbour[first:last], i)
        row = np.insert(similarity[first:last], at, preference)
        add_noise(row, rng.standard_normal(len(row)), precision.eps, precision.tiny * 100)
        self_similarity[i] = row[at]
        similarity[first:last] = np.delete(row, at)
    return similarity, self_similarity


@numba.njit(cache=True, parallel=True)
def _pass_messages(
    start, neighbour, S, A, R, support, self_similarity, self_availability, self_responsibility, keep, take, n_threads
):
    """One iteration, as that of the dense engine: what is summed for a point is summed in the order of the points."""
    n = len(self_similarity)
    for i in numba.prange(n):
        row = slice(start[i], start[i + 1])
        self_responsibility[i] = pass_row(
            S[row],
            A[row],
            R[row],
            support[neighbour[row]],
            self_similarity[i],
            self_availability[i],
            self_responsibility[i],
            keep,
            take,
        )
    new_support = np.zeros_like(support)
    width = (n + n_threads - 1) // n_threads
    for strip in numba.prange(n_threads):
        _add_strip(start, neighbour, R, self_responsibility, strip * width, min((strip + 1) * width, n), new_support)
    return new_support


@numba.njit(cache=True)
def _add_strip(start, neighbour, R, self_responsibility, first, last, support):
    """Adds to the support of the points from `first` up to `last` the positive responsibilities that they receive."""
    zero = R.dtype.type(0)
    for i in range(len(self_responsibility)):
        begin, end = start[i], start[i + 1]
        for edge in range(begin + np.searchsorted(neighbour[begin:end], first), end):
            if neighbour[edge] >= last:
                break
            support[neighbour[edge]] += max(R[edge], zero)
        if first <= i < last:
            support[i] += self_responsibility[i]


@numba.njit(cache=True)
def _nearest(start, neighbour, S, exemplars):
    """The nearest exemplar that each point is joined to; itself where it is an exemplar, or joined to none."""
    n = len(start) - 1
    is_exemplar = np.zeros(n, np.bool_)
    is_exemplar[exemplars] = True
    nearest = np.arange(n)
    for i in range(n):
        best = S.dtype.type(-np.inf)
        for edge in range(start[i], start[i + 1]):
            if not is_exemplar[i] and is_exemplar[neighbour[edge]] and S[edge] > best:
                best, nearest[i] = S[edge], neighbour[edge]
    return nearest


@numba.njit(cache=True)
def _best_exemplars(start, neighbour, S, self_similarity, community):
    """Of each point's community the member with the largest sum of similarities, of those that all are joined to."""
    n = len(community)
    total, joined, size = np.zeros_like(self_similarity), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i in range(n):
        size[community[i]] += 1
        total[i] += self_similarity[i]
        joined[i] += 1
        for edge in range(start[i], start[i + 1]):
            j = neighbour[edge]
            if community[i] == community[j]:
                total[j] += S[edge]
                joined[j] += 1
    best = np.full(n, -1)
    for i in range(n):
        c = community[i]
        if joined[i] == size[c] and (best[c] < 0 or total[i] > total[best[c]]):
            best[c] = i
    return best[community]


@numba.njit(cache=True)
def _similarity_to(start, neighbour, similarity, exemplar):
    """Similarity of each point to its exemplar, summed over those that are not exemplars."""
    total = 0.0
    for i in range(len(exemplar)):
        for edge in range(start[i], start[i + 1]):
            if neighbour[edge] == exemplar[i]:
                total += similarity[edge]
    return total
