"""The t-SNE map of a representation, from the nearest neighbours of its drugs."""

import pandas as pd

from _files import is_simulated, read_index, read_neighbours, read_unlabelled, write_table
from _job import run
from moamap.connections.tsne import tsne_map


def make_map(job) -> None:
    drugs = read_index(job.input.index)
    neighbours = read_neighbours(job.input.neighbours, drugs)
    # a cross-fitted representation has no embedding
    embeddings = [read_unlabelled(path, drugs).drop(columns="drug").to_numpy(float) for path in job.input.embedding]
    places = pd.DataFrame(tsne_map(neighbours, *embeddings, **job.params.tsne), columns=["x", "y"])
    places.insert(0, "drug", drugs["pert_iname"])
    write_table(places, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(make_map, globals().get("snakemake"))
