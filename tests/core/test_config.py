import inspect
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from moamap.core.config import duplicate_keys, load_schema, problems, with_defaults
from moamap.core.names import FOLDERS
from moamap.profiles.simulate import simulate, simulate_wells
from moamap.representations.registry import METHODS

ROOT = Path(__file__).parents[2]
SCHEMA = load_schema(ROOT / "workflow/schemas")
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
        "choice": {"x-expected": "a word or a number", "oneOf": [{"enum": ["word"]}, {"type": "number"}]},
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
        ({}, ["'name' is missing"]),
        ({"name": 3}, ["name: 3 is read as a number, but text is expected; write it in quotes"]),
        ({"name": "x", "size": 0}, ["size: 0 is less than the minimum of 1"]),
        ({"name": "x", "sise": 1}, ["unknown key 'sise'; did you mean 'size'?"]),
        ({"name": "x", "qqqq": 1}, ["unknown key 'qqqq'; expected one of name, size, inner, choice"]),
        ({"name": "x", "inner": {"perplexty": 1}}, ["inner: unknown key 'perplexty'; did you mean 'perplexity'?"]),
        ({"name": "x", "choice": "wrd"}, ["choice: 'wrd' is not valid; expected a word or a number"]),
        (
            {"sise": 1, "nam": "x", "inner": {"plain": "y"}},
            [
                "'name' is missing",
                "inner.plain: 'y' is not valid; expected a number",
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
        (
            "representations.pca.method",
            "spectral",
            "representations.pca.method: 'spectral' is not valid; expected one of raw, pca, itml,",
        ),
        ("communities.damping", 0.4, "communities.damping: 0.4 is less than the minimum of 0.5"),
        ("communities.damping", 1, "communities.damping: 1 is greater than or equal to the maximum of 1"),
        ("enrichment.alpha", 0, "enrichment.alpha: 0 is less than or equal to the minimum of 0"),
        ("simulation.signal", -1, "simulation.signal: -1 is less than the minimum of 0"),
        ("moa", "cut", "moa: 'cut' is not valid; expected one of whole, split"),
        ("query", ["a", "a"], "query: ['a', 'a'] has non-unique elements"),
        ("links", {"a": "https://x/{smiles}"}, "links.a: 'https://x/{smiles}' is not valid; expected an address that"),
        (
            "links",
            {"a": "javascript:alert(1)"},
            "links.a: 'javascript:alert(1)' is not valid; expected an address that",
        ),
        ("dataset", "../x", "dataset: '../x' is not valid; expected letters, digits, _ and -"),
        # nested options
        ("wells", {"normalise": "spherize"}, "wells: unknown key 'normalise'; did you mean 'normalize'?"),
        ("simulation.wells", {"dose": 2}, "simulation.wells: unknown key 'dose'; did you mean 'doses'?"),
        ("representations.itml.n_constraint", 5, "representations.itml: unknown key 'n_constraint'; did you mean"),
        ("communities", None, "communities: null is not valid; expected nested options"),
        # numbers that are none
        ("enrichment.alpha", float("nan"), "enrichment.alpha: nan is not a finite number"),
        ("tsne.perplexity", float("inf"), "tsne.perplexity: inf is not a finite number"),
        ("communities.preference", -float("inf"), "communities.preference: -inf is not a finite number"),
        ("representations.itml.bounds", [1.0, float("inf")], "representations.itml.bounds.1: inf is not a finite"),
        ("wells", {"controls": [float("nan")]}, "wells.controls.0: nan is not a finite number"),
        ("enrichment.alpha", "1e400", "enrichment.alpha: '1e400' is not a finite number"),
        ("crossfit.folds", 4.0, "crossfit.folds: 4.0 is not valid; expected a whole number"),
        # what YAML reads otherwise than it was meant
        (
            "normalization.epsilon",
            "1e-5",
            "normalization.epsilon: '1e-5' is read as text, but a number is expected; wr",
        ),
        ("query", [15], "query.0: 15 is read as a number, but text is expected; write it in quotes"),
        ("query", [True], "query.0: true is read as true or false, but text is expected; write it in quotes"),
        ("validation", True, "validation: true is not valid; expected quick, full or off"),
        # one option against another
        ("columns", {"features": "Cells_("}, "columns.features: 'Cells_(' is not a regular expression: missing )"),
        ("columns", {"features": "x{99999999999}"}, "columns.features: 'x{99999999999}' is not a regular expression"),
        ("columns", {"moa": "A", "plate": "A"}, "columns: 'A' is given for both moa and plate; expected a column for"),
        ("main", "itlm", "main: there is no representation 'itlm'; did you mean 'itml'?"),
        ("main", "itml_crossfit", "main: there is no representation 'itml_crossfit'; write 'itml'"),
        ("proposals", {"representation": "pcaa"}, "proposals.representation: there is no representation 'pcaa'"),
        ("compare", ["raw", "pcaa"], "compare: there is no representation 'pcaa'; did you mean 'pca'?"),
        ("representations.pca_crossfit", {"method": "raw"}, "representations: 'pca_crossfit' is the name of cross-fit"),
        (
            "representations.PCA",
            {"method": "raw"},
            "representations: 'PCA' is not valid; expected a name of lower-case",
        ),
        ("dataset", "https://a:b@h/?token=c", "dataset: 'https://***@h/?token=***' is not valid"),
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


CHOSEN = {"pca": {"components": 5}, "spherize": {"reads": "annotated", "pca": 100, "cosine": True}}  # not the defaults


def test_the_default_config_spells_out_the_defaults_of_the_methods():
    for given in DEFAULT["representations"].values():
        options = {key: value for key, value in given.items() if key != "method"}
        assert options == METHODS[given["method"]].defaults | CHOSEN.get(given["method"], {})


@pytest.mark.parametrize("also", [{}, {"simulation": {"seed": 1}, "sources": {"profiles": {"location": "x"}}}])
def test_a_data_set_is_simulated_or_has_sources(also):
    given = {"dataset": "x", "representations": {name: {"method": name} for name in ("raw", "pca", "itml")}} | also
    assert problems(given, SCHEMA) == ["expected either `simulation` or `sources`"]


def test_a_representation_without_method_is_one_problem():
    given = {"raw": {"method": "raw"}, "pca": {"components": 3}, "itml": {"method": "itml"}}
    lines = problems({"dataset": "x", "simulation": {"seed": 1}, "representations": given}, SCHEMA)
    assert lines == ["representations.pca: 'method' is missing"]


def study(**more):
    return {"dataset": "x", "representations": {"mine": {"method": "raw"}}} | more


def test_what_learns_from_wells_needs_wells():
    config = study(
        main="mine", sources={"profiles": {"location": "x"}}, representations={"mine": {"method": "replicates"}}
    )
    expected = "representations.mine: it learns from wells, and there are none; set `wells`, or leave it out"
    assert problems(config, SCHEMA) == [expected]
    assert problems(config | {"wells": {"controls": ["dmso"]}}, SCHEMA) == []
    assert problems(config | {"reference": "results/study"}, SCHEMA) == []  # nothing is learned


def test_each_file_of_a_source_may_have_its_checksum():
    files = [{"location": "https://a.org/1.csv", "checksum": f"sha256:{'0' * 64}"}, "2.csv"]
    assert problems(study(main="mine", sources={"profiles": {"location": files}}), SCHEMA) == []
    files[0]["checksum"] = "sha256:0"
    (line,) = problems(study(main="mine", sources={"profiles": {"location": files}}), SCHEMA)
    assert line.startswith("sources.profiles.location: ") and line.endswith(
        "{location: …, checksum: md5:… or sha256:…}"
    )


@pytest.mark.parametrize("checksum", ["0" * 32, "12345678901234567890123456789012"])
def test_a_checksum_that_yaml_reads_as_a_number(checksum):
    config = yaml.safe_load(f"{{profiles: {{location: x, checksum: {checksum}}}}}")
    (line,) = problems(study(main="mine", sources=config), SCHEMA)
    assert line.startswith("sources.profiles.checksum: ") and line.endswith("text is expected; write it in quotes")


def test_one_source_of_the_hub_needs_the_other():
    config = study(main="mine", sources={"profiles": {"location": "x"}, "drugs": {"location": "y"}})
    assert problems(config, SCHEMA) == ["sources: expected drugs and samples together, or neither"]


def test_no_representation_has_to_be_there_but_main():
    given = study(simulation={"seed": 1})
    assert problems(given, SCHEMA) == ["main: there is no representation 'itml' (the default); expected one of mine"]
    assert problems(given | {"main": "mine"}, SCHEMA) == []


@pytest.mark.parametrize(
    ("names", "main", "compared"),
    [
        ("raw pca itml rca", "itml", ["raw", "pca", "itml"]),
        ("rca itml raw", "rca", ["raw", "itml", "rca"]),
        ("mine", "mine", ["mine"]),
    ],
)
def test_what_figures_compare_follows_from_what_there_is(names, main, compared):
    representations = {name: {"method": "raw"} for name in names.split()}
    given = {"dataset": "x", "simulation": {"seed": 1}, "representations": representations, "main": main}
    assert problems(given, SCHEMA) == []
    assert with_defaults(given, SCHEMA)["compare"] == compared
    assert with_defaults(given | {"compare": [main]}, SCHEMA)["compare"] == [main]


def test_validation_off_without_quotes_is_off():
    given = DEFAULT | yaml.safe_load("validation: off")
    assert given["validation"] is False
    assert problems(given, SCHEMA) == []
    assert with_defaults(given, SCHEMA)["validation"] == "off"


def test_a_default_that_is_written_out_changes_nothing():
    short = study(simulation={"seed": 1, "wells": {}}, sources={"profiles": {"location": "x"}}, wells={})
    short["representations"] |= {name: {"method": name} for name in METHODS}
    filled = with_defaults(short, SCHEMA)
    assert with_defaults(filled, SCHEMA) == filled
    assert list(with_defaults(dict(reversed(filled.items())), SCHEMA)) == list(filled)
    for name, method in METHODS.items():
        assert filled["representations"][name] == {"method": name} | method.defaults
    assert filled["sources"]["profiles"] == {
        "location": "x", "checksum": None, "format": None, "member": None, "join": "exact", "name": None
    }  # fmt: skip
    partly = with_defaults(study(main="a", representations={"a": {"method": "lda", "pca": 7}}), SCHEMA)
    assert partly["representations"]["a"] == {"method": "lda"} | METHODS["lda"].defaults | {"pca": 7}


@pytest.mark.parametrize(("function", "place"), [(simulate, ()), (simulate_wells, ("wells",))])
def test_the_defaults_of_a_simulation_are_those_of_its_function(function, place):
    filled = with_defaults({"simulation": {"seed": 1, "wells": {}}}, SCHEMA)["simulation"]
    for key in place:
        filled = filled[key]
    parameters = inspect.signature(function).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}
    assert defaults and {key: filled[key] for key in filled.keys() - {"seed", "wells"}} == defaults


def options(rule, place):
    """Every rule below another, with its place in the schema."""
    if isinstance(rule, dict):
        for key, inner in rule.get("properties", {}).items():
            yield f"{place}.{key}", inner
    for key, inner in rule.items() if isinstance(rule, dict) else enumerate(rule) if isinstance(rule, list) else ():
        yield from options(inner, f"{place}.{key}")


def test_every_option_is_described_and_no_section_takes_unknown_keys():
    found = [(place, rule) for place, rule in options(SCHEMA, "") if rule is not True and "const" not in rule]
    assert len(found) > 70
    for place, rule in found:
        rule = SCHEMA["$defs"][rule["$ref"].split("/")[-1]] | rule if "$ref" in rule else rule
        assert rule.get("description"), place
        if "object" in rule.get("type", ()):
            assert rule.get("additionalProperties") not in (None, True), place


def test_duplicate_keys_are_found_with_their_lines(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "dataset: x\n"
        "representations:\n"
        "  raw: {method: raw}\n"
        "  raw: {method: pca}\n"
        "wells: {controls: [{a: 1, a: 2}]}\n"
        "same: &anchor {seed: 1}\n"
        "again: *anchor\n"
        "dataset: y\n"
    )
    assert duplicate_keys(path) == [
        "mine.yaml, line 4: representations.raw is given twice, first in line 3; keep one",
        "mine.yaml, line 5: wells.controls.0.a is given twice, first in line 5; keep one",
        "mine.yaml, line 8: dataset is given twice, first in line 1; keep one",
    ]


@pytest.mark.parametrize("text", ["", "a: [", "a: 1\nb: {a: 1}\n", '{\t"a": 1}'])
def test_no_duplicate_key_is_made_up(text, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert duplicate_keys(path) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_config_file_gives_a_key_twice(path):
    assert duplicate_keys(path) == []


def test_the_config_is_read_without_the_science():
    code = """
import sys
from moamap.core.config import load_schema, problems, supervised_methods, with_defaults
schema = load_schema("schemas")
assert problems({}, schema) and supervised_methods(schema)
print(sorted({"numpy", "pandas", "numba", "sklearn"} & set(sys.modules)))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "workflow", capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


def test_one_column_can_be_the_moa_and_mark_the_controls():
    config = {
        "dataset": "d",
        "sources": {"profiles": {"location": "x.csv"}},
        "representations": {"itml": {"method": "itml"}},
    }
    assert problems(config | {"columns": {"moa": "injury", "control": "injury"}}, SCHEMA) == []


@pytest.mark.parametrize("name", ["profiles", "figures"])
def test_a_representation_is_not_called_as_a_folder_of_the_study(name):
    config = {"dataset": "d", "simulation": {"seed": 1}, "representations": {name: {"method": "raw"}}, "main": name}
    [line] = problems(config, SCHEMA)
    assert line == f"representations: {name!r} is a folder of the study, in which files would be mixed; choose another"


def test_the_folders_of_the_study_are_those_of_the_rules():
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert set(re.findall(r"<results>/(\w+)/", rules)) | {"logs", "benchmarks"} == FOLDERS
