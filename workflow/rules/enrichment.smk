# reads {representation}/communities.csv; writes enrichment.csv, community_features.csv, csif_overlap.csv


rule enrich:
    input:
        communities="results/{dataset}/{representation}/communities.csv",
        notes="results/{dataset}/{representation}/representation.json",
    output:
        "results/{dataset}/{representation}/enrichment.csv",
    log:
        "results/{dataset}/logs/enrich_{representation}.log",
    benchmark:
        "results/{dataset}/benchmarks/enrich_{representation}.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **config["enrichment"],
        moa=config["moa"],
    script:
        "../scripts/enrich.py"


rule community_features:
    input:
        profiles="results/{dataset}/profiles/normalized.parquet",
        communities="results/{dataset}/{representation}/communities.csv",
    output:
        ratios="results/{dataset}/{representation}/community_features.csv",
        overlap="results/{dataset}/{representation}/csif_overlap.csv",
    log:
        "results/{dataset}/logs/community_features_{representation}.log",
    benchmark:
        "results/{dataset}/benchmarks/community_features_{representation}.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        csif_ratio=config["csif_ratio"],
    script:
        "../scripts/community_features.py"
