"""How the tables of a run are written and read: text stays text, and what is damaged is said in one line."""

import csv
import gzip
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform

import _files
import supplement
from _files import (
    read_connections,
    read_distances,
    read_drugs,
    read_hub,
    read_json,
    read_neighbours,
    read_rows,
    read_table,
    read_unlabelled,
    stream_connections,
    write_connections,
    write_json,
    write_named,
    write_neighbours,
    write_table,
)
from moamap.connections.blocks import connections, embedded
from moamap.connections.neighbours import Connections, Neighbours
from moamap.connections.tally import neighbours_of, tally
from moamap.core.arrays import load_arrays
from moamap.core.errors import InputError
from moamap.core.names import TEXT_COLUMNS

ODD = ["0001", "1e5", "NA", "None", "null", "nan", "True", "inf", "7", " x ", 'a"b,c\nd', "β"]
FORMULAS = ["=HYPERLINK(1)", "+1", "-5", "@x", "\t=1", "'=1", "''@x", "-"]


def table(values=ODD, column="drug"):
    n = len(values)
    numbers = {"community": range(n), "p_value": [None, *np.linspace(-1, 1, n - 1)], "is_exemplar": [True] * n}
    return pd.DataFrame({column: values, "moa": list(map(str, range(n)))} | numbers)


@pytest.mark.parametrize("column", sorted(TEXT_COLUMNS - {"moa", "data"}))
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_text_is_read_as_it_was_written(column, name, tmp_path):
    expected = table(ODD + FORMULAS, column)
    write_table(expected, tmp_path / name, simulated=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / name), expected, check_exact=True)


def test_only_an_empty_cell_is_missing(tmp_path):
    write_table(table(["a", None, "NA"]), tmp_path / "a.csv", simulated=False)
    assert read_table(tmp_path / "a.csv")["drug"].isna().tolist() == [False, True, False]


def test_no_cell_of_a_csv_begins_like_a_formula(tmp_path):
    """As a spreadsheet reads it; numbers stay numbers."""
    frame = table(FORMULAS).assign(moa=pd.Categorical(FORMULAS)).rename(columns={"is_exemplar": "=cmd"})
    write_table(frame, tmp_path / "a.csv", simulated=True)
    with (tmp_path / "a.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    text = [cell for row in rows for cell in row[:2]] + header
    assert not [cell for cell in text if cell[0] in "=+-@\t\r"]
    assert [row[3] for row in rows][:2] == ["", "-1.0"]
    found = read_table(tmp_path / "a.csv")
    assert found["drug"].tolist() == found["moa"].tolist() == FORMULAS and "=cmd" in found


@pytest.mark.parametrize("cut", [1, 4, 30])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_a_truncated_table_is_one_line_that_names_the_file_to_delete(name, cut, tmp_path):
    path = tmp_path / name
    write_table(table(), path, simulated=False)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(InputError, match=rf"^{path}: cannot be read as a table \(.*\); delete it and run again$"):
        read_table(path)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_the_rows_are_the_drugs(name, tmp_path):
    path, drugs = tmp_path / name, pd.DataFrame({"pert_id": "x", "pert_iname": ODD, "moa": "m"})
    write_table(table(), path, simulated=True)
    assert read_unlabelled(path, drugs)["drug"].tolist() == ODD
    with pytest.raises(InputError, match=rf"^{path}: 12 rows, expected 11, one per drug; delete it and run again$"):
        read_unlabelled(path, drugs[1:])
    with pytest.raises(InputError, match=rf"^{path}: row 1 is drug '0001', expected 'β'; delete it and run again$"):
        read_unlabelled(path, drugs[::-1])
    write_table(drugs.assign(drug=1.0), path, simulated=False)  # a feature of that name
    assert read_drugs(path, drugs)[1]["drug"].astype(float).eq(1).all()
    with pytest.raises(InputError, match=r"expected 11, one per drug"):
        read_drugs(path, drugs[1:])


def test_a_table_cut_between_two_lines_has_too_few_drugs(tmp_path):
    path, drugs = tmp_path / "a.csv", pd.DataFrame({"pert_iname": list("abc")})
    write_table(table(list("abc")), path, simulated=False)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(InputError, match="2 rows, expected 3, one per drug"):
        read_unlabelled(path, drugs)


def test_distances_of_another_number_of_drugs(tmp_path):
    path = tmp_path / "connections.parquet"
    pairs = Connections(*np.int32([[0, 0, 1], [1, 2, 2]]), *np.float32([[1, 2, 3], [1, 0.5, 0]]))
    write_connections([pairs], path, simulated=False)
    assert read_distances(path, pd.DataFrame(index=range(3))).tolist() == [1, 2, 3]
    assert read_distances([path, path]).tolist() == [1, 2, 3, 1, 2, 3]
    with pytest.raises(InputError, match=rf"^{path}: 3 rows, expected 6, one per pair of drugs; delete it and run"):
        read_distances(path, pd.DataFrame(index=range(4)))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=rf"^{path}: cannot be read as a table"):
        read_distances(path)


