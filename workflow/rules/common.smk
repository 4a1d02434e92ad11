# reads the config; gives the names that every stage shares
WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
sys.path.insert(0, str(WORKFLOW))

from moamap.core.config import problems, supervised_methods, with_defaults
from moamap.core.names import crossfitted
from moamap.sources.locations import files_of, missing_sources, url_name

schema = yaml.safe_load((WORKFLOW / "schemas/config.schema.yaml").read_text())
found = problems(config, schema) or missing_sources(config.get("sources", {}))
if found:
    raise WorkflowError(f"{', '.join(map(str, workflow.overwrite_configfiles)) or 'config'}: {'; '.join(found)}")
config.update(with_defaults(config, schema))
config["validation"] = config["validation"] or "off"

PUBLISHED = str(WORKFLOW.parent / "resources/published.csv")
CROSSFITTED = [
    f"{name}_crossfit"
    for name, options in config["representations"].items()
    if options["method"] in supervised_methods(schema) and config["validation"] != "off"
]
REPRESENTATIONS = [*config["representations"], *CROSSFITTED]
URLS = {
    url_name(source, location): (location, source)
    for source in config.get("sources", {}).values()
    for location in files_of(source)
    if "://" in location
}
RESULTS = f"results/{config['dataset']}"
FIGURES = ["fig1", "fig2", "fig3", "fig4", "figS1"]
if config["validation"] != "off":
    FIGURES += ["validation_null", "validation_retrieval", "validation_stability"]

PERMUTATIONS, BATCHES = {"off": (0, 0), "quick": (199, 4), "full": (999, 20)}[config["validation"]]
STABILITY_RUNS = {"off": 0, "quick": 5, "full": 20}[config["validation"]]
VALIDATION = ["null.csv", "null_by_moa.csv", "retrieval.csv", "retrieval_by_moa.csv", "stability.csv"]
VALIDATION += ["stability_by_drug.csv", "table_1_calibrated.csv", "verdict.md"]
VALIDATION += ["power.csv"] * ("simulation" in config)  # where the truth is known


wildcard_constraints:
    dataset=config["dataset"],
    representation="|".join(REPRESENTATIONS),
    figure="|".join(FIGURES),


def source_files(name):
    """Where the files of a source lie: local ones where they are, the others once they are fetched, or simulated.

    A rule takes them by a function of its wildcards: in a plain list the braces of a file's name would be wildcards.
    """
    if "simulation" in config:
        return [f"{RESULTS}/sources/simulated_profiles.parquet"]
    source = config["sources"][name]
    return [
        f"{RESULTS}/sources/{url_name(source, location)}" if "://" in location else location
        for location in files_of(source)
    ]


def hub_files():
    """The Hub's two files, where MoAs are joined from them."""
    given = [name for name in ("samples", "drugs") if name in config.get("sources", {})]
    return {name: lambda wildcards, name=name: source_files(name)[0] for name in given}


def of_every_representation(file):
    return expand(f"results/{{{{dataset}}}}/{{representation}}/{file}", representation=REPRESENTATIONS)


def batches(representation):
    """Jobs that share the permutations: without labels to learn from one job is quick."""
    return BATCHES if f"{representation}_crossfit" in CROSSFITTED else 1


def procedure(wildcards):
    """All that `moamap.procedure.Procedure` takes besides the profiles."""
    base = wildcards.representation.removesuffix("_crossfit")
    return {
        "representation": config["representations"][base],
        "communities": config["communities"],
        "crossfit": config["crossfit"],
        **config["enrichment"],
        "policy": config["moa"],
    }


def study_files():
    """Every file of the study: tables and maps of each representation, the supplement, validation, the figures."""
    learned = ["transform.npz", "embedding.parquet"]
    each = ["connections.parquet", "communities.csv", "enrichment.csv", "community_features.csv", "csif_overlap.csv"]
    each += ["tsne.csv"] + ["query.csv"] * bool(config["query"])
    once = ["reproduction.csv", "provenance.json", "study.h5ad", *(f"supplement/table_{table}" for table in SUPPLEMENT)]
    once += [f"figures/{figure}.{ending}" for figure in FIGURES for ending in ("svg", "png")]
    if config["validation"] != "off":
        once += [f"validation/{file}" for file in VALIDATION] + ["candidates.csv"]
    files = [f"{name}/{file}" for name in config["representations"] for file in learned]
    files += [f"{name}/{file}" for name in REPRESENTATIONS for file in each]
    return [f"{RESULTS}/{file}" for file in files + once]
