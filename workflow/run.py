"""Run the study and print one page: what `make run` does. The full logs stay in files.

    .venv/bin/python workflow/run.py [--cores 4] [--configfile my.yaml]

Snakemake runs as a child, in the folder that this is called from, and reports its events through a logger plugin.
A lock that a killed run left behind is removed, so the same command continues after Ctrl-C and after kill -9.
"""

import argparse
import json
import os
import platform
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import yaml

from page import Progress, Screen, closing, duration, errors_of, warnings_of

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = ROOT / "workflow/plugins"
READER = "--logger-moamap-reader"
STOPPING = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 5.0  # seconds between asking a process to stop and the next, harder way


def main(arguments: list[str] | None = None) -> int:
    """Run the study; the exit code is 0 only if all its files are there."""
    parser = argparse.ArgumentParser(description="Run the study and print one page.")
    parser.add_argument("--cores", default="all", help="jobs at a time (default: all cores)")
    parser.add_argument("--configfile", default="", help="one file, or several separated by spaces; the last one wins")
    parser.add_argument("targets", nargs="*", help="files to make (default: the whole study)")
    options = parser.parse_args(arguments)
    screen, configs = Screen(), configfiles(options.configfile)
    gone = [str(path) for path in configs if not path.is_file()]
    if gone:
        screen.say(f"Error: there is no config file {gone[0]}")
        return 1
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", options.cores]
    snakemake += ["--configfile", *map(str, configs)] if configs else []
    clear_the_way(snakemake, screen)
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        progress, code = follow(snakemake, options.targets, output, screen)
        output.seek(0)
        printed = output.read()
    for line in page(progress, code, printed, Path("results") / dataset_of(configs)):
        screen.say(line)
    return 130 if progress.interrupted else code


def configfiles(text: str) -> list[Path]:
    """The config files of `make run CONFIG=...`: one file whose name may hold spaces, or several."""
    return [Path(text)] if Path(text).is_file() else [Path(part) for part in shlex.split(text)]


