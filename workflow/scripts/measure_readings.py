"""The numbers of every reading of the paper with one normalization axis: on all drugs, and on random subsets."""

import numpy as np
import pandas as pd

from _files import is_simulated, read_drugs, write_table
from _job import run
from moamap.core.labels import membership
from moamap.validation.readings import MOAS_TOGETHER, SEEDS, measure, measure_subsets


def measure_readings(job) -> None:
    ids, features = read_drugs(job.input[0])
    moas = membership(ids["moa"], job.params.moa)
    options = {"axis": job.wildcards.axis, "grid": job.params.grid}
    pair = [int(np.flatnonzero(ids["pert_iname"] == name)[0]) for name in job.params.query[:2]]
    whole = measure(features, moas, seeds=range(SEEDS), pair=pair, moa_pair=MOAS_TOGETHER, **options)
    subsets = measure_subsets(features, moas, **options)
    write_table(pd.concat([whole, subsets], ignore_index=True), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(measure_readings, globals().get("snakemake"))
