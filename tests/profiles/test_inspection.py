import numpy as np
import pandas as pd
import pytest

from moamap.profiles.inspection import feature_parts, inspect
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
    assert report["drugs with a MoA"] == "18; 0 ids without one will be dropped"
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
    (["a"] * 20 + [None] * 20, "drugs with a MoA", "10; 10 ids without one will be dropped"),
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
