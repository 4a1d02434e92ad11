"""The paper's normalization of every feature, and the statistics that it takes (to apply it to new drugs)."""

import logging

import pandas as pd

from _files import is_simulated, read_drugs, write_table
from _job import run
from moamap.core.errors import raise_first
from moamap.profiles.annotation import feature_problems, scale_notes
from moamap.profiles.normalize import feature_statistics, normalize


def normalize_features(job) -> None:
    options = dict(job.params.normalization)
    refuse = options.pop("bad_features") == "refuse"
    ids, features = read_drugs(job.input[0])
    statistics = feature_statistics(features)
    bad = statistics[statistics["problem"] != ""]
    raise_first(feature_problems(statistics, refuse=refuse))
    if len(bad):
        logging.warning("%d features are left out: %s", len(bad), ", ".join(bad["feature"]))
    for note in scale_notes(statistics, options["epsilon"]):
        logging.warning("profiles: %s", note)
    kept = statistics[statistics["problem"] == ""]
    values = normalize(features[kept["feature"]], kept["mean"], kept["variance"], **options)
    normalized = pd.concat([ids, pd.DataFrame(values, columns=kept["feature"])], axis=1)
    write_table(normalized, job.output.normalized, simulated=is_simulated(job))
    write_table(statistics, job.output.statistics, simulated=is_simulated(job))


if __name__ == "__main__":
    run(normalize_features, globals().get("snakemake"))
