"""The verdict: what a biologist may believe. First the numbers, then prose made from nothing but these."""

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from moamap.core.names import CROSSFIT, ENRICHED, ENRICHED_BY_TWO, IN_SAMPLE, LABEL_FREE, MAP, PROPOSED

LEVEL = 0.05
Row = dict[str, Any]
LISTED = 20  # proposals that the prose lists; all are in candidates.csv
PARTNERS_EACH = 3
LIMITS = [
    "Drugs of one plate, batch or library look alike for reasons that are not biology, and MoAs are not spread evenly "
    "over libraries. Permuting labels over all drugs does not detect this; permuting within plates would.",
    "Chemical analogues share a MoA and a structure: that one retrieves the other says little about the mechanism.",
    "Toxicity and cell count move most features together. Two MoAs that both kill cells look alike.",
    "Coloured and fluorescent compounds change stain intensities by themselves.",
    "MoA annotations are incomplete: a drug without a label for a mechanism may well have it.",
]


def verdict(
    dataset: str,
    tables: dict[str, pd.DataFrame],
    traces: dict[str, float],
    unlearned: dict[str, float],
    *,
    proposed_by: str,
    query: list[str],
    simulated: bool,
) -> Row:
    """Every number that the verdict speaks of, and its three most important sentences (`summary`).

    Parameters
    ----------
    tables : null, null_by_moa, retrieval, retrieval_by_moa, stability, candidates as the study writes them
    traces : cross-fitted representation -> how often drugs of one fold share a community, relative to all pairs
    unlearned : cross-fitted representation -> share of the pairs of drugs that no map could be learned for
    proposed_by : the representation that the proposals of `candidates` are made from
    query : the queried drugs
    """
    found: Row = {
        "dataset": dataset,
        "simulated": simulated,
        "level": LEVEL,
        "claims": _claims(tables["null"]),
        "retrieval": _retrieval(tables["retrieval"]),
        "gathered": _gathered(tables["null_by_moa"]),
        "retrievable": _retrievable(tables["retrieval_by_moa"]),
        "proposals": _proposals(tables["candidates"], tables["null"], proposed_by),
        "partners": _partners(tables["candidates"]),
        "stability": _stability(tables["stability"], query),
        "traces": {name: ratio for name, ratio in traces.items() if ratio == ratio},  # NaN: every community one drug
        "unlearned": {name: share for name, share in unlearned.items() if share},
    }
    summary = [_claims_sentence(found["claims"]), _retrieval_sentence(found["retrieval"])]
    return {"summary": [*summary, _proposals_sentence(found["proposals"])]} | found


def _records(table: pd.DataFrame, columns: list[str]) -> list[Row]:
    """Rows as plain values that JSON can hold; what is missing is None."""
    plain = table[columns].astype(object)
    return plain.where(plain.notna(), None).to_dict("records")


def _claims(null: pd.DataFrame) -> list[Row]:
    columns = ["representation", "labels", "observed", "null_mean", "null_low", "null_high", "p_value"]
    every = _records(null[null["quantity"] == ENRICHED], columns)
    strict = _records(null[null["quantity"] == ENRICHED_BY_TWO], ["observed", "null_mean", "p_value"])
    moved = null[null["in_the_study"].notna() & (null["in_the_study"] != null["observed"])]["representation"].unique()
    return [
        row | {"by_two_drugs": by_two, "differs_from_table_1": row["representation"] in moved}
        for row, by_two in zip(every, strict, strict=True)
    ]


def _retrieval(table: pd.DataFrame) -> list[Row]:
    scored = table[(table["quantity"] == MAP) & table["observed"].notna() & table["lift"].notna()]
    return _records(scored, ["representation", "scored", "observed", "null_mean", "lift", "p_value"])


def _gathered(by_moa: pd.DataFrame) -> list[Row]:
    columns = ["moa", "community", "k", "K", "p_adjusted"]
    return [
        {"representation": name, "moas": _records(mine[mine["p_adjusted"] <= LEVEL], columns)}
        for name, mine in by_moa.groupby("representation", sort=False)
    ]


def _retrievable(by_moa: pd.DataFrame) -> list[Row]:
    return [
        {
            "representation": name,
            "scored": way,
            "moas": _records(mine[mine["q_value"] <= LEVEL].sort_values("q_value"), ["moa", "lift", "q_value"]),
        }
        for (name, way), mine in by_moa.groupby(["representation", "scored"], sort=False)
        if way != IN_SAMPLE
    ]


