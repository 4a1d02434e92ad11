"""What the whole procedure finds on some permutations of the labels (number 0 is the truth)."""

import logging

import numpy as np

from _files import read_drugs
from _job import run
from moamap.core.labels import label_sets
from moamap.core.names import MAP
from moamap.validation.nulls import permutation
from moamap.validation.procedure import procedure_of


def permute(job) -> None:
    ids, features = read_drugs(job.input[0])
    moas, procedure = procedure_of(ids["moa"], features, **job.params.procedure)
    labels = label_sets(moas)
    scores = []
    for done, number in enumerate(job.params.numbers, start=1):
        order = permutation(len(moas), procedure.seed, number)
        scores.append(procedure.score(moas[order], labels[order]))
        empty = [way for way, score in scores[-1].items() if np.isnan(score[MAP])]
        if empty:
            logging.info("permutation %d has no value for: %s", number, ", ".join(empty))
        logging.info("permutation %d (%d of %d)", number, done, len(job.params.numbers))
    columns = {
        f"{way}|{quantity}": np.array([score[way][quantity] for score in scores])
        for way, quantities in scores[0].items()
        for quantity in quantities
    }
    np.savez_compressed(job.output[0], numbers=np.array(job.params.numbers), **columns)


if __name__ == "__main__":
    run(permute, globals().get("snakemake"))
