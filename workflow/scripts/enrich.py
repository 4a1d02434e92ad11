"""Every community against every MoA."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from moamap.enrichment import enrichment
from moamap.profiles import membership
from moamap.supplement import evidence
from scripts.files import is_simulated, read_json, read_table, write_table
from scripts.job import run


def enrich(job) -> None:
    communities = read_table(job.input.communities)
    moas = membership(communities["moa"], job.params.moa)
    table = enrichment(communities["community"], moas, min_drugs=job.params.min_drugs, alpha=job.params.alpha)
    table["q_family"] = f"{len(table)} community x MoA pairs of {job.wildcards.representation}"
    table["evidence"] = evidence(**read_json(job.input.notes))
    write_table(table, job.output[0], simulated=is_simulated(job))


if __name__ == "__main__":
    run(enrich, globals().get("snakemake"))
