"""Representations: what a normalized profile is turned into before distances are taken.

A representation is one function and one line in METHODS. It takes the normalized profiles (n_drugs, n_features) and the
drug x MoA table of booleans (which only a supervised one looks at), and returns a linear map.
"""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import metric_learn
import numpy as np
import pandas as pd
from metric_learn.constraints import Constraints
from sklearn.decomposition import PCA
from sklearn.metrics import euclidean_distances

from moamap.errors import InputError


@dataclass(frozen=True)
class Learned:
    """A linear map: components L (n_dims, n_features), so that the learned metric is M = L'L."""

    components: np.ndarray
    notes: dict = field(default_factory=dict)  # what the method has to say of itself; `warning` is said aloud

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Embed profiles, also of drugs that were not learned from: (n, n_features) -> (n, n_dims), X L'."""
        return np.asarray(x) @ self.components.T


@dataclass(frozen=True)
class Method:
    """A representation's function, and whether it looks at the MoAs."""

    learn: Callable[..., Learned]
    supervised: bool

    @property
    def defaults(self) -> dict:
        """The parameters that a config may set, with their defaults."""
        parameters = inspect.signature(self.learn).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def raw(x: np.ndarray, moas: pd.DataFrame) -> Learned:
    """The normalized profile itself ("original data" of the paper)."""
    return Learned(np.eye(x.shape[1]))


def pca(x: np.ndarray, moas: pd.DataFrame, *, components=0.95) -> Learned:
    """Principal components (scikit-learn, full SVD): a number of them (int) or a share of the variance (below 1)."""
    if components >= 1 and components > min(x.shape):
        n, d = x.shape
        raise InputError(f"representations: pca components is {components}; {n} drugs x {d} features allow {min(n, d)}")
    model = PCA(n_components=components if components < 1 else int(components), svd_solver="full").fit(x)
    share = float(model.explained_variance_ratio_.sum())
    return Learned(model.components_, {"n_components": len(model.components_), "explained_variance": share})


def labelled_pairs(moas: pd.DataFrame, n_constraints: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of drugs with a shared MoA, and pairs without one, `n_constraints` of each.

    Where every drug has one label they are drawn just as metric-learn's ITML_Supervised draws them for that seed;
    where drugs have several (`moa: split`), uniformly among the pairs that share any label, and those that share none.

    Returns row indices (n_pairs, 2) and a boolean for each pair (similar).
    """
    shared = moas.to_numpy(int) @ moas.to_numpy(int).T > 0
    for kind, words in ((shared, "no two drugs share a MoA"), (~shared, "every two drugs share a MoA")):
        if not np.triu(kind, k=1).any():
            raise InputError(f"representations: {words}, so there is nothing that a metric could learn from")
    if (moas.sum(axis=1) == 1).all():
        labels = moas.to_numpy().argmax(axis=1)
        a, b, c, d = Constraints(labels).positive_negative_pairs(n_constraints, random_state=seed)
        similar, dissimilar = np.c_[a, b], np.c_[c, d]
    else:
        draw = np.random.default_rng(seed)
        similar, dissimilar = (
            draw.permutation(np.argwhere(np.triu(kind, k=1)))[:n_constraints] for kind in (shared, ~shared)
        )
    return np.vstack([similar, dissimilar]), np.repeat([True, False], [len(similar), len(dissimilar)])


def itml(
    x: np.ndarray,
    moas: pd.DataFrame,
    *,
    n_constraints=20,
    max_iter=1000,
    tol=1e-3,
    gamma=1.0,
    prior="identity",
    bounds="euclidean",
    seed=0,
) -> Learned:
    """Information-theoretic metric learning (Davis et al. 2007, algorithm 1), as metric-learn does it.

    Parameters
    ----------
    n_constraints : number of similar pairs, and of dissimilar pairs
    bounds : "euclidean" for metric-learn's own (5th and 95th percentile of the *unsquared* distances of the rows in the
        pairs, which the learned *squared* distances are held against), "squared" for those of the squared distances,
        or [upper bound of similar pairs, lower bound of dissimilar pairs]
    """
    pairs, similar = labelled_pairs(moas, n_constraints, seed)
    model = metric_learn.ITML(gamma=gamma, max_iter=max_iter, tol=tol, prior=prior, random_state=seed)
    with warnings.catch_warnings():
        # metric-learn 0.7.0 passes a name that scikit-learn 1.6 deprecated
        warnings.filterwarnings("ignore", "'force_all_finite' was renamed", FutureWarning)
        model.fit(x[pairs], np.where(similar, 1, -1), bounds=_bounds(x[np.unique(pairs)], bounds))
    converged = bool(model.n_iter_ < max_iter - 1)
    notes = {
        "engine": f"metric-learn {metric_learn.__version__}",
        "similar_pairs": int(similar.sum()),
        "dissimilar_pairs": int((~similar).sum()),
        "bounds": [float(bound) for bound in model.bounds_],
        "iterations": int(model.n_iter_) + 1,
        "converged": converged,
    }
    if not converged:
        notes["warning"] = f"ITML has not converged in {max_iter} iterations; raise max_iter or tol"
    return Learned(model.components_, notes)


def _bounds(rows, bounds):
    if bounds == "euclidean":
        return None
    if bounds == "squared":
        return np.percentile(euclidean_distances(np.unique(rows, axis=0), squared=True), (5, 95))
    return np.asarray(bounds, dtype=float)


METHODS = {
    "raw": Method(raw, supervised=False),
    "pca": Method(pca, supervised=False),
    "itml": Method(itml, supervised=True),
}


def learn(method: str, x: np.ndarray, moas: pd.DataFrame, **parameters) -> Learned:
    """Learn the map of a registered method; raises InputError where the result is not finite."""
    learned = METHODS[method].learn(x, moas, **parameters)
    if not np.isfinite(learned.components).all():
        raise InputError(
            f"representations: {method} gave values that are not finite, as drugs with identical profiles and "
            "different MoAs make it do"
        )
    return learned
