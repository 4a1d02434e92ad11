"""The publisher's supplementary tables, where the user has them, beside this run's."""

import csv
import gzip
import io
import logging
import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from _files import is_simulated, read_index, read_table, read_unlabelled, write_table
from _job import run
from moamap.core.errors import InputError
from moamap.report.published import (
    Comparison,
    compare_communities,
    compare_drugs,
    compare_enriched,
    comparison_table,
    other_representations,
)


def compare(job: Any) -> None:
    drugs = read_index(job.input.index).rename(columns={"pert_iname": "drug"})
    found: list[Comparison] = []
    for name, options in job.params.tables.items():
        table = read_published(options["location"], {role: options[role] for role in options if role != "location"})
        if name == "drugs":
            found += compare_drugs(table, drugs, job.params.moa)
        elif name == "communities":
            here = read_unlabelled(job.input.communities, read_index(job.input.index))
            found += compare_communities(table, here, Path(options["location"]).name)
        else:
            here = enriched_here(job.params.representations, job.input.enrichment)
            for other in other_representations(table, here):
                logging.warning("published_tables.enrichment: this study has no representation %r", other)
            table = significant(table, options, job.params.alpha) if "p_value" in table else table
            found += compare_enriched(table, here, job.params.main)
    for one in found:
        log_unmatched(one)
    write_table(comparison_table(found), job.output[0], simulated=is_simulated(job))


def read_published(location: str, columns: dict[str, str]) -> pd.DataFrame:
    """The named columns of a CSV or TSV (plain or gzipped) as text, called by their roles; an empty cell is missing.

    Raises InputError where the file cannot be read as such a table or lacks a column.
    """
    name, content = Path(location).name, Path(location).read_bytes()
    plain = name.lower().removesuffix(".gz")
    try:
        text = (gzip.decompress(content) if plain != name.lower() else content).decode("utf-8-sig")
        lines = csv.reader(io.StringIO(text, newline=""), delimiter="," if plain.endswith(".csv") else "\t")
        header, *rows = [row for row in lines if any(row)] or [[]]
    except (OSError, EOFError, zlib.error, ValueError, csv.Error) as error:
        raise InputError(f"{name}: cannot be read ({error}); expected CSV or TSV in UTF-8") from error
    for role, column in columns.items():
        if header.count(column) != 1:
            found = f"{header.count(column)} times in" if column in header else "not in"
            first = f"the first line must be the header, and is {', '.join(header[:5])!r}"
            raise InputError(f"{name}: column {column!r} ({role}) is {found} the header; {first}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InputError(f"{name}: row {number} has {len(row)} fields; expected {len(header)}, as in the header")
    table = pd.DataFrame(rows, columns=range(len(header)), dtype=object)
    found = pd.DataFrame({role: table[header.index(column)].str.strip() for role, column in columns.items()})
    return found.where(found != "", None)


def significant(table: pd.DataFrame, options: dict[str, str], alpha: float) -> pd.DataFrame:
    """The table without the MoAs whose P is not below `alpha`; their rows stay, for the representations that they name.

    Raises InputError where a P is no number.
    """
    p = pd.to_numeric(table["p_value"], errors="coerce")
    if p.isna().any():
        row = int(p.isna().to_numpy().argmax())
        place = f"{Path(options['location']).name}: column {options['p_value']!r}, row {row + 1}"
        raise InputError(f"{place}: {table['p_value'].iloc[row]!r}; expected a number")
    return table.assign(moa=table["moa"].where(p < alpha))


def enriched_here(representations: list[str], paths: list[str]) -> dict[str, list[str]]:
    """The enriched MoAs of each representation of this run."""
    tables = zip(representations, map(read_table, paths), strict=True)
    return {name: table.loc[table["enriched"], "moa"].unique().tolist() for name, table in tables}


def log_unmatched(one: Comparison) -> None:
    """The names that only the published table or only this run has."""
    for where, names in (("the published table", one.only_published), ("this run", one.only_here)):
        if names:
            logging.info("%s: %d only in %s: %s", one.quantity, len(names), where, "; ".join(names))


if __name__ == "__main__":
    run(compare, globals().get("snakemake"))
