"""How much of the planted truth each representation finds."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from moamap.calibration import power
from scripts.files import read_table, write_table
from scripts.job import run


def measure_power(job) -> None:
    tables = map(read_table, (job.input.truth, job.input.null_by_moa, job.input.retrieval_by_moa))
    write_table(power(*tables), job.output[0], simulated=True)


if __name__ == "__main__":
    run(measure_power, globals().get("snakemake"))
