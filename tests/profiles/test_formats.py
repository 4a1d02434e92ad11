import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from _files import write_table
from moamap.core.errors import InputError
from moamap.profiles.formats import read_profiles, read_source

SUBSET = Path(__file__).parents[3] / "shared/data/lds1195-subset/MLPCN_morplological_profiles.csv.gz"


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
    with pytest.raises(InputError, match=r"^p4\.csv: 2 columns differ: 'Cells_5' is in p3\.csv but not in p4\.csv; sources\.profiles\.join: inner"):
        read_source([*paths, tmp_path / "p4.csv"], {"location": "*"}, {})


def gctx(**parts):
    with h5py.File(packed := io.BytesIO(), "w") as file:
        file["0/DATA/0/matrix"] = np.zeros((2, 3))
        file["0/META/ROW/id"] = parts.get("rows", ["a", "b", "c"])
        file["0/META/COL/id"] = parts.get("profiles", ["x", "y"])
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
    "wide.csv": (CSV.decode().encode("utf-16"), "found text in UTF-16; save it as UTF-8"),
    **{f"empty.{form}": (b"", f"cannot be read as {form}: No columns") for form in ("csv", "gct", "gctx", "parquet")},
    "two.csv.zip": (zipped({"a.csv": CSV, "b.csv": CSV}), "the archive holds 2 files ('a.csv', 'b.csv'); set sources.profiles.member"),
    "up.csv.zip": (zipped({"../../evil.csv": CSV}), "the archive's file '../../evil.csv' leaves its folder"),
    "root.csv.zip": (zipped({"/evil.csv": CSV}), "the archive's file '/evil.csv' leaves its folder"),
    "back.csv.zip": (zipped({"..\\evil.csv": CSV}), "leaves its folder"),
    "up.csv.tar.gz": (tarred({"../../evil.csv": CSV}), "the archive's file '../../evil.csv' leaves its folder"),
    "root.csv.tar.gz": (tarred({"/evil.csv": CSV}), "the archive's file '/evil.csv' leaves its folder"),
    "none.csv.tar.gz": (CSV, "cannot be read as csv: file could not be opened"),
    "cut.csv.zip": (zipped({"a.csv": CSV})[:60], "cannot be read as csv: File is not a zip file"),
    "folder.csv": (None, "a folder; expected a file"),
    "profiles.xlsx": (b"x", "the name says no format; set sources.profiles.format to one of csv, tsv"),
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
