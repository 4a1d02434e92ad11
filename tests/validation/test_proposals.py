"""The posterior on data whose truth is known: nothing on permuted labels, calibrated where labels are noisy."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from moamap.validation.nearness import views_of_compounds
from moamap.validation.proposals import (
    N_FOLDS,
    additional,
    cross_fit,
    honest,
    learn,
    learn_weights,
    null_counts,
    propose,
)

SIZES = [20, 14, 10, 8, 8, 6, 6, 5, 5, 5]
N = 160
TESTED = np.ones(len(SIZES), dtype=bool)


def screen(seed, strength):
    """Points, and the MoAs of some: the drugs of a MoA lie around a place of their own."""
    rng = np.random.default_rng(seed)
    label = np.concatenate([np.repeat(np.arange(len(SIZES)), SIZES), np.full(N - sum(SIZES), -1)])
    points = rng.normal(size=(N, 8))
    points[label >= 0] += strength * rng.normal(size=(len(SIZES), 8))[label[label >= 0]]
    return points, label[:, None] == np.arange(len(SIZES))


def posterior(points, moas, seed=0, none_prior=None, runs=0):
    found = {"only": honest(cdist(points, points))}
    return cross_fit(found, moas, TESTED, none_prior=none_prior, seed=seed, runs=runs)


@pytest.fixture(scope="module")
def permuted():
    """Stated probabilities and labels of 16 screens whose labels were dealt at random."""
    stated, truth = [], []
    for seed in range(16):
        points, moas = screen(seed, 2.0)
        dealt = moas[np.random.default_rng(seed + 1000).permutation(N)]
        stated.append(posterior(points, dealt, seed).posterior)
        truth.append(dealt)
    return np.concatenate(stated), np.concatenate(truth)


def test_on_permuted_labels_the_first_moa_is_right_as_often_as_the_largest(permuted):
    """No more: a label that leaks, as through the sizes of the other MoAs, would show here; nor less."""
    stated, truth = permuted
    hit = truth[np.arange(len(truth)), stated[:, :-1].argmax(axis=1)]
    expected = SIZES[0] / N
    error = np.sqrt(expected * (1 - expected) / len(hit))
    assert abs(hit.mean() - expected) < 3 * error


def test_on_permuted_labels_a_moa_has_the_probability_of_its_size(permuted):
    stated, truth = permuted
    for moa, size in enumerate(SIZES):
        assert stated[:, moa].mean() == pytest.approx(size / N, rel=0.15)
    own = stated[:, :-1][truth].mean()
    other = np.average([size / N for size in SIZES], weights=SIZES)
    assert own == pytest.approx(other, rel=0.05)  # what a drug's own MoA gets is what any of its size gets
    assert (stated[:, :-1].max(axis=1) >= 0.5).mean() < 0.002


def test_where_all_moas_are_alike_in_size_no_label_can_be_told_from_the_counts():
    """Were a drug's own MoA the only one to lose a member, its size would give it away."""
    rng, hits = np.random.default_rng(5), []
    for seed in range(10):
        moas = (rng.permutation(60) % 6)[:, None] == np.arange(6)
        found = {"only": honest(cdist(*[rng.normal(size=(60, 3))] * 2))}
        stated = cross_fit(found, moas, np.ones(6, dtype=bool), none_prior=None, seed=seed, runs=0).posterior
        hits.append(moas[np.arange(60), stated[:, :-1].argmax(axis=1)])
    assert abs(np.mean(hits) - 1 / 6) < 3 * np.sqrt(5 / 36 / 600)


