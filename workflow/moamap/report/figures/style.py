"""The style that all figures share."""

import seaborn as sns
from matplotlib.figure import Figure

sns.set_theme(
    context="paper",
    style="ticks",
    palette="colorblind",
    rc={"svg.hashsalt": "moamap", "svg.fonttype": "none", "font.size": 8, "axes.titleweight": "bold"},
)

TITLES = {"raw": "Original data", "pca": "PCA", "itml": "ITML"}  # the paper's; others go by their own name
GREY = "#c8c8c8"
VECTOR = 500  # points of a map, at most, that an SVG holds one by one; more are an image in it
CROWDED = 2000  # points of a map from which on they are drawn smaller
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "*"]


def label_simulated(figure: Figure) -> None:
    """Mark the figure as drawn from simulated data."""
    figure.text(0.995, 0.995, "simulated data", ha="right", va="top", color="#b00020", style="italic", fontsize=9)


def shrink(n_points: int) -> float:
    """How much smaller the area of a point is drawn, so that a fuller map is not covered more."""
    return min(1.0, CROWDED / n_points)


def shorten(text: str, length: int = 34) -> str:
    """A label of at most `length` characters, with dollar signs escaped so that matplotlib sets no formula."""
    label = text if len(text) <= length else text[: length - 1].rstrip() + "…"
    return label.replace("$", r"\$")


def title_of(representation: str) -> str:
    """The title of a representation in the figures."""
    return TITLES.get(representation, representation)
