"""Information-theoretic metric learning against metric-learn's."""

import pickle
import warnings
from pathlib import Path

import metric_learn
import numpy as np
import pandas as pd
import pytest
from metric_learn.constraints import Constraints
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_info, threadpool_limits

from moamap.representations import itml
from moamap.representations.itml import ITML, sample_pairs

REAL = Path(__file__).resolve().parents[3] / "shared/data/lds1195-subset/MLPCN_morplological_profiles.csv.gz"
real_rows = pytest.mark.skipif(not REAL.exists(), reason=f"no real rows at {REAL}")
pytestmark = pytest.mark.filterwarnings("ignore:ITML did not converge:sklearn.exceptions.ConvergenceWarning")


def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def two_features():
    X, y = load_iris(return_X_y=True)
    return X[:, 2:] + np.random.default_rng(0).normal(scale=0.05, size=(len(X), 2)), y


def wine():
    return load_wine(return_X_y=True)


def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def screen(n=300, d=812, classes=30, seed=0):
    """Simulated profiles: features that go together, and classes that differ a little."""
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=n)
    hidden = rng.normal(size=(classes, 40))[y] + rng.normal(size=(n, 40))
    return StandardScaler().fit_transform(hidden @ rng.normal(size=(40, d)) + 3 * rng.normal(size=(n, d))), y


def real(d=812):
    X = pd.read_csv(REAL, index_col=0).to_numpy(float)[:, :d]
    return StandardScaler().fit_transform(X), np.random.default_rng(0).integers(17, size=len(X))


SPREAD = np.diag(np.linspace(0.5, 2, 812)) + 0.1

CASES = {
    "2 features, many pairs": (two_features, {"n_constraints": 300, "max_iter": 300}),
    "iris": (iris, {"n_constraints": 200}),
    "iris, gamma 10": (iris, {"n_constraints": 50, "gamma": 10.0, "max_iter": 300}),
    "iris, no slack": (iris, {"n_constraints": 50, "gamma": np.inf, "max_iter": 100}),
    "wine, covariance": (wine, {"n_constraints": 100, "prior": "covariance"}),
    "cancer, gamma 0.1": (cancer, {"n_constraints": 50, "gamma": 0.1}),
    "cancer, covariance": (cancer, {"n_constraints": 100, "prior": "covariance"}),
    "screen, 40 pairs": (screen, {}),
    "screen, 40 pairs, gamma 100": (screen, {"gamma": 100.0}),
    "screen, 200 pairs": (screen, {"n_constraints": 100, "max_iter": 4}),
    "screen, 900 pairs": (screen, {"n_constraints": 450, "max_iter": 1}),
    "screen, a prior": (screen, {"n_constraints": 20, "prior": SPREAD}),
    "screen, more rows than features": (lambda: screen(900, 60), {"n_constraints": 300, "prior": "covariance"}),
    "real rows, 40 pairs": (real, {}),
    "real rows, 40 pairs, squared bounds": (real, {"bounds": "squared"}),
    "real rows, 200 pairs, squared bounds": (real, {"n_constraints": 100, "bounds": "squared", "max_iter": 4}),
    "real rows, 200 pairs, wide bounds": (real, {"n_constraints": 100, "bounds": (50.0, 3000.0), "max_iter": 4}),
    "real rows, 60 features, covariance": (lambda: real(60), {"n_constraints": 200, "prior": "covariance"}),
}


@pytest.fixture(scope="module")
def table(request):
    rows = []
    yield rows
    columns = ["case", "pairs", "features", "sweeps", "active", "condition", "M", "components"]
    frame = pd.DataFrame(rows, columns=columns)
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        print(f"\n\nITML against metric-learn: {len(frame)} cases, relative differences (Frobenius norm)")
        print(frame.to_string(index=False, float_format="{:.1e}".format))


def metric_of(model):
    return model.components_.T @ model.components_


