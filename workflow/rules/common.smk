# reads the config; gives the names and helpers that every stage shares
import os
from collections import Counter
from itertools import product

from snakemake.iocontainers import Wildcards

WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
if not WORKFLOW.is_dir():
    raise WorkflowError(
        f"moamap is used from {WORKFLOW}; name workflow/Snakefile in a local clone, or by github(…, tag=…), instead"
    )
sys.path.insert(0, str(WORKFLOW))

from queue_watch import watch as watch_queue

from moamap.core.code import digest
from moamap.core.config import duplicate_keys, learns_from_wells, load_schema, problems, profiles_read
from moamap.core.config import supervised_methods, with_defaults
from moamap.core.names import crossfitted, learned_as
from moamap.core.reference import is_simulated, with_reference
from moamap.core.secrets import mask_secrets
from moamap.sources.locations import checksums_of, files_of, missing_sources, missing_tables, states
from moamap.sources.locations import unusable_folder, url_name

schema = load_schema(WORKFLOW / "schemas")
completed, found = with_reference(config, schema)
found += [line for path in workflow.overwrite_configfiles for line in duplicate_keys(path)]
found = found or problems(completed, schema) or missing_sources(config.get("sources", {}))
found = found or missing_tables(config.get("published_tables", {}))
if found:
    found = mask_secrets(found)
    raise WorkflowError(f"{', '.join(map(str, workflow.overwrite_configfiles)) or 'config'}: {'; '.join(found)}")
filled = with_defaults(completed, schema)
config.clear()  # so that the options are in the schema's order, whichever of them were given
config.update(filled)

folders = map(Path, ("results", f"results/{config['dataset']}"))
if unusable := unusable_folder(folders):
    raise WorkflowError(unusable)


pathvars:
    results=f"results/{config['dataset']}",
    logs=f"results/{config['dataset']}/logs",
    benchmarks=f"results/{config['dataset']}/benchmarks",


VALIDATED = config["validation"] != "off"
SIMULATED = "simulation" in config
ALL_ANNOTATED = SIMULATED and config["simulation"]["n_annotated"] is None
UNANNOTATED = {"unannotated": "<results>/profiles/unannotated.parquet"}
UNANNOTATED = {} if ALL_ANNOTATED or config["unannotated"] == "drop" else UNANNOTATED
PLACED = bool(config["reference"] or UNANNOTATED and config["unannotated"] == "place")
MAP = config["reference"] or "<results>"  # which compounds are placed on
FITTED = f"{MAP}/validation/proposals.json"
PROPOSED_PLACED = PLACED and (Path(FITTED).is_file() if config["reference"] else VALIDATED)
TABLE = f"<results>/profiles/{'consensus' if config['wells'] else 'table'}.parquet"
LEARNED = list(config["representations"])
SUPERVISED = [
    name for name in LEARNED if config["representations"][name]["method"] in supervised_methods(schema) and VALIDATED
]
CROSSFITTED = [crossfitted(name) for name in SUPERVISED]
REPRESENTATIONS = LEARNED + CROSSFITTED
ALL = [f"all/{name}" for name in LEARNED] if config["unannotated"] == "cluster" else []  # maps of all compounds
MAIN, COMPARED = config["main"], config["compare"]
PROPOSERS = LEARNED if config["proposals"]["representation"] == "auto" else [config["proposals"]["representation"]]
# what proposals may be made from: no label of either drug is in these distances
PROPOSERS = [crossfitted(name) if name in SUPERVISED else name for name in PROPOSERS]
URLS = {
    url_name(source, location): (location, checksum)
    for source in config.get("sources", {}).values()
    for location, checksum in zip(files_of(source), checksums_of(source))
    if "://" in location
}
# at least, without and with labels to learn from; claims about each MoA may take more (`nulls.enough`)
PERMUTATIONS = {"off": (0, 0), "quick": (999, 199), "full": (9999, 999)}[config["validation"]]
BATCHES, STABILITY_RUNS = {"off": (0, 0), "quick": (4, 5), "full": (20, 20)}[config["validation"]]


