# `make demo` and `make test` need python3 (3.11 or newer) with venv, and make; everything else they install themselves.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

PLUGINS := $(notdir $(wildcard plugins/lms_bridge_*))
# Each worker begins with a part of its own, so that what is kept from test to test is made in one; then takes what is left.
PYTEST  := $(BIN)/pytest -n $(or $(WORKERS),2) --dist worksteal
PIP     := $(BIN)/python -m pip --disable-pip-version-check

# Tests start many interpreters: each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo test lint types imports unit unit-postgresql wheel-test lock settings-docs screens soak clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

# --- environment ------------------------------------------------------------------------------------------------

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1); name another: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv is missing: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# What is installed is recorded by stamps: another lock file or another set of packages installs again, nothing else does.
# The lock file is complete, so nothing is resolved (--no-deps): pip 23 would look at package indexes for requirements with
# extras and refuse the installation on the day that a newer version of one appears. "pip check" says if the lock lacks one.
$(VENV)/installed-base: requirements/base.txt requirements/build.txt setup.cfg | $(BIN)/python
	@echo "Installing the locked dependencies into $(VENV) (once; a minute or two) ..."
	@$(PIP) install -q --require-hashes --no-deps -r requirements/base.txt -r requirements/build.txt
	@$(PIP) install -q --no-build-isolation --no-deps -e .
	@$(PIP) check -q
	@touch $@

$(VENV)/installed-dev: requirements/dev.txt requirements/build.txt setup.cfg | $(BIN)/python
	@echo "Installing the locked dependencies and test tools into $(VENV) (once; a few minutes) ..."
	@$(PIP) install -q --require-hashes --no-deps -r requirements/dev.txt
	@$(PIP) install -q --no-build-isolation --no-deps -e .
	@$(PIP) check -q
	@touch $(VENV)/installed-base $@

venv: $(VENV)/installed-dev ## Make .venv with everything that developers need

# --- the main job -----------------------------------------------------------------------------------------------

demo: $(VENV)/installed-base ## Load a school system, walk the main job through, serve it (ARGS=--no-serve: do not serve)
	@$(BIN)/lms-bridge demo $(ARGS)

# --- checks -----------------------------------------------------------------------------------------------------

test: $(VENV)/installed-dev ## Everything: lint, types, import order, all tests on SQLite, those of the database on PostgreSQL
	@.ci/system-packages
	@$(MAKE) --no-print-directory lint types imports unit
	@if .ci/system-packages --has postgresql; then $(MAKE) --no-print-directory unit-postgresql; fi
	@echo "make test: all passed."

lint: $(VENV)/installed-dev ## ruff
	@$(BIN)/ruff check -q lms_bridge plugins templates tests benchmarks
	@$(BIN)/ruff format -q --check lms_bridge plugins templates tests benchmarks \
	  || { $(BIN)/ruff format --check lms_bridge plugins templates tests benchmarks; exit 1; }
	@echo "lint: passed."

types: $(VENV)/installed-dev ## mypy --strict on the packages and plugins
	@$(BIN)/mypy --no-error-summary -p lms_bridge $(addprefix -p ,$(PLUGINS))
	@echo "types: passed."

imports: $(VENV)/installed-dev ## The floors of the house: a package imports only from those below it
	@$(BIN)/lint-imports > $(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log; exit 1; }
	@echo "imports: passed."

unit: $(VENV)/installed-dev ## All tests, on SQLite (ARGS goes to pytest)
	@$(PYTEST) -q $(ARGS)

unit-postgresql: $(VENV)/installed-dev ## The tests that touch the database, on PostgreSQL
	@$(PYTEST) -q --database=postgresql $(ARGS)

wheel-test: $(VENV)/installed-base ## Build the wheel, install it in an empty environment outside the checkout, run the demo there
	@PYTHON=$(abspath $(BIN)/python) .ci/wheel-test

soak: $(VENV)/installed-dev wheel-test ## The long tests: kills, many people, the installed wheel
	@$(BIN)/pytest -q --soak -m slow $(ARGS)

# --- files made by programs -------------------------------------------------------------------------------------

LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# Not from the stamps: a new line in setup.cfg is in no lock file yet, and an installation without it is refused.
$(BIN)/uv:
	@$(MAKE) --no-print-directory venv

lock: | $(BIN)/uv ## Write requirements/*.txt again from setup.cfg and requirements/*.in (UPGRADE=--upgrade: newest versions)
	@$(LOCK) $(UPGRADE) setup.cfg -o requirements/base.txt
	@$(LOCK) $(UPGRADE) setup.cfg requirements/dev.in -c requirements/base.txt -o requirements/dev.txt
	@$(LOCK) $(UPGRADE) requirements/build.in -c requirements/dev.txt -o requirements/build.txt

settings-docs: $(VENV)/installed-base ## Write docs/settings.md again from the settings' docstrings
	@$(BIN)/python -m lms_bridge.core.settings_docs > docs/settings.md.new && mv docs/settings.md.new docs/settings.md

screens: $(VENV)/installed-dev ## Take the pictures of docs/screens/ again, of what make demo left
	@$(BIN)/python -m tests.journeys.screens docs/screens
	@$(BIN)/python -m tests.journeys.document_pictures docs/screens
	@SCREENS=docs/screens $(BIN)/pytest -q tests/journeys/test_plan_review.py

clean: ## Remove what the targets above made (data folders stay)
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
