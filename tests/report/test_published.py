"""Tables in the form of the publisher's, made from known ones, so that the right answer is known."""

import gzip

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from moamap.core.errors import InputError
from moamap.report.published import (
    compare_communities,
    compare_drugs,
    compare_enriched,
    compared,
    comparison_table,
    other_representations,
)
from published_tables import read_published, significant

HERE = pd.DataFrame(
    {
        "drug": ["Aspirin", "zinc", "digoxin", "caffeine"],
        "moa": ["cox", "metal", "atpase|x", "ado"],
        "community": [1, 1, 2, 2],
    }
)


def numbers(one):
    return one.published, one.here, one.shared, one.agreement


def test_names_are_compared_without_case_spaces_and_repetition():
    theirs = pd.Series(["ASPIRIN ", " Zinc", "zinc", "clomiphene", None, " "])
    one = compared("drugs", theirs, HERE["drug"])
    assert numbers(one) == (3, 4, 2, 2 / 5)
    assert (one.only_published, one.only_here) == (("clomiphene",), ("caffeine", "digoxin"))


def test_names_that_have_nothing_in_common():
    assert numbers(compared("x", pd.Series(["a"]), pd.Series(["b"]))) == (1, 1, 0, 0)
    nothing = pd.Series([], dtype=object)
    assert np.isnan(compared("x", nothing, nothing).agreement)


def test_drugs_and_moas():
    theirs = pd.DataFrame({"drug": ["aspirin", "ZINC", "new", "digoxin"], "moa": ["Cox", "other", "ado", None]})
    drugs, moas, pairs = compare_drugs(theirs, HERE, "whole")
    assert numbers(drugs) == (4, 4, 3, 3 / 5)
    assert numbers(moas) == (3, 4, 2, 2 / 5) and moas.only_published == ("other",)
    assert numbers(pairs) == (2, 3, 1, 1 / 4)  # aspirin's; zinc's differ; digoxin has none there
    assert pairs.only_published == ("ZINC [other]",)


def test_split_compares_each_moa_of_a_drug():
    theirs = pd.DataFrame({"drug": ["digoxin"], "moa": ["x | y"]})
    _, moas, pairs = compare_drugs(theirs, HERE, "split")
    assert numbers(moas) == (2, 5, 1, 1 / 6) and numbers(pairs) == (2, 2, 1, 1 / 3)


def test_renamed_and_permuted_communities_agree_fully():
    rng = np.random.default_rng(0)
    here = pd.DataFrame({"drug": [f"drug {i}" for i in range(60)], "community": rng.integers(1, 9, 60)})
    theirs = here.assign(drug=here["drug"].str.upper(), community="C" + (90 - here["community"]).astype(str))
    drugs, communities = compare_communities(theirs.sample(frac=1, random_state=1), here, "S4.csv")
    assert numbers(drugs) == (60, 60, 60, 1) and numbers(communities) == (8, 8, 8, 1)


def test_the_rand_index_is_scikit_learn_s_over_the_drugs_in_both():
    rng = np.random.default_rng(1)
    here = pd.DataFrame({"drug": [f"d{i}" for i in range(80)], "community": rng.integers(1, 5, 80)})
    other = np.where(rng.random(80) < 0.6, here["community"], rng.integers(1, 7, 80))
    theirs = here.assign(community=other.astype(str)).iloc[20:].sample(frac=1, random_state=2)
    theirs = pd.concat([theirs, pd.DataFrame({"drug": ["unknown"], "community": ["7"]})])
    _, communities = compare_communities(theirs, here, "S4.csv")
    assert communities.agreement == pytest.approx(adjusted_rand_score(here["community"][20:], other[20:]), rel=1e-12)
    assert 0 < communities.agreement < 1


def test_unrelated_communities_do_not_agree():
    rng = np.random.default_rng(2)
    here = pd.DataFrame({"drug": [f"d{i}" for i in range(2000)], "community": rng.integers(1, 6, 2000)})
    theirs = here.assign(community=rng.permutation(here["community"]).astype(str))
    assert abs(compare_communities(theirs, here, "S4.csv")[1].agreement) < 0.01


def test_communities_of_the_same_drugs_are_shared():
    theirs = pd.DataFrame({"drug": ["zinc", "aspirin", "digoxin", "caffeine", "other"], "community": list("aabca")})
    assert numbers(compare_communities(theirs, HERE, "S4.csv")[1])[:3] == (3, 2, 1)


def test_no_agreement_is_claimed_of_one_drug():
    theirs = pd.DataFrame({"drug": ["zinc"], "community": ["a"]})
    assert np.isnan(compare_communities(theirs, HERE, "S4.csv")[1].agreement)


def test_a_drug_in_two_communities_is_refused():
    theirs = pd.DataFrame({"drug": ["zinc", "Zinc ", "zinc"], "community": ["1", "4", "1"]})
    with pytest.raises(InputError, match=r"^S4\.csv: drug 'zinc' is in 2 communities \(1; 4\); expected one$"):
        compare_communities(theirs, HERE, "S4.csv")


