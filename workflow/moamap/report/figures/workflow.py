"""Figure 2: the workflow, drawn from its own rules."""

import matplotlib.pyplot as plt
import networkx as nx
import seaborn as sns
from matplotlib.figure import Figure

STAGES = ["sources", "profiles", "representations", "connections", "communities", "placing", "validation", "report"]
ARROWS = "#9a9a9a"


def figure_2(needs: dict[str, list[str]], stages: dict[str, str]) -> Figure:
    """The workflow by stage: a column per stage, the rules of each from top to bottom in the order in which they run.

    Parameters
    ----------
    needs : rule -> the rules whose files it reads
    stages : rule -> stage; stages of another workflow that uses this one come last
    """
    graph = _shortest(needs)
    columns = [stage for stage in dict.fromkeys([*STAGES, *stages.values()]) if stage in set(map(stages.get, graph))]
    places = _places(graph, stages, columns)
    tallest = max(-y for _, y in places.values())
    figure, axis = plt.subplots(figsize=(1.85 * len(columns), 1.2 + 0.5 * tallest), layout="constrained")
    colour = dict(zip(columns, sns.color_palette("colorblind", len(columns)), strict=True))
    boxes = {rule: _box(axis, rule, place, colour[stages[rule]]) for rule, place in places.items()}
    for a, b in graph.edges:
        _arrow(axis, places[a], places[b], boxes[a], boxes[b])
    for x, stage in enumerate(columns):
        axis.text(x, 0.75, stage, ha="center", va="center", color=colour[stage], weight="bold", fontsize=10)
    axis.set(xlim=(-0.6, len(columns) - 0.4), ylim=(-tallest - 0.6, 1.2))
    axis.set_title("The workflow: an arrow leads from a rule to a rule that reads its files", loc="left")
    axis.axis("off")
    return figure


def _box(axis, rule, place, colour):
    look = {"boxstyle": "round,pad=0.4", "fc": "white", "ec": colour, "lw": 1.8}
    text = axis.text(*place, rule.replace("_", " "), ha="center", va="center", bbox=look, fontsize=8, zorder=3)
    return text.get_bbox_patch()


def _arrow(axis, start, end, box, other):
    """Behind the boxes; inside a column to the side of those between."""
    bend = 0.0 if start[0] != end[0] or abs(start[1] - end[1]) == 1 else -0.45
    look = {"arrowstyle": "-|>", "color": ARROWS, "lw": 0.8, "shrinkA": 0, "shrinkB": 0, "patchA": box, "patchB": other}
    axis.annotate("", end, start, arrowprops=look | {"connectionstyle": f"arc3,rad={bend}"}, zorder=1)


def _shortest(needs):
    """The rules that belong to the study, without arrows that a longer way makes superfluous."""
    graph = nx.DiGraph([(before, rule) for rule in sorted(needs) for before in sorted(needs[rule])])
    reduced = nx.transitive_reduction(graph)
    return nx.DiGraph({rule: sorted(reduced.successors(rule)) for rule in graph})


def _places(graph, stages, columns):
    """Columns by stage; inside one, a rule stands below those that it needs."""
    places: dict[str, tuple[int, int]] = {}
    for x, stage in enumerate(columns):
        mine = [rule for rule in nx.lexicographical_topological_sort(graph) if stages[rule] == stage]
        places |= {rule: (x, -y) for y, rule in enumerate(mine)}
    return places
