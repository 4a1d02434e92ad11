"""Downloads from a real HTTP server on loopback; the path of a URL says how the server behaves."""

import errno
import gzip
import multiprocessing
import os
import random
import re
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from moamap.core.errors import InputError
from moamap.sources.checksums import digest
from moamap.sources.download import PIECE, download

OLD, NEW = (gzip.compress(random.Random(seed).randbytes(300_000)) for seed in (0, 1))
HALF = len(OLD) // 2
NAME = "plate.csv.gz"
ALL, REST = None, ("rest", '"old"')  # what a request asks for
IN_AN_HOUR = datetime.now(UTC) + timedelta(hours=1)
DATE = "Mon, 01 Jan 2024 00:00:00 GMT"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        ways = set(self.path.split("?")[0].rsplit("/", 1)[1].split("+"))
        before = self.server.paths().count(self.path)
        condition = self.headers["If-Range"]
        begin = int(re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-"))[1])
        self.server.asked.append((self.path, begin, condition))
        for way, status in {"gone": 404, "never": 416, "busy": 503, "recovers": 503}.items():
            if way in ways and (way != "recovers" or before < 2):
                return self.refuse(status, next((way for way in ways if way.startswith("wait")), "wait"))
        if "moved" in ways:
            return self.answer(302, {"Location": "/good"})
        body, tag = (NEW, '"new"') if "new" in ways or ("changed" in ways and before) else (OLD, '"old"')
        headers = {"Last-Modified": DATE} if "dated" in ways else {"ETag": "W/" * ("weak" in ways) + tag}
        part = begin and "deaf" not in ways and ("heedless" in ways or condition in headers.values())
        if part and begin >= len(body):
            return self.send_error(416)
        begin = begin - 100 * ("shifted" in ways) if part else 0
        headers |= {"Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"} if part else {}
        headers |= {"Content-Encoding": "gzip"} if "packed" in ways else {}
        headers |= {"Content-Length": len(body) - begin + 1000 * ("long" in ways)} if "chunked" not in ways else {}
        cut = not before and ways & {"cut", "stuck"}
        self.answer(206 if part else 200, headers, body[begin : HALF if cut else None], ways, cut)
        if cut and "stuck" in ways:
            self.server.stopped.wait()

    def refuse(self, status, wait):
        self.send_response(status)
        if value := {"wait9": "9", "waitlong": "9999", "waitdate": format_datetime(IN_AN_HOUR)}.get(wait):
            self.send_header("Retry-After", value)
        self.end_headers()

    def answer(self, status, headers, body=b"", ways=(), cut=False):
        if chunked := "chunked" in ways:
            self.protocol_version = "HTTP/1.1"
            headers["Transfer-Encoding"] = "chunked"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in (body[at : at + 10_000] for at in range(0, len(body), 10_000)):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            time.sleep(0.01 * ("slow" in ways))
        self.wfile.write(b"0\r\n\r\n" if chunked and not cut else b"")

    def log_message(self, *_):
        """Say nothing."""


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.stopped, self.url = [], threading.Event(), f"http://127.0.0.1:{self.server_port}"

    def paths(self):
        return [path for path, *_ in self.asked]

    def parts(self):
        """What each request asked for; `rest` is what a cut or killed download lacks."""
        begins = [("rest" if PIECE <= begin <= HALF else begin, state) for _, begin, state in self.asked]
        return [ALL if begin == (0, None) else begin for begin in begins]


@pytest.fixture
def server():
    with Server() as served:
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        yield served
        served.stopped.set()
        served.shutdown()


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The seconds that downloads would have waited; and there is no proxy but a test's own."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    waited = []
    monkeypatch.setattr("moamap.sources.download.time", SimpleNamespace(sleep=waited.append, time=time.time))
    return waited


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "not/there/yet"


def files(cache):
    return sorted(path.name.split("-", 1)[1] for path in cache.glob("*") if path.suffix != ".lock")


@pytest.mark.parametrize("checksum", [None, "md5:", "sha256:"])
@pytest.mark.parametrize("way", ["good", "slow", "chunked", "packed", "moved", "recovers"])
def test_a_file_is_fetched_once(server, cache, pauses, tmp_path, way, checksum):
    (tmp_path / "right").write_bytes(OLD)  # the bytes as they are sent: a .gz stays one, though "packed" says encoding
    checksum = checksum and digest(tmp_path / "right", checksum)
    for offline in (False, False, True):
        assert download(f"{server.url}/{way}", cache, NAME, checksum, offline=offline).read_bytes() == OLD
    assert server.paths() == {"moved": ["/moved", "/good"], "recovers": ["/recovers"] * 3}.get(way, [f"/{way}"])
    assert (files(cache), pauses) == ([NAME], [1, 2] if way == "recovers" else [])


def test_files_of_one_name_from_two_urls_are_two(server, cache):
    for way, body in [("good", OLD), ("new", NEW), ("good", OLD)]:
        assert download(f"{server.url}/{way}", cache, NAME).read_bytes() == body
    assert server.paths() == ["/good", "/new"]


@pytest.mark.parametrize(
    ("way", "body", "asked"),
    [
        ("cut", OLD, [ALL, REST]),
        ("stuck", OLD, [ALL, REST]),
        ("cut+chunked", OLD, [ALL, REST]),
        ("cut+dated", OLD, [ALL, ("rest", DATE)]),
        ("cut+weak", OLD, [ALL, ALL]),  # a weak tag does not name the bytes
        ("cut+deaf", OLD, [ALL, REST]),  # the server knows no ranges
        ("cut+shifted", OLD, [ALL, REST, ALL]),  # it gives another range
        ("cut+changed", NEW, [ALL, REST]),
        ("cut+changed+deaf", NEW, [ALL, REST]),
        ("cut+changed+heedless", NEW, [ALL, REST, ALL]),  # it gives the range of whatever file it has now
    ],
)
def test_what_broke_off_is_resumed_if_the_file_is_the_same(server, cache, pauses, monkeypatch, way, body, asked):
    monkeypatch.setattr("moamap.sources.download.TIMEOUT", (5, 0.5))
    assert download(f"{server.url}/{way}", cache, NAME).read_bytes() == body
    assert (server.parts(), files(cache), pauses) == (asked, [NAME], [1, 2][: len(asked) - 1])


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("gone", "HTTP 404 .*attempt 1"),
        ("busy", "HTTP 503 .*attempt 5"),
        ("never", "attempt 5"),
        ("long", "attempt 5"),
        ("long+weak", f"broke off after {len(OLD)} of {len(OLD) + 1000} bytes, attempt 5"),
    ],
)
def test_what_cannot_be_had_is_asked_for_as_often_as_it_may_help(server, cache, pauses, way, message):
    with pytest.raises(InputError, match=rf"{server.url}/{re.escape(way)} .*{message}"):
        download(f"{server.url}/{way}", cache, NAME)
    attempts = int(message[-1])
    assert (server.paths(), pauses) == ([f"/{way}"] * attempts, [1, 2, 4, 8][: attempts - 1])
    assert NAME not in files(cache)


