"""The paper's normalization, and what is needed to apply it to new drugs."""

import logging

import pandas as pd

from _files import is_simulated, read_drugs, write_table
from _job import run
from moamap.core.errors import InputError
from moamap.profiles.normalize import apply_normalization, feature_statistics, learn_normalization


def normalize_drugs(job) -> None:
    options = dict(job.params.normalization)
    bad_features = options.pop("bad_features")
    ids, features = read_drugs(job.input.profiles)
    problems = feature_statistics(features)[["feature", "problem"]]
    usable = features[_usable(problems, bad_features)]
    learned = learn_normalization(usable, ids["pert_iname"], **options)
    values = pd.DataFrame(apply_normalization(usable, learned), columns=usable.columns)
    write_table(pd.concat([ids, values], axis=1), job.output.normalized, simulated=is_simulated(job))
    statistics = learned.merge(problems, on="feature", how="right")
    write_table(statistics, job.output.statistics, simulated=is_simulated(job))


def _usable(problems, bad_features):
    """The features without a problem; bad ones are refused or left out, as the config says."""
    bad = problems[problems["problem"] != ""]
    if len(bad) and (bad_features == "refuse" or len(bad) == len(problems)):
        first = bad.iloc[0]
        raise InputError(
            f"profiles: feature {first['feature']!r} has {first['problem']} ({len(bad)} such features); expected "
            "finite, varying numbers; normalization.bad_features: drop leaves such features out"
        )
    if len(bad):
        logging.warning("%d features are left out: %s", len(bad), ", ".join(bad["feature"]))
    return problems.loc[problems["problem"] == "", "feature"]


if __name__ == "__main__":
    run(normalize_drugs, globals().get("snakemake"))
