"""The observed beside the permuted: tables of the nulls that the permutation jobs have stored."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from moamap.core.names import (
    CLAIMS,
    CLUSTERS,
    ENRICHED,
    ENRICHED_BY_TWO,
    EXPECTATION,
    HOW,
    LABEL_FREE,
    MAP_BY_MOA,
    RETRIEVAL,
    TOGETHER,
    TOGETHER_BY_MOA,
    UNTESTED,
    WITH_COMMUNITIES,
    WITHIN,
    name_of,
)
from moamap.validation import nulls
from moamap.validation.comparisons import lift_interval, weights_of

DRUGS = "mean over the drugs that share a MoA with another of the gallery"
AVERAGED = {MAP_BY_MOA: "mean over the MoAs of their drugs' means"}
INTERVAL = ["null_mean", "null_low", "null_high"]
Stored = dict[tuple[str, str], dict[str, np.ndarray]]  # (representation, way) -> quantity -> (1 + B, ...) values


def gather(batches: Iterable[tuple[str, dict[str, np.ndarray]]]) -> Stored:
    """Put the batches of each representation together, in the order of the permutations' numbers (0 is the truth).

    Parameters
    ----------
    batches : (representation, mapping of `numbers` and `way|quantity` to arrays) of every batch
    """
    parts: dict = {}
    for representation, batch in batches:
        parts.setdefault(representation, []).append(batch)
    stored: Stored = {}
    for representation, mine in parts.items():
        order = np.argsort(np.concatenate([batch["numbers"] for batch in mine]))
        for key in mine[0]:
            if key == "numbers":
                continue
            way, quantity = key.split("|")
            values = np.concatenate([batch[key] for batch in mine])[order]
            stored.setdefault((representation, way), {})[quantity] = values
    return stored


def null_table(stored: Stored, table_1: pd.DataFrame) -> pd.DataFrame:
    """Every claim of Table 1 beside its null: one row per representation and claim.

    `observed` comes from the procedure that was repeated on permuted labels, which takes distances a faster way than
    the study; `in_the_study` is Table 1's. They differ where affinity propagation is sensitive to rounding.
    The upper-tail p is (1 + count) / (1 + B), and the number of clusters has an interval only. The claims of `WITHIN`
    have fewer permutations where each has to learn anew (`nulls.made_within`).
    """
    study = table_1.set_index("representation")
    rows = []
    for (base, way), quantities in stored.items():
        if way not in WITH_COMMUNITIES:
            continue
        name = name_of(base, way)
        for claim in [*(name for pair in WITHIN.items() for name in pair), *(c for c in CLAIMS if c not in WITHIN)]:
            values = quantities[claim].astype(float)
            if claim in WITHIN.values():
                values = values[nulls.made_within(np.arange(len(values)), way != LABEL_FREE)]
            row: dict[str, object] = {"representation": name, "labels": way, "quantity": claim}
            row["in_the_study"] = study.loc[name, claim] if claim in study else np.nan
            row |= nulls.summary(values[0], values[1:])
            rows.append(
                row | {"p_value": np.nan if claim in UNTESTED else row["p_value"], "permutations": len(values) - 1}
            )
    return pd.DataFrame(rows)


def null_by_moa(stored: Stored, enriched: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Per MoA the smallest P over communities, its permutation p and the step-down p over MoAs; and the study's own
    smallest P (`in_the_study`, see `null_table`) and where it is.

    An enriched (community, MoA) inherits its MoA's p: communities differ between permutations, so nothing finer is
    defined.
    """
    tables = []
    for (base, way), quantities in stored.items():
        if way not in WITH_COMMUNITIES:
            continue
        name = name_of(base, way)
        best = enriched[name].sort_values(["moa", "p_value"], kind="stable").drop_duplicates("moa").set_index("moa")
        table = nulls.by_moa(best.index, quantities["smallest_p"][0], quantities["smallest_p"][1:])
        where = best.rename(columns={"p_value": "in_the_study"})[["in_the_study", "community", "k", "K", "n"]]
        where = where.reset_index(drop=True)
        tables.append(pd.concat([table, where], axis=1).assign(representation=name, labels=way))
    merged = pd.concat(tables, ignore_index=True)
    return merged[["representation", "labels", *merged.columns.drop(["representation", "labels"])]]


def observed_and_permuted(stored: Stored) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Of each representation and way that ranks every drug: each MoA's mean average precision, and when permuted."""
    by_moa = {key: quantities["map_by_moa"] for key, quantities in stored.items() if key[1] in WITH_COMMUNITIES}
    return {key: (values[0], nulls.of_given(np.nanmean, values[1:])) for key, values in by_moa.items()}


