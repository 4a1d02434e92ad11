"""One look for all figures."""

import seaborn as sns
from matplotlib.figure import Figure

sns.set_theme(
    context="paper",
    style="ticks",
    palette="colorblind",
    rc={"svg.hashsalt": "moamap", "svg.fonttype": "none", "font.size": 8, "axes.titleweight": "bold"},
)

TITLES = {"raw": "Original data", "pca": "PCA", "itml": "ITML"}


GREY = "#c8c8c8"


MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "*"]


def label_simulated(figure: Figure) -> None:
    """Say on the figure that its data are simulated."""
    figure.text(0.995, 0.995, "simulated data", ha="right", va="top", color="#b00020", style="italic", fontsize=9)


def shorten(text: str, length: int = 34) -> str:
    """A label of at most `length` characters, in which a dollar is a dollar and no formula."""
    label = text if len(text) <= length else text[: length - 1].rstrip() + "…"
    return label.replace("$", r"\$")
