"""Odd but valid: a table that must go through the whole study, names and all."""

import csv
import gzip
import re

import numpy as np
import pandas as pd
import pytest

from _files import read_table

from .study import SMALL, snakemake

NAMES = [
    "5'-<b>azacytidine</b>",
    "α-methyl & co",
    'say "ah"',
    "1,2-diol",
    "$x_1$ 100% \\alpha",
    "naïve_é",
    "#1",
    "N/A?",
]
CONFIG = """dataset: odd
sources: {profiles: {location: "my profiles é.csv.gz"}}
columns: {pert_id: Cell line.Compound ID, moa: MoA (<i>known</i>)}
normalization: {axis: feature} # the scales of the features are 12 orders of magnitude apart
representations: {raw: {method: raw}, pca: {method: pca}, itml: {method: itml}}
validation: off
tsne: {perplexity: 5}
query: ["1,2-diol", "α-methyl & co"]
"""


def test_names_and_scales_that_are_odd_go_through_the_whole_study(tmp_path):
    rng = np.random.default_rng(0)
    scales = 10.0 ** rng.integers(-6, 7, size=12)
    values = rng.normal(size=(48, 12)) * scales + 5 * scales
    table = pd.DataFrame(values, columns=[f"Cells_Intensity_<{j}>_Ä,{j}" for j in range(12)])
    table.insert(0, "MoA (<i>known</i>)", [f"inhibitor of $NF_{{{i % 5}}}$, β|antagonist" for i in range(48)])
    table.insert(0, "pert_iname", [f"{NAMES[i % 8]} {i // 8}" if i >= 8 else NAMES[i] for i in range(48)])
    table.insert(0, "Cell line.Compound ID", [f"{i:04d}.10" for i in range(48)])
    content = b"\xef\xbb\xbf" + table.to_csv(index=False, lineterminator="\r\n").encode()
    (tmp_path / "real.csv.gz").write_bytes(gzip.compress(content))
    (tmp_path / "my profiles é.csv.gz").symlink_to(tmp_path / "real.csv.gz")
    (tmp_path / "odd.yaml").write_text(CONFIG, encoding="utf-8")
    run = snakemake(directory=tmp_path, configfile=tmp_path / "odd.yaml")
    assert run.returncode == 0, run.stdout
    results = tmp_path / "results/odd"
    s1 = pd.read_csv(results / "supplement/table_S1.csv.gz", dtype={"pert_id": str}, float_precision="round_trip")
    order = table.sort_values("pert_iname").reset_index(drop=True)
    assert s1["pert_iname"].tolist() == order["pert_iname"].tolist()
    assert s1["pert_id"].tolist() == order["Cell line.Compound ID"].tolist()
    np.testing.assert_array_equal(s1.iloc[:, 3:], order.iloc[:, 3:])
    assert len(list((results / "figures").glob("*.png"))) == 5


LIKE_NUMBERS = ["NA", "None", "null", "nan", "0001", "1e5", "True", "inf", '=HYPERLINK("x")', "-5", "@x", "'=1"]
TEXT = """dataset: text
sources: {profiles: {location: "[plate] 1.csv"}}
representations: {raw: {method: raw}, pca: {method: pca}, itml: {method: itml}}
enrichment: {min_drugs: 3}
validation: quick
crossfit: {splits: 1}
tsne: {perplexity: 5}
query: ["0001", "NA"]
"""


@pytest.fixture(scope="module")
def text_run(tmp_path_factory):
    """A whole study, validation too, whose ids, names and MoAs look like numbers, missing values and formulas."""
    folder = tmp_path_factory.mktemp("text")
    names = [*LIKE_NUMBERS, *(f"{i:04d}" for i in range(100, 120))]
    table = pd.DataFrame({"pert_id": [f"{i:05d}" for i in range(32)], "pert_iname": names})
    table["moa"] = [str(i % 8) for i in range(32)]
    values = np.random.default_rng(0).normal(size=(32, 8)) + 0.3 * (np.arange(32) % 8)[:, None]
    table = pd.concat([table, pd.DataFrame(values, columns=["=f0", *(f"Cells_f{j}" for j in range(1, 8))])], axis=1)
    table.to_csv(folder / "[plate] 1.csv", index=False)
    (folder / "text.yaml").write_text(TEXT)
    run = snakemake(directory=folder, configfile=folder / "text.yaml")
    assert run.returncode == 0, run.stdout
    return folder / "results/text", table


DRUGS, MOAS = {*LIKE_NUMBERS, *(f"{i:04d}" for i in range(100, 120))}, set("01234567")
TEXT_OF = {  # what each text column may hold, of the study above
    "pert_id": {f"{i:05d}" for i in range(32)},
    "drug": DRUGS,
    "pert_iname": DRUGS,
    "queried": DRUGS,
    "moa": MOAS,
    "known_moa": MOAS,
    "feature": {"=f0", *(f"Cells_f{j}" for j in range(1, 8))},
}


def test_ids_names_and_moas_are_the_same_text_in_every_table(text_run):
    results, _ = text_run
    paths = [path for path in results.rglob("*") if path.name.endswith((".csv", ".csv.gz", ".parquet"))]
    checked = set()
    for path in paths:
        found = read_table(path)
        for column in TEXT_OF.keys() & set(found.select_dtypes(exclude="number")):  # a drug may be its row, too
            assert set(found[column]) <= TEXT_OF[column], (path, column)
            checked.add((path.name, column))
    assert len(checked) > 30 and {column for _, column in checked} == set(TEXT_OF)


def test_the_table_of_drugs_is_the_one_that_was_given(text_run):
    results, table = text_run
    found = read_table(results / "supplement/table_S1.csv.gz")
    order = table.sort_values("pert_iname").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, order, check_exact=True)
    candidates = read_table(results / "candidates.csv").drop_duplicates("drug").set_index("drug")
    assert candidates["known_moa"].to_dict() == table.set_index("pert_iname")["moa"].to_dict()
    assert set(read_table(results / "raw/query.csv")["queried"]) == {"0001", "NA"}


def test_no_cell_of_a_csv_is_run_by_a_spreadsheet(text_run):
    results, _ = text_run
    for path in [*results.rglob("*.csv"), *results.rglob("*.csv.gz")]:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", newline="", encoding="utf-8") as file:
            cells = {cell for row in csv.reader(file) for cell in row if cell[:1] in tuple("=+-@")}
        assert all(re.fullmatch(r"-[\d.e+-]+|-inf", cell) for cell in cells), path  # numbers


def test_names_of_folders_and_configs_are_never_commands(tmp_path):
    folder = tmp_path / "a folder's $(touch X)"
    folder.mkdir()
    first, second = folder / "c$(touch X) 1.yaml", folder / "c 2.yaml"
    first.write_text(SMALL.read_text())
    second.write_text("neighbours: 3\n")
    run = snakemake(
        "results/other/figures/fig2.svg", "--config", "dataset=other", directory=folder, configfile=[first, second]
    )
    assert run.returncode == 0, run.stdout
    drawn = (folder / "results/other/figures/fig2.svg").read_text()
    assert "represent" in drawn and "permute" in drawn
    assert not list(tmp_path.rglob("X"))