def dataset_of(configs: list[Path]) -> str:
    """The name of the data set: Snakemake merges the configs, and the last one wins."""
    named = ""
    for path in configs or [Path("config/config.yaml")]:
        try:
            named = str((yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("dataset", named))
        except (OSError, ValueError, AttributeError, yaml.YAMLError):
            continue  # Snakemake says what is wrong with it
    return named


def follow(snakemake: list[str], targets: list[str], output, screen: Screen) -> tuple[Progress, int]:
    """Run Snakemake and show its progress until it ends."""
    progress, stops = Progress(), []
    before = {number: signal.signal(number, lambda *_: stops.append(time.monotonic())) for number in STOPPING}
    reader, writer = os.pipe()
    command = [*snakemake, "--logger", "moamap", "--logger-moamap-pipe", str(writer), READER, str(os.getpid())]
    command += ["--", *targets]
    paths = [str(PLUGINS), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    child = subprocess.Popen(command, stdout=output, stderr=output, pass_fds=[writer], env=environment)
    os.close(writer)
    for event in events(reader, child):
        if event:
            progress.take(event)
            continue
        if stops and not progress.interrupted and time.monotonic() - stops[0] > PATIENCE:
            stop([psutil.Process(child.pid)])  # the signal came to this process alone, not to its group
        screen.progress(progress)
    os.close(reader)
    code = child.wait()
    for number, handler in before.items():
        signal.signal(number, handler)
    progress.interrupted |= bool(stops)
    return progress, code


def events(reader: int, child: subprocess.Popen):
    """The events of a run as they come, and None in each pause between them."""
    rest = b""
    while True:
        ready, _, _ = select.select([reader], [], [], 0.3)
        if not ready:
            yield None
            if child.poll() is not None:
                return
            continue
        chunk = os.read(reader, 65536)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from map(json.loads, lines)


def page(progress: Progress, code: int, printed: str, results: Path) -> list[str]:
    """What is printed when a run has ended."""
    used = duration(time.monotonic() - progress.started)
    logs = f"Logs: {newest_log() or '.snakemake/log'} (Snakemake), {results}/logs (one file per job)"
    if progress.interrupted:
        return [f"Stopped after {used}. The same command continues from here.", logs]
    lines = warnings_of(progress)
    if code == 0:
        done = f"{progress.done} jobs done" if progress.total else "nothing to do, every file is up to date"
        return [*lines, *closing(results), f"{done}, {used}. {logs}"]
    said = errors_of(progress) or [f"Snakemake stopped with exit code {code}:", *last_lines(printed)]
    if "cannot be locked" in " ".join(said):
        others = pids(runs_here()) or f"on {last_host() or 'another machine'}"
        cure = "wait until it ends; if it was killed: snakemake --unlock, with the same --configfile"
        said = [f"Error: another run is making the same files in this folder (process {others}); {cure}"]
    end = f"Failed after {used}, {progress.done} of {progress.total} jobs done. {logs}"
    return [*lines, *said, *([end] if progress.total else [])]


def last_lines(printed: str) -> list[str]:
    """The end of what Snakemake printed, for a failure that it reported in no event."""
    lines = [line for line in printed.splitlines() if line.strip()]
    return [line for line in lines if "for setting default command line" not in line][-20:]


def newest_log() -> Path | None:
    """Snakemake's own log of the last run in this folder."""
    return max(Path(".snakemake/log").glob("*.snakemake.log"), default=None)


# --- what a killed run leaves behind ---


def clear_the_way(snakemake: list[str], screen: Screen) -> None:
    """Stop the jobs of a run that was killed, and remove its lock; a run that still goes on is left alone."""
    orphans = left_behind()
    if orphans:
        screen.say(f"A run was killed here; stopping what it left running (process {pids(orphans)})")
        stop(orphans)
    if is_locked() and last_host() == platform.node() and not runs_here():
        screen.say("A run was killed here; removing its lock and going on from where it stopped")
        subprocess.run([*snakemake, "--unlock"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pids(processes: list[psutil.Process]) -> str:
    """Numbers of processes, for people."""
    return ", ".join(str(process.pid) for process in processes)


def is_locked() -> bool:
    """Whether a run has locked this folder. Snakemake's lock says neither which process nor which machine."""
    return any(Path(".snakemake/locks").glob("*.lock"))


def last_host() -> str:
    """The machine of the last run in this folder, from Snakemake's log."""
    log = newest_log()
    text = log.read_text(errors="replace") if log else ""
    return next((line.split(": ", 1)[1] for line in text.splitlines() if line.startswith("  Host: ")), "")


def runs_here() -> list[psutil.Process]:
    """The processes on this machine that are Snakemake in this folder, or may be: another user's folder is not told."""
    return [process for process in psutil.process_iter() if is_snakemake(process) and is_here(process, unknown=True)]


def left_behind() -> list[psutil.Process]:
    """What still runs in this folder for a run that is gone: jobs without Snakemake, Snakemake without its page."""
    here = [process for process in psutil.process_iter() if is_here(process, unknown=False)]
    return [process for process in here if is_orphan(process)]


def is_orphan(process: psutil.Process) -> bool:
    """Whether a process belongs to a run whose head is gone."""
    try:
        words = process.cmdline()
        if READER in words:
            return process.ppid() != int(words[words.index(READER) + 1])
        return is_job(process) and not any(map(is_snakemake, process.parents()))
    except psutil.Error:
        return False


def is_snakemake(process: psutil.Process) -> bool:
    """Whether a process is Snakemake itself."""
    words = command_of(process)
    return any(Path(word).name == "snakemake" for word in words[:2]) or words[1:3] == ["-m", "snakemake"]


def is_job(process: psutil.Process) -> bool:
    """Whether a process is a script that Snakemake started."""
    return any(".snakemake/scripts/" in word for word in command_of(process))


def command_of(process: psutil.Process) -> list[str]:
    """The command of a process; empty where it is gone."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def is_here(process: psutil.Process, *, unknown: bool) -> bool:
    """Whether a process works in this folder; `unknown` where the system does not tell."""
    try:
        return Path(process.cwd()) == Path.cwd()
    except psutil.AccessDenied:
        return unknown
    except (psutil.Error, OSError):
        return False


def stop(processes: list[psutil.Process]) -> None:
    """Interrupt processes and all that they started, as Ctrl-C does; end what goes on after that."""
    everyone = {child for process in processes for child in [process, *process.children(recursive=True)]}
    for way in (signal.SIGINT, signal.SIGKILL):
        for process in everyone:
            if process.is_running():
                process.send_signal(way)
        _, everyone = psutil.wait_procs(everyone, timeout=PATIENCE)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # before Snakemake was started
        sys.exit(130)
