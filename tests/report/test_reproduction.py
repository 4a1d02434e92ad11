from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moamap.report.reproduction import observed_numbers, reproduction
from moamap.report.supplement import table_1

PUBLISHED = pd.read_csv(Path(__file__).parents[2] / "resources" / "published.csv")


def judged(value, published, decimals=0, caveat=np.nan, compounds=100):
    rows = [("compounds", "", 100, 0, np.nan), ("it", "what it is", published, decimals, caveat)]
    table = pd.DataFrame(rows, columns=["quantity", "description", "published", "decimals", "caveat"])
    return reproduction(table, {"compounds": compounds} | ({} if value is None else {"it": value})).iloc[1]


@pytest.mark.parametrize(
    ("value", "published", "decimals", "verdict"),
    [
        (1105, 1105, 0, "PASS"),
        (0.98849, 0.988, 3, "PASS"),
        (0.98751, 0.988, 3, "PASS"),
        (0.9885001, 0.988, 3, "FLAG"),
        (26 / 57, 0.4561, 4, "PASS"),
        (35 / 39, 0.8974, 4, "PASS"),
        (-384.4, -384, 0, "PASS"),
        (-385, -384, 0, "FLAG"),
        (120, 100, 0, "FLAG"),
        (80, 100, 0, "FLAG"),
        (121, 100, 0, "FAIL"),
        (79, 100, 0, "FAIL"),
        (384, -384, 0, "FAIL"),
        (0, 0, 0, "PASS"),
        (3, 0, 0, "FAIL"),
        (np.nan, 7, 0, "NOT COMPARABLE"),
        (None, 7, 0, "NOT COMPARABLE"),
    ],
)
def test_verdict(value, published, decimals, verdict):
    assert judged(value, published, decimals)["verdict"] == verdict


def test_reasons():
    assert judged(7, 7)["reason"] == "equal to the last published digit"
    assert judged(110, 100)["reason"] == "differs by +10%"
    assert (
        judged(150, 100, caveat="the seed is not published")["reason"] == "differs by +50%; the seed is not published"
    )
    assert judged(None, 7)["reason"] == "this run does not compute it"


def test_another_source_table_is_not_comparable_even_where_numbers_agree():
    row = judged(7, 7, compounds=90)
    assert row["verdict"] == "NOT COMPARABLE"
    assert row["reason"] == "the source table has 90 compounds, the paper's has 100"


@pytest.mark.parametrize(("published", "where"), [(57, "inside"), (190, "outside")])
def test_on_a_subset_a_number_is_extrapolated(published, where):
    rows = [("compounds", "", 100, 0, np.nan), ("it", "", published, 0, np.nan), ("other", "", 1, 0, np.nan)]
    table = pd.DataFrame(rows, columns=["quantity", "description", "published", "decimals", "caveat"])
    beyond = pd.DataFrame({"quantity": ["it"], "extrapolated": [58.0], "low": [50.0], "high": [66.0]})
    seen = {"compounds": 40, "it": 34, "other": 1}
    found = reproduction(table, seen, beyond).set_index("quantity")
    assert found["verdict"].to_dict() == {
        "compounds": "NOT COMPARABLE",
        "it": "EXTRAPOLATED",
        "other": "NOT COMPARABLE",
    }
    assert found.loc["it", ["reproduced", "extrapolated", "low", "high"]].tolist() == [34, 58, 50, 66]
    assert found.loc["it", "reason"].endswith(f"the published number is {where} the interval")
    whole = reproduction(table, seen | {"compounds": 100}, beyond).set_index("quantity")
    assert whole["extrapolated"].isna().all() and whole.loc["other", "verdict"] == "PASS"


def test_the_papers_own_numbers_pass():
    table = reproduction(PUBLISHED, dict(zip(PUBLISHED["quantity"], PUBLISHED["published"], strict=True)))
    assert set(table["verdict"]) == {"PASS"}
    assert list(table)[:4] == ["quantity", "description", "published", "reproduced"]
    assert list(table)[4:] == ["extrapolated", "low", "high", "verdict", "reason"]
    assert table["extrapolated"].isna().all()
    assert table["quantity"].tolist() == PUBLISHED["quantity"].tolist()


def observed():
    features = pd.DataFrame({"f": [-30.0, 1, 20], "g": [-20.0, 20.5, 0]})
    rows = [(1, "a", 2, 2, True), (2, "a", 0, 1, False)]
    enriched = pd.DataFrame(rows, columns=["community", "moa", "k", "n", "enriched"])
    names = ("raw", "pca", "itml")
    table = table_1(
        dict.fromkeys(names, enriched), dict.fromkeys(names, True), {name: {"supervised": False} for name in names}
    )
    overlap = pd.DataFrame({"n_communities": [1, 2, 3, 4], "n_features": [9, 5, 2, 1]})
    return observed_numbers(features, features / 10, pd.Series([5, 7, 1]), 11, table, overlap, True)


def test_observed_numbers_by_hand():
    expected = {"compounds": 11, "drugs": 3, "features": 2, "pairs": 3, "moas": 3, "moas_of_five": 2}
    expected |= {"largest_moa": 7, "raw_minimum": -30, "raw_maximum": 20.5, "share_within_20": 4 / 6}
    expected |= {"normalized_minimum": -3, "normalized_maximum": 2.05}
    expected |= {"csif_of_two": 5, "csif_of_three_or_more": 3, "query_shares_community": 1}
    for name in ("raw", "pca", "itml"):
        expected |= {f"{name} Clustering Number": 2, f"{name} Enrichment Number": 1}
        expected[f"{name} Enrichment Expectation"] = 0.5
    assert observed() == expected


def test_every_published_quantity_is_observed():
    assert sorted(observed()) == sorted(PUBLISHED["quantity"])
