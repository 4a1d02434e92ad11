"""Communities by modularity (Blondel et al., J Stat Mech 2008) on a graph of nearest neighbours."""

import numba
import numpy as np

from moamap.communities.sparse import graph_of

NEIGHBOURS = 15  # with more, small communities dissolve (benchmarks/communities.py)


def louvain(index: np.ndarray, *, resolution: float, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Communities of the graph of the nearest 15 neighbours, by scikit-network's Louvain, which is deterministic.

    The weight of an edge is the Jaccard index of the lists of neighbours at its ends, each with the point itself, as in
    PhenoGraph (Levine et al., Cell 2015).

    Parameters
    ----------
    index : (n, k) the neighbours of each point, the nearest first
    resolution : of the modularity; the higher, the more communities
    seed : of scikit-network's random state

    Returns
    -------
    labels : (n,) communities, 0 ...
    medoids : (n_communities,) the point with the largest weight to its community, ties by the row
    modularity : at this resolution
    """
    from scipy.sparse import csr_matrix  # late, as few studies take this engine
    from sknetwork.clustering import Louvain, get_modularity

    index = index[:, :NEIGHBOURS]
    n = len(index)
    graph = graph_of(index, np.zeros(index.shape))
    lists = np.sort(np.column_stack([index, np.arange(n)]), axis=1)
    weights = overlaps(graph.start, graph.neighbour, lists)
    adjacency = csr_matrix((weights, graph.neighbour, graph.start), shape=(n, n))
    labels = Louvain(resolution=resolution, random_state=seed).fit_predict(adjacency)
    modularity = get_modularity(adjacency, labels, resolution=resolution)
    return labels, _medoids(adjacency, labels), float(modularity)


@numba.njit(cache=True)
def overlaps(start: np.ndarray, neighbour: np.ndarray, lists: np.ndarray) -> np.ndarray:
    """Jaccard index of the lists (n, k), ascending in each row, at the two ends of each edge: (n_edges,)."""
    weights = np.empty(len(neighbour))
    n, k = lists.shape
    for i in range(n):
        for edge in range(start[i], start[i + 1]):
            mine, theirs = lists[i], lists[neighbour[edge]]
            a = b = shared = 0
            while a < k and b < k:
                shared += mine[a] == theirs[b]
                a, b = a + (mine[a] <= theirs[b]), b + (theirs[b] <= mine[a])
            weights[edge] = shared / (2 * k - shared)
    return weights


def _medoids(adjacency, labels):
    edges = adjacency.tocoo()
    within = labels[edges.row] == labels[edges.col]
    weight = np.bincount(edges.row[within], edges.data[within], minlength=len(labels))
    order = np.lexsort((np.arange(len(labels)), -weight, labels))
    return order[np.searchsorted(labels[order], np.arange(labels.max() + 1))]
