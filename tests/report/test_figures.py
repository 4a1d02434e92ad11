from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform

from moamap.report.figures import paper as figures
from moamap.report.figures import style
from moamap.report.figures.workflow import figure_2

NEEDS = {"fetch": [], "connect": ["fetch"], "community_features": ["connect", "fetch"], "unused": []}
STAGES = {"fetch": "sources", "connect": "connections", "community_features": "communities", "unused": "sources"}
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def image_of(figure, kind="svg"):
    """The bytes of the saved figure."""
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, dpi=144, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def flat_map(n):
    return pd.DataFrame(RNG.normal(size=(n, 2)), columns=["x", "y"])


def texts(axis):
    return [text.get_text() for text in axis.texts]


def community_tables():
    communities = pd.DataFrame(
        {"community": [1] * 6 + [2] * 3 + [3], "is_exemplar": [False] * 5 + [True] * 2 + [False] * 2 + [True]}
    )
    rows = [(1, "kinase inhibitor", 4, 5, 6, True), (2, "kinase inhibitor", 1, 5, 3, False)]
    rows += [(2, "statin", 3, 5, 3, True), (3, "statin", 1, 5, 1, True)]
    return communities, pd.DataFrame(rows, columns=["community", "moa", "k", "K", "n", "enriched"])


@pytest.mark.parametrize("n_moas", [3, 10, 25])
def test_figure_1(n_moas):
    raw = pd.DataFrame(RNG.normal(3, 30, size=(50, 4)))
    sizes = pd.Series(np.arange(1, n_moas + 1), index=[f"MoA {i}" for i in range(1, n_moas + 1)])
    figure = figures.figure_1(raw, (raw - raw.mean()) / raw.std(ddof=0), sizes)
    image_of(figure, "png")
    before, after, pie, bars = figure.axes
    values = raw.to_numpy()
    within = f"{(abs(values) <= 20).mean():.1%} within ±20"
    expected = [f"range {values.min():.3g} to {values.max():.3g}", within]
    assert texts(before)[0].split("\n")[:2] == expected
    assert texts(after)[0].split("\n")[2] in ("mean 0.00, variance 1", "mean -0.00, variance 1")
    shown = min(n_moas, 10)
    assert [tick.get_text() for tick in bars.get_yticklabels()] == [f"MoA {n_moas - i}" for i in range(shown)]
    assert [patch.get_width() for patch in bars.patches] == [n_moas - i for i in range(shown)]
    others = n_moas - shown
    said = f"{others} other MoAs\n{others * (others + 1) // 2} drugs"
    assert (said in texts(pie)) == (others > 0)
    assert pie.get_title(loc="left") == f"c  {n_moas} MoAs, {max(n_moas - 4, 0)} with five or more drugs"


def test_figure_2_draws_the_rules_and_the_shortest_set_of_arrows():
    figure = figure_2(NEEDS, STAGES)
    image_of(figure)
    (axis,) = figure.axes
    said = [text.get_text() for text in axis.texts if text.get_text()]
    assert sorted(said) == ["communities", "community features", "connect", "connections", "fetch", "sources"]
    assert len(axis.texts) - len(said) == 2  # fetch -> connect -> community features; the direct arrow follows


def test_figure_2_has_a_column_for_each_stage_and_rules_below_those_they_need():
    needs = {"b": ["a"], "a": [], "c": ["a", "b"], "mine": ["c"]}
    figure = figure_2(needs, {"a": "profiles", "b": "profiles", "c": "report", "mine": "theirs"})
    place = {text.get_text(): text.get_position() for text in figure.axes[0].texts if text.get_text()}
    assert place["a"] == (0, 0) and place["b"] == (0, -1) and place["c"] == (1, 0) and place["mine"] == (2, 0)
    assert place["profiles"][0] == 0 and place["report"][0] == 1 and place["theirs"][0] == 2


def test_figure_3_marks_the_ten_largest_moas():
    sizes = [*range(3, 13), 2, 1]
    moa = pd.Series(np.repeat([f"MoA {size}" for size in sizes], sizes))
    figure = figures.figure_3({"raw": flat_map(len(moa)), "itml": flat_map(len(moa))}, moa)
    image_of(figure)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["a  Original data", "b  ITML"]
    for axis in figure.axes:
        assert [len(points.get_offsets()) for points in axis.collections] == [len(moa), *range(12, 2, -1)]
    (legend,) = figure.legends
    named = [f"MoA {size}" for size in range(12, 2, -1)]
    assert [text.get_text() for text in legend.get_texts()] == [*named, "other MoAs"]


