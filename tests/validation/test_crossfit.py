"""Folds, and distances that know nothing of the two drugs: against loops, and learners that tell on themselves."""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import chisquare

from moamap.core.errors import InputError
from moamap.core.labels import (
    fewest_similar_pairs,
    folds_by_moa,
    folds_of_moas,
    folds_to_learn_from,
    label_sets,
    moa_groups,
    sharing,
)
from moamap.core.numerics import squared_euclidean
from moamap.representations.base import Corrected, Learned
from moamap.representations.registry import learn
from moamap.validation.crossfit import (
    co_membership,
    crossfit,
    one_split,
    scale,
    share_unlearned,
    with_unlearned,
)
from moamap.validation.retrieval import average_precision, rank


def screen(n=36, d=6, n_moas=5, seed=0, split=False):
    rng = np.random.default_rng(seed)
    moas = np.eye(n_moas, dtype=bool)[rng.integers(n_moas, size=n)]
    return rng.normal(size=(n, d)), moas | (rng.random(moas.shape) < 0.15) if split else moas


def itml(x, moas):
    # percentiles of so few drugs' distances would be 0, for which 1e-9 stands
    return learn("itml", x, moas, n_constraints=8, bounds=[1.0, 8.0])


def labels_of(sizes, seed=0):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))


@dataclass
class Recorder:
    """A learner that remembers which drugs it learned from (by their first feature) and the distances that it gave."""

    n: int

    def __post_init__(self):
        self.trained, self.gave = [], []

    def __call__(self, x, moas):
        rng = np.random.default_rng(len(self.trained))
        self.trained.append(set(x[:, 0].astype(int)))
        distances = squareform(rng.random(self.n * (self.n - 1) // 2))
        self.gave.append(distances / np.median(squareform(distances)))

        def tell(_, x, base):
            assert (x == base[:, :1]).all()  # the distances are of the drugs that are asked about, in that order
            rows = x[:, 0].astype(int)
            return distances[np.ix_(rows, rows)]

        return type("Told", (), {"squared_distances": tell})()


def overfit(x, moas):
    """Brings the drugs it learned from to the mean of their MoA exactly, whatever the features say."""
    centred = x - x.mean(axis=0)
    target = moas.astype(float)
    return Learned(1e-6 * np.eye(x.shape[1]) + (np.linalg.pinv(centred) @ target @ target.T @ centred).T / len(x))


def test_label_sets_are_equal_where_the_sets_are():
    _, moas = screen(split=True)
    labels = label_sets(moas)
    for i, j in combinations(range(len(moas)), 2):
        assert (labels[i] == labels[j]) == (set(np.flatnonzero(moas[i])) == set(np.flatnonzero(moas[j])))
    assert sorted(set(labels)) == list(range(labels.max() + 1))


@pytest.mark.parametrize("n_folds", [3, 4, 7])
@pytest.mark.parametrize("sizes", [[43, 17, 9, 5, 4, 3, 2, 1, 1, 1], [1] * 30, [2] * 15, [50]])
def test_folds_share_every_label_set_evenly(n_folds, sizes):
    labels = labels_of(sizes)
    for seed in range(5):
        folds = folds_by_moa(labels, n_folds, np.random.default_rng(seed))
        assert set(folds) <= set(range(n_folds))
        for members in [np.ones(len(labels), bool), *(labels == label for label in range(len(sizes)))]:
            counts = np.bincount(folds[members], minlength=n_folds)
            assert counts.max() - counts.min() <= 1


def test_every_fold_is_as_likely_for_every_drug():
    labels = labels_of([6, 3, 1, 1])
    rng = np.random.default_rng(0)
    dealt = np.array([folds_by_moa(labels, 4, rng) for _ in range(2000)])
    p = [chisquare(np.bincount(drug, minlength=4)).pvalue for drug in dealt.T]
    assert min(p) > 1e-3 / len(p)


@pytest.mark.parametrize("n_folds", [3, 4])
def test_folds_of_moas_cut_no_label_set(n_folds):
    sizes = [12, 11, 7, 6, 5, 2, 2] + [1] * 25
    labels = labels_of(sizes)
    dealt = [folds_of_moas(labels, n_folds, np.random.default_rng(seed)) for seed in range(6)]
    for folds in dealt:
        assert all(len(set(folds[labels == label])) == 1 for label in range(len(sizes)))
        filled = np.bincount(folds, minlength=n_folds)
        assert filled.max() - filled.min() <= 1  # there are single drugs enough to fill up with
    assert len({tuple(folds) for folds in dealt}) > 1


def test_folds_of_moas_deal_the_largest_first():
    folds = folds_of_moas(np.repeat([0, 1, 2, 3], [2, 5, 3, 4]), 2, np.random.default_rng(0))
    assert folds[3] == folds[0] != folds[8] == folds[11]  # 5 | 4, then 3 to the 4, then 2 to the 5


def test_moa_groups_are_the_moas_where_each_drug_has_one():
    moas = np.eye(6, dtype=bool)[np.random.default_rng(0).integers(6, size=50)]
    np.testing.assert_array_equal(moa_groups(moas), moas.argmax(axis=1))


def test_moa_groups_join_what_a_chain_of_drugs_joins():
    moas = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1]], dtype=bool)
    assert moa_groups(moas).tolist() == [0, 0, 0, 1, 1]
    order = np.array([4, 2, 0, 3, 1])
    assert moa_groups(moas[order]).tolist() == [1, 0, 0, 1, 0]  # they go with the MoAs


