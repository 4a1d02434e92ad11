"""Representations that docs/findings.md shows to be no better than those the study offers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.neighbors import NeighborhoodComponentsAnalysis

from moamap.core.labels import folds_by_moa, label_sets, sharing
from moamap.core.numerics import squared_euclidean
from moamap.representations.alternatives import chain, classes_of, inverse_root, prepare, principal_axes, shrunk
from moamap.representations.base import Learned
from moamap.representations.paper import Bounds, itml
from moamap.validation.retrieval import average_precision, rank


def direct(x: np.ndarray, moas: np.ndarray | None, *, warp: str | None = "rank", cosine: bool = False) -> Learned:
    """The profile itself, its features as normal scores (`warp`) or as they are, compared by distance or by angle.

    Parameters
    ----------
    warp : "rank" for normal scores of each feature, or None
    cosine : compare directions from the mean profile
    """
    reference, centre, _ = prepare(x, warp)
    return chain(np.eye(x.shape[1]), centre, reference, cosine)


def nca(
    x: np.ndarray,
    moas: np.ndarray,
    *,
    pca: int = 50,
    components: int = 20,
    max_iter: int = 50,
    warp: str | None = None,
) -> Learned:
    """Neighbourhood components analysis after PCA (Goldberger et al. 2004): scikit-learn's, begun at the leading axes.

    Its softmax has a scale: the components enter with a total variance of 1, so that two drugs are at a mean squared
    distance of 2. MoAs of one drug have no neighbour to find and are left out.

    Parameters and errors: as `lda`; max_iter: steps of L-BFGS, stopped early against overfitting
    """
    reference, centre, centred = prepare(x, warp)
    rows, classes = classes_of(moas)
    axes = principal_axes(centred, pca)
    axes = axes / np.sqrt(np.square(centred @ axes.T).sum(axis=1).mean())
    start = np.eye(min(components, len(axes)), len(axes))
    model = NeighborhoodComponentsAnalysis(init=start, n_components=len(start), max_iter=max_iter, random_state=0)
    return chain(model.fit(centred[rows] @ axes.T, classes).components_ @ axes, centre, reference, unit=False)


def itml_pca(
    x: np.ndarray,
    moas: np.ndarray,
    *,
    pca: int = 100,
    shrinkage: float = 1.0,
    n_constraints: int = 200,
    bounds: Bounds = "squared",
    gamma: float = 1.0,
    max_iter: int = 1000,
    tol: float = 1e-3,
    seed: int = 0,
    warp: str | None = None,
) -> Learned:
    """ITML (`representations.itml`) in the leading principal components, near to a shrunken inverse covariance.

    A prior M0 = L0'L0 for X is the identity for X L0': the components are first whitened by L0 = shrunk(C, s)^-1/2, so
    that bounds are percentiles of the distances that the prior gives. At s = 1 the prior is the identity.

    Parameters
    ----------
    pca, warp : as in `lda`
    shrinkage : of the prior, above 0 to 1
    n_constraints, bounds, gamma, max_iter, tol, seed : as in `representations.itml`; "squared" are bounds that bind
    """
    reference, centre, centred = prepare(x, warp)
    axes = principal_axes(centred, pca)
    scores = centred @ axes.T
    prior = inverse_root(shrunk(scores.T @ scores / len(x), shrinkage))
    options: dict[str, Any] = {"gamma": gamma, "max_iter": max_iter, "tol": tol, "seed": seed}
    learned = itml(scores @ prior.T, moas, n_constraints=n_constraints, bounds=bounds, **options)
    return chain(learned.components @ prior @ axes, centre, reference, unit=False, **learned.notes)


GRID = ({"n_constraints": 20}, {"n_constraints": 100}, {"n_constraints": 400}, {"n_constraints": 100, "gamma": 0.1})


def held_out_score(x: np.ndarray, moas: np.ndarray, folds: np.ndarray, options: dict) -> float:
    """Same-MoA mean average precision of ITML inside each fold, by the metric learned without that fold.

    Neither end of a pair was trained on, so that chance is the same for all options: the best score is the best lift.
    """
    shared = sharing(moas)
    scores: list[np.ndarray] = []
    for fold in range(folds.max() + 1):
        held = np.flatnonzero(folds == fold)
        learned = itml(x[folds != fold], moas[folds != fold], **options)
        squared = learned.squared_distances(x[held], squared_euclidean(x[held]))
        inside = np.arange(len(held))
        scores.append(average_precision(rank(squared, inside, inside), shared[np.ix_(held, held)])[0])
    return float(np.nanmean(np.concatenate(scores)))


def itml_select(
    x: np.ndarray, moas: np.ndarray, *, grid: Sequence[dict] = GRID, n_folds: int = 3, seed: int = 0
) -> Learned:
    """ITML with the parameters, of a small grid, that retrieve best within held-out folds; never in sample.

    The choice sees only the rows it is given: cross-fitted it is made anew without the folds of both drugs, and the
    cross-fitted retrieval is the honest score of choosing.

    Parameters
    ----------
    grid : parameters of `representations.itml`, one mapping a candidate
    """
    folds = folds_by_moa(label_sets(moas), n_folds, np.random.default_rng(seed))
    options: list[dict[str, Any]] = [{"seed": seed, **candidate} for candidate in grid]
    scores = [held_out_score(x, moas, folds, candidate) for candidate in options]
    best = int(np.argmax(scores))
    learned = itml(x, moas, **options[best])
    learned.notes["selected"] = options[best]
    learned.notes["held_out_map"] = [{**option, "map": score} for option, score in zip(options, scores, strict=True)]
    return learned
