import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform

from moamap.connections.distances import association
from moamap.core.errors import InputError
from moamap.profiles.annotation import name_problems
from moamap.report import query as report_query

PLACES = {"Abacavir": 0.0, "bepridil": 1.0, "caffeine": 3.0, "digoxin": 7.0, "estradiol": 15.0}
COMMUNITIES = pd.DataFrame(
    {"drug": list(PLACES), "moa": ["m", "n", "n", "m", "m"], "community": [1, 2, 1, 2, 1]},
)
DISTANCE = pdist(np.array(list(PLACES.values()))[:, None])


def query(names, communities, every, **options):
    """The query, from all distances, in condensed order."""
    known = [list(communities["drug"]).index(name) for name in names if name in set(communities["drug"])]
    tables = squareform(every)[known], squareform(association(every))[known]
    return report_query.query(names, communities, *tables, **options)


def rows(table, name, relation):
    found = table[(table["queried"] == name) & (table["relation"] == relation)]
    return list(zip(found["drug"], found["rank"], found["distance"], strict=True))


def test_the_drug_itself_comes_first():
    table = query(["caffeine"], COMMUNITIES, DISTANCE)
    assert rows(table, "caffeine", "self") == [("caffeine", 0, 0.0)]
    assert table["relation"][0] == "self" and np.isnan(table["association"][0])


@pytest.mark.parametrize(
    ("name", "fellows"),
    [
        ("Abacavir", [("caffeine", 2, 3.0), ("estradiol", 4, 15.0)]),
        ("bepridil", [("digoxin", 3, 6.0)]),
        ("estradiol", [("caffeine", 2, 12.0), ("Abacavir", 4, 15.0)]),
    ],
)
def test_fellows_are_the_other_members_from_near_to_far(name, fellows):
    assert rows(query([name], COMMUNITIES, DISTANCE), name, "fellow") == fellows


@pytest.mark.parametrize("neighbours", [1, 3, 4, 10])
def test_neighbours_are_the_nearest_drugs(neighbours):
    table = query(["caffeine"], COMMUNITIES, DISTANCE, neighbours=neighbours)
    nearest = [("bepridil", 1, 2.0), ("Abacavir", 2, 3.0), ("digoxin", 3, 4.0), ("estradiol", 4, 12.0)]
    assert rows(table, "caffeine", "neighbour") == nearest[:neighbours]


def test_every_two_queried_drugs_make_a_pair_row():
    table = query(["Abacavir", "digoxin", "estradiol"], COMMUNITIES, DISTANCE)
    pairs = table[table["relation"] == "pair"].set_index(["queried", "drug"])
    assert pairs.index.tolist() == [("Abacavir", "digoxin"), ("Abacavir", "estradiol"), ("digoxin", "estradiol")]
    assert pairs["rank"].tolist() == [3, 4, 4]
    assert pairs["distance"].tolist() == [7.0, 15.0, 8.0]
    assert pairs["shares_community"].tolist() == [False, True, False]


def test_rank_association_and_community_against_brute_force():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 4))
    communities = pd.DataFrame({"drug": [f"d{i}" for i in range(30)], "moa": "m", "community": rng.integers(1, 5, 30)})
    every = pdist(x)
    table = query(["d3", "d17", "d8"], communities, every, neighbours=7)
    for row in table[table["relation"] != "self"].itertuples():
        a, b = int(row.queried[1:]), int(row.drug[1:])
        assert row.distance == pytest.approx(np.linalg.norm(x[a] - x[b]), rel=1e-12)
        to_all = squareform(every)[a]
        assert row.rank == (to_all < row.distance).sum()  # the drug itself is one of the nearer ones
        assert row.association == pytest.approx((every > row.distance).sum() / (len(every) - 1), abs=1e-12)
        assert row.shares_community == (communities["community"][a] == communities["community"][b])
        assert row.community == communities["community"][b]


def test_chance_of_sharing_is_on_every_row():
    table = query(["Abacavir"], COMMUNITIES, DISTANCE)
    assert table["chance_of_sharing"].tolist() == [(3 + 1) / 10] * len(table)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("cafeine", "; nearest: caffeine"), ("ABACAVIR", "; nearest: Abacavir"), ("zzz", "")],
)
def test_an_unknown_name_is_refused_with_suggestions(name, hint):
    with pytest.raises(InputError) as caught:
        query(["digoxin", name], COMMUNITIES, DISTANCE)
    assert str(caught.value) == f"query: no drug named {name!r} among the 5 drugs with a MoA{hint}"


def test_known_names_pass():
    assert not list(name_problems(list(PLACES), COMMUNITIES["drug"]))
    assert not list(name_problems([], COMMUNITIES["drug"]))
