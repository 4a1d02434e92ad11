"""The paper's supplementary tables S1 to S5."""

import pandas as pd

from _files import is_simulated, read_table, write_table
from _job import run
from moamap.report.supplement import table_s4


def supplement(job) -> None:
    simulated = is_simulated(job)
    enriched = dict(zip(job.params.representations, map(read_table, job.input.enrichment), strict=True))
    s3 = pd.concat(enriched, names=["representation"]).reset_index(level=0)
    communities = read_table(job.input.communities)
    names = communities["drug"].to_numpy()
    pairs = pd.concat(map(read_table, job.input.connections))
    pairs = pairs.assign(drug_1=names[pairs["drug_1"]], drug_2=names[pairs["drug_2"]])
    for table, path in (
        (read_table(job.input.annotated), job.output.s1),
        (pairs, job.output.s2),
        (s3, job.output.s3),
        (table_s4(communities, enriched[job.params.main]), job.output.s4),
        (read_table(job.input.ratios), job.output.s5),
    ):
        write_table(table, path, simulated=simulated)


if __name__ == "__main__":
    run(supplement, globals().get("snakemake"))
