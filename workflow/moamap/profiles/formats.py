"""Tables of profiles in the formats of the field."""

import csv
import gzip
import io
import json
import logging
import lzma
import re
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from anndata.io import read_elem

from moamap.core.errors import InputError
from moamap.core.names import ROLES
from moamap.core.numerics import memory
from moamap.core.tables import read_parquet
from moamap.profiles.contract import LEAST_FEATURES, Origin, tidy
from moamap.sources.checksums import verify

SHARE_OF_MEMORY = 4  # a file may take this part of the machine's memory once it is unpacked; the study needs several
GIGABYTE = 1e9
PIECE = 2**24
MISSING_NUMBERS = ["", "NA", "N/A", "n/a", "nan", "NaN", "-nan", "-NaN", "NULL", "null", "None", "<NA>", "#N/A", "#NA"]
MISSING_NUMBERS += ["#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"]  # as pandas takes them
SPREADSHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers")
MISSING_TEXT = [""]  # a drug may be called NA, and a class None

NOT_A_TABLE = {  # how a file begins that is something else
    b"<!doctype html": "a web page (HTML); was the address that of a download?",
    b"<html": "a web page (HTML); was the address that of a download?",
    b"version https://git-lfs": "a Git LFS pointer; take the file itself (media.githubusercontent.com, git lfs)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); save its sheet as CSV UTF-8",
}
STILL_PACKED = {  # the same, of what an archive should have been unpacked to
    b"\x1f\x8b": "a gzip file; its name should end in .gz",
    b"pk\x03\x04": "a zip (or Excel) file; a name should end in .zip, a sheet be saved as CSV UTF-8",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}

