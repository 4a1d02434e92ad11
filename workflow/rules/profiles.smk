# reads results/{dataset}/sources/; writes profiles/annotated.parquet, dropped.csv, normalized.parquet, normalization.csv


rule annotate:
    input:
        **({name: source_file(name) for name in ("samples", "drugs")} if "drugs" in config.get("sources", {}) else {}),
        profiles=source_file("profiles"),
    output:
        annotated="results/{dataset}/profiles/annotated.parquet",
        dropped="results/{dataset}/profiles/dropped.csv",
    log:
        "results/{dataset}/logs/annotate.log",
    benchmark:
        "results/{dataset}/benchmarks/annotate.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        moa=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
        query=config["query"],
    script:
        "../scripts/annotate.py"


rule normalize:
    input:
        "results/{dataset}/profiles/annotated.parquet",
    output:
        normalized="results/{dataset}/profiles/normalized.parquet",
        statistics="results/{dataset}/profiles/normalization.csv",
    log:
        "results/{dataset}/logs/normalize.log",
    benchmark:
        "results/{dataset}/benchmarks/normalize.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        normalization=config["normalization"],
    script:
        "../scripts/normalize.py"
