"""DIP communities of a representation, by affinity propagation on all distances or by an engine on neighbours only."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.spatial.distance import squareform

from moamap.core.errors import InputError
from moamap.core.names import DENSE_UP_TO
from moamap.core.numerics import median

FLOAT64_UP_TO = 5_000  # drugs whose similarities and messages are in double precision
MANY_DAMPING = 0.9  # above: with less, messages of 19,864 drugs swing without end
NEIGHBOURS = 100  # of a drug, in the graph of the sparse engine


@dataclass(frozen=True)
class Options:
    """How to find communities: the section `communities` of the config."""

    engine: str = "auto"  # auto, dense, sparse, louvain
    preference: float | None = None  # how willing a drug is to be an exemplar; None for the median similarity
    damping: float = 0.5  # of more than 5,000 drugs at least 0.9; else, and the next two, as in affinity_propagation
    max_iter: int = 1000
    convergence_iter: int = 15
    resolution: float = 8.0  # of louvain
    seed: int = 0  # of the noise that breaks ties


@dataclass(frozen=True)
class Communities:
    """The communities of n drugs, numbered from 1 by size (largest first), ties by the row of the exemplar.

    What an engine does not have is None.
    """

    numbers: np.ndarray  # (n,) community of each drug
    exemplars: np.ndarray  # (n_communities,) row of the exemplar of community 1, 2, ...; louvain: of the medoid
    engine: str  # dense, sparse, louvain
    converged: bool
    preference: float | None = None
    damping: float | None = None
    iterations: int | None = None
    net_similarity: float | None = None
    resolution: float | None = None
    modularity: float | None = None


def engine_for(engine: str, n: int, *, all_pairs: bool = True) -> str:
    """The engine for n drugs: `auto` is dense up to 25,000 drugs if there are distances of all pairs, else sparse.

    Raises InputError where dense has no distances of all pairs.
    """
    if engine == "auto":
        return "dense" if all_pairs and n <= DENSE_UP_TO else "sparse"
    if engine == "dense" and not all_pairs:
        raise InputError(
            "communities: engine dense takes the distances of all pairs of drugs, which `connections: none` leaves "
            "out; set `connections: all`, or communities.engine to sparse or louvain"
        )
    return engine


def similarities(distance: np.ndarray) -> np.ndarray:
    """Minus the squared distance of every two drugs (Frey and Dueck 2007): condensed distances -> (n, n).

    In float64 up to 5,000 drugs, above in float32, as the messages are.
    """
    s = squareform(distance)
    s = s.astype(_precision(len(s)), copy=False)
    np.square(s, out=s)
    return np.negative(s, out=s)


def median_of(values: np.ndarray, counts: np.ndarray) -> float:
    """The median of values, ascending, of which each occurs so many times: of the distances of all pairs of drugs."""
    last = np.cumsum(counts)
    middle = [(last[-1] - 1) // 2, last[-1] // 2]
    return float(values[np.searchsorted(last, middle, side="right")].mean(dtype=float))


def find_communities(distance: np.ndarray, *, n_threads: int = 1, **options: Any) -> Communities:
    """Communities of drugs whose distances are all known, with minus the squared distance as similarity.

    Parameters
    ----------
    distance : (n (n - 1) / 2,) condensed
    n_threads, options : as in `communities_of`

    Raises
    ------
    InputError if no exemplar emerges
    """
    return communities_of(similarities(distance), n_threads=n_threads, overwrite=True, **options)


def communities_of(s: np.ndarray, *, n_threads: int = 1, overwrite: bool = False, **options: Any) -> Communities:
    """Communities of drugs by their similarities, by `moamap.affinity_propagation` or another engine of `Options`.

    Without convergence the last labels are kept and `converged` is False.

    Parameters
    ----------
    s : (n, n) similarities; the sparse engine and louvain use the largest 100 of each row, which must not be positive
    n_threads : the result is the same for any number
    overwrite : whether `s` may be modified, which saves memory
    options : fields of `Options`; the median that `preference` None stands for includes the diagonal of zeros

    Raises
    ------
    InputError if no exemplar emerges
    """
    chosen = _chosen(options, len(s))
    s = s.astype(_precision(len(s)), copy=False)
    preference = float(median(s)) if chosen.preference is None else float(chosen.preference)
    if engine_for(chosen.engine, len(s)) != "dense":
        return communities_on_graph(*_nearest(s), n_threads=n_threads, **options | {"preference": preference})
    from moamap.communities.affinity import affinity_propagation  # late: what reads communities does without numba

    found = affinity_propagation(
        s, preference=preference, n_threads=n_threads, overwrite=overwrite, **_of_messages(chosen)
    )
    return _propagated("dense", found, preference, chosen)


def communities_on_graph(
    index: np.ndarray,
    distance: np.ndarray,
    *,
    median_distance: float | None = None,
    n_threads: int = 1,
    **options: Any,
) -> Communities:
    """Communities of drugs of which the nearest neighbours are known, in memory that is linear in their number.

    Parameters
    ----------
    index, distance : (n, k) the neighbours of each drug, the nearest first, and how far they are
    median_distance : of all pairs of drugs. Where `preference` is None, it is minus this squared, which makes about as
        many communities as the dense engine. Without it the preference is the median similarity of the graph, which
        makes many times as many.
    n_threads, options : as in `communities_of`

    Raises
    ------
    InputError if no exemplar emerges
    """
    chosen = _chosen(options, len(index))
    if chosen.engine == "louvain":
        from moamap.communities.louvain import louvain

        labels, medoids, modularity = louvain(index, resolution=chosen.resolution, seed=chosen.seed)
        numbers, medoids = numbered(labels, medoids)
        return Communities(
            numbers, medoids, "louvain", converged=True, resolution=chosen.resolution, modularity=modularity
        )
    from moamap.communities.sparse import graph_of, sparse_affinity_propagation

    graph = graph_of(index, distance, _precision(len(index)))
    typical = median(graph.similarity) if median_distance is None else -(median_distance**2)
    preference = float(typical if chosen.preference is None else chosen.preference)
    found = sparse_affinity_propagation(graph, preference=preference, n_threads=n_threads, **_of_messages(chosen))
    return _propagated("sparse", found, preference, chosen)


def _precision(n: int) -> type:
    return np.float64 if n <= FLOAT64_UP_TO else np.float32


def _nearest(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The neighbours of each drug and how far they are, ties by the row: (n, n) similarities -> two (n, k)."""
    n = len(s)
    order = np.argsort(-s, axis=1, kind="stable")
    index = order[order != np.arange(n)[:, None]].reshape(n, n - 1)[:, :NEIGHBOURS]
    return index, np.sqrt(-np.take_along_axis(s, index, axis=1))


def _chosen(options: dict[str, Any], n: int) -> Options:
    """The options for n drugs."""
    chosen = Options(**options)
    return chosen if n <= FLOAT64_UP_TO else replace(chosen, damping=max(chosen.damping, MANY_DAMPING))


def _of_messages(chosen: Options) -> dict[str, Any]:
    names = ("damping", "max_iter", "convergence_iter")
    return {name: getattr(chosen, name) for name in names} | {"random_state": chosen.seed}


def _propagated(engine: str, found: Any, preference: float, chosen: Options) -> Communities:
    """The result of affinity propagation, numbered."""
    if not len(found.exemplars):
        raise InputError(
            f"communities: affinity propagation found no exemplar in {chosen.max_iter} iterations; raise "
            f"communities.damping (now {chosen.damping:g}) or communities.max_iter"
        )
    numbers, exemplars = numbered(found.labels, found.exemplars)
    return Communities(
        numbers,
        exemplars,
        engine,
        found.converged,
        preference=preference,
        damping=chosen.damping,
        iterations=found.n_iter,
        net_similarity=found.net_similarity,
    )


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
