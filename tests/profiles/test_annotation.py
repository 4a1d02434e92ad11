import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import MultiLabelBinarizer, StandardScaler

from moamap.core.errors import InputError
from moamap.core.labels import lookalikes, membership
from moamap.profiles import annotation as profiles
from moamap.profiles.normalize import feature_statistics, normalize

SAMPLES = pd.DataFrame(
    [
        ("BRD-K00000001-001-02-3", "aspirin"),
        ("BRD-K00000002-001-02-3", "ibuprofen"),
        ("BRD-K00000001-003-01-1", "acetylsalicylate"),
        ("BRD-K00000001-004-01-1", "aspirin"),
        ("BRD-K00000003-001-01-1", "mystery"),
        ("BRD-K00000004-001-01-1", "aspirin"),
    ],
    columns=["broad_id", "pert_iname"],
)
DRUGS = pd.DataFrame(
    [("acetylsalicylate", "decoy"), ("ibuprofen", "COX|FAAH"), ("aspirin", "COX"), ("mystery", None)],
    columns=["pert_iname", "moa"],
)
PROFILES = pd.DataFrame(
    {
        "pert_id": ["BRD-K00000004", "BRD-K00000009", "BRD-K00000001", "BRD-K00000003", "BRD-K00000002"],
        "f1": [1.0, 2.0, 4.0, 8.0, 16.0],
        "f2": [-1.0, -2.0, -4.0, -8.0, -16.0],
    }
)


def test_hub_join_takes_the_first_name_in_file_order():
    annotation, other_names = profiles.hub_annotation(SAMPLES, DRUGS)
    expected = {"BRD-K00000001": ("aspirin", "COX"), "BRD-K00000002": ("ibuprofen", "COX|FAAH")}
    expected |= {"BRD-K00000003": ("mystery", None), "BRD-K00000004": ("aspirin", "COX")}
    found = annotation.astype(object).where(annotation.notna(), None).set_index("pert_id")
    assert dict(zip(found.index, found.itertuples(index=False, name=None), strict=True)) == expected
    assert other_names.to_numpy().tolist() == [["BRD-K00000001", "acetylsalicylate"]]


def test_hub_join_follows_the_order_of_the_file():
    annotation, other_names = profiles.hub_annotation(SAMPLES.iloc[::-1], DRUGS)
    assert annotation.set_index("pert_id")["pert_iname"]["BRD-K00000001"] == "aspirin"
    annotation, other_names = profiles.hub_annotation(SAMPLES.iloc[[2, 0]], DRUGS)
    assert annotation.to_numpy().tolist() == [["BRD-K00000001", "acetylsalicylate", "decoy"]]
    assert other_names["pert_iname"].tolist() == ["aspirin"]


def test_a_drug_that_the_hub_lists_twice_is_joined_once():
    twice = pd.concat([DRUGS, pd.DataFrame({"pert_iname": ["aspirin"], "moa": ["later"]})])
    pd.testing.assert_frame_equal(
        profiles.hub_annotation(SAMPLES, twice)[0], profiles.hub_annotation(SAMPLES, DRUGS)[0]
    )


def test_annotate_keeps_rows_with_a_moa_and_says_why_others_left():
    annotated, dropped = profiles.annotate(PROFILES, *profiles.hub_annotation(SAMPLES, DRUGS))
    assert annotated.to_numpy().tolist() == [
        ["BRD-K00000004", "aspirin", "COX", 1.0, -1.0],
        ["BRD-K00000001", "aspirin", "COX", 4.0, -4.0],
        ["BRD-K00000002", "ibuprofen", "COX|FAAH", 16.0, -16.0],
    ]
    reasons = dropped.set_index("pert_id")
    assert reasons["step"].to_dict() == {
        "BRD-K00000009": "annotate",
        "BRD-K00000003": "annotate",
        "BRD-K00000001": "name",
    }
    assert reasons["reason"]["BRD-K00000009"] == "the id has no name in the Hub's samples"
    assert reasons["reason"]["BRD-K00000003"] == "the drug has no MoA"
    assert reasons["pert_iname"]["BRD-K00000001"] == "acetylsalicylate"


