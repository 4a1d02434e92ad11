"""Drugs worth testing: proposed MoAs and repurposing partners, from cross-fitted distances."""

import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform

from _files import is_simulated, read_distances, read_index, write_table
from _job import run
from moamap.connections.distances import association
from moamap.core.arrays import load_arrays
from moamap.core.labels import membership
from moamap.validation.candidates import closeness, partners, proposals
from moamap.validation.retrieval import rank


def propose(job) -> None:
    drugs = read_index(job.input.index).rename(columns={"pert_iname": "drug"})
    stored = load_arrays(job.input.runs, "proposed", "runs")
    moas = membership(drugs["moa"], job.params.moa)
    tested = moas.loc[:, moas.sum() >= job.params.min_drugs]
    distance = read_distances(job.input.connections, drugs)
    everyone = np.arange(len(drugs))
    close = closeness(rank(squareform(distance), everyone, everyone))
    proposed = proposals(drugs, tested.columns, close, tested.to_numpy(), stored["proposed"])
    scores = squareform(association(distance))
    near = partners(job.params.query, drugs, moas.to_numpy(), scores, stored["runs"], neighbours=job.params.neighbours)
    write_table(pd.concat([proposed, near]), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(propose, globals().get("snakemake"))
