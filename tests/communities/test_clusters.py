from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import AffinityPropagation
from sklearn.metrics import adjusted_rand_score

from moamap.communities import clusters
from moamap.communities.clusters import (
    chance_of_sharing,
    communities_of,
    communities_on_graph,
    engine_for,
    find_communities,
    median_of,
    numbered,
    similarities,
)
from moamap.core.errors import InputError


def normal_points(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 2))


def three_clouds(sizes, seed=0):
    truth = np.repeat([0, 1, 2], sizes)
    return np.array([[0, 0], [40, 0], [0, 40]])[truth] + normal_points(len(truth), seed), truth


def brute_net_similarity(s, preference, exemplar_of):
    return sum(preference if e == i else s[i, e] for i, e in enumerate(exemplar_of))


def test_similarities_are_minus_the_squared_distances():
    x = normal_points(9)
    expected = [[-((a - b) ** 2).sum() for b in x] for a in x]
    np.testing.assert_allclose(similarities(pdist(x)), expected, rtol=1e-12)


def test_communities_are_numbered_by_size_then_by_exemplar():
    labels = np.array([0, 1, 2, 1, 2, 3, 3, 3])
    numbers, exemplars = numbered(labels, np.array([0, 3, 2, 6]))
    assert exemplars.tolist() == [6, 2, 3, 0]
    assert numbers.tolist() == [4, 3, 2, 3, 2, 1, 1, 1]


