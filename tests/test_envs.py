"""Each environment holds just what the scripts of its rules import, in the versions of requirements.txt."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from moamap.core.code import reached

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / "workflow"
RULE = re.compile(r"^( *)rule (\w+):\n((?:\1 +.*\n|\n)+)", flags=re.MULTILINE)
BY_HAND = {"snakemake"}  # imported only where a script is run without Snakemake, in the project's own environment
DISTRIBUTIONS = packages_distributions()
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.0"}  # of the environments; newer ones have newer numpy
LOCKED = {
    one.name.lower(): str(one.specifier).removeprefix("==")
    for line in re.findall(r"^[\w.-]+==[^\\]+", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)
    if not (one := Requirement(line)).marker or one.marker.evaluate(PYTHON)
}


def scripts_of_environments():
    """The scripts that run in each environment, by its file's name."""
    found = {}
    for file in WORKFLOW.glob("rules/*.smk"):
        for _, name, body in RULE.findall(file.read_text()):
            environment, script = (
                re.search(rf'"\.\./{place}"', body) for place in (r"\.\./envs/(\w+)\.yaml", r"(scripts/\w+\.py)")
            )
            assert environment and script, f"{name}: no environment or script found in {file.name}"
            found.setdefault(environment[1], set()).add(WORKFLOW / script[1])
    return found


def packages_of(scripts):
    """The packages that scripts import, directly or through the project's modules."""
    files = {file for script in scripts for file in reached(script, WORKFLOW)}
    names = {name.split(".")[0] for file in files for name in imported(ast.parse(file.read_text()))}
    ours = {file.stem for file in files} | {"moamap"}
    theirs = names - ours - BY_HAND - {""} - set(sys.stdlib_module_names)
    return {re.sub(r"[-_.]+", "-", DISTRIBUTIONS[name][0]).lower() for name in theirs}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "files" and len(node.args) == 1:
            yield getattr(node.args[0], "value", "")  # files of a package, by importlib.resources


def dependencies(environment):
    return dict(line.split("=") for line in yaml.safe_load(environment.read_text())["dependencies"])


def faults(environment, scripts):
    """What is missing from an environment, or too much in it, in words; `scripts` are those that run in it."""
    held, needed = set(dependencies(environment)), packages_of(scripts)
    lines = [f"{environment.name} has no {name}" for name in sorted(needed - held)]
    return lines + [f"no script needs {name} in {environment.name}" for name in sorted(held - needed - {"python"})]


def outdated(environment):
    """The packages of an environment in another version than the locked one."""
    held = dependencies(environment).items()
    return sorted(name for name, version in held if name != "python" and version != LOCKED.get(name))


SCRIPTS = scripts_of_environments()


@pytest.mark.parametrize("environment", SCRIPTS)
def test_an_environment_holds_just_what_its_rules_import(environment):
    assert faults(ROOT / f"envs/{environment}.yaml", SCRIPTS[environment]) == []


@pytest.mark.parametrize("environment", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_environment_has_the_versions_that_the_requirements_lock(environment):
    assert outdated(environment) == []
    # `envs/snakemake.yaml` is of the rule in the Snakefile itself, and for starting a run
    assert environment.stem in {*SCRIPTS, "snakemake"}


def test_an_incomplete_an_overfull_and_an_outdated_environment_are_told(tmp_path):
    text = (ROOT / "envs/science.yaml").read_text()
    changed = re.sub(r"  - metric-learn=.*\n", "  - flask=3.0.0\n", text)
    changed = re.sub(r"scipy=.*", "scipy=1.0.0", changed)
    (tmp_path / "science.yaml").write_text(changed)
    expected = ["science.yaml has no metric-learn", "no script needs flask in science.yaml"]
    assert faults(tmp_path / "science.yaml", SCRIPTS["science"]) == expected
    assert outdated(tmp_path / "science.yaml") == ["flask", "scipy"]
