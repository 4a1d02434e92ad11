"""The t-SNE map of a representation, from its distances."""

import pandas as pd

from _files import is_simulated, read_distances, read_index, write_table
from _job import run
from moamap.connections.tsne import tsne_map


def make_map(job) -> None:
    ids = read_index(job.input.index)
    places = pd.DataFrame(tsne_map(read_distances(job.input.connections, ids), **job.params.tsne), columns=["x", "y"])
    places.insert(0, "drug", ids["pert_iname"])
    write_table(places, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(make_map, globals().get("snakemake"))