def test_pairs_are_written_for_every_reader(tmp_path):
    parts = [
        Connections(*np.int32([[0, 0], [1, 2]]), *np.float32([[0.1, 2], [1, 0.5]])),
        Connections(*np.int32([[1], [2]]), *np.float32([[3], [0]])),
    ]
    write_connections(parts, tmp_path / "a.parquet", simulated=True)
    table = pd.read_parquet(tmp_path / "a.parquet")
    assert table["drug_1"].tolist() == [0, 0, 1] and table["drug_2"].tolist() == [1, 2, 2]
    assert table["distance"].tolist() == np.float32([0.1, 2, 3]).tolist() and set(table["data"]) == {"simulated"}
    write_connections(parts, tmp_path / "b.parquet", simulated=True)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    write_connections(
        connections(embedded(np.eye(3)), [], np.float32([1]), np.array([3])), tmp_path / "c.parquet", simulated=True
    )
    assert len(read_distances([tmp_path / "a.parquet", tmp_path / "c.parquet"], pd.DataFrame(index=range(3)))) == 3


def test_rows_of_the_table_of_all_pairs(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 3))
    pairs = tally(embedded(x), [slice(0, 30)])
    every = connections(embedded(x), [slice(0, 30)], pairs.values, pairs.counts)
    write_connections(every, tmp_path / "connections.parquet", simulated=False)
    names = pd.DataFrame({"pert_iname": [f"d{i}" for i in range(30)]})
    table = pd.DataFrame(x).add_prefix("dim_")
    table.insert(0, "drug", names["pert_iname"])
    write_table(table, tmp_path / "embedding.parquet", simulated=False)
    np.savez(tmp_path / "distribution.npz", values=pairs.values, counts=pairs.counts)
    rows = np.array([29, 0, 7])
    for files in (["connections.parquet"], ["embedding.parquet", "distribution.npz"]):
        distance, association = read_rows([str(tmp_path / file) for file in files], names, rows)
        np.testing.assert_allclose(distance, squareform(pdist(x))[rows], rtol=1e-6)
        for row, values, scores in zip(rows, distance, association, strict=True):
            others = np.arange(30) != row
            farther = [(pdist(x).astype(np.float32) > value).sum() / (435 - 1) for value in values[others]]
            np.testing.assert_allclose(scores[others], farther, atol=1e-6)


