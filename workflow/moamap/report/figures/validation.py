"""Figures of the validation: the observed beside the permuted. Each function returns a matplotlib figure."""

from string import ascii_lowercase

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from moamap.core.names import ENRICHED, ENRICHED_BY_TWO, TOGETHER, TOGETHER_BY_MOA, WITHIN
from moamap.report.figures.style import TWO_COLUMNS, millimetres
from moamap.validation.reliability import CLAIMS, TOP

OBSERVED, NULL = sns.color_palette("colorblind")[3], "#9a9a9a"


def _beside_null(axis: Axes, table: pd.DataFrame, labels: pd.Series, title: str) -> None:
    """One line per row: the null's 95% interval and mean in grey, the observed as a dot, its p at the right."""
    rows = range(len(table))
    axis.hlines(rows, table["null_low"], table["null_high"], color=NULL, lw=5, alpha=0.55, label="permuted labels, 95%")
    axis.plot(table["null_mean"], rows, "|", color="black", ms=7, label="permuted labels, mean")
    axis.plot(table["observed"], rows, "o", color=OBSERVED, ms=4.5, label="true labels")
    for row, p in zip(rows, table["p_value"], strict=True):
        axis.annotate(
            "no value" if np.isnan(p) else f"p = {p:.2g}",
            (1.01, row),
            xycoords=("axes fraction", "data"),
            va="center",
        )
    axis.set_yticks(rows, labels)
    axis.set_ylim(len(table) - 0.5, -0.5)
    axis.set_title(title, loc="left")
    axis.grid(axis="x", lw=0.3)
    sns.despine(ax=axis)


