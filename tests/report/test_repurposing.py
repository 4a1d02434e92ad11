from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from _files import read_table, write_table
from moamap.core.errors import InputError
from moamap.report.repurposing import repurposing
from repurposing import list_companions

NAMES = ["abacavir", "bepridil", "caffeine", "digoxin", "estradiol"]
COMMUNITIES = pd.DataFrame({"drug": NAMES, "moa": list("mnnmm"), "community": [1, 1, 1, 2, 2]})
STORED = {
    "kinds": np.array(["seed", "seed", "subsample", "subsample", "preference"]),
    "runs": np.array([[1, 1, 2, 2, 2], [0, 0, 0, 0, 0], [1, 0, 2, 1, 2], [0, 1, 2, 2, 1], [1, 1, 1, 1, 1]]),
}
DETAILS = pd.DataFrame(
    {"pert_iname": ["digoxin", "zinc", "digoxin"], "target": ["ATP1A1", None, "x"], "clinical_phase": "Launched"}
)
NOTHING = DETAILS[:0]


def test_by_hand():
    """Abacavir takes part in the first and third run; in the first a pair in 4 of 10 shares, in the third 2 of 6."""
    table = repurposing(["abacavir"], COMMUNITIES, STORED, DETAILS).set_index("drug")
    assert list(table.index) == ["bepridil", "digoxin", "caffeine"]  # estradiol: never, and not in the study
    assert table["runs_together"].tolist() == [1, 1, 0] and table["runs"].tolist() == [1, 2, 2]
    assert table["share"].tolist() == [1, 0.5, 0]
    assert table["chance"].tolist() == pytest.approx([4 / 10, (4 / 10 + 2 / 6) / 2, (4 / 10 + 2 / 6) / 2])
    assert table["same_community_in_the_study"].tolist() == [True, False, True]
    assert table.loc["digoxin", ["moa", "target", "clinical_phase"]].tolist() == ["m", "ATP1A1", "Launched"]
    assert table["target"].isna().tolist() == [True, False, True]


def test_every_number_against_a_loop_over_runs_and_pairs():
    rng = np.random.default_rng(0)
    names = [f"d{i:02d}" for i in range(25)]
    runs = rng.integers(1, 6, (12, 25)) * (rng.random((12, 25)) < 0.8)
    communities = pd.DataFrame({"drug": names, "moa": "m", "community": rng.integers(1, 6, 25)})
    kinds = np.array(["seed"] * 5 + ["subsample"] * 5 + ["preference"] * 2)
    queried = ["d07", "d03"]
    table = repurposing(queried, communities, {"kinds": kinds, "runs": runs}, NOTHING)
    assert table["queried"].drop_duplicates().tolist() == queried
    listed = set()
    for row in table.itertuples():
        a, b = names.index(row.queried), names.index(row.drug)
        with_both = [run for run in runs[:10] if run[a] and run[b]]
        together = [run for run in with_both if run[a] == run[b]]
        chances = []
        for run in with_both:
            pairs = [(x, y) for x in range(25) for y in range(x) if run[x] and run[y]]
            chances.append(np.mean([run[x] == run[y] for x, y in pairs]))
        assert (row.runs_together, row.runs) == (len(together), len(with_both))
        assert row.share == len(together) / len(with_both)
        assert row.chance == pytest.approx(np.mean(chances), rel=1e-12)
        listed.add((a, b))
    numbers = communities["community"].to_numpy()
    for a in (7, 3):
        for b in set(range(25)) - {a}:
            ever = any(run[a] and run[a] == run[b] for run in runs[:10])
            assert ((a, b) in listed) == (ever or numbers[a] == numbers[b])


def test_the_most_stable_companion_comes_first():
    table = repurposing(["estradiol", "abacavir"], COMMUNITIES, STORED, NOTHING)
    for _, part in table.groupby("queried"):
        assert (part["share"].diff().dropna() <= 0).all()


def test_of_random_communities_the_share_is_that_of_chance():
    rng = np.random.default_rng(1)
    names = [f"d{i}" for i in range(40)]
    runs = rng.choice(4, p=[0.55, 0.25, 0.15, 0.05], size=(400, 40)) + 1
    communities = pd.DataFrame({"drug": names, "moa": "m", "community": 1})
    table = repurposing(["d0"], communities, {"kinds": np.full(400, "seed"), "runs": runs}, NOTHING)
    assert len(table) == 39
    assert table["share"].mean() == pytest.approx(table["chance"].mean(), abs=0.02)
    assert table["chance"].mean() == pytest.approx(0.55**2 + 0.25**2 + 0.15**2 + 0.05**2, abs=0.01)


def test_two_drugs_that_never_take_part_together_have_no_share():
    stored = {"kinds": np.array(["subsample"]), "runs": np.array([[1, 0, 1, 1, 1]])}
    table = repurposing(["abacavir"], COMMUNITIES, stored, NOTHING).set_index("drug")
    assert table.loc["bepridil", "runs"] == 0 and table.loc["bepridil", ["share", "chance"]].isna().all()
    assert table.index[-1] == "bepridil"


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match=r"^query: no drug named 'cafeine'.*nearest: caffeine$"):
        repurposing(["cafeine"], COMMUNITIES, STORED, NOTHING)


def listed(folder, hub):
    """The table that the script writes for two representations, the second with its runs in another order."""
    index = COMMUNITIES.assign(index=range(5), pert_id=NAMES, pert_iname=NAMES)
    write_table(index[["index", "pert_id", "pert_iname", "moa"]], folder / "drugs.parquet", simulated=False)
    write_table(COMMUNITIES, folder / "communities.csv", simulated=False)
    np.savez(folder / "raw.npz", **STORED)
    np.savez(folder / "itml.npz", kinds=STORED["kinds"], runs=STORED["runs"][[0, 1, 3, 2, 4]])
    runs, communities = [folder / "raw.npz", folder / "itml.npz"], [folder / "communities.csv"] * 2
    files = SimpleNamespace(index=folder / "drugs.parquet", hub=hub, runs=runs, communities=communities)
    params = SimpleNamespace(representations=["raw", "itml"], query=["abacavir"])
    list_companions(SimpleNamespace(input=files, params=params, output=[folder / "out.csv"], config={}))
    return read_table(folder / "out.csv")


def test_target_and_phase_are_those_of_the_hub_s_file(tmp_path):
    hub = tmp_path / "hub.txt"
    hub.write_text(
        "!comment\npert_iname\tclinical_phase\tmoa\ttarget\ndigoxin\tLaunched\tm\t1e5\nzinc\tPhase 2\tn\tx\n"
    )
    table = listed(tmp_path, [hub])
    assert list(table)[:6] == ["queried", "drug", "moa", "representation", "runs_together", "runs"]
    assert table["representation"].tolist() == ["raw"] * 3 + ["itml"] * 3
    digoxin = table[table["drug"] == "digoxin"]
    assert digoxin[["target", "clinical_phase"]].to_numpy().tolist() == [["1e5", "Launched"]] * 2
    assert table.loc[table["drug"] != "digoxin", ["target", "clinical_phase"]].isna().all(axis=None)


@pytest.mark.parametrize("header", [None, "pert_iname\tmoa\ndigoxin\tm\n"])
def test_without_the_hub_s_columns_the_cells_are_empty(header, tmp_path):
    if header:
        (tmp_path / "hub.txt").write_text(header)
    table = listed(tmp_path, [tmp_path / "hub.txt"] if header else [])
    assert len(table) == 6 and table[["target", "clinical_phase"]].isna().all(axis=None)
