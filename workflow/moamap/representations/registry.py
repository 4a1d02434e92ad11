"""The registry of representations: a new one is one function, and one line here and in the config's schema.

A function takes the normalized profiles (n_drugs, n_features) and the drug x MoA table of booleans (which only a
supervised one looks at), and returns what it has learned: a map that also embeds drugs it has not seen.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from moamap.core.errors import InputError
from moamap.representations import alternatives, paper
from moamap.representations.base import Learned


@dataclass(frozen=True)
class Method:
    """A representation's function, and whether it looks at the MoAs."""

    learn: Callable[..., Learned]
    supervised: bool

    @property
    def defaults(self) -> dict:
        """The parameters that a config may set, with their defaults."""
        parameters = inspect.signature(self.learn).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


METHODS = {
    "raw": Method(paper.raw, supervised=False),
    "pca": Method(paper.pca, supervised=False),
    "itml": Method(paper.itml, supervised=True),
    "spherize": Method(alternatives.spherize, supervised=False),
    "lda": Method(alternatives.lda, supervised=True),
    "rca": Method(alternatives.rca, supervised=True),
}


def learn(method: str, x: np.ndarray, moas: np.ndarray | None, **parameters) -> Learned:
    """Learn the map of a registered method from profiles (n, n_features) and labels (n, n_moas), which a method that is
    not supervised does not look at; raises InputError where the result is not finite.
    """
    learned = METHODS[method].learn(x, moas, **parameters)
    if not all(np.isfinite(array).all() for array in learned.arrays().values()):
        raise InputError(
            f"representations: {method} gave values that are not finite, as drugs with identical profiles and "
            "different MoAs make it do"
        )
    return learned
