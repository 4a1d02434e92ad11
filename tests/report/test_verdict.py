import json

import pandas as pd
import pytest

from moamap.core.names import TOGETHER, TOGETHER_BY_MOA, WITHIN
from moamap.report import verdict as numbers_and_prose

FITTED = {"representation": "itml_crossfit", "chosen_in_folds": {"itml_crossfit": 9, "raw": 1}}


def null_row(name, labels, quantity, observed, p):
    numbers = {
        "in_the_study": observed,
        "observed": float(observed),
        "null_mean": 2.0,
        "null_low": 0,
        "null_high": 4,
        "lift": observed / 2,
        "z": 3.21,
        "p_value": p,
        "permutations": 49 if quantity in WITHIN.values() and labels != "label-free" else 199,
    }
    return {"representation": name, "labels": labels, "quantity": quantity, **numbers}


def reliability_rows(observed, low, proposals):
    """Accuracy beside that of the largest MoA (.1) and of a random one (.05), a pool of claims, and the proposals."""
    row = {"n": 20, "observed": observed, "low": low, "high": observed + 0.1, "largest_moa": 0.1, "random": 0.05}
    row |= {"gain_low": low - 0.1, "gain_high": observed}
    drugs = ("all annotated drugs", "drugs with a candidate MoA")
    rows = [row | {"quantity": f"top-{first}", "over": over} for over in drugs for first in (1, 3, 5)]
    rows.append({"quantity": "claims of 0.5 to 0.65", "n": 7, "stated": 0.6, "observed": 0.57, "low": 0.2, "high": 0.8})
    counted = {"quantity": "proposals at 0.5 or more", "over": "all annotated drugs", "n": 20, "observed": proposals}
    return pd.DataFrame([*rows, counted | {"null_mean": 0.2, "null_high": 1, "p_value": 0.05}])


def tables(*, p=0.5, probability=0.3, better=False):
    claims = [TOGETHER, WITHIN[TOGETHER], TOGETHER_BY_MOA, WITHIN[TOGETHER_BY_MOA]]
    claims += ["Enrichment Number", "MoAs enriched with k >= 2"]
    names = {"raw": "label-free", "itml_crossfit": "cross-fitted"}
    retrieval = [
        null_row("raw", "label-free", "mean average precision", 2.2, p) | {"scored": "label-free"},
        null_row("itml", "", "mean average precision", 9.0, 0.001) | {"scored": "in-sample"},
    ]
    retrieval += [row | {"quantity": "mean average precision, mean over MoAs", "lift": 1.3} for row in retrieval]
    moa = {"representation": "raw", "moa": "kinase inhibitor", "community": 3, "k": 2, "K": 5}
    moa |= {"permutations": 999, "permutations_needed": 999, "floor": 0.001}
    against = {"representation": "itml", "scored": "cross-fitted", "other": "raw", "other_scored": "label-free"}
    against |= {"quantity": "mean average precision", "difference": -0.02, "low": -0.03, "high": -0.01}
    drug = {"drug": "w", "known_moa": "m", "stability": 0.8}
    proposal = drug | {
        "kind": "hidden MoA",
        "moa_1": "kinase inhibitor",
        "evidence": "nearest of its drugs: z (rank 1)",
    }
    proposal |= {"probability_1": probability, "called": "proposal" if probability >= 0.5 else "ranked list"}
    partner = drug | {"kind": "repurposing partner", "partner": "z [o]", "called": "ranked list"}
    partner |= {"evidence": "nearer than 99.0% of all pairs of drugs"}
    run = {
        "representation": "raw",
        "perturbation": "seed",
        "adjusted_rand": 0.5,
        "adjusted_rand_without_singletons": 0.4,
    }
    return {
        "null": pd.DataFrame([null_row(n, way, c, 3, p) for n, way in names.items() for c in claims]),
        "null_by_moa": pd.DataFrame([moa | {"p_adjusted": p}]),
        "retrieval": pd.DataFrame(retrieval).assign(lift_low=0.9, lift_high=1.4),
        "comparisons": pd.DataFrame([against]),
        "retrieval_by_moa": pd.DataFrame([moa | {"scored": "label-free", "q_value": p, "lift": 1.5}]),
        "stability": pd.DataFrame([run | {"query_together": 0.25, "chance_of_sharing": 0.05}]),
        "candidates": pd.DataFrame([proposal, partner]),
        "reliability": reliability_rows(0.3 if better else 0.15, 0.2 if better else 0.08, float(probability >= 0.5)),
    }


def verdict(dataset, tables, traces, query, *, simulated, unlearned=None):
    """The prose, from numbers that went through JSON."""
    found = numbers_and_prose.verdict(
        dataset, tables, traces, unlearned or {}, fitted=FITTED, query=query, simulated=simulated
    )
    return numbers_and_prose.prose(json.loads(json.dumps(found, allow_nan=False)))


