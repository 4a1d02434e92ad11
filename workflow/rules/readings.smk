# reads profiles/annotated.parquet, drugs.parquet; writes reproduction/: which reading of the paper fits its numbers
# (target `readings`), and the study's own reading at the paper's size (for reproduction.csv)
from moamap.core.grid import CALIBRATION, GRID, own_reading

GRIDS = {"all": GRID, "own": own_reading(config)}
CALIBRATION_GRIDS = {"all": CALIBRATION, "own": own_reading(config)}
SCREENS = range(1, 9)  # simulated, to calibrate the extrapolation


rule measure_readings:
    input:
        "<results>/profiles/annotated.parquet",
    output:
        "<results>/reproduction/{grid}/measured_{axis}.parquet",
    log:
        "<logs>/measure_readings_{grid}_{axis}.log",
    benchmark:
        "<benchmarks>/measure_readings_{grid}_{axis}.tsv"
    wildcard_constraints:
        grid="|".join(GRIDS),
        axis="|".join(GRID["axis"]),
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000, 60),
        runtime=grows(30, 6),
    params:
        code=code("measure_readings"),
        grid=lambda wildcards: GRIDS[wildcards.grid],
        moa=config["moa"],
        query=config["query"],
    script:
        "../scripts/measure_readings.py"


rule calibrate_readings:
    input:
        index="<results>/profiles/drugs.parquet",
        published=PUBLISHED,
    output:
        "<results>/reproduction/{grid}/calibration_{screen}.parquet",
    log:
        "<logs>/calibrate_readings_{grid}_{screen}.log",
    benchmark:
        "<benchmarks>/calibrate_readings_{grid}_{screen}.tsv"
    wildcard_constraints:
        grid="|".join(GRIDS),
        screen=r"\d+",
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
    params:
        code=code("calibrate_readings"),
        grid=lambda wildcards: CALIBRATION_GRIDS[wildcards.grid],
    script:
        "../scripts/calibrate_readings.py"


rule extrapolate:
    input:
        measured=lambda wildcards: [
            f"<results>/reproduction/{wildcards.grid}/measured_{axis}.parquet"
            for axis in GRIDS[wildcards.grid]["axis"]
        ],
        errors=lambda wildcards: [
            f"<results>/reproduction/{wildcards.grid}/calibration_{screen}.parquet" for screen in SCREENS
        ],
        published=PUBLISHED,
    output:
        "<results>/reproduction/{grid}/extrapolated.csv",
    log:
        "<logs>/extrapolate_{grid}.log",
    benchmark:
        "<benchmarks>/extrapolate_{grid}.tsv"
    wildcard_constraints:
        grid="|".join(GRIDS),
    conda:
        "../../envs/science.yaml"
    resources:
        mem_mb=grows(1000),
        runtime=grows(5),
    params:
        code=code("extrapolate"),
    script:
        "../scripts/extrapolate.py"


rule readings:
    input:
        measured=[f"<results>/reproduction/all/measured_{axis}.parquet" for axis in GRID["axis"]],
        estimated="<results>/reproduction/all/extrapolated.csv",
        published=PUBLISHED,
    output:
        table="<results>/reproduction/readings.csv",
        svg="<results>/reproduction/readings.svg",
        png="<results>/reproduction/readings.png",
    log:
        "<logs>/readings.log",
    benchmark:
        "<benchmarks>/readings.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=grows(1000),
        runtime=grows(5),
    params:
        code=code("readings"),
    script:
        "../scripts/readings.py"
