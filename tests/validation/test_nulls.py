"""Permutations and p-values against counting, scipy, and algorithms written out."""

from collections import Counter
from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, chisquare, hypergeom

from moamap.communities.enrichment import enrichment_table, tail
from moamap.core.labels import label_sets
from moamap.validation import nulls
from moamap.validation.nulls import (
    by_moa,
    enough,
    enrichment_p,
    made_within,
    permutation,
    permutation_within,
    retrieval_by_moa,
    step_down_min_p,
    summary,
    upper_p,
)

LEVEL = 0.05


def literal_algorithm_2_8(observed, null):
    """Westfall and Young (1993), algorithm 2.8, step by step, with (1 + count) / (1 + B).

    On each statistic's own permutation p, and where these are equal on the statistic.
    """
    m = len(observed)
    drawn = [list(observed), *map(list, null)]
    observed, *null = [[(sum(other[i] <= row[i] for other in drawn), row[i]) for i in range(m)] for row in drawn]
    r = sorted(range(m), key=lambda i: observed[i])  # p_(r1) <= ... <= p_(rm)
    count = [0] * m
    for p_star in null:
        q = [None] * m
        q[m - 1] = p_star[r[m - 1]]
        for i in reversed(range(m - 1)):
            q[i] = min(q[i + 1], p_star[r[i]])
        for i in range(m):
            count[i] += q[i] <= observed[r[i]]
    adjusted = [(1 + c) / (1 + len(null)) for c in count]
    for i in range(1, m):
        adjusted[i] = max(adjusted[i - 1], adjusted[i])
    return [adjusted[r.index(i)] for i in range(m)]


def unequal_nulls(rng, n_sets, m):
    """(n_sets, m) statistics that share a factor; they differ by powers of ten, and some are discrete."""
    z = rng.normal(size=(n_sets, m)) + rng.normal(size=(n_sets, 1))
    statistics = np.exp(z * np.linspace(0.5, 4, m) - np.linspace(0, 6, m))
    statistics[:, ::3] = np.ceil(10 * statistics[:, ::3]) / 10
    return statistics


def test_number_0_is_the_truth_and_the_others_are_permutations():
    np.testing.assert_array_equal(permutation(30, 7, 0), np.arange(30))
    drawn = [permutation(30, 7, number) for number in range(1, 50)]
    for order in drawn:
        np.testing.assert_array_equal(np.sort(order), np.arange(30))
    assert len({tuple(order) for order in [*drawn, np.arange(30)]}) == 50


def test_a_permutation_depends_on_its_number_and_seed_only():
    alone = permutation(30, 7, 3)
    np.random.seed(1)
    permutation(30, 7, 2)
    np.testing.assert_array_equal(permutation(30, 7, 3), alone)
    assert not np.array_equal(permutation(30, 8, 3), alone)
    assert not np.array_equal(permutation(30, 3, 7), alone)


@pytest.mark.parametrize("vary", ["seed", "number"])
def test_all_orders_are_equally_likely(vary):
    draws = [permutation(3, 5, i) if vary == "number" else permutation(3, i, 5) for i in range(1, 3001)]
    counts = Counter(map(tuple, draws))
    assert set(counts) == set(permutations(range(3)))
    assert chisquare(list(counts.values())).pvalue > 1e-3


STRATA = np.array([2, 0, 1, 0, 2, 1, 0])  # of 3, 2 and 2 drugs


def test_permutations_within_strata_leave_every_drug_in_its_stratum():
    np.testing.assert_array_equal(permutation_within(STRATA, 7, 0), np.arange(7))
    for number in range(1, 50):
        order = permutation_within(STRATA, 7, number)
        np.testing.assert_array_equal(np.sort(order), np.arange(7))
        np.testing.assert_array_equal(STRATA[order], STRATA)


def test_all_orders_within_strata_are_equally_likely():
    counts = Counter(tuple(permutation_within(STRATA, 7, number)) for number in range(1, 4801))
    assert len(counts) == 6 * 2 * 2
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_a_permutation_within_strata_has_a_stream_of_its_own():
    alone = permutation_within(np.zeros(30), 7, 3)
    permutation_within(np.zeros(30), 7, 2)
    np.testing.assert_array_equal(permutation_within(np.zeros(30), 7, 3), alone)
    assert not np.array_equal(alone, permutation(30, 7, 3))
    assert not np.array_equal(alone, permutation_within(np.zeros(30), 3, 7))


