"""Wells as a source of what differs without meaning: the replicates of one drug and dose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from moamap.core.errors import InputError


@dataclass(frozen=True)
class Wells:
    """Replicate wells of the drugs that are learned from.

    Parameters
    ----------
    x : (m, n_features) normalized to their plates, finite
    drugs : (m,) the row of each well's drug among the profiles
    groups : (m,) number of its drug and dose, from 0, each of two wells or more
    """

    x: np.ndarray
    drugs: np.ndarray
    groups: np.ndarray

    def of(self, rows: np.ndarray) -> "Wells":
        """The wells of some of the drugs, which become rows 0, 1, ... in this order."""
        kept = np.isin(self.drugs, rows)
        place = np.full(max(self.drugs.max(initial=0), np.max(rows)) + 1, -1)
        place[rows] = np.arange(len(rows))
        groups = np.unique(self.groups[kept], return_inverse=True)[1]
        return Wells(self.x[kept], place[self.drugs[kept]], groups)

    def residuals(self, values: np.ndarray) -> np.ndarray:
        """Values of the wells (m, d) less the mean of their drug and dose; InputError where there are no wells."""
        if not len(values):
            raise InputError(
                "representations: no drug has two wells of one dose, so nothing can be learned from replicates; leave "
                "the representation out"
            )
        sums = np.zeros((self.groups.max() + 1, values.shape[1]))
        np.add.at(sums, self.groups, values)
        return values - (sums / np.bincount(self.groups)[:, None])[self.groups]


def wells_of(table: pd.DataFrame, ids: Sequence[str], features: Sequence[str]) -> Wells:
    """The replicate wells of drugs: those without missing values, of a drug and dose that has two or more.

    Parameters
    ----------
    table : pert_id, is_control, features and, where there are doses, dose, as `profiles.wells` gives them
    ids : (n,) pert_id of each drug; several, joined by |, where compounds of one name were made one drug
    features : those of the profiles
    """
    owner = {part: row for row, whole in enumerate(ids) for part in (*whole.split("|"), whole)}
    treated = table[~table["is_control"].astype(bool) & table["pert_id"].isin(list(owner))]
    values = treated[list(features)].to_numpy(float)
    usable = np.isfinite(values).all(axis=1) & (values != values[:, :1]).any(axis=1)
    treated, values = treated[usable], values[usable]
    group = treated.groupby([role for role in ("pert_id", "dose") if role in treated]).ngroup().to_numpy()
    repeated = np.bincount(group, minlength=1)[group] > 1
    drugs = treated["pert_id"].map(owner).to_numpy(int)[repeated]
    return Wells(values[repeated], drugs, np.unique(group[repeated], return_inverse=True)[1])
