# reads the tables of a run; writes what people read: supplement/, figures/, query.csv, repurposing.csv,
# reproduction.csv, reproduction/, provenance.json, study.h5ad, explorer.html, report.html, references.bib, run.html
PUBLISHED = str(WORKFLOW.parent / "resources/published.csv")
SUPPLEMENT = ["S1.csv.gz", "S2.csv.gz", "S3.csv.gz", "S4.csv", "S5.csv.gz", "1.csv"]
VALIDATION_FIGURES = ["null", "retrieval", "reliability", "stability"]
FIGURE_INPUT = {
    "fig1": ["profiles/annotated.parquet", "profiles/normalized.parquet"],
    "fig2": [],
    "fig3": ["profiles/drugs.parquet", *(f"{name}/tsne.csv" for name in COMPARED)],
    "fig4": [f"{name}/{file}.csv" for name in COMPARED for file in ("tsne", "communities", "enrichment")],
    "figS1": [
        "profiles/drugs.parquet",
        f"{MAIN}/communities.csv",
        *(file.removeprefix("<results>/") for file in distance_files(MAIN)),
    ],
}
if ALL:
    FIGURE_INPUT["all_compounds"] = ["all/drugs.parquet", *(f"all/{name}/tsne.csv" for name in COMPARED)]
if VALIDATED:
    FIGURE_INPUT |= {f"validation_{table}": [f"validation/{table}.csv"] for table in VALIDATION_FIGURES}
FIGURES = list(FIGURE_INPUT)
EXPLORER = ["page.html", "style.css", "data.js", "map.js", "search.js", "panels.js", "main.js"]
PAGES = ["report.html", "references.bib", "run.html"]
ON_PAGE = ["verdict.json", "null_by_moa.csv", "stability_by_drug.csv", "retrieval.csv"]  # of the validation


rule table_1:
    input:
        enrichment=of_every_representation("enrichment.csv"),
        communities=of_every_representation("communities.json"),
        notes=of_every_representation("representation.json"),
        published=PUBLISHED,
    output:
        report("<results>/supplement/table_1.csv", caption=caption("table_1"), category="Tables"),
    log:
        "<logs>/table_1.log",
    benchmark:
        "<benchmarks>/table_1.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 20),
        runtime=grows(3),
    params:
        code=code("table_1"),
        representations=REPRESENTATIONS,
        published=config["published"],
    script:
        "../scripts/table_1.py"


rule supplement:
    input:
        annotated="<results>/profiles/annotated.parquet",
        enrichment=of_every_representation("enrichment.csv"),
        connections=connection_files(MAIN) if config["connections"] == "all" else [],
        neighbours=f"<results>/{MAIN}/neighbours.parquet",
        communities=f"<results>/{MAIN}/communities.csv",
        ratios=f"<results>/{MAIN}/community_features.csv",
    output:
        s1="<results>/supplement/table_S1.csv.gz",
        s2="<results>/supplement/table_S2.csv.gz",
        s3="<results>/supplement/table_S3.csv.gz",
        s4=report("<results>/supplement/table_S4.csv", caption=caption("communities"), category="Tables"),
        s5="<results>/supplement/table_S5.csv.gz",
    log:
        "<logs>/supplement.log",
    benchmark:
        "<benchmarks>/supplement.tsv"
    conda:
        "../../envs/science.yaml"
    threads: wide
    resources:
        mem_mb=grows(1000, 60),
        runtime=grows(3, 0.5),
    params:
        code=code("supplement"),
        representations=REPRESENTATIONS,
        main=MAIN,
    script:
        "../scripts/supplement.py"


rule query:
    input:
        **{f"distances_{name}": distance_files(name) for name in REPRESENTATIONS},
        index="<results>/profiles/drugs.parquet",
        communities=of_every_representation("communities.csv"),
    output:
        of_every_representation("query.csv"),
    log:
        "<logs>/query.log",
    benchmark:
        "<benchmarks>/query.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 30),
        runtime=grows(3, 0.2),
    params:
        code=code("query"),
        representations=REPRESENTATIONS,
        query=config["query"],
        neighbours=config["neighbours"],
    script:
        "../scripts/query.py"


