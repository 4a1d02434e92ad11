"""What explorer.html holds, against its tables and other implementations."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import median_abs_deviation
from sklearn.metrics.pairwise import cosine_similarity

from moamap.connections.opposites import opposites
from moamap.report import explorer
from moamap.report.explorer import blocks_of
from moamap.report.signature import deviations, group_of, signature

from .explored import NAMES, PLACED, N, html_of, read_blocks, study

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


@pytest.fixture(scope="module")
def made():
    return study()


@pytest.fixture(scope="module")
def html(made):
    return html_of(made)


@pytest.fixture(scope="module")
def blocks(html):
    return read_blocks(html)


def test_the_same_study_is_the_same_bytes(html):
    assert html_of(study()) == html


def test_the_page_asks_for_nothing_and_holds_no_name_as_html(html):
    text = html.decode()
    assert f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">' in text
    assert "drug 001" not in text and "MoA a" not in text
    assert "<title>made_up: &lt;drugs&gt; &amp; more</title>" in text and "{{" not in text
    assert "Redistribution and use in source and binary forms" in text  # BokehJS's licence, to be read
    assert not [word for word in ("<link", " src=", "@import", "url(", "eval(", "innerHTML") if word in text]


@pytest.mark.parametrize("name", ["raw", "itml", "itml_crossfit"])
def test_places_communities_and_nearest_are_those_of_the_tables(made, blocks, name):
    shown, info = made.maps[name], blocks[f"{name}/info"]
    low, high = np.split(np.array(info["box"]), 2)
    places = blocks[f"{name}/places"].reshape(2, -1).T / 65535 * (high - low) + low
    assert np.abs(places - shown.places).max() < (high - low).max() / 65535
    assert blocks[f"{name}/community"].tolist() == shown.community.tolist()
    near = shown.neighbours.index[:, :10]
    assert blocks[f"{name}/near"].reshape(-1, 10).tolist() == near.tolist()
    distance = blocks[f"{name}/distance"].reshape(-1, 10) / 65535 * info["farthest"]
    np.testing.assert_allclose(distance, shown.neighbours.distance[:, :10], atol=info["farthest"] / 65535)
    association = np.interp(distance, *info["curve"])
    np.testing.assert_allclose(association, shown.neighbours.association[:, :10], atol=1e-3)


def test_ranks_are_places_in_the_lists_of_the_other_maps(made, blocks):
    ranks = blocks["raw/ranks"].reshape(N + PLACED, 10, 3)
    assert (ranks[:, :, 0] == np.arange(1, 11)).all()
    for drug in (0, 17, N - 1, N + 2):
        for place, other in enumerate(made.maps["raw"].neighbours.index[drug, :10]):
            for number, name in enumerate(("itml", "itml_crossfit"), start=1):
                listed = made.maps[name].neighbours.index
                expected = [*listed[drug], other].index(other) + 1 if drug < len(listed) else 0
                assert ranks[drug, place, number] == (expected if expected <= listed.shape[1] else 0)


def test_opposites_by_scikit_learn():
    x = np.random.default_rng(1).normal(3, size=(700, 5))
    index, cosine = opposites(x, 4)
    expected = cosine_similarity(x - x.mean(axis=0))
    np.testing.assert_allclose(cosine, np.sort(expected, axis=1)[:, :4], atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(expected, index, axis=1), cosine, atol=1e-5)


def test_the_average_drug_and_equal_cosines_do_no_harm():
    index, cosine = opposites(np.array([[1.0, 0], [1, 0], [-1, 0], [-1, 0], [0, 0]]), 2)
    assert index[:2].tolist() == [[2, 3]] * 2 and cosine[:2].tolist() == [[-1, -1]] * 2
    assert cosine[4].tolist() == [0, 0]


def test_a_map_of_distances_has_no_opposites(blocks):
    assert "raw/opposite" in blocks and "itml_crossfit/opposite" not in blocks


def test_features_are_robust_deviations_from_the_study_s_drugs(made, blocks):
    x = made.features.to_numpy()
    spread = median_abs_deviation(x[:N], scale=1 / 1.4826)
    expected = ((x - np.median(x[:N], axis=0)) / spread).clip(-12.7, 12.7)
    assert blocks["study"]["features"]["kept"] == list(range(len(NAMES)))
    found = (blocks["features/0"].reshape(len(NAMES), -1).T - 127.0) / 10
    np.testing.assert_allclose(found, expected, atol=0.0501)
    number = pd.MultiIndex.from_tuples([group_of(name) for name in NAMES])
    groups = pd.DataFrame(expected.T, index=number).groupby(level=[0, 1, 2]).mean()
    means = (blocks["signature/0"].reshape(N + PLACED, -1) - 127.0) / 10
    for group, mean in zip(blocks["study"]["features"]["groups"], means.T, strict=True):
        np.testing.assert_allclose(mean, groups.loc[tuple(group)], atol=0.0501)


def test_deviations_of_constant_and_of_mostly_constant_features():
    x = np.array([[1, 0, 5], [1, 0, 5], [1, 0, 5], [1, 9, 5], [np.nan, np.nan, np.nan]])
    found = deviations(x, 4)
    assert found[:4, 0].tolist() == [0] * 4 and np.isnan(found[4]).all()
    assert found[3, 1] == pytest.approx(9 / np.std([0, 0, 0, 9]))
    assert np.isnan(signature(found, ["a", "b", "c"])[1][4]).all()


@pytest.mark.parametrize(
    ("feature", "group"),
    [
        ("Cells_Texture_Correlation_Ph_golgi_5", ("Cells", "Texture", "Ph_golgi")),
        ("Nuclei_RadialDistribution_FracAtD_ER_3of4", ("Nuclei", "RadialDistribution", "ER")),
        ("Cytoplasm_AreaShape_Zernike_6_2", ("Cytoplasm", "AreaShape", "no channel")),
        ("Cells_Neighbors_SecondClosestDistance_Adjacent", ("Cells", "Neighbors", "no channel")),
        ("Cells_Correlation_Correlation_DNA_ER", ("Cells", "Correlation", "several channels")),
        ("Cells_Texture_InverseDifferenceMoment_Hoechst_3", ("Cells", "Texture", "Hoechst")),
        ("efficientnet_12", ("Other", "features", "no channel")),
    ],
)
def test_groups_of_features(feature, group):
    assert group_of(feature) == group


def test_beyond_the_limit_csifs_come_first_and_then_the_most_variable(monkeypatch):
    monkeypatch.setattr(explorer, "VALUES", 5 * (N + PLACED))
    monkeypatch.setattr(explorer, "FEWEST", 1)
    made = study()
    ratios = pd.DataFrame({"community": [1, 2, 1], "feature": [NAMES[3], NAMES[3], NAMES[9]]})
    ratios = ratios.assign(intra_class_ratio=0.001, is_csif=True)
    maps = {"raw": explorer.Map(**vars(made.maps["raw"]) | {"ratios": ratios})}
    kept = blocks_of(explorer.Study(**vars(made) | {"maps": maps}))["study"]["features"]["kept"]
    variable = made.features[:N].var().drop([NAMES[3], NAMES[9]]).nlargest(3).index
    assert sorted(kept) == kept and {NAMES[i] for i in kept} == {NAMES[3], NAMES[9], *variable}


def test_candidates_with_one_moa_or_with_several(made, blocks):
    first = blocks["study"]["proposals"][0]
    assert first == {"drug": 0, "kind": "proposed MoA", "moas": [["MoA c", 0.95]], "details": {"stability": 0.5}}
    wide = pd.DataFrame(
        {"drug": ["drug 004", "gone"], "kind": "MoA", "moa_1": "a", "probability_1": 0.5, "moa_2": ["b", None]}
    )
    wide = wide.assign(probability_2=0.25, evidence="near: drug 001 (rank 1)")
    found = blocks_of(study(candidates=wide))["study"]["proposals"]
    assert found == [
        {
            "drug": 4,
            "kind": "MoA",
            "moas": [["a", 0.5], ["b", 0.25]],
            "details": {"evidence": "near: drug 001 (rank 1)"},
        }
    ]


def test_moas_are_counted_as_the_study_counts_them(made):
    drugs = made.drugs.assign(moa=["a|b", "b", "a"] + ["c"] * (N - 3) + [None] * PLACED)
    maps = {
        "raw": explorer.Map(
            **vars(made.maps["raw"]) | {"enrichment": made.maps["raw"].enrichment[:0], "null_by_moa": None}
        )
    }
    for policy, moas in (("whole", ["a", "a|b", "b", "c"]), ("split", ["a", "b", "c"])):
        found = blocks_of(explorer.Study(**vars(made) | {"drugs": drugs, "maps": maps, "policy": policy}))
        overview, label = found["study"], found["label"].tolist()
        assert overview["moas"] == moas and label[N:] == [len(overview["labels"])] * PLACED
        of = [[moas[moa] for moa in overview["parts"][number]] for number in label[:3]]
        assert of == ([["a|b"], ["b"], ["a"]] if policy == "whole" else [["a", "b"], ["b"], ["a"]])


def test_without_validation_nothing_is_said_of_it(made):
    silent = {"null": None, "null_by_moa": None, "stability": None, "kept": None}
    maps = {name: explorer.Map(**vars(shown) | silent) for name, shown in made.maps.items()}
    found = blocks_of(explorer.Study(**vars(made) | {"maps": maps, "candidates": None}))
    assert "raw/kept" not in found and not {"together", "null", "rand"} & set(found["raw/info"])
    assert found["study"]["proposals"] == [] and found["study"]["activity"] is None


def test_activity_is_the_largest_of_a_drug(made):
    table = pd.DataFrame({"drug": ["drug 003", "drug 003", "gone"], "mean_average_precision": [0.2, 0.7, 1]})
    found = blocks_of(explorer.Study(**vars(made) | {"activity": table}))["study"]["activity"]
    assert found["what"] == "mean_average_precision" and found["values"][2:5] == [None, 0.7, None]