def test_neighbours_come_back_as_they_were(tmp_path):
    path = tmp_path / "neighbours.parquet"
    index, numbers = np.int32([[1, 2], [0, 2], [1, 0]]), np.float32([[1, 2], [1, 3], [3, 4]])
    write_neighbours(Neighbours(index, numbers, numbers / 10), path, simulated=False)
    found = read_neighbours(path, pd.DataFrame(index=range(3)))
    assert found.index.tolist() == index.tolist() and found.association.tolist() == (numbers / 10).tolist()
    assert pd.read_parquet(path)["rank"].tolist() == [1, 2] * 3
    with pytest.raises(InputError, match="neighbours of 3 drugs, expected 4"):
        read_neighbours(path, pd.DataFrame(index=range(4)))


@pytest.mark.parametrize("simulated", [True, False])
@pytest.mark.parametrize("n_drugs", [2, 19])
def test_named_pairs_are_read_as_those_of_any_other_table(n_drugs, simulated, tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "PACKED", 10)
    names = np.array((ODD + FORMULAS)[-n_drugs:], dtype=object)
    first, second = np.triu_indices(n_drugs, k=1)
    numbers = np.random.default_rng(0).lognormal(sigma=20, size=(2, len(first))).astype(np.float32)
    pairs = Connections(first.astype(np.int32), second.astype(np.int32), *numbers)
    other = pd.DataFrame({"drug_1": names[first], "drug_2": names[second], "distance": numbers[0]})
    write_table(other.assign(association=numbers[1]), tmp_path / "other.csv.gz", simulated=simulated)
    contents = set()
    for n_threads in (1, 3):
        write_named(pairs, names, tmp_path / "a.csv.gz", simulated=simulated, n_threads=n_threads)
        pd.testing.assert_frame_equal(read_table(tmp_path / "a.csv.gz"), read_table(tmp_path / "other.csv.gz"))
        contents.add((tmp_path / "a.csv.gz").read_bytes())
    assert len(contents) == 1
    assert read_table(tmp_path / "a.csv.gz")["distance"].astype(np.float32).tolist() == numbers[0].tolist()
    header = gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).decode().split("\n")[0]
    assert header == "drug_1,drug_2,distance,association" + ",data" * simulated


