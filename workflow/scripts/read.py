"""The table of profiles that a screen brings, in any format, as the study takes it: checked at the border."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from moamap.border import check
from moamap.profiles import ROLES
from scripts.files import is_simulated, write_table
from scripts.job import run
from scripts.sources import read_source


def read(job) -> None:
    table, source = read_source(job.input, job.params.source, job.params.columns)
    wells = job.params.wells
    check(table, controls=(wells or {}).get("controls", ()), one_row_each=wells is None, source=source)
    features = [column for column in table if column not in ROLES]
    write_table(table.astype(dict.fromkeys(features, float)), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(read, globals().get("snakemake"))
