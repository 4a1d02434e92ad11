"""Downloads from a real HTTP server on loopback; the path of a URL says how the server behaves."""

import gzip
import multiprocessing
import os
import random
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from moamap.errors import InputError
from scripts.checksums import digest
from scripts.download import download

OLD, NEW = (gzip.compress(random.Random(seed).randbytes(300_000)) for seed in (0, 1))
HALF = len(OLD) // 2
NAME = "plate.csv.gz"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # a connection a request

    def do_GET(self):
        ways = set(self.path.rsplit("/", 1)[1].split("+"))
        before = self.server.paths().count(self.path)
        wanted, condition = self.headers["Range"], self.headers["If-Range"]
        self.server.asked.append((self.path, wanted, condition))
        if "gone" in ways:
            return self.send_error(404)
        if "busy" in ways or ("recovers" in ways and before < 2):
            return self.send_error(503)
        if "never" in ways:
            return self.send_error(416)
        if "moved" in ways:
            return self.answer(302, {"Location": "/good"})
        body, state = (NEW, '"new"') if "new" in ways or ("changed" in ways and before) else (OLD, '"old"')
        state = f"W/{state}" if "weak" in ways else state
        headers = {"Last-Modified": "Mon, 01 Jan 2024"} if "dated" in ways else {"ETag": state}
        start = 0
        if wanted and "deaf" not in ways and ("heedless" in ways or condition in headers.values()):
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if start >= len(body):
                return self.send_error(416)
            start -= 100 * ("shifted" in ways)
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        headers |= {"Content-Length": len(body) - start + 1000 * ("long" in ways)}
        headers |= {"Content-Encoding": "gzip"} if "packed" in ways else {}
        sent = body[start:HALF] if not before and ways & {"cut", "stuck"} else body[start:]
        self.answer(206 if start else 200, headers, sent, 0.01 * ("slow" in ways))
        if "stuck" in ways and not before:
            self.server.stopped.wait()

    def answer(self, status, headers, body=b"", pause=0):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for begin in range(0, len(body), 10_000):
            self.wfile.write(body[begin : begin + 10_000])
            time.sleep(pause)

    def log_message(self, *_):
        """Say nothing."""


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.stopped, self.url = [], threading.Event(), f"http://127.0.0.1:{self.server_port}"

    def paths(self):
        return [path for path, *_ in self.asked]

    def ranges(self):
        """Of each request, the range and its condition; the rest after one to two and a bit pieces is REST."""
        begins = [wanted and int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) for _, wanted, _ in self.asked]
        some = [begin and (REST if PIECE <= begin <= HALF else begin) for begin in begins]
        return [(part, condition) for part, (*_, condition) in zip(some, self.asked, strict=True)]


