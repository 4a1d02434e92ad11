# reads the tables of a run, and its DAG; writes figures/
FIGURE_INPUT = {
    "fig1": ["profiles/annotated.parquet", "profiles/normalized.parquet"],
    "fig2": ["figures/rulegraph.dot"],
    "fig3": ["raw/communities.csv", "raw/tsne.csv", "itml/tsne.csv"],
    "fig4": [f"{name}/{file}.csv" for name in ("raw", "itml", "pca") for file in ("tsne", "communities", "enrichment")],
    "validation_null": ["validation/null.csv"],
    "validation_retrieval": ["validation/retrieval.csv"],
    "validation_stability": ["validation/stability.csv"],
    "figS1": ["itml/connections.parquet", "itml/communities.csv"],
}


rule rulegraph:
    output:
        "results/{dataset}/figures/rulegraph.dot",
    log:
        "results/{dataset}/logs/rulegraph.log",
    benchmark:
        "results/{dataset}/benchmarks/rulegraph.tsv"
    localrule: True
    conda:
        "../../envs/snakemake.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        python=sys.executable,
        snakefile=workflow.main_snakefile,
        configfiles=lambda wildcards: [f"--configfile {path}" for path in workflow.overwrite_configfiles],
    shell:
        "{params.python} -m snakemake --snakefile {params.snakefile} {params.configfiles}"
        " --forceall --rulegraph dot > {output} 2> {log}"


rule figure:
    input:
        lambda wildcards: expand("results/{{dataset}}/{file}", file=FIGURE_INPUT[wildcards.figure]),
    output:
        svg="results/{dataset}/figures/{figure}.svg",
        png="results/{dataset}/figures/{figure}.png",
    log:
        "results/{dataset}/logs/figure_{figure}.log",
    benchmark:
        "results/{dataset}/benchmarks/figure_{figure}.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        moa=config["moa"],
        stages=lambda wildcards: {name: Path(rule.snakefile).stem for name, rule in workflow._rules.items()},
    script:
        "../scripts/figure.py"
