# Two commands matter: `make demo` and `make test`. Both make their own environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# one worker a core, so one thread a worker: threads of several workers wait for each other's cores
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: help demo test test-slow bench lint docs lock clean
.DEFAULT_GOAL := help

help:  ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

$(STAMP): requirements.lock requirements.no-deps.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -r requirements.no-deps.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)  ## place measured models, whole and split, on a metro network, against rivals and bounds; write the page
	$(BIN)/placid run scenarios/split-metro.yaml --out runs/demo --fresh

test: $(STAMP)  ## run the tests, but for the slow ones
	@sh scripts/install_browser.sh $(BIN)/python
	$(PYTEST)

test-slow: $(STAMP)  ## run the checks that take minutes
	$(PYTEST) -m slow

bench: $(STAMP)  ## run the benchmarks, each beside a named rival
	$(BIN)/python -m benchmarks

lint: $(STAMP)  ## ruff, mypy, the import contracts
	$(BIN)/ruff format --check src tests benchmarks papers
	$(BIN)/ruff check src tests benchmarks papers
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)  ## build the site, strictly
	$(BIN)/mkdocs build --strict

lock: $(STAMP)  ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile -q pyproject.toml requirements.in --extra train --extra gym --extra pareto --extra serve --extra trace --group test --group docs --group bench \
	  --python-version 3.11 --universal --no-emit-index-url --no-annotate --no-header -o requirements.lock
	@# a processor-only build of torch needs none of these; the other one brings them itself
	sed -i -E '/^(nvidia-|cuda-|triton=)/d' requirements.lock

clean:  ## delete the environment, runs and the built site
	rm -rf $(VENV) runs site
