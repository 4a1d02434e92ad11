"""Compounds without a MoA, and those of a new table, on a finished map."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.spatial.distance import cdist

from moamap.profiles.normalize import apply_normalization
from moamap.profiles.simulate import simulate
from moamap.representations.base import load
from moamap.validation.logit import Logit
from moamap.validation.nearness import views_of_compounds
from moamap.validation.proposals import propose

from ..report.explored import read_blocks
from .study import checksums, snakemake

WHITENED = {"method": "spherize", "reads": "annotated", "pca": 20, "cosine": True}
CONFIG = {"representations": {"itml": {"method": "itml"}, "whitened": WHITENED}, "validation": "off"}
CONFIG |= {"tsne": {"perplexity": 10}, "communities": {"damping": 0.7}}
N, NEW = 80, 30
OF_INPUT = {"table.parquet", "dropped.csv", "unannotated.parquet"}
FITTED = {"representation": "itml_crossfit", "none": 5.0, "lapse": 0.1, "none_share": 0.5, "moa": "whole"}
FITTED |= {"weights": {"log_size": 1.0, "density": 0.1, "closeness": 0.5, "nearest": 0.2}}
PROFILES, TRUTH = simulate(
    seed=1, n_drugs=N + NEW, n_annotated=N, n_moas=20, n_common_moas=6, largest_moa=12, n_features=40
)
SIZES = PROFILES["moa"].value_counts()
FITTED["moas"] = sorted(SIZES.index[SIZES >= 5])


def run(directory, dataset, table, *targets, **config):
    """A run on a table; the folder of its results."""
    table.to_csv(directory / f"{dataset}.csv", index=False)
    config = {"dataset": dataset, "sources": {"profiles": {"location": f"{dataset}.csv"}}} | config
    (directory / f"{dataset}.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(*targets, directory=directory, configfile=directory / f"{dataset}.yaml")
    return directory / "results" / dataset, done


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The results of a study that places its own compounds, as far as another table needs them."""
    directory = tmp_path_factory.mktemp("place")
    targets = ("place", "results/study/provenance.json", "results/study/explorer.html")
    results, done = run(directory, "study", PROFILES, *targets, **CONFIG)
    assert done.returncode == 0, done.stdout
    assert not (results / "placed/proposals.csv").exists()  # placing needs no validated study
    (results / "validation").mkdir()
    (results / "validation/proposals.json").write_text(json.dumps(FITTED))
    return results


def test_compounds_without_a_moa_are_placed_and_accounted_for(study):
    dropped = pd.read_csv(study / "profiles/dropped.csv")
    assert dropped["reason"].tolist() == ["the drug has no MoA: placed on the finished map"] * NEW
    drugs = pd.read_parquet(study / "profiles/drugs.parquet").set_index("pert_iname")["moa"]
    assert len(drugs) == N
    placed = pd.read_csv(study / "placed/itml.csv")
    assert placed["compound"].tolist() == PROFILES["pert_iname"].tolist()[N:]
    assert (placed["nearest_moa"] == drugs[placed["nearest_drug"]].to_numpy()).all()
    exemplars = pd.read_csv(study / "itml/communities.csv").set_index("drug").loc[placed["exemplar"]]
    assert exemplars["is_exemplar"].all() and (exemplars["community"].to_numpy() == placed["community"]).all()
    listed = pd.read_parquet(study / "placed/itml_neighbours.parquet")
    assert len(listed) == 10 * NEW and listed["association"].between(0, 1).all()
    assert listed.loc[listed["rank"] == 1, "drug"].tolist() == placed["nearest_drug"].tolist()


def test_the_explorer_shows_placed_compounds_after_the_drugs(study):
    blocks, placed = read_blocks((study / "explorer.html").read_bytes()), pd.read_csv(study / "placed/itml.csv")
    assert (blocks["study"]["n_study"], blocks["study"]["n_placed"], blocks["study"]["simulated"]) == (N, NEW, False)
    assert blocks["names"]["pert_iname"] == PROFILES["pert_iname"].tolist()
    assert blocks["itml/community"][N:].tolist() == placed["community"].tolist()
    listed = pd.read_parquet(study / "placed/itml_neighbours.parquet")
    near = [blocks["names"]["pert_iname"][i] for i in blocks["itml/near"][N * 10 :]]
    assert near == listed["drug"].tolist()
    assert blocks["study"]["features"]["n"] == N + NEW and "itml/kept" not in blocks


