import metric_learn
import numpy as np
import pandas as pd
import pytest
from scipy.linalg import subspace_angles
from scipy.spatial.distance import pdist, squareform
from scipy.stats import chisquare

from moamap.core.errors import InputError
from moamap.core.labels import membership
from moamap.core.numerics import squared_euclidean
from moamap.representations.base import Corrected
from moamap.representations.paper import ENGINES, itml, labelled_pairs, pca, raw
from moamap.representations.registry import METHODS, learn
from moamap.representations.wells import Wells


def screen(n_drugs=48, n_features=10, n_moas=4, signal=3.0, seed=0):
    """Drugs whose MoA moves the first two features only: profiles, MoA of each drug, MoA table."""
    rng = np.random.default_rng(seed)
    moa = np.arange(n_drugs) % n_moas
    x = rng.normal(size=(n_drugs, n_features))
    x[:, :2] += signal * rng.normal(size=(n_moas, 2))[moa]
    return x, moa, membership(pd.Series(moa).map("m{}".format), "whole").to_numpy()


def split_moas(n_drugs=40, seed=0):
    rng = np.random.default_rng(seed)
    labels = ["|".join(rng.choice(list("abcdefgh"), size=rng.integers(1, 4), replace=False)) for _ in range(n_drugs)]
    return labels, membership(pd.Series(labels), "split").to_numpy()


def test_raw_is_the_profile_itself():
    x, _, moas = screen()
    np.testing.assert_array_equal(raw(x, moas).transform(x), x)


@pytest.mark.parametrize("components", [1, 3, 10, 0.5, 0.95])
def test_pca_against_the_eigenvectors_of_the_covariance(components):
    x, _, moas = screen()
    x = x @ np.random.default_rng(1).normal(size=(10, 10))
    values, vectors = np.linalg.eigh(np.cov(x.T))
    shares = np.cumsum(values[::-1]) / values.sum()
    k = components if components >= 1 else 1 + int((shares < components).sum())
    learned = pca(x, moas, components=components)
    L = learned.components
    assert learned.notes["n_components"] == len(L) == k
    assert learned.notes["explained_variance"] == pytest.approx(shares[k - 1], rel=1e-10)
    np.testing.assert_allclose(L @ L.T, np.eye(k), atol=1e-12)
    np.testing.assert_allclose(np.abs(L @ vectors[:, : -k - 1 : -1]), np.eye(k), atol=1e-6)


def test_pca_recovers_a_planted_subspace():
    rng = np.random.default_rng(2)
    axes = np.linalg.qr(rng.normal(size=(30, 3)))[0]
    x = 10 * rng.normal(size=(200, 3)) @ axes.T + 0.1 * rng.normal(size=(200, 30))
    learned = pca(x, None)
    assert learned.notes["n_components"] == 3
    assert subspace_angles(learned.components.T, axes).max() < 0.01


def test_all_components_keep_the_distances():
    x, _, moas = screen()
    np.testing.assert_allclose(pdist(pca(x, moas, components=10).transform(x)), pdist(x), rtol=1e-12)


@pytest.mark.parametrize(("n_drugs", "components"), [(48, 11), (8, 9)])
def test_too_many_components_are_refused(n_drugs, components):
    x, _, moas = screen(n_drugs)
    with pytest.raises(InputError, match=rf"{components}; {n_drugs} drugs x 10 features allow {min(n_drugs, 10)}$"):
        pca(x, moas, components=components)


LINEAR = [name for name, method in METHODS.items() if not method.wells]  # by default


@pytest.mark.parametrize("method", LINEAR)
def test_new_drugs_are_embedded_by_the_learned_map(method):
    x, _, moas = screen()
    learned = learn(method, x, moas)
    new = np.random.default_rng(3).normal(size=(7, 10))
    expected = [[sum(axis * row) for axis in learned.components] for row in new]
    np.testing.assert_allclose(learned.transform(new), expected, rtol=1e-9, atol=1e-12)
    M = learned.components.T @ learned.components
    squared = [(a - b) @ M @ (a - b) for i, a in enumerate(new) for b in new[i + 1 :]]
    np.testing.assert_allclose(pdist(learned.transform(new)) ** 2, squared, rtol=1e-9)


def same_metric(found, expected):
    """To 1e-9 of the Frobenius norm of M = L'L: components are one of its many roots."""
    M, N = found.T @ found, expected.T @ expected
    return np.linalg.norm(M - N) <= 1e-9 * np.linalg.norm(N)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("n_constraints", "seed"), [(20, 0), (5, 0), (20, 1), (60, 2)])
