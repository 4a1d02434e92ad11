import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import scipy.sparse

from _files import write_table
from moamap.core import tables
from moamap.core.errors import InputError
from moamap.core.tables import read_parquet, write_parquet
from moamap.profiles.formats import read_profiles, read_source
from moamap.sources.checksums import digest

SUBSET = Path(__file__).resolve().parents[3] / "shared/data/lds1195-subset/MLPCN_morplological_profiles.csv.gz"


def awkward_table(n=60, m=30):
    """Numbers that a careless reader would round, on scales from 1e-6 to 1e6."""
    values = np.random.default_rng(0).normal(size=(n, m)) * np.logspace(-6, 6, m)
    values[:6, 3] = [1e-300, 0.1 + 0.2, -384.123456789012345, 5e-324, 1.7976931348623157e308, np.nan]
    values[:, 4] = np.arange(n) * 1e6
    names = ["<b>β</b> & 1.5", *(f"Cells_{j}" for j in range(1, m))]
    ids = pd.DataFrame({"pert_id": [f"BRD-{i:03d}.{i % 7}" for i in range(n)], "moa": ["α blocker", None] * (n // 2)})
    return pd.concat([ids, pd.DataFrame(values, columns=names)], axis=1)


def as_text(separator):
    return lambda frame, path: frame.to_csv(path, sep=separator, index=False)


def as_archive(member=None):
    """A CSV in a zip or tar, beside another file where it has to be named."""

    def write(frame, path):
        content = frame.to_csv(index=False).encode()
        content = gzip.compress(content) if (member or "").endswith(".gz") else content
        files = {member or "profiles.csv": content} | ({"notes.txt": b"x"} if member else {})
        path.write_bytes(zipped(files) if path.suffix == ".zip" else tarred(files))

    return write


def zipped(files):
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(files):
    with tarfile.open(fileobj=(packed := io.BytesIO()), mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def parted(frame):
    features = frame.drop(columns=["pert_id", "moa"], errors="ignore")
    return frame.drop(columns=features.columns), features


def as_gctx(frame, path):
    metadata, features = parted(frame)
    with h5py.File(path, "w") as file:
        file["0/DATA/0/matrix"] = features.to_numpy()
        file["0/META/ROW/id"] = features.columns.to_numpy(object)
        file["0/META/COL/id"] = metadata.pop("pert_id").to_numpy("S")  # text of a fixed width
        for name, column in metadata.items():
            file["0/META/COL/" + name] = column.fillna("").to_numpy(object)


def as_gct(version):
    def write(frame, path):
        metadata, features = parted(frame)
        sizes, rows = [features.shape[1], len(frame)], [["Name", "Description", *frame["pert_id"]]]
        if version == "1.3":
            sizes, rows = [*sizes, 1, 1], [*rows, ["moa", "na", *metadata["moa"].fillna("")]]
        rows += [[name, "", *map(repr, column.tolist())] for name, column in features.items()]
        lines = [[f"#{version}"], map(str, sizes), *rows]
        path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")

    return write


def as_h5ad(form):
    def write(frame, path):
        metadata, features = parted(frame)
        var = pd.DataFrame(index=features.columns)
        anndata.AnnData(form(features.to_numpy()), metadata.set_index("pert_id"), var).write_h5ad(path)

    return write


BY_ID = {"columns": {"pert_id": "id"}}  # where the format has an index of profiles in place of a column
FORMATS = {  # name of the file: how it is written, and how read
    "profiles.csv": (as_text(","), {}),
    "profiles.tsv": (as_text("\t"), {}),
    "profiles.txt.gz": (as_text("\t"), {}),
    "profiles.CSV.GZ": (lambda frame, path: path.write_bytes(gzip.compress(frame.to_csv(index=False).encode())), {}),
    "profiles.csv.zip": (as_archive(), {}),
    "data.zip": (as_archive(), {}),
    "two.zip": (as_archive("in/table.csv"), {"member": "in/table.csv"}),
    "two.tar.gz": (as_archive("in/table.csv"), {"member": "in/table.csv"}),
    "two.tgz": (as_archive("in/table.csv.gz"), {"member": "in/table.csv.gz"}),
    "profiles.dat": (as_text("\t"), {"format": "tsv"}),
    "profiles.parquet": (lambda frame, path: frame.to_parquet(path, index=False), {}),
    "index.parquet": (lambda frame, path: frame.set_index("pert_id").to_parquet(path), {}),
    "profiles.gctx": (as_gctx, BY_ID),
    "v2.gct": (as_gct("1.2"), BY_ID),
    "v3.gct": (as_gct("1.3"), BY_ID),
    "dense.h5ad": (as_h5ad(np.asarray), BY_ID),
    "sparse.h5ad": (as_h5ad(scipy.sparse.csr_matrix), BY_ID),
}


def written(frame, folder, name):
    """The frame, written in a format of the field and read again."""
    write, options = FORMATS[name]
    write(frame, folder / name)
    return read(folder / name, **options)


def read(path, columns=None, **source):
    return read_source([path], {"location": str(path), **source}, columns or {})[0]


def outputs(frame, folder):
    for name in ("out.parquet", "out.csv"):
        write_table(frame, folder / name, simulated=False)
    return [(folder / name).read_bytes() for name in ("out.parquet", "out.csv")]


@pytest.mark.parametrize("name", FORMATS)
def test_one_table_in_every_format_is_one_table(name, tmp_path):
    """So are the files that the study writes of it, bit by bit."""
    expected = awkward_table().drop(columns=["moa"] if name == "v2.gct" else [])
    found = written(expected, tmp_path, name)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert outputs(found, tmp_path) == outputs(expected, tmp_path)


@pytest.mark.skipif(not SUBSET.exists(), reason="the real subset is not here")
def test_the_real_subset_is_the_same_in_every_format(tmp_path):
    expected = read(SUBSET)
    assert expected.shape == (659, 813)
    files = outputs(expected, tmp_path)
    for name in ("profiles.csv", "profiles.tsv", "profiles.parquet", "profiles.gctx", "dense.h5ad"):
        assert outputs(written(expected, tmp_path, name), tmp_path)[0] == files[0], name


@pytest.mark.parametrize(("version", "skip"), [("1.2", [0, 1]), ("1.3", [0, 1, 3])])
def test_gct_against_pandas(version, skip, tmp_path):
    as_gct(version)(awkward_table(), tmp_path / "a.gct")
    table, features = read_profiles(tmp_path / "a.gct")
    oracle = pd.read_csv(tmp_path / "a.gct", sep="\t", skiprows=skip, float_precision="round_trip").iloc[:, 2:]
    np.testing.assert_array_equal(table[features].to_numpy(), oracle.T.to_numpy())
    assert list(table["id"]) == list(oracle)


def test_gct_of_other_systems(tmp_path):
    """With a BOM and CRLF, or in latin-1; gaps are missing values."""
    for line_end, encoding in (("\r\n", "utf-8-sig"), ("\n", "latin-1")):
        lines = ["#1.3", "1\t3\t0\t1", "id\ta\tb\tc", "moa\t\xb5 agonist\t\tNA", "f\t1.5\t\tNA"]
        (tmp_path / "a.gct").write_bytes(line_end.join(lines).encode(encoding))
        table, features = read_profiles(tmp_path / "a.gct")
        assert table["moa"].tolist() == ["\xb5 agonist", None, None] and features == ["f"]
        np.testing.assert_array_equal(table["f"], [1.5, np.nan, np.nan])


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix, scipy.sparse.csc_matrix])
def test_h5ad_against_anndata(form, tmp_path):
    as_h5ad(form)(awkward_table(), tmp_path / "a.h5ad")
    oracle = anndata.read_h5ad(tmp_path / "a.h5ad")
    table, features = read_profiles(tmp_path / "a.h5ad")
    assert features == list(oracle.var_names) and list(table["id"]) == list(oracle.obs_names)
    np.testing.assert_array_equal(table[features].to_numpy(), oracle.to_df().to_numpy())


def test_files_of_plates_come_one_after_the_other(tmp_path):
    """In the order given, whatever the order of their columns and the format."""
    whole = awkward_table()
    parts = [whole[40:], whole[:15].iloc[:, ::-1], whole[15:40]]
    paths = [tmp_path / name for name in ("p3.csv", "p1.tsv", "p2.parquet")]
    for part, path in zip(parts, paths, strict=True):
        FORMATS["profiles" + path.suffix][0](part, path)
    found, source = read_source(paths, {"location": "*"}, {})
    expected = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert str(source) == "3 files" and source.place(35) == ("p2.parquet", 1 + 35 - 20 - 15)
    as_text(",")(whole.rename(columns={"Cells_5": "Nuclei_5"}), tmp_path / "p4.csv")
    said = r"^p4\.csv: 2 columns differ: 'Cells_5' is in p3\.csv but not in p4\.csv; sources\.profiles\.join: inner"
    with pytest.raises(InputError, match=said):
        read_source([*paths, tmp_path / "p4.csv"], {"location": "*"}, {})


def test_each_file_of_many_is_compared_with_its_checksum(tmp_path):
    paths = [tmp_path / "p1.csv", tmp_path / "p2.csv"]
    for part, path in zip((awkward_table()[:20], awkward_table()[20:]), paths, strict=True):
        as_text(",")(part, path)
    right = [digest(path) for path in paths]
    for checksums in (right, [None, right[1]], [None, None]):
        assert len(read_source(paths, {"checksum": checksums}, {})[0]) == len(awkward_table())
    with pytest.raises(InputError, match=rf"p2\.csv: the file has {right[1]}, expected {right[0]}"):
        read_source(paths, {"checksum": [right[0], right[0]]}, {})


def gctx(**parts):
    with h5py.File(packed := io.BytesIO(), "w") as file:
        file["0/DATA/0/matrix"] = np.zeros((2, 3))
        file["0/META/ROW/id"] = parts.get("rows", ["a", "b", "c"])
        file["0/META/COL/id"] = parts.get("profiles", ["x", "y"])
    return packed.getvalue()


def foreign():
    with h5py.File(packed := io.BytesIO(), "w") as file:
        file["model/weights"] = np.zeros((2, 3))
    return packed.getvalue()


h5py.File(HDF5 := io.BytesIO(), "w").close()
CSV = b"pert_id,f1,f2,f3\na,1,2,3\nb,4,5,6\n"
GCT = b"#1.2\n3\t2\nName\tDescription\ta\tb\nf1\tx\t1\t2\nf2\tx\t1\t2\nf3\tx\t1\t2\n"
HTML, POINTER = b"\n<!DOCTYPE html><html>404</html>", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
BAD = {  # name of the file: its bytes, and what must be said of it
    "cut.csv.gz": (gzip.compress(CSV * 99)[:-30], "cannot be read as csv: Compressed file ended"),
    "page.csv": (HTML, "expected csv, found a web page (HTML)"),
    "page.csv.gz": (HTML, "expected csv, found a web page (HTML)"),
    "page.csv.zip": (HTML, "expected csv, found a web page (HTML)"),
    "pointer.parquet": (POINTER, "expected parquet, found a Git LFS pointer"),
    "pointer.csv.gz": (POINTER, "expected csv, found a Git LFS pointer"),
    "packed.csv": (gzip.compress(CSV), "found a gzip file; its name should end in .gz"),
    "excel.csv": (zipped({"xl/workbook.xml": b"x"}), "found a zip (or Excel) file"),
    "old.csv": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(99), "found an old Excel workbook (.xls); save its sheet"),
    "book.xls": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(99), "found an old Excel workbook (.xls); save its sheet"),
    "book.XLSX": (zipped({"xl/workbook.xml": b"x"}), "a spreadsheet; expected a table as text: save its sheet as CSV"),
    "wide.csv": (CSV.decode().encode("utf-16"), "found text in UTF-16; save it as UTF-8"),
    **{f"empty.{form}": (b"", f"cannot be read as {form}: No columns") for form in ("csv", "gct", "gctx", "parquet")},
    "two.csv.zip": (zipped({"a.csv": CSV, "b.csv": CSV}), "the archive holds 2 files ('a.csv', 'b.csv'); set sources"),
    "none.csv.zip": (zipped({}), "the archive holds no file"),
    "line.gct": (b"#1.3", "its second line is ''; expected 4 numbers"),
    "words.gct": (b"#1.2\nName\tDescription\n", "its second line is 'Name Description'; expected 2 numbers"),
    "foreign.gctx": (foreign(), "cannot be read as gctx: it has no 0/DATA/0/matrix, as every GCTX has"),
    "up.csv.zip": (zipped({"../../evil.csv": CSV}), "the archive's file '../../evil.csv' leaves its folder"),
    "root.csv.zip": (zipped({"/evil.csv": CSV}), "the archive's file '/evil.csv' leaves its folder"),
    "back.csv.zip": (zipped({"..\\evil.csv": CSV}), "leaves its folder"),
    "up.csv.tar.gz": (tarred({"../../evil.csv": CSV}), "the archive's file '../../evil.csv' leaves its folder"),
    "root.csv.tar.gz": (tarred({"/evil.csv": CSV}), "the archive's file '/evil.csv' leaves its folder"),
    "none.csv.tar.gz": (CSV, "cannot be read as csv: file could not be opened"),
    "cut.csv.zip": (zipped({"a.csv": CSV})[:60], "cannot be read as csv: File is not a zip file"),
    "folder.csv": (None, "a folder; expected a file"),
    "profiles.dat": (b"x", "the name says no format; set sources.profiles.format to one of csv, tsv"),
    "data.zip": (zipped({"README": b"x"}), "the name says no format"),
    "other.gctx": (CSV, "cannot be read as gctx: Unable to"),
    "hollow.gctx": (HDF5.getvalue(), "cannot be read as gctx"),
    "short.gctx": (gctx(profiles=["x", "y", "z"]), "2 profiles, but metadata of 3"),
    "twice.gctx": (gctx(rows=["a", "a", "c"]), "duplicate column 'a' (2 times); expected every name once"),
    "hollow.h5ad": (HDF5.getvalue(), "cannot be read as h5ad: it is no AnnData with X"),
    "lies.gct": (GCT.replace(b"3\t2", b"3\t4"), "4 rows of 4 fields; its second line says 4 of 6"),
    "more.gct": (GCT.replace(b"3\t2", b"9\t2"), "4 rows of 4 fields; its second line says 10 of 4"),
    "ragged.gct": (GCT.replace(b"f2\tx\t1\t2", b"f2\tx\t1"), "4 rows of 3 fields; its second line says 4 of 4"),
    "new.gct": (GCT.replace(b"#1.2", b"#1.4"), "the first line is '#1.4'; expected #1.2 or #1.3"),
    "twice.csv": (CSV.replace(b"f2", b"f1"), "duplicate column 'f1' (2 times); expected every name once"),
    "semicolons.csv": (CSV.replace(b",", b";"), "looks semicolon-delimited, found one column; write it with commas"),
    "tabs.csv": (CSV.replace(b",", b"\t"), "looks tab-delimited, found one column; set sources.profiles.format: tsv"),
    "commas.tsv": (CSV, "looks comma-delimited, found one column; set sources.profiles.format: csv"),
    "none.parquet": (CSV, "cannot be read as parquet"),
    "short.csv": (CSV + b"c,7,8\n", "row 3 has 3 fields; expected 4, as in the header"),
    "long.csv": (CSV + b"\nc,7,8,9,0\n", "row 3 has 5 fields; expected 4, as in the header"),
    "all_long.csv": (b"pert_id,f1,f2\na,1,2,3\nb,4,5,6\n", "row 1 has 4 fields; expected 3, as in the header"),
    "quote.csv": (CSV + b'"c,7,8,9\n', "row 3 has 1 fields; expected 4, as in the header"),
    "open.csv": (CSV.replace(b"a,", b'"a,'), "expected 4, as in the header; is a quotation mark not closed?"),
    "title.csv": (b"Screen 7\n" + CSV, "as in the header, which is 'Screen 7'; delete lines above the columns' names"),
    "lines.csv": (CSV.replace(b"pert_id", b'"a\nb"'), "no column 'pert_id'; the first columns are a b, f1"),
}


