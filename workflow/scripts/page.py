"""report.html, the whole study as one page; references.bib; run.html, the run times and the machine."""

import base64
import os
import platform
from pathlib import Path

import pandas as pd

from _files import is_simulated, read_index, read_json, read_table, read_unlabelled
from _job import run
from moamap.core.labels import membership
from moamap.report import page
from moamap.report.methods import cite, methods, references
from moamap.report.verdict import LIMITS

LARGEST = 400_000  # bytes of an SVG on the page; of a larger figure it shows the PNG
KINDS = {".svg": "svg+xml", ".png": "png"}


def write_pages(job) -> None:
    templates = {Path(path).name: Path(path).read_text(encoding="utf-8") for path in job.input.templates}
    captions = {Path(path).stem: " ".join(Path(path).read_text("utf-8").split()) for path in job.input.captions}
    provenance = read_json(job.input.provenance)
    works = references(templates.pop("references.bib"))
    drugs, ratios = read_index(job.input.index), read_unlabelled(job.input.ratios)
    moas = membership(drugs["moa"], job.params.moa)
    counts = page.counts(drugs, moas, ratios, job.params.min_drugs)
    engine = read_json(job.input.communities)["engine"]
    text, cited = cite(methods(provenance, counts, engine), works)
    values = {"dataset": job.params.dataset, "simulated": is_simulated(job), "provenance": provenance}
    values |= {"counts": counts, "methods": text, "references": cited, "captions": captions}
    values |= {"figures": pictures(job.input.figures), "main": job.params.main, "features": page.features(ratios)}
    values["sections"] = page.sections(query=bool(job.input.queries), validation=bool(job.input.validation))
    values |= {"guide": page.guide(job.params.files), "explorer": "explorer.html" in job.params.files}
    report = page.render(templates, "report.html.j2", **values, **data_of(job), **query_of(job), **validation_of(job))
    Path(job.output.report).write_text(report, encoding="utf-8")
    Path(job.output.references).write_text("\n\n".join(work.entry for work in cited) + "\n", encoding="utf-8")
    benchmarks = sorted((Path(job.output.run).parent / "benchmarks").glob("*.tsv"))
    times = {path.stem: pd.read_csv(path, sep="\t") for path in benchmarks}
    machine = f"{platform.platform()}, {os.cpu_count()} processors"
    words = {"dataset": job.params.dataset, "times": page.run_times(times), "machine": machine}
    total = float(sum(table["s"].iloc[0] for table in times.values()))
    run_page = page.render(templates, "run.html.j2", **words, seconds=total, figures={}, captions={})
    Path(job.output.run).write_text(run_page, encoding="utf-8")


def pictures(files: list[str]) -> dict[str, str]:
    """The figures as data URIs, by name; of each its SVG, unless that is large."""
    chosen = {}
    for path in map(Path, files):
        if path.suffix == ".png" or path.stat().st_size <= LARGEST:
            chosen.setdefault(path.stem, path)
    return {
        name: f"data:image/{KINDS[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"
        for name, path in chosen.items()
    }


def data_of(job) -> dict:
    """What came in and what left, Table 1, and the paper's numbers."""
    wells = read_unlabelled(job.input.wells[0]) if job.input.wells else None
    table_1 = read_unlabelled(job.input.table_1)
    return {
        "wells": None if wells is None else page.show(wells, {name: name for name in wells}),
        "dropped": page.dropped(read_unlabelled(job.input.dropped)),
        "table_1": page.show(table_1, {name: name for name in table_1}),
        "published": page.published(read_unlabelled(job.input.reproduction)),
    }


def query_of(job) -> dict:
    """The answers to the query, if there is one."""
    queries = {Path(path).parent.name: read_unlabelled(path) for path in job.input.queries}
    shared = [read_unlabelled(path) for path in job.input.repurposing]
    return {
        "answers": page.answers(queries),
        "pairs": page.pairs(queries),
        "companions": [table for found in shared for table in page.companions(found, job.params.honest)],
    }


def validation_of(job) -> dict:
    """The verdict and its tables; nothing where the validation is off."""
    if not job.input.validation:
        return {"verdict": None}
    verdict, *tables = job.input.validation
    found, (by_moa, by_drug, retrieval, candidates) = read_json(verdict), map(read_table, tables)
    return {
        "verdict": found,
        "claims": page.claims(found),
        "enriched": page.enriched(found),
        "limits": LIMITS,
        "stability": page.stability(found),
        "surviving": page.surviving(by_moa, by_drug),
        "retrieval": page.retrieval(retrieval),
        "candidates": page.candidates(candidates),
    }


if __name__ == "__main__":
    run(write_pages, globals().get("snakemake"))
