# lt_lightning: `make` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN := $(BIN)/lt
DIGITS := --config configs/data/digits.yaml --config configs/trainer/quick.yaml
PYTEST := $(BIN)/python -m pytest
ASIDE := slow or distributed or gpu or slurm or fuzz or soak

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all test-slow test-distributed test-gpu test-slurm soak fuzz long lint format type docs results bench clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "make: $(PYTHON) is older than Python 3.10: use make PYTHON=python3.11, say."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps keep pip from running again until the project's own files ask for it.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $(VENV)/.installed $@

install: $(VENV)/.installed  ## make .venv with the package in it

$(VENV)/.installed-docs: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[docs]'
	@touch $@

demo: $(VENV)/.installed  ## train BBN and cross-entropy on long-tailed digits, print one table
	$(RUN) fit --config configs/ce.yaml $(DIGITS) --name demo-ce
	$(RUN) fit --config configs/bbn.yaml $(DIGITS) --name demo-bbn
	@$(RUN) report runs/demo-ce runs/demo-bbn --newest

test: $(VENV)/.installed-dev  ## the short tests, four of five: under two minutes on two cores
	$(PYTEST) -n 2 --dist loadgroup

test-all: $(VENV)/.installed-dev  ## the short tests and the long ones, as CI runs them: seven minutes
	$(PYTEST) -n 2 --dist loadgroup -m 'not ($(ASIDE))'

test-slow: $(VENV)/.installed-dev  ## tests of over two seconds, and further cases of the default ones
	$(PYTEST) -m slow --timeout 600

test-distributed: $(VENV)/.installed-dev  ## tests on two processes (gloo, loopback)
	$(PYTEST) -m distributed --timeout 600

test-gpu: $(VENV)/.installed-dev  ## tests that need a CUDA device
	$(PYTEST) -m gpu --timeout 600

# The tests start daemons of their own; of the packages they need the programs alone.
test-slurm: $(VENV)/.installed-dev  ## jobs on a SLURM of two nodes on this machine: root, half an hour
	@type munged slurmctld slurmd srun ip > /dev/null 2>&1 || [ "$$(id -u)" != 0 ] || \
	  ! type apt-get > /dev/null 2>&1 || { apt-get -q update && DEBIAN_FRONTEND=noninteractive \
	  apt-get -qy install --no-install-recommends slurm-wlm munge iproute2; }
	$(PYTEST) -m slurm tests/slurm -n 2 --dist loadgroup

soak: $(VENV)/.installed-dev  ## runs killed at random moments, and disks that fail at every operation, hours
	$(PYTEST) -m soak tests/soak

fuzz: $(VENV)/.installed-dev  ## hostile configs, options, checkpoints, results, environments, tables and sweeps
	$(PYTEST) -m fuzz tests/fuzz --timeout 3600

long: $(VENV)/.installed-dev  ## measure the tests, and write the long ones into tests/long.txt
	PYTHONPATH=tests/kit $(PYTEST) -p costs -m 'not ($(ASIDE))'

lint: $(VENV)/.installed-dev  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev  ## let ruff rewrite the files
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

type: $(VENV)/.installed-dev  ## mypy, strict
	$(BIN)/mypy

docs: $(VENV)/.installed-docs  ## the manual, into build/site; every warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "build/site/index.html; its search needs a server: python3 -m http.server -d build/site"

results: $(VENV)/.installed-dev  ## write tables and heads of configs from the runs in results/
	$(BIN)/python -m manual.written

bench: $(VENV)/.installed-dev  ## speed and memory, as ratios measured in one run
	$(BIN)/python bench/speed.py
	$(BIN)/python bench/augmentation.py
	$(BIN)/python bench/image_folder.py
	$(BIN)/python bench/feature_cache.py
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/dashboards.py
	$(BIN)/python bench/scaling.py

clean:  ## remove caches, not runs
	rm -rf .mypy_cache .pytest_cache .ruff_cache build dist
