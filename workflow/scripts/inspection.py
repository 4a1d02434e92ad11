"""What the data hold, and what the study would refuse, before anything runs."""

from pathlib import Path
from typing import Any

import pandas as pd

from _costs import expected_costs, machine
from _files import read_hub
from _job import run
from moamap.core.costs import check_fits, cost_lines
from moamap.core.errors import InputError
from moamap.profiles.annotation import feature_columns, hub_annotation, moa_notes, name_notes, scale_notes
from moamap.profiles.contract import contract_notes, is_control, with_numbers
from moamap.profiles.formats import read_source
from moamap.profiles.inspection import inspect, refusals
from moamap.profiles.normalize import feature_statistics


def inspect_data(job: Any) -> None:
    table, source = read_source(job.input.profiles, job.params.source, job.params.columns)
    wells, annotation, labelled = job.params.wells, None, table
    if "drugs" in dict(job.input.items()):
        samples = read_hub(job.input.samples, ["broad_id", "pert_iname"])
        annotation = hub_annotation(samples, read_hub(job.input.drugs, ["pert_iname", "moa"]))
        joined = annotation[0].set_index("pert_id").reindex(table["pert_id"])
        labelled = table.assign(pert_iname=joined["pert_iname"].to_numpy(), moa=joined["moa"].to_numpy())
    found = inspect(labelled, controls=(wells or {}).get("controls", ()), min_drugs=job.params.min_drugs)
    notes = contract_notes(labelled)
    if "moa" in labelled:
        notes += moa_notes(labelled["moa"].dropna(), job.params.moa)
    refused = refusals(
        table,
        annotation,
        source=source,
        wells=wells,
        policy=job.params.moa,
        min_drugs=job.params.min_drugs,
        queried=job.params.query,
        refuse_bad_features=job.params.normalization["bad_features"] == "refuse",
        axis=job.params.normalization["axis"],
    )
    if "pert_iname" in labelled:
        notes += name_notes(labelled["pert_iname"])
    if not refused and wells is None and job.params.normalization["axis"] == "feature":  # wells have one scale already
        statistics = feature_statistics(with_numbers(table)[feature_columns(table)])
        notes += scale_notes(statistics, job.params.normalization["epsilon"])
    expected = expected_costs(job.params.config, **sizes_of(labelled, wells))
    found += cost_lines(expected)
    try:
        check_fits(expected, job.params.config, **machine(job.output[0]))
    except InputError as error:
        refused = [*refused, str(error)]
    found += [("warning", note) for note in notes]
    found += [("verdict", f"the study would refuse it: {problem}") for problem in refused]
    found += [("verdict", "the table is as the study needs it")] * (not refused)
    report = "\n".join([str(source), *(f"{what + ':':<52} {how_much}" for what, how_much in found)])
    Path(job.output[0]).write_text(report + "\n", encoding="utf-8")


def sizes_of(table: pd.DataFrame, wells: Any) -> dict[str, int]:
    """How many drugs with a MoA, compounds and features there are (before features are selected)."""
    drugs = table[~is_control(table, (wells or {}).get("controls", ()))]
    annotated = drugs[drugs["moa"].notna()] if "moa" in drugs else drugs
    sizes = {"drugs": annotated["pert_id"].nunique(), "compounds": drugs["pert_id"].nunique()}
    return sizes | {"features": len(feature_columns(table))}


if __name__ == "__main__":
    run(inspect_data, globals().get("snakemake"))