def null_figure(null: pd.DataFrame) -> Figure:
    """Pairs of one MoA in one community, and enriched MoAs, of every representation, on true and on permuted labels."""
    panels = {  # claim -> title and unit; the columns of the first two rows differ in how labels were permuted
        TOGETHER: ("Same-MoA pairs in one community", "pairs"),
        WITHIN[TOGETHER]: ("The same, within quintiles of strength", "pairs"),
        TOGETHER_BY_MOA: ("Share of a MoA's pairs, mean over MoAs", "share"),
        WITHIN[TOGETHER_BY_MOA]: ("The same, within quintiles of strength", "share"),
        ENRICHED: (ENRICHED, "MoAs"),
        ENRICHED_BY_TWO: (ENRICHED_BY_TWO, "MoAs"),
    }
    names = list(null["representation"].unique())
    size = millimetres(TWO_COLUMNS, 14 + 3 * (15 + 9 * len(names)))
    figure, axes = plt.subplots(3, 2, figsize=size, layout="constrained", sharex="row", sharey=True)
    for axis, (claim, (title, unit)), letter in zip(axes.flat, panels.items(), "abcdef", strict=True):
        mine = null[null["quantity"] == claim].set_index("representation").loc[names].reset_index()
        labels = mine["representation"] + "\n(" + mine["labels"] + ")"
        _beside_null(axis, mine, labels, f"{letter}  {title}")
        axis.set_xlim(left=0)
        axis.set_xlabel(unit)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def retrieval_figure(retrieval: pd.DataFrame) -> Figure:
    """Same-MoA retrieval: label-free, in-sample, held-out and cross-fitted, on true and on permuted labels."""
    scores = list(retrieval["quantity"].unique())
    n_rows = len(retrieval) // len(scores)
    figure, axes = plt.subplots(
        1, len(scores), figsize=millimetres(TWO_COLUMNS, 28 + 7 * n_rows), layout="constrained", sharey=True
    )
    for axis, score, letter in zip(axes, scores, ascii_lowercase, strict=False):
        mine = retrieval[retrieval["quantity"] == score].reset_index(drop=True)
        _beside_null(axis, mine, mine["representation"] + ", " + mine["scored"], f"{letter}  Same-MoA {score}")
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_locator(NullLocator())
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def reliability_figure(reliability: pd.DataFrame) -> Figure:
    """Stated probabilities beside how often they came true, and accuracy beside that of two guesses."""
    size = millimetres(TWO_COLUMNS, 85)
    figure, (curve, bars) = plt.subplots(1, 2, figsize=size, layout="constrained", width_ratios=(1, 1.3))
    claims = reliability[reliability["quantity"].str.startswith(CLAIMS)]
    curve.plot([0, 1], [0, 1], color=NULL, lw=1, label="as stated")
    curve.errorbar(claims["stated"], claims["observed"], _whiskers(claims), fmt="o", color=OBSERVED, ms=5, lw=1)
    for row in claims.itertuples():
        curve.annotate(f"{row.n}", (row.stated, row.high), (0, 2), textcoords="offset points", ha="center", fontsize=7)
    curve.set(xlabel="stated probability of a MoA", ylabel="share that came true", xlim=(0, 1), ylim=(0, 1.05))
    curve.set_title("a  Reliability (number of claims)", loc="left")
    accuracy = reliability[reliability["quantity"].str.startswith(TOP)].reset_index(drop=True)
    rows = accuracy.index
    bars.errorbar(accuracy["observed"], rows, xerr=_whiskers(accuracy), fmt="o", color=OBSERVED, label="posterior, 95%")
    bars.plot(accuracy["largest_moa"], rows, "|", color="black", ms=11, label="largest MoAs")
    bars.plot(accuracy["random"], rows, "x", color=NULL, ms=6, label="random MoAs")
    bars.set_yticks(rows, accuracy["quantity"] + ", " + accuracy["over"])
    bars.set(xlabel="share of drugs whose hidden MoA is among the first", xlim=(0, None), ylim=(len(rows) - 0.5, -0.5))
    bars.set_title("b  Accuracy", loc="left")
    figure.legend(*bars.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    sns.despine(figure)
    return figure


def _whiskers(table: pd.DataFrame) -> np.ndarray:
    """How far the interval of each row reaches below and above the observed."""
    return np.maximum([table["observed"] - table["low"], table["high"] - table["observed"]], 0)


def stability_figure(stability: pd.DataFrame) -> Figure:
    """Agreement of the communities with the study's own when seeds, drugs or the preference are changed."""
    figure, axes = plt.subplots(1, 2, figsize=millimetres(TWO_COLUMNS, 75), layout="constrained")
    _dot_a_run(axes[0], stability, "adjusted_rand")
    _dot_a_run(axes[1], stability, "n_communities")
    axes[0].set(ylabel="adjusted Rand index", ylim=(0, 1.03))
    axes[1].set(ylabel="communities")
    axes[1].set_ylim(bottom=0)
    titles = ("a  Agreement with the study's communities", "b  Number of communities")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_xlabel("what was changed")
        axis.set_title(title, loc="left")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    sns.despine(figure)
    return figure


def _dot_a_run(axis: Axes, stability: pd.DataFrame, column: str) -> None:
    """A dot per run, one colour per representation; the runs of a kind lie side by side in their order, since a random
    jitter would make the file differ from run to run.
    """
    kinds, names = stability["perturbation"].unique(), stability["representation"].unique()
    width = 0.8 / len(names)
    for place, (name, colour) in enumerate(zip(names, sns.color_palette("colorblind", len(names)), strict=True)):
        for at, kind in enumerate(kinds):
            mine = stability[(stability["representation"] == name) & (stability["perturbation"] == kind)]
            offset = (place - (len(names) - 1) / 2) * width
            runs = at + offset + width * 0.7 * (np.arange(len(mine)) - (len(mine) - 1) / 2) / max(len(mine), 1)
            label = name if at == 0 else None
            axis.plot(runs, mine[column], "o", color=colour, ms=3, alpha=0.8, mew=0, label=label)
    axis.set_xticks(range(len(kinds)), kinds)
