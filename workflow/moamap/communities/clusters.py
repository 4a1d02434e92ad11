"""DIP communities: affinity propagation on the distances of a representation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import squareform

from moamap.core.errors import InputError
from moamap.core.numerics import median


@dataclass(frozen=True)
class Communities:
    """The communities of n drugs, numbered from 1 by size (largest first), ties by the row of the exemplar."""

    numbers: np.ndarray  # (n,) community of each drug
    exemplars: np.ndarray  # (n_communities,) row of the exemplar of community 1, 2, ...
    preference: float
    iterations: int
    converged: bool
    net_similarity: float


def similarities(distance: np.ndarray) -> np.ndarray:
    """Minus the squared distance of every two drugs (Frey and Dueck 2007): condensed distances -> (n, n)."""
    return -np.square(squareform(distance), dtype=float)


def find_communities(distance: np.ndarray, **options: Any) -> Communities:
    """Communities by affinity propagation on minus the squared distances.

    Parameters
    ----------
    distance : (n (n - 1) / 2,) condensed
    options : preference, damping, max_iter, convergence_iter and seed of `communities_of`

    Raises
    ------
    InputError if no exemplar emerges
    """
    return communities_of(similarities(distance), **options)


def communities_of(
    s: np.ndarray,
    *,
    preference: float | None = None,
    damping: float = 0.5,
    max_iter: int = 1000,
    convergence_iter: int = 15,
    seed: int = 0,
) -> Communities:
    """Communities by affinity propagation (Frey and Dueck 2007) on similarities, by `moamap.affinity_propagation`.

    Without convergence the last labels are kept and `converged` is False.

    Parameters
    ----------
    s : (n, n) similarities
    preference : how willing a drug is to be an exemplar; None for the median of `s`, its diagonal of zeros included
    damping, max_iter, convergence_iter : as in `moamap.affinity_propagation`
    seed : of the noise that breaks ties

    Raises
    ------
    InputError if no exemplar emerges
    """
    from moamap.communities.affinity import affinity_propagation  # late: what reads communities does without numba

    preference = float(median(s)) if preference is None else float(preference)
    found = affinity_propagation(
        s,
        preference=preference,
        damping=damping,
        max_iter=max_iter,
        convergence_iter=convergence_iter,
        random_state=seed,
    )
    if not len(found.exemplars):
        raise InputError(
            f"communities: affinity propagation found no exemplar in {max_iter} iterations; raise communities.damping "
            f"(now {damping:g}) or communities.max_iter"
        )
    numbers, exemplars = numbered(found.labels, found.exemplars)
    return Communities(numbers, exemplars, preference, found.n_iter, found.converged, found.net_similarity)


def numbered(labels: np.ndarray, exemplars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number communities from 1 by size (largest first), ties by the row of the exemplar.

    Parameters
    ----------
    labels : (n,) position in `exemplars` of each drug's exemplar
    exemplars : (n_communities,) rows

    Returns
    -------
    (n,) community numbers, and the exemplars in the order of the numbers
    """
    order = np.lexsort((exemplars, -np.bincount(labels, minlength=len(exemplars))))
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(1, len(order) + 1)
    return rank[labels], exemplars[order]


def chance_of_sharing(numbers: np.ndarray) -> float:
    """Probability that two drugs drawn at random share a community: sum n_c (n_c - 1) / (n (n - 1))."""
    sizes = np.bincount(numbers)
    return float((sizes * (sizes - 1)).sum() / (len(numbers) * (len(numbers) - 1)))
