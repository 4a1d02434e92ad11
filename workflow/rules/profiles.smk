# reads local files and sources/; writes profiles/table.parquet, consensus.parquet, wells.parquet and wells.csv (where wells
# become drugs), annotated.parquet, drugs.parquet, unannotated.parquet, dropped.csv, checked, normalized.parquet,
# normalization.csv


rule read:
    input:
        source_files("profiles"),
    output:
        "<results>/profiles/table.parquet",
    log:
        "<logs>/read.log",
    benchmark:
        "<benchmarks>/read.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 30),
        runtime=grows(5, 0.02),
    params:
        code=code("read"),
        source=profiles_source(),
        files=local_files("profiles"),
        columns=config["columns"],
        wells=config["wells"],
    script:
        "../scripts/read.py"


rule wells:
    input:
        "<results>/profiles/table.parquet",
    output:
        consensus="<results>/profiles/consensus.parquet",
        wells="<results>/profiles/wells.parquet",
        steps="<results>/profiles/wells.csv",
    log:
        "<logs>/wells.log",
    benchmark:
        "<benchmarks>/wells.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 20),
        runtime=grows(5, 0.1),
    params:
        code=code("wells"),
        wells=config["wells"],
    script:
        "../scripts/wells.py"


rule annotate:
    input:
        **hub_files(),
        profiles=TABLE,
    output:
        **UNANNOTATED,
        annotated="<results>/profiles/annotated.parquet",
        index="<results>/profiles/drugs.parquet",
        dropped="<results>/profiles/dropped.csv",
    log:
        "<logs>/annotate.log",
    benchmark:
        "<benchmarks>/annotate.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 15),
        runtime=grows(5, 0.02),
    params:
        code=code("annotate"),
        moa=config["moa"],
        unannotated=config["unannotated"],
        files=local_files("samples", "drugs"),
        checksums={name: config["sources"][name]["checksum"] for name in hub_files()},
    script:
        "../scripts/annotate.py"


# whether the data hold what the config asks for: early, but nothing waits for it, so that another query reruns little
rule check:
    input:
        "<results>/profiles/drugs.parquet",
    output:
        touch("<results>/profiles/checked"),
    log:
        "<logs>/check.log",
    benchmark:
        "<benchmarks>/check.tsv"
    priority: 100
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500),
        runtime=grows(5),
    params:
        code=code("check"),
        moa=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
        query=config["query"],
    script:
        "../scripts/check.py"


rule normalize:
    input:
        "<results>/profiles/annotated.parquet",
    output:
        normalized="<results>/profiles/normalized.parquet",
        statistics="<results>/profiles/normalization.csv",
    log:
        "<logs>/normalize.log",
    benchmark:
        "<benchmarks>/normalize.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 15),
        runtime=grows(5, 0.02),
    params:
        code=code("normalize"),
        normalization=config["normalization"],
    script:
        "../scripts/normalize.py"