READING_ERRORS = (  # what the libraries raise on a file that is not what its name says
    *(OSError, EOFError, ValueError, LookupError, AttributeError, TypeError, RuntimeError),
    *(csv.Error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
)


def read_profiles(
    path: str | Path,
    form: str | None = None,
    *,
    member: str | None = None,
    text: Iterable[str] = (),
    called: str | None = None,
) -> tuple[pd.DataFrame, list[str] | None]:
    """Read a table of profiles.

    Parameters
    ----------
    form : csv, tsv, parquet, gctx, gct or h5ad; by default what the name says
    member : the file of an archive (zip, tar) that holds the table; needed where there are several
    text : columns of a CSV or TSV that are text even where they look like numbers or missing values
    called : what to call the file in an error; by default its name

    Returns
    -------
    table : frame, a row a profile
    features : names of its feature columns where the format tells them from metadata (gctx, gct, h5ad), else None

    Raises InputError, in one line, where the file is not such a table.
    """
    path = Path(path)
    name = called or path.name
    if path.is_dir():
        raise InputError(f"{name}: a folder; expected a file (the pattern {name}/*.csv would take many)")
    expected = form or format_of(member or path.name)
    try:
        with path.open("rb") as packed:
            _check_beginning(packed, name, expected, NOT_A_TABLE)
        content, inside = _content(path, name, member)
        with content:
            expected = form or format_of(inside) or expected
            if expected is None:
                raise InputError(f"{name}: {_no_format(path.name)}")
            _check_beginning(content, name, expected, NOT_A_TABLE | STILL_PACKED)
            table, features = READERS[expected](content, name, set(text))
        _check_once(name, list(table))
        return table, features
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(f"{name}: the table does not fit into memory ({memory() / GIGABYTE:.1f} GB)") from error
    except READING_ERRORS as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{name}: cannot be read as {expected or 'a table'}: {said}") from error


def format_of(name: str) -> str | None:
    """The format that a file's name says, if it says one."""
    ending = re.sub(r"(\.gz|\.zip|\.tar|\.tgz)+$", "", name.lower()).rsplit(".", 1)[-1]
    form = {"txt": "tsv", "pq": "parquet"}.get(ending, ending)
    return form if form in READERS else None


def _no_format(name: str) -> str:
    """Why a file without a format cannot be read, and the cure."""
    if name.lower().endswith(SPREADSHEETS):
        return "a spreadsheet; expected a table as text: save its sheet as CSV UTF-8"
    return f"the name says no format; set sources.profiles.format to one of {', '.join(READERS)}"


def _check_beginning(content: BinaryIO, name: str, expected: str | None, others: dict[bytes, str]) -> None:
    start = content.read(64).lstrip().lower()
    content.seek(0)
    if not start:
        raise ValueError("No columns to parse, the file is empty")
    for beginning, what in others.items():
        if start.startswith(beginning):
            raise InputError(f"{name}: expected {expected or 'a table'}, found {what}")


def _content(path: Path, name: str, member: str | None) -> tuple[BinaryIO, str]:
    """A file as a stream, unpacked where its name says so, and the name of what was packed.

    Archives are read in memory: nothing is written anywhere.
    """
    _check_size(name, path.stat().st_size)
    ending = path.name.lower()
    if ending.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            inside = _chosen(name, [entry for entry in archive.namelist() if not entry.endswith("/")], member)
            with archive.open(inside) as packed:
                return _unpacked(packed, inside, name), inside
    if ending.endswith((".tar", ".tar.gz", ".tgz")):
        with tarfile.open(path) as tar:
            inside = _chosen(name, [entry.name for entry in tar.getmembers() if entry.isfile()], member)
            return _unpacked(tar.extractfile(inside), inside, name), inside
    if ending.endswith(".gz"):
        with path.open("rb") as file:
            return _unpacked(file, path.name, name), path.name
    return path.open("rb"), path.name


def _unpacked(packed: Any, inside: str, name: str) -> BinaryIO:
    """The content of a packed file, read piece by piece: a small file may unpack to more than the machine holds."""
    stream = gzip.GzipFile(fileobj=packed) if inside.lower().endswith(".gz") else packed
    content = io.BytesIO()
    while piece := stream.read(PIECE):
        _check_size(name, content.write(piece) and content.tell())
    content.seek(0)
    return content


def _check_size(name: str, size: float) -> None:
    if size > memory() / SHARE_OF_MEMORY:
        raise InputError(
            f"{name}: too large for this machine, more than {memory() / SHARE_OF_MEMORY / GIGABYTE:.1f} GB of its "
            f"{memory() / GIGABYTE:.1f} GB of memory once unpacked; expected a smaller table"
        )


def _chosen(name: str, entries: list[str], member: str | None) -> str:
    """The file of an archive to be read; one that would leave its folder is refused, though nothing is unpacked."""
    for entry in entries:
        inside = PurePosixPath(entry.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts:
            raise InputError(f"{name}: the archive's file {entry!r} leaves its folder; such archives are not read")
    entries = [entry for entry in entries if not PurePosixPath(entry).name.startswith("._")]  # a Mac adds these
    if not entries:
        raise InputError(f"{name}: the archive holds no file; expected one with the table")
    if member is None and len(entries) == 1:
        return entries[0]
    listed = ", ".join(map(repr, sorted(entries)[:5]))
    if member is None:
        raise InputError(f"{name}: the archive holds {len(entries)} files ({listed}); set sources.profiles.member")
    if member not in entries:
        raise InputError(
            f"{name}: no file {member!r} among the {len(entries)} of the archive ({listed}); set "
            "sources.profiles.member to one of them"
        )
    return member


def _delimited(content: BinaryIO, name: str, text: set[str], separator: str) -> tuple[pd.DataFrame, None]:
    data = content.read()
    encoding = _encoding(data)
    header = _check_rows(name, io.TextIOWrapper(io.BytesIO(data), encoding, newline=""), separator)
    missing = {column: MISSING_TEXT if column in text else MISSING_NUMBERS for column in header}
    options: dict[str, Any] = {"sep": separator, "encoding": encoding, "index_col": False, "low_memory": False}
    options |= {"float_precision": "round_trip", "keep_default_na": False, "na_values": missing}
    table = pd.read_csv(io.BytesIO(data), dtype=dict.fromkeys(text, str), **options)
    empty = table.isna().all(axis=1)  # as Excel leaves them below a table
    return (table[~empty].reset_index(drop=True) if empty.any() else table), None


def _encoding(content: bytes) -> str:
    """UTF-8 where the bytes are, else what Excel on Windows writes (latin-1 with dashes and curly quotes)."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _check_rows(name: str, lines: Iterable[str], separator: str) -> list[str]:
    """The header. Rows with more or fewer fields are refused: pandas would cut them, or fill in missing values."""
    rows = (row for row in csv.reader(lines, delimiter=separator) if "".join(row).strip())
    header = next(rows, [])
    _check_header(name, header, separator)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InputError(f"{name}: {_wrong_width(number, row, header)}")
    return header


def _wrong_width(number: int, row: list[str], header: list[str]) -> str:
    """What is wrong with a row that is longer or shorter than the header, and what the cause may be."""
    said = f"row {number} has {len(row)} fields; expected {len(header)}, as in the header"
    if len(header) == 1:
        return f"{said}, which is {header[0][:40]!r}; delete lines above the columns' names"
    return f"{said}; is a quotation mark not closed?" if any("\n" in field for field in row) else said


def _check_once(name: str, columns: list[str]) -> None:
    for column, times in Counter(columns).items():
        if times > 1:
            raise InputError(f"{name}: duplicate column {str(column)!r} ({times} times); expected every name once")


def _check_header(name: str, header: list[str], separator: str) -> None:
    _check_once(name, header)
    for other, word in ((";", "semicolon"), ("\t", "tab"), (",", "comma")):
        if len(header) == 1 and other != separator and other in str(header[0]):
            kind = {"\t": "tsv", ",": "csv"}.get(other)
            advice = f"set sources.profiles.format: {kind}" if kind else "write it with commas or tabs"
            raise InputError(f"{name}: looks {word}-delimited, found one column; {advice}")


def _parquet(content: BinaryIO, name: str, text: set[str]) -> tuple[pd.DataFrame, None]:
    file = pq.ParquetFile(content)
    shape, pandas = file.metadata, json.loads((file.schema_arrow.metadata or {}).get(b"pandas", b"{}"))
    if (levels := len(pandas.get("column_indexes", []))) > 1:
        raise InputError(f"{name}: its columns have {levels} levels of names; write them with one, joined by _")
    _check_size(name, 8 * shape.num_rows * shape.num_columns)
    content.seek(0)
    table = read_parquet(content)
    named = [level for level in table.index.names if level is not None]  # an index of pandas, often of ids
    return (table.reset_index(named) if named else table), None


def _gctx(content: BinaryIO, name: str, text: set[str]) -> tuple[pd.DataFrame, list[str]]:
    """GCTX (HDF5): profiles are its columns, features its rows. Read in float64, which cmapPy does not."""
    with h5py.File(content) as file:
        _check_own(file)
        for place in ("0/DATA/0/matrix", "0/META/ROW/id", "0/META/COL"):
            if place not in file:
                raise ValueError(f"it has no {place}, as every GCTX has")
        _check_size(name, 8 * file["0/DATA/0/matrix"].size)
        matrix = file["0/DATA/0/matrix"][...]  # HDF5 keeps it transposed
        features = _strings(file["0/META/ROW/id"]).astype(str)
        columns = file["0/META/COL"]
        metadata = pd.DataFrame({name: _strings(columns[name]) for name in columns})
    return _joined(metadata, pd.DataFrame(matrix, columns=features))


def _check_own(file: h5py.File) -> None:
    """Refuse an HDF5 file that takes its data from another file: whoever wrote it chose which of the reader's."""

    def foreign_link(place: str, link: object) -> str | None:
        """The place of a link to another file, else None."""
        return place if isinstance(link, h5py.ExternalLink) else None

    def foreign_storage(place: str, item: object) -> str | None:
        """The place of a data set whose numbers lie in another file, else None."""
        return place if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual) else None

    place = file.visititems_links(foreign_link) or file.visititems(foreign_storage)  # the first that is not None
    if place:
        raise ValueError(f"{place} has its data in another file; such files are not read")


def _strings(dataset: h5py.Dataset) -> np.ndarray:
    return dataset.asstr()[...] if h5py.check_string_dtype(dataset.dtype) else dataset[...]


def _gct(content: BinaryIO, name: str, text: set[str]) -> tuple[pd.DataFrame, list[str]]:
    """GCT 1.2 and 1.3: profiles are its columns, features its rows, under rows of metadata of the profiles.

    NA is a missing value in it, of metadata too, as its other readers and writers have it.
    """
    data = content.read()
    lines = data.decode(_encoding(data)).split("\n")
    n_rows, n_columns, n_left, n_above = _gct_sizes(lines)
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
    metadata.columns = pd.Index(["id", *table.iloc[1 : 1 + n_above, 0]])
    values = profiles.iloc[1 + n_above :].T.reset_index(drop=True)
    values.columns = pd.Index(table.iloc[1 + n_above :, 0].to_numpy())
    missing = {"": None, "NA": None, "NaN": None}
    return _joined(metadata.replace(missing), values.replace(missing).apply(_numbers))


def _gct_sizes(lines: list[str]) -> tuple[int, int, int, int]:
    """Features, profiles, columns of metadata, rows of metadata: from the first two lines."""
    version = lines[0].strip()
    if version not in ("#1.2", "#1.3"):
        raise ValueError(f"the first line is {version[:20]!r}; expected #1.2 or #1.3")
    sizes = lines[1].split() if len(lines) > 1 else []
    count = 4 if version == "#1.3" else 2
    if len(sizes) != count or not all(size.isdecimal() for size in sizes):
        raise ValueError(f"its second line is {' '.join(sizes)[:20]!r}; expected {count} numbers, its rows and columns")
    n_rows, n_columns, n_left, n_above = [*map(int, sizes), 1, 0][:4]
    return n_rows, n_columns, n_left, n_above


def _numbers(column: pd.Series) -> pd.Series:
    """A column of numbers where all of it is numbers; else as it is, for the contract to refuse with its row."""
    try:
        return column.astype(float)
    except (ValueError, TypeError):
        return column


def _h5ad(content: BinaryIO, name: str, text: set[str]) -> tuple[pd.DataFrame, list[str]]:
    """AnnData: profiles are its observations; the index of obs is called `id` here."""
    with h5py.File(content) as file:
        _check_own(file)
        if "X" in file:
            shape = file["X"].shape if isinstance(file["X"], h5py.Dataset) else file["X"].attrs.get("shape", [0])
            _check_size(name, 8.0 * np.prod(np.asarray(shape, float)))
        data = read_elem(file)
    if getattr(data, "X", None) is None:
        raise ValueError("it is no AnnData with X, the matrix of profiles")
    matrix = data.X.toarray() if hasattr(data.X, "toarray") else data.X
    features = pd.DataFrame(matrix, columns=data.var_names.to_numpy(str))
    metadata = data.obs.reset_index(drop=True).assign(**({} if "id" in data.obs else {"id": data.obs_names}))
    return _joined(metadata, features)


def _joined(metadata: pd.DataFrame, features: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    if len(metadata) != len(features):
        raise ValueError(f"{len(features)} profiles, but metadata of {len(metadata)}")
    metadata = metadata.drop(columns=[column for column in metadata if column in features])
    return pd.concat([metadata, features], axis=1), list(features)


READERS: dict[str, Callable[[BinaryIO, str, set[str]], tuple[pd.DataFrame, list[str] | None]]] = {
    "csv": partial(_delimited, separator=","),
    "tsv": partial(_delimited, separator="\t"),
    "parquet": _parquet,
    "gctx": _gctx,
    "gct": _gct,
    "h5ad": _h5ad,
}


def read_source(paths: list[str], source: dict, columns: dict[str, str]) -> tuple[pd.DataFrame, Origin]:
    """The tidy table of all files of a source, and where its rows came from.

    A row that repeats another in every column, in its file or another, is left out, with a warning that counts them.

    Parameters
    ----------
    paths : the files
    source : as in the config, but for `checksum`, a list with that of each file (None: unknown)
    columns : as in the config

    Raises InputError where a file is not as the config says, the files differ in their columns (in their roles, where
    `join` is inner), or a well has two rows that differ.
    """
    names = {role: columns.get(role) or role for role in ROLES}
    tables, checksums = {}, source.get("checksum") or [None] * len(paths)
    for path, name, checksum in zip(paths, _names(paths), checksums, strict=True):
        if (checksum or len(paths) == 1) and Path(path).is_file():  # what is no file, the reader refuses
            verify(path, checksum)
        options: dict[str, Any] = {"member": source.get("member"), "text": set(names.values()), "called": name}
        table, features = read_profiles(path, source.get("format"), **options)
        tables[name] = tidy(table, columns, features, source=name)
    if source.get("join") == "inner":
        tables = _common_features(tables)
    first = next(iter(tables))
    for name, table in tables.items():
        _check_columns(tables[first], table, first, name)
    origin = Origin.of({name: len(table) for name, table in tables.items()})
    table = tables[first].reset_index(drop=True)
    if len(tables) > 1:
        table = pd.concat(tables.values(), ignore_index=True)
        logging.info("%d files, %d rows", len(tables), len(table))
    return _each_once(table, origin)


def _names(paths: list[str]) -> list[str]:
    """What to call each file in an error: its name, or the whole path where two have the same name."""
    names = [Path(path).name for path in paths]
    return names if len(set(names)) == len(names) else list(map(str, paths))


def _common_features(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables with the features that all of them have."""
    shared = set.intersection(*(set(table) for table in tables.values()))
    everything = set().union(*tables.values())
    features = {str(column) for column in everything if column not in ROLES}
    left_out = len(features - shared)
    if left_out:
        logging.warning(
            "%d of %d features are not in every file and are left out (sources.profiles.join: inner)",
            *(left_out, len(features)),
        )
    return {
        name: table[[column for column in table if column in shared or column in ROLES]]
        for name, table in tables.items()
    }


def _check_columns(first: pd.DataFrame, table: pd.DataFrame, first_name: str, name: str) -> None:
    different = sorted(set(first.columns).symmetric_difference(table.columns), key=str)
    if different:
        column = different[0]
        there, gone = (first_name, name) if column in first else (name, first_name)
        roles = any(column in ROLES for column in different)
        cure = "" if roles else "; sources.profiles.join: inner keeps the features that all files have"
        raise InputError(f"{name}: {len(different)} columns differ: {column!r} is in {there} but not in {gone}{cure}")


def _each_once(table: pd.DataFrame, origin: Origin) -> tuple[pd.DataFrame, Origin]:
    """Drop the rows that repeat another in every column; rows of one well that differ are refused."""
    repeated = _repeated(table)
    if {"plate", "well"} <= set(table):
        wells = table.loc[~repeated, ["plate", "well"]].dropna()
        again = wells.index[wells.duplicated()]
        if len(again):
            raise InputError(_two_rows(table, origin, again[0], repeated))
    if not repeated.any():
        return table, origin
    logging.warning(
        "%d of %d rows repeat another row, number for number, and are left out (the first: row %d of %s)",
        *(repeated.sum(), len(table), *reversed(origin.place(int(repeated.argmax())))),
    )
    return table[~repeated].reset_index(drop=True), origin.kept(~repeated)


def _repeated(table: pd.DataFrame) -> np.ndarray:
    """Which rows repeat an earlier one in every column: (n,) booleans."""
    n_roles = sum(column in ROLES for column in table)
    # in the first columns, where few rows are alike; the others need not be compared in a very wide table
    alike = table.iloc[:, : n_roles + LEAST_FEATURES].duplicated(keep=False).to_numpy()
    repeated = np.zeros(len(table), dtype=bool)
    repeated[alike] = pd.util.hash_pandas_object(table[alike], index=False).duplicated()
    return repeated


def _two_rows(table: pd.DataFrame, origin: Origin, position: int, repeated: np.ndarray) -> str:
    plate, well = table.loc[position, ["plate", "well"]]
    same = (table["plate"] == plate) & (table["well"] == well) & ~repeated
    first = int(same.to_numpy().argmax())
    both = table.iloc[[first, position]]
    column = next((name for name in both if not both[name].duplicated(keep=False).all()), "a zero's sign")
    (file, row), (other, other_row) = origin.place(position), origin.place(first)
    return (
        f"{file}: row {row} and row {other_row} of {other} are both plate {plate!r}, well {well!r}, and differ in "
        f"{column!r}; expected one row per well (columns.plate, columns.well)"
    )
