import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist, squareform
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from moamap.connections.neighbours import Neighbours
from moamap.connections.tsne import principal_start, tsne_map

WORKFLOW = Path(__file__).parents[2] / "workflow"


def clouds(n_each=25, n_clouds=4, d=10, seed=0):
    truth = np.repeat(np.arange(n_clouds), n_each)
    return 20 * np.eye(d)[truth] + np.random.default_rng(seed).normal(size=(len(truth), d)), truth


def nearest(x, k=100):
    """Neighbours by brute force; the map takes no association scores."""
    distance = cdist(x, x)
    np.fill_diagonal(distance, np.inf)
    index = np.argsort(distance, axis=1, kind="stable")[:, : min(k, len(x) - 1)].astype(np.int32)
    distance = np.take_along_axis(distance, index, axis=1).astype(np.float32)
    return Neighbours(index, distance, np.zeros_like(distance))


def starts(x):
    """With an embedding, and without, as for a representation that is only distances."""
    return {"embedding": (nearest(x), x), "distances only": (nearest(x),)}


@pytest.mark.parametrize(("n", "d"), [(20, 2), (40, 6), (15, 30)])
def test_the_start_is_principal_components_of_a_small_spread(n, d):
    x = np.random.default_rng(n).normal(size=(n, d)) * np.linspace(4, 1, d)
    scores = PCA(n_components=2, svd_solver="full").fit_transform(x)
    expected = 1e-4 * scores / scores[:, 0].std()
    start = principal_start(x)
    np.testing.assert_allclose(np.abs(start), np.abs(expected), atol=5e-6)  # but for the jitter, 1e-6
    np.testing.assert_allclose(principal_start(-x), start, atol=5e-6)
    assert (np.take_along_axis(start, np.abs(expected).argmax(axis=0)[None], axis=0) > 0).all()


def test_the_start_keeps_apart_drugs_along_a_line_and_drugs_with_one_profile():
    x = np.repeat(np.arange(6.0), 2)[:, None] * [1, 2, 3]
    for embedding in (x, x[:, :1]):
        start = principal_start(embedding)
        assert pdist(start).min() > 0
        np.testing.assert_allclose(start[:, 1], 0, atol=5e-6)


@pytest.mark.parametrize("start", ["embedding", "distances only"])
@pytest.mark.parametrize("perplexity", [5, 30])
def test_separate_clouds_stay_separate(perplexity, start):
    x, truth = clouds()
    square = squareform(pdist(tsne_map(*starts(x)[start], perplexity=perplexity)))
    inside = truth[:, None] == truth
    assert (np.where(inside, square, 0).max(axis=1) < np.where(inside, np.inf, square).min(axis=1)).all()


@pytest.mark.parametrize("start", ["embedding", "distances only"])
def test_clouds_in_a_row_stay_in_a_row(start):
    truth = np.repeat(np.arange(5), 20)
    x = np.zeros((100, 8))
    x[:, 0] = 30 * truth
    x += np.random.default_rng(5).normal(size=x.shape)
    centres = np.array([tsne_map(*starts(x)[start])[truth == c].mean(axis=0) for c in range(5)])
    square = squareform(pdist(centres))
    assert (np.diff(square[0]) > 0).all() and (np.diff(square[-1]) < 0).all()


@pytest.mark.parametrize("start", ["embedding", "distances only"])
def test_groups_that_no_neighbour_connects_are_laid_apart(start):
    x, truth = clouds(n_each=110, n_clouds=3)
    places = tsne_map(*starts(x)[start])
    assert trustworthiness(x, places, n_neighbors=10) > 0.75
    square = squareform(pdist(places)) + np.diag(np.full(len(x), np.inf))
    assert (truth[square.argmin(axis=1)] == truth).all()


@pytest.mark.parametrize("n", [2, 3, 4, 7, 60])
def test_the_perplexity_gives_way_where_there_are_few_drugs(n):
    x = np.random.default_rng(3).normal(size=(n, 3))
    found = tsne_map(nearest(x), x)
    assert found.shape == (n, 2) and np.isfinite(found).all()
    np.testing.assert_array_equal(found, tsne_map(nearest(x), x, perplexity=(n - 1) / 3))
    assert (pdist(found) > 0).all()


def test_only_three_times_as_many_neighbours_as_the_perplexity_are_looked_at():
    x, _ = clouds()
    np.testing.assert_array_equal(tsne_map(nearest(x, 15), x, perplexity=5), tsne_map(nearest(x), x, perplexity=5))
    assert (tsne_map(nearest(x, 14), x, perplexity=5) != tsne_map(nearest(x), x, perplexity=5)).any()


def test_the_map_is_the_same_for_any_number_of_threads():
    code = """
import numpy as np
from moamap.connections.neighbours import Neighbours
from moamap.connections.tsne import tsne_map
x = np.random.default_rng(0).normal(size=(150, 600))
index = (np.arange(150)[:, None] + np.arange(1, 61)) % 150
distance = np.sort(np.linalg.norm(x[:, None] - x[index], axis=2)).astype(np.float32)
print(tsne_map(Neighbours(index.astype(np.int32), distance, distance), x, perplexity=20).tobytes().hex())
"""
    found = set()
    for threads in ("1", "4"):
        limits = {f"{name}_NUM_THREADS": threads for name in ("OMP", "NUMBA")} | {"OPENBLAS_NUM_THREADS": "1"}
        run = [sys.executable, "-c", code]
        found.add(subprocess.run(run, cwd=WORKFLOW, env=os.environ | limits, capture_output=True, check=True).stdout)
    assert len(found) == 1
