"""DIP communities: affinity propagation on the distances of a representation."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import squareform
from sklearn.cluster import AffinityPropagation
from sklearn.exceptions import ConvergenceWarning

from moamap.errors import InputError


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


def find_communities(
    distance: np.ndarray, *, preference=None, damping=0.5, max_iter=1000, convergence_iter=15, seed=0
) -> Communities:
    """Affinity propagation (Frey and Dueck 2007), as scikit-learn does it.

    Parameters
    ----------
    distance : (n (n - 1) / 2,) condensed
    preference : how willing a drug is to be an exemplar; None for the median similarity (its diagonal of zeros is in)

    Raises
    ------
    InputError where no exemplar emerged; without convergence the last labels are kept and `converged` is False.
    """
    s = similarities(distance)
    preference = float(np.median(s)) if preference is None else float(preference)
    model = AffinityPropagation(
        affinity="precomputed",
        preference=preference,
        damping=damping,
        max_iter=max_iter,
        convergence_iter=convergence_iter,
        random_state=seed,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        labels = model.fit_predict(s)
    if (labels < 0).any():
        raise InputError(
            f"communities: affinity propagation found no exemplar in {max_iter} iterations; raise communities.damping "
            f"(now {damping:g}) or communities.max_iter"
        )
    numbers, exemplars = numbered(labels, np.asarray(model.cluster_centers_indices_))
    converged = not any(issubclass(w.category, ConvergenceWarning) for w in caught)
    net = net_similarity(s, preference, numbers, exemplars)
    return Communities(numbers, exemplars, preference, model.n_iter_, converged, net)


def numbered(labels: np.ndarray, exemplars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number communities from 1 by size, then by exemplar: labels into `exemplars` -> (numbers, exemplars)."""
    order = np.lexsort((exemplars, -np.bincount(labels, minlength=len(exemplars))))
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(1, len(order) + 1)
    return rank[labels], exemplars[order]


def net_similarity(s: np.ndarray, preference: float, numbers: np.ndarray, exemplars: np.ndarray) -> float:
    """What affinity propagation maximizes: similarity of each drug to its exemplar, and the exemplars' preferences."""
    mine = exemplars[numbers - 1]
    followers = mine != np.arange(len(s))
    return float(s[np.flatnonzero(followers), mine[followers]].sum() + preference * len(exemplars))


def chance_of_sharing(numbers: np.ndarray) -> float:
    """Probability that two drugs taken at random are in one community: sum n_c (n_c - 1) / (n (n - 1))."""
    sizes = np.bincount(numbers)
    return float((sizes * (sizes - 1)).sum() / (len(numbers) * (len(numbers) - 1)))
