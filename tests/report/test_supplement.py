from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moamap.report.supplement import evidence, published_table_1, table_1, table_s4

PUBLISHED = Path(__file__).parents[2] / "resources" / "published.csv"
COMMUNITIES = pd.DataFrame(
    {
        "drug": ["d1", "d2", "d3", "d4", "d5"],
        "moa": ["a", "b", "a", "a|b", "b"],
        "community": [1, 2, 1, 2, 3],
        "is_exemplar": [False, True, True, False, True],
    }
)
ENRICHED = pd.DataFrame(
    [
        (1, "a", 2, 3, 2, 0.0034567, True),
        (1, "b", 1, 4, 2, 0.5, False),
        (2, "a", 1, 3, 2, 0.009, True),
        (2, "b", 2, 4, 2, 0.00012, True),
        (3, "a", 0, 3, 1, 1.0, False),
        (3, "b", 1, 4, 1, 0.4, False),
    ],
    columns=["community", "moa", "k", "K", "n", "p_value", "enriched"],
)


def test_table_1_by_hand():
    nothing = ENRICHED.assign(enriched=False)
    notes = {"raw": {"supervised": False}, "itml": {"supervised": True}}
    table = table_1({"raw": nothing, "itml": ENRICHED}, {"raw": True, "itml": False}, notes)
    counts = ["Clustering Number", "Enrichment Number", "Enrichment Expectation", "singleton communities"]
    counts += ["MoAs enriched with k >= 2", "communities with any enrichment"]
    assert list(table) == ["representation", *counts, "converged", "evidence"]
    assert table[["representation", *counts]].to_numpy().tolist() == [
        ["raw", 3, 0, 0, 1, 0, 0],
        ["itml", 3, 2, 2 / 3, 1, 2, 2],
    ]
    assert table["converged"].tolist() == [True, False]
    assert table["evidence"].tolist() == [evidence(supervised=False), evidence(supervised=True)]
    assert table["evidence"].str.contains("in-sample").tolist() == [False, True]
    assert evidence(supervised=True, cross_fitted=True).startswith("cross-fitted")
    assert set(table[counts[:2] + counts[3:]].dtypes) == {np.dtype(int)}


def test_published_table_1_is_the_papers():
    table = published_table_1(pd.read_csv(PUBLISHED)).set_index("representation")
    expected = {"raw": (57, 26, 0.4561), "pca": (48, 24, 0.5), "itml": (39, 35, 0.8974)}
    columns = [f"published {name}" for name in ("Clustering Number", "Enrichment Number", "Enrichment Expectation")]
    assert sorted(table) == sorted(columns)
    assert dict(zip(table.index, table[columns].itertuples(index=False, name=None), strict=True)) == expected


def test_published_numbers_are_consistent():
    published = pd.read_csv(PUBLISHED)
    value = published.set_index("quantity")["published"]
    assert value.index.is_unique and list(published.columns)[:3] == ["quantity", "description", "published"]
    assert value["pairs"] == value["drugs"] * (value["drugs"] - 1) / 2
    for name in ("raw", "pca", "itml"):
        ratio = value[f"{name} Enrichment Number"] / value[f"{name} Clustering Number"]
        assert round(ratio, 4) == value[f"{name} Enrichment Expectation"]


def test_table_s4_by_hand():
    table = table_s4(COMMUNITIES, ENRICHED)
    assert table["community"].tolist() == [1, 2, 3]
    assert table["drugs"].tolist() == [2, 2, 1]
    assert table["exemplar"].tolist() == ["d3", "d2", "d5"]
    assert table["members"].tolist() == ["d1 [a]; d3 [a]", "d2 [b]; d4 [a|b]", "d5 [b]"]
    enriched = ["a (2/3, P = 0.0035)", "b (2/4, P = 0.00012); a (1/3, P = 0.009)"]
    assert table["enriched_moas"].tolist()[:2] == enriched and pd.isna(table["enriched_moas"][2])


@pytest.mark.parametrize("community", [1, 2, 3])
def test_table_s4_with_one_enriched_community_or_none(community):
    enriched = table_s4(COMMUNITIES, ENRICHED.assign(enriched=ENRICHED["community"] == community))["enriched_moas"]
    assert enriched.notna().tolist() == [c == community for c in (1, 2, 3)]
    none = table_s4(COMMUNITIES, ENRICHED.assign(enriched=np.zeros(6, bool)))
    assert none["enriched_moas"].isna().all() and none["members"].tolist()[2] == "d5 [b]"
