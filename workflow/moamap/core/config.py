"""The config: what is wrong with it, in one line each."""

import difflib

from jsonschema import Draft202012Validator


def with_defaults(config: dict, schema: dict) -> dict:
    """The config with the schema's defaults filled in, at every level that has `properties`."""
    filled = dict(config)
    for key, rule in schema.get("properties", {}).items():
        if key not in filled and "default" in rule:
            filled[key] = rule["default"]
        if isinstance(filled.get(key), dict):
            filled[key] = with_defaults(filled[key], rule)
    return filled


def supervised_methods(schema: dict) -> set[str]:
    """The methods that the schema marks `x-supervised`; a Snakefile may not import the package's science."""
    rules = schema["$defs"]["representation"]["allOf"]
    return {rule["if"]["properties"]["method"]["const"] for rule in rules if rule.get("x-supervised")}


def problems(config: dict, schema: dict) -> list[str]:
    """Every violation of the schema as one line: where it is, what is there, what was expected."""
    errors = Draft202012Validator(schema).iter_errors(config)
    return sorted(line for error in errors for line in _lines(error))


def _lines(error):
    place = ".".join(str(part) for part in error.absolute_path)
    prefix = f"{place}: " if place else ""
    if error.validator == "additionalProperties":
        allowed = list(error.schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in allowed]
        return [f"{prefix}unknown key {key!r}{_suggestion(str(key), allowed)}" for key in unknown]
    if error.validator == "oneOf" and not place:
        return ["expected either `simulation` or `sources`"]
    if error.validator == "oneOf":
        expected = error.schema.get("description", "another form")
        return [f"{prefix}{error.instance!r} is not valid; expected {expected}"]
    return [f"{prefix}{error.message}"]


def _suggestion(key, allowed):
    near = difflib.get_close_matches(key, allowed, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(allowed)}"
