"""A conditional logit (McFadden 1974): one of several alternatives is chosen by their scores, or none of them."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

RIDGE, RIDGE_NONE = 1e-3, 1e-5  # of each drug's log likelihood: none of the weights can run away


@dataclass(frozen=True)
class Logit:
    """weights : (n_scores,) of an alternative's scores; none : the constant score of "none of these"."""

    weights: np.ndarray
    none: float

    def posterior(self, scores: np.ndarray) -> np.ndarray:
        """Probability of each alternative, and last of none: (n, m, n_scores) -> (n, m + 1)."""
        return np.exp(_log_softmax(self._utility(scores)))

    def _utility(self, scores: np.ndarray) -> np.ndarray:
        return np.column_stack([scores @ self.weights, np.full(len(scores), self.none)])

    def with_none_prior(self, prior: float, fitted: float, n: int) -> "Logit":
        """For data in which the share `prior` is none of the alternatives; it was `fitted` among the n learned from."""
        least = 1 / (2 * n)
        before, after = np.clip([fitted, prior], least, 1 - least)
        return Logit(self.weights, self.none + float(np.log(after / (1 - after)) - np.log(before / (1 - before))))


def fit(scores: np.ndarray, target: np.ndarray) -> Logit:
    """The weights of greatest likelihood, with a slight ridge.

    Parameters
    ----------
    scores : (n, m, n_scores)
    target : (n, m + 1) which alternative was chosen, the last for none; a row may share 1 among several, and one of
        zeros does not count
    """
    n, _, n_scores = scores.shape
    ridge = np.append(np.full(n_scores, RIDGE), RIDGE_NONE)
    counts = target.sum(axis=1, keepdims=True)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        model = Logit(weights[:-1], weights[-1])
        log_p = _log_softmax(model._utility(scores))
        surplus = counts * np.exp(log_p) - target
        slope = np.append(np.tensordot(surplus[:, :-1], scores, axes=2), surplus[:, -1].sum()) / n
        return float((ridge * weights**2).sum() / 2 - (target * log_p).sum() / n), slope + ridge * weights

    found = minimize(loss, np.zeros(n_scores + 1), jac=True, method="L-BFGS-B").x
    return Logit(found[:-1], float(found[-1]))


def _log_softmax(utility: np.ndarray) -> np.ndarray:
    shifted = utility - utility.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
