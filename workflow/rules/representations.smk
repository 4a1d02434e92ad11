# reads profiles/normalized.parquet or annotated.parquet, normalization.csv and, for some, wells.parquet; writes
# {representation}/transform.npz, embedding.parquet, representation.json, and all/, the drugs and embeddings of all
# compounds, where those without a MoA are clustered with the others


rule represent:
    input:
        unpack(learned_from),
    output:
        transform="<results>/{representation}/transform.npz",
        embedding="<results>/{representation}/embedding.parquet",
        notes="<results>/{representation}/representation.json",
    log:
        "<logs>/represent_{representation}.log",
    benchmark:
        "<benchmarks>/represent_{representation}.tsv"
    wildcard_constraints:
        representation="|".join(LEARNED),
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 40),
        runtime=grows(10, 0.5),
    params:
        code=code("represent"),
        moa=config["moa"],
        reads=reads,
        representation=lambda wildcards: config["representations"][wildcards.representation],
    script:
        "../scripts/represent.py"


rule embed:
    input:
        **UNANNOTATED,
        index="<results>/profiles/drugs.parquet",
        normalization="<results>/profiles/normalization.csv",
        transforms=[f"<results>/{name}/transform.npz" for name in LEARNED],
        embeddings=[f"<results>/{name}/embedding.parquet" for name in LEARNED],
    output:
        index="<results>/all/drugs.parquet",
        embeddings=[f"<results>/all/{name}/embedding.parquet" for name in LEARNED],
    log:
        "<logs>/embed.log",
    benchmark:
        "<benchmarks>/embed.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 15),
        runtime=grows(5, 0.1),
    params:
        code=code("embed"),
    script:
        "../scripts/embed.py"
