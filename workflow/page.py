"""What `make run` prints: progress, warnings, errors and the end of a run, from Snakemake's events."""

import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

FIRST = {  # what to look at first, in this order
    "report.html": "the whole study for a browser",
    "explorer.html": "the map of drugs, to search and zoom",
    "validation/verdict.md": "what to believe, and what not",
    "supplement/table_1.csv": "communities and enriched MoAs of each representation",
    "candidates.csv": "drugs worth testing for another MoA",
    "placed": "compounds that the maps were not made from: their nearest drugs and communities",
    "figures": "figures 1-4 and S1",
}
UNEXPLAINED = "stopped without a message; it may have been killed, or out of memory"


@dataclass
class Job:
    """A job of the run: its name and its log files."""

    name: str
    logs: list[str]


@dataclass
class Progress:
    """What a run has done so far."""

    started: float = field(default_factory=time.monotonic)
    total: int = 0
    done: int = 0
    jobs: dict[int, Job] = field(default_factory=dict)
    running: dict[int, str] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, list[Job]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    interrupted: bool = False

    def take(self, event: dict) -> None:
        """Bring the progress up to date with one event of the logger plugin."""
        kind = event["event"]
        self.total = event.get("total") or self.total
        self.done = event.get("done", self.done)
        if kind == "job_info":
            self.jobs[event["jobid"]] = Job(job_name(event["rule_name"], event["wildcards"]), event["log"])
            self.running[event["jobid"]] = self.jobs[event["jobid"]].name
        elif kind == "job_finished":
            self.running.pop(event["job_id"], None)
            self._keep_warnings(self.jobs.get(event["job_id"]))
        elif kind == "job_error":
            self.running.pop(event["jobid"], None)
            job = self.jobs.get(event["jobid"]) or Job(event["rule_name"], event["log"])
            self._keep_warnings(job)
            self.failed.setdefault(reason_of(job.logs), []).append(job)
        elif kind == "error":
            self.errors.append(without_header(event["message"]))
        elif event["message"].startswith("Terminating processes on user request"):
            self.interrupted = True

    def _keep_warnings(self, job: Job | None) -> None:
        for log in job.logs if job else []:
            for line in lines_of(log, "WARNING"):
                jobs = self.warnings.setdefault(line, [])
                jobs += [job.name] * (job.name not in jobs)

    def line(self) -> str:
        """Jobs done of all, the time used and left, and what runs now."""
        if not self.total:
            return "reading the config and the files that are there"
        used = time.monotonic() - self.started
        text = f"{self.done} of {self.total} jobs, {duration(used)}"
        if self.done and self.running:
            text += f", about {duration(used / self.done * (self.total - self.done))} left"
        return f"{text}: {', '.join(self.running.values())}" if self.running else text


class Screen:
    """Where the page goes: a terminal, on which the progress rewrites one line, or a file, to which lines are added."""

    def __init__(self, stream: TextIO = sys.stdout, every: float = 15):
        self.stream, self.every = stream, every
        self.live = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.shown, self.tenth, self.text = time.monotonic(), 0, ""

    def progress(self, progress: Progress) -> None:
        """Show how far the run is; without a terminal only at each tenth of the jobs, or after `every` seconds."""
        text, now = progress.line(), time.monotonic()
        if self.live:
            width = os.get_terminal_size(self.stream.fileno()).columns or 80
            self._write(f"\r{printable(text)[: width - 1]}\x1b[K")
            return
        tenth = 10 * progress.done // progress.total if progress.total else 0
        if text != self.text and (tenth > self.tenth or now - self.shown >= self.every):
            self.shown, self.tenth, self.text = now, tenth, text
            self._write(f"{printable(text)}\n")

    def say(self, text: str = "") -> None:
        """Print a line of the page, below what is there."""
        clear = "\r\x1b[K" if self.live else ""
        self._write(f"{clear}{printable(text)}\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def job_name(rule: str, wildcards: dict[str, str]) -> str:
    """A job in words: its rule, and its wildcards but the data set."""
    return " ".join([rule, *(value for name, value in wildcards.items() if name != "dataset")])


def lines_of(log: str, level: str) -> list[str]:
    """What a job's log says at one level, or at any."""
    try:
        text = Path(log).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    start = f"{level} " if level else ""
    return [line.removeprefix(start) for line in text.splitlines() if line.startswith(start)]


def reason_of(logs: list[str]) -> str:
    """Why a job failed: the last error in its logs, or their last line where no script of the project wrote them."""
    said = [line for log in logs for line in lines_of(log, "ERROR") or lines_of(log, "")]
    return next((line for line in reversed(said) if line.strip() and not line.startswith("INFO ")), UNEXPLAINED)


def without_header(message: str) -> str:
    """Snakemake's error without its class and the lines of the Snakefile that it was raised from."""
    return re.sub(r'\A\w+( in file .*)?:\n|^  File ".*", line \d+.*$', "", message, flags=re.MULTILINE).strip()


def printable(text: str) -> str:
    """The text without control characters, which a name in somebody's table may hold."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def duration(seconds: float) -> str:
    """Seconds in words: 48 s, 3 min 05 s, 1 h 02 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def sentences(results: Path, count: int = 3) -> list[str]:
    """The first sentences of the verdict: the summary in verdict.json, else the first points of verdict.md."""
    try:
        return json.loads((results / "validation/verdict.json").read_text(encoding="utf-8"))["summary"][:count]
    except (OSError, ValueError, KeyError):
        pass
    try:
        text = (results / "validation/verdict.md").read_text(encoding="utf-8")
    except OSError:
        return []
    return [line[2:].replace("**", "") for line in text.splitlines() if line.startswith(("- ", "* "))][:count]


def closing(results: Path) -> list[str]:
    """The end of a run that went well: the verdict in short, and where to look first."""
    verdict = [f"  - {sentence}" for sentence in sentences(results)]
    there = {str(results / name): what for name, what in FIRST.items() if (results / name).exists()}
    width = max(map(len, there), default=0)
    look = [f"  {path:{width}}  {what}" for path, what in there.items()]
    return (["The verdict in short:", *verdict] if verdict else []) + (["Look first at:", *look] if look else [])


def warnings_of(progress: Progress) -> list[str]:
    """Each warning once, with the jobs that gave it."""
    lines = [f"  {text} ({and_more(names)})" for text, names in progress.warnings.items()]
    return ["Warnings:", *lines] if lines else []


def errors_of(progress: Progress) -> list[str]:
    """Each error once, with the log of the job; errors of Snakemake itself only where no job has failed."""
    count = sum(map(len, progress.failed.values()))
    if not count:
        return [f"Error: {error}" for error in dict.fromkeys(progress.errors)]
    lines = [f"{count} job{'s' * (count > 1)} failed:"]
    for text, jobs in progress.failed.items():
        lines.append(f"  {and_more([job.name for job in jobs])}: {text}")
        lines += [f"    log: {log}" for log in jobs[0].logs]
    return lines


def and_more(names: list[str]) -> str:
    """The first name, and how many more."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
