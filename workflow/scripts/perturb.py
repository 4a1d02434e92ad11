"""The communities of a representation when seeds, drugs or the preference are changed."""

import logging

import numpy as np

from _job import run
from _material import read_material
from moamap.core.labels import label_sets
from moamap.validation.candidates import closeness, nearness_p
from moamap.validation.procedure import procedure_of
from moamap.validation.retrieval import rank
from moamap.validation.stability import perturbations, rerun


def perturb(job) -> None:
    ids, features, wells = read_material(job.input)
    moas, procedure = procedure_of(ids["moa"], features, wells, **job.params.procedure)
    labels = label_sets(moas)
    kinds, values, runs, proposed = [], [], [], []
    for change in perturbations(procedure, job.params.runs, procedure.seed):
        squared, numbers = rerun(change, moas, labels, job.params.crossfitted)
        best = np.full(len(moas), -1)
        if squared is not None:
            everyone = np.arange(len(squared))
            nearest = nearness_p(closeness(rank(squared, everyone, everyone)), moas[change.rows][:, procedure.tested])
            best[change.rows] = nearest.argmin(axis=1)
        kinds, values = [*kinds, change.kind], [*values, change.value]
        runs, proposed = [*runs, numbers], [*proposed, best]
        logging.info("%s %g: %d communities", change.kind, change.value, numbers.max())
    np.savez_compressed(job.output[0], kinds=kinds, values=values, runs=runs, proposed=proposed)


if __name__ == "__main__":
    run(perturb, globals().get("snakemake"))
