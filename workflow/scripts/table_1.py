"""The paper's Table 1."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from moamap.representations import METHODS
from moamap.supplement import published_table_1, table_1
from scripts.files import is_simulated, read_json, read_table, write_table
from scripts.job import run


def make_table_1(job) -> None:
    names = list(job.params.representations)
    rows = dict(zip(names, map(read_table, job.input.enrichment), strict=True))
    communities, notes = map(read_json, job.input.communities), map(read_json, job.input.notes)
    converged = {
        name: found["converged"] and note.get("converged", True)
        for name, found, note in zip(names, communities, notes, strict=True)
    }
    supervised = {name: METHODS[options["method"]].supervised for name, options in job.params.representations.items()}
    table = table_1(rows, converged, supervised)
    if job.params.published:
        table = table.merge(published_table_1(read_table(job.input.published)), on="representation", how="left")
    write_table(table, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(make_table_1, globals().get("snakemake"))
