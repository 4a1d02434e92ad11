"""The numbers of docs/reproduction.md, from the results of `make readings` and of benchmarks/axis.py.

    PYTHONPATH=workflow python benchmarks/reproduction_page.py [--results DIR] [--axis FILE]

Writes what is between `<!-- NAME -->` and `<!-- /NAME -->` on the page, and the figure beside it.
"""

import argparse
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from moamap.core.grid import GRID, SETTING

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/reproduction.md"
PUBLISHED = ROOT / "resources/published.csv"
USUAL = {"similarity": "minus squared distance", "preference": "median", "damping": "0.5"}  # scikit-learn's and ours
PARTS = {"raw": "original data", "pca": "PCA", "itml": "ITML"}
LISTED = 10


class Numbers:
    """What a run of the readings gave."""

    def __init__(self, results: Path):
        self.results = results
        self.published = pd.read_csv(PUBLISHED).set_index("quantity")["published"]
        self.parts = pd.read_csv(results / "reproduction/all/extrapolated.csv", dtype={"damping": str}).fillna(
            dict.fromkeys(["similarity", "preference", "damping", "variant"], "")
        )
        self.readings = pd.read_csv(results / "reproduction/readings.csv", dtype={"pca": str})
        self.calibration = pd.concat(
            pd.read_parquet(file) for file in sorted((results / "reproduction/all").glob("calibration_*.parquet"))
        )
        self.n = int(self.parts["n"].max())
        self.paper_n = int(self.published["drugs"])

    def row(self, part, quantity, axis="profile", variant="", **setting) -> pd.Series:
        """One number of one reading: own, seeds_sd, estimate, low, high."""
        where = {"axis": axis, "part": part, "variant": variant, "quantity": quantity}
        where |= {} if part == "range" else USUAL | setting
        return self.parts[(self.parts[list(where)] == pd.Series(where)).all(axis=1)].iloc[0]


def interval(row) -> str:
    """An extrapolated number with its interval."""
    return f"{figure(row['estimate'])} ({figure(row['low'])} to {figure(row['high'])})"


def figure(value) -> str:
    """Three digits at most."""
    return f"{value:.0f}" if abs(value) >= 10 or value == 0 else f"{value:.2g}"


def markdown(header, rows) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def data(found: Numbers) -> str:
    drugs = pd.read_parquet(found.results / "profiles/normalized.parquet")
    reading, n_screens = found.readings, found.calibration["screen"].nunique()
    return (
        f"{found.n} drugs of the paper's {found.paper_n}, {drugs['moa'].nunique()} MoAs, "
        f"{(drugs['moa'].value_counts() >= 5).sum()} of them with five drugs or more. {len(reading):,} readings "
        f"were tried, the extrapolation calibrated on {n_screens} simulated screens."
    )


def axes(found: Numbers) -> str:
    rows = []
    for axis in GRID["axis"]:
        low, high = found.row("range", "minimum", axis), found.row("range", "maximum", axis)
        raw, single = found.row("raw", "communities", axis), found.row("raw", "singletons", axis)
        enriched = found.row("raw", "enriched", axis)
        itml = found.row("itml", "communities", axis, "L, pairs")
        rows.append(
            [
                f"`{axis}`",
                f"{-low['own']:.3f} to {high['own']:.3f}",
                f"{raw['own']:.0f} ({single['own']:.0f})",
                interval(raw),
                f"{itml['own']:.1f}",
                interval(itml),
                f"{enriched['own']:.0f}; {found.row('raw', 'null enriched', axis)['own']:.1f}",
                interval(enriched),
            ]
        )
    p = found.published
    paper = f"{p['normalized_minimum']:.3f} to {p['normalized_maximum']:.3f}"
    counts = [p[f"{part} {what} Number"] for part, what in (("raw", "Clustering"), ("itml", "Clustering"))]
    rows.append(
        ["**paper**", paper, "", f"{counts[0]:.0f}", "", f"{counts[1]:.0f}", "", f"{p['raw Enrichment Number']:.0f}"]
    )
    size = f"at {found.paper_n}"
    header = ["axis", "range", "communities, raw (single drugs)", size, "communities, ITML", size]
    return markdown([*header, "enriched MoAs, raw; permuted labels", size], rows)


