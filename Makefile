# Everything the project does, one word each. The environment (.venv) makes itself from its lock; there is nothing to set up.
.PHONY: help demo test test-long check docs bench lock clean
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

JOBS ?= 2
AREA ?= core
BIN := .venv/bin
DEV := .venv/dev.stamp
# Any environment has all that the demo needs.
DEMO := $(or $(firstword $(wildcard .venv/*.stamp)),.venv/demo.stamp)
# --dist loadgroup: tests that share something dear (a JVM) name one group and so run in one process.
PYTEST := $(BIN)/pytest -n $(JOBS) --dist loadgroup

help:
	@echo "make demo        from scanner data to a price index, checked and drawn"
	@echo "make test        all tests but the long ones; installs the system packages they need where it may"
	@echo "make test-long   the long ones: soak, fuzzing, large files"
	@echo "make check       lint, format, types, imports and the tests"
	@echo "make docs        the documentation, to docs/_build/html"
	@echo "make bench       benchmarks of one area beside its peers (AREA=core)"
	@echo "make lock        write the locks anew from pyproject.toml (UPGRADE=1 takes the newest releases)"
	@echo "make clean       remove all that these commands made; your workspace stays"

demo: $(DEMO)
	$(BIN)/statcommons demo

test: $(DEV)
	@scripts/system-packages
	$(PYTEST) -m "not long" --cov --cov-report=term:skip-covered

test-long: $(DEV)
	@scripts/system-packages
	$(PYTEST) -m long --timeout=0

check: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) test

docs: $(DEV)
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(DEV)
	$(BIN)/python -m benchmarks $(AREA)

lock: $(DEMO)
	scripts/lock $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .venv docs/_build dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/%.stamp: locks/%.txt locks/setup.txt pyproject.toml scripts/environment
	@scripts/environment $*