def test_partition_is_scikit_learns():
    x = normal_points(60)
    s = -squareform(pdist(x, "sqeuclidean"))
    expected = AffinityPropagation(affinity="precomputed", random_state=0, max_iter=1000).fit(s)
    found = find_communities(pdist(x))
    assert adjusted_rand_score(expected.labels_, found.numbers) == 1
    assert sorted(found.exemplars) == sorted(expected.cluster_centers_indices_)
    assert (found.iterations, found.converged) == (expected.n_iter_, True)
    assert found.preference == pytest.approx(np.median(s), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_found_communities_are_in_order_and_hold_their_exemplars(seed):
    found = find_communities(pdist(normal_points(50, seed)))
    sizes = np.bincount(found.numbers)[1:]
    assert (sizes > 0).all() and len(sizes) == len(found.exemplars) > 1
    keys = list(zip(-sizes, found.exemplars, strict=True))
    assert keys == sorted(keys)
    assert found.numbers[found.exemplars].tolist() == list(range(1, len(sizes) + 1))


@pytest.mark.parametrize("sizes", [(10, 20, 30), (20, 10, 15)])
def test_separate_clouds_are_found(sizes):
    x, truth = three_clouds(sizes)
    found = find_communities(pdist(x), preference=-1000, damping=0.9)
    by_size = np.argsort(np.argsort(np.negative(sizes)))
    assert found.converged and found.preference == -1000
    assert found.numbers.tolist() == (1 + by_size[truth]).tolist()


def test_more_willing_exemplars_make_more_communities():
    distance = pdist(normal_points(40))
    counts = [len(find_communities(distance, preference=p).exemplars) for p in (-100, -10, -1, -0.01)]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("seed", range(4))
def test_net_similarity_of_the_communities_by_brute_force(seed):
    x = normal_points(40, seed)
    found = find_communities(pdist(x))
    s = -squareform(pdist(x, "sqeuclidean"))
    expected = brute_net_similarity(s, np.median(s), found.exemplars[found.numbers - 1])
    assert found.net_similarity == pytest.approx(expected, rel=1e-12)


def test_net_similarity_is_the_largest_of_all_sets_of_exemplars():
    x, _ = three_clouds((4, 3, 3), seed=1)
    s, n = similarities(pdist(x)), len(x)
    values = [
        brute_net_similarity(s, -50.0, np.array(chosen)[s[:, chosen].argmax(axis=1)])
        for size in range(1, n + 1)
        for chosen in combinations(range(n), size)
    ]
    assert find_communities(pdist(x), preference=-50.0, damping=0.9).net_similarity == pytest.approx(
        max(values), rel=1e-12
    )


@pytest.mark.parametrize("sizes", [(3, 2, 1), (1, 1, 1, 1), (5,), (4, 4), (7, 1)])
def test_chance_of_sharing_by_enumeration(sizes):
    numbers = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    pairs = [a == b for a, b in combinations(numbers, 2)]
    assert chance_of_sharing(np.random.default_rng(0).permutation(numbers)) == sum(pairs) / len(pairs)


def test_without_convergence_the_last_labels_are_kept():
    distance = pdist(normal_points(60))
    found = find_communities(distance, max_iter=10)
    assert (found.converged, found.iterations) == (False, 10)
    assert (found.numbers >= 1).all() and len(found.numbers) == 60
    assert find_communities(distance, max_iter=200).converged


def test_convergence_at_the_very_last_iteration_counts():
    distance = pdist(normal_points(60))
    needed = find_communities(distance).iterations
    assert find_communities(distance, max_iter=needed).converged
    assert not find_communities(distance, max_iter=needed - 1).converged


def test_no_exemplar_is_an_error_that_says_what_to_do():
    with pytest.raises(InputError, match=r"no exemplar in 1 iterations; raise communities\.damping \(now 0\.7\)"):
        find_communities(pdist(normal_points(60)), max_iter=1, damping=0.7)


def test_the_seed_settles_ties():
    grid = pdist(np.argwhere(np.ones((7, 7))))
    first, again = ([find_communities(grid, seed=seed).numbers.tolist() for seed in range(5)] for _ in range(2))
    assert first == again
    assert len({tuple(numbers) for numbers in first}) > 1


def nearest(distance, k):
    square = squareform(distance)
    order = np.argsort(square + np.diag(np.full(len(square), -1.0)), axis=1, kind="stable")[:, 1 : k + 1]
    return order, np.take_along_axis(square, order, axis=1)


@pytest.mark.parametrize("n", [30, 101])
def test_up_to_a_hundred_neighbours_the_engines_agree(n):
    distance = pdist(normal_points(n))
    dense, sparse = (find_communities(distance, engine=engine) for engine in ("dense", "sparse"))
    assert dense.numbers.tolist() == sparse.numbers.tolist()
    assert (dense.iterations, dense.preference) == (sparse.iterations, sparse.preference)
    assert (dense.engine, sparse.engine) == ("dense", "sparse")


def test_similarities_and_neighbours_give_the_same_communities():
    distance = pdist(np.random.default_rng(0).normal(size=(300, 8)))
    s = similarities(distance)
    for engine in ("sparse", "louvain"):
        of_s = communities_of(s, engine=engine, preference=-15.0)
        on_graph = communities_on_graph(*nearest(distance, 100), engine=engine, preference=-15.0)
        assert of_s.numbers.tolist() == on_graph.numbers.tolist()
        assert of_s.exemplars.tolist() == on_graph.exemplars.tolist()


def test_the_preference_on_a_graph_is_the_median_of_all_pairs_where_it_is_known():
    distance = pdist(np.random.default_rng(0).normal(size=(400, 8)))
    dense = find_communities(distance)
    known = communities_on_graph(*nearest(distance, 100), median_distance=float(np.median(distance)))
    unknown = communities_on_graph(*nearest(distance, 100))
    assert known.preference == -(np.median(distance) ** 2)
    assert known.preference == pytest.approx(dense.preference, rel=0.01)
    assert len(known.exemplars) == pytest.approx(len(dense.exemplars), rel=0.1)
    assert len(unknown.exemplars) > 1.5 * len(dense.exemplars)


def test_louvain_numbers_its_communities_and_says_what_it_has():
    x, truth = three_clouds((20, 40, 30))
    found = communities_on_graph(*nearest(pdist(x), 60), engine="louvain", resolution=0.5)
    assert found.numbers.tolist() == np.array([3, 1, 2])[truth].tolist()
    assert found.numbers[found.exemplars].tolist() == [1, 2, 3]
    assert (found.engine, found.resolution, found.iterations, found.net_similarity) == ("louvain", 0.5, None, None)
    assert found.converged and found.modularity > 0.5


@pytest.mark.parametrize(
    ("engine", "n", "all_pairs", "expected"),
    [
        ("auto", 25_000, True, "dense"),
        ("auto", 25_001, True, "sparse"),
        ("auto", 100, False, "sparse"),
        ("dense", 30_000, True, "dense"),
        ("sparse", 100, True, "sparse"),
        ("louvain", 30_000, False, "louvain"),
    ],
)
def test_the_engine_follows_the_number_of_drugs(engine, n, all_pairs, expected):
    assert engine_for(engine, n, all_pairs=all_pairs) == expected


def test_dense_without_all_pairs_is_an_error_that_says_what_to_do():
    with pytest.raises(InputError, match=r"set `connections: all`, or communities\.engine to sparse"):
        engine_for("dense", 100, all_pairs=False)


@pytest.mark.parametrize("counts", [[1], [1, 1], [3, 1, 2], [2, 2], [1, 4, 1, 1], [0, 2, 0, 2]])
def test_median_of_counted_values(counts):
    values = np.arange(len(counts), dtype=np.float32) ** 2
    assert median_of(values, np.array(counts)) == np.median(np.repeat(values, counts))


def test_many_drugs_are_in_single_precision(monkeypatch):
    x = np.random.default_rng(0).normal(size=(120, 5))
    double = find_communities(pdist(x), engine="dense", damping=0.9)
    monkeypatch.setattr(clusters, "FLOAT64_UP_TO", 100)
    s = similarities(pdist(x).astype(np.float32))
    assert s.dtype == np.float32
    single, again = (communities_of(given, engine="dense") for given in (s, s.astype(float)))
    assert single.net_similarity == pytest.approx(double.net_similarity, rel=1e-6)
    assert single.numbers.tolist() == double.numbers.tolist() == again.numbers.tolist()
    assert single.net_similarity == again.net_similarity


def test_messages_of_many_drugs_are_damped_more(monkeypatch):
    distance = pdist(normal_points(60))
    few = find_communities(distance, damping=0.6)
    monkeypatch.setattr(clusters, "FLOAT64_UP_TO", 50)
    many, more = (find_communities(distance, damping=damping) for damping in (0.6, 0.95))
    assert (few.damping, many.damping, more.damping) == (0.6, 0.9, 0.95)
    assert few.iterations < many.iterations < more.iterations
