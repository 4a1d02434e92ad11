import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from moamap.core.labels import membership
from moamap.validation.candidates import COLUMNS, annotated, evidence, in_reading_order, listed, partners, placed
from moamap.validation.logit import Logit
from moamap.validation.proposals import Model, Proposed, honest

NAMES = ["a", "b", "c"]


def test_the_first_moas_are_listed_and_a_share_of_0_is_not():
    shares = np.array([[0.2, 0.7, 0.1], [0.0, 0.0, 0.4]])
    table = listed(shares, NAMES, probable=True)
    assert table.loc[0, ["moa_1", "moa_2", "moa_3"]].tolist() == ["b", "a", "c"]
    assert table.loc[0, ["probability_1", "probability_2"]].tolist() == [0.7, 0.2]
    assert table.loc[1, "moa_1"] == "c" and table.loc[1, ["moa_2", "probability_2", "moa_4"]].isna().all()
    assert listed(shares, NAMES, probable=False)["probability_1"].isna().all()


def test_the_evidence_names_the_nearest_members_with_their_ranks():
    shares = np.array([[0.75, 0.25, 1.0, 0.5]])
    members = np.array([[True, False], [False, True], [True, False], [True, False]])
    assert evidence(np.array([0]), shares, members, list("wxyz"), own=False) == [
        "nearest of its drugs: z (rank 2), w (rank 3), y (rank 4)"
    ]


@pytest.fixture
def drugs():
    """Ten drugs on a line, of three MoAs, and a posterior."""
    points = np.arange(10.0)[:, None] ** 1.1
    moa = list("aaabbbcccd")
    members = np.array(moa)[:, None] == np.array(NAMES)
    rng = np.random.default_rng(0)
    posterior = rng.dirichlet(np.full(4, 0.5), size=10)
    posterior[0] = [0.8, 0.1, 0.05, 0.05]
    model = Model("only", Logit(np.ones(4), 0.0, 0.0, 0.1))
    proposed = Proposed(posterior, np.linspace(0, 1, 10), [model], np.zeros(10, dtype=int))
    names = pd.DataFrame({"drug": [f"d{i}" for i in range(10)], "moa": moa})
    return names, proposed, {"only": honest(cdist(points, points))}, members


def test_an_annotated_drug_has_a_hidden_and_an_additional_moa(drugs):
    names, proposed, found, members = drugs
    table = annotated(names, proposed, found, members, NAMES)
    first = table[table["drug"] == "d0"].set_index("kind")
    assert first.loc["hidden MoA", ["known_moa", "moa_1", "called"]].tolist() == ["a", "a", "proposal"]
    assert first.loc["hidden MoA", "probability_1"] == 0.8 and first.loc["hidden MoA", "none_of_these"] == 0.05
    assert first.loc["hidden MoA", "evidence"] == "nearest of its drugs: d1 (rank 1), d2 (rank 2)"
    assert first.loc["additional MoA", ["moa_1", "called"]].tolist() == ["b", "ranked list"]
    further = table[table["kind"] == "additional MoA"]
    assert (further["moa_1"] != further["known_moa"]).all()
    assert further["rank_score"].max() == 100 and further.filter(like="probability").isna().all(axis=None)
    hidden = table[table["kind"] == "hidden MoA"]
    assert ((hidden["called"] == "proposal") == (hidden["probability_1"] >= 0.5)).all() and len(hidden) == 10


def test_proposals_come_first_and_compounds_without_a_moa_before_the_others(drugs):
    names, proposed, found, members = drugs
    known = annotated(names, proposed, found, members, NAMES)
    posterior = np.array([[0.1, 0.2, 0.3, 0.4], [0.9, 0.0, 0.0, 0.1]])
    shares = np.tile(np.arange(1, 11) / 10, (2, 1))
    new = placed(pd.Series(["p", "q"]), posterior, shares, members, NAMES, list(names["drug"]))
    table = in_reading_order(pd.concat([known, new.rename(columns={"compound": "drug"})], ignore_index=True))
    assert list(table) == COLUMNS
    assert table.loc[0, ["drug", "kind", "moa_1", "called"]].tolist() == ["q", "unannotated", "a", "proposal"]
    assert table.loc[0, "evidence"] == "nearest of its drugs: d0 (rank 1), d1 (rank 2), d2 (rank 3)"
    called = (table["called"] == "proposal").to_numpy()
    assert called[: called.sum()].all() and (table["probability_1"][called] >= 0.5).all()
    rest = table[~called]
    assert rest["drug"].iloc[0] == "p"
    assert rest["kind"].drop_duplicates().tolist() == ["unannotated", "additional MoA", "hidden MoA"]
    assert rest.loc[rest["kind"] == "additional MoA", "rank_score"].is_monotonic_decreasing


def test_partners_are_the_nearest_drugs_of_other_moas():
    drugs = pd.DataFrame({"drug": list("wxyz"), "moa": ["m", "m", "n", "o"]})
    association = np.array([[0, 0.9, 0.4, 0.7], [0.9, 0, 0, 0], [0.4, 0, 0, 0], [0.7, 0, 0, 0]])
    runs = np.array([[1, 1, 2, 1], [1, 2, 2, 0]])
    moas = membership(drugs["moa"], "whole").to_numpy()
    table = partners(["w"], drugs, moas, association[:1], runs, neighbours=2)
    assert list(table["partner"]) == ["z [o]", "y [n]"]
    assert list(table["evidence"]) == [f"nearer than {share}% of all pairs of drugs" for share in ("70.0", "40.0")]
    assert list(table["stability"]) == [1, 0]
    assert partners([], drugs, moas, association[:0], runs, neighbours=2).empty


def test_partners_under_split_share_no_moa():
    drugs = pd.DataFrame({"drug": list("wxyz"), "moa": ["m|k", "m", "n", "k|o"]})
    association = np.array([[0, 0.9, 0.4, 0.7], [0.9, 0, 0, 0], [0.4, 0, 0, 0], [0.7, 0, 0, 0]])
    runs = np.ones((2, 4), dtype=int)
    for policy, expected in {"split": ["y [n]"], "whole": ["x [m]", "z [k|o]", "y [n]"]}.items():
        moas = membership(drugs["moa"], policy).to_numpy()
        assert list(partners(["w"], drugs, moas, association[:1], runs, neighbours=3)["partner"]) == expected


def test_partners_that_no_run_has_together_have_no_stability():
    drugs = pd.DataFrame({"drug": list("wx"), "moa": ["m", "n"]})
    association = np.array([[0, 0.9], [0.9, 0]])
    table = partners(["w"], drugs, np.eye(2, dtype=bool), association[:1], np.array([[1, 0], [0, 1]]), neighbours=1)
    assert table["stability"].isna().tolist() == [True]
