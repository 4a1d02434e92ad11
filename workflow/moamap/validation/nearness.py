"""How near a drug lies to the drugs of each MoA: four scores, made from distances and the labels of *other* drugs."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import gamma

from moamap.validation.retrieval import Ranking, rank

SCORES = ("log_size", "density", "closeness", "nearest")
KERNEL = 0.02  # width of the density's kernel, as a share of the drugs
LEAST = 1e-12  # p below which nothing is told apart
FLAT = 1e-3  # skewness below which the gamma distribution is as good as normal


@dataclass(frozen=True)
class Views:
    """What the scores need of the distances of some compounds (rows) to all labelled drugs (columns): no label.

    shares : (n, n_drugs) rank of the drug as seen by the compound, as a share: 1 is farthest
    kernel : (n, n_drugs) large where compound and drug see each other near
    centred : (n, n_drugs) mean of -log(share) of both views, without what either has on average: a drug that is near to
        everybody, a hub, counts for less
    n_others : drugs that a compound is compared with
    """

    shares: np.ndarray
    kernel: np.ndarray
    centred: np.ndarray
    n_others: int


def rank_shares(order: np.ndarray) -> np.ndarray:
    """Rank of every drug (column) among the others as seen by a drug (row), as a share; 1 on the diagonal.

    `order` is (n, n - 1), the others of each drug from near to far; the shares are (n, n).
    """
    n = len(order)
    shares = np.ones((n, n))
    np.put_along_axis(shares, order, np.arange(1, n)[None] / (n - 1), axis=1)
    return shares


def views_of_drugs(ranking: Ranking) -> Views:
    """The drugs' views of each other: every drug as a query against all others. A drug is none of the drugs it sees."""
    n, shares = len(ranking.order), rank_shares(ranking.order)
    mutual = _mutual(shares, shares.T)
    typical = mutual.sum(axis=1) / (n - 1)
    centred = mutual - typical[:, None] - typical + typical.mean()
    kernel = _kernel(shares, shares.T)
    for square in (centred, kernel):
        np.fill_diagonal(square, 0)
    return Views(shares, kernel, centred, n - 1)


def views_of_compounds(distance: np.ndarray, drugs: np.ndarray) -> Views:
    """The views of compounds that are none of the drugs: (n, n_drugs) and (n_drugs, n_drugs) distances, both squared or
    both not.
    """
    n = len(drugs)
    shares = np.empty(distance.shape)
    np.put_along_axis(shares, np.argsort(distance, axis=1, kind="stable"), np.arange(1, n + 1)[None] / n, axis=1)
    seen = np.empty(distance.shape)
    for drug, own in enumerate(drugs):
        nearer = np.searchsorted(np.sort(np.delete(own, drug)), distance[:, drug])
        seen[:, drug] = (1 + nearer) / n
    own_shares = rank_shares(rank(drugs, np.arange(n), np.arange(n)).order)
    typical = _mutual(own_shares, own_shares.T).sum(axis=1) / (n - 1)
    mutual = _mutual(shares, seen)
    centred = mutual - mutual.mean(axis=1, keepdims=True) - typical + typical.mean()
    return Views(shares, _kernel(shares, seen), centred, n)


def _mutual(shares: np.ndarray, seen: np.ndarray) -> np.ndarray:
    return -(np.log(shares) + np.log(seen)) / 2


def _kernel(shares: np.ndarray, seen: np.ndarray) -> np.ndarray:
    return 1 / (shares + KERNEL) + 1 / (seen + KERNEL)


def left_out(members: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each drug and MoA the member that does not count: the drug itself in its own, any other elsewhere.

    A drug must not count among its own MoA. Were all members of the others to count, sizes would tell which MoA has
    lost one; with this, all MoAs that are shown to a drug could as well be its own.

    Parameters
    ----------
    members : (n, n_moas) booleans, two or more in each MoA

    Returns
    -------
    (n, n_moas) rows
    """
    out = np.empty(members.shape, dtype=int)
    for moa, column in enumerate(members.T):
        out[:, moa] = rng.choice(np.flatnonzero(column), size=len(members))
    own, theirs = np.nonzero(members)
    out[own, theirs] = own
    return out


def scores(views: Views, members: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    """The four scores of each compound and MoA: (n, n_moas, 4) in the order of `SCORES`; large is near.

    log_size: log(k + 1), k being the members that count. density: log of the mean kernel of the members over that of
    all drugs. closeness: -log p of the sum of `Views.centred` over k drugs that are drawn at random, whose mean,
    variance and skewness are known exactly (a gamma distribution with these moments; Pearson's type III). nearest:
    -log p of the rank of the nearest member, were k drawn at random.

    Parameters
    ----------
    members : (n_drugs, n_moas) booleans
    out : (n, n_moas) the member that does not count, as `left_out`; None where all do
    """
    f, k = members.astype(float), members.sum(axis=0) - (out is not None)
    density, total = views.kernel @ f, views.centred @ f
    if out is not None:
        rows = np.arange(len(out))[:, None]
        density -= views.kernel[rows, out]
        total -= views.centred[rows, out]
    typical = views.kernel.sum(axis=1, keepdims=True) / views.n_others
    near = _nearest(views.shares, members, out)
    found = (
        np.broadcast_to(np.log(k + 1.0), total.shape),
        np.log(density / k / typical),
        -np.log(sum_p(total, k, views.centred, views.n_others) + LEAST),
        -np.log(1 - (1 - near) ** k),
    )
    return np.stack(found, axis=2)


def _nearest(shares: np.ndarray, members: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    """(n, n_moas) rank share of the nearest member that counts."""
    near = np.empty((len(shares), members.shape[1]))
    for moa, column in enumerate(members.T):
        rows = np.flatnonzero(column)
        seen = shares[:, rows]
        if out is not None:
            seen[rows == out[:, [moa]]] = 1
        near[:, moa] = seen.min(axis=1)
    return near


def sum_p(total: np.ndarray, k: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """P that k of n values, drawn without replacement, have at least this sum, by its first three moments.

    Parameters
    ----------
    total : (n_rows, m) sums; k : (m,) how many values are in each
    values : (n_rows, n or more) the values of each row; more are zeros that do not count
    """
    mean, square, cube = (_power_sum(values, power) / n for power in (1, 2, 3))
    variance = square - mean**2
    skewness = (cube - 3 * mean * square + 2 * mean**3) / variance**1.5
    spread = np.sqrt(k * (n - k) / (n - 1) * variance)
    skewness = skewness * (n - 2 * k) * np.sqrt(n - 1) / (np.sqrt(k * (n - k)) * (n - 2))
    z, skewness = (total - k * mean) / spread, np.maximum(skewness, FLAT)  # ranks' logs are skewed to the right
    shape = 4 / skewness**2
    return gamma.sf(shape + z * np.sqrt(shape), shape)


def _power_sum(values: np.ndarray, power: int) -> np.ndarray:
    return np.einsum("ij->i", values**power)[:, None]
