"""What the same procedure finds where there is nothing to find: permuted labels."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from moamap.communities.enrichment import tail
from moamap.core.numerics import stream


def permutation(n: int, seed: int, number: int) -> np.ndarray:
    """Permutation `number` of n drugs' label sets; number 0 is the truth. Each has its own stream of random numbers, so
    none depends on which others are made, or where.
    """
    return np.arange(n) if number == 0 else stream(seed, "permutation of labels", number).permutation(n)


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
    inside = (numbers[:, None] == np.arange(1, numbers.max() + 1)).astype(float)
    k = (inside.T @ moas).astype(int)
    size, with_moa = inside.sum(axis=0).astype(int), moas.sum(axis=0)
    # few distinct (k, K, n) occur; the hypergeometric tail is the expensive part
    n = len(moas)
    cases = (k * (n + 1) + with_moa) * (n + 1) + size[:, None]  # one number for each (k, K, n)
    distinct, which = np.unique(cases, return_inverse=True)
    p = tail(distinct // (n + 1) ** 2, n, distinct // (n + 1) % (n + 1), distinct % (n + 1))
    return p[which].reshape(k.shape), k


def upper_p(observed: float | np.ndarray, null: np.ndarray) -> np.ndarray:
    """(1 + count of the null at or above the observed) / (1 + B)  (Phipson and Smyth 2010): (...), (B, ...) -> (...).

    What could not be observed has no p; a permutation that gave no value counts against the observed.
    """
    p = (1 + (~(null < observed)).sum(axis=0)) / (1 + len(null))
    return np.where(np.isnan(observed), np.nan, p)


def summary(observed: float, null: np.ndarray) -> dict[str, float]:
    """Observed value, mean and central 95% interval of the null, lift over the null mean, and upper-tail p.

    `null` is (B,); NaN where a permutation gave no value.
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
        "p_value": float(upper_p(observed, null)),
    }


def step_down_min_p(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Step-down min-P adjusted p-values (Westfall and Young 1993, algorithm 2.8): (m,), (B, m) -> (m,).

    The statistic of a hypothesis is small where it is false, and is compared as it stands: with the smallest of the
    hypotheses that are still in, in every permutation. NaN is treated as in `upper_p`.
    """
    order = np.argsort(observed, kind="stable")
    smallest = np.minimum.accumulate(null[:, order[::-1]], axis=1)[:, ::-1]
    counts = (~(smallest > observed[order])).sum(axis=0)
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate((1 + counts) / (1 + len(null)))
    return np.where(np.isnan(observed), np.nan, adjusted)


def by_moa(names: Sequence[str], observed: np.ndarray, null: np.ndarray) -> pd.DataFrame:
    """Per MoA: smallest P over the communities, its permutation p, and the step-down p over all MoAs.

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
            "null_median_smallest_p": _of_given(np.nanmedian, null),
            "p_value": np.where(np.isnan(observed), np.nan, p),
            "p_adjusted": step_down_min_p(observed, null),
        }
    )


def _of_given(statistic: Callable[..., np.ndarray], null: np.ndarray) -> np.ndarray:
    """np.nanmean or np.nanmedian of each column: (B, m) -> (m,), NaN where no permutation gave a value."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice|All-NaN slice", RuntimeWarning)
        return statistic(null, axis=0)


def retrieval_by_moa(names: Sequence[str], observed: np.ndarray, null: np.ndarray) -> pd.DataFrame:
    """Per MoA: mean average precision beside the null's, permutation p and Benjamini-Hochberg q over the MoAs."""
    p = upper_p(observed, null)
    known = ~np.isnan(p)
    q = np.full(len(p), np.nan)
    if known.any():
        q[known] = false_discovery_control(p[known])
    null_mean = _of_given(np.nanmean, null)
    return pd.DataFrame(
        {
            "moa": names,
            "mean_average_precision": observed,
            "null_mean": null_mean,
            "lift": observed / null_mean,
            "p_value": p,
            "q_value": q,
        }
    )
