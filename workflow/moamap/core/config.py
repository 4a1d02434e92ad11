"""The config: its schema, its defaults, and what is wrong with it, in one line each."""

import difflib
import math
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from moamap.core.names import crossfitted, learned_as
from moamap.core.secrets import mask_secrets

PAPER = ("raw", "pca", "itml")  # what figures 3 and 4 compare, unless `compare` says otherwise
FORMATS = FormatChecker(formats=())
# 3.0 is no integer here: Python's range() does not take it
VALIDATOR: Any = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


@FORMATS.checks("regex", raises=(re.error, OverflowError, RecursionError))
def _is_regex(value: object) -> bool:
    return not isinstance(value, str) or bool(re.compile(value))


def load_schema(folder: str | Path) -> dict:
    """The schema of the config, with that of the representations put into its `$defs`, from the folder of both."""
    read = [
        yaml.safe_load((Path(folder) / f"{name}.schema.yaml").read_text(encoding="utf-8"))
        for name in ("config", "representations")
    ]
    schema, schema["$defs"]["representation"] = read[0], read[1]
    return schema


def supervised_methods(schema: dict) -> set[str]:
    """The methods that the schema marks `x-supervised`; a Snakefile may not import the package's science."""
    rules = schema["$defs"]["representation"]["allOf"]
    return {rule["if"]["properties"]["method"]["const"] for rule in rules if rule.get("x-supervised")}


# --- defaults ---


def with_defaults(config: dict, schema: dict) -> dict:
    """The config with all defaults filled in, those of each representation's method too, in the order of the schema.

    A config that spells a default out gives the same as one that leaves it out. `validation: off`, which YAML reads as
    false, becomes "off".
    """
    filled = _filled(_as_meant(config), schema, schema)
    if "representations" in filled and "main" in filled and "compare" in schema["properties"]:
        shown = [name for name in PAPER if name in filled["representations"]]
        filled.setdefault("compare", shown if filled["main"] in shown else [*shown, filled["main"]])
    return filled


def _filled(value: Any, rule: dict, schema: dict) -> Any:
    if not isinstance(value, dict):
        return value
    rules: dict[str, dict] = {}
    for part in [rule, *_branches(value, rule)]:
        rules |= {
            key: _resolved(inner, schema) for key, inner in part.get("properties", {}).items() if inner is not True
        }
    others = rule.get("additionalProperties")
    if isinstance(others, dict):
        rules |= {key: _resolved(others, schema) for key in value if key not in rules}
    filled = {}
    for key, inner in rules.items():
        if key in value or "default" in inner:
            filled[key] = _filled(deepcopy(value.get(key, inner.get("default"))), inner, schema)
    return filled | {key: given for key, given in value.items() if key not in filled}


def _branches(value: dict, rule: dict) -> list[dict]:
    """What `allOf: - if: … then: …` adds for this value."""
    return [part["then"] for part in rule.get("allOf", ()) if Draft202012Validator(part["if"]).is_valid(value)]


def _resolved(rule: dict, schema: dict) -> dict:
    """A rule with the one it refers to, `$ref: "#/$defs/NAME"`, merged into it."""
    if "$ref" not in rule:
        return rule
    return schema["$defs"][rule["$ref"].removeprefix("#/$defs/")] | rule


def _as_meant(config: dict) -> dict:
    """YAML 1.1 reads a bare off as false."""
    return config | {"validation": "off"} if config.get("validation") is False else config


# --- what is wrong ---


def problems(config: dict, schema: dict) -> list[str]:
    """Everything that is wrong with a config, one line each: where it is, what is there, what was expected.

    Options that contradict each other are looked for once each of them is valid by itself.
    """
    config = _as_meant(config)
    not_finite = dict(_not_finite(config))
    lines = [f"{place}: {value} is not a finite number" for place, value in not_finite.items()]
    for error in VALIDATOR(schema, format_checker=FORMATS).iter_errors(config):
        place = _place(error)
        within = error.validator == "oneOf" and any(other.startswith(f"{place}.") for other in not_finite)
        if place not in not_finite and not (place and within):
            lines += _lines(error, place)
    found = lines or list(_contradictions(with_defaults(config, schema)))
    return sorted(mask_secrets(line) for line in found)


