"""The distance and association score of every two drugs."""

from _files import is_simulated, read_index, read_unlabelled, write_table
from _job import run
from moamap.connections.distances import connections, pair_distances


def connect(job) -> None:
    embedding = read_unlabelled(job.input.embedding, read_index(job.input.index))
    distance = pair_distances(embedding.drop(columns="drug").to_numpy(float))
    write_table(connections(embedding["drug"], distance), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(connect, globals().get("snakemake"))
