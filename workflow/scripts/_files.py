"""Reading and writing the files of a run. Every table goes through here, so all are written one way."""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from scipy.spatial.distance import squareform

import _job  # noqa: F401 (it puts the package's folder on the path)
from moamap.connections.distances import scores_of
from moamap.connections.neighbours import Connections, Neighbours
from moamap.core.arrays import load_arrays
from moamap.core.errors import InputError
from moamap.core.names import TEXT_COLUMNS
from moamap.core.numerics import squared_euclidean
from moamap.core.tables import read_parquet, write_parquet

ENCODINGS = dict.fromkeys([pa.int16(), pa.int32()], "DELTA_BINARY_PACKED") | {pa.float32(): "BYTE_STREAM_SPLIT"}
PAIR_COLUMNS = ("distance", "association")
AGAIN = "delete it and run again"
PAIRS = 2**21  # pairs of drugs that are read at a time
PACKED = 2**18  # pairs of drugs that are compressed at a time
GZIP_LEVEL = 4  # 3% larger than 9 and five times as fast
FORMULA = re.compile(r"'*[=+\-@\t\r]")  # how a cell begins that a spreadsheet runs, or that `write_table` made of one


def read_table(path: str, drugs: pd.DataFrame | None = None) -> pd.DataFrame:
    """A table of a run as Parquet, CSV or TSV (plain or gzipped), by the ending of its name.

    In a CSV the columns of `TEXT_COLUMNS` are text, whatever they look like, and only an empty cell is missing.

    Parameters
    ----------
    drugs : the drug index (`read_index`) where the table has one row per drug, to be checked against it

    Raises InputError where the file is damaged or cut off, or its rows are not the drugs.
    """
    try:
        table = read_parquet(path) if str(path).endswith(".parquet") else _read_text(path)
    except (OSError, EOFError, ValueError, KeyError) as error:  # pandas' and pyarrow's errors are among these
        raise InputError(f"{path}: cannot be read as a table ({_first_line(error)}); {AGAIN}") from error
    if drugs is not None:
        _check_drugs(table, drugs, path)
    return table


def _read_text(path: str) -> pd.DataFrame:
    content = Path(path).read_bytes()
    plain = str(path).removesuffix(".gz")
    content = gzip.decompress(content) if plain != str(path) else content
    if not content.endswith(b"\n"):
        raise ValueError("the last line is cut off")
    options: dict[str, Any] = {"sep": "\t" if plain.endswith((".tsv", ".txt")) else ",", "index_col": False}
    options |= {"keep_default_na": False, "na_values": [""], "float_precision": "round_trip", "low_memory": False}
    table = pd.read_csv(io.BytesIO(content), dtype=dict.fromkeys(TEXT_COLUMNS, str), **options)
    return _with_text(table, _unescaped)


def read_index(path: str) -> pd.DataFrame:
    """The drugs of the study, in the order of every table: pert_id, pert_iname, moa; the row is a drug's index."""
    return read_unlabelled(path).drop(columns="index")


def _check_drugs(table: pd.DataFrame, drugs: pd.DataFrame, path: str) -> None:
    """Raise InputError unless the rows of a table are the drugs, in their order."""
    if len(table) != len(drugs):
        raise InputError(f"{path}: {len(table)} rows, expected {len(drugs)}, one per drug; {AGAIN}")
    # in a table of profiles "drug" may be a feature
    column = next((name for name in ("pert_iname", "drug") if name in table), None)
    if column is None:
        return
    found, expected = table[column].astype(object).to_numpy(), drugs["pert_iname"].astype(object).to_numpy()
    other = np.flatnonzero(found != expected)
    if len(other):
        row = other[0]
        raise InputError(f"{path}: row {row + 1} is drug {found[row]!r}, expected {expected[row]!r}; {AGAIN}")


