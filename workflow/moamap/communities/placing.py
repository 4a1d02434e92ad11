"""New compounds on a finished map: their nearest drugs, community and position, by what the study has learned.

Nothing is learned again: a compound is normalized, embedded and compared as the drugs of the study were, and the study
does not change. A label of a new compound is never used, so a supervised metric may place it. Among the drugs
themselves such a metric is in-sample: it has drawn drugs of one MoA together, so that their distances are shorter than
a new compound's can be, and `novelty` and `association` then err towards "far".
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from moamap.core.errors import InputError
from moamap.profiles.normalize import STEPS, apply_normalization
from moamap.representations.base import Learned

OUTSIDE = 0.99  # novelty above which a compound is outside what the reference has seen
POSITION_DRUGS = 5  # nearest drugs that a position on the t-SNE map is made from
REFERENCE_DRUGS = 20_000  # drugs whose distances to all others stand for those of all pairs, where there are more
ROWS = 256  # compared with all drugs at a time


@dataclass(frozen=True)
class Reference:
    """A finished map of one representation.

    Parameters
    ----------
    drugs : drug, moa, community, is_exemplar, x, y, one row per drug
    embedding : (n_drugs, n_dims) in the same order
    normalization : as `normalize.learn_normalization` gives it
    learned : the map from profiles, normalized or annotated, to the embedding
    """

    drugs: pd.DataFrame
    embedding: np.ndarray
    normalization: pd.DataFrame
    learned: Learned


def place(
    compounds: pd.DataFrame, features: pd.DataFrame, reference: Reference, *, neighbours: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Place compounds on a finished map.

    Parameters
    ----------
    compounds : compound (a name of its own) and what else is known, one row per compound
    features : (n, n_features) raw profiles with at least the features of the reference
    neighbours : nearest drugs to list for each compound, at most all

    Returns
    -------
    placed : the columns of `compounds`, then (empty for a compound that is `unusable`)
        community, exemplar, distance_to_exemplar : of the nearest exemplar, as in affinity propagation
        nearest_drug, nearest_moa, distance : of the nearest drug
        novelty : share of the drugs that are closer to their own nearest drug than the compound is to its
        outside : whether the compound is outside what the reference has seen: novelty above 0.99
        x, y : on the t-SNE map, the median position of the 5 nearest drugs (openTSNE's start for new points, without
            the optimization that follows there: compounds are placed among drugs, not among each other)
    nearest : compound, rank, drug, moa, distance, association: the share of the reference's pairs that are farther
        apart (`pair_shares`); both are float32

    Raises InputError where features of the reference are missing.
    """
    check_features(features, reference.normalization)
    centre = reference.embedding.mean(axis=0)
    usable, index, distance, *of_exemplar = _compared(features, reference, centre, max(neighbours, POSITION_DRUGS))
    shares, own_nearest = pair_shares(reference.embedding - centre, distance[:, :neighbours])
    novelty = np.searchsorted(np.sort(own_nearest), distance[:, 0]) / len(own_nearest)
    found = _described(reference.drugs, index, distance[:, 0], *of_exemplar)
    found.insert(6, "novelty", novelty)
    found.insert(7, "outside", pd.array(novelty > OUTSIDE, dtype="boolean"))
    found = found.set_axis(usable).reindex(range(len(compounds)))
    names = compounds["compound"].to_numpy()[usable]
    listed = _listed(names, reference.drugs, index[:, :neighbours], distance[:, :neighbours], shares)
    return pd.concat([compounds.reset_index(drop=True), found], axis=1), listed