def _proposals(candidates: pd.DataFrame, null: pd.DataFrame, proposed_by: str) -> Row:
    proposed = candidates[candidates["kind"] == "proposed MoA"]
    good = proposed[proposed["q_value"] < LEVEL]
    expected = null.loc[(null["quantity"] == PROPOSED) & (null["representation"] == proposed_by), "null_mean"]
    columns = ["drug", "known_moa", "proposed", "q_value", "stability"]
    return {
        "representation": proposed_by,
        "null_mean": None if expected.isna().all() else float(expected.iloc[0]),
        "drugs": _records(good, columns),
    }


def _partners(candidates: pd.DataFrame) -> list[Row]:
    partners = candidates[candidates["kind"] == "repurposing partner"]
    nearest = partners.groupby("drug", sort=False).head(PARTNERS_EACH)
    return _records(nearest, ["drug", "proposed", "evidence", "stability"])


def _stability(table: pd.DataFrame, query: list[str]) -> list[Row]:
    rows = []
    for name, mine in table.groupby("representation", sort=False):
        by_kind = mine.groupby("perturbation", sort=False)["adjusted_rand"].mean().to_dict()
        together = {"together": mine["query_together"].mean(), "any_two_drugs": mine["chance_of_sharing"].mean()}
        rows.append({"representation": name, "adjusted_rand": {k: v for k, v in by_kind.items() if v == v}})
        if len(query) > 1 and together["together"] == together["together"]:
            rows[-1]["query"] = {"drugs": list(query), **{key: float(value) for key, value in together.items()}}
    return rows


# --- the sentences that matter most ---


def _claims_sentence(claims: list[Row]) -> str:
    real = [row["representation"] for row in claims if _at_most(row["by_two_drugs"]["p_value"], LEVEL)]
    if not real:
        return "In no representation are more MoAs enriched in communities than with permuted labels."
    return f"More MoAs are enriched in communities than with permuted labels in: {', '.join(real)}."


def _retrieval_sentence(rows: list[Row]) -> str:
    found = [row for row in rows if row["scored"] in (LABEL_FREE, CROSSFIT) and _at_most(row["p_value"], LEVEL)]
    if not found:
        return (
            f"No representation retrieves drugs of the same MoA better than chance (at {LEVEL}) where neither drug was "
            "trained on."
        )
    best = max(found, key=lambda row: row["lift"])
    return (
        "Where neither drug was trained on, the largest lift that exceeds chance is that of "
        f"**{best['representation']}** ({best['lift']:.2f} times chance, {_p(best['p_value'])})."
    )


def _proposals_sentence(found: Row) -> str:
    text = (
        f"By {found['representation']}, {len(found['drugs'])} drugs lie among the drugs of a MoA that is not theirs at "
        f"q < {LEVEL}; on permuted labels {_number(found['null_mean'])} do on average."
    )
    if not found["drugs"]:
        text += " No proposal can be told from chance; the list in `candidates.csv` is ranked, but it is not evidence."
    return text


def _at_most(value: float | None, level: float) -> bool:
    return value is not None and value <= level


# --- prose ---


def prose(found: Row) -> str:
    """The verdict as a page of Markdown, from its numbers alone."""
    parts = [
        f"# What to believe of `{found['dataset']}`" + (" (simulated data)" if found["simulated"] else ""),
        "Every number below is from this run. *Permuted labels* means the same procedure, learning included, after the "
        "labels were dealt to the drugs at random.",
        _list(found["summary"]),
        "## Table 1: how much of it is there without any mechanism",
        *_claims_prose(found["claims"]),
        *([_list(_unlearned_line(*item) for item in found["unlearned"].items())] if found["unlearned"] else []),
        "## Do drugs of one MoA look alike?",
        *_retrieval_prose(found["retrieval"]),
        "## Mechanisms that survive",
        _list([*map(_gathered_line, found["gathered"]), *map(_retrievable_line, found["retrievable"])]),
        "## Drugs worth testing",
        *_candidates_prose(found),
        "## How stable the communities are",
        _list(map(_stability_line, found["stability"])),
        "## What no permutation can rule out",
        _list([*LIMITS, *(_trace_line(*trace) for trace in found["traces"].items())]),
    ]
    return "\n\n".join(parts) + "\n"


def _number(value: float | None) -> str:
    return "an unknown number" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.0%}"


def _p(value: float | None) -> str:
    return "p cannot be computed" if value is None else f"p = {value:.3g}"


def _name(name: str) -> str:
    """A name of the data as Markdown text on one line: no markup, link or formula of its own."""
    return re.sub(r"([\\`*_\[\]<>|~$&])", r"\\\1", " ".join(str(name).split()))


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _claims_prose(claims: list[Row]) -> list[str]:
    moved = [row["representation"] for row in claims if row["differs_from_table_1"]]
    note = (
        f"In {', '.join(moved)} the numbers tested here differ slightly from Table 1's: there affinity propagation is "
        "sensitive to rounding, and the repeated procedure computes the distances in a faster way."
    )
    return [_list(map(_claim_line, claims)), *([note] if moved else [])]


