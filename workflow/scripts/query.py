"""What the queried drugs share a community with, and what lies nearest, in each representation."""

from typing import Any

import pandas as pd

from _files import is_simulated, read_index, read_rows, read_unlabelled, write_table
from _job import run
from moamap.report.query import query


def ask(job: Any) -> None:
    drugs = read_index(job.input.index)
    rows = pd.Index(drugs["pert_iname"]).get_indexer(job.params.query)  # -1 for a name that `query` refuses
    for name, communities, target in zip(job.params.representations, job.input.communities, job.output, strict=True):
        distance, association = read_rows(job.input[f"distances_{name}"], drugs, rows)
        numbered = read_unlabelled(communities, drugs)
        answer = query(job.params.query, numbered, distance, association, neighbours=job.params.neighbours)
        write_table(answer, target, simulated=is_simulated(job))


if __name__ == "__main__":
    run(ask, globals().get("snakemake"))
