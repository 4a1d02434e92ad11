import numpy as np
import pandas as pd
import pytest

from moamap.core.names import CLUSTERS, CROSSFIT, ENRICHED, ENRICHED_BY_TWO, EXPECTATION, IN_SAMPLE, LABEL_FREE, WITHIN
from moamap.validation import null_tables as calibration
from moamap.validation import nulls
from moamap.validation.null_tables import gather
from moamap.validation.procedure import Procedure, score_permutation


def scores_of(method, n_permutations=19, signal=4.0):
    """What the permutation jobs store of a small screen, in two batches dealt out in turn."""
    rng = np.random.default_rng(0)
    moas = np.repeat(np.eye(5, dtype=bool), 8, axis=0)
    x = rng.normal(size=(40, 10))
    x[:8, :3] += signal
    procedure = Procedure(x, moas.any(axis=0), method, {"n_constraints": 5} if method == "itml" else {}, n_splits=2)
    batches = []
    for start in (1, 0):
        numbers = list(range(n_permutations + 1))[start::2]
        scored = [score_permutation(procedure, moas, np.arange(40) % 5, number) for number in numbers]
        columns = {f"{way}|{q}": np.array([s[way][q] for s in scored]) for way in scored[0] for q in scored[0][way]}
        batches.append((method, {"numbers": np.array(numbers), **columns}))
    return batches, moas


@pytest.fixture(scope="module")
def stored():
    batches, moas = [], None
    for method in ("raw", "itml"):
        mine, moas = scores_of(method)
        batches += mine
    return gather(batches), moas


COUNTED = [CLUSTERS, ENRICHED, EXPECTATION, ENRICHED_BY_TWO]


def table_1(stored):
    names = {("raw", LABEL_FREE): "raw", ("itml", IN_SAMPLE): "itml", ("itml", CROSSFIT): "itml_crossfit"}
    rows = [{"representation": name} | {c: stored[key][c][0] for c in COUNTED} for key, name in names.items()]
    return pd.DataFrame(rows)


def test_gather_puts_the_batches_in_the_order_of_the_numbers(stored):
    quantities = stored[0][("raw", LABEL_FREE)]
    other = gather([(name, {k: v[::-1] for k, v in batch.items()}) for name, batch in scores_of("raw")[0]])
    for name, values in quantities.items():
        assert np.array_equal(values, other[("raw", LABEL_FREE)][name], equal_nan=True)


def test_null_table_has_a_p_for_what_more_of_is_better(stored):
    table = calibration.null_table(stored[0], table_1(stored[0]))
    assert set(table["representation"]) == {"raw", "itml", "itml_crossfit"}
    p = table.set_index(["representation", "quantity"])["p_value"]
    assert p.xs("Clustering Number", level=1).isna().all()
    values = stored[0][("raw", LABEL_FREE)]["Enrichment Number"]
    assert p["raw", "Enrichment Number"] == (1 + (values[1:] >= values[0]).sum()) / 20
    fewer = (table["labels"] != LABEL_FREE) & table["quantity"].isin(WITHIN.values())
    assert set(table.loc[~fewer, "permutations"]) == {19}
    assert set(table.loc[fewer, "permutations"]) == {4}  # numbers 4, 8, 12 and 16, each learned anew


def test_pairs_in_one_community_come_first_each_beside_both_nulls(stored):
    table = calibration.null_table(stored[0], table_1(stored[0]))
    claims = [name for pair in WITHIN.items() for name in pair]
    for _, mine in table.groupby("representation"):
        assert mine["quantity"].to_list()[:4] == claims
        assert not mine["quantity"].duplicated().any()
    for (name, way), label in {("itml", IN_SAMPLE): "itml", ("itml", CROSSFIT): "itml_crossfit"}.items():
        rows = table[table["representation"] == label].set_index("quantity")
        for claim in claims:
            values = stored[0][(name, way)][claim].astype(float)
            null = values[4::4] if claim in WITHIN.values() else values[1:]
            assert not np.isnan(null).any()
            assert rows.loc[claim, "observed"] == values[0]
            assert rows.loc[claim, "null_mean"] == pytest.approx(null.mean(), rel=1e-12)
            assert rows.loc[claim, "p_value"] == (1 + (null >= values[0]).sum()) / (1 + len(null))
            assert rows.loc[claim, "z"] == pytest.approx((values[0] - null.mean()) / np.std(null, ddof=1), rel=1e-12)


