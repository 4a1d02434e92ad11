"""What the map says of the drugs that a user asks for."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from moamap.communities.clusters import chance_of_sharing
from moamap.connections.distances import association
from moamap.core.errors import raise_first
from moamap.profiles.annotation import name_problems


def query(queried: list[str], communities: pd.DataFrame, distance: np.ndarray, *, neighbours: int = 10) -> pd.DataFrame:
    """The queried drugs, their community's other members, their nearest drugs, and every two of them as a pair.

    Parameters
    ----------
    queried : names in the `drug` column
    communities : drug, moa, community, one row per drug in the order of the distances
    distance : (n (n - 1) / 2,) condensed

    Returns
    -------
    frame: queried, relation (self, fellow, neighbour or pair), drug, moa, community, rank (1 is the nearest drug),
    distance, association, shares_community, chance_of_sharing (for two drugs taken at random)
    """
    raise_first(name_problems(queried, communities["drug"]))
    square, scores = squareform(distance), squareform(association(distance))
    row_of = pd.Series(range(len(communities)), index=communities["drug"])
    tables = [
        _about(communities, square[row_of[name]], scores[row_of[name]], row_of[name], neighbours) for name in queried
    ]
    pairs = [_pair(communities, square, scores, row_of[a], row_of[b]) for a, b in combinations(queried, 2)]
    table = pd.concat([*tables, *pairs], ignore_index=True)
    return table.assign(chance_of_sharing=chance_of_sharing(communities["community"].to_numpy()))


def _about(
    communities: pd.DataFrame, distance: np.ndarray, score: np.ndarray, row: int, neighbours: int
) -> pd.DataFrame:
    others = np.arange(len(communities)) != row
    rank = np.zeros(len(communities), dtype=int)
    rank[others] = rankdata(distance[others], method="min")
    everyone = communities[["drug", "moa", "community"]].assign(
        queried=communities["drug"][row],
        rank=rank,
        distance=distance,
        association=np.where(others, score, np.nan),
        shares_community=communities["community"] == communities["community"][row],
    )
    everyone = everyone.sort_values("rank")
    parts = {
        "self": everyone[everyone["rank"] == 0],
        "fellow": everyone[(everyone["rank"] > 0) & everyone["shares_community"]],
        "neighbour": everyone[everyone["rank"].between(1, neighbours)],
    }
    return _columns(pd.concat([part.assign(relation=name) for name, part in parts.items()]))


def _pair(communities: pd.DataFrame, square: np.ndarray, scores: np.ndarray, a: int, b: int) -> pd.DataFrame:
    rank = 1 + int((np.delete(square[a], a) < square[a, b]).sum())
    shares = communities["community"][a] == communities["community"][b]
    other = communities.iloc[[b]][["drug", "moa", "community"]]
    return _columns(
        other.assign(
            queried=communities["drug"][a],
            relation="pair",
            rank=rank,
            distance=square[a, b],
            association=scores[a, b],
            shares_community=shares,
        )
    )


def _columns(table: pd.DataFrame) -> pd.DataFrame:
    return table[
        ["queried", "relation", "drug", "moa", "community", "rank", "distance", "association", "shares_community"]
    ]
