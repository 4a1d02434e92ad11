# reads {representation}/embedding.parquet; writes connections.parquet and the map made from the distances


rule connect:
    input:
        "results/{dataset}/{representation}/embedding.parquet",
    output:
        "results/{dataset}/{representation}/connections.parquet",
    log:
        "results/{dataset}/logs/connect_{representation}.log",
    benchmark:
        "results/{dataset}/benchmarks/connect_{representation}.tsv"
    wildcard_constraints:
        representation="|".join(config["representations"]),
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../scripts/connect.py"


rule tsne:
    input:
        drugs="results/{dataset}/profiles/normalized.parquet",
        connections="results/{dataset}/{representation}/connections.parquet",
    output:
        "results/{dataset}/{representation}/tsne.csv",
    log:
        "results/{dataset}/logs/tsne_{representation}.log",
    benchmark:
        "results/{dataset}/benchmarks/tsne_{representation}.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        tsne=config["tsne"],
    script:
        "../scripts/tsne.py"
