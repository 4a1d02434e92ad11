"""Affinity propagation on a graph of neighbours, against the dense engine."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.datasets import load_iris

from moamap.communities import sparse
from moamap.communities.affinity import affinity_propagation
from moamap.communities.sparse import graph_of, sparse_affinity_propagation


def distances(x):
    return squareform(pdist(x))


def normal(n, d, seed=0):
    return distances(np.random.default_rng(seed).normal(size=(n, d)))


def nearest(distance, k):
    """The k nearest of each point and how far they are, ties by the row."""
    order = np.argsort(distance + np.diag(np.full(len(distance), -np.inf)), axis=1, kind="stable")[:, 1 : k + 1]
    return order, np.take_along_axis(distance, order, axis=1)


def joined(index):
    """Which points are joined: (n, n) booleans."""
    listed = np.zeros((len(index), len(index)), dtype=bool)
    np.put_along_axis(listed, index, True, axis=1)
    return listed | listed.T


POINTS = {
    "normal, 40": lambda: normal(40, 2),
    "normal, 400": lambda: normal(400, 6, seed=1),
    "three points": lambda: normal(3, 2),
    "iris": lambda: distances(load_iris().data),  # has duplicate rows
    "grid": lambda: distances(np.argwhere(np.ones((6, 6)))),  # nothing but ties
}
OPTIONS = [{}, {"damping": 0.9, "random_state": 1}, {"max_iter": 7, "convergence_iter": 3}, {"preference": "lowest"}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", POINTS)
def test_on_a_complete_graph_it_is_the_dense_engine(name, options):
    """Labels, exemplars, iterations and net similarity; the noise that breaks ties is the same, too."""
    distance = POINTS[name]()
    s = -(distance**2)
    chosen = {"preference": np.median(s), "random_state": 0} | options
    chosen["preference"] = float(s.min() if "preference" in options else chosen["preference"])
    dense = affinity_propagation(s, **chosen)
    found = sparse_affinity_propagation(graph_of(*nearest(distance, len(distance) - 1)), **chosen)
    np.testing.assert_array_equal(found.labels, dense.labels)
    np.testing.assert_array_equal(found.exemplars, dense.exemplars)
    assert found[2:4] == dense[2:4]
    assert found.net_similarity == pytest.approx(dense.net_similarity, rel=1e-12)


def test_every_number_of_iterations():
    """Labels of messages that have not settled show the last bit of each."""
    distance = normal(60, 3)
    s, graph = -(distance**2), graph_of(*nearest(distance, 59))
    options = {"preference": float(np.median(s)), "random_state": 0}
    for n_iter in range(1, 40):
        dense = affinity_propagation(s, max_iter=n_iter, **options)
        np.testing.assert_array_equal(
            sparse_affinity_propagation(graph, max_iter=n_iter, **options).labels, dense.labels
        )


@pytest.mark.parametrize("seed", range(4))
def test_points_that_are_not_joined_are_infinitely_unlike(seed):
    """The dense engine finds the same where the missing similarities are far below all others."""
    distance = normal(150, 4, seed)
    index, near = nearest(distance, 30)
    s = np.where(joined(index), -(distance**2), -1e7)
    dense = affinity_propagation(s, preference=-20.0, damping=0.8, random_state=0)
    found = sparse_affinity_propagation(graph_of(index, near), preference=-20.0, damping=0.8, random_state=0)
    np.testing.assert_array_equal(found.labels, dense.labels)
    assert found[2:4] == (dense.n_iter, True)
    assert found.net_similarity == pytest.approx(dense.net_similarity, rel=1e-12)


@pytest.mark.parametrize("max_iter", [4, 6, 9, 500])
def test_nobody_is_without_an_exemplar(max_iter):
    """Each point is joined to its exemplar or is one; also where the messages have not settled."""
    distance = normal(300, 3)
    index, near = nearest(distance, 5)
    found = sparse_affinity_propagation(
        graph_of(index, near), preference=-1.0, max_iter=max_iter, damping=0.8, random_state=0
    )
    exemplar = found.exemplars[found.labels]
    own = exemplar == np.arange(300)
    assert (own | joined(index)[np.arange(300), exemplar]).all()
    assert own[found.exemplars].all()
    total = -(distance[np.arange(300), exemplar] ** 2)[~own].sum() - 1.0 * own.sum()
    assert found.net_similarity == pytest.approx(total, rel=1e-12)


def test_a_point_that_no_exemplar_is_joined_to_becomes_one(monkeypatch):
    """A path of five points, of which the messages have made only the second an exemplar."""
    monkeypatch.setattr(sparse, "pass_until_stable", lambda *_: (np.array([1]), 9, True))
    graph = graph_of(np.array([[1], [0], [1], [2], [3]]), np.ones((5, 1)))
    found = sparse_affinity_propagation(graph, preference=-3.0, random_state=0)
    assert found.exemplars[found.labels].tolist() == [1, 1, 1, 3, 4]
    assert found.net_similarity == 3 * -3 + 2 * -1


def test_the_graph_joins_two_points_where_either_lists_the_other():
    distance = normal(50, 2)
    index, near = nearest(distance, 4)
    graph = graph_of(index, near)
    expected = joined(index)
    found = np.zeros((50, 50))
    for i in range(50):
        row = slice(graph.start[i], graph.start[i + 1])
        assert (np.diff(graph.neighbour[row]) > 0).all()
        found[i, graph.neighbour[row]] = graph.similarity[row]
    np.testing.assert_allclose(found, np.where(expected, -(distance**2), 0))
    assert expected.sum() > index.size


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_result_does_not_depend_on_the_threads(dtype):
    graph = graph_of(*nearest(normal(700, 8), 40), dtype)
    options = {"preference": -12.0, "random_state": 0, "max_iter": 30}
    one, two = (sparse_affinity_propagation(graph, n_threads=n, **options) for n in (1, 2))
    np.testing.assert_array_equal(one.labels, two.labels)
    assert one[2:] == two[2:]


def test_without_exemplars_there_are_no_communities():
    graph = graph_of(*nearest(normal(30, 2), 5))
    found = sparse_affinity_propagation(graph, preference=-1e6, max_iter=1, random_state=0)
    assert found.labels.tolist() == [-1] * 30
    assert (len(found.exemplars), found.converged, found.net_similarity) == (0, False, -np.inf)


def test_the_graph_is_left_alone():
    graph = graph_of(*nearest(normal(80, 3), 10))
    before = graph.similarity.copy()
    sparse_affinity_propagation(graph, preference=-2.0, random_state=0)
    np.testing.assert_array_equal(graph.similarity, before)
