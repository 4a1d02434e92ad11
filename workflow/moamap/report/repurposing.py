"""Drugs that share a community with a queried drug, whatever the seeds and the sample of drugs."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from moamap.communities.clusters import chance_of_sharing
from moamap.core.errors import raise_first
from moamap.profiles.annotation import name_problems

REPEATED = ("seed", "subsample")  # another preference asks for other communities; it is no repetition
DETAILS = ["target", "clinical_phase"]  # columns of the Hub's drugs file


def repurposing(
    queried: list[str], communities: pd.DataFrame, stored: Mapping[str, np.ndarray], details: pd.DataFrame
) -> pd.DataFrame:
    """Every drug that shares a community with a queried drug, in the study or in a run with other seeds or fewer drugs.

    A representation without a seed has the same communities in each run of kind "seed", or nearly so: there only the
    subsamples say how stable they are.

    Parameters
    ----------
    queried : names in the `drug` column
    communities : drug, moa, community of the study, one row per drug
    stored : kinds (n_runs,) and runs (n_runs, n) of communities, 0 where a drug was left out or the run found none
    details : pert_iname, target, clinical_phase; without rows where they are not known

    Returns
    -------
    frame, for each queried drug by falling share: queried, drug, moa, runs_together (of `runs`, the runs in which both
    take part), share (runs_together / runs), chance (the same for two drugs taken at random, as a mean over these
    runs), same_community_in_the_study, target, clinical_phase

    Raises InputError where a queried drug is not among the drugs.
    """
    raise_first(name_problems(queried, communities["drug"]))
    runs = stored["runs"][np.isin(stored["kinds"], REPEATED)]
    known = details.drop_duplicates("pert_iname").set_index("pert_iname")[DETAILS]
    drugs = communities.join(known, on="drug")
    return pd.concat([_companions(name, drugs, runs) for name in queried], ignore_index=True)


def _companions(name: str, drugs: pd.DataFrame, runs: np.ndarray) -> pd.DataFrame:
    row = int(np.flatnonzero(drugs["drug"] == name)[0])
    both = (runs > 0) & (runs[:, [row]] > 0)
    together = both & (runs == runs[:, [row]])
    chance = np.array([chance_of_sharing(numbers[numbers > 0]) if numbers.any() else 0.0 for numbers in runs])
    with np.errstate(invalid="ignore"):  # a drug may take part in no run of the queried drug
        share, by_chance = together.sum(axis=0) / both.sum(axis=0), chance @ both / both.sum(axis=0)
    table = drugs.assign(
        queried=name,
        runs_together=together.sum(axis=0),
        runs=both.sum(axis=0),
        share=share,
        chance=by_chance,
        same_community_in_the_study=drugs["community"] == drugs["community"][row],
    )
    fellows = table[(table["runs_together"] > 0) | table["same_community_in_the_study"]].drop(index=row)
    columns = ["queried", "drug", "moa", "runs_together", "runs", "share", "chance", "same_community_in_the_study"]
    return fellows.sort_values(["share", "drug"], ascending=[False, True])[columns + DETAILS]
