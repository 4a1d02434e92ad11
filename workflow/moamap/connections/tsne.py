"""A two-dimensional map of the drugs."""

import numpy as np
from openTSNE import TSNE
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.initialization import jitter, rescale, spectral
from openTSNE.nearest_neighbors import PrecomputedNeighbors

from moamap.connections.neighbours import Neighbours
from moamap.representations.alternatives import principal_axes

SEED = 0  # of the jitter that keeps drugs with one profile apart, and of the first vector of the eigensolver


def principal_start(embedding: np.ndarray) -> np.ndarray:
    """The first two principal components, at the small spread that t-SNE starts from (Kobak and Berens 2019).

    Parameters
    ----------
    embedding : (n, d)

    Returns
    -------
    (n, 2); the coordinate of largest absolute value on each axis is positive
    """
    centred = embedding - embedding.mean(axis=0)
    scores = centred @ principal_axes(centred, 2).T
    largest = np.take_along_axis(scores, np.abs(scores).argmax(axis=0)[None], axis=0)
    start = np.zeros((len(scores), 2))  # drugs along a line have one component
    start[:, : scores.shape[1]] = scores * np.sign(largest)
    return jitter(rescale(start), random_state=SEED)


def tsne_map(neighbours: Neighbours, embedding: np.ndarray | None = None, *, perplexity: float = 30) -> np.ndarray:
    """t-SNE (van der Maaten and Hinton 2008) of the drugs from their nearest neighbours, by openTSNE.

    Time and memory grow as n: Barnes-Hut below 10,000 drugs, interpolation by FFT (Linderman et al. 2019) from there
    on, as openTSNE has it. Neighbours are exact, the start follows from the data, and one thread is used, so the map is
    the same in every run.

    Parameters
    ----------
    neighbours : the nearest of n drugs
    embedding : (n, d) to start from its principal components; without one, where a representation is only distances,
        the map starts from the leading eigenvectors of the neighbour graph
    perplexity : lowered to k / 3 where fewer than three times as many neighbours are given

    Returns
    -------
    (n, 2)
    """
    perplexity = min(perplexity, neighbours.index.shape[1] / 3)
    nearest = round(3 * perplexity)
    graph = PrecomputedNeighbors(neighbours.index[:, :nearest], neighbours.distance[:, :nearest])
    affinities = PerplexityBasedNN(perplexity=perplexity, knn_index=graph)
    start = spectral(affinities.P, random_state=SEED) if embedding is None else principal_start(embedding)
    return np.asarray(TSNE(initialization=start, n_jobs=1, random_state=SEED).fit(affinities=affinities))
