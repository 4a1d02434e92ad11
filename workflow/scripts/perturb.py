"""The communities of a representation when seeds, drugs or the preference are others."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import logging

import numpy as np

from moamap.candidates import closeness, nearness_p
from moamap.crossfit import label_sets
from moamap.retrieval import rank
from moamap.stability import perturbations, rerun
from scripts.job import run
from scripts.study import procedure_of


def perturb(job) -> None:
    _, moas, procedure = procedure_of(job.input.profiles, **job.params.procedure)
    labels = label_sets(moas)
    kinds, values, runs, proposed = [], [], [], []
    for change in perturbations(procedure, job.params.runs, procedure.seed):
        squared, numbers = rerun(change, moas, labels, job.params.crossfitted)
        everyone = np.arange(len(squared))
        nearest = nearness_p(closeness(rank(squared, everyone, everyone)), moas[change.rows][:, procedure.tested])
        best = np.full(len(moas), -1)
        best[change.rows] = nearest.argmin(axis=1)
        kinds, values = [*kinds, change.kind], [*values, change.value]
        runs, proposed = [*runs, numbers], [*proposed, best]
        logging.info("%s %g: %d communities", change.kind, change.value, numbers.max())
    np.savez_compressed(job.output[0], kinds=kinds, values=values, runs=runs, proposed=proposed)


if __name__ == "__main__":
    run(perturb, globals().get("snakemake"))
