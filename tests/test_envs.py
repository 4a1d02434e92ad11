"""Each environment holds just what the scripts of its rules import, in the versions of requirements.txt."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from moamap.core.code import reached

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / "workflow"
RULE = re.compile(r"^( *)rule (\w+):\n((?:\1 +.*\n|\n)+)", flags=re.MULTILINE)
BY_HAND = {"snakemake"}  # imported only where a script is run without Snakemake, in the project's own environment
DISTRIBUTIONS = packages_distributions()
LOCKED = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))


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
    theirs = names - ours - BY_HAND - set(sys.stdlib_module_names)
    return {re.sub(r"[-_.]+", "-", DISTRIBUTIONS[name][0]).lower() for name in theirs}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def dependencies(environment):
    return dict(line.split("=") for line in yaml.safe_load(environment.read_text())["dependencies"])


def faults(environment, scripts, locked=LOCKED):
    """What is wrong with an environment, in words; `scripts` are those that run in it."""
    held, needed = dependencies(environment), packages_of(scripts)
    lines = [f"{environment.name} has no {name}" for name in sorted(needed - set(held))]
    lines += [f"no script needs {name} in {environment.name}" for name in sorted(set(held) - needed - {"python"})]
    other = sorted(name for name in needed & set(held) if held[name] != locked.get(name))
    return lines + [f"{environment.name}: {name} {held[name]}, but {locked.get(name)} is locked" for name in other]


SCRIPTS = scripts_of_environments()


@pytest.mark.parametrize("environment", SCRIPTS)
def test_an_environment_holds_just_what_its_rules_import(environment):
    assert faults(ROOT / f"envs/{environment}.yaml", SCRIPTS[environment]) == []


def test_every_environment_is_used():
    """`envs/snakemake.yaml` is of the rule in the Snakefile itself, and for starting a run."""
    assert {path.stem for path in (ROOT / "envs").glob("*.yaml")} == {*SCRIPTS, "snakemake"}


def test_an_incomplete_an_overfull_and_an_outdated_environment_are_told(tmp_path):
    text = (ROOT / "envs/science.yaml").read_text()
    changed = re.sub(r"  - metric-learn=.*\n", "  - flask=3.0.0\n", text)
    changed = re.sub(r"scipy=.*", "scipy=1.0.0", changed)
    (tmp_path / "science.yaml").write_text(changed)
    assert faults(tmp_path / "science.yaml", SCRIPTS["science"]) == [
        "science.yaml has no metric-learn",
        "no script needs flask in science.yaml",
        f"science.yaml: scipy 1.0.0, but {LOCKED['scipy']} is locked",
    ]
