"""Drugs that share a community with a queried drug; target and clinical phase where the Hub's file gives them."""

from typing import Any

import pandas as pd

from _files import is_simulated, read_hub, read_index, read_unlabelled, write_table
from _job import run
from moamap.core.arrays import load_arrays
from moamap.report.repurposing import DETAILS, repurposing


def list_companions(job: Any) -> None:
    drugs, tables = read_index(job.input.index), []
    details = pd.DataFrame(columns=["pert_iname", *DETAILS], dtype=object)
    for hub in job.input.hub:
        details = read_hub(hub, ["pert_iname"], DETAILS).reindex(columns=details.columns)
    for name, path, communities in zip(job.params.representations, job.input.runs, job.input.communities, strict=True):
        stored = load_arrays(path, "kinds", "runs")
        table = repurposing(job.params.query, read_unlabelled(communities, drugs), stored, details)
        table.insert(3, "representation", name)
        tables.append(table)
    write_table(pd.concat(tables), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(list_companions, globals().get("snakemake"))
