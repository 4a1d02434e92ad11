"""A whole run of a small simulated screen."""

import html
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist

from moamap.report.page import SECTIONS

from ..report.explored import read_blocks
from .study import ROOT, SMALL, checksums, snakemake

LEARNED = ["raw", "pca", "itml"]
QUERIED = ["simulated drug 001", "simulated drug 002"]
REPRESENTATIONS = [*LEARNED, "itml_crossfit"]
FIGURES = ["fig1", "fig2", "fig3", "fig4", "figS1", "validation_null", "validation_retrieval"]
FIGURES += ["validation_reliability", "validation_stability"]
EACH = ["neighbours.parquet", "connections.parquet", "representation.json", "communities.csv", "communities.json"]
EACH += ["enrichment.csv", "community_features.csv", "csif_overlap.csv", "tsne.csv"]
ONCE = ["profiles/annotated.parquet", "profiles/normalized.parquet", "profiles/dropped.csv", "truth.csv"]
ONCE += [f"supplement/table_{name}" for name in ("S1.csv.gz", "S2.csv.gz", "S3.csv.gz", "S4.csv", "S5.csv.gz", "1.csv")]
ONCE += [f"figures/{name}.{ending}" for name in FIGURES for ending in ("svg", "png")]
ONCE += [f"validation/{name}.csv" for name in ("null", "null_by_moa", "retrieval", "retrieval_by_moa", "stability")]
ONCE += ["validation/table_1_calibrated.csv", "validation/verdict.md", "validation/power.csv", "candidates.csv"]
ONCE += [f"validation/{name}" for name in ("proposals.csv", "proposals.json", "reliability.csv")]
ONCE += ["reproduction.csv", "repurposing.csv", "provenance.json", "explorer.html"]
ONCE += ["report.html", "references.bib", "run.html"]
ONCE += [f"{name}/{file}" for name in LEARNED for file in ("transform.npz", "embedding.parquet")]


@pytest.mark.parametrize("file", ONCE + [f"{name}/{file}" for name in REPRESENTATIONS for file in EACH])
def test_every_file_is_there(small_run, file):
    assert (small_run / file).stat().st_size > 0


def test_connections_are_all_pairs_of_the_embedding(small_run):
    embedding = pd.read_parquet(small_run / "itml/embedding.parquet").drop(columns=["drug", "data"])
    s2 = pd.read_csv(small_run / "supplement/table_S2.csv.gz")
    assert len(s2) == 120 * 119 // 2
    assert s2["distance"].to_numpy() == pytest.approx(pdist(embedding), rel=1e-6)


def test_table_1_can_be_redone_from_the_enrichment_tables(small_run):
    path = small_run / "supplement/table_1.csv"
    table = pd.read_csv(path, index_col="representation", float_precision="round_trip")
    for name in REPRESENTATIONS:
        enriched = pd.read_csv(small_run / name / "enrichment.csv")
        communities = pd.read_csv(small_run / name / "communities.csv")
        row = table.loc[name]
        assert row["Clustering Number"] == communities["community"].nunique()
        assert row["Enrichment Number"] == enriched.loc[enriched["p_value"] < 0.01, "moa"].nunique()
        assert row["Enrichment Expectation"] == row["Enrichment Number"] / row["Clustering Number"]


def test_only_the_supervised_representation_is_called_in_sample(small_run):
    table = pd.read_csv(small_run / "supplement/table_1.csv", index_col="representation")
    words = table["evidence"].str.split(":").str[0].to_dict()
    unused = "the MoAs were not used before"
    assert words == {"raw": unused, "pca": unused, "itml": "in-sample", "itml_crossfit": "cross-fitted"}


def test_every_table_says_simulated(small_run):
    tables = [path for path in small_run.rglob("*.csv*") if "benchmarks" not in path.parts]
    assert len(tables) > 20
    for path in tables:
        assert path.name == "truth.csv" or list(pd.read_csv(path, nrows=5)["data"].unique()) in (["simulated"], []), (
            path
        )


def test_every_figure_says_simulated(small_run):
    for name in FIGURES:
        assert "simulated data" in (small_run / f"figures/{name}.svg").read_text()
    assert "(simulated data)" in (small_run / "validation/verdict.md").read_text()