wildcard_constraints:
    representation="|".join(REPRESENTATIONS + ALL),
    batch=r"\d+",


def code(script):
    """Digest of a script and of the package's modules that it imports; as a parameter it makes changed code run again."""
    return digest(WORKFLOW / "scripts" / f"{script}.py", WORKFLOW)


def made_mb(files):
    """Size of those files that are there, in MB: Snakemake's own `size_mb` is unknown in a dry run, and inside a group."""
    return sum(os.path.getsize(file) for file in files if os.path.isfile(file)) / 1e6


def caption(name):
    """The caption of a figure or table, in Snakemake's report and in report.html."""
    return str(WORKFLOW / "report" / f"{name}.rst")


def grows(base, per_mb=0.0):
    """A resource that grows with the input's size and with every attempt."""
    return lambda wildcards, input, attempt: round(attempt * (base + per_mb * made_mb(input)))


def source_files(name):
    """Where the files of a source lie: local ones where they are, the others once they are fetched, or simulated."""
    if SIMULATED:
        return ["<results>/sources/simulated_profiles.parquet"]
    source = config["sources"][name]
    return [
        f"<results>/sources/{url_name(source, location)}" if "://" in location else location
        for location in files_of(source)
    ]


def profiles_source():
    """How the table of profiles is to be read, with one checksum for each of its files; nothing where it is simulated."""
    source = config.get("sources", {}).get("profiles")
    return source | {"checksum": checksums_of(source)} if source else {}


def local_files(*names):
    """What tells that a local file of these sources has been replaced; simulated and fetched ones are made by rules."""
    sources = config.get("sources", {})
    return states(file for name in names if name in sources for file in files_of(sources[name]))


def hub_files():
    """The Hub's two files, where MoAs are joined from them."""
    return {name: source_files(name)[0] for name in ("samples", "drugs") if name in config.get("sources", {})}


def reads(wildcards):
    """The table of profiles that a representation begins with."""
    return profiles_read(config["representations"][learned_as(wildcards.representation)], schema)


def learned_from(wildcards):
    """What a representation is learned from: profiles, the features in use and, where it learns from them, the wells."""
    chosen = config["representations"][learned_as(wildcards.representation)]
    files = {"profiles": reads(wildcards), "normalization": "normalization"}
    files |= {"wells": "wells"} if learns_from_wells(chosen, schema) else {}
    return {
        name: f"<results>/profiles/{file}.{'csv' if name == 'normalization' else 'parquet'}"
        for name, file in files.items()
    }


def of_every_representation(file):
    return [f"<results>/{name}/{file}" for name in REPRESENTATIONS]


def of_every_map(file):
    """As `of_every_representation`, with the maps of all compounds."""
    return of_every_representation(file) + [f"<results>/{name}/{file}" for name in ALL]


def index_of(wildcards):
    """The drugs of a map."""
    return f"<results>/{'all' if wildcards.representation in ALL else 'profiles'}/drugs.parquet"


def connection_files(representation):
    """All pairs of drugs: a file, or one for each block; the cross-fitted are made by one job."""
    if representation in CROSSFITTED or config["blocks"] == 1:
        return [f"<results>/{representation}/connections.parquet"]
    return [
        f"<results>/{representation}/connections.parquet/block_{block}.parquet" for block in range(config["blocks"])
    ]


def all_pairs(representation):
    """All pairs of drugs, where they are written."""
    written = config["connections"] == "all" or representation in CROSSFITTED
    return connection_files(representation) if written else []


def distribution_file(representation):
    """How often each distance occurs; the cross-fitted have all pairs instead."""
    return [] if representation in CROSSFITTED else [f"<results>/{representation}/distribution.npz"]


def distance_files(representation):
    """What the distances of a drug to all others are read from."""
    without = [f"<results>/{representation}/embedding.parquet", *distribution_file(representation)]
    return all_pairs(representation) or without


