"""Lifts and differences resampled over MoAs: against bootstrapping by hand, and their coverage on a known truth."""

import numpy as np
import pytest
from scipy.stats import binom

from moamap.core.names import CROSSFIT, IN_SAMPLE, LABEL_FREE, MAP, MAP_BY_MOA
from moamap.validation.comparisons import comparisons, lift_interval

SIZES = np.array([9, 2, 4, 3, 3, 7, 2, 5, 2, 30])


def screen(seed=0, n=10):
    rng = np.random.default_rng(seed)
    hard = rng.random(n)  # what a MoA has in common in both
    null = 0.01 + 0.05 * rng.random(n)
    return [(0.1 + hard + 0.01 * rng.random(n), null), (0.1 + hard + 0.01 * rng.random(n), null)]


def test_differences_against_a_bootstrap_by_hand():
    (one, null), (other, _) = screen()
    one[3] = other[3] = np.nan
    table = comparisons({("a", LABEL_FREE): (one, null), ("b", CROSSFIT): (other, null)}, SIZES)
    assert table["quantity"].tolist() == [MAP, MAP_BY_MOA]
    assert set(table["moas"]) == {9}
    rng, known = np.random.default_rng(1), np.flatnonzero(~np.isnan(one))
    for row, weights in zip(table.itertuples(), (SIZES, np.ones(10)), strict=True):
        drawn = []
        for _ in range(4000):
            mine = rng.choice(known, len(known))
            drawn.append(np.average(one[mine] - other[mine], weights=weights[mine]))
        low, high = np.quantile(drawn, [0.025, 0.975])
        assert row.difference == pytest.approx(np.average((one - other)[known], weights=weights[known]), rel=1e-12)
        assert row.gain - row.other_gain == pytest.approx(row.difference, rel=1e-9)
        assert abs(row.low - low) < 0.12 * (high - low) and abs(row.high - high) < 0.12 * (high - low)


def test_what_is_hard_for_both_cancels():
    """Gains vary between MoAs a hundred times as much as the differences: the interval is of the differences."""
    (one, null), (other, _) = screen()
    row = comparisons({("a", LABEL_FREE): (one, null), ("b", LABEL_FREE): (other, null)}, SIZES).iloc[0]
    assert row["high"] - row["low"] < 0.02 < 0.1 * np.std(one)


def test_only_where_neither_drug_was_trained_on_and_each_pair_once():
    (one, null), (other, _) = screen()
    given = {("a", LABEL_FREE): (one, null), ("b", IN_SAMPLE): (other, null), ("b", CROSSFIT): (other, null)}
    table = comparisons(given | {("c", LABEL_FREE): (one, null)}, SIZES)
    pairs = table.loc[table["quantity"] == MAP, ["representation", "other", "other_scored"]].to_numpy().tolist()
    assert pairs == [["a", "b", CROSSFIT], ["a", "c", LABEL_FREE], ["b", "c", LABEL_FREE]]
    assert comparisons({("a", LABEL_FREE): (one, null)}, SIZES).empty


def test_intervals_hold_the_truth_as_often_as_they_say():
    """60 MoAs of unequal size; the true difference is 0.02. A percentile interval of so many may be a little short."""
    rng, held = np.random.default_rng(0), {MAP: 0, MAP_BY_MOA: 0}
    for _ in range(200):
        difference = 0.02 + 0.05 * rng.normal(size=60)
        given = {("a", LABEL_FREE): (difference, np.zeros(60)), ("b", LABEL_FREE): (np.zeros(60), np.zeros(60))}
        for row in comparisons(given, rng.integers(2, 6, 60)).itertuples():
            held[row.quantity] += row.low <= 0.02 <= row.high
    for count in held.values():
        assert count >= binom.ppf(0.001, 200, 0.93)
        assert count <= binom.ppf(0.999, 200, 0.96)


def test_the_lift_of_equal_moas_has_no_width_and_of_one_large_moa_much():
    null = np.full(10, 0.02)
    assert lift_interval(3 * null, null, SIZES) == pytest.approx((3, 3))
    observed = null.copy()
    observed[-1] = 0.4
    low, high = lift_interval(observed, null, SIZES)
    assert low == pytest.approx(1) and high > 8
    assert np.isnan(lift_interval(np.full(10, np.nan), null, SIZES)).all()
