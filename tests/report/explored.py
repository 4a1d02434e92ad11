"""A small made-up study for the tests of explorer.html, and what a page's blocks hold."""

import base64
import gzip
import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from moamap.communities.enrichment import enrichment_table
from moamap.communities.features import intra_class_ratios
from moamap.connections.blocks import embedded
from moamap.connections.tally import neighbours_of, tally
from moamap.core.labels import membership
from moamap.core.names import TOGETHER
from moamap.report.explorer import Map, Study, blocks_of, page

N, PLACED, MOAS = 80, 6, 8
SOURCES = Path(__file__).resolve().parents[2] / "workflow/report/explorer"
NAMES = [
    f"{compartment}_{feature}"
    for compartment in ("Cells", "Cytoplasm", "Nuclei")
    for feature in (
        "AreaShape_Area",
        "Intensity_MeanIntensity_Mito",
        "Intensity_MaxIntensity_Mito",
        "Texture_Entropy_Ph_golgi_3",
        "Correlation_Correlation_DNA_ER",
    )
] + ["own feature"]


def study(names=None, links=None, **changed):
    """80 drugs of 8 MoAs and 6 placed compounds; `names` are put in place of the first drugs'."""
    rng = np.random.default_rng(0)
    moa = np.arange(N) % MOAS
    x = rng.normal(size=(N + PLACED, len(NAMES)))
    x[:N] += 1.5 * rng.normal(size=(MOAS, len(NAMES)))[moa]
    drugs = pd.DataFrame({"pert_id": [f"ID-{i:03}" for i in range(N + PLACED)]})
    drugs["pert_iname"] = [*(names or []), *(f"drug {i:03}" for i in range(len(names or []), N + PLACED))]
    drugs["moa"] = [*(f"MoA {'abcdefgh'[i]}" for i in moa), *[None] * PLACED]
    features = pd.DataFrame(x, columns=NAMES)
    maps = {
        "raw": map_of(x, drugs, features, "the MoAs were not used before"),
        "itml": map_of(x[:, :9], drugs, features, "in-sample: the metric was learned from these MoAs"),
        "itml_crossfit": map_of(x[:N, :9], drugs, features, "cross-fitted: as it says", embedding=None),
    }
    candidates = pd.DataFrame({"drug": drugs["pert_iname"][:5], "known_moa": "x", "kind": "proposed MoA"})
    candidates = candidates.assign(proposed="MoA c", probability=[0.95, 0.6, 0.3, 0.1, None], stability=0.5)
    given = {"dataset": "made_up", "simulated": True, "drugs": drugs, "n_study": N, "n_placed": PLACED, "maps": maps}
    given |= {"main": "raw", "features": features, "policy": "whole", "min_drugs": 5, "candidates": candidates}
    given |= {"links": links or {"Images": "https://example.org/?c={pert_id}&n={pert_iname}"}}
    return Study(**given | changed)


def map_of(x, drugs, features, evidence, **changed):
    """A map of the rows of x, whose first two columns are its places."""
    pairs = tally(embedded(x[:, 2:]), [slice(0, len(x))])
    community = 1 + (x[:, 0] > 0) + 2 * (x[:, 1] > 0)
    numbers = pd.Series(community[:N])
    exemplars = {int(number): int(np.flatnonzero(community == number)[0]) for number in np.unique(community)}
    enrichment = enrichment_table(numbers, membership(drugs["moa"][:N], "whole"), min_drugs=5, alpha=0.01)
    claim = {
        "quantity": [TOGETHER],
        "observed": 50.0,
        "null_mean": 40.0,
        "null_low": 30,
        "null_high": 48,
        "p_value": 0.01,
    }
    by_moa = pd.DataFrame({"moa": ["MoA a", "MoA b"], "smallest_p": [1e-4, 0.2], "null_median_smallest_p": 0.1})
    by_moa = by_moa.assign(p_value=[0.005, 0.6], p_adjusted=[0.01, 0.9], community=[1, 2])
    stability = pd.DataFrame({"perturbation": ["seed", "subsample"], "adjusted_rand": [1.0, 0.5]})
    given = {"places": x[:, :2], "community": community, "exemplars": exemplars, "neighbours": neighbours_of(pairs)}
    given |= {"enrichment": enrichment.assign(evidence=evidence), "embedding": x[:N]}
    given |= {"ratios": intra_class_ratios(features[:N], numbers, threshold=0.9)}
    given |= {"null": pd.DataFrame(claim).assign(permutations=199), "null_by_moa": by_moa}
    given |= {
        "stability": stability.assign(chance_of_sharing=0.25),
        "kept": np.r_[np.nan, np.linspace(0, 1, len(x) - 1)],
    }
    return Map(**given | changed)


def html_of(made):
    """The page of a study."""
    names = ("page.html", "style.css", "data.js", "map.js", "search.js", "panels.js", "main.js")
    template, style, *scripts = ((SOURCES / name).read_text() for name in names)
    library = files("bokeh") / "server/static/js"
    bokeh = "\n".join((library / name).read_text() for name in ("bokeh.min.js", "bokeh-api.min.js"))
    return page(blocks_of(made), "made_up: <drugs> & more", template, style, scripts, bokeh)


def read_blocks(html):
    """The blocks of a page, decoded by other means than its script."""
    pattern = rb'<script type="application/octet-stream" id="([^"]*)" data-type="(\w+)">([^<]*)</script>'
    found = {}
    for name, kind, text in re.findall(pattern, html):
        content = gzip.decompress(base64.b64decode(text))
        numbers = {b"u8": np.uint8, b"u16": "<u2", b"u32": "<u4"}
        value = np.frombuffer(content, numbers[kind]) if kind in numbers else content.decode()
        found[name.decode()] = json.loads(value) if kind == b"json" else value
    return found
