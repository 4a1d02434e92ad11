"""The paper's representations: what a normalized profile is turned into before distances are taken."""

import warnings
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np

from moamap.core.errors import InputError
from moamap.core.labels import sharing
from moamap.core.numerics import squared_euclidean
from moamap.representations.base import Corrected, Learned
from moamap.representations.options import option

Components = Annotated[
    float,
    option(
        "share of the variance to keep (below 1), or the number of components (1, 2, ...). The paper does not give its "
        "number; 0.95 keeps what the distances consist of and leaves hundreds of noise directions out",
        oneOf=[{"type": "integer", "minimum": 1}, {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}],
        expected="a number of components (1, 2, ...) or a share of the variance (between 0 and 1)",
    ),
]
Engine = Annotated[
    Literal["moamap", "metric-learn"],
    option("`moamap`, or `metric-learn`, the reference: the same matrix, computed more slowly"),
]
Constraints = Annotated[
    int,
    option(
        "number of similar pairs to learn from, and of dissimilar pairs. The paper's ITML uses 20 of each", minimum=1
    ),
]
Sweeps = Annotated[int, option("sweeps over all pairs after which to stop, converged or not", minimum=1)]
Tolerance = Annotated[
    float, option("relative change of the dual variables in a sweep below which it has converged", exclusiveMinimum=0)
]
Slack = Annotated[
    float,
    option(
        "weight of the slack variables: a larger one holds the pairs to their bounds more strictly", exclusiveMinimum=0
    ),
]
Prior = Annotated[
    Literal["identity", "covariance"],
    option("metric to stay near to: `identity`, or the inverse `covariance` (needs more drugs than features)"),
]
Bounds = Annotated[
    Literal["euclidean", "squared"] | Sequence[float],
    option(
        "bounds on the squared distances of similar and dissimilar pairs. `euclidean`: metric-learn's default, which "
        "the paper used, the 5th and 95th percentile of the *unsquared* distances; with many features these rarely "
        "bind. `squared`: percentiles of the squared distances, which bind, but ITML may then not converge. Or two "
        "numbers: [upper bound of similar pairs, lower bound of dissimilar pairs]",
        oneOf=[
            {"enum": ["euclidean", "squared"]},
            {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 2, "maxItems": 2},
        ],
        expected="euclidean, squared, or two positive numbers [similar below, dissimilar above]",
    ),
]
Seed = Annotated[int, option("seed of the random draw of pairs", minimum=0)]


def raw(x: np.ndarray, moas: np.ndarray | None) -> Learned:
    """The normalized profile itself (the paper's "original data")."""
    return Learned(np.eye(x.shape[1]))


def pca(x: np.ndarray, moas: np.ndarray | None, *, components: Components = 0.95) -> Learned:
    """Principal component analysis (scikit-learn, full SVD).

    Parameters
    ----------
    x : (n, n_features) normalized profiles
    moas : not looked at
    components : a share of the variance (below 1) or a number of components

    Raises InputError where there are not as many components.
    """
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
        from moamap.representations.itml import sample_pairs  # late: the others do without numba

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
    engine: Engine = "moamap",
    n_constraints: Constraints = 20,
    max_iter: Sweeps = 1000,
    tol: Tolerance = 1e-3,
    gamma: Slack = 1.0,
    prior: Prior = "identity",
    bounds: Bounds = "euclidean",
    seed: Seed = 0,
) -> Learned:
    """Information-theoretic metric learning (Davis et al. 2007, algorithm 1).

    Parameters
    ----------
    x : (n, n_features) normalized profiles
    moas : (n, n_moas) booleans
    engine, n_constraints, max_iter, tol, gamma, prior, bounds, seed : see their types above

    Raises InputError where there is no similar or no dissimilar pair, or the engine cannot learn from them.
    """
    options: dict[str, Any] = {"max_iter": max_iter, "tol": tol, "gamma": gamma, "prior": prior}
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


def _by_moamap(x: np.ndarray, pairs: np.ndarray, similar: np.ndarray, bounds: Any, options: dict) -> Learned:
    from moamap.representations.itml import ITML  # late: the others do without numba and scikit-learn

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
    return Corrected(model.components_, notes, directions=x[first] - x[second], weights=weights)


def _by_metric_learn(x: np.ndarray, pairs: np.ndarray, similar: np.ndarray, bounds: Any, options: dict) -> Learned:
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
