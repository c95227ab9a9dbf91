VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
DEMO := runs/demo-$(shell date +%Y%m%d-%H%M%S)

.DEFAULT_GOAL := help
TABLES := $(basename $(notdir $(wildcard experiments/tables/*.yaml)))
SMALL := laptop
isic2018_small isic2018_decisions isic2018_networks results decided: SMALL := 64px
LAPTOP_OPTIONS = --config experiments/variants/$(SMALL).yaml --seeds $(or $(SEEDS),0)
isic2018_features: LAPTOP_OPTIONS = --seeds $(or $(SEEDS),0)
TABLE_OPTIONS = $(if $(LAPTOP),$(LAPTOP_OPTIONS),$(if $(SEEDS),--seeds $(SEEDS))) \
	$(if $(JOBS),--jobs $(JOBS)) $(if $(DATA),--data.root $(DATA)) $(OPTIONS)

RESULTS := .md .csv _classes.csv _gap.csv .png
RUNS = runs/tables-$(SMALL)
DECIDED = $(foreach method,ce rs rw sqrt_sampling scl bcl,$(wildcard $(RUNS)/isic2018_small+$(1)$(method)+seed*))
SHOWN = $(wildcard $(addsuffix /*/,$(lastword $(sort $(wildcard runs/demo-*)))))

.PHONY: help install demo lint test test-all test-lowest faults coverage benchmark gpu-check offline-pack format results decided docs screenshots $(TABLES)

help: ## list the targets
	@grep -hE '^[a-zA-Z_0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-22s %s\n", $$1, $$2}'
	@echo "tables and figures of the papers, and one of all methods: what is missing is run, then ours is printed beside the published numbers"
	@for table in $(TABLES); do \
		printf "  %-22s %s\n" $$table "$$(sed -n 's/^title: *//p' experiments/tables/$$table.yaml | tr -d '"')"; done
	@echo "  with SEEDS=\"0 1\", JOBS=2 (runs at once), DATA=folder of the data set, OPTIONS=\"--dry-run\" (or any other of"
	@echo "  lightning_imbal table --help), LAPTOP=1 (small pictures and network, few epochs, one seed)"

install: $(VENV)/installed ## create .venv and install the project with its tools

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 install"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: install ## cross-entropy against two-stage contrastive training on long-tailed digits (3 minutes, no download)
	$(BIN)/lightning_imbal fit --config experiments/demo.yaml --config experiments/methods/ce.yaml --save_features true --run_dir $(DEMO)/cross-entropy
	$(BIN)/lightning_imbal fit --config experiments/demo.yaml --save_features true --run_dir $(DEMO)/contrastive
	$(BIN)/lightning_imbal report $(DEMO)/cross-entropy $(DEMO)/contrastive --html $(DEMO)/report.html

$(TABLES): install
	$(BIN)/lightning_imbal table experiments/tables/$@.yaml $(TABLE_OPTIONS)

results: install ## publish the finished runs of make isic2018_small LAPTOP=1 in experiments/results
	$(BIN)/lightning_imbal table experiments/tables/isic2018_small.yaml --config experiments/variants/$(SMALL).yaml --jobs 0
	@mkdir -p experiments/results
	for end in $(RESULTS); do cp $(RUNS)/isic2018_small$$end experiments/results/isic2018_small-$(SMALL)$$end; done

decided: install ## publish what decision rules make of the runs of make isic2018_decisions LAPTOP=1 in experiments/results
	$(BIN)/lightning_imbal table experiments/tables/isic2018_decisions.yaml --config experiments/variants/$(SMALL).yaml --jobs 0 --runs $(RUNS)
	for end in .md .csv _classes.csv; do cp $(RUNS)/isic2018_decisions$$end experiments/results/isic2018_decisions-$(SMALL)$$end; done
	$(BIN)/lightning_imbal decide $(call DECIDED,) --csv experiments/results/isic2018_decisions-$(SMALL)_by_image.csv
	$(BIN)/lightning_imbal decide $(call DECIDED,group_by=lesion+) --csv experiments/results/isic2018_decisions-$(SMALL)_by_lesion.csv

docs: install ## build the documentation into site/index.html, without a network; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

screenshots: install ## the pictures of the documentation, from the newest runs of make demo (SHOWN="runs/A runs/B" for others)
	$(BIN)/python tests/docs/screenshots.py $(SHOWN)

lint: install ## ruff: mistakes and format; mypy: types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## lint and pytest
	$(BIN)/pytest -n auto

test-all: lint ## lint and pytest with the slow tests too
	$(BIN)/pytest -n auto -m ""

test-lowest: install ## pytest with the lowest versions that pyproject.toml allows, in .venv-lowest
	$(BIN)/uv venv --quiet --clear --seed --python $(BIN)/python $(VENV)-lowest
	$(BIN)/uv pip install --quiet --python $(VENV)-lowest --resolution lowest-direct --only-binary :all: -e '.[dev]'
	$(VENV)-lowest/bin/pytest -n auto

faults: install ## break the package at one place after the other: does a test notice? (OPTIONS="--room stats --workers 2")
	$(BIN)/python tests/faults.py $(OPTIONS)

coverage: install ## do the intervals and stars of the tables hold? simulated where the truth is known (5 minutes; OPTIONS="--seed 1 --only lesions")
	$(BIN)/python tests/coverage/simulate.py $(OPTIONS)

benchmark: install ## hot places beside bare loops, a million images, and what each part is worth: training step, disk cache, stored features, perturbed input, bootstrap; report page; decision rules of a table; init and audit of 100,000 pictures; help and typing errors (40 minutes)
	$(BIN)/python tests/benchmarks/limits
	$(BIN)/python tests/benchmarks/limits/million.py
	$(BIN)/python tests/benchmarks/training_step.py
	$(BIN)/python tests/benchmarks/disk_cache.py
	$(BIN)/python tests/benchmarks/frozen_head.py
	$(BIN)/python tests/benchmarks/perturbed_input.py
	$(BIN)/python tests/benchmarks/bootstrap.py
	$(BIN)/python tests/benchmarks/report_page.py
	$(BIN)/python tests/benchmarks/own_images.py
	$(BIN)/python tests/benchmarks/decisions.py
	$(BIN)/python tests/benchmarks/help.py

gpu-check: install ## check the installation on a GPU: does it run, right, as fast as it should (8 minutes; OPTIONS="--minutes 8 --images DIR")
	$(BIN)/python tests/benchmarks/gpu.py $(OPTIONS)

offline-pack: install ## one folder for machines without a network: wheels, check, pictures (SKIP="torch ...", OPTIONS="--python 3.12 --images DIR")
	$(BIN)/python tests/benchmarks/offline_pack.py $(if $(SKIP),--skip $(SKIP)) $(OPTIONS)

format: install ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
