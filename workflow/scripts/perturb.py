"""The communities of a representation when seeds, drugs or the preference are changed."""

import logging

import numpy as np

from _job import run
from _material import read_material
from moamap.core.labels import label_sets
from moamap.validation.procedure import procedure_of
from moamap.validation.stability import perturbations, rerun


def perturb(job) -> None:
    ids, features, wells = read_material(job.input)
    moas, procedure = procedure_of(ids["moa"], features, wells, **job.params.procedure)
    labels = label_sets(moas)
    kinds, values, runs = [], [], []
    for change in perturbations(procedure, job.params.runs, procedure.seed):
        numbers = rerun(change, moas, labels, job.params.crossfitted)[1]
        kinds, values, runs = [*kinds, change.kind], [*values, change.value], [*runs, numbers]
        logging.info("%s %g: %d communities", change.kind, change.value, numbers.max())
    np.savez_compressed(job.output[0], kinds=kinds, values=values, runs=runs)


if __name__ == "__main__":
    run(perturb, globals().get("snakemake"))