def test_no_moa_is_in_two_folds_where_drugs_have_several():
    rng = np.random.default_rng(1)
    moas = np.zeros((200, 120), dtype=bool)
    for drug in moas:
        drug[rng.integers(120, size=rng.integers(1, 3))] = True
    folds = folds_of_moas(moa_groups(moas), 4, rng)
    assert all(len(set(folds[moa])) <= 1 for moa in moas.T)
    assert len(set(folds)) == 4


@pytest.mark.parametrize("median", [0.0, np.nan])
def test_distances_without_a_scale_are_refused(median):
    squared = np.full((8, 8), median)
    squared[0, 1] = squared[1, 0] = 3.0
    with pytest.raises(InputError, match="puts most of 8 drugs at one point"):
        scale(squared)


def test_communities_of_single_drugs_leave_no_trace_to_measure():
    assert np.isnan(co_membership(np.arange(1, 7), np.array([0, 0, 1, 1, 2, 2])))


@pytest.mark.parametrize("n", [35, 36])
def test_the_scale_is_the_median_over_the_pairs(n):
    squared = pdist(screen(n)[0], "sqeuclidean")
    assert scale(squareform(squared)) == np.median(squared)


@pytest.mark.parametrize("n_folds", [3, 4, 5])
def test_every_distance_comes_from_a_learner_that_saw_neither_drug(n_folds):
    n = 30
    x, moas = np.arange(n)[:, None].astype(float), screen(n)[1]
    folds = folds_by_moa(label_sets(moas), n_folds, np.random.default_rng(1))
    learner = Recorder(n)
    squared = one_split(x, moas, learner, folds, np.tile(x, n))
    np.testing.assert_array_equal(squared.diagonal(), 0)
    for i, j in combinations(range(n), 2):
        (call,) = [call for call, gave in enumerate(learner.gave) if gave[i, j] == squared[i, j] == squared[j, i]]
        seen = {int(folds[drug]) for drug in learner.trained[call]}
        assert folds[i] not in seen and folds[j] not in seen
        assert len(seen) == n_folds - 2  # nor is more withheld than two folds, whichever the pair
        assert learner.trained[call] == {drug for drug in range(n) if folds[drug] in seen}
    assert len(learner.trained) == n_folds * (n_folds - 1) // 2


