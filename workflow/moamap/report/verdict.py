"""The verdict: what a biologist may believe. First the numbers, then prose made from nothing but these."""

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from moamap.core.names import (
    CROSSFIT,
    ENRICHED,
    ENRICHED_BY_TWO,
    IN_SAMPLE,
    LABEL_FREE,
    MAP,
    MAP_BY_MOA,
    PROPOSED,
    TOGETHER,
    TOGETHER_BY_MOA,
    WITHIN,
)
from moamap.validation.candidates import CALLED, PARTNER
from moamap.validation.proposals import PROPOSAL, SHOWN
from moamap.validation.reliability import CLAIMS, TOP, WITH_CANDIDATE

LEVEL = 0.05
HONEST = (LABEL_FREE, CROSSFIT)  # ways of scoring in which neither drug was trained on
Row = dict[str, Any]
LISTED = 20  # proposals that the prose lists; all are in candidates.csv
PARTNERS_EACH = 3
PAIRS = {  # the headline test in `claims`: name in verdict.json -> claim
    "pairs_together": TOGETHER,
    "pairs_together_within_strength": WITHIN[TOGETHER],
    "mean_over_moas": TOGETHER_BY_MOA,
    "mean_over_moas_within_strength": WITHIN[TOGETHER_BY_MOA],
}
PAIRS_NOTE = (
    "The first line of each representation is the stronger test: it counts every pair, where the number of enriched "
    "MoAs is small and discrete. Strong profiles gather whatever their mechanism, so labels are also permuted only "
    "among drugs of similar profile strength (quintiles). A few large MoAs can give most pairs, so the mean over MoAs "
    "stands beside them."
)
PROPOSALS_NOTE = (
    "The probability that a drug has a MoA is that of its own MoA, were it hidden, among the MoAs of enough drugs and "
    f'"none of these"; only {PROPOSAL:g} or more is called a proposal. It was learned without the label of any drug of '
    "the same fold. For an annotated drug, a further MoA has a rank score only: no label tells whether it is true."
)
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
    fitted: Row,
    query: list[str],
    simulated: bool,
) -> Row:
    """Every number that the verdict speaks of, and its three most important sentences (`summary`).

    Parameters
    ----------
    tables : null, null_by_moa, retrieval, retrieval_by_moa, comparisons, stability, candidates, reliability as the
        study writes them
    traces : cross-fitted representation -> how often drugs of one fold share a community, relative to all pairs
    unlearned : cross-fitted representation -> share of the pairs of drugs that no map could be learned for
    fitted : what the proposals of `candidates` are made by, as in validation/proposals.json
    query : the queried drugs
    """
    found: Row = {
        "dataset": dataset,
        "simulated": simulated,
        "level": LEVEL,
        "claims": _claims(tables["null"]),
        "retrieval": _retrieval(tables["retrieval"]),
        "comparisons": _records(tables["comparisons"], list(tables["comparisons"].columns)),
        "gathered": _gathered(tables["null_by_moa"]),
        "retrievable": _retrievable(tables["retrieval_by_moa"]),
        "proposals": _proposals(tables["candidates"], tables["reliability"], fitted),
        "partners": _partners(tables["candidates"]),
        "stability": _stability(tables["stability"], query),
        "traces": {name: ratio for name, ratio in traces.items() if ratio == ratio},  # NaN: every community one drug
        "unlearned": {name: share for name, share in unlearned.items() if share},
    }
    summary = [_pairs_sentence(found["claims"]), _retrieval_sentence(found["retrieval"], found["comparisons"])]
    proposals, better = _proposals_sentence(found["proposals"]), found["proposals"]["better_than_guessing"]
    return {"summary": [*summary, proposals] if better else [proposals, *summary]} | found


def _records(table: pd.DataFrame, columns: list[str]) -> list[Row]:
    """Rows as plain values that JSON can hold; what is missing is None."""
    plain = table[columns].astype(object)
    return plain.where(plain.notna(), None).to_dict("records")