@pytest.fixture
def server():
    with Server() as served:
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        yield served
        served.stopped.set()
        served.shutdown()


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """What the download would have waited, in seconds; and no proxy but a test's own."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    waited = []
    monkeypatch.setattr("scripts.download.time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "not/there/yet"


def files(cache):
    return sorted(path.name.split("-", 1)[1] for path in cache.iterdir() if path.suffix != ".lock")


@pytest.mark.parametrize("checksum", [None, "md5:", "sha256:"])
@pytest.mark.parametrize(
    ("way", "asked", "expected_pauses"),
    [
        ("good", ["/good"], []),
        ("slow", ["/slow"], []),
        ("packed", ["/packed"], []),  # the bytes as they are sent: a .gz stays one
        ("moved", ["/moved", "/good"], []),
        ("recovers", ["/recovers"] * 3, [1, 2]),
    ],
)
def test_a_file_is_fetched_once(server, cache, pauses, tmp_path, way, asked, expected_pauses, checksum):
    (tmp_path / "right").write_bytes(OLD)
    checksum = checksum and digest(tmp_path / "right", checksum)
    for offline in (False, False, True):
        kept = download(f"{server.url}/{way}", cache, NAME, checksum, offline=offline)
        assert kept.read_bytes() == OLD
    assert (server.paths(), pauses, files(cache)) == (asked, expected_pauses, [NAME])


def test_files_of_one_name_from_two_urls_are_two(server, cache):
    for way, body in [("good", OLD), ("new", NEW), ("good", OLD)]:
        assert download(f"{server.url}/{way}", cache, NAME).read_bytes() == body
    assert server.paths() == ["/good", "/new"]



@pytest.mark.parametrize(
    ("way", "body", "asked"),
    [
        ("cut", OLD, [ANEW, REST]),
        ("stuck", OLD, [ANEW, REST]),
        ("cut+dated", OLD, [ANEW, (REST[0], "Mon, 01 Jan 2024")]),
        ("cut+weak", OLD, [ANEW, ANEW]),
        ("cut+deaf", OLD, [ANEW, REST]),
        ("cut+shifted", OLD, [ANEW, REST, ANEW]),
        ("cut+changed", NEW, [ANEW, REST]),
        ("cut+changed+deaf", NEW, [ANEW, REST]),
        ("cut+changed+heedless", NEW, [ANEW, REST, ANEW]),
    ],
)
def test_what_broke_off_is_resumed_if_the_file_is_the_same(server, cache, pauses, monkeypatch, way, body, asked):
    monkeypatch.setattr("scripts.download.TIMEOUT", (5, 0.3))
    assert download(f"{server.url}/{way}", cache, NAME).read_bytes() == body
    assert (server.ranges(), files(cache)) == (asked, [NAME])
    assert pauses == [1, 2][: len(asked) - 1]


@pytest.mark.parametrize(
    ("way", "message", "asked", "expected_pauses"),
    [
        ("gone", "the server says 404 .*attempt 1", 1, []),
        ("busy", "the server says 503 .*attempt 5", 5, [1, 2, 4, 8]),
        ("never", "attempt 5", 5, [1, 2, 4, 8]),
        ("long", "attempt 5", 5, [1, 2, 4, 8]),
        ("long+weak", f"broke off after [0-9]+ of {len(OLD) + 1000} bytes, attempt 5", 5, [1, 2, 4, 8]),
    ],
)
def test_what_cannot_be_had_is_asked_for_as_often_as_it_may_help(
    server, cache, pauses, way, message, asked, expected_pauses
):
    with pytest.raises(InputError, match=rf"{server.url}/{re.escape(way)} .*{message}"):
        download(f"{server.url}/{way}", cache, NAME)
    assert (server.paths(), pauses) == ([f"/{way}"] * asked, expected_pauses)
    assert NAME not in files(cache)


def test_no_server_is_tried_again_and_no_http_address_is_not(cache, pauses):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(InputError, match="no connection, attempt 5"):
        download(f"http://127.0.0.1:{port}/good", cache, NAME)
    assert pauses == [1, 2, 4, 8]
    for url in ("s3://bucket/plate.csv.gz", "http://"):
        with pytest.raises(InputError, match=f"{url} cannot be downloaded .*attempt 1"):
            download(url, cache, NAME)
    assert (pauses, files(cache)) == ([1, 2, 4, 8], [])


@pytest.mark.parametrize("checksum", [f"md5:{'0' * 32}", f"sha256:{'0' * 64}"])
def test_another_file_than_the_checksum_says_is_not_kept(server, cache, checksum):
    with pytest.raises(InputError, match=f"expected {checksum}"):
        download(f"{server.url}/good", cache, NAME, checksum)
    assert (server.paths(), files(cache)) == (["/good"], [])


def test_a_cached_file_with_a_wrong_checksum_is_fetched_anew_but_not_offline(server, cache):
    kept = download(f"{server.url}/good", cache, NAME)
    right = digest(kept)
    kept.write_bytes(NEW)
    with pytest.raises(InputError, match="offline"):
        download(f"{server.url}/good", cache, NAME, right, offline=True)
    assert server.paths() == ["/good"]
    assert download(f"{server.url}/good", cache, NAME, right).read_bytes() == OLD
    assert server.paths() == ["/good"] * 2


def test_offline_nothing_is_asked_for(server, cache):
    with pytest.raises(InputError, match=r"not in the cache .*offline"):
        download(f"{server.url}/good", cache, NAME, offline=True)
    assert (server.asked, files(cache)) == ([], [])


@pytest.mark.parametrize(
    ("state", "asked"), [("marked", [ANEW, REST]), ("unmarked", [ANEW] * 2), ("whole", [ANEW, REST, ANEW])]
)
def test_what_a_killed_process_left_is_resumed_if_it_is_marked(server, cache, state, asked):
    url = f"{server.url}/stuck"
    process = multiprocessing.get_context("spawn").Process(target=download, args=(url, cache, NAME))
    process.start()
    end = time.monotonic() + 20
    while not (parts := [path for path in cache.glob("*.part") if f"bytes={path.stat().st_size}-" == REST[0]]):
        assert time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    process.join()
    assert files(cache) == [f"{NAME}.part", f"{NAME}.part.mark"]
    if state == "unmarked":
        next(cache.glob("*.mark")).unlink()
    if state == "whole":
        parts[0].write_bytes(OLD)
        asked = [ANEW, (f"bytes={len(OLD)}-", '"old"'), ANEW]
    assert download(url, cache, NAME).read_bytes() == OLD
    assert (server.ranges(), files(cache)) == (asked, [NAME])


def test_a_file_stopped_before_its_first_byte_does_not_mark_older_bytes(server, cache, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("scripts.download.ATTEMPTS", 1)
        with pytest.raises(InputError, match="broke off"):
            download(f"{server.url}/cut+changed", cache, NAME)
        patched.setattr("scripts.download._write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            download(f"{server.url}/cut+changed", cache, NAME)
    assert download(f"{server.url}/cut+changed", cache, NAME).read_bytes() == NEW
    assert server.ranges() == [ANEW, REST, ANEW]


def test_of_two_processes_at_once_one_asks_the_server(server, cache):
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(2, spawn.Barrier(2).wait, (30,)) as pool:
        found = pool.starmap(download, [(f"{server.url}/slow", cache, NAME)] * 2, chunksize=1)
    assert [path.read_bytes() for path in found] == [OLD, OLD]
    assert (server.paths(), files(cache)) == (["/slow"], [NAME])


def test_a_proxy_of_the_environment_is_used(server, cache, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    assert download("http://example.invalid/good", cache, NAME).read_bytes() == OLD
    assert server.paths() == ["http://example.invalid/good"]
