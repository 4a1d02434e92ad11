"""Labels: who has which MoA, who shares one, and how drugs are dealt into folds by them."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components


def membership(moa: pd.Series, policy: str) -> pd.DataFrame:
    """Drug x MoA table of booleans, columns sorted: `whole` takes a MoA string as one label, `split` cuts it at `|`.

    Spaces around the parts do not count, and an empty part (`a||b`, `|a`) is no MoA.
    """
    labels = moa.map(parts) if policy == "split" else moa.map(lambda label: [label])
    long = labels.explode()
    return pd.crosstab(long.index, long).reindex(moa.index).gt(0).rename_axis(None)


def parts(label: str) -> list[str]:
    """The MoAs of a label that names several, separated by `|`."""
    return [part.strip() for part in label.split("|") if part.strip()]


def lookalikes(labels: Iterable[str]) -> list[list[str]]:
    """Groups of labels that differ only in case or spaces, each group and the groups sorted."""
    groups: dict[str, set[str]] = {}
    for label in labels:
        groups.setdefault("".join(label.casefold().split()), set()).add(label)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def sharing(moas: np.ndarray) -> np.ndarray:
    """Which drugs share a MoA: (n, n_moas) booleans -> (n, n) booleans."""
    return moas.astype(np.float32) @ moas.T.astype(np.float32) > 0


def label_sets(moas: np.ndarray) -> np.ndarray:
    """A number for each drug's set of MoAs, equal where the sets are: (n, n_moas) booleans -> (n,)."""
    return np.unique(moas, axis=0, return_inverse=True)[1].ravel()


def folds_by_moa(labels: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Deal the drugs into folds, those of one label set as evenly as can be: (n,) label sets -> (n,) folds."""
    shuffled = rng.permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    folds = np.empty(len(labels), dtype=int)
    folds[order] = (np.arange(len(labels)) + rng.integers(n_folds)) % n_folds
    return folds


def moa_groups(moas: np.ndarray) -> np.ndarray:
    """A number for each drug, equal where a chain of drugs that share a MoA joins them: (n, n_moas) booleans -> (n,).

    Where every drug has one MoA these are the MoAs. It belongs to the MoAs and goes with them when labels are permuted.
    """
    together = moas.T.astype(np.float32) @ moas.astype(np.float32) > 0
    return connected_components(together, directed=False)[1][moas.argmax(axis=1)]


def folds_of_moas(groups: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Deal whole groups (of `moa_groups`) into folds of about equal size, the largest first: (n,) -> (n,) folds.

    No MoA is then in two folds.
    """
    sizes = np.bincount(groups)
    fold_of, filled = np.empty(len(sizes), dtype=int), np.zeros(n_folds, dtype=int)
    shuffled = rng.permutation(len(sizes))
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += sizes[group]
    return fold_of[groups]
