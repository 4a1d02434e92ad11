"""What a representation gives: a map that was learned, and can be applied to drugs it has not seen."""

from dataclasses import dataclass, field

import numpy as np

from moamap.core.numerics import squared_euclidean

CONTRACTED = 1e-6  # least share that is left of a squared distance: eps over it is the relative error accepted


@dataclass(frozen=True)
class Learned:
    """A linear map: components L (n_dims, n_features), so that the learned metric is M = L'L."""

    components: np.ndarray
    notes: dict = field(default_factory=dict)  # what the method has to say of itself; `warning` is said aloud

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

    directions: np.ndarray = None  # V (n_directions, n_features)
    weights: np.ndarray = None  # w (n_directions,)

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