def test_where_no_server_is_the_download_tries_again_but_not_where_none_can_be(cache, pauses):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(InputError, match="no connection, attempt 5"):
        download(f"http://127.0.0.1:{port}/good", cache, NAME)
    for url in ("s3://bucket/plate.csv.gz", "http://"):
        with pytest.raises(InputError, match=f"{url} cannot be downloaded .*attempt 1"):
            download(url, cache, NAME)
    assert (pauses, files(cache)) == ([1, 2, 4, 8], [])


@pytest.mark.parametrize("checksum", [f"md5:{'0' * 32}", f"sha256:{'0' * 64}"])
def test_another_file_than_the_checksum_says_is_not_kept(server, cache, checksum):
    with pytest.raises(InputError, match=f"expected {checksum}"):
        download(f"{server.url}/good", cache, NAME, checksum)
    assert (server.paths(), files(cache)) == (["/good"], [])


def test_a_missing_or_wrong_file_in_the_cache_is_fetched_but_not_offline(server, cache):
    with pytest.raises(InputError, match=r"not in the cache .*offline"):
        download(f"{server.url}/good", cache, NAME, offline=True)
    assert (server.asked, files(cache)) == ([], [])
    kept = download(f"{server.url}/good", cache, NAME)
    right = digest(kept)
    kept.write_bytes(NEW)
    with pytest.raises(InputError, match="offline"):
        download(f"{server.url}/good", cache, NAME, right, offline=True)
    assert server.paths() == ["/good"]
    assert download(f"{server.url}/good", cache, NAME, right).read_bytes() == OLD
    assert server.paths() == ["/good"] * 2


