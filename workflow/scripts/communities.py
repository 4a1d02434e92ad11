"""The communities of a representation."""

import logging
from dataclasses import asdict

import numpy as np
import pandas as pd

from _files import is_simulated, read_distances, read_index, read_neighbours, write_json, write_table
from _job import run
from moamap.communities.clusters import communities_of, communities_on_graph, engine_for, median_of, similarities
from moamap.core.arrays import load_arrays


def communities(job) -> None:
    ids, options = read_index(job.input.index), dict(job.params.communities)
    options["engine"] = engine_for(options["engine"], len(ids), all_pairs=bool(job.input.connections))
    if options["engine"] == "dense":
        s = similarities(read_distances(job.input.connections, ids))
        found = communities_of(s, n_threads=job.threads, overwrite=True, **options)
    else:
        neighbours = read_neighbours(job.input.neighbours, ids)
        found = communities_on_graph(
            neighbours.index,
            neighbours.distance,
            median_distance=_median_distance(job, ids),
            n_threads=job.threads,
            **options,
        )
    if not found.converged:
        logging.warning("affinity propagation has not converged in %d iterations; raise damping", found.iterations)
    table = pd.DataFrame({"drug": ids["pert_iname"], "moa": ids["moa"], "community": found.numbers})
    table["is_exemplar"] = table.index.isin(found.exemplars)
    write_table(table, job.output.communities, simulated=is_simulated(job))
    notes = {name: value for name, value in asdict(found).items() if name not in ("numbers", "exemplars")}
    notes = {name: value for name, value in notes.items() if value is not None}  # what the engine has
    write_json(notes | {"seed": options["seed"]}, job.output.notes)


def _median_distance(job, ids) -> float:
    """Of all pairs of drugs; cross-fitted representations come without the distribution, but with all pairs."""
    if job.input.distribution:
        return median_of(**load_arrays(job.input.distribution[0], "values", "counts"))
    return float(np.median(read_distances(job.input.connections, ids)))


if __name__ == "__main__":
    run(communities, globals().get("snakemake"))