def read_hub(path: str, columns: list[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """A file of the Drug Repurposing Hub: tab-separated with comment lines that begin with `!`, in latin-1, or in
    UTF-8 where it has been saved again.

    Every cell is text; an empty one is missing. Of the `optional` columns it gives those that are there. Raises
    InputError, in one line, where the file is another.
    """
    name = Path(path).name
    lines = _hub_text(Path(path).read_bytes(), name).split("\n")  # and not at \x85, a letter of other code pages
    table = (line.rstrip("\r") for line in lines if not line.startswith("!"))
    rows = [row for row in csv.reader(table, delimiter="\t") if any(row)]
    if not rows:
        raise InputError(f"{name}: the file is empty; expected the Drug Repurposing Hub's table, tab-separated")
    header, *rows = rows
    for column in columns:
        if column not in header:
            raise InputError(f"{name}: no column {column!r}; found {', '.join(header[:5])[:80]} (tab-separated)")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InputError(f"{name}: row {number} has {len(row)} fields; expected {len(header)}, as in the header")
    found = pd.DataFrame(rows, columns=header, dtype=object)[[*columns, *(name for name in optional if name in header)]]
    return found.where(found != "", None)


def _hub_text(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{name}: expected the Drug Repurposing Hub's table, found text in UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def write_table(table: pd.DataFrame, path: str, *, simulated: bool) -> None:
    """Write Parquet or CSV by the ending of the name, the same bytes for the same table.

    A table of simulated data says so in a last column. In a CSV, text that a spreadsheet would run (it begins with
    `=`, `+`, `-`, `@`, a tab or a carriage return) is written with an apostrophe before it; `read_table` takes it away.
    """
    if simulated:
        table = table.assign(data="simulated")
    if str(path).endswith(".parquet"):
        write_parquet(table, path)
    else:
        compression = {"method": "gzip", "compresslevel": GZIP_LEVEL, "mtime": 0} if str(path).endswith(".gz") else None
        safe = _with_text(table, _escaped)
        safe.to_csv(path, index=False, compression=compression, lineterminator="\n")


def _with_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The table with its text, cells and column names, changed where any of it begins like a formula."""
    changed = table.copy(deep=False)
    for column in table.select_dtypes(["object", "string", "category"]):
        values = table[column].drop_duplicates()
        new = {value: change(value) for value in values if isinstance(value, str) and FORMULA.match(value)}
        if new:
            changed[column] = table[column].astype(object).map(lambda value, new=new: new.get(value, value))
    return changed.rename(columns=lambda name: change(name) if isinstance(name, str) else name)


def _escaped(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


def _unescaped(text: str) -> str:
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def is_simulated(job: Any) -> bool:
    """Whether the data set of a job is simulated."""
    return "simulation" in job.config


def write_json(content: dict, path: str) -> None:
    """Write JSON, indented, with a final newline."""
    Path(path).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: str) -> dict:
    """Read JSON; InputError where the file is damaged or cut off."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: cannot be read as JSON ({_first_line(error)}); {AGAIN}") from error


def read_unlabelled(path: str, drugs: pd.DataFrame | None = None) -> pd.DataFrame:
    """A table of this run without the label that `write_table` adds to simulated data; a feature so called stays.

    `drugs` as in `read_table`: where it is given, the rows must be the drugs of the index.
    """
    table = read_table(path, drugs)
    labelled = "data" in table and not pd.api.types.is_numeric_dtype(table["data"])
    return table.drop(columns="data") if labelled else table


def read_drugs(path: str, drugs: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of drug profiles as (ids, features), without the label that `write_table` adds to simulated data."""
    table = read_unlabelled(path, drugs)
    return table.iloc[:, :3], table.iloc[:, 3:]


def read_embedding(path: str, index: str) -> np.ndarray:
    """A representation's embedding, (n, d), whose rows are checked against the drug index."""
    return read_unlabelled(path, read_index(index)).drop(columns="drug").to_numpy(float)


def write_neighbours(neighbours: Neighbours, path: str, *, simulated: bool) -> None:
    """Write the nearest drugs as a table: drug, rank, neighbour, distance, association."""
    n, k = neighbours.index.shape
    columns = {
        "drug": np.repeat(np.arange(n, dtype=np.int32), k),
        "rank": np.tile(np.arange(1, k + 1, dtype=np.int16), n),
    }
    columns |= {"neighbour": neighbours.index.ravel(), "distance": neighbours.distance.ravel()}
    _write_pairs([pa.table(columns | {"association": neighbours.association.ravel()})], path, simulated=simulated)


def read_neighbours(path: str, drugs: pd.DataFrame | None = None) -> Neighbours:
    """The nearest drugs of each drug; their number is checked where `drugs` is given.

    Raises InputError where the file is damaged or cut off, or is of other drugs.
    """
    columns = _pair_columns([path], ["drug", "neighbour", "distance", "association"])
    n = int(columns["drug"][-1]) + 1 if len(columns["drug"]) else 0
    if drugs is not None and n != len(drugs):
        raise InputError(f"{path}: neighbours of {n} drugs, expected {len(drugs)}; {AGAIN}")
    return Neighbours(*(columns[name].reshape(n, -1) for name in ("neighbour", "distance", "association")))


def write_connections(pairs: Iterable[Connections], path: str, *, simulated: bool) -> None:
    """Write pairs of drugs as a table, as they come: drug_1, drug_2 (rows of the index), distance, association."""
    _write_pairs((pa.table(some._asdict()) for some in pairs), path, simulated=simulated)


def read_distances(files: Sequence[str] | str, drugs: pd.DataFrame | None = None) -> np.ndarray:
    """The condensed distances of a connections table, (n (n - 1) / 2,) float32, from its file or its blocks in order.

    Their number is checked where `drugs` is given. Raises InputError where a file is damaged or cut off, or there is
    another number of pairs.
    """
    files = [files] if isinstance(files, str | Path) else list(files)
    distance = _pair_columns(files, ["distance"])["distance"]
    if drugs is not None:
        _check_pairs(files, len(distance), drugs)
    return distance


def read_square(files: Sequence[str] | str, drugs: pd.DataFrame) -> np.ndarray:
    """Distances (n, n) of all drugs, from a connections table or, where there is none, squared from an embedding."""
    files = [files] if isinstance(files, str | Path) else list(files)
    if files[0].endswith("embedding.parquet"):
        return squared_euclidean(read_unlabelled(files[0], drugs).drop(columns="drug").to_numpy(float))
    return squareform(read_distances(files, drugs).astype(float))


def read_connections(files: Sequence[str], drugs: pd.DataFrame) -> Connections:
    """All pairs of drugs, as `read_distances` reads their distances."""
    pairs = Connections(**_pair_columns(files, list(Connections._fields)))
    _check_pairs(files, len(pairs.distance), drugs)
    return pairs


def stream_connections(files: Sequence[str], drugs: pd.DataFrame) -> Iterator[Connections]:
    """All pairs of drugs, some at a time; errors as of `read_distances`."""
    found, names = 0, list(Connections._fields)
    for path in files:
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(PAIRS, columns=names, use_threads=False):
                    found += len(batch)
                    yield Connections(*(batch.column(name).to_numpy() for name in names))
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path}: cannot be read as a table ({_first_line(error)}); {AGAIN}") from error
    _check_pairs(files, found, drugs)


def _check_pairs(files: Sequence[str], found: int, drugs: pd.DataFrame) -> None:
    expected = len(drugs) * (len(drugs) - 1) // 2
    if found != expected:
        raise InputError(f"{files[0]}: {found} rows, expected {expected}, one per pair of drugs; {AGAIN}")


def write_named(pairs: Connections, drugs: Sequence[str], path: str, *, simulated: bool, n_threads: int) -> None:
    """Write pairs of drugs by name as a gzipped CSV, seven times as fast as `write_table`, with what it does to text.

    Pieces of a fixed size are compressed each by one thread, so the bytes are the same for any number of them.
    """
    names = pa.array([_escaped(name) for name in drugs])

    def packed(start: int) -> bytes:
        some = Connections(*(column[start : start + PACKED] for column in pairs))
        named = {"drug_1": names.take(pa.array(some.drug_1)), "drug_2": names.take(pa.array(some.drug_2))}
        label = {"data": ["simulated"] * len(some.distance)} if simulated else {}
        content, options = io.BytesIO(), pa_csv.WriteOptions(include_header=start == 0, quoting_header="none")
        pa_csv.write_csv(pa.table(some._asdict() | named | label), content, options)
        return gzip.compress(content.getvalue(), GZIP_LEVEL, mtime=0)

    with Path(path).open("wb") as file, ThreadPoolExecutor(n_threads) as pool:
        file.writelines(pool.map(packed, range(0, len(pairs.distance), PACKED)))


def read_rows(files: Sequence[str], drugs: pd.DataFrame, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances and association scores of some drugs to all, (n_rows, n) each, from a connections table or, where there
    is none, from an embedding and the distribution of its distances. Of a drug with itself both are 0.
    """
    if not files[0].endswith("embedding.parquet"):
        columns = (_pair_columns(files, [name])[name] for name in PAIR_COLUMNS)  # one at a time
        distance, association = (_of_rows(column, len(drugs), rows) for column in columns)
        return distance, association
    x = read_unlabelled(files[0], drugs).drop(columns="drug").to_numpy(float)
    distance = np.stack([np.sqrt(np.square(x - x[row]).sum(axis=1)) for row in rows]).astype(np.float32)
    return distance, scores_of(distance, **load_arrays(files[1], "values", "counts"))


def _of_rows(condensed: np.ndarray, n: int, rows: np.ndarray) -> np.ndarray:
    others = np.arange(n)
    found = np.zeros((len(rows), n), condensed.dtype)
    for row, values in zip(rows, found, strict=True):
        first, second = np.minimum(row, others), np.maximum(row, others)
        place = first * (2 * n - first - 1) // 2 + second - first - 1
        values[others != row] = condensed[place[others != row]]
    return found


def _write_pairs(parts: Iterable[pa.Table], path: str, *, simulated: bool) -> None:
    """Rising integers as their differences, floats by bytes: less than half the size, and as fast to write."""
    writer = None
    try:
        for part in parts:
            if simulated:
                part = part.append_column(
                    "data", pa.DictionaryArray.from_arrays(np.zeros(len(part), np.int32), ["simulated"])
                )
            if writer is None:
                encoding = {field.name: ENCODINGS[field.type] for field in part.schema if field.name != "data"}
                options = {"use_dictionary": ["data"] * simulated or False, "column_encoding": encoding}
                writer = pq.ParquetWriter(path, part.schema, compression="zstd", **options)
            writer.write_table(part)
    finally:
        if writer:
            writer.close()


def _pair_columns(files: Sequence[str], names: list[str]) -> dict[str, np.ndarray]:
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for path in files:
        try:
            table = pq.ParquetFile(path).read(columns=names, use_threads=False)
            for name in names:
                columns[name].append(table.column(name).to_numpy())
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path}: cannot be read as a table ({_first_line(error)}); {AGAIN}") from error
    return {name: parts[0] if len(parts) == 1 else np.concatenate(parts) for name, parts in columns.items()}


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
