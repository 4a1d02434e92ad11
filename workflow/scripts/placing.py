"""Compounds without a MoA, or those of a new table, on the finished map of each representation."""

import logging
from typing import Any

import pandas as pd

from _files import read_index, read_table, read_unlabelled, write_table
from _job import run
from _material import read_normalization
from moamap.communities.placing import Reference, place
from moamap.core.errors import InputError
from moamap.core.names import ID_COLUMNS
from moamap.profiles.annotation import feature_columns, one_row_per_compound
from moamap.representations.base import load


def place_compounds(job: Any) -> None:
    table = read_unlabelled(job.input.compounds)
    features = feature_columns(table)
    rows, _ = one_row_per_compound(table[[*(name for name in ID_COLUMNS if name in table), *features]])
    index, normalization = read_index(job.input.index), read_normalization(job.input.normalization)
    further = set(features) - set(normalization["feature"])
    logging.info("%d rows, %d compounds", len(table), len(rows))
    logging.info("%d features are not among the reference's, and are ignored", len(further))
    compounds = rows[[name for name in ("pert_iname", "pert_id", "moa") if name in rows]]
    compounds = compounds.rename(columns={"pert_iname": "compound", "moa": "known_moa"})
    for number, files in enumerate(zip(job.output.placed, job.output.neighbours, strict=True)):
        reference = read_reference(job.input, number, index, normalization)
        tables = place(compounds, rows[features], reference, neighbours=job.params.neighbours)
        for found, path in zip(tables, files, strict=True):
            write_table(found, path, simulated=job.params.simulated)
    lost = tables[0].loc[tables[0]["community"].isna(), "compound"]
    if len(lost):
        logging.warning(
            "%d compounds are not placed (the first: %s): a value is missing or infinite, or all are the same",
            *(len(lost), lost.iloc[0]),
        )


def read_reference(paths: Any, number: int, index: pd.DataFrame, normalization: pd.DataFrame) -> Reference:
    """The map of one representation of the reference; raises InputError where its files do not fit together."""
    learned, features = load(paths.transforms[number])
    if features != normalization["feature"].tolist():
        raise InputError(
            f"{paths.transforms[number]}: was learned from other features than {paths.normalization} has; run the "
            "reference's study again"
        )
    communities, places = (read_table(files[number], index) for files in (paths.communities, paths.maps))
    drugs = communities[["drug", "moa", "community", "is_exemplar"]].assign(x=places["x"], y=places["y"])
    embedding = read_unlabelled(paths.embeddings[number], index).drop(columns="drug")
    return Reference(drugs, embedding.to_numpy(float), normalization, learned)


if __name__ == "__main__":
    run(place_compounds, globals().get("snakemake"))