def test_the_page_is_one_small_file_that_runs_nothing_and_asks_for_nothing(small_run):
    text = (small_run / "report.html").read_text(encoding="utf-8")
    assert len(text) < 5e6 and "Simulated data: nothing here was measured" in text and "<script" not in text
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html.unescape(text)
    assert (
        set(re.findall(r'src="(\w+:\w+)', text)) == {"data:image"} and "http://" not in text and "https://" not in text
    )
    sections = re.findall(r'<section id="(\w+)">', text)
    assert sections == list(SECTIONS) and re.findall(r'<a href="#(\w+)">', text) == sections
    for link in set(re.findall(r'href="([^#"]+)"', text)):
        assert (small_run / link).is_file(), link
    for figure in FIGURES:
        assert f'<figure id="{figure}">' in text
    summary = json.loads((small_run / "validation/verdict.json").read_text())["summary"]
    assert all(sentence.split("**")[0].split("`")[0] in html.unescape(text) for sentence in summary)


def test_run_times_are_of_every_job(small_run):
    text = (small_run / "run.html").read_text()
    jobs = {path.stem for path in (small_run / "benchmarks").glob("*.tsv")} - {"page"}
    assert jobs <= set(re.findall(r"<td>(\w+)</td>", text)) and len(jobs) > 20


def test_snakemake_s_own_report_has_the_figures_and_their_captions(small_run, tmp_path):
    run = snakemake("--report", tmp_path / "report.zip", directory=small_run.parents[1], configfile=SMALL)
    assert run.returncode == 0, run.stdout
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        names = {Path(name).name for name in archive.namelist()}
    assert {"report.html", "verdict.md", "candidates.csv", *(f"{figure}.svg" for figure in FIGURES)} <= names


def test_figure_2_is_drawn_from_the_dag(small_run):
    drawn = (small_run / "figures/fig2.svg").read_text()
    assert all(rule in drawn for rule in ("simulate", "annotate", "normalize", "represent", "connect", "enrich"))


def test_the_null_is_beside_every_row_of_table_1(small_run):
    table = pd.read_csv(small_run / "validation/table_1_calibrated.csv", index_col="representation")
    assert list(table.index) == REPRESENTATIONS
    assert table["Enrichment Number: p value"].between(1 / 200, 1).all()
    assert (table["Enrichment Number: null low"] <= table["Enrichment Number: null high"]).all()


def test_cross_fitted_distances_are_of_all_pairs(small_run):
    connections = pd.read_parquet(small_run / "itml_crossfit/connections.parquet")
    folds = pd.read_csv(small_run / "itml_crossfit/folds.csv")
    assert len(connections) == 120 * 119 // 2
    assert (connections["distance"] > 0).all()
    assert set(folds["split_1"]) == {1, 2, 3, 4} and len(folds) == 120


def test_every_drug_has_a_posterior_and_only_half_or_more_is_called_a_proposal(small_run):
    table = pd.read_csv(small_run / "candidates.csv")
    assert table["kind"].value_counts().to_dict() == {
        "hidden MoA": 120,
        "additional MoA": 120,
        "repurposing partner": 20,
    }
    assert ((table["called"] == "proposal") == (table["probability_1"] >= 0.5)).all()
    fitted = json.loads((small_run / "validation/proposals.json").read_text())
    assert fitted["representation"] in ("raw", "pca", "itml_crossfit")  # never in sample
    assert sum(fitted["chosen_in_folds"].values()) == 10
    assert set(table["moa_1"].dropna()) <= set(fitted["moas"])
    reliability = pd.read_csv(small_run / "validation/reliability.csv").set_index("quantity")
    assert reliability.loc["proposals at 0.5 or more", "observed"] == (table["called"] == "proposal").sum()
    claims = reliability[reliability.index.str.startswith("claims")]
    assert claims["n"].sum() == 120 * len(fitted["moas"])