def test_the_study_is_the_same_bytes_without_them(study):
    target = "results/alone/itml/communities.csv"
    alone, done = run(study.parents[1], "alone", PROFILES[:N], target, **CONFIG | {"unannotated": "drop"})
    assert done.returncode == 0, done.stdout
    found, expected = checksums(alone), checksums(study)
    shared = {file for file in found if file.split("/")[-1] not in OF_INPUT} & set(expected)
    assert {file: found[file] for file in shared} == {file: expected[file] for file in shared}
    assert len(shared) == 4 + 8  # of profiles/, of itml/
    assert not (alone / "profiles/unannotated.parquet").exists()


def test_a_new_table_is_placed_as_the_study_placed_it(study):
    """In another order, with a column that the study does not have, and with MoAs, which are only carried along."""
    table = PROFILES[N:].assign(moa=TRUTH["true_moa"], more=1.0).iloc[::-1]
    new, done = run(study.parents[1], "new", table, "place", reference="results/study")
    assert done.returncode == 0, done.stdout
    assert "INFO 1 features are not among the reference's" in (new / "logs/placing.log").read_text()
    assert not (new / "profiles/drugs.parquet").exists() and not (new / "itml").exists()
    for name in CONFIG["representations"]:
        placed, expected = (pd.read_csv(folder / f"placed/{name}.csv") for folder in (new, study))
        assert placed.pop("known_moa").fillna("").tolist() == TRUTH["true_moa"][N:].fillna("").tolist()
        pd.testing.assert_frame_equal(placed, expected, rtol=1e-6)
    check_proposals(study, pd.read_csv(new / "placed/proposals.csv"))


def check_proposals(study, found):
    """The posteriors of the reference's weights, from the embedding of its map; nothing is fitted."""
    learned, _ = load(study / "itml/transform.npz")
    drugs = pd.read_parquet(study / "itml/embedding.parquet").drop(columns="drug").to_numpy()
    new = learned.transform(apply_normalization(PROFILES[N:], pd.read_csv(study / "profiles/normalization.csv")))
    moas = pd.read_parquet(study / "profiles/drugs.parquet")["moa"].to_numpy()
    model = Logit(np.array([*FITTED["weights"].values()]), 5.0, 0.1, 0.5)
    views = views_of_compounds(cdist(new, drugs), cdist(drugs, drugs))
    expected = propose(model, views, moas[:, None] == np.array(FITTED["moas"]))
    assert found["compound"].tolist() == PROFILES["pert_iname"].tolist()[N:]
    assert found["none_of_these"].to_numpy() == pytest.approx(expected[:, -1], rel=1e-4)
    assert found["probability_1"].to_numpy() == pytest.approx(expected[:, :-1].max(axis=1), rel=1e-4)
    assert found["moa_1"].tolist() == [FITTED["moas"][moa] for moa in expected[:, :-1].argmax(axis=1)]


def test_a_new_table_without_a_feature_of_the_reference_is_refused(study):
    table = PROFILES[N:].drop(columns=["moa", *PROFILES.columns[[5, 7]]])
    lacking, done = run(study.parents[1], "lacking", table, reference="results/study")
    assert done.returncode != 0
    expected = f"ERROR profiles: 2 of the reference's 40 features are missing (the first: {PROFILES.columns[5]!r})"
    assert expected in (lacking / "logs/placing.log").read_text()
    assert not (lacking / "placed/itml.csv").exists()


def test_a_config_that_sets_what_the_reference_has_is_refused(study):
    _, done = run(study.parents[1], "both", PROFILES[N:], "--dry-run", reference="results/study", **CONFIG)
    assert done.returncode != 0 and "representations: with `reference`, this is not for the new table" in done.stdout
