"""From wells to drugs: against numpy, and on simulated plates whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import median_abs_deviation, norm, rankdata

from moamap.core.errors import InputError
from moamap.core.labels import sharing
from moamap.core.names import ROLES
from moamap.core.numerics import squared_euclidean
from moamap.profiles.simulate import simulate, simulate_wells
from moamap.profiles.wells import one_of_each, weighted_mean, wells_to_drugs
from moamap.validation.retrieval import average_precision, rank

PLAIN = {"controls": ["dmso"], "select": (), "consensus": "median"}


@pytest.fixture(scope="module")
def screen():
    """Wells of a small simulated screen with a strong plate effect, and the truth of its drugs."""
    profiles, truth = simulate(seed=3, n_drugs=120, n_moas=30, n_common_moas=8, largest_moa=15, n_features=40)
    return simulate_wells(profiles, seed=3, plate_effect=4.0), truth


def by_hand(wells, features, scale):
    """Each treated well on the scale of its plate's controls; then medians over wells of a dose, and over doses."""
    rows = []
    for _, plate in wells.groupby("plate"):
        controls = plate.loc[plate["control"] == "dmso", features].to_numpy()
        treated = plate[plate["control"] == "drug"]
        values = pd.DataFrame(scale(treated[features].to_numpy(), controls), columns=features)
        rows.append(pd.concat([treated[["pert_id", "dose"]].reset_index(drop=True), values], axis=1))
    doses = pd.concat(rows).groupby(["pert_id", "dose"]).median()
    return doses.groupby("pert_id").median()


SCALES = {
    "standardize": lambda x, c: (x - c.mean(axis=0)) / c.std(axis=0),
    "mad_robustize": lambda x, c: (x - np.median(c, axis=0)) / (1.4826 * median_abs_deviation(c, axis=0)),
}


@pytest.mark.parametrize("normalize", SCALES)
def test_plates_and_consensus_by_hand(screen, normalize):
    wells, _ = screen
    features = [column for column in wells if column not in ROLES]
    drugs, *_ = wells_to_drugs(wells, normalize=normalize, **PLAIN)
    expected = by_hand(wells, features, SCALES[normalize])
    np.testing.assert_allclose(drugs.set_index("pert_id").loc[expected.index, features], expected, rtol=1e-9)


def test_rank_int_gives_normal_scores():
    """The reference is the whole plate: its scores are the normal quantiles of its ranks, up to how ends are cut."""
    rng = np.random.default_rng(0)
    wells = pd.DataFrame({"pert_id": [f"d{i:02d}" for i in range(60)], "plate": "p", "f": rng.gamma(1, size=60)})
    drugs, *_ = wells_to_drugs(wells, reference="all", normalize="rank_int", select=())
    middle = slice(5, -5)
    found, scores = np.sort(drugs["f"])[middle], np.sort(norm.ppf((rankdata(wells["f"]) - 1) / 59))[middle]
    np.testing.assert_allclose(found, scores, atol=1e-6)


def test_sphered_controls_are_white(screen):
    """Against all wells of one plate: the sphered plate has no correlations left."""
    wells, _ = screen
    one = wells[(wells["plate"] == "plate 001") & (wells["control"] == "drug")].drop(columns=["dose", "control"])
    one = one.assign(pert_id=[f"w{i}" for i in range(len(one))]).drop(columns=["pert_iname", "moa"])
    drugs, *_ = wells_to_drugs(one, reference="all", normalize="spherize", select=())
    covariance = np.cov(drugs.drop(columns="pert_id").T)
    np.testing.assert_allclose(covariance, np.eye(len(covariance)), atol=1e-3)


def share_of_plates(table, plates):
    """Share of the variance of the features that lies between plates."""
    x = table.to_numpy()
    between = pd.DataFrame(x).groupby(plates.to_numpy()).transform("mean").to_numpy()
    return float(((between - x.mean(axis=0)) ** 2).sum() / ((x - x.mean(axis=0)) ** 2).sum())


def retrieval(drugs, truth):
    """Mean average precision of drugs that show the same phenotype, on z-scores."""
    merged = drugs.merge(truth, on="pert_iname")
    x = merged[[column for column in drugs if column not in ROLES]].to_numpy()
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    shown = pd.get_dummies(merged["phenotype"].replace("", None)).to_numpy(bool)
    everyone = np.arange(len(x))
    return np.nanmean(average_precision(rank(squared_euclidean(x), everyone, everyone), sharing(shown))[0])


