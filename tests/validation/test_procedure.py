"""The scores of a procedure against the same claims worked out slowly, from `pdist` and the run's own tables."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import average_precision_score

from moamap.communities.clusters import find_communities
from moamap.communities.enrichment import enrichment_table, table_1_row
from moamap.core.labels import folds_by_moa, folds_of_moas, label_sets, membership, moa_groups
from moamap.core.names import CROSSFIT, HELD_OUT_DRUGS, HELD_OUT_MOAS, IN_SAMPLE, LABEL_FREE, WITHIN
from moamap.core.numerics import stream
from moamap.representations.registry import learn
from moamap.validation.crossfit import crossfit, share_unlearned
from moamap.validation.nulls import permutation, permutation_within
from moamap.validation.procedure import Procedure, score_permutation
from moamap.validation.stability import perturbations, rerun

N, MIN_DRUGS, ALPHA, N_FOLDS, SEED = 80, 5, 0.05, 4, 11
ITML = {"n_constraints": 12, "max_iter": 300}


SIZES = [20, 8, 7, 6, 6, 5] + [3] * 6 + [2] * 3 + [1] * 4  # drugs of each MoA


def screen(policy="whole"):
    """Profiles and drug x MoA table of a small screen; `split` gives every fourth drug a second MoA.

    Features are correlated, and some MoAs have a weak phenotype. The largest MoA is moved aside, and two strangers with
    it.
    """
    rng = np.random.default_rng(5)
    kind = rng.permutation(np.repeat(np.arange(len(SIZES)), SIZES))
    x = rng.normal(size=(N, 24)) + rng.normal(size=(N, 4)) @ rng.normal(size=(4, 24))
    x += (0.7 * rng.normal(size=(len(SIZES), 24)) * (np.arange(len(SIZES)) % 2)[:, None])[kind]
    moa, largest = pd.Series(kind).map("MoA {:02d}".format), kind == 0
    x[np.concatenate([np.flatnonzero(largest), np.flatnonzero(~largest)[:2]])] += 4 * x.std(axis=0)
    if policy == "split":
        others = np.resize(np.unique(moa[~largest]), N)  # the drugs of the largest MoA stay together
        moa[::4] = moa[::4] + "|" + others[::4]
    return (x - x.mean(axis=0)) / x.std(axis=0), membership(moa, policy)


def procedure_of(x, moas, method, parameters, n_splits=2):
    tested = np.flatnonzero(moas.sum() >= MIN_DRUGS)
    return Procedure(x, tested, method, parameters, {"damping": 0.6}, ALPHA, N_FOLDS, n_splits, SEED)


def distances_of(x, method, moas, rows, parameters):
    """Squared distances (n, n) of all drugs, by what was learned from some."""
    learned = learn(method, x[rows], moas.to_numpy()[rows], **parameters)
    return squareform(pdist(learned.transform(x), "sqeuclidean"))


def slow_crossfit(x, moas, splits):
    """Mean over splits of the scaled distances, cell by cell."""
    total = np.zeros((len(splits), N, N))
    for distances, folds in zip(total, splits, strict=True):
        known = {}
        for i, j in np.argwhere(~np.eye(N, dtype=bool)):
            out = frozenset({folds[i], folds[j]} if folds[i] != folds[j] else {folds[i], (folds[i] + 1) % N_FOLDS})
            if out not in known:
                mine = distances_of(x, "itml", moas, ~np.isin(folds, list(out)), ITML)
                known[out] = mine / np.median(squareform(mine))
            distances[i, j] = known[out][i, j]
    return total.mean(axis=0)


def slow_pairs(numbers, moas):
    """Pair by pair: those that share a MoA and a community, and their share of each MoA's pairs, averaged."""
    sets = [set(np.flatnonzero(row)) for row in moas.to_numpy()]
    one_moa = [(i, j) for i, j in combinations(range(N), 2) if sets[i] & sets[j]]
    shares = []
    for name in moas:
        mine = [numbers[i] == numbers[j] for i, j in combinations(np.flatnonzero(moas[name]), 2)]
        shares += [sum(mine) / len(mine)] if mine else []
    return {
        "same-MoA pairs in one community": sum(numbers[i] == numbers[j] for i, j in one_moa),
        "share of a MoA's pairs in one community, mean over MoAs": sum(shares) / len(shares),
    }


def slow_claims(squared, moas):
    """What a run's tables say: Table 1, the smallest P of each tested MoA, and the pairs in one community."""
    numbers = find_communities(np.sqrt(squareform(squared)), damping=0.6).numbers
    table = enrichment_table(pd.Series(numbers), moas, min_drugs=MIN_DRUGS, alpha=ALPHA)
    tested = moas.loc[:, moas.sum() >= MIN_DRUGS]
    smallest = table.groupby("moa")["p_value"].min()[tested.columns].to_numpy()
    return table_1_row(table) | slow_pairs(numbers, moas) | {"smallest_p": smallest}