def pca(found: Numbers) -> str:
    rows = []
    for components in GRID["pca"]:
        row = [f"{float(components):.0%} of the variance" if float(components) < 1 else components]
        for axis in GRID["axis"]:
            row.append(interval(found.row("pca", "communities", axis, components)))
        enriched = found.row("pca", "enriched", "profile", components)
        rows.append([*row, interval(enriched)])
    p = found.published
    rows.append(["**paper**", *[f"{p['pca Clustering Number']:.0f}"] * 3, f"{p['pca Enrichment Number']:.0f}"])
    return markdown(["components", *(f"`{axis}`" for axis in GRID["axis"]), "enriched MoAs, `profile`"], rows)


def itml(found: Numbers) -> str:
    rows = []
    for similarity in GRID["similarity"]:
        raw = found.row("raw", "communities", similarity=similarity)
        for output in GRID["output"]:
            for bounds in GRID["bounds"]:
                mine = found.row("itml", "communities", variant=f"{output}, {bounds}", similarity=similarity)
                enriched = found.row("itml", "enriched", variant=f"{output}, {bounds}", similarity=similarity)
                own = f"{mine['own']:.1f} ± {mine['seeds_sd']:.1f}"
                rows.append([similarity, output, bounds, interval(raw), own, interval(mine), interval(enriched)])
    p = found.published
    numbers = [
        f"{p[name]:.0f}" for name in ("raw Clustering Number", "itml Clustering Number", "itml Enrichment Number")
    ]
    rows.append(["**paper**", "", "", numbers[0], "", *numbers[1:]])
    header = [
        "similarity",
        "output",
        "bounds from",
        "raw",
        f"ITML, {found.n} drugs (seeds)",
        "ITML",
        "enriched MoAs, ITML",
    ]
    return markdown(header, rows)


def nulls(found: Numbers) -> str:
    rows = []
    for part, variant in (("raw", ""), ("pca", "0.95"), ("itml", "L, pairs")):
        null = ("itml null", "") if part == "itml" else (part, "null ")
        clusters, enriched = (found.row(part, quantity, variant=variant) for quantity in ("communities", "enriched"))
        permuted = found.row(null[0], f"{null[1]}enriched", variant=variant)
        fewer = found.row(null[0], "communities", variant=variant)
        row = [PARTS[part], f"{clusters['own']:.1f}", interval(clusters)]
        row += [f"{fewer['own']:.1f}", interval(fewer)] if part == "itml" else ["the same", "the same"]
        p = found.published
        row += [f"{enriched['own']:.1f}", f"{permuted['own']:.1f}", interval(enriched), interval(permuted)]
        rows.append([*row, f"{p[f'{part} Clustering Number']:.0f}; {p[f'{part} Enrichment Number']:.0f}"])
    size = f"at {found.paper_n}"
    header = ["", "communities", size, "permuted labels", size]
    return markdown([*header, "enriched MoAs", "permuted labels", size, f"permuted, {size}", "paper"], rows)


def csif(found: Numbers) -> str:
    rows = []
    for similarity in GRID["similarity"]:
        for ratio in GRID["ratio"]:
            row = [similarity, ratio]
            for quantity in ("csif_of_two", "csif_of_three"):
                mine = found.row("itml", f"{quantity}, {ratio}", variant="L, pairs", similarity=similarity)
                row += [f"{mine['own']:.1f}", interval(mine)]
            rows.append(row)
    p = found.published
    rows.append(["**paper**", "", "", f"{p['csif_of_two']:.0f}", "", f"{p['csif_of_three_or_more']:.0f}"])
    size = f"at {found.paper_n}"
    return markdown(["similarity", "intra-class ratio", "of two", size, "of three or more", size], rows)


def facts(found: Numbers) -> str:
    rows = []
    for axis in GRID["axis"]:
        for similarity in GRID["similarity"]:
            mine = [
                found.row("itml", quantity, axis, "L, pairs", similarity=similarity)["own"]
                for quantity in ("pair together", "MoAs together", "any two together")
            ]
            rows.append([f"`{axis}`", similarity, f"{mine[0]:.0%}", f"{mine[1]:.0%}", f"{mine[2]:.1%}"])
    rows.append(["**paper**", "", "yes", "yes", ""])
    header = ["axis", "similarity", "chloroquine and clomifene", "an HDAC and a protein synthesis inhibitor"]
    return markdown([*header, "any two drugs, by chance"], rows)


