"""The simulator against the paper's counts, the real table's statistics and its own truth."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from moamap.communities.clusters import communities_of
from moamap.core.labels import membership, sharing
from moamap.core.numerics import squared_euclidean
from moamap.profiles.annotation import annotate, hub_annotation, one_row_per_drug
from moamap.profiles.normalize import apply_normalization, learn_normalization
from moamap.profiles.simulate import GRADES, feature_table, simulate
from moamap.validation.retrieval import average_precision, rank

SEED = 20210927
SMALL = dict(n_drugs=120, n_moas=30, n_common_moas=8, largest_moa=15, n_features=60)
GRAMMAR = re.compile(
    r"(Cells|Cytoplasm|Nuclei)_("
    r"AreaShape_([A-Z][A-Za-z]+|Zernike_\d_\d)"
    r"|Intensity_[A-Za-z]+_(ER|Hoechst|Mito|Ph_golgi|Syto)"
    r"|Neighbors_[A-Za-z]+_Adjacent"
    r"|RadialDistribution_(FracAtD|MeanFrac|RadialCV)_(ER|Mito|Ph_golgi|Syto)_[1-4]of4"
    r"|Texture_[A-Za-z0-9]+_(ER|Hoechst|Mito|Ph_golgi|Syto)_[35])"
)


@pytest.fixture(scope="module")
def screen():
    return simulate(seed=SEED)


@pytest.fixture(scope="module")
def values(screen):
    return screen[0].iloc[:, 3:].to_numpy()


@pytest.fixture(scope="module")
def standardized(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def assert_counts(profiles, n_drugs, n_moas, n_common_moas, largest_moa, n_features):
    sizes = profiles["moa"].value_counts()
    assert profiles.shape == (n_drugs, 3 + n_features)
    assert (len(sizes), (sizes >= 5).sum(), sizes.max()) == (n_moas, n_common_moas, largest_moa)


def test_the_default_has_the_shape_of_the_paper(screen):
    profiles, truth = screen
    assert_counts(profiles, 1105, 372, 49, 43, 812)
    assert list(profiles.columns[:3]) == ["pert_id", "pert_iname", "moa"]
    assert (profiles.dtypes.iloc[3:] == np.float64).all()
    assert np.isfinite(profiles.iloc[:, 3:].to_numpy()).all()
    pd.testing.assert_frame_equal(profiles[["pert_iname", "moa"]], truth[["pert_iname", "moa"]])


def test_sizes_fall_off(screen):
    """The real subset's MoAs from the second to the tenth are 0.93 ... 0.32 times the first."""
    sizes = screen[0]["moa"].value_counts().to_numpy()
    assert 0.6 < sizes[1] / sizes[0] <= 1
    assert 0.15 < sizes[9] / sizes[0] < 0.5
    assert (sizes[372 // 2 :] <= 2).all()


@pytest.mark.parametrize(
    "sizes",
    [
        SMALL,
        dict(n_drugs=30, n_moas=6, n_common_moas=1, largest_moa=10, n_features=1),
        dict(n_drugs=50, n_moas=10, n_common_moas=10, largest_moa=5, n_features=18),
        dict(n_drugs=606, n_moas=372, n_common_moas=49, largest_moa=43, n_features=30),
        dict(n_drugs=104, n_moas=20, n_common_moas=4, largest_moa=10, n_features=30),
    ],
    ids=["small", "one common MoA", "common MoAs only", "least drugs", "most drugs"],
)
def test_other_sizes_are_met_exactly(sizes):
    assert_counts(simulate(seed=1, **sizes)[0], **sizes)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(n_drugs=605), "n_drugs is 605; MoAs of these sizes take 606 to 3399 drugs"),
        (dict(n_drugs=3400), "n_drugs is 3400"),
        (dict(n_common_moas=373), "n_common_moas is 373; expected 1 to n_moas = 372"),
        (dict(n_common_moas=0), "n_common_moas is 0"),
        (dict(largest_moa=4), "largest_moa is 4; expected 5 or more"),
        (dict(n_drugs=2000, n_annotated=605), "n_annotated is 605; MoAs of these sizes take 606 to 3399 drugs"),
        (dict(n_annotated=1106), "n_annotated is 1106; expected at most n_drugs = 1105"),
        (dict(n_features=0), "n_features is 0; expected 1 to 812"),
        (dict(n_features=813), "n_features is 813"),
        (dict(n_drugs=25, n_moas=5, n_common_moas=5, largest_moa=5), "n_moas is 5; expected 8 or more"),
        (dict(signal=-1.0), "signal is -1.0"),
    ],
)
def test_impossible_sizes_are_refused_in_one_line(wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refusal:
        simulate(seed=0, **wrong)
    assert "\n" not in str(refusal.value)


def test_drugs_without_a_moa_come_apart_from_the_moa_table():
    profiles, truth = simulate(seed=1, **SMALL | {"n_drugs": 2120, "n_annotated": 120})
    assert_counts(profiles, 2120, 30, 8, 15, 60)
    assert profiles["moa"].notna().to_numpy().tolist() == [True] * 120 + [False] * 2000
    known, others = truth[:120], truth[120:]
    assert (known["true_moa"] == known["moa"]).all() and others["moa"].isna().all()
    hidden = others[others["true_moa"].notna()]
    assert abs(len(hidden) / 2000 - 0.5) < 4 * np.sqrt(0.25 / 2000)
    # as often as a MoA has annotated drugs, and with the phenotype that these show
    expected = known["moa"].value_counts(normalize=True)
    found = hidden["true_moa"].value_counts(normalize=True).reindex(expected.index, fill_value=0)
    assert (np.abs(found - expected) < 4.5 * np.sqrt(expected / len(hidden))).all()
    shown = truth[(truth["strength"] > 0) & (truth["grade"] != "planted")]
    assert shown.groupby("true_moa")["phenotype"].nunique().eq(1).all()
    assert set(hidden.loc[hidden["strength"] > 0, "phenotype"]) == set(shown["phenotype"])
    assert (others.loc[others["true_moa"].isna(), "strength"] == 0).all()
    assert truth.loc[truth["grade"] == "planted"].index.max() < 120


def test_without_unannotated_drugs_the_screen_is_what_it_was():
    profiles, truth = simulate(seed=1, **SMALL)
    assert "true_moa" not in truth
    again = simulate(seed=1, **SMALL, n_annotated=120)
    for one, other in zip((profiles, truth), again, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_profiles_do_not_depend_on_how_many_are_computed_at_a_time(monkeypatch):
    whole = simulate(seed=1, **SMALL)[0]
    monkeypatch.setattr("moamap.profiles.simulate.ROWS", 7)
    pd.testing.assert_frame_equal(simulate(seed=1, **SMALL)[0], whole, check_exact=True)


def test_feature_names_follow_the_grammar():
    full = feature_table()
    assert len(full) == full["feature"].nunique() == 812
    assert full["feature"].map(lambda name: GRAMMAR.fullmatch(name) is not None).all()
    assert full["block"].nunique() == 18
    # counted in the header of the real table
    assert full.groupby("measurement").size().to_dict() == {
        "AreaShape": 120,
        "Intensity": 210,
        "Neighbors": 14,
        "RadialDistribution": 48,
        "Texture": 420,
    }
    few = feature_table(60)
    assert few["feature"].is_unique
    assert set(few["feature"]) < set(full["feature"])


def summary(features, moa):
    """What the simulator is fitted to: range, spectra, strengths, communities and retrieval, on both axes."""
    x = features.to_numpy(float)
    found = {"minimum": x.min(), "maximum": x.max(), "within 20": (np.abs(x) <= 20).mean()}
    found |= {
        f"feature sd, {q}%": v for q, v in zip((5, 50, 95), np.percentile(x.std(axis=0), (5, 50, 95)), strict=True)
    }
    shared = sharing(membership(moa, "whole").to_numpy())
    np.fill_diagonal(shared, False)
    for axis in ("profile", "feature"):
        z = apply_normalization(features, learn_normalization(features, moa, axis=axis))
        found |= {f"{axis}: minimum": z.min(), f"{axis}: maximum": z.max()}
        # eigenvalues of the correlation matrix of drugs (profiles), or of features
        explained = np.cumsum(np.linalg.svd(z, compute_uv=False) ** 2) / (z**2).sum()
        found |= {f"{axis}: variance of {k}": explained[k - 1] for k in (1, 2, 5, 10, 20, 50)}
        squared = squared_euclidean(z)
        communities = np.bincount(communities_of(-squared).numbers)[1:]
        found |= {f"{axis}: communities": len(communities), f"{axis}: singletons": (communities == 1).sum()}
        found[f"{axis}: lift"] = lift(squared, shared)
    lengths = np.percentile(np.linalg.norm(z, axis=1), (5, 25, 50, 75, 90, 95, 99))  # of normalized features
    return found | {f"strength, {q}%": v for q, v in zip((5, 25, 50, 75, 90, 95, 99), lengths, strict=True)}


def lift(squared, shared):
    """Same-MoA mean average precision over that of permuted labels."""
    n, rng = len(squared), np.random.default_rng(0)
    ranking = rank(squared, np.arange(n), np.arange(n))
    permuted = [shared[np.ix_(order, order)] for order in (rng.permutation(n) for _ in range(20))]
    score, *null = (np.nanmean(average_precision(ranking, labels)[0]) for labels in [shared, *permuted])
    return score / np.mean(null)


# of the 488 drugs of the real subset
REAL = {
    "minimum": -382.0,
    "maximum": 374.0,
    "within 20": 0.9887,
    "feature sd, 5%": 1.17,
    "feature sd, 50%": 4.18,
    "feature sd, 95%": 10.2,
    "profile: minimum": -8.78,
    "profile: maximum": 14.2,
    "profile: variance of 1": 0.148,
    "profile: variance of 2": 0.265,
    "profile: variance of 5": 0.435,
    "profile: variance of 10": 0.567,
    "profile: variance of 20": 0.69,
    "profile: variance of 50": 0.834,
    "profile: communities": 34.0,
    "profile: singletons": 0.0,
    "profile: lift": 1.61,
    "feature: minimum": -14.0,
    "feature: maximum": 16.2,
    "feature: variance of 1": 0.347,
    "feature: variance of 2": 0.599,
    "feature: variance of 5": 0.784,
    "feature: variance of 10": 0.868,
    "feature: variance of 20": 0.925,
    "feature: variance of 50": 0.967,
    "feature: communities": 90.0,
    "feature: singletons": 66.0,
    "feature: lift": 1.67,
    "strength, 5%": 8.1,
    "strength, 25%": 9.23,
    "strength, 50%": 10.7,
    "strength, 75%": 13.6,
    "strength, 90%": 23.3,
    "strength, 95%": 48.1,
    "strength, 99%": 144.0,
}
DATA = Path(__file__).resolve().parents[3] / "shared/data/lds1195-subset"


@pytest.fixture(scope="module")
def sampled():
    """The same of 488 random drugs of simulated screens, the median over four of them."""
    summaries = []
    for seed in range(1, 5):
        profiles, _ = simulate(seed=seed)
        rows = np.random.default_rng(seed).choice(len(profiles), 488, replace=False)
        some = profiles.iloc[rows].reset_index(drop=True)
        summaries.append(summary(some.iloc[:, 3:], some["moa"]))
    return pd.DataFrame(summaries).median()


@pytest.mark.parametrize("quantity", [name for name in REAL if "variance" in name])
def test_the_spectra_of_drugs_and_of_features_are_those_of_the_real_rows(sampled, quantity):
    assert abs(sampled[quantity] - REAL[quantity]) < 0.06


@pytest.mark.parametrize(
    "quantity", [name for name in REAL if name.startswith(("strength", "feature sd")) or "lift" in name]
)
def test_strengths_spreads_and_retrieval_are_those_of_the_real_rows(sampled, quantity):
    assert 0.8 < sampled[quantity] / REAL[quantity] < 1.25


def test_communities_are_as_many_as_those_of_the_real_rows(sampled):
    for quantity in ("profile: communities", "feature: communities", "feature: singletons"):
        assert 0.85 < sampled[quantity] / REAL[quantity] < 1.15, quantity
    assert sampled["profile: singletons"] == REAL["profile: singletons"] == 0


def test_the_range_is_that_of_the_real_rows_but_for_the_farthest_single_values(sampled):
    assert abs(sampled["within 20"] - REAL["within 20"]) < 0.003
    for end in ("minimum", "maximum"):
        assert 0.8 < sampled[f"feature: {end}"] / REAL[f"feature: {end}"] < 1.25
        assert 0.65 < sampled[f"profile: {end}"] / REAL[f"profile: {end}"] < 1.5
        assert 0.5 < sampled[end] / REAL[end] < 1.5


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real rows at {DATA}")
def test_the_target_is_what_the_real_rows_have():
    def hub(name, columns):
        return pd.read_csv(DATA / name, sep="\t", comment="!", encoding="latin-1", dtype=str)[columns]

    annotation = hub_annotation(
        hub("repurposing_samples_20170327.txt", ["broad_id", "pert_iname"]),
        hub("repurposing_drugs_20170327.txt", ["pert_iname", "moa"]),
    )
    rows, _ = annotate(pd.read_csv(DATA / "MLPCN_morplological_profiles.csv.gz"), *annotation)
    drugs, _ = one_row_per_drug(rows)
    found = summary(drugs.iloc[:, 3:], drugs["moa"])
    assert found.keys() == REAL.keys()
    for quantity, value in REAL.items():
        assert found[quantity] == pytest.approx(value, rel=0.006, abs=0.001), quantity


def test_without_a_signal_moas_are_not_found_again():
    for seed in range(3):
        profiles, _ = simulate(seed=seed, signal=0.0)
        some = summary(profiles.iloc[:488, 3:], profiles["moa"].iloc[:488])
        assert 0.85 < some["profile: lift"] < 1.15 and 0.85 < some["feature: lift"] < 1.15


@pytest.mark.parametrize("threads", [1, 2])
def test_a_seed_gives_the_same_bits_with_any_number_of_threads(screen, threads):
    with threadpool_limits(limits=threads):
        again = simulate(seed=SEED)
    for table, same in zip(screen, again, strict=True):
        pd.testing.assert_frame_equal(table, same, check_exact=True)


def test_seeds_differ():
    first, second = (simulate(seed=seed, **SMALL)[0] for seed in (1, 2))
    assert (first["moa"] != second["moa"]).any()
    assert (first.iloc[:, 3:] != second.iloc[:, 3:]).all(axis=None)


def test_names_and_order_say_nothing_of_the_moa(screen):
    profiles = screen[0]
    assert profiles["pert_id"].is_monotonic_increasing and profiles["pert_id"].is_unique
    assert profiles["pert_iname"].is_monotonic_increasing and profiles["pert_iname"].is_unique
    assert profiles["pert_id"].str.fullmatch(r"SIM-D\d{6}").all()
    assert profiles["pert_iname"].str.fullmatch(r"simulated drug \d{4}").all()
    assert profiles["moa"].str.fullmatch(r"simulated MoA \d{3}").all()
    sizes = profiles["moa"].value_counts().sort_index()
    assert spearmanr(sizes, np.arange(len(sizes))).pvalue > 0.01
    neighbours_agree = (profiles["moa"] == profiles["moa"].shift()).sum()
    expected = (sizes * (sizes - 1)).sum() / len(profiles)
    assert abs(neighbours_agree - expected) < 4 * np.sqrt(expected)


def test_a_third_of_the_common_moas_have_a_phenotype(screen):
    truth = screen[1]
    own = truth[truth["grade"].isin(GRADES)]
    moas = own.drop_duplicates("moa")
    assert len(moas) == moas["phenotype"].nunique() == 16
    assert moas["grade"].value_counts().reindex(GRADES).tolist() == [6, 5, 5]
    assert (truth["moa"].value_counts()[moas["moa"]] >= 5).all()
    mean = own.groupby("grade")["strength"].mean()
    assert mean["strong"] > 2 * mean["medium"] > 4 * mean["weak"] > 0
    inactive = truth["moa"].isin(moas["moa"]) & (truth["strength"] == 0)
    assert 0.05 < inactive.sum() / truth["moa"].isin(moas["moa"]).sum() < 0.25
    assert ((truth["strength"] > 0) == (truth["phenotype"] != "")).all()


@pytest.mark.parametrize(("seed", "sizes"), [(SEED, {}), *((seed, SMALL) for seed in range(5))])
def test_the_pair_is_of_two_moas_that_have_no_phenotype(seed, sizes):
    truth = simulate(seed=seed, **sizes)[1]
    planted = truth[truth["grade"] == "planted"]
    assert len(planted) == planted["moa"].nunique() == 6
    assert planted["phenotype"].nunique() == 1
    assert planted["planted_pair"].sum() == truth["planted_pair"].sum() == 2
    assert not planted["moa"].isin(truth.loc[truth["grade"].isin(GRADES), "moa"]).any()


@pytest.mark.parametrize("sizes", [{}, SMALL], ids=["default", "small"])
def test_screens_of_one_seed_differ_by_their_phenotypes_only(sizes):
    (shown, truth), (blank, none) = (simulate(seed=SEED, signal=signal, **sizes) for signal in (1.0, 0.0))
    assert (none["strength"] == 0).all() and (none["phenotype"] == "").all() and not none["planted_pair"].any()
    assert (truth["moa"] == none["moa"]).all()
    features = feature_table(shown.shape[1] - 3)
    assert list(features["feature"]) == list(shown.columns[3:])
    moved = (shown.iloc[:, 3:] != blank.iloc[:, 3:]).to_numpy()
    expected = truth["block"].to_numpy()[:, None] == features["block"].to_numpy()
    assert np.array_equal(moved, expected)


def test_signal_is_a_factor_on_strength(screen):
    double = simulate(seed=SEED, signal=2.0)[1]
    np.testing.assert_allclose(double["strength"], 2 * screen[1]["strength"])


def test_drugs_of_a_strong_phenotype_are_close_in_its_features(screen, standardized):
    truth = screen[1]
    for (_, block), fellows in truth[truth["grade"].isin(["strong", "planted"])].groupby(["phenotype", "block"]):
        inside = standardized[:, (feature_table()["block"] == block).to_numpy()]
        among = cdist(inside[fellows.index], inside[fellows.index])[np.triu_indices(len(fellows), 1)]
        to_others = cdist(inside[fellows.index], np.delete(inside, fellows.index, axis=0))
        assert np.median(among) < 0.75 * np.median(to_others), block
