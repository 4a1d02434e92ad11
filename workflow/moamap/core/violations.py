"""A violation of the config's schema in plain words: what is there, and what was expected."""

import difflib
import math
from datetime import date
from typing import Any

import yaml
from jsonschema import ValidationError

KINDS = {
    "object": "nested options (key: value)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def place_of(error: ValidationError) -> str:
    """Where in the config a violation is, as a dotted path."""
    return ".".join(str(part) for part in error.absolute_path)


def lines_of(error: ValidationError, place: str) -> list[str]:
    """The lines of one violation of the schema, of which only unknown keys can be several."""
    prefix = f"{place}: " if place else ""
    if error.validator == "additionalProperties":
        allowed = list(error.schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in allowed]
        return [f"{prefix}unknown key {key!r}{suggestion(str(key), allowed)}" for key in unknown]
    if error.validator == "required":  # one error for each that is missing, which only its message names
        return [prefix + error.message.replace("is a required property", "is missing")]
    if error.validator == "oneOf" and not place:
        return ["expected either `simulation` or `sources`"]
    return [prefix + _line(error)]


def _line(error: ValidationError) -> str:
    value, demand = error.instance, error.validator_value
    expected = error.schema.get("x-expected")
    if error.validator == "type":
        return _wrong_type(value, [demand] if isinstance(demand, str) else demand)
    if error.validator == "format":
        return f"{value!r} is not a regular expression: {error.cause}"
    if expected and error.validator in ("oneOf", "enum", "pattern"):
        return f"{_shown(value)} is not valid; expected {expected}"
    if error.validator == "enum":
        return f"{_shown(value)} is not valid{suggestion(str(value), [_plain(word) for word in demand])}"
    if error.validator == "dependentRequired":
        together = next([key, *others] for key, others in demand.items() if not {key, *others} <= value.keys())
        return f"expected {' and '.join(sorted(together))} together, or neither"
    return error.message


def _wrong_type(value: Any, wanted: list[str]) -> str:
    """What is there, and, where YAML has read it otherwise than it was meant, how to write it."""
    if "string" in wanted and isinstance(value, bool | int | float | date):
        kind = "true or false" if isinstance(value, bool) else "a date" if isinstance(value, date) else "a number"
        return f"{_shown(value)} is read as {kind}, but text is expected; write it in quotes"
    number = _number(value) if isinstance(value, str) and {"number", "integer"} & set(wanted) else None
    if number is not None and not math.isfinite(number):
        return f"{value!r} is not a finite number"
    if number is not None:
        written = f"{number:.0f}" if number.is_integer() else _plain(number)
        return f"{value!r} is read as text, but a number is expected; write {written}"
    return f"{_shown(value)} is not valid; expected {' or '.join(KINDS[kind] for kind in wanted)}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _plain(value: Any) -> str:
    """A single value as YAML writes it."""
    return value if isinstance(value, str) else yaml.safe_dump(value).split("\n")[0]


def _shown(value: Any) -> str:
    """A value in an error line: text in quotes, null and true as YAML has them, nothing longer than 80 characters."""
    shown = _plain(value) if value is None or isinstance(value, bool) else str(value)
    shown = repr(value) if isinstance(value, str) else shown
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def suggestion(key: str, allowed: list[str]) -> str:
    """What to write in place of a key that is not allowed: the nearest one that is, or all of them."""
    near = difflib.get_close_matches(key, allowed, n=1)
    if near or not allowed:
        return f"; did you mean {near[0]!r}?" if near else "; expected none"
    return f"; expected one of {', '.join(allowed)}"
