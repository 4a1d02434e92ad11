"""Figure 2: the workflow, drawn from its own DAG."""

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

GAP = 5  # between the columns of the workflow, in letters


def figure_2(needs: dict[str, list[str]], stages: dict[str, str]) -> Figure:
    """The workflow, drawn from its own rules.

    Parameters
    ----------
    needs : rule -> the rules whose files it reads
    stages : rule -> stage, which gives the colour
    """
    graph = _shortest(needs)
    places = _layers(graph)
    figure, axis = plt.subplots(figsize=(13, 5.2), layout="constrained")
    names = list(dict.fromkeys(stages[rule] for rule in nx.topological_sort(graph)))
    colour = dict(zip(names, sns.color_palette("colorblind", len(names)), strict=True))
    boxes = {}
    for rule, (x, y) in places.items():
        box = {"boxstyle": "round,pad=0.45", "fc": "white", "ec": colour[stages[rule]], "lw": 2}
        text = axis.text(x, y, rule.replace("_", " "), ha="center", va="center", bbox=box, fontsize=8.5)
        boxes[rule] = text.get_bbox_patch()
    for a, b in graph.edges:
        arrow = {"arrowstyle": "-|>", "color": "#8a8a8a", "lw": 0.8, "patchA": boxes[a], "patchB": boxes[b]}
        axis.annotate("", places[b], places[a], arrowprops=arrow, zorder=4)
    handles = [plt.Line2D([], [], color=colour[name], lw=3, label=name) for name in names]
    axis.legend(handles=handles, ncols=len(names), loc="upper center", bbox_to_anchor=(0.5, 0.0), frameon=False)
    x, y = np.array(list(places.values())).T
    axis.set(xlim=(x.min() - 7, x.max() + 7), ylim=(y.min() - 0.6, y.max() + 0.6))
    axis.set_title("The workflow, from sources to tables and figures", loc="left")
    axis.axis("off")
    return figure


def _shortest(needs):
    """The rules that belong to the study, and no arrow that a longer way makes superfluous."""
    graph = nx.DiGraph([(before, rule) for rule in sorted(needs) for before in sorted(needs[rule])])
    reduced = nx.transitive_reduction(graph)
    return nx.DiGraph({rule: sorted(reduced.successors(rule)) for rule in graph})


def _layers(graph):
    """Columns by the longest way from a source, as wide as their names; inside a column, by the mean height of what
    comes before.
    """
    places, x, width = {}, 0, 0
    for layer in nx.topological_generations(graph):
        before, width = width, max(map(len, layer))
        x += (before + width) / 2 + GAP
        height = {rule: np.mean([places[before][1] for before in graph.predecessors(rule)] or [0]) for rule in layer}
        ordered = sorted(layer, key=lambda rule: (-height[rule], rule))
        for i, rule in enumerate(ordered):
            places[rule] = (x, (len(ordered) - 1) / 2 - i)
    return places
