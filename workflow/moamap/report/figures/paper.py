"""The paper's figures 1, 3, 4 and S1, from the tables of a run."""

from collections.abc import Iterable
from string import ascii_lowercase
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from adjustText import adjust_text
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, MaxNLocator
from scipy.spatial import ConvexHull

from moamap.report.figures.style import (
    GREY,
    ONE_COLUMN,
    TWO_COLUMNS,
    VECTOR,
    community_colours,
    millimetres,
    moa_colours,
    shorten,
    shorten_middle,
    shrink,
    title_of,
)

ROW = 82  # mm, of a map and its list in figure 4
LINES = 23  # of a column of the list
WIDEST = (58, 21)  # characters of a MoA where the list has one column, and where it has two
STRAGGLER = 1.5  # times the median distance from the middle of a community: farther drugs are outside its outline
PIECE = 2**22  # feature values that are counted at a time
PIXELS = 640  # of a heatmap, each way: about as many as can be seen, and an SVG of less than 1 MB
CLASSES = {"MoAs of five or more": (5, "#6f6f6f"), "MoAs of two to four": (2, "#a3a3a3"), "MoAs of one": (1, "#d6d6d6")}


def figure_1(raw: pd.DataFrame, normalized: pd.DataFrame, moa_sizes: pd.Series) -> Figure:
    """Feature values before (a) and after (b) normalization; MoA sizes as a pie, the ten largest also as bars (c).

    Parameters
    ----------
    raw, normalized : (n_drugs, n_features)
    moa_sizes : MoA -> its number of drugs
    """
    figure = plt.figure(figsize=millimetres(TWO_COLUMNS, 130), layout="constrained")
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[1, 1.15])[:, 0]
    before, after = above.subplots(1, 2)
    _distribution(before, raw.to_numpy(float), "a  Original data")
    _distribution(after, normalized.to_numpy(float), "b  Normalized data")
    pie, bars = below.subplots(1, 2)
    _moa_sizes(pie, bars, moa_sizes.sort_values(ascending=False, kind="stable"))
    sns.despine(figure)
    return figure


def _moa_sizes(pie: Axes, bars: Axes, sizes: pd.Series) -> None:
    """The pie shows the other MoAs by classes of size: one slice for all of them would hide how small most are."""
    top, others = sizes.head(10), sizes.iloc[10:]
    colours = [colour for colour, _ in moa_colours(sizes).values()]
    smallest = pd.Series({name: least for name, (least, _) in CLASSES.items()})
    of_class = others.groupby(others.map(lambda size: smallest.index[size >= smallest][0])).agg(["size", "sum"])
    classes = of_class.reindex(CLASSES).dropna().astype(int)
    greys = [CLASSES[name][1] for name in classes.index]
    pie.pie(
        [*top, *classes["sum"]], colors=colours + greys, startangle=90, counterclock=False, wedgeprops={"ec": "white"}
    )
    names = [f"{number} other {name}: {drugs} drugs" for name, number, drugs in classes.itertuples()]
    marks = [Patch(color=grey) for grey in greys]
    pie.legend(marks, names, loc="upper center", bbox_to_anchor=(0.5, 0.02))
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
    counts = np.sum([np.histogram(piece, bins=160, range=ends)[0] for piece in pieces], axis=0)
    mean = sum(piece.sum() for piece in pieces) / values.size
    variance = sum(np.square(piece - mean).sum() for piece in pieces) / values.size
    within = sum(np.count_nonzero(np.abs(piece) <= 20) for piece in pieces) / values.size
    notes = [f"range {ends[0]:.3g} to {ends[1]:.3g}", f"{within:.1%} within ±20"]
    notes += [f"mean {mean:.2f}, variance {variance:.3g}"]
    colour = sns.color_palette("colorblind")[0]
    axis.hist(edges[:-1], bins=list(edges), weights=counts, log=True, histtype="stepfilled", color=colour)
    axis.text(0.98, 0.95, "\n".join(notes), transform=axis.transAxes, ha="right", va="top")
    axis.set(xlabel="feature value", ylabel="number of values", ylim=(0.6, counts.max() ** 1.3))  # room for the notes
    axis.xaxis.set_major_locator(MaxNLocator(7))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.set_title(title, loc="left")


