import gzip

import numpy as np
import pandas as pd
import pytest

from moamap.core.errors import InputError
from moamap.core.names import ROLES
from moamap.profiles.contract import (
    NO_FEATURE,
    check,
    contract_notes,
    contract_problems,
    is_control,
    tidy,
    with_numbers,
)
from moamap.profiles.formats import read_source


def table(**changes):
    columns = {"pert_id": ["a", "b", "c"], "f1": [1.0, 2, 3], "f2": [4.0, 5, 6], "f3": [7.0, 8, 9]}
    return pd.DataFrame(columns | changes)


def read(content, folder, name="profiles.csv"):
    """The tidy table of a file, which must pass the border."""
    (folder / name).write_bytes(content)
    path = folder / name
    found, source = read_source([path], {"location": str(path)}, {})
    check(found, one_row_each=True, source=source)
    return found


def refused(frame, controls=(), once=True):
    with pytest.raises(InputError) as caught:
        check(frame, controls=controls, one_row_each=once, source="own.csv")
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value).removeprefix("own.csv: ")


def text(a="a", b="b", moa="n", x="3", y="6.5"):
    return f"pert_id,moa,f1,f2,f3\n{a},m,1,2,{x}\n{b},{moa},4,5,{y}\n"


ODD = {  # a file, and the columns of it that are not as text() has them
    "BOM": ("\ufeff" + text(), {}),
    "CRLF": (text().replace("\n", "\r\n"), {}),
    "blank lines": (text().replace("\n", "\n\n"), {}),
    "no last line end": (text().rstrip("\n"), {}),
    "latin-1": (text(moa="\xb5-opioid \xe9").encode("latin-1"), {"moa": ["m", "µ-opioid é"]}),
    "Excel's code page": (text(moa="Na\x96K \x92x\x92 \xb5").encode("latin-1"), {"moa": ["m", "Na–K ’x’ µ"]}),
    "neither code page": (text(moa="\x81 \xe9").encode("latin-1"), {"moa": ["m", "\x81 é"]}),
    "unicode": (text(b="β-阿司匹林 💊"), {"pert_id": ["a", "β-阿司匹林 💊"]}),
    "markup": (text(b="<b>x</b> & 'y'"), {"pert_id": ["a", "<b>x</b> & 'y'"]}),
    "commas": (text(moa='"1,2-agonist, ""new"""'), {"moa": ["m", '1,2-agonist, "new"']}),
    "a line end in a name": (text(moa='"x\ny"'), {"moa": ["m", "x\ny"]}),
    "a dot": (text(b="BRD.1.5"), {"pert_id": ["a", "BRD.1.5"]}),
    "spaces": (text(b="  b c "), {"pert_id": ["a", "b c"]}),
    "zeros": (text(a="007", b="1e5"), {"pert_id": ["007", "1e5"]}),
    "numbers": (text(a="7.0", b="7"), {"pert_id": ["7.0", "7"]}),
    "no MoA": (text(moa=" "), {"moa": ["m", None]}),
    "missing values": (text(x="NA", y=""), {"f3": [np.nan, np.nan]}),
    "infinite values": (text(x="-inf"), {"f3": [-np.inf, 6.5]}),
    "scales": (text(x="3e-6", y="6.5E+6"), {"f3": [3e-6, 6.5e6]}),
    "a drug called NA": (text(b="NA"), {"pert_id": ["a", "NA"]}),
    "classes that are numbers": (text(moa="1").replace(",m,", ",0,"), {"moa": ["0", "1"]}),
    "classes that are words of a program": (text(moa="None").replace(",m,", ",True,"), {"moa": ["True", "None"]}),
    "an extra column": (text(x="3,s1", y="6.5,").replace("f3", "f3,Metadata_Site"), {}),
    "row names": (text(a="0,a", b="1,b").replace("pert_id", ",pert_id"), {}),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_but_valid_files_pass(odd, tmp_path):
    content, changes = ODD[odd]
    expected = {"pert_id": ["a", "b"], "moa": ["m", "n"], "f1": [1, 4], "f2": [2, 5], "f3": [3, 6.5]} | changes
    content = content if isinstance(content, bytes) else content.encode()
    for name, packed in {"profiles.csv": content, "profiles.csv.gz": gzip.compress(content)}.items():
        found = read(packed, tmp_path, name)
        pd.testing.assert_frame_equal(found, pd.DataFrame(expected), check_exact=True)


def test_rows_without_a_value_are_passed_over(tmp_path):
    """As Excel leaves them below a table, and between its rows."""
    found = read((text().replace("\nb", "\n,,,,\nb") + ",,,,\n,,,,\n").encode(), tmp_path)
    pd.testing.assert_frame_equal(found, read(text().encode(), tmp_path), check_dtype=False)


def test_a_linked_file_is_read(tmp_path):
    expected = read(text().encode(), tmp_path)
    (tmp_path / "link.csv").symlink_to("profiles.csv")
    pd.testing.assert_frame_equal(read_source([tmp_path / "link.csv"], {}, {})[0], expected)


def test_roles_come_first_and_features_in_their_order():
    named = {"pert_id": "f2", "dose": "in uM", "features": None, "plate": None}
    frame = table(Metadata_x="x", **{"in uM": [0.5, 1, None]}, well="A01", pert_iname=["x", " y ", ""])
    found = tidy(frame[reversed(frame.columns)], named, source="own.csv")
    assert list(found) == ["pert_id", "pert_iname", "well", "dose", "f3", "f1"]
    assert found["dose"].tolist() == ["0.5", "1.0", None] and found["pert_iname"].tolist() == ["x", "y", None]
    assert found["pert_id"].tolist() == ["4", "5", "6"]  # whole numbers are ids without a point


def test_a_column_that_another_replaces_in_its_role_is_no_feature():
    found = tidy(table(id=["x", "y", "z"]), {"pert_id": "id"}, source="own.csv")
    assert list(found) == ["pert_id", "f1", "f2", "f3"] and found["pert_id"].tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("column", [pd.array([7, None, 8], "Int64"), [7.0, None, 8.0], [7, None, 8], ["7", "", " 8"]])
def test_ids_that_are_numbers_are_text_without_a_point(column):
    assert tidy(table(pert_id=column), {}, source="own.csv")["pert_id"].tolist() == ["7", None, "8"]


@pytest.mark.parametrize(
    ("pattern", "known", "expected"),
    [
        (None, None, ["f1", "f2", "f3"]),
        ("^f[13]$", None, ["f1", "f3"]),
        ("1|x", None, ["f1", "Metadata_x"]),
        (None, ["f3", "f1", "well"], ["f1", "f3"]),
        ("1", ["f3", "f1"], ["f1"]),
        ("a", ["pert_id", "Metadata_x"], ["Metadata_x"]),
    ],
)
def test_which_columns_are_features(pattern, known, expected):
    frame = table(Metadata_x=1.0, well="A01")
    found = tidy(frame, {"features": pattern}, known, source="own.csv")
    assert [column for column in found if column not in ROLES] == expected


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"pert_id": "pert_ID"}, "no column 'pert_ID' (columns.pert_id); did you mean 'pert_id'?"),
        ({"moa": "Klass"}, "no column 'Klass' (columns.moa); it has pert_id, f1, f2, f3, ..."),
        (
            {"features": "^Cells_"},
            "no column fits columns.features '^Cells_'; the first columns are pert_id, f1, f2, f3",
        ),
    ],
)
def test_a_column_that_is_not_there_is_named(columns, message):
    with pytest.raises(InputError) as caught:
        tidy(table(), columns, source="own.csv")
    assert str(caught.value) == f"own.csv: {message}"