@pytest.mark.parametrize("n_folds", [3, 4])
def test_the_folds_labels_may_be_anything(n_folds):
    """The distance of two drugs stays as it is when all labels of their folds are redrawn."""
    x, moas = screen(48, 8)
    folds = np.arange(48) % n_folds
    base = squared_euclidean(x)
    before = one_split(x, moas, itml, folds, base)
    for a, b in combinations(range(n_folds), 2):
        blind = (folds == a) | (folds == b)
        others = moas.copy()
        others[blind] = np.random.default_rng(a + b).permutation(moas[blind])
        after = one_split(x, others, itml, folds, base)
        np.testing.assert_array_equal(after[np.ix_(folds == a, folds == b)], before[np.ix_(folds == a, folds == b)])
        assert not np.allclose(after, before)


def slow_crossfit(x, moas, splits):
    """One fit a pair: the drugs of both folds left out, and of the next fold where the two are one."""
    total = np.zeros((len(x), len(x)))
    for folds in splits:
        n_folds = max(folds) + 1
        for i, j in combinations(range(len(x)), 2):
            out = {folds[i], folds[j]} if folds[i] != folds[j] else {folds[i], (folds[i] + 1) % n_folds}
            train = [row for row in range(len(x)) if folds[row] not in out]
            distances = pdist(x @ itml(x[train], moas[train]).components.T, "sqeuclidean")
            total[i, j] += squareform(distances / np.median(distances))[i, j] / len(splits)
    return total + total.T


@pytest.mark.parametrize("split", [False, True])
def test_crossfit_against_one_fit_a_pair(split):
    x, moas = screen(20, 5, 3, split=split)
    splits = np.array([folds_by_moa(label_sets(moas), 4, np.random.default_rng(seed)) for seed in (0, 1)])
    fast = crossfit(x, moas, itml, splits, squared_euclidean(x))
    np.testing.assert_allclose(fast, slow_crossfit(x, moas, splits), rtol=1e-9)
    np.testing.assert_allclose(fast, fast.T, rtol=1e-12)
    np.testing.assert_array_equal(fast.diagonal(), 0)


@pytest.mark.parametrize("bounds", ["euclidean", "squared"])
@pytest.mark.parametrize(("d", "n_constraints"), [(30, 5), (30, 60), (200, 20)])
def test_corrected_distances_are_those_of_the_embedding(d, n_constraints, bounds):
    x, moas = screen(60, d, seed=3)
    learned = learn("itml", 2 * x, moas, n_constraints=n_constraints, bounds=bounds)
    assert isinstance(learned, Corrected) and len(learned.weights) > 0
    direct = pdist(learned.transform(x), "sqeuclidean")
    fast = learned.squared_distances(x, squared_euclidean(x))
    assert not np.allclose(direct, pdist(x, "sqeuclidean"))
    rounding = 1e-13 * direct.max()  # a pair held to a bound of 1e-9 has a difference of 50s for distance
    np.testing.assert_allclose(squareform(fast, checks=False), direct, rtol=1e-9, atol=rounding)
    np.testing.assert_allclose(fast, fast.T, rtol=1e-9, atol=rounding)
    np.testing.assert_array_equal(fast.diagonal(), 0)


def test_a_map_without_corrections_is_the_identity():
    x, _ = screen()
    nothing = Corrected(np.eye(6), directions=np.empty((0, 6)), weights=np.empty(0))
    np.testing.assert_array_equal(nothing.squared_distances(x, squared_euclidean(x)), squared_euclidean(x))


def test_squared_euclidean_against_pdist():
    x = 100 + np.random.default_rng(0).normal(size=(50, 20))
    x[7] = x[3]
    np.testing.assert_allclose(squared_euclidean(x), squareform(pdist(x, "sqeuclidean")), rtol=1e-10, atol=1e-10)
    assert (squared_euclidean(x) >= 0).all()


