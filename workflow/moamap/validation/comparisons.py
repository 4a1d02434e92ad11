"""Which representation retrieves more? Lifts with intervals, and paired differences, resampled over MoAs.

The MoAs are the units: drugs of one MoA resemble each other in every representation, and another screen would have
other MoAs. Every representation is scored on the same resampled MoAs, so that what makes a MoA easy or hard cancels.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from moamap.core.names import CROSSFIT, LABEL_FREE, MAP, MAP_BY_MOA
from moamap.core.numerics import stream

RESAMPLES = 2000
INTERVAL = [0.025, 0.975]


def weights_of(sizes: np.ndarray) -> dict[str, np.ndarray]:
    """What a MoA counts in each average, by its drugs: (n_moas,) -> score -> (n_moas,)."""
    return {MAP: sizes.astype(float), MAP_BY_MOA: np.ones(len(sizes))}


def resampled(weights: np.ndarray, *values: np.ndarray) -> list[np.ndarray]:
    """Weighted means of each of several values per MoA, (n_moas,) each, over the same resamples: (RESAMPLES,) each."""
    n = len(weights)
    drawn = stream(0, "resampled MoAs").multinomial(n, np.full(n, 1 / n), RESAMPLES) * weights
    return [drawn @ value / drawn.sum(axis=1) for value in values]


def lift_interval(observed: np.ndarray, null_mean: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """95% interval of the lift, over MoAs that have a value: three times (n_moas,); NaN where none has.

    The MoAs' permuted means are taken as known.
    """
    known = ~np.isnan(observed) & ~np.isnan(null_mean)
    if not known.any():
        return np.nan, np.nan
    above, below = resampled(weights[known], observed[known], null_mean[known])
    low, high = np.quantile(above / below, INTERVAL)
    return float(low), float(high)


def comparisons(by_moa: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]], sizes: np.ndarray) -> pd.DataFrame:
    """Every two representations, where neither drug was trained on: what one retrieves more than the other.

    Parameters
    ----------
    by_moa : (representation, way of scoring) -> observed mean average precision of each MoA, and its mean over the
        permutations: (n_moas,) each, NaN for a MoA of one drug
    sizes : (n_moas,) drugs of each MoA

    Returns
    -------
    frame: representation, scored, other, other_scored, quantity, gain and other_gain (observed less permuted),
    difference of the gains with its 95% interval (low, high), and moas, how many there are
    """
    honest = {key: observed - mean for key, (observed, mean) in by_moa.items() if key[1] in (LABEL_FREE, CROSSFIT)}
    rows = []
    for (one, gain), (other, other_gain) in combinations(honest.items(), 2):
        known = ~np.isnan(gain) & ~np.isnan(other_gain)
        for quantity, weights in weights_of(sizes).items() if known.any() else ():
            mine = [np.average(values[known], weights=weights[known]) for values in (gain, other_gain)]
            (difference,) = resampled(weights[known], (gain - other_gain)[known])
            low, high = np.quantile(difference, INTERVAL)
            row = dict(zip(("representation", "scored", "other", "other_scored"), (*one, *other), strict=True))
            row |= {"quantity": quantity, "gain": mine[0], "other_gain": mine[1], "difference": mine[0] - mine[1]}
            rows.append(row | {"low": low, "high": high, "moas": int(known.sum())})
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = ["representation", "scored", "other", "other_scored", "quantity", "gain", "other_gain", "difference"]
COLUMNS += ["low", "high", "moas"]
