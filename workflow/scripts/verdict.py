"""What a reader may believe, in words, from the numbers."""

from pathlib import Path

from _files import is_simulated, read_table
from _job import run
from moamap.report.verdict import verdict
from moamap.validation.crossfit import co_membership


def judge(job) -> None:
    names = ("null", "null_by_moa", "retrieval", "retrieval_by_moa", "stability", "candidates")
    tables = {name: read_table(job.input[name]) for name in names}
    traces = {}
    for name, folds, communities in zip(job.params.crossfitted, job.input.folds, job.input.communities, strict=True):
        splits = read_table(folds).filter(like="split_").to_numpy().T
        traces[name] = co_membership(read_table(communities)["community"].to_numpy(), splits)
    text = verdict(job.wildcards.dataset, tables, traces, job.params.query, simulated=is_simulated(job))
    Path(job.output[0]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(judge, globals().get("snakemake"))
