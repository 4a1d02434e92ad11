"""The paper's representations: what a normalized profile is turned into before distances are taken."""

import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.decomposition import PCA

from moamap.errors import InputError
from moamap.itml import ITML, sample_pairs

CONTRACTED = 1e-6  # least share that is left of a squared distance: eps over it is the relative error accepted


@dataclass(frozen=True)
class Learned:
    """A linear map: components L (n_dims, n_features), so that the learned metric is M = L'L."""

    components: np.ndarray
    notes: dict = field(default_factory=dict)  # what the method has to say of itself; `warning` is said aloud

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Embed profiles, also of drugs that were not learned from: (n, n_features) -> (n, n_dims), X L'."""
        return np.asarray(x) @ self.components.T

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learned, to be saved."""
        return {"components": self.components}

    def squared_distances(self, x: np.ndarray, base: np.ndarray) -> np.ndarray:
        """Squared distances (n, n) of the embedded rows of x; `base` are those of x itself, which some maps can use."""
        return squared_euclidean(self.transform(x))


@dataclass(frozen=True)
class Corrected(Learned):
    """A map whose metric is the identity but for a few directions: M^-1 = I + sum_c w_c v_c v_c'.

    By Woodbury's identity M = I - V'(W^-1 + V V')^-1 V, so distances are corrected and not made anew.
    """

    directions: np.ndarray = None  # V (n_directions, n_features)
    weights: np.ndarray = None  # w (n_directions,)

    def squared_distances(self, x: np.ndarray, base: np.ndarray) -> np.ndarray:
        """As `Learned.squared_distances`, in n^2 n_directions operations.

        Where the map may contract what separates two drugs, the correction could take away nearly all of their
        distance, and with it its digits: then the distances are made anew.
        """
        if self.weights.clip(0) @ np.square(self.directions).sum(axis=1) > 1 / CONTRACTED:
            return super().squared_distances(x, base)
        along = x @ self.directions.T
        core = np.linalg.inv(np.diag(1 / self.weights) + self.directions @ self.directions.T)
        weighted = along @ core
        lengths = np.einsum("ij,ij->i", weighted, along)[:, None]
        ones = np.ones_like(lengths)
        # base - (l_i + l_j - 2 <i, j>) as one matrix product, since it is repeated for every permutation
        squared = np.hstack([2 * weighted, -lengths, -ones]) @ np.hstack([along, ones, lengths]).T
        squared += base
        np.fill_diagonal(squared, 0)
        return np.maximum(squared, 0, out=squared)


def squared_euclidean(x: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of all rows, by the Gram matrix: (n, d) -> (n, n), never negative, zero diagonal."""
    centred = x - x.mean(axis=0)
    gram = centred @ centred.T
    lengths = gram.diagonal()
    squared = np.maximum(lengths[:, None] + lengths - 2 * gram, 0)
    np.fill_diagonal(squared, 0)
    return squared


def raw(x: np.ndarray, moas: np.ndarray) -> Learned:
    """The normalized profile itself ("original data" of the paper)."""
    return Learned(np.eye(x.shape[1]))


def pca(x: np.ndarray, moas: np.ndarray, *, components=0.95) -> Learned:
    """Principal components (scikit-learn, full SVD): a number of them (int) or a share of the variance (below 1)."""
    if components >= 1 and components > min(x.shape):
        n, d = x.shape
        raise InputError(f"representations: pca components is {components}; {n} drugs x {d} features allow {min(n, d)}")
    model = PCA(n_components=components if components < 1 else int(components), svd_solver="full").fit(x)
    share = float(model.explained_variance_ratio_.sum())
    return Learned(model.components_, {"n_components": len(model.components_), "explained_variance": share})


def sharing(moas: np.ndarray) -> np.ndarray:
    """Which drugs share a MoA: (n, n_moas) booleans -> (n, n) booleans."""
    return moas.astype(np.float32) @ moas.T.astype(np.float32) > 0


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
