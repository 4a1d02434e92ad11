"""Profiles with a name and a MoA, one row a drug, and who was left behind."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import logging

import pandas as pd

from moamap import profiles
from moamap.query import check_names
from scripts.checksums import verify
from scripts.files import is_simulated, read_hub, read_unlabelled, write_table
from scripts.job import run


def annotate(job) -> None:
    table = read_unlabelled(job.input.profiles)
    if "drugs" in dict(job.input.items()):
        for name in ("samples", "drugs"):
            verify(job.input[name], job.params.sources[name].get("checksum"))
        samples = read_hub(job.input.samples, ["broad_id", "pert_iname"])
        annotation = profiles.hub_annotation(samples, read_hub(job.input.drugs, ["pert_iname", "moa"]))
    else:
        annotation = profiles.own_annotation(table)
    rows, dropped = profiles.annotate(table[["pert_id", *profiles.feature_columns(table)]], *annotation)
    annotated, merged = profiles.one_row_per_drug(rows)
    profiles.check_moas(profiles.membership(annotated["moa"], job.params.moa), job.params.min_drugs)
    check_names(job.params.query, annotated["pert_iname"])
    logging.info(
        "%d rows, %d with a MoA, %d drugs, %d MoAs", len(table), len(rows), len(annotated), annotated["moa"].nunique()
    )
    write_table(annotated, job.output.annotated, simulated=is_simulated(job))
    write_table(pd.concat([dropped, merged]), job.output.dropped, simulated=is_simulated(job))


if __name__ == "__main__":
    run(annotate, globals().get("snakemake"))