def _compared(
    features: pd.DataFrame, reference: Reference, centre: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The rows (n,) of usable profiles; their k nearest drugs (n, k) and the distances of these; their nearest exemplar
    (n,) and its distance.
    """
    centred, k = reference.embedding - centre, min(k, len(reference.embedding))
    exemplars = np.flatnonzero(reference.drugs["is_exemplar"])
    blocks = []
    for start in range(0, max(len(features), 1), ROWS):  # once where there is no profile, for tables without rows
        profiles = features.iloc[start : start + ROWS]
        usable = ~unusable(profiles, reference.normalization, reference.learned)
        embedded = embed(profiles[usable], reference.normalization, reference.learned)
        distance = distances(embedded - centre, centred)
        index = nearest(distance, k)
        exemplar = exemplars[distance[:, exemplars].argmin(axis=1)]
        to_exemplar = distance[np.arange(len(distance)), exemplar]
        near = np.take_along_axis(distance, index, axis=1)
        blocks.append((start + np.flatnonzero(usable), index, near, exemplar, to_exemplar))
    rows, index, near, exemplar, to_exemplar = map(np.concatenate, zip(*blocks, strict=True))
    return rows, index, near, exemplar, to_exemplar


def _described(
    drugs: pd.DataFrame, index: np.ndarray, distance: np.ndarray, exemplar: np.ndarray, to_exemplar: np.ndarray
) -> pd.DataFrame:
    """What the table of placed compounds says of their community, nearest drug and position."""
    position = np.median(drugs[["x", "y"]].to_numpy()[index[:, :POSITION_DRUGS]], axis=1)
    return pd.DataFrame(
        {
            "community": pd.array(drugs["community"].to_numpy()[exemplar], dtype="Int64"),
            "exemplar": drugs["drug"].to_numpy()[exemplar],
            "distance_to_exemplar": to_exemplar,
            "nearest_drug": drugs["drug"].to_numpy()[index[:, 0]],
            "nearest_moa": drugs["moa"].to_numpy()[index[:, 0]],
            "distance": distance,
            "x": position[:, 0],
            "y": position[:, 1],
        }
    )


def _listed(
    names: np.ndarray, drugs: pd.DataFrame, index: np.ndarray, distance: np.ndarray, shares: np.ndarray
) -> pd.DataFrame:
    """The nearest drugs (n, k) of the named compounds, one row per compound and rank."""
    n, k = index.shape
    moas = drugs["moa"].astype("category").cat
    return pd.DataFrame(
        {
            "compound": pd.Categorical.from_codes(np.repeat(np.arange(n), k), names),
            "rank": np.tile(np.arange(1, k + 1, dtype=np.int16), n),
            "drug": pd.Categorical.from_codes(index.ravel(), drugs["drug"]),
            "moa": pd.Categorical.from_codes(moas.codes.to_numpy()[index.ravel()], moas.categories),
            "distance": distance.ravel(),
            "association": shares.ravel(),
        }
    )


def check_features(features: pd.DataFrame, normalization: pd.DataFrame) -> None:
    """Raise InputError unless all features that the reference was made from are there, by their names."""
    missing = [name for name in normalization["feature"] if name not in features]
    if missing:
        raise InputError(
            f"profiles: {len(missing)} of the reference's {len(normalization)} features are missing (the first: "
            f"{missing[0]!r}); expected all of them, under the same names"
        )


def embed(features: pd.DataFrame, normalization: pd.DataFrame, learned: Learned) -> np.ndarray:
    """Raw profiles as a map embeds them, by way of what it reads: (n, at least its features) -> (n, n_dims)."""
    if learned.reads == "annotated":
        return learned.transform(features[normalization["feature"]].to_numpy(float))
    return learned.transform(apply_normalization(features, normalization))


def unusable(features: pd.DataFrame, normalization: pd.DataFrame, learned: Learned) -> np.ndarray:
    """Compounds (n,) that cannot be normalized: those with a missing or infinite value in a feature of the reference
    and, where each profile is normalized by itself or by the map, those with the same value in all of them.
    """
    values = features[normalization["feature"]].to_numpy(float)
    bad = ~np.isfinite(values).all(axis=1)
    if learned.reads == "annotated" or "profile" in STEPS[normalization["axis"].iloc[0]]:
        bad |= values.max(axis=1) == values.min(axis=1)
    return bad


def distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Euclidean distances (n, n_y) of the rows of x and y, from float64 products rounded to float32; both are taken
    relative to the mean of y, or |x|^2 + |y|^2 - 2 x'y would lose digits.
    """
    squared = x @ y.T
    squared *= -2
    squared += np.square(x).sum(axis=1)[:, None]
    squared += np.einsum("ij,ij->i", y, y)
    return np.sqrt(np.maximum(squared, 0, out=squared), out=squared).astype(np.float32)


def nearest(distance: np.ndarray, k: int) -> np.ndarray:
    """Columns (n, k) of the k least distances in each row, least first, equal ones in the order of the columns."""
    limit = np.partition(distance, k - 1, axis=1)[:, [k - 1]]
    row, column = np.nonzero(distance <= limit)
    order = np.lexsort((distance[row, column], row))  # stable
    first = np.searchsorted(row, np.arange(len(distance)))
    return column[order][first[:, None] + np.arange(k)]


def pair_shares(embedding: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of the reference's pairs that are farther apart than each distance, plus half of those as far apart.

    The pairs are all pairs of drugs; above `REFERENCE_DRUGS`, the pairs of so many evenly spaced drugs with any other.

    Parameters
    ----------
    embedding : (n_drugs, n_dims), centred
    distance : of any shape, float32

    Returns
    -------
    shares : as `distance`, float32
    own_nearest : of each of these drugs, the distance to its nearest other drug
    """
    drugs = np.unique(np.linspace(0, len(embedding) - 1, min(len(embedding), REFERENCE_DRUGS)).astype(int))
    values, which = np.unique(distance, return_inverse=True)
    not_farther, own_nearest = np.zeros(len(values)), []  # counts, to the half
    for start in range(0, len(drugs) if len(values) else 1, ROWS):
        rows = drugs[start : start + ROWS]
        found = distances(embedding[rows], embedding)
        found[np.arange(len(rows)), rows] = np.inf  # no drug is its own neighbour
        own_nearest.append(found.min(axis=1))
        ordered = np.sort(found, axis=None)
        not_farther += (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
    shares = 1 - not_farther / (len(drugs) * (len(embedding) - 1))
    return shares[which].reshape(distance.shape).astype(np.float32), np.concatenate(own_nearest)
