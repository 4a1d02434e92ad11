"""A source file, from a URL through the cache or from a local path, checked against its checksum."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import logging
import shutil

import pooch

from moamap.errors import InputError
from scripts.job import run


def fetch(job) -> None:
    source, target = job.params.source, job.output[0]
    location, checksum = source["location"], source.get("checksum")
    is_url = "://" in location
    cached = download(location, job.params.cache or pooch.os_cache("moamap")) if is_url else location
    verify(cached, location, checksum)
    shutil.copyfile(cached, target)


def download(url: str, cache) -> str:
    """Fetch a URL into the cache (once) and give its path there; InputError where it cannot be had."""
    try:
        return pooch.retrieve(url, known_hash=None, path=cache, progressbar=sys.stderr.isatty())
    except OSError as error:
        raise InputError(
            f"sources: {url} cannot be downloaded ({error}); a local path may stand in its place"
        ) from error


def verify(path: str, location: str, checksum: str | None) -> None:
    """Raise InputError unless the file has the checksum; without one, log the sha256 that was seen."""
    if checksum is None:
        logging.warning("sources: %s has no checksum in the config; its sha256 is %s", location, pooch.file_hash(path))
        return
    algorithm, expected = checksum.split(":")
    found = pooch.file_hash(path, alg=algorithm)
    if found != expected:
        raise InputError(f"sources: {location}: the {algorithm} checksum is {found}, expected {expected} (in {path})")


if __name__ == "__main__":
    run(fetch, globals().get("snakemake"))
