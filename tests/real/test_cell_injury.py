"""Wells of a real screen, where they are at hand: three files with a checksum each, drugs, and what is learned."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG, PUBLIC = (
    yaml.safe_load((ROOT / f"{folder}/cell_injury.yaml").read_text()) for folder in ("tests/real", "config/datasets")
)
DATA = ROOT.parent / "shared/data/cell-injury"


def test_the_public_files_are_those_at_hand():
    for config in (CONFIG, PUBLIC):
        for part in config["sources"]["profiles"]["location"]:
            part["location"] = part["location"].rsplit("/", 1)[1]
    assert CONFIG == PUBLIC


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real wells at {DATA}")
def test_wells_become_drugs_and_replicates_are_learned_from(tmp_path):
    config = yaml.safe_load((ROOT / "tests/real/cell_injury.yaml").read_text())
    for part in config["sources"]["profiles"]["location"]:
        part["location"] = str(ROOT / part["location"])
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
    command += ["--cores", "2", "results/cell_injury/replicates/embedding.parquet"]
    command += ["--configfile", str(tmp_path / "config.yaml")]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 0, run.stdout
    profiles = tmp_path / "results/cell_injury/profiles"
    steps = pd.read_csv(profiles / "wells.csv")
    assert steps["rows"].tolist()[:3] == [4513 - 259, 4513 - 259, 4254 - 1457]
    assert steps["detail"].tolist()[-2:] == ["median over dose", "weighted mean over pert_id"]
    drugs = pd.read_parquet(profiles / "annotated.parquet")
    sizes = drugs["moa"].value_counts()
    assert (len(drugs), len(sizes), (sizes >= 5).sum()) == (144, 14, 8)
