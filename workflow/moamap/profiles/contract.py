"""The border: what a table of profiles must be, so that the rest of the package may trust it."""

import re
from difflib import get_close_matches

import pandas as pd
import pandera.pandas as pa

from moamap.core.errors import InputError
from moamap.core.names import ROLES

LEAST_FEATURES = 3  # fewer leave nothing to learn a metric from


def tidy(table: pd.DataFrame, columns: dict, features=None, *, source: str) -> pd.DataFrame:
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


def _feature_columns(table, taken, pattern, known, source):
    taken = taken | set(ROLES)  # a column called pert_id is no feature where another is taken for the role
    known = set(table.columns if known is None else known)
    candidates = [column for column in table if column in known and column not in taken]
    if pattern is None:
        # pandas and R write row names, and pandas reads them, as a column without a name
        return [column for column in candidates if not str(column).startswith(("Metadata_", "Unnamed: "))]
    chosen = [column for column in candidates if re.search(pattern, str(column))]
    if not chosen:
        raise InputError(
            f"{source}: no column fits columns.features {pattern!r}; the first columns are {_first(table)}"
        )
    return chosen


def _text(column):
    """Text, without spaces around it; what is missing or empty stays missing."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")  # whole numbers with one missing: the id 7 is "7", not "7.0"
    text = column.astype("string").str.strip()
    return text.mask(text == "").astype(object).where(text.notna() & (text != ""), None)


def _nearest(name, table):
    near = get_close_matches(name, map(str, table.columns), n=1, cutoff=0.7)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {_first(table)}, ..."


def _first(table):
    """The first columns for an error, which is one line whatever they are called."""
    return ", ".join(" ".join(str(column).split()) for column in table.columns[:4])


def check(table: pd.DataFrame, *, controls=(), one_row_each: bool, source: str) -> None:
    """Raise InputError unless a tidy table keeps its contract; the line names column, row and what was expected.

    Parameters
    ----------
    controls : values of the column `control` that mark a control; only controls may do without a pert_id
    one_row_each : whether a pert_id may have one row only (it may have more where wells become drugs)
    """
    features = [column for column in table if column not in ROLES]
    if table.empty or len(features) < LEAST_FEATURES:
        raise InputError(
            f"{source}: {len(table)} rows x {len(features)} features; expected at least 1 x {LEAST_FEATURES}"
        )
    drugs = table[~is_control(table, controls)]
    unlike = [name for name in features if not pd.api.types.is_numeric_dtype(table[name])]
    numbers = pa.DataFrameSchema({name: _number(table[name]) for name in unlike})
    try:
        pa.DataFrameSchema({"pert_id": _identifier(one_row_each)}).validate(drugs)
        numbers.validate(table[unlike].astype(object))  # of controls too, whose features are used like any
    except pa.errors.SchemaError as error:
        case = error.failure_cases.iloc[0]
        row = table.index.get_loc(case["index"]) + 1
        said = error.check.error if isinstance(error.check, pa.Check) else "a pert_id"
        value = case["failure_case"]
        raise InputError(f"{source}: column {error.schema.name!r}, row {row}: {value!r}; expected {said}") from error


def is_control(table: pd.DataFrame, values) -> pd.Series:
    """Which rows are controls: those whose column `control` has one of the values."""
    if "control" not in table:
        return pd.Series(False, index=table.index)
    return table["control"].isin([str(value) for value in values])


def _number(column):
    comma = column.astype(str).str.fullmatch(r"-?\d+,\d+").any()
    words = "a number" + (" (with a point, not a decimal comma)" if comma else "")
    check = pa.Check(lambda values: pd.to_numeric(values, errors="coerce").notna(), error=words)
    return pa.Column(object, check, nullable=True)  # missing values are for normalization.bad_features


def _identifier(once):
    words = "each pert_id once; `wells:` in the config makes one row of many"
    checks = [pa.Check(lambda values: ~values.duplicated(), error=words)] if once else []
    return pa.Column(object, checks, nullable=False)
