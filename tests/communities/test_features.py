from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist

from moamap.communities import features
from moamap.communities.features import csif_overlap, intra_class_ratios, mean_absolute_difference


def brute_mad(x):
    return [pdist(column[:, None], "cityblock").mean() for column in np.asarray(x, float).T]


@pytest.mark.parametrize("n", [2, 3, 4, 31, 200])
@pytest.mark.parametrize("ties", [False, True])
def test_mean_absolute_difference_against_all_pairs(n, ties):
    rng = np.random.default_rng(n)
    x = rng.integers(-3, 4, (n, 5)).astype(float) if ties else rng.normal(1, 20, (n, 5))
    np.testing.assert_allclose(mean_absolute_difference(x), brute_mad(x), rtol=1e-11)


def test_mean_absolute_difference_of_some_columns_at_a_time(monkeypatch):
    x = np.random.default_rng(0).normal(size=(30, 11))
    whole = mean_absolute_difference(x)
    monkeypatch.setattr(features, "PIECE", 70)
    np.testing.assert_array_equal(mean_absolute_difference(x), whole)


def test_mean_absolute_difference_by_hand():
    assert mean_absolute_difference(np.array([[1.0, 7.0], [4.0, 7.0], [2.0, 7.0]])).tolist() == [2.0, 0.0]


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_drugs_have_no_difference(n):
    assert np.isnan(mean_absolute_difference(np.ones((n, 3)))).tolist() == [True] * 3


def test_mean_absolute_difference_leaves_its_input_alone():
    x = np.random.default_rng(0).normal(size=(9, 2))
    before = x.copy()
    mean_absolute_difference(x)
    np.testing.assert_array_equal(x, before)


def test_ratios_against_all_pairs():
    rng = np.random.default_rng(1)
    features = pd.DataFrame(rng.normal(size=(30, 4)), columns=list("wxyz"))
    communities = pd.Series(rng.permutation(np.repeat([1, 2, 3, 4], [15, 10, 4, 1])))
    table = intra_class_ratios(features, communities).set_index(["community", "feature"])
    overall = brute_mad(features)
    assert table.index.tolist() == [(c, f) for c in (1, 2, 3, 4) for f in "wxyz"]
    for community in (1, 2, 3):
        inside = np.array(brute_mad(features[communities.to_numpy() == community]))
        np.testing.assert_allclose(table.loc[community, "intra_class_ratio"], inside / overall, rtol=1e-11)


def test_a_single_drug_has_no_ratio_and_no_csif():
    features = pd.DataFrame({"f": [0.0, 0.0, 5.0], "g": [1.0, 2.0, 3.0]})
    table = intra_class_ratios(features, pd.Series([1, 1, 2]))
    assert table["intra_class_ratio"].isna().tolist() == [False, False, True, True]
    assert table["is_csif"].tolist() == [True, False, False, False]


@pytest.mark.parametrize(("threshold", "expected"), [(0.5, False), (0.501, True)])
def test_a_csif_is_below_the_threshold_strictly(threshold, expected):
    features = pd.DataFrame({"f": [0.0, 1.0, 3.0]})  # 1 inside, (1 + 3 + 2) / 3 overall
    table = intra_class_ratios(features, pd.Series([1, 1, 2]), threshold=threshold)
    assert table["intra_class_ratio"][0] == 0.5
    assert table["is_csif"][0] == expected


def test_the_ratio_of_random_communities_is_one_on_average():
    """Exactly: over all communities of four drugs among nine."""
    features = pd.DataFrame(np.random.default_rng(2).gamma(1, size=(9, 3)))
    ratios = [
        intra_class_ratios(features, pd.Series(np.isin(np.arange(9), members).astype(int)))["intra_class_ratio"][3:]
        for members in combinations(range(9), 4)
    ]
    np.testing.assert_allclose(np.mean(ratios, axis=0), 1, rtol=1e-12)


def test_planted_features_are_found_and_no_others():
    rng = np.random.default_rng(3)
    x, communities = rng.normal(size=(120, 50)), np.repeat([1, 2, 3], 40)
    x[:40, :5] = rng.normal(2, 1e-3, (40, 5))
    x[40:80, 4:7] = rng.normal(-2, 1e-3, (40, 3))
    table = intra_class_ratios(pd.DataFrame(x), pd.Series(communities))
    found = table[table["is_csif"]].groupby("community")["feature"].agg(list)
    assert found.to_dict() == {1: [0, 1, 2, 3, 4], 2: [4, 5, 6]}
    assert csif_overlap(table)["n_features"].tolist() == [6, 1, 0]


@pytest.mark.parametrize(
    ("per_feature", "expected"),
    [([0, 0], [0, 0, 0]), ([1, 1, 2, 0], [2, 1, 0]), ([3, 1], [1, 0, 1]), ([5, 2, 2], [0, 2, 0, 0, 1])],
)
def test_csif_overlap_counts_features_without_gaps(per_feature, expected):
    rows = [(f, c < n) for f, n in enumerate(per_feature) for c in range(5)]
    overlap = csif_overlap(pd.DataFrame(rows, columns=["feature", "is_csif"]))
    assert overlap["n_communities"].tolist() == list(range(1, len(expected) + 1))
    assert overlap["n_features"].tolist() == expected
