"""Published numbers beside this run's."""

import pandas as pd

NEAR = 0.2  # a relative difference up to this is a FLAG: the same order, not the same number


def observed_numbers(features, moa_sizes, n_rows, table_1, overlap, chosen_together) -> dict[str, float]:
    """The run's value of every quantity that resources/published.csv names.

    Parameters
    ----------
    features : (n_drugs, n_features), raw scale
    moa_sizes : number of drugs of each MoA
    n_rows : compounds in the source table
    table_1 : as `supplement.table_1` gives it
    overlap : csif_overlap of ITML
    chosen_together : whether the queried drugs share an ITML community
    """
    raw = features.to_numpy(float)
    numbers = {
        "compounds": n_rows,
        "drugs": len(raw),
        "features": raw.shape[1],
        "pairs": len(raw) * (len(raw) - 1) // 2,
        "moas": len(moa_sizes),
        "moas_of_five": int((moa_sizes >= 5).sum()),
        "largest_moa": int(moa_sizes.max()),
        "raw_minimum": raw.min(),
        "raw_maximum": raw.max(),
        "share_within_20": float((abs(raw) <= 20).mean()),
        "csif_of_two": int(overlap.loc[overlap["n_communities"] == 2, "n_features"].sum()),
        "csif_of_three_or_more": int(overlap.loc[overlap["n_communities"] >= 3, "n_features"].sum()),
        "query_shares_community": int(chosen_together),
    }
    for row in table_1.to_dict("records"):
        for column in ("Clustering Number", "Enrichment Number", "Enrichment Expectation"):
            numbers[f"{row['representation']} {column}"] = row[column]
    return numbers


def reproduction(published: pd.DataFrame, observed: dict[str, float]) -> pd.DataFrame:
    """Each published number beside this run's, with a verdict and its reason.

    PASS: equal to the last published digit. FLAG: within 20%. FAIL: farther off. NOT COMPARABLE: the source table is
    not the paper's, which shows by its number of compounds.

    Parameters
    ----------
    published : quantity, description, published, decimals, caveat (why a difference may be expected)
    observed : value of each quantity in this run
    """
    compounds = published.set_index("quantity")["published"]["compounds"]
    same_source = observed["compounds"] == compounds
    table = published.assign(reproduced=published["quantity"].map(observed))
    verdicts = [_verdict(row, same_source, observed["compounds"], compounds) for row in table.itertuples()]
    table[["verdict", "reason"]] = verdicts
    return table[["quantity", "description", "published", "reproduced", "verdict", "reason"]]


def _verdict(row, same_source, n_compounds, published_compounds):
    if not same_source:
        reason = f"the source table has {n_compounds:.0f} compounds, the paper's has {published_compounds:.0f}"
        return "NOT COMPARABLE", reason
    if pd.isna(row.reproduced):
        return "NOT COMPARABLE", "this run does not compute it"
    if round(row.reproduced, int(row.decimals)) == row.published:
        return "PASS", "equal to the last published digit"
    caveat = "" if pd.isna(row.caveat) else f"; {row.caveat}"
    gap = row.reproduced - row.published
    by = f"{gap / abs(row.published):+.0%}" if row.published else f"{gap:+g}"
    near = abs(gap) <= NEAR * abs(row.published)
    return ("FLAG" if near else "FAIL"), f"differs by {by}{caveat}"
