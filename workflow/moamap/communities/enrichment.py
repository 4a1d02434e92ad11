"""Which MoAs are enriched in which communities, and a row of the paper's Table 1."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control, hypergeom

from moamap.core.names import CLUSTERS, COMMUNITIES_ENRICHED, ENRICHED, ENRICHED_BY_TWO, EXPECTATION, SINGLETONS


def tail(k: ArrayLike, N: ArrayLike, K: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Pr(X >= k), X ~ Hypergeometric(N, K, n), elementwise.

    The distribution is symmetric in K and n. They are put in order so that equal cases tie to the last bit, as a
    permutation test needs.
    """
    return hypergeom.sf(np.asarray(k) - 1, N, np.minimum(K, n), np.maximum(K, n))


def enrichment_table(
    communities: pd.Series, moas: pd.DataFrame, *, min_drugs: int = 5, alpha: float = 0.01
) -> pd.DataFrame:
    """One-sided hypergeometric test of every community against every MoA of at least `min_drugs` drugs.

    P = Pr(X >= k), X ~ Hypergeometric(N, K, n): of the N drugs of the data set, K have the MoA, n are in the community
    and k are both. q is that of Benjamini and Hochberg (1995), over all community x MoA pairs of the returned table.

    Parameters
    ----------
    communities : (n_drugs,) community number of each drug
    moas : (n_drugs, n_moas) booleans, as `moamap.core.membership` returns them

    Returns
    -------
    frame sorted by community and MoA: community, moa, k, K, n, N, p_value, q_value, enriched (p_value < alpha)
    """
    tested = moas.loc[:, moas.sum() >= min_drugs]
    numbers, place, sizes = np.unique(communities, return_inverse=True, return_counts=True)
    counts = np.zeros((len(numbers), tested.shape[1]), dtype=int)
    drug, moa = np.nonzero(tested.to_numpy())
    np.add.at(counts, (place[drug], moa), 1)
    cells = pd.MultiIndex.from_product([numbers, tested.columns], names=["community", "moa"])
    table = pd.DataFrame({"k": counts.ravel()}, index=cells).reset_index()
    table["K"] = np.tile(counts.sum(axis=0), len(numbers))
    table["n"] = np.repeat(sizes, tested.shape[1])
    table["N"] = len(moas)
    table["p_value"] = tail(table["k"], table["N"], table["K"], table["n"])
    table["q_value"] = false_discovery_control(table["p_value"])
    table["enriched"] = table["p_value"] < alpha
    return table


def table_1_row(enriched: pd.DataFrame) -> dict[str, float]:
    """One row of the paper's Table 1 from an enrichment table, and three counts that put it in proportion.

    The Enrichment Number counts distinct enriched MoAs; the Enrichment Expectation is its ratio to the Clustering
    Number. The further counts are the communities of a single drug, the MoAs enriched by at least two of their drugs
    (at N = 1105 a single drug "enriches" every MoA of eleven drugs or fewer), and the communities with an enriched MoA.

    Parameters
    ----------
    enriched : the frame that `enrichment_table` returns
    """
    hits = enriched[enriched["enriched"]]
    sizes = enriched.groupby("community")["n"].first()
    return {
        CLUSTERS: len(sizes),
        ENRICHED: hits["moa"].nunique(),
        EXPECTATION: hits["moa"].nunique() / len(sizes),
        SINGLETONS: int((sizes == 1).sum()),
        ENRICHED_BY_TWO: hits.loc[hits["k"] >= 2, "moa"].nunique(),
        COMMUNITIES_ENRICHED: hits["community"].nunique(),
    }
