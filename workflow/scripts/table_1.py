"""The paper's Table 1."""

from _files import is_simulated, read_json, read_table, write_table
from _job import run
from moamap.report.supplement import published_table_1, table_1


def make_table_1(job) -> None:
    names = job.params.representations
    rows = dict(zip(names, map(read_table, job.input.enrichment), strict=True))
    notes = dict(zip(names, map(read_json, job.input.notes), strict=True))
    communities = dict(zip(names, map(read_json, job.input.communities), strict=True))
    converged = {name: communities[name]["converged"] and notes[name].get("converged", True) for name in names}
    table = table_1(rows, converged, notes)
    if job.params.published:
        table = table.merge(published_table_1(read_table(job.input.published)), on="representation", how="left")
    write_table(table, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(make_table_1, globals().get("snakemake"))
