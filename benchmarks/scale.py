"""What a study costs: time, peak memory and disk of each step against the number of compounds, on simulated screens.

    .venv/bin/python benchmarks/scale.py [--out results/benchmarks/scale] [--cores 2] [--representations raw] SIZE...

Each screen has 1,105 annotated drugs (or as many as there are) of 372 MoAs and 812 features; all its compounds go into
one map (unannotated: cluster). Beyond 25,000 compounds there are no tables of all pairs. Times and
memory are those that Snakemake measures of every job, disk is the size of what a step leaves behind. The costs of
several jobs of a step are added up (of memory the largest is taken). The exponent is the slope of log cost against log
number of compounds over the two largest screens.
"""

import argparse
import csv
import io
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
SNAKEMAKE = [str(Path(sys.executable).with_name("snakemake"))]
ANNOTATED, DENSE = 1105, 25_000
COSTS = {"seconds": "time (s)", "memory_mb": "peak memory (MB)", "disk_mb": "disk (MB)"}


def study_of(n: int, representations: list[str], validation: str) -> dict:
    """The config of a screen of n compounds."""
    return {
        "dataset": f"scale_{n}",
        "simulation": {"seed": 1, "n_drugs": n, "n_annotated": min(n, ANNOTATED)},
        "representations": {name: {"method": name} for name in representations},
        "main": representations[-1],
        "unannotated": "cluster",
        "connections": "all" if n <= DENSE else "none",
        "normalization": {"axis": "profile"},
        "query": ["simulated drug 0001", "simulated drug 0002"],
        "validation": validation,
    }


def run(config: Path, cores: int) -> float:
    """Seconds of the whole run."""
    started = time.perf_counter()
    command = [*SNAKEMAKE, "--cores", str(cores), "--configfile", str(config), "--forceall", "--quiet", "all"]
    subprocess.run(command, cwd=ROOT, check=True)
    return time.perf_counter() - started


def costs_of(config: Path, n: int) -> pd.DataFrame:
    """A row a step: compounds, step, jobs, seconds, memory_mb, disk_mb, from the files of a finished run."""
    listed = subprocess.run(
        [*SNAKEMAKE, "--summary", "--configfile", str(config)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    disk: dict[str, int] = defaultdict(int)
    logs: dict[str, set[str]] = defaultdict(set)
    for row in csv.DictReader(io.StringIO(listed.stdout), delimiter="\t"):
        if (ROOT / row["output_file"]).is_file():
            disk[row["rule"]] += (ROOT / row["output_file"]).stat().st_size
            logs[row["rule"]] |= set(row["log-file(s)"].split(","))
    rows = []
    for step, files in logs.items():
        jobs = [ROOT / file.replace("/logs/", "/benchmarks/").replace(".log", ".tsv") for file in files]
        measured = pd.concat([pd.read_csv(job, sep="\t") for job in jobs if job.is_file()])
        used = {"seconds": measured["s"].sum(), "memory_mb": measured["max_rss"].max(), "disk_mb": disk[step] / 1e6}
        rows.append({"compounds": n, "step": step, "jobs": len(measured), **used})
    return pd.DataFrame(rows)


def with_exponents(table: pd.DataFrame) -> pd.DataFrame:
    """A row a step, its costs at every size and their exponents."""
    wide = table.pivot(index="step", columns="compounds", values=list(COSTS))
    sizes = sorted(table["compounds"].unique())
    if len(sizes) > 1:
        span = np.log(sizes[-1] / sizes[-2])
        for cost in COSTS:
            ratio = wide[cost, sizes[-1]] / wide[cost, sizes[-2]].replace(0, np.nan)
            wide[cost, "exponent"] = np.log(ratio) / span
    return wide.sort_index(axis=1, level=0, sort_remaining=False)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Every cost of the dearest steps against the number of compounds."""
    figure, axes = plt.subplots(1, len(COSTS), figsize=(5 * len(COSTS), 6), layout="constrained")
    for axis, (cost, label) in zip(axes, COSTS.items(), strict=True):
        largest = table[table["compounds"] == table["compounds"].max()].nlargest(9, cost)["step"]
        for step, marker in zip(largest, "os^Dv<>ph", strict=False):
            mine = table[table["step"] == step].sort_values("compounds")
            axis.loglog(mine["compounds"], mine[cost], marker=marker, label=step)
        axis.set(xlabel="compounds (simulated screens)", ylabel=label)
        axis.set_xticks(sorted(table["compounds"].unique()), labels=[f"{n:,}" for n in sorted(set(table["compounds"]))])
        axis.minorticks_off()
        axis.legend(frameon=False, fontsize=8, loc="upper left")
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=150)


def main() -> None:
    """Run the studies of the given sizes, or take those that were run before, and write table and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--out", type=Path, default=ROOT / "results/benchmarks/scale")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--representations", nargs="+", default=["raw"])
    parser.add_argument("--validation", default="quick", choices=["quick", "full", "off"])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tables, whole = [], {}
    for n in options.sizes:
        config = options.out / f"{n}.yaml"
        config.write_text(yaml.safe_dump(study_of(n, options.representations, options.validation)))
        whole[n] = run(config, options.cores)
        tables.append(costs_of(config, n))
        print(
            f"{n:,} compounds: {whole[n] / 60:.1f} min, {tables[-1]['memory_mb'].max() / 1000:.1f} GB, "
            f"{tables[-1]['disk_mb'].sum() / 1000:.1f} GB on disk",
            flush=True,
        )
    table = pd.concat(tables)
    table.to_csv(options.out / "costs.csv", index=False)
    wide = with_exponents(table)
    wide.to_csv(options.out / "exponents.csv")
    print(wide.round(2).to_string())
    draw(table, options.out / "scale")


if __name__ == "__main__":
    main()
