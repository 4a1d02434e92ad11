# reads local files and results/{dataset}/sources/; writes profiles/table.parquet, drugs.parquet, wells.csv (where wells
# become drugs), annotated.parquet, dropped.csv, normalized.parquet, normalization.csv


rule read:
    input:
        lambda wildcards: source_files("profiles"),
    output:
        "results/{dataset}/profiles/table.parquet",
    log:
        "results/{dataset}/logs/read.log",
    benchmark:
        "results/{dataset}/benchmarks/read.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        source=config.get("sources", {}).get("profiles", {}),
        columns=config["columns"],
        wells=config["wells"],
    script:
        "../scripts/read.py"


rule wells:
    input:
        "results/{dataset}/profiles/table.parquet",
    output:
        drugs="results/{dataset}/profiles/drugs.parquet",
        steps="results/{dataset}/profiles/wells.csv",
    log:
        "results/{dataset}/logs/wells.log",
    benchmark:
        "results/{dataset}/benchmarks/wells.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        wells=config["wells"],
    script:
        "../scripts/wells.py"


rule annotate:
    input:
        **hub_files(),
        profiles=f"results/{{dataset}}/profiles/{'drugs' if config['wells'] else 'table'}.parquet",
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
        sources=config.get("sources", {}),
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
