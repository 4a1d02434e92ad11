"""Alternative representations against scikit-learn, metric-learn and formulas, and on screens whose truth is known."""

import metric_learn
import numpy as np
import pandas as pd
import pytest
from scipy.linalg import inv, sqrtm
from scipy.spatial.distance import pdist, squareform
from scipy.special import softmax
from scipy.stats import norm, rankdata
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

import discarded
from moamap.core.errors import InputError
from moamap.core.labels import folds_by_moa, label_sets, membership, sharing
from moamap.core.numerics import squared_euclidean
from moamap.profiles.simulate import simulate
from moamap.representations import alternatives as alt
from moamap.representations.base import Chain, Corrected, Learned, load, normal_scores, save, unit_rows
from moamap.representations.paper import itml, labelled_pairs, raw
from moamap.representations.wells import Wells, wells_of
from moamap.validation.nulls import permutation
from moamap.validation.retrieval import average_precision, rank

METHODS = [discarded.direct, alt.spherize, alt.lda, alt.rca, discarded.nca, discarded.itml_pca]


def screen(n_drugs=80, n_features=12, n_moas=5, seed=0, shift=3.0):
    """Profiles with a random covariance and shifted by MoA, the MoA of each drug, the MoA table."""
    rng = np.random.default_rng(seed)
    moa = np.arange(n_drugs) % n_moas
    x = rng.normal(size=(n_drugs, n_features)) @ rng.normal(size=(n_features, n_features))
    x += shift * rng.normal(size=(n_moas, n_features))[moa]
    return x, moa, membership(pd.Series(moa).map("m{}".format), "whole").to_numpy()


def split_screen(n_drugs=40, n_features=90, seed=1):
    """More features than drugs, several MoAs a drug, of which some are a drug's alone."""
    rng = np.random.default_rng(seed)
    sets = ["a", "a", "a", "b", "b", "c", "c", "a|b", "a|b", "b|c", "d", "a|e"]
    labels = pd.Series([*rng.permutation(np.resize(sets, n_drugs - 1)), "alone"])
    return rng.normal(size=(n_drugs, n_features)), membership(labels, "split").to_numpy()


def principal_scores(x, k):
    return PCA(k, svd_solver="full").fit_transform(x)


def metric(learned):
    return learned.components.T @ learned.components


# --- the parts of a chain ---


def test_normal_scores_of_the_reference_are_bloms():
    x = np.random.default_rng(0).integers(0, 20, size=(50, 6)).astype(float)  # many ties
    expected = norm.ppf((rankdata(x, axis=0) - 3 / 8) / (50 + 1 / 4))
    np.testing.assert_allclose(normal_scores(x, np.sort(x, axis=0)), expected, rtol=1e-12, atol=1e-12)


def test_normal_scores_of_new_drugs_are_interpolated_and_end_where_the_reference_ends():
    reference = np.array([[0.0], [1.0], [1.0], [4.0]])
    ranks = [1, 1, 1.5, 2.5, 3.5, 4, 4]
    new = np.array([[-9.0], [0.0], [0.5], [1.0], [2.5], [4.0], [99.0]])
    np.testing.assert_allclose(
        normal_scores(new, reference)[:, 0], norm.ppf((np.array(ranks) - 0.375) / 4.25), rtol=1e-12
    )


@pytest.mark.parametrize(("n_drugs", "number"), [(80, 1), (80, 12), (9, 8), (9, 50)])
def test_principal_axes_are_scikit_learns(n_drugs, number):
    x, *_ = screen(n_drugs)
    axes = alt.principal_axes(x - x.mean(axis=0), number)
    expected = PCA(len(axes), svd_solver="full").fit(x).components_
    assert len(axes) == min(number, 12, n_drugs - 1)
    np.testing.assert_allclose(np.abs(np.sum(axes * expected, axis=1)), 1, rtol=1e-10)


def test_unit_length_is_cosine_distance():
    x, _, moas = screen()
    expected = 2 * pdist(x - x.mean(axis=0), "cosine")
    np.testing.assert_allclose(
        pdist(discarded.direct(x, moas, warp=None, cosine=True).transform(x)) ** 2, expected, rtol=1e-9
    )
    assert not unit_rows(np.zeros((2, 3))).any()


def test_a_chain_without_its_curved_parts_is_a_linear_map():
    x, _, moas = screen()
    assert type(alt.lda(x, moas)) is Learned
    np.testing.assert_array_equal(discarded.direct(x, moas, warp=None).transform(x), x)


