"""What the same procedure finds where there is nothing to find: permuted labels."""

import warnings
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from moamap.communities.enrichment import tail
from moamap.core.labels import members
from moamap.core.numerics import stream

LEVEL, LEAST = 0.05, 999


def permutation(n: int, seed: int, number: int) -> np.ndarray:
    """Permutation `number` of n drugs' label sets; number 0 is the truth. Each has its own stream of random numbers, so
    none depends on which others are made, or where.
    """
    return np.arange(n) if number == 0 else stream(seed, "permutation of labels", number).permutation(n)


def permutation_within(strata: np.ndarray, seed: int, number: int) -> np.ndarray:
    """Permutation `number` of the label sets among the drugs of each stratum: (n,) strata -> (n,); 0 is the truth.

    Each number has its own stream, which is not that of `permutation`.
    """
    n = len(strata)
    if number == 0:
        return np.arange(n)
    shuffled = stream(seed, "permutation within strata of profile strength", number).permutation(n)
    order = np.empty(n, dtype=int)
    order[np.argsort(strata, kind="stable")] = shuffled[np.argsort(strata[shuffled], kind="stable")]
    return order


def made_within(number: int | np.ndarray, supervised: bool) -> bool | np.ndarray:
    """Whether a permutation within strata is made: each, but only every fourth where each has to learn anew.

    Learning is what a permutation of a supervised representation costs, and this keeps its null within strata to less
    than a quarter of that.
    """
    return (number % 4 == 0) | (not supervised)


def counts_inside(numbers: np.ndarray, moas: np.ndarray) -> np.ndarray:
    """Drugs of each MoA in each community: (n,) communities 1 ... C, (n, n_moas) booleans -> (C, n_moas)."""
    drug, moa = members(moas)
    shape = int(numbers.max()), moas.shape[1]
    return np.bincount((numbers[drug] - 1) * shape[1] + moa, minlength=shape[0] * shape[1]).reshape(shape)


