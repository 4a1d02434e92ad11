"""The table of profiles that a screen brings, in any format, as the study takes it: checked against the contract."""

import logging
from typing import Any

from _files import is_simulated, write_table
from _job import run
from moamap.profiles.contract import check, contract_notes, with_numbers
from moamap.profiles.formats import read_source


def read(job: Any) -> None:
    table, source = read_source(job.input, job.params.source, job.params.columns)
    wells = job.params.wells
    check(table, controls=(wells or {}).get("controls", ()), one_row_each=wells is None, source=source)
    for note in contract_notes(table):
        logging.warning("%s: %s", source, note)
    write_table(with_numbers(table), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(read, globals().get("snakemake"))