def _claims(null: pd.DataFrame) -> list[Row]:
    columns = ["representation", "labels", "observed", "null_mean", "null_low", "null_high", "p_value"]
    every = _records(null[null["quantity"] == ENRICHED], columns)
    strict = _records(null[null["quantity"] == ENRICHED_BY_TWO], ["observed", "null_mean", "p_value"])
    pairs = {
        name: _records(null[null["quantity"] == claim], [*columns[2:], "z", "permutations"])
        for name, claim in PAIRS.items()
    }
    moved = null[null["in_the_study"].notna() & (null["in_the_study"] != null["observed"])]["representation"].unique()
    return [
        {"representation": row["representation"], "labels": row["labels"]}
        | {name: rows[place] for name, rows in pairs.items()}
        | row
        | {"by_two_drugs": strict[place], "differs_from_table_1": row["representation"] in moved}
        for place, row in enumerate(every)
    ]


def _retrieval(table: pd.DataFrame) -> list[Row]:
    numbers = ["observed", "null_mean", "lift", "lift_low", "lift_high", "p_value"]
    known = table[table["observed"].notna() & table["lift"].notna()]
    over_moas = known[known["quantity"] == MAP_BY_MOA].set_index(["representation", "scored"])
    rows = _records(known[known["quantity"] == MAP], ["representation", "scored", *numbers])
    for row in rows:
        mine = over_moas.loc[[(row["representation"], row["scored"])]] if len(over_moas) else over_moas
        row["mean_over_moas"] = _records(mine, numbers)[0]
    return rows


def _gathered(by_moa: pd.DataFrame) -> list[Row]:
    columns = ["moa", "community", "k", "K", "p_adjusted"]
    return [
        {"representation": name, "moas": _records(mine[mine["p_adjusted"] <= LEVEL], columns)} | _not_testable(mine)
        for name, mine in by_moa.groupby("representation", sort=False)
    ]


def _retrievable(by_moa: pd.DataFrame) -> list[Row]:
    return [
        {
            "representation": name,
            "scored": way,
            "moas": _records(mine[mine["q_value"] <= LEVEL].sort_values("q_value"), ["moa", "lift", "q_value"]),
        }
        | _not_testable(mine)
        for (name, way), mine in by_moa.groupby(["representation", "scored"], sort=False)
        if way != IN_SAMPLE
    ]


def _not_testable(by_moa: pd.DataFrame) -> Row:
    """How many permutations there are, and would have to be, where they are too few for a claim about each MoA."""
    made, needed = int(by_moa["permutations"].iloc[0]), int(by_moa["permutations_needed"].iloc[0])
    if made >= needed:
        return {}
    counts = {"permutations": made, "permutations_needed": needed, "floor": float(by_moa["floor"].iloc[0])}
    return {"not_testable": counts | {"moas": len(by_moa)}}


def _proposals(candidates: pd.DataFrame, reliability: pd.DataFrame, fitted: Row) -> Row:
    good = candidates[candidates["called"] == CALLED]
    accuracy = reliability[reliability["quantity"].str.startswith(TOP)]
    scored = ["quantity", "over", "n", "observed", "low", "high", "largest_moa", "random", "gain_low", "gain_high"]
    claims = reliability[reliability["quantity"].str.startswith(CLAIMS)]
    columns = ["drug", "kind", "known_moa", "moa_1", "probability_1", "evidence", "stability"]
    [counted] = _records(
        reliability[reliability["quantity"] == PROPOSED], ["observed", "null_mean", "null_high", "p_value"]
    )
    first = accuracy[(accuracy["quantity"] == f"{TOP}1") & (accuracy["over"] == WITH_CANDIDATE)].iloc[0]
    return {
        "representation": fitted["representation"],
        "chosen_in_folds": fitted["chosen_in_folds"],
        "counted": counted,
        "better_than_guessing": bool(first["gain_low"] > 0 and first["low"] > first["random"]),
        "accuracy": _records(accuracy, scored),
        "reliability": _records(claims, ["quantity", "n", "stated", "observed", "low", "high"]),
        "drugs": _records(good, columns),
    }


def _partners(candidates: pd.DataFrame) -> list[Row]:
    partners = candidates[candidates["kind"] == PARTNER]
    nearest = partners.groupby("drug", sort=False).head(PARTNERS_EACH)
    return _records(nearest, ["drug", "partner", "evidence", "stability"])


