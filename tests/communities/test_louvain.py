"""Louvain on the graph of nearest neighbours, against networkx and plain sets."""

import networkx as nx
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from moamap.communities.louvain import NEIGHBOURS, louvain, overlaps
from moamap.communities.sparse import graph_of

from .test_sparse import distances, nearest


def clouds(sizes, seed=0):
    truth = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(seed)
    return distances(6 * rng.normal(size=(len(sizes), 8))[truth] + rng.normal(size=(len(truth), 8))), truth


def weighted(index):
    """The graph by networkx, and by Python's sets."""
    lists = [{i, *row[:NEIGHBOURS].tolist()} for i, row in enumerate(index)]
    graph = nx.Graph()
    graph.add_nodes_from(range(len(index)))
    for i, row in enumerate(index):
        for j in row[:NEIGHBOURS].tolist():
            graph.add_edge(i, j, weight=len(lists[i] & lists[j]) / len(lists[i] | lists[j]))
    return graph


def test_weights_by_sets():
    index = nearest(clouds([30, 20])[0], 9)[0]
    graph = graph_of(index, np.zeros(index.shape))
    lists = np.sort(np.column_stack([index, np.arange(50)]), axis=1)
    found = overlaps(graph.start, graph.neighbour, lists)
    edges = zip(np.repeat(np.arange(50), np.diff(graph.start)), graph.neighbour, strict=True)
    expected = weighted(index)
    np.testing.assert_allclose(found, [expected[i][j]["weight"] for i, j in edges], rtol=1e-15)


@pytest.mark.parametrize("resolution", [1.0, 4.0])
def test_modularity_and_medoids_by_networkx(resolution):
    index = nearest(clouds([40, 30, 30, 20])[0], 25)[0]
    labels, medoids, modularity = louvain(index, resolution=resolution, seed=0)
    graph = weighted(index)
    groups = [set(np.flatnonzero(labels == c).tolist()) for c in range(labels.max() + 1)]
    expected = nx.community.modularity(graph, groups, resolution=resolution)
    assert modularity == pytest.approx(expected, abs=1e-12)
    for group, medoid in zip(groups, medoids, strict=True):
        weights = {i: sum(graph[i][j]["weight"] for j in graph[i] if j in group) for i in group}
        assert medoid in group and weights[medoid] == pytest.approx(max(weights.values()), rel=1e-12)


def test_separate_clouds_are_found_and_resolution_divides_them():
    distance, truth = clouds([60, 50, 40, 30, 20])
    index = nearest(distance, 100)[0]
    counts = []
    for resolution in (1.0, 4.0, 16.0):
        labels, *_ = louvain(index, resolution=resolution, seed=0)
        counts.append(labels.max() + 1)
        if resolution == 1:
            assert adjusted_rand_score(truth, labels) == 1
    assert counts == sorted(set(counts))


def test_the_same_again():
    index = nearest(clouds([80, 80, 80], seed=1)[0], 50)[0]
    first, again = (louvain(index, resolution=8.0, seed=0) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
