"""What the queried drugs share a community with, and what lies nearest."""

from _files import is_simulated, read_distances, read_table, write_table
from _job import run
from moamap.report.query import query


def ask(job) -> None:
    communities, distance = read_table(job.input.communities), read_distances(job.input.connections)
    answer = query(job.params.query, communities, distance, neighbours=job.params.neighbours)
    write_table(answer, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(ask, globals().get("snakemake"))
