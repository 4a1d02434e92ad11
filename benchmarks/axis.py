"""Which normalization axis is the default for a user's own table? Same-MoA retrieval of raw profiles on two data sets.

    PYTHONPATH=workflow OMP_NUM_THREADS=1 python benchmarks/axis.py [--out results/axis.csv] NAME=ANNOTATED.parquet...

Each file is the profiles/annotated.parquet of a study. Per axis: mean average precision (mAP), its lift over 200
permutations of the MoAs, and the ratio to the mAP of `feature`, with a 95% interval that resamples MoAs.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from moamap.core.labels import membership, sharing
from moamap.core.names import ID_COLUMNS
from moamap.core.numerics import squared_euclidean
from moamap.profiles.normalize import STEPS, apply_normalization, learn_normalization
from moamap.validation.retrieval import average_precision, rank

PERMUTATIONS, RESAMPLES = 200, 1000
NO_MECHANISM = ["Miscellaneous"]  # a class of the cell-injury screen that is none


def compare_axes(drugs: pd.DataFrame) -> pd.DataFrame:
    """One row an axis: mAP, lift, ratio to feature with low and high."""
    features = drugs.drop(columns=ID_COLUMNS)
    features = features.loc[:, features.nunique() > 1]
    moas = membership(drugs["moa"], "whole").drop(columns=NO_MECHANISM, errors="ignore").to_numpy()
    shared = sharing(moas)
    np.fill_diagonal(shared, False)
    everyone = np.arange(len(drugs))
    scores, lifts = {}, {}
    for axis in STEPS:
        x = apply_normalization(features, learn_normalization(features, drugs["pert_iname"], axis=axis))
        ranking = rank(squared_euclidean(x), everyone, everyone)
        scores[axis] = average_precision(ranking, shared)[0]
        rng = np.random.default_rng(0)
        orders = [rng.permutation(len(drugs)) for _ in range(PERMUTATIONS)]
        null = [np.nanmean(average_precision(ranking, shared[np.ix_(order, order)])[0]) for order in orders]
        lifts[axis] = np.nanmean(scores[axis]) / np.mean(null)
    table = pd.DataFrame({"mAP": {axis: np.nanmean(score) for axis, score in scores.items()}, "lift": lifts})
    table[["ratio to feature", "low", "high"]] = _ratios(pd.DataFrame(scores), drugs["moa"])
    return table.rename_axis("axis").reset_index()


def _ratios(scores, moa):
    """Ratio of mAPs to that of `feature`, and the interval that comes of resampling MoAs with their drugs."""
    known = scores.dropna()
    sums = known.groupby(moa[known.index]).sum()
    rng = np.random.default_rng(1)
    drawn = [sums.iloc[rng.integers(len(sums), size=len(sums))].sum() for _ in range(RESAMPLES)]
    ratios = pd.DataFrame([draw / draw["feature"] for draw in drawn])
    return np.column_stack([known.mean() / known["feature"].mean(), *np.percentile(ratios, (2.5, 97.5), axis=0)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, default=Path("results/axis.csv"))
    options = parser.parse_args()
    tables = []
    for study in options.studies:
        name, file = study.split("=", 1)
        tables.append(compare_axes(pd.read_parquet(file)).assign(data=name))
    table = pd.concat(tables)[["data", "axis", "mAP", "lift", "ratio to feature", "low", "high"]]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out, index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
