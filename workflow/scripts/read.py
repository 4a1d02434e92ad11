"""The table of profiles that a screen brings, in any format, as the study takes it: checked at the border."""

from _files import is_simulated, write_table
from _job import run
from moamap.core.names import ROLES
from moamap.profiles.contract import check
from moamap.profiles.formats import read_source


def read(job) -> None:
    table, source = read_source(job.input, job.params.source, job.params.columns)
    wells = job.params.wells
    check(table, controls=(wells or {}).get("controls", ()), one_row_each=wells is None, source=source)
    features = [column for column in table if column not in ROLES]
    write_table(table.astype(dict.fromkeys(features, float)), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(read, globals().get("snakemake"))
