"""report.html: the tables of a run as one page for people. Every function takes tables and gives rows to show."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from moamap.core.names import CROSSFIT, LABEL_FREE
from moamap.report.verdict import LEVEL, Row

LISTED = 20  # rows of a table on the page; all are in the file that it names
NEAREST = 5
STABLE = 0.5  # share of a community's drugs that stay together in the repeated runs
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
SECTIONS = {  # in this order; their names in the list of contents
    "verdict": "What to believe",
    "data": "Data",
    "query": "Your drugs",
    "map": "Map",
    "communities": "Communities",
    "retrieval": "Retrieval",
    "candidates": "Drugs worth testing",
    "features": "Features",
    "paper": "The paper",
    "methods": "Methods",
    "files": "Files",
}
FILES = {  # what to open, in this order, of the files that a study may have
    "explorer.html": "the map of drugs for a browser: search, zoom, neighbours",
    "validation/verdict.md": "what to believe and what not, with every number; verdict.json has the same for programs",
    "candidates.csv": "the most probable MoAs of every compound, and the partners of the queried drugs",
    "repurposing.csv": "drugs that share a community with a queried drug, and in how many of the repeated runs",
    "supplement/table_1.csv": "communities and enriched MoAs of each representation",
    "supplement/table_S1.csv.gz": "drugs and raw features",
    "supplement/table_S2.csv.gz": "distance and association of pairs of drugs",
    "supplement/table_S3.csv.gz": "every community and MoA with k, K, n, N, P and q",
    "supplement/table_S4.csv": "communities with their members and enriched MoAs",
    "supplement/table_S5.csv.gz": "intra-class ratio of every community and feature, and which are CSIFs",
    "reproduction.csv": "the paper's numbers beside this run's",
    "profiles/dropped.csv": "every row that was left out, with the reason",
    "profiles/wells.csv": "rows and features after each step from wells to drugs",
    "truth.csv": "which simulated MoAs have a phenotype",
    "study.h5ad": "the whole study as AnnData",
    "provenance.json": "versions, seeds, checksums of the inputs, the config as used",
    "references.bib": "the works that the methods cite, as BibTeX",
    "run.html": "run times and the machine",
}


@dataclass(frozen=True)
class Table:
    """A table of the page: its heads, its rows of plain values, and what to say above and below it."""

    heads: list[str]
    rows: list[list[Any]]
    title: str = ""
    note: str = ""
    marked: list[int] = field(default_factory=list)  # rows that exceed chance


def render(templates: dict[str, str], name: str, **values: Any) -> str:
    """The page of one of the templates. What tables hold is text, never markup."""
    environment = Environment(
        loader=DictLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"cell": cell, "inline": inline}
    return environment.get_template(name).render(policy=POLICY, **values) + "\n"


def cell(value: Any) -> str:
    """A value as people read it: numbers to three digits, a dash where there is none."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if isinstance(value, int | np.integer) or (isinstance(value, float) and value.is_integer() and abs(value) >= 1):
        return f"{int(value):,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def inline(text: str) -> Markup:
    """The bold, the code and the escaped signs of a line of Markdown; all else stays text."""
    safe = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text)))
    safe = re.sub(r"`(.+?)`", r"<code>\1</code>", safe)
    return Markup(re.sub(r"\\([\\`*_\[\]|~$])", r"\1", safe))


def sections(*, query: bool, validation: bool) -> dict[str, str]:
    """The sections that a study has, with their names in the list of contents."""
    absent = {"query": not query, "retrieval": not validation, "candidates": not validation}
    return {section: name for section, name in SECTIONS.items() if not absent.get(section)}


def show(table: pd.DataFrame, columns: Mapping[str, str], title: str = "") -> Table:
    """The columns of a table that are there, under their names for people, at most `LISTED` rows."""
    there = {column: name for column, name in columns.items() if column in table}
    rows = table[list(there)].head(LISTED).astype(object).to_numpy().tolist()
    return Table(list(there.values()), rows, title)


# --- what came in and what left ---


def counts(drugs: pd.DataFrame, moas: pd.DataFrame, ratios: pd.DataFrame, min_drugs: int) -> dict[str, int]:
    """Numbers of drugs, features, MoAs and common MoAs.

    Parameters
    ----------
    drugs : the drug index
    moas : (n_drugs, n_moas) booleans
    ratios : community x feature, of any representation
    min_drugs : of a common MoA
    """
    return {
        "drugs": len(drugs),
        "features": ratios["feature"].nunique(),
        "moas": moas.shape[1],
        "common": int((moas.sum() >= min_drugs).sum()),
    }


