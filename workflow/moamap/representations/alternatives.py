"""Representations beside the paper's three: controls that use no label, and other ways to learn from labels.

All go the same way, of which each uses a part:

    profile (standardized) -> normal score of every feature -> minus the mean (scaled) -> linear map -> unit length

and everything is fitted to the rows that are given, so that cross-fitting is honest. Under `moa: split` a drug may have
several MoAs: discriminants take each distinct set of MoAs for a class; ITML draws pairs that share any MoA.
"""

from typing import Annotated, Any

import numpy as np
from scipy.linalg import eigh

from moamap.core.errors import InputError
from moamap.core.labels import label_sets
from moamap.representations.base import Chain, Learned, normal_scores, standardized
from moamap.representations.options import Cosine, PrincipalComponents, Reads, Shrinkage, Warp, option
from moamap.representations.wells import Wells

Discriminants = Annotated[
    int, option("number of discriminants, at most (no more than the classes less one)", minimum=1)
]


def prepare(x: np.ndarray, warp: str | None) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """What a chain begins with: the reference of the normal scores (or None), the mean, the rows less their mean."""
    if warp not in (None, "rank"):
        raise InputError(f"representations: warp is {warp!r}; expected rank or null")
    reference = np.sort(x, axis=0) if warp == "rank" else None
    seen = np.asarray(x) if reference is None else normal_scores(x, reference)
    centre = seen.mean(axis=0)
    return reference, centre, seen - centre


def chain(
    components: np.ndarray, centre: np.ndarray, reference: np.ndarray | None, unit: bool, **notes: Any
) -> Learned:
    """The map, plainly linear where it can be: distances do not depend on the centre."""
    if reference is None and not unit:
        return Learned(components, notes)
    return Chain(components, notes, centre=centre, reference=reference, unit=unit)


def principal_axes(centred: np.ndarray, number: int) -> np.ndarray:
    """Leading principal axes, orthonormal rows, fewer where the rows span fewer: (n, d) -> (<= number, d).

    By the smaller of the two Gram matrices. X = U S V' gives X'X = V S^2 V', and X X' = U S^2 U', V' = S^-1 U' X.
    """
    n, d = centred.shape
    size, number = min(n, d), min(number, n, d)
    gram = centred @ centred.T if n < d else centred.T @ centred
    squares, vectors = eigh(gram, subset_by_index=(size - number, size - 1))
    kept = squares > squares[-1] * n * np.finfo(float).eps
    axes = vectors[:, kept].T
    if n < d:
        axes = axes / np.sqrt(squares[kept])[:, None] @ centred
    return axes[::-1]


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


def spherize(
    x: np.ndarray,
    moas: np.ndarray | None,
    *,
    reads: Reads = "normalized",
    pca: PrincipalComponents | None = None,
    shrinkage: Shrinkage = 0.5,
    warp: Warp = None,
    cosine: Cosine = False,
) -> Learned:
    """Whitening by the shrunken covariance, without labels.

    L = ((1 - s) C + s (tr C / d) I)^-1/2, C the covariance and s the shrinkage.

    ZCA whitening (Kessy, Lewin and Strimmer 2018), learned from the drugs themselves, where image-based profiling often
    takes the controls. At s = 1 it is the profile but for its scale.

    Parameters
    ----------
    x : (n, n_features) profiles, normalized or annotated, as `reads` says
    moas : not looked at
    pca : None for all features
    reads, pca, shrinkage, warp, cosine : see `options`

    Raises InputError where the covariance cannot be inverted.
    """
    reference, centre, centred = prepare(standardized(x, reads), warp)
    spread = spread_of(centred) if reads == "annotated" else None
    scaled = centred if spread is None else centred / spread
    axes = np.eye(x.shape[1]) if pca is None else principal_axes(scaled, pca)
    scores = scaled @ axes.T
    root = inverse_root(shrunk(scores.T @ scores / len(x), shrinkage))
    if spread is None:
        return chain(root @ axes, centre, reference, cosine)
    return Chain(root @ axes, centre=centre, spread=spread, reference=reference, unit=cosine, reads=reads)


def spread_of(centred: np.ndarray) -> np.ndarray:
    """Standard deviation of each feature (n_features,), from rows less their mean; 1 where it does not vary."""
    spread = np.sqrt(np.square(centred).mean(axis=0))
    return np.where(spread > 0, spread, 1.0)


def replicates(x: np.ndarray, moas: np.ndarray | None, wells: Wells, *, shrinkage: Shrinkage = 0.1) -> Learned:
    """Whitening by the shrunken covariance of wells of one drug and dose, without labels; compares directions.

    L = ((1 - s) C + s (tr C / d) I)^-1/2, C the covariance of the wells within drug and dose: what differs between
    replicates is nuisance, and counts less (within-class covariance normalization; Hatch, Kajarekar and Stolcke 2006).

    Each profile is standardized, of drugs and wells, and then each feature, over the drugs.

    Parameters
    ----------
    x : (n, n_features) annotated profiles
    moas : not looked at
    wells : of these drugs, and of no others
    shrinkage : see `options`

    Raises InputError where no two wells are replicates, or their covariance cannot be inverted.
    """
    _, centre, centred = prepare(standardized(x, "annotated"), None)
    spread = spread_of(centred)
    noise = wells.residuals(standardized(wells.x, "annotated") / spread)
    root = inverse_root(shrunk(noise.T @ noise / len(noise), shrinkage))
    notes = {"wells": len(noise), "drugs_and_doses": int(wells.groups.max()) + 1}
    return Chain(root, notes, centre=centre, spread=spread, unit=True, reads="annotated")


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


def lda(
    x: np.ndarray,
    moas: np.ndarray,
    *,
    pca: PrincipalComponents = 100,
    shrinkage: Shrinkage = 0.5,
    components: Discriminants = 20,
    warp: Warp = None,
    cosine: Cosine = False,
) -> Learned:
    """Linear discriminant analysis after PCA, with shrunken covariances (Fisher 1936).

    (S_t - S_w) a = lambda S_w a, both covariances `shrunk`, as scikit-learn's solver "eigen" has it. MoAs of one drug
    say nothing of the spread within a MoA and are left out.

    Parameters
    ----------
    x : (n, n_features) normalized profiles
    moas : (n, n_moas) booleans
    pca, shrinkage, components, warp, cosine : see `options`; at shrinkage 1 nothing is learned

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


def rca(
    x: np.ndarray,
    moas: np.ndarray,
    *,
    pca: PrincipalComponents = 100,
    shrinkage: Shrinkage = 0.5,
    warp: Warp = None,
    cosine: Cosine = False,
) -> Learned:
    """Relevant components analysis after PCA: whitening by the covariance within the MoAs (Shental et al. 2002).

    L = S_w^-1/2, S_w being that covariance. With `shrinkage` 0 it is metric-learn's RCA with the MoAs for chunks, which
    is not finite at full dimension.

    Parameters and errors: as `lda`.
    """
    reference, centre, centred = prepare(x, warp)
    rows, classes = classes_of(moas)
    axes = principal_axes(centred, pca)
    within, _ = scatter(centred[rows] @ axes.T, classes)
    return chain(inverse_root(shrunk(within, shrinkage)) @ axes, centre, reference, cosine)
