from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.text import Text
from scipy.spatial.distance import pdist, squareform

from moamap.core.labels import membership
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
    communities = pd.DataFrame({"community": [1] * 6 + [2] * 3 + [3]})
    rows = [(1, "kinase inhibitor", 4, 5, 6, 1e-3, True), (2, "kinase inhibitor", 1, 5, 3, 0.5, False)]
    rows += [(2, "statin", 3, 5, 3, 1e-4, True), (3, "statin", 1, 5, 1, 5e-3, True)]
    return communities, pd.DataFrame(rows, columns=["community", "moa", "k", "K", "n", "p_value", "enriched"])


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
    sizes_left = np.arange(n_moas - shown, 0, -1)
    drawn = [round(wedge.theta2 - wedge.theta1, 3) for wedge in pie.patches]
    classes = [sizes_left[(sizes_left >= low) & (sizes_left <= high)] for low, high in ((5, 99), (2, 4), (1, 1))]
    expected = [*range(n_moas, n_moas - shown, -1), *(some.sum() for some in classes if len(some))]
    np.testing.assert_allclose(drawn, 360 * np.array(expected) / sizes.sum(), atol=0.01)
    said = [text.get_text() for text in pie.get_legend().get_texts()]
    words = ("five or more", "two to four", "one")
    named = [f"{len(some)} other MoAs of {word}: {some.sum()} drugs" for some, word in zip(classes, words, strict=True)]
    assert said == [text for text, some in zip(named, classes, strict=True) if len(some)]
    assert pie.get_title(loc="left") == f"c  {n_moas} MoAs, {max(n_moas - 4, 0)} with five or more drugs"


def boxes_and_arrows(axis):
    boxes = [patch for patch in axis.patches if isinstance(patch, FancyBboxPatch)]
    return boxes, [patch for patch in axis.patches if isinstance(patch, FancyArrowPatch)]


def test_figure_2_draws_the_rules_and_the_shortest_set_of_arrows():
    figure = figure_2(NEEDS, STAGES)
    image_of(figure)
    (axis,) = figure.axes
    assert sorted(texts(axis)) == ["communities", "community\nfeatures", "connect", "connections", "fetch", "sources"]
    boxes, arrows = boxes_and_arrows(axis)
    assert len(boxes) == 3 and len(arrows) == 2  # fetch -> connect -> community features; the direct arrow follows


def test_figure_2_has_a_column_for_each_stage_and_rules_below_those_they_need():
    needs = {"b": ["a"], "a": [], "c": ["a", "b"], "mine": ["c"]}
    figure = figure_2(needs, {"a": "profiles", "b": "profiles", "c": "report", "mine": "theirs"})
    place = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert place["a"] == (0, 0) and place["b"] == (0, 1) and place["c"] == (1, 2) and place["mine"] == (2, 3)
    assert place["profiles"][0] == 0 and place["report"][0] == 1 and place["theirs"][0] == 2


@pytest.mark.parametrize("seed", range(5))
def test_no_arrow_of_figure_2_runs_through_a_box(seed):
    rng = np.random.default_rng(seed)
    rules = [f"rule_{number}" for number in range(30)]
    needs = {rule: [rules[i] for i in np.flatnonzero(rng.random(place) < 0.12)] for place, rule in enumerate(rules)}
    stages = {rule: rng.choice(["sources", "profiles", "communities", "validation", "report"]) for rule in rules}
    boxes, arrows = boxes_and_arrows(figure_2(needs, stages).axes[0])
    corners = np.array([[*box.get_bbox().min, *box.get_bbox().max] for box in boxes])
    assert len(arrows) > 20
    for arrow in arrows:
        way = arrow._path_original.vertices
        steps = np.linspace(0, 1, 200)[:, None, None]
        points = (way[:-1] + steps * (way[1:] - way[:-1])).reshape(-1, 2)[:, None]
        inside = (points > corners[:, :2] + 1e-9) & (points < corners[:, 2:] - 1e-9)
        assert not inside.all(axis=2).any()
        assert (np.diff(way[:, 1]) >= 0).all()  # always down


