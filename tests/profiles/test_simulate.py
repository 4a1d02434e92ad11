"""The simulator against the paper's counts, the real table's statistics and its own truth."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import kurtosis, spearmanr
from threadpoolctl import threadpool_limits

from moamap.profiles.simulate import GRADES, feature_table, simulate

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


def test_statistics_resemble_the_real_table(values):
    """Real subset: 98.9 % within 20, -382 to 374; standard deviations 0.56, 1.2, 4.2, 10, 31; means -4.1 to 4.1."""
    assert 0.985 < (np.abs(values) <= 20).mean() < 0.991
    assert -600 < values.min() < -200
    assert 300 < values.max() < 900
    least, low, median, high, most = np.percentile(values.std(axis=0), [0, 5, 50, 95, 100])
    assert 0.2 < least < 0.8 and 0.9 < low < 1.7 and 3.2 < median < 5.2 and 8 < high < 15 and 22 < most < 50
    assert np.abs(values.mean(axis=0)).max() < 5


def test_tails_and_correlations_resemble_the_real_table(standardized):
    """Real subset: median kurtosis 41, median |r| 0.34, components .35 .25 .11; 3, 6, 14, 32, 127 of them."""
    assert 30 < np.median(kurtosis(standardized)) < 60
    correlation = np.corrcoef(standardized.T)[np.triu_indices(812, 1)]
    assert 0.25 < np.median(np.abs(correlation)) < 0.45
    variance = np.linalg.svd(standardized, compute_uv=False) ** 2
    explained = variance.cumsum() / variance.sum()
    needed = [np.searchsorted(explained, share) + 1 for share in (0.6, 0.8, 0.9, 0.95, 0.99)]
    assert (np.array(needed) <= [4, 8, 28, 60, 140]).all()
    assert 0.3 < explained[0] < 0.45
    # lengths of the real profiles: 10.7 in the middle, 48 at 95 %, 144 at 99 %
    middle, active, extreme = np.percentile(np.linalg.norm(standardized, axis=1), [50, 95, 99])
    assert 9 < middle < 16 and 30 < active < 60 and 110 < extreme < 180


@pytest.mark.parametrize("seed", range(3))
def test_statistics_do_not_hang_on_the_seed(seed):
    values = simulate(seed=seed)[0].iloc[:, 3:].to_numpy()
    assert 0.985 < (np.abs(values) <= 20).mean() < 0.991
    assert -900 < values.min() < -200
    assert 200 < values.max() < 900


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
