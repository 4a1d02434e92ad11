"""A study of wells, as far as what is learned from annotated profiles and from wells, and its validation."""

import numpy as np
import pandas as pd
import yaml

from .study import snakemake

CONFIG = {
    "dataset": "wells",
    "simulation": {"seed": 1, "n_drugs": 60, "n_moas": 15, "n_common_moas": 4, "largest_moa": 8, "n_features": 30},
    "wells": {"controls": ["dmso"]},
    "representations": {
        "raw": {"method": "raw"},
        "whitened": {"method": "spherize", "reads": "annotated", "pca": 20, "cosine": True},
        "replicates": {"method": "replicates"},
    },
    "main": "raw",
}
CONFIG["simulation"]["wells"] = {"replicates": 3, "doses": 2}
LEARNED = ("whitened", "replicates")


def test_what_reads_annotated_profiles_and_wells_goes_through_the_study(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    targets = [f"results/wells/validation/{part}.npz" for part in ("stability/replicates", "permutations/replicates_0")]
    targets += [f"results/wells/{name}/embedding.parquet" for name in LEARNED]
    run = snakemake(*targets, directory=tmp_path, configfile=tmp_path / "config.yaml")
    assert run.returncode == 0, run.stdout
    results = tmp_path / "results/wells"
    wells = pd.read_parquet(results / "profiles/wells.parquet")
    annotated = pd.read_parquet(results / "profiles/annotated.parquet")
    assert (~wells["is_control"]).sum() == 60 * 3 * 2 and (wells["data"] == "simulated").all()
    features = [column for column in annotated.columns[3:] if column != "data"]
    assert set(features) < set(wells)
    for name in LEARNED:
        learned = np.load(results / name / "transform.npz")
        assert learned["reads"] == "annotated" and learned["features"].tolist() == features
        profiles = annotated[features].to_numpy()
        profiles = (profiles - profiles.mean(axis=1, keepdims=True)) / profiles.std(axis=1, keepdims=True)
        embedded = (profiles - learned["centre"]) / learned["spread"] @ learned["components"].T
        embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
        found = pd.read_parquet(results / name / "embedding.parquet").drop(columns=["drug", "data"])
        np.testing.assert_allclose(found, embedded, rtol=1e-9, atol=1e-12)
    scores = np.load(results / "validation/permutations/replicates_0.npz")
    assert len(scores["numbers"]) == 1000 and np.isfinite(scores["label-free|mean average precision"]).all()
    runs = np.load(results / "validation/stability/replicates.npz")["runs"]
    assert (runs > 0).any(axis=1).all()  # also of subsets of the drugs, and of their wells
