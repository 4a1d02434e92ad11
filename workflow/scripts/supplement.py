"""The paper's supplementary tables S1 to S5."""

import logging
from typing import Any

import pandas as pd

from _files import is_simulated, read_connections, read_neighbours, read_table, write_named, write_table
from _job import run
from moamap.connections.neighbours import Connections, nearest_pairs
from moamap.report.supplement import LONGEST, table_s4


def supplement(job) -> None:
    simulated = is_simulated(job)
    enriched = dict(zip(job.params.representations, map(read_table, job.input.enrichment), strict=True))
    s3 = pd.concat(enriched, names=["representation"]).reset_index(level=0)
    communities = read_table(job.input.communities)
    pairs = pairs_of_s2(job, communities)
    write_named(pairs, communities["drug"], job.output.s2, simulated=simulated, n_threads=job.threads)
    for table, path in (
        (read_table(job.input.annotated), job.output.s1),
        (s3, job.output.s3),
        (table_s4(communities, enriched[job.params.main]), job.output.s4),
        (read_table(job.input.ratios), job.output.s5),
    ):
        write_table(table, path, simulated=simulated)


def pairs_of_s2(job: Any, drugs: pd.DataFrame) -> Connections:
    """All pairs of drugs where they are kept and not too many for a table to be read by people, else the nearest."""
    n_pairs = len(drugs) * (len(drugs) - 1) // 2
    if job.input.connections and n_pairs <= LONGEST:
        return read_connections(job.input.connections, drugs)
    neighbours = read_neighbours(job.input.neighbours, drugs)
    logging.warning(
        "table S2 holds the pairs of each drug with its %d nearest, not all %d; %s",
        *(neighbours.index.shape[1], n_pairs),
        f"those are in {' '.join(job.input.connections[:1]) or 'no file (connections: none)'}",
    )
    return nearest_pairs(neighbours)


if __name__ == "__main__":
    run(supplement, globals().get("snakemake"))