def difference(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def fit_peer(X, y, bounds="euclidean", **options):
    """metric-learn has no squared bounds of its own, but takes them."""
    explicit = None if isinstance(bounds, str) and bounds == "euclidean" else np.array(bounds, dtype=float)
    return metric_learn.ITML_Supervised(**options).fit(X, y, bounds=explicit)


@pytest.mark.parametrize("name", [pytest.param(name, marks=real_rows if "real" in name else ()) for name in CASES])
def test_metric_is_that_of_metric_learn(name, table):
    data, options = CASES[name]
    X, y = data()
    options = {"n_constraints": 20, "random_state": 3} | options
    found = ITML(**options).fit(X, y)
    peer = fit_peer(X, y, **options | ({"bounds": found.bounds_} if "bounds" in options else {}))
    M, expected = metric_of(found), peer.get_mahalanobis_matrix()
    condition = np.linalg.cond(expected)
    components = difference(found.components_, peer.components_)
    error = difference(M, expected)
    shape = (name, len(found.pairs_), X.shape[1], found.n_iter_, found.n_active_)
    table.append((*shape, condition, error, components))
    assert condition < 1e8
    assert error < 1e-9
    assert components < 1e-9
    assert found.n_iter_ == peer.n_iter_ + 1
    np.testing.assert_allclose(found.bounds_, peer.bounds_, rtol=1e-12)


def test_given_pairs_in_any_order():
    X, y = iris()
    rng = np.random.default_rng(0)
    pairs = rng.choice(len(X), size=(80, 2))
    similar = y[pairs[:, 0]] == y[pairs[:, 1]]
    found = ITML().fit_pairs(X, pairs, similar, bounds=[0.5, 20.0])
    peer = metric_learn.ITML().fit(X[pairs], np.where(similar, 1, -1), bounds=[0.5, 20.0])
    assert difference(metric_of(found), peer.get_mahalanobis_matrix()) < 1e-12
    np.testing.assert_array_equal(found.pairs_, np.vstack([pairs[similar], pairs[~similar]]))
    np.testing.assert_array_equal(found.similar_, np.sort(similar)[::-1])


def test_few_and_many_pairs_give_the_same_metric(monkeypatch):
    X, y = screen(200, 150)
    few = ITML(n_constraints=50, bounds="squared", max_iter=20, random_state=0).fit(X, y)
    monkeypatch.setattr(itml._MetricOfFewPairs, "root", lambda self, weights: None)
    many = ITML(n_constraints=50, bounds="squared", max_iter=20, random_state=0).fit(X, y)
    assert not np.array_equal(few.components_, many.components_)
    assert difference(metric_of(few), metric_of(many)) < 1e-11
    assert (few.n_iter_, few.n_active_) == (many.n_iter_, many.n_active_)
    assert few.violation_ == pytest.approx(many.violation_)


def test_duals_that_have_lost_digits_are_not_trusted(monkeypatch):
    """Outlying profiles and bounds that pull both ways: large duals all but cancel out."""
    X, y = screen(200, 150)
    X *= np.exp(np.random.default_rng(1).normal(size=(200, 1)))
    options = {"n_constraints": 70, "gamma": 10.0, "max_iter": 20, "random_state": 0}
    found = ITML(bounds="squared", **options).fit(X, y)
    expected = fit_peer(X, y, bounds=found.bounds_, **options).get_mahalanobis_matrix()
    assert difference(metric_of(found), expected) < 1e-9
    monkeypatch.setattr(itml, "ROUNDING", 1.0)
    assert difference(metric_of(ITML(bounds="squared", **options).fit(X, y)), expected) > 1e-9


@pytest.mark.parametrize("n_constraints", [30, 200])
def test_duals_make_the_metric(n_constraints):
    X, y = screen(200, 150)
    found = ITML(n_constraints=n_constraints, random_state=0).fit(X, y)
    V = X[found.pairs_[:, 0]] - X[found.pairs_[:, 1]]
    weights = np.where(found.similar_, found.duals_, -found.duals_)
    np.testing.assert_allclose(np.eye(150) + (V.T * weights) @ V, np.linalg.inv(metric_of(found)), atol=1e-9)
    assert found.n_active_ == np.sum(found.duals_ > 0) > 0


def test_violation_is_the_worst_constraint():
    X, y = screen(200, 150)
    found = ITML(n_constraints=50, bounds=(20.0, 500.0), random_state=0).fit(X, y)
    squared = np.square((X[found.pairs_[:, 0]] - X[found.pairs_[:, 1]]) @ found.components_.T).sum(axis=1)
    worst = max((squared[found.similar_] / 20 - 1).max(), (1 - squared[~found.similar_] / 500).max())
    assert found.violation_ == pytest.approx(worst, rel=1e-9)


def test_bounds_are_met_without_slack():
    """With room in 100 features for 20 pairs, and no slack, the projections end where all bounds hold."""
    X, y = screen(100, 100)
    options = {"n_constraints": 10, "bounds": (20.0, 250.0), "tol": 1e-9, "random_state": 0}
    assert ITML(gamma=np.inf, **options).fit(X, y).violation_ < 1e-6
    assert ITML(gamma=1.0, **options).fit(X, y).violation_ > 0.1


def test_bounds_that_bind_nowhere_leave_the_prior():
    X, y = iris()
    found = ITML(bounds=(1e3, 1e3), random_state=0).fit(X[::10], y[::10])
    assert 0 < found.violation_ < 1
    found = ITML(bounds=(1e-6, 1e3)).fit_pairs(X, [[0, 1]], [True], bounds=(1e3, 1e3))
    np.testing.assert_array_equal(found.components_, np.eye(4))
    assert (found.n_active_, found.violation_, found.n_iter_, found.converged_) == (0, 0.0, 1, True)


def test_bounds():
    X, y = screen(100, 30)
    found = ITML(bounds="squared", random_state=0).fit(X, y)
    distances = euclidean_distances(X[np.unique(found.pairs_)], squared=True)
    np.testing.assert_allclose(found.bounds_, np.percentile(distances, (5, 95)), rtol=1e-12)
    np.testing.assert_array_equal(ITML(bounds=(2, 30), random_state=0).fit(X, y).bounds_, [2, 30])


def test_bound_of_zero_is_metric_learns():
    X, y = screen(12, 30, classes=2)
    with pytest.warns(UserWarning, match="12 distinct profiles the 5th percentile is 0"):
        found = ITML(random_state=0, max_iter=2).fit(X, y)
    peer = fit_peer(X, y, random_state=0, max_iter=2, n_constraints=20)
    np.testing.assert_allclose(found.bounds_, peer.bounds_, rtol=1e-12)
    assert found.bounds_[0] == 1e-9


@pytest.mark.parametrize("n_constraints", [1, 20, 200])
@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_those_of_metric_learn(n_constraints, seed):
    y = np.random.default_rng(seed).integers(-1, 30, size=120)
    a, b, c, d = Constraints(y).positive_negative_pairs(n_constraints, random_state=seed)
    pairs, similar = sample_pairs(y, n_constraints, random_state=seed)
    np.testing.assert_array_equal(pairs, np.vstack([np.column_stack([a, b]), np.column_stack([c, d])]))
    np.testing.assert_array_equal(similar, np.repeat([True, False], [len(a), len(c)]))
    assert (y[pairs] >= 0).all()


def test_pairs_are_metric_learns_also_when_there_are_too_few():
    y = np.array([0, 0, 0, 1, 2, 3])
    with pytest.warns(UserWarning, match="Only generated"):
        a, b, *_ = Constraints(y).positive_negative_pairs(20, random_state=0)
    with pytest.warns(UserWarning, match="only 6 similar pairs, not 20"):
        pairs, similar = sample_pairs(y, 20, random_state=0)
    np.testing.assert_array_equal(pairs[similar], np.column_stack([a, b]))


@pytest.mark.filterwarnings("ignore:only 11 dissimilar pairs")
def test_distinct_pairs():
    y = np.array(["b", "a", "b", "c", "a", "b"])
    unordered = {frozenset(pair) for pair in np.argwhere(~np.eye(6, dtype=bool)).tolist()}
    alike = {pair for pair in unordered if len({y[i] for i in pair}) == 1}
    with pytest.warns(UserWarning, match="only 4 similar pairs, not 50"):
        pairs, similar = sample_pairs(y, 50, "distinct", random_state=0)
    drawn = [frozenset(pair) for pair in pairs.tolist()]
    assert len(set(drawn)) == len(drawn)
    assert set(drawn[: similar.sum()]) == alike
    assert set(drawn[similar.sum() :]) == unordered - alike
    counts = np.zeros((6, 6))
    for seed in range(1200):
        (pair, _), _ = sample_pairs(y, 1, "distinct", random_state=seed)
        counts[tuple(sorted(pair))] += 1
    assert counts.sum() == 1200
    assert (abs(counts[counts > 0] - 300) < 60).all()  # 4 standard deviations


def test_identical_profiles_in_two_classes_are_dropped():
    X, _ = screen(60, 80, classes=3)
    X[1] = X[0] = 0.0
    X[1, 0] = -0.0
    pairs = np.array([[0, 1], [2, 3], [4, 5], [6, 7], [0, 1]])
    similar = np.array([False, True, True, False, True])
    with pytest.warns(UserWarning, match="dropped 1 dissimilar pairs that join identical profiles"):
        found = ITML().fit_pairs(X, pairs, similar, bounds=(20.0, 500.0))
    without = ITML().fit_pairs(X, pairs[1:], similar[1:], bounds=(20.0, 500.0))
    np.testing.assert_array_equal(found.pairs_, [[2, 3], [4, 5], [0, 1], [6, 7]])
    np.testing.assert_array_equal(found.components_, without.components_)
    assert np.isfinite(found.components_).all()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_features", [3, 300])
def test_no_result_is_ever_not_a_number(n_features):
    """Near copies, constant features, contradictions, no slack: a finite metric, or an error in words."""
    rng = np.random.default_rng(0)
    finite = 0
    for trial in range(30):
        X = np.round(rng.normal(size=(20, n_features)), 1)
        X[:, 0] = 1
        X[10:] = X[:10] * (1 + 10.0 ** -rng.integers(2, 17))
        gamma, bounds = [0.01, 1.0, 1e4, np.inf][trial % 4], [(1e-6, 1e6), "squared", "euclidean"][trial % 3]
        model = ITML(gamma=gamma, bounds=bounds, max_iter=20)
        try:
            model.fit_pairs(X, rng.integers(20, size=(40, 2)), rng.random(40) < 0.5)
        except ValueError as error:
            assert "rounding has made the metric indefinite" in str(error)
        else:
            finite += 1
            assert np.isfinite(model.components_).all()
            assert np.isfinite(model.violation_)
    assert finite > 5


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 2, 3, 4, 5], "no similar pair, which takes a class with two profiles"),
        ([0, 0, 0, 0, 0, 0], "no dissimilar pair, which takes two classes"),
        ([0, 0, -1, -1, -1, -1], "no dissimilar pair"),
        ([0.5, 0.2, 0.3, 0.1, 0.7, 0.4], "Unknown label type"),
    ],
)
@pytest.mark.parametrize("sampling", ["metric-learn", "distinct"])
def test_classes_that_teach_nothing(y, message, sampling):
    X, _ = screen(6, 4)
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        warnings.simplefilter("ignore")
        ITML(sampling=sampling, random_state=0).fit(X, y)


