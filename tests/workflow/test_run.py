"""`make run`: one page, a run that was stopped goes on with the same command, and scripts by hand."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import _job
import run as study_run
from page import Progress, Screen, closing, duration, errors_of, job_name, printable, sentences, warnings_of

from .study import ROOT, SMALL, snakemake

TARGETS = ["results/small/raw/communities.csv", "results/small/pca/communities.csv"]
COMMAND = [sys.executable, str(ROOT / "workflow/run.py"), "--cores", "2"]


def page(folder, *arguments, config=SMALL):
    """What `make run` prints in a folder, without a terminal."""
    command = [*COMMAND, "--configfile", str(config), *arguments]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def begun(folder, command):
    """A run in a process group of its own, taken up to a running job."""
    with open(folder / "printed.txt", "w") as output:
        child = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, start_new_session=True)
    until = time.monotonic() + 120
    while not list(folder.glob("results/small/profiles/*")) or not list(folder.glob(".snakemake/scripts/*.py")):
        assert child.poll() is None and time.monotonic() < until, (folder / "printed.txt").read_text()
        time.sleep(0.05)
    return child


def put_off(config, folder):
    """The small study without validation or queries, in a file of its own."""
    text = SMALL.read_text().split("query:")[0] + "validation: off\n"
    path = folder / config
    path.write_text(text)
    return path


# --- whole runs ---


def test_a_run_is_a_page_in_a_folder_with_spaces_and_with_two_configs(tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    put_off("one.yaml", folder)
    (folder / "two.yaml").write_text("dataset: other\n")
    run = page(folder, "results/other/raw/communities.csv", config="one.yaml two.yaml")
    assert run.returncode == 0, run.stdout
    lines = run.stdout.splitlines()
    assert len(lines) < 60 and all(len(line) < 300 for line in lines)
    assert (folder / "results/other/raw/communities.csv").exists()
    assert lines[-1].startswith("8 jobs done") and "results/other/logs" in lines[-1]
    assert all(letter.isprintable() for line in lines for letter in line)
    log = next(word for word in lines[-1].split() if word.endswith(".snakemake.log"))
    assert "rule annotate:" in (folder / log).read_text()
    again = page(folder, "results/other/raw/communities.csv", config="one.yaml two.yaml")
    assert again.returncode == 0 and "nothing to do" in again.stdout


def test_the_page_ends_with_the_verdict_and_where_to_look(small_run):
    run = page(small_run.parents[1])
    assert run.returncode == 0, run.stdout
    lines = run.stdout.splitlines()
    verdict, look = lines.index("The verdict in short:"), lines.index("Look first at:")
    assert 1 <= look - verdict - 1 <= 3 and len(lines) - look > 3
    for line in lines[look + 1 : -1]:
        assert (small_run.parents[1] / line.split()[0]).exists()


def test_after_kill_9_of_everything_the_same_command_continues(tmp_path):
    child = begun(tmp_path, [*COMMAND, "--configfile", str(SMALL), *TARGETS])
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    finished = (tmp_path / "results/small/sources/simulated_profiles.parquet").stat().st_mtime_ns
    refused = snakemake(*TARGETS, directory=tmp_path, configfile=SMALL)
    assert refused.returncode != 0 and "--unlock" in refused.stdout
    run = page(tmp_path, *TARGETS)
    assert run.returncode == 0, run.stdout
    assert run.stdout.count("removing its lock") == 1
    assert (tmp_path / "results/small/sources/simulated_profiles.parquet").stat().st_mtime_ns == finished
    assert all((tmp_path / target).exists() for target in TARGETS)


def test_after_kill_9_of_snakemake_its_jobs_are_stopped_and_the_same_command_continues(tmp_path):
    child = begun(tmp_path, [*COMMAND, "--configfile", str(SMALL), *TARGETS])
    parent = next(one for one in study_run.psutil.Process(child.pid).children() if study_run.is_snakemake(one))
    parent.kill()
    assert child.wait() != 0
    run = page(tmp_path, *TARGETS)
    assert run.returncode == 0, run.stdout
    assert all((tmp_path / target).exists() for target in TARGETS)


def test_a_lock_of_a_run_that_goes_on_is_left_alone(tmp_path):
    child = begun(tmp_path, [*COMMAND, "--configfile", str(SMALL), *TARGETS])
    run = page(tmp_path, *TARGETS)
    going_on = child.poll() is None
    assert child.wait() == 0
    assert not going_on or (run.returncode != 0 and "another run is making the same files" in run.stdout)


def test_ctrl_c_ends_in_two_lines_and_the_same_command_continues(tmp_path):
    child = begun(tmp_path, [*COMMAND, "--configfile", str(SMALL), *TARGETS])
    os.killpg(child.pid, signal.SIGINT)
    assert child.wait() == 130
    printed = (tmp_path / "printed.txt").read_text()
    assert "Stopped after" in printed and "Traceback" not in printed
    run = page(tmp_path, *TARGETS)
    assert run.returncode == 0 and "lock" not in run.stdout, run.stdout


def test_plain_snakemake_continues_after_ctrl_c_and_shows_no_traceback(tmp_path):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2", *TARGETS]
    child = begun(tmp_path, [*command, "--configfile", str(SMALL)])
    os.killpg(child.pid, signal.SIGINT)
    child.wait()
    printed = (tmp_path / "printed.txt").read_text()
    assert "Traceback" not in printed and "profiles/default" in printed
    run = snakemake(*TARGETS, directory=tmp_path, configfile=SMALL)
    assert run.returncode == 0, run.stdout


def test_an_error_of_a_job_is_shown_once_with_its_log(tmp_path):
    (tmp_path / "bad.csv").write_text("pert_id,moa,f1,f2,f3\na,m,1,2,x\nb,m,1,2,3\n")
    tail = put_off("bad.yaml", tmp_path).read_text().split("representations:")[1]
    source = "dataset: bad\nsources: {profiles: {location: bad.csv}}\n"
    (tmp_path / "bad.yaml").write_text(f"{source}representations:{tail}")
    run = page(tmp_path, "results/bad/raw/enrichment.csv", config="bad.yaml")
    assert run.returncode != 0
    assert run.stdout.count("column 'f3', row 1: 'x'") == 1
    log = next(line for line in run.stdout.splitlines() if line.startswith("    log: ")).removeprefix("    log: ")
    assert "column 'f3', row 1: 'x'" in (tmp_path / log).read_text()


@pytest.mark.parametrize(
    "config, expected",
    [("dataset: x\nenrichmnt: {}\n", "'enrichmnt'"), ("dataset: [\n", "not valid"), (None, "there is no config file")],
)
def test_a_config_that_is_wrong_takes_a_line_or_two(tmp_path, config, expected):
    if config:
        (tmp_path / "wrong.yaml").write_text(config)
    run = page(tmp_path, config="wrong.yaml")
    assert run.returncode != 0 and expected in run.stdout and len(run.stdout.splitlines()) <= 2, run.stdout


@pytest.mark.parametrize("name", ["results", "results/small"])
def test_a_file_in_place_of_the_results_folder_takes_one_line(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    run = page(tmp_path)
    assert run.returncode != 0 and run.stdout.splitlines() == [
        f"Error: {name} is a file; the study writes into a folder of that name: move or rename the file"
    ]
    assert "Traceback" not in snakemake(directory=tmp_path, configfile=SMALL).stdout


def test_make_alone_lists_every_target():
    run = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[1] for line in run.stdout.splitlines()}
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    assert listed == set(phony.split()[1:])


def test_make_hands_a_file_name_over_as_it_is(tmp_path):
    command = ["make", "-n", "-o", ".venv/ready", "run", "CONFIG=a 'b'; touch x.yaml"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '--configfile "$CONFIG"' in run.stdout and "touch x" not in run.stdout


# --- the page ---


def event(kind, message="", **values):
    return {"event": kind, "message": message, **values}


def started(jobid, rule, log, **wildcards):
    return event("job_info", jobid=jobid, rule_name=rule, wildcards={"dataset": "d", **wildcards}, log=[str(log)])


def test_progress_follows_the_events(tmp_path):
    progress = Progress()
    assert "reading" in progress.line()
    progress.take(event("run_info", total=4))
    progress.take(started(1, "represent", "l1", representation="pca"))
    progress.take(started(2, "tsne", "l2"))
    assert progress.line().endswith("represent pca, tsne") and progress.line().startswith("0 of 4 jobs")
    progress.take(event("job_finished", job_id=1))
    progress.take(event("progress", done=1, total=4))
    assert progress.line().startswith("1 of 4 jobs") and " left: tsne" in progress.line()


def test_time_left_is_the_time_used_times_the_jobs_left_by_the_jobs_done():
    progress = Progress(started=time.monotonic() - 30, total=9, done=3, running={1: "tsne"})
    assert progress.line() == "3 of 9 jobs, 30 s, about 1 min 00 s left: tsne"


def test_warnings_and_errors_are_said_once(tmp_path):
    progress = Progress()
    for number in range(3):
        log = tmp_path / f"{number}.log"
        log.write_text("INFO begun\nWARNING two MoAs differ only in case\nERROR too few drugs\n")
        progress.take(started(number, "permute", log, batch=str(number)))
    progress.take(event("job_finished", job_id=0))
    for number in (1, 2):
        progress.take(event("job_error", jobid=number, rule_name="permute", log=[str(tmp_path / f"{number}.log")]))
    assert warnings_of(progress) == ["Warnings:", "  two MoAs differ only in case (permute 0 and 2 more)"]
    assert errors_of(progress) == [
        "2 jobs failed:",
        "  permute 1 and 1 more: too few drugs",
        f"    log: {tmp_path / '1.log'}",
    ]


def test_a_job_that_was_killed_is_not_left_without_a_word(tmp_path):
    progress = Progress()
    progress.take(event("job_error", jobid=5, rule_name="permute", log=[str(tmp_path / "none.log")]))
    assert "may have been killed" in errors_of(progress)[1]


def test_the_class_and_place_of_snakemakes_errors_are_left_out():
    progress = Progress()
    text = 'WorkflowError in file "/x", line 9:\nmy.yaml: alpha: 7 is too large\n  File "/x", line 9, in <module>'
    progress.take(event("error", text, exception="WorkflowError"))
    assert errors_of(progress) == ["Error: my.yaml: alpha: 7 is too large"]


@pytest.mark.parametrize(
    "seconds, text",
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (3599.7, "1 h 00 min"), (7380, "2 h 03 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_end_has_three_sentences_and_only_paths_that_are_there(tmp_path):
    folder = tmp_path / "validation"
    folder.mkdir()
    assert sentences(tmp_path) == []
    (folder / "verdict.md").write_text("# Verdict\n\n- **One**.\ntext\n- Two.\n- Three.\n- Four.\n")
    assert sentences(tmp_path) == ["One.", "Two.", "Three."]
    (folder / "verdict.json").write_text(json.dumps({"summary": ["A.", "B.", "C.", "D."]}))
    assert sentences(tmp_path) == ["A.", "B.", "C."]
    text = "\n".join(closing(tmp_path))
    assert "verdict.md" in text and "candidates.csv" not in text and "  - A." in text


def test_a_terminal_gets_one_line_that_is_rewritten_and_a_file_gets_lines(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    progress = Progress(total=100)
    leader, follower = pty.openpty()
    with open(tmp_path / "page.txt", "w+") as file, os.fdopen(follower, "w") as terminal:
        screens = [Screen(file), Screen(terminal)]
        for progress.done in range(1, 100):
            for screen in screens:
                screen.progress(progress)
        screens[1].say("end\x1b[31m")
        shown = ""
        while "\n" not in shown:
            shown += os.read(leader, 100_000).decode()
    os.close(leader)
    assert len((tmp_path / "page.txt").read_text().splitlines()) == 9
    assert shown.count("\r") >= 99 and shown.count("\n") == 1 and shown.split("\x1b[K")[-1].startswith("end?[31m")


def test_names_of_jobs_and_control_characters():
    assert job_name("permute", {"dataset": "d", "representation": "itml", "batch": "3"}) == "permute itml 3"
    assert printable("a\x1b[0m\rb") == "a?[0m?b"


def test_one_config_may_have_spaces_and_several_are_several(tmp_path):
    (tmp_path / "a b.yaml").write_text("dataset: x\n")
    assert study_run.configfiles(str(tmp_path / "a b.yaml")) == [tmp_path / "a b.yaml"]
    assert study_run.configfiles("a.yaml 'b c.yaml'") == [Path("a.yaml"), Path("b c.yaml")]
    assert study_run.configfiles("") == []


# --- scripts ---


@pytest.fixture(scope="module")
def connected(tmp_path_factory):
    """A small study up to the communities of one representation."""
    folder = tmp_path_factory.mktemp("connected")
    run = snakemake("results/small/raw/enrichment.csv", directory=folder, configfile=SMALL)
    assert run.returncode == 0, run.stdout
    return folder


def by_hand(folder, script, *arguments):
    command = [sys.executable, str(ROOT / f"workflow/scripts/{script}.py"), *arguments]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_script_by_hand_is_refused_while_a_run_holds_the_lock(connected):
    target = "results/small/raw/enrichment.csv"
    before = (connected / target).stat().st_mtime_ns
    lock = connected / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text(f"{target}\n")
    refused = by_hand(connected, "enrich", target, str(SMALL))
    assert refused.returncode == 1 and len(refused.stdout.splitlines()) == 1 and "--unlock" in refused.stdout
    assert (connected / target).stat().st_mtime_ns == before and lock.exists()
    lock.unlink()
    assert by_hand(connected, "enrich", target, str(SMALL)).returncode == 0
    assert not lock.exists() and not list(connected.glob("results/small/raw/.by_hand*"))


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ([], "name the file to make"),
        (["results/small/raw/tsne.csv", str(SMALL)], "is made by tsne.py, not by enrich.py"),
        (["results/small/raw/gone.csv", str(SMALL)], "No rule to produce"),
        (["results/small/raw/enrichment.csv", "gone.yaml"], "gone.yaml"),
    ],
)
def test_a_script_by_hand_says_in_one_line_what_is_wrong(tmp_path, arguments, expected):
    run = by_hand(tmp_path, "enrich", *arguments)
    assert run.returncode == 1 and expected in run.stdout and len(run.stdout.splitlines()) == 1, run.stdout


def test_an_interrupted_script_by_hand_leaves_the_files_as_they_were(tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "new/two.csv"
    one.write_text("whole")
    with pytest.raises(KeyboardInterrupt), _job._moved_at_the_end([one, two]) as beside:
        beside[one].write_text("ha")
        raise KeyboardInterrupt
    assert one.read_text() == "whole" and list(tmp_path.rglob("*.csv")) == [one]
    with _job._moved_at_the_end([one, two]) as beside:
        beside[one].write_text("1")
        beside[two].write_text("2")
    assert (one.read_text(), two.read_text()) == ("1", "2") and not list(tmp_path.rglob(".by_hand*"))


SCRIPT = """
import sys, time
from types import SimpleNamespace
sys.path[:0] = [{scripts!r}, {package!r}]
snakemake = SimpleNamespace(log=[{log!r}], output=["results/x.csv"])
from _job import run
from moamap.core.errors import InputError
def main(job):
    {body}
