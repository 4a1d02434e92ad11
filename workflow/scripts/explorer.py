"""The study as one page to search, explorer.html."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from _files import is_simulated, read_drugs, read_index, read_neighbours, read_table, read_unlabelled
from _job import run
from moamap.connections.neighbours import Neighbours
from moamap.profiles.normalize import apply_normalization
from moamap.report.explorer import NEAREST, Map, Study, blocks_of, page

BOKEH = ("bokeh.min.js", "bokeh-api.min.js")


def explore(job: Any) -> None:
    drugs = read_index(job.input.index)
    features = read_drugs(job.input.normalized, drugs)[1]
    everyone, placed = compounds(job, drugs)
    study = Study(
        dataset=job.config["dataset"],
        simulated=is_simulated(job),
        drugs=everyone,
        n_study=len(drugs),
        n_placed=len(placed),
        maps={name: map_of(job, number, drugs, placed) for number, name in enumerate(job.params.maps)},
        features=profiles_of(job, features, everyone["pert_iname"][len(drugs) :]),
        candidates=read_unlabelled(job.input.candidates[0]) if job.input.candidates else None,
        activity=read_unlabelled(job.input.activity[0]) if job.input.activity else None,
        **{name: job.params[name] for name in ("main", "policy", "min_drugs", "links")},
    )
    template, style, *scripts = (Path(path).read_text(encoding="utf-8") for path in job.input.parts)
    library = files("bokeh") / "server/static/js"
    bokeh = "\n".join((library / name).read_text(encoding="utf-8") for name in BOKEH)
    simulated = " (simulated data)" if study.simulated else ""
    title = f"{study.dataset}{simulated}: drugs by what they do to cells"
    Path(job.output[0]).write_bytes(page(blocks_of(study), title, template, style, scripts, bokeh))


def compounds(job: Any, drugs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All compounds of the page, and those that are placed on the study's maps, which come after its drugs."""
    if job.input.all:
        return read_index(job.input.all[0]), drugs[:0]
    if not job.input.placed:
        return drugs, drugs[:0]
    tables = [read_unlabelled(path) for path in job.input.placed]
    placed = tables[0][np.all([table["community"].notna() for table in tables], axis=0)]
    ids = placed.rename(columns={"compound": "pert_iname", "known_moa": "moa"}).reindex(columns=drugs.columns)
    return pd.concat([drugs, ids], ignore_index=True), placed


def profiles_of(job: Any, features: pd.DataFrame, others: pd.Series) -> pd.DataFrame:
    """Normalized profiles of the drugs, and of the other compounds in the order of their names."""
    if others.empty:
        return features
    table, normalization = read_unlabelled(job.input.unannotated[0]), read_table(job.input.normalization[0])
    normalization, table = normalization[normalization["problem"].isna()], table.set_index("pert_iname").loc[others]
    added = pd.DataFrame(apply_normalization(table, normalization), columns=normalization["feature"])
    return pd.concat([features, added[features.columns]], ignore_index=True)


def map_of(job: Any, number: int, drugs: pd.DataFrame, placed: pd.DataFrame) -> Map:
    """A map, with the placed compounds where it has them."""
    name, rows = job.params.maps[number], None if job.params.maps[number].startswith("all/") else drugs
    communities, places = (read_unlabelled(job.input[kind][number], rows) for kind in ("communities", "tsne"))
    neighbours = read_neighbours(job.input.neighbours[number], communities)
    exemplars = communities[communities["is_exemplar"]]
    found = {
        "places": places[["x", "y"]].to_numpy(),
        "community": communities["community"].to_numpy(),
        "exemplars": dict(zip(exemplars["community"], exemplars.index, strict=True)),
        "neighbours": neighbours,
        "enrichment": read_unlabelled(job.input.enrichment[number]),
    }
    if len(placed) and name in job.params.learned:
        found |= with_placed(job, job.params.learned.index(name), found, drugs, placed)
    embedding = [path for path in job.input.embeddings if path.endswith(f"/{name}/embedding.parquet")]
    if embedding and (rows is not None or name.startswith("all/")):
        found["embedding"] = read_unlabelled(embedding[0]).drop(columns="drug").to_numpy(np.float32)
    if rows is not None:
        found["ratios"] = read_unlabelled(job.input.features[number])
        found |= validation_of(job, name, len(found["community"]))
    return Map(**found)


def with_placed(
    job: Any, number: int, found: dict[str, Any], drugs: pd.DataFrame, placed: pd.DataFrame
) -> dict[str, Any]:
    """The places, communities and nearest drugs of a map with those of placed compounds after them."""
    table, listed = read_unlabelled(job.input.placed[number]), read_unlabelled(job.input.near_placed[number])
    table, listed = table.loc[placed.index], listed[listed["compound"].isin(placed["compound"])]
    k = min(NEAREST, found["neighbours"].index.shape[1], len(listed) // len(table))
    row = pd.Series(np.arange(len(drugs), dtype=np.int32), drugs["pert_iname"])
    listed = listed.assign(index=row.loc[listed["drug"].astype(str)].to_numpy())
    added = (listed[name].to_numpy().reshape(len(table), -1)[:, :k] for name in ("index", "distance", "association"))
    known = (column[:, :k] for column in vars(found["neighbours"]).values())
    return {
        "places": np.concatenate([found["places"], table[["x", "y"]].to_numpy(float)]),
        "community": np.concatenate([found["community"], table["community"].to_numpy(int)]),
        "neighbours": Neighbours(*map(np.concatenate, zip(known, added, strict=True))),
    }


def validation_of(job: Any, name: str, n: int) -> dict[str, Any]:
    """What the validation says of a map, nothing where it is off."""
    if not job.input.null:
        return {}
    tables = ("null", "null_by_moa", "stability")
    *found, by_drug = (of_map(read_unlabelled(job.input[kind][0]), name) for kind in (*tables, "by_drug"))
    kept = np.full(n, np.nan)
    kept[: len(by_drug)] = by_drug["companions_kept"]
    return {**dict(zip(tables, found, strict=True)), "kept": kept}


def of_map(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table["representation"] == name]


if __name__ == "__main__":
    run(explore, globals().get("snakemake"))
