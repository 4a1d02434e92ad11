"""All compounds as one map: those without a MoA after the drugs of the study, embedded by what these have taught."""

import logging
from typing import Any

import numpy as np
import pandas as pd

from _files import is_simulated, read_index, read_unlabelled, write_table
from _job import run
from _material import read_normalization
from moamap.communities.placing import embed as embed_raw
from moamap.communities.placing import unusable
from moamap.core.names import ID_COLUMNS
from moamap.representations.base import load


def embed(job: Any) -> None:
    drugs, others = read_index(job.input.index), read_unlabelled(job.input.unannotated)
    normalization = read_normalization(job.input.normalization)
    maps = [load(path)[0] for path in job.input.transforms]
    lost = np.any([unusable(others, normalization, learned) for learned in maps], axis=0)
    if lost.any():
        logging.warning("%d compounds are left out: a value is missing or infinite, or all are the same", lost.sum())
    others = others[~lost]
    everyone = pd.concat([drugs, others[["pert_id", "pert_iname"]]], ignore_index=True)[ID_COLUMNS]
    index = everyone.rename_axis("index").reset_index()
    write_table(index, job.output.index, simulated=is_simulated(job))
    for learned, embedding, path in zip(maps, job.input.embeddings, job.output.embeddings, strict=True):
        known = read_unlabelled(embedding, drugs)
        new = pd.DataFrame(embed_raw(others, normalization, learned), columns=known.columns[1:])
        new.insert(0, "drug", others["pert_iname"].to_numpy())
        write_table(pd.concat([known, new], ignore_index=True), path, simulated=is_simulated(job))


if __name__ == "__main__":
    run(embed, globals().get("snakemake"))
