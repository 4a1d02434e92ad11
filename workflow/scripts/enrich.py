"""Every community against every MoA, in each representation."""

from _files import is_simulated, read_index, read_json, read_unlabelled, write_table
from _job import run
from moamap.communities.enrichment import enrichment_table
from moamap.core.labels import membership
from moamap.profiles.annotation import check_moas
from moamap.report.supplement import evidence


def enrich(job) -> None:
    drugs = read_index(job.input.index)
    moas = membership(drugs["moa"], job.params.moa)
    check_moas(moas, job.params.min_drugs)
    files = zip(job.params.representations, job.input.communities, job.input.notes, job.output, strict=True)
    for name, communities, notes, target in files:
        # a map of all compounds has those without a MoA after the drugs, and they count for nothing
        numbers = read_unlabelled(communities)["community"][: len(drugs)]
        table = enrichment_table(numbers, moas, min_drugs=job.params.min_drugs, alpha=job.params.alpha)
        table["q_family"] = f"{len(table)} community x MoA pairs of {name}"
        table["evidence"] = evidence(**read_json(notes))
        write_table(table, target, simulated=is_simulated(job))


if __name__ == "__main__":
    run(enrich, globals().get("snakemake"))
