import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from moamap.core.labels import label_sets
from moamap.representations.alternatives import replicates
from moamap.representations.wells import Wells
from moamap.validation.procedure import Procedure
from moamap.validation.stability import PREFERENCES, agreement, companionship, perturbations, rerun, summary


@pytest.fixture(scope="module")
def screen():
    rng = np.random.default_rng(0)
    moas = np.repeat(np.eye(6, dtype=bool), 10, axis=0)
    x = rng.normal(size=(60, 8)) + 6 * rng.normal(size=(6, 8))[moas.argmax(axis=1)]
    return x, moas


def test_perturbations_change_one_thing_each(screen):
    x, moas = screen
    procedure = Procedure(x, moas.any(axis=0), "itml", {"n_constraints": 5})
    changes = list(perturbations(procedure, 3, 7))
    kinds = [change.kind for change in changes]
    assert kinds == ["seed"] * 3 + ["subsample"] * 3 + ["preference"] * len(PREFERENCES)
    assert len({change.procedure.parameters["seed"] for change in changes[:3]}) == 3
    assert all(len(change.rows) == 48 == len(change.procedure.x) for change in changes[3:6])
    assert all(change.procedure is procedure for change in changes[6:])


@pytest.mark.parametrize(("method", "crossfitted"), [("raw", False), ("itml", False), ("itml", True)])
def test_clear_communities_are_stable(screen, method, crossfitted):
    x, moas = screen
    procedure = Procedure(x, moas.any(axis=0), method)
    truth = moas.argmax(axis=1) + 1
    for change in perturbations(procedure, 2, 0):
        squared, numbers = rerun(change, moas, label_sets(moas), crossfitted)
        assert squared.shape == (len(change.rows), len(change.rows))
        assert (numbers > 0).sum() == len(change.rows)
        if change.kind != "preference":
            assert agreement(truth, numbers) > 0.9


def test_a_higher_preference_gives_no_fewer_communities(screen):
    x, moas = screen
    counts = {
        change.value: rerun(change, moas, label_sets(moas), False)[1].max()
        for change in perturbations(Procedure(x, moas.any(axis=0), "raw"), 0, 0)
    }
    # preferences are negative: half the median is the higher one
    assert counts[0.5] >= counts[2.0]


def test_the_agreement_without_singletons_is_that_of_the_drugs_that_were_not_alone():
    reference, numbers = np.array([1, 1, 1, 2, 2, 3, 4, 5]), np.array([1, 1, 2, 3, 3, 2, 0, 4])
    row = summary(reference, {"kinds": ["seed"], "values": [1], "runs": [numbers]}, []).iloc[0]
    assert row["adjusted_rand_without_singletons"] == adjusted_rand_score(reference[:5], numbers[:5])
    assert row["adjusted_rand"] == adjusted_rand_score(np.delete(reference, 6), np.delete(numbers, 6))
    assert row["adjusted_rand"] != row["adjusted_rand_without_singletons"]


def test_agreement_is_the_adjusted_rand_index_of_those_in_both():
    a, b = np.array([1, 1, 2, 2, 3]), np.array([1, 1, 2, 1, 0])
    assert agreement(a, b) == adjusted_rand_score(a[:4], b[:4])


def test_companionship_by_hand():
    reference = np.array([1, 1, 1, 2])
    runs = np.array([[1, 1, 2, 1], [1, 0, 1, 2]])
    kept = companionship(reference, runs)
    # drug 0: run 1 keeps 1 of 2, run 2 has drug 2 only and keeps it
    assert kept[0] == pytest.approx((0.5 + 1) / 2)
    assert kept[1] == pytest.approx(0.5)  # it is left out of run 2
    assert kept[2] == pytest.approx((0 + 1) / 2)
    assert np.isnan(kept[3])  # it was alone


def test_summary_says_how_often_the_queried_drugs_are_together():
    stored = {"kinds": ["seed", "seed"], "values": [1, 2], "runs": np.array([[1, 1, 2], [1, 2, 0]])}
    table = summary(np.array([1, 1, 2]), stored, [0, 1])
    assert list(table["query_together"]) == [1, 0]
    assert list(table["chance_of_sharing"]) == pytest.approx([1 / 3, 0])
    assert summary(np.array([1, 1, 2]), stored, [0])["query_together"].isna().all()


def test_a_run_with_nothing_to_learn_from_leaves_empty_cells():
    """Three drugs of three MoAs have no similar pair."""
    moas = np.eye(3, dtype=bool)[[0, 1, 2]]
    procedure = Procedure(np.random.default_rng(0).normal(size=(3, 2)), moas.any(axis=0), "itml")
    changes = list(perturbations(procedure, 1, 0))
    runs = [rerun(change, moas, label_sets(moas), False) for change in changes]
    assert all(squared is None and not numbers.any() for squared, numbers in runs)
    stored = {"kinds": [c.kind for c in changes], "values": [c.value for c in changes], "runs": [n for _, n in runs]}
    table = summary(np.array([1, 1, 2]), stored, [0, 1])
    empty = [
        "n_communities",
        "adjusted_rand",
        "adjusted_rand_without_singletons",
        "query_together",
        "chance_of_sharing",
    ]
    assert table[empty].isna().all(axis=None)
    assert np.isnan(companionship(np.array([1, 1, 2]), np.array(stored["runs"]))).all()


def test_counts_of_communities_are_whole_numbers_beside_an_empty_cell():
    stored = {"kinds": ["seed", "seed"], "values": [1, 2], "runs": np.array([[1, 1, 2], [0, 0, 0]])}
    lines = summary(np.array([1, 1, 2]), stored, []).to_csv(index=False).splitlines()
    assert lines[1].startswith("seed,1.0,2,") and lines[2].startswith("seed,2.0,,")


def test_a_subsample_keeps_the_wells_of_its_drugs():
    rng = np.random.default_rng(0)
    x, drugs = rng.normal(size=(20, 6)), np.repeat(np.arange(20), 3)
    wells = Wells(np.repeat(x, 3, axis=0) + rng.normal(size=(60, 6)), drugs, drugs)
    procedure = Procedure(x, np.ones(4, dtype=bool), "replicates", wells=wells)
    runs = [change for change in perturbations(procedure, 2, 0) if change.kind == "subsample"]
    for change in runs:
        mine = np.isin(drugs, change.rows)
        np.testing.assert_array_equal(change.procedure.wells.x, wells.x[mine])
        np.testing.assert_array_equal(change.rows[change.procedure.wells.drugs], drugs[mine])
        expected = Wells(wells.x[mine], *[np.unique(drugs[mine], return_inverse=True)[1]] * 2)
        found = change.procedure.learn(change.procedure.x, None).components
        np.testing.assert_allclose(found, replicates(x[change.rows], None, expected).components)
    assert len(runs) == 2 and not np.array_equal(runs[0].rows, runs[1].rows)