def test_a_table_without_ids_names_its_first_columns_in_one_line():
    with pytest.raises(InputError) as caught:
        tidy(table().rename(columns={"pert_id": "an\nid\r"}), {}, source="own.csv")
    message = "no column 'pert_id'; the first columns are an id, f1, f2, f3; set columns.pert_id"
    assert str(caught.value) == f"own.csv: {message}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "n/m", "2"], "row 2: 'n/m'; expected a number"),
        ([None, 1.5, "x"], "row 3: 'x'; expected a number"),
        (["0,5", "1,5", "-2,5"], "row 1: '0,5'; expected a number (with a point, not a decimal comma)"),
        (["1", "1,000.5", "2"], "row 2: '1,000.5'; expected a number"),
        (["x\ny", "1", "2"], r"row 1: 'x\ny'; expected a number"),
        (pd.Categorical(["1", "high", "2"]), "row 2: 'high'; expected a number"),
        (pd.array(["1", None, "x"], "string"), "row 3: 'x'; expected a number"),
        (pd.to_datetime(["2020-02-02"] * 3), f"row 1: Timestamp('2020-02-02 00:00:00'); expected a number{NO_FEATURE}"),
    ],
)
def test_a_feature_that_is_no_number_is_named_with_its_row(values, message):
    assert refused(table(f2=values)) == f"column 'f2', {message}"
    assert refused(table(f2=values, control="dmso"), controls=["dmso"]) == f"column 'f2', {message}"  # of a control too


