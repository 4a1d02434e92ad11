"""Which reading of the paper fits its numbers: the table of all readings, and the figure."""

import pandas as pd

from _files import is_simulated, read_table, read_unlabelled, write_table
from _job import run
from moamap.report.figures.readings import readings_figure
from moamap.report.figures.style import label_simulated
from moamap.validation.extrapolation import readings


def compare_readings(job) -> None:
    published = read_table(job.input.published).set_index("quantity")["published"]
    estimated = read_unlabelled(job.input.estimated)
    table = readings(estimated, published)
    write_table(table, job.output.table, simulated=is_simulated(job))
    measured = pd.concat([read_unlabelled(path) for path in job.input.measured], ignore_index=True)
    figure = readings_figure(measured, estimated, published)
    if is_simulated(job):
        label_simulated(figure)
    figure.savefig(job.output.svg, metadata={"Date": None})
    figure.savefig(job.output.png, dpi=200, metadata={"Software": None})


if __name__ == "__main__":
    run(compare_readings, globals().get("snakemake"))
