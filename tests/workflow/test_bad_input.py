"""Bad input: one clear line, an exit code, and no table."""

import pandas as pd
import pytest

from .study import SMALL, snakemake

QUERY = "query: [simulated drug 001, simulated drug 002]"
FEATURES = ["Cells_AreaShape_Area", "Nuclei_Texture_Variance_Hoechst_3"]


def table(**changes):
    drugs = 12
    columns = {"pert_id": [f"c{i:02d}" for i in range(drugs)], "moa": ["a", "b"] * (drugs // 2)}
    columns |= {feature: [float((i * 7) % 11 + j) for i in range(drugs)] for j, feature in enumerate(FEATURES)}
    return pd.DataFrame(columns | changes)


def config_for(path, checksum="null", extra=""):
    text = SMALL.read_text()
    tail = text[text.index("representations:") :].replace(QUERY, "query: []\n" + extra)
    return f"dataset: bad\nsources: {{profiles: {{location: {path}, checksum: {checksum}}}}}\n{tail}"


CASES = {
    "a config typo": (
        table(),
        lambda p: config_for(p, extra="enrichmnt: {}"),
        "'enrichmnt'; did you mean 'enrichment'?",
    ),
    "a value out of range": (table(), lambda p: config_for(p, extra="csif_ratio: 7"), "csif_ratio: 7 is greater than"),
    "a wrong type": (table(), lambda p: config_for(p, extra="neighbours: many"), "neighbours: 'many' is not of type"),
    "a missing file": (table(), lambda p: config_for(f"{p}.gone"), "there is no file"),
    "a wrong checksum": (
        table(),
        lambda p: config_for(p, f"md5:{'0' * 32}"),
        "expected 00000000000000000000000000000000",
    ),
    "no pert_id column": (table().rename(columns={"pert_id": "id"}), config_for, "no column 'pert_id'"),
    "no moa column": (table().drop(columns="moa"), config_for, "no column 'moa'"),
    "a text value": (
        table().astype(object).assign(**{FEATURES[1]: [1.0, 2.0, "n/m", *range(9)]}),
        config_for,
        "column 'Nuclei_Texture_Variance_Hoechst_3', row 3: 'n/m'; expected a number",
    ),
    "no MoA with five drugs": (
        table(moa=list("aaaabbbbcccc")),
        config_for,
        "no MoA has 5 drugs (the largest, 'a', has 4",
    ),
    "no MoA at all": (table(moa=[None] * 12), config_for, "none of 12 rows has a MoA"),
    "a constant feature": (
        table(**{FEATURES[0]: [1.0] * 12}),
        config_for,
        "feature 'Cells_AreaShape_Area' has constant",
    ),
    "a missing value": (
        table(**{FEATURES[0]: [None, *map(float, range(11))]}),
        config_for,
        "feature 'Cells_AreaShape_Area' has missing values",
    ),
    "two MoAs of one drug": (table(pert_iname=["x", "x", *"cdefghijkl"]), config_for, "drug 'x' has 2 different MoAs"),
    "an unknown drug": (
        table(),
        lambda p: config_for(p).replace("query: []", "query: [c0l]"),
        "no drug named 'c0l' among the 12 drugs",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_in_one_line(case, tmp_path):
    frame, config, expected = CASES[case]
    frame.to_csv(tmp_path / "profiles.csv", index=False)
    (tmp_path / "bad.yaml").write_text(config(tmp_path / "profiles.csv"))
    target = "results/bad/profiles/normalized.parquet"
    run = snakemake(target, directory=tmp_path, configfile=tmp_path / "bad.yaml")
    assert run.returncode != 0
    assert sum(expected in line for line in run.stdout.splitlines()) == 1, run.stdout
    assert "Traceback" not in run.stdout
    assert not (tmp_path / target).exists()