def test_the_planted_plate_effect_is_gone_and_the_phenotypes_are_not():
    """400 drugs on three plate maps: without normalization the drugs of a map have its plates' effects in common."""
    profiles, truth = simulate(seed=3, n_drugs=400, n_moas=80, n_common_moas=15, largest_moa=20, n_features=30)
    wells = simulate_wells(profiles, seed=3, plate_effect=4.0, replicates=2)
    features = [column for column in wells if column not in ROLES]
    dmso = wells["control"] == "dmso"
    assert share_of_plates(wells.loc[dmso, features], wells.loc[dmso, "plate"]) > 0.8
    clean, *_ = wells_to_drugs(wells, **PLAIN)
    raw, *_ = wells_to_drugs(wells, normalize=None, **PLAIN)
    map_of_plates = wells[~dmso].groupby("pert_id")["plate"].min()  # the drugs of one plate map share their plates
    shares = [share_of_plates(table[features], table["pert_id"].map(map_of_plates)) for table in (raw, clean)]
    chance = share_of_plates(profiles[features], profiles["pert_id"].map(map_of_plates))
    assert shares[0] > 10 * shares[1] and shares[1] < 3 * chance
    unaffected, *_ = wells_to_drugs(simulate_wells(profiles, seed=3, plate_effect=0.0, replicates=2), **PLAIN)
    np.testing.assert_allclose(clean[features], unaffected[features], atol=1e-9)  # as if there had been no plates
    assert retrieval(clean, truth) > 1.2 * retrieval(raw, truth)


def test_steps_are_counted_and_selection_takes_what_it_says():
    rng = np.random.default_rng(0)
    n = 60
    x = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    table = x.assign(twin=x["a"] + 1e-6 * x["b"], flat=1.0, gaps=x["c"].where(np.arange(n) > 9), far=600.0 * x["d"])
    wells = table.assign(pert_id=[f"d{i % 20}" for i in range(n)])
    select = ["variance", "missing", "outliers", "correlation", "blocklist"]
    drugs, steps, _ = wells_to_drugs(wells, normalize=None, select=select, blocklist=["d"])
    kept = set(drugs) - {"pert_id"}
    assert {"b", "c"} <= kept and not kept & {"flat", "gaps", "far", "d"}
    assert len(kept & {"a", "twin"}) == 1
    assert steps["features"].tolist() == [8, 8, 7, 6, 5, 4, 3, 3]
    assert steps["rows"].tolist() == [60] * 7 + [20]


@pytest.mark.parametrize("consensus", ["median", "modz", "weighted"])
def test_the_moa_goes_with_its_drug(screen, consensus):
    wells, truth = screen
    drugs, *_ = wells_to_drugs(wells, **PLAIN | {"consensus": consensus})
    assert len(drugs) == len(truth)
    assert drugs.set_index("pert_iname")["moa"].to_dict() == truth.set_index("pert_iname")["moa"].to_dict()


def test_modz_gives_a_stray_replicate_little_weight():
    rng = np.random.default_rng(0)
    signature = rng.normal(size=50)
    values = np.array([signature, signature + 0.01 * rng.normal(size=50), rng.normal(size=50)])
    wells = pd.DataFrame(values, columns=[f"f{i}" for i in range(50)]).assign(pert_id="d")
    drugs, *_ = wells_to_drugs(wells, normalize=None, select=(), consensus="modz")
    found = drugs.drop(columns="pert_id").to_numpy()[0]
    assert np.corrcoef(found, signature)[0, 1] > 0.98 > np.corrcoef(values.mean(axis=0), signature)[0, 1]


@pytest.mark.parametrize("role", ["moa", "pert_iname"])
def test_two_moas_of_a_drug_are_refused_by_name(screen, role):
    wells, _ = screen
    torn = wells.copy()
    row = torn.index[torn["control"] == "drug"][5]
    torn.loc[row, role] = "another"
    name = torn.loc[row, "pert_id"]
    with pytest.raises(InputError, match=f"s.csv: pert_id '{name}' has 2 different values of {role} .*expected one"):
        wells_to_drugs(torn, source="s.csv", **PLAIN)
    assert len(one_of_each(torn[torn["pert_id"] != name].dropna(subset="pert_id"), "s.csv")) == 119


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"controls": ["water"]}, "plate 'plate 001' has 0 control wells, expected 2"),
        ({"plate": None}, PLAIN, "no column 'plate'"),
        ({}, PLAIN | {"lost": True}, "2 of .* wells have no plate .the first is of pert_id '.+'.; fill in"),
        ({}, PLAIN | {"each": True, "reference": "all"}, "plate '0' has 1 well, expected 2 or more, .*normalize: null"),
        ({}, PLAIN | {"flat": True, "normalize": "spherize"}, "plate 'plate 001' cannot be normalized by spherize: "),
        ({}, PLAIN | {"select": ["blocklist"], "blocklist": "all"}, "no feature is left"),
    ],
)
def test_what_cannot_be_done_is_said(screen, change, options, message):
    wells, _ = screen
    wells = wells.drop(columns=list(change))
    options = dict(options)
    if options.pop("each", False):
        wells = wells.assign(plate=[str(i) for i in range(len(wells))])
    if options.pop("lost", False):
        wells = wells.assign(plate=wells["plate"].where(~wells.index.isin(wells.index[3:5])))
    if options.pop("flat", False):
        wells = wells.assign(**{wells.columns[-1]: 1.0})
    if options.get("blocklist"):
        options = options | {"blocklist": [column for column in wells if column not in ROLES]}
    with pytest.raises(InputError, match=message):
        wells_to_drugs(wells, **options)