def enrichment_p(numbers: np.ndarray, moas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hypergeometric P and k of every community x MoA, as `enrichment.enrichment` but bare: for many permutations.

    Parameters
    ----------
    numbers : (n,) communities 1 ... C
    moas : (n, n_moas) booleans, the tested MoAs

    Returns
    -------
    p, k : (C, n_moas)
    """
    k = counts_inside(numbers, moas)
    sizes, of_size = np.unique(np.bincount(numbers)[1:], return_inverse=True)
    drugs, of_moa = np.unique(moas.sum(axis=0), return_inverse=True)
    # the hypergeometric tail is the expensive part, and few cases occur, whatever the permutation
    tails = np.ones((len(sizes), len(drugs), 1 + k.max(initial=0)))
    for row, size in enumerate(sizes.tolist()):
        for column, with_moa in enumerate(drugs.tolist()):
            known = _tails(len(moas), with_moa, size)[: tails.shape[2]]
            tails[row, column, : len(known)] = known
    return tails[of_size[:, None], of_moa, k], k


@cache
def _tails(N: int, K: int, n: int) -> np.ndarray:
    """Pr(X >= k) for every k that is possible: (1 + min(K, n),)."""
    return tail(np.arange(1 + min(K, n)), N, K, n)


def upper_p(observed: float | np.ndarray, null: np.ndarray) -> np.ndarray:
    """(1 + count of the null at or above the observed) / (1 + B)  (Phipson and Smyth 2010): (...), (B, ...) -> (...).

    What could not be observed has no p; a permutation that gave no value counts against the observed.
    """
    p = (1 + (~(null < observed)).sum(axis=0)) / (1 + len(null))
    return np.where(np.isnan(observed), np.nan, p)


def summary(observed: float, null: np.ndarray) -> dict[str, float]:
    """Observed value, mean and central 95% interval of the null, lift over the null mean, z score and upper-tail p.

    `null` is (B,); NaN where a permutation gave no value. z is (observed - mean) / standard deviation of the null; it
    has no value where the null does not vary.
    """
    given = null[~np.isnan(null)]
    low, high = np.quantile(given, [0.025, 0.975]) if len(given) else (np.nan, np.nan)
    mean = given.mean() if len(given) else np.nan
    lift = observed / mean if mean > 0 else np.nan
    return {
        "observed": observed,
        "null_mean": mean,
        "null_low": low,
        "null_high": high,
        "lift": lift,
        "z": (observed - mean) / given.std(ddof=1) if len(given) > 1 and np.ptp(given) > 0 else np.nan,
        "p_value": float(upper_p(observed, null)),
    }


def enough(n_tests: int) -> int:
    """Permutations that a claim about each of so many MoAs takes: with as many the p of one MoA, after correction for
    all, can be half of `LEVEL`, and is not a matter of how many others reach their smallest p too.
    """
    return max(LEAST, int(np.ceil(2 * n_tests / LEVEL)))


def step_down_min_p(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Step-down min-P adjusted p-values (Westfall and Young 1993, algorithm 2.8): (m,), (B, m) -> (m,).

    The statistic of a hypothesis is small where it is false. Hypotheses whose statistics differ in their null
    distributions are made comparable first: each statistic becomes its own permutation p, of the B permutations and the
    truth, and equal p are ordered by the statistic. The smallest of the hypotheses that are still in is then compared
    in every permutation. NaN is treated as in `upper_p`.
    """
    place = _place_of_evidence(np.vstack([np.nan_to_num(observed, nan=np.inf), np.nan_to_num(null, nan=-np.inf)]))
    order = np.argsort(place[0], kind="stable")
    smallest = np.minimum.accumulate(place[1:, order[::-1]], axis=1)[:, ::-1]
    counts = (smallest <= place[0, order]).sum(axis=0)
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate((1 + counts) / (1 + len(null)))
    return np.where(np.isnan(observed), np.nan, adjusted)


def _place_of_evidence(statistic: np.ndarray) -> np.ndarray:
    """The place of each statistic among all by its permutation p, the share of its column that is as small, and then
    by itself: (1 + B, m) -> (1 + B, m), equal where both are.
    """
    as_small = np.stack([np.searchsorted(np.sort(column), column, side="right") for column in statistic.T], axis=1)
    ordered = np.lexsort((statistic.ravel(), as_small.ravel()))
    p, value = as_small.ravel()[ordered], statistic.ravel()[ordered]
    place = np.empty(statistic.size, dtype=int)
    place[ordered] = np.cumsum(np.append(0, (p[1:] != p[:-1]) | (value[1:] != value[:-1])))
    return place.reshape(statistic.shape)


def by_moa(names: Sequence[str], observed: np.ndarray, null: np.ndarray) -> pd.DataFrame:
    """Per MoA: smallest P over the communities, its permutation p, and the step-down p over all MoAs.

    The step-down p is empty where there are not `enough` permutations; `floor` says what it could be at best.

    Parameters
    ----------
    names : (m,) MoAs
    observed : (m,) smallest hypergeometric P
    null : (B, m) the same in every permutation
    """
    p = (1 + (~(null > observed)).sum(axis=0)) / (1 + len(null))  # a permutation without a value counts, as above
    return pd.DataFrame(
        {
            "moa": names,
            "smallest_p": observed,
            "null_median_smallest_p": of_given(np.nanmedian, null),
            "p_value": np.where(np.isnan(observed), np.nan, p),
            "p_adjusted": _if_enough(step_down_min_p, observed, null),
            **_permutations(null),
        }
    )


def _if_enough(corrected: Callable[..., np.ndarray], observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """p corrected for all MoAs, or nothing where there are too few permutations for it."""
    return corrected(observed, null) if len(null) >= enough(len(observed)) else np.full(len(observed), np.nan)


def _permutations(null: np.ndarray) -> dict[str, float]:
    """How many there are, how many a claim about each MoA takes, and the smallest corrected p of one MoA alone."""
    n_permutations, n_tests = null.shape
    floor = min(1.0, n_tests / (1 + n_permutations))
    return {"permutations": n_permutations, "permutations_needed": enough(n_tests), "floor": floor}


def of_given(statistic: Callable[..., np.ndarray], null: np.ndarray) -> np.ndarray:
    """np.nanmean or np.nanmedian of each column: (B, m) -> (m,), NaN where no permutation gave a value."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice|All-NaN slice", RuntimeWarning)
        return statistic(null, axis=0)


def retrieval_by_moa(names: Sequence[str], observed: np.ndarray, null: np.ndarray) -> pd.DataFrame:
    """Per MoA: mean average precision beside the null's, permutation p and Benjamini-Hochberg q over the MoAs.

    q is empty where there are not `enough` permutations, as in `by_moa`.
    """
    null_mean = of_given(np.nanmean, null)
    return pd.DataFrame(
        {
            "moa": names,
            "mean_average_precision": observed,
            "null_mean": null_mean,
            "lift": observed / null_mean,
            "p_value": upper_p(observed, null),
            "q_value": _if_enough(_false_discovery_rate, observed, null),
            **_permutations(null),
        }
    )


def _false_discovery_rate(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's q of the permutation p of what was observed: (m,), (B, m) -> (m,)."""
    p = upper_p(observed, null)
    known = ~np.isnan(p)
    q = np.full(len(p), np.nan)
    if known.any():
        q[known] = false_discovery_control(p[known])
    return q
