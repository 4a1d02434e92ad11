"""What the data hold, before anything runs."""

from pathlib import Path

from _files import read_hub
from _job import run
from moamap.core.errors import InputError
from moamap.profiles.annotation import hub_annotation
from moamap.profiles.contract import check
from moamap.profiles.formats import read_source
from moamap.profiles.inspection import inspect


def inspect_data(job) -> None:
    table, source = read_source(job.input.profiles, job.params.source, job.params.columns)
    controls = (job.params.wells or {}).get("controls", ())
    if "drugs" in dict(job.input.items()):
        samples = read_hub(job.input.samples, ["broad_id", "pert_iname"])
        annotation, _ = hub_annotation(samples, read_hub(job.input.drugs, ["pert_iname", "moa"]))
        joined = annotation.set_index("pert_id").reindex(table["pert_id"])
        table = table.assign(pert_iname=joined["pert_iname"].to_numpy(), moa=joined["moa"].to_numpy())
    found = inspect(table, controls=controls, min_drugs=job.params.min_drugs)
    try:
        check(table, controls=controls, one_row_each=job.params.wells is None, source=source)
        found.append(("verdict", "the table is as the study needs it"))
    except InputError as error:
        found.append(("verdict", f"the study would refuse it: {error}"))
    report = "\n".join([source, *(f"{what + ':':<52} {how_much}" for what, how_much in found)])
    Path(job.output[0]).write_text(report + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(inspect_data, globals().get("snakemake"))
