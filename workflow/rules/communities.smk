# reads {representation}/connections.parquet, or neighbours.parquet and distribution.npz; writes communities.csv,
# communities.json, and what is said of the communities: enrichment.csv, community_features.csv, csif_overlap.csv


rule communities:
    input:
        index=index_of,
        connections=lambda wildcards: all_pairs(wildcards.representation),
        neighbours="<results>/{representation}/neighbours.parquet",
        distribution=lambda wildcards: distribution_file(wildcards.representation),
    output:
        communities="<results>/{representation}/communities.csv",
        notes="<results>/{representation}/communities.json",
    log:
        "<logs>/communities_{representation}.log",
    benchmark:
        "<benchmarks>/communities_{representation}.tsv"
    conda:
        "../../envs/science.yaml"
    threads: wide
    resources:
        mem_mb=grows(1000, 8),
        runtime=grows(10, 0.1),
    params:
        code=code("communities"),
        communities=config["communities"],
    script:
        "../scripts/communities.py"


# the tables below take a second each, so one job makes those of all representations
rule enrich:
    input:
        index="<results>/profiles/drugs.parquet",
        communities=of_every_map("communities.csv"),
        notes=of_every_representation("representation.json")
        + [f"<results>/{name}/representation.json" for name in LEARNED if ALL],
    output:
        of_every_map("enrichment.csv"),
    log:
        "<logs>/enrich.log",
    benchmark:
        "<benchmarks>/enrich.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 50),
        runtime=grows(3, 1),
    params:
        **config["enrichment"],
        code=code("enrich"),
        representations=REPRESENTATIONS + ALL,
        moa=config["moa"],
    script:
        "../scripts/enrich.py"


rule community_features:
    input:
        index="<results>/profiles/drugs.parquet",
        profiles="<results>/profiles/normalized.parquet",
        communities=of_every_representation("communities.csv"),
    output:
        ratios=of_every_representation("community_features.csv"),
        overlap=of_every_representation("csif_overlap.csv"),
    log:
        "<logs>/community_features.log",
    benchmark:
        "<benchmarks>/community_features.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 30),
        runtime=grows(3, 0.5),
    params:
        code=code("community_features"),
        csif_ratio=config["csif_ratio"],
    script:
        "../scripts/community_features.py"
