import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from moamap.validation.logit import RIDGE, RIDGE_OTHERS, Logit, fit


def test_probabilities_are_those_of_the_logit_and_sum_to_one():
    scores = np.array([[[1.0, 0.0], [0.0, 2.0]]])
    found = Logit(np.array([0.5, -1.0]), 0.3, 0.2, 0.4).posterior(scores)[0]
    weights, sizes = np.exp([0.5, -2.0, 0.3]), np.array([np.e, 1]) / (np.e + 1)
    assert found == pytest.approx(0.8 * weights / weights.sum() + 0.2 * np.array([*0.6 * sizes, 0.4]))


def test_the_fit_is_that_of_the_plain_likelihood_without_derivatives():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(150, 2, 1))
    chosen = rng.integers(3, size=150)
    chosen[:90] = scores[:90, :, 0].argmax(axis=1)
    none_share = (chosen == 2).mean()

    def loss(w):
        total = RIDGE * w[0] ** 2 / 2 + RIDGE_OTHERS * (w[1] ** 2 + w[2] ** 2) / 2
        for (first, second), choice in zip(scores[:, :, 0], chosen, strict=True):
            by_score = np.exp([w[0] * first, w[0] * second, w[1]])
            by_size = np.exp([first, second]) / (np.exp(first) + np.exp(second)) * (1 - none_share)
            lapse = 1 / (1 + np.exp(-w[2]))
            p = (1 - lapse) * by_score / by_score.sum() + lapse * np.array([*by_size, none_share])
            total -= np.log(p[choice]) / 150
        return total

    found = fit(scores, np.eye(3)[chosen])
    oracle = minimize(loss, [1, 0, -1], method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-9}).x
    assert [found.weights[0], found.none] == pytest.approx(oracle[:2], abs=5e-3)
    assert found.lapse == pytest.approx(1 / (1 + np.exp(-oracle[2])), abs=2e-3)


def test_the_weights_that_made_the_choices_are_found():
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(6000, 6, 2))
    share = Logit(np.array([1.0, 1.5]), 1.5, 0.0, 0.0).posterior(scores)[:, -1].mean()
    truth = Logit(np.array([1.0, 1.5]), 1.5, 0.3, share)
    drawn = np.array([rng.choice(7, p=p) for p in truth.posterior(scores)])
    found = fit(scores, np.eye(7)[drawn])
    assert [*found.weights, found.none] == pytest.approx([1.0, 1.5, 1.5], abs=0.25)
    assert found.lapse == pytest.approx(0.3, abs=0.05)


def test_the_fit_is_a_maximum_and_rows_of_zeros_do_not_count():
    rng = np.random.default_rng(2)
    scores, target = rng.normal(size=(80, 3, 2)), np.eye(4)[rng.integers(4, size=80)]
    target[:20] = 0
    found = fit(scores, target)
    again = fit(np.concatenate([scores, 5 * scores[:20]]), np.concatenate([target, target[:20]]))
    assert again.weights == pytest.approx(found.weights, abs=2e-3)  # the ridge is relative to the number of rows

    def log_likelihood(w):
        model = Logit(w[:2], w[2], w[3], found.none_share)
        return (target * np.log(model.posterior(scores) + (target == 0))).sum() / 80 - RIDGE * (w[:2] ** 2).sum() / 2

    slope = approx_fprime([*found.weights, found.none, found.lapse], log_likelihood)
    assert slope[:3] == pytest.approx(0, abs=2e-4)
    assert slope[3] < 2e-3  # at most as many lapses as there are: none here is at the edge


def test_another_prior_of_none_shifts_the_odds():
    model, scores = Logit(np.array([1.0]), 0.5, 0.0, 0.5), np.array([[[0.2], [1.0]]])
    before, after = (each.posterior(scores)[0] for each in (model, model.with_none_prior(0.8, 100)))
    assert after[2] / after[0] == pytest.approx(4 * before[2] / before[0])
    assert after[1] / after[0] == pytest.approx(before[1] / before[0])
    assert np.isfinite(Logit(np.array([1.0]), 0.5, 0.0, 0.0).with_none_prior(0.8, 100).none)