def test_every_fourth_permutation_within_strata_is_made_where_labels_are_learned_from():
    np.testing.assert_array_equal(np.flatnonzero(made_within(np.arange(20), supervised=True)), [0, 4, 8, 12, 16])
    assert made_within(np.arange(20), supervised=False).all()
    assert made_within(8, supervised=True) and not made_within(9, supervised=True) and made_within(9, supervised=False)


def test_permutations_move_whole_label_sets():
    moas = np.random.default_rng(0).random((40, 5)) < 0.3
    order = permutation(40, 1, 4)
    assert Counter(map(tuple, moas[order])) == Counter(map(tuple, moas))
    np.testing.assert_array_equal(label_sets(moas[order]), label_sets(moas)[order])


@pytest.mark.parametrize(("n", "n_communities", "n_moas"), [(60, 7, 5), (60, 1, 3), (200, 60, 12)])
def test_enrichment_p_against_the_enrichment_table(n, n_communities, n_moas):
    rng = np.random.default_rng(n_communities)
    numbers = 1 + rng.permutation(np.arange(n) % n_communities)
    moas = rng.random((n, n_moas)) < np.linspace(0.05, 0.4, n_moas)
    p, k = enrichment_p(numbers, moas)
    table = enrichment_table(pd.Series(numbers), pd.DataFrame(moas), min_drugs=0)
    np.testing.assert_array_equal(k.ravel(), table["k"])
    np.testing.assert_allclose(p.ravel(), table["p_value"], rtol=1e-12)


def test_enrichment_p_against_the_hypergeometric_tail():
    rng = np.random.default_rng(3)
    numbers, moas = 1 + rng.permutation(np.arange(50) % 6), rng.random((50, 4)) < 0.25
    p, k = enrichment_p(numbers, moas)
    for community, moa in product(range(6), range(4)):
        inside, has = numbers == community + 1, moas[:, moa]
        found, large, size = (inside & has).sum(), has.sum(), inside.sum()
        assert k[community, moa] == found
        expected = hypergeom.pmf(np.arange(found, min(large, size) + 1), 50, large, size).sum()
        assert p[community, moa] == pytest.approx(expected, rel=1e-10)


def test_upper_p_by_hand():
    assert upper_p(3, np.array([1, 2, 3, 4])) == 3 / 5
    assert upper_p(9, np.zeros(99)) == 1 / 100
    assert upper_p(0, np.zeros(99)) == 1


def test_what_was_not_observed_has_no_p_and_a_failed_permutation_counts_against_it(few_are_enough):
    assert np.isnan(upper_p(np.nan, np.zeros(9)))
    assert upper_p(3, np.array([1, np.nan, 2])) == 2 / 4
    np.testing.assert_array_equal(upper_p(np.array([3, 0]), np.array([[1, 1], [4, 1]])), [2 / 3, 1])
    with_gaps = summary(3.0, np.array([1.0, np.nan, 2.0]))
    assert (with_gaps["null_mean"], with_gaps["lift"], with_gaps["p_value"]) == (1.5, 2.0, 0.5)
    assert np.isnan(list(summary(np.nan, np.full(3, np.nan)).values())).all()
    table = retrieval_by_moa(["a", "b"], np.array([0.5, np.nan]), np.array([[0.1, np.nan], [0.2, np.nan]]))
    assert table["q_value"].tolist()[0] == table["p_value"].tolist()[0] == 1 / 3
    assert table.loc[1, ["p_value", "q_value"]].isna().all()


def test_equal_cases_tie_to_the_last_bit():
    """10 of 11 drugs in a community of 30 is as unlikely as 10 of 30 in one of 11."""
    p = [[tail(k, N, K, n) == tail(k, N, n, K) for k in range(1, K + 1)] for N, K, n in [(488, 11, 30), (1105, 43, 7)]]
    assert all(map(all, p))


