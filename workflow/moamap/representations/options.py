"""How a representation's parameters are described: once, in the signature of its function.

The JSON schema of the config, its defaults and the table of options are made from these annotations:

    Shrinkage = Annotated[float, option("0 keeps the covariance, 1 replaces it", minimum=0, maximum=1)]

    def spherize(x, moas, *, shrinkage: Shrinkage = 0.5) -> Learned: ...
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

JSON_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}


@dataclass(frozen=True, eq=False)  # by identity, since what stands in a union must be hashable
class Option:
    """What the schema says of a parameter besides its type and default."""

    facts: dict[str, Any]


def option(description: str, *, expected: str | None = None, **facts: Any) -> Option:
    """Describe a parameter, as metadata of `Annotated`.

    Parameters
    ----------
    description : what the parameter is, and how to choose it
    expected : what an error line says was expected, where the JSON type does not say it
    facts : keywords of JSON schema such as `minimum`; `oneOf` takes the place of what the type would give
    """
    return Option({"description": description} | ({"x-expected": expected} if expected else {}) | facts)


PrincipalComponents = Annotated[
    int,
    option(
        "number of leading principal components to work in; the others are left out. At most as many as the drugs span",
        minimum=1,
    ),
]
Reads = Annotated[
    Literal["normalized", "annotated"],
    option(
        "profiles to begin with: `normalized`, or `annotated`, those before `normalization`, of which each profile and "
        "then each feature is standardized here, whatever `normalization` does for the others"
    ),
]
Shrinkage = Annotated[
    float,
    option(
        "shrinkage of the covariance towards a multiple of the identity, from 0 (none; needs more drugs than "
        "dimensions) to 1 (the covariance is not used). Raise it where there are few drugs",
        minimum=0,
        maximum=1,
    ),
]
Warp = Annotated[
    Literal["rank"] | None,
    option(
        "`rank` replaces each feature by its normal scores (rank-based inverse normal transform), so that extreme "
        "values count less; null keeps the features as they are"
    ),
]
Cosine = Annotated[
    bool, option("compare the directions of the profiles (cosine distance) rather than their Euclidean distances")
]


def parameters_schema(function: Callable) -> dict[str, dict]:
    """The JSON-schema rule of each keyword-only parameter, by name, with its default.

    Raises TypeError where a parameter has no annotation that can be translated, or no description.
    """
    hints = get_type_hints(function, include_extras=True)
    rules = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        found = rule(hints[name]) if name in hints else {}
        if "description" not in found:
            raise TypeError(f"{function.__name__}: parameter {name!r} has no description; annotate it with option(...)")
        rules[name] = {"description": found.pop("description"), **found, "default": parameter.default}
    return rules


def rule(annotation: Any) -> dict:
    """The JSON-schema rule of a type: int, float, bool, str, Literal, one of these or None, Annotated with `option`."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        facts = {key: fact for part in parts[1:] if isinstance(part, Option) for key, fact in part.facts.items()}
        return facts if "oneOf" in facts else rule(parts[0]) | facts
    if origin is Literal:
        return {"enum": list(parts)}
    if origin in (Union, UnionType) and len(parts) == 2 and NoneType in parts:
        return _or_null(rule(next(part for part in parts if part is not NoneType)))
    if annotation in JSON_TYPES:
        return {"type": JSON_TYPES[annotation]}
    raise TypeError(f"{annotation} has no rule in JSON schema; give it a `oneOf` with option(...)")


def _or_null(rule: dict) -> dict:
    if "enum" in rule:
        return rule | {"enum": [*rule["enum"], None]}
    return rule | {"type": [rule["type"], "null"]}
