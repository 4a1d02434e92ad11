"""Published numbers beside this run's."""

import pandas as pd

EXTRAPOLATED = ["extrapolated", "low", "high"]  # to the paper's number of drugs
NEAR = 0.2  # a relative difference up to this is a FLAG: the same order, not the same number


def observed_numbers(
    features: pd.DataFrame,
    normalized: pd.DataFrame,
    moa_sizes: pd.Series,
    n_rows: int,
    table_1: pd.DataFrame,
    overlap: pd.DataFrame,
    chosen_together: bool,
) -> dict[str, float]:
    """The run's value of every quantity that resources/published.csv names.

    Parameters
    ----------
    features, normalized : (n_drugs, n_features), on the raw scale and after normalization
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
        "normalized_minimum": float(normalized.to_numpy().min()),
        "normalized_maximum": float(normalized.to_numpy().max()),
        "share_within_20": float((abs(raw) <= 20).mean()),
        "csif_of_two": int(overlap.loc[overlap["n_communities"] == 2, "n_features"].sum()),
        "csif_of_three_or_more": int(overlap.loc[overlap["n_communities"] >= 3, "n_features"].sum()),
        "query_shares_community": int(chosen_together),
    }
    for row in table_1.to_dict("records"):
        for column in ("Clustering Number", "Enrichment Number", "Enrichment Expectation"):
            numbers[f"{row['representation']} {column}"] = row[column]
    return numbers


def reproduction(
    published: pd.DataFrame, observed: dict[str, float], extrapolated: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Each published number beside this run's, with a verdict and its reason.

    PASS: equal to the last published digit. FLAG: within 20%. FAIL: farther off. Where the source table is not the
    paper's, which shows by its number of compounds: EXTRAPOLATED, with this run's number at the paper's number of drugs
    and a 95% interval, or NOT COMPARABLE.

    Parameters
    ----------
    published : quantity, description, published, decimals, caveat (why a difference may be expected)
    observed : value of each quantity in this run
    extrapolated : quantity, extrapolated, low, high, as `extrapolation.at_the_paper_s_size` gives it
    """
    compounds = published.set_index("quantity")["published"]["compounds"]
    same_source = observed["compounds"] == compounds
    table = published.assign(reproduced=published["quantity"].map(observed))
    if extrapolated is None or same_source:
        table[EXTRAPOLATED] = float("nan")
    else:
        table = table.merge(extrapolated, on="quantity", how="left")
    verdicts = [
        _verdict(row) if same_source else _beyond(row, observed["compounds"], compounds) for row in table.itertuples()
    ]
    table[["verdict", "reason"]] = verdicts
    return table[["quantity", "description", "published", "reproduced", *EXTRAPOLATED, "verdict", "reason"]]


def _beyond(row, n_compounds, published_compounds):
    source = f"the source table has {n_compounds:.0f} compounds, the paper's has {published_compounds:.0f}"
    if pd.isna(row.extrapolated):
        return "NOT COMPARABLE", source
    where = "inside" if row.low <= row.published <= row.high else "outside"
    return "EXTRAPOLATED", f"{source}; the published number is {where} the interval"


def _verdict(row):
    if pd.isna(row.reproduced):
        return "NOT COMPARABLE", "this run does not compute it"
    if round(row.reproduced, int(row.decimals)) == row.published:
        return "PASS", "equal to the last published digit"
    caveat = "" if pd.isna(row.caveat) else f"; {row.caveat}"
    gap = row.reproduced - row.published
    by = f"{gap / abs(row.published):+.0%}" if row.published else f"{gap:+g}"
    near = abs(gap) <= NEAR * abs(row.published)
    return ("FLAG" if near else "FAIL"), f"differs by {by}{caveat}"
