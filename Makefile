# SPDX-License-Identifier: GPL-2.0-or-later
# Everything a newcomer needs; each target sets up what it uses, in .venv, once.
#
#   make run     one mistake, as each of the three witnesses tells it, on one screen
#   make test    format, lint, types, tests, documentation: the whole gate
#   make fuzz    10,000 cases for each reader of what strangers write (FUZZ=n for another number)
#   make docs    HTML under docs/_build/html and the man page docs/_build/man/lazymmu.1
#   make lock    pin the dependencies anew (needs uv)
#   make clean   remove what the above made

VENV ?= .venv
# The first Python on PATH that is new enough; say `make PYTHON=/path/to/python` for another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; exit; }; \
	done; echo none)
# uv installs faster; pip does as well. Set `make UV=` to go without.
UV ?= $(shell command -v uv 2>/dev/null)
BIN := $(VENV)/bin
# A file's tests share a tree, so they stay together; `make check PYTEST=` runs all in one process.
PYTEST ?= -n auto --dist loadfile

FUZZ ?= 10000

.PHONY: run test format lint types check fuzz docs lock clean

run: $(VENV)/run.stamp
	@$(BIN)/lazymmu demo

test: lint types check docs

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

check: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(PYTEST)

fuzz: $(VENV)/dev.stamp
	LAZYMMU_FUZZ=$(FUZZ) $(BIN)/python -m pytest $(PYTEST) tests/fuzz

docs: $(VENV)/dev.stamp
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html
	$(BIN)/python -m sphinx -W -q -b man docs docs/_build/man

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# $(call install,LOCK): the locked packages, by hash, then this project itself as it stands.
ifneq ($(UV),)
install = $(UV) pip install -q --python $(BIN)/python --require-hashes -r $(1) && \
	$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
else
install = $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(1) && \
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
endif

$(BIN)/python:
	@[ "$(PYTHON)" != none ] || { echo "make: no Python 3.11 or newer on PATH" >&2; exit 2; }
	@echo "setting up $(VENV) with $(PYTHON)" >&2
ifneq ($(UV),)
	@$(UV) venv -q --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
else
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	echo "make: $(PYTHON) cannot make a virtual environment (Debian: install python3-venv)" >&2; exit 2; }
endif

$(VENV)/run.stamp: locks/run.txt pyproject.toml | $(BIN)/python
	@$(call install,locks/run.txt)
	@touch $@

$(VENV)/dev.stamp: locks/dev.txt pyproject.toml | $(BIN)/python
	@$(call install,locks/dev.txt)
	@touch $@ $(VENV)/run.stamp

# locks/run.txt holds what the tool runs on and what builds it; locks/dev.txt adds the gate's tools.
lock:
	@[ -n "$(UV)" ] || { echo "make: the lock is made by uv, which is not on PATH" >&2; exit 2; }
	for set in run:build dev:dev; do \
	lock=locks/$${set%:*}.txt; \
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	--group "$${set#*:}" pyproject.toml -o "$$lock.new" && \
	{ echo "# SPDX-License-Identifier: GPL-2.0-or-later"; \
	echo "# Made by 'make lock' from pyproject.toml; do not edit."; cat "$$lock.new"; } > "$$lock" && \
	rm -f "$$lock.new"; done

clean:
	rm -rf $(VENV) docs/_build docs/_generated .mypy_cache .pytest_cache .ruff_cache .hypothesis
