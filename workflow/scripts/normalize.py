"""The paper's normalization, and what is needed to apply it to new drugs."""

import logging

import pandas as pd

from _files import is_simulated, read_drugs, write_table
from _job import run
from moamap.core.errors import raise_first
from moamap.profiles.annotation import feature_problems, scale_notes
from moamap.profiles.normalize import apply_normalization, feature_statistics, learn_normalization


def normalize_drugs(job) -> None:
    options = dict(job.params.normalization)
    refuse = options.pop("bad_features") == "refuse"
    ids, features = read_drugs(job.input[0])
    statistics = feature_statistics(features)
    raise_first(feature_problems(statistics, refuse=refuse))
    bad = statistics.loc[statistics["problem"] != "", "feature"]
    if len(bad):
        logging.warning("%d features are left out: %s", len(bad), ", ".join(bad))
    if options["axis"] == "feature":
        for note in scale_notes(statistics, options["epsilon"]):
            logging.warning("profiles: %s", note)
    usable = features.drop(columns=bad)
    learned = learn_normalization(usable, ids["pert_iname"], **options)
    values = pd.DataFrame(apply_normalization(usable, learned), columns=usable.columns, copy=False)
    write_table(pd.concat([ids, values], axis=1), job.output.normalized, simulated=is_simulated(job))
    statistics = learned.merge(statistics[["feature", "problem"]], on="feature", how="right")
    write_table(statistics, job.output.statistics, simulated=is_simulated(job))


if __name__ == "__main__":
    run(normalize_drugs, globals().get("snakemake"))
