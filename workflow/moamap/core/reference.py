"""A finished study as the reference of a new table: whether it is there, and what the config takes from it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OWN = frozenset(["dataset", "reference", "sources", "simulation", "cache", "offline", "columns", "wells", "neighbours"])
ONCE = ("profiles/drugs.parquet", "profiles/normalization.csv")
EACH = ("transform.npz", "embedding.parquet", "communities.csv", "tsne.csv")


def with_reference(config: dict[str, Any], schema: dict) -> tuple[dict[str, Any], list[str]]:
    """The config of a new table with what it takes from its reference, and what is wrong with it, one line each.

    It takes the representations, and for wells the options that it does not set itself; features are those of the
    reference, so none are selected. A config without `reference` is returned as it is.
    """
    folder = config.get("reference")
    if not isinstance(folder, str):
        return config, []
    given = config.get("wells") or {}
    found = [*_not_its_own(config, schema["properties"]), *_unfinished(folder, config.get("dataset"))]
    if found or not isinstance(given, dict):
        return config, found
    study = json.loads((Path(folder) / "provenance.json").read_text(encoding="utf-8"))["config"]
    taken = {name: study[name] for name in ("representations", "main")}
    if config.get("wells") is not None:
        taken["wells"] = (study.get("wells") or {}) | given | {"select": []}
    return config | taken, []


def is_simulated(folder: str) -> bool:
    """Whether the study in a folder, which `with_reference` has found finished, is of simulated data."""
    return json.loads((Path(folder) / "provenance.json").read_text(encoding="utf-8"))["simulated"]


def _not_its_own(config: dict[str, Any], options: dict) -> Iterator[str]:
    """A line for each option that is the reference's to set."""
    given = [key for key in config if key in options and key not in OWN]
    parts = (("sources", "samples"), ("sources", "drugs"), ("wells", "select"))
    given += [f"{key}.{part}" for key, part in parts if part in (config.get(key) or ())]
    yield from (f"{option}: with `reference`, this is not for the new table to set; leave it out" for option in given)


def _unfinished(folder: str, dataset: Any) -> Iterator[str]:
    """Why a folder is not that of a finished study, in a line."""
    path, cure = Path(folder), "expected the folder of a finished study, such as results/lincs"
    if not path.is_dir():
        yield f"reference: there is no folder {folder!r}; {cure}"
        return
    if path.resolve() == Path("results", str(dataset)).resolve():
        yield f"reference: {folder!r} is the folder that this config writes to; choose another `dataset`"
        return
    try:
        study = json.loads((path / "provenance.json").read_text(encoding="utf-8"))
        names, _, _ = study["config"]["representations"], study["config"]["main"], study["simulated"]
    except OSError:
        yield f"reference: there is no {path / 'provenance.json'}; {cure}"
        return
    except (ValueError, KeyError, TypeError):
        yield f"reference: {path / 'provenance.json'} is damaged; delete it and run the reference's study again"
        return
    files = [*ONCE, *(f"{name}/{file}" for name in names for file in EACH)]
    missing = [file for file in files if not (path / file).is_file()]
    if missing:
        yield f"reference: there is no {path / missing[0]}; run the reference's study to its end"
