import numpy as np
import pandas as pd
import pytest

from moamap.profiles.annotation import hub_annotation
from moamap.profiles.inspection import feature_parts, inspect, refusals
from moamap.profiles.simulate import feature_table


def table(**changes):
    rng = np.random.default_rng(0)
    columns = {"pert_id": [f"d{i // 2}" for i in range(40)], "moa": [f"m{i // 2 % 3}" for i in range(40)]}
    columns |= {"plate": ["p1", "p2"] * 20, "control": ["dmso"] * 4 + ["drug"] * 36}
    columns |= {f"Cells_Intensity_Mean_{channel}": rng.normal(size=40) for channel in ("Mito", "ER", "RNA")}
    return pd.DataFrame(columns | changes)


def found(frame, **options):
    return {what.strip(): how_much for what, how_much in inspect(frame, **options)}


def test_counts_by_hand():
    report = found(table(), controls=["dmso"])
    assert report["rows"] == "40, 4 of them controls"
    assert report["drugs (pert_id)"] == "18"
    assert report["rows of one drug"].startswith("2 to 2")
    assert (report["plates"], report["controls a plate"]) == ("2", "2 to 2")
    assert report["by channel"] == "Mito 1, ER 1, RNA 1"
    assert report["drugs with a MoA"] == "18; 0 ids without one (option `unannotated`)"
    assert report["MoAs"] == "3, 3 of 5 drugs or more, which are tested"


def test_bad_features_are_counted():
    far = np.r_[np.arange(39.0), 1e6]
    gaps, infinite = [np.nan, *range(39)], [np.inf, *range(39)]
    report = found(table(gaps=gaps, infinite=infinite, flat=1.0, far=far))
    assert report["with missing values"].startswith("1 (normalization.bad_features")
    assert report["with infinite values"].startswith("1 (")
    assert report["constant"].startswith("1 (")
    assert report["with values beyond 100 interquartile ranges"] == "1"
    assert report["range of values"].endswith("to 1e+06")


@pytest.mark.parametrize(("moa", "what", "said"), [
    (None, "MoA", "no column"),
    (["a|b"] * 20 + [None] * 20, "drugs with several MoAs (|)", "10 (`moa: split`"),
    (["a"] * 20 + [None] * 20, "drugs with a MoA", "10; 10 ids without one (option `unannotated`)"),
])  # fmt: skip
def test_moas(moa, what, said):
    frame = table().drop(columns=["moa", "control"])
    report = found(frame if moa is None else frame.assign(moa=moa))
    assert report[what].startswith(said)


def test_feature_parts_against_the_grammar_that_names_are_made_by():
    grammar = feature_table()
    parts = [feature_parts(name) for name in grammar["feature"]]
    assert parts == list(zip(grammar["compartment"], grammar["measurement"], grammar["channel"], strict=True))


def test_other_names_have_no_parts():
    assert feature_parts("embedding17") == ("", "", "")


FEATURES = [f"Cells_Intensity_Mean_{channel}" for channel in ("Mito", "ER", "RNA")]


def test_a_table_without_a_usable_feature_is_still_described():
    gaps = table(**{name: [np.nan, *([1.0] * 39)] for name in FEATURES})
    report = found(gaps)
    assert report["with missing values"].startswith("3 (") and report["range of values"] == "1 to 1"
    for empty in (table()[:0], table(**dict.fromkeys(FEATURES, np.nan)), table().drop(columns=FEATURES)):
        assert found(empty)["range of values"] == "no number"


DRUGS = {
    "wells": None,
    "policy": "whole",
    "min_drugs": 5,
    "queried": [],
    "refuse_bad_features": True,
    "axis": "feature",
}


def why(frame, annotation=None, **options):
    return refusals(frame, annotation, source="own.csv", **DRUGS | options)


def one_row_each(**changes):
    return table(pert_id=[f"d{i}" for i in range(40)], moa=["a", "b"] * 20).assign(**changes)


def test_a_good_table_is_not_refused():
    assert why(one_row_each()) == []
    assert why(table(moa=["a", "a", "b", "b"] * 10), wells={"controls": ["dmso"], "normalize": None}) == []


@pytest.mark.parametrize(
    ("frame", "options", "expected"),
    [
        (one_row_each(moa=[f"m{i // 2}" for i in range(40)]), {}, ["no MoA has 5 drugs"]),
        (one_row_each().drop(columns="moa"), {}, ["no column 'moa'"]),
        (one_row_each(moa=None), {}, ["none of 40 rows has a MoA"]),
        (one_row_each(moa="a"), {}, ["every drug has the MoA 'a'"]),
        (one_row_each(flat=1.0), {}, ["feature 'flat' has constant values"]),
        (one_row_each(far=[1e6, 2e6] * 20), {"axis": "profile"}, ["feature 'far' (median or standard deviation"]),
        (one_row_each(gaps=[np.nan] * 39 + [1.0]), {}, ["feature 'gaps' has missing values"]),
        (one_row_each(pert_iname=["x", "x", *map(str, range(38))]), {}, ["drug 'x' has 2 different MoAs"]),
        (one_row_each(), {"queried": ["d0", "e1"]}, ["no drug named 'e1'"]),
        (one_row_each(flat=1.0), {"queried": ["e1"]}, ["no drug named 'e1'", "feature 'flat'"]),
        (one_row_each(text="x", flat=1e300), {}, ["column 'text', row 1", "column 'flat', row 1"]),
        (one_row_each()[:0], {}, ["own.csv: 0 rows x 3 features"]),
        (table(moa="a"), {"wells": {"controls": ["water"]}}, ["plate 'p1' has 0 control wells"]),
        (table(moa=["a", "b"] * 20), {"wells": {"normalize": None}}, ["has 2 different values of moa"]),
    ],
)
def test_what_the_study_refuses_inspect_refuses(frame, options, expected):
    problems = why(frame, **options)
    assert len(problems) == len(expected) and all(map(str.__contains__, problems, expected)), problems


def test_bad_features_that_may_be_dropped_are_no_reason():
    assert why(one_row_each(flat=1.0), refuse_bad_features=False) == []


def test_the_hub_s_annotation_is_taken_where_there_is_one():
    samples = pd.DataFrame({"broad_id": [f"d{i}" for i in range(40)], "pert_iname": [f"drug {i}" for i in range(40)]})
    drugs = pd.DataFrame({"pert_iname": samples["pert_iname"], "moa": ["a", "b"] * 20})
    plain = one_row_each().drop(columns="moa")
    assert why(plain, hub_annotation(samples, drugs)) == []
    [problem] = why(plain, hub_annotation(samples, drugs), queried=["d1"])
    assert problem.startswith("query: no drug named 'd1' among the 40 drugs")