def dropped(table: pd.DataFrame) -> Table:
    """Rows left out, by step and reason."""
    grouped = table.groupby(["step", "reason"], sort=False).size()
    rows = [[step, reason, number] for (step, reason), number in grouped.items()]
    note = f"{len(rows) - LISTED} more reasons are in profiles/dropped.csv." if len(rows) > LISTED else ""
    return Table(["step", "reason", "rows"], sorted(rows, key=lambda row: -row[2])[:LISTED], note=note)


# --- the verdict ---


def claims(found: Row) -> Table:
    """Pairs of drugs of one MoA that share a community, a representation a row."""
    heads = ["representation", "labels", "pairs", "on permuted labels", "z", "p", "p within quintiles of strength"]
    rows = []
    for row in found["claims"]:
        pairs, within = row["pairs_together"], row["pairs_together_within_strength"]
        chance = _interval(pairs)
        rows.append([row["representation"], row["labels"], pairs["observed"], chance, pairs["z"], pairs["p_value"]])
        rows[-1].append(within["p_value"])
    return Table(heads, rows, "Pairs of drugs of one MoA that share a community", marked=_marked(rows, 5))


def enriched(found: Row) -> Table:
    """Enriched MoAs, a representation a row."""
    heads = ["representation", "labels", "enriched MoAs", "on permuted labels", "p"]
    heads += ["by two drugs or more", "on permuted labels", "p"]
    rows = []
    for row in found["claims"]:
        two = row["by_two_drugs"]
        rows.append([row["representation"], row["labels"], row["observed"], _interval(row), row["p_value"]])
        rows[-1] += [two["observed"], two["null_mean"], two["p_value"]]
    return Table(heads, rows, "Enriched MoAs", marked=_marked(rows, 7))


def retrieval(table: pd.DataFrame) -> Table:
    """How well a drug retrieves the others of its MoA, a representation and way of scoring a row."""
    scored = table[(table["quantity"] == "mean average precision") & table["observed"].notna()]
    heads = ["representation", "scored", "mean average precision", "on permuted labels", "times chance", "p"]
    rows = [
        [row["representation"], row["scored"], row["observed"], _interval(row), row["lift"], row["p_value"]]
        for row in scored.to_dict("records")
    ]
    honest = [place for place in _marked(rows, 5) if rows[place][1] in (LABEL_FREE, CROSSFIT)]
    note = "An in-sample value is what a metric reaches on the labels it was given: compare it with its own null only."
    return Table(heads, rows, note=note, marked=honest)


def stability(found: Row) -> Table:
    """Agreement with the study's own communities, a representation a row."""
    kinds = list(dict.fromkeys(kind for row in found["stability"] for kind in row["adjusted_rand"]))
    rows = [
        [row["representation"], *(row["adjusted_rand"].get(kind) for kind in kinds)]
        + ([row["query"]["together"], row["query"]["any_two_drugs"]] if "query" in row else [None, None])
        for row in found["stability"]
    ]
    heads = ["representation", *(f"adjusted Rand, {kind}" for kind in kinds), "queried drugs together", "any two drugs"]
    note = "Adjusted Rand index with the study's own communities: 1 is identical, 0 is chance."
    return Table(heads, rows, "How stable the communities are", note)


def _interval(row: Mapping[str, Any]) -> str:
    if row["null_mean"] is None or pd.isna(row["null_mean"]):
        return "–"
    return f"{cell(row['null_mean'])} ({cell(row['null_low'])} to {cell(row['null_high'])})"


def _marked(rows: list[list[Any]], column: int) -> list[int]:
    return [place for place, row in enumerate(rows) if row[column] is not None and row[column] <= LEVEL]


# --- communities ---


def surviving(by_moa: pd.DataFrame, by_drug: pd.DataFrame) -> Table:
    """Communities whose enrichment survives the null, with the share of their drugs that stays together.

    Parameters
    ----------
    by_moa : validation/null_by_moa.csv
    by_drug : validation/stability_by_drug.csv
    """
    kept = by_drug.groupby(["representation", "community"])["companions_kept"].mean().rename("kept")
    good = by_moa[by_moa["p_adjusted"] <= LEVEL].join(kept, on=["representation", "community"])
    rows = [
        [row.representation, row.community, row.moa, f"{row.k} of {row.K}", row.n, row.p_adjusted, row.kept]
        for row in good.sort_values(["p_adjusted", "kept"], ascending=[True, False], kind="stable").itertuples()
    ]
    heads = ["representation", "community", "MoA", "its drugs here", "drugs here", "step-down p", "kept together"]
    stable = [place for place, row in enumerate(rows) if row[-1] == row[-1] and row[-1] >= STABLE]
    note = f"Marked: at least {STABLE:.0%} of the drugs stay together under other seeds, drugs or preferences."
    return Table(heads, rows, note=note if rows else "", marked=stable)


