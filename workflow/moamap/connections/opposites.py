"""The drugs whose profile is the most opposite to a drug's."""

import numpy as np

ROWS = 512  # drugs that are compared with all at a time


def opposites(embedding: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k drugs of least cosine with each drug, least first; equal ones in the order of the drugs.

    The cosine is that of the embeddings less their mean over the drugs: what sets a drug apart from the average one.

    Parameters
    ----------
    embedding : (n, d)
    k : at most n

    Returns
    -------
    index : (n, k) int32
    cosine : (n, k) float32, -1 for exactly opposite; 0 of a drug that is the average one
    """
    x = np.asarray(embedding - np.mean(embedding, axis=0), dtype=np.float32)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    x = np.divide(x, length, out=np.zeros_like(x), where=length > 0)
    index, cosine = [], []
    for start in range(0, len(x), ROWS):
        found = x[start : start + ROWS] @ x.T
        near = np.sort(np.argpartition(found, k - 1, axis=1)[:, :k], axis=1)
        values = np.take_along_axis(found, near, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        index.append(np.take_along_axis(near, order, axis=1))
        cosine.append(np.take_along_axis(values, order, axis=1))
    return np.concatenate(index).astype(np.int32), np.concatenate(cosine)
