# reads what each representation is learned from, profiles/annotated.parquet and the tables of every representation;
# writes {representation}_crossfit/ and validation/, and candidates.csv
VALIDATION = ["null.csv", "null_by_moa.csv", "retrieval.csv", "retrieval_by_moa.csv", "comparisons.csv"]
VALIDATION += ["stability.csv", "stability_by_drug.csv", "table_1_calibrated.csv", "verdict.json", "verdict.md"]
VALIDATION += ["proposals.csv", "proposals.json", "reliability.csv"]
VALIDATION += ["power.csv"] * SIMULATED  # where the truth is known


rule crossfit:
    input:
        unpack(learned_from),
    output:
        connections="<results>/{representation}/connections.parquet",
        neighbours="<results>/{representation}/neighbours.parquet",
        folds="<results>/{representation}/folds.csv",
        notes="<results>/{representation}/representation.json",
    log:
        "<logs>/crossfit_{representation}.log",
    benchmark:
        "<benchmarks>/crossfit_{representation}.tsv"
    wildcard_constraints:
        representation="|".join(CROSSFITTED) or "none",
    priority: 10  # long jobs first, so that none is left alone at the end
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 100),
        runtime=grows(15, 2),
    params:
        code=code("crossfit"),
        procedure=procedure("crossfit"),
    script:
        "../scripts/crossfit.py"


rule permute:
    input:
        unpack(learned_from),
        annotated="<results>/profiles/annotated.parquet",
    output:
        "<results>/validation/permutations/{representation}_{batch}.npz",
    log:
        "<logs>/permute_{representation}_{batch}.log",
    benchmark:
        "<benchmarks>/permute_{representation}_{batch}.tsv"
    wildcard_constraints:
        representation="|".join(LEARNED),
    priority: 10  # long jobs first, so that none is left alone at the end
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 50),
        runtime=grows(15, 2.5),
    params:
        code=code("permute"),
        procedure=procedure("crossfit", "communities", "min_drugs", "alpha"),
        least=lambda wildcards: PERMUTATIONS[wildcards.representation in SUPERVISED],
        by_moa=lambda wildcards: config["validation"] == "full" or wildcards.representation not in SUPERVISED,
        batches=lambda wildcards: batches(wildcards.representation),
    script:
        "../scripts/permute.py"


rule nulls:
    input:
        **({"truth": "<results>/truth.csv"} if SIMULATED else {}),
        permutations=[
            f"<results>/validation/permutations/{name}_{batch}.npz"
            for name in LEARNED
            for batch in range(batches(name))
        ],
        enrichment=of_every_representation("enrichment.csv"),
        table_1="<results>/supplement/table_1.csv",
        index="<results>/profiles/drugs.parquet",
    output:
        **({"power": "<results>/validation/power.csv"} if SIMULATED else {}),
        null="<results>/validation/null.csv",
        null_by_moa="<results>/validation/null_by_moa.csv",
        retrieval="<results>/validation/retrieval.csv",
        retrieval_by_moa="<results>/validation/retrieval_by_moa.csv",
        comparisons="<results>/validation/comparisons.csv",
        calibrated="<results>/validation/table_1_calibrated.csv",
    log:
        "<logs>/nulls.log",
    benchmark:
        "<benchmarks>/nulls.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 20),
        runtime=grows(3),
    params:
        code=code("nulls"),
        representations=REPRESENTATIONS,
        moa=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
    script:
        "../scripts/nulls.py"


rule perturb:
    input:
        unpack(learned_from),
    output:
        "<results>/validation/stability/{representation}.npz",
    log:
        "<logs>/perturb_{representation}.log",
    benchmark:
        "<benchmarks>/perturb_{representation}.tsv"
    priority: 10  # long jobs first, so that none is left alone at the end
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 100),
        runtime=grows(15, 4),
    params:
        code=code("perturb"),
        procedure=procedure("crossfit", "communities", "min_drugs"),
        crossfitted=lambda wildcards: wildcards.representation in CROSSFITTED,
        runs=STABILITY_RUNS,
    script:
        "../scripts/perturb.py"


rule stability:
    input:
        index="<results>/profiles/drugs.parquet",
        runs=[f"<results>/validation/stability/{name}.npz" for name in REPRESENTATIONS],
        communities=of_every_representation("communities.csv"),
    output:
        summary="<results>/validation/stability.csv",
        by_drug="<results>/validation/stability_by_drug.csv",
    log:
        "<logs>/stability.log",
    benchmark:
        "<benchmarks>/stability.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 100),
        runtime=grows(3),
    params:
        code=code("stability"),
        representations=REPRESENTATIONS,
        query=config["query"],
    script:
        "../scripts/stability.py"


rule proposals:
    input:
        **{f"distances_{name}": square_files(name) for name in PROPOSERS},
        index="<results>/profiles/drugs.parquet",
    output:
        table="<results>/validation/proposals.csv",
        reliability="<results>/validation/reliability.csv",
        fitted="<results>/validation/proposals.json",
    log:
        "<logs>/proposals.log",
    benchmark:
        "<benchmarks>/proposals.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 100),
        runtime=grows(15, 1),
    params:
        code=code("proposals"),
        representations=PROPOSERS,
        moa=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
        none_prior=config["proposals"]["none_prior"],
        seed=config["crossfit"]["seed"],
        runs=STABILITY_RUNS,
    script:
        "../scripts/proposals.py"


rule candidates:
    input:
        **{f"distances_{name}": distance_files(name) for name in PROPOSERS},
        **{f"runs_{name}": f"<results>/validation/stability/{name}.npz" for name in PROPOSERS},
        index="<results>/profiles/drugs.parquet",
        fitted="<results>/validation/proposals.json",
        table="<results>/validation/proposals.csv",
        placed=[] if config["reference"] else proposals_placed(),
        hub=[file for name, file in hub_files().items() if name == "drugs"],
    output:
        report("<results>/candidates.csv", caption=caption("candidates"), category="Tables"),
    log:
        "<logs>/candidates.log",
    benchmark:
        "<benchmarks>/candidates.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500, 100),
        runtime=grows(3),
    params:
        code=code("candidates"),
        moa=config["moa"],
        query=config["query"],
        neighbours=config["neighbours"],
    script:
        "../scripts/candidates.py"


rule verdict:
    input:
        null="<results>/validation/null.csv",
        null_by_moa="<results>/validation/null_by_moa.csv",
        retrieval="<results>/validation/retrieval.csv",
        retrieval_by_moa="<results>/validation/retrieval_by_moa.csv",
        comparisons="<results>/validation/comparisons.csv",
        stability="<results>/validation/stability.csv",
        candidates="<results>/candidates.csv",
        reliability="<results>/validation/reliability.csv",
        fitted="<results>/validation/proposals.json",
        notes=[f"<results>/{name}/representation.json" for name in CROSSFITTED],
        folds=[f"<results>/{name}/folds.csv" for name in CROSSFITTED],
        communities=[f"<results>/{name}/communities.csv" for name in CROSSFITTED],
    output:
        numbers="<results>/validation/verdict.json",
        prose=report("<results>/validation/verdict.md", caption=caption("verdict"), category="Report"),
    log:
        "<logs>/verdict.log",
    benchmark:
        "<benchmarks>/verdict.tsv"
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(500),
        runtime=grows(3),
    params:
        code=code("verdict"),
        dataset=config["dataset"],
        crossfitted=CROSSFITTED,
        query=config["query"],
    script:
        "../scripts/verdict.py"
