# reads the config; gives the names that every stage shares
WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
sys.path.insert(0, str(WORKFLOW))

from moamap.config import problems, with_defaults

schema = yaml.safe_load((WORKFLOW / "schemas/config.schema.yaml").read_text())
found = problems(config, schema) or [
    f"sources.{name}.location: there is no file {source['location']!r}"
    for name, source in config.get("sources", {}).items()
    if "://" not in source["location"] and not Path(source["location"]).is_file()
]
if found:
    raise WorkflowError(f"{', '.join(map(str, workflow.overwrite_configfiles)) or 'config'}: {'; '.join(found)}")
config.update(with_defaults(config, schema))

PUBLISHED = str(WORKFLOW.parent / "resources/published.csv")
REPRESENTATIONS = list(config["representations"])
SOURCES = {Path(source["location"]).name: source for source in config.get("sources", {}).values()}
RESULTS = f"results/{config['dataset']}"
FIGURES = ["1", "2", "3", "4", "S1"]


wildcard_constraints:
    dataset=config["dataset"],
    representation="|".join(REPRESENTATIONS),
    figure="|".join(FIGURES),


def source_file(name):
    """Where the table of a source lies once it is fetched and verified, or simulated."""
    if "simulation" in config:
        return "results/{dataset}/sources/simulated_profiles.parquet"
    return f"results/{{dataset}}/sources/{Path(config['sources'][name]['location']).name}"


def of_every_representation(file):
    return expand(f"results/{{{{dataset}}}}/{{representation}}/{file}", representation=REPRESENTATIONS)


def study_files():
    """Every file of the study: tables and maps of each representation, the supplement, the figures."""
    each = ["transform.npz", "embedding.parquet", "connections.parquet", "communities.csv", "enrichment.csv"]
    each += ["community_features.csv", "csif_overlap.csv", "tsne.csv"] + ["query.csv"] * bool(config["query"])
    files = [f"{RESULTS}/{name}/{file}" for name in REPRESENTATIONS for file in each]
    files += [f"{RESULTS}/supplement/table_{table}" for table in SUPPLEMENT]
    files += [f"{RESULTS}/figures/fig{figure}.{ending}" for figure in FIGURES for ending in ("svg", "png")]
    return files + [f"{RESULTS}/{file}" for file in ("reproduction.csv", "provenance.json")]
