"""Gathering: do drugs of one MoA share a community more often than other drugs do?"""

import numpy as np

from moamap.core.names import TOGETHER, TOGETHER_BY_MOA
from moamap.validation.nulls import counts_inside

N_STRATA = 5


Pairs = tuple[np.ndarray, np.ndarray]  # as `labels.pairs_that_share` lists them


def gathering(numbers: np.ndarray, pairs: Pairs, moas: np.ndarray) -> dict[str, float]:
    """Pairs of drugs of one MoA that share a community, and the share of a MoA's pairs that do, averaged over MoAs.

    The pairs are counted once each, however many MoAs the two drugs share; a few large MoAs may give most of them. In
    the mean over the MoAs of two or more drugs each counts alike; it is NaN where there is no such MoA.

    Parameters
    ----------
    numbers : (n,) communities 1 ... C
    pairs : the pairs of drugs that share a MoA, both ways
    moas : (n, n_moas) booleans
    """
    first, second = pairs
    pairs_inside = _pairs(counts_inside(numbers, moas)).sum(axis=0)
    of_moa = _pairs(moas.sum(axis=0))
    shares = pairs_inside[of_moa > 0] / of_moa[of_moa > 0]
    return {
        TOGETHER: int((numbers[first] == numbers[second]).sum()) // 2,
        TOGETHER_BY_MOA: float(shares.mean()) if len(shares) else np.nan,
    }


def _pairs(count: np.ndarray) -> np.ndarray:
    return count * (count - 1) / 2


def strength(profiles: np.ndarray) -> np.ndarray:
    """How far each drug's profile is from the typical one: (n, n_features), on the raw scale -> (n,), no unit.

    The root mean square over features of the robust z scores, (x - median) / (1.4826 MAD) over the drugs. Most drugs of
    a screen change little, so that median and MAD describe an inactive drug and its noise. A feature whose MAD is 0 is
    scaled by its standard deviation; one that is constant, or has missing or infinite values, is left out.
    """
    x = profiles[:, np.isfinite(profiles).all(axis=0) & (profiles != profiles[:1]).any(axis=0)]
    centred = x - np.median(x, axis=0)
    mad = np.median(np.abs(centred), axis=0)
    z = centred / np.where(mad > 0, 1.4826 * mad, x.std(axis=0))
    return np.sqrt(np.square(z).sum(axis=1) / max(z.shape[1], 1))


def strata_of(values: np.ndarray, n_strata: int = N_STRATA) -> np.ndarray:
    """Strata of equal size, from low to high values (quintiles by default): (n,) -> (n,) 0 ... n_strata - 1.

    Equal values are told apart by their row.
    """
    rank = np.empty(len(values), dtype=int)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    return rank * n_strata // len(values)