def best(found: Numbers) -> str:
    shown = ["axis", *SETTING, "pca", "output", "bounds", "ratio"]
    numbers = [
        "raw communities",
        "pca communities",
        "itml communities",
        "raw enriched",
        "pca enriched",
        "itml enriched",
    ]
    numbers += ["itml csif_of_two", "itml csif_of_three"]
    rows = []
    for _, reading in found.readings.head(LISTED).iterrows():
        choices = "; ".join(str(reading[choice]) for choice in shown)
        values = [figure(reading[f"{name}, extrapolated"]) for name in numbers]
        rows.append([int(reading["rank"]), f"{reading['distance']:.2f}", int(reading["within"]), choices, *values])
    names = [name.replace("itml", "ITML").replace("pca", "PCA").replace("_", " ") for name in numbers]
    header = ["rank", "distance", "within", "; ".join(["axis", *SETTING, "PCA", "output", "bounds", "ratio"])]
    by_axis = found.readings.groupby("axis")["distance"].agg(["min", "median"])
    summary = ", ".join(f"`{axis}` {row['min']:.2f} ({row['median']:.2f})" for axis, row in by_axis.iterrows())
    table = markdown([*header, *names], rows)
    return f"{table}\n\nLeast distance (median) of the readings with each axis: {summary}."


def calibration(found: Numbers) -> str:
    errors = found.calibration
    errors = errors[errors["quantity"].isin(["communities", "enriched", "minimum", "maximum"])]
    rows = []
    for (axis, part, quantity), mine in errors.groupby(["axis", "part", "quantity"])["error"]:
        if part != "itml null":
            rows.append(
                [f"`{axis}`", part, quantity, f"{np.expm1(mine.mean()):+.0%}", f"{np.expm1(mine.std(ddof=0)):.0%}"]
            )
    return markdown(["axis", "", "number", "bias", "sd"], rows)


def outside(found: Numbers) -> str:
    table = pd.read_parquet(found.results / "profiles/normalized.parquet")
    values = table.iloc[:, 3:].select_dtypes("number")
    low, high = found.published["normalized_minimum"], found.published["normalized_maximum"]
    beyond = (values < low) | (values > high)
    rows = []
    for index in np.flatnonzero(beyond.any(axis=1)):
        its = values.loc[index, beyond.loc[index]]
        names = ", ".join(f"{value:.3f} ({feature})" for feature, value in its.items())
        rows.append([table["pert_iname"][index], f"`{table['pert_id'][index]}`", names])
    return markdown(["drug", "id", f"values outside {low:.3f} to {high:.3f}"], rows)


def default(table: pd.DataFrame) -> str:
    rows = [
        [r["data"], f"`{r['axis']}`", f"{r['mAP']:.3f}", f"{r['lift']:.2f}",
         f"{r['ratio to feature']:.2f} ({r['low']:.2f} to {r['high']:.2f})"]
        for _, r in table.iterrows()
    ]  # fmt: skip
    return markdown(["data", "axis", "mAP", "lift over permuted MoAs", "ratio to `feature`"], rows)


def own(found: Numbers) -> str:
    table = pd.read_csv(found.results / "reproduction.csv")
    rows = []
    for _, row in table.iterrows():
        beyond = "" if pd.isna(row["extrapolated"]) else (
            f"{row['extrapolated']:.4g} ({row['low']:.4g} to {row['high']:.4g})"
        )  # fmt: skip
        fits = "" if not beyond else "yes" if row["low"] <= row["published"] <= row["high"] else "no"
        rows.append([row["description"], f"{row['published']:.5g}", f"{row['reproduced']:.4g}", beyond, fits])
    header = ["", "published", f"{found.n} drugs", f"extrapolated to {found.paper_n} (95%)", "inside"]
    return markdown(header, rows)


SECTIONS = [data, own, axes, pca, itml, nulls, csif, facts, best, calibration, outside]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results/lincs_subset"))
    parser.add_argument("--axis", type=Path, default=Path("results/axis.csv"))
    options = parser.parse_args()
    found = Numbers(options.results)
    written = {section.__name__: section(found) for section in SECTIONS}
    written["default"] = default(pd.read_csv(options.axis))
    page = PAGE.read_text(encoding="utf-8")
    for name, text in written.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        page, count = place.subn(lambda match, text=text: f"{match[1]}\n{text}\n\n{match[2]}", page)
        if not count:
            raise SystemExit(f"{PAGE.name} has no place for {name}")
    PAGE.write_text(page, encoding="utf-8")
    shutil.copy(options.results / "reproduction/readings.svg", PAGE.with_suffix(".svg"))


if __name__ == "__main__":
    main()
