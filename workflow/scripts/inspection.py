"""What the data hold, before anything runs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from moamap.border import check
from moamap.errors import InputError
from moamap.inspection import inspect
from moamap.profiles import hub_annotation
from scripts.files import read_hub
from scripts.job import run
from scripts.sources import read_source


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
