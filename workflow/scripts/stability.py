"""How much of the communities remains, per perturbation and per drug."""

import pandas as pd

from _files import is_simulated, read_index, read_unlabelled, write_table
from _job import run
from moamap.core.arrays import load_arrays
from moamap.validation.stability import companionship, summary


def summarize(job) -> None:
    rows, drugs = [], []
    index = read_index(job.input.index)
    for name, path, communities in zip(job.params.representations, job.input.runs, job.input.communities, strict=True):
        table, stored = read_unlabelled(communities, index), load_arrays(path, "kinds", "values", "runs")
        queried = [table.index[table["drug"] == drug][0] for drug in job.params.query]
        rows.append(summary(table["community"].to_numpy(), stored, queried).assign(representation=name))
        kept = companionship(table["community"].to_numpy(), stored["runs"])
        drugs.append(table[["drug", "moa", "community"]].assign(representation=name, companions_kept=kept))
    write_table(_first(pd.concat(rows)), job.output.summary, simulated=is_simulated(job))
    write_table(_first(pd.concat(drugs)), job.output.by_drug, simulated=is_simulated(job))


def _first(table):
    return table[["representation", *table.columns.drop("representation")]]


if __name__ == "__main__":
    run(summarize, globals().get("snakemake"))
