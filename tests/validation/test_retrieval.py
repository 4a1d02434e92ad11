"""Retrieval against scikit-learn, copairs and plain loops."""

import numpy as np
import pandas as pd
import pytest
from copairs import map as copairs_map
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import average_precision_score
from sklearn.neighbors import KNeighborsClassifier

from moamap.core.labels import membership, sharing
from moamap.validation.retrieval import Ranking, average_precision, mean_by_moa, rank

N = 40


def screen(seed=0, policy="whole", n_names=9):
    """Distances without ties, MoA strings and the table of MoAs; some MoAs have one drug."""
    rng = np.random.default_rng(seed)
    names = [f"m{i}" for i in range(n_names)]
    moa = pd.Series(["|".join(rng.choice(names, size=rng.integers(1, 3), replace=False)) for _ in range(N)])
    moa = moa if policy == "split" else moa.str.split("|").str[0]
    moa.iloc[0] = "lonely"
    x = rng.normal(size=(N, 4))
    return x, squareform(pdist(x, "sqeuclidean")), moa, membership(moa, policy).to_numpy()


def by_hand(distances, query, gallery, shared):
    """Average precision and first hit of one query; equal distances in the order of the gallery."""
    others = [row for row in gallery if row != query]
    near = sorted(others, key=lambda row: distances[query, row])  # sorted() is stable
    places = [place for place, row in enumerate(near, start=1) if shared[query, row]]
    if not places:
        return np.nan, np.nan
    precisions = [found / place for found, place in enumerate(places, start=1)]
    return sum(precisions) / len(precisions), float(places[0] == 1)


@pytest.mark.parametrize("policy", ["whole", "split"])
@pytest.mark.parametrize("seed", range(3))
def test_average_precision_against_scikit_learn(seed, policy):
    _, squared, _, moas = screen(seed, policy)
    shared = sharing(moas)
    everyone = np.arange(N)
    scores, _ = average_precision(rank(squared, everyone, everyone), shared)
    for query in everyone:
        others = np.delete(everyone, query)
        if shared[query, others].any():
            expected = average_precision_score(shared[query, others], -squared[query, others])
            assert scores[query] == pytest.approx(expected, rel=1e-12)
        else:
            assert np.isnan(scores[query])


def test_average_precision_and_means_against_copairs(tmp_path):
    x, squared, moa, moas = screen(3)
    everyone = np.arange(N)
    scores, _ = average_precision(rank(squared, everyone, everyone), sharing(moas))
    theirs = copairs_map.average_precision(
        pd.DataFrame({"moa": moa}), x, ["moa"], [], [], ["moa"], distance="euclidean", progress_bar=False
    )
    np.testing.assert_allclose(scores, theirs["average_precision"], rtol=1e-6)
    # copairs keeps its null distributions, which are of no use here, in a folder that earlier calls have filled
    means = copairs_map.mean_average_precision(
        theirs, ["moa"], null_size=10, threshold=0.05, seed=0, progress_bar=False, cache_dir=tmp_path
    ).set_index("moa")["mean_average_precision"]
    ours = pd.Series(mean_by_moa(scores, everyone, moas), membership(moa, "whole").columns)
    assert ours.drop(means.index).isna().all()
    assert 1 < len(means) < len(ours)
    np.testing.assert_allclose(ours[means.index], means, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_values", [1, 3, 12])
def test_ties_are_taken_in_the_order_of_the_table(n_values, seed):
    rng = np.random.default_rng(seed)
    _, _, _, moas = screen(seed)
    shared = sharing(moas)
    tied = rng.integers(n_values, size=(N, N)).astype(float)  # a zero to another drug is no sign of the query
    gallery = np.flatnonzero(rng.random(N) < 0.7)
    queries = gallery[::3]
    scores, hits = average_precision(rank(tied, queries, gallery), shared)
    expected = np.array([by_hand(tied, query, gallery, shared) for query in queries])
    np.testing.assert_allclose(scores, expected[:, 0], rtol=1e-12)
    np.testing.assert_array_equal(hits, expected[:, 1])


@pytest.mark.parametrize("far", [np.zeros((N, N)), np.ones((N, N)), -np.ones((N, N)), None])
def test_a_ranking_is_the_gallery_without_the_query(far):
    distances = screen()[1] if far is None else far
    before = distances.copy()
    gallery = np.array([2, 3, 5, 8, 13, 21, 34, 39])
    ranking = rank(distances, gallery[[7, 0, 3]], gallery)
    np.testing.assert_array_equal(ranking.queries, [39, 2, 8])
    for query, order in zip(ranking.queries, ranking.order, strict=True):
        np.testing.assert_array_equal(np.sort(order), gallery[gallery != query])
        assert (np.diff(distances[query, order]) >= 0).all()
    np.testing.assert_array_equal(distances, before)


def test_partners_outside_the_gallery_do_not_count():
    distances = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    shared = sharing(np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0]], dtype=bool))
    scores, hits = average_precision(rank(distances, np.array([0, 2]), np.array([0, 1, 2, 4])), shared)
    np.testing.assert_allclose(scores, [(1 / 1 + 2 / 3) / 2, np.nan])  # 2's only partner, 3, is not there
    np.testing.assert_array_equal(hits, [1, np.nan])


