"""The whole study as AnnData, for scanpy and its kin."""

from pathlib import Path
from typing import Any

import anndata
import pandas as pd

from _files import read_drugs, read_json, read_unlabelled
from _job import run


def write_study(job: Any) -> None:
    ids, normalized = read_drugs(job.input.normalized)
    _, raw = read_drugs(job.input.annotated, ids)
    obs = ids.set_index("pert_iname").rename_axis("drug")
    study = anndata.AnnData(normalized.to_numpy(float), obs, pd.DataFrame(index=normalized.columns))
    study.layers["raw"] = raw[normalized.columns].to_numpy(float)
    for name, communities, tsne in zip(job.params.representations, job.input.communities, job.input.tsne, strict=True):
        mine = read_unlabelled(communities, ids).set_index("drug")
        study.obs[f"community_{name}"] = pd.Categorical(mine["community"].astype(str))
        study.obs[f"exemplar_{name}"] = mine["is_exemplar"]
        study.obsm[f"X_tsne_{name}"] = read_unlabelled(tsne, ids)[["x", "y"]].to_numpy()
    for name, embedding in zip(job.params.embedded, job.input.embeddings, strict=True):
        study.obsm[f"X_{name}"] = read_unlabelled(embedding, ids).set_index("drug").to_numpy()
    study.obs["moa"] = study.obs["moa"].astype("category")
    study.uns["provenance"] = Path(job.input.provenance).read_text(encoding="utf-8")
    study.uns["simulated"] = read_json(job.input.provenance)["simulated"]
    study.write_h5ad(job.output[0], compression="gzip")


if __name__ == "__main__":
    run(write_study, globals().get("snakemake"))