@pytest.mark.filterwarnings("ignore:Element '/' was written without encoding metadata")
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_that_names_it(name, tmp_path):
    """And nothing is written anywhere by reading it."""
    folder = tmp_path / "a/b/c"
    folder.mkdir(parents=True)
    content, message = BAD[name]
    (folder / name).mkdir() if content is None else (folder / name).write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        read(folder / name)
    assert str(caught.value).startswith(f"{name}: ") and message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_is_not_in_the_archive(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(tarred({"b.csv": CSV}))
    with pytest.raises(InputError, match=r"^a\.tar\.gz: no file 'c\.csv' among the 1 of the archive \('b\.csv'\)"):
        read(tmp_path / "a.tar.gz", member="c.csv")


def test_text_columns_are_text_and_only_an_empty_cell_is_missing(tmp_path):
    names = ["NA", "None", "null", "nan", "0001", "1e5", "True", ""]
    content = "pert_id,pert_iname,moa,f1,f2,f3\n" + "".join(
        f"{i:04d},{name},{i % 2},NA,1,2\n" for i, name in enumerate(names)
    )
    for name, separator in {"a.csv": ",", "a.tsv": "\t"}.items():
        (tmp_path / name).write_text(content.replace(",", separator))
        table = read(tmp_path / name)
        assert table["pert_id"].tolist() == [f"{i:04d}" for i in range(8)]
        assert table["pert_iname"].tolist() == [*names[:-1], None]
        assert table["moa"].tolist() == ["0", "1"] * 4
        assert table["f1"].isna().all() and table["f1"].dtype == float


def numbered(rows, features=("f1", "f2", "f3"), **more):
    values = {feature: [float(i * (j + 2) % 7) for i in rows] for j, feature in enumerate(features)}
    return pd.DataFrame({"pert_id": [f"d{i}" for i in rows]} | more | values)


def sources(folder, *tables):
    paths = [folder / f"p{number}.csv" for number in range(1, len(tables) + 1)]
    for table, path in zip(tables, paths, strict=True):
        table.to_csv(path, index=False)
    return paths


def test_rows_that_overlapping_files_share_are_kept_once_with_a_warning(tmp_path, caplog):
    paths = sources(tmp_path, numbered(range(5)), numbered(range(3, 8)), numbered([0, 9]))
    table, origin = read_source(paths, {}, {})
    assert table["pert_id"].tolist() == ["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d9"]
    assert [origin.place(row) for row in (4, 5, 8)] == [("p1.csv", 5), ("p2.csv", 3), ("p3.csv", 2)]
    assert (
        "3 of 12 rows repeat another row, number for number, and are left out (the first: row 1 of p2.csv)"
        in caplog.text
    )


def test_rows_of_one_file_are_kept_once_too_but_not_two_wells_of_the_same_numbers(tmp_path):
    again = numbered([0, 0, 1])
    assert len(read_source(sources(tmp_path, again), {}, {})[0]) == 2
    assert len(read_source(sources(tmp_path, again.assign(plate="p", well=["A1", "A1", "A2"])), {}, {})[0]) == 2
    assert len(read_source(sources(tmp_path, again.assign(plate="p", well=["A1", "A3", "A2"])), {}, {})[0]) == 3
    assert len(read_source(sources(tmp_path, again.assign(dose=["1", "2", "1"])), {}, {})[0]) == 3
    gaps = again.assign(f3=np.nan, plate="p", well=[None, None, "A2"])
    assert read_source(sources(tmp_path, gaps), {}, {})[1].row.tolist() == [1, 3]
    last = again.assign(f4=[1.0, 2.0, 3.0])  # they differ in their last feature only
    assert len(read_source(sources(tmp_path, last), {}, {})[0]) == 3


CELL_INJURY = Path(__file__).resolve().parents[3] / "shared/data/cell-injury"


@pytest.mark.skipif(not CELL_INJURY.exists(), reason="the real wells are not here")
@pytest.mark.parametrize("roles", [{"plate": "Plate", "well": "Well"}, {"plate": "Plate"}])
def test_the_259_wells_that_a_real_screen_has_twice_are_counted_once(roles, tmp_path, caplog):
    columns = {"pert_id": "Compound Manuscript Number", "moa": "injury_type", "control": "injury_type", **roles}
    columns["features"] = "^(Cells|Cytoplasm|Nuclei)_"
    table, origin = read_source(sorted(CELL_INJURY.glob("*.csv.gz")), {}, columns)
    assert len(table) == len(origin.row) == 4513 - 259
    assert "259 of 4513 rows repeat another row" in caplog.text


def test_two_different_rows_of_a_well_are_refused(tmp_path):
    first = numbered(range(3), plate="p", well=["A1", "A2", "A3"])
    second = first.assign(f2=[0.0, 2.0, 3.0]).iloc[[0, 2]]
    said = r"^p2\.csv: row 2 and row 3 of p1\.csv are both plate 'p', well 'A3', and differ in 'f2'; expected one row"
    with pytest.raises(InputError, match=said):
        read_source(sources(tmp_path, first, second), {}, {})


def test_join_inner_keeps_the_features_that_all_files_have(tmp_path, caplog):
    paths = sources(tmp_path, numbered(range(3), "abcd"), numbered(range(3, 6), "dxba"))
    table, _ = read_source(paths, {"join": "inner"}, {})
    assert list(table) == ["pert_id", "a", "b", "d"] and len(table) == 6
    assert "2 of 5 features are not in every file" in caplog.text
    with pytest.raises(InputError, match=r"2 columns differ: 'c' is in p1\.csv but not in p2\.csv"):
        read_source(paths, {}, {})
    paths = sources(tmp_path, numbered(range(3)), numbered(range(3, 6), moa="m"))
    with pytest.raises(InputError, match=r"1 columns differ: 'moa' is in p2\.csv but not in p1\.csv$"):
        read_source(paths, {"join": "inner"}, {})


def test_files_of_one_name_are_called_by_their_path(tmp_path):
    paths = [tmp_path / plate / "profiles.csv" for plate in ("one", "two")]
    for path, content in zip(paths, (CSV, CSV[:-3] + b"\n"), strict=True):
        path.parent.mkdir()
        path.write_bytes(content)
    with pytest.raises(InputError, match=rf"^{paths[1]}: row 2 has 3 fields"):
        read_source(paths, {}, {})


@pytest.mark.parametrize("name", ["a.csv.gz", "a.zip", "a.tar.gz", "a.csv"])
def test_what_unpacks_to_more_than_the_machine_holds_is_refused_before_it_does(name, tmp_path, monkeypatch):
    zeros = CSV + b"c" + b"0" * 30_000_000
    packed = {"a.csv.gz": gzip.compress, "a.zip": lambda content: zipped({"a.csv": content})}
    packed |= {"a.tar.gz": lambda content: tarred({"a.csv": content}), "a.csv": bytes}
    (tmp_path / name).write_bytes(packed[name](zeros))
    monkeypatch.setattr("moamap.profiles.formats.memory", lambda: 80_000_000)
    monkeypatch.setattr("moamap.profiles.formats.PIECE", 1_000_000)
    with pytest.raises(InputError, match=rf"^{name}: too large for this machine, more than 0.0 GB of its 0.1 GB"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["profiles.parquet", "profiles.gctx", "dense.h5ad", "sparse.h5ad"])
def test_a_matrix_larger_than_the_machine_is_refused_before_it_is_read(name, tmp_path, monkeypatch):
    monkeypatch.setattr("moamap.profiles.formats.memory", lambda: 4 * 8 * 50 * 30)
    FORMATS[name][0](awkward_table(), tmp_path / name)
    with pytest.raises(InputError, match="too large for this machine"):
        read(tmp_path / name)


def test_a_table_that_does_not_fit_into_memory_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_bytes(CSV)

    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(pd, "read_csv", full)
    with pytest.raises(InputError, match=r"^a\.csv: the table does not fit into memory"):
        read(tmp_path / "a.csv")


def external_storage(path, other):
    with h5py.File(path, "w") as file:
        file.create_dataset("0/DATA/0/matrix", (2, 3), float, external=[(str(other), 0, 48)])


def external_link(path, other):
    with h5py.File(path, "w") as file:
        file["0/DATA/0/matrix"] = h5py.ExternalLink(str(other), "0/DATA/0/matrix")


def virtual(path, other):
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((2, 3), float)
        layout[:] = h5py.VirtualSource(str(other), "0/DATA/0/matrix", (2, 3))
        file.create_virtual_dataset("0/DATA/0/matrix", layout)


@pytest.mark.parametrize("write", [external_storage, external_link, virtual])
@pytest.mark.parametrize("name", ["a.gctx", "a.h5ad"])
def test_an_hdf5_file_that_takes_its_data_from_another_is_refused(write, name, tmp_path):
    (tmp_path / "other.gctx").write_bytes(gctx())
    write(tmp_path / name, tmp_path / "other.gctx")
    with h5py.File(tmp_path / name, "a") as file:
        file["0/META/ROW/id"], file["0/META/COL/id"] = ["a", "b", "c"], ["x", "y"]
    with pytest.raises(InputError, match="0/DATA/0/matrix has its data in another file; such files are not read"):
        read(tmp_path / name, columns={"pert_id": "id"})


@pytest.mark.parametrize("index", [None, "pert_id", "f3"])
def test_wide_tables_are_the_frames_that_pandas_reads(index, tmp_path):
    """Quadratic only in pandas' reader: the frame is the same."""
    frame = awkward_table().rename(columns={"Cells_3": "f3"})
    frame.insert(5, "whole", range(60))
    frame.insert(9, "class", pd.Categorical(["x", "y"] * 30))
    frame["gaps"] = pd.array([1, None] * 30, "Int64")
    frame = frame if index is None else frame.set_index(index)
    frame.to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(
        read_parquet(tmp_path / "a.parquet"), pd.read_parquet(tmp_path / "a.parquet"), check_exact=True
    )


def test_a_column_is_not_taken_for_the_group_of_another(tmp_path):
    frame = pd.DataFrame(np.arange(12.0).reshape(2, 6), columns=["f.1", "f", "f.2.x", "g.y", "g", "f.2"])
    frame["h"], frame["h.1"] = ["a", "b"], [1, 2]
    frame.to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "a.parquet"), frame)


