"""The paper's figures 1, 3, 4 and S1, from the tables of a run."""

import itertools
from collections.abc import Iterable
from string import ascii_lowercase

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from moamap.report.figures.style import GREY, MARKERS, VECTOR, shorten, shrink, title_of

LISTED = 36  # enriched MoAs that are named under a map
PIECE = 2**22  # feature values that are counted at a time
PIXELS = 640  # of a heatmap, each way: about as many as can be seen, and an SVG of 1 MB

Look = tuple[str, tuple[float, float, float]]  # marker and colour of a community


def figure_1(raw: pd.DataFrame, normalized: pd.DataFrame, moa_sizes: pd.Series) -> Figure:
    """Feature values before (a) and after (b) normalization; MoA sizes as a pie, the ten largest also as bars (c).

    Parameters
    ----------
    raw, normalized : (n_drugs, n_features)
    moa_sizes : MoA -> its number of drugs
    """
    figure = plt.figure(figsize=(9, 6.8), layout="constrained")
    above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    before, after = above.subplots(1, 2)
    _distribution(before, raw.to_numpy(float), "a  Original data")
    _distribution(after, normalized.to_numpy(float), "b  Normalized data")
    pie, bars = below.subplots(1, 2)
    _moa_sizes(pie, bars, moa_sizes.sort_values(ascending=False, kind="stable"))
    sns.despine(figure)
    return figure


def _moa_sizes(pie: Axes, bars: Axes, sizes: pd.Series) -> None:
    top, others = sizes.head(10), sizes.iloc[10:]
    colours = sns.color_palette("colorblind", 10)[: len(top)]
    pie.pie(
        [*top, others.sum()], colors=[*colours, GREY], startangle=90, counterclock=False, wedgeprops={"ec": "white"}
    )
    if len(others):
        pie.text(-0.5, 0, f"{len(others)} other MoAs\n{others.sum()} drugs", ha="center", va="center")
    pie.set_title(f"c  {len(sizes)} MoAs, {(sizes >= 5).sum()} with five or more drugs", loc="left")
    drawn = bars.barh([shorten(name) for name in top.index], top, color=colours)
    bars.invert_yaxis()
    bars.bar_label(drawn, padding=2)
    bars.set(xlabel="drugs")
    bars.set_title("The ten largest MoAs", loc="left")