def features(ratios: pd.DataFrame) -> Table:
    """CSIFs of each community that has any, the most characteristic first."""
    csif = ratios[ratios["is_csif"]].sort_values(["community", "intra_class_ratio"], kind="stable")
    rows = [
        [community, len(mine), ", ".join(mine["feature"].head(NEAREST))]
        for community, mine in csif.groupby("community")
    ]
    note = f"{len(rows) - LISTED} more communities are in supplement/table_S5.csv.gz." if len(rows) > LISTED else ""
    heads = ["community", "CSIFs", f"the {NEAREST} of the smallest intra-class ratio"]
    return Table(heads, sorted(rows, key=lambda row: -row[1])[:LISTED], note=note)


# --- drugs ---


def answers(queries: dict[str, pd.DataFrame]) -> list[Table]:
    """A table for each queried drug: its community and nearest drugs in every representation.

    Parameters
    ----------
    queries : representation -> its query.csv
    """
    tables: dict[str, Table] = {}
    for name, table in queries.items():
        for queried, mine in table.groupby("queried", sort=False):
            me = mine[mine["relation"] == "self"].iloc[0]
            near = mine[mine["relation"] == "neighbour"].head(NEAREST)
            words = "; ".join(near["drug"] + " [" + near["moa"].fillna("no MoA") + "]")
            empty = Table(
                ["representation", "community", "drugs in it", "nearest drugs [MoA]"], [], f"{queried} [{me['moa']}]"
            )
            row = [name, me["community"], 1 + int((mine["relation"] == "fellow").sum()), words]
            tables.setdefault(queried, empty).rows.append(row)
    return list(tables.values())


def pairs(queries: dict[str, pd.DataFrame]) -> Table:
    """Whether queried drugs share a community, for every two of them."""
    rows = [
        [f"{row.queried}, {row.drug}", name, row.shares_community, row.association, row.chance_of_sharing]
        for name, table in queries.items()
        for row in table[table["relation"] == "pair"].itertuples()
    ]
    heads = ["drugs", "representation", "share a community", "association", "chance for two drugs"]
    return Table(heads, rows, "Do the queried drugs share a community?" if rows else "")


def companions(table: pd.DataFrame, representation: str) -> list[Table]:
    """The drugs that most often share a community with each queried drug, in one representation."""
    columns = {"drug": "drug", "moa": "MoA", "share": "share of the runs", "chance": "chance for two drugs"}
    columns |= {"same_community_in_the_study": "in the study", "target": "target", "clinical_phase": "clinical phase"}
    known = table[table["representation"] == representation].dropna(axis=1, how="all")
    return [
        show(mine.head(10), columns, title=f"Drugs in one community with {queried}, by {representation}")
        for queried, mine in known.groupby("queried", sort=False)
    ]


def candidates(table: pd.DataFrame) -> list[Table]:
    """The first proposals, and the partners of the queried drugs, with the columns that the table has."""
    columns = {
        "drug": "drug",
        "known_moa": "known MoA",
        "called": "called",
        "moa_1": "MoA",
        "probability_1": "probability",
    }
    columns |= {"partner": "partner", "rank_score": "rank score", "evidence": "evidence", "stability": "stability"}
    columns |= {"target": "target", "clinical_phase": "clinical phase"}
    return [
        show(mine.dropna(axis=1, how="all"), columns, title=f"{len(mine):,} in candidates.csv: {kind}")
        for kind, mine in table.groupby("kind", sort=False)
    ]


def published(table: pd.DataFrame) -> Table:
    """The paper's numbers beside this run's, where they can be compared."""
    compared = table[table["verdict"] != "NOT COMPARABLE"].dropna(axis=1, how="all")
    columns = {"description": "number", "published": "paper", "reproduced": "this run", "extrapolated": "extrapolated"}
    columns |= {"low": "from", "high": "to", "verdict": "verdict", "reason": "reason"}
    there = {column: name for column, name in columns.items() if column in compared}
    return Table(list(there.values()), compared[list(there)].astype(object).to_numpy().tolist())


# --- the run ---


def run_times(benchmarks: dict[str, pd.DataFrame]) -> Table:
    """Seconds, processor seconds and memory of each job, the longest first.

    Parameters
    ----------
    benchmarks : job -> its benchmark file, as Snakemake writes it
    """
    rows = [
        [job, *(float(table[column].iloc[0]) for column in ("s", "cpu_time", "max_rss"))]
        for job, table in benchmarks.items()
    ]
    return Table(["job", "seconds", "processor seconds", "memory (MB)"], sorted(rows, key=lambda row: -row[1]))


def guide(study_files: list[str]) -> Table:
    """What to open of the files that a study has, each with a word on it."""
    there = set(study_files)
    rows = [[file, text] for file, text in FILES.items() if file in there]
    return Table(["file", "content"], rows)
