"""The paper's figures, from the tables of a run. Each function returns a matplotlib figure."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator
from scipy.spatial.distance import squareform

from moamap.report.figures.style import GREY, MARKERS, TITLES, shorten

LISTED = 36  # enriched MoAs that are named under a map


def figure_1(raw: pd.DataFrame, normalized: pd.DataFrame, moa_sizes: pd.Series) -> Figure:
    """Distributions before (a) and after (b) normalization; MoAs as a pie, and the ten largest as bars (c)."""
    figure = plt.figure(figsize=(9, 6.8), layout="constrained")
    above, below = figure.subfigures(2, 1)
    before, after = above.subplots(1, 2)
    _distribution(before, raw.to_numpy(float).ravel(), "a  Original data")
    _distribution(after, normalized.to_numpy(float).ravel(), "b  Normalized data")
    _moa_sizes(*below.subplots(1, 2), moa_sizes.sort_values(ascending=False, kind="stable"))
    sns.despine(figure)
    return figure


def _moa_sizes(pie, bars, sizes):
    top, others = sizes.head(10), sizes.iloc[10:]
    colours = sns.color_palette("colorblind", 10)[: len(top)]
    pie.pie(
        [*top, others.sum()], colors=[*colours, GREY], startangle=90, counterclock=False, wedgeprops={"ec": "white"}
    )
    if len(others):
        pie.text(-0.5, 0, f"{len(others)} other MoAs\n{others.sum()} drugs", ha="center", va="center")
    pie.set_title(f"c  {len(sizes)} MoAs, {(sizes >= 5).sum()} with five or more drugs", loc="left")
    bars.barh([shorten(name) for name in top.index], top, color=colours)
    bars.invert_yaxis()
    bars.bar_label(bars.containers[0], padding=2)
    bars.set(xlabel="drugs")
    bars.set_title("The ten largest MoAs", loc="left")


def _distribution(axis, values, title):
    axis.hist(values, bins=160, log=True, histtype="stepfilled", color=sns.color_palette("colorblind")[0])
    within = (np.abs(values) <= 20).mean()
    notes = [f"range {values.min():.3g} to {values.max():.3g}", f"{within:.1%} within ±20"]
    notes += [f"mean {values.mean():.2f}, variance {values.var():.3g}"]
    axis.text(0.98, 0.95, "\n".join(notes), transform=axis.transAxes, ha="right", va="top")
    axis.set(xlabel="feature value", ylabel="number of values")
    axis.xaxis.set_major_locator(MaxNLocator(7))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.set_title(title, loc="left")


def figure_3(maps: dict[str, pd.DataFrame], moa: pd.Series) -> Figure:
    """t-SNE of the drugs of the ten largest MoAs, before and after ITML.

    Parameters
    ----------
    maps : representation -> frame with x and y, one row a drug
    moa : MoA of each drug, in the same order
    """
    largest = moa.value_counts().head(10).index
    figure, axes = plt.subplots(1, len(maps), figsize=(9.5, 5.6), layout="constrained")
    for axis, letter, (name, places) in zip(axes, "abcdef", maps.items(), strict=False):
        axis.scatter(places["x"], places["y"], s=4, color=GREY, linewidths=0, label="other MoAs")
        for label, marker, colour in zip(largest, MARKERS, sns.color_palette("colorblind", 10), strict=False):
            mine = places[moa.to_numpy() == label]
            axis.scatter(
                mine["x"], mine["y"], s=26, marker=marker, color=colour, lw=0.4, ec="white", label=shorten(label, 44)
            )
        _map_axis(axis, f"{letter}  {TITLES.get(name, name)}")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles[1:] + handles[:1], labels[1:] + labels[:1], loc="outside lower center", ncols=3, frameon=False
    )
    return figure


def _map_axis(axis, title):
    axis.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
    axis.set_title(title, loc="left")
    axis.set_box_aspect(1)
    sns.despine(ax=axis)


def figure_4(
    maps: dict[str, pd.DataFrame], communities: dict[str, pd.DataFrame], enriched: dict[str, pd.DataFrame]
) -> Figure:
    """The communities of each representation on its map; those with an enriched MoA are coloured and numbered."""
    hits = {name: table[table["enriched"]] for name, table in enriched.items()}
    lines = 3 + min(LISTED, max(len(table[table["n"] > 1]) for table in hits.values()))
    heights = [5.2, 0.16 * lines]
    figure, axes = plt.subplots(2, len(maps), figsize=(15, sum(heights)), layout="constrained", height_ratios=heights)
    for (above, below), letter, name in zip(axes.T, "abcdef", maps, strict=False):
        shown = hits[name][hits[name]["n"] > 1]
        order = shown["community"].drop_duplicates().sort_values()
        # ten colours that the colour-blind can tell apart, then the same with the next marker
        looks = itertools.product(MARKERS, sns.color_palette("colorblind", 10))
        look = dict(zip(order, looks, strict=False))
        counts = f"{communities[name]['community'].nunique()} communities, {hits[name]['moa'].nunique()} enriched MoAs"
        _communities_map(above, maps[name], communities[name], look)
        above.set_title(f"{letter}  {TITLES.get(name, name)}: {counts}", loc="left")
        _enriched_list(below, hits[name], shown)
    return figure


def _communities_map(axis, places, table, look):
    xy = places[["x", "y"]].to_numpy()
    number, is_exemplar = table["community"].to_numpy(), table["is_exemplar"].to_numpy(bool)
    named = np.isin(number, list(look))
    axis.scatter(*xy[~named].T, s=7, color=GREY, linewidths=0)
    for community, (marker, colour) in look.items():
        mine = xy[number == community]
        centre = xy[(number == community) & is_exemplar][0]
        spokes = np.stack([mine, np.broadcast_to(centre, mine.shape)])
        axis.plot(*spokes.transpose(2, 0, 1), color=colour, lw=0.4, alpha=0.3)
        axis.scatter(*mine.T, s=14, marker=marker, color=colour, linewidths=0)
        box = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75}
        beside = {"xytext": (0, 7), "textcoords": "offset points", "ha": "center", "va": "center"}
        axis.annotate(str(community), centre, fontsize=8, bbox=box, zorder=5, **beside)
    _map_axis(axis, "")


def _enriched_list(axis, hits, shown):
    """The enriched MoAs as text: community number, MoA, drugs in it of all its drugs."""
    lines = [
        f"{hit.community:>3}  {shorten(hit.moa, 46)}  {hit.k}/{hit.K}"
        for hit in shown.sort_values("community").itertuples()
    ]
    more = [f"... and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    alone = len(hits) - len(shown)
    note = [f"(and {alone} by single-drug communities, not drawn)"] if alone else []
    header = ["community, enriched MoA, its drugs inside / in all"]
    axis.text(0, 1, "\n".join(header + lines[:LISTED] + more + note), va="top", fontsize=8, linespacing=1.25)
    axis.axis("off")


def figure_s1(distance: np.ndarray, numbers: np.ndarray) -> Figure:
    """Heatmap of the ITML distances, drugs ordered by community.

    Parameters
    ----------
    distance : (n (n - 1) / 2,) condensed
    numbers : (n,) community of each drug
    """
    order = np.argsort(numbers, kind="stable")
    square = squareform(distance)[np.ix_(order, order)]
    figure, axis = plt.subplots(figsize=(8, 7), layout="constrained")
    steps = np.unique(np.quantile(distance, np.linspace(0, 1, 65)))
    image = axis.imshow(square, cmap="viridis_r", norm=BoundaryNorm(steps, 256), interpolation="none")
    sizes = np.bincount(numbers)[1:]
    edges = np.cumsum(sizes) - 0.5
    large = np.flatnonzero(sizes >= max(2, 0.025 * len(numbers)))
    for edge in edges[large]:
        axis.axhline(edge, color="white", lw=0.4)
        axis.axvline(edge, color="white", lw=0.4)
    middle = (edges - sizes / 2)[large]
    axis.set_xticks(middle, large + 1)
    axis.set_yticks(middle, large + 1)
    axis.set(xlabel="ITML community (the large ones numbered)", ylabel="ITML community")
    bar = figure.colorbar(image, ax=axis, shrink=0.8, format="%.3g", ticks=np.quantile(distance, np.linspace(0, 1, 11)))
    bar.minorticks_off()
    bar.set_label("Euclidean distance after ITML (a tick at every tenth percentile)")
    axis.set_title(f"DIP connections: {len(distance):,} pairs of {len(numbers):,} drugs", loc="left")
    return figure