def test_upper_p_is_exact_for_exchangeable_values():
    """Whichever of 20 exchangeable values is the observed one: p takes each of 1/20 ... 20/20 once."""
    values = np.random.default_rng(0).normal(size=20)
    p = [upper_p(values[i], np.delete(values, i)) for i in range(20)]
    np.testing.assert_allclose(np.sort(p), np.arange(1, 21) / 20)


def test_summary_by_hand():
    null = np.random.default_rng(0).permutation(np.arange(41.0))  # the 2.5% point lies 1/40 of the way up
    found = summary(30.0, null)
    expected = {
        "observed": 30,
        "null_mean": 20,
        "null_low": 1,
        "null_high": 39,
        "lift": 1.5,
        "z": 10 / np.sqrt(41 * 42 / 12),  # the sample variance of 0 ... m - 1 is m (m + 1) / 12
        "p_value": 12 / 42,
    }
    assert found == pytest.approx(expected)


def test_z_has_no_value_where_the_null_does_not_vary():
    for null in (np.full(9, 0.1), np.array([1.0]), np.array([1.0, np.nan])):
        found = summary(2.0, null)
        assert np.isnan(found["z"]) and not np.isnan(found["p_value"])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_values", [3, 40, None])
def test_step_down_against_the_literal_algorithm(seed, n_values):
    rng = np.random.default_rng(seed)
    drawn = rng.random((31, 9)) ** np.linspace(1, 5, 9)
    drawn = drawn if n_values is None else np.ceil(n_values * drawn) / n_values
    np.testing.assert_array_equal(step_down_min_p(drawn[0], drawn[1:]), literal_algorithm_2_8(drawn[0], drawn[1:]))


def test_step_down_by_hand():
    null = np.array([[0.5, 0.01, 0.6], [0.2, 0.3, 0.9], [0.9, 0.9, 0.04]])
    # p in quarters: 1, 2, 3 of the truth; 3 1 2, 2 3 4, 4 4 1 of the permutations. Hypothesis 0 (1, then 0.1) comes
    # first: the minima are 1 (0.01), 2 and 1 (0.04), two of them no more; then 1 (2): 1, 3, 1; then 2 (3): 2, 4, 1
    np.testing.assert_allclose(step_down_min_p(np.array([0.1, 0.02, 0.8]), null), [3 / 4, 3 / 4, 3 / 4])
    # 0.03 and no longer 0.1: one of the two minima of 1 is larger
    np.testing.assert_allclose(step_down_min_p(np.array([0.03, 0.02, 0.8]), null), [2 / 4, 3 / 4, 3 / 4])


def test_a_moa_of_small_p_everywhere_does_not_hide_another():
    """The first has P below the second's in every permutation, and in the truth too: only the second is unusual."""
    rng = np.random.default_rng(0)
    null = np.column_stack([1e-4 * rng.random(999), rng.random(999)])
    adjusted = step_down_min_p(np.array([5e-5, 1e-3]), null)
    assert adjusted[1] < 0.01 and adjusted[0] > 0.4


def test_a_claim_about_each_moa_takes_more_permutations_where_moas_are_many():
    assert [enough(n) for n in (1, 24, 25, 49, 400)] == [999, 999, 1000, 1960, 16000]
    rng = np.random.default_rng(0)
    for n_permutations, testable in ((1999, False), (2000, True)):
        drawn = rng.random((1 + n_permutations, 50))
        for table_of, column in ((by_moa, "p_adjusted"), (retrieval_by_moa, "q_value")):
            table = table_of(range(50), drawn[0], drawn[1:])
            assert table[column].notna().all() if testable else table[column].isna().all()
            assert table["p_value"].notna().all()
            assert set(table["floor"]) == {50 / (1 + n_permutations)}
            assert set(table["permutations_needed"]) == {2000}


@pytest.fixture
def few_are_enough(monkeypatch):
    monkeypatch.setattr(nulls, "enough", lambda n_tests: 0)