def test_an_overfitted_metric_retrieves_in_sample_and_not_cross_fitted():
    """60 drugs, 120 features, all noise: any labels can be fitted. The chance is what random orders give."""
    excess, everyone = [], np.arange(60)
    for seed in range(25):
        x, moas = screen(60, 120, 6, seed=seed)
        rng = np.random.default_rng(seed)
        folds = np.array([folds_by_moa(label_sets(moas), 4, rng)])
        base, shared = squared_euclidean(x), sharing(moas)
        found = []
        for squared in (overfit(x, moas).squared_distances(x, base), crossfit(x, moas, overfit, folds, base)):
            found.append(average_precision(rank(squared, everyone, everyone), shared)[0].mean())
        noise = [average_precision(rank(rng.random((60, 60)), everyone, everyone), shared)[0].mean() for _ in range(20)]
        excess.append(np.array(found) - np.mean(noise))
    in_sample, crossfitted = np.transpose(excess)
    assert in_sample.min() > 0.6
    assert abs(crossfitted.mean()) < 3 * crossfitted.std() / np.sqrt(len(crossfitted))
    assert np.abs(crossfitted).max() < 0.1


def test_co_membership_by_loops():
    rng = np.random.default_rng(0)
    numbers, splits = 1 + rng.integers(5, size=25), rng.integers(4, size=(3, 25))
    pairs = list(combinations(range(25), 2))
    together = np.mean([numbers[i] == numbers[j] for i, j in pairs])
    ratios = []
    for folds in splits:
        ratios.append(np.mean([numbers[i] == numbers[j] for i, j in pairs if folds[i] == folds[j]]) / together)
    assert co_membership(numbers, splits) == pytest.approx(np.mean(ratios), rel=1e-12)
    assert co_membership(numbers, splits[0]) == pytest.approx(ratios[0], rel=1e-12)


def test_co_membership_is_1_where_folds_leave_no_trace():
    rng = np.random.default_rng(1)
    folds, numbers = np.arange(80) % 4, 1 + np.arange(80) // 8
    ratios = [co_membership(rng.permutation(numbers), folds) for _ in range(300)]
    assert abs(np.mean(ratios) - 1) < 4 * np.std(ratios) / np.sqrt(300)


def test_co_membership_of_communities_that_are_the_folds():
    folds = np.arange(80) % 4
    same_fold = Counter(folds[i] == folds[j] for i, j in combinations(range(80), 2))
    assert co_membership(folds + 1, folds) == pytest.approx(same_fold.total() / same_fold[True])


def one_hot(labels):
    return np.eye(labels.max() + 1, dtype=bool)[labels]


def slow_fewest(folds, moas):
    """Pairs of drugs that share a MoA and are in the training set, drug by drug."""
    counts = []
    for out in combinations(range(max(folds) + 1), 2):
        train = [row for row in range(len(folds)) if folds[row] not in out]
        counts.append(sum(int((moas[i] & moas[j]).sum()) for i, j in combinations(train, 2)))
    return min(counts)


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("n_folds", [3, 4, 5])
def test_fewest_similar_pairs_by_loops(n_folds, split):
    for seed in range(5):
        moas = screen(40, n_moas=9, seed=seed, split=split)[1]
        folds = np.random.default_rng(seed).integers(n_folds, size=40)
        assert fewest_similar_pairs(folds, moas) == slow_fewest(folds, moas)


@pytest.mark.parametrize("n_folds", [3, 4, 5])
@pytest.mark.parametrize("sizes", [[2] * 45, [3] * 8, [2, 3] * 12, [2] * 30 + [5], [2] * 10 + [1] * 30])
def test_folds_of_small_moas_leave_pairs_in_every_training_set(sizes, n_folds):
    for seed in range(5):
        labels = labels_of(sizes, seed)
        folds = folds_to_learn_from(labels, one_hot(labels), n_folds, np.random.default_rng(seed))
        assert slow_fewest(folds, one_hot(labels)) >= 2
        filled = np.bincount(folds, minlength=n_folds)
        assert filled.max() - filled.min() <= 3 + 1  # the largest set that stays whole, and the remainder


@pytest.mark.parametrize("sizes", [[43, 17, 9, 5, 4, 3, 2, 1, 1, 1], [5] * 20, [3] * 45, [1] * 30])
def test_folds_stay_as_they_were_where_pairs_remain_or_none_can_be_had(sizes):
    labels = labels_of(sizes)
    even = folds_by_moa(labels, 4, np.random.default_rng(3))
    np.testing.assert_array_equal(folds_to_learn_from(labels, one_hot(labels), 4, np.random.default_rng(3)), even)


