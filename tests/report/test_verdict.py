import json

import pandas as pd
import pytest

from moamap.report import verdict as numbers_and_prose


def null_row(name, labels, quantity, observed, p):
    numbers = {
        "in_the_study": observed,
        "observed": observed,
        "null_mean": 2.0,
        "null_low": 0,
        "null_high": 4,
        "lift": observed / 2,
        "p_value": p,
    }
    return {"representation": name, "labels": labels, "quantity": quantity, **numbers}


def tables(*, p=0.5, q=0.9):
    claims = ["Enrichment Number", "MoAs enriched with k >= 2", "drugs proposed for another MoA at q < 0.05"]
    names = {"raw": "label-free", "itml_crossfit": "cross-fitted"}
    retrieval = [
        null_row("raw", "label-free", "mean average precision", 2.2, p) | {"scored": "label-free"},
        null_row("itml", "", "mean average precision", 9.0, 0.001) | {"scored": "in-sample"},
    ]
    moa = {"representation": "raw", "moa": "kinase inhibitor", "community": 3, "k": 2, "K": 5}
    drug = {"drug": "w", "known_moa": "m", "stability": 0.8}
    proposal = drug | {"kind": "proposed MoA", "proposed": "kinase inhibitor", "evidence": 95, "q_value": q}
    partner = drug | {"kind": "repurposing partner", "proposed": "z [o]", "evidence": 99.0}
    run = {"representation": "raw", "perturbation": "seed", "adjusted_rand": 0.5}
    return {
        "null": pd.DataFrame([null_row(n, way, c, 3, p) for n, way in names.items() for c in claims]),
        "null_by_moa": pd.DataFrame([moa | {"p_adjusted": p}]),
        "retrieval": pd.DataFrame(retrieval),
        "retrieval_by_moa": pd.DataFrame([moa | {"scored": "label-free", "q_value": p, "lift": 1.5}]),
        "stability": pd.DataFrame([run | {"query_together": 0.25, "chance_of_sharing": 0.05}]),
        "candidates": pd.DataFrame([proposal, partner]),
    }


def verdict(dataset, tables, traces, query, *, simulated, unlearned=None):
    """The prose, from numbers that went through JSON."""
    found = numbers_and_prose.verdict(
        dataset, tables, traces, unlearned or {}, proposed_by="itml_crossfit", query=query, simulated=simulated
    )
    return numbers_and_prose.prose(json.loads(json.dumps(found, allow_nan=False)))


def test_nothing_is_believed_where_nothing_is_found():
    text = verdict("x", tables(), {"itml_crossfit": 1.02}, ["w", "z"], simulated=False)
    assert "no more than chance explains" in text
    assert "No representation retrieves drugs of the same MoA better than chance" in text
    assert "gathered in a community (step-down p <= 0.05): none." in text
    assert "No proposal can be told from chance" in text
    assert "they share a community 1.02 times" in text
    assert "simulated" not in text


def test_what_survives_is_named():
    text = verdict("x", tables(p=0.01, q=0.001), {}, ["w", "z"], simulated=True)
    assert "no more than chance" not in text
    assert (
        "the largest lift that exceeds chance is that of **raw** (1.10 times chance, p = 0.01)" in text
    )  # never the in-sample one
    assert "kinase inhibitor (community 3, 2/5, p = 0.01)" in text
    assert "**w** (known: m): near the drugs of *kinase inhibitor*, q = 0.001" in text
    assert text.startswith("# What to believe of `x` (simulated data)")


@pytest.mark.parametrize(("query", "said"), [(["w", "z"], True), (["w"], False), ([], False)])
def test_the_queried_pair_is_spoken_of_only_if_there_is_one(query, said):
    text = verdict("x", tables(), {}, query, simulated=False)
    assert ("share a community in 25% of the runs (any two drugs: 5%)" in text) == said


def test_numbers_that_differ_from_table_1_are_explained():
    changed = tables()
    assert "differ slightly from Table 1" not in verdict("x", changed, {}, [], simulated=False)
    changed["null"].loc[0, "in_the_study"] = 4
    text = verdict("x", changed, {"itml_crossfit": float("nan")}, [], simulated=False)
    assert "In raw the numbers tested here differ slightly from Table 1's" in text
    assert "nan" not in text


def test_names_are_text_on_one_line_and_no_markup():
    changed = tables(p=0.01, q=0.001)
    changed["candidates"]["drug"] = "a\n# b <img src=x> [c](d) *e* $f$"
    text = verdict("x", changed, {}, [], simulated=False)
    assert r"a # b \<img src=x\> \[c\](d) \*e\* \$f\$" in text


def test_what_could_not_be_learned_is_said_and_never_an_error():
    empty = tables()
    numbers = ["observed", "null_mean", "null_low", "null_high", "lift", "p_value", "in_the_study"]
    for name in ("null", "retrieval"):
        empty[name].loc[empty[name]["representation"] != "raw", numbers] = float("nan")
    empty["stability"][["adjusted_rand", "query_together"]] = float("nan")
    empty["candidates"][["q_value", "stability"]] = float("nan")
    text = verdict("x", empty, {}, ["w", "z"], simulated=False, unlearned={"itml_crossfit": 1.0})
    assert "**itml_crossfit** (cross-fitted): cannot be computed from these drugs." in text
    assert "nothing is cross-fitted" in text and "no perturbed run found communities" in text
    assert "nan" not in text and "None" not in text
    text = verdict("x", tables(), {}, [], simulated=False, unlearned={"itml_crossfit": 0.25})
    assert "the folds of 25.0% of the pairs of drugs" in text
