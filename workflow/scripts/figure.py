"""One of the paper's figures, or of the validation's, as SVG and PNG."""

from pathlib import Path

from _files import is_simulated, read_distances, read_drugs, read_index, read_per_drug, read_table
from _job import run
from moamap.core.labels import membership
from moamap.report.figures import validation
from moamap.report.figures.paper import figure_1, figure_3, figure_4, figure_s1
from moamap.report.figures.style import label_simulated
from moamap.report.figures.workflow import figure_2


def draw(job) -> None:
    figure = DRAW[job.wildcards.figure](job)
    if is_simulated(job):
        label_simulated(figure)
    figure.savefig(job.output.svg, metadata={"Date": None})
    figure.savefig(job.output.png, dpi=200, metadata={"Software": None})


def draw_1(job):
    ids, raw = read_drugs(job.input[0])
    _, normalized = read_drugs(job.input[1])
    return figure_1(raw, normalized, membership(ids["moa"], job.params.moa).sum())


def draw_2(job):
    return figure_2(**job.params.graph)


def draw_3(job):
    drugs = read_index(job.input[0])
    maps = {name: read_per_drug(path, drugs) for name, path in zip(job.params.compared, job.input[1:], strict=True)}
    return figure_3(maps, drugs["moa"])


def draw_4(job):
    tables = {tuple(Path(path).with_suffix("").parts[-2:]): read_table(path) for path in job.input}
    maps, communities, enriched = (
        {name: tables[name, kind] for name in job.params.compared} for kind in ("tsne", "communities", "enrichment")
    )
    return figure_4(maps, communities, enriched)


def draw_s1(job):
    numbers = read_table(job.input[1])["community"].to_numpy()
    return figure_s1(read_distances(job.input[0]), numbers, representation=Path(job.input[0]).parent.name)


def from_table(function):
    """A figure that is drawn from one table."""
    return lambda job: function(read_table(job.input[0]))


DRAW = {
    "fig1": draw_1,
    "fig2": draw_2,
    "fig3": draw_3,
    "fig4": draw_4,
    "figS1": draw_s1,
    "validation_null": from_table(validation.null_figure),
    "validation_retrieval": from_table(validation.retrieval_figure),
    "validation_stability": from_table(validation.stability_figure),
}

if __name__ == "__main__":
    run(draw, globals().get("snakemake"))
