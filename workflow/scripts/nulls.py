"""Observed beside permuted labels: claims, MoAs, retrieval, and Table 1 with all of it."""

from pathlib import Path

from _files import is_simulated, read_index, read_table, write_table
from _job import run
from moamap.core.arrays import load_arrays
from moamap.core.labels import membership
from moamap.validation import null_tables
from moamap.validation.comparisons import comparisons


def calibrate(job) -> None:
    stored = null_tables.gather(
        [(Path(path).stem.rsplit("_", 1)[0], load_arrays(path, "numbers")) for path in job.input.permutations]
    )
    enriched = dict(zip(job.params.representations, map(read_table, job.input.enrichment), strict=True))
    table_1 = read_table(job.input.table_1)
    moas = membership(read_index(job.input.index)["moa"], job.params.moa)
    null = null_tables.null_table(stored, table_1)
    tables = {
        "null": null,
        "null_by_moa": null_tables.null_by_moa(stored, enriched),
        "retrieval": null_tables.retrieval_table(stored, moas.sum().to_numpy()),
        "comparisons": comparisons(null_tables.observed_and_permuted(stored), moas.sum().to_numpy()),
        "retrieval_by_moa": null_tables.retrieval_by_moa(stored, moas.columns, moas.sum() >= job.params.min_drugs),
        "calibrated": null_tables.table_1_calibrated(table_1, null),
    }
    if "truth" in dict(job.input.items()):
        tables["power"] = null_tables.power(
            read_table(job.input.truth), tables["null_by_moa"], tables["retrieval_by_moa"]
        )
    for name, table in tables.items():
        write_table(table, job.output[name], simulated=is_simulated(job))


if __name__ == "__main__":
    run(calibrate, globals().get("snakemake"))
