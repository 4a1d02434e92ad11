"""Affinity propagation against scikit-learn's."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import affinity_propagation as peer_affinity_propagation
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import euclidean_distances

from moamap.communities.affinity import affinity_propagation

REAL = Path(__file__).resolve().parents[3] / "shared/data/lds1195-subset/MLPCN_morplological_profiles.csv.gz"
real_rows = pytest.mark.skipif(not REAL.exists(), reason=f"no real rows at {REAL}")


def similarities(X):
    return -euclidean_distances(X, squared=True)


def real(n):
    X = pd.read_csv(REAL, index_col=0, nrows=n).to_numpy(float)
    return similarities(X / X.std(axis=0))


def groups(n, d, k, seed):
    rng = np.random.default_rng(seed)
    return similarities(rng.normal(scale=4, size=(k, d))[rng.integers(k, size=n)] + rng.normal(size=(n, d)))


def not_symmetric(n, seed):
    return np.random.default_rng(seed).normal(size=(n, n))


MATRICES = {
    "iris": lambda: similarities(load_iris().data),  # has duplicate rows
    "wine": lambda: similarities(load_wine().data),
    "breast cancer": lambda: similarities(load_breast_cancer().data),
    "5 groups": lambda: groups(300, 5, 5, 0),
    "40 groups": lambda: groups(1100, 10, 40, 1),  # so many that rows are passed in two blocks
    "not symmetric": lambda: not_symmetric(200, 2),
    "integers": lambda: np.round(groups(150, 2, 4, 3)),
    "two points": lambda: np.array([[0.0, -1.0], [-2.0, 0.0]]),
    "real rows": lambda: real(659),
}
OPTIONS = [
    {},
    {"damping": 0.9, "random_state": 1},
    {"damping": 0.7, "preference": "lowest"},
    {"preference": "each its own", "random_state": 2},
    {"max_iter": 7, "convergence_iter": 3},
]


@pytest.fixture(scope="module")
def table(request):
    rows = []
    yield rows
    frame = pd.DataFrame(rows, columns=["matrix", "n", "iterations", "converged", "labels that differ"])
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        print(f"\n\naffinity propagation against scikit-learn, float64: {len(frame)} cases")
        print(frame.to_string(index=False))


def run_peer(S, **options):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        exemplars, labels, n_iter = peer_affinity_propagation(S, return_n_iter=True, **options)
    return np.array(exemplars, dtype=int), labels, n_iter, not any(w.category is ConvergenceWarning for w in said)


def with_preference(S, options):
    named = {"lowest": S.min(), "each its own": np.linspace(S.min(), np.median(S), len(S))}
    return options | {"preference": named[options["preference"]]} if "preference" in options else options


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", [pytest.param(name, marks=real_rows if "real" in name else ()) for name in MATRICES])
def test_result_is_that_of_scikit_learn(name, options, table):
    S = MATRICES[name]()
    options = {"random_state": 0} | with_preference(S, options)
    exemplars, labels, n_iter, converged = run_peer(S.copy(), **options)
    found = affinity_propagation(S, **options)
    table.append((name, len(S), found.n_iter, found.converged, np.sum(found.labels != labels)))
    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_array_equal(found.exemplars, exemplars)
    assert (found.n_iter, found.converged) == (n_iter, converged)


def test_random_similarities_and_every_number_of_iterations():
    """Labels of messages that have not settled show the last bit of each."""
    for n_iter in range(1, 60):
        S = not_symmetric(40, n_iter)
        exemplars, labels, *_ = run_peer(S.copy(), max_iter=n_iter, random_state=n_iter)
        found = affinity_propagation(S, max_iter=n_iter, random_state=n_iter)
        np.testing.assert_array_equal(found.labels, labels)
        np.testing.assert_array_equal(found.exemplars, exemplars)


@pytest.mark.parametrize("name", [pytest.param(name, marks=real_rows if "real" in name else ()) for name in MATRICES])
def test_float32_has_the_net_similarity_of_float64(name):
    S = MATRICES[name]()
    double, single = (affinity_propagation(S, damping=0.8, random_state=0, dtype=t) for t in (np.float64, np.float32))
    assert single.net_similarity == pytest.approx(double.net_similarity, rel=1e-9)
    assert single.converged == double.converged


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_result_does_not_depend_on_the_threads(dtype):
    S = groups(1100, 10, 40, 1).astype(dtype)
    one, two = (affinity_propagation(S, random_state=0, max_iter=30, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.labels, two.labels)
    assert one[2:] == two[2:]


@pytest.mark.parametrize(("preference", "labels"), [(0.5, [0, 1, 2, 3]), (-1.0, [0, 0, 0, 0]), (-2.0, [0, 0, 0, 0])])
def test_equal_similarities(preference, labels):
    S = np.full((4, 4), -1.0)
    np.fill_diagonal(S, 7)
    found = affinity_propagation(S, preference=preference)
    assert found.labels.tolist() == labels
    exemplars, peer_labels, n_iter, _ = run_peer(S.copy(), preference=preference)
    assert (found.exemplars.tolist(), found.labels.tolist()) == (exemplars.tolist(), peer_labels.tolist())
    assert (found.n_iter, found.converged) == (n_iter, True)


def test_one_point():
    assert affinity_propagation([[-3.0]]).labels.tolist() == [0]


def test_noise_breaks_ties_as_in_scikit_learn():
    """A grid has many best partitions, all of one net similarity, among which the noise chooses."""
    S = similarities(np.argwhere(np.ones((4, 4))).astype(float))
    options = [{"damping": 0.9, "preference": -2.0, "random_state": seed} for seed in range(8)]
    found = [affinity_propagation(S, **each) for each in options]
    for ours, each in zip(found, options, strict=True):
        np.testing.assert_array_equal(ours.labels, run_peer(S.copy(), **each)[1])
    assert len({tuple(ours.exemplars) for ours in found}) > 1
    assert {ours.net_similarity for ours in found} == {-24.0}


def test_net_similarity_is_that_of_the_labels():
    S = groups(60, 3, 4, 5)
    preference = np.linspace(-30, -20, 60)
    found = affinity_propagation(S, preference=preference, random_state=0)
    total = 0.0
    for point, label in enumerate(found.labels):
        exemplar = found.exemplars[label]
        total += preference[point] if point == exemplar else S[point, exemplar]
    assert found.net_similarity == pytest.approx(total, rel=1e-12)
    assert 1 < len(found.exemplars) < 60


def test_without_exemplars_there_are_no_communities():
    S = groups(30, 2, 3, 0)
    found = affinity_propagation(S, preference=-1e6, max_iter=1, random_state=0)
    assert run_peer(S.copy(), preference=-1e6, max_iter=1, random_state=0)[1].tolist() == [-1] * 30
    assert found.labels.tolist() == [-1] * 30
    assert len(found.exemplars) == 0
    assert not found.converged
    assert found.net_similarity == -np.inf


def test_similarities_are_left_alone_and_nothing_is_said():
    S = groups(80, 3, 4, 0)
    before = S.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not affinity_propagation(S, max_iter=2).converged
    np.testing.assert_array_equal(S, before)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"S": np.zeros((3, 4))}, "square"),
        ({"S": np.full((3, 3), np.nan)}, "NaN"),
        ({"damping": 0.4}, "damping"),
        ({"damping": 1.0}, "damping"),
        ({"max_iter": 0}, "max_iter"),
        ({"n_threads": 0}, "n_threads"),
        ({"dtype": np.float16}, "float32 or float64"),
        ({"preference": np.nan}, "preference"),
        ({"preference": [1.0, 2.0]}, "broadcast"),
    ],
)
def test_bad_input(changed, message):
    with pytest.raises(ValueError, match=message):
        affinity_propagation(**({"S": groups(6, 2, 2, 0)} | changed))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overwriting_saves_a_copy_and_changes_nothing_else(dtype):
    S = groups(300, 5, 5, 0).astype(dtype)
    kept = affinity_propagation(S, random_state=0)
    given = S.copy()
    overwritten = affinity_propagation(given, random_state=0, overwrite=True)
    np.testing.assert_array_equal(overwritten.labels, kept.labels)
    assert overwritten[2:4] == kept[2:4]
    assert overwritten.net_similarity == pytest.approx(kept.net_similarity, rel=float(np.finfo(dtype).eps))
    assert (given != S).any()
