"""Downloads: once, into a cache that runs may share; resumed where they broke off; checked before use."""

import errno
import fcntl
import hashlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.exceptions import ProxyError, SSLError
from tqdm import tqdm

from moamap.core.errors import InputError
from moamap.core.secrets import mask_secrets
from moamap.sources.checksums import digest

ATTEMPTS = 5
TIMEOUT = (10, 60)  # seconds: to connect, and between two pieces
PIECE = 2**16
LONGEST_PAUSE = 120  # seconds between two attempts, whatever the server asks for
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}  # HTTP statuses that another attempt may change


class BrokenOffError(OSError):
    """A failure that another attempt may mend, after so many seconds if the server says so."""

    def __init__(self, reason: str, after: float = 0):
        super().__init__(reason)
        self.after = after


def download(url: str, cache: Path, name: str, checksum: str | None = None, *, offline: bool = False) -> Path:
    """The file of a URL in the cache, downloaded unless it is there already with the right checksum.

    Raises InputError where it cannot be had, or is not what the checksum says; such a file is not kept.
    """
    kept = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{name}"
    part = kept.with_name(f"{kept.name}.part")
    if _is_there(kept, checksum):  # whole files only get this name, so a cache that may not be written can be used
        return kept
    shown = mask_secrets(url)
    if offline:
        raise InputError(f"sources: {shown} is not in the cache {cache} as it should be; config: offline")
    with _alone(kept):
        if _is_there(kept, checksum):
            return kept
        _fetch(url, part)
        if checksum and (found := digest(str(part), checksum)) != checksum:
            part.unlink()
            raise InputError(f"sources: {shown}: the file has {found}, expected {checksum}")
        part.replace(kept)
    return kept


def _is_there(kept: Path, checksum: str | None) -> bool:
    return kept.is_file() and (checksum is None or digest(str(kept), checksum) == checksum)


def cache_folder() -> Path:
    """Where downloads of this user are kept, unless the config says otherwise (XDG base directories)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "moamap"


@contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """One process at a time downloads a file; the others wait, and then find it there."""
    path = kept.with_name(f"{kept.name}.lock")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"cache: {kept.parent} is no folder; set `cache` to one, or remove the file") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputError(f"cache: {path} is a symbolic link; remove it") from error
        said = f"cache: {path} cannot be written ({error.strerror}); set `cache` to another folder"
        raise InputError(said) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _fetch(url: str, part: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _continue(url, part)
        except (requests.RequestException, BrokenOffError) as error:
            refused = isinstance(error, requests.HTTPError | ValueError)  # ValueError: the URL is none, or not HTTP
            if refused or attempt == ATTEMPTS:
                raise InputError(
                    f"sources: {mask_secrets(url)} cannot be downloaded ({_reason(error)}, attempt {attempt}); "
                    "sources.*.location may name a local file instead"
                ) from error
            after = error.after if isinstance(error, BrokenOffError) else 0
            pause = min(max(2 ** (attempt - 1), after), LONGEST_PAUSE)
            logging.warning("%s: %s; trying again in %d s", mask_secrets(url), _reason(error), pause)
            time.sleep(pause)


def _reason(error: Exception) -> str:
    """What a user can use of an error: requests wraps the cause in several layers of objects and addresses."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    for kind, words in ((SSLError, "its certificate is not trusted"), (ProxyError, "the proxy fails")):
        if isinstance(error, kind):
            return words
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    return "no connection" if isinstance(error, requests.ConnectionError) else mask_secrets(str(error))


def _retry_after(answer: requests.Response) -> float:
    """Seconds that a server asks to wait (RFC 9110, 10.2.3: a number, or a date); 0 where it does not."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0


def _continue(url: str, part: Path) -> None:
    """Fetch what an earlier attempt has left out, if the server's file is still the same one; else all of it."""
    mark = part.with_name(f"{part.name}.mark")  # the server's name for this state of the file
    ours = part.is_file() and mark.is_file() and not part.is_symlink()  # what lies behind a link is not written to
    have = part.stat().st_size if ours else 0
    state = mark.read_text() if have else None
    headers = {"Accept-Encoding": "identity"}
    if state is not None:
        headers |= {"Range": f"bytes={have}-", "If-Range": state}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
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


def _is_the_rest(answer: requests.Response, have: int, state: str | None, part: Path) -> bool:
    """Whether an answer goes on where a part ends (or is the whole file); raises where it is neither.

    Some servers give a part of whatever file they have now, or another part than asked for: then all is fetched anew.
    """
    if answer.status_code in TRANSIENT:
        raise BrokenOffError(f"HTTP {answer.status_code} {answer.reason}", _retry_after(answer))
    partial = answer.status_code == requests.codes.partial_content
    rest = have and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    other = partial and not (rest and _state(answer) in (None, state))
    if other or answer.status_code == requests.codes.requested_range_not_satisfiable:
        part.unlink(missing_ok=True)
        raise BrokenOffError("the server's file has changed")
    answer.raise_for_status()
    return partial


def _state(answer: requests.Response) -> str | None:
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified")


def _write(answer: requests.Response, part: Path, mode: str, have: int, total: int | None) -> None:
    shown: dict[str, Any] = {"initial": have, "total": total, "unit": "B", "unit_scale": True}
    shown["desc"] = part.name.split("-", 1)[1]
    with part.open(mode) as file, tqdm(**shown, disable=not sys.stderr.isatty()) as bar:
        try:
            for piece in answer.raw.stream(PIECE, decode_content=False):  # a .gz stays one, whatever its encoding is
                file.write(piece)
                bar.update(len(piece))
        except urllib3.exceptions.HTTPError as error:
            size = file.tell()
            raise BrokenOffError(f"the connection broke off after {size} of {total or 'unknown'} bytes") from error
