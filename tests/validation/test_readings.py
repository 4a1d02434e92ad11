"""Readings of the paper: the numbers against the study's own functions, the extrapolation against known laws."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.linear_model import PoissonRegressor

from moamap.communities.clusters import communities_of
from moamap.communities.enrichment import enrichment_table, table_1_row
from moamap.communities.features import csif_overlap, intra_class_ratios
from moamap.core.grid import GRID, own_reading
from moamap.core.labels import membership
from moamap.core.names import CLUSTERS, ENRICHED, SINGLETONS
from moamap.profiles.normalize import apply_normalization, learn_normalization
from moamap.profiles.simulate import simulate
from moamap.representations.registry import learn
from moamap.validation import extrapolation
from moamap.validation.extrapolation import FARTHEST, KEY, PUBLISHED, TOGETHER, extrapolate, intervals, readings
from moamap.validation.readings import calibration_errors_of_screen, measure, measure_subsets

RESOURCE = Path(__file__).parents[2] / "resources/published.csv"
NUMBERS = pd.read_csv(RESOURCE).set_index("quantity")["published"]
SIZES = dict(n_drugs=120, n_moas=30, n_common_moas=8, largest_moa=15, n_features=60)
SMALL = GRID | {"axis": ["profile"], "pca": ["3", "0.95"], "damping": [0.5]}
NO_ERRORS = pd.DataFrame(columns=[*KEY, "error", "screen"])


@pytest.fixture(scope="module")
def screen():
    profiles, _ = simulate(seed=3, **SIZES)
    return profiles.iloc[:, 3:], membership(profiles["moa"], "whole")


@pytest.fixture(scope="module")
def measured(screen):
    return measure(*screen, axis="profile", grid=SMALL, seeds=[4], pair=(0, 1), moa_pair=tuple(screen[1].columns[:2]))


def value(table, **where):
    return table.loc[(table[list(where)] == pd.Series(where)).all(axis=1), "value"].item()


def embedding(x, moas, variant):
    """The study's own representation of a variant of the grid."""
    part, *choices = variant
    if part == "raw":
        return x
    if part == "pca":
        components = float(choices[0])
        return learn("pca", x, None, components=int(components) if components >= 1 else components).transform(x)
    bounds = "euclidean" if choices[1] == "pairs" else np.percentile(squareform(pdist(x)), (5, 95)).tolist()
    learned = learn("itml", x, moas.to_numpy(), seed=4, bounds=bounds)
    return learned.transform(x) if choices[0] == "L" else x @ (learned.components.T @ learned.components)


VARIANTS = [("raw",), ("pca", "3"), ("pca", "0.95"), *(("itml", *both) for both in product("LM", ["pairs", "all"]))]


@pytest.mark.parametrize("preference", SMALL["preference"])
@pytest.mark.parametrize("similarity", SMALL["similarity"])
@pytest.mark.parametrize("variant", VARIANTS, ids=", ".join)
def test_the_numbers_are_those_of_the_study_s_own_functions(screen, measured, variant, similarity, preference):
    features, moas = screen
    names = [f"d{i}" for i in range(len(features))]
    x = apply_normalization(features, learn_normalization(features, names, axis="profile"))
    distance = squareform(pdist(embedding(x, moas, variant)))
    s = -(distance**2) if similarity == "minus squared distance" else -distance
    numbers = communities_of(s, preference=None if preference == "median" else s.min()).numbers
    row = table_1_row(enrichment_table(pd.Series(numbers), moas))
    where = dict(part=variant[0], variant=", ".join(variant[1:]), similarity=similarity, preference=preference)
    for quantity, column in (("communities", CLUSTERS), ("enriched", ENRICHED), ("singletons", SINGLETONS)):
        assert value(measured, **where, quantity=quantity) == row[column], quantity
    if variant[0] == "itml":
        overlap = csif_overlap(intra_class_ratios(pd.DataFrame(x), pd.Series(numbers))).set_index("n_communities")
        found = value(measured, **where, quantity="csif_of_two, mean absolute difference")
        assert found == overlap.loc[2, "n_features"]
        assert value(measured, **where, quantity="pair together") == (numbers[0] == numbers[1])
        first, second = (set(numbers[moas.iloc[:, column]]) for column in (0, 1))
        assert value(measured, **where, quantity="MoAs together") == bool(first & second)


