"""Profiles with a name and a MoA, one row per drug, and the rows that were removed."""

import logging
from typing import Any

import pandas as pd

from _costs import expected_costs, machine
from _files import is_simulated, read_hub, read_unlabelled, write_table
from _job import run
from moamap.core.costs import check_fits
from moamap.core.names import ID_COLUMNS
from moamap.profiles.annotation import annotate as keep_annotated
from moamap.profiles.annotation import (
    feature_columns,
    hub_annotation,
    moa_notes,
    name_notes,
    namesake_notes,
    one_row_per_drug,
    own_annotation,
    unannotated_compounds,
)
from moamap.sources.checksums import verify


def annotate(job: Any) -> None:
    table = read_unlabelled(job.input.profiles)
    if "drugs" in dict(job.input.items()):
        for name in ("samples", "drugs"):
            verify(job.input[name], job.params.checksums[name])
        samples = read_hub(job.input.samples, ["broad_id", "pert_iname"])
        annotation = hub_annotation(samples, read_hub(job.input.drugs, ["pert_iname", "moa"]))
    else:
        annotation = own_annotation(table)
    profiles = table[["pert_id", *feature_columns(table)]]
    rows, dropped = keep_annotated(profiles, *annotation)
    annotated, merged = one_row_per_drug(rows)
    unannotated, dropped = unannotated_compounds(profiles, dropped, job.params.unannotated)
    notes = moa_notes(annotated["moa"], job.params.moa) + name_notes(annotated["pert_iname"])
    for note in notes + namesake_notes(unannotated["pert_iname"], annotated["pert_iname"]):
        logging.warning("profiles: %s", note)
    logging.info(
        "%d rows, %d with a MoA, %d drugs, %d MoAs, %d compounds without a MoA",
        *(len(table), len(rows), len(annotated), annotated["moa"].nunique(), len(unannotated)),
    )
    sizes = {"drugs": len(annotated), "compounds": len(annotated) + len(unannotated)}
    # the config is looked at as a whole, and not by parameters: what is written does not depend on it
    expected = expected_costs(job.config, **sizes, features=annotated.shape[1] - len(ID_COLUMNS))
    check_fits(expected, job.config, **machine(job.output.annotated))
    write_table(annotated, job.output.annotated, simulated=is_simulated(job))
    index = annotated[ID_COLUMNS].rename_axis("index").reset_index()
    write_table(index, job.output.index, simulated=is_simulated(job))
    if "unannotated" in dict(job.output.items()):
        write_table(unannotated, job.output.unannotated, simulated=is_simulated(job))
    write_table(pd.concat([dropped, merged]), job.output.dropped, simulated=is_simulated(job))


if __name__ == "__main__":
    run(annotate, globals().get("snakemake"))
