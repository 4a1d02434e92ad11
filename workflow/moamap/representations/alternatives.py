"""Representations beside the paper's three: controls that use no label, and other ways to learn from labels.

All go the same way, of which each uses a part:

    profile -> normal score of every feature -> minus the mean -> linear map -> unit length

and everything is fitted to the rows that are given, so that cross-fitting is honest. Under `moa: split` a drug may have
several MoAs: discriminants take each distinct set of MoAs for a class; ITML draws pairs that share any MoA.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.special import ndtri

from moamap.core.errors import InputError
from moamap.core.labels import label_sets
from moamap.representations.base import Learned


@dataclass(frozen=True)
class Chain(Learned):
    """A map that is not linear: normal scores, centring, the linear part, unit length.

    Euclidean distance of rows of unit length ranks as cosine distance does: squared, it is 2 (1 - cosine).
    """

    centre: np.ndarray = None  # (n_features,)
    reference: np.ndarray | None = None  # (n_learned, n_features), each feature sorted; None: no normal scores
    unit: bool = False  # bring every embedded row to length 1

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Embed profiles, also of drugs that were not learned from: (n, n_features) -> (n, n_dims)."""
        scores = np.asarray(x) if self.reference is None else normal_scores(x, self.reference)
        embedded = (scores - self.centre) @ self.components.T
        return unit_rows(embedded) if self.unit else embedded

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learned, to be saved."""
        found = {"components": self.components, "centre": self.centre, "unit": np.array(self.unit)}
        return found if self.reference is None else found | {"reference": self.reference}


def unit_rows(x: np.ndarray) -> np.ndarray:
    """Rows divided by their lengths; a row of zeros stays."""
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(lengths > 0, lengths, 1)


def normal_scores(x: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Rank-based inverse normal transform of each feature: Phi^-1((r - 3/8) / (n + 1/4)) (Blom 1958).

    r is the rank among the reference: average ranks for ties, interpolated between its values, 1 and n beyond its ends.
    (scikit-learn's QuantileTransformer sends the least and the greatest to -5.2 and 5.2, far from all others.)

    Parameters
    ----------
    x : (n, n_features)
    reference : (n_reference, n_features), each feature sorted
    """
    ranks = np.arange(1.0, len(reference) + 1)
    scores = np.empty(np.shape(x))
    for feature, (values, held) in enumerate(zip(np.transpose(x), reference.T, strict=True)):
        # among equal values one finds the last, the other the first
        last = np.interp(values, held, ranks)
        first = -np.interp(-values, -held[::-1], -ranks[::-1])
        scores[:, feature] = (first + last) / 2
    return ndtri((scores - 0.375) / (len(reference) + 0.25))


def prepare(x: np.ndarray, warp: str | None) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """What a chain begins with: the reference of the normal scores (or None), the mean, the rows less their mean."""
    if warp not in (None, "rank"):
        raise InputError(f"representations: warp is {warp!r}; expected rank or null")
    reference = np.sort(x, axis=0) if warp == "rank" else None
    seen = np.asarray(x) if reference is None else normal_scores(x, reference)
    centre = seen.mean(axis=0)
    return reference, centre, seen - centre


def chain(components: np.ndarray, centre: np.ndarray, reference: np.ndarray | None, unit: bool, **notes) -> Learned:
    """The map, plainly linear where it can be: distances do not depend on the centre."""
    if reference is None and not unit:
        return Learned(components, notes)
    return Chain(components, notes, centre, reference, unit)


def principal_axes(centred: np.ndarray, number: int) -> np.ndarray:
    """Leading principal axes, orthonormal rows, fewer where the rows span fewer: (n, d) -> (<= number, d).

    By the Gram matrix of the rows, which are fewer than the features: X = U S V' gives X X' = U S^2 U', V' = S^-1 U' X.
    """
    n, d = centred.shape
    number = min(number, n, d)
    squares, left = eigh(centred @ centred.T, subset_by_index=(n - number, n - 1))
    kept = squares > squares[-1] * n * np.finfo(float).eps
    return ((left[:, kept] / np.sqrt(squares[kept])).T @ centred)[::-1]


def shrunk(covariance: np.ndarray, shrinkage: float) -> np.ndarray:
    """(1 - s) C + s (tr C / d) I: toward the identity times the mean eigenvalue (Ledoit and Wolf 2004)."""
    if not 0 <= shrinkage <= 1:
        raise InputError(f"representations: shrinkage is {shrinkage}; expected a number from 0 to 1")
    mean = np.trace(covariance) / len(covariance)
    return (1 - shrinkage) * covariance + shrinkage * mean * np.eye(len(covariance))


