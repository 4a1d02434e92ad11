"""The files of a source, checked and read as one tidy table."""

import logging
from pathlib import Path

import pandas as pd

from moamap.border import tidy
from moamap.errors import InputError
from moamap.profiles import ROLES
from scripts.checksums import verify
from scripts.formats import read_profiles


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
