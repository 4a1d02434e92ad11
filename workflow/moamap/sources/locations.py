"""Where the files of a source are: paths, patterns of paths, URLs. Read by the rules, so it needs nothing installed."""

import re
from collections.abc import Iterator
from glob import glob, has_magic
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

WILDCARD = re.compile(r"\{\s*\w+[^{}]*\}")  # what Snakemake replaces in the name of an input, and cannot be told not to


def files_of(source: dict[str, Any]) -> list[str]:
    """The locations of a source, patterns replaced by the files that fit them, in the order of their names.

    A file that is there is taken by its name, whatever signs (`[`, `*`) are in it.
    """
    given = source["location"]
    locations = [given] if isinstance(given, str) else given
    return [file for location in locations for file in _files_at(location)]


def _files_at(location: str) -> list[str]:
    pattern = "://" not in location and has_magic(location) and not Path(location).exists()
    return sorted(glob(location)) if pattern else [location]


def url_name(source: dict[str, Any], url: str) -> str:
    """What to call the file of a URL: the source's `name`, or the last part of the address."""
    return source.get("name") or Path(unquote(urlsplit(url).path)).name


def missing_sources(sources: dict[str, dict[str, Any]]) -> list[str]:
    """A line for each location that cannot be a file."""
    lines = [line for name, source in sources.items() for line in _missing(f"sources.{name}.location", source)]
    names = [url_name(source, url) for source in sources.values() for url in files_of(source) if "://" in url]
    lines += [f"sources: two URLs end in {name!r}; give one a `name`" for name in set(names) if names.count(name) > 1]
    return lines + [f"sources: a URL ends in {name!r}; give it a `name`" for name in names if name in ("", ".", "..")]


def _missing(place: str, source: dict[str, Any]) -> Iterator[str]:
    files = files_of(source)
    if not files:
        yield f"{place}: no file matches the pattern {source['location']!r}"
    for file in files:
        if "://" not in file and (braces := WILDCARD.search(file)):
            yield f"{place}: {file!r}: Snakemake takes {braces[0]} for a wildcard; rename the file, or link to it"
        elif "://" not in file and Path(file).is_dir():
            yield f"{place}: {file!r} is a folder; expected a file, or a pattern such as {file}/*.csv"
        elif "://" not in file and not Path(file).is_file():
            yield f"{place}: there is no file {file!r}"
    if len(files) > 1 and source.get("checksum"):
        yield f"{place.replace('location', 'checksum')}: one checksum for {len(files)} files; expected none"
