"""The t-SNE map of a representation, from its distances."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pandas as pd

from moamap.tsne import tsne
from scripts.files import is_simulated, read_distances, read_drugs, write_table
from scripts.job import run


def make_map(job) -> None:
    ids, _ = read_drugs(job.input.drugs)
    places = pd.DataFrame(tsne(read_distances(job.input.connections), **job.params.tsne), columns=["x", "y"])
    places.insert(0, "drug", ids["pert_iname"])
    write_table(places, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(make_map, globals().get("snakemake"))
