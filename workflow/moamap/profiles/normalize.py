"""One scale for all profiles: the paper's normalization, of each profile, of each feature, or of both in turn.

The paper's formula is that of a normalization layer. Its text ("in each dimension") and its numbers (the range after
normalization, the number of communities) point to different axes; docs/reproduction.md has the evidence.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from moamap.core.errors import InputError, raise_first

STEPS = {"profile": ("profile",), "feature": ("feature",), "profile_then_feature": ("profile", "feature")}
FOLD = 1000  # features whose sizes differ by more are in natural units: pixels beside intensities
SMALL_SHARE = 0.1  # as many features may be smaller than that: some hardly vary in any table
PIECE = 2**22  # values whose statistics are computed at a time
ROUNDING = 1e-10  # what is left of a feature without variance
OPTIONS = ["axis", "scale", "epsilon", "bias"]


def feature_statistics(features: pd.DataFrame) -> pd.DataFrame:
    """Per feature: mean, variance (population) and problem ('' or missing values, infinite values, constant values)."""
    return pd.concat([_statistics(piece) for piece in _pieces(features)], ignore_index=True)


def _pieces(features):
    """Some features at a time: what is computed of each takes copies of them."""
    n_pieces = -(-max(1, features.size) // PIECE)
    for piece in np.array_split(np.arange(features.shape[1]), n_pieces):
        yield features.iloc[:, piece]


def _statistics(features):
    values = features.to_numpy(float)
    missing, infinite = np.isnan(values).any(axis=0), np.isinf(values).any(axis=0)
    constant = values.max(axis=0) == values.min(axis=0)
    usable = np.where(missing | infinite, 0.0, values)
    return pd.DataFrame(
        {
            "feature": features.columns,
            "mean": np.where(missing | infinite, np.nan, usable.mean(axis=0)),
            "variance": np.where(missing | infinite, np.nan, usable.var(axis=0)),
            "problem": np.select(
                [missing, infinite, constant], ["missing values", "infinite values", "constant values"], ""
            ),
        }
    )


def normalize(
    x: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    *,
    scale: float = 1.0,
    epsilon: float = 1e-5,
    bias: float = 0.0,
) -> np.ndarray:
    """Scale * ((x - mean) / sqrt(variance + epsilon) + bias)  (Han, Shan et al. 2021, Methods).

    Parameters
    ----------
    x : (n_drugs, n_features), raw scale
    mean, variance : (n_features,) of each feature over the drugs, or (n_drugs, 1) of each profile over its features
    """
    z = np.asarray(x) - np.asarray(mean)
    z /= np.sqrt(np.asarray(variance) + epsilon)  # in place: the profiles may be more than fits several times
    z += bias
    z *= scale
    return z


def normalize_profiles(x: ArrayLike, **options: float) -> np.ndarray:
    """Each profile by its own mean and variance (population) over its features; depends on no other drug."""
    x = np.asarray(x, float)
    normalized, together = np.empty(x.shape), max(1, PIECE // x.shape[1])
    for start in range(0, len(x), together):
        rows = slice(start, start + together)
        piece = np.ascontiguousarray(x[rows])  # the last bits of a sum depend on the order in memory
        mean, variance = piece.mean(axis=1, keepdims=True), piece.var(axis=1, keepdims=True)
        normalized[rows] = normalize(piece, mean, variance, **options)
    return normalized


def learn_normalization(
    features: pd.DataFrame,
    names: Sequence[str] | pd.Series,
    *,
    axis: str = "profile_then_feature",
    scale: float = 1.0,
    epsilon: float = 1e-5,
    bias: float = 0.0,
) -> pd.DataFrame:
    """All that `apply_normalization` needs, also for a drug that comes later: one row a feature.

    Parameters
    ----------
    features : (n_drugs, n_features) without missing, infinite or constant features
    names : (n_drugs,) of the drugs, for messages
    axis : profile (each drug over its features), feature (each feature over the drugs), or one after the other
    scale, epsilon, bias : of `normalize`, on each axis

    Returns
    -------
    frame: feature, axis, scale, epsilon, bias, and the mean and variance over the drugs that the feature step takes
    (of profiles already normalized, where that comes first; empty where there is no such step)

    Raises InputError where a profile is constant, or where profiles would show one feature only.
    """
    options = {"scale": scale, "epsilon": epsilon, "bias": bias}
    table = pd.DataFrame({"feature": features.columns, "axis": axis, **options, "mean": np.nan, "variance": np.nan})
    raise_first(normalization_problems(features, names, axis=axis))
    if "feature" in STEPS[axis]:
        values = features.to_numpy(float)
        if "profile" in STEPS[axis]:
            values = normalize_profiles(values, **options)
        table["mean"], table["variance"] = values.mean(axis=0), values.var(axis=0)
        _check_spread(table)
    return table


def apply_normalization(features: pd.DataFrame, learned: pd.DataFrame) -> np.ndarray:
    """Normalize drugs as the drugs of `learn_normalization` were: (n, n_features) in the order of `learned`.

    Parameters
    ----------
    features : at least the features of `learned`, raw scale
    learned : as `learn_normalization` gives it
    """
    axis, *numbers = learned[OPTIONS].iloc[0]
    options = dict(zip(OPTIONS[1:], numbers, strict=True))
    values = features[learned["feature"]].to_numpy(float)
    if "profile" in STEPS[axis]:
        values = normalize_profiles(values, **options)
    if "feature" in STEPS[axis]:
        values = normalize(values, learned["mean"], learned["variance"], **options)
    return values


def normalization_problems(
    features: pd.DataFrame,
    names: Sequence[str] | pd.Series,
    *,
    axis: str,
    asked: str = "",
    cure: str = "normalization.axis: feature",
) -> Iterator[str]:
    """Why these drugs cannot be normalized on this axis; parameters as of `learn_normalization`.

    `asked` is what asks for it where `normalization.axis` does not, and `cure` what to set instead.
    """
    asked = asked or f"normalization.axis: {axis}"
    if "profile" not in STEPS[axis]:
        return
    sizes = pd.concat([np.maximum(piece.median().abs(), piece.std(ddof=0)) for piece in _pieces(features)])
    small = np.quantile(sizes, SMALL_SHARE, method="lower")
    if sizes.max() > FOLD * small:  # the mean and variance of each profile would be those of its largest feature
        yield (
            f"profiles: feature {sizes.idxmax()!r} (median or standard deviation {sizes.max():.3g}) is more than "
            f"{FOLD:,} times as large as others ({small:.3g}), so that with {asked} each profile "
            f"would show this feature only; set {cure}, or bring the features to one scale before "
            "(for wells: wells.normalize)"
        )
    constant = features.max(axis=1).to_numpy() == features.min(axis=1).to_numpy()
    if constant.any():
        yield (
            f"profiles: drug {str(np.asarray(names)[constant][0])!r} has one value in all {features.shape[1]} features "
            f"({constant.sum()} such drugs), which cannot be normalized; expected profiles that vary; remove the row, "
            f"or set {cure}"
        )


def _check_spread(table):
    """With two features every normalized profile is (-1, 1) or (1, -1), so that a feature can lose its variance."""
    if (flat := table["variance"] < ROUNDING**2).any():
        raise InputError(
            f"profiles: feature {table['feature'][flat].iloc[0]!r} is constant once each profile is normalized; "
            "expected more features; set normalization.axis: feature"
        )
