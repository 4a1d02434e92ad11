"""The paper's representations: what a normalized profile is turned into before distances are taken."""

import warnings

import numpy as np

from moamap.core.errors import InputError
from moamap.core.labels import sharing
from moamap.core.numerics import squared_euclidean
from moamap.representations.base import Corrected, Learned
from moamap.representations.itml import ITML, sample_pairs


def raw(x: np.ndarray, moas: np.ndarray) -> Learned:
    """The normalized profile itself ("original data" of the paper)."""
    return Learned(np.eye(x.shape[1]))


def pca(x: np.ndarray, moas: np.ndarray, *, components=0.95) -> Learned:
    """Principal components (scikit-learn, full SVD): a number of them (int) or a share of the variance (below 1)."""
    if components >= 1 and components > min(x.shape):
        n, d = x.shape
        raise InputError(f"representations: pca components is {components}; {n} drugs x {d} features allow {min(n, d)}")
    from sklearn.decomposition import PCA  # late: it takes a while to import, and most jobs have no PCA

    model = PCA(n_components=components if components < 1 else int(components), svd_solver="full").fit(x)
    share = float(model.explained_variance_ratio_.sum())
    return Learned(model.components_, {"n_components": len(model.components_), "explained_variance": share})


def labelled_pairs(moas: np.ndarray, n_constraints: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of drugs with a shared MoA, and pairs without one, `n_constraints` of each.

    Where every drug has one label they are drawn just as metric-learn's ITML_Supervised draws them for that seed;
    where drugs have several (`moa: split`), uniformly among the pairs that share any label, and those that share none.

    Returns row indices (n_pairs, 2) and a boolean for each pair (similar); raises ValueError where there are none.
    """
    if (moas.sum(axis=1) == 1).all():
        return sample_pairs(moas.argmax(axis=1), n_constraints, random_state=seed)
    shared = sharing(moas)
    for kind, words in ((shared, "no two drugs share a MoA"), (~shared, "every two drugs share a MoA")):
        if not np.triu(kind, k=1).any():
            raise ValueError(f"nothing can be learned: {words}")
    draw = np.random.default_rng(seed)
    similar, dissimilar = (
        draw.permutation(np.argwhere(np.triu(kind, k=1)))[:n_constraints] for kind in (shared, ~shared)
    )
    return np.vstack([similar, dissimilar]), np.repeat([True, False], [len(similar), len(dissimilar)])


def itml(
    x: np.ndarray,
    moas: np.ndarray,
    *,
    engine="moamap",
    n_constraints=20,
    max_iter=1000,
    tol=1e-3,
    gamma=1.0,
    prior="identity",
    bounds="euclidean",
    seed=0,
) -> Learned:
    """Information-theoretic metric learning (Davis et al. 2007, algorithm 1).

    Parameters
    ----------
    engine : "moamap" or "metric-learn"; they give the same matrix, the second more slowly
    n_constraints : number of similar pairs, and of dissimilar pairs
    bounds : "euclidean" for metric-learn's own (5th and 95th percentile of the *unsquared* distances of the rows in the
        pairs, which the learned *squared* distances are held against), "squared" for those of the squared distances,
        or [upper bound of similar pairs, lower bound of dissimilar pairs]
    """
    options = {"max_iter": max_iter, "tol": tol, "gamma": gamma, "prior": prior}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        try:
            pairs, similar = labelled_pairs(moas, n_constraints, seed)
            learned = ENGINES[engine](x, pairs, similar, bounds, options)
        except ValueError as error:
            raise InputError(f"representations: itml: {error}") from error
    spoken = [str(warning.message) for warning in said if issubclass(warning.category, UserWarning)]
    if spoken:
        learned.notes["warning"] = "; ".join(dict.fromkeys(spoken))
    return learned


def _by_moamap(x, pairs, similar, bounds, options):
    model = ITML(**options).fit_pairs(x, pairs, similar, bounds)
    notes = {
        "similar_pairs": int(model.similar_.sum()),
        "dissimilar_pairs": int((~model.similar_).sum()),
        "active_pairs": model.n_active_,
        "bounds": model.bounds_.tolist(),
        "largest_violation": model.violation_,
        "iterations": model.n_iter_,
        "converged": model.converged_,
    }
    if options["prior"] != "identity":
        return Learned(model.components_, notes)
    active = model.duals_ > 0
    first, second = model.pairs_[active].T
    weights = np.where(model.similar_, model.duals_, -model.duals_)[active]
    return Corrected(model.components_, notes, x[first] - x[second], weights)


def _by_metric_learn(x, pairs, similar, bounds, options):
    # only this choice needs the package, which scikit-learn 1.8 breaks
    from metric_learn import ITML as Peer

    if bounds == "squared":
        bounds = np.percentile(squared_euclidean(np.unique(x[np.unique(pairs)], axis=0)), (5, 95))
    model = Peer(**options).fit(x[pairs], np.where(similar, 1, -1), None if bounds == "euclidean" else bounds)
    converged = bool(model.n_iter_ < options["max_iter"] - 1)
    if not converged:
        warnings.warn(f"ITML did not converge in {options['max_iter']} sweeps", stacklevel=2)
    notes = {
        "similar_pairs": int(similar.sum()),
        "dissimilar_pairs": int((~similar).sum()),
        "bounds": model.bounds_.tolist(),
        "iterations": int(model.n_iter_) + 1,
        "converged": converged,
    }
    return Learned(model.components_, notes)


ENGINES = {"moamap": _by_moamap, "metric-learn": _by_metric_learn}
