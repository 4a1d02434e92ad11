# reads a finished map (its normalization, transform, embedding, communities, t-SNE map), and the compounds that it was not
# made from: the study's own without a MoA, or those of a new table, where `reference` names the map; writes placed/


rule placing:
    input:
        index=f"{MAP}/profiles/drugs.parquet",
        normalization=f"{MAP}/profiles/normalization.csv",
        transforms=[f"{MAP}/{name}/transform.npz" for name in LEARNED],
        embeddings=[f"{MAP}/{name}/embedding.parquet" for name in LEARNED],
        communities=[f"{MAP}/{name}/communities.csv" for name in LEARNED],
        maps=[f"{MAP}/{name}/tsne.csv" for name in LEARNED],
        compounds=(TABLE if config["reference"] else UNANNOTATED["unannotated"]),
    output:
        placed=[f"<results>/placed/{name}.csv" for name in LEARNED],
        neighbours=[f"<results>/placed/{name}_neighbours.parquet" for name in LEARNED],
    log:
        "<logs>/placing.log",
    benchmark:
        "<benchmarks>/placing.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 15),
        runtime=grows(3, 0.1),
    params:
        code=code("placing"),
        neighbours=config["neighbours"],
        simulated=SIMULATED or bool(config["reference"]) and is_simulated(config["reference"]),
    script:
        "../scripts/placing.py"


# apart from placing, which needs no validated study
rule propose_placed:
    input:
        fitted=FITTED,
        index=f"{MAP}/profiles/drugs.parquet",
        normalization=f"{MAP}/profiles/normalization.csv",
        transforms=[f"{MAP}/{name}/transform.npz" for name in LEARNED],
        embeddings=[f"{MAP}/{name}/embedding.parquet" for name in LEARNED],
        compounds=(TABLE if config["reference"] else UNANNOTATED["unannotated"]),
    output:
        "<results>/placed/proposals.csv",
    log:
        "<logs>/propose_placed.log",
    benchmark:
        "<benchmarks>/propose_placed.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 100),
        runtime=grows(3, 1),
    params:
        code=code("propose_placed"),
        representations=LEARNED,
        simulated=SIMULATED or bool(config["reference"]) and is_simulated(config["reference"]),
    script:
        "../scripts/propose_placed.py"
