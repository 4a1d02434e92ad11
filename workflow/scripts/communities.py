"""The communities of a representation."""

import logging
from dataclasses import asdict

import pandas as pd

from _files import is_simulated, read_distances, read_index, write_json, write_table
from _job import run
from moamap.communities.clusters import find_communities


def communities(job) -> None:
    ids = read_index(job.input.index)
    found = find_communities(read_distances(job.input.connections, ids), **job.params.communities)
    if not found.converged:
        logging.warning("affinity propagation has not converged in %d iterations; raise damping", found.iterations)
    table = pd.DataFrame({"drug": ids["pert_iname"], "moa": ids["moa"], "community": found.numbers})
    table["is_exemplar"] = table.index.isin(found.exemplars)
    write_table(table, job.output.communities, simulated=is_simulated(job))
    notes = {key: value for key, value in asdict(found).items() if key not in ("numbers", "exemplars")}
    notes = {"engine": "moamap", "damping": job.params.communities["damping"], **notes}
    write_json(notes | {"seed": job.params.communities["seed"]}, job.output.notes)


if __name__ == "__main__":
    run(communities, globals().get("snakemake"))