def _stability(table: pd.DataFrame, query: list[str]) -> list[Row]:
    rows = []
    for name, mine in table.groupby("representation", sort=False):
        by_kind = mine.groupby("perturbation", sort=False)["adjusted_rand"].mean().to_dict()
        together = {"together": mine["query_together"].mean(), "any_two_drugs": mine["chance_of_sharing"].mean()}
        without = mine["adjusted_rand_without_singletons"].mean()
        rows.append({"representation": name, "adjusted_rand": {k: v for k, v in by_kind.items() if v == v}})
        rows[-1]["adjusted_rand_without_singletons"] = None if without != without else float(without)
        if len(query) > 1 and together["together"] == together["together"]:
            rows[-1]["query"] = {"drugs": list(query), **{key: float(value) for key, value in together.items()}}
    return rows


# --- the sentences that matter most ---


def _pairs_sentence(claims: list[Row]) -> str:
    real = [row for row in claims if _at_most(row["pairs_together"]["p_value"], LEVEL)]
    if not real:
        return (
            "In no representation do two drugs of one MoA share a community more often than with permuted labels (at "
            f"{LEVEL})."
        )
    named = ", ".join(
        f"**{row['representation']}** ({row['pairs_together']['observed']:.0f} pairs, "
        f"{row['pairs_together']['null_mean']:.1f} expected, {_z_and_p(row['pairs_together'])})"
        for row in real
    )
    among = [row for row in real if _at_most(row["pairs_together_within_strength"]["p_value"], LEVEL)]
    return (
        f"Two drugs of one MoA share a community more often than with permuted labels in: {named}; also among drugs of "
        f"similar profile strength in: {', '.join(row['representation'] for row in among) or 'none of these'}."
    )


def _retrieval_sentence(rows: list[Row], comparisons: list[Row]) -> str:
    found = [row for row in rows if row["scored"] in HONEST and _at_most(row["p_value"], LEVEL)]
    if not found:
        return (
            f"No representation retrieves drugs of the same MoA better than chance (at {LEVEL}) where neither drug was "
            "trained on."
        )
    best = max(found, key=lambda row: row["lift"])
    return (
        "Where neither drug was trained on, the largest lift that exceeds chance is that of "
        f"**{best['representation']}** ({best['lift']:.2f} times chance{_interval(best)}, {_p(best['p_value'])})."
        f"{_beside_others(best, comparisons)}"
    )


def _interval(row: Row) -> str:
    return "" if row["lift_low"] is None else f", 95% over MoAs {row['lift_low']:.2f} to {row['lift_high']:.2f}"


def _beside_others(best: Row, comparisons: list[Row]) -> str:
    """Whom it exceeds, and whom it cannot be told from, by paired intervals."""
    ahead: list[str] = []
    level: list[str] = []
    for other, difference, low, high in _differences(best, comparisons):
        named = f"{other} ({difference:+.4f}, 95% {low:+.4f} to {high:+.4f})"
        (ahead if low > 0 else level).append(named)
    text = f" In mean average precision less chance it exceeds {', '.join(ahead)}." if ahead else ""
    return text + (f" It cannot be told from {', '.join(level)}." if level else "")


def _differences(best: Row, comparisons: list[Row]) -> Iterable[tuple[str, float, float, float]]:
    """Of the mean over drugs: the other representation, and by how much the best one is ahead, with the interval."""
    for row in comparisons:
        if row["quantity"] != MAP:
            continue
        if (row["representation"], row["scored"]) == (best["representation"], best["scored"]):
            yield row["other"], row["difference"], row["low"], row["high"]
        elif (row["other"], row["other_scored"]) == (best["representation"], best["scored"]):
            yield row["representation"], -row["difference"], -row["high"], -row["low"]


def _proposals_sentence(found: Row) -> str:
    first = next(row for row in found["accuracy"] if row["over"] == WITH_CANDIDATE and row["quantity"] == f"{TOP}1")
    counted = found["counted"]
    numbers = (
        f"the first MoA is right for {first['observed']:.0%} ({first['low']:.0%} to {first['high']:.0%}) of the drugs "
        f"whose MoA was hidden; naming the largest MoA is for {first['largest_moa']:.0%}, a random one for "
        f"{first['random']:.0%}"
    )
    drugs = f"{counted['observed']:.0f} of them have a probability of {PROPOSAL:g} or more"
    null = f"{drugs} (on permuted labels {_number(counted['null_mean'])} on average)"
    if not found["better_than_guessing"]:
        return f"**Proposals do not beat guessing here:** {numbers}. Read `candidates.csv` as a ranked list; {null}."
    return f"Proposals by **{found['representation']}** beat guessing: {numbers}. Of all annotated drugs, {null}."


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