@pytest.mark.parametrize("values", [[1, None, 3], [None, "1", "2e3"], pd.array([1, None, 2], "Int64")])
def test_what_is_a_number_or_missing_passes(values):
    frame = table(f2=values)
    assert check(frame, one_row_each=True, source="own.csv") is None
    assert frame.astype({"f2": float})["f2"].notna().sum() == pd.Series(values).notna().sum()


def test_a_flag_is_no_feature_even_where_it_is_missing_in_some_rows(tmp_path):
    with pytest.raises(InputError, match="column 'hit', row 1: True; expected a number; if it is no feature, begin"):
        read(text(x="TRUE,1", y=",2").replace("f3", "hit,f3").encode(), tmp_path)


def test_an_id_comes_once_unless_wells_become_drugs():
    frame = table(pert_id=["a", "b", "a"])
    message = "column 'pert_id', row 3: 'a'; expected each pert_id once; `wells:` in the config makes one row of many"
    assert refused(frame) == message
    assert check(frame, one_row_each=False, source="own.csv") is None


def test_only_a_control_may_do_without_an_id():
    frame = table(pert_id=["a", None, None], control=["drug", "dmso", "1"])
    assert check(frame, controls=["dmso", 1], one_row_each=True, source="own.csv") is None
    assert refused(frame, controls=["dmso"]) == "column 'pert_id', row 3: None; expected a pert_id"
    assert refused(frame) == "column 'pert_id', row 2: None; expected a pert_id"


@pytest.mark.parametrize("frame", [table()[["pert_id", "f1", "f2"]], table()[["pert_id"]], table()[:0]])
def test_a_table_with_too_little_is_refused(frame):
    size = f"{len(frame)} rows x {frame.shape[1] - 1} features"
    assert refused(frame) == f"{size}; expected at least 1 x 3"


def test_controls_are_told_by_the_text_of_their_column(tmp_path):
    assert not is_control(table(), ["dmso"]).any()
    for values in (["1", "0", None], [1.0, 0.0, None], [1, 0, 0]):
        found = tidy(table(control=values), {}, source="own.csv")
        assert is_control(found, [1]).tolist() == is_control(found, ["1"]).tolist() == [True, False, False]
    assert not is_control(table(control="DMSO"), []).any()


def test_true_in_the_config_is_true_as_any_program_writes_it():
    """Excel writes TRUE, R true or TRUE, pandas True; text in the config is taken as it is."""
    found = table(control=["TRUE", "true", "True"])
    assert is_control(found, [True]).all() and not is_control(found, [False]).any()
    assert is_control(found, ["TRUE"]).tolist() == [True, False, False]


