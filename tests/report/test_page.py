"""report.html: what tables hold is text, and tables say what the files say."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moamap.report import page

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = """<img src=x onerror=alert(1)></script>"'\u202e{{ 7 * 7 }}"""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *[(None, "–"), (np.nan, "–"), (True, "yes"), (np.bool_(False), "no"), (1105, "1,105"), (57.0, "57")],
        *[(0.0, "0"), (0.05, "0.05"), (0.123456, "0.123"), (1e-7, "1e-07"), ("x", "x")],
    ],
)
def test_cells(value, shown):
    assert page.cell(value) == shown


def test_what_tables_hold_is_never_markup():
    given = page.Table([HOSTILE], [[HOSTILE]], HOSTILE, HOSTILE)
    templates = {path.name: path.read_text() for path in (ROOT / "workflow/report/page").iterdir()}
    templates["x"] = '{% from "parts.html.j2" import table with context %}{{ table(given) }}{{ given.title | inline }}'
    shown = page.render(templates, "x", given=given, figures={}, captions={})
    assert shown.count("&lt;img src=x onerror=alert(1)&gt;&lt;/script&gt;") == 5 and "<img" not in shown
    assert "49" not in shown


def test_a_line_of_markdown():
    assert page.inline(r"**a_b** is `c.csv` of x\_y & <b>") == (
        "<strong>a_b</strong> is <code>c.csv</code> of x_y &amp; &lt;b&gt;"
    )


def test_columns_that_are_not_there_are_left_out():
    table = page.show(pd.DataFrame({"a": range(99)}), {"a": "A", "b": "B"})
    assert table.heads == ["A"] and len(table.rows) == page.LISTED


def test_rows_left_out_are_counted_by_reason():
    table = pd.DataFrame({"step": ["a", "b", "b"], "reason": ["x", "y", "y"]})
    assert page.dropped(table).rows == [["b", "y", 2], ["a", "x", 1]]


def null_by_moa():
    rows = [("raw", 1, "m1", 3, 5, 9, 0.01), ("raw", 2, "m2", 2, 5, 9, 0.5), ("itml", 1, "m3", 4, 5, 9, 0.001)]
    return pd.DataFrame(rows, columns=["representation", "community", "moa", "k", "K", "n", "p_adjusted"])


def test_communities_that_survive_are_those_below_the_level_and_the_stable_ones_are_marked():
    kept = [("raw", 1, 0.9), ("raw", 1, 0.7), ("raw", 2, 1.0), ("itml", 1, 0.1)]
    table = page.surviving(
        null_by_moa(), pd.DataFrame(kept, columns=["representation", "community", "companions_kept"])
    )
    assert [row[:4] for row in table.rows] == [["itml", 1, "m3", "4 of 5"], ["raw", 1, "m1", "3 of 5"]]
    assert [row[-1] for row in table.rows] == pytest.approx([0.1, 0.8]) and table.marked == [1]


def test_an_in_sample_score_is_never_marked():
    rows = [("raw", "label-free", 0.01), ("itml", "in-sample", 0.001), ("itml", "cross-fitted", 0.2)]
    table = pd.DataFrame(rows, columns=["representation", "scored", "p_value"]).assign(
        quantity="mean average precision", observed=0.5, null_mean=0.25, null_low=0.2, null_high=0.3, lift=2.0
    )
    found = page.retrieval(table)
    assert found.marked == [0] and found.rows[0] == ["raw", "label-free", 0.5, "0.25 (0.2 to 0.3)", 2.0, 0.01]


def test_answers_to_a_query():
    rows = [
        ("a", "self", "a", "m", 4, False),
        ("a", "fellow", "b", "m", 4, True),
        ("a", "neighbour", "c", None, 5, False),
    ]
    table = pd.DataFrame(rows, columns=["queried", "relation", "drug", "moa", "community", "shares_community"])
    pair = table[2:].assign(relation="pair", association=0.9, chance_of_sharing=0.1)
    (found,) = page.answers({"raw": table})
    assert found.title == "a [m]" and found.rows == [["raw", 4, 2, "c [no MoA]"]]
    assert page.pairs({"raw": pair}).rows == [["a, c", "raw", False, 0.9, 0.1]]


def test_candidates_are_shown_by_kind_with_the_columns_that_each_has():
    table = pd.DataFrame({"drug": ["a", "b", "c"], "kind": ["hidden MoA", "hidden MoA", "repurposing partner"]})
    table = table.assign(data="simulated", moa_1=["m", "o", None], probability_1=[0.6, 0.2, None], moa_5="late")
    hidden, partners = page.candidates(table.assign(partner=[None, None, "z [o]"]))
    assert hidden.title == "2 in candidates.csv: hidden MoA"
    assert partners.title == "1 in candidates.csv: repurposing partner"
    assert hidden.heads == ["drug", "MoA", "probability"] and hidden.rows == [["a", "m", 0.6], ["b", "o", 0.2]]
    assert partners.heads == ["drug", "partner"] and partners.rows == [["c", "z [o]"]]


def test_features_of_communities():
    rows = [(1, "f1", 0.5, False), (2, "f2", 0.009, True), (2, "f1", 0.001, True)]
    table = page.features(pd.DataFrame(rows, columns=["community", "feature", "intra_class_ratio", "is_csif"]))
    assert table.rows == [[2, 2, "f1, f2"]]


def test_only_numbers_that_can_be_compared_are_shown():
    rows = [("drugs", 1105, 488, "NOT COMPARABLE", "x"), ("communities", 57, 57.0, "PASS", "y")]
    table = pd.DataFrame(rows, columns=["description", "published", "reproduced", "verdict", "reason"])
    assert page.published(table.assign(extrapolated=np.nan)).rows == [["communities", 57, 57.0, "PASS", "y"]]
    assert page.published(table[:1]).rows == []


def test_every_file_of_the_guide_that_a_study_has_is_listed():
    assert [row[0] for row in page.guide(["truth.csv", "candidates.csv", "raw/tsne.csv"]).rows] == [
        "candidates.csv",
        "truth.csv",
    ]
