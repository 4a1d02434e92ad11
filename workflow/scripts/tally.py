"""What some of the pairs of drugs say of the nearest drugs and of the distribution of distances."""

from typing import Any

import numpy as np

from _files import read_embedding
from _job import run
from moamap.connections.blocks import embedded, share
from moamap.connections.tally import tally


def tally_block(job: Any) -> None:
    pairwise = embedded(read_embedding(job.input.embedding, job.input.index))
    rows = share(pairwise.n, int(job.wildcards.block), job.params.blocks)
    np.savez_compressed(job.output[0], **vars(tally(pairwise, rows, n_threads=job.threads)))


if __name__ == "__main__":
    run(tally_block, globals().get("snakemake"))
