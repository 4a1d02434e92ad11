"""DIP connections: the distance between the drug image phenotypes of every two drugs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist
from scipy.stats import rankdata


def pair_distances(embedding: np.ndarray) -> np.ndarray:
    """Euclidean distances of all pairs of drugs.

    Parameters
    ----------
    embedding : (n, d)

    Returns
    -------
    (n (n - 1) / 2,) in scipy's condensed order
    """
    return pdist(embedding, "euclidean")


def association(distance: np.ndarray) -> np.ndarray:
    """Share of the other pairs that are farther apart than this one: 1 for the closest pair, 0 for the farthest.

    (pairs farther apart + half of the other ties) / (pairs - 1), which is (P - r) / (P - 1) for a distance of average
    rank r among P pairs. The paper speaks of "association scores" without defining them; this definition is ours.
    A single pair scores 1.

    Parameters
    ----------
    distance : (n_pairs,)

    Returns
    -------
    (n_pairs,)
    """
    n_pairs = len(distance)
    if n_pairs == 1:
        return np.ones(1)
    return (n_pairs - rankdata(distance)) / (n_pairs - 1)


def connections(drugs: Sequence[str] | pd.Series, distance: np.ndarray) -> pd.DataFrame:
    """All pairs of drugs as a table: drug_1, drug_2, distance, association, in scipy's condensed order.

    Parameters
    ----------
    drugs : (n,) names, in the order of the rows from which the distances were computed
    distance : (n (n - 1) / 2,)
    """
    first, second = np.triu_indices(len(drugs), k=1)
    return pd.DataFrame(
        {
            "drug_1": pd.Categorical.from_codes(first, drugs),
            "drug_2": pd.Categorical.from_codes(second, drugs),
            "distance": distance,
            "association": association(distance),
        }
    )