def test_nothing_is_believed_where_nothing_is_found():
    text = verdict("x", tables(), {"itml_crossfit": 1.02}, ["w", "z"], simulated=False)
    assert "no more than chance explains" in text
    assert "No representation retrieves drugs of the same MoA better than chance" in text
    assert "gathered in a community (step-down p <= 0.05): none." in text
    assert "- **Proposals do not beat guessing here:** the first MoA is right for 15% (8% to 25%)" in text
    assert text.index("do not beat guessing") < text.index("In no representation do two drugs")
    assert "No drug has a MoA with a probability of 0.5 or more." in text
    assert "they share a community 1.02 times" in text
    assert "simulated" not in text


def with_null(given, quantity, **values):
    """The tables with other numbers for a claim, in the order of the representations."""
    mine = given["null"]["quantity"] == quantity
    for column, new in values.items():
        given["null"].loc[mine, column] = new
    return given


def found_in(tables):
    options = {"fitted": FITTED, "query": [], "simulated": False}
    return json.loads(json.dumps(numbers_and_prose.verdict("x", tables, {}, {}, **options), allow_nan=False))


def test_the_first_sentence_is_about_pairs_in_one_community():
    """It names who exceeds chance, and who of these does among drugs of similar strength."""
    none = found_in(tables(better=True))["summary"]
    assert none[0].startswith("In no representation do two drugs of one MoA share a community more often")
    given = with_null(
        tables(better=True), TOGETHER, observed=[101, 90], null_mean=[66.5, 80.0], z=[4.11, 2.5], p_value=[0.005, 0.04]
    )
    first = found_in(given)["summary"][0]
    assert "**raw** (101 pairs, 66.5 expected, z = 4.1, p = 0.005), **itml_crossfit** (90 pairs" in first
    assert first.endswith("similar profile strength in: none of these.")
    first = found_in(with_null(given, WITHIN[TOGETHER], p_value=[0.02, 0.06]))["summary"][0]
    assert first.endswith("similar profile strength in: raw.")
    assert len(found_in(given)["summary"]) == 3


def test_pairs_come_before_enriched_moas_in_numbers_and_prose():
    given = with_null(
        tables(), TOGETHER, observed=[101, 90], null_mean=66.5, null_low=52.0, null_high=84.0, p_value=0.005
    )
    given = with_null(given, TOGETHER_BY_MOA, observed=0.061, null_mean=0.033)
    given = with_null(given, WITHIN[TOGETHER_BY_MOA], null_mean=0.037)
    found = found_in(with_null(given, WITHIN[TOGETHER], null_mean=72.6, z=[3.27, 1.0]))
    claim = found["claims"][0]
    assert list(claim)[2:7] == [*numbers_and_prose.PAIRS, "observed"]
    assert (claim["pairs_together"]["observed"], claim["pairs_together_within_strength"]["z"]) == (101, 3.27)
    lines = [line for line in numbers_and_prose.prose(found).splitlines() if line.startswith("- **raw** (label-free)")]
    assert (
        "share a community: 101; on permuted labels 66.5 (52 to 84), z = 3.2, p = 0.005: more than chance." in lines[0]
    )
    assert "Within quintiles of profile strength 72.6, z = 3.3" in lines[0]
    assert "6.1% of a MoA's pairs share a community; on permuted labels 3.3%" in lines[0]
    assert "within quintiles 3.7%" in lines[0]
    assert "enriched MoAs" in lines[1]


def test_fewer_permutations_are_said_where_each_learns_anew():
    text = verdict("x", tables(), {}, [], simulated=False)
    assert (
        "In itml_crossfit each permutation learns anew, so within quintiles there are 49 permutations, not 199" in text
    )
    assert "can be below 0.02" in text
    label_free = tables()
    label_free["null"] = label_free["null"][label_free["null"]["labels"] == "label-free"]
    assert "learns anew" not in verdict("x", label_free, {}, [], simulated=False)


def test_pairs_without_a_null_or_a_mean_are_said_to_have_none():
    given = with_null(tables(), WITHIN[TOGETHER], null_mean=float("nan"), z=float("nan"), p_value=float("nan"))
    given = with_null(given, TOGETHER_BY_MOA, observed=float("nan"), null_mean=float("nan"))
    text = verdict("x", with_null(given, TOGETHER, z=float("nan"), p_value=0.01), {}, [], simulated=False)
    line = next(line for line in text.splitlines() if line.startswith("- **raw** (label-free), pairs"))
    assert line.endswith("p = 0.01: more than chance. No MoA has two drugs.")
    assert "nan" not in text and "None" not in text


