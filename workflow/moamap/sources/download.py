"""Downloads: once, into a cache that runs may share; resumed where they broke off; checked before use."""

import fcntl
import hashlib
import logging
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import requests
import urllib3
from requests.exceptions import ProxyError, SSLError
from tqdm import tqdm

from moamap.core.errors import InputError
from moamap.sources.checksums import digest

ATTEMPTS = 5
TIMEOUT = (10, 60)  # seconds: to connect, and between two pieces
PIECE = 2**16
PASSING = {408, 425, 429, 500, 502, 503, 504}  # what a server says when it may say otherwise a little later


class BrokenOffError(OSError):
    """A failure that another attempt may mend."""


def download(url: str, cache: Path, name: str, checksum: str | None = None, *, offline: bool = False) -> Path:
    """The file of a URL in the cache, downloaded unless it is there already with the right checksum.

    Raises InputError where it cannot be had, or is not what the checksum says; such a file is not kept.
    """
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{name}"
    part = kept.with_name(f"{kept.name}.part")
    with _alone(kept):
        if kept.exists() and (checksum is None or digest(kept, checksum) == checksum):
            return kept
        if offline:
            raise InputError(f"sources: {url} is not in the cache {cache} as it should be; config: offline")
        _fetch(url, part)
        if checksum and (found := digest(part, checksum)) != checksum:
            part.unlink()
            raise InputError(f"sources: {url}: the file has {found}, expected {checksum}")
        part.replace(kept)
    return kept


def cache_folder() -> Path:
    """Where downloads of this user are kept, unless the config says otherwise (XDG base directories)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "moamap"


@contextmanager
def _alone(kept):
    """One process at a time downloads a file; the others wait, and then find it there."""
    with kept.with_name(f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(url, part):
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _continue(url, part)
        except (requests.RequestException, BrokenOffError) as error:
            refused = isinstance(error, requests.HTTPError | ValueError)  # ValueError: the URL is none, or not HTTP
            if refused or attempt == ATTEMPTS:
                raise InputError(
                    f"sources: {url} cannot be downloaded ({_reason(error)}, attempt {attempt}); a local file may "
                    "stand in its place"
                ) from error
            pause = 2 ** (attempt - 1)
            logging.warning("%s: %s; trying again in %d s", url, _reason(error), pause)
            time.sleep(pause)


def _reason(error):
    """What a user can use of an error: requests wraps the cause in several layers of objects and addresses."""
    if isinstance(error, requests.HTTPError):
        return f"the server says {error.response.status_code} {error.response.reason}"
    for kind, words in ((SSLError, "its certificate is not trusted"), (ProxyError, "the proxy fails")):
        if isinstance(error, kind):
            return words
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    return "no connection" if isinstance(error, requests.ConnectionError) else str(error)


def _continue(url, part):
    """Fetch what an earlier attempt has left out, if the server's file is still the same one; else all of it."""
    mark = part.with_name(f"{part.name}.mark")  # the server's name for this state of the file
    have = part.stat().st_size if part.exists() and mark.exists() else 0
    state = mark.read_text() if have else None
    headers = {"Range": f"bytes={have}-", "If-Range": state} if have else {}
    with requests.get(url, headers={"Accept-Encoding": "identity", **headers}, stream=True, timeout=TIMEOUT) as answer:
        resumed = _is_the_rest(answer, have, state, part)
        have = have if resumed else 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        if not resumed:
            part.unlink(missing_ok=True)  # before its mark is that of another state
        mark.unlink(missing_ok=True)
        if (now := _state(answer)) and not now.startswith("W/"):
            mark.write_text(now)
        _write(answer, part, "ab" if resumed else "wb", have, total)
    size = part.stat().st_size
    if total is not None and size != total:
        raise BrokenOffError(f"the connection broke off after {size} of {total} bytes")
    mark.unlink(missing_ok=True)


def _is_the_rest(answer, have, state, part):
    """Whether an answer goes on where a part ends (or is the whole file); raises where it is neither.

    Some servers give a part of whatever file they have now, or another part than asked for: then all is fetched anew.
    """
    if answer.status_code in PASSING:
        raise BrokenOffError(f"the server says {answer.status_code} {answer.reason}")
    partial = answer.status_code == requests.codes.partial_content
    rest = have and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    other = partial and not (rest and _state(answer) in (None, state))
    if other or answer.status_code == requests.codes.requested_range_not_satisfiable:
        part.unlink(missing_ok=True)
        raise BrokenOffError("the server's file has changed")
    answer.raise_for_status()
    return partial


def _state(answer):
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified")


def _write(answer, part, mode, have, total):
    shown = {"initial": have, "total": total, "unit": "B", "unit_scale": True, "desc": part.name.split("-", 1)[1]}
    with part.open(mode) as file, tqdm(**shown, disable=not sys.stderr.isatty()) as bar:
        try:
            for piece in answer.raw.stream(PIECE, decode_content=False):  # a .gz stays one, whatever its encoding is
                file.write(piece)
                bar.update(len(piece))
        except urllib3.exceptions.HTTPError as error:
            size = file.tell()
            raise BrokenOffError(f"the connection broke off after {size} of {total or 'unknown'} bytes") from error
