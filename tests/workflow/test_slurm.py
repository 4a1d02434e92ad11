"""The study through a real SLURM; skipped where none answers. `../shared/tools/slurm-local` starts one of one node."""

import re
import shutil
import subprocess

import pytest

from .study import ROOT, SMALL, checksums, snakemake

TARGETS = ["results/small/raw/tsne.csv", "results/small/raw/communities.csv", "results/small/profiles/checked"]
QUICK = ["--seconds-between-status-checks", "1", "--slurm-init-seconds-before-status-checks", "1"]


def answers() -> bool:
    """Whether a SLURM is there and up."""
    try:
        return bool(shutil.which("sbatch")) and not subprocess.run(["sinfo"], capture_output=True, timeout=5).returncode
    except subprocess.TimeoutExpired:
        return False


pytestmark = pytest.mark.skipif(not answers(), reason="no SLURM answers here")


def submitted(*arguments, directory):
    """A run with the profile, and the rules or groups that it submitted."""
    profile = ["--profile", ROOT / "workflow/profiles/slurm", *QUICK]
    run = snakemake(*arguments, *profile, directory=directory, configfile=SMALL)
    return run, sorted(re.findall(r"SLURM jobid \d+ \(log: \S*/(?:rule|group)_(\w+)/", run.stdout))


def test_small_jobs_go_together_and_the_bytes_are_those_of_a_local_run(small_run, tmp_path):
    run, names = submitted(*TARGETS, directory=tmp_path)
    assert run.returncode == 0, run.stdout
    assert names == ["communities", "connect", "near", "prepare", "represent"]
    found, local = checksums(tmp_path / "results/small"), checksums(small_run)
    assert len(found) > 8 and found == {name: local[name] for name in found}


def test_a_job_that_the_queue_will_never_start_ends_the_run_with_the_reason(tmp_path):
    change = ["--set-resources", "simulate:runtime=100000", "--retries", "0"]
    run, names = submitted("results/small/truth.csv", *change, directory=tmp_path)
    assert run.returncode != 0 and names == ["prepare"]
    assert "will never start" in run.stdout and "PartitionTimeLimit" in run.stdout, run.stdout