def square_files(representation):
    """What all distances are made from at once: the embedding, which is much smaller, where there is one."""
    embedded = [f"<results>/{representation}/embedding.parquet"]
    return connection_files(representation) if representation in CROSSFITTED else embedded


def wide(wildcards, input):
    """Threads for a job that uses as many as there are where the drugs are many."""
    return 16 if made_mb(input) > 30 else 1


def batches(representation):
    """Jobs that share the permutations: without labels to learn from one job is quick."""
    return BATCHES if representation in SUPERVISED else 1


def procedure(*options):
    """What `moamap.validation.procedure.procedure_of` takes besides the profiles, as far as a rule uses it."""
    chosen = {**config["enrichment"], "crossfit": config["crossfit"], "communities": config["communities"]}
    return lambda wildcards: {
        "representation": config["representations"][learned_as(wildcards.representation)],
        "policy": config["moa"],
        **{option: chosen[option] for option in options},
    }


def study_files():
    """Every file of the study: tables and maps of each representation, the supplement, validation, the figures."""
    each = ["neighbours.parquet", "communities.csv", "enrichment.csv", "community_features.csv", "csif_overlap.csv"]
    each += ["tsne.csv"] + ["query.csv"] * bool(config["query"])
    once = [
        "profiles/checked",
        "reproduction.csv",
        "provenance.json",
        "study.h5ad",
        "explorer.html",
        *PAGES,
        *(f"supplement/table_{table}" for table in SUPPLEMENT),
    ]
    once += [f"figures/{figure}.{ending}" for figure in FIGURES for ending in ("svg", "png")]
    once += ["reproduction/published_tables.csv"] * bool(config["published_tables"])
    once += ["truth.csv"] * SIMULATED
    if VALIDATED:
        once += [f"validation/{file}" for file in VALIDATION] + ["candidates.csv"]
        once += ["repurposing.csv"] * bool(config["query"])
    if config["reference"]:
        return [*placed_files(), *proposals_placed(), "<results>/provenance.json"]
    files = [f"{name}/{file}" for name in LEARNED for file in ("transform.npz", "embedding.parquet")]
    files += [f"{name}/{file}" for name in REPRESENTATIONS for file in each]
    files += [f"{name}/{file}" for name in ALL for file in ("tsne.csv", "enrichment.csv")]
    every_pair = [file for name in REPRESENTATIONS + ALL for file in all_pairs(name)]
    return [f"<results>/{file}" for file in files + once] + every_pair + placed_files() + proposals_placed()


def nothing_to_place(wildcards):
    raise WorkflowError("place: every compound is annotated, or `unannotated: drop` leaves the others out")


def placed_files():
    """The tables of compounds that are placed on the finished maps."""
    return [f"<results>/placed/{name}{end}" for name in LEARNED * PLACED for end in (".csv", "_neighbours.parquet")]


def proposals_placed():
    """The MoAs proposed for these compounds, where the study has been validated."""
    return ["<results>/placed/proposals.csv"] * PROPOSED_PLACED


def rule_graph():
    """Every step with those whose files it reads (and not only waits for, as its `others`), and its stage, as figure 2
    draws them. They come from the patterns of the files, since a job of a cluster sees only its own part of the DAG."""
    values = {"representation": REPRESENTATIONS, "batch": ["0"], "file": list(URLS)}
    steps = [step for step in workflow.rules if step.output and set(step.wildcard_names) <= set(values)]
    needs = {}
    for step in steps:
        cases = [dict(zip(step.wildcard_names, case)) for case in product(*map(values.get, step.wildcard_names))]
        given = [step.expand_input(Wildcards(fromdict=case))[0] for case in cases]
        read = {str(file) for files in given for file in Counter(files) - Counter(files.get("others", []))}
        needs[step.name] = sorted(other.name for other in steps if any(map(other.is_producer, read)))
    return {"needs": needs, "stages": {step.name: Path(step.snakefile).stem for step in steps}}
