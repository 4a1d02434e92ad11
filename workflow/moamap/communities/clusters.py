"""DIP communities: affinity propagation on the distances of a representation."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import squareform

from moamap.communities.affinity import affinity_propagation
from moamap.core.errors import InputError
from moamap.core.numerics import median


@dataclass(frozen=True)
class Communities:
    """The communities of n drugs, numbered from 1 by size (largest first), then by the exemplar's row."""

    numbers: np.ndarray  # (n,) community of each drug
    exemplars: np.ndarray  # (n_communities,) row of the exemplar of community 1, 2, ...
    preference: float
    iterations: int
    converged: bool
    net_similarity: float


def similarities(distance: np.ndarray) -> np.ndarray:
    """Minus the squared distance of every two drugs (Frey and Dueck 2007): condensed -> (n, n)."""
    return -(squareform(distance) ** 2)


def find_communities(distance: np.ndarray, **options) -> Communities:
    """Communities by affinity propagation on minus the squared distances (condensed); see `communities_of`."""
    return communities_of(similarities(distance), **options)


def communities_of(
    s: np.ndarray, *, preference=None, damping=0.5, max_iter=1000, convergence_iter=15, seed=0
) -> Communities:
    """Affinity propagation (Frey and Dueck 2007) by `moamap.affinity_propagation`, numbered.

    Parameters
    ----------
    s : (n, n) similarities
    preference : how willing a drug is to be an exemplar; None for the median similarity (its diagonal of zeros is in)

    Raises
    ------
    InputError where no exemplar emerged; without convergence the last labels are kept and `converged` is False.
    """
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
    """Number communities from 1 by size, then by exemplar: labels into `exemplars` -> (numbers, exemplars)."""
    order = np.lexsort((exemplars, -np.bincount(labels, minlength=len(exemplars))))
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(1, len(order) + 1)
    return rank[labels], exemplars[order]


def chance_of_sharing(numbers: np.ndarray) -> float:
    """Probability that two drugs taken at random are in one community: sum n_c (n_c - 1) / (n (n - 1))."""
    sizes = np.bincount(numbers)
    return float((sizes * (sizes - 1)).sum() / (len(numbers) * (len(numbers) - 1)))
