import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from moamap.validation.reliability import reliability, wilson

OWN = np.array([0, 0, 0, 1, 1, 2])
MEMBERS = np.vstack([OWN[:, None] == np.arange(3), np.zeros((4, 3), dtype=bool)])


def test_wilson_is_statsmodels_interval():
    for hits, n in ((0, 5), (3, 17), (17, 17)):
        assert wilson(hits, n) == pytest.approx(proportion_confint(hits, n, method="wilson"))


def stated(right):
    """The first drugs' own MoA has .6; the others are said to be of the last MoA with .3."""
    found = np.tile([0.05, 0.04, 0.3, 0.61], (10, 1))
    for row in range(right):
        found[row] = 0.1
        found[row, OWN[row]] = 0.6
    return found


def test_claims_are_pooled_by_what_was_stated():
    table = reliability(stated(4), MEMBERS, np.zeros(19)).set_index("quantity")
    claims = table.loc["claims of 0.5 to 0.65"]
    assert (claims["n"], claims["stated"], claims["observed"]) == (4, pytest.approx(0.6), 1.0)
    assert table.loc["claims of 0.2 to 0.35", ["n", "observed"]].tolist() == [6, 1 / 6]
    assert table.filter(like="claims", axis=0)["n"].sum() == MEMBERS.size
    assert "claims of 0.8 to 1" not in table.index


def test_accuracy_stands_beside_the_guesses():
    table = reliability(stated(4), MEMBERS, np.zeros(19)).set_index(["over", "quantity"])
    first = table.loc[("drugs with a candidate MoA", "top-1")]
    assert (first["n"], first["observed"], first["largest_moa"]) == (6, 5 / 6, 3 / 6)  # the last drug is right by luck
    assert first["random"] == pytest.approx(1 / 3)
    gains = np.array([0, 0, 0, 1, 0, 1])
    assert first["gain"] == pytest.approx(gains.mean())
    assert first["gain_high"] - first["gain"] == pytest.approx(1.959964 * gains.std() / np.sqrt(6))
    everyone = table.loc[("all annotated drugs", "top-1")]
    assert (everyone["n"], everyone["observed"]) == (10, 0.5)
    assert table.loc[("drugs with a candidate MoA", "top-3"), ["observed", "largest_moa", "random"]].tolist() == [1] * 3


def test_proposals_are_counted_beside_permuted_labels():
    table = reliability(stated(4), MEMBERS, np.array([0, 1] * 9 + [4])).set_index("quantity")
    counted = table.loc["proposals at 0.5 or more"]
    assert (counted["observed"], counted["null_mean"]) == (4, pytest.approx(13 / 19))
    assert counted["p_value"] == 2 / 20