def test_figure_4_numbers_the_enriched_communities():
    communities, enriched = community_tables()
    names = ("raw", "itml", "pca")
    maps = {name: flat_map(len(communities)) for name in names}
    figure = figures.figure_4(maps, dict.fromkeys(names, communities), dict.fromkeys(names, enriched))
    image_of(figure)
    assert len(figure.axes) == 6
    above, below = figure.axes[:3], figure.axes[3:]
    titles = [axis.get_title(loc="left") for axis in above]
    assert titles == [
        f"{letter}  {style.TITLES[name]}: 3 communities, 2 enriched MoAs"
        for letter, name in zip("abc", names, strict=True)
    ]
    for axis, name in zip(above, names, strict=True):
        assert texts(axis) == ["1", "2"]
        places = [text.xy for text in axis.texts]
        np.testing.assert_allclose(places, maps[name].iloc[[5, 6]])
        assert [len(points.get_offsets()) for points in axis.collections] == [1, 6, 3]
    lines = texts(below[0])[0].split("\n")[1:]
    assert [line.split() for line in lines[:2]] == [["1", "kinase", "inhibitor", "4/5"], ["2", "statin", "3/5"]]
    assert lines[2:] == ["(and 1 by single-drug communities, not drawn)"]


def test_figure_4_tells_more_communities_apart_than_there_are_colours():
    communities = pd.DataFrame({"community": np.repeat(np.arange(1, 26), 2), "is_exemplar": [True, False] * 25})
    rows = [(c, "statin", 2, 5, 2, True) for c in range(1, 26)]
    enriched = pd.DataFrame(rows, columns=["community", "moa", "k", "K", "n", "enriched"])
    places = flat_map(50)
    tables = dict.fromkeys(("raw", "itml"), communities), dict.fromkeys(("raw", "itml"), enriched)
    drawn = figures.figure_4({"raw": places, "itml": places}, *tables).axes[0].collections[1:]
    looks = {(points.get_facecolor().tobytes(), points.get_paths()[0].vertices.tobytes()) for points in drawn}
    assert len(drawn) == len(looks) == 25


@pytest.mark.parametrize("n_maps", [1, 4])
def test_any_number_of_representations_can_be_compared(n_maps):
    communities, enriched = community_tables()
    names = ["raw", "itml", "rca", "lda"][:n_maps]
    maps = {name: flat_map(len(communities)) for name in names}
    moas = figures.figure_3(maps, pd.Series(list("aabbbccccd")))
    found = figures.figure_4(maps, dict.fromkeys(names, communities), dict.fromkeys(names, enriched))
    titles = ["a  Original data", "b  ITML", "c  rca", "d  lda"][:n_maps]
    assert [axis.get_title(loc="left") for axis in moas.axes] == titles
    assert [axis.get_title(loc="left").split(":")[0] for axis in found.axes[:n_maps]] == titles
    assert (found.get_figwidth(), moas.get_figwidth()) == (5 * n_maps, 4.75 * n_maps)


def test_figure_4_without_any_enrichment():
    communities, enriched = community_tables()
    tables = {"raw": communities, "itml": communities}, {"raw": enriched, "itml": enriched.assign(enriched=False)}
    figure = figures.figure_4({"raw": flat_map(10), "itml": flat_map(10)}, *tables)
    image_of(figure)
    assert figure.axes[1].get_title(loc="left") == "b  ITML: 3 communities, 0 enriched MoAs"
    assert texts(figure.axes[1]) == [] and len(texts(figure.axes[3])[0].split("\n")) == 1


def test_a_long_list_of_enriched_moas_is_cut():
    communities, enriched = community_tables()
    many = pd.concat([enriched[:1]] * (figures.LISTED + 4))
    tables = dict.fromkeys(("raw", "itml"), communities), dict.fromkeys(("raw", "itml"), many)
    figure = figures.figure_4({"raw": flat_map(10), "itml": flat_map(10)}, *tables)
    lines = texts(figure.axes[2])[0].split("\n")
    assert len(lines) == 1 + figures.LISTED + 1 and lines[-1] == "... and 4 more"


def all_pairs(x, at_a_time=7):
    """Pairs of drugs as they are read from a file."""
    pairs = [*np.triu_indices(len(x), k=1), pdist(x)]
    for start in range(0, len(pairs[0]), at_a_time):
        yield tuple(column[start : start + at_a_time] for column in pairs)


def test_figure_s1_orders_the_drugs_by_community():
    numbers = np.array([2, 1, 3, 1, 2, 1])
    x = np.arange(6.0)[:, None] ** 2
    image = figures.heatmap(all_pairs(x), numbers)
    figure = figures.figure_s1(image, numbers, representation="itml", n_drugs=6)
    image_of(figure, "png")
    axis, bar = figure.axes
    order = [1, 3, 5, 0, 4, 2]
    np.testing.assert_array_equal(axis.images[0].get_array(), np.abs(x[order] - x[order].T))
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["1", "2"]
    assert axis.get_xticks().tolist() == [1.0, 3.5]
    assert [line.get_ydata()[0] for line in axis.lines[::2]] == [2.5, 4.5]
    assert axis.get_title(loc="left") == "DIP connections: 15 pairs of 6 drugs"
    assert bar.get_ylabel() == "Distance, ITML (ticks at every tenth percentile)"
    assert axis.get_xlabel().startswith("ITML community")


