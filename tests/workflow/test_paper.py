"""`make paper`: its end says how far the published numbers are met, and the exit code follows from that."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

import report_card
from moamap.report.reproduction import reproduction

from .study import ROOT

PUBLISHED = pd.read_csv(ROOT / "resources/published.csv")
N = len(PUBLISHED)
TRUE = dict(zip(PUBLISHED["quantity"], PUBLISHED["published"], strict=True))


def written(folder, **observed):
    """A reproduction.csv of a run that meets every published number but those given."""
    path = folder / "reproduction.csv"
    reproduction(PUBLISHED, TRUE | observed).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("observed", "code", "counts"),
    [
        ({}, 0, f"{N} PASS, 0 FLAG, 0 FAIL"),
        ({"moas_of_five": 50, "drugs": 1000}, 0, f"{N - 2} PASS, 2 FLAG, 0 FAIL"),
        ({"moas_of_five": 50, "csif_of_two": 9}, 1, f"{N - 2} PASS, 1 FLAG, 1 FAIL"),
        ({"drugs": float("nan")}, 0, f"{N - 1} PASS, 0 FLAG, 0 FAIL, 1 NOT COMPARABLE"),
        ({"compounds": 659}, 1, f"0 PASS, 0 FLAG, 0 FAIL, {N} NOT COMPARABLE"),
    ],
)
def test_the_exit_code_is_1_with_a_fail_or_with_nothing_compared(observed, code, counts, tmp_path, capsys):
    assert report_card.main([str(written(tmp_path, **observed))]) == code
    assert capsys.readouterr().out.splitlines()[0] == f"Published numbers: {counts}"


def test_fails_and_flags_are_listed_with_both_numbers_and_the_reason(tmp_path, capsys):
    observed = {"itml Clustering Number": 44.0, "csif_of_two": 9, "itml Enrichment Expectation": 0.8974358974}
    report_card.main([str(written(tmp_path, **observed))])
    _, header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["published", "this", "run"]
    assert [row.split()[:3] for row in rows] == [["FAIL", "26", "9"], ["FLAG", "39", "44"]]
    assert rows[0].endswith("differs by -65%; the intra-class ratio is not defined in the paper")
    assert rows[1].endswith("Table 1: communities after ITML: differs by +13%; the seed of the pairs is not published")


def test_a_table_of_another_source_is_said_to_be_one(tmp_path, capsys):
    report_card.main([str(written(tmp_path, compounds=659))])
    reason = "the source table has 659 compounds, the paper's has 19864"
    assert capsys.readouterr().out.splitlines()[1:] == [f"No number could be compared: {reason}"]


@pytest.mark.parametrize(
    "content", [None, "", "a,b\n1,2\n", "quantity,description,published,reproduced,verdict,reason\nx,y\n"]
)
def test_a_file_that_is_missing_or_another_is_one_line_and_no_pass(content, tmp_path, capsys):
    path = tmp_path / "reproduction.csv"
    if content is not None:
        path.write_text(content)
    assert report_card.main([str(path)]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"Error: {path}: ") and len(out.splitlines()) == 1


# --- make paper ---


def made(folder, run="", **observed):
    """`make paper` in a folder that holds the project's Makefile, with a study that is replaced by `run`."""
    (folder / "results/lincs").mkdir(parents=True)
    written(folder / "results/lincs", **observed)
    (folder / "workflow").mkdir()
    (folder / "workflow/run.py").write_text(run)
    for name in ("report_card.py", "page.py"):
        (folder / "workflow" / name).symlink_to(ROOT / "workflow" / name)
    return make(folder)


def make(folder):
    command = ["make", "-f", ROOT / "Makefile", "-o", ".venv/ready", f"BIN={Path(sys.executable).parent}", "paper"]
    return subprocess.run(
        list(map(str, command)), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_make_paper_fails_if_a_published_number_does(tmp_path):
    for number, (observed, failed) in enumerate([({}, False), ({"moas": 400}, False), ({"moas": 600}, True)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        run = made(folder, **observed)
        assert (run.returncode != 0) == failed and "Published numbers: " in run.stdout


def test_make_paper_runs_the_paper_s_config_into_the_folder_that_it_looks_at(tmp_path):
    run = made(tmp_path, run="import sys; print(sys.argv[1:])")
    assert "['--cores', 'all', '--configfile', 'config/lincs.yaml']" in run.stdout
    assert yaml.safe_load((ROOT / "config/lincs.yaml").read_text())["dataset"] == "lincs"


def test_an_old_reproduction_does_not_pass_for_a_run_that_failed(tmp_path):
    run = made(tmp_path, run="import sys; sys.exit('it failed')")
    assert run.returncode != 0 and "Published numbers" not in run.stdout


def test_make_paper_without_a_network_says_so_in_one_line_a_file(tmp_path):
    """The paper's own config, with an empty cache and without the network."""
    config = yaml.safe_load((ROOT / "config/lincs.yaml").read_text()) | {"offline": True, "cache": str(tmp_path / "c")}
    (tmp_path / "config").mkdir()
    (tmp_path / "config/lincs.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    run = make(tmp_path)
    assert run.returncode != 0 and "Traceback" not in run.stdout and "Published numbers" not in run.stdout
    said = [line for line in run.stdout.splitlines() if "is not in the cache" in line]
    urls = [source["location"] for source in config["sources"].values()]
    assert 1 <= len(said) <= len(urls) and all(sum(url in line for line in said) <= 1 for url in urls)
    assert len(run.stdout.splitlines()) < 15, run.stdout
