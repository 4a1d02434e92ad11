"""The config: its schema, its defaults, and what is wrong with it, in one line each."""

import math
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker, validators

from moamap.core.names import FOLDERS, crossfitted, learned_as
from moamap.core.secrets import mask_secrets
from moamap.core.violations import lines_of, place_of, suggestion

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
    return _marked(schema, "x-supervised")


def profiles_read(representation: dict, schema: dict) -> str:
    """The table of profiles that a representation of a completed config begins with: "normalized" or "annotated"."""
    return "annotated" if learns_from_wells(representation, schema) else representation.get("reads", "normalized")


def learns_from_wells(representation: dict, schema: dict) -> bool:
    """Whether the schema marks the method of a representation `x-wells`."""
    return representation["method"] in _marked(schema, "x-wells")


def _marked(schema: dict, mark: str) -> set[str]:
    rules = schema["$defs"]["representation"]["allOf"]
    return {rule["if"]["properties"]["method"]["const"] for rule in rules if rule.get(mark)}


# --- defaults ---


def with_defaults(config: dict, schema: dict) -> dict:
    """The config with all defaults filled in, those of each representation's method too, in the order of the schema.

    A config that spells a default out gives the same as one that leaves it out. `validation: off`, which YAML reads as
    false, becomes "off".
    """
    filled = _filled(_as_meant(config), schema, schema)
    if "compare" in filled or "compare" not in schema["properties"] or "representations" not in filled:
        return filled
    shown = [name for name in PAPER if name in filled["representations"]]
    compared = shown if filled["main"] in shown else [*shown, filled["main"]]
    return _filled(filled | {"compare": compared}, schema, schema)


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
        place = place_of(error)
        within = error.validator == "oneOf" and any(other.startswith(f"{place}.") for other in not_finite)
        if place not in not_finite and not (place and within):
            lines += lines_of(error, place)
    found = lines or list(_contradictions(with_defaults(config, schema), given=config, schema=schema))
    return sorted(mask_secrets(line) for line in found)


def duplicate_keys(path: str | Path) -> list[str]:
    """A line for each key that a YAML file gives twice at one place, of which YAML would silently take the last.

    A file that is not YAML has none: Snakemake has refused it, or read it as JSON.
    """
    try:
        root = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError):
        return []
    return [f"{Path(path).name}, {line}" for line in _duplicates(root, "", set())]


def _duplicates(node: yaml.Node | None, place: str, seen: set[int]) -> Iterator[str]:
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:  # an alias can lead back to its anchor
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, inner in enumerate(node.value):
            yield from _duplicates(inner, f"{place}{number}.", seen)
        return
    first: dict[str, int] = {}
    for key, inner in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in first:
            yield f"line {line}: {place}{name} is given twice, first in line {first[name]}; keep one"
        first.setdefault(name, line)
        yield from _duplicates(inner, f"{place}{name}.", seen)


def _not_finite(value: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Each number that is infinite or not a number, with its place."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _not_finite(part, f"{place}.{key}" if place else str(key))


def _contradictions(config: dict, given: dict, schema: dict) -> Iterator[str]:
    """A line for each option that contradicts another, in a config that is valid otherwise: with its defaults, and as
    it was given.
    """
    names = list(config.get("representations", {}))
    for name in names:
        if learned_as(name) != name:
            yield f"representations: {name!r} is the name of cross-fitted {learned_as(name)!r}; choose another"
        if name in FOLDERS:
            yield f"representations: {name!r} is a folder of the study, in which files would be mixed; choose another"
        if learns_from_wells(config["representations"][name], schema) and not (config["wells"] or config["reference"]):
            yield f"representations.{name}: it learns from wells, and there are none; set `wells`, or leave it out"
    if names and config["main"] not in names:
        default = "" if "main" in given else " (the default)"
        yield f"main: there is no representation {config['main']!r}{default}{_no_such(config['main'], names)}"
    proposer = config["proposals"]["representation"] if "proposals" in config else "auto"
    if names and proposer not in ("auto", *names):
        yield f"proposals.representation: there is no representation {proposer!r}{_no_such(proposer, names)}"
    for name in given.get("compare", ()):
        if name not in names:
            yield f"compare: there is no representation {name!r}{_no_such(name, names)}"
    yield from _columns_of_two_roles(config.get("columns", {}))


def _columns_of_two_roles(columns: dict) -> Iterator[str]:
    """One column can be the MoA and mark the controls (a class called Control); any other pair is a mistake."""
    roles: dict[str, str] = {}
    for role, column in columns.items():
        if role == "features":
            continue
        if column in roles and {roles[column], role} != {"moa", "control"}:
            yield f"columns: {column!r} is given for both {roles[column]} and {role}; expected a column for each"
        roles.setdefault(column, role)


def _no_such(name: str, names: list[str]) -> str:
    """What to write in place of a name that is not among those of the representations."""
    if learned_as(name) in names and name == crossfitted(learned_as(name)):
        return f"; write {learned_as(name)!r}, cross-fitting is done for it"
    return suggestion(name, names)