def slow_retrieval(rankings, moas):
    """Of (distances, queries, gallery): means over all queries that share a MoA with another drug of their gallery."""
    sets = [set(np.flatnonzero(row)) for row in moas.to_numpy()]
    scores, hits = {}, []
    for squared, queries, gallery in rankings:
        for query in queries:
            others = [row for row in gallery if row != query]
            partner = np.array([bool(sets[query] & sets[row]) for row in others])
            if partner.any():
                scores[query] = average_precision_score(partner, -squared[query, others])
                hits.append(partner[np.argmin(squared[query, others])])
    by_moa = [[scores[row] for row in np.flatnonzero(moas[name]) if row in scores] for name in moas]
    return {
        "mean average precision": np.mean(list(scores.values())),
        "mean average precision, mean over MoAs": np.mean([np.mean(mine) for mine in by_moa if mine]),
        "1-nearest-neighbour accuracy": np.mean(hits),
        "map_by_moa": [np.mean(mine) if mine else np.nan for mine in by_moa],
    }


def assert_same(found, expected):
    assert set(found) == set(expected)
    for quantity, value in expected.items():
        np.testing.assert_allclose(found[quantity], value, rtol=1e-9, err_msg=quantity)


@pytest.mark.parametrize("policy", ["whole", "split"])
@pytest.mark.parametrize(("method", "parameters"), [("raw", {}), ("pca", {"components": 5})])
def test_a_label_free_representation(method, parameters, policy):
    x, moas = screen(policy)
    procedure = procedure_of(x, moas, method, parameters)
    assert not procedure.supervised
    squared, everyone = distances_of(x, method, moas, slice(None), parameters), range(N)
    for number in (0, 1, 2):
        order = permutation(N, SEED, number)
        shuffled = moas.iloc[order].reset_index(drop=True)
        found = procedure.score(shuffled.to_numpy(), label_sets(moas.to_numpy())[order])
        assert list(found) == [LABEL_FREE]
        expected = slow_claims(squared, shuffled) | slow_retrieval([(squared, everyone, everyone)], shuffled)
        assert_same(found[LABEL_FREE], expected)


@pytest.fixture(scope="module", params=["whole", "split"])
def supervised(request):
    """Labels as they are for `whole`, permuted for `split`: (profiles, MoAs, label sets, what `score` gives)."""
    x, moas = screen(request.param)
    if request.param == "split":
        moas = moas.iloc[permutation(N, SEED, 3)].reset_index(drop=True)
    labels = label_sets(moas.to_numpy())
    procedure = procedure_of(x, moas, "itml", ITML)
    assert procedure.supervised
    return x, moas, labels, procedure.score(moas.to_numpy(), labels)


def test_the_ways_to_score(supervised):
    assert list(supervised[-1]) == [IN_SAMPLE, CROSSFIT, HELD_OUT_DRUGS, HELD_OUT_MOAS]


def test_in_sample(supervised):
    x, moas, _, found = supervised
    squared = distances_of(x, "itml", moas, slice(None), ITML)
    expected = slow_claims(squared, moas) | slow_retrieval([(squared, range(N), range(N))], moas)
    assert_same(found[IN_SAMPLE], expected)


def test_cross_fitted(supervised):
    x, moas, labels, found = supervised
    rng = stream(SEED, "cross-fitting folds")
    squared = slow_crossfit(x, moas, [folds_by_moa(labels, N_FOLDS, rng) for _ in range(2)])
    expected = slow_claims(squared, moas) | slow_retrieval([(squared, range(N), range(N))], moas)
    assert_same(found[CROSSFIT], expected)


HELD_OUT = [(HELD_OUT_DRUGS, folds_by_moa), (HELD_OUT_MOAS, folds_of_moas)]


@pytest.mark.parametrize(("way", "deal"), HELD_OUT)
def test_held_out(supervised, way, deal):
    """Drugs are looked up among all others, drugs of held-out MoAs among those of their fold."""
    x, moas, labels, found = supervised
    groups = labels if deal is folds_by_moa else moa_groups(moas.to_numpy())
    folds = deal(groups, N_FOLDS, stream(SEED, f"folds of {way}"))
    rankings = []
    for fold in range(N_FOLDS):
        queries = np.flatnonzero(folds == fold)
        squared = distances_of(x, "itml", moas, folds != fold, ITML)
        rankings.append((squared, queries, range(N) if way == HELD_OUT_DRUGS else queries))
    assert_same(found[way], slow_retrieval(rankings, moas))


