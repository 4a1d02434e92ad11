"""Where the files of a source are: paths, patterns of paths, URLs. Read by the rules, so it needs nothing installed."""

import os
import re
from collections.abc import Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

WILDCARD = re.compile(r"\{\s*\w+[^{}]*\}")  # what Snakemake replaces in the name of an input, and cannot be told not to


def files_of(source: dict[str, Any]) -> list[str]:
    """The locations of a source, patterns replaced by the files that fit them, in the order of their names.

    A file that is there is taken by its name, whatever signs (`[`, `*`) are in it.
    """
    return [file for part in _parts(source) for file in _files_at(part["location"])]


def checksums_of(source: dict[str, Any]) -> list[str | None]:
    """The checksum of each file of a source, in the order of `files_of`; None where the config has none."""
    return [part["checksum"] for part in _parts(source) for _ in _files_at(part["location"])]


def _parts(source: dict[str, Any]) -> list[dict[str, Any]]:
    """A source as a list of locations, each with its checksum: its own, or that of the source."""
    given, checksum = source["location"], source.get("checksum")
    parts = given if isinstance(given, list) else [given]
    return [{"checksum": checksum} | (part if isinstance(part, dict) else {"location": part}) for part in parts]


def _files_at(location: str) -> list[str]:
    pattern = "://" not in location and has_magic(location) and not Path(location).exists()
    return sorted(glob(location)) if pattern else [location]


def url_name(source: dict[str, Any], url: str) -> str:
    """What to call the file of a URL: the source's `name`, or the last part of the address."""
    return source.get("name") or Path(unquote(urlsplit(url).path)).name


def unusable_folder(folders: Iterable[Path]) -> str:
    """Why the study cannot write into a folder of these, in a line; empty where it can."""
    for folder in folders:
        if folder.is_symlink() and not folder.exists():
            return f"{folder} is a link to {folder.readlink()}, which is not there; make that folder, or a new link"
        if folder.exists() and not folder.is_dir():
            return f"{folder} is a file; the study writes into a folder of that name: move or rename the file"
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            return f"{folder} may not be written; change its permissions (chmod u+rwx), or run in another folder"
    return ""


def states(files: Iterable[str]) -> list[list[int]]:
    """Size and date of each local file, those that are there: as a parameter they make a file that an older one has
    replaced (unpacked, or copied with its date) run again, which to Snakemake is not newer than what was made of it.
    """
    found = [os.stat(file) for file in files if Path(file).is_file()]
    return [[file.st_size, file.st_mtime_ns] for file in found]


def missing_sources(sources: dict[str, dict[str, Any]]) -> list[str]:
    """A line for each location that cannot be a file."""
    lines = [line for name, source in sources.items() for line in _missing(f"sources.{name}.location", source)]
    names = [url_name(source, url) for source in sources.values() for url in files_of(source) if "://" in url]
    lines += [f"sources: two URLs end in {name!r}; give one a `name`" for name in set(names) if names.count(name) > 1]
    return lines + [f"sources: a URL ends in {name!r}; give it a `name`" for name in names if name in ("", ".", "..")]


def missing_tables(tables: dict[str, dict[str, Any]]) -> list[str]:
    """A line for each of the `published_tables` that is not there."""
    lines: list[str] = []
    for name, table in tables.items():
        place, location = f"published_tables.{name}.location", table["location"]
        there = Path(location).is_file()
        lines += _missing(place, table) if there else [f"{place}: there is no file {location!r}"]
    return lines


def _home(file: str) -> str:
    return "; write the folder out, ~ is not your home here" if file.startswith("~") else ""


def _missing(place: str, source: dict[str, Any]) -> Iterator[str]:
    files = files_of(source)
    for part in _parts(source):
        if not _files_at(part["location"]):
            yield f"{place}: no file matches the pattern {part['location']!r}"
    for file in files:
        if "://" not in file and (braces := WILDCARD.search(file)):
            yield f"{place}: {file!r}: Snakemake takes {braces[0]} for a wildcard; rename the file, or link to it"
        elif "://" not in file and Path(file).is_dir():
            yield f"{place}: {file!r} is a folder; expected a file, or a pattern such as {file}/*.csv"
        elif "://" not in file and not Path(file).is_file():
            yield f"{place}: there is no file {file!r}{_home(file)}"
        elif "://" not in file and not os.access(file, os.R_OK):
            yield f"{place}: {file!r} may not be read; change its permissions (chmod u+r)"
    shared = {checksum for checksum in checksums_of(source) if checksum and checksums_of(source).count(checksum) > 1}
    if shared:
        yield (
            f"{place.replace('location', 'checksum')}: one checksum for {len(files)} files; expected none, or one for "
            "each: location: [{location: FILE, checksum: …}, …]"
        )
