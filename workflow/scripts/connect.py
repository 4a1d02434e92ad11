"""The distance and association score of every two drugs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


from moamap.connections import connections, distances
from scripts.files import is_simulated, read_unlabelled, write_table
from scripts.job import run


def connect(job) -> None:
    embedding = read_unlabelled(job.input[0])
    distance = distances(embedding.drop(columns="drug").to_numpy(float))
    write_table(connections(embedding["drug"], distance), job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(connect, globals().get("snakemake"))
