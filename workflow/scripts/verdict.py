"""What a reader may believe: the numbers, and prose made from them."""

from pathlib import Path

from _files import is_simulated, read_json, read_table, read_unlabelled, write_json
from _job import run
from moamap.report.verdict import prose, verdict
from moamap.validation.crossfit import co_membership


def judge(job) -> None:
    names = ("null", "null_by_moa", "retrieval", "retrieval_by_moa", "comparisons", "stability", "candidates")
    names += ("reliability",)
    tables = {name: read_table(job.input[name]) for name in names}
    traces = {}
    for name, folds, communities in zip(job.params.crossfitted, job.input.folds, job.input.communities, strict=True):
        dealt = read_table(folds).rename(columns={"drug": "pert_iname"})
        numbers = read_unlabelled(communities, dealt)["community"].to_numpy()
        traces[name] = co_membership(numbers, dealt.filter(like="split_").to_numpy().T)
    notes = dict(zip(job.params.crossfitted, map(read_json, job.input.notes), strict=True))
    unlearned = {name: note["share_of_pairs_unlearned"] for name, note in notes.items()}
    options = {"fitted": read_json(job.input.fitted), "query": job.params.query}
    found = verdict(job.params.dataset, tables, traces, unlearned, **options, simulated=is_simulated(job))
    write_json(found, job.output.numbers)
    Path(job.output.prose).write_text(prose(found), encoding="utf-8")


if __name__ == "__main__":
    run(judge, globals().get("snakemake"))
