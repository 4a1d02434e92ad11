"""Running the workflow from a test."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/workflow/small.yaml"
WRITTEN = (".csv", ".csv.gz", ".parquet", ".npz", ".json", ".html", ".bib", ".svg", ".png")


def snakemake(*arguments, directory, configfile=None, snakefile=ROOT / "Snakefile", cores=2):
    """Run snakemake in a folder; gives the finished process, with what it printed in `stdout`."""
    configfiles = configfile if isinstance(configfile, list) else [configfile]
    command = [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--directory", directory]
    command += ["--cores", str(cores), *arguments, *(["--configfile", *configfiles] if configfile else [])]
    # the study must not need what a developer's shell happens to set
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "PYTHONPATH"))}
    return subprocess.run(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )


def checksums(results: Path) -> dict[str, str]:
    """sha256 of every table, figure and page of a run but its run times, by its path in the results folder."""
    files = [path for path in results.rglob("*") if path.name.endswith(WRITTEN) and path.name != "run.html"]
    files = [path for path in files if "benchmarks" not in path.parts]
    return {str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
