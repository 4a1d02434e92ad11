"""The study on real rows of the paper's own table, where they are at hand."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "tests/real/lincs_subset.yaml"
DATA = ROOT.parent / "shared/data/lds1195-subset"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real rows at {DATA}")


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    directory = tmp_path_factory.mktemp("real")
    config = yaml.safe_load(CONFIG.read_text())
    for source in config["sources"].values():
        source["location"] = str(ROOT / source["location"])
    config["validation"] = "off"  # minutes; `snakemake --configfile tests/real/lincs_subset.yaml` has it on
    (directory / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(directory)]
    command += ["--cores", "2", "--configfile", str(directory / "config.yaml")]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 0, run.stdout
    return directory / "results/lincs_subset"


def test_drugs_and_moas_are_those_of_the_paper_s_table(results):
    drugs = pd.read_parquet(results / "profiles/annotated.parquet")
    sizes = drugs["moa"].value_counts()
    assert drugs.shape == (488, 3 + 812)
    assert (len(sizes), (sizes >= 5).sum(), sizes.idxmax()) == (200, 17, "adrenergic receptor antagonist")


def test_every_row_is_accounted_for(results):
    drugs = pd.read_parquet(results / "profiles/annotated.parquet")
    dropped = pd.read_csv(results / "profiles/dropped.csv")
    assert drugs["pert_id"].str.split("|").explode().nunique() + (dropped["step"] == "annotate").sum() == 659
    assert (dropped["step"] == "aggregate").sum() == 492 - 488
    theophylline = dropped[(dropped["pert_id"] == "BRD-K97799481") & (dropped["step"] == "name")]
    assert set(theophylline["pert_iname"]) == {"oxtriphylline", "theophylline"}  # aminophylline comes first


@pytest.mark.parametrize("representation", ["raw", "pca", "itml"])
def test_rows_without_a_moa_are_placed_on_the_finished_map(results, representation):
    placed = pd.read_csv(results / f"placed/{representation}.csv")
    assert len(placed) == 659 - 492 and placed.notna().all(axis=None)
    assert placed["outside"].mean() < 0.1  # the same screen
    communities = pd.read_csv(results / representation / "communities.csv").set_index("drug")["community"]
    assert (communities[placed["exemplar"]].to_numpy() == placed["community"]).all()
    assert communities.index.is_unique and not placed["compound"].isin(communities.index).any()
    listed = pd.read_parquet(results / f"placed/{representation}_neighbours.parquet")
    assert (
        len(listed) == 167 * 10 and listed.groupby("compound", observed=True)["distance"].is_monotonic_increasing.all()
    )


def test_the_published_numbers_are_extrapolated_where_they_grow_with_the_drugs(results):
    table = pd.read_csv(results / "reproduction.csv").set_index("quantity")
    assert set(table["verdict"]) == {"NOT COMPARABLE", "EXTRAPOLATED"}
    assert table["reason"].str.startswith("the source table has 659 compounds, the paper's has 19864").all()
    grown = table[table["verdict"] == "EXTRAPOLATED"]
    assert {f"{part} Clustering Number" for part in ("raw", "pca", "itml")} < set(grown.index)
    raw = table.loc["raw Clustering Number"]
    assert raw["reproduced"] == 34
    assert raw["low"] < raw["published"] == 57 < raw["high"]


def test_each_profile_normalized_has_nearly_the_range_of_the_paper(results):
    table = pd.read_csv(results / "reproduction.csv").set_index("quantity")["reproduced"]
    assert table["normalized_minimum"] == pytest.approx(-8.784, abs=0.001)
    assert table["normalized_maximum"] == pytest.approx(14.196, abs=0.001)
    values = pd.read_parquet(results / "profiles/normalized.parquet").iloc[:, 3:].to_numpy()
    np.testing.assert_allclose(values.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(values.var(axis=1), 1, rtol=1e-4)


@pytest.mark.parametrize("representation", ["raw", "pca", "itml"])
def test_the_query_answers_whether_the_two_drugs_share_a_community(results, representation):
    answer = pd.read_csv(results / representation / "query.csv")
    communities = pd.read_csv(results / representation / "communities.csv").set_index("drug")["community"]
    pair = answer[answer["relation"] == "pair"].iloc[0]
    assert (pair["queried"], pair["drug"]) == ("chloroquine", "clomifene")
    assert pair["shares_community"] == (communities["chloroquine"] == communities["clomifene"])


def test_real_data_are_not_called_simulated(results):
    assert "data" not in pd.read_csv(results / "supplement/table_1.csv")
    assert "simulated" not in (results / "figures/fig1.svg").read_text()
