"""Drugs worth testing: proposed MoAs and repurposing partners, from cross-fitted distances."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform

from moamap.candidates import closeness, partners, proposals
from moamap.connections import association
from moamap.profiles import membership
from moamap.retrieval import rank
from scripts.files import is_simulated, read_distances, read_table, write_table
from scripts.job import run


def propose(job) -> None:
    drugs, stored = read_table(job.input.communities), np.load(job.input.runs)
    moas = membership(drugs["moa"], job.params.moa)
    tested = moas.loc[:, moas.sum() >= job.params.min_drugs]
    distance = read_distances(job.input.connections)
    everyone = np.arange(len(drugs))
    close = closeness(rank(squareform(distance), everyone, everyone))
    proposed = proposals(drugs, tested.columns, close, tested.to_numpy(), stored["proposed"])
    near = partners(
        job.params.query, drugs, squareform(association(distance)), stored["runs"], neighbours=job.params.neighbours
    )
    write_table(pd.concat([proposed, near]), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(propose, globals().get("snakemake"))