def _distribution(axis: Axes, values: np.ndarray, title: str) -> None:
    """Histogram and moments, some features at a time, as all together may be more than fits twice into memory."""
    pieces = np.array_split(values, -(-values.size // PIECE), axis=1)
    ends = values.min(), values.max()
    edges = np.histogram_bin_edges([], bins=160, range=ends)
    counts = sum(np.histogram(piece, bins=160, range=ends)[0] for piece in pieces)
    mean = sum(piece.sum() for piece in pieces) / values.size
    variance = sum(np.square(piece - mean).sum() for piece in pieces) / values.size
    within = sum(np.count_nonzero(np.abs(piece) <= 20) for piece in pieces) / values.size
    notes = [f"range {ends[0]:.3g} to {ends[1]:.3g}", f"{within:.1%} within ±20"]
    notes += [f"mean {mean:.2f}, variance {variance:.3g}"]
    colour = sns.color_palette("colorblind")[0]
    axis.hist(edges[:-1], bins=list(edges), weights=counts, log=True, histtype="stepfilled", color=colour)
    axis.text(0.98, 0.95, "\n".join(notes), transform=axis.transAxes, ha="right", va="top")
    axis.set(xlabel="feature value", ylabel="number of values")
    axis.xaxis.set_major_locator(MaxNLocator(7))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.set_title(title, loc="left")


def figure_3(maps: dict[str, pd.DataFrame], moa: pd.Series) -> Figure:
    """The t-SNE map of each representation, with the drugs of the ten largest MoAs marked.

    Parameters
    ----------
    maps : representation -> frame with x and y, one row per drug
    moa : MoA of each drug, in the same order; missing where none is known
    """
    width = 4.75 * len(maps)
    figure, axes = plt.subplots(1, len(maps), figsize=(width, 5.6), layout="constrained", squeeze=False)
    for axis, letter, (name, places) in zip(axes[0], ascii_lowercase, maps.items(), strict=False):
        _moas_map(axis, places, moa.to_numpy(), moa.value_counts().head(10).index)
        _map_axis(axis, f"{letter}  {title_of(name)}", len(moa))
    (others, *marked), (other_label, *labels) = axes[0, 0].get_legend_handles_labels()
    look = {"ncols": 3, "frameon": False, "markerscale": shrink(len(moa)) ** -0.5}
    figure.legend([*marked, others], [*labels, other_label], loc="outside lower center", **look)
    return figure


def _moas_map(axis: Axes, places: pd.DataFrame, moa: np.ndarray, largest: pd.Index) -> None:
    smaller = shrink(len(places))
    others = "other MoAs, or none known" if pd.isna(moa).any() else "other MoAs"
    axis.scatter(places["x"], places["y"], s=4 * smaller, color=GREY, linewidths=0, label=others)
    for label, marker, colour in zip(largest, MARKERS, sns.color_palette("colorblind", 10), strict=False):
        mine = places[moa == label]
        look = {"s": 26 * smaller, "marker": marker, "color": colour, "lw": 0.4 * smaller**0.5, "ec": "white"}
        axis.scatter(mine["x"], mine["y"], label=shorten(label, 44), **look)


def _map_axis(axis: Axes, title: str, n_points: int) -> None:
    if n_points > VECTOR:
        axis.set_axisbelow(False)
        axis.set_rasterization_zorder(2)  # points and lines, neither the frame nor text
    axis.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
    axis.set_title(title, loc="left")
    axis.set_box_aspect(1)
    sns.despine(ax=axis)


def figure_4(
    maps: dict[str, pd.DataFrame], communities: dict[str, pd.DataFrame], enriched: dict[str, pd.DataFrame]
) -> Figure:
    """The communities of each representation on its map; those with an enriched MoA are coloured and numbered.

    Parameters
    ----------
    maps : representation -> frame with x and y, one row per drug
    communities : representation -> frame with community and is_exemplar, in the same order
    enriched : representation -> its enrichment table
    """
    hits = {name: table[table["enriched"]] for name, table in enriched.items()}
    lines = 3 + min(LISTED, max(len(table[table["n"] > 1]) for table in hits.values()))
    heights, size = [5.2, 0.16 * lines], (5 * len(maps), 5.2 + 0.16 * lines)
    figure, axes = plt.subplots(2, len(maps), figsize=size, height_ratios=heights, layout="constrained", squeeze=False)
    for (above, below), letter, name in zip(axes.T, ascii_lowercase, maps, strict=False):
        shown = hits[name][hits[name]["n"] > 1]
        counts = f"{communities[name]['community'].nunique()} communities, {hits[name]['moa'].nunique()} enriched MoAs"
        _communities_map(above, maps[name], communities[name], _looks(shown["community"]))
        above.set_title(f"{letter}  {title_of(name)}: {counts}", loc="left")
        _enriched_list(below, hits[name], shown)
    return figure


def _looks(communities: pd.Series) -> dict[int, Look]:
    """Ten colours that the colour-blind can tell apart with one marker, then the same ten with the next."""
    looks = itertools.product(MARKERS, sns.color_palette("colorblind", 10))
    return dict(zip(communities.drop_duplicates().sort_values(), looks, strict=False))


def _communities_map(axis: Axes, places: pd.DataFrame, table: pd.DataFrame, look: dict[int, Look]) -> None:
    xy = places[["x", "y"]].to_numpy()
    number, is_exemplar = table["community"].to_numpy(), table["is_exemplar"].to_numpy(bool)
    named = np.isin(number, list(look))
    smaller = shrink(len(xy))
    axis.scatter(xy[~named, 0], xy[~named, 1], s=7 * smaller, color=GREY, linewidths=0)
    for community, (marker, colour) in look.items():
        mine = xy[number == community]
        centre = xy[(number == community) & is_exemplar][0]
        spokes = np.stack([mine, np.broadcast_to(centre, mine.shape), np.full_like(mine, np.nan)], axis=1)
        axis.plot(*spokes.reshape(-1, 2).T, color=colour, lw=0.4 * smaller**0.5, alpha=0.3)
        axis.scatter(mine[:, 0], mine[:, 1], s=14 * smaller, marker=marker, color=colour, linewidths=0)
        _number(axis, community, centre)
    _map_axis(axis, "", len(xy))


def _number(axis: Axes, community: int, centre: np.ndarray) -> None:
    """A community's number above its exemplar."""
    box = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75}
    axis.annotate(
        str(community),
        (centre[0], centre[1]),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=8,
        bbox=box,
        zorder=5,
    )


def _enriched_list(axis: Axes, hits: pd.DataFrame, shown: pd.DataFrame) -> None:
    """The enriched MoAs as text: community number, MoA, its drugs in the community and in all."""
    lines = [
        f"{hit.community:>3}  {shorten(hit.moa, 46)}  {hit.k}/{hit.K}"
        for hit in shown.sort_values("community").itertuples()
    ]
    more = [f"... and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    alone = len(hits) - len(shown)
    note = [f"(and {alone} by single-drug communities, not drawn)"] if alone else []
    header = ["community, enriched MoA, its drugs in the community / in all"]
    axis.text(0, 1, "\n".join(header + lines[:LISTED] + more + note), va="top", fontsize=8, linespacing=1.25)
    axis.axis("off")


def evenly(numbers: np.ndarray) -> np.ndarray:
    """Drugs, in the order of their communities, that stand for all in a heatmap: at most `PIXELS`, evenly spaced.

    Parameters
    ----------
    numbers : (n,) community of each drug
    """
    return np.argsort(numbers, kind="stable")[:: -(-len(numbers) // PIXELS)]


def heatmap(pairs: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]], numbers: np.ndarray) -> np.ndarray:
    """Distances of all drugs in the order of their communities, as at most `PIXELS` x `PIXELS` means.

    A pixel is the mean over so many drugs side by side, with as many; of each with itself it is 0. Up to `PIXELS` drugs
    it is the distance of two.

    Parameters
    ----------
    pairs : all pairs, some at a time: rows of the first and of the second drug, their distance
    numbers : (n,) community of each drug
    """
    n = len(numbers)
    pixel = np.empty(n, int)
    pixel[np.argsort(numbers, kind="stable")] = np.arange(n) // -(-n // PIXELS)
    drugs = np.bincount(pixel)
    size, sums = len(drugs), np.zeros(len(drugs) ** 2)
    for first, second, distance in pairs:
        sums += np.bincount(pixel[first] * size + pixel[second], distance, size**2)
    square = sums.reshape(size, size)
    return (square + square.T) / np.outer(drugs, drugs)


def figure_s1(image: np.ndarray, numbers: np.ndarray, *, representation: str, n_drugs: int) -> Figure:
    """Heatmap of the distances of a representation, drugs ordered by community.

    Parameters
    ----------
    image : (n_pixels, n_pixels), from `heatmap`
    numbers : (n,) community of each drug that it shows
    representation : the representation's name, for the labels
    n_drugs : of the study, of which only some may be shown (`evenly`)
    """
    title, n = title_of(representation), len(numbers)
    figure, axis = plt.subplots(figsize=(8, 7), layout="constrained")
    distance = image[np.triu_indices(len(image), k=1)]
    norm = BoundaryNorm(np.unique(np.quantile(distance, np.linspace(0, 1, 65))), 256)
    width = -(-n // len(image))
    end = width * len(image) - 0.5  # of the last pixel, which may be wider than the drugs that are left for it
    drawn = axis.imshow(image, cmap="viridis_r", norm=norm, interpolation="none", extent=(-0.5, end, end, -0.5))
    axis.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))
    _mark_large_communities(axis, np.bincount(numbers)[1:], f"{title} community")
    bar = figure.colorbar(drawn, ax=axis, shrink=0.8, format="%.3g", ticks=np.quantile(distance, np.linspace(0, 1, 11)))
    bar.minorticks_off()
    means = f"means of {width} x {width} drugs; " if width > 1 else ""
    bar.set_label(f"Distance, {title} ({means}ticks at every tenth percentile)")
    shown = f", of which {n:,} are shown" if n < n_drugs else ""
    axis.set_title(f"DIP connections: {n_drugs * (n_drugs - 1) // 2:,} pairs of {n_drugs:,} drugs{shown}", loc="left")
    return figure


def _mark_large_communities(axis: Axes, sizes: np.ndarray, label: str) -> None:
    """Lines after, and numbers at, the communities that hold at least 2.5% of the drugs."""
    edges = np.cumsum(sizes) - 0.5
    large = np.flatnonzero(sizes >= max(2, 0.025 * sizes.sum()))
    for edge in edges[large]:
        axis.axhline(edge, color="white", lw=0.4)
        axis.axvline(edge, color="white", lw=0.4)
    middle = (edges - sizes / 2)[large]
    axis.set_xticks(middle, large + 1)
    axis.set_yticks(middle, large + 1)
    axis.set(xlabel=f"{label} (the large ones numbered)", ylabel=label)