@pytest.mark.parametrize("sizes", [[2] * 45, [2, 3] * 12, [2] * 30 + [5], [9, 8, 7, 6, 5, 5]])
def test_a_permutation_deals_the_same_folds_to_the_label_sets(sizes):
    """Chance stays exchangeable: only which drug has which label changes, so the training sets are as large."""
    labels = labels_of(sizes)
    tables = []
    for seed in range(6):
        shuffled = np.random.default_rng(seed).permutation(labels)
        folds = folds_to_learn_from(shuffled, one_hot(shuffled), 4, np.random.default_rng(9))
        tables.append([np.bincount(folds[shuffled == label], minlength=4).tolist() for label in range(len(sizes))])
    assert all(table == tables[0] for table in tables)


def test_every_drug_is_as_likely_in_every_fold_where_small_moas_stay_whole():
    labels, rng = labels_of([2] * 12 + [3] * 2), np.random.default_rng(0)
    dealt = np.array([folds_to_learn_from(labels, one_hot(labels), 4, rng) for _ in range(2000)])
    together = labels[:, None] == labels
    assert all((split[:, None] == split)[together].all() for split in dealt[:50])
    # the two sets of three go first, to the first two folds; the rest follows by how full the folds are
    assert {len(set(drug)) for drug in dealt[:, np.isin(labels, np.arange(12))].T} == {4}


def test_what_cannot_be_learned_has_no_cross_fitted_distance():
    """One MoA of two drugs among single ones: only the maps that leave out neither of its folds can be learned."""
    x = screen(12)[0]
    moas = np.eye(11, dtype=bool)[[0, 0, *range(1, 11)]]
    folds = np.array([[0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 2, 3]])
    squared = crossfit(x, moas, itml, folds, squared_euclidean(x))
    (split,) = folds
    for i, j in combinations(range(12), 2):
        out = {split[i], split[j]} if split[i] != split[j] else {split[i], (split[i] + 1) % 4}
        assert np.isnan(squared[i, j]) == np.isnan(squared[j, i]) == bool(out & {0, 1})
    np.testing.assert_array_equal(squared.diagonal(), 0)
    assert share_unlearned(squared) == np.isnan(squareform(squared, checks=False)).mean() > 0.5


def test_pairs_that_one_split_cannot_learn_have_the_mean_of_the_others():
    x = screen(12)[0]
    moas = np.eye(11, dtype=bool)[[0, 0, *range(1, 11)]]
    folds = np.array([[0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 2, 3], [2, 2, 0, 0, 0, 1, 1, 1, 2, 3, 3, 3]])
    base = squared_euclidean(x)
    alone = np.array([crossfit(x, moas, itml, folds[[k]], base) for k in (0, 1)])
    both = crossfit(x, moas, itml, folds, base)
    for known in np.ndindex(12, 12):
        given = [value for value in alone[:, *known] if not np.isnan(value)]
        assert both[known] == pytest.approx(np.mean(given)) if given else np.isnan(both[known])


def test_unlearned_pairs_have_the_scaled_distance_of_the_profiles():
    base = squared_euclidean(screen(20)[0])
    squared = 7 * base
    squared[2, 5] = squared[5, 2] = np.nan
    filled = with_unlearned(squared, base)
    assert filled[2, 5] == filled[5, 2] == base[2, 5] / np.median(squareform(base, checks=False))
    filled[2, 5] = filled[5, 2] = np.nan
    np.testing.assert_array_equal(filled, squared)


def test_nothing_to_learn_from_gives_the_scaled_distances_of_the_profiles():
    x = screen(12)[0]
    folds, base = np.array([np.arange(12) % 4]), squared_euclidean(x)
    squared = crossfit(x, np.eye(12, dtype=bool), itml, folds, base)
    assert share_unlearned(squared) == 1
    np.testing.assert_allclose(with_unlearned(squared, base), base / scale(base), rtol=1e-15)