@pytest.mark.parametrize(
    ("options", "pairs", "similar", "message"),
    [
        ({}, [[0, 1], [2, 2]], [True], "pairs must be n x 2 and similar n long"),
        ({}, [[0, 1, 2]], [True], "pairs must be n x 2"),
        ({}, [[0, 6]], [True], "rows of X, 0 to 5"),
        ({}, [[-1, 0]], [True], "rows of X, 0 to 5"),
        ({}, [[0.0, 1.0]], [True], "pairs must be integers"),
        ({}, [[0, 1]], [-1], "similar booleans"),
        ({}, [[0, 0], [1, 1]], [True, False], "every pair joins identical profiles"),
        ({"bounds": (3.0, 2.0)}, [[0, 1]], [True], "0 < low <= high"),
        ({"bounds": (0.0, 2.0)}, [[0, 1]], [True], "0 < low <= high"),
        ({"bounds": (1.0, 2.0, 3.0)}, [[0, 1]], [True], "two numbers"),
        ({"prior": "covariance"}, [[0, 1]], [True], "not positive definite"),
        ({"prior": np.eye(3)}, [[0, 1]], [True], "symmetric and 4 x 4"),
        ({"prior": np.triu(np.ones((4, 4)))}, [[0, 1]], [True], "symmetric and 4 x 4"),
        ({"prior": np.ones((4, 4))}, [[0, 1]], [True], "not positive definite"),
        ({"gamma": 0}, [[0, 1]], [True], "gamma"),
    ],
)
@pytest.mark.filterwarnings("ignore:with 2 distinct profiles")
def test_bad_input(options, pairs, similar, message):
    X, _ = screen(6, 4)
    with pytest.raises(ValueError, match=message):
        ITML(**options).fit_pairs(X, pairs, similar)


