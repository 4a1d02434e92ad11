"""Stability: which communities remain when a choice that should not matter is made differently."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from moamap.communities.clusters import chance_of_sharing, communities_of
from moamap.core.errors import InputError
from moamap.core.numerics import as_stored, stream
from moamap.validation.procedure import Procedure

SUBSAMPLE = 0.8
PREFERENCES = (0.5, 0.75, 1.5, 2.0)  # times the median similarity


@dataclass(frozen=True)
class Perturbation:
    """One choice made differently: the rows that stay, the procedure as changed, and what to call it."""

    kind: str
    value: float
    rows: np.ndarray
    procedure: Procedure
    preference: float = 1.0  # times the median


def perturbations(procedure: Procedure, n_runs: int, seed: int) -> Iterator[Perturbation]:
    """Seeds (of ITML's pairs, the folds and affinity propagation's noise), 80% subsamples, and preferences."""
    everyone = np.arange(len(procedure.x))
    for run in range(1, n_runs + 1):
        yield Perturbation("seed", run, everyone, _reseeded(procedure, seed, run))
    for run in range(1, n_runs + 1):
        draw = stream(seed, "subsample of drugs", run)
        rows = np.sort(draw.choice(everyone, round(SUBSAMPLE * len(everyone)), replace=False))
        yield Perturbation("subsample", run, rows, procedure.of(rows))
    for factor in PREFERENCES:
        yield Perturbation("preference", factor, everyone, procedure, factor)


def _reseeded(procedure: Procedure, seed: int, run: int) -> Procedure:
    def other(purpose: str) -> int:
        """A seed of this run for one purpose."""
        return int(stream(seed, f"other seed of {purpose}", run).integers(2**31))

    parameters = procedure.parameters | ({"seed": other("the representation")} if procedure.takes_seed else {})
    communities = procedure.communities | {"seed": other("the communities")}
    return replace(procedure, parameters=parameters, communities=communities, seed=other("the folds"))


def rerun(
    change: Perturbation, moas: np.ndarray, labels: np.ndarray, crossfitted: bool
) -> tuple[np.ndarray | None, np.ndarray]:
    """Squared distances (rows x rows) and the community of every drug (n,), 0 for the drugs that were left out.

    Where the run has nothing to learn from or finds no communities there are no distances, and every drug has a 0.
    """
    procedure, rows = change.procedure, change.rows
    learn_from, numbers = moas[rows], np.zeros(len(moas), dtype=int)
    try:
        if crossfitted:
            squared = procedure.crossfit(learn_from, procedure.folds(labels[rows], learn_from))
        else:
            squared = procedure.in_sample(learn_from)
        options = dict(procedure.communities)
        if change.preference != 1:
            options["preference"] = change.preference * float(np.median(-squared))
        numbers[rows] = communities_of(-as_stored(squared), **options).numbers
    except InputError:
        return None, numbers
    return squared, numbers


def agreement(reference: np.ndarray, numbers: np.ndarray) -> float:
    """Adjusted Rand index of two sets of communities, over the drugs that are in both (a 0 is a drug left out); NaN
    where there are none.
    """
    both = (reference > 0) & (numbers > 0)
    if not both.any():
        return np.nan
    from sklearn.metrics import adjusted_rand_score  # late: perturbing, which is done in many jobs, does without it

    with warnings.catch_warnings():
        # scikit-learn takes many communities for a regression
        warnings.simplefilter("ignore", UserWarning)
        return float(adjusted_rand_score(reference[both], numbers[both]))


def companionship(reference: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """For each drug the share of its community that stays with it: of the other members of its reference community that
    take part in a run, those that are again in its community, as a mean over the runs; NaN for a drug that was alone.

    Parameters
    ----------
    reference : (n,) communities
    runs : (n_runs, n) communities, 0 where a drug was left out
    """
    before = reference[:, None] == reference
    np.fill_diagonal(before, False)
    shares = []
    for numbers in runs:
        inside = numbers > 0
        companions = before & inside
        again = companions & (numbers[:, None] == numbers)
        with np.errstate(invalid="ignore"):
            share = again.sum(axis=1) / companions.sum(axis=1)
        shares.append(np.where(inside, share, np.nan))
    kept = np.array(shares)
    known = ~np.isnan(kept)
    with np.errstate(invalid="ignore"):
        return np.where(known, kept, 0).sum(axis=0) / known.sum(axis=0)


def summary(reference: np.ndarray, stored: Mapping[str, np.ndarray], queried: Sequence[int]) -> pd.DataFrame:
    """One row per run: perturbation, value, n_communities, adjusted_rand, the same over the drugs that are not alone in
    the study's communities (adjusted_rand_without_singletons), query_together (share of the pairs of queried
    drugs that share a community; empty where fewer than two of them take part), chance_of_sharing. A run that found no
    communities has empty cells.

    Parameters
    ----------
    reference : (n,) communities of the study
    stored : mapping of kinds, values and runs (n_runs, n)
    queried : rows of the drugs that were asked about
    """
    rows = []
    alone = np.bincount(reference)[reference] == 1
    for kind, value, numbers in zip(stored["kinds"], stored["values"], stored["runs"], strict=True):
        pairs = [numbers[a] == numbers[b] for a, b in combinations(queried, 2) if numbers[a] > 0 and numbers[b] > 0]
        rows.append(
            {
                "perturbation": str(kind),
                "value": float(value),
                "n_communities": int(numbers.max()) or None,
                "adjusted_rand": agreement(reference, numbers),
                "adjusted_rand_without_singletons": agreement(np.where(alone, 0, reference), numbers),
                "query_together": np.mean(pairs) if pairs else np.nan,
                "chance_of_sharing": chance_of_sharing(numbers[numbers > 0]) if numbers.any() else np.nan,
            }
        )
    return pd.DataFrame(rows).astype({"n_communities": "Int64"})  # whole numbers, also beside an empty cell
