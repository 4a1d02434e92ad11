# reads {representation}/embedding.parquet; writes neighbours.parquet and connections.parquet (the nearest, and all,
# pairs of drugs), distribution.npz (how often each distance occurs), and tsne.csv, the map
BLOCKS = config["blocks"]
CONNECTIONS = "connections.parquet/block_{block}.parquet" if BLOCKS > 1 else "connections.parquet"


# with one block the neighbours are found by one job
rule tally:
    input:
        index=index_of,
        embedding="<results>/{representation}/embedding.parquet",
    output:
        temp("<results>/{representation}/tally_{block}.npz"),
    log:
        "<logs>/tally_{representation}_{block}.log",
    benchmark:
        "<benchmarks>/tally_{representation}_{block}.tsv"
    wildcard_constraints:
        representation="|".join(LEARNED + ALL),
    conda:
        "../../envs/science.yaml"
    threads: wide
    resources:
        mem_mb=grows(1000, 15),
        runtime=grows(10, 0.2),
    params:
        code=code("tally"),
        blocks=BLOCKS,
    script:
        "../scripts/tally.py"


rule neighbours:
    input:
        index=index_of,
        embedding="<results>/{representation}/embedding.parquet",
        tallies=[f"<results>/{{representation}}/tally_{block}.npz" for block in range(BLOCKS) if BLOCKS > 1],
    output:
        neighbours="<results>/{representation}/neighbours.parquet",
        distribution="<results>/{representation}/distribution.npz",
    log:
        "<logs>/neighbours_{representation}.log",
    benchmark:
        "<benchmarks>/neighbours_{representation}.tsv"
    wildcard_constraints:
        representation="|".join(LEARNED + ALL),
    conda:
        "../../envs/science.yaml"
    threads: wide
    resources:
        mem_mb=grows(1000, 15),
        runtime=grows(10, 0.2),
    params:
        code=code("neighbours"),
    script:
        "../scripts/neighbours.py"


rule connect:
    input:
        index=index_of,
        embedding="<results>/{representation}/embedding.parquet",
        distribution="<results>/{representation}/distribution.npz",
    output:
        f"<results>/{{representation}}/{CONNECTIONS}",
    log:
        f"<logs>/connect_{{representation}}{'_{block}' * (BLOCKS > 1)}.log",
    benchmark:
        f"<benchmarks>/connect_{{representation}}{'_{block}' * (BLOCKS > 1)}.tsv"
    wildcard_constraints:
        representation="|".join(LEARNED + ALL),
    conda:
        "../../envs/science.yaml"
    threads: wide
    resources:
        mem_mb=grows(1000, 15),
        runtime=grows(10, 0.2),
    params:
        code=code("connect"),
        blocks=BLOCKS,
    script:
        "../scripts/connect.py"


rule tsne:
    input:
        index=index_of,
        neighbours="<results>/{representation}/neighbours.parquet",
        embedding=lambda wildcards: [
            f"<results>/{name}/embedding.parquet" for name in LEARNED + ALL if name == wildcards.representation
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
        runtime=grows(5, 0.5),
    params:
        code=code("tsne"),
        tsne=config["tsne"],
    script:
        "../scripts/tsne.py"
