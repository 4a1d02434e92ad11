# Every target makes its own environment first: nothing has to be installed by hand but Python 3.11 or newer.
PYTHON ?= python3
CORES ?= all
CONFIG ?=
export CONFIG # the shell reads it from its environment, so a file name is never taken for a command
BIN := .venv/bin
SOURCES := workflow tests benchmarks docs

.PHONY: help run paper report readings test lint schema bench calibrate faults lock clean

help: ## list the targets
	@awk -F ' *## ' '/^[a-z]+:.*## / {sub(/:.*/, "", $$1); printf "make %-10s %s\n", $$1, $$2}' Makefile

run: .venv/ready ## run the study into results/<dataset>/; CONFIG=my.yaml (default config/config.yaml), CORES=4 (default all)
	@$(BIN)/python workflow/run.py --cores $(CORES) --configfile "$$CONFIG"

paper: .venv/ready ## run the paper's study (downloads 55 MB once) and compare it with the published numbers; fails if one is a FAIL
	@$(BIN)/python workflow/run.py --cores $(CORES) --configfile config/lincs.yaml
	@$(BIN)/python workflow/report_card.py results/lincs/reproduction.csv

report: .venv/ready ## collect a finished run in Snakemake's own report, report.zip; CONFIG as for run
	$(BIN)/snakemake --report report.zip $${CONFIG:+--configfile "$$CONFIG"}

readings: .venv/ready ## hold every reading of the paper against its numbers, on the real rows in ../shared/data
	$(BIN)/snakemake --cores $(CORES) --configfile tests/real/lincs_subset.yaml -- readings

test: .venv/ready ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/ready ## check style, types and the workflow
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/snakefmt --check Snakefile workflow
	cd workflow && ../$(BIN)/mypy moamap
	$(BIN)/snakemake --lint

schema: .venv/ready ## write the representations' schema and the table of options, after a change of parameters
	$(BIN)/python docs/generate.py

bench: .venv/ready ## compare the engines with metric-learn and scikit-learn
	$(BIN)/python benchmarks/engines.py --out results/benchmarks
	$(BIN)/python benchmarks/permutations.py

calibrate: .venv/ready ## measure the false-positive rate of each test and claim on screens without a phenotype
	$(BIN)/python benchmarks/calibrate.py --out results/calibration
	$(BIN)/python benchmarks/claims.py --out results/calibration

faults: .venv/ready ## kill and damage a job of every rule of a small study, and compare what the same command then makes
	$(BIN)/python -m tests.faults --out results/faults

.venv/ready: requirements.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	touch $@

lock: ## pin the requirements again, after a change of requirements.in (needs uv)
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-header -o requirements.txt requirements.in

clean: ## delete results, logs and caches
	rm -rf results .snakemake .pytest_cache .ruff_cache .mypy_cache