run(main, snakemake)
"""


def script(folder, body):
    """A file like the scripts, which Snakemake has given a job; its log is beside it."""
    places = {"scripts": str(ROOT / "workflow/scripts"), "package": str(ROOT / "workflow"), "log": str(folder / "log")}
    (folder / "script.py").write_text(SCRIPT.format(body=body, **places))
    return [sys.executable, str(folder / "script.py")]


@pytest.mark.parametrize(
    "body, expected",
    [
        ("raise InputError('row 3')", "ERROR row 3"),
        ("raise MemoryError", "ERROR not enough memory to make results/x.csv: run fewer jobs at a time (--cores 1)"),
        ("open('gone/away')", "ERROR gone/away: No such file or directory"),
        ("1 / 0", "ERROR unexpected ZeroDivisionError in the job that makes results/x.csv: 'division by zero'"),
    ],
)
def test_an_error_of_a_script_is_one_line_on_the_screen_and_in_the_log(tmp_path, body, expected):
    run = subprocess.run(script(tmp_path, body), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 1 and len(run.stdout.splitlines()) == 1 and run.stdout.startswith(expected)
    log = (tmp_path / "log").read_text()
    assert log.startswith(expected) and ("Traceback" in log) == ("unexpected" in expected)


def test_an_interrupted_script_says_nothing(tmp_path):
    child = subprocess.Popen(script(tmp_path, "print('on', flush=True); time.sleep(60)"), stdout=-1, stderr=-1)
    assert child.stdout.readline() == b"on\n"
    child.send_signal(signal.SIGINT)
    assert child.communicate() == (b"", b"") and child.returncode == -signal.SIGINT


def test_a_run_is_only_unlocked_where_it_ran(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake/log").mkdir(parents=True)
    (tmp_path / ".snakemake/log/2026.snakemake.log").write_text("x\n  Host: elsewhere\n")
    (tmp_path / ".snakemake/locks").mkdir()
    (tmp_path / ".snakemake/locks/0.output.lock").write_text("a\n")
    said = []
    study_run.clear_the_way([sys.executable, "-c", "raise SystemExit"], SimpleNamespace(say=said.append))
    assert said == [] and study_run.is_locked()