def _z_and_p(row: Row) -> str:
    return _p(row["p_value"]) if row["z"] is None else f"z = {row['z']:.1f}, {_p(row['p_value'])}"


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
    lines = [line(row) for row in claims for line in (_pairs_line, _claim_line)]
    return [PAIRS_NOTE, _list(lines), *_fewer_permutations(claims), *([note] if moved else [])]


def _fewer_permutations(claims: list[Row]) -> list[str]:
    """A note where the labels were permuted less often within quintiles of profile strength, as learning costs time."""
    within, over_all = "pairs_together_within_strength", "pairs_together"
    fewer = [row for row in claims if row[within]["permutations"] < row[over_all]["permutations"]]
    if not fewer:
        return []
    few, all_ = fewer[0][within]["permutations"], fewer[0][over_all]["permutations"]
    names = ", ".join(row["representation"] for row in fewer)
    return [
        f"In {names} each permutation learns anew, so within quintiles there are {few} permutations, not {all_}; no p "
        f"there can be below {1 / (1 + few):.2g}."
    ]


def _pairs_line(row: Row) -> str:
    pairs, within = row["pairs_together"], row["pairs_together_within_strength"]
    name = f"**{row['representation']}** ({row['labels']}), pairs of drugs of one MoA that share a community"
    if pairs["observed"] is None or pairs["null_mean"] is None:
        return f"{name}: cannot be computed from these drugs."
    line = (
        f"{name}: {pairs['observed']:.0f}; on permuted labels {pairs['null_mean']:.1f} ({pairs['null_low']:.0f} to "
        f"{pairs['null_high']:.0f}), {_z_and_p(pairs)}: {_believed(pairs)}. "
    )
    if within["null_mean"] is not None:
        line += f"Within quintiles of profile strength {within['null_mean']:.1f}, {_z_and_p(within)}. "
    return line + _mean_over_moas(row["mean_over_moas"], row["mean_over_moas_within_strength"])


def _mean_over_moas(mean: Row, within: Row) -> str:
    if mean["observed"] is None or mean["null_mean"] is None:
        return "No MoA has two drugs."
    text = (
        f"Averaged over MoAs, {mean['observed']:.1%} of a MoA's pairs share a community; on permuted labels "
        f"{mean['null_mean']:.1%}, {_z_and_p(mean)}"
    )
    if within["null_mean"] is not None:
        text += f"; within quintiles {within['null_mean']:.1%}, {_z_and_p(within)}"
    return text + "."


def _believed(row: Row) -> str:
    return "more than chance" if _at_most(row["p_value"], LEVEL) else "no more than chance explains"


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
    return (
        f"**{row['representation']}** ({row['labels']}): {row['observed']:.0f} enriched MoAs; on permuted labels "
        f"{row['null_mean']:.1f} ({row['null_low']:.0f} to {row['null_high']:.0f}), {_p(row['p_value'])}. "
        f"Counting only MoAs enriched by two or more drugs: {two['observed']:.0f} against {two['null_mean']:.1f}, "
        f"{_p(two['p_value'])}: {_believed(two)}."
    )


def _retrieval_prose(rows: list[Row]) -> list[str]:
    lines = [
        f"**{row['representation']}**, {row['scored']}: mean average precision {row['observed']:.4f}; on permuted "
        f"labels {row['null_mean']:.4f}, so {row['lift']:.2f} times chance{_interval(row)}, {_p(row['p_value'])}. "
        f"Averaged over MoAs {row['mean_over_moas']['lift']:.2f} times chance{_interval(row['mean_over_moas'])}, "
        f"{_p(row['mean_over_moas']['p_value'])}."
        for row in rows
    ]
    warning = (
        "An in-sample figure is what a metric reaches on the labels it was given; compare it with its own null only."
    )
    return [_list(lines), warning]


