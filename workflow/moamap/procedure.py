"""The whole procedure of a representation for one labelling of the drugs: what the nulls repeat."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from moamap.candidates import closeness, false_discovery_rate, nearness_p
from moamap.communities import communities_of
from moamap.crossfit import crossfit, folds_by_moa, folds_of_moas, moa_groups
from moamap.errors import InputError
from moamap.nulls import enrichment_p
from moamap.registry import METHODS, learn
from moamap.representations import Learned, sharing, squared_euclidean
from moamap.retrieval import Ranking, average_precision, mean_by_moa, rank

LABEL_FREE, IN_SAMPLE, CROSSFIT = "label-free", "in-sample", "cross-fitted"
HELD_OUT_DRUGS, HELD_OUT_MOAS = "held-out drugs", "held-out MoAs"
HOW = {  # gallery and metric of each way to score a retrieval
    LABEL_FREE: "every drug against all others; no label was used",
    IN_SAMPLE: "every drug against all others, by the metric learned from all labels",
    CROSSFIT: "every drug against all others; each pair by metrics learned without the folds of both",
    HELD_OUT_DRUGS: "the drugs of a fold against all others, by the metric learned without that fold",
    HELD_OUT_MOAS: "the drugs of a fold of MoAs against the others of it, by the metric learned without those MoAs",
}


@dataclass(frozen=True)
class Procedure:
    """A representation, and all that stays as it is while labels are permuted.

    x : (n, n_features) normalized profiles; tested : (n_moas,) MoAs of enough drugs for enrichment
    """

    x: np.ndarray
    tested: np.ndarray
    method: str
    parameters: dict = field(default_factory=dict)
    communities: dict = field(default_factory=dict)
    alpha: float = 0.01
    n_folds: int = 4
    n_splits: int = 5
    seed: int = 0

    @property
    def supervised(self) -> bool:
        """Whether the representation looks at labels."""
        return METHODS[self.method].supervised

    @property
    def takes_seed(self) -> bool:
        """Whether the representation draws anything."""
        return "seed" in METHODS[self.method].defaults

    @cached_property
    def base(self) -> np.ndarray:
        """(n, n) squared Euclidean distances of the profiles."""
        return squared_euclidean(self.x)

    def learn(self, x: np.ndarray, moas: np.ndarray) -> Learned:
        """Learn from some of the drugs."""
        return learn(self.method, x, moas, **self.parameters)

    def folds(self, labels: np.ndarray) -> np.ndarray:
        """(n_splits, n) folds for cross-fitting; `labels` as `label_sets` gives them."""
        rng = np.random.default_rng(self.seed)
        return np.array([folds_by_moa(labels, self.n_folds, rng) for _ in range(self.n_splits)])

    def crossfit(self, moas: np.ndarray, folds: np.ndarray) -> np.ndarray:
        """Cross-fitted squared distances (n, n)."""
        return crossfit(self.x, moas, self.learn, folds, self.base)

    @cached_property
    def _label_free(self) -> tuple[np.ndarray, Ranking]:
        """Communities and ranking of a representation that no label touches: made once."""
        squared = self.learn(self.x, None).squared_distances(self.x, self.base)
        everyone = np.arange(len(self.x))
        return communities_of(-squared, **self.communities).numbers, rank(squared, everyone, everyone)

    def score(self, moas: np.ndarray, labels: np.ndarray) -> dict[str, dict]:
        """Everything that is claimed of this labelling, by way of scoring.

        Parameters
        ----------
        moas : (n, n_moas) booleans
        labels : (n,) its label sets, as `crossfit.label_sets` gives them
        """
        shared = sharing(moas)
        if not self.supervised:
            numbers, ranking = self._label_free
            return {LABEL_FREE: self._claims(numbers, ranking, moas) | retrieval([ranking], shared, moas)}
        everyone = np.arange(len(self.x))
        scores = {}
        for way, squared in ((IN_SAMPLE, self.in_sample(moas)), (CROSSFIT, self.crossfit(moas, self.folds(labels)))):
            numbers = communities_of(-squared, **self.communities).numbers
            ranking = rank(squared, everyone, everyone)
            scores[way] = self._claims(numbers, ranking, moas) | retrieval([ranking], shared, moas)
        draw = np.random.default_rng
        drugs = folds_by_moa(labels, self.n_folds, draw(self.seed))
        whole_moas = folds_of_moas(moa_groups(moas), self.n_folds, draw(self.seed))
        scores[HELD_OUT_DRUGS] = retrieval(self._held_out(moas, drugs, within=False), shared, moas)
        scores[HELD_OUT_MOAS] = retrieval(self._held_out(moas, whole_moas, within=True), shared, moas)
        return scores

    def in_sample(self, moas: np.ndarray) -> np.ndarray:
        """Squared distances (n, n) of the metric learned from all labels."""
        return self.learn(self.x, moas).squared_distances(self.x, self.base)

    def _held_out(self, moas, folds, within):
        everyone = np.arange(len(self.x))
        rankings = []
        for fold in range(self.n_folds):
            queries = np.flatnonzero(folds == fold)
            try:
                learned = self.learn(self.x[folds != fold], moas[folds != fold])
            except InputError:  # too few MoAs are left to learn from; the drugs of this fold get no score
                continue
            squared = learned.squared_distances(self.x, self.base)
            rankings.append(rank(squared, queries, queries if within else everyone))
        return rankings

    def _claims(self, numbers, ranking, moas):
        p, k = enrichment_p(numbers, moas[:, self.tested])
        enriched = p < self.alpha
        found = int(enriched.any(axis=0).sum())
        tested = moas[:, self.tested]
        q = false_discovery_rate(nearness_p(closeness(ranking), tested), tested)
        return {
            "Clustering Number": int(numbers.max()),
            "Enrichment Number": found,
            "Enrichment Expectation": found / int(numbers.max()),
            "singleton communities": int((np.bincount(numbers)[1:] == 1).sum()),
            "MoAs enriched with k >= 2": int((enriched & (k >= 2)).any(axis=0).sum()),
            "communities with any enrichment": int(enriched.any(axis=1).sum()),
            "drugs proposed for another MoA at q < 0.05": int((q < 0.05).any(axis=1).sum()),
            "smallest_p": p.min(axis=0),
        }


def retrieval(rankings: list[Ranking], shared: np.ndarray, moas: np.ndarray) -> dict:
    """Mean average precision and 1-nearest-neighbour accuracy over the drugs that have a fellow, and the first per MoA;
    NaN where there is none.
    """
    parts = [(*average_precision(ranking, shared), ranking.queries) for ranking in rankings]
    scores, hits, queries = map(np.concatenate, zip(*parts, strict=True)) if parts else (np.empty(0),) * 3
    known = ~np.isnan(scores)
    return {
        "mean average precision": float(scores[known].mean()) if known.any() else np.nan,
        "1-nearest-neighbour accuracy": float(hits[known].mean()) if known.any() else np.nan,
        "map_by_moa": mean_by_moa(scores, queries.astype(int), moas),
    }
