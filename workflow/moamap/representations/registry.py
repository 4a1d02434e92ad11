"""The registry of representations: a new one is one function, and one line in METHODS.

A function takes the profiles (n_drugs, n_features), normalized unless its option `reads` says otherwise, and the drug x
MoA table of booleans (which only a supervised one looks at), and returns what it has learned: a map that also embeds
drugs it has not seen. Its keyword-only parameters are the options of the config; `make schema` writes their schema,
defaults and table of options.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from moamap.core.errors import InputError
from moamap.representations import alternatives, paper
from moamap.representations.base import Learned
from moamap.representations.options import parameters_schema
from moamap.representations.wells import Wells


@dataclass(frozen=True)
class Method:
    """A representation's function, whether it looks at the MoAs, and whether it learns from wells as well.

    What learns from wells takes them third, and reads annotated profiles, which are on their scale.
    """

    learn: Callable[..., Learned]
    supervised: bool
    wells: bool = False

    @property
    def defaults(self) -> dict[str, Any]:
        """The parameters that a config may set, with their defaults."""
        return {name: rule["default"] for name, rule in parameters_schema(self.learn).items()}

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.learn) or "").split("\n")[0]


METHODS = {
    "raw": Method(paper.raw, supervised=False),
    "pca": Method(paper.pca, supervised=False),
    "itml": Method(paper.itml, supervised=True),
    "spherize": Method(alternatives.spherize, supervised=False),
    "replicates": Method(alternatives.replicates, supervised=False, wells=True),
    "lda": Method(alternatives.lda, supervised=True),
    "rca": Method(alternatives.rca, supervised=True),
}


def learn(
    method: str, x: np.ndarray, moas: np.ndarray | None, wells: Wells | None = None, **parameters: Any
) -> Learned:
    """Learn the map of a registered method from profiles (n, n_features), labels (n, n_moas), which only a supervised
    one looks at, and wells, where it learns from them; raises InputError where the result is not finite.
    """
    material = (x, moas, wells) if METHODS[method].wells else (x, moas)
    learned = METHODS[method].learn(*material, **parameters)
    if not all(np.isfinite(array).all() for array in learned.arrays().values()):
        raise InputError(
            f"representations: {method} gave values that are not finite; drugs with identical profiles and different "
            "MoAs can cause this"
        )
    return learned


def schema() -> dict:
    """The JSON schema of one representation of the config: the methods, and the parameters that each of them takes."""
    return {
        "description": "a method and its parameters; those left out take their defaults",
        "type": "object",
        "required": ["method"],
        "properties": {"method": {"description": "how the profiles are represented", "enum": list(METHODS)}},
        "allOf": [_schema_of(name, method) for name, method in METHODS.items()],
    }


def _schema_of(name: str, method: Method) -> dict:
    """The branch of the schema that holds for one method."""
    return {
        "x-supervised": method.supervised,  # the workflow cross-fits these
        **({"x-wells": True} if method.wells else {}),  # and gives these the wells
        "if": {"required": ["method"], "properties": {"method": {"const": name}}},
        "then": {
            "description": method.summary,
            "additionalProperties": False,
            "properties": {"method": True, **parameters_schema(method.learn)},
        },
    }