def test_what_survives_is_named():
    text = verdict("x", tables(p=0.01, probability=0.9, better=True), {}, ["w", "z"], simulated=True)
    assert "no more than chance" not in text
    assert (
        "the largest lift that exceeds chance is that of **raw** "
        "(1.10 times chance, 95% over MoAs 0.90 to 1.40, p = 0.01)" in text
    )  # never the in-sample one
    assert "it exceeds itml (+0.0200, 95% +0.0100 to +0.0300)." in text
    assert "Averaged over MoAs 1.30 times chance, 95% over MoAs 0.90 to 1.40" in text
    assert "kinase inhibitor (community 3, 2/5, p = 0.01)" in text
    assert "**w** (known: m): *kinase inhibitor* with probability 0.90, first in 80% of the reruns" in text
    assert "Proposals by **itml_crossfit** beat guessing: the first MoA is right for 30% (20% to 40%)" in text
    assert text.index("beat guessing") > text.index("Two drugs of one MoA share")
    assert "0.60 came true at 0.57 (7)" in text
    assert "nearer than 99.0% of all pairs of drugs, in one community in 80% of the perturbed runs" in text
    assert text.startswith("# What to believe of `x` (simulated data)")


@pytest.mark.parametrize(("low", "high", "said"), [(-0.03, -0.01, "exceeds"), (-0.05, 0.01, "cannot be told from")])
def test_a_difference_is_one_where_its_interval_says_so(low, high, said):
    given = tables(p=0.01)
    given["comparisons"][["low", "high"]] = [low, high]
    text = verdict("x", given, {}, [], simulated=False)
    assert [words for words in ("exceeds", "cannot be told from") if f"{words} itml (+0.0200" in text] == [said]


def test_what_too_few_permutations_cannot_tell_is_not_called_absent():
    given = tables(p=0.01)
    for name, column in (("null_by_moa", "p_adjusted"), ("retrieval_by_moa", "q_value")):
        given[name] = given[name].assign(permutations=199, permutations_needed=1960, floor=0.245)
        given[name][column] = float("nan")
    text = verdict("x", given, {}, [], simulated=False)
    assert "**raw**, gathered in a community: not testable with 199 permutations: of 1 MoAs" in text
    assert "**raw**, label-free, can be retrieved: not testable" in text
    assert text.count("cannot be relied on to come below 0.24. That takes 1,960") == 2
    assert "): none" not in text.split("## Mechanisms that survive")[1].split("##")[0]
    assert found_in(given)["gathered"][0]["not_testable"]["permutations_needed"] == 1960


@pytest.mark.parametrize(("query", "said"), [(["w", "z"], True), (["w"], False), ([], False)])
def test_the_queried_pair_is_spoken_of_only_if_there_is_one(query, said):
    text = verdict("x", tables(), {}, query, simulated=False)
    assert ("share a community in 25% of the runs (any two drugs: 5%)" in text) == said


def test_numbers_that_differ_from_table_1_are_explained():
    changed = tables()
    assert "differ slightly from Table 1" not in verdict("x", changed, {}, [], simulated=False)
    changed["null"].loc[changed["null"]["quantity"] == "Enrichment Number", "in_the_study"] = [4, 3]
    text = verdict("x", changed, {"itml_crossfit": float("nan")}, [], simulated=False)
    assert "In raw the numbers tested here differ slightly from Table 1's" in text
    assert "nan" not in text


def test_names_are_text_on_one_line_and_no_markup():
    changed = tables(p=0.01, probability=0.9, better=True)
    changed["candidates"]["drug"] = "a\n# b <img src=x> [c](d) *e* $f$"
    text = verdict("x", changed, {}, [], simulated=False)
    assert r"a # b \<img src=x\> \[c\](d) \*e\* \$f\$" in text


def test_what_could_not_be_learned_is_said_and_never_an_error():
    empty = tables()
    numbers = ["observed", "null_mean", "null_low", "null_high", "lift", "z", "p_value", "in_the_study"]
    for name in ("null", "retrieval"):
        empty[name].loc[empty[name]["representation"] != "raw", numbers] = float("nan")
    empty["stability"][["adjusted_rand", "adjusted_rand_without_singletons", "query_together"]] = float("nan")
    empty["candidates"][["probability_1", "stability"]] = float("nan")
    text = verdict("x", empty, {}, ["w", "z"], simulated=False, unlearned={"itml_crossfit": 1.0})
    assert "**itml_crossfit** (cross-fitted): cannot be computed from these drugs." in text
    assert "nothing is cross-fitted" in text and "no perturbed run found communities" in text
    assert "nan" not in text and "None" not in text
    text = verdict("x", tables(), {}, [], simulated=False, unlearned={"itml_crossfit": 0.25})
    assert "the folds of 25.0% of the pairs of drugs" in text