@pytest.mark.parametrize("piece", [7, 10**6])
def test_a_table_written_in_pieces_is_what_pandas_writes(piece, tmp_path, monkeypatch):
    frame = awkward_table()
    frame["late"], frame["never"] = [None] * 59 + ["x"], None
    frame["class"], frame["gaps"] = pd.Categorical(["x", "y"] * 30), pd.array([1, None] * 30, "Int64")
    for table in (frame, frame[:0], frame[["late"]]):
        monkeypatch.setattr(tables, "PIECE", piece)
        write_parquet(table, tmp_path / "a.parquet")
        table.to_parquet(tmp_path / "b.parquet", index=False)
        for read in (read_parquet, pd.read_parquet):
            found, expected = (read(tmp_path / name) for name in ("a.parquet", "b.parquet"))
            pd.testing.assert_frame_equal(found, expected, check_exact=True)
        if piece > table.size:
            assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
        elif len(table):
            assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups > 1


def test_the_memory_for_a_wide_table_grows_with_its_columns_and_not_with_their_square(tmp_path):
    peaks = {}
    for width in (1000, 8000):
        path = tmp_path / f"{width}.parquet"
        pd.DataFrame(np.zeros((20, width)), columns=[f"f{j}" for j in range(width)]).to_parquet(path)
        tracemalloc.start()
        read_parquet(path)
        peaks[width] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[8000] < 12 * peaks[1000]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_what_a_mac_adds_to_an_archive_is_passed_over(pack, tmp_path):
    path = tmp_path / ("t.zip" if pack is zipped else "t.tar.gz")
    path.write_bytes(pack({"./._t.csv": b"\0\5\x16\7", "t.csv": CSV, "__MACOSX/._t.csv": b"\0\5\x16\7"}))
    assert read(path)["pert_id"].tolist() == ["a", "b"]


def test_columns_of_two_levels_are_refused(tmp_path):
    frame = pd.read_csv(io.BytesIO(CSV))
    frame.columns = pd.MultiIndex.from_product([["all"], frame.columns])
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"^t\.parquet: its columns have 2 levels of names; write them with one, "):
        read(tmp_path / "t.parquet")
