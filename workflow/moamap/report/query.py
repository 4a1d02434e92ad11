"""What the map says of the drugs that a user asks for."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from moamap.communities.clusters import chance_of_sharing
from moamap.core.errors import raise_first
from moamap.profiles.annotation import name_problems

COLUMNS = ["queried", "relation", "drug", "moa", "community", "rank", "distance", "association", "shares_community"]


def query(
    queried: Sequence[str],
    communities: pd.DataFrame,
    distance: np.ndarray,
    association: np.ndarray,
    *,
    neighbours: int = 10,
) -> pd.DataFrame:
    """The queried drugs, their community's other members, their nearest drugs, and every two of them as a pair.

    Parameters
    ----------
    queried : names in the `drug` column
    communities : drug, moa, community, one row per drug
    distance, association : (n_queried, n) of the queried drugs to all; the association with itself does not count

    Returns
    -------
    frame: queried, relation (self, fellow, neighbour or pair), drug, moa, community, rank (1 is the nearest drug),
    distance, association, shares_community, chance_of_sharing (for two drugs taken at random)
    """
    raise_first(name_problems(queried, communities["drug"]))
    rows = pd.Index(communities["drug"]).get_indexer(queried)
    everyone = [_everyone(communities, *known) for known in zip(rows, distance, association, strict=True)]
    tables = [_about(seen, neighbours) for seen in everyone]
    pairs = [seen.iloc[rows[a + 1 :]].assign(relation="pair") for a, seen in enumerate(everyone)]
    table = pd.concat([*tables, *pairs], ignore_index=True)[COLUMNS]
    return table.assign(chance_of_sharing=chance_of_sharing(communities["community"].to_numpy()))


def _everyone(communities: pd.DataFrame, row: int, distance: np.ndarray, association: np.ndarray) -> pd.DataFrame:
    """Every drug as seen by the one of this row."""
    others = np.arange(len(communities)) != row
    rank = np.zeros(len(communities), dtype=int)
    rank[others] = rankdata(distance[others], method="min")
    return communities[["drug", "moa", "community"]].assign(
        queried=communities["drug"][row],
        rank=rank,
        distance=distance,
        association=np.where(others, association, np.nan),
        shares_community=communities["community"] == communities["community"][row],
    )


def _about(everyone: pd.DataFrame, neighbours: int) -> pd.DataFrame:
    everyone = everyone.sort_values("rank", kind="stable")
    parts = {
        "self": everyone[everyone["rank"] == 0],
        "fellow": everyone[(everyone["rank"] > 0) & everyone["shares_community"]],
        "neighbour": everyone[everyone["rank"].between(1, neighbours)],
    }
    return pd.concat([part.assign(relation=name) for name, part in parts.items()])