# --- each method against another implementation, or its formula ---


@pytest.mark.parametrize("shrinkage", [0, 0.3, 1])
def test_spherize_against_the_formula(shrinkage):
    x, _, moas = screen()
    covariance = np.cov(x.T, bias=True)
    target = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / 12 * np.eye(12)
    found = alt.spherize(x, moas, shrinkage=shrinkage)
    np.testing.assert_allclose(found.components, inv(sqrtm(target)), rtol=1e-7, atol=1e-9)
    in_components = alt.spherize(x, moas, shrinkage=shrinkage, pca=12)
    np.testing.assert_allclose(metric(in_components), metric(found), rtol=1e-7, atol=1e-9)


def test_spherize_looks_at_no_label():
    x, *_ = screen()
    np.testing.assert_array_equal(alt.spherize(x, None).components, alt.spherize(x, screen()[2]).components)


def scaled_twice(x):
    """By scikit-learn: each profile, then each feature."""
    profiles = StandardScaler().fit_transform(x.T).T
    return profiles, StandardScaler().fit(profiles)


@pytest.mark.parametrize(("n_drugs", "pca"), [(80, 7), (9, 100)])
def test_spherize_of_annotated_profiles_against_scikit_learn(n_drugs, pca):
    x = screen(n_drugs, shift=1.0)[0] + 5.0
    profiles, features = scaled_twice(x)
    model = PCA(min(pca, n_drugs - 1, 11), svd_solver="full")
    scores = model.fit_transform(features.transform(profiles))
    covariance = np.cov(scores.T, bias=True)
    root = inv(sqrtm((covariance + np.trace(covariance) / len(covariance) * np.eye(len(covariance))) / 2))
    found = alt.spherize(x, None, reads="annotated", pca=pca, cosine=True)
    assert found.reads == "annotated"
    np.testing.assert_allclose(found.centre, features.mean_, atol=1e-12)
    np.testing.assert_allclose(found.spread, features.scale_, rtol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(found.transform(x), axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(pdist(found.transform(x)) ** 2, 2 * pdist(scores @ root, "cosine"), rtol=1e-6)
    new = np.random.default_rng(1).normal(size=(5, 12))
    expected = model.transform(features.transform(scaled_twice(new)[0])) @ root
    np.testing.assert_allclose(pdist(found.transform(new)) ** 2, 2 * pdist(expected, "cosine"), rtol=1e-6)


def wells_screen(n_drugs=40, n_features=12, seed=0, nuisance=6.0):
    """Profiles of drugs, and a table of four wells of each of two doses, which vary along one direction most."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_drugs, n_features))
    direction = rng.normal(size=n_features)
    rows = [(drug, dose, x[drug] * (1 + dose)) for drug in range(n_drugs) for dose in (1, 2) for _ in range(4)]
    values = np.array([row[2] for row in rows]) + 0.5 * rng.normal(size=(len(rows), n_features))
    values += nuisance * rng.normal(size=(len(rows), 1)) * direction / np.linalg.norm(direction)
    table = pd.DataFrame(values, columns=[f"f{i}" for i in range(n_features)])
    table.insert(0, "pert_id", [f"p{row[0]}" for row in rows])
    table.insert(1, "dose", [str(row[1]) for row in rows])
    return x, table.assign(is_control=False), [f"p{i}" for i in range(n_drugs)]


def test_replicates_against_pandas_and_scipy():
    x, table, ids = wells_screen()
    names = list(table.columns[2:-1])
    profiles, features = scaled_twice(x)
    wells = pd.DataFrame(features.transform(scaled_twice(table[names].to_numpy())[0]))
    keys = [table["pert_id"].to_numpy(), table["dose"].to_numpy()]
    noise = wells - wells.groupby(keys).transform("mean")
    covariance = noise.T.to_numpy() @ noise.to_numpy() / len(noise)
    root = inv(sqrtm(0.9 * covariance + 0.1 * np.trace(covariance) / 12 * np.eye(12)))
    found = alt.replicates(x, None, wells_of(table, ids, names))
    expected = features.transform(profiles) @ root
    np.testing.assert_allclose(pdist(found.transform(x)) ** 2, 2 * pdist(expected, "cosine"), rtol=1e-6)
    assert found.reads == "annotated" and found.notes == {"wells": 320, "drugs_and_doses": 80}


def test_wells_of_drugs_that_are_held_out_take_no_part():
    x, table, ids = wells_screen()
    names, rows = list(table.columns[2:-1]), np.arange(3, 33)
    kept = [ids[row] for row in rows]
    changed = table.copy()
    changed.loc[~table["pert_id"].isin(kept), names] *= -7.0
    expected = alt.replicates(x[rows], None, wells_of(table[table["pert_id"].isin(kept)], kept, names)).transform(x)
    for one in (table, changed):
        np.testing.assert_array_equal(alt.replicates(x[rows], None, wells_of(one, kept, names)).transform(x), expected)
        subset = wells_of(one, ids, names).of(rows)
        assert set(subset.drugs) == set(range(len(rows)))
        np.testing.assert_allclose(alt.replicates(x[rows], None, subset).transform(x), expected, rtol=1e-12)


def test_wells_are_those_that_are_replicates_of_a_drug_of_the_study():
    table = pd.DataFrame(
        {
            "pert_id": ["a", "a", "a", "b", "b", "c", "c", "d", "d", None, "x", "x"],
            "dose": ["1", "1", "2", "1", "1", "1", "1", "1", "1", None, "1", "1"],
            "is_control": [False] * 9 + [True, False, False],
            "f": [0.0, 1, 2, 3, np.nan, 5, 6, 7, 8, 9, 10, 11],
            "g": [1.0, 2, 3, 4, 5, 6, 7, 8, 8, 10, 11, 12],
        }
    )
    found = wells_of(table, ["d", "a|b", "c"], ["g", "f"])
    assert found.x.tolist() == [[1, 0], [2, 1], [6, 5], [7, 6]]  # b has one whole well, d one that varies
    assert found.drugs.tolist() == [1, 1, 2, 2] and found.groups.tolist() == [0, 0, 1, 1]
    with pytest.raises(InputError, match="no drug has two wells of one dose"):
        alt.replicates(np.array([[1.0, 0], [0, 1], [2, 5]]), None, wells_of(table[:0], ["a"], ["f", "g"]))


def retrieved(learned, x, moas):
    everyone = np.arange(len(x))
    squared = learned.squared_distances(x, squared_euclidean(x))
    return np.nanmean(average_precision(rank(squared, everyone, everyone), sharing(moas))[0])


@pytest.mark.parametrize("phenotypes", [True, False])
def test_replicates_find_phenotypes_behind_the_noise_of_wells_and_none_where_there_are_none(phenotypes):
    rng = np.random.default_rng(4)
    moa = np.arange(60) % 12
    truth = (rng.normal(size=(12, 20))[moa] if phenotypes else 0) + 0.7 * rng.normal(size=(60, 20))
    loud = rng.normal(size=(3, 20))  # what changes between wells, whatever the drug
    wells = np.repeat(truth, 6, axis=0) + 3 * rng.normal(size=(360, 3)) @ loud + 0.3 * rng.normal(size=(360, 20))
    drug = np.repeat(np.arange(60), 6)
    x = wells.reshape(60, 6, 20).mean(axis=1)
    moas = membership(pd.Series(moa).map("m{}".format), "whole").to_numpy()
    learned = alt.replicates(x, None, Wells(wells, drug, drug))
    permuted = [retrieved(learned, x, moas[permutation(60, 0, number)]) for number in range(1, 40)]
    if phenotypes:
        plain = alt.spherize(x, None, reads="annotated", shrinkage=1.0, cosine=True)  # the same without whitening
        assert retrieved(learned, x, moas) > 1.3 * retrieved(plain, x, moas) > 1.3 * np.mean(permuted)
    else:
        assert retrieved(learned, x, moas) < np.quantile(permuted, 0.95)


@pytest.mark.parametrize("options", [{}, {"components": 2}, {"shrinkage": 0.1}, {"pca": 6}])
def test_lda_is_scikit_learns(options):
    x, moa, moas = screen()
    scores = principal_scores(x, options.get("pca", 12))
    count = min(options.get("components", 4), 4)
    peer = LinearDiscriminantAnalysis(solver="eigen", shrinkage=options.get("shrinkage", 0.5), n_components=count)
    expected = pdist(peer.fit(scores, moa).transform(scores))
    np.testing.assert_allclose(pdist(alt.lda(x, moas, **options).transform(x)), expected, rtol=1e-8)


def test_lda_leaves_out_moas_of_one_drug():
    x, moa, _ = screen()
    moa = np.where(np.arange(80) < 77, moa, 100 + np.arange(80))
    scores = principal_scores(x, 12)
    peer = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.5).fit(scores[:77], moa[:77])
    found = alt.lda(x, membership(pd.Series(moa).map("m{}".format), "whole").to_numpy())
    np.testing.assert_allclose(pdist(found.transform(x)), pdist(peer.transform(scores)), rtol=1e-8)
    assert found.notes["n_classes"] == 5


@pytest.mark.parametrize("pca", [5, 12])
def test_rca_without_shrinkage_is_metric_learns(pca):
    x, moa, moas = screen()
    scores = principal_scores(x, pca)
    expected = metric_learn.RCA().fit(scores, moa).transform(scores)
    found = alt.rca(x, moas, pca=pca, shrinkage=0).transform(x)
    np.testing.assert_allclose(pdist(found), pdist(expected), rtol=1e-8)


def neighbours_found(embedded, moa):
    """The objective of NCA: the expected share of drugs whose softmax neighbour has their MoA."""
    squared = squareform(pdist(embedded, "sqeuclidean"))
    np.fill_diagonal(squared, np.inf)
    return (softmax(-squared, axis=1) * (moa[:, None] == moa)).sum() / len(moa)


def test_nca_finds_what_metric_learn_finds():
    x, moa, moas = screen(shift=0.3)
    scores = principal_scores(x, 12)
    scores /= np.sqrt(scores.var(axis=0).sum())
    peer = metric_learn.NCA(init=np.eye(3, 12), n_components=3, max_iter=200).fit(scores, moa)
    found = discarded.nca(x, moas, pca=12, components=3, max_iter=200)
    reached, expected = (neighbours_found(z, moa) for z in (found.transform(x), peer.transform(scores)))
    assert reached == pytest.approx(expected, rel=0.02)
    assert reached > 1.2 * neighbours_found(scores[:, :3], moa)


@pytest.mark.parametrize("shrinkage", [0.5, 1.0])
def test_itml_pca_is_metric_learns_with_that_prior(shrinkage):
    x, _, moas = screen()
    scores = principal_scores(x, 6)
    covariance = np.cov(scores.T, bias=True)
    prior = inv((1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / 6 * np.eye(6))
    pairs, similar = labelled_pairs(moas, 30, 0)
    peer = metric_learn.ITML(prior=prior, max_iter=1000)
    peer.fit(scores[pairs], np.where(similar, 1, -1), bounds=[2.0, 20.0])
    found = discarded.itml_pca(x, moas, pca=6, shrinkage=shrinkage, n_constraints=30, bounds=[2.0, 20.0])
    np.testing.assert_allclose(pdist(found.transform(x)), pdist(peer.transform(scores)), rtol=1e-6)
    assert found.notes["converged"]


# --- what holds of all ---


@pytest.mark.parametrize("warp", [None, "rank"])
@pytest.mark.parametrize("method", METHODS)
def test_finite_and_the_same_again_with_more_features_than_drugs_and_several_moas(method, warp):
    x, moas = split_screen()
    first, again = (method(x, moas, warp=warp) for _ in range(2))
    embedded = first.transform(x)
    assert np.isfinite(embedded).all()
    np.testing.assert_array_equal(embedded, again.transform(x))
    np.testing.assert_allclose(first.transform(x[:3] + 0.1), first.transform(x + 0.1)[:3], rtol=1e-9, atol=1e-12)


LEARNED = {
    "linear": lambda x, moas: alt.lda(x, moas),
    "corrected": lambda x, moas: itml(x, moas, n_constraints=5),
    "unit length": lambda x, moas: alt.rca(x, moas, cosine=True),
    "normal scores": lambda x, moas: alt.spherize(x, moas, warp="rank"),
    "both": lambda x, moas: discarded.direct(x, moas, warp="rank", cosine=True),
    "annotated": lambda x, moas: alt.spherize(x, moas, reads="annotated", pca=5, cosine=True),
    "wells": lambda x, moas: alt.replicates(x, moas, Wells(x, *np.divmod(np.arange(40), 2)[:1] * 2)),
}


@pytest.mark.parametrize("kind", LEARNED)
def test_a_saved_map_embeds_new_drugs_as_the_learned_one_does(kind, tmp_path):
    x, moas = split_screen()
    features = [f"f{number}" for number in range(x.shape[1])]
    learned = LEARNED[kind](x, moas)
    save(learned, tmp_path / "transform.npz", features)
    again, names = load(tmp_path / "transform.npz")
    assert type(again) is type(learned) and names == features and again.reads == learned.reads
    assert again.arrays().keys() == learned.arrays().keys()
    for name, array in learned.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array, strict=True)
    new = np.random.default_rng(5).normal(size=(6, x.shape[1]))
    np.testing.assert_array_equal(again.transform(new), learned.transform(new))
    base = squared_euclidean(new)
    np.testing.assert_array_equal(again.squared_distances(new, base), learned.squared_distances(new, base))


def test_the_kinds_of_map_are_all_tried():
    x, moas = split_screen()
    assert {type(learn(x, moas)) for learn in LEARNED.values()} == {Learned, Corrected, Chain}


def test_a_file_that_is_no_map_is_refused_in_one_line(tmp_path):
    x, moas = split_screen()
    path = tmp_path / "transform.npz"
    save(alt.lda(x, moas), path, ["f"] * x.shape[1])
    whole = path.read_bytes()
    np.savez(tmp_path / "other.npz", features=["a"], something=np.eye(2))
    path.write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("transform.npz", "other.npz", "text.npz"):
        with pytest.raises(
            InputError, match=rf"{name}: cannot be read as a learned representation .* delete the file"
        ) as said:
            load(tmp_path / name)
        assert "\n" not in str(said.value)


def test_normal_scores_do_not_mind_a_monotone_change_of_scale():
    x, _, moas = screen()
    np.testing.assert_allclose(
        alt.lda(x, moas, warp="rank").transform(x), alt.lda(np.exp(x), moas, warp="rank").transform(np.exp(x))
    )


@pytest.mark.parametrize("method", [alt.lda, alt.rca, discarded.nca])
def test_labels_of_one_drug_each_are_refused(method):
    with pytest.raises(InputError, match=r"fewer than two MoAs have two drugs$"):
        method(screen()[0], np.eye(80, dtype=bool))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x, moas: alt.spherize(x, moas, shrinkage=0), "expected a larger shrinkage or fewer principal"),
        (lambda x, moas: alt.rca(x, moas, shrinkage=0), "expected a larger shrinkage or fewer principal"),
        (lambda x, moas: alt.lda(x, moas, shrinkage=1.5), "shrinkage is 1.5; expected a number from 0 to 1$"),
        (lambda x, moas: alt.lda(x, moas, warp="log"), "warp is 'log'; expected rank or null$"),
    ],
)
def test_what_cannot_be_done_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call(*split_screen())


# --- on screens whose truth is known ---


def held_out(method, x, moas):
    """Mean average precision of the drugs of each fold against all others, by the map learned without the fold."""
    labels, shared = label_sets(moas), sharing(moas)
    folds = folds_by_moa(labels, 4, np.random.default_rng(0))
    scores = []
    for fold in range(4):
        learned = method(x[folds != fold], moas[folds != fold])
        squared = learned.squared_distances(x, None)
        ranking = rank(squared, np.flatnonzero(folds == fold), np.arange(len(x)))
        scores.append(average_precision(ranking, shared)[0])
    return np.nanmean(np.concatenate(scores))


def itml_of_100_pairs(x, moas):
    return discarded.itml_pca(x, moas, n_constraints=100)


@pytest.fixture(scope="module")
def simulated():
    def make(signal):
        sizes = dict(n_drugs=240, n_moas=24, n_common_moas=16, largest_moa=20, n_features=150)
        profiles, _ = simulate(seed=3, signal=signal, **sizes)
        x = profiles.iloc[:, 3:].to_numpy()
        return (x - x.mean(axis=0)) / x.std(axis=0), membership(profiles["moa"], "whole").to_numpy()

    return {signal: make(signal) for signal in (0, 2)}


@pytest.mark.parametrize("method", [alt.lda, alt.rca, discarded.nca, itml_of_100_pairs])
def test_what_is_learned_helps_new_drugs_where_there_are_phenotypes_and_only_there(method, simulated):
    x, moas = simulated[2]
    assert held_out(method, x, moas) > 1.05 * held_out(raw, x, moas)
    x, moas = simulated[0]
    permuted = [held_out(method, x, moas[permutation(len(x), 0, number)]) for number in range(1, 10)]
    assert held_out(method, x, moas) < max(permuted)
