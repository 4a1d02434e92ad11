"""The paper's Table 1 and supplementary table S4; S1, S2, S3 and S5 are tables of the run as they are."""

import pandas as pd

from moamap.communities.enrichment import table_1_row
from moamap.core.names import EXPECTATION

LONGEST = 5_000_000  # rows of table S2, beyond which it holds the nearest pairs only


def evidence(*, supervised: bool, cross_fitted: bool = False, **_: object) -> str:
    """What the P and q values of a representation are evidence of, by the notes of its representation.json."""
    if not supervised:
        return "the MoAs were not used before"
    if cross_fitted:
        return "cross-fitted: each pair's distance was learned without the folds of both drugs"
    return "in-sample: the metric was learned from these MoAs"


def table_1(rows: dict[str, pd.DataFrame], converged: dict[str, bool], notes: dict[str, dict]) -> pd.DataFrame:
    """The paper's Table 1, one row per representation.

    Parameters
    ----------
    rows : representation -> its enrichment table
    converged : representation -> whether its affinity propagation, and its metric learning if any, converged
    notes : representation -> the notes of its representation.json, which `evidence` reads
    """
    table = pd.DataFrame({name: table_1_row(enriched) for name, enriched in rows.items()}).T
    table = table.astype({column: int for column in table.columns if column != EXPECTATION})
    table["converged"] = pd.Series(converged)
    table["evidence"] = pd.Series({name: evidence(**note) for name, note in notes.items()})
    return table.rename_axis("representation").reset_index()


def published_table_1(published: pd.DataFrame) -> pd.DataFrame:
    """The paper's own Table 1, one row per representation, from the table resources/published.csv."""
    cells = published[published["quantity"].str.contains(" ")].copy()
    cells[["representation", "column"]] = cells["quantity"].str.split(" ", n=1, expand=True)
    wide = cells.pivot(index="representation", columns="column", values="published").add_prefix("published ")
    return wide.reset_index()


def table_s4(communities: pd.DataFrame, enriched: pd.DataFrame) -> pd.DataFrame:
    """One row per community: its size, exemplar, members with their MoAs, and its enriched MoAs with k/K and P.

    Parameters
    ----------
    communities : one row per drug: drug, moa, community, is_exemplar
    enriched : the frame that `communities.enrichment_table` returns
    """
    hits = enriched[enriched["enriched"]].sort_values(["community", "p_value"])
    named = hits["moa"] + hits.apply(lambda hit: f" ({hit.k}/{hit.K}, P = {hit.p_value:.2g})", axis=1)
    member = communities["drug"] + " [" + communities["moa"] + "]"
    groups = communities.assign(member=member).groupby("community")
    return pd.DataFrame(
        {
            "drugs": groups.size(),
            "exemplar": communities[communities["is_exemplar"]].set_index("community")["drug"],
            "enriched_moas": named.groupby(hits["community"]).agg("; ".join),
            "members": groups["member"].agg("; ".join),
        }
    ).reset_index()