def test_a_heatmap_of_many_drugs_shows_means(monkeypatch):
    """Against the whole matrix cut into squares; the last are narrower."""
    monkeypatch.setattr(figures, "PIXELS", 4)
    numbers, x = np.arange(11) % 3 + 1, RNG.normal(size=(11, 2))
    order = np.argsort(numbers, kind="stable")
    square = squareform(pdist(x[order]))
    cuts = [slice(start, start + 3) for start in range(0, 11, 3)]
    image = figures.heatmap(all_pairs(x), numbers)
    np.testing.assert_allclose(image, [[square[rows, columns].mean() for columns in cuts] for rows in cuts])
    axis, bar = figures.figure_s1(image, numbers, representation="itml", n_drugs=11).axes
    assert axis.images[0].get_extent() == [-0.5, 11.5, 11.5, -0.5] and axis.get_xlim() == (-0.5, 10.5)
    assert [line.get_ydata()[0] for line in axis.lines[::2]] == [3.5, 7.5, 10.5]
    assert bar.get_ylabel().startswith("Distance, ITML (means of 3 x 3 drugs; ")


def test_a_heatmap_of_some_of_the_drugs_says_so(monkeypatch):
    monkeypatch.setattr(figures, "PIXELS", 4)
    numbers = np.array([2, 1, 2, 1, 1, 2, 3, 1])
    shown = figures.evenly(numbers)
    assert shown.tolist() == [1, 4, 0, 5]  # every second of 1, 3, 4, 7; 0, 2, 5; 6
    assert figures.evenly(numbers[:4]).tolist() == [1, 3, 0, 2]
    image = figures.heatmap(all_pairs(RNG.normal(size=(4, 2))), numbers[shown])
    axis, _ = figures.figure_s1(image, numbers[shown], representation="raw", n_drugs=8).axes
    assert axis.get_title(loc="left") == "DIP connections: 28 pairs of 8 drugs, of which 4 are shown"


@pytest.mark.parametrize(("n", "smaller"), [(300, 1), (3000, 2 / 3), (30_000, 1 / 15)])
def test_a_full_map_is_an_image_in_the_svg_with_smaller_points(n, smaller):
    moa = pd.Series(np.arange(n) % 20).map("MoA {}".format)
    communities = pd.DataFrame({"community": np.arange(n) % 40, "is_exemplar": np.arange(n) < 40})
    rows = [(c, "statin", 5, 9, n // 40, True) for c in range(40)]
    enriched = pd.DataFrame(rows, columns=["community", "moa", "k", "K", "n", "enriched"])
    maps = {"raw": flat_map(n)}
    moas, found = figures.figure_3(maps, moa), figures.figure_4(maps, {"raw": communities}, {"raw": enriched})
    for figure, area in ((moas, 26), (found, 14)):
        svg = image_of(figure)
        assert (b"<image" in svg) == (n > style.VECTOR) and len(svg) < 1e6
        assert b">t-SNE 1</text>" in svg
        assert figure.axes[0].collections[-1].get_sizes() == pytest.approx(area * smaller)
    assert moas.legends[0].legend_handles[0].get_sizes() == pytest.approx(26)  # as large as ever


def test_the_moments_of_figure_1_are_those_of_all_values(monkeypatch):
    monkeypatch.setattr(figures, "PIECE", 100)  # in pieces of a few features
    raw = pd.DataFrame(RNG.normal(3, 30, size=(50, 21)))
    axis = figures.figure_1(raw, raw, pd.Series({"a": 2, "b": 1})).axes[0]
    values = raw.to_numpy()
    said = f"{(abs(values) <= 20).mean():.1%} within ±20\nmean {values.mean():.2f}, variance {values.var():.3g}"
    assert texts(axis)[0].split("\n", 1)[1] == said
    (outline,) = axis.patches
    counts = np.histogram(values, bins=160)[0]
    assert outline.get_path().vertices[:, 1].max() == counts.max()


def test_simulated_figures_say_so():
    figure = figure_2(NEEDS, STAGES)
    assert b"simulated data" not in image_of(figure)
    style.label_simulated(figure)
    assert [text.get_text() for text in figure.texts] == ["simulated data"]
    assert b"simulated data" in image_of(figure)


def test_the_same_figure_is_saved_as_the_same_bytes():
    moa, places = pd.Series(list("abcdefghij") * 2), flat_map(20)
    first, second = (image_of(figures.figure_3({"raw": places, "itml": places}, moa)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("a bcd", 3, "a…"), ("", 3, ""), ("$a$", 3, r"\$a\$")],
)
def test_shorten(text, length, expected):
    assert style.shorten(text, length) == expected
