from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from moamap.core.config import problems, with_defaults
from moamap.representations.registry import METHODS

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text())
FILES = [*sorted(ROOT.glob("config/**/*.yaml")), *sorted(ROOT.glob("tests/real/*.yaml"))]
SMALL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "size": {"type": "integer", "minimum": 1, "default": 3},
        "inner": {
            "type": "object",
            "additionalProperties": False,
            "default": {},
            "properties": {"perplexity": {"type": "number", "default": 30}, "plain": {"type": "number"}},
        },
        "choice": {"description": "a word or a number", "oneOf": [{"enum": ["word"]}, {"type": "number"}]},
    },
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_config_files_are_valid(path):
    assert problems(yaml.safe_load(path.read_text()), SCHEMA) == []


def test_the_default_and_the_real_subset_are_among_the_files():
    assert {"config.yaml", "lincs_subset.yaml"} <= {path.name for path in FILES}


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("config", "lines"),
    [
        ({"name": "x"}, []),
        ({"name": "x", "inner": {"plain": 1}, "choice": 3}, []),
        ({}, ["'name' is a required property"]),
        ({"name": 3}, ["name: 3 is not of type 'string'"]),
        ({"name": "x", "size": 0}, ["size: 0 is less than the minimum of 1"]),
        ({"name": "x", "sise": 1}, ["unknown key 'sise'; did you mean 'size'?"]),
        ({"name": "x", "qqqq": 1}, ["unknown key 'qqqq'; expected one of name, size, inner, choice"]),
        ({"name": "x", "inner": {"perplexty": 1}}, ["inner: unknown key 'perplexty'; did you mean 'perplexity'?"]),
        ({"name": "x", "choice": "wrd"}, ["choice: 'wrd' is not valid; expected a word or a number"]),
        (
            {"sise": 1, "nam": "x", "inner": {"plain": "y"}},
            [
                "'name' is a required property",
                "inner.plain: 'y' is not of type 'number'",
                "unknown key 'nam'; did you mean 'name'?",
                "unknown key 'sise'; did you mean 'size'?",
            ],
        ),
    ],
)
def test_every_violation_is_one_line(config, lines):
    assert problems(config, SMALL) == lines


@pytest.mark.parametrize(
    ("place", "value", "line"),
    [
        ("neighbors", 5, "unknown key 'neighbors'; did you mean 'neighbours'?"),
        ("tsne.perplexty", 5, "tsne: unknown key 'perplexty'; did you mean 'perplexity'?"),
        ("representations.itml.bound", "squared", "representations.itml: unknown key 'bound'; did you mean 'bounds'?"),
        ("representations.raw.components", 3, "representations.raw: unknown key 'components'"),
        ("representations.pca.components", 1.5, "representations.pca.components: 1.5 is not valid; expected a number"),
        ("representations.pca.components", 0, "representations.pca.components: 0 is not valid; expected a number"),
        ("representations.itml.bounds", [1], "representations.itml.bounds: [1] is not valid; expected euclidean"),
        ("representations.pca.method", "spectral", "representations.pca.method: 'spectral' is not one of ["),
        ("communities.damping", 0.4, "communities.damping: 0.4 is less than the minimum of 0.5"),
        ("communities.damping", 1, "communities.damping: 1 is greater than or equal to the maximum of 1"),
        ("enrichment.alpha", 0, "enrichment.alpha: 0 is less than or equal to the minimum of 0"),
        ("simulation.signal", -1, "simulation.signal: -1 is less than the minimum of 0"),
        ("moa", "cut", "moa: 'cut' is not one of ['whole', 'split']"),
        ("query", ["a", "a"], "query: ['a', 'a'] has non-unique elements"),
        ("dataset", "../x", "dataset: '../x' does not match"),
    ],
)
def test_a_fault_in_the_default_config_is_one_line(place, value, line):
    config = deepcopy(DEFAULT)
    *way, key = place.split(".")
    inner = config
    for part in way:
        inner = inner[part]
    inner[key] = value
    found = problems(config, SCHEMA)
    assert len(found) == 1 and found[0].startswith(line) and "\n" not in found[0]


def test_defaults_are_filled_in_at_every_level():
    given = {"name": "x", "inner": {"plain": 1}}
    filled = {"name": "x", "size": 3, "inner": {"plain": 1, "perplexity": 30}}
    assert with_defaults(given, SMALL) == filled
    assert with_defaults({"size": 5}, SMALL) == {"size": 5, "inner": {"perplexity": 30}}
    assert given == {"name": "x", "inner": {"plain": 1}}


def test_defaults_do_not_leak_into_the_schema():
    before = deepcopy(SCHEMA)
    with_defaults({}, SCHEMA)["normalization"]["scale"] = 99
    assert before == SCHEMA


def test_the_default_config_spells_out_the_defaults_of_the_schema():
    filled = with_defaults({}, SCHEMA)
    shared = DEFAULT.keys() & filled.keys() - {"query"}
    assert {"moa", "normalization", "communities", "enrichment", "csif_ratio", "tsne", "neighbours"} <= shared
    paper = {"normalization": filled["normalization"] | {"axis": "profile"}}  # the paper's reading, not the best one
    assert {key: DEFAULT[key] for key in shared} == {key: (filled | paper)[key] for key in shared}


def test_the_default_config_spells_out_the_defaults_of_the_methods():
    for given in DEFAULT["representations"].values():
        options = {key: value for key, value in given.items() if key != "method"}
        paper = {"components": 5} if given["method"] == "pca" else {}
        assert options == METHODS[given["method"]].defaults | paper


def test_the_schema_knows_the_options_of_every_method():
    representation = SCHEMA["$defs"]["representation"]
    options = {
        branch["if"]["properties"]["method"]["const"]: set(branch["then"]["properties"]) - {"method"}
        for branch in representation["allOf"]
    }
    assert options == {name: set(method.defaults) for name, method in METHODS.items()}
    assert representation["properties"]["method"]["enum"] == list(METHODS)


@pytest.mark.parametrize("also", [{}, {"simulation": {"seed": 1}, "sources": {"profiles": {"location": "x"}}}])
def test_a_data_set_is_simulated_or_has_sources(also):
    given = {"dataset": "x", "representations": {name: {"method": name} for name in ("raw", "pca", "itml")}} | also
    assert problems(given, SCHEMA) == ["expected either `simulation` or `sources`"]


def test_a_representation_without_method_is_one_problem():
    given = {"raw": {"method": "raw"}, "pca": {"components": 3}, "itml": {"method": "itml"}}
    lines = problems({"dataset": "x", "simulation": {"seed": 1}, "representations": given}, SCHEMA)
    assert lines == ["representations.pca: 'method' is a required property"]
