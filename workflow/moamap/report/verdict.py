"""The verdict: what a biologist may believe, in plain words, generated from the numbers."""

import pandas as pd

LEVEL = 0.05


def verdict(dataset: str, tables: dict[str, pd.DataFrame], traces: dict[str, float], query, *, simulated: bool) -> str:
    """A page of Markdown.

    Parameters
    ----------
    tables : null, null_by_moa, retrieval, retrieval_by_moa, stability, candidates as the study writes them
    traces : cross-fitted representation -> how often drugs of one fold share a community, relative to all pairs
    query : the drugs that were asked about
    """
    parts = [
        f"# What to believe of `{dataset}`" + (" (simulated data)" if simulated else ""),
        "Every number below is from this run. *Permuted labels* means the same procedure, learning included, after the "
        "labels were dealt to the drugs at random.",
        "## Table 1: how much of it is there without any mechanism",
        *_claims(tables["null"]),
        "## Do drugs of one MoA look alike?",
        *_retrieval(tables["retrieval"]),
        "## Mechanisms that survive",
        *_mechanisms(tables["null_by_moa"], tables["retrieval_by_moa"]),
        "## Drugs worth testing",
        *_candidates(tables["candidates"], tables["null"]),
        "## How steady the communities are",
        *_stability(tables["stability"], query),
        "## What no permutation can rule out",
        *_limits(traces),
    ]
    return "\n\n".join(parts) + "\n"


def _p(value: float) -> str:
    return f"p = {value:.3g}"


def _list(lines) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _claims(null):
    lines = []
    for name, mine in null.groupby("representation", sort=False):
        row = mine.set_index("quantity").loc["Enrichment Number"]
        strict = mine.set_index("quantity").loc["MoAs enriched with k >= 2"]
        believed = "more than chance" if strict["p_value"] <= LEVEL else "no more than chance explains"
        lines.append(
            f"**{name}** ({row['labels']}): {row['observed']:.0f} enriched MoAs; on permuted labels "
            f"{row['null_mean']:.1f} ({row['null_low']:.0f} to {row['null_high']:.0f}), {_p(row['p_value'])}. "
            f"Counting only MoAs enriched by two or more drugs: {strict['observed']:.0f} against "
            f"{strict['null_mean']:.1f}, {_p(strict['p_value'])}: {believed}."
        )
    moved = null[null["in_the_study"].notna() & (null["in_the_study"] != null["observed"])]
    note = (
        f"In {', '.join(moved['representation'].unique())} the numbers tested here differ a little from Table 1's: "
        "there affinity propagation hangs on the last digits of the distances, which the repeated procedure takes a "
        "faster way."
    )
    return [_list(lines), *([note] if len(moved) else [])]


def _retrieval(table):
    mine = table[(table["quantity"] == "mean average precision") & table["observed"].notna()]
    honest = mine[mine["scored"].isin(["label-free", "cross-fitted"])]
    lines = [
        f"**{row.representation}**, {row.scored}: mean average precision {row.observed:.4f}; on permuted labels "
        f"{row.null_mean:.4f}, so {row.lift:.2f} times chance, {_p(row.p_value)}."
        for row in mine.itertuples()
    ]
    best = honest.loc[honest["lift"].idxmax()]
    found = honest[honest["p_value"] <= LEVEL]
    summary = (
        f"No representation retrieves fellow drugs better than chance (at {LEVEL}) where neither drug was trained on."
        if found.empty
        else f"Where neither drug was trained on, the largest lift is that of **{best['representation']}** "
        f"({best['lift']:.2f} times chance)."
    )
    warning = (
        "The in-sample figure is what a metric reaches on the labels it was given; compare it with its own null only."
    )
    return [_list(lines), f"{summary} {warning}"]


def _mechanisms(by_moa, retrieval):
    blocks = []
    for name, mine in by_moa.groupby("representation", sort=False):
        kept = mine[mine["p_adjusted"] <= LEVEL]
        named = ", ".join(
            f"{row.moa} (community {row.community}, {row.k}/{row.K}, p = {row.p_adjusted:.3g})"
            for row in kept.itertuples()
        )
        blocks.append(f"**{name}**, gathered in a community (step-down p <= {LEVEL}): {named or 'none'}.")
    for (name, way), mine in retrieval.groupby(["representation", "scored"], sort=False):
        if way != "in-sample":
            kept = mine[mine["q_value"] <= LEVEL].sort_values("q_value")
            named = ", ".join(
                f"{row.moa} ({row.lift:.1f} times chance, q = {row.q_value:.3g})" for row in kept.itertuples()
            )
            blocks.append(f"**{name}**, {way}, can be retrieved (q <= {LEVEL}): {named or 'none'}.")
    return [_list(blocks)]


def _candidates(table, null):
    proposed = table[table["kind"] == "proposed MoA"]
    good = proposed[proposed["q_value"] < LEVEL]
    counted = null["quantity"].str.startswith("drugs proposed") & (null["representation"] == "itml_crossfit")
    lines = [
        f"**{row.drug}** (known: {row.known_moa}): near the drugs of *{row.proposed}*, q = {row.q_value:.2g}, the same "
        f"in {row.stability:.0%} of the perturbed runs."
        for row in good.head(20).itertuples()
    ]
    text = (
        f"On cross-fitted distances {len(good)} drugs lie among the drugs of a MoA that is not theirs at q < {LEVEL}; "
        f"on permuted labels {null.loc[counted, 'null_mean'].iloc[0]:.1f} do on average."
    )
    if good.empty:
        text += " No proposal can be told from chance; the list in `candidates.csv` is ranked, but not evidence."
    partners = table[table["kind"] == "repurposing partner"]
    near = [
        f"**{row.drug}** and **{row.proposed}**: nearer than {row.evidence:.1f}% of all pairs, in one community in "
        f"{row.stability:.0%} of the perturbed runs."
        for row in partners.groupby("drug", sort=False).head(3).itertuples()
    ]
    parts = [text, *([_list(lines)] if lines else [])]
    return [*parts, *(["Nearest drugs of other MoAs to the drugs asked about:", _list(near)] if near else [])]


def _stability(table, query):
    lines = []
    for name, mine in table.groupby("representation", sort=False):
        by_kind = mine.groupby("perturbation", sort=False)["adjusted_rand"].mean()
        words = ", ".join(f"{kind} {value:.2f}" for kind, value in by_kind.items())
        line = (
            f"**{name}**: adjusted Rand index with the study's own communities: {words} (1 is the same, 0 is chance)."
        )
        if len(query) > 1:
            line += f" {' and '.join(query)} share a community in {mine['query_together'].mean():.0%} of the runs"
            line += f" (any two drugs: {mine['chance_of_sharing'].mean():.0%})."
        lines.append(line)
    return [_list(lines)]


def _limits(traces):
    lines = [
        "Drugs of one plate, batch or library look alike for reasons that are not biology, and MoAs are not spread "
        "evenly over libraries. A permutation of labels over all drugs does not see this; one within plates would.",
        "Chemical analogues share a MoA and a structure: finding one by the other says little of the mechanism.",
        "Toxicity and cell count move most features together. Two MoAs that both kill cells look alike.",
        "Coloured and fluorescent compounds change the stains' intensities by themselves.",
        "MoA annotations are incomplete: a drug without a label for a mechanism may well have it.",
    ]
    lines += [
        f"Cross-fitting leaves a trace if drugs of one fold gather: in {name} they share a community {ratio:.2f} times "
        "as often as any two drugs (1 is no trace)."
        for name, ratio in traces.items()
        if ratio == ratio  # not NaN, as where every community is a single drug
    ]
    return [_list(lines)]
