"""The number of communities against the number of drugs, and the paper's."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from moamap.core.grid import GRID
from moamap.report.figures.style import TITLES, TWO_COLUMNS, millimetres

SHOWN = {"similarity": "minus squared distance", "preference": "median", "damping": "0.5"}
VARIANT = {"raw": "", "itml": "L, pairs"}
WORDS = {
    "profile": "each profile",
    "feature": "each feature",
    "profile_then_feature": "each profile, then each feature",
}


def readings_figure(measured: pd.DataFrame, estimated: pd.DataFrame, published: pd.Series) -> Figure:
    """Communities of random subsets and of all drugs, extrapolated to the paper's number of drugs, by representation.

    Shown by normalization axis (raw, ITML), and for PCA by components of normalized profiles; affinity propagation with
    minus squared distances and their median as the preference.

    Parameters
    ----------
    measured, estimated : of all readings (`readings.measure` and `extrapolation.intervals`)
    published : by quantity of resources/published.csv
    """
    figure, axes = plt.subplots(
        1, 3, figsize=millimetres(TWO_COLUMNS, 75), layout="constrained", sharex=True, sharey=True
    )
    target = published["drugs"]
    colours = dict(zip(GRID["axis"], sns.color_palette("colorblind"), strict=False))
    shades = dict(zip(GRID["pca"], sns.color_palette("viridis", len(GRID["pca"])), strict=True))
    for panel, part, letter in zip(axes, ("raw", "pca", "itml"), "abc", strict=True):
        if part == "pca":
            lines = [("profile", components, shades[components], _components(components)) for components in GRID["pca"]]
        else:
            lines = [(axis, VARIANT[part], colours[axis], WORDS[axis]) for axis in GRID["axis"]]
        for place, (axis, variant, colour, label) in enumerate(lines):
            where = SHOWN | {"axis": axis, "part": part, "variant": variant, "quantity": "communities"}
            _line(panel, _rows(measured, where), _rows(estimated, where), target * 1.03**place, colour, label)
        number = published[f"{part} Clustering Number"]
        panel.plot(target, number, "*", mfc="none", mec="black", ms=9, zorder=5, label=f"published: {number:.0f}")
        panel.set_title(f"{letter}  {TITLES[part]}", loc="left")
        panel.set(xscale="log", yscale="log", xlabel="drugs")
        panel.legend(loc="upper left")
    _ticks(axes[0], sorted({*measured["n"], int(target)}))
    axes[0].set_ylabel("communities")
    sns.despine(figure)
    return figure


def _rows(table, where):
    return table[(table[list(where)].fillna("").astype(str) == pd.Series(where)).all(axis=1)]


def _components(components):
    return f"{float(components):.0%} of the variance" if float(components) < 1 else f"{components} components"


def _line(panel, measured, estimated, target, colour, label):
    """Subsets and the whole as dots, their means as a line, and on to the extrapolated number and its interval."""
    panel.plot(measured["n"], measured["value"], ".", color=colour, ms=3, alpha=0.5)
    means = measured.groupby("n")["value"].mean()
    panel.plot(means.index, means, color=colour, label=label)
    row = estimated.iloc[0]
    panel.plot([means.index[-1], target], [means.iloc[-1], row["estimate"]], ":", color=colour)
    panel.vlines(target, max(row["low"], 1), row["high"], color=colour, lw=1.5)
    panel.plot(target, row["estimate"], "o", color=colour, ms=4)


def _ticks(panel, sizes):
    panel.xaxis.set_major_locator(FixedLocator(sizes))
    panel.xaxis.set_major_formatter("{x:.0f}")
    panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_locator(FixedLocator([5, 10, 20, 50, 100, 200, 500]))
    panel.yaxis.set_major_formatter("{x:.0f}")
    panel.yaxis.set_minor_locator(NullLocator())
