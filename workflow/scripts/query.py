"""What the queried drugs share a community with, and what lies nearest, in each representation."""

from typing import Any

from _files import is_simulated, read_distances, read_index, read_unlabelled, write_table
from _job import run
from moamap.report.query import query


def ask(job: Any) -> None:
    drugs = read_index(job.input.index)
    for communities, connections, target in zip(job.input.communities, job.input.connections, job.output, strict=True):
        distance = read_distances(connections, drugs)
        numbered = read_unlabelled(communities, drugs)
        answer = query(job.params.query, numbered, distance, neighbours=job.params.neighbours)
        write_table(answer, target, simulated=is_simulated(job))


if __name__ == "__main__":
    run(ask, globals().get("snakemake"))
