"""The probability of each MoA for compounds that the map was not made from, by what the study has fitted."""

from typing import Any

import numpy as np

from _files import read_index, read_json, read_unlabelled, write_table
from _job import run
from _material import read_normalization
from moamap.communities.placing import check_features, distances, embed, unusable
from moamap.core.labels import membership
from moamap.core.names import ID_COLUMNS, learned_as
from moamap.profiles.annotation import feature_columns, one_row_per_compound
from moamap.representations.base import load
from moamap.validation.candidates import placed
from moamap.validation.logit import Logit
from moamap.validation.nearness import SCORES, views_of_compounds
from moamap.validation.proposals import propose


def propose_for_compounds(job: Any) -> None:
    fitted, index = read_json(job.input.fitted), read_index(job.input.index)
    name = learned_as(fitted["representation"])
    at = job.params.representations.index(name)
    normalization = read_normalization(job.input.normalization)
    table = read_unlabelled(job.input.compounds)
    features = feature_columns(table)
    rows, _ = one_row_per_compound(table[[*(column for column in ID_COLUMNS if column in table), *features]])
    check_features(rows[features], normalization)
    learned, _ = load(job.input.transforms[at])
    usable = ~unusable(rows[features], normalization, learned)
    embedding = read_unlabelled(job.input.embeddings[at], index).drop(columns="drug").to_numpy(float)
    centre = embedding.mean(axis=0)
    x = embed(rows[features][usable], normalization, learned) - centre
    views = views_of_compounds(distances(x, embedding - centre), distances(embedding - centre, embedding - centre))
    members = membership(index["moa"], fitted["moa"])[fitted["moas"]].to_numpy()
    weights = np.array([fitted["weights"][score] for score in SCORES])
    model = Logit(weights, *(fitted[part] for part in ("none", "lapse", "none_share")))
    posterior = propose(model, views, members)
    compounds = rows.loc[usable, "pert_iname"].reset_index(drop=True)
    found = placed(compounds, posterior, views.shares, members, fitted["moas"], list(index["pert_iname"]))
    write_table(found, job.output[0], simulated=job.params.simulated)


if __name__ == "__main__":
    run(propose_for_compounds, globals().get("snakemake"))