def test_the_score_of_a_labelling_is_the_same_after_others(supervised):
    x, moas, labels, found = supervised
    procedure = procedure_of(x, moas, "itml", ITML)
    order = permutation(N, SEED, 9)
    procedure.score(moas.to_numpy()[order], labels[order])
    again = procedure.score(moas.to_numpy(), labels)
    for way, quantities in found.items():
        for quantity, value in quantities.items():
            np.testing.assert_array_equal(again[way][quantity], value)


STRATA = np.random.default_rng(4).permutation(N) % 5


def test_permutations_within_strata_stand_beside_the_score_of_a_label_free_representation():
    x, moas = screen("split")
    procedure = procedure_of(x, moas, "pca", {"components": 5})
    squared = distances_of(x, "pca", moas, slice(None), {"components": 5})
    numbers = find_communities(np.sqrt(squareform(squared)), damping=0.6).numbers
    for number in (0, 1, 2):
        found = score_permutation(procedure, moas.to_numpy(), STRATA, number)
        order = permutation(N, SEED, number)
        score = procedure.score(moas.to_numpy()[order], label_sets(moas.to_numpy())[order])
        shuffled = moas.iloc[permutation_within(STRATA, SEED, number)].reset_index(drop=True)
        within = {WITHIN[claim]: value for claim, value in slow_pairs(numbers, shuffled).items()}
        assert_same(found[LABEL_FREE], score[LABEL_FREE] | within)


def test_a_supervised_representation_learns_anew_within_strata_in_every_fourth_permutation():
    x, moas = screen()
    procedure = procedure_of(x, moas, "itml", ITML)
    truth, first, fourth = (score_permutation(procedure, moas.to_numpy(), STRATA, number) for number in (0, 1, 4))
    shuffled = moas.iloc[permutation_within(STRATA, SEED, 4)].reset_index(drop=True)
    labels = label_sets(moas.to_numpy())[permutation_within(STRATA, SEED, 4)]
    rng = stream(SEED, "cross-fitting folds")
    learned = {
        IN_SAMPLE: distances_of(x, "itml", shuffled, slice(None), ITML),
        CROSSFIT: slow_crossfit(x, shuffled, [folds_by_moa(labels, N_FOLDS, rng) for _ in range(2)]),
    }
    for way, squared in learned.items():
        numbers = find_communities(np.sqrt(squareform(squared)), damping=0.6).numbers
        for claim, value in slow_pairs(numbers, shuffled).items():
            assert truth[way][WITHIN[claim]] == truth[way][claim]
            assert np.isnan(first[way][WITHIN[claim]])
            assert fourth[way][WITHIN[claim]] == pytest.approx(value, rel=1e-12)
    assert not {*WITHIN, *WITHIN.values()} & {*truth[HELD_OUT_DRUGS], *truth[HELD_OUT_MOAS]}


def test_labels_that_mean_nothing_are_found_again_in_sample_only():
    """Permuted labels and profiles of noise: the metric finds the labels that it saw, and cross-fitting does not.

    A held-out drug is ranked among drugs that were trained on, which lie close together by MoA: its precision is
    lifted a little without any mechanism, which is why each way of scoring is held against its own null.
    """
    x, moas = np.random.default_rng(0).normal(size=(N, 60)), screen()[1]
    procedure = procedure_of(x, moas, "itml", {"n_constraints": 60}, n_splits=1)
    found = {IN_SAMPLE: [], CROSSFIT: [], HELD_OUT_DRUGS: []}
    raw = []
    for number in range(1, 13):
        order = permutation(N, SEED, number)
        labels, shuffled = label_sets(moas.to_numpy())[order], moas.to_numpy()[order]
        score = procedure.score(shuffled, labels)
        raw.append(procedure_of(x, moas, "raw", {}).score(shuffled, labels)[LABEL_FREE]["mean average precision"])
        for way, values in found.items():
            values.append(score[way]["mean average precision"])
    more = {way: np.subtract(values, raw) for way, values in found.items()}
    standard_error = {way: values.std(ddof=1) / np.sqrt(len(values)) for way, values in more.items()}
    assert more[IN_SAMPLE].min() > 0 and more[IN_SAMPLE].mean() > 6 * standard_error[IN_SAMPLE]
    assert abs(more[CROSSFIT].mean()) < 3 * standard_error[CROSSFIT]
    assert (more[HELD_OUT_DRUGS] < more[IN_SAMPLE] / 2).all()


