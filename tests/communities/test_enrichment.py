from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from moamap.communities.enrichment import enrichment_table, table_1_row
from moamap.core.labels import membership


def screen(n_drugs, n_communities, n_moas, seed=0):
    """Random communities, and drugs with one or two MoAs."""
    rng = np.random.default_rng(seed)
    communities = pd.Series(1 + rng.permutation(np.arange(n_drugs) % n_communities))
    names = [f"m{i}" for i in range(n_moas)]
    moa = pd.Series(["|".join(rng.choice(names, size=rng.integers(1, 3), replace=False)) for _ in range(n_drugs)])
    return communities, moa


def tail_by_binomials(k, K, n, N):
    return sum(comb(K, i) * comb(N - K, n - i) for i in range(k, min(K, n) + 1)) / comb(N, n)


def step_up(p):
    """Benjamini and Hochberg's adjusted P: the smallest level at which the step-up procedure rejects each."""
    return [min(len(p) * level / sum(other <= level for other in p) for level in p if level >= mine) for mine in p]


@pytest.mark.parametrize("policy", ["whole", "split"])
def test_counts_and_p_against_fisher(policy):
    communities, moa = screen(60, 7, 5)
    moas = membership(moa, policy)
    table = enrichment_table(communities, moas, min_drugs=2)
    tested = [name for name in moas if moas[name].sum() >= 2]
    assert list(zip(table["community"], table["moa"], strict=True)) == [(c, m) for c in range(1, 8) for m in tested]
    for row in table.itertuples():
        inside, has = communities == row.community, moas[row.moa]
        counts = [[(a & b).sum() for b in (has, ~has)] for a in (inside, ~inside)]
        assert (row.k, row.K, row.n, row.N) == (counts[0][0], has.sum(), inside.sum(), 60)
        assert row.p_value == pytest.approx(fisher_exact(counts, alternative="greater").pvalue, rel=1e-10)


@pytest.mark.parametrize(("n_drugs", "n_communities"), [(40, 4), (1105, 40), (1105, 900)])
def test_p_by_binomial_coefficients(n_drugs, n_communities):
    communities, moa = screen(n_drugs, n_communities, 6, seed=1)
    table = enrichment_table(communities, membership(moa, "split")).drop_duplicates(["k", "K", "n"])
    exact = [tail_by_binomials(row.k, row.K, row.n, row.N) for row in table.itertuples()]
    np.testing.assert_allclose(table["p_value"], exact, rtol=1e-9)


def test_a_community_that_is_its_moa():
    communities, moa = pd.Series([1] * 20 + [2] * 10), pd.Series(["a"] * 20 + ["b"] * 10)
    table = enrichment_table(communities, membership(moa, "whole"))
    np.testing.assert_allclose(table["p_value"], [1 / comb(30, 20), 1, 1, 1 / comb(30, 10)], rtol=1e-10)
    assert table["enriched"].tolist() == [True, False, False, True]


@pytest.mark.parametrize(("n_moas", "n_communities"), [(5, 1), (5, 6), (12, 15)])
def test_q_is_the_step_up_over_the_whole_table(n_moas, n_communities):
    communities, moa = screen(90, n_communities, n_moas, seed=2)
    table = enrichment_table(communities, membership(moa, "split"))
    np.testing.assert_allclose(table["q_value"], step_up(table["p_value"].tolist()), rtol=1e-12)


def test_p_is_exact_over_all_random_communities():
    """Of all communities of 4 among 10 drugs exactly a share P has a P as small."""
    moas = pd.DataFrame({"m": [True] * 5 + [False] * 5})
    p = []
    for members in combinations(range(10), 4):
        table = enrichment_table(pd.Series(np.isin(np.arange(10), members).astype(int)), moas)
        p.append(table.set_index("community")["p_value"][1])
    for value in np.unique(np.round(p, 12)):
        assert np.mean(np.array(p) <= value + 1e-9) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(("min_drugs", "expected"), [(1, list("abc")), (2, list("bc")), (3, ["c"])])
def test_small_moas_are_not_tested(min_drugs, expected):
    moas = membership(pd.Series(list("abbccc")), "whole")
    table = enrichment_table(pd.Series([1, 1, 1, 2, 2, 2]), moas, min_drugs=min_drugs)
    assert table["moa"].unique().tolist() == expected
    assert len(table) == 2 * len(expected)


def test_communities_are_taken_by_position():
    communities, moa = screen(40, 4, 3)
    moas = membership(moa, "split")
    shuffled = communities.set_axis(np.arange(40)[::-1])
    pd.testing.assert_frame_equal(enrichment_table(shuffled, moas), enrichment_table(communities, moas))


def test_enriched_is_below_alpha_strictly():
    moas = pd.DataFrame({"m": [True, True, True, False, False]})
    communities = pd.Series([1, 1, 2, 2, 2])
    p = enrichment_table(communities, moas, min_drugs=2)["p_value"][0]
    assert p == pytest.approx(3 / 10)
    assert not enrichment_table(communities, moas, min_drugs=2, alpha=p)["enriched"][0]
    assert enrichment_table(communities, moas, min_drugs=2, alpha=np.nextafter(p, 1))["enriched"][0]


def test_table_1_row_by_hand():
    rows = [
        (1, "a", 3, 4, True),
        (1, "b", 0, 4, False),
        (2, "a", 1, 1, True),
        (2, "b", 0, 1, False),
        (3, "a", 0, 1, False),
        (3, "b", 1, 1, True),
        (4, "a", 0, 2, False),
        (4, "b", 1, 2, False),
    ]
    assert table_1_row(pd.DataFrame(rows, columns=["community", "moa", "k", "n", "enriched"])) == {
        "Clustering Number": 4,
        "Enrichment Number": 2,
        "Enrichment Expectation": 0.5,
        "singleton communities": 2,
        "MoAs enriched with k >= 2": 1,
        "communities with any enrichment": 3,
    }


def test_one_drug_enriches_every_moa_of_eleven_or_fewer_at_1105():
    """What the count with k >= 2 is for."""
    moa = pd.Series(["m11"] * 11 + ["m12"] * 12 + [f"rare {i // 4}" for i in range(1082)])
    communities = pd.Series(np.where(np.isin(np.arange(1105), [0, 11]), np.arange(1105) + 2, 1))
    table = enrichment_table(communities, membership(moa, "whole"))
    hits = table[table["enriched"]]
    assert list(zip(hits["community"], hits["moa"], strict=True)) == [(2, "m11")]
    row = table_1_row(table)
    assert (row["Enrichment Number"], row["MoAs enriched with k >= 2"], row["singleton communities"]) == (1, 0, 2)
