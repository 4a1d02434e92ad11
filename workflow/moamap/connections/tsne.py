"""A flat map of the drugs."""

import numpy as np
from openTSNE import TSNE
from scipy.spatial.distance import squareform

INITIAL_SPREAD = 1e-4  # standard deviation of the first axis at the start (Kobak and Berens 2019)


def classical_scaling(squared: np.ndarray) -> np.ndarray:
    """The two leading axes of Torgerson's classical scaling: (n, n) squared distances -> (n, 2); signs fixed."""
    centred = squared - squared.mean(axis=0)
    gram = -0.5 * (centred - centred.mean(axis=1, keepdims=True))
    values, vectors = np.linalg.eigh(gram)
    axes = vectors[:, -1:-3:-1] * np.sqrt(np.maximum(values[-1:-3:-1], 0))
    return axes * np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1, 1)


def tsne(distance: np.ndarray, *, perplexity=30) -> np.ndarray:
    """t-SNE (van der Maaten and Hinton 2008; openTSNE) from distances alone: (n (n - 1) / 2,) -> (n, 2).

    Exact neighbours and a start from classical scaling: nothing is random, and the map is the same in every run and for
    every number of threads. The perplexity is lowered where there are fewer than three times as many drugs.
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
