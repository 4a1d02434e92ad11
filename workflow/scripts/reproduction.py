"""The paper's published numbers beside this run's."""

from _files import is_simulated, read_drugs, read_table, read_unlabelled, write_table
from _job import run
from moamap.core.labels import membership
from moamap.report.reproduction import observed_numbers, reproduction
from moamap.validation.extrapolation import at_the_paper_s_size


def reproduce(job) -> None:
    ids, features = read_drugs(job.input.annotated)
    dropped = read_table(job.input.dropped)
    n_rows = ids["pert_id"].str.count(r"\|").add(1).sum() + (dropped["step"] == "annotate").sum()
    communities = read_unlabelled(job.input.communities, ids).set_index("drug")["community"]
    together = len(job.params.query) > 1 and communities[job.params.query].nunique() == 1
    observed = observed_numbers(
        features,
        read_drugs(job.input.normalized)[1],
        membership(ids["moa"], job.params.moa).sum(),
        n_rows,
        read_table(job.input.table_1),
        read_table(job.input.overlap),
        together,
    )
    extrapolated = [at_the_paper_s_size(read_unlabelled(path)) for path in job.input.extrapolated]
    table = reproduction(read_table(job.input.published), observed, *extrapolated)
    write_table(table, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(reproduce, globals().get("snakemake"))
