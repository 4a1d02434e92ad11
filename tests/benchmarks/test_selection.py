import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import average_precision_score

from discarded import held_out_score, itml_select
from moamap.representations.paper import itml

QUICK, USELESS = {"n_constraints": 60}, {"n_constraints": 1, "gamma": 1e-6}


@pytest.fixture(scope="module")
def screen():
    """Eight MoAs that differ in three features, under twelve features of strong nuisance."""
    rng = np.random.default_rng(0)
    moas = np.repeat(np.eye(8, dtype=bool), 9, axis=0)
    x = np.hstack(
        [rng.normal(size=(72, 3)) + 2 * rng.normal(size=(8, 3))[moas.argmax(axis=1)], 4 * rng.normal(size=(72, 12))]
    )
    return x, moas


def test_held_out_score_by_scikit_learn(screen):
    x, moas = screen
    folds = np.arange(72) % 3
    scores = []
    for fold in range(3):
        held = np.flatnonzero(folds == fold)
        embedded = itml(x[folds != fold], moas[folds != fold], **QUICK).transform(x[held])
        near, labels = -cdist(embedded, embedded), moas[held].argmax(axis=1)
        for i in range(len(held)):
            others = np.arange(len(held)) != i
            scores.append(average_precision_score((labels == labels[i])[others], near[i, others]))
    assert held_out_score(x, moas, folds, QUICK) == pytest.approx(np.mean(scores))


def test_the_better_candidate_is_taken_and_said(screen):
    learned = itml_select(*screen, grid=[USELESS, QUICK])
    assert learned.notes["selected"] == {"seed": 0, **QUICK}
    scores = {entry["n_constraints"]: entry["map"] for entry in learned.notes["held_out_map"]}
    assert scores[60] > scores[1]
    assert np.array_equal(learned.components, itml(*screen, **QUICK).components)


def test_the_choice_does_not_look_at_drugs_that_are_not_given(screen):
    x, moas = screen
    other = x.copy()
    other[60:] += 100
    kept = np.arange(72) < 60
    first, second = (itml_select(rows[kept], moas[kept], grid=[USELESS, QUICK]) for rows in (x, other))
    assert first.notes == second.notes
