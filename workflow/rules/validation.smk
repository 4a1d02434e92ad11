# reads profiles/normalized.parquet and the tables of every representation; writes {representation}_crossfit/, validation/, candidates.csv


rule crossfit:
    input:
        "results/{dataset}/profiles/normalized.parquet",
    output:
        connections="results/{dataset}/{representation}/connections.parquet",
        folds="results/{dataset}/{representation}/folds.csv",
        notes="results/{dataset}/{representation}/representation.json",
    log:
        "results/{dataset}/logs/crossfit_{representation}.log",
    benchmark:
        "results/{dataset}/benchmarks/crossfit_{representation}.tsv"
    wildcard_constraints:
        representation="|".join(CROSSFITTED) or "none",
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        procedure=procedure,
    script:
        "../scripts/crossfit.py"


rule permute:
    input:
        "results/{dataset}/profiles/normalized.parquet",
    output:
        "results/{dataset}/validation/permutations/{representation}_{batch}.npz",
    log:
        "results/{dataset}/logs/permute_{representation}_{batch}.log",
    benchmark:
        "results/{dataset}/benchmarks/permute_{representation}_{batch}.tsv"
    wildcard_constraints:
        representation="|".join(config["representations"]),
        batch=r"\d+",
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        procedure=procedure,
        numbers=lambda wildcards: list(range(PERMUTATIONS + 1))[
            int(wildcards.batch) :: batches(wildcards.representation)
        ],
    script:
        "../scripts/permute.py"


rule nulls:
    input:
        permutations=[
            f"results/{{dataset}}/validation/permutations/{name}_{batch}.npz"
            for name in config["representations"]
            for batch in range(batches(name))
        ],
        enrichment=of_every_representation("enrichment.csv"),
        table_1="results/{dataset}/supplement/table_1.csv",
        profiles="results/{dataset}/profiles/normalized.parquet",
    output:
        null="results/{dataset}/validation/null.csv",
        null_by_moa="results/{dataset}/validation/null_by_moa.csv",
        retrieval="results/{dataset}/validation/retrieval.csv",
        retrieval_by_moa="results/{dataset}/validation/retrieval_by_moa.csv",
        calibrated="results/{dataset}/validation/table_1_calibrated.csv",
    log:
        "results/{dataset}/logs/nulls.log",
    benchmark:
        "results/{dataset}/benchmarks/nulls.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        representations=REPRESENTATIONS,
        moa=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
    script:
        "../scripts/nulls.py"


rule perturb:
    input:
        profiles="results/{dataset}/profiles/normalized.parquet",
        communities="results/{dataset}/{representation}/communities.csv",
    output:
        "results/{dataset}/validation/stability/{representation}.npz",
    log:
        "results/{dataset}/logs/perturb_{representation}.log",
    benchmark:
        "results/{dataset}/benchmarks/perturb_{representation}.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        procedure=procedure,
        crossfitted=lambda wildcards: wildcards.representation in CROSSFITTED,
        runs=STABILITY_RUNS,
    script:
        "../scripts/perturb.py"


rule stability:
    input:
        runs=expand("results/{{dataset}}/validation/stability/{representation}.npz", representation=REPRESENTATIONS),
        communities=of_every_representation("communities.csv"),
    output:
        summary="results/{dataset}/validation/stability.csv",
        by_drug="results/{dataset}/validation/stability_by_drug.csv",
    log:
        "results/{dataset}/logs/stability.log",
    benchmark:
        "results/{dataset}/benchmarks/stability.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        representations=REPRESENTATIONS,
        query=config["query"],
    script:
        "../scripts/stability.py"


rule candidates:
    input:
        communities="results/{dataset}/itml_crossfit/communities.csv",
        connections="results/{dataset}/itml_crossfit/connections.parquet",
        runs="results/{dataset}/validation/stability/itml_crossfit.npz",
    output:
        "results/{dataset}/candidates.csv",
    log:
        "results/{dataset}/logs/candidates.log",
    benchmark:
        "results/{dataset}/benchmarks/candidates.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        moa=config["moa"],
        min_drugs=config["enrichment"]["min_drugs"],
        query=config["query"],
        neighbours=config["neighbours"],
    script:
        "../scripts/candidates.py"


rule power:
    input:
        truth="results/{dataset}/truth.csv",
        null_by_moa="results/{dataset}/validation/null_by_moa.csv",
        retrieval_by_moa="results/{dataset}/validation/retrieval_by_moa.csv",
    output:
        "results/{dataset}/validation/power.csv",
    log:
        "results/{dataset}/logs/power.log",
    benchmark:
        "results/{dataset}/benchmarks/power.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    script:
        "../scripts/power.py"


rule verdict:
    input:
        null="results/{dataset}/validation/null.csv",
        null_by_moa="results/{dataset}/validation/null_by_moa.csv",
        retrieval="results/{dataset}/validation/retrieval.csv",
        retrieval_by_moa="results/{dataset}/validation/retrieval_by_moa.csv",
        stability="results/{dataset}/validation/stability.csv",
        candidates="results/{dataset}/candidates.csv",
        folds=expand("results/{{dataset}}/{representation}/folds.csv", representation=CROSSFITTED),
        communities=expand("results/{{dataset}}/{representation}/communities.csv", representation=CROSSFITTED),
    output:
        "results/{dataset}/validation/verdict.md",
    log:
        "results/{dataset}/logs/verdict.log",
    benchmark:
        "results/{dataset}/benchmarks/verdict.tsv"
    conda:
        "../../envs/science.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        crossfitted=CROSSFITTED,
        query=config["query"],
    script:
        "../scripts/verdict.py"
