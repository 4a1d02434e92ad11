import numpy as np
import pytest

from moamap.connections.distances import association, scores_of


def brute_association(distance):
    """(pairs farther apart + half of the other ties) / (pairs - 1), pair by pair."""
    scores = []
    for i, mine in enumerate(distance):
        others = [other for j, other in enumerate(distance) if j != i]
        scores.append((sum(o > mine for o in others) + sum(o == mine for o in others) / 2) / len(others))
    return scores


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


def test_scores_of_distances_that_do_and_do_not_occur():
    values, counts = np.unique(np.float32([1, 2, 2, 4, 8]), return_counts=True)
    found = scores_of(np.float32([[0.5, 1, 2], [3, 8, 9]]), values, counts)
    np.testing.assert_allclose(found, [[1, 1, 0.625], [0.4, 0, 0]], rtol=1e-7)