def duplicate_keys(path: str | Path) -> list[str]:
    """A line for each key that a YAML file gives twice at one place, of which YAML would silently take the last."""
    name = Path(path).name
    try:
        root = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        return [f"{name}{where}: not valid YAML: {getattr(error, 'problem', None) or error}"]
    return [f"{name}, {line}" for line in _duplicates(root, "", set())]


def _duplicates(node: yaml.Node | None, place: str, seen: set[int]) -> Iterator[str]:
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:  # an alias can lead back to its anchor
        return
    seen.add(id(node))
    if not isinstance(node, yaml.MappingNode):
        for number, inner in enumerate(node.value):
            yield from _duplicates(inner, f"{place}{number}.", seen)
        return
    first: dict[str, int] = {}
    for key, inner in node.value:
        line = key.start_mark.line + 1
        if key.value in first:
            yield f"line {line}: {place}{key.value} is given twice, first in line {first[key.value]}; keep one"
        first.setdefault(str(key.value), line)
        yield from _duplicates(inner, f"{place}{key.value}.", seen)


def _not_finite(value: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Each number that is infinite or not a number, with its place."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _not_finite(part, f"{place}.{key}" if place else str(key))


def _place(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path)


def _lines(error: ValidationError, place: str) -> list[str]:
    """The lines of one violation of the schema."""
    prefix = f"{place}: " if place else ""
    value, rule = error.instance, error.schema
    expected = rule.get("x-expected") if isinstance(rule, dict) else None
    if error.validator == "additionalProperties":
        allowed = list(rule.get("properties", {}))
        unknown = [key for key in value if key not in allowed]
        return [f"{prefix}unknown key {key!r}{_suggestion(str(key), allowed)}" for key in unknown]
    if error.validator == "oneOf" and not place:
        return ["expected either `simulation` or `sources`"]
    if error.validator == "type":
        return [prefix + _wrong_type(value, error.validator_value)]
    if error.validator == "format":
        return [f"{prefix}{value!r} is not a regular expression: {error.cause}"]
    if expected and error.validator in ("oneOf", "enum", "pattern"):
        return [f"{prefix}{_short(value)} is not valid; expected {expected}"]
    return [prefix + error.message]


def _wrong_type(value: Any, types: str | list[str]) -> str:
    """What is there, and, where YAML has read it otherwise than it was meant, how to write it."""
    wanted = [types] if isinstance(types, str) else types
    if "string" in wanted and isinstance(value, bool | int | float | date):
        kind = "true or false" if isinstance(value, bool) else "a date" if isinstance(value, date) else "a number"
        return f"{value} is read as {kind}, but text is expected; write it in quotes"
    if isinstance(value, str) and {"number", "integer"} & set(wanted) and (number := _number(value)) is not None:
        if not math.isfinite(number):
            return f"{value!r} is not a finite number"
        written = f"{number:.0f}" if number.is_integer() else yaml.safe_dump(number).split()[0]
        return f"{value!r} is read as text, but a number is expected; write {written}"
    return f"{_short(value)} is not of type {', '.join(map(repr, wanted))}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _contradictions(config: dict) -> Iterator[str]:
    """A line for each option that contradicts another; takes a config that is valid otherwise, with its defaults."""
    names = list(config.get("representations", {}))
    for name in names:
        if learned_as(name) != name:
            yield f"representations: {name!r} is the name of cross-fitted {learned_as(name)!r}; choose another"
    chosen = [("main", config.get("main")), *(("compare", name) for name in config.get("compare", ()))]
    for option, name in dict.fromkeys(chosen if names else ()):
        if name not in names and (option, name) != ("compare", config["main"]):
            yield f"{option}: there is no representation {name!r}{_no_such(str(name), names)}"
    roles: dict[str, str] = {}
    for role, column in config.get("columns", {}).items():
        if role != "features" and column in roles:
            yield f"columns: {column!r} is given for both {roles[column]} and {role}; expected a column for each"
        roles.setdefault(column, role) if role != "features" else None


def _no_such(name: str, names: list[str]) -> str:
    """Why a name is not among those of the representations, and what to write instead."""
    if learned_as(name) in names and name == crossfitted(learned_as(name)):
        return f"; write {learned_as(name)!r}, cross-fitting is done for it"
    return _suggestion(name, names)


def _suggestion(key: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(key, allowed, n=1)
    if near or not allowed:
        return f"; did you mean {near[0]!r}?" if near else "; expected none"
    return f"; expected one of {', '.join(allowed)}"