def _untested(row: Row) -> str:
    few = row["not_testable"]
    return (
        f"not testable with {few['permutations']} permutations: of {few['moas']} MoAs one alone cannot be relied on to "
        f"come below {few['floor']:.2g}. That takes {few['permutations_needed']:,} (`validation: full`)."
    )


def _gathered_line(row: Row) -> str:
    if "not_testable" in row:
        return f"**{row['representation']}**, gathered in a community: {_untested(row)}"
    named = ", ".join(
        f"{_name(moa['moa'])} (community {moa['community']}, {moa['k']}/{moa['K']}, {_p(moa['p_adjusted'])})"
        for moa in row["moas"]
    )
    return f"**{row['representation']}**, gathered in a community (step-down p <= {LEVEL}): {named or 'none'}."


def _retrievable_line(row: Row) -> str:
    if "not_testable" in row:
        return f"**{row['representation']}**, {row['scored']}, can be retrieved: {_untested(row)}"
    named = ", ".join(
        f"{_name(moa['moa'])} ({moa['lift']:.1f} times chance, q = {moa['q_value']:.3g})" for moa in row["moas"]
    )
    return f"**{row['representation']}**, {row['scored']}, can be retrieved (q <= {LEVEL}): {named or 'none'}."


def _candidates_prose(found: Row) -> list[str]:
    drugs = found["proposals"]["drugs"]
    lines = [_proposal_line(row) for row in drugs[:LISTED]]
    if len(drugs) > LISTED:
        lines.append(f"and {len(drugs) - LISTED} more, in `candidates.csv` (the {LISTED} above are its first).")
    near = [
        f"**{_name(row['drug'])}** and **{_name(row['partner'])}**: {row['evidence']}, "
        f"in one community in {_share(row['stability'])} of the perturbed runs."
        for row in found["partners"]
    ]
    parts = [PROPOSALS_NOTE, _list(_accuracy_lines(found["proposals"])), _reliability_line(found["proposals"])]
    parts += [_list(lines)] if lines else [f"No drug has a MoA with a probability of {PROPOSAL:g} or more."]
    return [*parts, *(["Nearest drugs of other MoAs to the queried drugs:", _list(near)] if near else [])]


def _proposal_line(row: Row) -> str:
    known = f"known: {_name(row['known_moa'])}" if row["known_moa"] else "no known MoA"
    line = f"**{_name(row['drug'])}** ({known}): *{_name(row['moa_1'])}* with probability {row['probability_1']:.2f}"
    if row["stability"] is not None:
        line += f", first in {row['stability']:.0%} of the reruns with {SHOWN:.0%} of the labels"
    return f"{line}; {_name(row['evidence'])}."


def _accuracy_lines(found: Row) -> list[str]:
    """One for each set of drugs: how often the MoA is among the first, beside the largest MoAs."""
    lines = []
    for over in dict.fromkeys(row["over"] for row in found["accuracy"]):
        mine = [row for row in found["accuracy"] if row["over"] == over]
        words = ", ".join(
            f"{row['quantity']} {row['observed']:.2f} ({row['low']:.2f} to {row['high']:.2f}; largest MoAs "
            f"{row['largest_moa']:.2f}, random {row['random']:.2f})"
            for row in mine
        )
        lines.append(f"Over {over} ({mine[0]['n']}): {words}.")
    return lines


def _reliability_line(found: Row) -> str:
    words = ", ".join(
        f"{row['stated']:.2f} came true at {row['observed']:.2f} ({row['n']})" for row in found["reliability"]
    )
    return f"What was stated, pooled over drugs and MoAs, and how often it came true (of how many claims): {words}."


def _stability_line(row: Row) -> str:
    if not row["adjusted_rand"]:
        return f"**{row['representation']}**: no perturbed run found communities."
    words = ", ".join(f"{kind} {value:.2f}" for kind, value in row["adjusted_rand"].items())
    line = (
        f"**{row['representation']}**: adjusted Rand index with the study's own communities: {words} (1: identical, 0: "
    )
    line += "chance)."
    if row["adjusted_rand_without_singletons"] is not None:
        line += f" Over the drugs that are not alone {row['adjusted_rand_without_singletons']:.2f} on average."
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
