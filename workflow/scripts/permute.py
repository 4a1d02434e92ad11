"""What the whole procedure finds on some permutations of the labels (number 0 is the truth)."""

import logging

import numpy as np

from _files import read_drugs
from _job import run
from _material import read_material
from moamap.core.names import MAP
from moamap.validation.gathering import strata_of, strength
from moamap.validation.nulls import enough
from moamap.validation.procedure import procedure_of, score_permutation


def permute(job) -> None:
    ids, features, wells = read_material(job.input)
    moas, procedure = procedure_of(ids["moa"], features, wells, **job.params.procedure)
    strata = strata_of(strength(read_drugs(job.input.annotated, ids)[1].to_numpy(float)))
    wanted = enough(int(procedure.tested.sum())) if job.params.by_moa else 0
    numbers = range(1 + max(job.params.least, wanted))[int(job.wildcards.batch) :: job.params.batches]
    scores = []
    for done, number in enumerate(numbers, start=1):
        scores.append(score_permutation(procedure, moas, strata, number))
        empty = [way for way, score in scores[-1].items() if np.isnan(score[MAP])]
        if empty:
            logging.info("permutation %d has no value for: %s", number, ", ".join(empty))
        logging.info("permutation %d (%d of %d)", number, done, len(numbers))
    columns = {
        f"{way}|{quantity}": np.array([score[way][quantity] for score in scores])
        for way, quantities in scores[0].items()
        for quantity in quantities
    }
    np.savez_compressed(job.output[0], numbers=np.array(numbers), **columns)


if __name__ == "__main__":
    run(permute, globals().get("snakemake"))
