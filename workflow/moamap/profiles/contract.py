"""The contract: what a table of profiles must be, so that the rest of the package may trust it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
import pandas as pd

from moamap.core.errors import InputError, raise_first
from moamap.core.names import ID_COLUMNS, MISSING_LOOKALIKES, ROLES

LEAST_FEATURES = 3  # fewer leave nothing to learn a metric from
LARGEST = 1e150  # the squares of larger values, summed over rows, overflow: normalization would make them zeros
LARGEST_INTEGER = 2.0**53  # of a float
NO_FEATURE = "; if it is no feature, begin its name with Metadata_ or choose the features with columns.features"


def tidy(
    table: pd.DataFrame, columns: dict[str, str], features: Iterable[str] | None = None, *, source: str
) -> pd.DataFrame:
    """The columns of a table that the study uses, under its own names: roles first, as text, then the features.

    Parameters
    ----------
    columns : role -> column of the table, for those that are called otherwise; `features`, a regular expression
    features : names of the feature columns, where the format tells; else all columns but those of a role, Metadata_*
        and those without a name
    source : what to call the table in an error

    Raises InputError where a column that is asked for is not there.
    """
    for role in ROLES:
        if columns.get(role) and columns[role] not in table:
            raise InputError(f"{source}: no column {columns[role]!r} (columns.{role}){_nearest(columns[role], table)}")
    named = {role: columns.get(role) or role for role in ROLES if (columns.get(role) or role) in table}
    if "pert_id" not in named:
        raise InputError(f"{source}: no column 'pert_id'; the first columns are {_first(table)}; set columns.pert_id")
    chosen = _feature_columns(table, set(named.values()), columns.get("features"), features, source)
    roles = pd.DataFrame({role: _text(table[column]) for role, column in named.items()})
    return pd.concat([roles, table[chosen]], axis=1)


def _feature_columns(
    table: pd.DataFrame, taken: set[str], pattern: str | None, known: Iterable[str] | None, source: str
) -> list[str]:
    taken = taken | set(ROLES)  # a column called pert_id is no feature where another is taken for the role
    known = set(table.columns if known is None else known)
    candidates = [column for column in table if column in known and column not in taken]
    if pattern is None:
        # pandas and R write row names, and pandas reads them, as a column without a name
        return [column for column in candidates if not str(column).startswith(("Metadata_", "Unnamed: "))]
    try:
        chosen = [column for column in candidates if re.search(pattern, str(column))]
    except re.error as error:
        raise InputError(f"columns.features {pattern!r} is no regular expression: {error}") from error
    if not chosen:
        raise InputError(
            f"{source}: no column fits columns.features {pattern!r}; the first columns are {_first(table)}"
        )
    return chosen


def _text(column: pd.Series) -> pd.Series:
    """Text, without spaces around it; what is missing or empty stays missing."""
    if pd.api.types.is_float_dtype(column) and _whole(column.dropna()):
        column = column.astype("Int64")  # whole numbers with one missing: the id 7 is "7", not "7.0"
    text = column.astype("string").str.strip()
    return text.mask(text == "").astype(object).where(text.notna() & (text != ""), None)


def _whole(numbers: pd.Series) -> bool:
    return bool((numbers % 1 == 0).all() and (numbers.abs() < LARGEST_INTEGER).all())


def _nearest(name: str, table: pd.DataFrame) -> str:
    near = get_close_matches(name, map(str, table.columns), n=1, cutoff=0.7)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {_first(table)}, ..."


def _first(table: pd.DataFrame) -> str:
    """The first columns for an error, which is one line whatever they are called."""
    return ", ".join(" ".join(str(column).split()) for column in table.columns[:4])


def check(table: pd.DataFrame, *, controls: Iterable = (), one_row_each: bool, source: "str | Origin") -> None:
    """Raise InputError with the first of `contract_problems`, if there is one."""
    raise_first(contract_problems(table, controls=controls, one_row_each=one_row_each, source=source))


def contract_problems(
    table: pd.DataFrame, *, controls: Iterable = (), one_row_each: bool, source: "str | Origin"
) -> Iterator[str]:
    """Every reason why a tidy table breaks its contract, one line each: file, column, row and what was expected.

    Parameters
    ----------
    controls : values of the column `control` that mark a control; only controls may do without a pert_id
    one_row_each : whether a pert_id may have one row only (it may have more where wells become drugs)
    source : what to call the table, or the files that its rows came from
    """
    origin = source if isinstance(source, Origin) else Origin.of({source: len(table)})
    features = [column for column in table if column not in ROLES]
    if table.empty or len(features) < LEAST_FEATURES:
        yield f"{origin}: {len(table)} rows x {len(features)} features; expected at least 1 x {LEAST_FEATURES}"
        return
    drugs = ~is_control(table, controls).to_numpy()
    ids = table["pert_id"]
    nameless = ids.isna().to_numpy() & drugs
    expected = "a pert_id"
    if controls and drugs.all() and "control" in table:
        found = ", ".join(repr(value) for value in sorted(table["control"].dropna().unique())[:5])
        expected += f", or a value of wells.controls in 'control', which has {found}"
    yield from _problem(origin, "pert_id", ids, nameless, expected)
    if one_row_each:
        again = (ids.where(drugs).duplicated() & ids.notna()).to_numpy() & drugs
        yield from _problem(
            origin, "pert_id", ids, again, "each pert_id once; `wells:` in the config makes one row of many"
        )
    for name in features:
        yield from _number_problems(origin, name, table[name])  # of controls too, whose features are used like any


def _number_problems(origin: "Origin", name: str, column: pd.Series) -> Iterator[str]:
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu"
    if plain and not (np.abs(column.to_numpy(float)) > LARGEST).any():
        return  # as nearly every one of very many columns
    if pd.api.types.infer_dtype(column) == "boolean":  # a flag (hit or not), which would count as a feature of 0 and 1
        yield from _problem(origin, name, column, column.notna().to_numpy(), "a number" + NO_FEATURE)
        return
    numeric = pd.api.types.is_numeric_dtype(column)
    numbers = column if numeric else pd.to_numeric(column.astype(object), errors="coerce")
    wrong = (column.notna() & numbers.isna()).to_numpy()  # missing values are for normalization.bad_features
    if wrong.any():
        expected = "a number"
        if column.astype(str).str.fullmatch(r"-?\d+,\d+").any():
            expected += " (with a point, not a decimal comma)"
        elif numbers.isna().all():
            expected += NO_FEATURE
        yield from _problem(origin, name, column, wrong, expected)
    values = np.abs(numbers.to_numpy(float, na_value=np.nan))
    huge = (values > LARGEST) & np.isfinite(values)
    yield from _problem(origin, name, numbers, huge, f"a magnitude up to {LARGEST:g}, whose square can be computed")


def _problem(origin: "Origin", name: str, column: pd.Series, wrong: np.ndarray, expected: str) -> Iterator[str]:
    """The first row of a column that is wrong, as one line."""
    if wrong.any():
        position = int(wrong.argmax())
        value = column.iloc[position]
        shown = repr(value.item() if isinstance(value, np.generic) else value)
        file, row = origin.place(position)
        yield f"{file}: column {name!r}, row {row}: {shown[:100]}; expected {expected}"


def with_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """A tidy table that keeps its contract, with every feature as float64 (in one matrix: there may be very many)."""
    roles = [column for column in table if column in ROLES]
    features = [column for column in table if column not in ROLES]
    values = np.empty((len(features), len(table)))
    for row, name in zip(values, features, strict=True):
        row[:] = table[name].astype(float)
    numbers = pd.DataFrame(values.T, columns=features, index=table.index, copy=False)
    return pd.concat([table[roles], numbers], axis=1)


def contract_notes(table: pd.DataFrame) -> list[str]:
    """What a reader should know of a tidy table: ids, names and MoAs that look like a missing value, and are text."""
    notes = []
    for role in ID_COLUMNS:
        if role in table:
            like = table.loc[table[role].str.lower().isin(MISSING_LOOKALIKES), role]
            for value, rows in like.value_counts().items():
                taken = f"column {role!r}: {value!r} in {rows} rows is taken as text"
                notes.append(f"{taken}; leave the cell empty where it is missing")
    return notes


@dataclass(frozen=True)
class Origin:
    """Where the rows of a table came from.

    Parameters
    ----------
    files : names of the files
    file : (n,) number of each row's file
    row : (n,) its row in that file, counted from 1 below the header
    """

    files: tuple[str, ...]
    file: np.ndarray
    row: np.ndarray

    @classmethod
    def of(cls, sizes: dict[str, int]) -> "Origin":
        """Of files that come one after the other: name -> number of rows."""
        counts = list(sizes.values())
        rows = [np.arange(1, count + 1) for count in counts]
        return cls(tuple(sizes), np.repeat(np.arange(len(counts)), counts), np.concatenate([np.arange(0), *rows]))

    def place(self, position: int) -> tuple[str, int]:
        """File, and row in it, of a row of the table."""
        return self.files[self.file[position]], int(self.row[position])

    def kept(self, rows: np.ndarray) -> "Origin":
        """Of the rows that are kept: (n,) booleans."""
        return replace(self, file=self.file[rows], row=self.row[rows])

    def __str__(self) -> str:
        return self.files[0] if len(self.files) == 1 else f"{len(self.files)} files"


def is_control(table: pd.DataFrame, values: Iterable) -> pd.Series:
    """Which rows are controls: those whose column `control` has one of the values, `True` in any case (Excel: TRUE)."""
    if "control" not in table:
        return pd.Series(False, index=table.index)
    values = list(values)
    flags = {form(str(flag)) for flag in values if isinstance(flag, bool) for form in (str.upper, str.lower)}
    return table["control"].isin({str(value) for value in values} | flags)
