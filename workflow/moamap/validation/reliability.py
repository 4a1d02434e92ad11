"""Whether stated probabilities come true, and whether they say more than two trivial guesses."""

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import norm

from moamap.core.names import PROPOSED
from moamap.validation.nulls import summary
from moamap.validation.proposals import PROPOSAL

EDGES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0)
FIRST = (1, 3, 5)
CLAIMS, TOP = "claims", "top-"
ALL_DRUGS, WITH_CANDIDATE = "all annotated drugs", "drugs with a candidate MoA"
Z = float(norm.ppf(0.975))


def reliability(posterior: np.ndarray, members: np.ndarray, null: np.ndarray) -> pd.DataFrame:
    """The reliability of the posterior, its accuracy beside the guesses, and the number of proposals beside the null's.

    Parameters
    ----------
    posterior : (n, n_moas + 1), each drug's own label hidden
    members : (n, n_moas) booleans of the candidates
    null : drugs with a proposal on each permutation of the labels

    Returns
    -------
    frame: quantity, over (what it is a share of), n, stated (mean probability), observed, low, high (95%, Wilson; over
    drugs), largest_moa, random (the guesses' accuracy), gain, gain_low, gain_high (over the largest MoA, paired by
    drug), null_mean, null_low, null_high, p_value
    """
    stated = posterior[:, :-1]
    proposed = summary(float((stated.max(axis=1) >= PROPOSAL).sum()), null.astype(float))
    counted = {name: proposed[name] for name in ("observed", "null_mean", "null_low", "null_high", "p_value")}
    rows = [*_claims(stated, members), *_accuracy(stated, members)]
    rows.append({"quantity": PROPOSED, "over": ALL_DRUGS, "n": len(members)} | counted)
    columns = ["quantity", "over", "n", "stated", "observed", "low", "high", "largest_moa", "random", "gain"]
    columns += ["gain_low", "gain_high", "null_mean", "null_low", "null_high", "p_value"]
    return pd.DataFrame(rows, columns=columns)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95% interval of a share (Wilson 1927)."""
    share, spread = hits / n, Z**2 / n
    middle, half = share + spread / 2, Z * np.sqrt(share * (1 - share) / n + spread / (4 * n))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def _claims(stated: np.ndarray, members: np.ndarray) -> list[dict]:
    """Claims of all drugs and candidates, pooled by their probability; a bin without any has no row."""
    place = np.clip(np.searchsorted(EDGES, stated, side="right") - 1, 0, len(EDGES) - 2)
    rows = []
    for at, (low, high) in enumerate(pairwise(EDGES)):
        mine = place == at
        if mine.any():
            row = {"quantity": f"{CLAIMS} of {low:g} to {high:g}", "over": "drugs x candidate MoAs"}
            rows.append(row | {"stated": stated[mine].mean()} | _share(members[mine]))
    return rows


def _share(hit: np.ndarray) -> dict[str, float]:
    low, high = wilson(int(hit.sum()), len(hit))
    return {"n": len(hit), "observed": hit.mean(), "low": low, "high": high}


def _accuracy(stated: np.ndarray, members: np.ndarray) -> list[dict]:
    """Share of the drugs of which one of the first MoAs is theirs; one without a candidate MoA never has it."""
    largest = np.broadcast_to(members.sum(axis=0), members.shape)
    found, guessed = (np.take_along_axis(members, _order(by), axis=1) for by in (stated, largest))
    rows = []
    for over, drugs in ((ALL_DRUGS, np.ones(len(members), dtype=bool)), (WITH_CANDIDATE, members.any(axis=1))):
        for first in FIRST:
            hit, by_size = (np.asarray(order[drugs, :first].any(axis=1)) for order in (found, guessed))
            gain = hit.astype(float) - by_size
            half = Z * gain.std() / np.sqrt(len(gain))
            guesses = {"largest_moa": by_size.mean(), "random": _random(members[drugs], first)}
            paired = {"gain": gain.mean(), "gain_low": gain.mean() - half, "gain_high": gain.mean() + half}
            rows.append({"quantity": f"{TOP}{first}", "over": over} | _share(hit) | guesses | paired)
    return rows


def _order(values: np.ndarray) -> np.ndarray:
    return np.argsort(-values, axis=1, kind="stable")


def _random(members: np.ndarray, first: int) -> float:
    """Mean probability that `first` MoAs drawn at random have one of a drug's."""
    n_moas, own = members.shape[1], members.sum(axis=1)
    missed = np.ones(len(members))
    for drawn in range(min(first, n_moas)):
        missed *= np.maximum(n_moas - own - drawn, 0) / (n_moas - drawn)
    return float(1 - missed.mean())