def test_all_pairs_are_streamed_as_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "PAIRS", 4)
    drugs, blocks = pd.DataFrame(index=range(5)), [str(tmp_path / "0.parquet"), str(tmp_path / "1.parquet")]
    pairs = np.column_stack(np.triu_indices(5, k=1)).T.astype(np.int32), np.arange(20, dtype=np.float32).reshape(2, 10)
    for path, part in zip(blocks, (slice(0, 7), slice(7, 10)), strict=True):
        write_connections([Connections(*pairs[0][:, part], *pairs[1][:, part])], path, simulated=True)
    streamed = list(stream_connections(blocks, drugs))
    assert [len(some.distance) for some in streamed] == [4, 3, 3]
    for name, column in read_connections(blocks, drugs)._asdict().items():
        assert np.concatenate([getattr(some, name) for some in streamed]).tolist() == column.tolist()
    for read in (read_connections, lambda *given: list(stream_connections(*given))):
        with pytest.raises(InputError, match=rf"^{blocks[0]}: 7 rows, expected 10, one per pair of drugs; delete it"):
            read(blocks[:1], drugs)
    (tmp_path / "1.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=rf"^{blocks[1]}: cannot be read as a table"):
        list(stream_connections(blocks, drugs))


@pytest.mark.parametrize(("longest", "kept"), [(21, True), (20, True), (21, False)])
def test_table_s2_has_all_pairs_unless_they_are_too_many_or_not_kept(longest, kept, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(supplement, "LONGEST", longest)
    x, drugs = np.random.default_rng(0).normal(size=(7, 2)), pd.DataFrame(index=range(7))
    pairs = tally(embedded(x), [slice(0, 7)])
    files = [str(tmp_path / name) for name in ("connections.parquet", "neighbours.parquet")]
    write_connections(connections(embedded(x), [slice(0, 7)], pairs.values, pairs.counts), files[0], simulated=False)
    nearest = Neighbours(*(column[:, :1] for column in vars(neighbours_of(pairs)).values()))
    write_neighbours(nearest, files[1], simulated=False)
    job = SimpleNamespace(input=SimpleNamespace(connections=files[:1] * kept, neighbours=files[1]))
    found = supplement.pairs_of_s2(job, drugs)
    everything = longest == 21 and kept
    square, (first, second) = squareform(pdist(x)) + np.diag(np.full(7, np.inf)), np.triu_indices(7, k=1)
    near = (square.argmin(axis=1)[first] == second) | (square.argmin(axis=1)[second] == first)
    assert (
        np.column_stack([found.drug_1, found.drug_2]).tolist()
        == np.column_stack([first, second])[near | everything].tolist()
    )
    np.testing.assert_allclose(found.distance, square[found.drug_1, found.drug_2], rtol=1e-6)
    assert ("pairs of each drug with its 1 nearest, not all 21" in caplog.text) != everything


def test_truncated_arrays_and_json(tmp_path):
    arrays, notes = tmp_path / "a.npz", tmp_path / "a.json"
    np.savez_compressed(arrays, numbers=np.arange(99))
    assert load_arrays(arrays)["numbers"].sum() == 99 * 49
    write_json({"seed": 1}, notes)
    assert read_json(notes) == json.loads(notes.read_text()) == {"seed": 1}
    cure = r"(cannot be read as|is damaged).*; delete (it|this file) and run (the same command )?again$"
    for path, read in ((arrays, load_arrays), (notes, read_json)):
        content = path.read_bytes()
        for cut in (content[:-5], b""):
            path.write_bytes(cut)
            with pytest.raises(InputError, match=rf"^{path}: {cure}"):
                read(path)


HUB = "!a comment\npert_iname\tmoa\nNA\tx!y\n\x85 5\t\n"


def test_the_hub_s_cells_are_text(tmp_path):
    (tmp_path / "drugs.txt").write_bytes(HUB.replace("\n", "\r\n").encode("latin-1"))
    found = read_hub(tmp_path / "drugs.txt", ["moa", "pert_iname"])
    assert found.to_numpy().tolist() == [["x!y", "NA"], [None, "\x85 5"]]


def test_the_hub_s_further_columns_are_given_where_they_are(tmp_path):
    (tmp_path / "drugs.txt").write_text(HUB, encoding="latin-1")
    found = read_hub(tmp_path / "drugs.txt", ["pert_iname"], ["target", "moa"])
    assert list(found) == ["pert_iname", "moa"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty; expected"),
        ("!only\n!comments\n", "the file is empty; expected"),
        ("a\tb\n1\t2\n", r"no column 'pert_iname'; found a, b \(tab-separated\)"),
        ("pert_iname,moa\n1,2\n", r"no column 'pert_iname'; found pert_iname,moa \(tab-separated\)"),
        (HUB.encode("utf-16").decode("latin-1"), "expected .* found text in UTF-16; save it as UTF-8"),
        (HUB + "short\n", "row 3 has 1 fields; expected 2"),
        (HUB + "long\t2\t3\n", "row 3 has 3 fields; expected 2"),
    ],
)
def test_a_bad_hub_file_is_one_line(content, message, tmp_path):
    (tmp_path / "drugs.txt").write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match=rf"^drugs\.txt: {message}"):
        read_hub(tmp_path / "drugs.txt", ["pert_iname", "moa"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_a_hub_file_that_was_saved_again_has_the_same_names(encoding, tmp_path):
    (tmp_path / "drugs.txt").write_text("!a\npert_iname\tmoa\ndr\u00f6g \u00b5\tm\n", encoding=encoding)
    assert read_hub(tmp_path / "drugs.txt", ["pert_iname"]).to_numpy().tolist() == [["dr\u00f6g \u00b5"]]


def test_a_gz_that_is_none(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n")[:-10])
    with pytest.raises(InputError, match="delete it and run again"):
        read_table(tmp_path / "a.csv.gz")