@pytest.mark.parametrize("method", ["raw", "itml"])
def test_a_tiny_screen_gives_what_can_be_had_and_no_number_for_the_rest(method):
    """Two MoAs in four folds: without one of them nothing is left to learn from, and two folds are empty."""
    rng = np.random.default_rng(0)
    moas = np.eye(2, dtype=bool)[np.repeat([0, 1], [7, 5])]
    procedure = Procedure(rng.normal(size=(12, 4)), np.ones(2, dtype=bool), method, {}, n_splits=1)
    score = procedure.score(moas, label_sets(moas))
    for way, quantities in score.items():
        assert np.isnan(quantities["mean average precision"]) == (way == HELD_OUT_MOAS)


def test_a_drug_alone_in_its_fold_has_no_score():
    """One MoA of nine drugs and three of one: a fold of held-out MoAs is a single drug."""
    rng = np.random.default_rng(0)
    moas = np.eye(5, dtype=bool)[np.repeat([0, 1, 2, 3, 4], [9, 9, 1, 1, 1])]
    procedure = Procedure(rng.normal(size=(21, 4)), moas.sum(axis=0) > 4, "itml", {}, n_folds=5, n_splits=1)
    held_out = procedure.score(moas, label_sets(moas))[HELD_OUT_MOAS]
    assert held_out["mean average precision"] == 1  # within a fold of one MoA every other drug shares it
    assert np.isnan(held_out["map_by_moa"][2:]).all()


def table_of_small_moas(seed):
    """Profiles and MoAs of 4 to 60 MoAs of two or three drugs (and now and then single drugs)."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 4, size=rng.integers(4, 61)) if seed % 3 else np.full(rng.integers(4, 61), 2)
    sizes = np.concatenate([sizes, np.ones(rng.integers(0, 9) * (seed % 2), dtype=int)])
    moas = np.eye(len(sizes), dtype=bool)[rng.permutation(np.repeat(np.arange(len(sizes)), sizes))]
    return rng.normal(size=(len(moas), rng.integers(3, 80))), moas


@pytest.mark.parametrize("seed", range(50))
def test_tables_of_two_or_three_drugs_per_moa_complete(seed):
    """The usual layout of a MoA plate; `min_drugs` is 2, and the smallest of these tables has 8 drugs."""
    x, moas = table_of_small_moas(seed)
    procedure = Procedure(x, moas.sum(axis=0) >= 2, "itml", n_splits=2, seed=seed)
    labels = label_sets(moas)
    for number in (0, 1):
        order = permutation(len(x), seed, number)
        score = procedure.score(moas[order], labels[order])
        for way in (IN_SAMPLE, CROSSFIT, HELD_OUT_DRUGS):
            assert score[way]["mean average precision"] > 0
        assert np.isfinite(score[CROSSFIT]["smallest_p"]).all()
    for change in perturbations(procedure, 2, seed):
        squared, numbers = rerun(change, moas, labels, crossfitted=True)
        assert squared is None or np.isfinite(squared).all()
        assert (numbers > 0).sum() == (0 if squared is None else len(change.rows))


def test_a_moa_plate_is_learned_from_everywhere():
    """90 drugs of 45 MoAs with a phenotype that a nuisance hides: cross-fitting finds it, as permutation does not."""
    rng = np.random.default_rng(0)
    moa = np.repeat(np.arange(45), 2)
    x = rng.normal(size=(90, 40)) + 3 * rng.normal(size=(90, 4)) @ rng.normal(size=(4, 40))
    x += 0.8 * rng.normal(size=(45, 40))[moa]
    moas = np.eye(45, dtype=bool)[moa]
    procedure = Procedure((x - x.mean(axis=0)) / x.std(axis=0), moas.any(axis=0), "itml")
    squared = crossfit(procedure.x, moas, procedure.learn, procedure.folds(moa, moas), procedure.base)
    assert share_unlearned(squared) == 0
    found = []
    for number in range(20):
        order = permutation(90, 0, number)
        found.append(procedure.score(moas[order], moa[order])[CROSSFIT]["mean average precision"])
    assert found[0] > max(found[1:])


def test_what_cannot_be_learned_is_an_empty_cell_and_no_abort():
    """Six drugs of three MoAs: no training set without two of four folds has a similar and a dissimilar pair."""
    x = np.random.default_rng(0).normal(size=(6, 3))
    moas = np.eye(3, dtype=bool)[[0, 0, 1, 1, 2, 2]]
    score = Procedure(x, moas.any(axis=0), "itml").score(moas, label_sets(moas))
    assert np.isfinite(score[IN_SAMPLE]["mean average precision"])
    assert set(score[CROSSFIT]) == set(score[IN_SAMPLE])
    assert np.isnan(
        list(Procedure(x, moas.any(axis=0), "itml").gathering(moas, label_sets(moas))[CROSSFIT].values())
    ).all()
    for quantity, value in score[CROSSFIT].items():
        assert np.isnan(value).all(), quantity
        assert np.shape(value) == np.shape(score[IN_SAMPLE][quantity])
