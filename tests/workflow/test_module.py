"""The workflow as a module of another one: from a local path, from a Git reference, and from a hosted repository."""

import json
import shutil
import subprocess

import pytest

from .study import ROOT, SMALL, snakemake

FILES = ["ours/results/small/profiles/checked", "ours/results/small/provenance.json"]
PARTS = ["Snakefile", "workflow", "envs", "resources", "config"]
OUTER = """
configfile: "{config}"
module moamap:
    snakefile: {snakefile}
    config: config
    prefix: "ours"
use rule * from moamap as moamap_*
rule mine:
    default_target: True
    input: rules.moamap_all.input
"""

DEPLOYED = """
configfile: "{config}"
module moamap:
    snakefile: {snakefile}
    config: config
use rule * from moamap
"""


def git(folder, *arguments):
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main"]
    run = subprocess.run(["git", "-C", folder, *identity, *arguments], capture_output=True, text=True, check=True)
    return run.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The project in a repository of its own, with the tag v1; what is committed after it is broken."""
    folder = tmp_path_factory.mktemp("repository")
    for part in PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / part)
    git(folder, "init", "--quiet")
    for text, tag in (("", "v1"), ('\nraise WorkflowError("broken")\n', "v2")):
        (folder / "Snakefile").write_text((folder / "Snakefile").read_text() + text)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", tag)
        git(folder, "tag", tag)
    return folder


def run_module(folder, snakefile, *arguments, text=OUTER):
    outer = folder / "Snakefile"
    outer.write_text(text.format(config=SMALL, snakefile=snakefile))
    return snakemake(*arguments, directory=folder, snakefile=outer)


def test_a_module_of_a_git_reference_runs_that_commit_and_says_so(repository, tmp_path):
    run = run_module(tmp_path, f'"git+file://{repository}/workflow/Snakefile@v1"', *FILES)
    assert run.returncode == 0, run.stdout
    provenance = json.loads((tmp_path / FILES[1]).read_text())
    assert provenance["moamap"]["commit"] == git(repository, "rev-parse", "v1^{commit}")
    assert (tmp_path / FILES[0]).exists() and not (tmp_path / "results").exists()
    assert "broken" in run_module(tmp_path, f'"git+file://{repository}/workflow/Snakefile@v2"', *FILES).stdout


def test_what_snakedeploy_writes_of_a_hosted_repository_makes_the_whole_study(repository, tmp_path, monkeypatch):
    """What Snakemake would have downloaded is put into its cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    clone = tmp_path / "cache/snakemake/snakemake/source-cache/snakemake-git-cache/github.com/someone/moamap"
    git(tmp_path, "clone", "--quiet", "--bare", repository, clone)
    hosted = 'github("someone/moamap", path="workflow/Snakefile", tag="v1")'
    run = run_module(tmp_path, hosted, "--dry-run", "--quiet", "rules", text=DEPLOYED)
    assert run.returncode == 0, run.stdout
    assert all(f"\n{rule} " in run.stdout for rule in ("check", "verdict", "figures")), run.stdout
