# Every target sets up what it needs: a virtual environment in .venv with the locked versions.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DOCS_READY := .venv/.docs-ready
# The environment holds for the isolated builds of packages too; newer versions of pip read the second.
LOCKED := PIP_CONSTRAINT=requirements.lock PIP_BUILD_CONSTRAINT=requirements.lock
N ?= 1000
DATA ?= synthetic
OUT ?= gpu
MINUTES ?= 8

.DEFAULT_GOAL := help
.PHONY: help demo test zoo check lint format fuzz hostile kills explore benchmark gpu report docs record lock clean

help:  ## Say what can be made.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(READY)  ## Count Inception v3, check the count, audit its paper's claims, and write the reports.
	$(BIN)/costlab count inception_v3 --check
	$(BIN)/costlab verify --strict
	$(BIN)/costlab report

# Bytecode is kept, whatever the shell says: the tests start some hundred processes.
test: $(READY)  ## Run the tests.
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --dist worksteal

zoo: $(READY)  ## Try all of what other runs try a sample of: transformers, large networks, operators of tools, pictures, training.
	$(BIN)/pytest tests/zoo tests/paper tests/counting tests/definitions tests/hardware tests/symbolic tests/checking tests/tracing tests/report \
	  tests/explore tests/train tests/advise tests/cli tests/onnx tests/torch tests/search tests/test_gpu.py -m '' -n auto --dist worksteal

check: $(READY)  ## Everything that has to pass: format, lint, types, import rules, tests.
	$(MAKE) --jobs=2 lint test

lint: $(READY)  ## Format, lint, types and import rules.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## Format the code and mend what the linter can.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: $(READY)  ## Hold N random blocks against fvcore and torch, and closed forms against counts: make fuzz N=10000 [SEED=...].
	@seed=$${SEED:-$$($(PYTHON) -c 'import random; print(random.randrange(2**32))')}; \
	echo "seed: $$seed (repeat with make fuzz N=$(N) SEED=$$seed)"; \
	FUZZ_EXAMPLES=$(N) $(BIN)/pytest tests/test_random_blocks.py tests/symbolic/test_closed_form.py \
	  tests/hardware/test_memory_runs.py tests/tracing/test_constants.py \
	  -k 'random or is_what_runs or numeric or constants_decide' \
	  --hypothesis-seed=$$seed --hypothesis-show-statistics

kills: $(READY)  ## Kill commands that train and report at N random moments, and hold what they leave: make kills N=200 [SEED=...].
	@seed=$${SEED:-$$($(PYTHON) -c 'import random; print(random.randrange(2**32))')}; \
	echo "seed: $$seed (repeat with make kills N=$(N) SEED=$$seed)"; \
	KILLS=$(N) KILLS_SEED=$$seed $(BIN)/pytest tests/test_kills.py -m '' -s

hostile: $(READY)  ## Try N hostile targets, options, files and records: make hostile N=2000 [SEED=...].
	@seed=$${SEED:-$$($(PYTHON) -c 'import random; print(random.randrange(2**32))')}; \
	echo "seed: $$seed (repeat with make hostile N=$(N) SEED=$$seed)"; \
	HOSTILE_EXAMPLES=$(N) HOSTILE_SEED=$$seed $(BIN)/pytest tests/hostile -n auto --dist worksteal

explore: $(READY)  ## Hold members of N spaces against counts, and answers about N against all members: make explore N=2000 [SEED=...].
	@seed=$${SEED:-$$($(PYTHON) -c 'import random; print(random.randrange(2**32))')}; \
	echo "seed: $$seed (repeat with make explore N=$(N) SEED=$$seed)"; \
	EXPLORE_EXAMPLES=$(N) EXPLORE_SEED=$$seed $(BIN)/pytest tests/explore -m '' -k 'members or slices or numbers' \
	  --hypothesis-seed=$$seed --hypothesis-show-statistics

benchmark: $(READY)  ## Compare counts with fvcore's and others', whole spaces with single counts, and training with a plain loop, in time and memory.
	$(BIN)/python benchmarks/count.py
	$(BIN)/python benchmarks/trace.py
	$(BIN)/python benchmarks/graph.py
	$(BIN)/python benchmarks/explore.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/train.py

gpu: $(READY)  ## Run on an NVIDIA GPU what was not run on one, into a new folder: make gpu [DATA=cifar10:PATH] [OUT=gpu] [MINUTES=8].
	$(BIN)/python -m benchmarks.gpu --data '$(DATA)' --output '$(OUT)' --minutes '$(MINUTES)'

report: $(READY)  ## Write the reports anew, and the outputs that the README and docs show.
	$(BIN)/costlab report

docs: $(DOCS_READY)  ## Build the documents as a site, in site; a dead link is an error.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

record: $(READY)  ## Write anew what costlab verify is expected to find; look at what changed.
	$(BIN)/python -m costlab.paper > .venv/expected.toml
	mv .venv/expected.toml costlab/paper/expected.toml

lock:  ## Write requirements.lock anew: the newest versions that pyproject.toml admits, and this torch.
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install 'torch==2.13.0' '.[dev,docs]' hatchling editables
	.venv-lock/bin/pip list --format=freeze --exclude costlab --exclude pip > .venv-lock/frozen
	sed 's/+cpu$$//' .venv-lock/frozen > requirements.lock
	rm -rf .venv-lock

clean:  ## Remove the virtual environment and caches.
	rm -rf .venv .venv-lock site .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# The stamp is written last: an install that was interrupted is done again. Bytecode is made on all cores, but for
# thousands of models, tests and tools of which none is imported; what cannot be compiled is a package's own affair.
$(READY): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "costlab needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(LOCKED) $(BIN)/pip install --no-compile --editable '.[dev]'
	$(BIN)/python -m compileall -q -j 0 -x '/transformers/models/|/tests/|/numba/cuda/|/(mypyc?|pip|setuptools|fontTools)/' .venv/lib || true
	touch $(READY)

$(DOCS_READY): $(READY)
	$(LOCKED) $(BIN)/pip install --editable '.[docs]'
	touch $(DOCS_READY)
