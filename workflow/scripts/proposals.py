"""The probability of each MoA for every drug, its label hidden; how far it can be relied on; and what it is made by."""

import logging
from collections import Counter
from typing import Any

from _files import is_simulated, read_index, read_square, write_json, write_table
from _job import run
from moamap.core.labels import membership
from moamap.validation.candidates import annotated
from moamap.validation.nearness import SCORES
from moamap.validation.proposals import cross_fit, honest, learn, null_counts
from moamap.validation.reliability import reliability


def propose_for_drugs(job: Any) -> None:
    drugs = read_index(job.input.index).rename(columns={"pert_iname": "drug"})
    table = membership(drugs["moa"], job.params.moa)
    moas, tested = table.to_numpy(), (table.sum() >= job.params.min_drugs).to_numpy()
    members, names = moas[:, tested], list(table.columns[tested])
    found = {name: honest(read_square(job.input[f"distances_{name}"], drugs)) for name in job.params.representations}
    prior = None if job.params.none_prior == "auto" else float(job.params.none_prior)
    options = {"none_prior": prior, "seed": job.params.seed}
    model = learn(found, moas, tested, **options)
    proposed = cross_fit(found, moas, tested, runs=job.params.runs, **options)
    null = null_counts(found[model.representation].views, members, **options)
    simulated = is_simulated(job)
    write_table(annotated(drugs, proposed, found, members, names), job.output.table, simulated=simulated)
    write_table(reliability(proposed.posterior, members, null), job.output.reliability, simulated=simulated)
    folds = Counter(each.representation for each in proposed.models)
    logging.info("proposals by %s; of the folds, by %s", model.representation, dict(folds))
    fitted = {"representation": model.representation, "chosen_in_folds": dict(sorted(folds.items()))}
    fitted |= {"weights": dict(zip(SCORES, map(float, model.logit.weights), strict=True)), "none": model.logit.none}
    fitted |= {"lapse": model.logit.lapse, "none_share": model.logit.none_share}
    write_json(fitted | {"moa": job.params.moa, "moas": names}, job.output.fitted)


if __name__ == "__main__":
    run(propose_for_drugs, globals().get("snakemake"))
