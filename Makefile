VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
DEMO := runs/demo-$(shell date +%Y%m%d-%H%M%S)

.DEFAULT_GOAL := help
.PHONY: help install demo test benchmark format

help: ## list the targets
	@grep -hE '^[a-zA-Z_0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

install: $(VENV)/installed ## create .venv and install the project with its tools

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 install"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: install ## cross-entropy against two-stage contrastive training on long-tailed digits (3 minutes, no download)
	$(BIN)/lightning_imbal fit --config experiments/demo.yaml --config experiments/methods/ce.yaml --run_dir $(DEMO)/cross-entropy
	$(BIN)/lightning_imbal fit --config experiments/demo.yaml --run_dir $(DEMO)/contrastive
	$(BIN)/lightning_imbal report $(DEMO)/cross-entropy $(DEMO)/contrastive

test: install ## ruff and pytest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pytest

benchmark: install ## disk cache, stored features, perturbed input, BHP loss: each against doing without (10 minutes)
	$(BIN)/python tests/benchmarks/disk_cache.py
	$(BIN)/python tests/benchmarks/frozen_head.py
	$(BIN)/python tests/benchmarks/perturbed_input.py
	$(BIN)/python tests/benchmarks/bhp_loss.py

format: install ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