def test_figure_3_marks_the_ten_largest_moas():
    sizes = [*range(3, 13), 2, 1]
    moa = pd.Series(np.repeat([f"MoA {size}" for size in sizes], sizes))
    figure = figures.figure_3({"raw": flat_map(len(moa)), "itml": flat_map(len(moa))}, membership(moa, "whole"))
    image_of(figure)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["a  Original data", "b  ITML"]
    for axis in figure.axes:
        assert [len(points.get_offsets()) for points in axis.collections] == [len(moa), *range(12, 2, -1)]
    (legend,) = figure.legends
    named = [f"MoA {size}" for size in range(12, 2, -1)]
    assert [text.get_text() for text in legend.get_texts()] == [*named, "other MoAs"]


def test_a_moa_has_one_colour_in_figures_1_and_3():
    moas = membership(pd.Series(np.repeat([f"MoA {size:02}" for size in range(1, 14)], range(1, 14))), "whole")
    bars = figures.figure_1(flat_map(30), flat_map(30), moas.sum()).axes[3]
    (legend,) = figures.figure_3({"raw": flat_map(len(moas))}, moas).legends
    of_bars = {
        label.get_text(): patch.get_facecolor()
        for label, patch in zip(bars.get_yticklabels(), bars.patches, strict=True)
    }
    marked = zip(legend.get_texts()[:10], legend.legend_handles, strict=False)
    assert of_bars == {text.get_text(): tuple(points.get_facecolor()[0]) for text, points in marked}
    assert len(set(of_bars.values())) == 10


def test_figure_3_says_where_no_moa_is_known():
    moas = pd.DataFrame({"a": [True, True, False], "b": [False, True, False]})
    figure = figures.figure_3({"raw": flat_map(3)}, moas)
    assert [len(points.get_offsets()) for points in figure.axes[0].collections] == [3, 2, 1]
    assert figure.legends[0].get_texts()[-1].get_text() == "other MoAs, or none known"


def test_figure_4_outlines_every_community_and_names_the_enriched_ones():
    communities, enriched = community_tables()
    names = ("raw", "itml", "pca")
    maps = {name: flat_map(len(communities)) for name in names}
    figure = figures.figure_4(maps, dict.fromkeys(names, communities), dict.fromkeys(names, enriched))
    image_of(figure)
    left, right = figure.axes[::2], figure.axes[1::2]
    titles = [axis.get_title(loc="left") for axis in left]
    assert titles == [
        f"{letter}  {style.TITLES[name]}: 3 communities, 2 enriched MoAs"
        for letter, name in zip("abc", names, strict=True)
    ]
    for axis, name in zip(left, names, strict=True):
        assert texts(axis)[:2] == ["1", "2"] and len(axis.patches) - len(texts(axis)[2:]) == 2  # the third is one drug
        (points,) = axis.collections
        np.testing.assert_allclose(points.get_offsets(), maps[name])
        colours = points.get_facecolor()
        assert len({tuple(colour) for colour in colours}) == 3 and (colours[:6] == colours[0]).all()
        assert (axis.patches[0].get_edgecolor()[:3] == colours[0, :3]).all()
    lines = texts(right[0])[1:]
    assert lines == ["1", "kinase inhibitor 4/5", "2", "statin 3/5", "and 1 by communities of a single drug, not named"]


def test_the_outline_of_a_community_holds_its_middle_and_not_what_is_far():
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 5)] * 2), axis=-1).reshape(-1, 2)
    corners = figures.outline(np.vstack([grid, [[50, 0]]]), 0.1)
    assert Path(corners).contains_points(grid).all() and np.abs(corners).max() < 1.2
    for few in ([[1.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]], [[0, 0], [1, 0], [2, 0]]):  # no area of their own
        assert Path(figures.outline(np.array(few, float), 0.1)).contains_points(np.array(few[:2])).all()


def test_every_community_has_a_colour_of_its_own():
    colours = style.community_colours(300, range(1, 40))
    assert len({tuple(colour) for colour in colours.round(3)}) == 300
    assert (colours >= 0).all() and (colours <= 1).all()


