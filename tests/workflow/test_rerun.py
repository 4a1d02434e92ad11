"""Which rules run again when an option, or the code, has changed."""

import re
import shutil

import pytest
import yaml

from .study import ROOT, SMALL, snakemake

CONFIG = yaml.safe_load(SMALL.read_text())
ALWAYS = {"provenance", "study_h5ad", "explorer", "page"}  # they hold the config, or all that changes
FROM_COMMUNITIES = {"enrich", "community_features", "query", "stability", "table_1", "supplement", "reproduction"}
FROM_COMMUNITIES |= {"repurposing", "nulls", "candidates", "verdict", "figures"}
RERUN = {
    "nothing": ({}, set()),
    "a default written out": ({"neighbours": 10, "enrichment": {"alpha": 0.01}}, set()),
    "a method's default written out": (
        {"representations": CONFIG["representations"] | {"itml": {"method": "itml", "gamma": 1.0}}},
        set(),
    ),
    "query": (
        {"query": ["simulated drug 003"]},
        {"check", "query", "repurposing", "candidates", "stability", "verdict", "figures", "reproduction"},
    ),
    "neighbours": ({"neighbours": 5}, {"query", "candidates", "verdict"}),
    "none_prior": ({"proposals": {"none_prior": 0.7}}, {"proposals", "candidates", "verdict", "figures"}),
    "csif_ratio": ({"csif_ratio": 0.02}, {"community_features", "supplement", "reproduction"}),
    "alpha": (
        {"enrichment": {"alpha": 0.05}},
        {"permute", "enrich", "table_1", "supplement", "reproduction", "nulls", "verdict", "figures"},
    ),
    "perplexity": ({"tsne": {"perplexity": 5}}, {"tsne", "figures"}),
    "communities.seed": ({"communities": {"seed": 1}}, FROM_COMMUNITIES | {"communities", "permute", "perturb"}),
    "published": ({"published": True}, {"table_1", "reproduction", "nulls", "verdict", "figures"}),
}


def rules_that_would_run(directory, config, snakefile=ROOT / "Snakefile"):
    path = directory / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    run = snakemake("--dry-run", "--quiet", "rules", directory=directory, configfile=path, snakefile=snakefile)
    assert run.returncode == 0, run.stdout
    jobs = re.findall(r"^(\w+) +\d+$", run.stdout, flags=re.MULTILINE)
    return set(jobs) - {"all", "total"}


@pytest.mark.parametrize("case", RERUN)
def test_a_changed_option_reruns_the_rules_that_use_it_and_no_others(small_run, case):
    change, expected = RERUN[case]
    provenance = ALWAYS if expected else set()
    assert rules_that_would_run(small_run.parents[1], CONFIG | change) == expected | provenance


def test_a_changed_module_of_the_package_reruns_the_rules_that_import_it(small_run, tmp_path):
    for part in ("Snakefile", "workflow", "config", "envs", "resources"):
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, tmp_path / part)
    module = tmp_path / "workflow/moamap/report/query.py"
    module.write_text(module.read_text() + "\nCHANGED = True\n")
    found = rules_that_would_run(small_run.parents[1], CONFIG, tmp_path / "Snakefile")
    assert "query" in found
    assert not {"check", "represent", "permute", "communities", "tsne", "enrich"} & found
