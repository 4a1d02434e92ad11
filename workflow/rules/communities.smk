# reads {representation}/connections.parquet; writes communities.csv, communities.json, query.csv


rule communities:
    input:
        drugs="results/{dataset}/profiles/normalized.parquet",
        connections="results/{dataset}/{representation}/connections.parquet",
    output:
        communities="results/{dataset}/{representation}/communities.csv",
        notes="results/{dataset}/{representation}/communities.json",
    log:
        "results/{dataset}/logs/communities_{representation}.log",
    benchmark:
        "results/{dataset}/benchmarks/communities_{representation}.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        communities=config["communities"],
    script:
        "../scripts/communities.py"


rule query:
    input:
        communities="results/{dataset}/{representation}/communities.csv",
        connections="results/{dataset}/{representation}/connections.parquet",
    output:
        "results/{dataset}/{representation}/query.csv",
    log:
        "results/{dataset}/logs/query_{representation}.log",
    benchmark:
        "results/{dataset}/benchmarks/query_{representation}.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        query=config["query"],
        neighbours=config["neighbours"],
    script:
        "../scripts/query.py"
