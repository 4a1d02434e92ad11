"""Checksums, written as `algorithm:digits`."""

import hashlib
import logging
from pathlib import Path

from moamap.core.errors import InputError


def digest(path: str | Path, like: str = "sha256:") -> str:
    """Checksum of a file, by the algorithm of another."""
    algorithm = like.split(":")[0]
    with Path(path).open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def verify(path: str | Path, checksum: str | None) -> None:
    """Raise InputError unless the file has the checksum; where the config has none, log the one it has."""
    if checksum is None:
        logging.info("%s has no checksum in the config; its %s", path, digest(path))
    elif (found := digest(path, checksum)) != checksum:
        raise InputError(f"{path}: the file has {found}, expected {checksum}")
