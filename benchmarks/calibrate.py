"""How often is a MoA reported where there is none to find, and where there is? By simulation, for each way to test.

    python benchmarks/calibrate.py [--datasets 1000] [--jobs 2] [--out results/calibration] [--drugs-per-moa 2]

Screens of 150 drugs x 40 features (moamap.simulate at small size: heavy tails, correlated nuisance) without any
phenotype, and a fifth as many with phenotypes of each of three strengths, which a third of the common MoAs have. A test
reports a MoA at 0.05; counted are the screens with any report, and those with a report of a MoA without a phenotype.
Benjamini and Hochberg's q promises 0.05 for the first where there is no phenotype, and a share of false reports
elsewhere; the step-down p promises 0.05 of the screens for the second.

Screens "by plate" and "by strength" have no phenotype either, but MoAs that cluster for a reason that is no mechanism:
drugs of one MoA tend to be on one plate, whose effect they share, or to be as strong. Labels that are permuted over all
drugs cannot see this, labels permuted within the strata of strength can see the second. Counted for them is how often
each claim of the verdict is made, by the tests without labels; a fifth as many screens as without phenotype.

With --drugs-per-moa the screens have no phenotype, and every MoA has that many drugs: the layout of a MoA plate.

Writes calibration.csv, decisions.csv (one row per screen and test) and, where there are phenotypes, calibration.svg
and .png.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from joblib import Parallel, delayed, parallel_config
from scipy.stats import binomtest, false_discovery_control

from moamap.communities.clusters import communities_of
from moamap.core.labels import label_sets, membership
from moamap.core.numerics import stream
from moamap.profiles.normalize import normalize
from moamap.profiles.simulate import GRADES, simulate
from moamap.validation.nulls import enrichment_p, permutation, step_down_min_p
from moamap.validation.procedure import Procedure

LEVEL, PAPERS_ALPHA, MIN_DRUGS = 0.05, 0.01, 5
SIZE = {"n_drugs": 150, "n_moas": 50, "n_common_moas": 10, "largest_moa": 20, "n_features": 40}
SIGNALS = {"none": 0.0, "weak": 0.5, "medium": 1.0, "strong": 2.0}  # factors on the phenotypes of the demo
FEWER = 5  # a fifth of the data sets for each strength: power need not be known to the percent
N_FOLDS, N_SPLITS = 4, 5
SPLITS_PERMUTED = 1  # affordable; a permutation test is as valid with one as with five
MORE = 5  # times the pairs that ITML learns from, for one more row: the more it learns the more it finds again
TESTS = {  # and their markers: a circle for a permutation test
    "no labels, q": "s",
    "in sample, P < 0.01 (the paper's)": "X",
    "in sample, q": "s",
    "in sample, q, of more pairs": "D",
    "in sample, permutation": "o",
    "cross-fitted, q": "s",
    "cross-fitted, permutation": "o",
}
COLOURS = dict(zip(("no labels", "in sample", "cross-fitted"), sns.color_palette("colorblind", 3), strict=True))


@dataclass(frozen=True)
class Screen:
    """A simulated data set, what is done with it, and which of the tested MoAs have a phenotype."""

    procedure: Procedure
    moas: np.ndarray
    labels: np.ndarray
    shown: np.ndarray


def screen(seed: int, signal: float, n_pairs: int, drugs_per_moa: int | None) -> Screen:
    """Simulate and normalize a screen; a seed gives the same screen but for its phenotypes."""
    profiles, truth = simulate(seed=seed, signal=signal, **SIZE)
    if drugs_per_moa:
        moa = pd.Series(np.arange(len(profiles)) // drugs_per_moa).astype(str)
        profiles = profiles.assign(moa=moa[stream(seed, "labels of a plate").permutation(len(moa))].to_numpy())
    values = profiles.iloc[:, 3:].to_numpy()
    x = normalize(values, values.mean(axis=0), values.var(axis=0))
    moas = membership(profiles["moa"], "whole")
    tested = np.flatnonzero(moas.sum() >= (drugs_per_moa or MIN_DRUGS))
    with_phenotype = truth.loc[truth["grade"].isin(GRADES), "moa"]
    procedure = Procedure(x, tested, "itml", {"n_constraints": n_pairs}, n_folds=N_FOLDS, n_splits=N_SPLITS)
    moas, shown = moas.to_numpy(), np.isin(moas.columns[tested], with_phenotype)
    return Screen(procedure, moas, label_sets(moas), shown)


def community_p(procedure: Procedure, squared: np.ndarray, moas: np.ndarray) -> np.ndarray:
    """Hypergeometric P of every community x tested MoA."""
    numbers = communities_of(-squared, **procedure.communities).numbers
    return enrichment_p(numbers, moas[:, procedure.tested])[0]


def by_q(p: np.ndarray) -> np.ndarray:
    """MoAs with a community at q < 0.05, over all community x MoA pairs as in the enrichment table."""
    return (false_discovery_control(p.ravel()).reshape(p.shape) < LEVEL).any(axis=0)


def by_permutation(statistic: Callable[[np.ndarray], np.ndarray], n: int, seed: int, n_permutations: int) -> np.ndarray:
    """MoAs at a step-down adjusted p <= 0.05, for a statistic (per MoA) of an order of n drugs' label sets.

    The smallest adjusted p of all is decided by the smallest statistic of each permutation. As soon as that p exceeds
    the level whatever follows, nothing can be reported, and the other permutations are not made.
    """
    observed, null, as_small = statistic(np.arange(n)), [], 0
    for number in range(1, n_permutations + 1):
        null.append(statistic(permutation(n, seed, number)))
        as_small += null[-1].min() <= observed.min()
        if (1 + as_small) / (1 + n_permutations) > LEVEL:
            return np.zeros(len(observed), dtype=bool)
    return step_down_min_p(observed, np.array(null)) <= LEVEL


def reports(data: Screen, seed: int, n_permutations: int) -> Iterator[tuple[str, np.ndarray]]:
    """Of each test the tested MoAs that it reports."""
    truth = np.arange(len(data.moas))
    p = _in_sample_p(data, data.procedure, truth)
    yield "no labels, q", by_q(community_p(data.procedure, data.procedure.base, data.moas))
    yield "in sample, P < 0.01 (the paper's)", (p < PAPERS_ALPHA).any(axis=0)
    yield "in sample, q", by_q(p)
    learns_more = replace(
        data.procedure, parameters={"n_constraints": MORE * data.procedure.parameters["n_constraints"]}
    )
    yield "in sample, q, of more pairs", by_q(_in_sample_p(data, learns_more, truth))
    yield "cross-fitted, q", by_q(_crossfitted_p(data, data.procedure, truth))
    lighter = replace(data.procedure, n_splits=SPLITS_PERMUTED)
    for name, test in (("in sample", _in_sample_p), ("cross-fitted", _crossfitted_p)):
        smallest = partial(_smallest_p, test, data, lighter)
        yield f"{name}, permutation", by_permutation(smallest, len(truth), seed, n_permutations)


def _in_sample_p(data, procedure, order):
    moas = data.moas[order]
    return community_p(procedure, procedure.in_sample(moas), moas)


def _crossfitted_p(data, procedure, order):
    moas = data.moas[order]
    return community_p(procedure, procedure.crossfit(moas, procedure.folds(data.labels[order], moas)), moas)


def _smallest_p(test, data, procedure, order):
    return test(data, procedure, order).min(axis=0)


def decide(phenotypes: str, seed: int, n_pairs: int, n_permutations: int, drugs_per_moa: int | None) -> list[dict]:
    """One row per test: whether it reports any MoA of the screen, and any without a phenotype."""
    data = screen(seed, SIGNALS[phenotypes], n_pairs, drugs_per_moa)
    return [
        {
            "phenotypes": phenotypes,
            "seed": seed,
            "test": test,
            "any": bool(reported.any()),
            "without": bool((reported & ~data.shown).any()),
        }
        for test, reported in reports(data, seed, n_permutations)
    ]


def simulate_all(options) -> pd.DataFrame:
    """The decisions about all screens, in an order that does not depend on the jobs."""
    few = max(1, options.datasets // FEWER)
    tasks = [
        (phenotypes, seed)
        for phenotypes in (["none"] if options.drugs_per_moa else SIGNALS)
        for seed in range(1, 1 + (options.datasets if phenotypes == "none" else few))
    ]
    start, rows = time.perf_counter(), []
    with parallel_config("loky", n_jobs=options.jobs, inner_max_num_threads=1):
        done = Parallel(return_as="generator")(
            delayed(decide)(*task, options.pairs, options.permutations, options.drugs_per_moa) for task in tasks
        )
        for number, decisions in enumerate(done, start=1):
            rows += decisions
            if number % 50 == 0 or number == len(tasks):
                told = f"{number} of {len(tasks)} screens, {time.perf_counter() - start:.0f} s"
                print(f"{told} (phenotypes: {tasks[number - 1][0]})", flush=True)
    return pd.DataFrame(rows)


def rates(decisions: pd.DataFrame, options) -> pd.DataFrame:
    """Share of screens with a report, and its Clopper-Pearson 95% interval, for each test and strength."""
    rows = []
    strengths = decisions["phenotypes"].unique()
    for (phenotypes, test), counted in product(product(strengths, TESTS), ("any", "without")):
        mine = decisions.query("phenotypes == @phenotypes and test == @test")[counted]
        interval = binomtest(int(mine.sum()), len(mine)).proportion_ci(method="exact")
        rows.append(
            {
                "phenotypes": phenotypes,
                "signal": SIGNALS[phenotypes],
                "test": test,
                "reported": {"any": "any MoA", "without": "a MoA without phenotype"}[counted],
                "screens": len(mine),
                "with_report": int(mine.sum()),
                "rate": mine.mean(),
                "low": interval.low,
                "high": interval.high,
                "permutations": options.permutations if "permutation" in test else 0,
                "pairs": options.pairs * (MORE if "more pairs" in test else 1),
            }
        )
    return pd.DataFrame(rows).assign(data="simulated")


def draw(table: pd.DataFrame) -> plt.Figure:
    """Rates with intervals: where nothing is to be found, and at each strength of the phenotypes."""
    sns.set_theme(context="paper", style="ticks", rc={"svg.hashsalt": "moamap", "svg.fonttype": "none", "font.size": 8})
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained", width_ratios=[1, 1.2, 1.2])
    null, any_moa = table["phenotypes"] == "none", table["reported"] == "any MoA"
    panels = {
        "a  No phenotype: any MoA reported": (_draw_null, table[null & any_moa]),
        "b  Phenotypes: any MoA reported": (_draw_strengths, table[~null & any_moa]),
        "c  Phenotypes: a MoA without one reported": (_draw_strengths, table[~null & ~any_moa]),
    }
    for axis, (title, (drawn, shown)) in zip(axes, panels.items(), strict=True):
        drawn(axis, shown)
        axis.set_title(f"{title}\n{shown['screens'].iloc[0]:,} screens each", loc="left")
    figure.suptitle("Simulated data: how often the tests report a MoA at 0.05 (dotted), with 95% intervals")
    sns.despine(figure)
    return figure


def _draw_null(axis, shown):
    for place, row in enumerate(shown.itertuples()):
        axis.errorbar(row.rate, place, xerr=[[row.rate - row.low], [row.high - row.rate]], **_style(row.test))
    axis.axvline(LEVEL, color="black", linestyle=":", linewidth=1)
    axis.set_xscale("log")
    axis.set_xlim(0.002, 1.05)
    axis.set_xticks([0.01, LEVEL, 0.1, 0.5, 1], ["0.01", "0.05", "0.1", "0.5", "1"])
    axis.minorticks_off()
    axis.set_yticks(range(len(shown)), shown["test"])
    axis.invert_yaxis()
    axis.set_xlabel("share of screens")


def _draw_strengths(axis, shown):
    strengths = list(dict.fromkeys(shown["phenotypes"]))
    for number, test in enumerate(TESTS):
        mine = shown[shown["test"] == test]
        places = np.arange(len(strengths)) + 0.11 * (number - (len(TESTS) - 1) / 2)
        spread = np.abs(mine[["low", "high"]].to_numpy().T - mine["rate"].to_numpy())
        axis.errorbar(places, mine["rate"], yerr=spread, **_style(test))
    axis.axhline(LEVEL, color="black", linestyle=":", linewidth=1)
    axis.set(ylim=(-0.03, 1.03), yticks=[0, LEVEL, 0.25, 0.5, 0.75, 1], xlabel="phenotypes", ylabel="share of screens")
    axis.set_xticks(range(len(strengths)), strengths)


def _style(test):
    colour, marker = COLOURS[test.split(",")[0]], TESTS[test]
    return {"fmt": marker, "color": colour, "capsize": 2, "markerfacecolor": colour if marker in "oX" else "white"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=1000, help="screens without phenotype (default 1000)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--out", type=Path, default=Path("results/calibration"))
    parser.add_argument("--permutations", type=int, default=99, help="of the labels, each screen (default 99)")
    parser.add_argument("--drugs-per-moa", type=int, help="the layout of a MoA plate, without phenotypes")
    parser.add_argument("--pairs", type=int, default=20, help="similar pairs ITML learns from, and as many dissimilar")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    decisions = simulate_all(options)
    table = rates(decisions, options)
    decisions.to_csv(options.out / "decisions.csv", index=False)
    table.to_csv(options.out / "calibration.csv", index=False)
    if not options.drugs_per_moa:
        figure = draw(table)
        for ending in ("svg", "png"):
            figure.savefig(
                options.out / f"calibration.{ending}", dpi=200, metadata={"Date": None} if ending == "svg" else None
            )
    columns = ["phenotypes", "test", "reported", "screens", "rate", "low", "high"]
    print(table[columns].round(3).to_string(index=False))


if __name__ == "__main__":
    main()
