"""Proposals: the probability that a drug has each MoA, were its own label hidden; and of compounds without one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from moamap.core.labels import folds_by_moa, label_sets, sharing
from moamap.core.numerics import stream
from moamap.validation.logit import Logit, fit
from moamap.validation.nearness import Views, left_out, scores, views_of_drugs
from moamap.validation.nulls import permutation
from moamap.validation.retrieval import Ranking, average_precision, rank

PROPOSAL = 0.5  # probability from which on a MoA is called a proposal; the rest is a ranked list
N_FOLDS = 10
SHOWN = 0.8  # share of the labels that a rerun sees
NULLS = 19  # permutations of the labels


@dataclass(frozen=True)
class Honest:
    """A representation's distances in which no label of either drug is."""

    views: Views
    ranking: Ranking


@dataclass(frozen=True)
class Model:
    """What proposals are made by: a representation, and the weights of its scores."""

    representation: str
    logit: Logit


@dataclass(frozen=True)
class Proposed:
    """Posteriors of the annotated drugs, each by a model that no label of its fold was used for.

    posterior : (n, n_moas + 1) probability of each candidate MoA, and last of none of these
    stability : (n,) share of the reruns in which the same MoA is first
    models : of each fold; folds : (n,)
    """

    posterior: np.ndarray
    stability: np.ndarray
    models: list[Model]
    folds: np.ndarray


def honest(squared: np.ndarray) -> Honest:
    """From (n, n) distances or squared distances."""
    ranking = rank(squared, np.arange(len(squared)), np.arange(len(squared)))
    return Honest(views_of_drugs(ranking), ranking)


def cross_fit(
    found: Mapping[str, Honest], moas: np.ndarray, tested: np.ndarray, *, none_prior: float | None, seed: int, runs: int
) -> Proposed:
    """The posterior of every annotated drug, its label hidden.

    The drugs are dealt into folds. For each, representation and weights are chosen from the other drugs, which do not
    see its labels either; then each drug of it is scored against the labels of all others but its own.

    Parameters
    ----------
    found : the representations that may be chosen
    moas : (n, n_moas) booleans of all MoAs; tested : which of them are candidates
    none_prior : share of drugs without a candidate MoA; None for that of the annotated drugs
    runs : reruns, each with a random part of the labels
    """
    members = moas[:, tested]
    folds = folds_by_moa(label_sets(moas), N_FOLDS, stream(seed, "folds of proposals"))
    models = [
        learn(found, np.where((folds == fold)[:, None], False, moas), tested, folds != fold, none_prior, seed)
        for fold in range(N_FOLDS)
    ]
    posterior = _posterior(found, models, folds, members, stream(seed, "members left out"))
    first, same = posterior[:, :-1].argmax(axis=1), []
    for shown in shown_parts(members, runs, seed):
        again = _posterior(found, models, folds, shown, stream(seed, "members left out"))
        same.append(again[:, :-1].argmax(axis=1) == first)
    return Proposed(posterior, np.mean(same, axis=0) if same else np.full(len(moas), np.nan), models, folds)


def learn(
    found: Mapping[str, Honest],
    moas: np.ndarray,
    tested: np.ndarray,
    rows: np.ndarray,
    none_prior: float | None,
    seed: int,
) -> Model:
    """Choose the representation that retrieves MoAs best, and fit the weights of its scores, from some of the drugs.

    Every representation's chance is the same on the same drugs, so the greatest mean average precision is the greatest
    lift.

    Parameters
    ----------
    moas : (n, n_moas) booleans, all False for drugs whose labels must not be seen
    rows : (n,) booleans, the drugs to learn from
    """
    shared = sharing(moas)
    precision = {name: np.nansum(average_precision(each.ranking, shared)[0]) for name, each in found.items()}
    best = max(precision, key=lambda name: precision[name])  # the first of equals
    return Model(best, learn_weights(found[best].views, moas[:, tested], rows, none_prior, seed))


def learn_weights(views: Views, members: np.ndarray, rows: np.ndarray, none_prior: float | None, seed: int) -> Logit:
    """The conditional logit of some drugs' MoAs; `members` as `moas` in `learn`, of the candidates only."""
    known = members.any(axis=1)
    usable = members.sum(axis=0) > 1  # where one is left out, another remains
    inside = members[:, usable]
    scored = scores(views, inside, left_out(inside, stream(seed, "members left out to learn")))[rows]
    # a drug of several candidates shares 1 among them
    target = np.column_stack([inside / np.maximum(members.sum(axis=1, keepdims=True), 1), ~known])[rows]
    model = fit(scored, target)
    return model if none_prior is None else model.with_none_prior(none_prior, int(rows.sum()))


def _posterior(
    found: Mapping[str, Honest], models: list[Model], folds: np.ndarray, members: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(n, n_moas + 1), each drug's by the model of its fold; a MoA of fewer than two shown members has 0."""
    usable = members.sum(axis=0) > 1
    inside = members[:, usable]
    out, place = left_out(inside, rng), np.append(np.flatnonzero(usable), members.shape[1])
    posterior = np.zeros((len(members), members.shape[1] + 1))
    for name in sorted({model.representation for model in models}):
        scored = scores(found[name].views, inside, out)
        for fold, model in enumerate(models):
            if model.representation == name:
                mine = np.flatnonzero(folds == fold)
                posterior[np.ix_(mine, place)] = model.logit.posterior(scored[mine])
    return posterior


def shown_parts(members: np.ndarray, runs: int, seed: int) -> Iterator[np.ndarray]:
    """The labels, (n, n_moas) booleans, with those of a random part of the drugs hidden: one for each run."""
    for run in range(1, runs + 1):
        shown = stream(seed, "labels shown to a rerun", run).random(len(members)) < SHOWN
        yield members & shown[:, None]


def propose(model: Logit, views: Views, members: np.ndarray) -> np.ndarray:
    """Posteriors of compounds that are none of the drugs, (n, n_moas + 1): nothing is learned, no label of theirs used.

    Parameters
    ----------
    views : as `nearness.views_of_compounds`
    members : (n_drugs, n_moas) booleans of the candidates
    """
    return model.posterior(scores(views, members, None))


def additional(posterior: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """MoAs beside a drug's own: shares (n, n_moas), 0 for its own, and the rank score (n,) of the greatest.

    What is left when its own MoAs are out of question. No label tells whether a drug has a further MoA, so this orders
    drugs and is no probability: the score is the percentage of the annotated drugs that it is not below.
    """
    others = np.where(members, 0.0, posterior[:, :-1])
    shares = others / np.maximum(others.sum(axis=1) + posterior[:, -1], np.finfo(float).tiny)[:, None]
    best = shares.max(axis=1)
    return shares, 100 * np.searchsorted(np.sort(best), best, side="right") / len(best)


def null_counts(views: Views, members: np.ndarray, none_prior: float | None, seed: int) -> np.ndarray:
    """Drugs with a proposal on permuted labels, (NULLS,): the weights are fitted anew, the distances kept.

    The weights are fitted to all drugs, which makes proposals more likely, not less.
    """
    everyone, counts = np.ones(len(members), dtype=bool), []
    for number in range(1, NULLS + 1):
        dealt = members[permutation(len(members), seed, number)]
        model = learn_weights(views, dealt, everyone, none_prior, seed)
        posterior = model.posterior(scores(views, dealt, left_out(dealt, stream(seed, "members left out"))))
        counts.append(int((posterior[:, :-1].max(axis=1) >= PROPOSAL).sum()))
    return np.array(counts)
