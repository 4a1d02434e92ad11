"""What a representation gives: a map that was learned, and can be applied to drugs it has not seen."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from moamap.core.errors import InputError
from moamap.core.numerics import squared_euclidean
from moamap.profiles.normalize import normalize_profiles

CONTRACTED = 1e-6  # least share that is left of a squared distance: eps over it is the relative error accepted


@dataclass(frozen=True)
class Learned:
    """A linear map: components L (n_dims, n_features), so that the learned metric is M = L'L.

    `reads` says of which profiles it is: those after normalization, or the annotated ones before it.
    """

    components: np.ndarray
    notes: dict[str, Any] = field(default_factory=dict)  # what the method reports of itself; `warning` is logged
    reads: str = field(default="normalized", kw_only=True)  # or "annotated"

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

    directions: np.ndarray = field(kw_only=True)  # V (n_directions, n_features)
    weights: np.ndarray = field(kw_only=True)  # w (n_directions,)

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learned, to be saved."""
        return super().arrays() | {"directions": self.directions, "weights": self.weights}

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


@dataclass(frozen=True)
class Chain(Learned):
    """A map that is not linear: normal scores, centring, scaling, the linear part, unit length.

    Where it reads annotated profiles, each is first standardized over its features.

    Euclidean distance of rows of unit length ranks as cosine distance does: squared, it is 2 (1 - cosine).
    """

    centre: np.ndarray = field(kw_only=True)  # (n_features,)
    spread: np.ndarray | None = field(
        default=None, kw_only=True
    )  # (n_features,) that the centred features are divided by
    reference: np.ndarray | None = field(default=None, kw_only=True)  # (n_learned, n_features), each feature sorted
    unit: bool = field(default=False, kw_only=True)  # bring every embedded row to length 1

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Embed profiles, also of drugs that were not learned from: (n, n_features) -> (n, n_dims)."""
        profiles = standardized(x, self.reads)
        scores = profiles if self.reference is None else normal_scores(profiles, self.reference)
        centred = scores - self.centre
        embedded = (centred if self.spread is None else centred / self.spread) @ self.components.T
        return unit_rows(embedded) if self.unit else embedded

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learned, to be saved; `reference` where there are normal scores, `spread` where it scales."""
        found = super().arrays() | {"centre": self.centre, "unit": np.array(self.unit)}
        optional = {"reference": self.reference, "spread": self.spread}
        return found | {name: array for name, array in optional.items() if array is not None}


def standardized(x: np.ndarray, reads: str) -> np.ndarray:
    """What a `Chain` begins with: normalized profiles as they are, annotated ones each at mean 0 and variance 1."""
    return normalize_profiles(x, epsilon=0) if reads == "annotated" else np.asarray(x)


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


def save(learned: Learned, path: str | Path, features: Sequence[str]) -> None:
    """Save a map and the names of its features, in their order, as a compressed .npz: `components` and, where the map
    has them, `directions` and `weights`, or `centre`, `unit`, `spread` and `reference`; and which profiles it `reads`.
    The notes are not saved.
    """
    arrays: dict[str, Any] = {
        **learned.arrays(),
        "reads": np.array(learned.reads),
        "features": np.asarray(features, dtype=str),
    }
    np.savez_compressed(path, **arrays)


def load(path: str | Path) -> tuple[Learned, list[str]]:
    """The map that `save` saved, to embed new drugs by, and the names of the features that it expects, in their order.

    Raises InputError where the file is not such a map, or is truncated.
    """
    try:
        with np.load(path) as saved:
            arrays = dict(saved)
        features = arrays.pop("features").tolist()
        reads = str(arrays.pop("reads", "normalized"))  # older maps do not say
        if "unit" in arrays:
            return Chain(**arrays | {"unit": bool(arrays["unit"])}, reads=reads), features
        return (Corrected if "weights" in arrays else Learned)(**arrays, reads=reads), features
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: cannot be read as a learned representation ({error}); delete the file to have it made again"
        ) from error
