"""The style that all figures share: their widths, fonts, and the colours of MoAs and communities."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

SIZE = 7  # of all text, in points, but of titles
sns.set_theme(
    context="paper",
    style="ticks",
    palette="colorblind",
    rc={
        **dict.fromkeys(("font.size", "axes.labelsize", "legend.fontsize", "xtick.labelsize", "ytick.labelsize"), SIZE),
        **{"axes.titlesize": SIZE + 1, "axes.titleweight": "bold", "legend.title_fontsize": SIZE},
        # matplotlib brings this font along: a figure has the same layout on every machine
        **{"font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"]},
        **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.6),
        **dict.fromkeys(("xtick.major.size", "ytick.major.size"), 3),
        **{"svg.hashsalt": "moamap", "svg.fonttype": "none", "legend.frameon": False},
    },
)

ONE_COLUMN, TWO_COLUMNS = 85, 180  # mm
TITLES = {"raw": "Original data", "pca": "PCA", "itml": "ITML"}  # the paper's; others go by their own name
GREY = "#c8c8c8"
VECTOR = 500  # points of a map, at most, that an SVG holds one by one; more are an image in it
CROWDED = 2000  # points of a map from which on they are drawn smaller
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "*"]
# "safe" of CARTO, https://carto.com/carto-colors: the colour-blind can tell them apart, and none is grey
MOA_COLOURS = ["#88CCEE", "#CC6677", "#117733", "#DDCC77", "#332288", "#AA4499", "#44AA99", "#999933", "#882255"]
MOA_COLOURS += ["#6699CC"]
GOLDEN = (5**0.5 - 1) / 2
LIGHTNESS, PALE = (0.45, 0.6, 0.72), 0.75  # of the colours of named communities, in turn, and of the others


def millimetres(width: float, height: float) -> tuple[float, float]:
    """The size of a figure in mm, in inches as matplotlib takes it."""
    return width / 25.4, height / 25.4


def moa_colours(sizes: pd.Series) -> dict[str, tuple[str, str]]:
    """Colour and marker of the ten largest MoAs, the same in every figure of a study.

    Parameters
    ----------
    sizes : MoA -> its number of drugs; of equal ones the first
    """
    largest = sizes.sort_values(ascending=False, kind="stable").index[: len(MOA_COLOURS)]
    return dict(zip(largest, zip(MOA_COLOURS, MARKERS, strict=True), strict=False))


def community_colours(n: int, named: Iterable[int]) -> np.ndarray:
    """A colour of its own for each community 1 ... n, as (n, 3): strong for the named ones, whose hues are as far apart
    as can be, pale for the others.
    """
    first = sorted(set(named))
    colours = np.empty((n, 3))
    for place, community in enumerate([*first, *(number for number in range(1, n + 1) if number not in first)]):
        strong = place < len(first)
        light = LIGHTNESS[place % len(LIGHTNESS)] if strong else PALE
        hue = 0.02 + place * GOLDEN
        colours[community - 1] = sns.husl_palette(1, h=hue % 1, s=0.95 if strong else 0.55, l=light)[0]
    return colours


def label_simulated(figure: Figure) -> None:
    """Mark the figure as drawn from simulated data."""
    figure.text(0.995, 0.002, "simulated data", ha="right", va="bottom", color="#b00020", style="italic")


def shrink(n_points: int) -> float:
    """How much smaller the area of a point is drawn, so that a fuller map is not covered more."""
    return min(1.0, CROWDED / n_points)


def shorten(text: str, length: int = 34) -> str:
    """A label of at most `length` characters, with dollar signs escaped so that matplotlib sets no formula."""
    label = text if len(text) <= length else text[: length - 1].rstrip() + "…"
    return label.replace("$", r"\$")


def shorten_middle(text: str, length: int) -> str:
    """A label of at most `length` characters that keeps both ends: agonists and antagonists differ at theirs."""
    half = (length - 1) // 2
    return shorten(text if len(text) <= length else f"{text[:half].rstrip()}…{text[-half:].lstrip()}", length)


def title_of(representation: str) -> str:
    """The title of a representation in the figures."""
    return TITLES.get(representation, representation)
