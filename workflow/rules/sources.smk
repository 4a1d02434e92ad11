# reads URLs or local files, or a seed; writes results/{dataset}/sources/


rule fetch:
    input:
        lambda wildcards: [p for p in [SOURCES[wildcards.file]["location"]] if "://" not in p],
    output:
        "results/{dataset}/sources/{file}",
    log:
        "results/{dataset}/logs/fetch_{file}.log",
    benchmark:
        "results/{dataset}/benchmarks/fetch_{file}.tsv"
    wildcard_constraints:
        file="|".join(map(re.escape, SOURCES)) or "none",
    conda:
        "../../envs/sources.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=60,
    params:
        source=lambda wildcards: SOURCES[wildcards.file],
        cache=config["cache"],
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
