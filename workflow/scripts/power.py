"""How much of the planted truth each representation finds."""

from _files import read_table, write_table
from _job import run
from moamap.validation.null_tables import power


def measure_power(job) -> None:
    tables = map(read_table, (job.input.truth, job.input.null_by_moa, job.input.retrieval_by_moa))
    write_table(power(*tables), job.output[0], simulated=True)


if __name__ == "__main__":
    run(measure_power, globals().get("snakemake"))
