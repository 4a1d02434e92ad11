# reads URLs, or a seed; writes results/{dataset}/sources/; inspect.txt from the table of profiles


rule fetch:
    output:
        "results/{dataset}/sources/{file}",
    log:
        "results/{dataset}/logs/fetch_{file}.log",
    benchmark:
        "results/{dataset}/benchmarks/fetch_{file}.tsv"
    wildcard_constraints:
        file="|".join(map(re.escape, URLS)) or "none",
    conda:
        "../../envs/sources.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=60,
    params:
        url=lambda wildcards: URLS[wildcards.file][0],
        source=lambda wildcards: URLS[wildcards.file][1],
        cache=config["cache"],
        offline=config["offline"],
    script:
        "../scripts/fetch.py"


rule simulate:
    output:
        profiles="results/{dataset}/sources/simulated_profiles.parquet",
        truth="results/{dataset}/truth.csv",
    log:
        "results/{dataset}/logs/simulate.log",
    benchmark:
        "results/{dataset}/benchmarks/simulate.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        simulation=config.get("simulation"),
    script:
        "../scripts/simulate.py"


rule inspection:
    input:
        **hub_files(),
        profiles=lambda wildcards: source_files("profiles"),
    output:
        "results/{dataset}/inspect.txt",
    log:
        "results/{dataset}/logs/inspection.log",
    benchmark:
        "results/{dataset}/benchmarks/inspection.tsv"
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
        moa=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
        query=config["query"],
        bad_features=config["normalization"]["bad_features"],
    script:
        "../scripts/inspection.py"
