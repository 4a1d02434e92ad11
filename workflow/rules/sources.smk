# reads URLs, or a seed; writes sources/; inspect.txt from the table of profiles


rule fetch:
    output:
        "<results>/sources/{file}",
    log:
        "<logs>/fetch_{file}.log",
    benchmark:
        "<benchmarks>/fetch_{file}.tsv"
    wildcard_constraints:
        file="|".join(map(re.escape, URLS)) or "none",
    conda:
        "../../envs/sources.yaml"
    resources:
        mem_mb=grows(500),
        runtime=grows(30),
    params:
        code=code("fetch"),
        url=lambda wildcards: URLS[wildcards.file][0],
        checksum=lambda wildcards: URLS[wildcards.file][1],
        cache=config["cache"],
        offline=config["offline"],
    script:
        "../scripts/fetch.py"


SCREEN = config.get("simulation", {})


rule simulate:
    output:
        profiles="<results>/sources/simulated_profiles.parquet",
        truth="<results>/truth.csv",
    log:
        "<logs>/simulate.log",
    benchmark:
        "<benchmarks>/simulate.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000 + 24e-6 * SCREEN.get("n_drugs", 0) * SCREEN.get("n_features", 0)),
        runtime=grows(5),
    params:
        code=code("simulate"),
        simulation=config.get("simulation"),
    script:
        "../scripts/simulate.py"


rule inspection:
    input:
        **hub_files(),
        profiles=source_files("profiles"),
    output:
        "<results>/inspect.txt",
    log:
        "<logs>/inspection.log",
    benchmark:
        "<benchmarks>/inspection.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 30),
        runtime=grows(5, 0.02),
    params:
        code=code("inspection"),
        source=profiles_source(),
        files=local_files("profiles", "samples", "drugs"),
        columns=config["columns"],
        wells=config["wells"],
        moa=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
        query=config["query"],
        normalization=config["normalization"],
        config=config,  # for what it will cost
    script:
        "../scripts/inspection.py"
