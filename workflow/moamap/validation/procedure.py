"""The whole procedure of a representation for one labelling of the drugs: what the nulls repeat."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from moamap.communities.clusters import communities_of
from moamap.core.errors import InputError
from moamap.core.labels import (
    folds_by_moa,
    folds_of_moas,
    folds_to_learn_from,
    label_sets,
    membership,
    moa_groups,
    pairs_that_share,
    sharing,
)
from moamap.core.names import (
    CLAIMS,
    CLUSTERS,
    COMMUNITIES_ENRICHED,
    CROSSFIT,
    ENRICHED,
    ENRICHED_BY_TWO,
    EXPECTATION,
    HELD_OUT_DRUGS,
    HELD_OUT_MOAS,
    IN_SAMPLE,
    LABEL_FREE,
    MAP,
    MAP_BY_MOA,
    NEAREST,
    SINGLETONS,
    TOGETHER,
    WITHIN,
)
from moamap.core.numerics import as_stored, squared_euclidean, stream
from moamap.profiles.annotation import check_moas
from moamap.representations.base import Learned
from moamap.representations.registry import METHODS, learn
from moamap.representations.wells import Wells
from moamap.validation.crossfit import crossfit, share_unlearned, with_unlearned
from moamap.validation.gathering import Pairs, gathering
from moamap.validation.nulls import enrichment_p, made_within, permutation, permutation_within
from moamap.validation.retrieval import average_precision, mean_by_moa, places, precision_of_pairs, rank


@dataclass(frozen=True)
class Procedure:
    """A representation, and all that stays as it is while labels are permuted.

    x : (n, n_features) profiles that the representation reads; tested : (n_moas,) MoAs of enough drugs for enrichment;
    wells : of these drugs, where the representation learns from them
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
    wells: Wells | None = None

    def of(self, rows: np.ndarray) -> "Procedure":
        """The same of some of the drugs."""
        return replace(self, x=self.x[rows], wells=self.wells and self.wells.of(rows))

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

    def learn(self, x: np.ndarray, moas: np.ndarray | None) -> Learned:
        """Learn from some of the drugs."""
        return learn(self.method, x, moas, self.wells, **self.parameters)

    def folds(self, labels: np.ndarray, moas: np.ndarray) -> np.ndarray:
        """(n_splits, n) folds for cross-fitting; `labels` as `label_sets` gives them of `moas` (n, n_moas)."""
        rng = stream(self.seed, "cross-fitting folds")
        return np.array([folds_to_learn_from(labels, moas, self.n_folds, rng) for _ in range(self.n_splits)])

    def crossfit(self, moas: np.ndarray, folds: np.ndarray) -> np.ndarray:
        """Cross-fitted squared distances (n, n), of the profiles themselves where nothing could be learned.

        Raises InputError where nothing could be learned for any pair.
        """
        squared = crossfit(self.x, moas, self.learn, folds, self.base)
        if share_unlearned(squared) == 1:
            raise InputError("validation: no training set that leaves out two folds has drugs to learn from")
        return with_unlearned(squared, self.base)

    @cached_property
    def _label_free(self) -> tuple[np.ndarray, np.ndarray]:
        """Communities, and places of the drugs, of a representation that no label touches: made once."""
        squared = self.learn(self.x, None).squared_distances(self.x, self.base)
        return communities_of(-as_stored(squared), **self.communities).numbers, _places(squared)

    def score(self, moas: np.ndarray, labels: np.ndarray) -> dict[str, dict]:
        """Everything that is claimed of this labelling, by way of scoring.

        What cannot be learned or clustered is NaN.

        Parameters
        ----------
        moas : (n, n_moas) booleans
        labels : (n,) its label sets, as `labels.label_sets` gives them
        """
        pairs = pairs_that_share(moas)
        if not self.supervised:
            return {LABEL_FREE: self._scored(*self._label_free, pairs, moas)}
        scores = {way: self._score_all(learned, pairs, moas) for way, learned in self._ways(moas, labels).items()}
        shared = sharing(moas)
        drugs = folds_by_moa(labels, self.n_folds, stream(self.seed, "folds of held-out drugs"))
        whole_moas = folds_of_moas(moa_groups(moas), self.n_folds, stream(self.seed, "folds of held-out MoAs"))
        for way, folds in ((HELD_OUT_DRUGS, drugs), (HELD_OUT_MOAS, whole_moas)):
            scores[way] = retrieval(*self._held_out(moas, folds, shared, within=way == HELD_OUT_MOAS), moas)
        return scores

    def _ways(self, moas: np.ndarray, labels: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
        """What makes the squared distances (n, n) of every pair, by way of scoring, where labels are learned from."""
        return {
            IN_SAMPLE: lambda: self.in_sample(moas),
            CROSSFIT: lambda: self.crossfit(moas, self.folds(labels, moas)),
        }

    def _score_all(self, distances: Callable[[], np.ndarray], pairs: Pairs, moas: np.ndarray) -> dict:
        """Claims and retrieval of every drug against all others; NaN where there are no distances or communities."""
        try:
            squared = distances()
            numbers = communities_of(-as_stored(squared), **self.communities).numbers
        except InputError:
            nothing = dict.fromkeys(CLAIMS, np.nan) | {"smallest_p": np.full(moas[:, self.tested].shape[1], np.nan)}
            unscored = np.full(len(moas), np.nan)
            return nothing | retrieval(unscored, unscored, moas)
        return self._scored(numbers, _places(squared), pairs, moas)

    def _scored(self, numbers: np.ndarray, place: np.ndarray, pairs: Pairs, moas: np.ndarray) -> dict:
        return self._claims(numbers, pairs, moas) | retrieval(*precision_of_pairs(place, pairs), moas)

    def gathering(self, moas: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, float]]:
        """Of what `score` claims only the pairs that share a community, by way of scoring that gives communities."""
        pairs = pairs_that_share(moas)
        if not self.supervised:
            return {LABEL_FREE: gathering(self._label_free[0], pairs, moas)}
        found = {}
        for way, distances in self._ways(moas, labels).items():
            try:
                numbers = communities_of(-as_stored(distances()), **self.communities).numbers
            except InputError:
                found[way] = dict.fromkeys(WITHIN, np.nan)
                continue
            found[way] = gathering(numbers, pairs, moas)
        return found

    def in_sample(self, moas: np.ndarray) -> np.ndarray:
        """Squared distances (n, n) of the metric learned from all labels."""
        return self.learn(self.x, moas).squared_distances(self.x, self.base)

    def _held_out(
        self, moas: np.ndarray, folds: np.ndarray, shared: np.ndarray, within: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Average precision and hit of every drug as a query of its fold: (n,) each, NaN where there is none."""
        scores, hits = np.full((2, len(self.x)), np.nan)
        everyone = np.arange(len(self.x))
        for fold in range(self.n_folds):
            queries = np.flatnonzero(folds == fold)
            try:
                learned = self.learn(self.x[folds != fold], moas[folds != fold])
            except InputError:  # too few MoAs are left to learn from; the drugs of this fold get no score
                continue
            squared = learned.squared_distances(self.x, self.base)
            ranking = rank(squared, queries, queries if within else everyone)
            scores[queries], hits[queries] = average_precision(ranking, shared)
        return scores, hits

    def _claims(self, numbers: np.ndarray, pairs: Pairs, moas: np.ndarray) -> dict:
        tested = moas[:, self.tested]
        p, k = enrichment_p(numbers, tested)
        enriched = p < self.alpha
        found = int(enriched.any(axis=0).sum())
        return gathering(numbers, pairs, moas) | {
            CLUSTERS: int(numbers.max()),
            ENRICHED: found,
            EXPECTATION: found / int(numbers.max()),
            SINGLETONS: int((np.bincount(numbers)[1:] == 1).sum()),
            ENRICHED_BY_TWO: int((enriched & (k >= 2)).any(axis=0).sum()),
            COMMUNITIES_ENRICHED: int(enriched.any(axis=1).sum()),
            "smallest_p": p.min(axis=0),
        }


def score_permutation(procedure: Procedure, moas: np.ndarray, strata: np.ndarray, number: int) -> dict[str, dict]:
    """`Procedure.score` of permutation `number` of the labels (0 is the truth), and the claims of `WITHIN`.

    The latter are of the permutation of that number within strata, which costs next to nothing where no label is
    learned from. A supervised representation has to learn anew, so only every fourth number is made
    (`nulls.made_within`); the others are NaN.

    Parameters
    ----------
    moas : (n, n_moas) booleans, the true ones
    strata : (n,) strata of the drugs
    """
    labels = label_sets(moas)
    order = permutation(len(moas), procedure.seed, number)
    score = procedure.score(moas[order], labels[order])
    if number == 0:
        within = {way: {claim: score[way][claim] for claim in WITHIN} for way in score if TOGETHER in score[way]}
    elif made_within(number, procedure.supervised):
        order = permutation_within(strata, procedure.seed, number)
        within = procedure.gathering(moas[order], labels[order])
    else:
        within = {way: dict.fromkeys(WITHIN, np.nan) for way in score if TOGETHER in score[way]}
    for way, claims in within.items():
        score[way] |= {WITHIN[claim]: value for claim, value in claims.items()}
    return score


def _places(squared: np.ndarray) -> np.ndarray:
    """The place of every drug among all others, as seen by each: (n, n)."""
    everyone = np.arange(len(squared))
    return places(rank(squared, everyone, everyone))


def retrieval(scores: np.ndarray, hits: np.ndarray, moas: np.ndarray) -> dict:
    """Mean average precision and 1-nearest-neighbour accuracy over the drugs that share a MoA with another of their
    gallery, the first also per MoA and as the mean over MoAs; NaN where there is none.

    Parameters
    ----------
    scores, hits : (n,) average precision and 1-nearest-neighbour hit of every drug, NaN where it has none
    """
    by_moa = mean_by_moa(scores, np.arange(len(scores)), moas)
    return {MAP: _mean(scores), MAP_BY_MOA: _mean(by_moa), NEAREST: _mean(hits), "map_by_moa": by_moa}


def _mean(values: np.ndarray) -> float:
    """Of those that there are; NaN where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def procedure_of(
    moa: pd.Series,
    features: pd.DataFrame,
    wells: Wells | None = None,
    *,
    representation: dict,
    policy: str,
    crossfit: dict,
    communities: dict | None = None,
    min_drugs: int = 1,
    alpha: float = 0.01,
) -> tuple[np.ndarray, Procedure]:
    """The drugs' MoAs (n, n_moas) and the procedure of a representation.

    Parameters
    ----------
    moa : (n,) MoA strings; features : (n, n_features) profiles that the representation reads
    wells : of these drugs, where it learns from wells
    representation, crossfit, communities, min_drugs, alpha : as in the config; policy : the config's `moa`
    """
    table = membership(moa, policy)
    check_moas(table, min_drugs)
    moas = np.ascontiguousarray(table.to_numpy())  # a frame's columns lie together; rows are taken here
    parameters = dict(representation)
    procedure = Procedure(
        x=np.ascontiguousarray(features.to_numpy(float)),
        tested=moas.sum(axis=0) >= min_drugs,
        method=parameters.pop("method"),
        parameters=parameters,
        communities=communities or {},
        alpha=alpha,
        n_folds=crossfit["folds"],
        n_splits=crossfit["splits"],
        seed=crossfit["seed"],
        wells=wells,
    )
    return moas, procedure