@pytest.mark.parametrize(
    ("state", "asked"),
    [("marked", [ALL, REST]), ("unmarked", [ALL, ALL]), ("whole", [ALL, (len(OLD), '"old"'), ALL])],
)
def test_what_a_killed_process_left_is_resumed_if_it_is_marked(server, cache, state, asked):
    url = f"{server.url}/stuck"
    process = multiprocessing.get_context("spawn").Process(target=download, args=(url, cache, NAME))
    process.start()
    end = time.monotonic() + 20
    while not (parts := [path for path in cache.glob("*.part") if path.stat().st_size >= PIECE]):
        assert time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    process.join()
    assert files(cache) == [f"{NAME}.part", f"{NAME}.part.mark"]
    if state == "unmarked":
        next(cache.glob("*.mark")).unlink()
    if state == "whole":
        parts[0].write_bytes(OLD)
    assert download(url, cache, NAME).read_bytes() == OLD
    assert (server.parts(), files(cache)) == (asked, [NAME])


def test_a_process_stopped_before_it_writes_does_not_mark_older_bytes(server, cache, monkeypatch):
    url = f"{server.url}/cut+changed"
    with monkeypatch.context() as patched:
        patched.setattr("moamap.sources.download.ATTEMPTS", 1)
        with pytest.raises(InputError, match="broke off"):
            download(url, cache, NAME)
        patched.setattr("moamap.sources.download._write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            download(url, cache, NAME)
    assert download(url, cache, NAME).read_bytes() == NEW
    assert server.parts() == [ALL, REST, ALL]


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


@pytest.mark.parametrize(("way", "expected"), [("wait9", [9, 9]), ("waitlong", [120, 120]), ("waitdate", [120, 120])])
def test_a_server_s_retry_after_is_honoured_up_to_two_minutes(server, cache, pauses, way, expected):
    assert download(f"{server.url}/recovers+{way}", cache, NAME).read_bytes() == OLD
    assert pauses == expected


def test_a_cache_that_may_only_be_read_is_used(server, cache, monkeypatch):
    url = f"{server.url}/good"
    kept = download(url, cache, NAME)
    right = digest(kept)
    for lock in cache.glob("*.lock"):
        lock.unlink()
    before = sorted(cache.iterdir())

    def refuse(path, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr("moamap.sources.download.os.open", refuse)  # root may write whatever the mode says
    for checksum in (None, right):
        assert download(url, cache, NAME, checksum) == kept
    assert sorted(cache.iterdir()) == before
    said = r"^cache: .*\.lock cannot be written \(Read-only file system\); set `cache` to another folder"
    with pytest.raises(InputError, match=said):
        download(f"{server.url}/new", cache, NAME)


def test_a_lock_that_is_a_link_is_refused_and_its_target_kept(server, cache, tmp_path):
    url = f"{server.url}/good"
    download(url, cache, NAME).unlink()
    [lock] = cache.glob("*.lock")
    lock.unlink()
    (tmp_path / "precious").write_bytes(b"content")
    lock.symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match=rf"^cache: {lock} is a symbolic link; remove it"):
        download(url, cache, NAME)
    assert (tmp_path / "precious").read_bytes() == b"content"


def test_a_part_that_is_a_link_is_replaced_and_its_target_kept(server, cache, tmp_path):
    url = f"{server.url}/good"
    kept = download(url, cache, NAME)
    kept.unlink()
    (tmp_path / "precious").write_bytes(OLD[:HALF])
    kept.with_name(f"{kept.name}.part").symlink_to(tmp_path / "precious")
    kept.with_name(f"{kept.name}.part.mark").write_text('"old"')
    assert download(url, cache, NAME).read_bytes() == OLD and not kept.is_symlink()
    assert (tmp_path / "precious").read_bytes() == OLD[:HALF]


@pytest.mark.parametrize("place", ["cache", "cache/below"])
def test_a_cache_that_is_a_file_is_one_line(server, tmp_path, place):
    (tmp_path / "cache").write_text("x")
    with pytest.raises(InputError, match=r"^cache: .* is no folder; set `cache` to one"):
        download(f"{server.url}/good", tmp_path / place, NAME)


@pytest.mark.parametrize("way", ["gone", "busy", "good"])
def test_no_password_and_no_token_is_said(server, cache, way, caplog):
    address = server.url.replace("://", "://user:hunter2@")
    with pytest.raises(InputError) as caught:
        download(f"{address}/{way}?token=abc123", cache, NAME, f"sha256:{'0' * 64}", offline=way == "good")
    said = str(caught.value) + caplog.text
    assert "hunter2" not in said and "abc123" not in said and f"***@127.0.0.1:{server.server_port}/{way}" in said
