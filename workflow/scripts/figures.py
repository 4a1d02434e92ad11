"""The figures of the paper and of the validation, as SVG and PNG."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.spatial.distance import pdist

from _files import is_simulated, read_drugs, read_index, read_table, read_unlabelled, stream_connections
from _job import run
from moamap.core.labels import membership
from moamap.report.figures import validation
from moamap.report.figures.paper import evenly, figure_1, figure_3, figure_4, figure_s1, heatmap
from moamap.report.figures.style import label_simulated
from moamap.report.figures.workflow import figure_2


def draw(job) -> None:
    for name in job.params.figures:
        figure = DRAW[name](job, job.input[name])
        if is_simulated(job):
            label_simulated(figure)
        svg, png = job.output[name]
        figure.savefig(svg, dpi=300, metadata={"Date": None})
        figure.savefig(png, dpi=300, metadata={"Software": None})
        plt.close(figure)


def draw_1(job, files):
    ids, raw = read_drugs(files[0])
    _, normalized = read_drugs(files[1])
    return figure_1(raw, normalized, membership(ids["moa"], job.params.moa).sum())


def draw_2(job, files):
    return figure_2(**job.params.graph)


def draw_3(job, files):
    drugs = read_index(files[0])
    maps = {name: read_unlabelled(path, drugs) for name, path in zip(job.params.compared, files[1:], strict=True)}
    known = membership(drugs["moa"].dropna(), job.params.moa)
    return figure_3(maps, known.reindex(drugs.index, fill_value=False))


def draw_4(job, files):
    tables = {tuple(Path(path).with_suffix("").parts[-2:]): read_table(path) for path in files}
    maps, communities, enriched = (
        {name: tables[name, kind] for name in job.params.compared} for kind in ("tsne", "communities", "enrichment")
    )
    return figure_4(maps, communities, enriched)


def draw_s1(job, files):
    index, communities, *distances = files
    drugs = read_index(index)
    numbers, shown = read_unlabelled(communities, drugs)["community"].to_numpy(), np.arange(len(drugs))
    if distances[0].endswith("embedding.parquet"):  # the study keeps no table of all pairs
        shown = evenly(numbers)
        embedding = read_unlabelled(distances[0], drugs).drop(columns="drug").iloc[shown].to_numpy(float)
        pairs = [(*np.triu_indices(len(shown), k=1), pdist(embedding))]
    else:
        pairs = ((some.drug_1, some.drug_2, some.distance) for some in stream_connections(distances, drugs))
    image = heatmap(pairs, numbers[shown])
    return figure_s1(image, numbers[shown], representation=job.params.main, n_drugs=len(drugs))


def from_table(function):
    """A figure that is drawn from one table."""
    return lambda job, files: function(read_table(files[0]))


DRAW = {
    "fig1": draw_1,
    "fig2": draw_2,
    "fig3": draw_3,
    "fig4": draw_4,
    "figS1": draw_s1,
    "all_compounds": draw_3,
    "validation_null": from_table(validation.null_figure),
    "validation_retrieval": from_table(validation.retrieval_figure),
    "validation_reliability": from_table(validation.reliability_figure),
    "validation_stability": from_table(validation.stability_figure),
}

if __name__ == "__main__":
    run(draw, globals().get("snakemake"))