def test_repurposing_counts_the_stability_runs(small_run):
    table = pd.read_csv(small_run / "repurposing.csv")
    assert set(table["representation"]) == set(REPRESENTATIONS) and set(table["queried"]) == set(QUERIED)
    assert table[["target", "clinical_phase"]].isna().all(axis=None)  # the Hub's, which is not part of this study
    for row in table[::7].itertuples():
        stored = np.load(small_run / f"validation/stability/{row.representation}.npz")
        names = pd.read_csv(small_run / row.representation / "communities.csv")["drug"].tolist()
        a, b = stored["runs"][stored["kinds"] != "preference"][:, [names.index(row.queried), names.index(row.drug)]].T
        assert (row.runs_together, row.runs) == (((a == b) & (a > 0)).sum(), ((a > 0) & (b > 0)).sum())
        assert row.runs <= 10


def test_without_validation_or_query_there_is_no_repurposing_table(tmp_path):
    text = SMALL.read_text()
    for number, changed in enumerate((f"{text}validation: off\n", text.split("query:")[0])):
        config = tmp_path / f"{number}.yaml"
        config.write_text(changed)
        run = snakemake("--dry-run", directory=tmp_path, configfile=config)
        assert run.returncode == 0 and "rule supplement" in run.stdout and "repurposing.csv" not in run.stdout


def test_provenance_has_versions_seeds_checksums_and_config(small_run):
    provenance = json.loads((small_run / "provenance.json").read_text())
    assert provenance["seeds"] == {
        "simulation": 1,
        "representations.itml": 0,
        "communities": 0,
        "crossfit": 0,
    }
    assert provenance["packages"]["metric-learn"] == "0.7.0"
    assert list(provenance["inputs_sha256"]) == ["simulated_profiles.parquet"]
    assert provenance["config"]["dataset"] == "small"


def test_gzip_files_carry_no_time(small_run):
    with open(small_run / "supplement/table_S1.csv.gz", "rb") as file:
        assert file.read(8)[4:8] == b"\0\0\0\0"
    assert pd.read_csv(small_run / "supplement/table_S1.csv.gz").columns[0] == "pert_id"


def test_one_core_and_two_cores_give_the_same_bytes(small_run, tmp_path):
    run = snakemake(directory=tmp_path, configfile=SMALL, cores=1)
    assert run.returncode == 0, run.stdout
    two, one = checksums(small_run), checksums(tmp_path / "results/small")
    assert one == two and len(one) > 40


def test_a_second_call_has_nothing_to_do(small_run):
    run = snakemake(directory=small_run.parents[1], configfile=SMALL)
    assert "Nothing to be done" in run.stdout


def test_a_script_makes_its_file_by_hand(small_run):
    target = small_run / "raw/enrichment.csv"
    before = target.read_bytes()
    target.unlink()
    command = [sys.executable, ROOT / "workflow/scripts/enrich.py", "results/small/raw/enrichment.csv", SMALL]
    subprocess.run(list(map(str, command)), cwd=small_run.parents[1], check=True)
    assert target.read_bytes() == before


def test_the_workflow_is_a_module(tmp_path):
    outer = tmp_path / "Snakefile"
    outer.write_text(
        f'configfile: "{SMALL}"\n'
        f'module moamap:\n    snakefile: "{ROOT}/workflow/Snakefile"\n    config: config\n'
        "use rule * from moamap as moamap_*\n"
        "rule mine:\n    default_target: True\n    input: rules.moamap_all.input\n"
    )
    run = snakemake("results/small/supplement/table_1.csv", directory=tmp_path, snakefile=outer)
    assert run.returncode == 0, run.stdout
    assert (tmp_path / "results/small/supplement/table_1.csv").exists()
    assert "moamap_figure" in snakemake("--dry-run", directory=tmp_path, snakefile=outer).stdout


@pytest.mark.parametrize("profile", ["profiles/default", "workflow/profiles/slurm"])
@pytest.mark.parametrize("config", ["config/config.yaml", "config/lincs.yaml"])
def test_dry_run_of_each_profile_and_config(profile, config, tmp_path):
    run = snakemake("--dry-run", "--profile", ROOT / profile, directory=tmp_path, configfile=ROOT / config)
    assert run.returncode == 0, run.stdout
    assert "community_features" in run.stdout


