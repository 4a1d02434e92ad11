"""A procedure from the profiles and the config, for the scripts that repeat it."""

import numpy as np
import pandas as pd

from moamap.procedure import Procedure
from moamap.profiles import membership
from scripts.files import read_drugs


def procedure_of(
    profiles: str, *, representation: dict, communities: dict, crossfit: dict, min_drugs: int, alpha: float, moa: str
) -> tuple[pd.DataFrame, np.ndarray, Procedure]:
    """The drugs, their MoAs (n, n_moas) and the procedure of a representation; the keywords are the config's."""
    ids, features = read_drugs(profiles)
    moas = membership(ids["moa"], moa).to_numpy()
    parameters = dict(representation)
    procedure = Procedure(
        x=np.ascontiguousarray(features.to_numpy(float)),  # a frame's columns lie together; rows are taken here
        tested=moas.sum(axis=0) >= min_drugs,
        method=parameters.pop("method"),
        parameters=parameters,
        communities=communities,
        alpha=alpha,
        n_folds=crossfit["folds"],
        n_splits=crossfit["splits"],
        seed=crossfit["seed"],
    )
    return ids, moas, procedure
