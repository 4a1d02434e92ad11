"""Sources by URL: a real HTTP server on loopback."""

import functools
import hashlib
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

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
