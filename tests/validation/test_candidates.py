import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import gamma, kstest

from moamap.core.labels import membership
from moamap.validation.candidates import closeness, false_discovery_rate, nearness_p, partners, proposals
from moamap.validation.retrieval import rank


def map_of(points):
    everyone = np.arange(len(points))
    return closeness(rank(squareform(pdist(points)), everyone, everyone))


def test_closeness_is_minus_the_log_of_the_rank_share():
    close = map_of(np.array([[0.0], [1.0], [3.0], [7.0]]))
    assert close[0] == pytest.approx(-np.log([1, 1 / 3, 2 / 3, 1]))
    assert close.diagonal() == pytest.approx(0)


def test_nearness_p_is_fisher_s_method_on_the_ranks():
    rng = np.random.default_rng(0)
    close, moas = map_of(rng.normal(size=(30, 3))), rng.random((30, 4)) < 0.2
    p = nearness_p(close, moas)
    for drug, moa in np.argwhere(~moas):
        members = np.flatnonzero(moas[:, moa])
        assert p[drug, moa] == pytest.approx(gamma.sf(close[drug, members].sum(), len(members)))
    assert (p[moas] == 1).all()


def test_nearness_p_is_valid_when_labels_say_nothing():
    rng = np.random.default_rng(1)
    points = rng.standard_t(2, size=(200, 5))
    close = map_of(points)
    p = []
    for _ in range(400):
        moas = np.zeros((200, 1), dtype=bool)
        moas[rng.choice(np.arange(1, 200), 8, replace=False)] = True
        p.append(nearness_p(close, moas)[0, 0])
    assert kstest(p, "uniform", alternative="greater").pvalue > 0.01


def planted():
    """A drug without the MoA, row 0, lies among its ten drugs."""
    rng = np.random.default_rng(2)
    points = rng.normal(size=(150, 6))
    points[:11] = 8 + 0.1 * rng.normal(size=(11, 6))
    moas = np.zeros((150, 3), dtype=bool)
    moas[1:11, 0] = moas[20:30, 1] = moas[40:50, 2] = True
    return points, moas


def test_the_planted_drug_is_proposed_and_nobody_else():
    points, moas = planted()
    drugs = pd.DataFrame({"drug": [f"d{i}" for i in range(150)], "moa": "other"})
    kept = np.vstack([np.zeros(150), np.ones(150), np.full(150, -1)]).astype(int)
    table = proposals(drugs, ["a", "b", "c"], map_of(points), moas, kept)
    good = table[table["q_value"] < 0.05]
    assert good[["drug", "proposed"]].to_numpy().tolist() == [["d0", "a"]]
    assert good["stability"].iloc[0] == 0.5
    assert good["evidence"].iloc[0] > 90


def test_false_discovery_rate_leaves_a_drug_s_own_moa_out():
    p = np.array([[1.0, 0.01], [0.02, 1.0]])
    q = false_discovery_rate(p, np.array([[True, False], [False, True]]))
    assert q == pytest.approx(np.array([[1.0, 0.02], [0.02, 1.0]]))


def test_partners_are_the_nearest_drugs_of_other_moas():
    drugs = pd.DataFrame({"drug": list("wxyz"), "moa": ["m", "m", "n", "o"]})
    association = np.array([[0, 0.9, 0.4, 0.7], [0.9, 0, 0, 0], [0.4, 0, 0, 0], [0.7, 0, 0, 0]])
    runs = np.array([[1, 1, 2, 1], [1, 2, 2, 0]])
    moas = membership(drugs["moa"], "whole").to_numpy()
    table = partners(["w"], drugs, moas, association, runs, neighbours=2)
    assert list(table["proposed"]) == ["z [o]", "y [n]"]
    assert list(table["evidence"]) == [70, 40]
    assert list(table["stability"]) == [1, 0]
    assert partners([], drugs, moas, association, runs, neighbours=2).empty


def test_partners_under_split_share_no_moa():
    drugs = pd.DataFrame({"drug": list("wxyz"), "moa": ["m|k", "m", "n", "k|o"]})
    association = np.array([[0, 0.9, 0.4, 0.7], [0.9, 0, 0, 0], [0.4, 0, 0, 0], [0.7, 0, 0, 0]])
    runs = np.ones((2, 4), dtype=int)
    for policy, expected in {"split": ["y [n]"], "whole": ["x [m]", "z [k|o]", "y [n]"]}.items():
        moas = membership(drugs["moa"], policy).to_numpy()
        assert list(partners(["w"], drugs, moas, association, runs, neighbours=3)["proposed"]) == expected


def test_partners_that_no_run_has_together_have_no_stability():
    drugs = pd.DataFrame({"drug": list("wx"), "moa": ["m", "n"]})
    association = np.array([[0, 0.9], [0.9, 0]])
    table = partners(["w"], drugs, np.eye(2, dtype=bool), association, np.array([[1, 0], [0, 1]]), neighbours=1)
    assert table["stability"].isna().tolist() == [True]