def test_ratios_of_variance_and_of_the_sum_of_squares_by_hand():
    from moamap.validation.readings import DISPERSIONS, _csif_counts

    x = np.array([[0.0, 0], [0.1, 4], [9, 1], [9.1, 5]])
    numbers = np.array([1, 1, 2, 2])  # feature 0 hardly varies inside either, feature 1 does
    for ratio, dispersion in DISPERSIONS.items():
        counts = _csif_counts(x, numbers, {ratio: dispersion(x)})
        assert counts == {
            f"csif_of_two, {ratio}": int(ratio != "mean absolute difference"),
            f"csif_of_three, {ratio}": 0,
        }
    # variance 0.0025 / 20.25, sum of squares 0.005 / 81.01, mean absolute difference 0.1 / 6.03, and that is above 0.01


def test_subsets_have_their_sizes_and_seeds(screen):
    table = measure_subsets(*screen, axis="profile", grid=SMALL, subsets=[(0.5, 2), (0.75, 1)])
    assert table.groupby("n")["seed"].nunique().to_dict() == {60: 2, 90: 2}  # what has no seed has 0
    assert table.loc[table["part"] == "itml"].groupby("n")["seed"].unique().map(list).to_dict() == {60: [0, 1], 90: [2]}


def counts(n, values, quantity="communities", part="raw", axis="profile"):
    setting = dict(axis=axis, similarity="s", preference="p", damping="0.5", part=part, variant="", quantity=quantity)
    return pd.DataFrame([setting | {"n": size, "seed": 0, "value": v} for size, v in zip(n, values, strict=True)])


@pytest.mark.parametrize("power", [-0.5, 0.0, 0.68, 1.0, 1.7])
def test_a_power_law_is_found_again(power):
    n = [150, 220, 320, 488]
    found = extrapolate(counts(n, [3 * size**power for size in n]), 1105).iloc[0]
    assert (found["n"], found["own"]) == (488, pytest.approx(3 * 488**power))
    assert found["estimate"] == pytest.approx(3 * 1105**power, rel=1e-6)


def test_with_noise_it_is_the_fit_of_scikit_learn():
    n = np.repeat([150, 220, 320, 488], [5, 5, 5, 1])
    values = np.random.default_rng(0).poisson(0.02 * n**0.9)
    means = pd.Series(values).groupby(n).mean()
    model = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000).fit(np.log(means.index.to_numpy())[:, None], means)
    found = extrapolate(counts(n, values), 1105)["estimate"].item()
    assert found == pytest.approx(model.predict([[np.log(1105)]])[0], rel=1e-4)


def test_zeros_stay_zero_and_a_jump_is_bounded():
    n = [150, 220, 320, 488]
    assert extrapolate(counts(n, [0, 0, 0, 0]), 1105)["estimate"].item() == 0
    assert extrapolate(counts(n, [0, 0, 0, 6]), 1105)["estimate"].item() < 6 * (1105 / 488) ** 2


def test_at_the_paper_s_size_there_is_nothing_to_extrapolate():
    found = extrapolate(counts([600, 1105, 1105], [30, 57, 59]), 1105).iloc[0]
    assert (found["estimate"], found["own"], found["seeds_sd"]) == (58, 58, pytest.approx(np.sqrt(2)))


def test_an_interval_is_moved_by_the_bias_and_as_wide_as_screens_differ():
    estimated = extrapolate(counts([200, 400], [20, 40]), 800)
    errors = pd.concat([estimated[KEY].assign(error=e, screen=k) for k, e in enumerate([0.1, 0.3, 0.5, 0.3])])
    found = intervals(estimated, errors).iloc[0]
    sd = np.sqrt(0.02 * (1 + 1 / 4) + extrapolation.LEAST_SD**2)
    assert found["centre"] == pytest.approx(np.log1p(80) - 0.3)
    assert found["sd"] == pytest.approx(sd)
    half = 3.182446 * sd  # t, 3 degrees of freedom
    assert found["low"] == pytest.approx(np.expm1(found["centre"] - half))
    assert found["high"] == pytest.approx(np.expm1(found["centre"] + half))


def test_intervals_cover_what_other_simulated_screens_have():
    """Left out in turn, each of 12 screens' true number lies inside what the others make of its half."""
    grid = own_reading(
        {
            "communities": {"preference": None, "damping": 0.5},
            "normalization": {"axis": "profile"},
            "representations": {"pca": {"components": 3}},
        }
    )
    tables = []
    for seed in range(12):
        profiles, _ = simulate(seed=seed, **SIZES)
        moas = membership(profiles["moa"], "whole")
        errors = calibration_errors_of_screen(profiles.iloc[:, 3:], moas, 60, grid=grid, seed=seed)
        tables.append(errors.assign(screen=seed))
    errors = pd.concat(tables)
    for part in ("raw", "pca", "itml"):
        mine = errors[(errors["part"] == part) & (errors["quantity"] == "communities")]
        inside = 0
        for seed in range(12):
            others, one = mine[mine["screen"] != seed], mine[mine["screen"] == seed]
            truth = one[KEY].assign(n=60, own=0.0, seeds_sd=0.0, estimate=np.expm1(3 + one["error"]))  # of log1p 3
            found = intervals(truth, others).iloc[0]
            inside += np.log1p(found["low"]) <= 3 <= np.log1p(found["high"])
        assert inside >= 10, part