@pytest.mark.parametrize("seed", range(4))
def test_adjusted_p_is_monotone_and_never_below_the_raw(seed, few_are_enough):
    rng = np.random.default_rng(seed)
    drawn = unequal_nulls(rng, 60, 12)
    observed = drawn[0] * rng.choice([1, 1e-3], 12)
    table = by_moa(range(12), observed, drawn[1:])
    raw = [(1 + sum(row[i] <= observed[i] for row in drawn[1:])) / 60 for i in range(12)]
    np.testing.assert_allclose(table["p_value"], raw)
    assert (table["p_adjusted"] >= table["p_value"]).all()
    assert (np.diff(table["p_adjusted"].to_numpy()[np.lexsort((observed, table["p_value"]))]) >= 0).all()
    assert table["p_adjusted"].between(1 / 60, 1).all() and table["p_adjusted"].nunique() > 2
    np.testing.assert_allclose(table["null_median_smallest_p"], np.median(drawn[1:], axis=0))


def test_family_wise_error_is_the_level():
    """With B = 59 the smallest adjusted p is at most 0.05 where the observed set is among the 3 smallest of 60."""
    rng = np.random.default_rng(1)
    n_runs = 4000
    reports = 0
    for _ in range(n_runs):
        drawn = unequal_nulls(rng, 60, 8)
        reports += (step_down_min_p(drawn[0], drawn[1:]) <= LEVEL).any()
    low, high = binom.ppf([0.001, 0.999], n_runs, LEVEL)
    assert low <= reports <= high


def test_true_nulls_beside_false_ones_are_reported_no_more_often():
    rng = np.random.default_rng(2)
    false, n_runs = np.arange(8) < 3, 4000
    wrong = found = 0
    for _ in range(n_runs):
        drawn = unequal_nulls(rng, 60, 8)
        drawn[0, false] = 0
        rejected = step_down_min_p(drawn[0], drawn[1:]) <= LEVEL
        wrong += rejected[~false].any()
        found += rejected[false].all()
    assert found == n_runs
    low, high = binom.ppf([0.001, 0.999], n_runs, LEVEL)
    assert low <= wrong <= high  # step-down: the level is used up by the true nulls that remain


def test_retrieval_by_moa_by_hand(few_are_enough):
    null = np.array([[0.1, 0.5, 0.2], [0.3, 0.1, 0.2], [0.2, 0.3, 0.2]])
    table = retrieval_by_moa(["a", "b", "c"], np.array([0.4, 0.3, 0.1]), null)
    np.testing.assert_allclose(table["null_mean"], [0.2, 0.3, 0.2])
    np.testing.assert_allclose(table["lift"], [2, 1, 0.5])
    np.testing.assert_allclose(table["p_value"], [1 / 4, 3 / 4, 1])
    np.testing.assert_allclose(table["q_value"], [3 / 4, 1, 1])  # 3/1 x 1/4; 3/2 x 3/4, but no more than 1


def test_a_permutation_without_a_value_counts_against_every_moa(few_are_enough):
    null = np.array([[0.2, 0.5], [np.nan, np.nan], [0.01, 0.9], [0.7, 0.3]])
    table = by_moa(["a", "b"], np.array([0.05, 0.4]), null)
    assert table["p_value"].tolist() == [3 / 5, 3 / 5]  # one of the three that were drawn, two of them, and the empty
    # places by p: 3 and 3 of the truth (0.05 before 0.4), 4 4, first, 2 5 and 5 2 of the permutations
    assert table["p_adjusted"].tolist() == [4 / 5, 4 / 5]
    assert table["null_median_smallest_p"].tolist() == pytest.approx([0.2, 0.5])
    retrieved = retrieval_by_moa(["a", "b"], np.array([0.6, 0.4]), null)
    assert retrieved["null_mean"].tolist() == pytest.approx([0.91 / 3, 1.7 / 3])
    assert retrieved["p_value"].tolist() == [3 / 5, 4 / 5]


def test_what_was_not_observed_has_no_p():
    empty, null = np.full(2, np.nan), np.full((4, 2), np.nan)
    for table in (by_moa(["a", "b"], empty, null), retrieval_by_moa(["a", "b"], empty, null)):
        assert table.drop(columns=["moa", "permutations", "permutations_needed", "floor"]).isna().all(axis=None)
    assert np.isnan(summary(np.nan, null[:, 0])["p_value"])
