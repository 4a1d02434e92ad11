import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.decomposition import PCA

from moamap.connections.tsne import classical_scaling, tsne_map


def clouds(n_each=25, n_clouds=4, d=10, seed=0):
    truth = np.repeat(np.arange(n_clouds), n_each)
    return 20 * np.eye(d)[truth] + np.random.default_rng(seed).normal(size=(len(truth), d)), truth


@pytest.mark.parametrize(("n", "d"), [(20, 2), (40, 6), (15, 30)])
def test_classical_scaling_is_pca_of_a_euclidean_configuration(n, d):
    x = np.random.default_rng(n).normal(size=(n, d)) * np.linspace(4, 1, d)
    scores = PCA(n_components=2, svd_solver="full").fit_transform(x)
    axes = classical_scaling(squareform(pdist(x, "sqeuclidean")))
    np.testing.assert_allclose(np.abs((axes * scores).sum(axis=0)), (scores**2).sum(axis=0), rtol=1e-9)
    np.testing.assert_allclose(np.abs(axes), np.abs(scores), atol=1e-9)


def test_classical_scaling_keeps_distances_in_the_plane():
    x = np.random.default_rng(1).normal(size=(25, 2))
    np.testing.assert_allclose(pdist(classical_scaling(squareform(pdist(x)) ** 2)), pdist(x), rtol=1e-9)


def test_signs_of_classical_scaling_are_fixed():
    x = np.random.default_rng(2).normal(size=(25, 5))
    axes = classical_scaling(squareform(pdist(x)) ** 2)
    assert (axes[np.abs(axes).argmax(axis=0), [0, 1]] > 0).all()
    np.testing.assert_allclose(classical_scaling(squareform(pdist(-x)) ** 2), axes, atol=1e-12)


def test_two_calls_give_the_same_bits():
    distance = pdist(clouds()[0])
    np.testing.assert_array_equal(tsne_map(distance), tsne_map(distance))


@pytest.mark.parametrize("perplexity", [5, 30])
def test_separate_clouds_stay_separate(perplexity):
    x, truth = clouds()
    square = squareform(pdist(tsne_map(pdist(x), perplexity=perplexity)))
    inside = truth[:, None] == truth
    assert (np.where(inside, square, 0).max(axis=1) < np.where(inside, np.inf, square).min(axis=1)).all()


def test_the_start_is_classical_scaling_of_a_small_spread(monkeypatch):
    options = {}

    class StayAtTheStart:
        def __init__(self, **given):
            options.update(given)

        def fit(self, square):
            return options["initialization"]

    monkeypatch.setattr("moamap.connections.tsne.TSNE", StayAtTheStart)
    x = np.random.default_rng(4).normal(size=(30, 5))
    scores = PCA(n_components=2, svd_solver="full").fit_transform(x)
    np.testing.assert_allclose(np.abs(tsne_map(pdist(x))), 1e-4 * np.abs(scores) / scores[:, 0].std(), atol=1e-12)
    assert options["perplexity"] == pytest.approx(29 / 3)
    tsne_map(pdist(x), perplexity=4)
    assert options["perplexity"] == 4


def test_clouds_in_a_row_stay_in_a_row():
    truth = np.repeat(np.arange(5), 20)
    x = np.zeros((100, 8))
    x[:, 0] = 30 * truth
    x += np.random.default_rng(5).normal(size=x.shape)
    centres = np.array([tsne_map(pdist(x))[truth == c, 0].mean() for c in range(5)])
    steps = np.diff(centres)
    assert (steps > 0).all() or (steps < 0).all()


@pytest.mark.parametrize("n", [2, 3, 4, 7, 60])
def test_the_perplexity_gives_way_where_there_are_few_drugs(n):
    x = np.random.default_rng(3).normal(size=(n, 3))
    found = tsne_map(pdist(x))
    assert found.shape == (n, 2) and np.isfinite(found).all()
    np.testing.assert_array_equal(found, tsne_map(pdist(x), perplexity=(n - 1) / 3))
    assert (pdist(found) > 0).all()
