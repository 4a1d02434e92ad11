"""Community-specific image features (CSIFs): features that hardly vary within a community."""

import numpy as np
import pandas as pd

PIECE = 2**22  # values that are sorted at a time


def mean_absolute_difference(x: np.ndarray) -> np.ndarray:
    """Mean of |x_i - x_j| over all pairs i < j, for every column.

    For sorted values the sum over pairs is sum_r (2 r - n + 1) x_(r), r = 0 ... n - 1, so no pair is ever formed.

    Parameters
    ----------
    x : (n, d)

    Returns
    -------
    (d,), NaN if n < 2
    """
    n = len(x)
    if n < 2:
        return np.full(x.shape[1], np.nan)
    weights = 2 * np.arange(n) - n + 1
    pieces = np.array_split(x, -(-x.size // PIECE), axis=1)  # sorted copies of all columns may be more than fits
    sums = [(weights[:, None] * np.sort(piece, axis=0)).sum(axis=0) for piece in pieces]
    return np.concatenate(sums) / (n * (n - 1) / 2)


def intra_class_ratios(features: pd.DataFrame, communities: pd.Series, *, threshold: float = 0.01) -> pd.DataFrame:
    """Intra-class distance ratio of every feature in every community (Han, Shan et al. 2021, Results, Table S5).

    The mean absolute difference (the distance in one dimension) over the pairs of drugs in the community, divided by
    that over all pairs of drugs. The paper refers to its Methods, which do not define it; this definition is ours.

    Parameters
    ----------
    features : (n_drugs, n_features), normalized
    communities : (n_drugs,) community numbers

    Returns
    -------
    frame: community, feature, intra_class_ratio (NaN in a community of one drug), is_csif (ratio < threshold)
    """
    values = features.to_numpy(float)
    overall = mean_absolute_difference(values)
    labels = np.sort(communities.unique())
    ratios = np.array([mean_absolute_difference(values[communities.to_numpy() == c]) / overall for c in labels])
    return pd.DataFrame(
        {
            "community": np.repeat(labels, values.shape[1]),
            "feature": np.tile(features.columns, len(labels)),
            "intra_class_ratio": ratios.ravel(),
            "is_csif": ratios.ravel() < threshold,
        }
    )


def csif_overlap(ratios: pd.DataFrame) -> pd.DataFrame:
    """How many features are CSIFs of 1, 2, 3 ... communities: a frame n_communities, n_features, without gaps.

    Parameters
    ----------
    ratios : the frame that `intra_class_ratios` returns
    """
    per_feature = ratios.groupby("feature")["is_csif"].sum()
    most = max(3, int(per_feature.max()))
    counts = per_feature.value_counts().reindex(range(1, most + 1), fill_value=0)
    return counts.rename_axis("n_communities").rename("n_features").reset_index()
