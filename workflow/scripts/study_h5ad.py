"""The whole study as AnnData, for scanpy and its kin."""

from pathlib import Path
from typing import Any

import anndata
import h5py
import pandas as pd

from _files import read_drugs, read_index, read_json, read_unlabelled
from _job import run

ROWS = 1024  # drugs that are compressed at a time


def write_study(job: Any) -> None:
    drugs = read_index(job.input.index)
    _, normalized = read_drugs(job.input.normalized, drugs)
    features = normalized.columns
    annotation(job, drugs, features).write_h5ad(job.output[0], compression="gzip")
    with h5py.File(job.output[0], "a") as file:
        file.pop("X", None)
        add_matrix(file, "X", normalized)
        del normalized  # one matrix at a time
        add_matrix(file, "layers/raw", read_drugs(job.input.annotated, drugs)[1][features])
        for name, embedding in zip(job.params.embedded, job.input.embeddings, strict=True):
            add_matrix(file, f"obsm/X_{name}", read_unlabelled(embedding, drugs).drop(columns="drug"))


def annotation(job: Any, drugs: pd.DataFrame, features: pd.Index) -> anndata.AnnData:
    """The study without its large matrices."""
    obs = drugs.set_index("pert_iname").rename_axis("drug")
    study = anndata.AnnData(obs=obs, var=pd.DataFrame(index=features))
    for name, communities, tsne in zip(job.params.representations, job.input.communities, job.input.tsne, strict=True):
        mine = read_unlabelled(communities, drugs).set_index("drug")
        study.obs[f"community_{name}"] = pd.Categorical(mine["community"].astype(str))
        study.obs[f"exemplar_{name}"] = mine["is_exemplar"]
        study.obsm[f"X_tsne_{name}"] = read_unlabelled(tsne, drugs)[["x", "y"]].to_numpy()
    study.obs["moa"] = study.obs["moa"].astype("category")
    study.uns["provenance"] = Path(job.input.provenance).read_text(encoding="utf-8")
    study.uns["simulated"] = read_json(job.input.provenance)["simulated"]
    return study


def add_matrix(file: h5py.File, place: str, table: pd.DataFrame) -> None:
    """Write a matrix as AnnData does, some rows at a time and with the bytes of its numbers shuffled, so that it needs
    no second copy and less of the disk.
    """
    values = table.to_numpy()
    chunk = (min(ROWS, len(values)), min(64, values.shape[1]))
    stored = file.create_dataset(place, values.shape, values.dtype, chunks=chunk, compression="gzip", shuffle=True)
    stored.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    for start in range(0, len(values), ROWS):
        stored[start : start + ROWS] = values[start : start + ROWS]


if __name__ == "__main__":
    run(write_study, globals().get("snakemake"))
