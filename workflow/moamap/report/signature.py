"""A drug's signature: its features as deviations from the other drugs, in groups that a person can overlook."""

import re

import numpy as np

CHANNELS = ("DNA", "Hoechst", "ER", "RNA", "Syto", "AGP", "Ph_golgi", "Mito", "Brightfield")
NO_CHANNEL, SEVERAL = "no channel", "several channels"
_CHANNEL = re.compile(rf"(?<![A-Za-z])({'|'.join(CHANNELS)})(?![A-Za-z])")
_CELLPROFILER = re.compile(r"(Cells|Cytoplasm|Nuclei)_([A-Za-z]+)_")
LIMIT = 12.7  # deviations are cut off here


def group_of(feature: str) -> tuple[str, str, str]:
    """Compartment, measurement and channel of a feature by CellProfiler's grammar of names; another name is in the
    group of other features.
    """
    found = _CELLPROFILER.match(feature)
    if not found:
        return "Other", "features", NO_CHANNEL
    channels = set(_CHANNEL.findall(feature))
    return found[1], found[2], channels.pop() if len(channels) == 1 else SEVERAL if channels else NO_CHANNEL


def deviations(x: np.ndarray, n_reference: int) -> np.ndarray:
    """How far each value is from the feature's median, in robust standard deviations (1.4826 times the median absolute
    deviation; the standard deviation where that is 0), cut off at `LIMIT`.

    Parameters
    ----------
    x : (n, d); a row of NaN stays so
    n_reference : the median and the deviation are those of the first so many rows

    Returns
    -------
    (n, d) float32
    """
    known = x[:n_reference]
    centre = np.median(known, axis=0)
    spread = 1.4826 * np.median(np.abs(known - centre), axis=0)
    spread = np.where(spread > 0, spread, known.std(axis=0))
    found = (x - centre) / np.where(spread > 0, spread, 1)
    return np.clip(found, -LIMIT, LIMIT).astype(np.float32)


def signature(z: np.ndarray, features: list[str]) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """The mean deviation (n, n_groups) of each group of features, and the groups: compartment, measurement, channel."""
    names = [group_of(feature) for feature in features]
    order = {channel: place for place, channel in enumerate((*CHANNELS, SEVERAL, NO_CHANNEL))}
    groups = sorted(set(names), key=lambda group: (*group[:2], order[group[2]]))
    number = np.array([groups.index(name) for name in names])
    return groups, np.column_stack([z[:, number == place].mean(axis=1) for place in range(len(groups))])