def figure_3(maps: dict[str, pd.DataFrame], moas: pd.DataFrame) -> Figure:
    """The t-SNE map of each representation, with the drugs of the ten largest MoAs marked.

    Parameters
    ----------
    maps : representation -> frame with x and y, one row per drug
    moas : (n_drugs, n_moas) booleans, as `moamap.core.membership` returns them; a row without any is a drug of which no
        MoA is known
    """
    columns = 2 if len(maps) in (2, 4) else min(len(maps), 3)
    rows, width = -(-len(maps) // columns), ONE_COLUMN if columns == 1 else TWO_COLUMNS
    size = millimetres(width, rows * (width / columns + 6) + (40 if columns == 1 else 20))
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for axis, letter, (name, places) in zip(axes.flat, ascii_lowercase, maps.items(), strict=False):
        _moas_map(axis, places, moas)
        _map_axis(axis, f"{letter}  {title_of(name)}", len(moas))
    for axis in axes.flat[len(maps) :]:
        axis.remove()
    (others, *marked), (other_label, *labels) = axes[0, 0].get_legend_handles_labels()
    look = {"ncols": 1 if columns == 1 else 3, "markerscale": shrink(len(moas)) ** -0.5}
    figure.legend([*marked, others], [*labels, other_label], loc="outside lower center", **look)
    return figure


def _moas_map(axis: Axes, places: pd.DataFrame, moas: pd.DataFrame) -> None:
    smaller = shrink(len(places))
    others = "other MoAs" if moas.any(axis=1).all() else "other MoAs, or none known"
    axis.scatter(places["x"], places["y"], s=3 * smaller, color=GREY, linewidths=0, label=others)
    for label, (colour, marker) in moa_colours(moas.sum()).items():
        mine = places[moas[label].to_numpy()]
        look = {"s": 14 * smaller, "marker": marker, "color": colour, "lw": 0.3 * smaller**0.5, "ec": "white"}
        axis.scatter(mine["x"], mine["y"], label=shorten(label), **look)


def _map_axis(axis: Axes, title: str, n_points: int) -> None:
    if n_points > VECTOR:
        axis.set_axisbelow(False)
        axis.set_rasterization_zorder(2)  # points, neither outlines nor the frame nor text
    axis.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
    axis.set_title(title, loc="left")
    axis.set_box_aspect(1)
    sns.despine(ax=axis)


def figure_4(
    maps: dict[str, pd.DataFrame], communities: dict[str, pd.DataFrame], enriched: dict[str, pd.DataFrame]
) -> Figure:
    """The communities of each representation on its map, each with a colour and an outline of its own; those with an
    enriched MoA are numbered, and named beside the map.

    Parameters
    ----------
    maps : representation -> frame with x and y, one row per drug
    communities : representation -> frame with community, in the same order
    enriched : representation -> its enrichment table
    """
    size = millimetres(TWO_COLUMNS, ROW * len(maps))
    shape: dict[str, Any] = {
        "width_ratios": [ROW - 6, TWO_COLUMNS - ROW + 6],
        "layout": "constrained",
        "squeeze": False,
    }
    figure, axes = plt.subplots(len(maps), 2, figsize=size, **shape)
    numbers = []
    for (left, right), letter, name in zip(axes, ascii_lowercase, maps, strict=False):
        hits = enriched[name][enriched[name]["enriched"]]
        shown = hits[hits["n"] > 1].sort_values(["community", "p_value"])
        number = communities[name]["community"].to_numpy()
        named = set(shown["community"])
        colours = community_colours(number.max(), named)
        numbers.append(_communities_map(left, maps[name][["x", "y"]].to_numpy(), number, colours, named))
        counts = f"{len(np.unique(number))} communities, {hits['moa'].nunique()} enriched MoAs"
        _map_axis(left, f"{letter}  {title_of(name)}: {counts}", len(number))
        _enriched_list(right, shown, len(hits) - len(shown), colours)
    figure.draw_without_rendering()  # the layout, which says where numbers would overlap
    for texts in filter(None, numbers):
        look = {"arrowstyle": "-", "lw": 0.4, "color": "black"}
        adjust_text(texts, ax=texts[0].axes, iter_lim=50, arrowprops=look)
    return figure


def _communities_map(axis: Axes, xy: np.ndarray, number: np.ndarray, colours: np.ndarray, named: set[int]) -> list:
    """Points, and an outline around each community of two or more drugs; gives the numbers of the named ones."""
    pad, texts, smaller = 0.012 * np.ptp(xy, axis=0).max(), [], shrink(len(xy))
    axis.scatter(xy[:, 0], xy[:, 1], s=6 * smaller, color=colours[number - 1], linewidths=0)
    for community in np.flatnonzero(np.bincount(number) > 1):
        around, is_named = outline(xy[number == community], pad), community in named
        look = {"ec": colours[community - 1], "lw": 0.9 if is_named else 0.4, "zorder": 3 if is_named else 2.5}
        axis.fill(*around.T, fc=(*colours[community - 1], 0.18 if is_named else 0), **look)
        if is_named:
            box = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75}
            x, y = around.mean(axis=0)
            texts.append(axis.text(x, y, str(community), ha="center", va="center", weight="bold", bbox=box, zorder=5))
    return texts


