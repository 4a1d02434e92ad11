"""Sources by URL: a real HTTP server on loopback."""

import functools
import hashlib
import os
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pandas as pd
import pytest

from .study import SMALL, snakemake
from .test_bad_input import table


class Handler(SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(tmp_path):
    (tmp_path / "served").mkdir()
    table().to_csv(tmp_path / "served/profiles.csv.gz", index=False)
    handler = functools.partial(Handler, directory=str(tmp_path / "served"))
    served = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    Handler.asked.clear()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()


def fetch(tmp_path, location, checksum, dataset):
    text = SMALL.read_text()
    source = f"dataset: {dataset}\ncache: {tmp_path}/cache\n"
    source += f"sources: {{profiles: {{location: {location}, checksum: {checksum}}}}}\n"
    config = tmp_path / f"{dataset}.yaml"
    config.write_text(source + text[text.index("representations:") :].split("query:")[0])
    target = f"results/{dataset}/profiles/annotated.parquet"
    return snakemake(target, directory=tmp_path, configfile=config), tmp_path / target


def test_a_url_is_fetched_once_and_verified(server, tmp_path):
    digest = hashlib.sha256((tmp_path / "served/profiles.csv.gz").read_bytes()).hexdigest()
    for dataset in ("first", "second"):
        run, target = fetch(tmp_path, f"{server}/profiles.csv.gz", f"sha256:{digest}", dataset)
        assert run.returncode == 0, run.stdout
        assert target.exists()
    assert Handler.asked == ["/profiles.csv.gz"]


@pytest.mark.parametrize(
    ("file", "checksum", "expected"),
    [
        ("gone.csv", "null", "cannot be downloaded"),
        ("profiles.csv.gz", f"md5:{'0' * 32}", f"expected md5:{'0' * 32}"),
    ],
)
def test_what_cannot_be_had_or_is_another_file_is_refused(server, tmp_path, file, checksum, expected):
    run, target = fetch(tmp_path, f"{server}/{file}", checksum, "refused")
    assert run.returncode != 0
    assert sum(expected in line for line in run.stdout.splitlines()) == 1, run.stdout
    assert "Traceback" not in run.stdout
    assert not target.exists()


def test_moas_are_joined_from_the_hub_s_files_and_inspect_says_what_will_be_left_out(tmp_path):
    plain = table(moa=None).drop(columns="moa").assign(pert_id=[f"BRD-K{i:08d}" for i in range(12)])
    plain.to_csv(tmp_path / "profiles.csv", index=False)
    samples = "".join(f"BRD-K{i:08d}-001-01-1\tdrug {i}\n" for i in range(11))
    drugs = "".join(f"drug {i}\t{'ab'[i % 2]}\n" for i in range(10)) + "drug 10\t\n"
    (tmp_path / "samples.txt").write_text(f"!a comment\nbroad_id\tpert_iname\n{samples}")
    (tmp_path / "drugs.txt").write_text(f"!a comment\npert_iname\tmoa\n{drugs}", encoding="latin-1")
    text = SMALL.read_text()
    sources = ", ".join(f"{name}: {{location: {tmp_path}/{name}.txt}}" for name in ("samples", "drugs"))
    source = f"dataset: hub\nsources: {{profiles: {{location: {tmp_path}/profiles.csv}}, {sources}}}\n"
    (tmp_path / "hub.yaml").write_text(source + text[text.index("representations:") :].split("query:")[0])
    annotated = "results/hub/profiles/annotated.parquet"
    run = snakemake("inspect", annotated, directory=tmp_path, configfile=tmp_path / "hub.yaml")
    assert run.returncode == 0, run.stdout
    found = pd.read_parquet(tmp_path / annotated)
    assert found["moa"].tolist() == list("ababababab")
    assert found["pert_iname"].tolist() == [f"drug {i}" for i in range(10)]
    dropped = pd.read_csv(tmp_path / "results/hub/profiles/dropped.csv")
    reasons = ["the drug has no MoA", "the id has no name in the Hub's samples"]
    assert dropped["reason"].tolist() == [f"{reason}: placed on the finished map" for reason in reasons]
    assert re.search(r"drugs with a MoA: +10; 2 ids without one \(option `unannotated`\)", run.stdout)


def test_a_table_that_an_older_one_replaces_is_read_again(tmp_path):
    """Unpacked, or copied with its date (cp -p), which Snakemake takes for older than what was made of the other."""
    path = tmp_path / "profiles.csv"
    table().to_csv(path, index=False)
    assert fetch(tmp_path, path, "null", "dated")[0].returncode == 0
    table().assign(moa=["b", "a"] * 6).to_csv(path, index=False)
    os.utime(path, (1e9, 1e9))
    run, target = fetch(tmp_path, path, "null", "dated")
    assert run.returncode == 0, run.stdout
    assert pd.read_parquet(target)["moa"].tolist() == ["b", "a"] * 6
