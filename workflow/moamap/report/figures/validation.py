"""Figures of the validation: the observed beside the permuted. Each function returns a matplotlib figure."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

OBSERVED, NULL = sns.color_palette("colorblind")[3], "#9a9a9a"


def _beside_null(axis, table: pd.DataFrame, labels, title: str) -> None:
    """A line a row: the null's 95% interval and mean in grey, the observed as a dot, its p at the right."""
    rows = range(len(table))
    axis.hlines(rows, table["null_low"], table["null_high"], color=NULL, lw=7, alpha=0.55, label="permuted labels, 95%")
    axis.plot(table["null_mean"], rows, "|", color="black", ms=9, label="permuted labels, mean")
    axis.plot(table["observed"], rows, "o", color=OBSERVED, ms=6, label="true labels")
    for row, p in zip(rows, table["p_value"], strict=True):
        axis.annotate(f"p = {p:.2g}", (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axis.set_yticks(rows, labels)
    axis.set_ylim(len(table) - 0.5, -0.5)
    axis.set_title(title, loc="left")
    axis.grid(axis="x", lw=0.3)
    sns.despine(ax=axis)


def null_figure(null: pd.DataFrame) -> Figure:
    """Enriched MoAs of every representation, on true and on permuted labels."""
    claims = ["Enrichment Number", "MoAs enriched with k >= 2"]
    names = list(null["representation"].unique())
    figure, axes = plt.subplots(1, 2, figsize=(10, 1.6 + 0.42 * len(names)), layout="constrained", sharey=True)
    for axis, claim, letter in zip(axes, claims, "ab", strict=True):
        mine = null[null["quantity"] == claim].set_index("representation").loc[names].reset_index()
        labels = mine["representation"] + "\n(" + mine["labels"] + ")"
        _beside_null(axis, mine, labels, f"{letter}  {claim}")
        axis.set_xlim(left=0)
        axis.set_xlabel("MoAs")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def retrieval_figure(retrieval: pd.DataFrame) -> Figure:
    """Same-MoA retrieval: label-free, in sample, held out and cross-fitted, on true and on permuted labels."""
    scores = list(retrieval["quantity"].unique())
    n_rows = len(retrieval) // len(scores)
    figure, axes = plt.subplots(1, 2, figsize=(11, 1.6 + 0.36 * n_rows), layout="constrained", sharey=True)
    for axis, score, letter in zip(axes, scores, "ab", strict=True):
        mine = retrieval[retrieval["quantity"] == score].reset_index(drop=True)
        _beside_null(axis, mine, mine["representation"] + ", " + mine["scored"], f"{letter}  Same-MoA {score}")
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_locator(NullLocator())
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def stability_figure(stability: pd.DataFrame) -> Figure:
    """Agreement of the communities with the study's own when seeds, drugs or the preference are others."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    look = {"hue": "representation", "palette": "colorblind", "dodge": True, "legend": False, "size": 4, "alpha": 0.8}
    sns.stripplot(stability, x="perturbation", y="adjusted_rand", ax=axes[0], **(look | {"legend": True}))
    sns.stripplot(stability, x="perturbation", y="n_communities", ax=axes[1], **look)
    axes[0].set(xlabel="what was changed", ylabel="adjusted Rand index", ylim=(0, 1.03))
    axes[1].set(xlabel="what was changed", ylabel="communities")
    axes[1].set_ylim(bottom=0)
    for axis, title in zip(
        axes, ("a  Agreement with the study's communities", "b  Number of communities"), strict=True
    ):
        axis.set_title(title, loc="left")
    handles, labels = axes[0].get_legend_handles_labels()
    axes[0].get_legend().remove()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    sns.despine(figure)
    return figure
