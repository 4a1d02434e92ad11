# reads the tables of every representation; writes supplement/, reproduction.csv, provenance.json, study.h5ad
SUPPLEMENT = ["S1.csv.gz", "S2.csv.gz", "S3.csv.gz", "S4.csv", "S5.csv.gz", "1.csv"]


rule table_1:
    input:
        enrichment=of_every_representation("enrichment.csv"),
        communities=of_every_representation("communities.json"),
        notes=of_every_representation("representation.json"),
        published=PUBLISHED,
    output:
        "results/{dataset}/supplement/table_1.csv",
    log:
        "results/{dataset}/logs/table_1.log",
    benchmark:
        "results/{dataset}/benchmarks/table_1.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        representations=REPRESENTATIONS,
        published=config["published"],
    script:
        "../scripts/table_1.py"


rule supplement:
    input:
        annotated="results/{dataset}/profiles/annotated.parquet",
        enrichment=of_every_representation("enrichment.csv"),
        connections="results/{dataset}/itml/connections.parquet",
        communities="results/{dataset}/itml/communities.csv",
        ratios="results/{dataset}/itml/community_features.csv",
    output:
        s1="results/{dataset}/supplement/table_S1.csv.gz",
        s2="results/{dataset}/supplement/table_S2.csv.gz",
        s3="results/{dataset}/supplement/table_S3.csv.gz",
        s4="results/{dataset}/supplement/table_S4.csv",
        s5="results/{dataset}/supplement/table_S5.csv.gz",
    log:
        "results/{dataset}/logs/supplement.log",
    benchmark:
        "results/{dataset}/benchmarks/supplement.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        representations=REPRESENTATIONS,
    script:
        "../scripts/supplement.py"


rule reproduction:
    input:
        annotated="results/{dataset}/profiles/annotated.parquet",
        dropped="results/{dataset}/profiles/dropped.csv",
        table_1="results/{dataset}/supplement/table_1.csv",
        overlap="results/{dataset}/itml/csif_overlap.csv",
        communities="results/{dataset}/itml/communities.csv",
        published=PUBLISHED,
    output:
        "results/{dataset}/reproduction.csv",
    log:
        "results/{dataset}/logs/reproduction.log",
    benchmark:
        "results/{dataset}/benchmarks/reproduction.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        moa=config["moa"],
        query=config["query"],
    script:
        "../scripts/reproduction.py"


rule provenance:
    input:
        lambda wildcards: [file for name in config.get("sources", ["profiles"]) for file in source_files(name)],
    output:
        "results/{dataset}/provenance.json",
    log:
        "results/{dataset}/logs/provenance.log",
    benchmark:
        "results/{dataset}/benchmarks/provenance.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        config=config,
    script:
        "../scripts/provenance.py"


rule study_h5ad:
    input:
        normalized="results/{dataset}/profiles/normalized.parquet",
        annotated="results/{dataset}/profiles/annotated.parquet",
        communities=of_every_representation("communities.csv"),
        tsne=of_every_representation("tsne.csv"),
        embeddings=[f"results/{{dataset}}/{name}/embedding.parquet" for name in config["representations"]],
        provenance="results/{dataset}/provenance.json",
    output:
        "results/{dataset}/study.h5ad",
    log:
        "results/{dataset}/logs/study_h5ad.log",
    benchmark:
        "results/{dataset}/benchmarks/study_h5ad.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        representations=REPRESENTATIONS,
        embedded=list(config["representations"]),
    script:
        "../scripts/study_h5ad.py"
