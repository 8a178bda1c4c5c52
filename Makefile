# Everything runs from .venv, which is built again when pyproject.toml or constraints.txt changes.
PYTHON ?= python3
BIN := .venv/bin
TIER ?= full
RESULTS := $(if $(filter smoke,$(TIER)),$(shell mktemp -d),results)
NAME = $@$(if $(filter smoke,$(TIER)),-smoke)
# The names of the functions that are decorated as experiments, so that no virtual environment is needed to know them.
EXPERIMENTS := $(shell grep -hA1 '^@experiment' benchmark/experiments/*.py | sed -n 's/^def \([a-z0-9_]*\).*/\1/p' | tr _ - | sort)

.DEFAULT_GOAL := help
.PHONY: help install lock test smoke lint figures leaderboard site bench-update bench-throughput bench-sweep bench-inference clean $(EXPERIMENTS)

help:  ## print this list
	@grep -hE '^[a-z -]+:.*## ' Makefile | sed -E 's/^([a-z -]+):.*## /\1\t/' | expand -t 22
	@echo
	@echo "make EXPERIMENT runs an experiment and draws its fronts; TIER=smoke does so in a minute on synthetic data:"
	@if [ -x $(BIN)/sparsefront ]; then $(BIN)/sparsefront list experiments; else echo "  $(EXPERIMENTS)"; fi

install: .venv/installed  ## build .venv with everything in it

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sparsefront needs Python >= 3.11: make install PYTHON=python3.x")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: install  ## pin what pyproject.toml newly names in constraints.txt; `make lock UPGRADE=--upgrade` renews all pins
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command 'make lock' --quiet $(UPGRADE) --output-file constraints.txt

test: install lint  ## lint, then run all tests
	$(BIN)/python -m pytest --numprocesses auto

smoke: install  ## run and report every experiment on synthetic data
	@$(BIN)/sparsefront smoke

lint: install  ## check style, types and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

figures leaderboard: install  ## redraw all published fronts and leaderboards from the CSVs under results/reference/
	@$(BIN)/sparsefront report --results results/reference
	@$(BIN)/sparsefront compare results/reference/families results/reference/families-mnist --threshold validated --output results/reference/comparison
	@$(BIN)/sparsefront compare results/reference/mnist1d --threshold validated --output results/reference/comparison-mnist1d

site: install  ## write one interactive page of all published results, results/reference/report.html
	@$(BIN)/sparsefront report --html --results results/reference

bench-update: install  ## time a training step: dense, dwf at depths 1 to 8, parametrize
	@$(BIN)/python -m benchmark.profiling.step

bench-throughput: install  ## images per second of our loop, a bare one and a DataLoader, and the floor of the machine
	@$(BIN)/python -m benchmark.profiling.loop

bench-sweep: install  ## time planning, resuming and reporting of 100,000 rows, and the feeding of workers
	@$(BIN)/python -m benchmark.profiling.sweep

bench-inference: install  ## time the networks of the experiment `inference` in every form; TASKS=lenet300-fmnist takes one
	@$(BIN)/sparsefront run inference --keep-networks --tier $(TIER) --results $(RESULTS) $(if $(TASKS),--tasks $(TASKS))
	@$(BIN)/python -m benchmark.profiling.inference $(RESULTS)/inference$(if $(filter smoke,$(TIER)),-smoke) $(if $(THREADS),--threads $(THREADS))
	@$(BIN)/sparsefront report inference$(if $(filter smoke,$(TIER)),-smoke) --results $(RESULTS)

clean:  ## remove the virtual environment
	rm -rf .venv

$(EXPERIMENTS): install
	@$(BIN)/sparsefront run $@ --tier $(TIER) --results $(RESULTS)
	@$(BIN)/sparsefront report $(NAME) --results $(RESULTS)

# Without this rule, make would not say which experiments there are.
%:
	@echo "there is no target or experiment '$@'; experiments are $(EXPERIMENTS)" >&2; exit 2

Makefile pyproject.toml constraints.txt: ;
