"""Odd but valid: a table that must go through the whole study, names and all."""

import gzip

import numpy as np
import pandas as pd

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
