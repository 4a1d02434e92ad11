"""Figures of the validation: the same bytes for the same tables, and every run where it belongs."""

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from moamap.core.names import ENRICHED, ENRICHED_BY_TWO, TOGETHER, TOGETHER_BY_MOA, WITHIN
from moamap.report.figures.validation import null_figure, reliability_figure, retrieval_figure, stability_figure
from moamap.validation.reliability import reliability


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def stability():
    rng = np.random.default_rng(0)
    kinds = ["seed"] * 5 + ["subsample"] * 5 + ["preference"] * 4
    tables = [
        pd.DataFrame({"representation": name, "perturbation": kinds}).assign(
            adjusted_rand=rng.random(len(kinds)), n_communities=rng.integers(5, 50, size=len(kinds))
        )
        for name in ("raw", "itml", "itml_crossfit")
    ]
    return pd.concat(tables, ignore_index=True)


def png(figure):
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def test_the_stability_figure_is_the_same_file_twice():
    np.random.seed(1)
    first = png(stability_figure(stability()))
    np.random.seed(2)
    assert png(stability_figure(stability())) == first


def test_every_run_has_its_dot_near_its_kind():
    table = stability()
    figure = stability_figure(table)
    for axis, column in zip(figure.axes, ("adjusted_rand", "n_communities"), strict=True):
        dots = np.vstack([line.get_xydata() for line in axis.lines])
        assert [text.get_text() for text in axis.get_xticklabels()] == ["seed", "subsample", "preference"]
        for at, kind in enumerate(("seed", "subsample", "preference")):
            mine = dots[np.abs(dots[:, 0] - at) < 0.5]
            assert sorted(mine[:, 1]) == sorted(table.loc[table["perturbation"] == kind, column])
            assert len(set(mine[:, 0])) == len(mine)  # none hides another


def test_a_quantity_without_a_value_is_said_to_have_none():
    rows = [("raw", "label-free", 3.0, 0.5), ("itml", "cross-fitted", np.nan, np.nan)]
    for quantities, draw in (
        (
            [TOGETHER, WITHIN[TOGETHER], TOGETHER_BY_MOA, WITHIN[TOGETHER_BY_MOA], ENRICHED, ENRICHED_BY_TWO],
            null_figure,
        ),
        (["mean average precision", "1-nearest-neighbour accuracy"], retrieval_figure),
    ):
        table = pd.DataFrame(
            [(q, name, way, value, p) for q in quantities for name, way, value, p in rows],
            columns=["quantity", "representation", "labels", "observed", "p_value"],
        )
        table = table.assign(scored=table["labels"], null_mean=1.0, null_low=0.5, null_high=2.0)
        figure = draw(table)
        for axis in figure.axes:
            assert [text.get_text() for text in axis.texts] == ["p = 0.5", "no value"]
        png(figure)


def test_the_reliability_figure_shows_every_pool_of_claims_and_both_guesses():
    rng = np.random.default_rng(0)
    members = rng.integers(4, size=50)[:, None] == np.arange(3)
    table = reliability(rng.dirichlet(np.ones(4), size=50), members, np.zeros(19))
    figure = reliability_figure(table)
    curve, bars = figure.axes
    claims = table[table["quantity"].str.startswith("claims")]
    points = curve.containers[0].lines[0].get_xydata()
    assert points.tolist() == claims[["stated", "observed"]].to_numpy().tolist()
    assert [text.get_text() for text in curve.texts] == claims["n"].astype(str).tolist()
    shown = [line.get_xdata().tolist() for line in bars.lines if len(line.get_xdata()) == 6]
    accuracy = table[table["quantity"].str.startswith("top-")]
    assert all(accuracy[guess].tolist() in shown for guess in ("observed", "largest_moa", "random"))
    png(figure)
