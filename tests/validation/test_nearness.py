"""The scores of a drug and a MoA, against plain counting and exhaustive draws."""

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from moamap.validation.nearness import KERNEL, left_out, scores, sum_p, views_of_compounds, views_of_drugs
from moamap.validation.retrieval import rank


def views(points):
    everyone = np.arange(len(points))
    return views_of_drugs(rank(cdist(points, points), everyone, everyone))


def share_seen(points, of, by):
    """Rank share of a point among all others as seen by another, counted plainly."""
    others = [j for j in range(len(points)) if j != by]
    distance = np.linalg.norm(points - points[by], axis=1)
    return sum(distance[j] <= distance[of] for j in others) / len(others)


def test_a_new_compound_is_seen_as_if_it_were_one_of_the_drugs():
    points = np.random.default_rng(0).normal(size=(20, 3))
    drugs, new = points[:-1], points[-1:]
    found = views_of_compounds(cdist(new, drugs), cdist(drugs, drugs))
    all_of_them = views(points)
    assert found.shares[0] == pytest.approx(all_of_them.shares[-1, :-1])
    assert found.kernel[0] == pytest.approx(all_of_them.kernel[-1, :-1])
    assert found.shares[0, 4] == pytest.approx(share_seen(points, 4, 19))
    seen = share_seen(points, 19, 4)
    assert found.kernel[0, 4] == pytest.approx(1 / (found.shares[0, 4] + KERNEL) + 1 / (seen + KERNEL))
    assert found.n_others == all_of_them.n_others == 19


def test_a_hub_is_near_to_nobody_on_average():
    seen = views(np.random.default_rng(1).standard_t(2, size=(60, 4)))
    near = -np.log(seen.shares)
    assert (near + near.T).sum(axis=1).std() / 2 / 59 > 0.2  # there are hubs
    assert seen.centred.sum(axis=1) / 59 == pytest.approx(0, abs=0.02)
    assert seen.centred == pytest.approx(seen.centred.T)


def test_one_member_of_each_moa_is_left_out_and_the_drug_itself_of_its_own():
    members = np.zeros((300, 3), dtype=bool)
    members[:6, 0] = members[4:12, 1] = members[20:22, 2] = True
    out = left_out(members, np.random.default_rng(0))
    own = np.argwhere(members)
    assert (out[own[:, 0], own[:, 1]] == own[:, 0]).all()
    assert members[out, np.arange(3)].all()
    assert set(out[12:, 1]) == set(range(4, 12))  # any member may be the one


def test_scores_are_those_of_the_members_that_count():
    rng = np.random.default_rng(2)
    points, members = rng.normal(size=(25, 3)), np.zeros((25, 2), dtype=bool)
    members[:7, 0] = members[5:15, 1] = True
    seen, out = views(points), left_out(members, rng)
    found = scores(seen, members, out)
    for drug, moa in ((0, 0), (0, 1), (20, 1)):
        counted = [j for j in np.flatnonzero(members[:, moa]) if j != out[drug, moa]]
        others, k = [j for j in range(25) if j != drug], len(counted)
        density = seen.kernel[drug, counted].mean() / seen.kernel[drug, others].mean()
        nearest = 1 - (1 - min(share_seen(points, j, drug) for j in counted)) ** k
        total = seen.centred[drug, counted].sum()
        drawn = rng.permuted(np.tile(seen.centred[drug, others], (20000, 1)), axis=1)[:, :k].sum(axis=1)
        expected = [np.log(k + 1), np.log(density), found[drug, moa, 2], -np.log(nearest)]
        assert found[drug, moa] == pytest.approx(expected)
        assert np.exp(-found[drug, moa, 2]) == pytest.approx((drawn >= total).mean(), abs=0.02)


def test_p_of_a_sum_agrees_with_all_draws():
    values = -np.log(np.arange(1, 16) / 15)
    draws = np.array([values[list(some)].sum() for some in combinations(range(15), 4)])
    totals = np.quantile(draws, [0.1, 0.5, 0.9, 0.99])
    exact = [(draws >= total).mean() for total in totals]
    found = sum_p(totals[None], np.full(4, 4), values[None], 15)[0]
    assert found == pytest.approx(exact, abs=0.01)
