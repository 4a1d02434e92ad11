"""What a run was made of: versions, seeds, checksums of its inputs, its config."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from _files import write_json
from _job import run
from moamap.representations.registry import METHODS
from moamap.sources.checksums import digest

PACKAGES = ["numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "metric-learn", "openTSNE"]


def provenance(job) -> None:
    checksums = {Path(path).name: digest(path).removeprefix("sha256:") for path in job.input}
    config = dict(job.params.config)
    config["representations"] = {name: with_defaults(**given) for name, given in config["representations"].items()}
    content = {
        "dataset": job.config["dataset"],
        "simulated": "simulation" in job.config,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: installed(name) for name in PACKAGES},
        "inputs_sha256": checksums,
        "seeds": seeds(config),
        "config": config,
    }
    write_json(content, job.output[0])


def with_defaults(method: str, **given) -> dict:
    """A representation's parameters as the config gives them, and the defaults of the others."""
    return {"method": method} | METHODS[method].defaults | given


def installed(package: str) -> str | None:
    """The version of a package in this environment."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def seeds(config: dict, place: str = "") -> dict[str, int]:
    """Every `seed` of the config, by its place."""
    found = {}
    for key, value in config.items():
        if key == "seed":
            found[place.removeprefix(".")] = value
        elif isinstance(value, dict):
            found |= seeds(value, f"{place}.{key}")
    return found


if __name__ == "__main__":
    run(provenance, globals().get("snakemake"))