def test_not_converging_is_said():
    X, y = screen(60, 30)
    with pytest.warns(ConvergenceWarning, match="did not converge in 1 sweeps"):
        found = ITML(max_iter=1, random_state=0).fit(X, y)
    assert (found.converged_, found.n_iter_) == (False, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ITML(random_state=0).fit(X, y).converged_


@pytest.mark.parametrize("options", [{}, {"n_constraints": 200}, {"bounds": "squared"}])
def test_the_metric_does_not_depend_on_the_threads_of_blas(options):
    X, y = screen(300, 300)
    metrics = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            metrics.append(ITML(random_state=0, **options).fit(X, y).components_)
    np.testing.assert_array_equal(*metrics)


@pytest.mark.parametrize("n_constraints", [20, 400])
def test_one_thread_of_blas_is_used_and_the_setting_restored(n_constraints, monkeypatch):
    """With two threads numpy's and scipy's BLAS take turns in waiting: 800 pairs of 60 to 200 features took 0.6 s."""
    used, project_block = [], itml._project_block

    def spy(*arguments):
        used.append({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
        return project_block(*arguments)

    monkeypatch.setattr(itml, "_project_block", spy)
    X, y = screen(200, 100)
    with threadpool_limits(2):
        ITML(n_constraints=n_constraints, random_state=0).fit(X, y)
        with pytest.raises(ValueError, match="bounds"):
            ITML(bounds=[2.0, 1.0], random_state=0).fit(X, y)
        after = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    assert used and all(threads == {1} for threads in used)
    assert after == {2}


@parametrize_with_checks([ITML(max_iter=20)])
@pytest.mark.filterwarnings("ignore")
def test_estimator_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_works_with_scikit_learn():
    X, y = load_wine(return_X_y=True, as_frame=True)
    moa = y.map({0: "kinase", 1: "tubulin", 2: "HDAC"})
    model = ITML(n_constraints=60, random_state=0)
    line = make_pipeline(StandardScaler().set_output(transform="pandas"), model, KNeighborsClassifier()).fit(X, moa)
    assert line.score(X, moa) > 0.9
    assert model.feature_names_in_.tolist() == X.columns.tolist()
    assert model.get_feature_names_out().tolist() == [f"itml{i}" for i in range(13)]
    scaled = line[0].transform(X)
    np.testing.assert_array_equal(clone(model).fit(scaled, moa).components_, model.components_)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(scaled), model.transform(scaled))
    embedded = model.transform(scaled)
    step = scaled.to_numpy()[0] - scaled.to_numpy()[1]
    assert np.square(embedded[0] - embedded[1]).sum() == pytest.approx(step @ metric_of(model) @ step)
