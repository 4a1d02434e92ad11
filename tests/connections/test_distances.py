from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import euclidean_distances

from moamap.connections.distances import association, connections, pair_distances


def brute_association(distance):
    """(pairs farther apart + half of the other ties) / (pairs - 1), pair by pair."""
    scores = []
    for i, mine in enumerate(distance):
        others = [other for j, other in enumerate(distance) if j != i]
        scores.append((sum(o > mine for o in others) + sum(o == mine for o in others) / 2) / len(others))
    return scores


def test_distances_are_scikit_learns_in_condensed_order():
    x = np.random.default_rng(0).normal(size=(25, 6))
    square = euclidean_distances(x)
    np.testing.assert_allclose(pair_distances(x), [square[i, j] for i, j in combinations(range(25), 2)], rtol=1e-10)


def test_distances_by_hand():
    assert pair_distances(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]])).tolist() == [5.0, 3.0, 4.0]


@pytest.mark.parametrize("n_values", [1, 2, 7, 50, None])
def test_association_against_brute_force(n_values):
    rng = np.random.default_rng(3)
    distance = rng.random(190) if n_values is None else rng.integers(1, n_values + 1, 190).astype(float)
    np.testing.assert_allclose(association(distance), brute_association(distance), rtol=1e-13)


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        ([4.0], [1]),
        ([], []),
        ([1.0, 2.0], [1, 0]),
        ([9.0, 1.0, 4.0], [0, 1, 0.5]),
        ([5.0, 5.0, 5.0, 5.0], [0.5] * 4),
        ([1.0, 1.0, 2.0], [0.75, 0.75, 0]),
    ],
)
def test_association_by_hand(distance, expected):
    assert association(np.array(distance)).tolist() == expected


def test_association_depends_on_the_order_of_distances_only():
    distance = np.random.default_rng(4).random(300)
    np.testing.assert_array_equal(association(distance), association(np.exp(9 * distance)))
    assert association(distance).mean() == pytest.approx(0.5, rel=1e-12)


def test_connections_names_every_pair_once():
    drugs = ["d", "a", "c", "b"]
    distance = np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])
    table = connections(drugs, distance)
    assert list(zip(table["drug_1"], table["drug_2"], strict=True)) == list(combinations(drugs, 2))
    assert table["distance"].tolist() == distance.tolist()
    assert table["association"].tolist() == [0.6, 1.0, 0.8, 0.0, 0.2, 0.4]
