"""What the schema says of a representation is what its function says."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from moamap.representations import registry
from moamap.representations.base import Learned
from moamap.representations.options import option, parameters_schema, rule

Size = Annotated[int, option("a size", minimum=1)]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (str, {"type": "string"}),
        (int | None, {"type": ["integer", "null"]}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Literal["a"] | None, {"enum": ["a", None]}),
        (Size, {"type": "integer", "description": "a size", "minimum": 1}),
        (Size | None, {"type": ["integer", "null"], "description": "a size", "minimum": 1}),
        (
            Annotated[float | Sequence[float], option("x", oneOf=[{"type": "null"}], expected="nothing")],
            {"description": "x", "oneOf": [{"type": "null"}], "x-expected": "nothing"},
        ),
    ],
)
def test_types_are_translated(annotation, expected):
    assert rule(annotation) == expected


@pytest.mark.parametrize("annotation", [dict, int | str, Annotated[Sequence[float], option("x")]])
def test_a_type_without_a_rule_is_refused(annotation):
    with pytest.raises(TypeError, match=r"has no rule in JSON schema; give it a `oneOf`"):
        rule(annotation)


def test_only_options_are_in_the_schema_and_each_is_described():
    def plain(x, moas, *, size: Size = 3): ...

    def undescribed(x, moas, *, size: int = 3): ...

    def untyped(x, moas, *, size=3): ...

    found = parameters_schema(plain)
    assert found == {"size": {"description": "a size", "type": "integer", "minimum": 1, "default": 3}}
    for function in (undescribed, untyped):
        with pytest.raises(TypeError, match="parameter 'size' has no description"):
            parameters_schema(function)


@pytest.mark.parametrize("name", registry.METHODS)
def test_the_defaults_are_valid_and_the_functions_own(name):
    method = registry.METHODS[name]
    assert method.defaults == (method.learn.__kwdefaults__ or {})
    assert Draft202012Validator(registry.schema()).is_valid({"method": name, **method.defaults})


def test_a_new_representation_takes_one_line(monkeypatch):
    def signs(x: np.ndarray, moas: np.ndarray | None, *, size: Size = 3) -> Learned:
        """Signs of the leading features."""
        return Learned(np.eye(x.shape[1])[:size])

    monkeypatch.setitem(registry.METHODS, "signs", registry.Method(signs, supervised=False))
    validator = Draft202012Validator(registry.schema())
    assert validator.is_valid({"method": "signs", "size": 2})
    assert not validator.is_valid({"method": "signs", "size": 0})
    assert not validator.is_valid({"method": "signs", "siz": 2})
    assert registry.schema()["allOf"][-1]["then"]["description"] == "Signs of the leading features."
    assert registry.learn("signs", np.ones((4, 5)), None, size=2).transform(np.ones((4, 5))).shape == (4, 2)