ENRICHED = {"raw": ["cox", "ado"], "itml": ["cox", "metal", "x"]}


def test_enriched_moas_of_the_main_representation():
    (one,) = compare_enriched(pd.DataFrame({"moa": ["COX", "cox", "statin"]}), ENRICHED, "itml")
    assert one.quantity == "enriched MoAs, itml" and numbers(one) == (2, 3, 1, 1 / 4)
    assert (one.only_published, one.only_here) == (("statin",), ("metal", "x"))


def test_enriched_moas_of_each_representation():
    rows = [("ITML", "metal"), ("Raw", "ado"), ("ITML ", "x"), ("Original Data", "cox")]
    theirs = pd.DataFrame(rows, columns=["representation", "moa"])
    raw, itml = compare_enriched(theirs, ENRICHED, "itml")
    assert (raw.quantity, numbers(raw)) == ("enriched MoAs, raw", (1, 2, 1, 1 / 2))
    assert (itml.quantity, numbers(itml)) == ("enriched MoAs, itml", (2, 3, 2, 2 / 3))
    assert other_representations(theirs, ENRICHED) == ["Original Data"]
    with pytest.raises(
        InputError, match="the representations are Original Data; expected at least one of this study's"
    ):
        compare_enriched(theirs[3:], ENRICHED, "itml")


def test_the_table_has_a_row_per_comparison():
    table = comparison_table(compare_drugs(HERE, HERE, "whole") + compare_communities(HERE, HERE, "S4.csv"))
    assert list(table) == ["quantity", "published", "here", "shared", "agreement", "measure"]
    assert (table["agreement"] == 1).all() and len(table) == 5


# --- reading ---


@pytest.mark.parametrize("name", ["S1.csv", "S1.tsv", "S1.TXT", "S1.csv.gz"])
def test_a_table_is_read_as_text_by_its_columns(name, tmp_path):
    separator = "," if ".csv" in name else "\t"
    text = separator.join(["No", "Drug", "MoA"]) + "\r\n\r\n" + separator.join(["1", '"a, b\tβ"', " NA "]) + "\r\n"
    content = text.encode("utf-8-sig")
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    table = read_published(str(tmp_path / name), {"moa": "MoA", "drug": "Drug"})
    assert table.to_dict("records") == [{"moa": "NA", "drug": "a, b\tβ"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"column 'Drug' \(drug\) is not in the header; the first line must be the header, and is ''"),
        (b"Table S1\nDrug,MoA\n", "column 'Drug' .* is not in the header; the first line must be .* 'Table S1'"),
        (b"Drug;MoA\na;b\n", "column 'Drug' .* is not in the header; .* is 'Drug;MoA'"),
        (b"Drug,Drug,MoA\na,b,c\n", "column 'Drug' .* is 2 times in the header"),
        (b"Drug,MoA\na,b\nc,d,e\n", "row 2 has 3 fields; expected 2, as in the header"),
        (b"Drug,MoA\n\xe9,b\n", r"cannot be read \(.*\); expected CSV or TSV in UTF-8"),
        (b"PK\x03\x04\x00\xff", "cannot be read"),
    ],
)
def test_a_file_in_another_form_is_refused_in_one_line(content, message, tmp_path):
    (tmp_path / "S1.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"^S1\.csv: {message}") as caught:
        read_published(str(tmp_path / "S1.csv"), {"drug": "Drug", "moa": "MoA"})
    assert "\n" not in str(caught.value)


def test_a_truncated_gz_is_refused(tmp_path):
    (tmp_path / "S1.csv.gz").write_bytes(gzip.compress(b"Drug,MoA\na,b\n")[:-9])
    with pytest.raises(InputError, match=r"^S1\.csv\.gz: cannot be read"):
        read_published(str(tmp_path / "S1.csv.gz"), {"drug": "Drug", "moa": "MoA"})


def test_a_representation_without_an_enriched_moa_is_compared_too():
    table = pd.DataFrame({"moa": ["cox", "ado"], "representation": ["itml", "raw"], "p_value": ["0.001", "0.5"]})
    table = significant(table, {"location": "S3.csv", "p_value": "P"}, 0.01)
    assert [numbers(one) for one in compare_enriched(table, ENRICHED, "itml")] == [(0, 2, 0, 0), (1, 3, 1, 1 / 3)]


def test_only_significant_rows_are_enriched():
    table = pd.DataFrame({"moa": list("abc"), "p_value": ["0.009", "1e-5", "0.01"]})
    options = {"location": "x/S3.csv", "p_value": "P"}
    assert significant(table, options, 0.01)["moa"].dropna().tolist() == ["a", "b"]
    with pytest.raises(InputError, match=r"^S3\.csv: column 'P', row 2: '<0.001'; expected a number$"):
        significant(table.assign(p_value=["1", "<0.001", "1"]), options, 0.01)
