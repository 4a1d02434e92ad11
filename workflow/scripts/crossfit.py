"""Distances of every two drugs from metrics that were learned without the folds of either."""

import logging

import numpy as np
import pandas as pd

from _files import is_simulated, write_connections, write_json, write_neighbours, write_table
from _job import run
from _material import read_material
from moamap.connections.blocks import connections, of_square, strips
from moamap.connections.tally import neighbours_of, tally
from moamap.core.labels import label_sets
from moamap.validation.crossfit import crossfit, share_unlearned, with_unlearned
from moamap.validation.procedure import procedure_of


def cross_fit(job) -> None:
    ids, features, wells = read_material(job.input)
    moas, procedure = procedure_of(ids["moa"], features, wells, **job.params.procedure)
    folds = procedure.folds(label_sets(moas), moas)
    found = crossfit(procedure.x, moas, procedure.learn, folds, procedure.base)
    unlearned = share_unlearned(found)
    pairwise = of_square(np.sqrt(with_unlearned(found, procedure.base)))
    pairs = tally(pairwise, strips(pairwise.n))
    write_neighbours(neighbours_of(pairs), job.output.neighbours, simulated=is_simulated(job))
    every = connections(pairwise, strips(pairwise.n), pairs.values, pairs.counts)
    write_connections(every, job.output.connections, simulated=is_simulated(job))
    table = pd.DataFrame(folds.T + 1, columns=[f"split_{i}" for i in range(1, len(folds) + 1)])
    table.insert(0, "drug", ids["pert_iname"])
    write_table(table, job.output.folds, simulated=is_simulated(job))
    logging.info("%d splits of %d folds", procedure.n_splits, procedure.n_folds)
    if unlearned:
        logging.warning(
            "%s: nothing can be learned without the folds of %.1f%% of the pairs of drugs; their distance is that of "
            "the profiles themselves",
            job.wildcards.representation,
            100 * unlearned,
        )
    notes = {"method": procedure.method, "parameters": procedure.parameters, "supervised": True, "cross_fitted": True}
    notes |= {"folds": procedure.n_folds, "splits": procedure.n_splits, "seed": procedure.seed}
    write_json(notes | {"share_of_pairs_unlearned": unlearned}, job.output.notes)


if __name__ == "__main__":
    run(cross_fit, globals().get("snakemake"))