def _unlearned_line(name: str, share: float) -> str:
    if share == 1:
        return (
            f"{name}: no training set without two folds has drugs to learn from, so nothing is cross-fitted; its "
            "communities are those of the profiles, and its validation cells are empty."
        )
    return (
        f"In {name}, nothing could be learned without the folds of {share:.1%} of the pairs of drugs; their distance "
        "is that of the profiles themselves, on the same scale."
    )


def _claim_line(row: Row) -> str:
    two = row["by_two_drugs"]
    if row["observed"] is None or row["null_mean"] is None:
        return f"**{row['representation']}** ({row['labels']}): cannot be computed from these drugs."
    believed = "more than chance" if _at_most(two["p_value"], LEVEL) else "no more than chance explains"
    return (
        f"**{row['representation']}** ({row['labels']}): {row['observed']:.0f} enriched MoAs; on permuted labels "
        f"{row['null_mean']:.1f} ({row['null_low']:.0f} to {row['null_high']:.0f}), {_p(row['p_value'])}. "
        f"Counting only MoAs enriched by two or more drugs: {two['observed']:.0f} against {two['null_mean']:.1f}, "
        f"{_p(two['p_value'])}: {believed}."
    )


def _retrieval_prose(rows: list[Row]) -> list[str]:
    lines = [
        f"**{row['representation']}**, {row['scored']}: mean average precision {row['observed']:.4f}; on permuted "
        f"labels {row['null_mean']:.4f}, so {row['lift']:.2f} times chance, {_p(row['p_value'])}."
        for row in rows
    ]
    warning = (
        "An in-sample figure is what a metric reaches on the labels it was given; compare it with its own null only."
    )
    return [_list(lines), warning]


def _gathered_line(row: Row) -> str:
    named = ", ".join(
        f"{_name(moa['moa'])} (community {moa['community']}, {moa['k']}/{moa['K']}, {_p(moa['p_adjusted'])})"
        for moa in row["moas"]
    )
    return f"**{row['representation']}**, gathered in a community (step-down p <= {LEVEL}): {named or 'none'}."


def _retrievable_line(row: Row) -> str:
    named = ", ".join(
        f"{_name(moa['moa'])} ({moa['lift']:.1f} times chance, q = {moa['q_value']:.3g})" for moa in row["moas"]
    )
    return f"**{row['representation']}**, {row['scored']}, can be retrieved (q <= {LEVEL}): {named or 'none'}."


def _candidates_prose(found: Row) -> list[str]:
    drugs = found["proposals"]["drugs"]
    lines = [
        f"**{_name(row['drug'])}** (known: {_name(row['known_moa'])}): near the drugs of *{_name(row['proposed'])}*, "
        f"q = {row['q_value']:.2g}, the same in {_share(row['stability'])} of the perturbed runs."
        for row in drugs[:LISTED]
    ]
    if len(drugs) > LISTED:
        lines.append(f"and {len(drugs) - LISTED} more, in `candidates.csv`.")
    near = [
        f"**{_name(row['drug'])}** and **{_name(row['proposed'])}**: nearer than {row['evidence']:.1f}% of all pairs, "
        f"in one community in {_share(row['stability'])} of the perturbed runs."
        for row in found["partners"]
    ]
    parts = [_proposals_sentence(found["proposals"]), *([_list(lines)] if lines else [])]
    return [*parts, *(["Nearest drugs of other MoAs to the queried drugs:", _list(near)] if near else [])]


def _stability_line(row: Row) -> str:
    if not row["adjusted_rand"]:
        return f"**{row['representation']}**: no perturbed run found communities."
    words = ", ".join(f"{kind} {value:.2f}" for kind, value in row["adjusted_rand"].items())
    line = (
        f"**{row['representation']}**: adjusted Rand index with the study's own communities: {words} (1: identical, 0: "
    )
    line += "chance)."
    if "query" in row:
        query = row["query"]
        line += f" {' and '.join(map(_name, query['drugs']))} share a community in {query['together']:.0%} of the runs"
        line += f" (any two drugs: {query['any_two_drugs']:.0%})."
    return line


def _trace_line(name: str, ratio: float) -> str:
    return (
        f"Cross-fitting leaves a trace if drugs of one fold gather: in {name} they share a community {ratio:.2f} times "
        "as often as any two drugs (1 is no trace)."
    )
