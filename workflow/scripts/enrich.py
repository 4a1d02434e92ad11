"""Every community against every MoA."""

from _files import is_simulated, read_json, read_table, write_table
from _job import run
from moamap.communities.enrichment import enrichment_table
from moamap.core.labels import membership
from moamap.report.supplement import evidence


def enrich(job) -> None:
    communities = read_table(job.input.communities)
    moas = membership(communities["moa"], job.params.moa)
    table = enrichment_table(communities["community"], moas, min_drugs=job.params.min_drugs, alpha=job.params.alpha)
    table["q_family"] = f"{len(table)} community x MoA pairs of {job.wildcards.representation}"
    table["evidence"] = evidence(**read_json(job.input.notes))
    write_table(table, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(enrich, globals().get("snakemake"))
