"""The distance and association score of every two drugs."""

from typing import Any

from _files import is_simulated, read_embedding, write_connections
from _job import run
from moamap.connections.blocks import connections, embedded, share
from moamap.core.arrays import load_arrays


def connect(job: Any) -> None:
    pairwise = embedded(read_embedding(job.input.embedding, job.input.index))
    rows = share(pairwise.n, int(job.wildcards.get("block", 0)), job.params.blocks)
    distribution = load_arrays(job.input.distribution, "values", "counts")
    pairs = connections(pairwise, rows, **distribution, n_threads=job.threads)
    write_connections(pairs, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(connect, globals().get("snakemake"))