def test_stated_probabilities_come_true_where_a_part_of_the_labels_is_noise():
    stated, truth = [], []
    for seed in range(12):
        points, moas = screen(seed, 2.0)
        rng, noisy = np.random.default_rng(seed), np.arange(N)
        some = np.flatnonzero(rng.random(N) < 0.4)
        noisy[some] = rng.permutation(some)
        stated.append(posterior(points, moas[noisy], seed).posterior[:, :-1])
        truth.append(moas[noisy])
    stated, truth = np.concatenate(stated).ravel(), np.concatenate(truth).ravel()
    for low, high in ((0.05, 0.15), (0.15, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 1)):
        mine = (stated >= low) & (stated < high)
        share = stated[mine].mean()
        assert abs(truth[mine].mean() - share) < 0.04 + 3 * np.sqrt(share * (1 - share) / mine.sum())
        assert mine.sum() > 30


def test_a_drug_s_posterior_does_not_depend_on_its_own_label():
    """Relabelled to a MoA whose sizes allow it, a drug of any fold keeps all but the drugs of its fold the same."""
    points, moas = screen(0, 2.0)
    found = posterior(points, moas)
    assert [model.representation for model in found.models] == ["only"] * N_FOLDS
    hidden = np.where((found.folds == 3)[:, None], False, moas)
    again = learn({"only": honest(cdist(points, points))}, hidden, TESTED, found.folds != 3, None, 0)
    assert again.logit.weights == pytest.approx(found.models[3].logit.weights)


def test_the_representation_that_retrieves_is_chosen():
    points, moas = screen(0, 2.0)
    noise = np.random.default_rng(0).normal(size=points.shape)
    found = {"noise": honest(cdist(noise, noise)), "good": honest(cdist(points, points))}
    chosen = cross_fit(found, moas, TESTED, none_prior=None, seed=0, runs=3)
    assert {model.representation for model in chosen.models} == {"good"}
    strong = chosen.posterior[:, :-1].max(axis=1) > 0.8
    assert chosen.stability[strong].mean() > 0.9 > chosen.stability[chosen.posterior[:, -1] > 0.9].mean()


def test_a_new_compound_among_the_drugs_of_a_moa_has_it_proposed():
    points, moas = screen(1, 3.0)
    model = learn_weights(honest(cdist(points, points)).views, moas, np.ones(N, dtype=bool), None, 0)
    new = np.stack([points[:20].mean(axis=0), np.full(8, 20.0)])
    found = propose(model, views_of_compounds(cdist(new, points), cdist(points, points)), moas)
    assert found.sum(axis=1) == pytest.approx(1)
    assert found[0].argmax() == 0 and found[0, 0] > 0.8
    rare = propose(model.with_none_prior(0.99, N), views_of_compounds(cdist(new, points), cdist(points, points)), moas)
    assert (rare[:, -1] > found[:, -1]).all()


def test_permuted_labels_give_no_proposals():
    points, moas = screen(1, 3.0)
    counts = null_counts(honest(cdist(points, points)).views, moas, None, 0)
    assert counts.max() <= 1 and len(counts) == 19


def test_an_additional_moa_is_never_the_drug_s_own():
    found = np.array([[0.6, 0.3, 0.0, 0.1], [0.2, 0.2, 0.2, 0.4], [0.1, 0.1, 0.1, 0.7]])
    members = np.array([[True, False, False], [False, False, False], [False, True, True]])
    shares, score = additional(found, members)
    assert shares[0] == pytest.approx([0, 0.75, 0]) and shares[2] == pytest.approx([0.125, 0, 0])
    assert score == pytest.approx([100, 200 / 3, 100 / 3])


@pytest.mark.parametrize("n_folds_with_a_moa", [1, 2])
def test_a_moa_that_a_fold_does_not_see_is_no_error(n_folds_with_a_moa):
    points = np.random.default_rng(0).normal(size=(12, 2))
    moas = np.zeros((12, 2), dtype=bool)
    moas[: 1 + n_folds_with_a_moa, 0] = moas[5:8, 1] = True
    found = {"only": honest(cdist(points, points))}
    stated = cross_fit(found, moas, np.ones(2, dtype=bool), none_prior=None, seed=0, runs=2).posterior
    assert stated.sum(axis=1) == pytest.approx(1)