def test_simulated_wells_have_the_layout_that_they_say(screen):
    wells, truth = screen
    drug = wells[wells["control"] == "drug"]
    assert (wells.groupby("plate")["control"].agg(lambda control: (control == "dmso").sum()) == 32).all()
    assert drug.groupby("pert_id").size().eq(8).all() and drug.groupby("pert_id")["plate"].nunique().eq(4).all()
    assert not wells.duplicated(["plate", "well"]).any()
    assert drug["pert_id"].nunique() == len(truth)
    pd.testing.assert_frame_equal(wells, simulate_wells(simulate_small(), seed=3, plate_effect=4.0))


def simulate_small():
    return simulate(seed=3, n_drugs=120, n_moas=30, n_common_moas=8, largest_moa=15, n_features=40)[0]


def test_a_dose_is_one_however_its_number_is_written(screen):
    """10 in one file, 10.0 or 1e1 in another; text stays as it is."""
    wells, _ = screen
    first = sorted(wells["dose"].dropna().unique())[0]
    plain = wells.assign(dose=wells["dose"].where(wells["dose"] != first, "10"))
    odd = plain.assign(dose=plain["dose"].where((plain["dose"] != "10") | (plain.index % 2 == 0), "1e1"))
    assert odd["dose"].nunique() == plain["dose"].nunique() + 1
    found, expected = (wells_to_drugs(one, **PLAIN) for one in (odd, plain))
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_doses_are_weighted_by_their_strength_and_wells_of_a_dose_by_none(screen):
    wells, _ = screen
    features = [column for column in wells if column not in ROLES]
    wells = wells.assign(**{features[0]: wells[features[0]].where(wells.index % 40 != 7)})  # some values are missing
    drugs, steps, comparable = wells_to_drugs(wells, **PLAIN | {"consensus": "weighted"})
    treated = comparable[~comparable["is_control"]]
    for drug, mine in list(treated.groupby("pert_id"))[:15]:
        doses = np.array([np.nanmedian(dose[features], axis=0) for _, dose in mine.groupby("dose")])
        weights = [np.sqrt(np.nanmean(dose**2)) for dose in doses]
        expected = np.ma.average(np.ma.masked_invalid(doses), axis=0, weights=weights)
        found = drugs.loc[drugs["pert_id"] == drug, features].to_numpy()[0]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert steps["detail"].tolist()[-2:] == ["median over dose", "weighted mean over pert_id"]
    alone, plain = (
        wells_to_drugs(wells.drop(columns="dose"), **PLAIN | {"consensus": how}) for how in ("weighted", "median")
    )
    pd.testing.assert_frame_equal(alone[0], plain[0])


def test_a_drug_without_any_effect_has_the_mean_of_its_doses():
    doses = pd.DataFrame({"pert_id": ["a", "a", "b", "b"], "f": [0.0, 0.0, 1.0, 3.0], "g": [0.0, 0.0, 1.0, 3.0]})
    found = weighted_mean(doses, ["f", "g"]).set_index("pert_id")
    assert found.loc["a"].tolist() == [0, 0] and found.loc["b"].tolist() == [2.5, 2.5]


def test_comparable_wells_are_those_that_the_drugs_are_made_of(screen):
    wells, _ = screen
    drugs, _, comparable = wells_to_drugs(wells, **PLAIN)
    assert len(comparable) == len(wells)
    assert (comparable["is_control"].to_numpy() == comparable["pert_id"].isna().to_numpy()).all()
    assert [column for column in comparable if column in drugs] == ["pert_id", *drugs.columns[3:]]
    treated = comparable[~comparable["is_control"]]
    medians = treated.groupby(["pert_id", "dose"])[list(drugs.columns[3:])].median().groupby("pert_id").median()
    np.testing.assert_allclose(drugs.set_index("pert_id").loc[medians.index].iloc[:, 2:].astype(float), medians)
