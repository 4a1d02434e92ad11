"""What holds for every file of a kind."""

import ast
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import moamap
from moamap.core.config import learns_from_wells, load_schema, profiles_read, supervised_methods
from moamap.representations.registry import METHODS

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = load_schema(ROOT / "workflow/schemas")
RULES = {
    name: body
    for file in (ROOT / "workflow/rules").glob("*.smk")
    for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", file.read_text(), flags=re.MULTILINE)
}
PINNED = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_states_what_a_cluster_needs_and_the_code_it_depends_on(rule):
    for directive in ("log:", "benchmark:", "conda:", "mem_mb=grows(", "runtime=grows(", f'code=code("{rule}")'):
        assert directive in RULES[rule], f"{rule} has no {directive}"
    assert "run:" not in RULES[rule]


def test_there_are_rules_to_look_at():
    assert {"simulate", "fetch", "annotate", "represent", "crossfit", "permute", "verdict", "figures"} <= set(RULES)


def test_requirements_are_hashed_and_name_no_host():
    text = (ROOT / "requirements.txt").read_text()
    assert "://" not in text
    blocks = re.split(r"\n(?=\S)", text)
    assert len(PINNED) > 50
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)


def test_the_schema_knows_every_method_and_which_are_supervised():
    assert set(SCHEMA["$defs"]["representation"]["properties"]["method"]["enum"]) == set(METHODS)
    assert supervised_methods(SCHEMA) == {name for name, method in METHODS.items() if method.supervised}
    for name, method in METHODS.items():
        assert learns_from_wells({"method": name}, SCHEMA) == method.wells
        assert profiles_read({"method": name, **method.defaults}, SCHEMA) == (
            "annotated" if method.wells else "normalized"
        )
    assert profiles_read({"method": "spherize", "reads": "annotated"}, SCHEMA) == "annotated"


@pytest.fixture(scope="module")
def generator():
    """docs/generate.py, which writes what follows from the code."""
    return runpy.run_path(str(ROOT / "docs/generate.py"))


def test_the_schema_of_representations_is_what_the_functions_say(generator):
    written = (ROOT / "workflow/schemas/representations.schema.yaml").read_text(encoding="utf-8")
    assert written == generator["schema_text"](), "run: make schema"


def test_the_table_of_options_is_what_the_schema_says(generator):
    written = (ROOT / "config/README.md").read_text(encoding="utf-8")
    assert written == generator["readme_text"](SCHEMA), "run: make schema"
    for option in ("tsne.perplexity", "simulation.wells.doses", "representations.NAME.shrinkage", "compare"):
        assert written.count(f"\n| `{option}` |") == 1


def test_the_engines_are_imported_only_where_they_are_asked_for():
    code = """
import sys, moamap
assert "numba" not in sys.modules
from moamap import ITML, affinity_propagation
assert ITML.__module__ == "moamap.representations.itml" and callable(affinity_propagation)
try:
    moamap.gone
except AttributeError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "workflow", capture_output=True, text=True, check=True
    )
    assert run.stdout == "module 'moamap' has no attribute 'gone'\n"


def public_functions():
    for file in sorted((ROOT / "workflow/moamap").rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            members = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else [node]
            for function in members:
                if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                    yield pytest.param(function, id=f"{file.stem}.{function.name}")


@pytest.mark.parametrize("function", list(public_functions()))
def test_public_functions_are_documented_and_typed(function):
    assert ast.get_docstring(function)
    given = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    assert function.returns is not None
    assert [argument.arg for argument in given if argument.annotation is None] in ([], ["self"], ["cls"])


def test_the_version_is_the_same_wherever_it_is_written():
    """`__version__` is the version; Zenodo takes it from the tag of a release, which is `v` and the version."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    latest = re.search(r"^## (\S+) ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    deposited = json.loads((ROOT / ".zenodo.json").read_text())
    assert cited["version"] == moamap.__version__ == latest[1] and "version" not in deposited
    assert cited["title"] == deposited["title"] and cited["license"] == deposited["license"]
    assert cited["authors"] == deposited["creators"] == [{"name": "moamap"}]


def test_hosted_tests_call_the_targets_of_make():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["make"]
    targets = set(re.findall(r"^(\w+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"lint", "test"} < set(jobs["strategy"]["matrix"]["target"]) <= targets


def test_the_container_holds_all_that_a_run_reads():
    copied = set(re.findall(r"^COPY (\S+) ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
    assert copied == {"requirements.txt", "Snakefile", "config", "envs", "profiles", "resources", "workflow"}
    assert all((ROOT / part).exists() for part in copied)


ALONE = {
    "fetch",
    "inspection",
    "represent",
    "embed",
    "tally",
    "connect",
    "communities",
    "crossfit",
    "permute",
    "perturb",
}
ALONE |= {"permute", "perturb", "proposals", "measure_readings", "calibrate_readings", "extrapolate", "readings"}


def test_the_slurm_profile_groups_every_rule_that_takes_seconds():
    """A new rule is put into a group of workflow/profiles/slurm, or named here."""
    groups = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())["groups"]
    assert set(groups) | ALONE == set(RULES) and not set(groups) & ALONE