def test_itml_is_metric_learns_itml_supervised(engine, n_constraints, seed):
    x, moa, moas = screen()
    expected = metric_learn.ITML_Supervised(n_constraints=n_constraints, random_state=seed).fit(x, moa)
    learned = itml(x, moas, engine=engine, n_constraints=n_constraints, seed=seed)
    assert same_metric(learned.components, expected.components_)
    assert learned.notes["similar_pairs"] == learned.notes["dissimilar_pairs"] == n_constraints
    assert learned.notes["bounds"] == pytest.approx(expected.bounds_, rel=1e-12)
    assert learned.notes["iterations"] == expected.n_iter_ + 1
    assert learned.notes["converged"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("options", [{"gamma": 10.0}, {"tol": 1e-6}, {"prior": "covariance"}])
def test_options_reach_the_engine(engine, options):
    x, moa, moas = screen()
    expected = metric_learn.ITML_Supervised(n_constraints=20, random_state=0, max_iter=1000, **options).fit(x, moa)
    found = itml(x, moas, engine=engine, **options).components
    assert same_metric(found, expected.components_)
    assert not same_metric(found, itml(x, moas, engine=engine).components)


@pytest.mark.parametrize("method", ["itml", "raw", "pca"])
def test_distances_from_the_base_are_those_of_the_embedding(method):
    x, _, moas = screen()
    learned = learn(method, x, moas)
    expected = squareform(pdist(learned.transform(x), "sqeuclidean"))
    np.testing.assert_allclose(
        learned.squared_distances(x, squared_euclidean(x)), expected, atol=1e-10 * expected.max()
    )


def test_distances_keep_their_digits_where_the_map_contracts_everything():
    """M^-1 = I + 1e12 sum v v' over all directions: the correction alone would leave rounding, or nothing."""
    rng = np.random.default_rng(0)
    x, directions, weights = rng.normal(size=(30, 4)), np.eye(4), np.full(4, 1e12)
    learned = Corrected(np.eye(4) / np.sqrt(1 + 1e12), directions=directions, weights=weights)
    expected = pdist(x, "sqeuclidean") / (1 + 1e12)
    found = learned.squared_distances(x, squared_euclidean(x))
    np.testing.assert_allclose(squareform(found, checks=False), expected, rtol=1e-9)


def test_bounds():
    x, moa, moas = screen()
    rows = np.unique(labelled_pairs(moas, 20, 0)[0])
    every = squareform(pdist(x[rows])).ravel()
    np.testing.assert_allclose(itml(x, moas).notes["bounds"], np.percentile(every, (5, 95)), rtol=1e-10)
    squared = itml(x, moas, bounds="squared")
    np.testing.assert_allclose(squared.notes["bounds"], np.percentile(every**2, (5, 95)), atol=1e-10)
    explicit = itml(x, moas, bounds=[3, 25])
    expected = metric_learn.ITML_Supervised(n_constraints=20, random_state=0).fit(x, moa, bounds=[3.0, 25.0])
    assert same_metric(explicit.components, expected.components_)
    assert explicit.notes["bounds"] == [3.0, 25.0]


@pytest.mark.parametrize("engine", ENGINES)
def test_non_convergence_is_said(engine):
    x, _, moas = screen()
    notes = itml(x, moas, engine=engine, max_iter=2).notes
    assert (notes["converged"], notes["iterations"]) == (False, 2)
    assert notes["warning"] == "ITML did not converge in 2 sweeps"


@pytest.mark.parametrize("seed", range(6))
def test_itml_with_hard_constraints_is_the_optimum(seed):
    """Karush-Kuhn-Tucker: bounds hold; M^-1 = I + sum w v v', w >= 0 (similar), <= 0 (dissimilar), 0 where slack."""
    x, _, moas = screen(seed=seed)
    pairs, similar = labelled_pairs(moas, 4, seed)
    learned = itml(x, moas, n_constraints=4, seed=seed, bounds=[2, 30], gamma=1e9, tol=1e-6, max_iter=10_000)
    between = x[pairs[:, 0]] - x[pairs[:, 1]]
    squared = (learned.transform(between) ** 2).sum(axis=1)
    bound = np.where(similar, 2, 30)
    assert learned.notes["converged"] and (np.where(similar, squared - bound, bound - squared) < 1e-3).all()
    M = learned.components.T @ learned.components
    rank_one = np.array([np.outer(v, v).ravel() for v in between]).T
    change = (np.linalg.inv(M) - np.eye(len(M))).ravel()
    weights = np.linalg.lstsq(rank_one, change)[0]
    np.testing.assert_allclose(rank_one @ weights, change, atol=1e-8)
    tight = np.abs(squared - bound) < 1e-3
    assert (np.where(similar, weights, -weights)[tight] > 0).all()
    np.testing.assert_allclose(weights[~tight], 0, atol=1e-6)


def contrasts(signal, seed):
    """Mean distance of unseen drugs of one MoA, relative to those of two, before and after ITML on other drugs."""
    x, moa, moas = screen(n_drugs=160, signal=signal, seed=seed)
    learned = itml(x[:80], moas[:80], n_constraints=100)
    same = pdist(moa[80:, None]) == 0
    return [d[same].mean() / d[~same].mean() for d in (pdist(x[80:]), pdist(learned.transform(x[80:])))]


@pytest.mark.parametrize("seed", range(6))
def test_itml_brings_unseen_drugs_of_one_moa_together(seed):
    before, after = contrasts(signal=3.0, seed=seed)
    assert after < before - 0.03


def test_itml_learns_nothing_from_noise():
    gains = np.array([np.diff(contrasts(signal=0.0, seed=seed)) for seed in range(20)])
    assert abs(gains.mean()) < 3 * gains.std(ddof=1) / np.sqrt(20)


@pytest.mark.parametrize("n_constraints", [1, 10, 50])
def test_pairs_of_split_moas_share_a_moa_or_none(n_constraints):
    labels, moas = split_moas()
    pairs, similar = labelled_pairs(moas, n_constraints, seed=0)
    assert similar.tolist() == [True] * n_constraints + [False] * n_constraints
    shared = [bool(set(labels[a].split("|")) & set(labels[b].split("|"))) for a, b in pairs]
    assert shared == similar.tolist()
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert len({frozenset(pair) for pair in pairs.tolist()}) == 2 * n_constraints


def test_pairs_of_split_moas_are_all_there_where_fewer_exist():
    labels, moas = split_moas(12)
    pairs, similar = labelled_pairs(moas, 1000, seed=0)
    assert len({frozenset(pair) for pair in pairs.tolist()}) == len(pairs) == 12 * 11 / 2
    shared = sum(bool(set(a.split("|")) & set(b.split("|"))) for i, a in enumerate(labels) for b in labels[:i])
    assert similar.sum() == shared


def test_pairs_of_split_moas_are_drawn_uniformly():
    """Each of the pairs that share a MoA is the one drawn in equal shares of 2000 seeds (chi-squared, P > 0.001)."""
    _, moas = split_moas(6)
    drawn = [tuple(labelled_pairs(moas, 1, seed)[0][0]) for seed in range(2000)]
    counts = pd.Series(drawn).value_counts()
    assert len(counts) == labelled_pairs(moas, 1000, 0)[1].sum()
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("policy", ["whole", "split"])
def test_pairs_depend_on_the_seed_only(policy):
    moas = screen()[2] if policy == "whole" else split_moas()[1]
    first, again, other = (labelled_pairs(moas, 20, seed)[0].tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_pairs_of_single_labels_are_of_one_moa_or_two():
    _, moa, moas = screen()
    pairs, similar = labelled_pairs(moas, 30, 0)
    assert (moa[pairs[:, 0]] == moa[pairs[:, 1]]).tolist() == similar.tolist() == [True] * 30 + [False] * 30


def test_without_a_shared_moa_there_is_nothing_to_learn():
    x = screen()[0][:4]
    for labels, policy in ((list("abcd"), "whole"), (["a|b", "c", "d", "e"], "split"), (list("aaaa"), "whole")):
        moas = membership(pd.Series(labels), policy).to_numpy()
        with pytest.raises(InputError, match="nothing can be learned"):
            itml(x, moas)


def test_registry_knows_defaults_and_who_looks_at_the_moas():
    assert [METHODS[name].supervised for name in ("raw", "pca", "itml")] == [False, False, True]
    assert METHODS["raw"].defaults == {}
    assert METHODS["pca"].defaults == {"components": 0.95}
    assert METHODS["itml"].defaults["n_constraints"] == 20


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if not method.supervised])
def test_an_unsupervised_method_does_not_look_at_the_moas(method):
    x, _, moas = screen()
    shuffled = np.random.default_rng(0).permutation(moas)
    pairs = np.arange(len(x)) // 2
    wells = Wells(x, pairs, pairs)
    found, expected = (learn(method, x, labels, wells).components for labels in (shuffled, moas))
    np.testing.assert_array_equal(found, expected)
