# Every target makes its own environment first: nothing has to be installed by hand but Python 3.11 or newer.
PYTHON ?= python3
CORES ?= $(shell nproc)
BIN := .venv/bin
SOURCES := workflow tests benchmarks

.PHONY: run readings test lint bench calibrate lock clean

run: .venv/ready
	$(BIN)/snakemake --cores $(CORES)

# which reading of the paper fits its numbers, on the real rows in ../shared/data
readings: .venv/ready
	$(BIN)/snakemake --cores $(CORES) --configfile tests/real/lincs_subset.yaml -- readings

test: .venv/ready
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

bench: .venv/ready
	$(BIN)/python benchmarks/engines.py --out results/benchmarks
	$(BIN)/python benchmarks/permutations.py

calibrate: .venv/ready
	$(BIN)/python benchmarks/calibrate.py --out results/calibration

.venv/ready: requirements.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	touch $@

# after a change of requirements.in; uv comes from wherever the developer has it
lock:
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-header -o requirements.txt requirements.in

clean:
	rm -rf results .snakemake .pytest_cache .ruff_cache
