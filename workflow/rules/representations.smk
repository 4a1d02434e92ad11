# reads profiles/normalized.parquet; writes {representation}/transform.npz, embedding.parquet, representation.json


rule represent:
    input:
        "results/{dataset}/profiles/normalized.parquet",
    output:
        transform="results/{dataset}/{representation}/transform.npz",
        embedding="results/{dataset}/{representation}/embedding.parquet",
        notes="results/{dataset}/{representation}/representation.json",
    log:
        "results/{dataset}/logs/represent_{representation}.log",
    benchmark:
        "results/{dataset}/benchmarks/represent_{representation}.tsv"
    wildcard_constraints:
        representation="|".join(config["representations"]),
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        moa=config["moa"],
        representation=lambda wildcards: config["representations"][wildcards.representation],
    script:
        "../scripts/represent.py"
