# reads {representation}/embedding.parquet; writes connections.parquet, and tsne.csv, the map made from the distances


rule connect:
    input:
        index="<results>/profiles/drugs.parquet",
        embedding="<results>/{representation}/embedding.parquet",
    output:
        "<results>/{representation}/connections.parquet",
    log:
        "<logs>/connect_{representation}.log",
    benchmark:
        "<benchmarks>/connect_{representation}.tsv"
    wildcard_constraints:
        representation="|".join(LEARNED),
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 60),
        runtime=grows(10, 0.1),
    params:
        code=code("connect"),
    script:
        "../scripts/connect.py"


rule tsne:
    input:
        index="<results>/profiles/drugs.parquet",
        neighbours="<results>/{representation}/neighbours.parquet",
        embedding=lambda wildcards: [
            f"<results>/{name}/embedding.parquet" for name in LEARNED if name == wildcards.representation
        ],
    output:
        "<results>/{representation}/tsne.csv",
    log:
        "<logs>/tsne_{representation}.log",
    benchmark:
        "<benchmarks>/tsne_{representation}.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 15),
        runtime=grows(10, 0.5),
    params:
        code=code("tsne"),
        tsne=config["tsne"],
    script:
        "../scripts/tsne.py"
