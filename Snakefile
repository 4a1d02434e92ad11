"""moamap: mechanism-of-action maps from cell images. The map of the study, from top to bottom."""

import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.19")


report: "workflow/report/workflow.rst"


# --configfile merges into what is loaded here, so the default is loaded only where none is given
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/profiles.smk"
include: "workflow/rules/representations.smk"
include: "workflow/rules/connections.smk"
include: "workflow/rules/communities.smk"
include: "workflow/rules/validation.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/readings.smk"


if PLACED:

    include: "workflow/rules/placing.smk"


onstart:
    watch_queue(workflow)


rule all:
    default_target: True
    input:
        study_files(),


# compounds that the maps were not made from, on the finished maps: those without a MoA, or those of a new table, whose
# config names the finished study as its `reference`
rule place:
    input:
        placed_files() or nothing_to_place,
        proposals_placed() if config["reference"] else [],


# what the data hold, before anything runs
rule inspect:
    input:
        "<results>/inspect.txt",
    log:
        "<logs>/inspect.log",
    localrule: True
    conda:
        "envs/snakemake.yaml"
    shell:
        "cat {input:q} | tee {log:q}"