@pytest.mark.parametrize(
    ("n_maps", "columns", "width"), [(1, 1, 85), (2, 2, 180), (3, 3, 180), (4, 2, 180), (5, 3, 180)]
)
def test_any_number_of_representations_can_be_compared(n_maps, columns, width):
    communities, enriched = community_tables()
    names = ["raw", "itml", "rca", "lda", "pca"][:n_maps]
    maps = {name: flat_map(len(communities)) for name in names}
    moas = figures.figure_3(maps, membership(pd.Series(list("aabbbccccd")), "whole"))
    found = figures.figure_4(maps, dict.fromkeys(names, communities), dict.fromkeys(names, enriched))
    titles = ["a  Original data", "b  ITML", "c  rca", "d  lda", "e  PCA"][:n_maps]
    assert [axis.get_title(loc="left") for axis in moas.axes] == titles
    assert [axis.get_title(loc="left").split(":")[0] for axis in found.axes[::2]] == titles
    assert moas.axes[0].get_subplotspec().get_gridspec().ncols == columns
    assert 25.4 * moas.get_figwidth() == pytest.approx(width) and 25.4 * found.get_figwidth() == pytest.approx(180)


def test_figure_4_without_any_enrichment():
    communities, enriched = community_tables()
    tables = {"raw": communities, "itml": communities}, {"raw": enriched, "itml": enriched.assign(enriched=False)}
    figure = figures.figure_4({"raw": flat_map(10), "itml": flat_map(10)}, *tables)
    image_of(figure)
    assert figure.axes[2].get_title(loc="left") == "b  ITML: 3 communities, 0 enriched MoAs"
    assert texts(figure.axes[2]) == [] and not any(texts(figure.axes[3]))


def test_a_long_list_of_enriched_moas_has_two_columns_and_is_cut():
    communities, enriched = community_tables()
    many = pd.concat([enriched[:1].assign(moa="adrenergic receptor antagonist")] * (2 * figures.LINES + 4))
    figure = figures.figure_4({"raw": flat_map(10)}, {"raw": communities}, {"raw": many})
    lines = texts(figure.axes[1])[1:]
    assert lines[1] == "adrenergic…antagonist 4/5" and lines[-1] == "and 4 more in enrichment.csv"
    assert len(lines) == 2 * 2 * figures.LINES + 1


def test_no_text_is_smaller_than_seven_points_or_outside_its_figure():
    communities, enriched = community_tables()
    maps, moas = {"raw": flat_map(10), "itml": flat_map(10)}, membership(pd.Series(list("aabbbccccd")), "whole")
    drawn = [figures.figure_1(flat_map(10), flat_map(10), moas.sum()), figures.figure_3(maps, moas)]
    drawn += [figures.figure_4(maps, dict.fromkeys(maps, communities), dict.fromkeys(maps, enriched))]
    drawn += [figure_2(NEEDS, STAGES)]
    for figure in drawn:
        figure.draw_without_rendering()
        said = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        assert min(text.get_fontsize() for text in said) >= 7
        edge = figure.bbox.padded(1)
        assert all(edge.contains(*corner) for text in said for corner in text.get_window_extent().get_points())


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
    communities = pd.DataFrame({"community": np.arange(n) % 40 + 1})
    rows = [(c, "statin", 5, 9, n // 40, 1e-3, True) for c in range(1, 9)]
    enriched = pd.DataFrame(rows, columns=["community", "moa", "k", "K", "n", "p_value", "enriched"])
    maps = {"raw": flat_map(n)}
    moas, found = (
        figures.figure_3(maps, membership(moa, "whole")),
        figures.figure_4(maps, {"raw": communities}, {"raw": enriched}),
    )
    for figure, area in ((moas, 14), (found, 6)):
        svg = image_of(figure)
        assert (b"<image" in svg) == (n > style.VECTOR) and len(svg) < 1e6
        assert b">t-SNE 1</text>" in svg
        assert figure.axes[0].collections[-1].get_sizes() == pytest.approx(area * smaller)
    assert moas.legends[0].legend_handles[0].get_sizes() == pytest.approx(14)  # as large as ever


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
    first, second = (
        image_of(figures.figure_3({"raw": places, "itml": places}, membership(moa, "whole"))) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("a bcd", 3, "a…"), ("", 3, ""), ("$a$", 3, r"\$a\$")],
)
def test_shorten(text, length, expected):
    assert style.shorten(text, length) == expected