def test_compounds_without_a_moa_are_kept_one_row_each_and_accounted_for():
    ids = [*PROFILES["pert_id"], "BRD-K00000005", "BRD-K00000006"]
    table = pd.DataFrame({"pert_id": ids, "f1": [1.0, 2, 4, 8, 16, 10, 5], "f2": [-1.0, -2, -4, -8, -16, 30, np.nan]})
    samples = [*SAMPLES.itertuples(index=False), ("BRD-K00000005-001-01-1", "mystery")]
    hub = profiles.hub_annotation(pd.DataFrame(samples, columns=list(SAMPLES)), DRUGS)
    _, dropped = profiles.annotate(table, *hub)
    compounds, said = profiles.unannotated_compounds(table, dropped, "place")
    np.testing.assert_array_equal(
        compounds.astype(object).where(compounds.notna(), None),
        [
            ["BRD-K00000006", "BRD-K00000006", 5.0, None],
            ["BRD-K00000009", "BRD-K00000009", 2.0, -2.0],
            ["BRD-K00000003|BRD-K00000005", "mystery", 9.0, 11.0],
        ],
    )
    nameless = "the id has no name in the Hub's samples: placed on the finished map"
    placed = "the drug has no MoA: placed on the finished map"
    merged = f"{placed}; median with the drug's other rows: BRD-K00000003|BRD-K00000005"
    reasons = dropped.assign(reason=[nameless, placed, merged, nameless, dropped["reason"].iloc[-1]])
    pd.testing.assert_frame_equal(said, reasons)
    compounds, said = profiles.unannotated_compounds(table, dropped, "drop")
    assert compounds.empty and list(compounds) == ["pert_id", "pert_iname", "f1", "f2"]
    pd.testing.assert_frame_equal(said, dropped)


def test_without_compounds_the_table_of_them_is_empty():
    _, dropped = profiles.annotate(PROFILES.iloc[[0]], *profiles.hub_annotation(SAMPLES, DRUGS))
    compounds, said = profiles.unannotated_compounds(PROFILES.iloc[[0]], dropped, "place")
    assert compounds.empty and list(compounds) == ["pert_id", "pert_iname", "f1", "f2"]
    assert compounds.dtypes[2:].eq(float).all() and len(said) == len(dropped)


def test_a_compound_with_the_name_of_an_annotated_drug_stays_apart_and_is_noted():
    table = pd.DataFrame({"pert_id": list("abc"), "pert_iname": ["x", "y", "x"], "moa": ["m", "n", None], "f": 1.0})
    rows, dropped = profiles.annotate(table[["pert_id", "f"]], *profiles.own_annotation(table))
    compounds, _ = profiles.unannotated_compounds(table[["pert_id", "f"]], dropped, "place")
    assert rows["pert_id"].tolist() == ["a", "b"] and compounds[["pert_id", "pert_iname"]].values.tolist() == [
        ["c", "x"]
    ]
    [note] = profiles.namesake_notes(compounds["pert_iname"], rows["pert_iname"])
    assert note.startswith("1 compounds without a MoA have the name of a drug with one (the first: 'x')")
    assert not profiles.namesake_notes(compounds["pert_iname"], pd.Series(["y"]))


@pytest.mark.parametrize("given", [{}, {"pert_iname": [None, "n", "n"]}, {"moa": ["m", None, None]}])
def test_compounds_need_neither_name_nor_moa(given):
    rows = pd.DataFrame({"pert_id": list("abc"), **given, "f": [1.0, 2.0, 4.0]})
    compounds, merged = profiles.one_row_per_compound(rows)
    named = "pert_iname" in given
    assert compounds["pert_iname"].tolist() == (["a", "n"] if named else list("abc"))
    assert compounds["f"].tolist() == ([1.0, 3.0] if named else [1.0, 2.0, 4.0])
    assert ("moa" in compounds) == ("moa" in given) and len(merged) == named


def test_annotate_refuses_profiles_without_any_moa():
    annotation, other_names = profiles.hub_annotation(SAMPLES, DRUGS)
    with pytest.raises(InputError, match="none of 2 rows has a MoA"):
        profiles.annotate(PROFILES.iloc[[1, 3]], annotation, other_names)


def test_second_names_of_ids_without_a_profile_are_not_reported():
    _, dropped = profiles.annotate(PROFILES.iloc[:2], *profiles.hub_annotation(SAMPLES, DRUGS))
    assert dropped["pert_id"].tolist() == ["BRD-K00000009"]