def test_controls_that_no_row_has_are_named_where_an_id_is_missing():
    frame = table(pert_id=["a", "b", None], control=["trt", None, "dmso"])
    message = "column 'pert_id', row 3: None; expected a pert_id, or a value of wells.controls in 'control', which has "
    assert refused(frame, controls=["DMSO"]) == message + "'dmso', 'trt'"


@pytest.mark.parametrize(
    "values", [["low", "high", None], ["s1", "s2", "s3"], pd.Categorical(["x", "y", "x"]), [True, False, True]]
)
def test_an_extra_column_that_is_no_feature_is_refused_with_the_cure(values):
    said = refused(table(Notes=values))
    assert said.startswith("column 'Notes', row 1: ")
    assert said.endswith(
        "expected a number; if it is no feature, begin its name with Metadata_ or choose the features with "
        "columns.features"
    )


@pytest.mark.parametrize("values", [[1, -1e300, 2], ["1", "1e200", "2"], [1.0, 2.0, 1.1e150]])
def test_a_value_whose_square_overflows_is_refused(values):
    row = next(i for i, value in enumerate(values, start=1) if abs(float(value)) > 1e150)
    said = f"column 'f2', row {row}: {float(values[row - 1])!r}; expected a magnitude up to 1e+150"
    assert refused(table(f2=values)).startswith(said)
    assert check(table(f2=[1e149, -np.inf, None]), one_row_each=True, source="own.csv") is None


def test_every_problem_is_listed():
    frame = table(pert_id=["a", None, "a"], f1=["x", 1, 2], f2=[1, 1e200, 2])
    problems = list(contract_problems(frame, one_row_each=True, source="own.csv"))
    places = [problem.split(";")[0] for problem in problems]
    assert [place.split(": ")[1] for place in places] == [
        "column 'pert_id', row 2",
        "column 'pert_id', row 3",
        "column 'f1', row 1",
        "column 'f2', row 2",
    ]


def test_with_many_files_a_problem_names_the_file_and_its_row(tmp_path):
    for name, frame in {"p1.csv": table(), "p2.csv": table(pert_id=["d", "e", "b"], f2=[1, 2, "n/m"])}.items():
        frame.to_csv(tmp_path / name, index=False)
    found, origin = read_source([tmp_path / "p1.csv", tmp_path / "p2.csv"], {}, {})
    problems = list(contract_problems(found, one_row_each=True, source=origin))
    assert [problem.split("; ")[0] for problem in problems] == [
        "p2.csv: column 'pert_id', row 3: 'b'",
        "p2.csv: column 'f2', row 3: 'n/m'",
    ]


def test_what_looks_missing_but_is_text_is_noted():
    frame = table(pert_iname=["NA", "b", None], moa=["None", "none", "None"])
    assert contract_notes(frame) == [
        "column 'pert_iname': 'NA' in 1 rows is taken as text; leave the cell empty where it is missing",
        "column 'moa': 'None' in 2 rows is taken as text; leave the cell empty where it is missing",
        "column 'moa': 'none' in 1 rows is taken as text; leave the cell empty where it is missing",
    ]
    assert not contract_notes(table(moa=["nanomolar", "a", None]))


def test_with_numbers_is_astype_float():
    frame = table(moa="m", f1=["1", "2.5", None], f2=pd.array([1, None, 3], "Int64"), f3=[True, False, True])
    expected = frame.astype({"f1": float, "f2": float, "f3": float})[["pert_id", "moa", "f1", "f2", "f3"]]
    pd.testing.assert_frame_equal(with_numbers(frame), expected, check_exact=True)


def test_an_expression_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"^columns\.features '\[' is no regular expression"):
        tidy(table(), {"features": "["}, source="own.csv")


def test_large_whole_numbers_are_ids():
    found = tidy(table(pert_id=[1e22, 2.0, None], moa=[0.0, 7.0, None]), {}, source="own.csv")
    assert found["pert_id"].tolist() == ["1e+22", "2.0", None] and found["moa"].tolist() == ["0", "7", None]
