"""Every number of every reading at the paper's number of drugs, with an interval that simulated screens give."""

import pandas as pd

from _files import is_simulated, read_table, read_unlabelled, write_table
from _job import run
from moamap.validation.extrapolation import KEY, extrapolate, intervals


def extrapolate_readings(job) -> None:
    published = read_table(job.input.published).set_index("quantity")["published"]
    texts = dict.fromkeys(KEY, "")
    measured = pd.concat([read_unlabelled(path) for path in job.input.measured], ignore_index=True)
    errors = pd.concat([read_unlabelled(path) for path in job.input.errors], ignore_index=True)
    estimated = extrapolate(measured.fillna(texts), int(published["drugs"]))
    write_table(intervals(estimated, errors), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(extrapolate_readings, globals().get("snakemake"))