def test_own_annotation_names_drugs_by_their_id():
    table = PROFILES.assign(moa="COX")
    annotation, other_names = profiles.own_annotation(table)
    assert list(annotation) == profiles.ID_COLUMNS and other_names.empty
    assert (annotation["pert_iname"] == PROFILES["pert_id"]).all()
    assert profiles.own_annotation(table.assign(pert_iname="x"))[0]["pert_iname"].tolist() == ["x"] * 5
    with pytest.raises(InputError, match=r"no column 'moa'; set columns\.moa"):
        profiles.own_annotation(PROFILES)


@pytest.mark.parametrize("n_rows", [1, 2, 3, 4])
def test_one_row_per_drug_is_the_median_of_its_rows(n_rows):
    values = np.random.default_rng(n_rows).normal(size=(n_rows, 3))
    rows = pd.DataFrame(values, columns=["f1", "f2", "f3"])
    rows = rows.assign(pert_id=[f"id{i}" for i in range(n_rows)], pert_iname="drug", moa="m")
    other = pd.DataFrame([("zz", "a drug", "m", 1.0, 2.0, 3.0)], columns=[*profiles.ID_COLUMNS, "f1", "f2", "f3"])
    drugs, merged = profiles.one_row_per_drug(pd.concat([rows, other], ignore_index=True))
    assert drugs["pert_iname"].tolist() == ["a drug", "drug"]
    middle = np.sort(values, axis=0)[[(n_rows - 1) // 2, n_rows // 2]].mean(axis=0)
    np.testing.assert_allclose(drugs.loc[1, ["f1", "f2", "f3"]].to_numpy(float), middle, rtol=1e-15)
    ids = "|".join(f"id{i}" for i in range(n_rows))
    assert drugs["pert_id"].tolist() == ["zz", ids]
    assert merged["pert_id"].tolist() == [f"id{i}" for i in range(1, n_rows)]
    assert (merged["step"] == "aggregate").all() and merged["reason"].str.endswith(f": {ids}").all()


def test_one_row_per_drug_refuses_two_moas_of_one_drug():
    rows = pd.DataFrame({"pert_id": list("abc"), "pert_iname": ["x", "x", "y"], "moa": ["m", "k", "m"], "f": 0.0})
    with pytest.raises(InputError, match=r"drug 'x' has 2 different MoAs \(k; m\)"):
        profiles.one_row_per_drug(rows)


def test_membership_whole_takes_a_string_as_one_label():
    moa = pd.Series(["b|a", "a", "b|a"])
    table = membership(moa, "whole")
    assert list(table) == ["a", "b|a"]
    assert table.to_numpy().tolist() == [[False, True], [True, False], [False, True]]


def test_membership_split_is_scikit_learns_multilabel_table():
    moa = pd.Series(["b|a", "c", "a", "c|b|d", "a|a"])
    coder = MultiLabelBinarizer()
    expected = coder.fit_transform(moa.str.split("|"))
    table = membership(moa, "split")
    assert list(table) == list(coder.classes_) and set(table.dtypes) == {np.dtype(bool)}
    np.testing.assert_array_equal(table, expected)


@pytest.mark.parametrize("policy", ["whole", "split"])
def test_membership_keeps_the_rows_in_their_order(policy):
    moa = pd.Series(["b", "a", "c"], index=[7, 2, 5])
    table = membership(moa, policy)
    assert table.index.tolist() == [7, 2, 5]
    assert table.columns[table.to_numpy().argmax(axis=1)].tolist() == ["b", "a", "c"]


def test_moa_sizes_count_drugs_and_not_rows():
    annotated, _ = profiles.annotate(PROFILES, *profiles.hub_annotation(SAMPLES, DRUGS))
    drugs, _ = profiles.one_row_per_drug(annotated)
    assert membership(annotated["moa"], "split").sum().to_dict() == {"COX": 3, "FAAH": 1}
    assert membership(drugs["moa"], "split").sum().to_dict() == {"COX": 2, "FAAH": 1}
    assert membership(drugs["moa"], "whole").sum().to_dict() == {"COX": 1, "COX|FAAH": 1}


def test_a_moa_must_be_large_enough():
    moas = membership(pd.Series(list("aaab")), "whole")
    assert profiles.check_moas(moas, 3) is None
    with pytest.raises(InputError, match=r"^profiles: no MoA has 4 drugs \(the largest, 'a', has 3 of 4\)"):
        profiles.check_moas(moas, 4)
    [problem] = profiles.moa_problems(membership(pd.Series(list("aaa")), "whole"), 2)
    assert problem == "profiles: every drug has the MoA 'a'; expected two MoAs or more"


def test_all_problems_of_a_study_are_listed():
    drugs = pd.DataFrame(
        {"pert_id": list("abc"), "pert_iname": list("xyz"), "moa": list("mnm"), "f": 1.0, "g": [1, 2, 3]}
    )
    options = {"policy": "whole", "refuse_bad_features": True, "axis": "feature", "queried": ["x", "w", "v"]}
    problems = list(profiles.study_problems(drugs, min_drugs=3, **options))
    words = ["no MoA has 3 drugs", "no drug named 'w'", "no drug named 'v'", "feature 'f' has constant values (1 such"]
    assert len(problems) == 4 and all(word in problem for word, problem in zip(words, problems, strict=True))
    assert not list(
        profiles.study_problems(
            drugs, min_drugs=2, policy="whole", refuse_bad_features=False, axis="feature", queried=["x"]
        )
    )


@pytest.mark.parametrize("label", ["a||d", " a | d ", "|a|d|", "a|d|a"])
def test_split_gives_no_empty_moa(label):
    table = membership(pd.Series([label, "d"]), "split")
    assert list(table) == ["a", "d"]
    assert table.to_numpy().tolist() == [[True, True], [False, True]]


def test_a_label_of_separators_is_a_missing_moa():
    annotation = pd.DataFrame({"pert_id": list("abc"), "pert_iname": list("abc"), "moa": ["m", " | ", "|"]})
    table = pd.DataFrame({"pert_id": list("abc"), "f": 1.0})
    annotated, dropped = profiles.annotate(table, annotation, annotation.loc[[], ["pert_id", "pert_iname"]])
    assert annotated["moa"].tolist() == ["m"] and dropped["reason"].tolist() == ["the drug has no MoA"] * 2


def test_moas_that_differ_only_in_case_or_spaces_are_listed():
    moa = pd.Series(["COX inhibitor", "cox  inhibitor", "COX inhibitor", "kinase inhibitor", "a|B", "b"])
    assert lookalikes(moa) == [["COX inhibitor", "cox  inhibitor"]]
    assert len(profiles.moa_notes(moa, "whole")) == 1
    assert profiles.moa_notes(moa, "split")[0] == (
        "MoAs that differ only in case, spaces or invisible characters count as 2: 'B', 'b'"
    )
    assert not profiles.moa_notes(pd.Series(["a b", "a c"]), "whole")


def test_feature_columns_say_nothing_of_drug_or_well():
    table = PROFILES.assign(moa="m", plate="p", well="A01", dose="1", control="drug", f3=1.0)
    assert profiles.feature_columns(table) == ["f1", "f2", "f3"]


def test_feature_statistics_against_scikit_learn():
    x = np.random.default_rng(0).normal(5, [1, 1e-3, 300], size=(40, 3))
    scaler = StandardScaler().fit(x)
    found = feature_statistics(pd.DataFrame(x, columns=list("abc")))
    np.testing.assert_allclose(found["mean"], scaler.mean_, rtol=1e-13)
    np.testing.assert_allclose(found["variance"], scaler.var_, rtol=1e-11)
    assert found["problem"].tolist() == ["", "", ""]


def test_feature_statistics_finds_bad_features():
    inf, nan = np.inf, np.nan
    table = pd.DataFrame(
        {"good": [1, 2, 4.0], "gap": [1, nan, 2], "far": [1, -inf, 2], "flat": [0.1] * 3, "both": [nan, inf, 1]}
    )
    found = feature_statistics(table).set_index("feature")
    problems = {"good": "", "gap": "missing values", "far": "infinite values", "flat": "constant values"}
    assert found["problem"].to_dict() == problems | {"both": "missing values"}
    assert found["mean"].isna().tolist() == found["variance"].isna().tolist() == [False, True, True, False, True]


def test_normalize_by_hand():
    x = [[1.0, 10.0], [3.0, 30.0]]
    found = normalize(x, [2.0, 20.0], [1.0, 100.0], scale=2.0, epsilon=3.0, bias=0.5)
    ten = 10 / np.sqrt(103)
    np.testing.assert_allclose(found, [[2 * (-1 / 2 + 0.5), 2 * (-ten + 0.5)], [2 * (1 / 2 + 0.5), 2 * (ten + 0.5)]])


@pytest.mark.parametrize(
    ("scale", "epsilon", "bias"), [(1.0, 0.0, 0.0), (1.0, 1e-5, 0.0), (3.0, 1e-5, 0.0), (2.0, 0.1, -1.5)]
)
def test_normalized_features_have_the_promised_mean_and_variance(scale, epsilon, bias):
    x = pd.DataFrame(np.random.default_rng(1).gamma(2, [1, 0.01, 50], size=(200, 3)))
    statistics = feature_statistics(x)
    mean, variance = statistics["mean"], statistics["variance"]
    found = normalize(x, mean, variance, scale=scale, epsilon=epsilon, bias=bias)
    np.testing.assert_allclose(found.mean(axis=0), scale * bias, atol=1e-12)
    np.testing.assert_allclose(found.var(axis=0), scale**2 * variance / (variance + epsilon), rtol=1e-12)


def test_normalize_with_the_defaults_is_the_z_score():
    x = np.random.default_rng(2).normal(4, 7, size=(50, 4))
    found = normalize(x, x.mean(axis=0), x.var(axis=0))
    np.testing.assert_allclose(found, StandardScaler().fit_transform(x), rtol=1e-6)


def test_own_annotation_calls_a_nameless_drug_by_its_id():
    table = pd.DataFrame({"pert_id": ["a", "b"], "pert_iname": ["x", None], "moa": ["m", "m"], "f": [1.0, 2.0]})
    annotation, _ = profiles.own_annotation(table)
    assert list(annotation["pert_iname"]) == ["x", "b"]


def test_annotate_does_not_depend_on_the_index():
    table = pd.DataFrame({"pert_id": ["a", "b"], "f": [1.0, 2.0]}, index=[7, 3])
    annotation = pd.DataFrame({"pert_id": ["b", "a"], "pert_iname": ["b", "a"], "moa": ["m", "m"]})
    annotated, _ = profiles.annotate(table, annotation, annotation.loc[[], ["pert_id", "pert_iname"]])
    assert dict(zip(annotated["pert_id"], annotated["f"], strict=True)) == {"a": 1.0, "b": 2.0}


@pytest.mark.parametrize(
    "other", ["re\u0301cepteur \u03bc", "r\u00e9cepteur \u00b5", "r\u00e9cepteur\u200b \u03bc\ufeff"]
)
def test_moas_that_look_alike_are_noted(other):
    """An accent of its own, a micro sign for a mu, a zero-width space; another letter is another MoA."""
    moa = pd.Series(["r\u00e9cepteur \u03bc", other, "recepteur \u03bc"])
    assert lookalikes(moa) == ([sorted(moa[:2])] if other != moa[0] else [])


def test_features_that_epsilon_outweighs_are_noted():
    """Their normalized spread is a small part of the others.."""
    raw = pd.DataFrame({"wide": [0.0, 1.0, 2.0], "fine": [0.0, 1e-4, 2e-4], "flat": [1.0, 1.0, 1.0]})
    statistics = feature_statistics(raw)
    wide, fine, _ = normalize(raw, statistics["mean"], statistics["variance"]).std(axis=0)
    assert wide > 0.99 and fine < 0.1
    (note,) = profiles.scale_notes(statistics, 1e-5)
    assert note.startswith("1 of 3 features count for little") and "'fine', 6.7e-09" in note
    assert not profiles.scale_notes(statistics, 1e-9)


def test_names_of_drugs_that_look_alike_are_noted():
    [note] = profiles.name_notes(pd.Series(["Aspirin", "aspirin", None, "ibuprofen", "Aspirin"]))
    assert note.endswith("count as different drugs: 'Aspirin', 'aspirin'")
    [note] = profiles.name_notes(pd.Series([f"{a}{i}" for i in range(7) for a in "Aa"]))
    assert note.endswith("'A4', 'a4' and 2 more such groups")
    assert not profiles.name_notes(pd.Series(["a", "b", "a"]))


def test_the_nearest_names_are_said_once_each():
    [line] = profiles.name_problems(["Aspirin "], ["Aspirin", "aspirin", "ibuprofen"])
    assert line.endswith("nearest: Aspirin, aspirin")
