"""How large explorer.html is, and how long it takes in a browser, against the number of drugs, on made-up tables.

    .venv/bin/python benchmarks/explorer.py [--repeats 3] [--out results/explorer] [DRUGSxFEATURES ...]

No study is run: places, nearest drugs and profiles are random numbers, which compress worse than real ones. Each page
has three maps. It is opened by headless Chromium (the first on the PATH), from the disk, with an empty cache:

mb          size of the file
ready       ms from opening to a map that is drawn and answers
select      ms until a drug's panel is complete, the first time (its blocks are decoded)
switch      ms until the same drug is shown on a map not yet seen
zoom        ms of a zoom step with every point drawn (by the wheel fewer are drawn meanwhile)
search      ms of one search over all names, ids, MoAs and features
The least of the repeats, since whatever else the machine does only adds to it.
"""

import argparse
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, sync_playwright

from moamap.connections.neighbours import Neighbours
from moamap.profiles.simulate import simulate
from moamap.report.explorer import Map, Study, blocks_of, page

PARTS = ("page.html", "style.css", "data.js", "map.js", "search.js", "panels.js", "main.js")
SOURCES = Path(__file__).resolve().parents[1] / "workflow/report/explorer"
SIZES = ("1105x812", "19864x812", "116000x64")
FRAME = "await new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)));"
ACTIONS = {
    "select": "await show({drug: 17}); " + FRAME,
    "switch": "await show({map: 'map_2'}); " + FRAME,
    "zoom": "zoom(0.9); " + FRAME,
    "search": "complete('0017');",
}


def made_up(n: int, n_features: int) -> Study:
    """A study of n drugs whose numbers are random."""
    rng = np.random.default_rng(0)
    names = simulate(seed=0, n_drugs=60, n_moas=30, n_common_moas=6, largest_moa=10)[0].columns[3 : 3 + n_features]
    drugs = pd.DataFrame({"pert_id": [f"BRD-K{i * 7919 % 10**8:08}" for i in range(n)]})
    drugs["pert_iname"] = [f"compound {i}" for i in range(n)]
    drugs["moa"] = [f"mechanism {i}" for i in rng.integers(0, 372, n)]
    features = pd.DataFrame(rng.normal(size=(n, len(names))).astype(np.float32), columns=names)
    maps = {f"map_{i}": map_of(rng, n, drugs["moa"]) for i in (1, 2, 3)}
    given = {"dataset": "made_up", "simulated": True, "n_study": n, "n_placed": 0, "main": "map_1", "policy": "whole"}
    return Study(drugs=drugs, maps=maps, features=features, min_drugs=5, links={}, **given)


def map_of(rng: np.random.Generator, n: int, moa: pd.Series) -> Map:
    """A map with communities of about 20 drugs, which lie together."""
    community = rng.integers(1, max(2, n // 20), n)
    places = 40 * rng.normal(size=(n // 20 + 1, 2))[community - 1] + rng.normal(size=(n, 2))
    exemplars = pd.Series(range(n)).groupby(community).first().to_dict()
    distance = np.sort(rng.gamma(9, size=(n, 100)).astype(np.float32), axis=1)
    near = Neighbours(rng.integers(0, n, (n, 100), dtype=np.int32), distance, (1 - distance / 50).astype(np.float32))
    k = pd.crosstab(community, moa.to_numpy()).stack().rename_axis(["community", "moa"]).rename("k").reset_index()
    k = k[k["k"] > 0].assign(K=300, n=20, N=n, p_value=0.5, q_value=1.0, enriched=False, evidence="made up")
    return Map(places, community, exemplars, near, k, embedding=rng.normal(size=(n, 20)), kept=rng.random(n))


def written(study: Study, path: Path) -> None:
    """Write the page of a study."""
    template, style, *scripts = ((SOURCES / part).read_text(encoding="utf-8") for part in PARTS)
    library = files("bokeh") / "server/static/js"
    bokeh = "\n".join((library / part).read_text(encoding="utf-8") for part in ("bokeh.min.js", "bokeh-api.min.js"))
    path.write_bytes(page(blocks_of(study), "made up", template, style, scripts, bokeh))


def times_of(browser: Browser, path: Path) -> dict[str, float]:
    """Milliseconds of each action on a page that has just been opened."""
    opened = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    opened.goto(path.resolve().as_uri())
    opened.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
    opened.wait_for_selector("#panel h2", timeout=120_000)
    found = {"ready": float(opened.locator("html").get_attribute("data-ready"))}
    for name, action in ACTIONS.items():
        timed = f"(async () => {{ const start = performance.now(); {action} return performance.now() - start; }})()"
        found[name] = opened.evaluate(timed)
    opened.context.close()
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=SIZES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/explorer"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size in options.sizes:
            path = options.out / f"{size}.html"
            written(made_up(*map(int, size.split("x"))), path)
            times = pd.DataFrame([times_of(browser, path) for _ in range(options.repeats)]).min().round()
            rows.append({"size": size, "mb": round(path.stat().st_size / 1e6, 2), **times})
            print(pd.DataFrame(rows[-1:]).to_string(index=False), flush=True)
    pd.DataFrame(rows).to_csv(options.out / "explorer.csv", index=False)


if __name__ == "__main__":
    main()
