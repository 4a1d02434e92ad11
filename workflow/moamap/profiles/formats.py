"""Tables of profiles in the formats of the field."""

import csv
import gzip
import io
import logging
import lzma
import re
import tarfile
import zipfile
import zlib
from collections import Counter
from functools import partial
from pathlib import Path, PurePosixPath

import h5py
import pandas as pd
from anndata.io import read_elem

from moamap.core.errors import InputError
from moamap.core.names import ROLES
from moamap.profiles.contract import tidy
from moamap.sources.checksums import verify

NOT_A_TABLE = {  # how a file begins that is something else
    b"<!doctype html": "a web page (HTML); was the address that of a download?",
    b"<html": "a web page (HTML); was the address that of a download?",
    b"version https://git-lfs": "a Git LFS pointer; take the file itself (media.githubusercontent.com, git lfs)",
}
STILL_PACKED = {  # the same, of what an archive should have been unpacked to
    b"\x1f\x8b": "a gzip file; its name should end in .gz",
    b"pk\x03\x04": "a zip (or Excel) file",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}

READING_ERRORS = (  # what the libraries raise on a file that is not what its name says
    *(OSError, EOFError, ValueError, LookupError, AttributeError, TypeError, RuntimeError),
    *(csv.Error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
)


def read_profiles(path: str, form: str | None = None, *, member: str | None = None, text=()):
    """Read a table of profiles.

    Parameters
    ----------
    form : csv, tsv, parquet, gctx, gct or h5ad; by default what the name says
    member : the file of an archive (zip, tar) that holds the table; needed where there are several
    text : columns of a CSV or TSV that are text even where they look like numbers

    Returns
    -------
    table : frame, a row a profile
    features : names of its feature columns where the format tells them from metadata (gctx, gct, h5ad), else None

    Raises InputError, in one line, where the file is not such a table.
    """
    path = Path(path)
    name = path.name
    if path.is_dir():
        raise InputError(f"{name}: a folder; expected a file (the pattern {name}/*.csv would take many)")
    expected = form or format_of(member or name)
    try:
        with path.open("rb") as packed:
            _check_beginning(packed, name, expected, NOT_A_TABLE)
        content, inside = _content(path, member)
        with content:
            expected = form or format_of(inside) or expected
            if expected is None:
                formats = f"set sources.profiles.format to one of {', '.join(READERS)}"
                raise InputError(f"{name}: the name says no format; {formats}")
            _check_beginning(content, name, expected, NOT_A_TABLE | STILL_PACKED)
            table, features = READERS[expected](content, name, set(text))
        _check_once(name, list(table))
        return table, features
    except InputError:
        raise
    except READING_ERRORS as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{name}: cannot be read as {expected or 'a table'}: {said}") from error


def format_of(name: str) -> str | None:
    """The format that a file's name says, if it says one."""
    ending = re.sub(r"(\.gz|\.zip|\.tar|\.tgz)+$", "", name.lower()).rsplit(".", 1)[-1]
    form = {"txt": "tsv", "pq": "parquet"}.get(ending, ending)
    return form if form in READERS else None


def _check_beginning(content, name, expected, others):
    start = content.read(64).lstrip().lower()
    content.seek(0)
    if not start:
        raise ValueError("No columns to parse, the file is empty")
    for beginning, what in others.items():
        if start.startswith(beginning):
            raise InputError(f"{name}: expected {expected or 'a table'}, found {what}")


def _content(path, member):
    """A file as a stream, unpacked where its name says so, and the name of what was packed.

    Archives are read in memory: nothing is written anywhere.
    """
    name = path.name.lower()
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            inside = _chosen(path.name, [entry for entry in archive.namelist() if not entry.endswith("/")], member)
            content = io.BytesIO(archive.read(inside))
    elif name.endswith((".tar", ".tar.gz", ".tgz")):
        with tarfile.open(path) as archive:
            inside = _chosen(path.name, [entry.name for entry in archive.getmembers() if entry.isfile()], member)
            content = io.BytesIO(archive.extractfile(inside).read())
    else:
        inside, content = path.name, path.open("rb")
    if inside.lower().endswith(".gz"):
        with content:
            return io.BytesIO(gzip.decompress(content.read())), inside
    return content, inside


def _chosen(name, entries, member):
    """The file of an archive to be read; one that would leave its folder is refused, though nothing is unpacked."""
    for entry in entries:
        inside = PurePosixPath(entry.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts:
            raise InputError(f"{name}: the archive's file {entry!r} leaves its folder; such archives are not read")
    if member is None and len(entries) == 1:
        return entries[0]
    if member not in entries:
        listed = ", ".join(map(repr, sorted(entries)[:5]))
        raise InputError(f"{name}: no file {member!r} among its {len(entries)} ({listed}); set sources.profiles.member")
    return member


def _delimited(content, name, text, separator):
    content = content.read()
    encoding = _encoding(content)
    _check_rows(name, io.TextIOWrapper(io.BytesIO(content), encoding, newline=""), separator)
    options = {"sep": separator, "encoding": encoding, "index_col": False}
    options |= {"float_precision": "round_trip", "low_memory": False}
    return pd.read_csv(io.BytesIO(content), dtype=dict.fromkeys(text, str), **options), None


def _encoding(content):
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _check_rows(name, lines, separator):
    """Refuse rows with more or fewer fields than the header: pandas would cut them, or fill them with missing values"""
    rows = (row for row in csv.reader(lines, delimiter=separator) if "".join(row).strip())
    header = next(rows, [])
    _check_header(name, header, separator)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InputError(f"{name}: row {number} has {len(row)} fields; expected {len(header)}, as in the header")


def _check_once(name, columns):
    twice = [column for column, times in Counter(columns).items() if times > 1]
    if twice:
        raise InputError(f"{name}: column {str(twice[0])!r} is there {columns.count(twice[0])} times; expected once")


def _check_header(name, header, separator):
    _check_once(name, header)
    for other, word in ((";", "semicolons"), ("\t", "tabs"), (",", "commas")):
        if len(header) == 1 and other != separator and other in str(header[0]):
            kind = {"\t": "tsv", ",": "csv"}.get(other)
            advice = f"set sources.profiles.format: {kind}" if kind else "write it with commas or tabs"
            raise InputError(f"{name}: one column, its name full of {word}; {advice}")


def _parquet(content, name, text):
    table = pd.read_parquet(content)
    named = [level for level in table.index.names if level is not None]  # an index of pandas, often of ids
    return (table.reset_index(named) if named else table), None


def _gctx(content, name, text):
    """GCTX (HDF5): profiles are its columns, features its rows. Read in float64, which cmapPy does not."""
    with h5py.File(content) as file:
        matrix = file["0/DATA/0/matrix"][...]  # HDF5 keeps it transposed
        features = _strings(file["0/META/ROW/id"]).astype(str)
        columns = file["0/META/COL"]
        metadata = pd.DataFrame({name: _strings(columns[name]) for name in columns})
    return _joined(metadata, pd.DataFrame(matrix, columns=features))


def _strings(dataset):
    return dataset.asstr()[...] if h5py.check_string_dtype(dataset.dtype) else dataset[...]


def _gct(content, name, text):
    """GCT 1.2 and 1.3: profiles are its columns, features its rows, under rows of metadata of the profiles."""
    content = content.read()
    lines = content.decode(_encoding(content)).split("\n")
    version, sizes = lines[0].strip(), [int(size) for size in lines[1].split()]
    if version not in ("#1.2", "#1.3"):
        raise ValueError(f"the first line is {version[:20]!r}; expected #1.2 or #1.3")
    n_rows, n_columns, n_left, n_above = sizes if version == "#1.3" else (*sizes[:2], 1, 0)
    rows = [line.rstrip("\r").split("\t") for line in lines[2:] if line.strip()]
    expected = (1 + n_above + n_rows, 1 + n_left + n_columns)
    for width in {len(row) for row in rows} or {0}:
        if (len(rows), width) != expected:
            raise ValueError(
                f"{len(rows)} rows of {width} fields; its second line says {' of '.join(map(str, expected))}"
            )
    table = pd.DataFrame(rows)
    profiles = table.iloc[:, 1 + n_left :]
    metadata = profiles.iloc[: 1 + n_above].T.reset_index(drop=True)
    metadata.columns = ["id", *table.iloc[1 : 1 + n_above, 0]]
    values = profiles.iloc[1 + n_above :].T.reset_index(drop=True)
    values.columns = table.iloc[1 + n_above :, 0].to_numpy()
    missing = {"": None, "NA": None, "NaN": None}
    return _joined(metadata.replace(missing), values.replace(missing).apply(_numbers))


def _numbers(column):
    """A column of numbers where all of it is numbers; else as it is, for the border to refuse with its row."""
    try:
        return column.astype(float)
    except (ValueError, TypeError):
        return column


def _h5ad(content, name, text):
    """AnnData: profiles are its observations; the index of obs is called `id` here."""
    with h5py.File(content) as file:
        data = read_elem(file)
    if getattr(data, "X", None) is None:
        raise ValueError("it is no AnnData with X, the matrix of profiles")
    matrix = data.X.toarray() if hasattr(data.X, "toarray") else data.X
    features = pd.DataFrame(matrix, columns=data.var_names.to_numpy(str))
    metadata = data.obs.reset_index(drop=True).assign(**({} if "id" in data.obs else {"id": data.obs_names}))
    return _joined(metadata, features)


def _joined(metadata, features):
    if len(metadata) != len(features):
        raise ValueError(f"{len(features)} profiles, but metadata of {len(metadata)}")
    metadata = metadata.drop(columns=[column for column in metadata if column in features])
    return pd.concat([metadata, features], axis=1), list(features)


READERS = {
    "csv": partial(_delimited, separator=","),
    "tsv": partial(_delimited, separator="\t"),
    "parquet": _parquet,
    "gctx": _gctx,
    "gct": _gct,
    "h5ad": _h5ad,
}


def read_source(paths, source: dict, columns: dict) -> tuple[pd.DataFrame, str]:
    """The tidy table of all files of a source, and what to call it in an error.

    Raises InputError where a file is not as the config says, or the files differ in their columns.
    """
    names = {role: columns.get(role) or role for role in ROLES}
    options = {"member": source.get("member"), "text": set(names.values())}
    tables = []
    for path in paths:
        if len(paths) == 1 and Path(path).is_file():  # what is no file, the reader refuses
            verify(path, source.get("checksum"))
        table, features = read_profiles(path, source.get("format"), **options)
        name = Path(path).name
        tables.append(tidy(table, columns, features, source=name))
        _check_columns(tables[0], tables[-1], Path(paths[0]).name, name)
    if len(tables) > 1:
        logging.info("%d files, %d rows", len(tables), sum(map(len, tables)))
    return pd.concat(tables, ignore_index=True), name if len(tables) == 1 else f"{len(tables)} files"


def _check_columns(first, table, first_name, name):
    different = set(first.columns).symmetric_difference(table.columns)
    if different:
        column = sorted(map(str, different))[0]
        there, gone = (first_name, name) if column in first else (name, first_name)
        raise InputError(f"{name}: {len(different)} columns differ: {there} has {column!r}, {gone} has not")