def outline(xy: np.ndarray, pad: float) -> np.ndarray:
    """Corners of the convex outline of a community on a map, at a distance `pad` from its outermost drugs.

    Drugs far from the others, which would stretch it over half of the map, are left outside.

    Parameters
    ----------
    xy : (n_drugs, 2)
    """
    from_middle = np.linalg.norm(xy - np.median(xy, axis=0), axis=1)
    near = xy[from_middle <= STRAGGLER * np.median(from_middle)]
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    rings = (near[:, None] + pad * np.column_stack([np.cos(angle), np.sin(angle)])).reshape(-1, 2)
    return rings[ConvexHull(rings).vertices]


def _enriched_list(axis: Axes, shown: pd.DataFrame, n_alone: int, colours: np.ndarray) -> None:
    """The enriched MoAs as text: community number, MoA, its drugs in the community and in all."""
    axis.set(xlim=(0, 1), ylim=(LINES + 2.5, -1))
    axis.axis("off")
    if len(shown):
        axis.text(0, -0.4, "community, enriched MoA, its drugs in the community / in all", style="italic", va="center")
    columns = 1 if len(shown) <= LINES else 2
    for place, hit in enumerate(shown.head(2 * LINES).itertuples()):
        column, line = divmod(place, LINES)
        x, y = column * 0.51, line + 1
        axis.plot(x + 0.01, y, "o", ms=4, color=colours[hit.community - 1], clip_on=False)
        axis.text(x + 0.062, y, str(hit.community), ha="right", va="center", weight="bold")
        axis.text(x + 0.073, y, f"{shorten_middle(hit.moa, WIDEST[columns - 1])} {hit.k}/{hit.K}", va="center")
    notes = [f"{len(shown) - 2 * LINES} more in enrichment.csv"] if len(shown) > 2 * LINES else []
    notes += [f"{n_alone} by communities of a single drug, not named"] if n_alone else []
    axis.text(0, LINES + 1.6, f"and {'; '.join(notes)}" if notes else "", style="italic", va="center")


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
    figure, axis = plt.subplots(figsize=millimetres(TWO_COLUMNS, 155), layout="constrained")
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