def inverse_root(covariance: np.ndarray) -> np.ndarray:
    """C^-1/2, symmetric; raises InputError where C is singular."""
    values, vectors = np.linalg.eigh(covariance)
    if values[0] <= values[-1] * len(values) * np.finfo(float).eps:
        raise InputError(
            "representations: a covariance cannot be inverted, as there are more dimensions than drugs to learn it "
            "from; expected a larger shrinkage or fewer principal components (pca)"
        )
    return (vectors / np.sqrt(values)) @ vectors.T


def spherize(x: np.ndarray, moas: np.ndarray | None, *, pca=None, shrinkage=0.5, warp=None, cosine=False) -> Learned:
    """Whitening by the shrunken covariance, no labels: L = ((1 - s) C + s (tr C / d) I)^-1/2.

    ZCA whitening (Kessy, Lewin and Strimmer 2018), learned from the drugs themselves, where image-based profiling often
    takes the controls. At s = 1 it is the profile but for its scale.

    Parameters
    ----------
    x : (n, n_features) normalized profiles
    pca : principal components to whiten, at most, the others being left out; None for all features
    shrinkage : s, from 0 (needs more drugs than dimensions) to 1
    warp, cosine : as in `direct`

    Raises InputError where the covariance cannot be inverted.
    """
    reference, centre, centred = prepare(x, warp)
    axes = np.eye(x.shape[1]) if pca is None else principal_axes(centred, pca)
    scores = centred @ axes.T
    root = inverse_root(shrunk(scores.T @ scores / len(x), shrinkage))
    return chain(root @ axes, centre, reference, cosine)


def classes_of(moas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The drugs whose set of MoAs another drug has too, and their classes 0, 1, ...: (n, n_moas) -> (m,) rows, (m,).

    Raises InputError where fewer than two classes have two drugs.
    """
    labels = label_sets(moas)
    rows = np.flatnonzero(np.bincount(labels)[labels] > 1)
    classes = np.unique(labels[rows], return_inverse=True)[1]
    if len(rows) == 0 or classes.max() == 0:
        raise InputError("representations: nothing can be learned: fewer than two MoAs have two drugs")
    return rows, classes


def scatter(scores: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariance within the classes (pooled) and in total: (m, k), (m,) classes -> two (k, k)."""
    member = np.eye(classes.max() + 1)[classes]
    means = member.T @ scores / member.sum(axis=0)[:, None]
    inner, outer = scores - means[classes], scores - scores.mean(axis=0)
    return inner.T @ inner / len(scores), outer.T @ outer / len(scores)


def lda(x: np.ndarray, moas: np.ndarray, *, pca=100, shrinkage=0.5, components=20, warp=None, cosine=False) -> Learned:
    """Linear discriminant analysis after PCA (Fisher 1936), with shrunken covariances.

    (S_t - S_w) a = lambda S_w a, both covariances `shrunk`, as scikit-learn's solver "eigen" has it. MoAs of one drug
    say nothing of the spread within a MoA and are left out.

    Parameters
    ----------
    x : (n, n_features) normalized profiles
    moas : (n, n_moas) booleans
    pca : principal components to learn in, at most (no more than the drugs span)
    shrinkage : from 0 to 1; at 1 nothing is learned
    components : discriminants, at most (no more than the classes less one)
    warp, cosine : as in `direct`

    Raises InputError where fewer than two classes have two drugs, or the covariance within them cannot be inverted.
    """
    reference, centre, centred = prepare(x, warp)
    rows, classes = classes_of(moas)
    axes = principal_axes(centred, pca)
    within, total = (shrunk(part, shrinkage) for part in scatter(centred[rows] @ axes.T, classes))
    root = inverse_root(within)
    values, vectors = np.linalg.eigh(root @ (total - within) @ root)
    number = min(components, classes.max())
    discriminants = (root @ vectors)[:, ::-1][:, :number].T
    ratios = values[::-1][:number]
    return chain(
        discriminants @ axes, centre, reference, cosine, n_classes=int(classes.max() + 1), ratios=ratios.tolist()
    )


def rca(x: np.ndarray, moas: np.ndarray, *, pca=100, shrinkage=0.5, warp=None, cosine=False) -> Learned:
    """Relevant components analysis after PCA (Shental et al. 2002): L = S_w^-1/2, S_w the covariance within the MoAs.

    With `shrinkage` 0 it is metric-learn's RCA with the MoAs for chunks, which is not finite at full dimension.

    Parameters and errors: as `lda`.
    """
    reference, centre, centred = prepare(x, warp)
    rows, classes = classes_of(moas)
    axes = principal_axes(centred, pca)
    within, _ = scatter(centred[rows] @ axes.T, classes)
    return chain(inverse_root(shrunk(within, shrinkage)) @ axes, centre, reference, cosine)
