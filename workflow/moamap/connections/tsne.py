"""A two-dimensional map of the drugs."""

import numpy as np
from openTSNE import TSNE
from scipy.spatial.distance import squareform

INITIAL_SPREAD = 1e-4  # standard deviation of the first axis of the initialization (Kobak and Berens 2019)


def classical_scaling(squared: np.ndarray) -> np.ndarray:
    """The two leading axes of Torgerson's classical scaling.

    Parameters
    ----------
    squared : (n, n) squared distances

    Returns
    -------
    (n, 2); the coordinate of largest absolute value on each axis is positive
    """
    centred = squared - squared.mean(axis=0)
    gram = -0.5 * (centred - centred.mean(axis=1, keepdims=True))
    values, vectors = np.linalg.eigh(gram)
    axes = vectors[:, -1:-3:-1] * np.sqrt(np.maximum(values[-1:-3:-1], 0))
    return axes * np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1, 1)


def tsne_map(distance: np.ndarray, *, perplexity: float = 30) -> np.ndarray:
    """t-SNE (van der Maaten and Hinton 2008) of the drugs from their distances, by openTSNE.

    Neighbours are exact and the initialization is classical scaling, so nothing is random: the map is the same in every
    run and for every number of threads.

    Parameters
    ----------
    distance : (n (n - 1) / 2,) condensed
    perplexity : lowered to (n - 1) / 3 where there are too few drugs for it

    Returns
    -------
    (n, 2)
    """
    square = squareform(distance)
    start = classical_scaling(square**2)
    start *= INITIAL_SPREAD / start[:, 0].std()
    model = TSNE(
        perplexity=min(perplexity, (len(square) - 1) / 3),
        initialization=start,
        metric="precomputed",
        neighbors="exact",
        n_jobs=1,
    )
    return np.asarray(model.fit(square))
