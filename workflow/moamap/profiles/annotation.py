"""Drug profiles: who they are (annotation), one row a drug (aggregation), one scale (normalization)."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

import numpy as np
import pandas as pd

from moamap.core.errors import InputError, raise_first
from moamap.core.labels import lookalikes, membership
from moamap.core.names import ID_COLUMNS, ROLES
from moamap.profiles.normalize import feature_statistics, normalization_problems

FATES = {  # what becomes of the compounds without a MoA, by the option `unannotated`
    "place": ": placed on the finished map",
    "cluster": ": kept for the map of all compounds",
    "drop": "",
}
BROAD_ID_LENGTH = 13  # BRD-K97799481-001-02-3 is batch 001-02-3 of compound BRD-K97799481


def feature_columns(profiles: pd.DataFrame) -> list[str]:
    """The columns that say nothing of drug or well, in the table's order."""
    return [column for column in profiles.columns if column not in ROLES]


def hub_annotation(samples: pd.DataFrame, drugs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the Drug Repurposing Hub's two files into pert_id -> pert_iname -> moa.

    Parameters
    ----------
    samples : frame with `broad_id` and `pert_iname`, in file order
    drugs : frame with `pert_iname` and `moa`

    Returns
    -------
    annotation : one row a pert_id (the first 13 characters of broad_id): pert_id, pert_iname, moa (may be missing).
        Where an id has several names the first in file order is taken.
    other_names : pert_id, pert_iname of the names that were passed over
    """
    names = samples.assign(pert_id=samples["broad_id"].str[:BROAD_ID_LENGTH])[["pert_id", "pert_iname"]]
    names = names.drop_duplicates()
    other = names["pert_id"].duplicated()
    moas = drugs.drop_duplicates("pert_iname")[["pert_iname", "moa"]]
    return names[~other].merge(moas, on="pert_iname", how="left"), names[other]


def own_annotation(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The annotation that a table of profiles, one row a pert_id, brings itself, in the form of `hub_annotation`'s.

    A drug without a name is called by its id. Raises InputError where there is no column `moa`.
    """
    if "moa" not in table:
        raise InputError(
            "profiles: no column 'moa'; set columns.moa, or sources.samples and sources.drugs to join the Hub's"
        )
    names = table["pert_iname"].fillna(table["pert_id"]) if "pert_iname" in table else table["pert_id"]
    annotation = table.assign(pert_iname=names)[ID_COLUMNS]
    return annotation, annotation.loc[[], ["pert_id", "pert_iname"]]


def study_problems(
    drugs: pd.DataFrame, *, policy: str, min_drugs: int, queried: Sequence[str], refuse_bad_features: bool, axis: str
) -> Iterator[str]:
    """Every reason why the study would refuse its drugs, one line each.

    Parameters
    ----------
    drugs : pert_id, pert_iname, moa and the features, one row per drug, as `one_row_per_drug` gives them
    policy : `whole` or `split`, as `membership` takes it
    min_drugs : drugs that a MoA needs to be tested
    queried : names of the drugs asked about
    refuse_bad_features : whether a constant, missing or infinite feature stops the study (else it is left out)
    axis : of the normalization
    """
    moas = membership(drugs["moa"], policy)
    yield from moa_problems(moas, min_drugs)
    yield from name_problems(queried, drugs["pert_iname"])
    statistics = feature_statistics(drugs[feature_columns(drugs)])
    refused = list(feature_problems(statistics, refuse=refuse_bad_features))
    yield from refused
    usable = statistics.loc[statistics["problem"] == "", "feature"]
    if not refused and len(usable):
        yield from normalization_problems(drugs[usable], drugs["pert_iname"], axis=axis)


def check_moas(moas: pd.DataFrame, min_drugs: int) -> None:
    """Raise InputError with the first of `moa_problems`, if there is one."""
    raise_first(moa_problems(moas, min_drugs))


def moa_problems(moas: pd.DataFrame, min_drugs: int) -> Iterator[str]:
    """Why there are no MoAs to tell apart, or none with enough drugs to be tested; `moas` from `membership`."""
    if moas.shape[1] < 2:
        yield f"profiles: every drug has the MoA {moas.columns[0]!r}; expected two MoAs or more"
    elif moas.sum().max() < min_drugs:
        yield (
            f"profiles: no MoA has {min_drugs} drugs (the largest, {moas.sum().idxmax()!r}, has {moas.sum().max()} of "
            f"{len(moas)}); bring more drugs or lower enrichment.min_drugs"
        )


def name_problems(queried: Sequence[str], drugs: Iterable[str]) -> Iterator[str]:
    """Each queried name that is not among the drugs, with the nearest spellings."""
    known = list(drugs)
    for name in queried:
        if name not in known:
            near = get_close_matches(name.lower(), [drug.lower() for drug in known], n=3, cutoff=0.5)
            spelled = [drug for lowered in dict.fromkeys(near) for drug in known if drug.lower() == lowered]
            hint = f"; nearest: {', '.join(spelled)}" if spelled else ""
            yield f"query: no drug named {name!r} among the {len(known)} drugs with a MoA{hint}"


def feature_problems(statistics: pd.DataFrame, *, refuse: bool) -> Iterator[str]:
    """Why the features cannot be normalized; `statistics` from `feature_statistics`."""
    bad = statistics[statistics["problem"] != ""]
    if len(bad) and (refuse or len(bad) == len(statistics)):
        first = bad.iloc[0]
        yield (
            f"profiles: feature {first['feature']!r} has {first['problem']} ({len(bad)} such features); expected "
            "finite, varying numbers; normalization.bad_features: drop leaves such features out"
        )


def scale_notes(statistics: pd.DataFrame, epsilon: float) -> list[str]:
    """Features that `normalization.epsilon` outweighs, in a line: it would make them nearly constant."""
    small = statistics[(statistics["problem"] == "") & (statistics["variance"] < epsilon)]
    if small.empty:
        return []
    first = small.iloc[0]
    return [
        f"{len(small)} of {len(statistics)} features count for little, as their variance is below "
        f"normalization.epsilon, {epsilon:g} (the first: {first['feature']!r}, {first['variance']:.2g}); lower epsilon"
    ]


def name_notes(names: pd.Series) -> list[str]:
    """Names of drugs that look alike (`lookalikes`), in one line: each is a drug of its own."""
    groups = lookalikes(names.dropna())
    if not groups:
        return []
    shown = "; ".join(", ".join(map(repr, group)) for group in groups[:5])
    return [
        f"names of drugs differ only in case, spaces or invisible characters, and count as different drugs: {shown}"
        + (f" and {len(groups) - 5} more such groups" if len(groups) > 5 else "")
    ]


def namesake_notes(unannotated: pd.Series, annotated: pd.Series) -> list[str]:
    """Names of compounds without a MoA that are names of drugs with one, in one line: the study stays without them."""
    shared = unannotated[unannotated.isin(annotated)]
    if shared.empty:
        return []
    return [
        f"{len(shared)} compounds without a MoA have the name of a drug with one (the first: {shared.iloc[0]!r}) and "
        "are not merged with it; to merge them, give every row of a drug its MoA"
    ]


def moa_notes(moa: pd.Series, policy: str) -> list[str]:
    """MoAs that look alike (`lookalikes`), a line for each group: they count as different MoAs."""
    groups = lookalikes(membership(moa, policy).columns)
    return [
        f"MoAs that differ only in case, spaces or invisible characters count as {len(group)}: "
        + ", ".join(map(repr, group))
        for group in groups
    ]


def annotate(
    profiles: pd.DataFrame, annotation: pd.DataFrame, other_names: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the profiles that have a MoA.

    Parameters
    ----------
    profiles : pert_id, then the features, one row a compound
    annotation, other_names : as `hub_annotation` returns them

    Returns
    -------
    annotated : pert_id, pert_iname, moa, features
    dropped : pert_id, pert_iname, step, reason of every row, and every second name, that is left behind

    A MoA of nothing but `|` and spaces is none. Raises InputError where no row has a MoA.
    """
    ids = profiles[["pert_id"]].merge(annotation, on="pert_id", how="left")
    ids["moa"] = ids["moa"].where(ids["moa"].astype("string").str.strip("| ").fillna("") != "", None)
    nameless, mechanismless = ids["pert_iname"].isna(), ids["moa"].isna()
    if mechanismless.all():
        raise InputError(
            f"profiles: none of {len(ids)} rows has a MoA; do the ids of profiles and annotation fit together?"
        )
    dropped = ids[mechanismless].assign(
        step="annotate",
        reason=np.where(nameless[mechanismless], "the id has no name in the Hub's samples", "the drug has no MoA"),
    )
    second = other_names[other_names["pert_id"].isin(ids["pert_id"])].assign(
        step="name", reason="another name of the same id comes first in the Hub's samples"
    )
    features = profiles.drop(columns="pert_id").reset_index(drop=True)
    annotated = pd.concat([ids[ID_COLUMNS], features], axis=1)[~mechanismless.to_numpy()]
    return annotated.reset_index(drop=True), pd.concat([dropped, second])[["pert_id", "pert_iname", "step", "reason"]]


def unannotated_compounds(
    profiles: pd.DataFrame, dropped: pd.DataFrame, fate: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The profiles without a MoA, one row per compound, and what became of each of their rows.

    Parameters
    ----------
    profiles : pert_id, then the features, as `annotate` takes them
    dropped : as `annotate` returns it
    fate : a key of `FATES`

    Returns
    -------
    compounds : pert_id, pert_iname, features, as `one_row_per_compound` gives them; none with the fate `drop`
    dropped : with the fate in the reason
    """
    left = dropped["step"] == "annotate"
    rows = profiles[profiles["pert_id"].isin(dropped.loc[left, "pert_id"]) & (fate != "drop")]
    names = dropped[left].set_index("pert_id")["pert_iname"].reindex(rows["pert_id"]).to_numpy()
    compounds, merged = one_row_per_compound(rows.assign(pert_iname=names))
    also = dropped["pert_id"].map(merged.set_index("pert_id")["reason"].radd("; ")).fillna("")
    reason = dropped["reason"].where(~left, dropped["reason"] + FATES[fate] + also)
    return compounds, dropped.assign(reason=reason)


def one_row_per_compound(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """As `one_row_per_drug`, for compounds that need neither a name nor a MoA: one without a name is called by its id.

    Parameters
    ----------
    rows : pert_id, the features, and pert_iname and moa where they are there

    Returns
    -------
    compounds : pert_id, pert_iname, moa where it is there, features
    merged : as of `one_row_per_drug`
    """
    names = rows["pert_iname"].fillna(rows["pert_id"]) if "pert_iname" in rows else rows["pert_id"]
    compounds, merged = one_row_per_drug(rows.assign(pert_iname=names, moa=rows.get("moa")))
    return compounds if "moa" in rows else compounds.drop(columns="moa"), merged


def one_row_per_drug(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Aggregate the rows of each drug (pert_iname) by the median of every feature; their ids are joined by `|`.

    Returns the drugs, sorted by name, and the frame (pert_id, pert_iname, step, reason) of the rows that were merged
    into the first of their drug. Raises InputError where the rows of one drug differ in their MoA.
    """
    groups = rows.groupby("pert_iname", sort=True)
    torn = groups["moa"].nunique()
    if (torn > 1).any():
        name = torn.index[torn > 1][0]
        found = sorted(rows.loc[rows["pert_iname"] == name, "moa"].unique())
        raise InputError(f"profiles: drug {name!r} has {len(found)} different MoAs ({'; '.join(found)}); expected one")
    ids = groups["pert_id"].agg("|".join)
    drugs = pd.concat([ids, groups["moa"].first()], axis=1).reset_index()[ID_COLUMNS]
    features = groups[feature_columns(rows)].median().reset_index(drop=True)
    merged = rows.loc[rows["pert_iname"].duplicated(), ["pert_id", "pert_iname"]]
    reason = "median with the drug's other rows: " + merged["pert_iname"].map(ids).astype(object)  # also of no row
    return pd.concat([drugs, features], axis=1), merged.assign(step="aggregate", reason=reason)