rule repurposing:
    input:
        index="<results>/profiles/drugs.parquet",
        hub=[file for name, file in hub_files().items() if name == "drugs"],
        runs=[f"<results>/validation/stability/{name}.npz" for name in REPRESENTATIONS],
        communities=of_every_representation("communities.csv"),
    output:
        report("<results>/repurposing.csv", caption=caption("repurposing"), category="Tables"),
    log:
        "<logs>/repurposing.log",
    benchmark:
        "<benchmarks>/repurposing.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 100),
        runtime=grows(3),
    params:
        code=code("repurposing"),
        representations=REPRESENTATIONS,
        query=config["query"],
    script:
        "../scripts/repurposing.py"


rule reproduction:
    input:
        annotated="<results>/profiles/annotated.parquet",
        normalized="<results>/profiles/normalized.parquet",
        dropped="<results>/profiles/dropped.csv",
        extrapolated=["<results>/reproduction/own/extrapolated.csv"] * (config["published"] and not SIMULATED),
        table_1="<results>/supplement/table_1.csv",
        overlap=f"<results>/{MAIN}/csif_overlap.csv",
        communities=f"<results>/{MAIN}/communities.csv",
        published=PUBLISHED,
    output:
        report("<results>/reproduction.csv", caption=caption("reproduction"), category="Tables"),
    log:
        "<logs>/reproduction.log",
    benchmark:
        "<benchmarks>/reproduction.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 15),
        runtime=grows(3),
    params:
        code=code("reproduction"),
        moa=config["moa"],
        query=config["query"],
    script:
        "../scripts/reproduction.py"


rule published_tables:
    input:
        published=[table["location"] for table in config["published_tables"].values()],
        index="<results>/profiles/drugs.parquet",
        communities=f"<results>/{MAIN}/communities.csv",
        enrichment=of_every_representation("enrichment.csv"),
    output:
        "<results>/reproduction/published_tables.csv",
    log:
        "<logs>/published_tables.log",
    benchmark:
        "<benchmarks>/published_tables.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 20),
        runtime=grows(3),
    params:
        code=code("published_tables"),
        tables=config["published_tables"],
        representations=REPRESENTATIONS,
        main=MAIN,
        moa=config["moa"],
        alpha=config["enrichment"]["alpha"],
    script:
        "../scripts/published_tables.py"


rule provenance:
    input:
        [file for name in config.get("sources", ["profiles"]) for file in source_files(name)],
        [table["location"] for table in config["published_tables"].values()],
        [f"{MAP}/provenance.json"] * bool(config["reference"]),
    output:
        "<results>/provenance.json",
    log:
        "<logs>/provenance.log",
    benchmark:
        "<benchmarks>/provenance.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500),
        runtime=grows(5, 0.01),
    params:
        code=code("provenance"),
        package=digest(WORKFLOW / "moamap", WORKFLOW),
        files=local_files("profiles", "samples", "drugs"),
        config=config,
    script:
        "../scripts/provenance.py"


rule study_h5ad:
    input:
        index="<results>/profiles/drugs.parquet",
        normalized="<results>/profiles/normalized.parquet",
        annotated="<results>/profiles/annotated.parquet",
        communities=of_every_representation("communities.csv"),
        tsne=of_every_representation("tsne.csv"),
        embeddings=[f"<results>/{name}/embedding.parquet" for name in LEARNED],
        provenance="<results>/provenance.json",
    output:
        "<results>/study.h5ad",
    log:
        "<logs>/study_h5ad.log",
    benchmark:
        "<benchmarks>/study_h5ad.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 30),
        runtime=grows(3, 0.1),
    params:
        code=code("study_h5ad"),
        representations=REPRESENTATIONS,
        embedded=LEARNED,
    script:
        "../scripts/study_h5ad.py"


