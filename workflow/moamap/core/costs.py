"""What a study will cost: time, memory and disk of each step from the sizes, by a model that the benchmark fits.

A cost of a job is `fixed + each * size`, the size being that by which the step's work grows (`GROWS_WITH`). The numbers
are in resources/costs.csv; `benchmarks/scale.py --fit` makes them, and says how well they foretell a size left out.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from moamap.core.errors import InputError
from moamap.core.names import DENSE_UP_TO

COSTS = ("seconds", "memory_mb", "disk_mb")
PAIRS = (
    "tally",
    "neighbours",
    "connect",
    "crossfit",
    "permute",
    "perturb",
    "proposals",
    "candidates",
    "nulls",
    "supplement",
)
GROWS_WITH = dict.fromkeys(PAIRS, "pairs") | {"communities": "pairs", "communities (sparse)": "rows", "tsne": "rows"}
OTHERWISE = {("neighbours", "memory_mb"): "values", ("neighbours", "disk_mb"): "rows"}  # than the time
SUPERVISED = " (supervised)"  # steps that learn from labels are dearer
ONCE = ["normalize", "enrich", "community_features", "table_1", "supplement", "query", "nulls", "stability"]
ONCE += ["proposals", "candidates", "verdict", "figures", "study_h5ad", "explorer", "page"]  # for all representations


class Step(NamedTuple):
    """Jobs that are alike."""

    name: str
    rows: int
    jobs: int


def size_of(step: str, rows: float, features: float, cost: str = "seconds") -> float:
    """The size by which a cost of a step grows: pairs of drugs, drugs, or values (drugs x features)."""
    kind = OTHERWISE.get((step, cost)) or GROWS_WITH.get(step.removesuffix(SUPERVISED), "values")
    return {"pairs": rows * (rows - 1) / 2, "rows": rows, "values": rows * features}[kind]


def steps_of(config: dict[str, Any], *, drugs: int, compounds: int, supervised: set[str]) -> Iterator[Step]:
    """The steps of a study, as far as they are known before it begins.

    Parameters
    ----------
    config : with all its defaults
    drugs, compounds : with a MoA, and altogether
    supervised : names of the representations that learn from MoAs
    """
    names = list(config["representations"])
    yield from (Step(name, compounds, 1) for name in ("read", "annotate", "placing", "embed"))
    yield from (Step(name, drugs, 1) for name in ONCE)
    for name in names:
        yield Step("represent" + SUPERVISED * (name in supervised), drugs, 1)
    maps = [(drugs, len(names))] + [(compounds, len(names))] * (config["unannotated"] == "cluster")
    for rows, count in maps:
        yield Step("neighbours", rows, count)
        if config["connections"] == "all":
            yield Step("connect", rows, count)
        sparse = config["communities"]["engine"] != "dense" and (
            config["communities"]["engine"] != "auto" or rows > DENSE_UP_TO or config["connections"] == "none"
        )
        yield Step("communities (sparse)" if sparse else "communities", rows, count)
        yield Step("tsne", rows, count)
    if config["validation"] != "off":
        yield from _validation(names, supervised, drugs, {"quick": 1, "full": 5}[config["validation"]])


def _validation(names: list[str], supervised: set[str], drugs: int, times: int) -> Iterator[Step]:
    """The costs are those of `quick`; `full` makes about five times as many permutations and reruns."""
    for name in names:
        learns = name in supervised
        yield Step("permute" + SUPERVISED * learns, drugs, (4 if learns else 1) * times)
        yield Step("perturb" + SUPERVISED * learns, drugs, (2 if learns else 1) * times)
        yield from [Step("crossfit", drugs, 1)] * learns


def estimate(costs: pd.DataFrame, steps: list[Step], features: int) -> pd.DataFrame:
    """Costs of the steps, one row each: step, rows, jobs, seconds (of all jobs), memory_mb (of one), disk_mb (of all).

    Parameters
    ----------
    costs : step, cost, fixed, each: the table resources/costs.csv
    """
    known = costs.set_index(["step", "cost"])
    rows = []
    for step in steps:
        if step.name not in known.index:
            continue
        each = {}
        for cost in COSTS:
            fixed, slope = known.loc[(step.name, cost), ["fixed", "each"]]
            each[cost] = fixed + slope * size_of(step.name, step.rows, features, cost)
        times = {"seconds": step.jobs, "memory_mb": 1, "disk_mb": step.jobs}
        rows.append((*step, *(each[cost] * times[cost] for cost in COSTS)))
    return pd.DataFrame(rows, columns=["step", "rows", "jobs", *COSTS])


def cost_lines(expected: pd.DataFrame) -> list[tuple[str, str]]:
    """What people read of an estimate, as (what, how much): altogether, and of each step that takes part in it."""
    totals = expected["seconds"].sum(), expected["memory_mb"].max(), expected["disk_mb"].sum()
    lines = [("expected on one core", f"{_amounts(*totals)} (memory of the largest job)")]
    dear = expected.nlargest(8, "seconds").index.union(expected.nlargest(3, "memory_mb").index)
    for step in expected.loc[dear].sort_values("seconds", ascending=False).itertuples():
        jobs = f"{step.jobs} jobs, " if step.jobs > 1 else ""
        amounts = _amounts(step.seconds, step.memory_mb, step.disk_mb)
        lines.append((f"  {step.step}", f"{jobs}{step.rows:,} drugs: {amounts}"))
    return lines


def _amounts(seconds: float, memory_mb: float, disk_mb: float) -> str:
    time = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return f"{time}, {memory_mb / 1e3:.1f} GB of memory, {disk_mb / 1e3:.2f} GB of disk"


def fit(measured: pd.DataFrame) -> pd.DataFrame:
    """The table of costs from measured jobs (step, rows, features, seconds, memory_mb, disk_mb: a row a job;
    what was not measured is NaN).

    Neither part is negative. The errors count relative to the cost, so that small sizes count as much as large ones.
    """
    from scipy.optimize import nnls  # late: an estimate does without it

    found = []
    for step, jobs in measured.groupby("step", sort=True):
        for cost in COSTS:
            known = jobs.dropna(subset=[cost])
            sizes = np.array([size_of(step, rows, d, cost) for rows, d in known[["rows", "features"]].to_numpy()])
            values = np.maximum(known[cost].to_numpy(float), 1e-3)
            design = np.column_stack([np.ones(len(known)), sizes]) / values[:, None]
            scale = design.max(axis=0)
            fixed, each = nnls(design / scale, np.ones(len(known)))[0] / scale
            found.append({"step": step, "cost": cost, "fixed": fixed, "each": each})
    return pd.DataFrame(found)


def check_fits(expected: pd.DataFrame, config: dict[str, Any], *, memory: float, disk: float) -> None:
    """Raise InputError where a job needs more memory, or all of them more disk, than there is (bytes), or where all
    pairs of too many drugs are asked for.

    Parameters
    ----------
    expected : as `estimate` has it
    config : with all its defaults
    """
    connected = expected.loc[expected["step"] == "connect", "rows"]
    if (connected > DENSE_UP_TO).any():
        raise InputError(
            f"connections: all pairs of {connected.max():,} drugs would be {connected.max() ** 2 // 2:,} rows; above "
            f"{DENSE_UP_TO:,} drugs set `connections: none`, which keeps each drug's nearest"
        )
    largest = expected.nlargest(1, "memory_mb").squeeze()
    if largest["memory_mb"] * 1e6 > memory:
        raise InputError(
            f"the step {largest['step']!r} of {largest['rows']:,} drugs needs about {largest['memory_mb'] / 1e3:.1f} "
            f"GB of memory, and there are {memory / 1e9:.1f} GB; {_advice(largest['step'], config)}"
        )
    needed = expected["disk_mb"].sum() * 1e6
    if needed > disk:
        raise InputError(
            f"the study needs about {needed / 1e9:.1f} GB of disk, and {disk / 1e9:.1f} GB are free; set `connections: "
            "none`, which leaves out the tables of all pairs, or give results/ more room"
        )


def _advice(step: str, config: dict[str, Any]) -> str:
    if step.startswith(("permute", "perturb", "crossfit")):
        return 'set `validation: "off"`, or use a larger machine'
    if step in ("communities", "connect", "supplement") and config["connections"] == "all":
        return "set `connections: none`, with which each drug's nearest are enough, or use a larger machine"
    return "use a larger machine"