def test_what_is_tested_is_permutation_0_and_table_1_stands_beside_it(stored):
    """So that ties with the null are ties to the last bit, whatever rounding did to the study's own communities."""
    one = table_1(stored[0])
    one["Enrichment Number"] += 7
    table = calibration.null_table(stored[0], one).set_index(["representation", "quantity"])
    values = stored[0][("raw", LABEL_FREE)]["Enrichment Number"]
    row = table.loc[("raw", "Enrichment Number")]
    assert (row["observed"], row["in_the_study"]) == (values[0], values[0] + 7)
    assert row["p_value"] == (1 + (values[1:] >= values[0]).sum()) / 20


def test_the_planted_moa_survives_and_the_others_do_not(stored, monkeypatch):
    monkeypatch.setattr(nulls, "enough", lambda n_tests: 0)
    quantities = stored[0][("raw", LABEL_FREE)]
    observed = quantities["smallest_p"][0]
    enriched = pd.DataFrame({"community": 1, "moa": list("abcde"), "p_value": observed, "k": 1, "K": 8, "n": 8})
    table = calibration.null_by_moa({("raw", LABEL_FREE): quantities}, {"raw": enriched}).set_index("moa")
    assert table.loc["a", "p_adjusted"] == pytest.approx(1 / 20)
    assert (table.loc[list("bcde"), "p_adjusted"] > 0.05).all()


def test_retrieval_tables_hold_every_way_to_score(stored):
    table = calibration.retrieval_table(stored[0], stored[1].sum(axis=0))
    assert len(table) == 3 * 5
    raw = table[(table["representation"] == "raw") & (table["quantity"] == "mean average precision")].iloc[0]
    assert raw["lift"] > 1
    assert raw["p_value"] == pytest.approx(1 / 20)
    assert (raw["lift_low"] < raw["lift"] < raw["lift_high"]) and raw["permutations"] == 19
    over_moas = table[(table["representation"] == "raw") & table["quantity"].str.endswith("mean over MoAs")].iloc[0]
    observed = stored[0][("raw", LABEL_FREE)]["map_by_moa"][0]
    assert over_moas["observed"] == pytest.approx(observed.mean(), rel=1e-12)
    assert table.loc[table["scored"].str.startswith("held-out"), "lift_low"].isna().all()
    by_moa = calibration.retrieval_by_moa(stored[0], list("abcde"), np.ones(5, dtype=bool))
    assert set(by_moa["scored"]) == {LABEL_FREE, IN_SAMPLE, CROSSFIT}
    assert by_moa[by_moa["representation"] == "raw"].set_index("moa")["p_value"].idxmin() == "a"


def test_table_1_calibrated_sets_the_null_beside_the_figure(stored):
    one = table_1(stored[0])
    null = calibration.null_table(stored[0], one)
    table = calibration.table_1_calibrated(one, null).set_index("representation")
    mine = null[(null["representation"] == "itml") & (null["quantity"] == "Enrichment Number")].iloc[0]
    assert table.loc["itml", "Enrichment Number: null mean"] == mine["null_mean"]
    assert table.loc["itml", "Enrichment Number: p value"] == mine["p_value"]
    assert "Clustering Number: p value" not in table
    for claim, within in WITHIN.items():
        for quantity in (claim, within):
            mine = null[(null["representation"] == "itml") & (null["quantity"] == quantity)].iloc[0]
            assert table.loc["itml", claim] == mine["observed"]
            assert table.loc["itml", f"{quantity}: z"] == mine["z"]
            assert table.loc["itml", f"{quantity}: p value"] == mine["p_value"]


def test_power_counts_the_true_and_the_false():
    truth = pd.DataFrame({"moa": ["a", "a", "b", "c", "d"], "grade": ["strong", None, "weak", "planted", None]})
    by_moa = pd.DataFrame({"representation": "raw", "labels": "label-free", "moa": list("abcd")})
    retrieved = by_moa.rename(columns={"labels": "scored"})
    table = calibration.power(
        truth, by_moa.assign(p_adjusted=[0.01, 0.2, 0.01, 0.5]), retrieved.assign(q_value=[0.04, 0.01, 0.05, 0.9])
    )
    assert list(table["phenotypes"]) == [2, 2]
    assert list(table["found"]) == [1, 2]
    assert list(table["share"]) == [0.5, 1.0]
    assert list(table["false_discoveries"]) == [1, 0]
    few = calibration.power(truth, by_moa.assign(p_adjusted=np.nan), retrieved.assign(q_value=0.01))
    assert few["found"].isna().tolist() == few["share"].isna().tolist() == [True, False]