def retrieval_table(stored: Stored, sizes: np.ndarray) -> pd.DataFrame:
    """Mean average precision and 1-nearest-neighbour accuracy of every way to score, beside permuted labels.

    The lift has a 95% interval (`lift_low`, `lift_high`), resampled over MoAs, where every drug is ranked.

    Parameters
    ----------
    sizes : (n_moas,) drugs of each MoA, in the order of the stored values
    """
    rows = []
    by_moa, weights = observed_and_permuted(stored), weights_of(sizes)
    for (base, way), quantities in stored.items():
        for score in RETRIEVAL:
            values = quantities[score]
            row = {"representation": base, "scored": way, "quantity": score, **nulls.summary(values[0], values[1:])}
            if score in weights and (base, way) in by_moa:
                row["lift_low"], row["lift_high"] = lift_interval(*by_moa[base, way], weights[score])
            rows.append(
                row | {"permutations": len(values) - 1, "gallery": HOW[way], "averaging": AVERAGED.get(score, DRUGS)}
            )
    return pd.DataFrame(rows)


def retrieval_by_moa(stored: Stored, moas: Sequence[str], tested: np.ndarray) -> pd.DataFrame:
    """Per tested MoA the mean average precision of its drugs beside the null, p and q.

    Parameters
    ----------
    moas : names of all MoAs, in the order of the stored values
    tested : which of them have enough drugs
    """
    tables = []
    for (base, way), quantities in stored.items():
        if way in WITH_COMMUNITIES:
            values = quantities["map_by_moa"][:, tested]
            table = nulls.retrieval_by_moa(np.asarray(moas)[tested], values[0], values[1:])
            tables.append(table.assign(representation=base, scored=way))
    merged = pd.concat(tables, ignore_index=True)
    return merged[["representation", "scored", *merged.columns.drop(["representation", "scored"])]]


def table_1_calibrated(table_1: pd.DataFrame, null: pd.DataFrame) -> pd.DataFrame:
    """The paper's Table 1 with null mean, 95% interval and p beside each figure, cross-fitted rows among them.

    First the headline test, which the paper has not: the pairs of drugs of one MoA that share a community, with z too.
    """
    table = table_1.set_index("representation")
    for claim in (TOGETHER, WITHIN[TOGETHER], TOGETHER_BY_MOA, WITHIN[TOGETHER_BY_MOA]):
        mine = null[null["quantity"] == claim].set_index("representation")
        if claim in WITHIN:
            table[claim] = mine["observed"]
        _set_beside(table, mine, claim, [*INTERVAL, "z", "p_value"])
    for claim in (CLUSTERS, ENRICHED, EXPECTATION, ENRICHED_BY_TWO):
        mine = null[null["quantity"] == claim].set_index("representation")
        _set_beside(table, mine, claim, INTERVAL if claim in UNTESTED else [*INTERVAL, "p_value"])
    return table.reset_index()


def _set_beside(table: pd.DataFrame, null: pd.DataFrame, claim: str, columns: list[str]) -> None:
    for column in columns:
        table[f"{claim}: {column.replace('_', ' ')}"] = null[column]


def power(truth: pd.DataFrame, by_moa: pd.DataFrame, retrieved: pd.DataFrame, *, level: float = 0.05) -> pd.DataFrame:
    """On a simulated screen: how many MoAs with a phenotype each representation finds, and how many without one.

    Parameters
    ----------
    truth : moa and grade of every drug (strong, medium or weak where its MoA has a phenotype)
    by_moa, retrieved : as `null_by_moa` and `retrieval_by_moa` give them

    Returns
    -------
    frame: representation, labels, claim, phenotypes (MoAs that have one), found, share, false_discoveries; the last
    three are empty where there are too few permutations to test each MoA
    """
    real = set(truth.loc[truth["grade"].isin(["strong", "medium", "weak"]), "moa"])
    claims = [
        ("gathered in a community, step-down p", by_moa.rename(columns={"p_adjusted": "evidence"})),
        ("retrievable, q", retrieved.rename(columns={"q_value": "evidence", "scored": "labels"})),
    ]
    rows = []
    for claim, table in claims:
        for (name, labels), mine in table.groupby(["representation", "labels"], sort=False):
            found = set(mine.loc[mine["evidence"] < level, "moa"])
            tested = real & set(mine["moa"])
            counts = {"phenotypes": len(tested), "found": len(found & real), "false_discoveries": len(found - real)}
            share = counts["found"] / len(tested) if tested else np.nan
            rows.append({"representation": name, "labels": labels, "claim": claim, **counts, "share": share})
            if mine["evidence"].isna().all():
                rows[-1] |= dict.fromkeys(("found", "false_discoveries", "share"))
    return pd.DataFrame(rows).astype({"found": "Int64", "false_discoveries": "Int64", "share": float})
