"""One profile per drug from one per well, and the counts after each step."""

import logging
import warnings
from typing import Any

from _files import is_simulated, read_unlabelled, write_table
from _job import run
from moamap.profiles.wells import wells_to_drugs


def aggregate_wells(job: Any) -> None:
    table = read_unlabelled(job.input[0])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "DataFrameGroupBy.apply", FutureWarning)  # of pycytominer's MODZ
        drugs, steps, wells = wells_to_drugs(table, **job.params.wells)
    logging.info("%d wells, %d drugs, %d features", len(table), len(drugs), steps["features"].iloc[-1])
    write_table(drugs, job.output.consensus, simulated=is_simulated(job))
    write_table(wells, job.output.wells, simulated=is_simulated(job))
    write_table(steps, job.output.steps, simulated=is_simulated(job))


if __name__ == "__main__":
    run(aggregate_wells, globals().get("snakemake"))
