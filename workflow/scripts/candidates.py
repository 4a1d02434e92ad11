"""Drugs and compounds worth testing: proposed MoAs and repurposing partners."""

from typing import Any

import numpy as np
import pandas as pd

from _files import is_simulated, read_hub, read_index, read_json, read_rows, read_table, write_table
from _job import run
from moamap.core.arrays import load_arrays
from moamap.core.labels import membership
from moamap.report.repurposing import DETAILS
from moamap.validation.candidates import in_reading_order, partners


def list_candidates(job: Any) -> None:
    drugs = read_index(job.input.index).rename(columns={"pert_iname": "drug"})
    name = read_json(job.input.fitted)["representation"]
    moas = membership(drugs["moa"], job.params.moa).to_numpy()
    queried = [int(np.flatnonzero(drugs["drug"] == drug)[0]) for drug in job.params.query]
    scores = read_rows(job.input[f"distances_{name}"], drugs, np.array(queried))[1] if queried else []
    runs = load_arrays(job.input[f"runs_{name}"], "runs")["runs"]
    near = partners(job.params.query, drugs, moas, scores, runs, neighbours=job.params.neighbours)
    placed = [read_table(path).rename(columns={"compound": "drug"}) for path in job.input.placed]
    table = in_reading_order(pd.concat([read_table(job.input.table), near, *placed], ignore_index=True))
    for hub in job.input.hub:
        details = read_hub(hub, ["pert_iname"], DETAILS).drop_duplicates("pert_iname").set_index("pert_iname")
        for column in details:
            table[column] = table["drug"].map(details[column])
    write_table(table, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(list_candidates, globals().get("snakemake"))
