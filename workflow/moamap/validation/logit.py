"""A conditional logit (McFadden 1974) with lapses: one of several alternatives is chosen by its scores, or none."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit, softmax

RIDGE, RIDGE_OTHERS = 1e-3, 1e-5  # of each drug's log likelihood: none of the weights can run away
FEW = -4.0  # log odds of a lapse that the fit begins with


@dataclass(frozen=True)
class Logit:
    """weights : (n_scores,) of an alternative's scores, the first being the log of its size
    none : the constant score of "none of these"
    lapse : share of the choices that the scores say nothing about, as a wrong label or a drug that changes no feature:
        there the alternatives have the probability of their size, and none has `none_share`
    """

    weights: np.ndarray
    none: float
    lapse: float
    none_share: float

    def posterior(self, scores: np.ndarray) -> np.ndarray:
        """Probability of each alternative, and last of none: (n, m, n_scores) -> (n, m + 1)."""
        chosen = softmax(_utility(scores, self.weights, self.none), axis=1)
        return (1 - self.lapse) * chosen + self.lapse * by_size(scores, self.none_share)

    def with_none_prior(self, prior: float, n: int) -> "Logit":
        """For data in which the share `prior` is none of the alternatives; the n learned from had `none_share`."""
        least = 1 / (2 * n)
        before, after = np.clip([self.none_share, prior], least, 1 - least)
        return Logit(self.weights, self.none + float(logit(after) - logit(before)), self.lapse, prior)


def by_size(scores: np.ndarray, none_share: float) -> np.ndarray:
    """Probabilities by the sizes alone: (n, m, n_scores), the first score being the log of the size -> (n, m + 1)."""
    sized = (1 - none_share) * softmax(scores[:, :, 0], axis=1)
    return np.column_stack([sized, np.full(len(scores), none_share)])


def fit(scores: np.ndarray, target: np.ndarray) -> Logit:
    """The weights of greatest likelihood, with a slight ridge.

    Parameters
    ----------
    scores : (n, m, n_scores)
    target : (n, m + 1) which alternative was chosen, the last for none; a row may share 1 among several, and one of
        zeros does not count
    """
    n, _, n_scores = scores.shape
    ridge = np.append(np.full(n_scores, RIDGE), [RIDGE_OTHERS, RIDGE_OTHERS])
    none_share = float(target[:, -1].sum() / max(target.sum(), 1))
    sized = by_size(scores, none_share)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the mean log likelihood, with the ridge, and its gradient; w ends with `none` and the lapse's logit."""
        chosen, lapse = softmax(_utility(scores, w[:-2], w[-2]), axis=1), expit(w[-1])
        p = np.maximum((1 - lapse) * chosen + lapse * sized, np.finfo(float).tiny)
        by_p = target / p
        pull = (1 - lapse) * chosen * by_p
        pull -= chosen * pull.sum(axis=1, keepdims=True)  # through the softmax
        slope = np.append(np.tensordot(pull[:, :-1], scores, axes=2), pull[:, -1].sum())
        slope = np.append(slope, lapse * (1 - lapse) * (by_p * (sized - chosen)).sum())
        return float((ridge * w**2).sum() / 2 - (target * np.log(p)).sum() / n), ridge * w - slope / n

    found = minimize(loss, np.append(np.zeros(n_scores + 1), FEW), jac=True, method="L-BFGS-B").x
    return Logit(found[:-2], float(found[-2]), float(expit(found[-1])), none_share)


def _utility(scores: np.ndarray, weights: np.ndarray, none: float) -> np.ndarray:
    return np.column_stack([scores @ weights, np.full(len(scores), none)])
