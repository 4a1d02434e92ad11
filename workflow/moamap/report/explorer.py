"""explorer.html: a study as one page that needs nothing else, from its tables.

The data travel as blocks, each gzipped and in base64 in an element of its own, which the page's script decodes when it
needs them; so no name of a drug is ever part of the HTML. Blocks are JSON, text, or numbers, little-endian:

study, names, label         what the study is; ids and names of its drugs; the number of each drug's MoA
<map>/info                  communities, enrichment and what validation says of the map, as JSON
<map>/places, community     position (uint16, 65535 is the far end of the axis) and community of each drug
<map>/near, distance, ranks the ten nearest of each drug, their distance (uint16), their rank in every map (0: none)
<map>/opposite, cosine      the most opposite drugs
<map>/kept                  share of a drug's companions that stay with it in the stability runs (255: unknown)
features/<i>, signature/<i> deviations in tenths, plus 127 (255: unknown); of some features, of some drugs
"""

import base64
import gzip
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from moamap.connections.neighbours import Neighbours
from moamap.connections.opposites import opposites
from moamap.core.labels import parts
from moamap.core.names import TOGETHER
from moamap.report.signature import deviations, signature

NEAREST, OPPOSITES = 10, 5
COMPARABLE = 25_000  # drugs up to which every two are compared for their opposites
VALUES, FEWEST = 5_000_000, 64  # feature values that the page holds, about; features at least
FEATURES, DRUGS = 32, 4096  # features, and drugs' signatures, to a block
CSIFS = 12  # features that are listed of a community
POINTS = 512  # of the curve from distance to association
UNKNOWN = 255
ACTIVITY = ("activity", "mean_average_precision", "average_precision")  # columns that a map can be coloured by


@dataclass(frozen=True)
class Map:
    """A map: of the study's drugs, of them and those placed after them, or of all compounds.

    Parameters
    ----------
    places : (m, 2), t-SNE
    community : (m,) numbers from 1; 0 is none
    exemplars : community -> row of its exemplar
    neighbours : of the m drugs, at least those that are listed
    enrichment : community, moa, k, K, n, N, p_value, q_value, enriched, evidence
    embedding : (n, d), None where the representation is only distances
    ratios : community, feature, intra_class_ratio, is_csif
    null, null_by_moa, stability, kept : what the validation says of this representation; None without one
    """

    places: np.ndarray
    community: np.ndarray
    exemplars: Mapping[int, int]
    neighbours: Neighbours
    enrichment: pd.DataFrame
    embedding: np.ndarray | None = None
    ratios: pd.DataFrame | None = None
    null: pd.DataFrame | None = None
    null_by_moa: pd.DataFrame | None = None
    stability: pd.DataFrame | None = None
    kept: np.ndarray | None = None


@dataclass(frozen=True)
class Study:
    """What the page shows.

    Parameters
    ----------
    drugs : pert_id, pert_iname, moa (missing where none is known); those of the study first
    n_study, n_placed : how many are drugs of the study, and how many, the last ones, are placed on its maps
    maps : name -> map, in the order of the page's list
    main : the map that is shown first
    features : (n, d) normalized profiles of the first drugs, at least the study's
    """

    dataset: str
    simulated: bool
    drugs: pd.DataFrame
    n_study: int
    n_placed: int
    maps: Mapping[str, Map]
    main: str
    features: pd.DataFrame
    policy: str
    min_drugs: int
    links: Mapping[str, str]
    candidates: pd.DataFrame | None = None
    activity: pd.DataFrame | None = None


def blocks_of(study: Study) -> dict[str, Any]:
    """All blocks of a study, by name."""
    labels, label = _labels(study)
    names = study.drugs[["pert_id", "pert_iname"]].fillna("").astype(str)
    profiles = _feature_blocks(study)
    overview = {
        name: getattr(study, name) for name in ("dataset", "simulated", "n_study", "n_placed", "main", "min_drugs")
    }
    overview |= {"n": len(study.drugs), "maps": list(study.maps), "links": dict(study.links), **labels}
    overview["ranked"] = min(UNKNOWN - 1, max(shown.neighbours.index.shape[1] for shown in study.maps.values()))
    overview |= {"features": profiles.pop("features"), "proposals": _proposals(study), "activity": _activity(study)}
    found = {"study": overview, "names": {name: names[name].tolist() for name in names}, "label": label}
    for name, shown in study.maps.items():
        found |= {f"{name}/{block}": value for block, value in _map_blocks(name, shown, study, overview).items()}
    return found | profiles


def _labels(study: Study) -> tuple[dict[str, Any], np.ndarray]:
    """MoAs as the study counts them, the labels that name one or several, and the label (n,) of each drug."""
    place, labels = pd.factorize(study.drugs["moa"], sort=True)
    several = [parts(label) if study.policy == "split" else [label] for label in labels]
    moas = sorted({moa for label in several for moa in label})
    number = {moa: i for i, moa in enumerate(moas)}
    counted = {"labels": list(labels), "parts": [[number[moa] for moa in label] for label in several], "moas": moas}
    return counted, _unsigned(np.where(place < 0, len(labels), place), len(labels))