def test_split_lets_a_drug_count_for_each_of_its_moas(tmp_path):
    table = pd.DataFrame({"pert_id": [f"c{i:02d}" for i in range(40)], "moa": ["a|b", "b", "c", "a"] * 10})
    for feature in range(6):
        table[f"Cells_Texture_{feature}"] = [(i * (feature + 3)) % 17 + i % 4 for i in range(40)]
    table.to_csv(tmp_path / "own.csv", index=False)
    config = tmp_path / "own.yaml"
    text = (
        SMALL.read_text()
        .replace("dataset: small", "dataset: own\nmoa: split\nnormalization: {axis: feature}")
        .split("query:")[0]
    )
    start, end = text.index("simulation:"), text.index("representations:")
    config.write_text(text[:start] + f"sources: {{profiles: {{location: {tmp_path}/own.csv}}}}\n" + text[end:])
    run = snakemake("results/own/itml/enrichment.csv", directory=tmp_path, configfile=config)
    assert run.returncode == 0, run.stdout
    enriched = pd.read_csv(tmp_path / "results/own/itml/enrichment.csv")
    assert enriched.groupby("moa")["K"].first().to_dict() == {"a": 20, "b": 20, "c": 10}
    assert "data" not in enriched


def test_the_study_as_anndata_is_the_study(small_run):
    study = anndata.read_h5ad(small_run / "study.h5ad")
    normalized = pd.read_parquet(small_run / "profiles/normalized.parquet").drop(columns="data")
    assert study.obs_names.tolist() == normalized["pert_iname"].tolist()
    np.testing.assert_array_equal(study.X, normalized.iloc[:, 3:])
    raw = pd.read_parquet(small_run / "profiles/annotated.parquet").drop(columns="data")
    np.testing.assert_array_equal(study.layers["raw"], raw.iloc[:, 3:])
    for name in ("raw", "pca", "itml", "itml_crossfit"):
        mine = pd.read_csv(small_run / name / "communities.csv").set_index("drug").loc[study.obs_names]
        assert study.obs[f"community_{name}"].astype(int).tolist() == mine["community"].tolist()
        assert study.obsm[f"X_tsne_{name}"].shape == (study.n_obs, 2)
    embedding = pd.read_parquet(small_run / "itml/embedding.parquet").drop(columns=["drug", "data"])
    np.testing.assert_array_equal(study.obsm["X_itml"], embedding)
    assert study.uns["simulated"] and json.loads(study.uns["provenance"])["dataset"] == "small"


def test_the_explorer_holds_the_study(small_run):
    blocks = read_blocks((small_run / "explorer.html").read_bytes())
    overview, drugs = blocks["study"], pd.read_parquet(small_run / "profiles/drugs.parquet")
    assert overview["simulated"] and overview["maps"] == REPRESENTATIONS and overview["main"] == "itml"
    assert blocks["names"]["pert_iname"] == drugs["pert_iname"].tolist()
    assert [overview["labels"][number] for number in blocks["label"]] == drugs["moa"].tolist()
    for name in REPRESENTATIONS:
        info, communities = blocks[f"{name}/info"], pd.read_csv(small_run / name / "communities.csv")
        assert blocks[f"{name}/community"].tolist() == communities["community"].tolist()
        exemplars = communities[communities["is_exemplar"]]
        assert info["exemplars"] == {str(row.community): row.Index for row in exemplars.itertuples()}
        enriched = pd.read_csv(small_run / name / "enrichment.csv").query("k > 0")
        assert info["enrichment"]["k"] == enriched["k"].tolist()
        assert [overview["moas"][moa] for moa in info["enrichment"]["moa"]] == enriched["moa"].tolist()
        null = pd.read_csv(small_run / "validation/null_by_moa.csv").query("representation == @name")
        assert info["null"]["p_value"] == pytest.approx(null["p_value"].tolist(), rel=1e-5)
        kept = pd.read_csv(small_run / "validation/stability_by_drug.csv").query("representation == @name")
        expected = kept["companions_kept"].fillna(2.55).to_numpy() * 100
        assert np.abs(blocks[f"{name}/kept"] - expected).max() <= 0.501
    candidates = pd.read_csv(small_run / "candidates.csv")
    assert len(overview["proposals"]) == len(candidates)
    assert not [
        word for word in ("simulated drug", "simulated MoA") if word in (small_run / "explorer.html").read_text()
    ]
