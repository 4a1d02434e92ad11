"""Faults in every rule of the small study, after which the same command gives the same bytes: `make faults`.

    .venv/bin/python -m tests.faults [--out results/faults] [RULE ...]

A job of each rule is made to fail in a copy of a finished study, in turn by each of `FAULTS`. Then the same command
runs again, and its files are compared with those of the study. The table says what the run printed of the fault, and
how long the second run took.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pandas as pd
import psutil

from .workflow.study import ROOT, SMALL, snakemake

RESULTS = Path("results/small")
DELETE = "delete it and run again"  # what an error says where a file of the study is damaged


@dataclass
class Job:
    """A job of the finished study: its rule, its files relative to the study's folder, the seconds it took."""

    rule: str
    inputs: list[str]
    outputs: list[str]
    seconds: float


def jobs_of(study: Path) -> Iterator[Job]:
    """One job of each rule of a finished study."""
    listed = snakemake("--detailed-summary", directory=study, configfile=SMALL)
    lines = [line.split("\t") for line in listed.stdout.splitlines() if line.count("\t") >= 6]
    table = pd.DataFrame(lines[1:], columns=lines[0])
    for rule, rows in table.groupby("rule", sort=False):
        rows = rows[rows["log-file(s)"] == rows["log-file(s)"].iloc[0]]
        times = study / RESULTS / "benchmarks" / Path(rows["log-file(s)"].iloc[0]).with_suffix(".tsv").name
        inputs = [file for file in rows["input-file(s)"].iloc[0].split(",") if (study / file).is_file()]
        outputs = [file for file in rows["output_file"] if (study / file).is_file()]
        yield Job(str(rule), inputs, outputs, float(pd.read_csv(times, sep="\t")["s"].iloc[0]))


# --- a run of one job ---


def start(folder: Path, job: Job) -> subprocess.Popen:
    """`make run` for the files of a job, in a process group of its own; what it prints goes to printed.txt."""
    command = [sys.executable, str(ROOT / "workflow/run.py"), "--cores", "2", "--configfile", str(SMALL), *job.outputs]
    with (folder / "printed.txt").open("w") as output:
        return subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, start_new_session=True)


def script_of(folder: Path, job: Job, run: subprocess.Popen) -> psutil.Process | None:
    """The process of the job's script, as soon as it is there; None where the run ends without it."""
    place = str(folder / ".snakemake/scripts")
    while run.poll() is None:
        for process in psutil.Process(run.pid).children(recursive=True):
            words = process.cmdline() if process.is_running() and process.status() != psutil.STATUS_ZOMBIE else []
            if any(word.startswith(place) and word.endswith(f".{job.rule}.py") for word in words):
                return process
        time.sleep(0.02)
    return None


# --- the faults; each gives the number that the run ended with ---


def _interrupted(folder: Path, job: Job, act) -> int:
    run = start(folder, job)
    process = script_of(folder, job, run)
    if process:
        time.sleep(job.seconds / 2)
        act(run, process)
    return run.wait()


def kill_job(folder: Path, job: Job) -> int:
    """kill -9 of the job in the middle, as by the system when memory runs out."""
    return _interrupted(folder, job, lambda run, process: process.is_running() and process.kill())


def kill_all(folder: Path, job: Job) -> int:
    """kill -9 of the job, of Snakemake and of the page, as by a power cut."""
    return _interrupted(folder, job, lambda run, process: os.killpg(run.pid, signal.SIGKILL))


def ctrl_c(folder: Path, job: Job) -> int:
    """Ctrl-C in a terminal."""
    return _interrupted(folder, job, lambda run, process: os.killpg(run.pid, signal.SIGINT))


def disk_full(folder: Path, job: Job) -> int:
    """No file of the job may be larger than half of its largest: writing fails as on a full disk."""
    half = max((folder / file).stat().st_size for file in job.outputs) // 2
    _remove(folder, job.outputs)
    run = start(folder, job)
    process = script_of(folder, job, run)
    if process:
        process.rlimit(psutil.RLIMIT_FSIZE, (half, half))
    return run.wait()


def input_cut(folder: Path, job: Job) -> int:
    """The job's largest input of this study ends in the middle. Where the run says to delete it, it is deleted."""
    made = [file for file in job.inputs if file.startswith(str(RESULTS))]
    if not made:
        return 0
    damaged = folder / max(made, key=lambda file: (folder / file).stat().st_size)
    os.truncate(damaged, damaged.stat().st_size // 2)
    code = start(folder, job).wait()
    if damaged.name in (said := (folder / "printed.txt").read_text()) and DELETE in said:
        damaged.unlink()
    return code


FAULTS = {
    "kill -9 of the job": kill_job,
    "kill -9 of all": kill_all,
    "Ctrl-C": ctrl_c,
    "disk full": disk_full,
    "input cut off": input_cut,
}


def _remove(folder: Path, files: list[str]) -> None:
    for file in files:
        (folder / file).unlink(missing_ok=True)


def tried(study: Path, folder: Path, job: Job, fault: str) -> dict[str, object]:
    """A row of the table: a fault in a job, in a copy of the study, and what the same command then makes."""
    shutil.copytree(study, folder)
    if fault != "disk full":  # which looks at their sizes first
        _remove(folder, job.outputs)
    code = FAULTS[fault](folder, job)
    said, begun = (folder / "printed.txt").read_text() if (folder / "printed.txt").exists() else "", time.monotonic()
    again = start(folder, job).wait()
    seconds = time.monotonic() - begun
    same = all(_same(study / file, folder / file) for file in job.outputs)
    shutil.rmtree(folder)
    return {
        "rule": job.rule,
        "fault": fault,
        "exit": code,
        "said": _of_the_fault(said),
        "exit of the second run": again,
        "same bytes": same,
        "seconds to recover": round(seconds, 1),
    }


def _same(expected: Path, found: Path) -> bool:
    return found.exists() and expected.read_bytes() == found.read_bytes()


def _of_the_fault(printed: str) -> str:
    """The line about the failed job, or that the run was stopped."""
    lines = [line.strip() for line in printed.splitlines()]
    after = [there for line, there in pairwise(lines) if line.endswith("failed:")]
    return next(iter(after + [line for line in lines if line.startswith(("Error", "Stopped"))]), "")


def main() -> int:
    """Make the study, try each fault in each rule, write the table; 1 if a file of any row differs."""
    parser = argparse.ArgumentParser(description="Try faults in every rule of the small study.")
    parser.add_argument("rules", nargs="*", help="the rules to try (default: all)")
    parser.add_argument("--out", type=Path, default=Path("results/faults"))
    options = parser.parse_args()
    study = options.out.absolute() / "study"
    study.mkdir(parents=True, exist_ok=True)
    run = snakemake(directory=study, configfile=SMALL)
    if run.returncode:
        sys.exit(run.stdout)
    jobs = [job for job in jobs_of(study) if job.rule in options.rules or not options.rules]
    rows = []
    for job in jobs:
        for fault in FAULTS:
            rows.append(tried(study, study.with_name("copy"), job, fault))
            pd.DataFrame(rows).to_csv(options.out / "faults.csv", index=False)
            print(*rows[-1].values(), sep=" | ", flush=True)
    return int(not all(row["same bytes"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
