"""Whether the data hold what the config asks for."""

from typing import Any

from _files import read_unlabelled
from _job import run
from moamap.core.errors import raise_first
from moamap.core.labels import membership
from moamap.profiles.annotation import check_moas, name_problems


def check(job: Any) -> None:
    drugs = read_unlabelled(job.input[0])
    check_moas(membership(drugs["moa"], job.params.moa), job.params.min_drugs)
    raise_first(name_problems(job.params.query, drugs["pert_iname"]))


if __name__ == "__main__":
    run(check, globals().get("snakemake"))
