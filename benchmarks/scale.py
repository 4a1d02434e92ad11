"""What a study costs: time, peak memory and disk of each step against the number of compounds, on simulated screens.

    PYTHONPATH=workflow python benchmarks/scale.py [--out FOLDER] [--representations raw pca itml] SIZE...
    PYTHONPATH=workflow python benchmarks/scale.py --fit [FOLDER of an earlier run]...

Each screen has 1,105 annotated drugs (or as many as there are) of 372 MoAs and 812 features; all its compounds go into
one map (unannotated: cluster), or, with --annotated, every compound has a MoA. Beyond 25,000 compounds there are no
tables of all pairs. Processor times and memory are those that Snakemake measures of every job, disk is the size of
what a step leaves behind; a job of tens of thousands of compounds uses all cores. The costs of several jobs of a step
are added up (of memory the largest is taken). The exponent is the slope of log cost against log number of compounds
over the two largest screens. Sizes that were run before into the same folder are not run again; delete their
jobs_SIZE.csv for that.

--fit makes resources/costs.csv, by which the study estimates its costs, from all jobs that were measured, and prints
how far the estimate of every job at the largest size is off that was fitted without this size.
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

from moamap.core.costs import SUPERVISED, fit, size_of
from moamap.core.names import DENSE_UP_TO
from moamap.representations.registry import METHODS

ROOT = Path(__file__).resolve().parents[1]
SNAKEMAKE = [str(Path(sys.executable).with_name("snakemake"))]
ANNOTATED, FEATURES = 1105, 812
WHOLE = ("simulate", "read", "annotate", "embed", "placing", "provenance")  # they handle all compounds
COSTS = {"seconds": "processor time (s)", "memory_mb": "peak memory (MB)", "disk_mb": "disk (MB)"}


def study_of(n: int, options: argparse.Namespace) -> dict:
    """The config of a screen of n compounds."""
    names = options.representations
    return {
        "dataset": f"scale_{n}",
        "simulation": {"seed": 1, "n_drugs": n, "n_annotated": n if options.annotated else min(n, ANNOTATED)},
        "representations": {name: {"method": name} for name in names},
        "main": names[-1],
        "unannotated": "cluster",
        "connections": "all" if n <= DENSE_UP_TO else "none",
        "normalization": {"axis": "profile"},
        "validation": options.validation,
    }


def run(config: Path, cores: int) -> float:
    """Seconds of the whole run."""
    started = time.perf_counter()
    command = [*SNAKEMAKE, "--cores", str(cores), "--configfile", str(config), "--forceall", "--quiet", "all"]
    subprocess.run(command, cwd=ROOT, check=True)
    return time.perf_counter() - started


def jobs_of(config: Path, n: int, supervised: set[str]) -> pd.DataFrame:
    """The jobs of a finished run: step, rows (compounds that it works on), features, seconds, memory_mb, disk_mb."""
    listed = subprocess.run(
        [*SNAKEMAKE, "--summary", "--configfile", str(config)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    disk: dict[tuple[str, str], int] = defaultdict(int)
    for row in csv.DictReader(io.StringIO(listed.stdout), delimiter="\t"):
        log, file = row["log-file(s)"].split(",")[0], ROOT / row["output_file"]
        disk[row["rule"], log] += file.stat().st_size if file.is_file() else 0
    rows = []
    for (rule, log), size in disk.items():
        measured = ROOT / log.replace("/logs/", "/benchmarks/").replace(".log", ".tsv")
        if not measured.is_file():
            continue
        used = pd.read_csv(measured, sep="\t").iloc[0]
        everyone = rule in WHOLE or "_all/" in log
        rows.append(
            {
                "compounds": n,
                "step": step_of(rule, log, n if everyone else ANNOTATED, supervised),
                "rows": n if everyone else min(n, ANNOTATED),
                "features": FEATURES,
                "seconds": used["cpu_time"],
                "memory_mb": float(used["max_rss"]) if used["max_rss"] != "-" else 0.0,
                "disk_mb": size / 1e6,
            }
        )
    return pd.DataFrame(rows)


def step_of(rule: str, log: str, rows: int, supervised: set[str]) -> str:
    """The step of a job, as `moamap.core.costs` names it."""
    if rule == "communities" and rows > DENSE_UP_TO:
        return "communities (sparse)"
    learns = rule in ("represent", "permute", "perturb") and any(f"_{name}" in log for name in supervised)
    return rule + SUPERVISED * learns


def costs_of(jobs: pd.DataFrame) -> pd.DataFrame:
    """A row a step and size: the times and the disk of its jobs added up, the largest of their memory."""
    return jobs.groupby(["compounds", "step"], as_index=False).agg(
        jobs=("step", "size"), seconds=("seconds", "sum"), memory_mb=("memory_mb", "max"), disk_mb=("disk_mb", "sum")
    )


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


def fit_costs(folders: list[Path]) -> None:
    """Write resources/costs.csv, and print how well the costs of the largest screen follow from the smaller ones."""
    jobs = pd.concat([pd.read_csv(file) for folder in folders for file in sorted(folder.glob("jobs_*.csv"))])
    largest = jobs["compounds"] == jobs["compounds"].max()
    foretold = fit(jobs[~largest]).set_index(["step", "cost"])
    print(f"the screen of {jobs['compounds'].max():,} compounds, foretold from the smaller ones:")
    for step, some in jobs[largest].groupby("step"):
        if step in foretold.index:
            off = {}
            for cost in COSTS:
                sizes = np.array([size_of(step, *row, cost) for row in some[["rows", "features"]].to_numpy()])
                expected = (foretold.loc[(step, cost), "fixed"] + foretold.loc[(step, cost), "each"] * sizes).sum()
                off[cost] = expected / max(some[cost].sum(), 1e-3)
            print(f"  {step:28}" + "".join(f"{cost} {ratio:6.2f} x   " for cost, ratio in off.items()))
    fit(jobs).to_csv(ROOT / "resources/costs.csv", index=False, float_format="%.4g")


def main() -> None:
    """Run the studies of the given sizes, or take those that were run before, and write table and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int)
    parser.add_argument("--out", type=Path, default=ROOT / "results/benchmarks/scale")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--representations", nargs="+", default=["raw"])
    parser.add_argument("--validation", default="quick", choices=["quick", "full", "off"])
    parser.add_argument("--annotated", action="store_true", help="every compound has a MoA")
    parser.add_argument("--fit", nargs="*", type=Path, help="folders of earlier runs")
    options = parser.parse_args()
    if options.fit is not None:
        fit_costs(options.fit or [options.out])
        return
    options.out.mkdir(parents=True, exist_ok=True)
    for n in options.sizes:
        config, measured = options.out / f"{n}.yaml", options.out / f"jobs_{n}.csv"
        if not measured.exists():
            config.write_text(yaml.safe_dump(study_of(n, options)))
            seconds = run(config, options.cores)
            supervised = {name for name in options.representations if METHODS[name].supervised}
            jobs_of(config, n, supervised).assign(whole_run=seconds).to_csv(measured, index=False)
        jobs = pd.read_csv(measured)
        print(
            f"{n:,} compounds: {jobs['whole_run'][0] / 60:.1f} min, {jobs['memory_mb'].max() / 1000:.1f} GB, "
            f"{jobs['disk_mb'].sum() / 1000:.1f} GB on disk",
            flush=True,
        )
    table = costs_of(pd.concat([pd.read_csv(options.out / f"jobs_{n}.csv") for n in options.sizes]))
    table.to_csv(options.out / "costs.csv", index=False)
    wide = with_exponents(table)
    wide.to_csv(options.out / "exponents.csv")
    print(wide.round(2).to_string())
    draw(table, options.out / "scale")


if __name__ == "__main__":
    main()