def test_values_by_hand():
    ranking = Ranking(np.array([0, 1]), np.array([[3, 1, 4, 2], [0, 2, 3, 4]]))
    shared = np.zeros((5, 5), dtype=bool)
    shared[0, [1, 2]] = shared[1, [4]] = True
    scores, hits = average_precision(ranking, shared)
    np.testing.assert_allclose(scores, [(1 / 2 + 2 / 4) / 2, 1 / 4])
    np.testing.assert_array_equal(hits, [0, 0])


def test_random_orders_have_the_exact_expectation():
    """One relevant among n: the mean of 1/r over the ranks. Two: by all pairs of ranks."""
    n_others, everyone = 9, np.arange(10)
    rng = np.random.default_rng(0)
    one, two = np.zeros((2, 10, 10), dtype=bool)
    one[:, :1] = two[:, :2] = True
    draws = [rank(rng.random((10, 10)), everyone[5:], everyone) for _ in range(4000)]
    ranks = np.arange(1, n_others + 1)
    pairs = [(1 / a + 2 / b) / 2 for a in ranks for b in ranks if a < b]
    for shared, expected in ((one, np.mean(1 / ranks)), (two, np.mean(pairs))):
        scores = np.concatenate([average_precision(ranking, shared)[0] for ranking in draws])
        assert abs(scores.mean() - expected) < 4 * scores.std() / np.sqrt(len(scores))


def test_hits_against_a_nearest_neighbour_classifier():
    x, squared, moa, moas = screen(5)
    everyone = np.arange(N)
    _, hits = average_precision(rank(squared, everyone, everyone), sharing(moas))
    has_partner = moa.duplicated(keep=False).to_numpy()
    np.testing.assert_array_equal(np.isnan(hits), ~has_partner)
    for query in np.flatnonzero(has_partner):
        others = np.delete(everyone, query)
        nearest = KNeighborsClassifier(1).fit(x[others], moa[others]).predict(x[[query]])[0]
        assert hits[query] == (nearest == moa[query])


@pytest.mark.parametrize("policy", ["whole", "split"])
def test_means_by_loops(policy):
    _, _, _, moas = screen(7, policy)
    rng = np.random.default_rng(1)
    queries = 1 + rng.permutation(N - 1)[:25]  # without the only drug of its MoA
    scores = np.where(rng.random(25) < 0.2, np.nan, rng.random(25))
    means = mean_by_moa(scores, queries, moas)
    assert means.shape == (moas.shape[1],)
    for column, mean in enumerate(means):
        of_moa = [s for s, query in zip(scores, queries, strict=True) if moas[query, column] and not np.isnan(s)]
        assert mean == pytest.approx(np.mean(of_moa), rel=1e-12) if of_moa else np.isnan(mean)
    assert np.isnan(means).any() and not np.isnan(means).all()


def test_a_query_alone_in_its_gallery_has_no_score():
    alone = rank(np.zeros((3, 3)), np.array([1]), np.array([1]))
    scores, hits = average_precision(alone, np.ones((3, 3), dtype=bool))
    assert np.isnan(scores).all() and np.isnan(hits).all()
