import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from moamap.connections import blocks
from moamap.connections.blocks import connections, embedded, in_order, of_square, share, strip_of, strips
from moamap.connections.distances import association
from moamap.connections.tally import merged, neighbours_of, tally


@pytest.fixture(params=[3, 16, 1024])
def tile(request, monkeypatch):
    monkeypatch.setattr(blocks, "TILE", request.param)
    return request.param


def points(n=50, d=8, seed=0):
    """Profiles of very different sizes, two pairs of the same, and some that nearly coincide."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * rng.lognormal(sigma=2, size=(n, 1)) + 1000
    x[7], x[30] = x[3], x[3] + 1e-9
    x[11] = x[10]
    return x


def all_pairs(pairwise, n_jobs=1, n_threads=1):
    """Tally and connections of all pairs, as made by some jobs."""
    rows = [share(pairwise.n, job, n_jobs) for job in range(n_jobs)]
    found = merged([tally(pairwise, part, n_threads=n_threads) for part in rows])
    parts = [
        some for part in rows for some in connections(pairwise, part, found.values, found.counts, n_threads=n_threads)
    ]
    return found, [np.concatenate(column) for column in zip(*parts, strict=True)]


def test_distances_are_scipys(tile):
    x = points()
    first, second, distance, _ = all_pairs(embedded(x))[1]
    assert (
        first.tolist() == np.triu_indices(50, 1)[0].tolist() and second.tolist() == np.triu_indices(50, 1)[1].tolist()
    )
    np.testing.assert_allclose(distance, pdist(x), rtol=1e-6)
    assert distance[squareform(np.arange(50 * 49 // 2))[3, 7]] == 0


def test_distances_of_profiles_that_nearly_coincide_keep_their_digits():
    rng = np.random.default_rng(1)
    x = 1e4 * rng.normal(size=(6, 20))
    x[1] = x[0] + 1e-5 * rng.normal(size=20)
    assert embedded(x).tile(slice(0, 6), slice(0, 6))[0, 1] == pytest.approx(pdist(x)[0], rel=1e-6)


def test_neighbours_are_those_of_a_full_sort(tile):
    x = points(120)
    distance = squareform(pdist(x)).astype(np.float32)
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, :100]
    found = neighbours_of(tally(embedded(x), strips(120)))
    np.testing.assert_array_equal(found.index, order)
    np.testing.assert_allclose(found.distance, np.take_along_axis(distance, order, axis=1), rtol=1e-6)


def test_ties_go_to_the_smaller_index(tile):
    square = np.ones((40, 40)) - np.eye(40)
    found = neighbours_of(tally(of_square(square), strips(40)))
    assert all(list(row) == [j for j in range(40) if j != i] for i, row in enumerate(found.index))
    assert (found.association == 0.5).all()


def test_associations_are_those_of_all_pairs_at_once(tile):
    found, (_, _, distance, score) = all_pairs(embedded(np.random.default_rng(2).integers(0, 4, (90, 3))))
    np.testing.assert_allclose(score, association(distance), atol=1e-7)
    neighbours = neighbours_of(found)
    square = squareform(score)
    np.testing.assert_array_equal(neighbours.association, np.take_along_axis(square, neighbours.index, axis=1))


@pytest.mark.parametrize(("n_jobs", "n_threads"), [(1, 3), (2, 1), (5, 2), (70, 1)])
def test_jobs_and_threads_change_no_bit(tile, n_jobs, n_threads):
    pairwise = embedded(points(60))
    (one, pairs), (same, again) = all_pairs(pairwise), all_pairs(pairwise, n_jobs, n_threads)
    for name, array in vars(one).items():
        np.testing.assert_array_equal(array, vars(same)[name])
    for column, other in zip(pairs, again, strict=True):
        assert column.tobytes() == other.tobytes()


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 8, 100])
def test_every_strip_belongs_to_one_job_and_shares_are_alike(n_jobs, monkeypatch):
    monkeypatch.setattr(blocks, "TILE", 10)
    shares = [share(995, job, n_jobs) for job in range(n_jobs)]
    assert [strip for part in shares for strip in part] == strips(995)
    pairs = [sum((995 - strip.start) * (strip.stop - strip.start) for strip in part) for part in shares]
    assert max(pairs) < sum(pairs) / n_jobs + 2 * 995 * 10


def test_a_strip_is_what_lies_right_of_its_first_drug(monkeypatch):
    monkeypatch.setattr(blocks, "TILE", 4)
    square = squareform(np.arange(1.0, 46.0))
    np.testing.assert_array_equal(strip_of(of_square(square), slice(4, 8)), square[4:8, 4:])


def test_very_small_distances_count_as_the_smallest_told_apart():
    square = squareform([1.0, 1e-12, 2e-12, 1.0, 0.5, 0.25])
    score = all_pairs(of_square(square))[1][3]
    np.testing.assert_allclose(score, [0.1, 0.9, 0.9, 0.1, 0.4, 0.6], rtol=1e-6)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_results_come_in_order(n_threads):
    assert list(in_order([lambda i=i: i for i in range(20)], n_threads)) == list(range(20))


def test_an_error_in_a_thread_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_order([lambda: 1 / 0] * 3, 2))