def _feature_blocks(study: Study) -> dict[str, Any]:
    names = list(study.features)
    z = deviations(study.features.to_numpy(np.float32), study.n_study)
    groups, means = signature(z, names)
    kept = _chosen(study)
    overview = {"names": names, "kept": kept.tolist(), "groups": groups, "n": len(z), "to_a_block": [FEATURES, DRUGS]}
    found: dict[str, Any] = {"features": overview}
    for start in range(0, len(kept), FEATURES):
        found[f"features/{start // FEATURES}"] = _tenths(z[:, kept[start : start + FEATURES]].T)
    for start in range(0, len(z), DRUGS):
        found[f"signature/{start // DRUGS}"] = _tenths(means[start : start + DRUGS])
    return found


def _chosen(study: Study) -> np.ndarray:
    """The features (n_kept,) that the page holds: all, or the CSIFs, then the most variable ones."""
    names, n = pd.Index(study.features.columns), len(study.features)
    limit = max(FEWEST, VALUES // n)
    if len(names) <= limit:
        return np.arange(len(names))
    variance = study.features.iloc[: study.n_study].var().to_numpy()
    of = np.zeros(len(names))
    for shown in study.maps.values():
        if shown.ratios is not None:
            of += names.map(shown.ratios.loc[shown.ratios["is_csif"], "feature"].value_counts()).fillna(0)
    return np.sort(np.lexsort((-variance, -of))[:limit])


def _map_blocks(name: str, shown: Map, study: Study, overview: dict[str, Any]) -> dict[str, Any]:
    near = Neighbours(*(column[:, :NEAREST] for column in vars(shown.neighbours).values()))
    low, high = np.nanmin(shown.places, axis=0), np.nanmax(shown.places, axis=0)
    scaled = (shown.places - low) / np.where(high > low, high - low, 1)
    farthest = float(near.distance.max()) or 1.0
    found: dict[str, Any] = {
        "info": _info(shown, study, overview)
        | {"box": [*low.tolist(), *high.tolist()], "farthest": farthest, "curve": _curve(near)},
        "places": np.round(np.nan_to_num(scaled) * 65535).astype("<u2").T,
        "community": _unsigned(shown.community, shown.community.max()),
        "near": _unsigned(near.index, len(study.drugs)),
        "distance": np.round(near.distance / farthest * 65535).astype("<u2"),
        "ranks": np.stack([_ranks(near.index, other.neighbours.index) for other in study.maps.values()], axis=-1),
    }
    if shown.embedding is not None and len(shown.embedding) <= COMPARABLE:
        index, cosine = opposites(shown.embedding, min(OPPOSITES, len(shown.embedding)))
        found["info"]["opposites"] = index.shape[1]
        found |= {"opposite": _unsigned(index, len(study.drugs))}
        found |= {"cosine": np.round((1 + cosine) * 127).clip(0, 254).astype(np.uint8)}
    if shown.kept is not None:
        found["kept"] = np.where(np.isnan(shown.kept), UNKNOWN, 100 * np.nan_to_num(shown.kept)).round().astype("u1")
    return found


def _ranks(near: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The rank (m, k) of each of a drug's nearest among those of another map; 0 where it is not there."""
    ranks = np.zeros(near.shape, np.uint8)
    n = min(len(near), len(others))
    for start in range(0, n, DRUGS):
        rows = slice(start, min(start + DRUGS, n))
        same = near[rows, :, None] == others[rows, None, : UNKNOWN - 1]
        ranks[rows] = np.where(same.any(axis=2), same.argmax(axis=2) + 1, 0)
    return ranks


def _curve(near: Neighbours) -> list[list[float]]:
    """Points of the curve from distance to association, which is the same for all drugs of a map."""
    distance, first = np.unique(near.distance, return_index=True)
    some = np.unique(np.linspace(0, len(distance) - 1, POINTS).astype(int))
    return [_short(distance[some]), _short(near.association.ravel()[first[some]])]


def _info(shown: Map, study: Study, overview: dict[str, Any]) -> dict[str, Any]:
    number = {moa: i for i, moa in enumerate(overview["moas"])}
    hits = shown.enrichment[shown.enrichment["k"] > 0]
    columns = ["community", "moa", "k", "K", "n", "N", "p_value", "q_value", "enriched"]
    info = {
        "exemplars": {int(community): int(row) for community, row in shown.exemplars.items()},
        "evidence": str(shown.enrichment["evidence"].iloc[0]) if len(shown.enrichment) else "",
        "tested": len(shown.enrichment),
        "enrichment": _plain(hits[columns].assign(moa=hits["moa"].map(number))),
        "csifs": _csifs(shown.ratios, overview["features"]["names"]),
    }
    if shown.null is not None and len(claim := shown.null[shown.null["quantity"] == TOGETHER]):
        columns = ["observed", "null_mean", "null_low", "null_high", "p_value", "permutations"]
        info["together"] = {name: value[0] for name, value in _plain(claim[columns].head(1)).items()}
    if shown.null_by_moa is not None:
        columns = ["moa", "smallest_p", "null_median_smallest_p", "p_value", "p_adjusted", "community"]
        info["null"] = _plain(shown.null_by_moa[columns].assign(moa=shown.null_by_moa["moa"].map(number)))
    if shown.stability is not None:
        info["rand"] = shown.stability.groupby("perturbation", sort=False)["adjusted_rand"].mean().round(3).to_dict()
        info["sharing"] = round(float(shown.stability["chance_of_sharing"].mean()), 4)
    return info


def _csifs(ratios: pd.DataFrame | None, features: list[str]) -> dict[int, Any]:
    """Of each community the number of its CSIFs, and the features that vary least within it with their ratios."""
    if ratios is None:
        return {}
    number = {feature: i for i, feature in enumerate(features)}
    known = ratios.dropna(subset=["intra_class_ratio"]).sort_values("intra_class_ratio", kind="stable")
    return {
        int(community): {
            "count": int(mine["is_csif"].sum()),
            "least": [[number[row.feature], round(row.intra_class_ratio, 4)] for row in mine.head(CSIFS).itertuples()],
        }
        for community, mine in known.groupby("community")
    }


def _proposals(study: Study) -> list[dict[str, Any]]:
    """Candidates as drug (its row), kind, MoAs with the probability where the table gives it, and further details."""
    if study.candidates is None:
        return []
    rows = {name: row for row, name in reversed([*enumerate(study.drugs["pert_iname"])])}
    pairs = [(name, "probability" + name.removeprefix("moa")) for name in study.candidates if re.match(r"moa_\d", name)]
    pairs = pairs or [("proposed", "probability")]
    named = {"drug", "known_moa", "kind", "data", *(name for pair in pairs for name in pair)}
    found = []
    for row in study.candidates.replace({np.nan: None}).to_dict("records"):
        if row["drug"] in rows:
            moas = [[row[moa], _number(row.get(share))] for moa, share in pairs if row.get(moa)]
            details = {key: _number(value) for key, value in row.items() if key not in named and value is not None}
            found.append({"drug": rows[row["drug"]], "kind": row.get("kind"), "moas": moas, "details": details})
    return found


def _activity(study: Study) -> dict[str, Any] | None:
    """One number for each drug, the largest over its doses, where the table has it."""
    table = study.activity
    column = next((name for name in ACTIVITY if table is not None and name in table), None)
    if table is None or column is None:
        return None
    by_drug = table.groupby("drug")[column].max()
    return {"what": column, "values": _short(study.drugs["pert_iname"].map(by_drug).to_numpy(float))}


# --- from values to bytes ---


def _unsigned(values: np.ndarray, largest: int) -> np.ndarray:
    return np.asarray(values).astype("<u2" if largest < 2**16 else "<u4")


def _tenths(z: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(z), UNKNOWN, np.nan_to_num(z) * 10 + 127).round().astype(np.uint8)


def _number(value: Any) -> Any:
    """A value for JSON: a float to six digits, a missing one as None."""
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _short(values: np.ndarray) -> list[Any]:
    return [_number(value) for value in np.asarray(values).tolist()]


def _plain(table: pd.DataFrame) -> dict[str, list[Any]]:
    return {str(name): _short(column.to_numpy(object)) for name, column in table.items()}


def packed(value: Any) -> tuple[str, str]:
    """A block's type, and its bytes gzipped in base64."""
    if isinstance(value, np.ndarray):
        kind, content = f"u{8 * value.itemsize}", np.ascontiguousarray(value).tobytes()
    elif isinstance(value, str):
        kind, content = "text", value.encode()
    else:
        kind = "json"
        content = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return kind, base64.b64encode(gzip.compress(content, 6, mtime=0)).decode("ascii")


def page(blocks: Mapping[str, Any], title: str, template: str, style: str, scripts: Sequence[str], bokeh: str) -> bytes:
    """The page.

    Parameters
    ----------
    blocks : as `blocks_of` gives them
    title : of the page
    template : HTML with {{title}}, {{style}}, {{notice}}, {{blocks}} and {{script}}
    style, scripts : CSS and JavaScript of the project
    bokeh : BokehJS, which goes in as a block; the notice of its licence, its first comment, stays readable
    """
    notice = re.search(r"/\*!.*?\*/", bokeh, re.DOTALL)
    elements = []
    for name, value in {**blocks, "bokeh": bokeh}.items():
        kind, content = packed(value)
        elements.append(f'<script type="application/octet-stream" id="{name}" data-type="{kind}">{content}</script>')
    filled = {
        "title": html.escape(title),
        "style": style,
        "notice": html.escape(notice[0]) if notice else "",
        "blocks": "\n".join(elements),
        "script": '"use strict";\n' + "\n".join(scripts),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: filled[place[1]], template).encode()
