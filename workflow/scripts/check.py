"""Stops a study that asks for what its data do not hold."""

from _files import read_unlabelled
from _job import run
from moamap.core.labels import membership
from moamap.profiles.annotation import check_moas
from moamap.report.query import check_names


def check(job) -> None:
    drugs = read_unlabelled(job.input[0])
    check_moas(membership(drugs["moa"], job.params.moa), job.params.min_drugs)
    check_names(job.params.query, drugs["pert_iname"])


if __name__ == "__main__":
    run(check, globals().get("snakemake"))
