"""Distances of every two drugs from metrics that were learned without the folds of either."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import logging

import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform

from moamap.connections import connections
from moamap.crossfit import label_sets
from scripts.files import is_simulated, write_json, write_table
from scripts.job import run
from scripts.study import procedure_of


def cross_fit(job) -> None:
    ids, moas, procedure = procedure_of(job.input[0], **job.params.procedure)
    folds = procedure.folds(label_sets(moas))
    squared = procedure.crossfit(moas, folds)
    distance = np.sqrt(squareform(squared, checks=False))
    write_table(connections(ids["pert_iname"], distance), job.output.connections, simulated=is_simulated(job))
    table = pd.DataFrame(folds.T + 1, columns=[f"split_{i}" for i in range(1, len(folds) + 1)])
    table.insert(0, "drug", ids["pert_iname"])
    write_table(table, job.output.folds, simulated=is_simulated(job))
    logging.info("%d splits of %d folds", procedure.n_splits, procedure.n_folds)
    notes = {"method": procedure.method, "parameters": procedure.parameters, "supervised": True, "cross_fitted": True}
    write_json(
        notes | {"folds": procedure.n_folds, "splits": procedure.n_splits, "seed": procedure.seed}, job.output.notes
    )


if __name__ == "__main__":
    run(cross_fit, globals().get("snakemake"))
