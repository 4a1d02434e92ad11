"""What one representation learns, and the drugs in it."""

import logging

import pandas as pd

from _files import is_simulated, write_json, write_table
from _job import run
from _material import read_material
from moamap.core.errors import raise_first
from moamap.core.labels import membership
from moamap.profiles.normalize import normalization_problems
from moamap.representations.base import save
from moamap.representations.registry import METHODS, learn


def represent(job) -> None:
    parameters = dict(job.params.representation)
    method = parameters.pop("method")
    ids, features, wells = read_material(job.input)
    if job.params.reads == "annotated":  # each profile is standardized, as normalization may do, too
        place = f"representations.{job.wildcards.representation}"
        wrong = {"asked": f"{place}, which standardizes it,", "cure": f"reads: normalized in {place}, or leave it out"}
        raise_first(normalization_problems(features, ids["pert_iname"], axis="profile", **wrong))
    x = features.to_numpy(float)
    learned = learn(method, x, membership(ids["moa"], job.params.moa).to_numpy(), wells, **parameters)
    if "warning" in learned.notes:
        logging.warning(learned.notes["warning"])
    dimensions = [f"dim_{i}" for i in range(1, len(learned.components) + 1)]
    embedded = pd.DataFrame(learned.transform(x), columns=dimensions, copy=False)
    save(learned, job.output.transform, features.columns)
    embedding = pd.concat([ids["pert_iname"].rename("drug"), embedded], axis=1)
    write_table(embedding, job.output.embedding, simulated=is_simulated(job))
    used = METHODS[method].defaults | parameters
    notes = {"method": method, "parameters": used, "supervised": METHODS[method].supervised}
    notes["output"] = "X L' with M = L'L (the paper's \"Input x S\" may mean M itself)"
    write_json(notes | learned.notes, job.output.notes)


if __name__ == "__main__":
    run(represent, globals().get("snakemake"))
