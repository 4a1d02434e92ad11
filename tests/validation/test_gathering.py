"""Pairs of one MoA in one community: against counting pair by pair, on planted communities, and its false positives."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom

from moamap.core.labels import label_sets, pairs_that_share
from moamap.core.names import LABEL_FREE, TOGETHER, TOGETHER_BY_MOA, WITHIN
from moamap.validation.gathering import gathering, strata_of, strength
from moamap.validation.nulls import permutation, permutation_within, summary, upper_p
from moamap.validation.procedure import Procedure


def pair_by_pair(numbers, moas):
    sets = [set(np.flatnonzero(row)) for row in moas]
    together = {(i, j) for i, j in combinations(range(len(numbers)), 2) if numbers[i] == numbers[j]}
    shares = []
    for moa in range(moas.shape[1]):
        mine = list(combinations(np.flatnonzero(moas[:, moa]), 2))
        shares += [len(together & set(mine)) / len(mine)] if mine else []
    pairs = sum(bool(sets[i] & sets[j]) for i, j in together)
    return {TOGETHER: pairs, TOGETHER_BY_MOA: sum(shares) / len(shares) if shares else np.nan}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("split", [False, True])
def test_against_counting_pair_by_pair(seed, split):
    """`split`: drugs of no, one or several MoAs; a pair that shares two of them is one pair."""
    rng = np.random.default_rng(seed)
    n, n_moas = int(rng.integers(2, 50)), int(rng.integers(2, 12))
    numbers = np.unique(rng.integers(0, max(n // 4, 1), size=n), return_inverse=True)[1] + 1
    moas = rng.random((n, n_moas)) < 0.3 if split else np.eye(n_moas, dtype=bool)[rng.integers(n_moas, size=n)]
    found = gathering(numbers, pairs_that_share(moas), moas)
    assert found == pytest.approx(pair_by_pair(numbers, moas), rel=1e-12, nan_ok=True)


def test_by_hand():
    """Communities {0 1 2} {3 4} {5}; MoA a of drugs 0 1 3, b of 2, c of 4 5, d of 1 and 0."""
    moas = np.zeros((6, 4), dtype=bool)
    for moa, drugs in enumerate([[0, 1, 3], [2], [4, 5], [0, 1]]):
        moas[drugs, moa] = True
    found = gathering(np.array([1, 1, 1, 2, 2, 3]), pairs_that_share(moas), moas)
    assert found == {TOGETHER: 1, TOGETHER_BY_MOA: pytest.approx((1 / 3 + 0 + 1) / 3)}


def test_no_moa_of_two_drugs_gives_no_pair_and_no_mean():
    moas = np.eye(4, dtype=bool)
    found = gathering(np.ones(4, dtype=int), pairs_that_share(moas), moas)
    assert found[TOGETHER] == 0 and np.isnan(found[TOGETHER_BY_MOA])


# --- profile strength ---


def test_strength_against_a_loop_over_drugs():
    x = np.random.default_rng(0).normal(size=(31, 6)) * np.array([1, 10, 1e3, 1e-3, 1, 1]) + 50
    expected = []
    for row in range(31):
        total = 0.0
        for feature in x.T:
            middle = sorted(feature)[15]
            total += ((feature[row] - middle) / (1.4826 * sorted(abs(feature - middle))[15])) ** 2
        expected.append(np.sqrt(total / 6))
    np.testing.assert_allclose(strength(x), expected, rtol=1e-12)


def test_strength_does_not_depend_on_units_and_few_strong_drugs_do_not_hide_each_other():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 20))
    x[:9] *= 30
    scaled = strength(x * 10.0 ** rng.integers(-3, 4, size=20) + rng.normal(size=20))
    np.testing.assert_allclose(scaled, strength(x), rtol=1e-6)
    assert set(np.argsort(scaled)[-9:]) == set(range(9))
    assert scaled[:9].mean() > 20


def test_features_without_a_scale_are_left_out_and_mostly_constant_ones_are_not():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 5))
    useless = np.column_stack([np.full(40, 3.0), np.where(np.arange(40) == 7, np.nan, 1.0), np.full(40, np.inf)])
    np.testing.assert_array_equal(strength(np.column_stack([x, useless])), strength(x))
    count = (np.arange(40) == 5).astype(float)  # its MAD is 0
    assert strength(np.column_stack([x, count]))[5] > strength(x)[5]
    assert np.isfinite(strength(np.column_stack([x, count]))).all()
    assert (strength(useless) == 0).all()


@pytest.mark.parametrize(("n", "sizes"), [(20, [4] * 5), (12, [3, 2, 3, 2, 2]), (3, [1, 1, 0, 1, 0])])
def test_strata_are_of_equal_size_from_weak_to_strong(n, sizes):
    values = np.random.default_rng(n).normal(size=n)
    strata = strata_of(values)
    assert np.bincount(strata, minlength=5).tolist() == sizes
    assert (np.diff(strata[np.argsort(values)]) >= 0).all()


def test_equal_strengths_are_told_apart_by_their_row():
    np.testing.assert_array_equal(strata_of(np.zeros(10)), np.arange(10) // 2)


# --- known truth ---


def nulls_of(x, moas, strata, n_permutations, seed=0):
    """The claims of the truth and of each permutation: claim -> (1 + B,)."""
    procedure, labels = Procedure(x, moas.any(axis=0), "raw"), label_sets(moas)
    found = {claim: [] for claim in (*WITHIN, *WITHIN.values())}
    for number in range(n_permutations + 1):
        over_all, within = permutation(len(x), seed, number), permutation_within(strata, seed, number)
        for claim, name in WITHIN.items():
            found[claim].append(procedure.gathering(moas[over_all], labels[over_all])[LABEL_FREE][claim])
            found[name].append(procedure.gathering(moas[within], labels[within])[LABEL_FREE][claim])
    return {claim: np.array(values, float) for claim, values in found.items()}


def test_planted_communities_are_found_whole():
    """Six MoAs of eight drugs, far apart: every pair of a MoA is together, on no permutation."""
    rng = np.random.default_rng(0)
    moas = np.eye(6, dtype=bool)[np.arange(48) % 6]
    x = rng.normal(size=(48, 10)) + 30 * rng.normal(size=(6, 10))[np.arange(48) % 6]
    found = nulls_of(x, moas, np.arange(48) // 6 % 5, 99)
    for claim, all_of_them in {TOGETHER: 6 * 28, TOGETHER_BY_MOA: 1}.items():
        for name in (claim, WITHIN[claim]):
            result = summary(found[name][0], found[name][1:])
            assert result["observed"] == all_of_them
            assert result["p_value"] == 1 / 100 and result["z"] > 10
    # each of the 168 pairs of one community has one MoA with probability 7 / 47
    null = found[TOGETHER][1:]
    assert abs(null.mean() - 168 * 7 / 47) < 4 * null.std() / np.sqrt(99)


def screen_without_mechanisms(seed, confounded):
    """Profiles whose direction has nothing to do with MoA; `confounded`: MoAs differ in how strong their drugs are."""
    rng = np.random.default_rng(seed)
    n = 60
    grade = rng.permutation(np.arange(n) % 5)
    moa = (2 * grade + rng.integers(2, size=n)) if confounded else rng.integers(10, size=n)
    x = rng.normal(size=(n, 8))
    x[:, 0] += 3 * grade  # strong drugs lie together: one direction of harm
    return x, np.eye(10, dtype=bool)[moa], grade


def false_positives(confounded, n_screens=300, n_permutations=39):
    """p values of each claim on screens without mechanisms: claim -> (n_screens,)."""
    p = {claim: [] for claim in (*WITHIN, *WITHIN.values())}
    for seed in range(n_screens):
        screen = screen_without_mechanisms(seed, confounded)
        for claim, values in nulls_of(*screen, n_permutations, seed).items():
            p[claim].append(float(upper_p(values[0], values[1:])))
    return {claim: np.array(values) for claim, values in p.items()}


def test_false_positives_are_at_their_level_where_labels_mean_nothing():
    """Ties can make p larger, never smaller: a rate may lie a little below its level, and not above."""
    for claim, p in false_positives(confounded=False).items():
        for level in (0.05, 0.2, 0.5):
            low, high = binom.ppf([0.0005, 0.9995], len(p), level)
            assert 0.6 * low <= (p <= level).sum() <= high, (claim, level, (p <= level).mean())


def test_strength_alone_looks_like_mechanism_but_not_within_strata():
    p = false_positives(confounded=True)
    high = binom.ppf(0.9995, 300, 0.05)
    for claim, within in WITHIN.items():
        assert (p[claim] <= 0.05).mean() > 0.5
        assert (p[within] <= 0.05).sum() <= high