def test_a_screen_as_large_as_the_paper_s_needs_no_calibration(screen):
    errors = calibration_errors_of_screen(*screen, 120, grid=SMALL, seed=0)
    assert errors.empty and list(errors) == [*KEY, "error"]


@pytest.fixture(scope="module")
def extrapolated():
    """Numbers that are the published ones for one reading, and half as large again for every other choice."""
    truth = {"axis": "feature", "similarity": "minus distance", "preference": "minimum", "damping": "0.9", "pca": "4"}
    truth |= {"output": "M", "bounds": "all", "ratio": "variance"}
    rows = []
    for axis in GRID["axis"]:
        for similarity, preference, damping in [("", "", ""), *product(*(map(str, GRID[k]) for k in list(GRID)[1:4]))]:
            chosen = {"axis": axis, "similarity": similarity, "preference": preference, "damping": damping}
            if not similarity:
                chosen = {"axis": axis}
            variants = {"raw": [{}], "pca": [{"pca": k} for k in GRID["pca"]]}
            variants["itml"] = [{"output": o, "bounds": b} for o, b in product(GRID["output"], GRID["bounds"])]
            variants = {"range": [{}]} if not similarity else variants
            for part, more in ((part, more) for part, some in variants.items() for more in some):
                for (its, quantity), source in PUBLISHED.items():
                    if its != part:
                        continue
                    for ratio in GRID["ratio"] if quantity.startswith("csif") else [None]:
                        choice = chosen | more | ({"ratio": ratio} if ratio else {})
                        right = all(choice[k] == truth[k] for k in choice)
                        number = abs(NUMBERS[source]) if right else 1.5 * abs(NUMBERS[source]) + 1
                        name = f"{quantity}, {ratio}" if ratio else quantity
                        rows.append(
                            (axis, similarity, preference, damping, part, ", ".join(more.values()), name, number)
                        )
                if part == "itml":
                    rows += [
                        (axis, similarity, preference, damping, part, ", ".join(more.values()), fact, 0.3)
                        for fact in TOGETHER
                    ]
    table = pd.DataFrame(rows, columns=[*KEY, "estimate"]).assign(n=488, seeds_sd=0.0)
    return truth, intervals(table.assign(own=table["estimate"]), NO_ERRORS)


def test_every_reading_is_there_and_the_right_one_comes_first(extrapolated):
    truth, found = extrapolated
    table = readings(found, NUMBERS)
    assert len(table) == np.prod([len(choices) for choices in GRID.values()])
    assert not table[list(GRID)].duplicated().any()
    best = table.iloc[0]
    assert best[list(GRID)].to_dict() == truth
    assert (best["rank"], best["distance"], best["within"]) == (1, pytest.approx(0, abs=1e-9), len(PUBLISHED))
    assert table["distance"].is_monotonic_increasing and table["distance"].iloc[1] > 0.5
    assert (table["pair together"] == 0.3).all()


def test_a_number_that_a_reading_cannot_give_counts_as_far_off(extrapolated):
    truth, found = extrapolated
    lost = (found["part"] == "raw") & (found["quantity"] == "communities")
    best = readings(found[~lost | (found["axis"] != truth["axis"])], NUMBERS).set_index(list(GRID))
    row = best.loc[tuple(truth.values())]
    assert np.isnan(row["raw communities"])
    assert row["distance"] == pytest.approx(FARTHEST / np.sqrt(len(PUBLISHED)))


def test_at_the_paper_s_size_signs_and_ratios_are_the_paper_s(extrapolated):
    truth, found = extrapolated
    one = found[found["axis"] == truth["axis"]]
    choice = (
        one["similarity"].isin(["", truth["similarity"]])
        & one["preference"].isin(["", truth["preference"]])
        & one["damping"].isin(["", truth["damping"]])
        & one["variant"].isin(["", "4", "M, all"])
        & (~one["quantity"].str.contains(",") | one["quantity"].str.endswith(", variance"))
    )
    table = extrapolation.at_the_paper_s_size(one[choice]).set_index("quantity")
    for quantity in [*PUBLISHED.values(), "raw Enrichment Expectation", "itml Enrichment Expectation"]:
        low, middle, high = table.loc[quantity, ["low", "extrapolated", "high"]].astype(float)
        assert middle == pytest.approx(NUMBERS[quantity], rel=1e-3, abs=1e-9), quantity
        assert low <= middle <= high
