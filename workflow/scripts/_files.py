"""Reading and writing the files of a run. Every table goes through here, so all are written one way."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

import _job  # noqa: F401 (it puts the package's folder on the path)
from moamap.core.errors import InputError


def read_table(path: str) -> pd.DataFrame:
    """A table as Parquet, CSV or TSV (plain or gzipped), by the ending of its name."""
    name = Path(path).name
    try:
        if name.endswith(".parquet"):
            return pd.read_parquet(path)
        separator = "\t" if name.removesuffix(".gz").endswith((".tsv", ".txt")) else ","
        return pd.read_csv(path, sep=separator, low_memory=False, float_precision="round_trip")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{name}: cannot be read as a table: {str(error).splitlines()[0]}") from error


def read_hub(path: str, columns: list[str]) -> pd.DataFrame:
    """A file of the Drug Repurposing Hub: tab-separated latin-1 with comment lines that begin with `!`."""
    table = pd.read_csv(path, sep="\t", comment="!", encoding="latin-1", dtype=str)
    for column in columns:
        if column not in table:
            raise InputError(f"{Path(path).name}: no column {column!r}; found {', '.join(table.columns[:5])}")
    return table[columns]


def write_table(table: pd.DataFrame, path: str, *, simulated: bool) -> None:
    """Write Parquet or CSV by the ending of the name, the same bytes for the same table.

    A table of simulated data says so in a last column.
    """
    if simulated:
        table = table.assign(data="simulated")
    if str(path).endswith(".parquet"):
        table.to_parquet(path, index=False)
    else:
        compression = {"method": "gzip", "mtime": 0} if str(path).endswith(".gz") else None
        table.to_csv(path, index=False, compression=compression, lineterminator="\n")


def is_simulated(job) -> bool:
    """Whether the data set of a job is simulated."""
    return "simulation" in job.config


def write_json(content: dict, path: str) -> None:
    """Write JSON, indented, with a final newline."""
    Path(path).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: str) -> dict:
    """Read JSON."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_unlabelled(path: str) -> pd.DataFrame:
    """A table of this run without the label that `write_table` adds to simulated data; a feature so called stays."""
    table = read_table(path)
    labelled = "data" in table and not pd.api.types.is_numeric_dtype(table["data"])
    return table.drop(columns="data") if labelled else table


def read_index(path: str) -> pd.DataFrame:
    """The drugs of the study, in the order of every table: pert_id, pert_iname, moa; the row is a drug's index."""
    return read_unlabelled(path).drop(columns="index")


def read_drugs(path: str, drugs: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of drug profiles as (ids, features), without the label that `write_table` adds to simulated data.

    Raises InputError unless its rows are the drugs of the index, where one is given.
    """
    table = read_unlabelled(path)
    if drugs is not None:
        _check_rows(path, table["pert_iname"], drugs)
    return table.iloc[:, :3], table.iloc[:, 3:]


def read_per_drug(path: str, drugs: pd.DataFrame) -> pd.DataFrame:
    """A table with a column `drug` and one row per drug; raises InputError unless its rows are those of the index."""
    table = read_unlabelled(path)
    _check_rows(path, table["drug"], drugs)
    return table


def _check_rows(path, names, drugs):
    """What two files must share is checked by the index: rows are never joined by their order alone."""
    if len(names) != len(drugs):
        raise InputError(f"{path}: {len(names)} rows; expected {len(drugs)}, one per drug; delete it and run again")
    other = names.to_numpy() != drugs["pert_iname"].to_numpy()
    if other.any():
        row = int(other.argmax())
        raise InputError(
            f"{path}: row {row + 1} is {names.iloc[row]!r}; expected {drugs['pert_iname'].iloc[row]!r}, as in "
            "profiles/drugs.parquet; delete it and run again"
        )


def read_distances(connections: str) -> np.ndarray:
    """The condensed distances of a connections table."""
    return pd.read_parquet(connections, columns=["distance"])["distance"].to_numpy()
