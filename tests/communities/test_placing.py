"""Placing against brute force, and against the map that the drugs themselves are on."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist, pdist, squareform

from moamap.communities import placing as module
from moamap.communities.clusters import find_communities
from moamap.communities.placing import Reference, nearest, pair_shares, place, unusable
from moamap.core.errors import InputError
from moamap.profiles.normalize import STEPS, apply_normalization, learn_normalization
from moamap.profiles.simulate import simulate
from moamap.representations.registry import learn

N, NEW = 90, 40
METHODS = {"raw": ("raw", {}), "itml": ("itml", {}), "ranked": ("spherize", {"warp": "rank", "cosine": True})}
METHODS |= {"whitened": ("spherize", {"reads": "annotated", "pca": 10, "cosine": True})}
SCREEN, TRUTH = simulate(
    seed=2, n_drugs=N + NEW, n_annotated=N, n_moas=20, n_common_moas=6, largest_moa=12, n_features=30
)
DRUGS, NEW_DRUGS = SCREEN[:N], SCREEN[N:].reset_index(drop=True)
COMPOUNDS = pd.DataFrame({"compound": NEW_DRUGS["pert_iname"], "pert_id": NEW_DRUGS["pert_id"]})
FEATURES = NEW_DRUGS.iloc[:, 3:]


def reference_of(name, axis="profile_then_feature"):
    method, parameters = METHODS[name]
    normalization = learn_normalization(DRUGS.iloc[:, 3:], DRUGS["pert_iname"], axis=axis)
    x = profiles_of(DRUGS.iloc[:, 3:], normalization, parameters)
    learned = learn(method, x, pd.get_dummies(DRUGS["moa"]).to_numpy(bool), **parameters)
    embedding = learned.transform(x)
    found = find_communities(pdist(embedding))
    drugs = pd.DataFrame({"drug": DRUGS["pert_iname"], "moa": DRUGS["moa"], "community": found.numbers})
    drugs["is_exemplar"] = drugs.index.isin(found.exemplars)
    drugs[["x", "y"]] = np.random.default_rng(0).normal(size=(N, 2))
    return Reference(drugs, embedding, normalization, learned)


def profiles_of(features, normalization, parameters):
    """What a method of these parameters reads of raw profiles."""
    if parameters.get("reads") == "annotated":
        return features.to_numpy()
    return apply_normalization(features, normalization)


@pytest.fixture(scope="module", params=METHODS)
def reference(request):
    return reference_of(request.param), METHODS[request.param][1]


def test_placed_compounds_are_those_of_brute_force(reference):
    reference, parameters = reference
    placed, listed = place(COMPOUNDS, FEATURES, reference, neighbours=7)
    drugs = reference.drugs
    embedded = reference.learned.transform(profiles_of(FEATURES, reference.normalization, parameters))
    distance = cdist(embedded, reference.embedding)
    index = distance.argsort(axis=1, kind="stable")
    listed = listed.astype({"compound": str, "drug": str, "moa": str})
    assert (listed["compound"].to_numpy().reshape(NEW, 7) == COMPOUNDS[["compound"]].to_numpy()).all()
    assert (listed["rank"].to_numpy().reshape(NEW, 7) == np.arange(1, 8)).all()
    assert (listed["drug"].to_numpy().reshape(NEW, 7) == drugs["drug"].to_numpy()[index[:, :7]]).all()
    assert (listed["moa"].to_numpy().reshape(NEW, 7) == drugs["moa"].to_numpy()[index[:, :7]]).all()
    expected = np.take_along_axis(distance, index, axis=1)
    assert listed["distance"].dtype == listed["association"].dtype == np.float32
    np.testing.assert_allclose(listed["distance"], expected[:, :7].ravel(), rtol=1e-5)
    pairs = pdist(reference.embedding)
    np.testing.assert_allclose(
        listed["association"], [(pairs > d).mean() for d in expected[:, :7].ravel()], atol=2 / len(pairs)
    )
    exemplars = np.flatnonzero(drugs["is_exemplar"])
    closest = exemplars[distance[:, exemplars].argmin(axis=1)]
    assert (placed["community"] == drugs["community"].to_numpy()[closest]).all()
    assert (placed["exemplar"] == drugs["drug"].to_numpy()[closest]).all()
    np.testing.assert_allclose(placed["distance_to_exemplar"], distance[np.arange(NEW), closest], rtol=1e-5)
    assert (placed["nearest_drug"] == drugs["drug"].to_numpy()[index[:, 0]]).all()
    assert (placed["nearest_moa"] == drugs["moa"].to_numpy()[index[:, 0]]).all()
    own = (squareform(pairs) + np.diag(np.full(N, np.inf))).min(axis=1)
    np.testing.assert_allclose(placed["novelty"], [(own < d).mean() for d in expected[:, 0]], atol=1e-12)
    assert (placed["outside"] == (placed["novelty"] > 0.99)).all()
    np.testing.assert_allclose(placed[["x", "y"]], np.median(drugs[["x", "y"]].to_numpy()[index[:, :5]], axis=1))
    assert list(placed) == [
        *("compound", "pert_id", "community", "exemplar", "distance_to_exemplar", "nearest_drug", "nearest_moa"),
        *("distance", "novelty", "outside", "x", "y"),
    ]


def test_a_drug_of_the_map_is_placed_on_itself(reference):
    reference, _ = reference
    compounds = pd.DataFrame({"compound": DRUGS["pert_iname"]})
    placed, _ = place(compounds, DRUGS.iloc[:, 3:], reference, neighbours=1)
    assert (placed["nearest_drug"] == DRUGS["pert_iname"]).all() and (placed["novelty"] == 0).all()
    assert (placed["distance"] < 1e-4 * pdist(reference.embedding).mean()).all()
    assert (placed["community"] == reference.drugs["community"]).all()


def test_what_the_map_has_not_seen_is_outside():
    reference = reference_of("raw", "feature")
    far = place(COMPOUNDS, FEATURES + 1000.0, reference, neighbours=1)[0]
    assert far["outside"].all() and (far["novelty"] == 1).all()
    near = place(COMPOUNDS, FEATURES, reference, neighbours=1)[0]
    assert near["outside"].mean() < 0.2 and near["novelty"].between(0.05, 1).mean() > 0.5


@pytest.mark.parametrize(("axis", "name"), [*((axis, "raw") for axis in STEPS), ("feature", "whitened")])
def test_profiles_that_cannot_be_normalized_have_a_row_and_no_place(axis, name):
    reference = reference_of(name, axis)
    odd = FEATURES.copy()
    odd.iloc[3, 4], odd.iloc[5, 6], odd.iloc[7] = np.nan, np.inf, 1.0
    lost = [3, 5] if (axis, name) == ("feature", "raw") else [3, 5, 7]
    assert np.flatnonzero(unusable(odd, reference.normalization, reference.learned)).tolist() == lost
    placed, listed = place(COMPOUNDS, odd, reference, neighbours=3)
    expected, listed_then = place(COMPOUNDS, FEATURES, reference, neighbours=3)
    assert placed.loc[lost, "community":].isna().all(axis=None) and (placed["compound"] == COMPOUNDS["compound"]).all()
    same = ~placed.index.isin([3, 5, 7])
    pd.testing.assert_frame_equal(placed[same], expected[same], rtol=1e-5)
    gone = COMPOUNDS["compound"][lost]
    assert not listed["compound"].isin(gone).any() and len(listed) == len(listed_then) - 3 * len(lost)


def test_blocks_and_further_features_change_nothing(monkeypatch):
    reference = reference_of("raw")
    whole = place(COMPOUNDS, FEATURES, reference, neighbours=3)
    monkeypatch.setattr(module, "ROWS", 7)
    blocks = place(COMPOUNDS, FEATURES.iloc[:, ::-1].assign(more=np.nan), reference, neighbours=3)
    for one, other in zip(whole, blocks, strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-5)


def test_missing_features_are_refused_in_one_line():
    reference = reference_of("raw")
    names = list(FEATURES)
    with pytest.raises(InputError, match=f"2 of the reference's 30 features are missing .the first: '{names[4]}'"):
        place(COMPOUNDS, FEATURES.drop(columns=[names[9], names[4]]), reference, neighbours=3)


def test_without_compounds_the_tables_are_empty():
    placed, listed = place(COMPOUNDS[:0], FEATURES[:0], reference_of("raw"), neighbours=3)
    full = place(COMPOUNDS, FEATURES, reference_of("raw"), neighbours=3)
    for empty, whole in zip((placed, listed), full, strict=True):
        assert empty.empty and list(empty) == list(whole)


def test_more_neighbours_than_drugs_are_all_drugs():
    _, listed = place(COMPOUNDS[:2], FEATURES[:2], reference_of("raw"), neighbours=1000)
    assert len(listed) == 2 * N and listed["rank"].max() == N


@pytest.mark.parametrize("k", [1, 3, 8])
def test_nearest_is_a_stable_sort(k):
    distance = np.random.default_rng(k).integers(0, 5, (200, 8)).astype(np.float32)
    np.testing.assert_array_equal(nearest(distance, k), distance.argsort(axis=1, kind="stable")[:, :k])


def test_shares_count_half_of_the_ties():
    line = np.array([[-3.0], [-1.0], [0.0], [4.0]])  # distances 2, 3, 7, 1, 5, 4
    shares, own = pair_shares(line, np.array([[0.5, 1.0], [4.0, 8.0]], dtype=np.float32))
    np.testing.assert_allclose(shares, [[1, 5.5 / 6], [2.5 / 6, 0]], rtol=1e-6)
    np.testing.assert_allclose(own, [2, 1, 1, 4])


def test_of_very_many_drugs_evenly_spaced_ones_stand_for_all(monkeypatch):
    x = np.random.default_rng(0).normal(size=(2000, 5))
    distance = np.quantile(pdist(x), [0.01, 0.2, 0.7]).astype(np.float32)
    monkeypatch.setattr(module, "REFERENCE_DRUGS", 500)
    shares, own = pair_shares(x, distance)
    np.testing.assert_allclose(shares, [0.99, 0.8, 0.3], atol=0.02)
    assert len(own) == 500
