"""What a representation is learned from: profiles, the features in use and, for some, the wells."""

from typing import Any

import pandas as pd

from _files import read_drugs, read_unlabelled
from moamap.representations.wells import Wells, wells_of


def read_material(files: Any) -> tuple[pd.DataFrame, pd.DataFrame, Wells | None]:
    """Ids and features of the drugs, and the replicate wells where a job has wells.

    Annotated profiles have the features that normalization left out, too; they are not used.
    """
    ids, features = read_drugs(files.profiles)
    features = features[read_normalization(files.normalization)["feature"]]
    wells = files.get("wells")
    return ids, features, wells_of(read_unlabelled(wells), ids["pert_id"], features.columns) if wells else None


def read_normalization(path: str) -> pd.DataFrame:
    """What `apply_normalization` needs, of the features in use."""
    table = read_unlabelled(path)
    return table[table["problem"].isna()]
