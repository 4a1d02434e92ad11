"""Tables with very many columns: a matrix is read as a matrix."""

import json
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

PIECE = 2**22  # numbers that are unpacked, or packed, at a time


def read_parquet(file: str | Path | BinaryIO) -> pd.DataFrame:
    """The same frame as `pd.read_parquet`, in time and memory that grow linearly with the number of columns.

    Under one thread pandas makes a block of every column and copies all of them when it joins the blocks (4.5 GB at
    32,000 columns of 300 rows). Here the float64 columns are put into one matrix, some at a time, and only the others
    go through pandas.

    Raises OSError or ValueError (pyarrow's errors are these) where the file is no Parquet file.
    """
    # pandas' and pyarrow's own readers guess further columns from folders named like `plate=1`: a file is only itself
    stored = pq.ParquetFile(file)
    schema, n_rows = stored.schema_arrow, stored.metadata.num_rows
    index = _index_columns(schema)
    matrix = [field.name for field in schema if pa.types.is_float64(field.type) and field.name not in index]
    if len(matrix) < 2 or len(set(schema.names)) < len(schema) or stored.metadata.num_columns != len(schema):
        return stored.read(use_threads=False).to_pandas(use_threads=False)
    values, together = np.empty((len(matrix), n_rows)), max(1, PIECE // max(1, n_rows))
    for start in range(0, len(matrix), together):
        names = matrix[start : start + together]
        piece = stored.read(names, use_threads=False).select(names)  # "a" is read with "a.b", as if nested
        for row, column in zip(values[start:], piece.columns, strict=False):
            row[:] = column.to_numpy()
    numbers = set(matrix)
    others = [name for name in schema.names if name not in numbers]
    frame = stored.read(others, use_threads=False).select(others).to_pandas(use_threads=False)
    features = pd.DataFrame(values.T, columns=matrix, index=frame.index, copy=False)
    joined, wanted = pd.concat([frame, features], axis=1), [name for name in schema.names if name not in index]
    return joined if list(joined) == wanted else joined[wanted]


def write_parquet(table: pd.DataFrame, path: str | Path) -> None:
    """The same table as `DataFrame.to_parquet` without an index writes, in row groups of limited size, so that no copy
    of the whole table is made.
    """
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    rows = max(1, PIECE // table.shape[1])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, max(1, len(table)), rows):
            piece = table.iloc[start : start + rows]
            writer.write_table(pa.Table.from_pandas(piece, schema, preserve_index=False, nthreads=1))


def _index_columns(schema: pa.Schema) -> set[str]:
    """The columns that pandas wrote as its index."""
    metadata = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    return {name for name in metadata.get("index_columns", []) if isinstance(name, str)}
