"""What a run was made of: versions, seeds, checksums of its inputs, its config."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import moamap
from _files import write_json
from _job import run
from moamap.core.secrets import mask_secrets
from moamap.sources.checksums import digest

PACKAGES = ["numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "metric-learn", "openTSNE"]


def provenance(job) -> None:
    checksums = {Path(path).name: digest(path).removeprefix("sha256:") for path in job.input}
    config = mask_secrets(job.params.config)
    content = {
        "moamap": {"version": moamap.__version__, "commit": commit(), "code": job.params.package},
        "dataset": config["dataset"],
        "simulated": "simulation" in config,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: installed(name) for name in PACKAGES},
        "inputs_sha256": checksums,
        "seeds": seeds(config),
        "config": config,
    }
    write_json(content, job.output[0])


def commit() -> str | None:
    """The commit of this checkout, with `-dirty` where files were changed since; None without git."""
    folder = str(Path(__file__).resolve().parent)
    command = ["git", "-C", folder, "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


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
