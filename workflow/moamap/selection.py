"""Choosing ITML's parameters by what they do for drugs that were not learned from."""

import numpy as np

from moamap.crossfit import folds_by_moa, label_sets
from moamap.representations import Learned, itml, sharing, squared_euclidean
from moamap.retrieval import average_precision, rank

GRID = ({"n_constraints": 20}, {"n_constraints": 100}, {"n_constraints": 400}, {"n_constraints": 100, "gamma": 0.1})


def held_out_score(x: np.ndarray, moas: np.ndarray, folds: np.ndarray, options: dict) -> float:
    """Same-MoA mean average precision of ITML inside each fold, by the metric learned without that fold.

    Neither end of a pair was trained on, so that chance is the same for all options: the best score is the best lift.
    """
    shared, scores = sharing(moas), []
    for fold in range(folds.max() + 1):
        held = np.flatnonzero(folds == fold)
        learned = itml(x[folds != fold], moas[folds != fold], **options)
        squared = learned.squared_distances(x[held], squared_euclidean(x[held]))
        inside = np.arange(len(held))
        scores.append(average_precision(rank(squared, inside, inside), shared[np.ix_(held, held)])[0])
    return float(np.nanmean(np.concatenate(scores)))


def itml_select(x: np.ndarray, moas: np.ndarray, *, grid=GRID, n_folds=3, seed=0) -> Learned:
    """ITML with the parameters, of a small grid, that retrieve best within held-out folds; never in sample.

    The choice sees only the rows it is given: cross-fitted it is made anew without the folds of both drugs, and the
    cross-fitted retrieval is the honest score of choosing.

    Parameters
    ----------
    grid : parameters of `representations.itml`, one mapping a candidate
    """
    folds = folds_by_moa(label_sets(moas), n_folds, np.random.default_rng(seed))
    options = [{"seed": seed, **candidate} for candidate in grid]
    scores = [held_out_score(x, moas, folds, candidate) for candidate in options]
    best = int(np.argmax(scores))
    learned = itml(x, moas, **options[best])
    learned.notes["selected"] = options[best]
    learned.notes["held_out_map"] = [{**option, "map": score} for option, score in zip(options, scores, strict=True)]
    return learned
