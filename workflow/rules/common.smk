# reads the config; gives the names and helpers that every stage shares
WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
if not WORKFLOW.is_dir():
    raise WorkflowError(
        f"moamap is used from {WORKFLOW}; clone it (or use snakedeploy) and name the local path instead"
    )
sys.path.insert(0, str(WORKFLOW))

from moamap.core.code import digest
from moamap.core.config import problems, supervised_methods, with_defaults
from moamap.core.names import crossfitted, learned_as
from moamap.sources.locations import files_of, missing_sources, url_name

schema = yaml.safe_load((WORKFLOW / "schemas/config.schema.yaml").read_text())
found = problems(config, schema) or missing_sources(config.get("sources", {}))
if found:
    raise WorkflowError(f"{', '.join(map(str, workflow.overwrite_configfiles)) or 'config'}: {'; '.join(found)}")
config.update(with_defaults(config, schema))
config["validation"] = config["validation"] or "off"


pathvars:
    results=f"results/{config['dataset']}",
    logs=f"results/{config['dataset']}/logs",
    benchmarks=f"results/{config['dataset']}/benchmarks",


VALIDATED = config["validation"] != "off"
SIMULATED = "simulation" in config
LEARNED = list(config["representations"])
SUPERVISED = [
    name for name in LEARNED if config["representations"][name]["method"] in supervised_methods(schema) and VALIDATED
]
CROSSFITTED = [crossfitted(name) for name in SUPERVISED]
REPRESENTATIONS = LEARNED + CROSSFITTED
MAIN, COMPARED = config["main"], config["compare"]
HONEST = crossfitted(MAIN) if MAIN in SUPERVISED else MAIN  # what proposals are made from: no label of either drug
URLS = {
    url_name(source, location): (location, source)
    for source in config.get("sources", {}).values()
    for location in files_of(source)
    if "://" in location
}
PERMUTATIONS, BATCHES, STABILITY_RUNS = {"off": (0, 0, 0), "quick": (199, 4, 5), "full": (999, 20, 20)}[
    config["validation"]
]


wildcard_constraints:
    representation="|".join(REPRESENTATIONS),
    batch=r"\d+",


def code(script):
    """Digest of a script and of the package's modules that it imports: a parameter of its rule, so that changed code
    makes its files anew."""
    return digest(WORKFLOW / "scripts" / f"{script}.py", WORKFLOW)


def grows(base, per_mb=0.0):
    """A resource that grows with the input's size and with every attempt."""
    return lambda wildcards, input, attempt: round(attempt * (base + per_mb * input.size_mb))


def source_files(name):
    """Where the files of a source lie: local ones where they are, the others once they are fetched, or simulated."""
    if SIMULATED:
        return ["<results>/sources/simulated_profiles.parquet"]
    source = config["sources"][name]
    return [
        f"<results>/sources/{url_name(source, location)}" if "://" in location else location
        for location in files_of(source)
    ]


def hub_files():
    """The Hub's two files, where MoAs are joined from them."""
    return {name: source_files(name)[0] for name in ("samples", "drugs") if name in config.get("sources", {})}


def of_every_representation(file):
    return [f"<results>/{name}/{file}" for name in REPRESENTATIONS]


def batches(representation):
    """Jobs that share the permutations: without labels to learn from one job is quick."""
    return BATCHES if representation in SUPERVISED else 1


def procedure(wildcards):
    """All that `moamap.validation.procedure.procedure_of` takes besides the profiles."""
    return {
        "representation": config["representations"][learned_as(wildcards.representation)],
        "communities": config["communities"],
        "crossfit": config["crossfit"],
        **config["enrichment"],
        "policy": config["moa"],
    }


def study_files():
    """Every file of the study: tables and maps of each representation, the supplement, validation, the figures."""
    each = ["connections.parquet", "communities.csv", "enrichment.csv", "community_features.csv", "csif_overlap.csv"]
    each += ["tsne.csv"] + ["query.csv"] * bool(config["query"])
    once = ["reproduction.csv", "provenance.json", "study.h5ad", *(f"supplement/table_{table}" for table in SUPPLEMENT)]
    once += [f"figures/{figure}.{ending}" for figure in FIGURES for ending in ("svg", "png")]
    once += ["truth.csv"] * SIMULATED
    if VALIDATED:
        once += [f"validation/{file}" for file in VALIDATION] + ["candidates.csv"]
    files = [f"{name}/{file}" for name in LEARNED for file in ("transform.npz", "embedding.parquet")]
    files += [f"{name}/{file}" for name in REPRESENTATIONS for file in each]
    return [f"<results>/{file}" for file in files + once]
