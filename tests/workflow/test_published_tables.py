"""Tables in the form of the publisher's, made from a run's own: renamed, shuffled, cut, so that the answer is known."""

import pandas as pd
import pytest

from .study import SMALL, snakemake

TARGET = "results/small/reproduction/published_tables.csv"


def configured(folder, tables):
    """The small study without validation, with `published_tables`."""
    config = folder / "config.yaml"
    config.write_text(f"{SMALL.read_text()}validation: off\npublished_tables: {{{tables}}}\n")
    return config


@pytest.fixture(scope="module")
def compared(small_run, tmp_path_factory):
    """The comparison with changed tables of the same study, by quantity; the log; the enriched MoAs of ITML."""
    folder = tmp_path_factory.mktemp("published")
    s1 = pd.read_csv(small_run / "supplement/table_S1.csv.gz", usecols=["pert_iname", "moa"])
    s1 = s1.assign(Drug=s1["pert_iname"].str.upper(), MoA=s1["moa"] + " ").sample(frac=1, random_state=0)
    pd.concat([s1[20:], pd.DataFrame({"Drug": ["clomiphene"], "MoA": ["new"]})]).to_csv(folder / "S1.csv", index=False)
    s4 = pd.read_csv(small_run / "itml/communities.csv").sample(frac=1, random_state=1)
    s4 = s4.assign(community=s4["community"].rank(ascending=False, method="dense").map("Community {:.0f}".format))
    s4.to_csv(folder / "S4.tsv", sep="\t", index=False)
    s3 = pd.read_csv(small_run / "supplement/table_S3.csv.gz")
    enriched = sorted(s3.loc[s3["enriched"] & (s3["representation"] == "itml"), "moa"].unique())
    s3 = s3[(s3["representation"] != "itml") | (s3["moa"] != enriched[0])]
    s3.replace({"representation": {"itml": "ITML", "raw": "Original Data"}}).to_csv(folder / "S3.csv.gz", index=False)
    tables = f"""drugs: {{location: {folder}/S1.csv, drug: Drug, moa: MoA}},
      communities: {{location: {folder}/S4.tsv, drug: drug, community: community}},
      enrichment: {{location: {folder}/S3.csv.gz, moa: moa, representation: representation, p_value: p_value}}"""
    run = snakemake(TARGET, directory=folder, configfile=configured(folder, tables))
    assert run.returncode == 0, run.stdout
    log = (folder / "results/small/logs/published_tables.log").read_text()
    return pd.read_csv(folder / TARGET).set_index("quantity"), log, enriched


def test_members_are_those_of_the_changed_tables(compared):
    table, _, enriched = compared
    counts = table[["published", "here", "shared"]].T.to_dict("list")
    assert counts["drugs"] == [101, 120, 100]
    assert counts["drug-MoA pairs of the drugs in both"] == [100, 100, 100]
    assert counts["drugs with a community"] == [120, 120, 120]
    n = counts["communities"][0]
    assert n > 1 and counts["communities"] == [n, n, n] and table.loc["communities", "agreement"] == 1
    assert counts["enriched MoAs, itml"] == [len(enriched) - 1, len(enriched), len(enriched) - 1]
    published, here, shared = counts["enriched MoAs, pca"]
    assert published == here == shared and "enriched MoAs, raw" not in table.index
    assert table.loc["drugs", "agreement"] == pytest.approx(100 / 121)
    assert set(table["data"]) == {"simulated"}


def test_names_without_a_counterpart_are_in_the_log(compared):
    _, log, enriched = compared
    assert "INFO drugs: 1 only in the published table: clomiphene" in log
    assert "INFO drugs: 20 only in this run: simulated drug " in log
    assert f"INFO enriched MoAs, itml: 1 only in this run: {enriched[0]}" in log
    assert "WARNING published_tables.enrichment: this study has no representation 'Original Data'" in log


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (
            "drugs: {location: gone.csv, drug: a, moa: b}",
            "published_tables.drugs.location: there is no file 'gone.csv'",
        ),
        (
            "drugs: {location: S1.xlsx, drug: a, moa: b}",
            "'S1.xlsx' is not valid; expected the path of a file that ends in",
        ),
        (
            "drugs: {location: 'https://x.org/S1.csv', drug: a, moa: b}",
            "S1.csv' is not valid; expected the path of a file",
        ),
        ("communities: {location: S4.csv, drug: a}", "published_tables.communities: 'community' is missing"),
        ("drug: {location: S1.csv}", "'drug'; did you mean 'drugs'?"),
    ],
)
def test_a_wrong_option_is_one_line_before_anything_runs(tables, expected, tmp_path):
    run = snakemake("--dry-run", directory=tmp_path, configfile=configured(tmp_path, tables))
    assert run.returncode != 0
    assert len([line for line in run.stdout.splitlines() if expected in line]) == 1, run.stdout
    assert "Traceback" not in run.stdout


def test_a_column_that_is_not_there_is_one_line(tmp_path):
    (tmp_path / "S4.csv").write_text("Table S4\nDrug,Cluster\na,1\n")
    tables = "communities: {location: S4.csv, drug: Drug, community: Cluster}"
    run = snakemake(TARGET, directory=tmp_path, configfile=configured(tmp_path, tables))
    expected = "ERROR S4.csv: column 'Drug' (drug) is not in the header; the first line must be the header"
    assert run.returncode != 0 and "Traceback" not in run.stdout
    assert len([line for line in run.stdout.splitlines() if line.startswith(expected)]) == 1, run.stdout


def test_without_the_option_there_is_no_such_table(small_run):
    assert not (small_run / "reproduction/published_tables.csv").exists()