# one job: most of a figure's second is the import of the plotting libraries
rule figures:
    input:
        **{figure: [f"<results>/{file}" for file in files] for figure, files in FIGURE_INPUT.items()},
    output:
        **{
            figure: [
                report(f"<results>/figures/{figure}.svg", caption=caption(figure), category="Figures"),
                f"<results>/figures/{figure}.png",
            ]
            for figure in FIGURES
        },
    log:
        "<logs>/figures.log",
    benchmark:
        "<benchmarks>/figures.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=grows(1000, 60),
        runtime=grows(3, 0.5),
    params:
        code=code("figures"),
        figures=FIGURES,
        moa=config["moa"],
        main=MAIN,
        compared=COMPARED,
        graph=lambda wildcards: rule_graph(),
    script:
        "../scripts/figures.py"


rule explorer:
    input:
        index="<results>/profiles/drugs.parquet",
        normalized="<results>/profiles/normalized.parquet",
        tsne=of_every_map("tsne.csv"),
        communities=of_every_map("communities.csv"),
        neighbours=of_every_map("neighbours.parquet"),
        enrichment=of_every_map("enrichment.csv"),
        features=of_every_representation("community_features.csv"),
        embeddings=[f"<results>/{name}/embedding.parquet" for name in LEARNED + ALL],
        all=["<results>/all/drugs.parquet"] * bool(ALL),
        placed=[f"<results>/placed/{name}.csv" for name in LEARNED * PLACED],
        near_placed=[f"<results>/placed/{name}_neighbours.parquet" for name in LEARNED * PLACED],
        unannotated=list(UNANNOTATED.values()),
        normalization=["<results>/profiles/normalization.csv"] * bool(UNANNOTATED),
        null=["<results>/validation/null.csv"] * VALIDATED,
        null_by_moa=["<results>/validation/null_by_moa.csv"] * VALIDATED,
        stability=["<results>/validation/stability.csv"] * VALIDATED,
        by_drug=["<results>/validation/stability_by_drug.csv"] * VALIDATED,
        candidates=["<results>/candidates.csv"] * VALIDATED,
        activity=[],
        parts=[str(WORKFLOW / "report/explorer" / part) for part in EXPLORER],
    output:
        "<results>/explorer.html",
    log:
        "<logs>/explorer.log",
    benchmark:
        "<benchmarks>/explorer.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=grows(1000, 40),
        runtime=grows(3, 1),
    params:
        code=code("explorer"),
        maps=REPRESENTATIONS + ALL,
        learned=LEARNED,
        main=MAIN,
        policy=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
        links=config["links"],
    script:
        "../scripts/explorer.py"


# the last job: it reads the run times of all others
rule page:
    input:
        templates=sorted(map(str, (WORKFLOW / "report/page").iterdir())),
        captions=sorted(map(str, (WORKFLOW / "report").glob("*.rst"))),
        provenance="<results>/provenance.json",
        index="<results>/profiles/drugs.parquet",
        dropped="<results>/profiles/dropped.csv",
        wells=["<results>/profiles/wells.csv"] * bool(config["wells"]),
        communities=f"<results>/{MAIN}/communities.json",
        ratios=f"<results>/{MAIN}/community_features.csv",
        table_1="<results>/supplement/table_1.csv",
        reproduction="<results>/reproduction.csv",
        queries=of_every_representation("query.csv") if config["query"] else [],
        repurposing=["<results>/repurposing.csv"] * bool(VALIDATED and config["query"]),
        validation=[*(f"<results>/validation/{file}" for file in ON_PAGE), "<results>/candidates.csv"] * VALIDATED,
        figures=[f"<results>/figures/{figure}.{ending}" for figure in FIGURES for ending in ("svg", "png")],
        others=[file for file in study_files() if not file.endswith(tuple(PAGES))],
    output:
        report=report("<results>/report.html", caption=caption("workflow"), category="Report"),
        references="<results>/references.bib",
        run="<results>/run.html",
    log:
        "<logs>/page.log",
    benchmark:
        "<benchmarks>/page.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=grows(1000),
        runtime=grows(3),
    params:
        code=code("page"),
        dataset=config["dataset"],
        moa=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
        main=MAIN,
        honest=crossfitted(MAIN) if MAIN in SUPERVISED else MAIN,  # no label of either drug is in it
        files=[file.removeprefix("<results>/") for file in study_files()],
    script:
        "../scripts/page.py"
