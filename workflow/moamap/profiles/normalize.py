"""One scale for all features: the paper's normalization, and what it is taken from."""

import numpy as np
import pandas as pd


def feature_statistics(features: pd.DataFrame) -> pd.DataFrame:
    """Per feature: mean, variance (population) and problem ('' or missing values, infinite values, constant values)."""
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


def normalize(x, mean, variance, *, scale=1.0, epsilon=1e-5, bias=0.0) -> np.ndarray:
    """Scale * ((x - mean) / sqrt(variance + epsilon) + bias), feature by feature (Han, Shan et al. 2021, Methods).

    Parameters
    ----------
    x : (n_drugs, n_features), raw scale
    mean, variance : (n_features,), of the drugs that the scale is taken from
    """
    return scale * ((np.asarray(x) - np.asarray(mean)) / np.sqrt(np.asarray(variance) + epsilon) + bias)
