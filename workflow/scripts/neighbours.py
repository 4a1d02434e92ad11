"""The nearest drugs of every drug, and how often each distance occurs."""

from typing import Any

import numpy as np

from _files import is_simulated, read_embedding, write_neighbours
from _job import run
from moamap.connections.blocks import embedded, strips
from moamap.connections.tally import Tally, merged, neighbours_of, tally
from moamap.core.arrays import load_arrays


def find_neighbours(job: Any) -> None:
    if job.input.tallies:
        found = merged(Tally(**load_arrays(path, "counts")) for path in job.input.tallies)
    else:
        pairwise = embedded(read_embedding(job.input.embedding, job.input.index))
        found = tally(pairwise, strips(pairwise.n), n_threads=job.threads)
    write_neighbours(neighbours_of(found), job.output.neighbours, simulated=is_simulated(job))
    np.savez_compressed(job.output.distribution, values=found.values, counts=found.counts)


if __name__ == "__main__":
    run(find_neighbours, globals().get("snakemake"))
