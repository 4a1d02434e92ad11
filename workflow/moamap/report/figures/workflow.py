"""Figure 2: the workflow, drawn from its own rules."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import networkx as nx
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from moamap.report.figures.style import SIZE, TWO_COLUMNS, millimetres

STAGES = ["sources", "profiles", "representations", "connections", "communities", "placing", "validation", "report"]
ROW = 11  # mm
WIDTH, HEIGHT = 0.74, 0.56  # of a box, in columns and rows
ONE_LINE = 13  # characters
PORT = 0.14  # arrows leave a box so far to the right of its middle, and reach one so far to the left
LANE = {
    "below row": (0.07, 0.9 - HEIGHT),
    "right of column": (0.045, 0.95 - WIDTH),
}  # from an arrow to the next, and of all

Place = tuple[int, int]  # column and row, counted from the top
Point = tuple[float, float]


def figure_2(needs: dict[str, list[str]], stages: dict[str, str]) -> Figure:
    """The workflow by stage: a column per stage, and an arrow from each rule down to those that read its files.

    Arrows run between the rows and columns of boxes, never through one, in the colour of the stage that they come from.

    Parameters
    ----------
    needs : rule -> the rules whose files it reads
    stages : rule -> stage; stages of another workflow that uses this one come last
    """
    graph = _shortest(needs)
    columns = [stage for stage in dict.fromkeys([*STAGES, *stages.values()]) if stage in set(map(stages.get, graph))]
    places = _places(graph, stages, columns)
    n_rows = max(row for _, row in places.values()) + 1
    figure, axis = plt.subplots(figsize=millimetres(TWO_COLUMNS, ROW * (n_rows + 1.5)), layout="constrained")
    axis.set(xlim=(-0.5, len(columns) - 0.5), ylim=(n_rows - 0.4, -1.2))
    colours = dict(zip(columns, sns.color_palette("dark", len(columns)), strict=True))
    for x, stage in enumerate(columns):
        axis.axvspan(x - 0.44, x + 0.44, color=colours[stage], alpha=0.07, lw=0)
        axis.text(x, -0.85, stage, ha="center", va="center", color=colours[stage], weight="bold", fontsize=SIZE)
    for (rule, _), way in _ways(list(graph.edges), places).items():
        look: dict[str, Any] = {
            "arrowstyle": "-|>",
            "mutation_scale": 5,
            "lw": 0.7,
            "shrinkA": 0,
            "shrinkB": 0,
            "joinstyle": "round",
        }
        axis.add_patch(FancyArrowPatch(path=Path(way), color=colours[stages[rule]], zorder=2, **look))
    for rule, place in places.items():
        _box(axis, rule, place, colours[stages[rule]])
    axis.set_title("The workflow: an arrow leads from a step to a step that reads its files", loc="left")
    axis.axis("off")
    return figure


def _box(axis: Axes, rule: str, place: Place, colour: tuple) -> None:
    x, y = place
    look: dict[str, Any] = {
        "boxstyle": "round,pad=0,rounding_size=0.1",
        "fc": "white",
        "ec": colour,
        "lw": 1,
        "zorder": 3,
    }
    axis.add_patch(FancyBboxPatch((x - WIDTH / 2, y - HEIGHT / 2), WIDTH, HEIGHT, **look))
    words = rule.replace("_", " ")
    words = words.replace(" ", "\n", 1) if len(words) > ONE_LINE else words
    axis.text(x, y, words, ha="center", va="center", linespacing=0.95, fontsize=SIZE, zorder=4)


def _shortest(needs: dict[str, list[str]]) -> nx.DiGraph:
    """The rules that belong to the study, without arrows that a longer way makes superfluous."""
    graph = nx.DiGraph([(before, rule) for rule in sorted(needs) for before in sorted(needs[rule])])
    reduced = nx.transitive_reduction(graph)
    return nx.DiGraph({rule: sorted(reduced.successors(rule)) for rule in graph})


def _places(graph: nx.DiGraph, stages: dict[str, str], columns: list[str]) -> dict[str, Place]:
    """A column for each stage; a rule stands in the first row that is free below all rules that it needs."""
    places: dict[str, Place] = {}
    for rule in (rule for generation in nx.topological_generations(graph) for rule in sorted(generation)):
        column = columns.index(stages[rule])
        row = max((places[before][1] + 1 for before in graph.predecessors(rule)), default=0)
        while (column, row) in places.values():
            row += 1
        places[rule] = (column, row)
    return places


def _ways(arrows: list[tuple[str, str]], places: dict[str, Place]) -> dict[tuple[str, str], list[Point]]:
    """Corners of each arrow. Between two rows or columns of boxes every rule has a lane of its own."""
    lanes: dict[tuple[str, int], list[str]] = defaultdict(list)

    def lane(channel: str, number: int, rule: str) -> float:
        """Where the lane of a rule lies between two rows or columns of boxes."""
        rules = lanes[channel, number]
        rules += [rule] * (rule not in rules)
        apart, space = LANE[channel]
        return number + 0.5 + (rules.index(rule) - (len(rules) - 1) / 2) * min(apart, space / len(rules))

    for _ in range(2):  # where a lane lies is known once all rules have theirs
        ways = {(a, b): _way(a, places[a], places[b], set(places.values()), lane) for a, b in arrows}
    return ways


def _way(rule: str, start: Place, end: Place, boxes: set[Place], lane: Callable[[str, int, str], float]) -> list[Point]:
    """Down the column of the first or of the last box where no box is in the way, else down beside the last."""
    (x, above), (to, below) = start, end
    out, into, first, last = x + PORT, to - PORT, (x + PORT, above + HEIGHT / 2), (to - PORT, below - HEIGHT / 2)
    free = {column: not any((column, row) in boxes for row in range(above + 1, below)) for column in (x, to)}
    if free[x] and x == to:
        return [first, (out, below - HEIGHT / 2)]
    if free[x] or free[to]:
        y = lane("below row", below - 1 if free[x] else above, rule)
        return [first, (out, y), (into, y), last]
    upper, lower = lane("below row", above, rule), lane("below row", below - 1, rule)
    aside = lane("right of column", to - 1, rule)
    return [first, (out, upper), (aside, upper), (aside, lower), (into, lower), last]
