# reads profiles/normalized.parquet; writes {representation}/transform.npz, embedding.parquet, representation.json


rule represent:
    input:
        "<results>/profiles/normalized.parquet",
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
        runtime=grows(15, 0.5),
    params:
        code=code("represent"),
        moa=config["moa"],
        representation=lambda wildcards: config["representations"][wildcards.representation],
    script:
        "../scripts/represent.py"
